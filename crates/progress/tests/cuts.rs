//! Any cutting of the bytes, and any stop and restart, gives the same answer; nothing breaks the reader.
#![allow(clippy::unwrap_used, reason = "a test fails where it stands")]

mod common;

use common::{Heard, Random, reader, samples};
use footplate_progress::line::{Readable, ReadableOptions};
use footplate_progress::{Latest, Options, Reader, STATE_LIMIT};
use proptest::prelude::*;

const NOW: i64 = 1_800_000_000_000;

/// Everything told, as text: NaN equals itself there.
fn told(heard: &Heard, latest: &Latest) -> String {
    format!("{heard:?}\n{latest:?}")
}

fn whole(bytes: &[u8]) -> String {
    let (mut reader, mut heard) = (reader(), Heard::default());
    reader.feed(bytes, NOW, &mut heard);
    reader.finish(NOW, &mut heard);
    assert_eq!(reader.offset(), bytes.len() as u64);
    told(&heard, reader.state())
}

fn pieces(bytes: &[u8], mut next: impl FnMut() -> usize) -> String {
    let (mut reader, mut heard) = (reader(), Heard::default());
    let mut rest = bytes;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(next().clamp(1, rest.len()));
        reader.feed(piece, NOW, &mut heard);
        rest = after;
    }
    reader.finish(NOW, &mut heard);
    told(&heard, reader.state())
}

/// Stops after `at` bytes, starts again from what was saved, at the offset it names.
fn restarted(bytes: &[u8], at: usize) -> String {
    let (mut first, mut heard) = (reader(), Heard::default());
    first.feed(&bytes[..at], NOW, &mut heard);
    let saved = first.save();
    assert!(saved.len() <= STATE_LIMIT);
    drop(first);
    let mut second = Reader::restore(Options::default(), &saved).unwrap();
    assert!(second.offset() <= at as u64 && second.offset() + 64 * 1024 >= at as u64);
    second.feed(&bytes[second.offset() as usize..], NOW, &mut heard);
    second.finish(NOW, &mut heard);
    assert_eq!(second.offset(), bytes.len() as u64);
    told(&heard, second.state())
}

fn readable(bytes: &[u8], piece: usize) -> Vec<(u64, String, u64, bool)> {
    let mut lines = Vec::new();
    let mut readable = Readable::new(ReadableOptions { colour: true, ..ReadableOptions::default() });
    let mut each = |line: &footplate_progress::line::ReadableLine<'_>| {
        lines.push((line.start, line.text.to_owned(), line.cut, line.bar));
    };
    for piece in bytes.chunks(piece) {
        readable.feed(piece, &mut each);
    }
    readable.finish(&mut each);
    lines
}

/// Lines longer than what is saved, plain, behind a bar, and too long.
fn long_lines() -> Vec<u8> {
    let mut bytes = Vec::new();
    for length in [900, 1100, 3000, 70_000] {
        bytes.extend_from_slice(format!("{}\n", "p".repeat(length)).as_bytes());
        let message = format!("##PROGRESS##{{\"step\":{length},\"message\":\"{}\"}}##", "m".repeat(length));
        bytes.extend_from_slice(format!("{message}\n\r 50%|##  | 1/2 [00:01<00:01, 1.00it/s]{message}\r\n").as_bytes());
        bytes.extend_from_slice(format!("\x1b[1m{}\x1b[0m\rafter\n", "c".repeat(length)).as_bytes());
    }
    bytes
}

#[test]
fn samples_read_the_same_byte_by_byte_and_in_random_pieces() {
    let mut all = samples();
    all.push(("long lines".into(), long_lines()));
    for (name, bytes) in &all {
        let expected = whole(bytes);
        assert_eq!(pieces(bytes, || 1), expected, "{name}");
        for seed in 1..20 {
            let mut random = Random(seed);
            assert_eq!(pieces(bytes, || random.below(50)), expected, "{name}, seed {seed}");
        }
    }
}

