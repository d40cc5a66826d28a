//! The report of a run: every field of `report --json`, and sums that add up.

use footplate_core::code::ErrorCode;
use footplate_core::report::{AttemptInput, ReportInput, StageInput, report};
use footplate_core::status::{AttemptStatus, RunStatus, StageStatus};
use footplate_core::time::UtcMs;
use footplate_core::view::{Failure, Submitted};

const START: i64 = 1_795_291_262_000;

/// So many seconds after the submit.
fn at(seconds: f64) -> UtcMs {
    UtcMs(START + (seconds * 1000.0) as i64)
}

fn failure(code: ErrorCode, title: &str) -> Failure {
    Failure {
        code: code.to_string(),
        title: title.into(),
        detail: String::new(),
        hints: Vec::new(),
        log_line: None,
        diagnosis: None,
    }
}

fn attempt(number: u32, status: AttemptStatus, from: f64, to: Option<f64>) -> AttemptInput {
    AttemptInput {
        number,
        generation: 1,
        status,
        started_at: Some(at(from)),
        finished_at: to.map(at),
        running_s: None,
        exit_code: (status == AttemptStatus::Completed).then_some(0),
        signal: None,
        usage: None,
        error: None,
    }
}

fn stage(name: &str, needs: &[u32], status: StageStatus, queued: Option<f64>, finished: Option<f64>) -> StageInput {
    StageInput {
        name: name.into(),
        needs: needs.to_vec(),
        status,
        allow_failure: false,
        tail: false,
        queued_at: queued.map(at),
        finished_at: finished.map(at),
        error: None,
        generation: 1,
        attempts: Vec::new(),
    }
}

fn input(status: RunStatus, result_at: Option<f64>, stages: Vec<StageInput>) -> ReportInput {
    ReportInput {
        run: Submitted {
            id: "0198f1e2-0000-7000-8000-000000000001".parse().expect("a UUID"),
            number: 142,
            name: "digits-3".into(),
        },
        status,
        result: result_at.map(|_| status),
        result_at: result_at.map(at),
        created_at: at(0.0),
        alerts: Vec::new(),
        planning_s: Some(0.25),
        stages,
    }
}

/// prepare -> (train, with one failure; check, never found its input) -> evaluate; publish is a tail.
fn ended_run() -> ReportInput {
    let mut prepare = stage("prepare", &[], StageStatus::Completed, Some(0.0), Some(3.0));
    prepare.attempts = vec![attempt(1, AttemptStatus::Completed, 1.0, Some(3.0))];
    let mut train = stage("train", &[0], StageStatus::Completed, Some(3.0), Some(30.0));
    train.attempts = vec![
        AttemptInput {
            exit_code: Some(1),
            error: Some(failure(ErrorCode::ExitCode, "The program failed")),
            ..attempt(1, AttemptStatus::Failed, 4.0, Some(9.0))
        },
        AttemptInput { running_s: Some(15.5), ..attempt(2, AttemptStatus::Completed, 14.0, Some(30.0)) },
    ];
    let mut lint = stage("lint", &[0], StageStatus::Failed, Some(3.0), Some(8.0));
    lint.allow_failure = true;
    lint.error = Some(failure(ErrorCode::Signal, "Ended by a signal"));
    lint.attempts = vec![AttemptInput {
        signal: Some(9),
        error: Some(failure(ErrorCode::Signal, "Ended by a signal")),
        ..attempt(1, AttemptStatus::Failed, 5.0, Some(8.0))
    }];
    let mut compare = stage("compare", &[1], StageStatus::Failed, Some(30.0), Some(30.5));
    compare.error = Some(failure(ErrorCode::InputMissing, "No value train.accuracy"));
    let evaluate = stage("evaluate", &[3], StageStatus::Skipped, None, Some(30.5));
    let mut publish = stage("publish", &[1], StageStatus::Running, Some(30.0), None);
    publish.tail = true;
    publish.attempts = vec![attempt(1, AttemptStatus::Running, 30.0, None)];
    input(RunStatus::Failed, Some(30.5), vec![prepare, train, lint, compare, evaluate, publish])
}

#[test]
fn a_report_says_where_the_time_went_and_what_failed() {
    insta::assert_json_snapshot!(report(&ended_run(), at(40.0)));
}

