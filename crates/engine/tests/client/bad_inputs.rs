use footplate_core::quantity::ByteSize;
use footplate_core::{ErrorCode, Fault};
use footplate_engine::client::{ListQuery, Spot, Submit, Wish, WishRequest};

use crate::{Bench, command};

/// What is wrong, how it is made, the code, and what the sentence must hold.
type Case = (&'static str, fn(&mut Submit), ErrorCode, &'static str);

const CASES: &[Case] = &[
    (
        "no program",
        |s| s.definition.stages[0].command.clear(),
        ErrorCode::Invalid,
        "The command of stage \"main\" is empty",
    ),
    ("an empty program", |s| s.definition.stages[0].command[0] = String::new(), ErrorCode::Invalid, "is empty"),
    ("NUL in an argument", |s| s.definition.stages[0].command.push("a\0b".into()), ErrorCode::Invalid, "Argument 1"),
    ("a long argument", |s| s.definition.stages[0].command.push("x".repeat(200_000)), ErrorCode::Invalid, "Argument 1"),
    (
        "too many arguments",
        |s| s.definition.stages[0].command.extend((0..80).map(|_| "y".repeat(100_000))),
        ErrorCode::Invalid,
        "the system's limit is",
    ),
    (
        "a variable with =",
        |s| {
            s.definition.stages[0].env.insert("A=B".into(), "x".into());
        },
        ErrorCode::Invalid,
        "\"A=B\" cannot be the name",
    ),
    (
        "a folder that is not there",
        |s| s.cwd = "/nowhere/at/all".into(),
        ErrorCode::CwdMissing,
        "/nowhere/at/all does not exist",
    ),
    ("a file as folder", |s| s.cwd = "/etc/passwd".into(), ErrorCode::CwdMissing, "is not a folder"),
    ("priority", |s| s.priority = Some(101), ErrorCode::Invalid, "101"),
    ("priority below", |s| s.priority = Some(-101), ErrorCode::Invalid, "-101"),
    (
        "a name of 10,000",
        |s| s.name = Some("n".repeat(10_000)),
        ErrorCode::Invalid,
        "10000 characters; the limit is 200",
    ),
    ("a name with a newline", |s| s.name = Some("a\nb".into()), ErrorCode::Invalid, "control character"),
    ("an empty name", |s| s.name = Some(String::new()), ErrorCode::Invalid, "empty"),
    ("a tag with a tab", |s| s.tags = vec!["a\tb".into()], ErrorCode::Invalid, "control character"),
    ("an unknown queue", |s| s.queue = Some("trainning".into()), ErrorCode::NotFound, "trainning"),
    ("a target", |s| s.target = "mars".into(), ErrorCode::NotFound, "mars"),
    ("after nothing", |s| s.after = vec![(99, true)], ErrorCode::NotFound, "#99"),
    (
        "cores",
        |s| s.definition.stages[0].resources.cpus = 4000,
        ErrorCode::ImpossibleResources,
        "4000 cores; this machine has",
    ),
    (
        "memory",
        |s| s.definition.stages[0].resources.memory = ByteSize(1 << 60),
        ErrorCode::ImpossibleResources,
        "of memory; this machine has",
    ),
    (
        "GPUs",
        |s| s.definition.stages[0].resources.gpus = 60,
        ErrorCode::ImpossibleResources,
        "60 GPUs; this machine has",
    ),
    ("an unknown need", |s| s.definition.stages[0].needs = vec!["mian".into()], ErrorCode::InvalidPipeline, "mian"),
    (
        "an unknown parameter",
        |s| {
            s.params.insert("epoch".into(), 1.into());
        },
        ErrorCode::InvalidPipeline,
        "epoch",
    ),
];

#[test]
fn every_bad_input_says_what_and_writes_nothing() {
    let bench = Bench::new();
    let mut client = bench.client();
    for (what, spoil, code, text) in CASES {
        let mut submit = command(&["true"]);
        spoil(&mut submit);
        let fault = client.submit(submit).expect_err(what);
        assert_eq!(fault.code, *code, "{what}: {fault:?}");
        assert!(fault.message.contains(text), "{what}: {fault:?}");
        assert!(fault.message.len() < 1000, "{what}: {} bytes", fault.message.len());
    }
    assert_eq!(client.list(&ListQuery::default()).unwrap().total, 0);
    assert_eq!(std::fs::read_dir(bench.home().secrets_dir()).unwrap().count(), 0);
}

#[test]
fn names_may_hold_any_letters() {
    let bench = Bench::new();
    let mut client = bench.client();
    for name in ["größer", "训练 🚂", "\u{202e}backwards", "a'b\"c%_", &"n".repeat(200)] {
        let mut submit = command(&["true"]);
        submit.name = Some(name.into());
        let run = client.submit(submit).unwrap();
        assert_eq!(client.resolve(name).unwrap().number, run.number, "{name}");
    }
}

#[test]
fn wishes_that_could_never_be_granted_are_refused_at_once() {
    let bench = Bench::new();
    let mut client = bench.client();
    let run = client.submit(command(&["true"])).unwrap().number;
    let queue = |name: &str, limit, priority, paused| Wish::Queue { name: name.into(), limit, priority, paused };
    let cases: Vec<(WishRequest, ErrorCode)> = vec![
        (WishRequest::of(77, Wish::Pause {}), ErrorCode::NotFound),
        (WishRequest::of(run, Wish::Move(Spot::At { to: 0 })), ErrorCode::Invalid),
        (WishRequest::of(run, Wish::Rename { name: "a\nb".into() }), ErrorCode::Invalid),
        (WishRequest::of(run, Wish::Set { priority: Some(500), queue: None, timeout_ms: None }), ErrorCode::Invalid),
        (
            WishRequest::of(run, Wish::Set { priority: None, queue: Some("nope".into()), timeout_ms: None }),
            ErrorCode::NotFound,
        ),
        (WishRequest::of(run, Wish::Set { priority: None, queue: None, timeout_ms: Some(0) }), ErrorCode::Invalid),
        (WishRequest::general(queue("training", Some(0), None, None)), ErrorCode::Invalid),
        (WishRequest::general(queue("../x", Some(1), None, None)), ErrorCode::Invalid),
        (WishRequest::general(queue("trainin", None, None, Some(true))), ErrorCode::NotFound),
        (WishRequest::general(Wish::Pause {}), ErrorCode::Usage),
    ];
    for (request, code) in cases {
        let told = format!("{request:?}");
        let fault: Fault = client.wish(request).expect_err(&told);
        assert_eq!(fault.code, code, "{told}: {fault:?}");
    }
}