/// Stops and starts again after each byte.
fn restarted_at_every_byte(bytes: &[u8]) -> String {
    let (mut reader, mut heard) = (reader(), Heard::default());
    for end in 1..=bytes.len() {
        reader.feed(&bytes[reader.offset() as usize..end], NOW, &mut heard);
        let saved = reader.save();
        assert!(saved.len() <= STATE_LIMIT);
        reader = Reader::restore(Options::default(), &saved).unwrap();
    }
    reader.feed(&bytes[reader.offset() as usize..], NOW, &mut heard);
    reader.finish(NOW, &mut heard);
    told(&heard, reader.state())
}

#[test]
fn samples_read_the_same_when_stopped_and_restarted_at_every_byte() {
    for (name, bytes) in &samples() {
        let expected = whole(bytes);
        assert_eq!(restarted_at_every_byte(bytes), expected, "{name}");
        for at in (0..=bytes.len()).step_by(97) {
            assert_eq!(restarted(bytes, at), expected, "{name} stopped at {at}");
        }
    }
    let bytes = long_lines();
    let expected = whole(&bytes);
    for at in (0..=bytes.len()).step_by(997) {
        assert_eq!(restarted(&bytes, at), expected, "long lines stopped at {at}");
    }
}

#[test]
fn readable_lines_are_the_same_however_cut() {
    let mut all = samples();
    all.push(("long lines".into(), long_lines()));
    for (name, bytes) in &all {
        let expected = readable(bytes, bytes.len());
        for piece in [1, 2, 3, 7, 64, 1000] {
            assert_eq!(readable(bytes, piece), expected, "{name} in pieces of {piece}");
        }
    }
}

/// Pieces that mean something to the reader, to build inputs from.
const WORDS: [&[u8]; 34] = [
    b"\n",
    b"\r",
    b"\r\n",
    b"\x08",
    b"\x1b[A",
    b"\x1b[2K",
    b"\x1b[K",
    b"\x1b[J",
    b"\x1b[31m",
    b"\x1b[0m",
    b"\x1b]0;t\x07",
    b"\x1b",
    b"\x1b[999999999C",
    b"\x1b[3D",
    b"\x1b[?25l",
    b"##PROGRESS##",
    b"##PROGRESS##{\"step\":1,\"total\":2}##",
    b"{\"progress\":0.5}##",
    b"{\"metrics\":{\"loss\":NaN}}##",
    b"##",
    b"#",
    b"{",
    b"[",
    b"]",
    b"\"",
    b"\r 50%|\xe2\x96\x88\xe2\x96\x88  | 1/2 [00:01<00:01, 1.00it/s, loss=0.5]",
    b" 3batch [00:00,  8.32batch/s]",
    b"Epoch 1/3: ",
    b"  0%|",
    b"| 2/3 [00:00<?, ?it/s]",
    b"\xff\xe2\x96",
    b"\xe2\x96\x88",
    b"\0",
    b"      ",
];

fn check(bytes: &[u8], at: usize) {
    let expected = whole(bytes);
    assert_eq!(pieces(bytes, || 1), expected, "{:?}", bytes.escape_ascii().to_string());
    assert_eq!(restarted(bytes, at), expected, "{:?} stopped at {at}", bytes.escape_ascii().to_string());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn words_in_any_order_read_the_same_however_cut(words in prop::collection::vec(0..WORDS.len(), 0..60), at in any::<prop::sample::Index>()) {
        let bytes: Vec<u8> = words.iter().flat_map(|word| WORDS[*word].iter().copied()).collect();
        check(&bytes, at.index(bytes.len() + 1));
        prop_assert_eq!(readable(&bytes, 1), readable(&bytes, bytes.len().max(1)));
    }

    #[test]
    fn arbitrary_bytes_never_break_it(bytes in prop::collection::vec(any::<u8>(), 0..600), at in any::<prop::sample::Index>()) {
        check(&bytes, at.index(bytes.len() + 1));
        for line in readable(&bytes, 5) {
            prop_assert!(!line.1.replace("\x1b[", "").chars().any(|c| c.is_control() && c != '\t'));
        }
    }

    #[test]
    fn arbitrary_bytes_as_a_saved_state_are_refused_or_work(mut bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Some(first) = bytes.first_mut() {
            *first = 1;
        }
        if let Ok(mut reader) = Reader::restore(Options::default(), &bytes) {
            reader.feed(b"\r 50%|#  | 1/2 [00:01<00:01, 1.00it/s]\n", NOW, &mut ());
            reader.finish(NOW, &mut ());
        }
    }
}

