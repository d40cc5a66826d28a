//! M6: how long an owner takes from its start to the first launch, with a history behind it and a long queue before it; and to
//! find 200 programs again that outlived the last one.

use std::path::PathBuf;
use std::time::Duration;

use footplate_engine::client::{Client, ListQuery, OwnerStart, Wish, WishRequest};
use footplate_engine::home::Home;

use crate::clock::{Stamps, now};
use crate::figures::{Better, Line, show as table};
use crate::peer::{Argv, Door, Footplate, Peer, queue, run};
use crate::{Plan, Trouble};

const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) fn show(plan: &Plan) -> Result<(), Trouble> {
    let (ended, queued, live) = if plan.quick { (10_000, 1_000, 20) } else { (100_000, 10_000, 200) };
    let mut first = Line::new(format!("start -> first launch, {ended} ended, {queued} queued")).goal(100.0);
    first_launch(plan, ended, queued, &mut first)?;
    let mut again = Line::new(format!("start -> {live} live programs found again")).goal(1000.0);
    find_again(plan, live, &mut again)?;
    table("M6  an owner starts", "ms", Better::Less, false, &[first, again]);
    Ok(())
}

fn log(plan: &Plan) -> PathBuf {
    plan.place.scratch.join("m6.log")
}

/// The queue is let go by somebody who starts no owner; the owner's first act on it is a launch.
fn first_launch(plan: &Plan, ended: i64, queued: usize, line: &mut Line) -> Result<(), Trouble> {
    let mut stamps = Stamps::at(&plan.place.scratch.join("m6.stamps"))?;
    let mut ours = Footplate::start(&plan.place, "m6-queue", Door::Library, false)?;
    footplate_history::fill(ours.data(), ended)?;
    let queue = queue(1);
    run(ours.command().args(["queue", "pause", queue]))?;
    let all: Vec<Argv> = vec![plan.stamp(&stamps.path()); queued];
    ours.submit_many(1, &all)?;
    let mut guest = Client::open_with(Home::at(ours.data())?, OwnerStart::Never)?;
    for _ in 0..plan.rounds {
        ours.idle()?;
        let unpause = Wish::Queue { name: queue.to_owned(), limit: None, priority: None, paused: Some(false) };
        guest.wish(WishRequest::general(unpause))?;
        let began = ours.start_owner(&log(plan))?;
        line.samples.add((stamps.next(PATIENCE)? - began) as f64 / 1e6);
        run(ours.command().args(["queue", "pause", queue]))?;
        // Those that got through before the pause.
        while stamps.next(Duration::from_secs(1)).is_ok() {}
        ours.stop_owner()?;
    }
    Ok(())
}

/// An owner says what it found with its first commit; what guests read is confirmed from then on.
fn find_again(plan: &Plan, live: usize, line: &mut Line) -> Result<(), Trouble> {
    let mut ours = Footplate::start(&plan.place, "m6-live", Door::Library, false)?;
    let name = queue(2);
    run(ours.command().args(["queue", "set", name, "--limit", &live.to_string()]))?;
    ours.start_owner(&log(plan))?;
    let sleeps: Vec<String> = (0..live)
        .map(|index| format!("[stages.s{index}]\ncommand = [\"sleep\", \"3600\"]\nresources = {{ cpus = 0 }}\n"))
        .collect();
    let text = format!("format = 1\nname = \"live\"\nqueue = \"{name}\"\n{}", sleeps.concat());
    let definition = footplate_spec::parse_within(text.as_bytes(), footplate_spec::Form::Toml, live)
        .map_err(|problems| problems.to_string())?;
    let number = ours.add_pipeline(name, definition)?;
    let running = |ours: &Footplate| -> Result<usize, Trouble> {
        let run = ours.client().show(number)?;
        Ok(run
            .stages
            .iter()
            .flatten()
            .filter(|stage| stage.attempts.iter().any(|attempt| attempt.pid.is_some()))
            .count())
    };
    let all_run = footplate_testkit::holds_within(PATIENCE, || running(&ours).is_ok_and(|count| count == live));
    if !all_run {
        return Err(format!("only {} of {live} programs run", running(&ours)?).into());
    }
    let guest = Client::open_with(Home::at(ours.data())?, OwnerStart::Never)?;
    for _ in 0..plan.rounds {
        ours.kill_owner()?;
        let began = ours.start_owner(&log(plan))?;
        let query = ListQuery::default();
        while !guest.list(&query)?.runs.iter().all(|run| run.confirmed) {
            guest.wait_for_change(Duration::from_millis(5))?;
        }
        line.samples.add((now() - began) as f64 / 1e6);
        let left = running(&ours)?;
        if left != live {
            return Err(format!("{left} of {live} programs were found again").into());
        }
    }
    run(ours.command().args(["cancel", &number.to_string()]))?;
    ours.stop_owner()
}
