//! task-spooler: a server in memory for each number of slots, and its command line.

use std::path::PathBuf;
use std::process::Command;

use super::{Argv, Peer, Place, program, run, run_quietly};
use crate::Trouble;

pub(crate) struct TaskSpooler {
    program: PathBuf,
    folder: PathBuf,
}

impl TaskSpooler {
    pub(crate) fn start(place: &Place) -> Result<TaskSpooler, Trouble> {
        let program = program("tsp", &[]).ok_or("tsp is not installed (apt-get install task-spooler)")?;
        let this = TaskSpooler { program, folder: place.folder("task-spooler")? };
        for slots in [1, 2] {
            run(this.command(slots).args(["-S", &slots.to_string()]))?;
        }
        Ok(this)
    }

    fn command(&self, slots: usize) -> Command {
        let mut command = Command::new(&self.program);
        command.env("TS_SOCKET", self.folder.join(format!("socket.{slots}"))).env("TMPDIR", &self.folder);
        command.env("TS_MAXCONN", "4000").env("TS_MAXFINISHED", "10");
        command
    }
}

impl Peer for TaskSpooler {
    fn name(&self) -> String {
        "task-spooler (CLI, in memory)".to_owned()
    }

    fn submit(&mut self, slots: usize, argv: &[String]) -> Result<u64, Trouble> {
        let mut command = self.command(slots);
        command.arg("-n").args(argv);
        let began = crate::clock::now();
        run_quietly(&mut command)?;
        Ok(began)
    }

    fn submit_many(&mut self, slots: usize, all: &[Argv]) -> Result<f64, Trouble> {
        let began = crate::clock::now();
        for argv in all {
            run_quietly(self.command(slots).arg("-n").args(argv))?;
        }
        Ok((crate::clock::now() - began) as f64 / 1e9)
    }

    fn counts(&self) -> (usize, usize) {
        (300, 300)
    }
}

impl Drop for TaskSpooler {
    fn drop(&mut self) {
        for slots in [1, 2] {
            let _ = run_quietly(self.command(slots).arg("-K"));
        }
    }
}
