//! Lists, totals, and runs by what people type.
#![allow(clippy::unwrap_used, reason = "tests may")]

mod common;

use common::{NOW, new_run, owner};
use footplate_core::RunStatus;
use footplate_store::{ListQuery, NewRun, Store};

fn numbers(store: &Store, query: &ListQuery) -> (Vec<i64>, u64) {
    let (rows, total) = store.read().unwrap().list(query).unwrap();
    (rows.iter().map(|row| row.number).collect(), total)
}

#[test]
fn every_filter_agrees_with_looking_at_every_run() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = owner(dir.path());
    let statuses = [RunStatus::Queued, RunStatus::Completed, RunStatus::Failed, RunStatus::Draft];
    store
        .write(|tx| {
            for index in 0..300_usize {
                let new = NewRun {
                    queue: ["default", "training"][index % 2].to_owned(),
                    tags: [&[][..], &["keep"], &["keeper", "quoted \"it\""], &["Keep", "a"]][index / 2 % 4]
                        .iter()
                        .map(|tag| (*tag).to_owned())
                        .collect(),
                    experiment: [None, Some("a".to_owned()), Some("b".to_owned())][index / 7 % 3].clone(),
                    pipeline: ["Digits", "words"][index / 3 % 2].to_owned(),
                    ..new_run(&format!("Run-{index}%_x"))
                };
                let (number, _) = tx.insert_run(&new, &[])?;
                tx.set_run_status(number, statuses[index / 5 % 4], NOW)?;
            }
            // Counts follow whatever changes.
            tx.set_queue(7, "evaluation", NOW)?;
            tx.remove_run(11, NOW)?;
            tx.remove_run(300, NOW)?;
            tx.rename_run(20, "RENAMED", NOW)
        })
        .unwrap();
    let all = store.read().unwrap().list(&ListQuery { limit: 1000, ..ListQuery::default() }).unwrap();
    assert_eq!((all.0.len(), all.1), (298, 298));
    assert!(all.0.iter().all(|run| run.definition.is_empty() && run.params.contains("epochs")));
    let all = all.0;
    let picked: [Vec<RunStatus>; 5] = [
        vec![],
        vec![RunStatus::Failed],
        vec![RunStatus::Queued, RunStatus::Completed, RunStatus::Queued],
        vec![RunStatus::Running],
        RunStatus::ALL.to_vec(),
    ];
    let texts = [None, Some("run-1"), Some("%_X"), Some("DIGITS"), Some("renamed"), Some("none"), Some("_"), Some("")];
    for statuses in &picked {
        for queue in [None, Some("default"), Some("evaluation"), Some("nowhere")] {
            for experiment in [None, Some("a"), Some("c")] {
                for search in texts {
                    for (limit, offset) in [(50, 0), (7, 20), (10, 295), (0, 0), (5, 1000)] {
                        let owned = |text: Option<&str>| text.map(str::to_owned);
                        let (queue, experiment, search) = (owned(queue), owned(experiment), owned(search));
                        let query = ListQuery {
                            statuses: statuses.clone(),
                            queue,
                            experiment,
                            search,
                            limit,
                            offset,
                            ..ListQuery::default()
                        };
                        let expected: Vec<i64> = all
                            .iter()
                            .filter(|run| query.statuses.is_empty() || query.statuses.contains(&run.status))
                            .filter(|run| query.queue.as_ref().is_none_or(|queue| *queue == run.queue))
                            .filter(|run| query.experiment.is_none() || query.experiment == run.experiment)
                            .filter(|run| {
                                let part = query.search.as_deref().unwrap_or("").to_lowercase();
                                run.name.to_lowercase().contains(&part) || run.pipeline.to_lowercase().contains(&part)
                            })
                            .map(|run| run.number)
                            .collect();
                        let total = expected.len() as u64;
                        let page: Vec<i64> = expected.into_iter().skip(offset as usize).take(limit as usize).collect();
                        assert_eq!(numbers(&store, &query), (page, total), "{query:?}");
                    }
                }
            }
        }
    }
    for (tag, runs) in [("keep", 75), ("quoted \"it\"", 75), ("a", 75), ("kee", 0), ("%", 0), ("", 0), ("k\"", 0)] {
        let query = ListQuery { tag: Some(tag.to_owned()), limit: 1000, ..ListQuery::default() };
        let (found, total) = numbers(&store, &query);
        let expected: Vec<i64> = all.iter().filter(|run| run.tags.iter().any(|t| t == tag)).map(|r| r.number).collect();
        assert_eq!((&found, total), (&expected, expected.len() as u64), "{tag}");
        assert!(total.abs_diff(runs) <= 2, "{tag}: {total}");
    }
    let experiments = store.read().unwrap().experiments(10).unwrap();
    let of = |name: &str| all.iter().filter(|run| run.experiment.as_deref() == Some(name)).count() as u64;
    let mut expected = vec![("a".to_owned(), of("a")), ("b".to_owned(), of("b"))];
    expected.sort_by_key(|(_, runs)| std::cmp::Reverse(*runs));
    assert_eq!(experiments, expected, "most runs first; none for runs without one");
    assert_eq!(store.read().unwrap().experiments(1).unwrap().len(), 1);
    let counts = store.read().unwrap().counts().unwrap();
    assert_eq!(counts.iter().map(|(_, runs)| runs).sum::<u64>(), 298);
    for (status, runs) in counts {
        assert_eq!(all.iter().filter(|run| run.status == status).count() as u64, runs, "{status}");
    }
}

