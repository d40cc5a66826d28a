//! The grammar: every verb of the design is there, and says what it does.

use std::fmt::Write as _;

/// The verbs of docs and design (5-doors) that this version has.
const VERBS: [&str; 40] = [
    "run",
    "add",
    "sweep",
    "plan",
    "list",
    "show",
    "watch",
    "wait",
    "report",
    "logs",
    "metrics",
    "compare",
    "usage",
    "checkpoints",
    "alerts",
    "cancel",
    "pause",
    "unpause",
    "retry",
    "resume",
    "start",
    "set",
    "move",
    "rename",
    "tag",
    "rm",
    "queue",
    "schedule",
    "disk",
    "gpus",
    "webhook",
    "template",
    "work",
    "clean",
    "doctor",
    "backup",
    "restore",
    "adopt",
    "completions",
    "man",
];

#[test]
fn every_verb_is_there_with_a_help_of_its_own() {
    let command = footplate_cli::command();
    let there: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
    assert_eq!(there, VERBS);
    for verb in command.get_subcommands() {
        let about = verb.get_about().map(ToString::to_string).unwrap_or_default();
        assert!(about.len() > 10 && !about.ends_with('.'), "{}: {about:?}", verb.get_name());
        for argument in verb.get_arguments() {
            let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
            assert!(!help.is_empty(), "{} {}", verb.get_name(), argument.get_id());
        }
    }
}

#[test]
fn the_grammar_is_sound() {
    footplate_cli::command().debug_assert();
}

#[test]
fn the_help_of_every_verb_is_as_it_was() {
    let mut text = String::new();
    let mut command = footplate_cli::command().term_width(100);
    write!(text, "{}", command.render_help()).unwrap();
    command.build();
    for verb in command.get_subcommands_mut().filter(|verb| verb.get_name() != "help") {
        let help = verb.render_long_help();
        write!(text, "\n==== {}\n{help}", verb.get_name()).unwrap();
    }
    insta::assert_snapshot!(text);
}

#[test]
fn what_cannot_be_used_is_answered_with_bounds_and_examples() {
    let cases: [(&[&str], &str); 22] = [
        (&["add", "--priority", "high", "--", "true"], "-100 to 100"),
        (&["add", "--priority", "101", "--", "true"], "-100 to 100"),
        (&["add", "--timeout", "5 min utes", "--", "true"], "500ms, 30s, 10m, 1h30m, 24h, 7d"),
        (&["add", "--timeout", "0s", "--", "true"], "no time at all"),
        (&["add", "--timeout", "-3s", "--", "true"], "-3"),
        (&["add", "--retries", "1e9", "--", "true"], "0 to 100"),
        (&["add", "--retries", "101", "--", "true"], "0 to 100"),
        (&["add", "--retries", "-1", "--", "true"], "0 to 100"),
        (&["add", "--memory", "lots", "--", "true"], "512MB, 2GB, 1GiB"),
        (&["add", "--cpus", "-1", "--", "true"], "from 0"),
        (&["add", "--at", "soon", "--", "true"], "23:00"),
        (&["add", "--at", "25:00", "--", "true"], "23:00"),
        (&["add"], "required"),
        (&["add", "--stdin", "--", "true"], "cannot be used with"),
        (&["run", "digits", "-p", "epochs"], "epochs=30"),
        (&["queue", "set", "training", "--limit", "0"], "pause the queue"),
        (&["queue", "set", "training"], "required"),
        (&["list", "--status", "done"], "completed"),
        (&["clean"], "--older-than"),
        (&["webhook", "set"], "required"),
        (&["webhook", "set", "--on", "everything"], "interrupted"),
        (&["webhook", "test", "--form", "teams"], "discord"),
    ];
    for (args, part) in cases {
        let args: Vec<&str> = std::iter::once("footplate").chain(args.iter().copied()).collect();
        let error = footplate_cli::command().try_get_matches_from(&args).expect_err(&format!("{args:?}"));
        assert_eq!(error.exit_code(), 2, "{args:?}");
        let said = error.to_string();
        assert!(said.contains(part), "{args:?}: {said}");
    }
}

#[test]
fn what_can_be_used_is_taken() {
    let cases: [&[&str]; 11] = [
        &["add", "--priority", "-5", "--", "python", "train.py", "--json", "-h"],
        &["--json", "list", "--status", "running,failed", "--status", "queued"],
        &["list", "--data-dir", "/tmp/x", "--json"],
        &["run", "--like", "142", "-p", "lr=1e-4", "-p", "text=a=b"],
        &["add", "--at", "+2h", "--after", "1", "--after-ok", "#2", "--env", "A=b", "--env", "C", "--", "true"],
        &["queue", "set", "training", "--limit", "3", "--priority", "-7"],
        &["queue"],
        &["webhook"],
        &["webhook", "set", "-", "--form", "slack", "--on", "failed,stalled", "--on", "disk"],
        &["move", "#7", "--to", "1"],
        &["logs", "7", "train", "-f", "--tail", "5"],
    ];
    for args in cases {
        let args: Vec<&str> = std::iter::once("footplate").chain(args.iter().copied()).collect();
        if let Err(error) = footplate_cli::command().try_get_matches_from(&args) {
            panic!("{args:?}: {error}");
        }
    }
}
