//! The program that the benches run. It says when it ran, on the monotonic clock, through a FIFO.
//!
//! `stamp FIFO`; `gate GATE FIFO`: waits until somebody opens GATE for writing, then as `stamp`; `flood KIND COUNT FIFO`:
//! COUNT lines of 150 bytes on stdout, KIND `progress` or `plain`, then one stamp for its start and one for its end, where FIFO
//! is given; `talk RATE`: so many lines and ten reports of progress a second, until it is stopped.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::process::ExitCode;

fn now() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec.cast_unsigned() * 1_000_000_000 + now.tv_nsec.cast_unsigned()
}

/// One write below PIPE_BUF each: stamps of two programs do not mix.
fn say(fifo: &str, times: &[u64]) -> io::Result<()> {
    let bytes: Vec<u8> = times.iter().flat_map(|time| time.to_le_bytes()).collect();
    OpenOptions::new().write(true).open(fifo)?.write_all(&bytes)
}

fn gate(gate: &str) -> io::Result<()> {
    File::open(gate)?.read(&mut [0; 1]).map(|_| ())
}

fn flood(kind: &str, count: u64) -> io::Result<()> {
    let mut out = io::BufWriter::with_capacity(64 << 10, io::stdout().lock());
    for step in 0..count {
        let mut line = match kind {
            "progress" => {
                let progress = step as f64 / count as f64;
                format!(
                    "##PROGRESS##{{\"progress\": {progress:.6}, \"step\": {step}, \"total\": {count}, \"metrics\": {{\"loss\": {:.6}}}, \"message\": \"step {step}",
                    1.0 / (1.0 + step as f64)
                )
            }
            _ => format!("step {step} of {count}: loss {:.6}", 1.0 / (1.0 + step as f64)),
        };
        let end = if kind == "progress" { "\"}##" } else { "" };
        while line.len() + end.len() < 149 {
            line.push('.');
        }
        writeln!(out, "{line}{end}")?;
    }
    out.flush()
}

/// A step is a tenth of a second.
fn talk(rate: u64) -> io::Result<()> {
    let mut out = io::BufWriter::with_capacity(64 << 10, io::stdout().lock());
    let began = now();
    for step in 1.. {
        for line in 0..rate / 10 {
            writeln!(out, "step {step}, batch {line}: loss {:.6}, 812 samples/s", 1.0 / (1.0 + step as f64))?;
        }
        let (loss, done) = (1.0 / (1.0 + step as f64), step as f64 / 10_000.0);
        writeln!(
            out,
            "##PROGRESS##{{\"progress\": {done:.4}, \"step\": {step}, \"metrics\": {{\"loss\": {loss:.6}}}}}##"
        )?;
        out.flush()?;
        let left = (began + step * 100_000_000).saturating_sub(now());
        let _ = rustix::event::poll(
            &mut [],
            Some(&rustix::event::Timespec { tv_sec: 0, tv_nsec: left.min(99_999_999) as i64 }),
        );
    }
    Ok(())
}

fn main() -> ExitCode {
    let began = now();
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["stamp", fifo] => say(fifo, &[began]),
        ["gate", on, fifo] => gate(on).and_then(|()| say(fifo, &[now()])),
        ["flood", kind, count, fifo] => {
            let count = count.parse().unwrap_or(0);
            flood(kind, count).and_then(|()| say(fifo, &[began, now()]))
        }
        ["flood", kind, count] => flood(kind, count.parse().unwrap_or(0)),
        ["talk", rate] => talk(rate.parse().unwrap_or(0)),
        _ => Err(io::ErrorKind::InvalidInput.into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("footplate-bench-child {words:?}: {error}");
            ExitCode::FAILURE
        }
    }
}