#[test]
fn a_damaged_state_never_breaks_it() {
    let (mut reader, mut heard) = (reader(), Heard::default());
    for (_, bytes) in samples() {
        reader.feed(&bytes, NOW, &mut heard);
    }
    reader.feed(b"\r 10%|#   | 1/10 [00:01<00:01, 1.00it/s]\n\r 3%|", NOW, &mut heard);
    let saved = reader.save();
    assert!(Reader::restore(Options::default(), &saved[..saved.len() - 1]).is_err());
    let mut random = Random(7);
    for _ in 0..20_000 {
        let mut damaged = saved.clone();
        for _ in 0..1 + random.below(3) {
            let at = random.below(damaged.len());
            damaged[at] = random.next() as u8;
        }
        if let Ok(mut reader) = Reader::restore(Options::default(), &damaged) {
            reader.feed(b"x\x1b[A\r##PROGRESS##{\"step\":1,\"metrics\":{\"a\":1}}##\n\x1b[2Ay\r\n", NOW, &mut ());
            reader.finish(NOW, &mut ());
        }
    }
}

/// So many executions: `FOOTPLATE_FUZZ`, or the long count under `make soak`, or 100,000.
fn executions() -> u32 {
    let said = std::env::var("FOOTPLATE_FUZZ").ok().and_then(|count| count.parse().ok());
    said.unwrap_or(if std::env::var_os("FOOTPLATE_SOAK").is_some() { 10_000_000 } else { 100_000 })
}

/// At least 100,000 executions of mutated samples: no panic, state within its limit, the same in two pieces as in one.
#[test]
fn mutated_samples_100_000_times() {
    let seeds: Vec<Vec<u8>> = samples().into_iter().map(|(_, bytes)| bytes).collect();
    let mut random = Random(0x5eed);
    for round in 0..executions() {
        let seed = &seeds[random.below(seeds.len())];
        let from = random.below(seed.len());
        let mut bytes = seed[from..(from + 20 + random.below(150)).min(seed.len())].to_vec();
        for _ in 0..random.below(6) {
            let at = random.below(bytes.len() + 1);
            match random.below(4) {
                0 => {
                    let word = WORDS[random.below(WORDS.len())];
                    bytes.splice(at..at, word.iter().copied());
                }
                1 => bytes.truncate(at.max(1)),
                2 if at < bytes.len() => bytes[at] = random.next() as u8,
                _ => {
                    let end = (at + random.below(10)).min(bytes.len());
                    bytes.drain(at..end);
                }
            }
        }
        let (mut one, mut two) = (reader(), reader());
        one.feed(&bytes, NOW, &mut ());
        two.feed(&bytes[..random.below(bytes.len() + 1)], NOW, &mut ());
        if round % 16 == 0 {
            let saved = two.save();
            assert!(saved.len() <= STATE_LIMIT);
            two = Reader::restore(Options::default(), &saved).unwrap();
        }
        two.feed(&bytes[two.offset() as usize..], NOW, &mut ());
        one.finish(NOW, &mut ());
        two.finish(NOW, &mut ());
        assert!(one.save() == two.save(), "{:?}", bytes.escape_ascii().to_string());
    }
}