#[test]
fn a_run_is_found_by_number_id_prefix_suffix_and_name() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = owner(dir.path());
    let with_id = |id: &str, name: &str| NewRun { id: id.parse().unwrap(), ..new_run(name) };
    let a = with_id("0192f0e4-b1aa-7c5d-8e6f-001122334455", "digits");
    let b = with_id("0192f0e4-b1ab-7c5d-8e6f-aa1122334455", "digits");
    let c = with_id("0192f0e5-0000-7c5d-8e6f-ffffffffffff", "1234");
    store.write(|tx| [a, b, c].iter().try_for_each(|run| tx.insert_run(run, &[]).map(drop))).unwrap();
    let find = |text: &str| {
        let found = store.read().unwrap().find_runs(text).unwrap();
        let list = |runs: Vec<footplate_store::Found>| -> Vec<i64> { runs.into_iter().map(|run| run.number).collect() };
        (
            found.number.map(|run| run.number),
            found.id.map(|run| run.number),
            list(found.prefix),
            list(found.suffix),
            list(found.name),
        )
    };
    let none = (None, None, vec![], vec![], vec![]);
    assert_eq!(find("2"), (Some(2), None, vec![], vec![], vec![]));
    assert_eq!(find("#3"), (Some(3), None, vec![], vec![], vec![]));
    assert_eq!(find("0192F0E4-B1AA-7C5D-8E6F-001122334455").1, Some(1));
    assert_eq!(find("0192f0e4b1aa7c5d8e6f001122334455").1, Some(1));
    assert_eq!(find("0192f0e4").2, [2, 1]);
    assert_eq!(find("0192f0e4-b1ab").2, [2]);
    assert_eq!(find("0192f0e4b1ab").2, [2]);
    assert_eq!(find("4455").3, [2, 1]);
    assert_eq!(find("AA1122334455").3, [2]);
    assert_eq!(find("7c5d-8e6f-001122334455").3, [1]);
    assert_eq!(find("ffff").3, [3]);
    assert_eq!(find("fffffffffffffffffff"), none);
    assert_eq!(find("digits").4, [2, 1]);
    assert_eq!(find("1234"), (None, None, vec![], vec![], vec![3]));
    let hostile = [
        "",
        "#",
        "-",
        "%",
        "_",
        "01",
        "445",
        "../../etc/passwd",
        "'; DROP TABLE run; --",
        "0192f0e4%",
        "\0",
        "💥",
        "99999999999999999999",
        "#-1",
        "-1",
        "0x10",
        "digit",
        "DIGITS",
        "#digits",
    ];
    for text in hostile {
        assert_eq!(find(text), none, "{text:?}");
    }
    assert_eq!(numbers(&store, &ListQuery::default()).1, 3);
}

