//! M4: a million lines of 150 bytes from one program: read, stored, and what the program itself and the memory notice.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::Duration;

use footplate_benches::process::pss_kib;

use crate::clock::Stamps;
use crate::figures::{Better, Line, Samples, show as table};
use crate::peer::{Door, Footplate};
use crate::{Plan, Trouble};

const PATIENCE: Duration = Duration::from_secs(300);

/// The seconds the program takes to write to a pipe whose reader throws everything away.
fn bare(plan: &Plan, kind: &str, count: u64, stamps: &mut Stamps) -> Result<f64, Trouble> {
    let mut child = Command::new(&plan.child)
        .args(["flood", kind, &count.to_string(), &stamps.path()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut out = child.stdout.take().ok_or("no stdout")?;
    let mut buffer = vec![0; 64 << 10];
    while out.read(&mut buffer)? > 0 {}
    child.wait()?;
    let began = stamps.next(PATIENCE)?;
    Ok((stamps.next(PATIENCE)? - began) as f64 / 1e9)
}

/// KiB of a process's greatest resident memory.
fn peak_kib(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().split(' ').next()?.parse().ok()
}

/// The shims below the owner.
pub(crate) fn shims_of(owner: u32) -> Vec<u32> {
    let Ok(children) = std::fs::read_to_string(format!("/proc/{owner}/task/{owner}/children")) else {
        return Vec::new();
    };
    // Between fork and exec a child is its parent in all but number.
    let is_shim = |pid: &u32| {
        std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == "footplate-shim")
    };
    children.split(' ').filter_map(|pid| pid.parse().ok()).filter(is_shim).collect()
}

pub(crate) fn show(plan: &Plan) -> Result<(), Trouble> {
    let count: u64 = if plan.quick { 200_000 } else { 1_000_000 };
    let mut stamps = Stamps::at(&plan.place.scratch.join("m4.stamps"))?;
    let mut ours = Footplate::start(&plan.place, "m4", Door::Library, true)?;
    // Somebody looks on: the newest state is stored ten times a second.
    let _present = ours.client().presence()?;
    for (kind, figure) in [("progress", "M4 "), ("plain", "M4b")] {
        let mut read = Line::new("Footplate: first line -> settled").goal(1e6);
        let mut own = Line::new("the program's own time / to a bare pipe").goal(1.3);
        let (mut owner_kib, mut shim_kib) = (Samples::default(), Samples::default());
        for _ in 0..plan.rounds {
            let alone = bare(plan, kind, count, &mut stamps)?;
            let owner = ours.owner_pid().ok_or("the owner is gone")?;
            let before = peak_kib(owner).unwrap_or(0);
            let argv = [&plan.child, "flood", kind, &count.to_string(), &stamps.path()].map(str::to_owned);
            let number = ours.add(1, &argv)?;
            let mut shim = 0.0;
            let ended = loop {
                shim = shims_of(owner).into_iter().filter_map(pss_kib).fold(shim, f64::max);
                if ours.client().show(number)?.status.is_ended() {
                    break crate::clock::now();
                }
                ours.client().wait_for_change(Duration::from_millis(50))?;
            };
            let began = stamps.next(PATIENCE)?;
            let wrote = stamps.next(PATIENCE)? - began;
            read.samples.add(count as f64 * 1e9 / (ended - began) as f64);
            own.samples.add(wrote as f64 / 1e9 / alone);
            owner_kib.add(peak_kib(owner).unwrap_or(0).saturating_sub(before) as f64 / 1024.0);
            shim_kib.add(shim / 1024.0);
        }
        table(&format!("{figure} {count} {kind} lines of 150 bytes"), "lines/s", Better::More, false, &[read]);
        table(&format!("{figure} what the program notices"), "ratio", Better::Less, false, &[own]);
        let memory = [
            Line { who: "owner, resident: more than before".to_owned(), samples: owner_kib, goal: Some(16.0) },
            Line { who: "shim, proportional share".to_owned(), samples: shim_kib, goal: Some(2.0) },
        ];
        table(&format!("{figure} greatest memory"), "MiB", Better::Less, false, &memory);
    }
    Ok(())
}
