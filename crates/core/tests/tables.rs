//! The whole law of states as tables: snapshots hold every cell, and docs/STATES.md is made of the same text.
//!
//! `UPDATE=1 cargo test -p footplate-core --test tables` writes docs/STATES.md anew.

use std::fmt::Write as _;
use std::path::Path;

use footplate_core::code::ErrorCode;
use footplate_core::definition::{OnFailure, OnInterrupt, Retries, RetryOn};
use footplate_core::quantity::Span;
use footplate_core::state::attempt::{self, AttemptInput, AttemptState};
use footplate_core::state::run::{self, RunFlags, Shape, StageRule};
use footplate_core::state::settle::{Evidence, Verdict, settle};
use footplate_core::state::stage::{self, AfterAttempt, Budgets, StageInput, StageState};
use footplate_core::status::{AttemptStatus, RunStatus, StageStatus};
use footplate_core::time::UtcMs;

fn verdict(status: AttemptStatus) -> Verdict {
    Verdict { status, code: None, exit_code: None, signal: None, note: None }
}

/// Every state of an attempt: the three live ones and one ended state for each final status.
fn attempt_states() -> Vec<AttemptState> {
    AttemptStatus::ALL
        .iter()
        .map(|status| AttemptState::live(*status).unwrap_or_else(|| AttemptState::Ended(verdict(*status))))
        .collect()
}

fn stage_state(status: StageStatus) -> StageState {
    match status {
        StageStatus::Waiting => StageState::Waiting,
        StageStatus::Queued => StageState::Queued,
        StageStatus::Running => StageState::Running { attempt: 1 },
        StageStatus::Retrying => StageState::Retrying { at: UtcMs(1000) },
        StageStatus::Held => StageState::Held { code: ErrorCode::CwdMissing },
        StageStatus::Completed => StageState::Completed,
        StageStatus::Cached => StageState::Cached,
        StageStatus::Skipped => StageState::Skipped { code: ErrorCode::NeedNotCompleted },
        StageStatus::Failed => StageState::Failed { code: ErrorCode::ExitCode },
        StageStatus::Cancelled => StageState::Cancelled,
        StageStatus::Interrupted => StageState::Interrupted { code: ErrorCode::ShimLost },
    }
}

/// A Markdown table: one row a state, one column an input; `·` where there is no move.
fn table(corner: &str, columns: &[String], rows: &[(String, Vec<Option<String>>)]) -> String {
    let mut out = format!("| {corner} | {} |\n|{}\n", columns.join(" | "), " --- |".repeat(columns.len() + 1));
    for (name, cells) in rows {
        let cells: Vec<&str> = cells.iter().map(|cell| cell.as_deref().unwrap_or("·")).collect();
        let _ = writeln!(out, "| **{name}** | {} |", cells.join(" | "));
    }
    out
}

fn attempt_table() -> String {
    let mut inputs =
        vec![("started".to_owned(), AttemptInput::Started), ("stop".to_owned(), AttemptInput::StopRequested)];
    for status in AttemptStatus::ALL {
        inputs.push((format!("settled {status}"), AttemptInput::Settled(verdict(*status))));
    }
    let columns: Vec<String> = inputs.iter().map(|(name, _)| name.clone()).collect();
    let rows: Vec<_> = attempt_states()
        .iter()
        .map(|state| {
            let cell =
                |input: &AttemptInput| attempt::step(state, input.clone()).ok().map(|next| next.status().to_string());
            (state.status().to_string(), inputs.iter().map(|(_, input)| cell(input)).collect())
        })
        .collect();
    table("attempt", &columns, &rows)
}