/// Parts of names that are hard to take apart: quotes, wildcards, letters that are one in capitals and two in small, and lines.
const HARD: [&str; 12] =
    ["lora", "LORA", "\"q\"", "%_", "\\", "手写数字", "Straße", "\u{212A}elvin", "İzmir", "e\u{301}t", "a", "run-77"];

/// What of a store's history happens at this step: both stores of the test below do the same.
fn happen(store: &mut Store, step: usize) {
    let pick = |salt: usize| HARD[(step * 7 + salt * 5) % HARD.len()];
    let name = format!("{}{}{}", pick(1), step % 10, pick(2));
    let tags = vec![format!("{}{}", pick(3), step % 3)];
    let number = (step * 13 % (step + 1)) as i64;
    store
        .write(|tx| match step % 8 {
            5 => tx.rename_run(number, &name, NOW),
            6 => tx.set_tags(number, &tags, NOW),
            7 => tx.remove_run(number, NOW).map(|_| ()),
            _ => tx.insert_run(&NewRun { tags, pipeline: pick(4).to_owned(), ..new_run(&name) }, &[]).map(|_| ()),
        })
        .unwrap();
}

#[test]
fn what_is_found_with_the_index_of_names_is_what_is_found_without() {
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [mut indexed, mut walked] = [owner(dirs[0].path()), owner(dirs[1].path())];
    let texts: Vec<String> = HARD
        .iter()
        .flat_map(|a| HARD.iter().map(move |b| format!("{a}{b}")))
        .chain(HARD.iter().map(|&text| text.to_owned()))
        .chain(
            ["lora5", "ORA1", "kelvin", "\u{0}", "run-7\n", "strasse", "elvin3\"", "7\\", "\u{301}t2"]
                .map(str::to_owned),
        )
        .collect();
    for step in 0..400 {
        happen(&mut indexed, step);
        happen(&mut walked, step);
        if step % 50 == 31 {
            // Not all: the newest are always some behind.
            indexed.write(|tx| tx.name_runs(tx.newest_run()?, 25)).unwrap();
            let asked =
                |search: &String| ListQuery { search: Some(search.clone()), limit: 1000, ..ListQuery::default() };
            let tagged = |tag: &String| ListQuery { tag: Some(tag.clone()), limit: 1000, ..ListQuery::default() };
            for text in &texts {
                assert_eq!(numbers(&indexed, &asked(text)), numbers(&walked, &asked(text)), "{text:?} at {step}");
            }
            for tag in HARD.iter().map(|part| format!("{part}1")) {
                assert_eq!(numbers(&indexed, &tagged(&tag)), numbers(&walked, &tagged(&tag)), "tag {tag:?} at {step}");
            }
        }
    }
    let newest = indexed.read().unwrap().newest_run().unwrap();
    assert!(indexed.read().unwrap().named().unwrap() < newest, "some are outside");
    while indexed.write(|tx| tx.name_runs(newest, 25)).unwrap() < newest {}
    assert_eq!(indexed.check().unwrap(), Vec::<String>::new());
    let plan = "EXPLAIN QUERY PLAN SELECT number FROM run WHERE name LIKE '%x%'
                AND number IN (SELECT rowid FROM run_text WHERE run_text MATCH '\"lor\"')";
    let conn = rusqlite::Connection::open(dirs[0].path().join("state.db")).unwrap();
    let steps: Vec<String> =
        conn.prepare(plan).unwrap().query_map([], |row| row.get(3)).unwrap().map(Result::unwrap).collect();
    assert!(steps.iter().any(|step| step.contains("SEARCH run USING INTEGER PRIMARY KEY")), "{steps:?}");
}
