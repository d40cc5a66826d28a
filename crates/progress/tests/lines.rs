//! The line model on its own: one line a bar, nothing a terminal would obey, flat memory.
#![allow(clippy::unwrap_used, reason = "a test fails where it stands")]

mod common;

use common::samples;
use footplate_progress::line::{Readable, ReadableLine, ReadableOptions, visible};

fn lines_with(options: ReadableOptions, bytes: &[u8]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut readable = Readable::new(options);
    let mut each = |line: &ReadableLine<'_>| lines.push(line.text.to_owned());
    readable.feed(bytes, &mut each);
    readable.finish(&mut each);
    lines
}

fn lines(text: &str) -> Vec<String> {
    lines_with(ReadableOptions::default(), text.as_bytes())
}

#[test]
fn newlines_of_every_kind_end_a_line_once() {
    assert_eq!(lines("a\nb\r\n\nc"), ["a", "b", "", "c"]);
    assert_eq!(lines(""), Vec::<String>::new());
    assert_eq!(lines("\n"), [""]);
}

#[test]
fn a_return_paints_over_and_a_last_one_keeps_the_text() {
    assert_eq!(lines("loss 1.25\rloss 1.5\n"), ["loss 1.55"]);
    assert_eq!(lines("train: 50%\rtrain: 90%\r"), ["train: 90%"]);
    assert_eq!(lines("abc\x08\x08X\n"), ["aXc"]);
    assert_eq!(lines("abcdef\r\x1b[Kxy\n"), ["xy"]);
    assert_eq!(lines("abcdef\x1b[2K\rxy\n"), ["xy"]);
}

#[test]
fn a_bar_is_one_line_its_last_version() {
    let samples = samples();
    let (_, bytes) = samples.iter().find(|(name, _)| name == "tqdm-pipe.txt").unwrap();
    let shown = lines_with(ReadableOptions::default(), bytes);
    assert_eq!(shown.len(), 14, "{shown:#?}");
    assert_eq!(shown[7], "outer: 100%|██████████| 2/2 [00:00<00:00,  2.75it/s]");
    assert_eq!(shown[10..13], ["message 0", "message 1", "message 2"]);
    let (_, bytes) = samples.iter().find(|(name, _)| name == "transformers-v5-pipe.txt").unwrap();
    let shown = lines_with(ReadableOptions::default(), bytes);
    assert_eq!(shown.iter().filter(|line| line.starts_with("{'")).count(), 7);
    assert_eq!(shown.last().unwrap(), "100%|██████████| 16/16 [00:02<00:00,  6.18it/s]");
    assert_eq!(shown.len(), 11);
}

#[test]
fn plain_lines_come_at_once_and_a_live_bar_is_held() {
    let mut readable = Readable::new(ReadableOptions::default());
    let mut seen = Vec::new();
    readable.feed(b"one\ntw", &mut |line| seen.push((line.start, line.text.to_owned())));
    readable.feed(b"o\n\r 10%|\r 20%|", &mut |line| seen.push((line.start, line.text.to_owned())));
    assert_eq!(seen, [(0, "one".to_owned()), (4, "two".to_owned())]);
    assert_eq!(readable.held(), [" 20%|"]);
    readable.feed(b"\nthree\n", &mut |line| seen.push((line.start, line.text.to_owned())));
    assert_eq!(seen[2..], [(8, " 20%|".to_owned()), (21, "three".to_owned())]);
}

#[test]
fn colour_is_kept_when_asked_and_nothing_else() {
    let text = "\x1b]0;title\x07\x1b[1;31mred\x1b[0m \x1b[5Aplain\x1b(B\x1b[?25l \x1bPq#\x1b\\end\n";
    assert_eq!(lines(text).concat().replace(' ', ""), "redplainend");
    let colour = ReadableOptions { colour: true, ..ReadableOptions::default() };
    assert_eq!(
        lines_with(colour, b"\x1b[1;31mred\x1b[0m plain \x1b[32mgreen\n"),
        ["\x1b[1;31mred\x1b[0m plain \x1b[32mgreen\x1b[0m"]
    );
    assert_eq!(lines_with(colour, b"\x1b[31;?5mx\x1b[2Jy\n").concat(), " y");
}

#[test]
fn hidden_characters_are_shown() {
    assert_eq!(lines("a\0b\x07c\td\x7f"), ["a␀b␇c\td␡"]);
    assert_eq!(lines("ab\u{202e}cd\u{9b}31m\u{2066}\u{feff}\n"), ["ab<U+202E>cd<U+009B>31m<U+2066><U+FEFF>"]);
    assert_eq!(lines("\rab\u{202e}\n"), ["ab<U+202E>"]);
    assert_eq!(visible("训练 👩‍🔬 ok"), "训练 👩‍🔬 ok");
    assert_eq!(lines_with(ReadableOptions::default(), b"a\xffb\n\rc\xe2\x96\n"), ["a\u{fffd}b", "c\u{fffd}"]);
}

#[test]
fn a_line_that_is_too_long_is_cut_and_counted() {
    let mut readable = Readable::new(ReadableOptions { line_bytes: 10, ..ReadableOptions::default() });
    let mut seen = Vec::new();
    let mut each = |line: &ReadableLine<'_>| seen.push((line.text.to_owned(), line.cut));
    for _ in 0..1000 {
        readable.feed(b"0123456789", &mut each);
    }
    readable.feed(b"\nnext\n\r012345678901\n", &mut each);
    readable.finish(&mut each);
    assert_eq!(seen, [("0123456789".into(), 9990), ("next".into(), 0), ("0123456789".into(), 2)]);
}

#[test]
fn an_unfinished_escape_does_not_swallow_the_log() {
    assert_eq!(lines("\x1b]0;never ended\nline\n").last().unwrap(), "line");
    assert_eq!(lines("a\x1b[12\nb\n"), ["a", "b"]);
    assert_eq!(lines("a\x1b[999999999999Cb\n").len(), 1);
}