/// Every input of a stage, with the column's name.
fn stage_inputs() -> Vec<(&'static str, StageInput)> {
    vec![
        ("ready", StageInput::Ready),
        ("skip", StageInput::Skip(ErrorCode::NeedNotCompleted)),
        ("unmakeable", StageInput::Unmakeable(ErrorCode::InputMissing)),
        ("launched", StageInput::Launched { attempt: 2 }),
        ("hold", StageInput::Hold(ErrorCode::SecretMissing)),
        ("release", StageInput::Release),
        ("retry due", StageInput::RetryDue),
        ("cancel", StageInput::Cancel),
        ("reopen: queue", StageInput::ReopenQueued),
        ("reopen: wait", StageInput::ReopenWaiting),
        ("ended: completed", StageInput::AttemptEnded(AfterAttempt::Completed)),
        ("ended: again", StageInput::AttemptEnded(AfterAttempt::Again)),
        ("ended: retry at", StageInput::AttemptEnded(AfterAttempt::RetryAt(UtcMs(5)))),
        ("ended: failed", StageInput::AttemptEnded(AfterAttempt::Failed(ErrorCode::Signal))),
        ("ended: cancelled", StageInput::AttemptEnded(AfterAttempt::Cancelled)),
        ("ended: interrupted", StageInput::AttemptEnded(AfterAttempt::Interrupted(ErrorCode::Rebooted))),
        ("ended: held", StageInput::AttemptEnded(AfterAttempt::Held(ErrorCode::CwdMissing))),
    ]
}

fn stage_table() -> String {
    let inputs = stage_inputs();
    let columns: Vec<String> = inputs.iter().map(|(name, _)| (*name).to_owned()).collect();
    let rows: Vec<_> = StageStatus::ALL
        .iter()
        .map(|status| {
            let state = stage_state(*status);
            let cell = |input: &StageInput| {
                let next = stage::step(&state, input.clone()).ok()?;
                Some(match next.code() {
                    Some(code) if code.as_str() != next.status().as_str() => format!("{} ({code})", next.status()),
                    Some(_) | None => next.status().to_string(),
                })
            };
            (status.to_string(), inputs.iter().map(|(_, input)| cell(input)).collect())
        })
        .collect();
    table("stage", &columns, &rows)
}

fn evidence() -> Vec<(String, Evidence)> {
    let mut rows = vec![
        ("claim is void".to_owned(), Evidence::Voided),
        ("shims came, none claimed".to_owned(), Evidence::NoClaim { errno: 11 }),
    ];
    for (errno, what, text) in [
        (2, "exec", "exec: no such file"),
        (13, "exec", "exec: not permitted"),
        (8, "exec", "exec: not a program"),
        (12, "exec", "exec: another error"),
        (2, "cwd", "working folder gone"),
    ] {
        rows.push((text.to_owned(), Evidence::ExecFailed { errno, what: what.to_owned() }));
    }
    let exits = [("exit 0", Some(0), None), ("exit 3", Some(3), None), ("signal 9", None, Some(9))];
    for (text, code, signal) in exits {
        for (how, by_wish, timed_out, session_end) in [
            ("", None, false, false),
            (", our stop took effect before", Some("w1".to_owned()), false, false),
            (", stopped for its silence", Some("stall.7".to_owned()), false, false),
            (", stopped by a rule on a metric", Some("alert.7".to_owned()), false, false),
            (", at its time limit", None, true, false),
            (", the session was ending", None, false, true),
        ] {
            rows.push((format!("{text}{how}"), Evidence::Exited { code, signal, by_wish, timed_out, session_end }));
        }
    }
    for (started, text) in [(false, "no exit record, never started"), (true, "no exit record, started")] {
        rows.push((text.to_owned(), Evidence::Lost { started, why: ErrorCode::ShimLost }));
    }
    rows
}

fn settle_table() -> String {
    let show = |verdict: Verdict| {
        let mut text = verdict.status.to_string();
        if let Some(code) = verdict.code.filter(|code| code.as_str() != verdict.status.as_str()) {
            let _ = write!(text, " ({code})");
        }
        if let Some(note) = verdict.note {
            let _ = write!(text, ", \"{note}\"");
        }
        Some(text)
    };
    let rows: Vec<_> = evidence()
        .iter()
        .map(|(name, evidence)| (name.clone(), vec![show(settle(evidence, false)), show(settle(evidence, true))]))
        .collect();
    table("the folder says", &["no cancel wished".to_owned(), "cancel wished".to_owned()], &rows)
}

