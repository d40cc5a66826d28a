//! How quickly runs are written and read: `cargo run --release -p footplate-store --example insert_speed [RUNS [only]]`.
//! One-stage runs, 1,000 in each transaction, durable; then lists and searches over them, medians of 21.

use std::time::{Duration, Instant};

use footplate_core::{RunId, RunStatus, StageStatus};
use footplate_store::{ListQuery, NewRun, NewStage, Role, Store, StoreError};
use uuid::Uuid;

fn new_run(index: u64) -> NewRun {
    NewRun {
        id: RunId(Uuid::now_v7()),
        name: format!("digits-{index:06}"),
        pipeline: "digits".to_owned(),
        experiment: None,
        queue: "default".to_owned(),
        priority: 0,
        target: "local".to_owned(),
        tags: Vec::new(),
        draft: false,
        definition: r#"{"format":1,"name":"digits","stages":{"train":{"command":["python","train.py","--epochs","{{ params.epochs }}"]}}}"#
            .to_owned(),
        params: r#"{"epochs":20}"#.to_owned(),
        cwd: b"/home/someone/project".to_vec(),
        pipeline_dir: b"/home/someone/project".to_vec(),
        run_dir: b"/home/someone/.local/share/dev.footplate.desktop/runs/0192f0e4-b1aa-7c5d-8e6f-001122334455".to_vec(),
        env_hash: Some("b1946ac92492d2347c6235b4d2611184".to_owned()),
        secrets: None,
        umask: 0o022,
        limits: "{}".to_owned(),
        planning_ms: Some(3),
        not_before: None,
        after: Vec::new(),
        created_at: 1_795_291_262_345,
    }
}

fn median(what: &str, mut f: impl FnMut() -> Result<u64, StoreError>) -> Result<(), StoreError> {
    let mut times = Vec::new();
    let mut rows = 0;
    for _ in 0..21 {
        let start = Instant::now();
        rows = f()?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    println!("{what:40} {:9.3} ms   ({rows} in all)", times[10].as_secs_f64() * 1000.0);
    Ok(())
}

fn main() -> Result<(), StoreError> {
    let runs: u64 = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(100_000);
    let dir = tempfile::tempdir().map_err(|source| StoreError::Io { path: "temporary folder".into(), source })?;
    let mut store = Store::open(dir.path(), Role::Guest)?;
    let stage = NewStage {
        name: "train".to_owned(),
        queue: "default".to_owned(),
        status: StageStatus::Queued,
        cpus: 1,
        memory: 0,
        gpus: 0,
        queued_at: Some(1_795_291_262_345),
    };
    let stages = [stage];
    let mut batches: Vec<Duration> = Vec::new();
    let mut made = Duration::ZERO;
    let start = Instant::now();
    let mut index = 0;
    while index < runs {
        let before = Instant::now();
        let all: Vec<NewRun> = (index..(index + 1000).min(runs)).map(new_run).collect();
        made += before.elapsed();
        let batch = Instant::now();
        index += all.len() as u64;
        store.write(|tx| all.iter().try_for_each(|run| tx.insert_run(run, &stages).map(|_| ())))?;
        batches.push(batch.elapsed());
    }
    let all = start.elapsed() - made;
    let rate = runs as f64 / all.as_secs_f64();
    batches.sort_unstable();
    let thousand =
        |time: Duration| format!("{:.1} ms ({:.0} runs/s)", time.as_secs_f64() * 1e3, 1e3 / time.as_secs_f64());
    println!("{runs} runs in {:.3} s: {rate:.0} runs/s", all.as_secs_f64());
    println!(
        "a thousand: best {}, median {}, worst {}",
        thousand(batches[0]),
        thousand(batches[batches.len() / 2]),
        thousand(batches[batches.len() - 1])
    );
    if std::env::args().nth(2).is_some() {
        return Ok(());
    }
    // History: nine in ten have ended, some of them badly.
    let start = Instant::now();
    for first in (1..=runs as i64).step_by(1000) {
        store.write(|tx| {
            for number in (first..(first + 1000).min(runs as i64 + 1)).filter(|n| n % 10 != 0) {
                let end = if number % 1000 == 7 { RunStatus::Failed } else { RunStatus::Completed };
                tx.set_run_status(number, end, 1)?;
                tx.set_run_times(number, Some(1), Some(number))?;
            }
            Ok(())
        })?;
    }
    println!("ended nine in ten: {:.3} s", start.elapsed().as_secs_f64());

    let page = |store: &Store, query: &ListQuery| store.read()?.list(query).map(|(_, total)| total);
    let query = ListQuery::default();
    median("the 50 newest", || page(&store, &query))?;
    let query = ListQuery { statuses: vec![RunStatus::Failed], ..ListQuery::default() };
    median("the 50 newest that failed", || page(&store, &query))?;
    let query = ListQuery { statuses: vec![RunStatus::Completed, RunStatus::Queued], ..ListQuery::default() };
    median("the 50 newest completed or queued", || page(&store, &query))?;
    let query = ListQuery { queue: Some("default".to_owned()), ..ListQuery::default() };
    median("the 50 newest of a queue", || page(&store, &query))?;
    for text in ["digits-0000", "DIGITS", "gits-000777", "nothing like it", "77"] {
        let query = ListQuery { search: Some(text.to_owned()), ..ListQuery::default() };
        median(&format!("search {text:?}"), || page(&store, &query))?;
    }
    median("counts by status", || store.read()?.counts().map(|c| c.iter().map(|(_, n)| n).sum()))?;
    median("counts by queue", || store.read()?.queue_counts().map(|c| c.iter().map(|q| q.queued).sum()))?;
    median("open runs", || store.read()?.open_runs().map(|runs| runs.len() as u64))?;
    median("queued stages", || store.read()?.open_stages(StageStatus::Queued).map(|stages| stages.len() as u64))?;
    median("by a suffix", || store.read()?.find_runs("beef42").map(|m| m.suffix.len() as u64))?;
    median("by a name", || store.read()?.find_runs("digits-000777").map(|m| m.name.len() as u64))?;
    Ok(())
}
