//! M3: jobs a second, end to end, one and two at a time. All are queued behind a gate; the clock runs from the moment it
//! opens to the moment the program behind the last one runs, so that submitting does not count.

use std::process::Command;
use std::time::Duration;

use crate::clock::{Gate, Stamps, now};
use crate::figures::{Better, Line, show as table};
use crate::peer::{Argv, Door, Footplate, Peer, run_quietly};
use crate::{Plan, Trouble};

const PATIENCE: Duration = Duration::from_secs(120);

fn a_second(plan: &Plan, peer: &mut dyn Peer, slots: usize, gate: &Gate, stamps: &mut Stamps) -> Result<f64, Trouble> {
    let count = peer.counts().1;
    let mut all: Vec<Argv> = vec![plan.gate(&gate.path(), &stamps.path()); slots];
    all.extend(vec![vec!["/bin/true".to_owned()]; count]);
    all.push(plan.stamp(&stamps.path()));
    peer.submit_many(slots, &all)?;
    gate.open(slots)?;
    let mut first = 0;
    for _ in 0..slots {
        first = stamps.next(PATIENCE)?;
    }
    let last = stamps.next(PATIENCE)?;
    // The last program's own end.
    stamps.quiet(Duration::from_millis(100));
    Ok(count as f64 * 1e9 / (last - first) as f64)
}

fn bare() -> Result<f64, Trouble> {
    let began = now();
    for _ in 0..300 {
        run_quietly(&mut Command::new("/bin/true"))?;
    }
    Ok(300.0 * 1e9 / (now() - began) as f64)
}

pub(crate) fn show(plan: &Plan, others: &mut [Box<dyn Peer>]) -> Result<(), Trouble> {
    let gate = Gate::at(&plan.place.scratch.join("m3.gate"))?;
    let mut stamps = Stamps::at(&plan.place.scratch.join("m3.stamps"))?;
    let mut ours = Footplate::start(&plan.place, "m3", Door::Library, true)?;
    for (slots, goal) in [(1, 420.0), (2, 700.0)] {
        let mut lines = vec![Line::new("Footplate").goal(goal)];
        lines.extend(others.iter().map(|peer| Line::new(peer.name())));
        if slots == 1 {
            lines.push(Line::new("bare spawn and wait"));
        }
        for _ in 0..plan.rounds {
            let mut all = vec![a_second(plan, &mut ours, slots, &gate, &mut stamps)?];
            for peer in others.iter_mut() {
                all.push(a_second(plan, peer.as_mut(), slots, &gate, &mut stamps)?);
            }
            if slots == 1 {
                all.push(bare()?);
            }
            for (line, rate) in lines.iter_mut().zip(all) {
                line.samples.add(rate);
            }
        }
        let how = if slots == 1 { "one at a time" } else { "two at a time" };
        table(&format!("M3  end to end, {how}"), "jobs/s", Better::More, false, &lines);
    }
    Ok(())
}
