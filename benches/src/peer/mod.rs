//! Who is measured: each takes commands and runs them, one at a time or two.

mod footplate;
mod pueue;
mod python;
mod task_spooler;

pub(crate) use footplate::{Door, Footplate, queue};
pub(crate) use pueue::Pueue;
pub(crate) use python::Python;
pub(crate) use task_spooler::TaskSpooler;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Trouble;

/// A command with its arguments.
pub(crate) type Argv = Vec<String>;

/// Something that queues commands and runs them.
pub(crate) trait Peer {
    /// As tables name it.
    fn name(&self) -> String;

    /// Submits one command to the queue that runs `slots` at a time. Returns the clock just before.
    fn submit(&mut self, slots: usize, argv: &[String]) -> Result<u64, Trouble>;

    /// Submits many, as fast as it takes them. Returns the seconds until the last was taken.
    fn submit_many(&mut self, slots: usize, all: &[Argv]) -> Result<f64, Trouble> {
        let began = crate::clock::now();
        for argv in all {
            self.submit(slots, argv)?;
        }
        Ok((crate::clock::now() - began) as f64 / 1e9)
    }

    /// How many a measurement of submits takes, and how many one of jobs, so that each lasts about a second.
    fn counts(&self) -> (usize, usize);
}

/// Where everything of a peer lies.
pub(crate) struct Place {
    /// Installed peers.
    pub(crate) installed: PathBuf,
    /// A folder of this run.
    pub(crate) scratch: PathBuf,
    /// The scripts of this crate.
    pub(crate) scripts: PathBuf,
}

impl Place {
    /// A new folder of this run.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf, Trouble> {
        let path = self.scratch.join(name);
        std::fs::create_dir_all(&path)?;
        Ok(path)
    }
}

/// The first of these that is there; else on PATH.
pub(crate) fn program(name: &str, places: &[PathBuf]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    places.iter().cloned().chain(std::env::split_paths(&path)).map(|place| place.join(name)).find(|path| path.is_file())
}

/// Runs a program to its end and gives what it said; its failure is an error with its words.
pub(crate) fn run(command: &mut Command) -> Result<String, Trouble> {
    let output = command.stdin(Stdio::null()).output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(format!("{command:?}: {}: {said}", output.status).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// As [`run`], with the output thrown away, which costs less.
pub(crate) fn run_quietly(command: &mut Command) -> Result<(), Trouble> {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    if status.success() { Ok(()) } else { Err(format!("{command:?}: {status}").into()) }
}

/// A process that ends with the bench.
pub(crate) struct Service(pub(crate) std::process::Child);

impl Service {
    pub(crate) fn start(command: &mut Command, log: &Path) -> Result<Service, Trouble> {
        let log = std::fs::File::create(log)?;
        Ok(Service(command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(pid) = rustix::process::Pid::from_raw(self.0.id().cast_signed()) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let ended = footplate_testkit::holds_within(std::time::Duration::from_secs(10), || {
            !matches!(self.0.try_wait(), Ok(None))
        });
        if !ended {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}
