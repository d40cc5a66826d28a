//! `scripts/bench-app`: the app's figures beside their goals, on a screen without a monitor, with an empty page measured in turn.
//!
//! Not here: verdicts. A figure that misses its goal is shown as such and fails nothing.

mod frames;
mod long;
mod rest;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use footplate_benches::asked::{Asked, Trouble};

/// What is measured and how often.
struct Plan {
    /// Where the executables lie, this one among them.
    programs: PathBuf,
    /// Runs in the store.
    runs: i64,
    rounds: usize,
    /// From the picture that stays to the first look at what it costs, and from there to the second.
    settle: Duration,
    idle: Duration,
    /// How long frames are counted in each round.
    watched: Duration,
}

impl Plan {
    fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }
}

/// Lets time pass. Nothing is waited for: what is measured is that nothing happens.
fn pause(time: Duration) {
    let _ = footplate_testkit::holds_within(time, || false);
}

const USAGE: &str = "scripts/bench-app [--quick] [m9] [m10] [log]
  --quick  fewer and shorter rounds, for a look
  m9 ..    only these figures [default: all]";

fn measure(asked: &Asked) -> Result<(), Trouble> {
    let own = std::env::current_exe()?;
    let quick = asked.has("--quick");
    let seconds = Duration::from_secs;
    let plan = Plan {
        programs: own.parent().map(Path::to_owned).ok_or("no folder of executables")?,
        runs: 100_000,
        rounds: if quick { 2 } else { 5 },
        settle: seconds(if quick { 3 } else { 10 }),
        idle: seconds(if quick { 5 } else { 20 }),
        watched: seconds(if quick { 3 } else { 5 }),
    };
    footplate_benches::machine();
    if asked.wants("m9") {
        rest::show(&plan)?;
    }
    if asked.wants("m10") {
        frames::show(&plan)?;
    }
    if asked.wants("log") {
        long::show(&plan)?;
    }
    Ok(())
}

fn main() -> ExitCode {
    Asked::answer(USAGE, &["--quick", "m9", "m10", "log"], measure)
}
