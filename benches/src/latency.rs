//! M1: from the submit to the moment the program runs, while nothing else is queued.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::clock::{Stamps, now};
use crate::figures::{Better, Line, show as table};
use crate::peer::{Door, Footplate, Peer};
use crate::{Plan, Trouble};

const PATIENCE: Duration = Duration::from_secs(30);
/// After a program ran, what is left of it ends in this time.
const QUIET: Duration = Duration::from_millis(40);

/// One submit's milliseconds.
pub(crate) fn once(plan: &Plan, peer: &mut dyn Peer, stamps: &mut Stamps) -> Result<f64, Trouble> {
    let began = peer.submit(1, &plan.stamp(&stamps.path()))?;
    let ran = stamps.next(PATIENCE)?;
    stamps.quiet(QUIET);
    Ok((ran - began) as f64 / 1e6)
}

fn bare(plan: &Plan, stamps: &mut Stamps) -> Result<f64, Trouble> {
    let began = now();
    let mut child =
        Command::new(&plan.child).args(["stamp", &stamps.path()]).stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
    let ran = stamps.next(PATIENCE)?;
    child.wait()?;
    Ok((ran - began) as f64 / 1e6)
}

pub(crate) fn show(plan: &Plan, others: &mut [Box<dyn Peer>]) -> Result<(), Trouble> {
    let mut stamps = Stamps::at(&plan.place.scratch.join("m1.stamps"))?;
    let mut warm = [
        (Footplate::start(&plan.place, "m1.library", Door::Library, true)?, 6.0),
        (Footplate::start(&plan.place, "m1.cli", Door::CommandLine, true)?, 12.0),
    ];
    let mut cold = [
        Footplate::start(&plan.place, "m1.library.cold", Door::Library, false)?,
        Footplate::start(&plan.place, "m1.cli.cold", Door::CommandLine, false)?,
    ];
    let mut lines: Vec<Line> = warm.iter().map(|(peer, goal)| Line::new(peer.name()).goal(*goal)).collect();
    lines.extend(cold.iter().map(|peer| Line::new(peer.name())));
    lines.extend(others.iter().map(|peer| Line::new(peer.name())));
    lines.push(Line::new("bare spawn (nothing queued)"));
    // The first of each is not counted: caches, and copies of executables.
    for round in 0..=plan.short_rounds {
        let mut all = Vec::with_capacity(lines.len());
        for (peer, _) in &mut warm {
            all.push(once(plan, peer, &mut stamps)?);
        }
        for peer in &mut cold {
            peer.idle()?;
            all.push(once(plan, peer, &mut stamps)?);
        }
        for peer in others.iter_mut() {
            all.push(once(plan, peer.as_mut(), &mut stamps)?);
        }
        all.push(bare(plan, &mut stamps)?);
        for (line, ms) in lines.iter_mut().zip(all).filter(|_| round > 0) {
            line.samples.add(ms);
        }
    }
    table("M1  submit -> the program runs, idle", "ms", Better::Less, true, &lines);
    println!("  goals at p99: library 15 ms, footplate add 30 ms");
    Ok(())
}
