//! M7: what the owner and a shim cost while a program runs and says nothing, and that nobody is left when nothing runs.

use std::time::Duration;

use footplate_benches::process::{anonymous_kib, pss_kib, sleeps, woke};

use crate::clock::Stamps;
use crate::figures::{Better, Line, show as table};
use crate::lines::shims_of;
use crate::peer::{Door, Footplate};
use crate::{Plan, Trouble};

pub(crate) fn show(plan: &Plan) -> Result<(), Trouble> {
    let stamps = Stamps::at(&plan.place.scratch.join("m7.stamps"))?;
    let mut ours = Footplate::start(&plan.place, "m7", Door::Library, true)?;
    let number = ours.add(1, &["sleep".to_owned(), "1000".to_owned()])?;
    let owner = ours.owner_pid().ok_or("the owner is gone")?;
    if !footplate_testkit::holds_within(Duration::from_secs(10), || !shims_of(owner).is_empty()) {
        return Err("no shim came up".into());
    }
    let shim = shims_of(owner).first().copied().ok_or("the shim is gone")?;
    let mut lines = [
        (Line::new("owner, memory (PSS) [MiB]").goal(10.0), owner),
        (Line::new("shim, memory (PSS) [MiB]").goal(1.0), shim),
        (Line::new("owner, of no file [MiB]"), owner),
        (Line::new("shim, of no file [MiB]"), shim),
        (Line::new("owner, wake-ups [1/s]").goal(0.5), owner),
        (Line::new("shim, wake-ups [1/s]").goal(0.0), shim),
    ];
    // What the start left behind.
    stamps.quiet(Duration::from_secs(3));
    let seconds = if plan.quick { 4 } else { 10 };
    for _ in 0..plan.rounds {
        let before = [owner, shim].map(sleeps);
        stamps.quiet(Duration::from_secs(seconds));
        let after = [owner, shim].map(sleeps);
        for (index, (line, pid)) in lines.iter_mut().enumerate() {
            line.samples.add(match index {
                0 | 1 => pss_kib(*pid).unwrap_or(f64::NAN) / 1024.0,
                2 | 3 => anonymous_kib(*pid).unwrap_or(f64::NAN) / 1024.0,
                _ => woke(&before[index - 4], &after[index - 4]) as f64 / seconds as f64,
            });
        }
    }
    let lines: Vec<Line> = lines.into_iter().map(|(line, _)| line).collect();
    table("M7  a silent program runs", "each its own", Better::Less, false, &lines);
    println!(
        "  the owner looks at its store each 2 s while something runs: half a wake-up a second; usage is sampled each 5 s in the first hour"
    );
    crate::peer::run(ours.command().args(["cancel", &number.to_string()]))?;
    ours.ended(number)?;
    Ok(())
}
