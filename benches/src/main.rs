//! `benches/run`: the figures of the budgets beside their goals, with peers measured in the same run, in turn with ours.
//! Medians and ratios; absolute times move with the machine.
//!
//! Not here: verdicts. A figure that misses its goal is shown as such and fails nothing.

mod clock;
mod graphs;
mod idle;
mod jobs;
mod latency;
mod lines;
mod lists;
mod many;
mod peer;
mod starts;

use std::path::PathBuf;
use std::process::ExitCode;

use footplate_benches::asked::{Asked, Trouble};
use footplate_benches::{figures, machine};
use peer::{Argv, Peer, Place, Pueue, Python, TaskSpooler};

/// What is measured and how often.
struct Plan {
    place: Place,
    child: String,
    /// Rounds of figures that take long, and of those that do not.
    rounds: usize,
    short_rounds: usize,
    quick: bool,
    peers: bool,
}

impl Plan {
    fn stamp(&self, fifo: &str) -> Argv {
        vec![self.child.clone(), "stamp".to_owned(), fifo.to_owned()]
    }

    fn gate(&self, gate: &str, fifo: &str) -> Argv {
        vec![self.child.clone(), "gate".to_owned(), gate.to_owned(), fifo.to_owned()]
    }

    /// Those of others that can be used here; the others are said so in a line each.
    fn others(&self) -> Vec<Box<dyn Peer>> {
        let mut all: Vec<Box<dyn Peer>> = Vec::new();
        if !self.peers {
            println!("peers: left out, as asked");
            return all;
        }
        let mut take = |name: &str, peer: Result<Box<dyn Peer>, Trouble>| match peer {
            Ok(peer) => all.push(peer),
            Err(error) => println!("peer {name}: not measured: {error}"),
        };
        take("task-spooler", TaskSpooler::start(&self.place).map(|peer| Box::new(peer) as _));
        take("Celery + Redis", Python::celery(&self.place).map(|peer| Box::new(peer) as _));
        take("predecessor A's way", Python::asyncio(&self.place).map(|peer| Box::new(peer) as _));
        take("pueue", Pueue::start(&self.place).map(|peer| Box::new(peer) as _));
        all
    }
}

const USAGE: &str = "benches/run [--quick] [--no-peers] [m1] [m2] [m3] [m4] [m5] [m6] [m7] [m8]
  --quick     fewer rounds, for a look
  --no-peers  ours only
  m1 ..       only these figures [default: all]

Data folders are made in $FOOTPLATE_BENCH_SCRATCH [default: the target folder]: its disk is measured too.
Peers are looked for in $FOOTPLATE_BENCH_PEERS [default: bench-peers in the target folder].";

fn measure(asked: &Asked) -> Result<(), Trouble> {
    let own = std::env::current_exe()?;
    let target = own.parent().and_then(|folder| folder.parent()).ok_or("no target folder")?;
    let disk = std::env::var_os("FOOTPLATE_BENCH_SCRATCH").map_or_else(|| target.to_owned(), PathBuf::from);
    let scratch = tempfile::Builder::new().prefix("bench-run-").tempdir_in(disk)?;
    let installed = std::env::var_os("FOOTPLATE_BENCH_PEERS").map_or_else(|| target.join("bench-peers"), PathBuf::from);
    let quick = asked.has("--quick");
    let plan = Plan {
        place: Place {
            installed,
            scratch: scratch.path().to_owned(),
            scripts: PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/peers")),
        },
        child: own.with_file_name("footplate-bench-child").to_string_lossy().into_owned(),
        rounds: if quick { 2 } else { 5 },
        short_rounds: if quick { 20 } else { 100 },
        quick,
        peers: !asked.has("--no-peers"),
    };
    machine();
    let mut others = if ["m1", "m2", "m3"].iter().any(|word| asked.wants(word)) { plan.others() } else { Vec::new() };
    if asked.wants("m1") {
        latency::show(&plan, &mut others)?;
    }
    if asked.wants("m2") {
        many::show(&plan, &mut others)?;
    }
    if asked.wants("m3") {
        jobs::show(&plan, &mut others)?;
    }
    drop(others);
    if asked.wants("m4") {
        lines::show(&plan)?;
    }
    if asked.wants("m5") {
        lists::show(&plan)?;
    }
    if asked.wants("m6") {
        starts::show(&plan)?;
    }
    if asked.wants("m7") {
        idle::show(&plan)?;
    }
    if asked.wants("m8") {
        graphs::show(&plan)?;
    }
    Ok(())
}

fn main() -> ExitCode {
    Asked::answer(USAGE, &["--quick", "--no-peers", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8"], measure)
}
