//! Any output: all of it arrives, the memory stays flat, and nobody is harmed.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{Held, Home, within};
use footplate_shim::clock::running_ms;
use footplate_shim::contract::Exit;
use footplate_shim::log::{IndexKind, LogRead, LogReader, index};

/// The largest resident set of the shim so far, KiB.
fn peak_kb(held: &Held) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", held.shim.id())).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
    line.split_ascii_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0)
}

/// Finishes it, and looks that the shim needed little more than at its start.
fn finish_flat(held: &mut Held) -> Exit {
    held.start();
    let before = peak_kb(held);
    let mut peak = before;
    within(120, "the shim ends", || {
        peak = peak.max(peak_kb(held));
        held.shim.try_wait().unwrap()
    });
    assert!(before > 0 && peak < before + 4096, "from {before} to {peak} KiB");
    held.finish()
}

/// Reads the log in pieces, with the checker.
fn read_through(held: &Held, mut see: impl FnMut(&[u8])) -> u64 {
    let (mut reader, mut at, mut buffer) = (LogReader::new(&held.folder), 0, vec![0; 1 << 18]);
    loop {
        match reader.read_at(at, &mut buffer).unwrap() {
            LogRead::Bytes(count) => {
                see(&buffer[..count]);
                at += count as u64;
            }
            LogRead::End => return at,
            LogRead::Dropped { next } => panic!("a gap from {at} to {next}"),
        }
    }
}

#[test]
fn one_line_of_two_hundred_megabytes() {
    let mut home = Home::new().sh("head -c 200000000 /dev/zero | tr '\\0' x; echo; echo last");
    let mut held = home.hold();
    assert_eq!(finish_flat(&mut held).code, Some(0));
    let (exes, mut tail) = (vec![b'x'; 1 << 18], Vec::new());
    let mut at = 0_usize;
    let size = read_through(&held, |bytes| {
        let of_line = bytes.len().min(200_000_000_usize.saturating_sub(at));
        assert!(bytes[..of_line] == exes[..of_line], "changed on the way, near {at}");
        tail.extend(&bytes[of_line..]);
        at += bytes.len();
    });
    assert_eq!((tail.as_slice(), size), (b"\nlast\n".as_slice(), 200_000_006));
    let segments = held.folder.segments().unwrap();
    let whole = 64 << 20;
    assert_eq!(segments, [(0, whole), (whole, whole), (2 * whole, size - 2 * whole)]);
}

#[test]
fn a_million_lines() {
    let mut home = Home::new().sh("seq 1000000");
    home.spec.segment = 1 << 20;
    let mut held = home.hold();
    assert_eq!(finish_flat(&mut held).code, Some(0));
    let (mut next, mut line) = (1_u64, Vec::new());
    read_through(&held, |bytes| {
        for &byte in bytes {
            if byte == b'\n' {
                assert_eq!(std::str::from_utf8(&line).unwrap(), next.to_string());
                next += 1;
                line.clear();
            } else {
                line.push(byte);
            }
        }
    });
    assert_eq!(next, 1_000_001);
    let index = index(&held.folder).unwrap();
    assert!(index.iter().all(|entry| entry.kind == IndexKind::Chunk));
    assert!(index.is_sorted_by_key(|entry| (entry.offset, entry.wall_ms)) && index[0].offset == 0);
    let exit = held.exit();
    assert!(index.len() as u64 <= exit.running_ms / 100 + 2, "more than ten a second");
}

#[test]
fn carriage_returns_nul_and_invalid_utf8_arrive_as_they_are() {
    let program = "
import os, time
out = b''
for second in range(2):
    for n in range(50):
        os.write(1, b''.join(b'step %d\\r' % n for n in range(1000)))
        time.sleep(0.01)
os.write(1, bytes(range(256)) * 64)
os.write(2, b'\\xff\\xfe last')
";
    let mut held = Home::new().python(program).hold();
    assert_eq!(finish_flat(&mut held).code, Some(0));
    let log = held.log();
    assert_eq!(log.iter().filter(|&&b| b == b'\r').count(), 100_000 + 64);
    let tail: Vec<u8> = (0..=255).cycle().take(256 * 64).chain(*b"\xff\xfe last").collect();
    assert!(log.ends_with(&tail));
}

#[test]
fn streams_may_be_opened_again_by_name() {
    let mut held = Home::new().sh("echo one; echo two > /dev/stderr; echo three >> /dev/stdout; echo four >&2").hold();
    assert_eq!(held.finish().code, Some(0));
    assert_eq!(held.text(), "one\ntwo\nthree\nfour\n");
}

#[test]
fn asyncio_takes_stdout_for_an_open_pipe() {
    let program = "
import asyncio, sys
async def main():
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, sys.stdout)
    writer = asyncio.StreamWriter(transport, protocol, None, loop)
    for n in range(20000):
        writer.write(b'line %d\\n' % n)
        if n % 1000 == 0:
            await writer.drain()
            await asyncio.sleep(0.005)
    await writer.drain()
    assert not transport.is_closing()
    transport.close()
    await asyncio.sleep(0.05)
