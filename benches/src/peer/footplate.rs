//! Footplate itself, by its library and by its command line.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use footplate_core::definition::{Definition, Stage};
use footplate_engine::client::{Client, OwnerStart, OwnerState, Submit};
use footplate_engine::environment::Captured;
use footplate_engine::home::Home;

use super::{Argv, Peer, Place, Service, run, run_quietly};
use crate::Trouble;

/// The queue whose limit is set to this.
pub(crate) fn queue(slots: usize) -> &'static str {
    if slots == 1 { "training" } else { "preprocessing" }
}

/// How it is used.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    Library,
    CommandLine,
}

pub(crate) struct Footplate {
    door: Door,
    program: PathBuf,
    data: PathBuf,
    name: String,
    client: Client,
    environment: Arc<Captured>,
    owner: Option<Service>,
}

impl Footplate {
    /// With a data folder of this name, made where it is missing. `warm`: an owner stands by, as it does while the app is
    /// open or a run is live; else each submit to an idle queue starts one.
    pub(crate) fn start(place: &Place, folder: &str, door: Door, warm: bool) -> Result<Footplate, Trouble> {
        let program = std::env::current_exe()?.with_file_name("footplate");
        if !program.is_file() || !program.with_file_name("footplate-shim").is_file() {
            return Err(format!("{} or its shim is not built (scripts/bench builds them)", program.display()).into());
        }
        let data = place.scratch.join(folder);
        let client = Client::open_with(Home::at(&data)?, OwnerStart::WhenNeeded)?;
        let how = match door {
            Door::Library => "library",
            Door::CommandLine => "footplate add",
        };
        let state = if warm { "" } else { ", starting the owner too" };
        let mut this = Footplate {
            door,
            program,
            data,
            name: format!("Footplate ({how}{state})"),
            client,
            environment: Arc::new(Captured::current()),
            owner: None,
        };
        for slots in [1, 2] {
            run(this.command().args(["queue", "set", queue(slots), "--limit", &slots.to_string()]))?;
        }
        if warm {
            this.idle()?;
            this.owner =
                Some(Service::start(this.command().arg("work"), &place.scratch.join(format!("{folder}.log")))?);
            let up = footplate_testkit::holds_within(Duration::from_secs(10), || this.owner_pid().is_some());
            if !up {
                return Err("the owner did not come up".into());
            }
        }
        Ok(this)
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.env("FOOTPLATE_DATA", &self.data);
        command
    }

    /// Its data folder.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn owner_pid(&self) -> Option<u32> {
        match self.client.owner() {
            OwnerState::Present { pid, .. } => Some(pid.cast_unsigned()),
            OwnerState::Absent { .. } => None,
        }
    }

    /// Waits until no owner is left.
    pub(crate) fn idle(&self) -> Result<(), Trouble> {
        if footplate_testkit::holds_within(Duration::from_secs(30), || self.owner_pid().is_none()) {
            return Ok(());
        }
        Err("the owner does not leave".into())
    }

    /// Waits until this run has ended. Returns the clock then.
    pub(crate) fn ended(&self, number: i64) -> Result<u64, Trouble> {
        loop {
            if self.client.show(number)?.status.is_ended() {
                return Ok(crate::clock::now());
            }
            self.client.wait_for_change(Duration::from_secs(1))?;
        }
    }

    fn run_of(&self, slots: usize, argv: &[String]) -> Submit {
        self.pipeline_of(queue(slots), footplate_spec::single(argv.to_vec(), Stage::default()))
    }

    fn pipeline_of(&self, queue: &str, definition: Definition) -> Submit {
        let mut submit = Submit::new(definition, self.data.clone(), Arc::clone(&self.environment));
        submit.queue = Some(queue.to_owned());
        submit
    }

    /// Submits a pipeline to a queue by the library and gives its number.
    pub(crate) fn add_pipeline(&mut self, queue: &str, definition: Definition) -> Result<i64, Trouble> {
        let submit = self.pipeline_of(queue, definition);
        Ok(self.client.submit(submit)?.number)
    }

    /// The owner started by this bench is killed, as by a crash; what it ran goes on.
    pub(crate) fn kill_owner(&mut self) -> Result<(), Trouble> {
        if let Some(mut owner) = self.owner.take() {
            owner.0.kill()?;
            owner.0.wait()?;
        }
        Ok(())
    }

    /// Starts an owner. Returns the clock just before.
    pub(crate) fn start_owner(&mut self, log: &Path) -> Result<u64, Trouble> {
        let began = crate::clock::now();
        self.owner = Some(Service::start(self.command().arg("work"), log)?);
        Ok(began)
    }

    /// Lets the owner started by this bench leave in an orderly way.
    pub(crate) fn stop_owner(&mut self) -> Result<(), Trouble> {
        drop(self.owner.take());
        self.idle()
    }

    /// Submits one by the library and gives its number.
    pub(crate) fn add(&mut self, slots: usize, argv: &[String]) -> Result<i64, Trouble> {
        let submit = self.run_of(slots, argv);
        Ok(self.client.submit(submit)?.number)
    }
}

impl Peer for Footplate {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn submit(&mut self, slots: usize, argv: &[String]) -> Result<u64, Trouble> {
        match self.door {
            Door::Library => {
                let submit = self.run_of(slots, argv);
                let began = crate::clock::now();
                self.client.submit(submit)?;
                Ok(began)
            }
            Door::CommandLine => {
                let mut command = self.command();
                command.args(["add", "--queue", queue(slots), "--"]).args(argv);
                let began = crate::clock::now();
                run_quietly(&mut command)?;
                Ok(began)
            }
        }
    }

    fn submit_many(&mut self, slots: usize, all: &[Argv]) -> Result<f64, Trouble> {
        let began = match self.door {
            Door::Library => {
                let runs: Vec<Submit> = all.iter().map(|argv| self.run_of(slots, argv)).collect();
                let began = crate::clock::now();
                self.client.submit_batch(&mut runs.into_iter().map(Ok))?;
                began
            }
            Door::CommandLine => {
                let list = self.data.join("bench.list");
                let mut file = File::create(&list)?;
                for argv in all {
                    writeln!(file, "{}", serde_json::to_string(argv)?)?;
                }
                drop(file);
                let mut command = self.command();
                command.args(["add", "--stdin", "--queue", queue(slots)]).stdin(File::open(&list)?);
                let began = crate::clock::now();
                let status = command.stdout(Stdio::null()).status()?;
                if !status.success() {
                    return Err(format!("{command:?}: {status}").into());
                }
                began
            }
        };
        Ok((crate::clock::now() - began) as f64 / 1e9)
    }

    fn counts(&self) -> (usize, usize) {
        (10_000, 300)
    }
}
