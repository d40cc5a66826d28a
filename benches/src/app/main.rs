//! `scripts/bench-app`: the app's figures beside their goals, on a screen without a monitor, with an empty page measured in turn.
//!
//! Not here: verdicts. A figure that misses its goal is shown as such and fails nothing.

mod frames;
mod long;
mod rest;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// What went wrong.
type Trouble = Box<dyn std::error::Error + Send + Sync>;

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

fn measure(words: &[String]) -> Result<(), Trouble> {
    let has = |word: &str| words.iter().any(|given| given == word);
    if let Some(odd) = words.iter().find(|word| !["--quick", "m9", "m10", "log"].contains(&word.as_str())) {
        return Err(format!("{odd} is nothing that can be measured\n\n{USAGE}").into());
    }
    let own = std::env::current_exe()?;
    let quick = has("--quick");
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
    let none_named = !words.iter().any(|word| !word.starts_with("--"));
    if none_named || has("m9") {
        rest::show(&plan)?;
    }
    if none_named || has("m10") {
        frames::show(&plan)?;
    }
    if none_named || has("log") {
        long::show(&plan)?;
    }
    Ok(())
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.iter().any(|word| word == "-h" || word == "--help") {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    match measure(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
