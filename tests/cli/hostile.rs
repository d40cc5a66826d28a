//! The 200 texts of `tests/hostile.json` through the command line's doors: what a terminal is sent holds colour and no other escape,
//! nothing hidden and nothing that turns the text around it; no text becomes a path, an option or a command.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;

use common::{ended, words};
use footplate_testkit::Bench;
use serde_json::{Value, json};

/// Runs a program on a terminal of its own, wide, with colours; everything that it was shown.
const SHOWN: &str = r"
import fcntl, os, pty, struct, sys, termios
pid, terminal = pty.fork()
if pid == 0:
    os.environ.pop('NO_COLOR', None)
    os.environ.update(TERM='xterm-256color', PAGER='cat')
    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack('HHHH', 50, 400, 0, 0))
    os.execv(sys.argv[1], sys.argv[1:])
while True:
    try:
        part = os.read(terminal, 65536)
    except OSError:
        break
    if not part:
        break
    sys.stdout.buffer.write(part)
_, status = os.waitpid(pid, 0)
sys.exit(os.waitstatus_to_exitcode(status))
";

fn on_a_terminal(bench: &Bench, args: &[&str]) -> String {
    let output =
        bench.command("python3").args(["-c", SHOWN]).arg(Bench::executable("footplate")).args(args).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{args:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap_or_else(|error| panic!("{args:?}: what was shown is no UTF-8: {error}"))
}

/// A text of the corpus as bytes; halves of pairs as they would stand in a file.
fn corpus() -> Vec<Vec<u8>> {
    let listed: Vec<Value> = serde_json::from_str(include_str!("../hostile.json")).unwrap();
    let bytes = |one: &Value| -> Vec<u8> {
        if let Some(units) = one["units"].as_array() {
            let wide = units.iter().map(|unit| u32::try_from(unit.as_u64().unwrap()).unwrap());
            return wide
                .flat_map(|u| match u {
                    0..0x80 => vec![u8::try_from(u).unwrap()],
                    _ => [0xe0 | (u >> 12), 0x80 | (u >> 6 & 0x3f), 0x80 | (u & 0x3f)]
                        .map(|byte| u8::try_from(byte).unwrap())
                        .to_vec(),
                })
                .collect();
        }
        let times = usize::try_from(one["times"].as_u64().unwrap_or(0)).unwrap();
        (one["text"].as_str().unwrap().to_owned() + &one["then"].as_str().unwrap_or("").repeat(times)).into_bytes()
    };
    let all: Vec<_> = listed.iter().map(bytes).collect();
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), 200, "200 distinct texts");
    all
}

/// What a terminal would obey, or an eye would not see, with what stands before it.
fn harm(shown: &str) -> Option<String> {
    let mut rest = shown.char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        if c == '\x1b' && shown[at..].starts_with("\x1b[") {
            let codes = shown[at + 2..].find(|c: char| !c.is_ascii_digit() && !";:".contains(c));
            let end = at + 2 + codes.unwrap_or(0);
            if shown[end..].starts_with('m') {
                while rest.next_if(|(next, _)| *next <= end).is_some() {}
                continue;
            }
        }
        let hidden = matches!(c, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
        if hidden || (c.is_control() && !"\r\n\t".contains(c)) {
            let before = shown[..at].chars().rev().take(60).collect::<Vec<_>>().into_iter().rev().collect::<String>();
            return Some(format!("U+{:04X} after {before:?}", c as u32));
        }
    }
    None
}

#[test]
fn output_of_every_kind_comes_to_a_terminal_as_text() {
    let bench = Bench::new();
    let corpus = corpus();
    let mut printed = Vec::new();
    for text in &corpus {
        printed.extend_from_slice(text);
        printed.push(b'\n');
    }
    for text in corpus.iter().filter_map(|text| std::str::from_utf8(text).ok()) {
        let told = json!({ "message": text, "metrics": { text: 1.5 }, "step": 1 });
        printed.extend_from_slice(format!("##PROGRESS##{told}##\n").as_bytes());
    }
    bench.write("printed", &printed);
    let number = bench.add(&[], &["cat", "printed"]);
    assert_eq!(ended(&bench, number)["status"], "completed", "no line of output says how it ended");

    let log = on_a_terminal(&bench, &words("logs 1"));
    for part in ["\x1b[31mred\x1b[0m plain", "cleared", "<U+202E>gnp.exe", "zero<U+200B>width", "nul␀inside"] {
        assert!(log.contains(part), "{part:?} is not in the log: colours stay, the hidden is shown");
    }
    for args in
        ["logs 1", "logs 1 --times", "logs 1 --tail 50", "logs 1 --grep e", "show 1", "list", "report 1", "metrics 1"]
    {
        let shown = on_a_terminal(&bench, &words(args));
        assert!(shown.len() > 40, "{args}: {shown:?}");
        assert_eq!(harm(&shown), None, "footplate {args}");
    }
}

#[test]
fn names_tags_and_queues_are_refused_or_shown_as_they_are() {
    let bench = Bench::new();
    let mut taken = 0;
    for text in corpus().into_iter().filter(|text| !text.contains(&0)) {
        let text = OsString::from_vec(text);
        let with = |option: &str| {
            let mut equal = OsString::from(option);
            equal.push("=");
            equal.push(&text);
            equal
        };
        let options = [with("--name"), with("--tag")];
        let args: Vec<&OsStr> = [OsStr::new("add")]
            .into_iter()
            .chain(options.iter().map(OsString::as_os_str))
            .chain(["--draft", "--", "true"].map(OsStr::new))
            .collect();
        let output = bench.run(&args);
        assert!([0, 2, 3].contains(&output.code), "{text:?}: {output:?}");
        assert_eq!(harm(&output.stderr).or_else(|| harm(&output.stdout)), None, "{text:?}");
        if output.code != 0 {
            assert!(!output.stderr.is_empty() && output.stderr.len() < 4000, "{text:?}: {}", output.stderr);
        }
        taken += usize::from(output.code == 0);
        let asked = [OsString::from("list"), with("--queue")];
        let queue = bench.run(&asked);
        assert!([2, 3, 4].contains(&queue.code), "{text:?}: {queue:?}");
        assert_eq!(harm(&queue.stderr).or_else(|| harm(&queue.stdout)), None, "{text:?}");
    }
    assert!(taken > 60, "most words are names: {taken}");
    for args in [vec!["list", "--limit", "1000"], vec!["show", "1"], vec!["queue", "list"]] {
        assert_eq!(harm(&on_a_terminal(&bench, &args)), None, "{args:?}");
    }
    let entries: Vec<_> = std::fs::read_dir(bench.work()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(entries.is_empty(), "no text became a file or a command: {entries:?}");
}

#[test]
fn a_run_is_asked_for_by_any_text_and_nothing_but_an_answer_comes() {
    let bench = Bench::new();
    let number = bench.add(&["--name", "here"], &["true"]);
    ended(&bench, number);
    for text in corpus().into_iter().filter(|text| !text.contains(&0)) {
        let text = OsString::from_vec(text);
        let output = bench.run(&[OsStr::new("show"), OsStr::new("--"), &text]);
        assert!([2, 3, 4].contains(&output.code), "{text:?}: {output:?}");
        assert_eq!(harm(&output.stderr).or_else(|| harm(&output.stdout)), None, "{text:?}");
    }
    assert_eq!(bench.status(number), "completed");
}
