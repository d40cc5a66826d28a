//! What people type.

use chrono::FixedOffset;
use footplate_cli::input::{at::parse_at, bounds, commands};
use footplate_core::UtcMs;

fn t(text: &str) -> UtcMs {
    UtcMs::parse(text).unwrap()
}

#[test]
fn a_time_is_the_next_such_time_here() {
    let zone = FixedOffset::east_opt(3600).unwrap();
    // 21:30 here.
    let now = t("2026-11-21T20:30:00Z");
    for (text, expected) in [
        ("23:00", "2026-11-21T22:00:00Z"),
        ("21:30", "2026-11-22T20:30:00Z"),
        ("21:30:01", "2026-11-21T20:30:01Z"),
        ("07:15", "2026-11-22T06:15:00Z"),
        ("2026-11-22 23:00", "2026-11-22T22:00:00Z"),
        ("2026-11-22T23:00", "2026-11-22T22:00:00Z"),
        ("2026-11-22 23:00:05", "2026-11-22T22:00:05Z"),
        ("2026-12-01", "2026-11-30T23:00:00Z"),
        ("2026-11-22T23:00:00+09:00", "2026-11-22T14:00:00Z"),
        ("2026-11-22T23:00:00Z", "2026-11-22T23:00:00Z"),
        ("+2h", "2026-11-21T22:30:00Z"),
        ("+1h30m", "2026-11-21T22:00:00Z"),
        (" +0s ", "2026-11-21T20:30:00Z"),
    ] {
        assert_eq!(parse_at(text, now, &zone), Ok(t(expected)), "{text}");
    }
}

#[test]
fn what_is_no_time_is_answered_with_examples() {
    let zone = FixedOffset::east_opt(0).unwrap();
    for text in ["", "soon", "25:00", "12:60", "+", "+2 fortnights", "2026-02-30 12:00", "-1h", "11pm", "+99999999d"] {
        let said = parse_at(text, t("2026-11-21T20:30:00Z"), &zone).unwrap_err();
        assert!(said.contains("2026-11-22T23:00:00+01:00"), "{text}: {said}");
    }
}

#[test]
fn commands_by_line_are_json_or_shell_words() {
    let some = |words: &[&str]| Some(words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
    for (line, expected) in [
        (r#"["python", "train.py", "--name", "a b"]"#, some(&["python", "train.py", "--name", "a b"])),
        ("python train.py --lr 1e-4\n", some(&["python", "train.py", "--lr", "1e-4"])),
        (r#"sh -c 'echo "$HOME"'"#, some(&["sh", "-c", r#"echo "$HOME""#])),
        (r"echo a\ b", some(&["echo", "a b"])),
        ("echo {{ not.a.template }}", some(&["echo", "{{", "not.a.template", "}}"])),
        ("", None),
        ("  \r\n", None),
        ("# a comment", None),
    ] {
        assert_eq!(commands::parse_line(line.as_bytes(), 1).unwrap(), expected, "{line}");
    }
    for (line, part) in [
        (&b"echo 'open"[..], "a quote is not closed"),
        (br#"["a", 1]"#, "not a JSON array of strings"),
        (b"[]", "no program"),
        (br#"["a\u0000b"]"#, "argument 0"),
        (b"a \xff", "not UTF-8"),
    ] {
        let fault = commands::parse_line(line, 7).unwrap_err();
        assert!(fault.message.contains("line 7") && fault.message.contains(part), "{}", fault.message);
        assert_eq!(fault.code.exit_code(), 3);
    }
}

#[test]
fn a_run_of_a_command_is_named_for_its_script() {
    for (argv, name) in [
        (&["python", "train.py", "--epochs", "3"][..], "train.py"),
        (&["/usr/bin/python3.12", "-u", "src/train.py"], "train.py"),
        (&["python", "-m", "torch.distributed.run", "x.py"], "torch.distributed.run"),
        (&["python", "-W", "ignore", "a.py", "-m", "x"], "a.py"),
        (&["python", "-c", "print(1)", "x"], "python"),
        (&["bash", "./run.sh"], "run.sh"),
        (&["./train"], "train"),
        (&["sleep", "300"], "sleep"),
        (&["a\nb"], "ab"),
        (&["/"], "/"),
    ] {
        let argv: Vec<String> = argv.iter().map(|arg| (*arg).to_owned()).collect();
        assert_eq!(commands::name_of(&argv), name, "{argv:?}");
    }
}

#[test]
fn what_no_program_can_be_given_is_refused_by_the_argument() {
    let refuse = |argv: &[&str]| {
        let argv: Vec<String> = argv.iter().map(|arg| (*arg).to_owned()).collect();
        commands::check_argv(&argv).unwrap_err()
    };
    assert!(refuse(&[]).message.contains("no program"));
    assert!(refuse(&[""]).message.contains("no program"));
    assert!(refuse(&["a", "b\0"]).message.contains("argument 1"));
}

#[test]
fn numbers_have_bounds() {
    assert_eq!(bounds::priority("-100"), Ok(-100));
    assert_eq!(bounds::retries("100"), Ok(100));
    assert_eq!(bounds::limit("1"), Ok(1));
    assert_eq!(bounds::place("1"), Ok(1));
    assert_eq!(bounds::pair("text=a=b"), Ok(("text".into(), "a=b".into())));
    assert_eq!(bounds::pair("empty="), Ok(("empty".into(), String::new())));
    for text in ["-101", "101", "1.5", "", "٣"] {
        assert!(bounds::priority(text).unwrap_err().contains("-100 to 100"), "{text}");
    }
    assert!(bounds::place("0").is_err());
    assert!(bounds::pair("=x").is_err());
}