#[test]
fn totals_add_up_to_the_number_of_stages_and_times_to_the_whole() {
    let input = ended_run();
    let made = report(&input, at(40.0));
    assert_eq!(made.totals.values().sum::<u64>() as usize, input.stages.len());
    assert_eq!(made.totals.len(), StageStatus::ALL.len());
    assert_eq!(made.stages.len(), input.stages.len());
    assert_eq!(made.levels.iter().map(Vec::len).sum::<usize>(), input.stages.len());
    assert!((made.planning_s.unwrap() + made.queued_s + made.execution_s - made.total_s).abs() < 1e-9);
    for stage in &made.stages {
        let sum: f64 = stage.attempts.iter().map(|attempt| attempt.run_s).sum();
        assert!((sum - stage.run_s).abs() < 1e-9);
        assert!(made.levels[stage.level as usize].contains(&stage.name));
    }
    let path: f64 = made.stages.iter().filter(|s| made.critical_path.contains(&s.name)).map(|s| s.run_s).sum();
    assert!((path - made.critical_path_s).abs() < 1e-9);
}

#[test]
fn a_run_in_which_nothing_started_is_reported_with_all_its_stages() {
    let stages =
        vec![stage("a", &[], StageStatus::Queued, Some(0.0), None), stage("b", &[0], StageStatus::Waiting, None, None)];
    let made = report(&input(RunStatus::Queued, None, stages), at(60.0));
    assert_eq!((made.queued_s, made.execution_s, made.total_s), (60.0, 0.0, 60.25));
    assert_eq!((made.totals[&StageStatus::Queued], made.totals[&StageStatus::Waiting]), (1, 1));
    assert_eq!((made.longest_stage, made.average_stage_s, made.peak_parallelism), (None, None, 0));
    assert_eq!((made.stages[0].queued_s, made.stages[1].queued_s), (60.0, 0.0));
    assert!(made.errors.is_empty() && made.stages.iter().all(|stage| stage.attempts.is_empty()));
    let empty = report(&input(RunStatus::Completed, Some(0.0), Vec::new()), at(1.0));
    assert_eq!((empty.max_parallelism, empty.levels.len(), empty.critical_path_s), (0, 0, 0.0));
}

#[test]
fn side_by_side_is_counted_at_one_moment() {
    let with = |intervals: &[(f64, Option<f64>)]| {
        let stages = intervals.iter().enumerate().map(|(index, (from, to))| {
            let done = if to.is_some() { AttemptStatus::Completed } else { AttemptStatus::Running };
            let mut made = stage(&format!("s{index}"), &[], StageStatus::Completed, Some(0.0), *to);
            made.attempts = vec![attempt(1, done, *from, *to)];
            made
        });
        report(&input(RunStatus::Running, None, stages.collect()), at(100.0)).peak_parallelism
    };
    assert_eq!(with(&[(0.0, Some(5.0)), (5.0, Some(9.0)), (9.0, Some(10.0))]), 1, "one after another");
    assert_eq!(with(&[(0.0, Some(5.0)), (4.0, Some(9.0)), (8.0, Some(10.0))]), 2);
    assert_eq!(with(&[(0.0, Some(5.0)), (2.0, Some(2.0))]), 2, "one that took no time still ran");
    assert_eq!(with(&[(2.0, Some(2.0)), (2.0, Some(2.0))]), 1);
    assert_eq!(with(&[(0.0, None), (50.0, None), (99.0, None)]), 3, "what still runs runs until now");
}

#[test]
fn an_attempt_is_tried_again_only_within_its_generation() {
    let mut train = stage("train", &[], StageStatus::Retrying, Some(50.0), None);
    train.generation = 2;
    train.attempts = vec![
        attempt(1, AttemptStatus::Failed, 1.0, Some(2.0)),
        attempt(2, AttemptStatus::Failed, 3.0, Some(4.0)),
        AttemptInput { generation: 2, ..attempt(3, AttemptStatus::Failed, 51.5, Some(52.0)) },
    ];
    let again = |input: &ReportInput| {
        report(input, at(60.0)).stages[0].attempts.iter().map(|a| a.will_retry).collect::<Vec<_>>()
    };
    let mut run = input(RunStatus::Running, None, vec![train]);
    assert_eq!(again(&run), [true, false, true]);
    // Queued 50 s after the submit by a wish, started 1.5 s later: what ran before that is not taken for it.
    assert_eq!(report(&run, at(60.0)).stages[0].queued_s, 1.5);
    run.stages[0].status = StageStatus::Failed;
    assert_eq!(again(&run), [true, false, false]);
}

#[test]
fn a_clock_set_back_makes_no_negative_times() {
    let mut train = stage("train", &[], StageStatus::Completed, Some(10.0), Some(2.0));
    train.attempts = vec![attempt(1, AttemptStatus::Completed, 5.0, Some(2.0))];
    let made = report(&input(RunStatus::Completed, Some(-3.0), vec![train]), at(-5.0));
    for seconds in [made.queued_s, made.execution_s, made.total_s, made.stages[0].queued_s, made.stages[0].run_s] {
        assert!(seconds >= 0.0, "{made:?}");
    }
}