fn after_attempt_table() -> String {
    let retries = Retries {
        max: 1,
        delay: Span(30_000),
        backoff: 2.0,
        max_delay: Span(600_000),
        jitter: 0.0,
        on: vec![RetryOn::Failed],
    };
    let fresh = Budgets::default();
    let spent = Budgets { retries: 1, interruptions: stage::INTERRUPTION_BUDGET - 1 };
    let cases = [
        ("budget left, resume", fresh, OnInterrupt::Resume, false),
        ("budget left, restart", fresh, OnInterrupt::Restart, false),
        ("budget left, ask", fresh, OnInterrupt::Ask, false),
        ("budget spent, resume", spent, OnInterrupt::Resume, false),
        ("cancel accepted", fresh, OnInterrupt::Resume, true),
    ];
    let ends = AttemptStatus::ALL.iter().filter(|status| !status.is_live()).flat_map(|status| {
        let codes: &[Option<ErrorCode>] = match status {
            AttemptStatus::LaunchFailed => &[Some(ErrorCode::ProgramNotFound), Some(ErrorCode::CwdMissing)],
            AttemptStatus::Interrupted => &[Some(ErrorCode::ShimLost)],
            AttemptStatus::Failed => &[Some(ErrorCode::ExitCode)],
            AttemptStatus::TimedOut => &[Some(ErrorCode::TimedOut)],
            AttemptStatus::Cancelled => &[Some(ErrorCode::Cancelled)],
            AttemptStatus::Launching
            | AttemptStatus::Running
            | AttemptStatus::Stopping
            | AttemptStatus::Completed
            | AttemptStatus::Void => &[None],
        };
        codes.iter().map(|code| (*status, *code))
    });
    let rows: Vec<_> = ends
        .map(|(status, code)| {
            let name = match code.filter(|code| code.as_str() != status.as_str()) {
                Some(code) => format!("{status} ({code})"),
                None => status.to_string(),
            };
            let cell = |(_, used, on_interrupt, cancelled): &(&str, Budgets, OnInterrupt, bool)| {
                let end = Verdict { code, ..verdict(status) };
                let (after, left) =
                    stage::after_attempt(&end, *cancelled, &retries, *on_interrupt, *used, UtcMs(0), 0.5);
                let next = stage::step(&StageState::Running { attempt: 1 }, StageInput::AttemptEnded(after))
                    .expect("a running stage takes every end");
                let mut text = next.status().to_string();
                if let StageState::Retrying { at } = next {
                    let _ = write!(text, " in {}", Span(at.0 as u64));
                }
                if left != *used {
                    let _ = write!(text, "; used {} retries, {} interruptions", left.retries, left.interruptions);
                }
                Some(text)
            };
            (name, cases.iter().map(cell).collect())
        })
        .collect();
    table("attempt ended", &cases.map(|(name, ..)| name.to_owned()), &rows)
}

/// The status of a run of two stages for every pair of their statuses: the second is plain, may fail, or is a tail.
fn derive_table(second: &StageRule, flags: RunFlags) -> String {
    let shape = Shape::new(vec![StageRule::default(), second.clone()], OnFailure::Continue);
    let rows: Vec<_> = StageStatus::ALL
        .iter()
        .map(|first| {
            let cell = |second: &StageStatus| {
                let stages = [stage_state(*first), stage_state(*second)];
                let status = run::derive(flags, &shape, &stages);
                Some(match run::result(flags, &shape, &stages) {
                    Some(result) if result == status => status.to_string(),
                    Some(result) => format!("{status}, result {result}"),
                    None => status.to_string(),
                })
            };
            (first.to_string(), StageStatus::ALL.iter().map(cell).collect())
        })
        .collect();
    let columns: Vec<String> = StageStatus::ALL.iter().map(ToString::to_string).collect();
    table("first \\ second", &columns, &rows)
}

fn derive_tables() -> Vec<(&'static str, String)> {
    let none = RunFlags::default();
    let plain = StageRule::default();
    vec![
        ("Two plain stages", derive_table(&plain, none)),
        ("The second has `allow_failure`", derive_table(&StageRule { allow_failure: true, ..plain.clone() }, none)),
        ("The second is a `tail`", derive_table(&StageRule { tail: true, ..plain.clone() }, none)),
        ("Paused", derive_table(&plain, RunFlags { paused: true, ..none })),
    ]
}

