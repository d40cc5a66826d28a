//! Lines a second on one core, for plain lines, lines of the protocol, bars and one very long line.
//! Run with `cargo run --release -p footplate-progress --example speed`.

use std::time::Instant;

use footplate_progress::line::{Readable, ReadableOptions};
use footplate_progress::{Options, Point, Reader, Sink};

#[derive(Default)]
struct Count {
    points: u64,
}

impl Sink for Count {
    fn point(&mut self, _point: Point<'_>) {
        self.points += 1;
    }
}

const LINES: usize = 1_000_000;
const PIECE: usize = 64 * 1024;

/// Seconds this thread has had a processor: other programs do not count. Linux; elsewhere the clock.
fn busy(begin: Instant) -> f64 {
    let busy = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = busy.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    nanos.map_or_else(|| begin.elapsed().as_secs_f64(), |nanos| nanos / 1e9)
}

fn measure(name: &str, lines: usize, bytes: &[u8]) {
    let mut best = f64::MAX;
    let mut points = 0;
    for _ in 0..5 {
        let mut reader = Reader::new(Options::default()).expect("no patterns");
        let mut sink = Count::default();
        let begin = Instant::now();
        let before = busy(begin);
        for piece in bytes.chunks(PIECE) {
            let now_ms = 1_000_000 + begin.elapsed().as_millis() as i64;
            reader.feed(piece, now_ms, &mut sink);
        }
        reader.finish(1_002_000, &mut sink);
        best = best.min(busy(begin) - before);
        points = sink.points;
        let counters = reader.state().counters;
        assert_eq!((counters.bad_lines, counters.bad_values), (0, 0));
    }
    let rate = lines as f64 / best;
    let mega = bytes.len() as f64 / best / 1e6;
    println!("{name:<24} {rate:>12.0} lines/s {mega:>8.0} MB/s {points:>8} points handed on");
}

fn main() {
    let mut plain = Vec::new();
    let mut protocol = Vec::new();
    let mut bars = Vec::new();
    for at in 0..LINES {
        let loss = 2.0 / (1.0 + at as f64 / 1000.0);
        plain.extend_from_slice(
            format!("2026-11-21 09:30:{:02} INFO trainer: batch {at} of {LINES} took 0.0123 s\n", at % 60).as_bytes(),
        );
        let line = format!(
            "##PROGRESS##{{\"type\":\"progress\",\"step\":{at},\"total\":{LINES},\"epoch\":{},\"message\":\"training\",\
             \"metrics\":{{\"loss\":{loss:.6},\"lr\":0.0003}}}}##",
            at / 10_000
        );
        protocol.extend_from_slice(format!("{line:<149}\n").as_bytes());
        let percent = at * 100 / LINES;
        bars.extend_from_slice(
            format!("\rEpoch 1/3: {percent:>3}%|█████     | {at}/{LINES} [00:10<00:10, 98.30step/s, loss={loss:.4}]")
                .as_bytes(),
        );
    }
    // `speed plain|protocol|bars|long` measures one of them.
    let only = std::env::args().nth(1);
    let wanted = |name: &str| only.as_deref().is_none_or(|only| only == name);
    if wanted("plain") {
        measure("plain lines", LINES, &plain);
    }
    if wanted("protocol") {
        measure("protocol lines, 150 B", LINES, &protocol);
    }
    if wanted("bars") {
        measure("tqdm frames", LINES, &bars);
    }
    if wanted("long") {
        measure("one line of 1 GB", 1, &vec![b'x'; 1_000_000_000]);
    }
    if !wanted("readable") {
        return;
    }

    let mut shown = 0u64;
    let mut readable = Readable::new(ReadableOptions::default());
    let begin = Instant::now();
    let before = busy(begin);
    for piece in plain.chunks(PIECE) {
        readable.feed(piece, &mut |line| shown += line.text.len() as u64);
    }
    let took = busy(begin) - before;
    println!("{:<24} {:>12.0} lines/s ({shown} bytes shown)", "readable, plain lines", LINES as f64 / took);
}
