//! Peers that are used from Python: a script of `peers/` takes one request a line and notes the clock itself, so that the
//! way to it costs them nothing.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use super::{Argv, Peer, Place, Service, program};
use crate::Trouble;

pub(crate) struct Python {
    name: &'static str,
    counts: (usize, usize),
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
    script: Child,
    /// Workers first, then what they need.
    _services: Vec<Service>,
}

impl Python {
    /// Predecessor A's way: one asyncio process with SQLite.
    pub(crate) fn asyncio(place: &Place) -> Result<Python, Trouble> {
        let python = program("python3", &[]).ok_or("python3 is not installed")?;
        let folder = place.folder("asyncio")?;
        let mut script = Command::new(python);
        script.arg(place.scripts.join("asyncio_manager.py")).arg(&folder);
        Python::talk_to(script, &folder, "predecessor A's way (asyncio, SQLite)", (300, 150), Vec::new())
    }

    /// Celery with Redis, every write to the disk before it is answered.
    pub(crate) fn celery(place: &Place) -> Result<Python, Trouble> {
        let bin = place.installed.join("venv").join("bin");
        let python = bin.join("python3");
        if !bin.join("celery").is_file() {
            return Err("Celery is not installed (benches/peers/install)".into());
        }
        let server = program("redis-server", &[PathBuf::from("/usr/sbin")])
            .ok_or("redis-server is not installed (apt-get install redis-server)")?;
        let folder = place.folder("celery")?;
        let socket = folder.join("redis.sock");
        let mut redis = Command::new(server);
        redis.args(["--port", "0", "--unixsocket"]).arg(&socket).arg("--dir").arg(&folder);
        redis.args(["--appendonly", "yes", "--appendfsync", "always", "--save", ""]);
        let mut services = vec![Service::start(&mut redis, &folder.join("redis.log"))?];
        if !footplate_testkit::holds_within(Duration::from_secs(20), || socket.exists()) {
            return Err("redis-server did not come up".into());
        }
        let env = [("CELERY_BENCH_SOCKET", socket.as_os_str())];
        for slots in ["1", "2"] {
            let mut worker = Command::new(&python);
            worker.args(["-m", "celery", "-A", "celery_tasks", "worker", "-l", "WARNING", "-c", slots]);
            worker.args(["-Q", &format!("of{slots}"), "-n", &format!("of{slots}@bench")]);
            worker.args(["--without-gossip", "--without-mingle", "--without-heartbeat"]);
            worker.current_dir(&place.scripts).envs(env).env("PYTHONDONTWRITEBYTECODE", "1");
            services.insert(0, Service::start(&mut worker, &folder.join(format!("worker.{slots}.log")))?);
        }
        let mut script = Command::new(python);
        script.arg(place.scripts.join("celery_tasks.py")).envs(env).current_dir(&place.scripts);
        script.env("PYTHONDONTWRITEBYTECODE", "1");
        Python::talk_to(script, &folder, "Celery + Redis (fsync each)", (1000, 200), services)
    }

    fn talk_to(
        mut script: Command,
        folder: &Path,
        name: &'static str,
        counts: (usize, usize),
        services: Vec<Service>,
    ) -> Result<Python, Trouble> {
        let log = std::fs::File::create(folder.join("script.log"))?;
        let mut script = script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log).spawn()?;
        let to = script.stdin.take();
        let from = BufReader::new(script.stdout.take().ok_or("no stdout")?);
        let mut this = Python { name, counts, to, from, script, _services: services };
        // Answers once it, and its workers, are there.
        match this.ask(&json!({ "op": "ready" })) {
            Ok(_) => Ok(this),
            Err(error) => {
                let log = std::fs::read_to_string(folder.join("script.log")).unwrap_or_default();
                Err(log.trim().lines().last().map_or(error, Into::into))
            }
        }
    }

    fn ask(&mut self, request: &Value) -> Result<Value, Trouble> {
        let to = self.to.as_mut().ok_or("the script is gone")?;
        writeln!(to, "{request}")?;
        to.flush()?;
        let mut line = String::new();
        self.from.read_line(&mut line)?;
        Ok(serde_json::from_str(&line).map_err(|error| format!("{}: {error}: {line:?}", self.name))?)
    }

    fn number(answer: &Value, name: &str) -> Result<u64, Trouble> {
        Ok(answer[name].as_u64().ok_or_else(|| format!("no {name} in {answer}"))?)
    }
}

impl Peer for Python {
    fn name(&self) -> String {
        self.name.to_owned()
    }

    fn submit(&mut self, slots: usize, argv: &[String]) -> Result<u64, Trouble> {
        let answer = self.ask(&json!({ "op": "submit", "slots": slots, "all": [argv] }))?;
        Python::number(&answer, "began")
    }

    fn submit_many(&mut self, slots: usize, all: &[Argv]) -> Result<f64, Trouble> {
        let answer = self.ask(&json!({ "op": "submit", "slots": slots, "all": all }))?;
        Ok((Python::number(&answer, "ended")? - Python::number(&answer, "began")?) as f64 / 1e9)
    }

    fn counts(&self) -> (usize, usize) {
        self.counts
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        self.to = None;
        let ended =
            footplate_testkit::holds_within(Duration::from_secs(10), || !matches!(self.script.try_wait(), Ok(None)));
        if !ended {
            let _ = self.script.kill();
            let _ = self.script.wait();
        }
    }
}
