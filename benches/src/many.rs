//! M2: durable submits, many at once and one by one; and whether a long queue slows anything.

use std::process::Command;

use crate::clock::{Stamps, now};
use crate::figures::{Better, Line, show as table};
use crate::peer::{Argv, Door, Footplate, Peer, queue, run};
use crate::{Plan, Trouble, latency};

fn a_second(peer: &mut dyn Peer, slots: usize) -> Result<f64, Trouble> {
    let count = peer.counts().0;
    let all: Vec<Argv> = vec![vec!["/bin/true".to_owned()]; count];
    Ok(count as f64 / peer.submit_many(slots, &all)?)
}

fn ms(what: impl FnOnce() -> Result<(), Trouble>) -> Result<f64, Trouble> {
    let began = now();
    what()?;
    Ok((now() - began) as f64 / 1e6)
}

pub(crate) fn show(plan: &Plan, others: &mut [Box<dyn Peer>]) -> Result<(), Trouble> {
    let mut stamps = Stamps::at(&plan.place.scratch.join("m2.stamps"))?;
    let mut library = Footplate::start(&plan.place, "m2", Door::Library, true)?;
    let mut cli = Footplate::start(&plan.place, "m2", Door::CommandLine, false)?;
    let program = cli.command();
    let pause = move || {
        let mut command = Command::new(program.get_program());
        command.args(["queue", "pause", queue(2)]);
        command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command
    };
    run(&mut pause())?;

    let (mut single, mut queued) = (Vec::new(), Vec::new());
    one_by_one(plan, &mut library, &mut cli, &mut stamps, &mut single, "the queue empty")?;

    let ours: [&mut dyn Peer; 2] = [&mut cli, &mut library];
    let mut lines: Vec<Line> = Vec::new();
    for (peer, name) in ours.iter().zip(["Footplate (add --stdin)", "Footplate (library, one batch)"]) {
        lines.push(Line::new(format!("{name}, {}", peer.counts().0)).goal(50_000.0));
    }
    lines.extend(others.iter().map(|peer| Line::new(format!("{}, {}", peer.name(), peer.counts().0))));
    let mut all: Vec<&mut dyn Peer> = ours.into_iter().collect();
    all.extend(others.iter_mut().map(|peer| peer.as_mut() as &mut dyn Peer));
    let mut behind = Line::new("footplate add right behind 10,000");
    // Ten times 10,000: the queue of 100,000 that follows.
    for _ in 0..plan.rounds {
        for (index, (peer, line)) in all.iter_mut().zip(&mut lines).enumerate() {
            line.samples.add(a_second(*peer, 2)?);
            if index == 0 {
                let argv = ["/bin/true".to_owned()];
                behind.samples.add(ms(|| peer.submit(2, &argv).map(|_| ()))?);
            }
            if index < 2 {
                // Wishes are taken in order: once this one is answered, the owner has taken the batch in.
                run(&mut pause())?;
            }
        }
    }
    table("M2  durable submit of many", "runs/s", Better::More, false, &lines);
    single.push(behind);

    let length = library.client().list(&footplate_engine::client::ListQuery::default())?.total;
    one_by_one(plan, &mut library, &mut cli, &mut stamps, &mut queued, &format!("{length} queued"))?;
    single.extend(queued);
    table("M2  one submit, the program's start, one list", "ms", Better::Less, true, &single);
    Ok(())
}

fn one_by_one(
    plan: &Plan,
    library: &mut Footplate,
    cli: &mut Footplate,
    stamps: &mut Stamps,
    lines: &mut Vec<Line>,
    state: &str,
) -> Result<(), Trouble> {
    let argv = ["/bin/true".to_owned()];
    let mut these = [
        Line::new(format!("footplate add, paused queue, {state}")).goal(8.0),
        Line::new(format!("library submit, paused queue, {state}")),
        Line::new(format!("library: submit -> runs, {state}")).goal(6.0),
        Line::new(format!("footplate list, 50 newest, {state}")).goal(12.0),
    ];
    for round in 0..=plan.short_rounds / 2 {
        let all = [
            ms(|| cli.submit(2, &argv).map(|_| ()))?,
            ms(|| library.submit(2, &argv).map(|_| ()))?,
            latency::once(plan, library, stamps)?,
            ms(|| run(cli.command().args(["list", "--limit", "50"])).map(|_| ()))?,
        ];
        for (line, ms) in these.iter_mut().zip(all).filter(|_| round > 0) {
            line.samples.add(ms);
        }
    }
    lines.extend(these);
    Ok(())
}
