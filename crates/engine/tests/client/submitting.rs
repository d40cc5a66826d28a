use std::time::Duration;

use footplate_core::definition::Definition;
use footplate_core::{ErrorCode, Fault, RunStatus, StageStatus};
use footplate_engine::client::{ListQuery, Submit, Wish, WishRequest};
use footplate_store::{Role, Store};

use crate::{Bench, captured, command, pipeline, stage};

#[test]
fn what_is_submitted_is_frozen_in_rows() {
    let bench = Bench::new();
    let mut client = bench.client();
    let definition: Definition = serde_json::from_value(serde_json::json!({
        "format": 1, "name": "digits", "queue": "training", "priority": 3,
        "params": {"epochs": {"type": "integer", "default": 20, "minimum": 1}},
        "stages": {
            "prepare": {"command": ["prepare", "--out", "{{ run.dir }}/data"], "queue": "preprocessing"},
            "train": {"command": ["train", "{{ stages.prepare.outputs.data }}", "{{ params.epochs }}"],
                      "resources": {"cpus": 1, "memory": "1MB"}},
            "maybe": {"command": ["x"], "if": "params.epochs > 3"}
        }
    }))
    .unwrap();
    let mut submit = Submit::new(definition, bench.path().to_owned(), captured(&[("PATH", "/bin")]));
    submit.params.insert("epochs".into(), 5.into());
    submit.tags = vec!["a".into()];
    submit.experiment = Some("first".into());
    let run = client.submit(submit).unwrap();
    let view = client.show(run.number).unwrap();
    assert_eq!((view.name.as_str(), view.queue.as_str(), view.priority), ("digits-1", "training", 3));
    assert_eq!((view.status, view.generation, view.confirmed), (RunStatus::Queued, 1, true));
    assert_eq!(view.params.unwrap()["epochs"], 5);
    let stages = view.stages.unwrap();
    let seen: Vec<_> =
        stages.iter().map(|s| (s.name.as_str(), s.status, s.queue.as_str(), s.needs.join(","))).collect();
    assert_eq!(
        seen,
        [
            ("prepare", StageStatus::Queued, "preprocessing", String::new()),
            ("train", StageStatus::Waiting, "training", "prepare".into()),
            // The owner decides conditions.
            ("maybe", StageStatus::Waiting, "training", String::new()),
        ]
    );
    let row = Store::open(bench.home().state_dir(), Role::ReadOnly).unwrap().read().unwrap().run(1).unwrap().unwrap();
    assert_eq!(row.run_dir, bench.home().run_dir(&run.id).into_os_string().into_encoded_bytes());
    assert!(!row.limits.is_empty() && row.umask <= 0o777);
    assert!(serde_json::from_str::<Definition>(&row.definition).unwrap().stages["train"].needs == ["prepare"]);
}

#[test]
fn a_batch_is_released_as_a_whole_and_its_earlier_transactions_stay_drafts_until_then() {
    let bench = Bench::new();
    let mut client = bench.client();
    let watcher = bench.client();
    let mut seen_before_the_end = Vec::new();
    let mut all = (0..5000).map(|n| {
        if n == 4800 {
            let page = watcher.list(&ListQuery { limit: 5000, ..ListQuery::default() }).unwrap();
            seen_before_the_end.extend(page.runs.iter().map(|run| run.status));
        }
        Ok(command(&["echo", &n.to_string()]))
    });
    let runs = client.submit_batch(&mut all).unwrap();
    // The second transaction may be under way.
    assert!(matches!(seen_before_the_end.len(), 2000 | 4000), "{}", seen_before_the_end.len());
    assert!(seen_before_the_end.iter().all(|status| *status == RunStatus::Draft));
    assert_eq!(runs.iter().map(|run| run.number).collect::<Vec<_>>(), (1..=5000).collect::<Vec<_>>());

    let store = Store::open(bench.home().state_dir(), Role::ReadOnly).unwrap();
    let wishes = store.read().unwrap().pending_wishes().unwrap();
    assert_eq!(wishes.len(), 1);
    assert_eq!(Wish::from_row(&wishes[0].kind, &wishes[0].args), Some(Wish::Release { runs: vec![(1, 4000)] }));
    let last = client.show(5000).unwrap();
    assert_eq!(last.status, RunStatus::Queued);
}

#[test]
fn a_batch_of_one_transaction_needs_no_release() {
    let bench = Bench::new();
    let mut client = bench.client();
    let runs = client.submit_batch(&mut (0..2000).map(|_| Ok(command(&["true"])))).unwrap();
    assert_eq!(runs.len(), 2000);
    let store = Store::open(bench.home().state_dir(), Role::ReadOnly).unwrap();
    assert!(store.read().unwrap().pending_wishes().unwrap().is_empty());
    assert!(store.read().unwrap().runs_after(0, 2000).unwrap().iter().all(|run| !run.draft));
}