asyncio.run(main())
";
    let mut held = Home::new().python(program).hold();
    assert_eq!(held.finish().code, Some(0), "{}", held.text());
    let expected: String = (0..20000).map(|n| format!("line {n}\n")).collect();
    assert_eq!(held.text(), expected);
}

#[test]
fn closed_output_costs_nothing_and_the_end_is_seen() {
    let mut held =
        Home::new().sh("trap 'exit 2' TERM; echo up; exec >/dev/null 2>&1; while :; do sleep 0.1; done").hold();
    held.until_said("up");
    let ticks = || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", held.shim.id())).unwrap();
        let fields: Vec<u64> = stat.rsplit(')').next().unwrap().split(' ').filter_map(|n| n.parse().ok()).collect();
        // After pid, name and state, utime and stime are the 11th and 12th number.
        fields[10] + fields[11]
    };
    let switches = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", held.shim.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("voluntary_ctxt_switches")).unwrap();
        line.split_ascii_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
    };
    // Once the hang-up is seen and the output opened again, it does not wake for a whole second.
    let (mut before, mut since) = ((ticks(), switches()), running_ms());
    within(20, "a second without waking up", || {
        let now = (ticks(), switches());
        if now != before {
            (before, since) = (now, running_ms());
        }
        (running_ms() > since + 1000).then_some(())
    });
    held.stop(1000);
    assert_eq!(held.finish().code, Some(2));
}

#[test]
fn the_last_line_is_always_there() {
    let mut home = Home::new();
    for n in 0..30 {
        home.set_sh(&format!("printf 'first\\n'; head -c {} /dev/zero; printf 'the last of {n}'", n * 20_000));
        let mut held = home.hold();
        let exit = held.finish();
        let log = held.log();
        assert!(log.ends_with(format!("the last of {n}").as_bytes()));
        assert_eq!((exit.log_size, log.len()), (log.len() as u64, 6 + n * 20_000 + format!("the last of {n}").len()));
    }
}

#[test]
fn a_program_whose_shim_dies_in_mid_flood_is_not_harmed() {
    // It says on a side channel whether it was harmed: an error, or a signal that is not KILL.
    let mut home = Home::new();
    let side = home.path("side");
    let program = format!(
        "
import os, signal, sys
side = os.open({:?}, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
signal.signal(signal.SIGPIPE, lambda *_: os.write(side, b'SIGPIPE\\n'))
os.write(side, b'up\\n')
line = b'y' * 4095 + b'\\n'
try:
    while True:
        os.write(1, line)
except OSError as error:
    os.write(side, repr(error).encode())
",
        side.to_str().unwrap()
    );
    home = home.python(&program);
    let mut held = home.hold();
    within(20, "the flood is on", || (held.folder.log_end() > 10_000_000).then_some(()));
    held.shim.kill().unwrap();
    held.shim.wait().unwrap();
    let start = held.start();
    // It fills the pipe and waits: a pause, not an end.
    let io = || std::fs::read_to_string(format!("/proc/{}/io", start.child.pid)).unwrap_or_default();
    let mut last = io();
    let mut since = running_ms();
    within(20, "it waits", || {
        let now = io();
        if now != last {
            (last, since) = (now, running_ms());
        }
        (running_ms() > since + 300).then_some(())
    });
    assert!(start.child.is_alive());
    assert_eq!(std::fs::read_to_string(&side).unwrap(), "up\n");
    assert!(!held.folder.lock_is_held().unwrap());
    let log = held.log();
    assert!(log.chunks(4096).all(|line| line.iter().take(4095).all(|&b| b == b'y')));
}

#[test]
fn over_the_cap_the_middle_goes() {
    let mut home = Home::new().sh("seq 300000");
    (home.spec.segment, home.spec.log_cap) = (1 << 16, 1 << 19);
    let mut held = home.hold();
    held.finish();
    let swept = held.folder.swept().unwrap();
    let kept: u64 = held.folder.segments().unwrap().iter().map(|(_, length)| length).sum();
    assert!(kept <= 1 << 19 && swept.dropped == swept.log_size - kept, "{kept} kept, {swept:?}");
    let mut buffer = [0; 64];
    assert!(matches!(held.folder.read_log_at(0, &mut buffer).unwrap(), LogRead::Bytes(64)));
    assert_eq!(&buffer[..6], b"1\n2\n3\n");
    let LogRead::Dropped { next } = held.folder.read_log_at(1 << 18, &mut buffer).unwrap() else { panic!() };
    let mut expected = Vec::new();
    for n in 1..=300_000 {
        expected.extend(format!("{n}\n").bytes());
    }
    let LogRead::Bytes(count) = held.folder.read_log_at(next, &mut buffer).unwrap() else { panic!() };
    let at = usize::try_from(next).unwrap();
    assert_eq!(buffer[..count], expected[at..at + count], "offsets stay true");
}