/// What becomes of a waiting stage for each end of the one need it has.
fn follow_table() -> String {
    let rows: Vec<_> = StageStatus::ALL
        .iter()
        .map(|need| {
            let cell = |needs_any: bool| {
                let rule = StageRule { needs: vec![0], needs_any, ..StageRule::default() };
                let shape = Shape::new(vec![StageRule::default(), rule], OnFailure::Continue);
                run::follow(&shape, &[stage_state(*need), StageState::Waiting], 1).map(|follow| match follow {
                    run::Follow::Ready => "ready".to_owned(),
                    run::Follow::Skip { .. } => "skipped".to_owned(),
                })
            };
            (need.to_string(), vec![cell(false), cell(true)])
        })
        .collect();
    table("its need is", &["default".to_owned(), "needs_any".to_owned()], &rows)
}

fn document() -> String {
    let mut out = String::from(
        "# States\n\nMade by `crates/core/tests/tables.rs` from the functions in `crates/core/src/state`; `UPDATE=1 cargo test -p \
         footplate-core --test tables` writes it anew. `·`: there is no such move, and asking for it is an error.\n\n\
         A run's status is derived from its flags and its stages; a stage moves by its needs, its attempts and wishes; an attempt moves \
         by what its folder says. A child's output never sets a state.\n",
    );
    let mut part = |title: &str, text: &str, table: &str| {
        let _ = write!(out, "\n## {title}\n\n{text}\n\n{table}");
    };
    part(
        "Attempt",
        "Final is final; a retry is a new attempt. `settled`: the folder was read in the order claim, lock, exit. An attempt that is \
         stopping may turn out never to have run.",
        &attempt_table(),
    );
    part(
        "How an attempt ends",
        "From what its folder says and whether a cancel of this generation is on record.",
        &settle_table(),
    );
    part(
        "Stage",
        "A cancel of a running stage goes to its attempt, whose end then ends the stage. In brackets: the code.",
        &stage_table(),
    );
    part(
        "What the end of an attempt means to its stage",
        "Here with `retries = { max = 1, delay = \"30s\", jitter = 0, on = [\"failed\"] }`. Interruptions have a budget of their own: \
         the third in a row without a new checkpoint ends the stage.",
        &after_attempt_table(),
    );
    part(
        "What a waiting stage does when its need ends",
        "A stage with several needs is ready when all have ended so, and skipped at the first that has not.",
        &follow_table(),
    );
    for (title, table) in derive_tables() {
        part(
            &format!("Run: {}", title.to_lowercase()),
            "The status for each pair of stages. `result` is fixed once all but the tails have ended; where it differs from the status it \
             is named. A draft is `draft` whatever its stages; a run whose `--after-ok` run did not complete ends `cancelled`.",
            &table,
        );
    }
    out
}

#[test]
fn every_move_of_an_attempt_is_as_written() {
    insta::assert_snapshot!(attempt_table());
}

#[test]
fn every_move_of_a_stage_is_as_written() {
    insta::assert_snapshot!(stage_table());
}

#[test]
fn every_end_of_an_attempt_is_settled_as_written() {
    insta::assert_snapshot!(settle_table());
}

#[test]
fn what_the_end_of_an_attempt_means_is_as_written() {
    insta::assert_snapshot!(after_attempt_table());
}

#[test]
fn every_pair_of_stages_derives_the_status_as_written() {
    let text: String = derive_tables().into_iter().map(|(title, table)| format!("{title}\n\n{table}\n")).collect();
    insta::assert_snapshot!(text);
}

#[test]
fn what_follows_from_a_need_is_as_written() {
    insta::assert_snapshot!(follow_table());
}

#[test]
fn a_draft_is_a_draft_and_a_run_after_a_failed_one_is_cancelled() {
    let shape = Shape::new(vec![StageRule::default()], OnFailure::Continue);
    for status in StageStatus::ALL {
        let stages = [stage_state(*status)];
        let draft = RunFlags { draft: true, ..RunFlags::default() };
        assert_eq!(run::derive(draft, &shape, &stages), RunStatus::Draft);
        assert_eq!(run::result(draft, &shape, &stages), None);
        if status.is_ended() {
            let after = RunFlags { after_failed: true, ..RunFlags::default() };
            assert_eq!(run::derive(after, &shape, &stages), RunStatus::Cancelled, "{status}");
        }
    }
}

#[test]
fn the_states_in_the_docs_are_those_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/STATES.md");
    let made = document();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == made, "docs/STATES.md is stale: run UPDATE=1 cargo test -p footplate-core --test tables");
}