#[test]
fn a_batch_with_a_bad_line_leaves_nothing() {
    let bench = Bench::new();
    let mut client = bench.client();
    let mut all = (0..5000).map(|n| match n {
        4200 => Err(Fault::new(ErrorCode::Invalid, "line 4201 is bad")),
        _ => {
            let mut submit = command(&["true"]);
            submit.environment = captured(&[("HF_TOKEN", "t")]);
            Ok(submit)
        }
    });
    let fault = client.submit_batch(&mut all).unwrap_err();
    assert_eq!(fault.message, "line 4201 is bad");
    assert_eq!(client.list(&ListQuery::default()).unwrap().total, 0);
    assert_eq!(std::fs::read_dir(bench.home().secrets_dir()).unwrap().count(), 0);
    // Numbers are not used again.
    assert!(client.submit(command(&["true"])).unwrap().number > 1000);
}

#[test]
fn a_wish_is_written_with_the_generation_and_waits_for_its_answer() {
    let bench = Bench::new();
    let mut client = bench.client();
    let run = client.submit(command(&["true"])).unwrap();
    let id = client.wish(WishRequest::of(run.number, Wish::Cancel { stage: None })).unwrap();
    assert_eq!(client.answer(&id).unwrap(), None);
    assert_eq!(client.await_answer(&id, Duration::from_millis(20)).unwrap(), None);
    let mut owner = Store::open(bench.home().state_dir(), Role::Owner).unwrap();
    let row = owner.read().unwrap().wish(&id).unwrap().unwrap();
    assert_eq!((row.run, row.generation, row.kind.as_str()), (Some(1), Some(1), "cancel"));
    let answering = std::thread::spawn(move || {
        owner.write(|tx| tx.answer_wish(&row.id, false, Some(ErrorCode::AlreadyEnded), "#1 is completed", 5)).unwrap()
    });
    let answer = client.await_answer(&id, Duration::from_secs(10)).unwrap().unwrap();
    assert!(answering.join().unwrap());
    assert_eq!(
        (answer.done, answer.code, answer.message.as_str()),
        (false, Some(ErrorCode::AlreadyEnded), "#1 is completed")
    );
    assert_eq!(client.answer("no such wish").unwrap_err().code, ErrorCode::NotFound);
}

#[test]
fn a_change_by_another_is_noticed_and_our_own_is_not() {
    let bench = Bench::new();
    let mut client = bench.client();
    let mut other = bench.client();
    let _ = client.wait_for_change(Duration::ZERO).unwrap();
    client.submit(command(&["true"])).unwrap();
    assert!(!client.wait_for_change(Duration::ZERO).unwrap());
    other.submit(command(&["true"])).unwrap();
    assert!(client.wait_for_change(Duration::from_secs(5)).unwrap());
    assert!(!client.wait_for_change(Duration::from_millis(10)).unwrap());
}

#[cfg(target_os = "linux")]
#[test]
fn who_listens_is_woken_by_each_commit_of_another_and_by_no_look() {
    use footplate_engine::client::pulse::{Heard, Pulse};
    let bench = Bench::new();
    let (client, mut other) = (bench.client(), bench.client());
    let (mut pulse, _caller) = Pulse::new().unwrap();
    assert!(pulse.listen(client.home()));
    for round in 0..5 {
        let _ = client.wait_for_change(Duration::ZERO).unwrap();
        let _ = client.live(None).unwrap();
        assert_eq!(pulse.wait(Duration::ZERO), Heard::Nothing, "round {round}: to look is no write");
        let writing = std::thread::spawn(move || {
            other.submit(command(&["true"])).unwrap();
            other
        });
        assert_eq!(pulse.wait(Duration::from_secs(30)), Heard::Write, "round {round}");
        // What was heard may not be there yet: it is, before looking again is given up.
        while !client.wait_for_change(Duration::ZERO).unwrap() {
            let again = pulse.again().unwrap_or_else(|| panic!("round {round}: given up"));
            let _ = pulse.wait(again);
        }
        other = writing.join().unwrap();
        while pulse.wait(Duration::ZERO) == Heard::Write {}
    }
}

#[test]
fn a_draft_waits_to_be_started_and_a_pipeline_of_two_waits_in_order() {
    let bench = Bench::new();
    let mut client = bench.client();
    let definition = pipeline("two", &[("a", stage(&["true"], &[])), ("b", stage(&["true"], &["a"]))]);
    let mut submit = Submit::new(definition, bench.path().to_owned(), captured(&[]));
    submit.draft = true;
    let run = client.submit(submit).unwrap();
    let view = client.show(run.number).unwrap();
    assert_eq!(view.status, RunStatus::Draft);
    assert!(view.stages.unwrap().iter().all(|s| s.status == StageStatus::Waiting && s.queued_at.is_none()));
    assert_eq!(view.waiting.unwrap().reason, "run_paused");
}
