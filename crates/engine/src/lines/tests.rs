//! The lines of logs as they lie on disk, written whole or bit by bit.

use std::fs;
use std::io::Write;
use std::path::Path;

use footplate_core::AttemptKey;
use footplate_shim::folder::AttemptDir;

use super::index::{Index, Line};
use super::*;

fn source(folder: &Path, ended: bool) -> LogSource {
    let key = AttemptKey { run: 1, stage: 0, attempt: 1 };
    LogSource::new(key, "main".into(), AttemptDir::open(folder.to_owned()), ended)
}

fn grown(folder: &Path, index: &mut Index, ended: bool) {
    index.grow(&mut source(folder, ended), &[], ended).unwrap();
}

fn lines(folder: &Path, index: &Index, from: u64, count: u64) -> Vec<Line> {
    let mut found = Vec::new();
    index
        .walk(&mut source(folder, true), &[], from, &mut |number, line| {
            if number >= from {
                found.push(line.clone());
            }
            number + 1 < from + count
        })
        .unwrap();
    found
}

fn texts(folder: &Path, index: &Index) -> Vec<String> {
    lines(folder, index, 0, index.total()).into_iter().map(|line| line.text).collect()
}

#[test]
fn a_bar_is_one_line_or_each_of_its_updates() {
    let place = tempfile::tempdir().unwrap();
    let log = "start\r\n 10%\r 50%\r100%\n\x1b[31mred\x1b[0m\nValueError: x\nunfinished";
    fs::write(place.path().join("log.0"), log).unwrap();
    let mut bars = Index::new(LogMode::Bars);
    grown(place.path(), &mut bars, false);
    assert_eq!(texts(place.path(), &bars), ["start", "100%", "\x1b[31mred\x1b[0m", "ValueError: x", "unfinished"]);
    assert_eq!(bars.first_error(), Some(3));
    assert_eq!(lines(place.path(), &bars, 1, 1)[0].updates, 1);
    let mut raw = Index::new(LogMode::Raw);
    grown(place.path(), &mut raw, true);
    let expected = ["start", " 10%", " 50%", "100%", "\x1b[31mred\x1b[0m", "ValueError: x", "unfinished"];
    assert_eq!(texts(place.path(), &raw), expected);
    assert_eq!(raw.first_error(), Some(5));
}

#[test]
fn what_comes_bit_by_bit_gives_the_same_lines_as_the_whole() {
    let mut log = Vec::new();
    for n in 0..3_000 {
        match n % 7 {
            0 => log.extend_from_slice(format!("{n} 1%\r{n} 2%\r{n} 3%\r\n").as_bytes()),
            1 => log.extend_from_slice(format!("\x1b[1m{n}\x1b[0m bold\r\n").as_bytes()),
            2 => log.extend_from_slice(b"\n"),
            3 => log.extend_from_slice(format!("{n} {}\n", "long ".repeat(200)).as_bytes()),
            _ => log.extend_from_slice(format!("line {n}\n").as_bytes()),
        }
    }
    log.extend_from_slice(b"the end");
    for mode in [LogMode::Bars, LogMode::Raw] {
        let whole_place = tempfile::tempdir().unwrap();
        fs::write(whole_place.path().join("log.0"), &log).unwrap();
        let mut whole = Index::new(mode);
        grown(whole_place.path(), &mut whole, true);
        let expected = texts(whole_place.path(), &whole);
        let place = tempfile::tempdir().unwrap();
        let mut file = fs::File::create(place.path().join("log.0")).unwrap();
        let mut bits = Index::new(mode);
        let mut from = 0;
        for size in [1, 7, 100, 4_096, 70_000].iter().cycle() {
            let to = (from + size).min(log.len());
            file.write_all(&log[from..to]).unwrap();
            grown(place.path(), &mut bits, to == log.len());
            from = to;
            if from == log.len() {
                break;
            }
        }
        assert_eq!(texts(place.path(), &bits), expected, "{mode:?}");
        for from in [0, 1, 700, 1_999, bits.total() - 3] {
            let page: Vec<String> = lines(place.path(), &bits, from, 3).into_iter().map(|line| line.text).collect();
            assert_eq!(page, expected[from as usize..from as usize + 3], "{mode:?} from {from}");
        }
    }
}

