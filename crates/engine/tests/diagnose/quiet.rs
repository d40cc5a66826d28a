//! What must not be told, and what must not mislead.

use footplate_core::ErrorCode;
use footplate_engine::diagnose::{Facts, OUTPUT_MOST, Output, diagnose, of_exit};

use super::End;

const OOM: &str = "Traceback (most recent call last):\n  File \"train.py\", line 5, in step\n    f(x)\n\
                   torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has\n";

fn healthy(lines: usize) -> String {
    (1..=lines).map(|n| format!("step {n}/{lines} loss {:.4}\n", 1.0 / n as f64)).collect()
}

#[test]
fn words_in_passing_and_errors_that_were_got_over_get_no_diagnosis() {
    let table = [
        (0, OOM.to_owned()),
        (1, String::new()),
        (1, healthy(500)),
        (3, format!("{OOM}{}", healthy(20))),
        (1, format!("{OOM}CUDA out of memory: batch halved, going on\n{}", healthy(400)).replace("torch.cuda.", "")),
        (1, format!("INFO CUDA out of memory is what you get with --batch 64\n{}failed\n", healthy(3))),
        (1, "WARNING: No module named apex, going without\nbad configuration\n".into()),
        (1, "the log said: MemoryError\n".into()),
        (1, "Killed the old checkpoints\nerror\n".into()),
        (1, "loss nan in 3 of 100 samples, left out\ndone, but accuracy too low\n".into()),
        (2, "usage: train.py [-h] --data DATA\ntrain.py: error: the following arguments are required: --data\n".into()),
        (1, "ModuleNotFoundError is caught\n".into()),
        (130, "Traceback (most recent call last):\n  File \"a.py\", line 1, in <module>\nKeyboardInterrupt\n".into()),
        (127, "step 1\ncommand not found in the table of commands\n".into()),
        (1, "train.sh: line 3: foo: command not found\n".into()),
        (2, "cat: extra.txt: No such file or directory\nstep 1\nbad configuration\n".into()),
        (2, "rm: cannot remove 'old': Permission denied\nbad configuration\n".into()),
    ];
    for (code, output) in table {
        let found = End::of(code, output.clone()).found();
        assert_eq!(found, None, "exit {code}:\n{}", &output[..output.len().min(400)]);
    }
    // The same words, where they are the end of it.
    assert_eq!(End::of(1, OOM).told().0, "gpu_out_of_memory");
}

#[test]
fn only_what_failed_of_itself_is_looked_at() {
    let facts = |code, signal| Facts { exit_code: code, signal, ..Facts::default() };
    let output = Output::new(OOM.as_bytes(), 0);
    assert_eq!(diagnose(&facts(Some(0), None), &output), None);
    assert_eq!(diagnose(&facts(None, None), &output), None);
    assert!(diagnose(&facts(None, Some(6)), &output).is_some());
    // A signal from outside ended it: what it got over before is not why, what the system says is.
    for (code, signal) in [(None, Some(9)), (None, Some(15)), (Some(137), None)] {
        assert_eq!(diagnose(&facts(code, signal), &output), None);
        let system = format!("{OOM}slurmstepd: error: Detected 1 oom_kill event in StepId=7.0.\n");
        let found = diagnose(&facts(code, signal), &Output::new(system.as_bytes(), 0)).unwrap();
        assert_eq!(found.cause.as_str(), "out_of_memory");
    }
    for (code, word) in [
        (ErrorCode::TimedOut, Some("timeout")),
        (ErrorCode::InputMissing, Some("input_missing")),
        (ErrorCode::ProgramNotFound, Some("program_not_found")),
        (ErrorCode::Rebooted, Some("interrupted")),
        (ErrorCode::DiskFull, Some("disk_full")),
        (ErrorCode::Cancelled, None),
        (ErrorCode::NeedNotCompleted, None),
        (ErrorCode::ExitCode, None),
    ] {
        assert_eq!(of_exit(code, Some(1), None).map(|d| d.code).as_deref(), word, "{code}");
    }
    assert_eq!(of_exit(ErrorCode::Signal, None, Some(9)).unwrap().code, "killed");
    assert_eq!(of_exit(ErrorCode::Signal, None, Some(11)), None);
}

#[test]
fn hostile_output_neither_panics_nor_misleads() {
    let huge = "x".repeat(10 << 20);
    let coloured = "\u{1b}[1;31mTraceback (most recent call last):\u{1b}[0m\n  \u{1b}[35mFile \"train.py\"\u{1b}[0m, line \u{1b}[35m7\u{1b}[0m, in \u{1b}[35mgo\u{1b}[0m\n    boom()\n\u{1b}[1;35mValueError\u{1b}[0m: \u{1b}[35mno\u{1b}[0m\n";
    let found = End::of(1, coloured).found().unwrap();
    assert_eq!((found.args["kind"].as_str(), found.args["at_line"].as_str()), ("ValueError", "7"));
    assert!(found.args.values().all(|value| !value.contains('\u{1b}')), "{:?}", found.args);

    // A message of a megabyte, and one that would end the terminal's line or turn it round.
    let frame = "Traceback (most recent call last):\n  File \"a.py\", line 1, in <module>\n";
    let found = End::of(1, format!("{frame}ValueError: {}\n", &huge[..60_000])).found().unwrap();
    assert!(found.args.values().all(|value| value.chars().count() <= 201), "cut");
    let found = End::of(1, format!("{frame}ValueError: a\u{0}b\u{9b}31m\u{202e}c\r\n")).found().unwrap();
    assert!(found.args["message"].chars().all(|c| !c.is_control()), "{:?}", found.args);
    let mut bytes = format!("{frame}ValueError: ").into_bytes();
    bytes.extend([0xff, 0xfe, 0x00, b'!', b'\n']);
    assert_eq!(End::of(1, bytes).found().unwrap().cause.as_str(), "python_exception");

    // A message cannot fill the places of other sentences, nor forge a second exception in one line.
    let (_, failure, _) = End::of(1, format!("{frame}AssertionError: {{file}} {{run}} {{at_file}}\n")).told();
    assert!(failure.detail.contains("{file} {run} {at_file}"), "{}", failure.detail);

    for output in [
        huge.into_bytes(),
        vec![0; 1 << 20],
        vec![0xff; 1 << 20],
        "Traceback (most recent call last):\n".repeat(3_000).into_bytes(),
        "  Traceback (most recent call last):\n  File \"\", line , in \n".repeat(1_000).into_bytes(),
        format!("{frame}{}", "{}: ".repeat(20_000)).into_bytes(),
        "The above exception was the direct cause of the following exception:\n".repeat(900).into_bytes(),
        "\u{1b}[".repeat(30_000).into_bytes(),
        "a\r".repeat(30_000).into_bytes(),
    ] {
        assert_eq!(End::of(1, output.clone()).found(), None, "{:?}", &output[..40]);
    }
}

#[test]
fn of_a_long_log_the_place_is_a_byte_of_the_whole() {
    let before = healthy(20_000);
    let log = format!("{before}{OOM}");
    let from = log.len() - OUTPUT_MOST - 10;
    let facts = Facts { exit_code: Some(1), ..Facts::default() };
    let found = diagnose(&facts, &Output::new(&log.as_bytes()[from..], from as u64)).unwrap();
    assert_eq!(found.line, None, "lines before it were not counted");
    let at = usize::try_from(found.offset).unwrap();
    assert!(log[at..].starts_with("torch.cuda.OutOfMemoryError"), "{}", &log[at..at + 20]);
}