#[test]
fn what_is_gone_is_a_line_of_its_own() {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("log.0"), "one\ntwo").unwrap();
    fs::write(place.path().join("log.100"), "three\n").unwrap();
    let gaps = [LogGap { at_ms: 1, offset: 106, bytes: 9, no_room: true }];
    let mut index = Index::new(LogMode::Bars);
    index.grow(&mut source(place.path(), true), &gaps, true).unwrap();
    let mut found = Vec::new();
    let mut each = |_, line: &Line| {
        found.push((line.text.clone(), line.gap));
        true
    };
    index.walk(&mut source(place.path(), true), &gaps, 0, &mut each).unwrap();
    let line = |text: &str, gap: Option<u64>| (text.to_owned(), gap);
    assert_eq!(
        found,
        [line("one", None), line("two", None), line("", Some(93)), line("three", None), line("", Some(9))]
    );
    assert_eq!(index.total(), 5);
}

#[test]
fn a_long_line_is_cut_and_says_so() {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("log.0"), format!("{}\nshort\n", "x".repeat(300_000))).unwrap();
    for mode in [LogMode::Bars, LogMode::Raw] {
        let mut index = Index::new(mode);
        grown(place.path(), &mut index, true);
        let found = lines(place.path(), &index, 0, 2);
        assert_eq!(found.len(), 2, "{mode:?}");
        assert!(found[0].text.len() <= 8 << 10 && found[0].cut + found[0].text.len() as u64 == 300_000, "{mode:?}");
        assert_eq!(found[1].text, "short");
    }
}

#[test]
fn a_search_finds_the_same_lines_in_plain_and_in_painted_stretches() {
    let place = tempfile::tempdir().unwrap();
    let mut log = String::new();
    for n in 0..5_000 {
        let needle = if n % 1_000 == 7 { "Straße NEEDLE needle" } else { "hay" };
        let end = if n % 900 < 100 { "\x1b[1m!\x1b[0m\r\n" } else { "\n" };
        log.push_str(&format!("line {n} {needle} {}{end}", "x".repeat(40)));
    }
    log.push_str("a last needle");
    fs::write(place.path().join("log.0"), &log).unwrap();
    for mode in [LogMode::Bars, LogMode::Raw] {
        let mut index = Index::new(mode);
        grown(place.path(), &mut index, false);
        let all = texts(place.path(), &index);
        for words in ["nEEdle", "strasse", "STRASSE", "straße", "line 4999", "\u{1b}", "x\nl"] {
            let needle = text::Needle::new(words).unwrap();
            let mut found = Vec::new();
            let searched =
                index.search(&mut source(place.path(), false), &[], &needle, &mut |number| found.push(number));
            searched.unwrap();
            let expected: Vec<u64> = (0..all.len() as u64).filter(|at| needle.is_in(&all[*at as usize])).collect();
            assert_eq!(found, expected, "{mode:?} {words:?}");
        }
    }
}

#[test]
fn the_line_of_a_byte_is_found_wherever_it_lies() {
    let place = tempfile::tempdir().unwrap();
    let log: String = (0..20_000)
        .map(|n| if n % 9 == 0 { format!("\x1b[1m{n}\x1b[0m\r\n") } else { format!("step {n} of many\n") })
        .collect();
    assert!(log.len() > 4 * (64 << 10), "several marks");
    fs::write(place.path().join("log.0"), &log).unwrap();
    for mode in [LogMode::Bars, LogMode::Raw] {
        let mut index = Index::new(mode);
        grown(place.path(), &mut index, true);
        let of = |byte: usize| index.line_at(&mut source(place.path(), true), &[], byte as u64).unwrap();
        for number in [0, 1, 4_999, 9_000, 19_998, 19_999] {
            let wanted = if number % 9 == 0 { format!("\x1b[1m{number}\x1b") } else { format!("step {number} of") };
            let byte = log.find(&wanted).unwrap();
            assert_eq!(of(byte), Some(number), "{mode:?}");
            assert_eq!(of(byte + 2), Some(number), "within it, {mode:?}");
        }
        assert_eq!(of(log.len()), None, "past the end");
    }
}
