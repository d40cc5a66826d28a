//! A real shim on a real folder.

#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

pub mod after;

use footplate_shim::contract::{Command as Tell, Exit, OsBytes, Spec, Start};
use footplate_shim::folder::{AttemptDir, ExitRecord};
use footplate_shim::log::{LogRead, LogReader};
use footplate_shim::{clock, contract, os};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub const SHIM: &str = env!("CARGO_BIN_EXE_footplate-shim");

pub struct Home {
    pub temp: Arc<tempfile::TempDir>,
    pub spec: Spec,
    attempts: u32,
}

/// One attempt and its shim. Whatever is left of it is killed when dropped.
pub struct Held {
    pub folder: AttemptDir,
    pub shim: Child,
    mark: String,
    bin_dir: PathBuf,
    /// The home may be dropped before.
    _temp: Arc<tempfile::TempDir>,
}

impl Home {
    pub fn new() -> Self {
        let temp = Arc::new(tempfile::tempdir().unwrap());
        let at = |name: &str| temp.path().join(name);
        for name in ["attempts", "bin", "run"] {
            std::fs::create_dir(at(name)).unwrap();
        }
        let spec = Spec {
            version: contract::VERSION,
            run_id: "run".into(),
            run_number: 7,
            stage: "train".into(),
            stage_index: 0,
            attempt: 1,
            argv: vec!["true".into()],
            cwd: at("run").into(),
            env_file: None,
            env: vec![("PATH".into(), std::env::var_os("PATH").unwrap().into())],
            env_remove: vec![],
            secrets: false,
            umask: None,
            limits: vec![],
            run_dir: at("run"),
            timeout_ms: None,
            grace_ms: 1000,
            save_signal: None,
            save_ms: 0,
            wait_group: false,
            log_cap: 2 << 30,
            segment: 64 << 20,
            mark: String::new(),
            boot_id: clock::boot_id().into(),
            bell: at("bell"),
            owner_lock: at("owner.lock"),
            bin_dir: at("bin").canonicalize().unwrap(),
            gpus: Vec::new(),
            owner_argv: vec![],
        };
        Self { temp, spec, attempts: 0 }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    /// What runs, as a line of sh.
    pub fn sh(mut self, line: &str) -> Self {
        self.set_sh(line);
        self
    }

    pub fn set_sh(&mut self, line: &str) {
        self.spec.argv = ["sh", "-c", line].map(OsBytes::from).to_vec();
    }

    pub fn python(mut self, program: &str) -> Self {
        self.spec.argv = ["python3", "-c", program].map(OsBytes::from).to_vec();
        self
    }

    /// A new attempt's folder, with a mark of its own.
    pub fn build(&mut self) -> AttemptDir {
        self.attempts += 1;
        self.spec.attempt = self.attempts;
        self.spec.mark = format!("{}-{}-{}", std::process::id(), self.temp.path().display(), self.attempts);
        let parent = self.path("attempts").join("run");
        AttemptDir::build(&parent, &format!("0.{}", self.attempts), &self.spec).unwrap()
    }

    pub fn hold(&mut self) -> Held {
        let folder = self.build();
        let shim = shim(folder.path()).spawn().unwrap();
        self.held(folder, shim)
    }

    pub fn held(&self, folder: AttemptDir, shim: Child) -> Held {
        Held {
            folder,
            shim,
            mark: self.spec.mark.clone(),
            bin_dir: self.spec.bin_dir.clone(),
            _temp: Arc::clone(&self.temp),
        }
    }
}

pub fn shim(folder: &Path) -> Command {
    let mut command = Command::new(SHIM);
    command.arg(folder).stdin(Stdio::null()).env_remove(contract::MARK_VARIABLE);
    command
}

impl Held {
    /// Waits for the shim's end: it held the attempt, and left what it must.
    pub fn finish(&mut self) -> Exit {
        let status = within(60, "the shim ends", || self.shim.try_wait().unwrap());
        assert_eq!(status.code(), Some(0), "the shim's own code");
        assert!(!self.folder.lock_is_held().unwrap());
        assert_eq!(self.folder.swept().expect("swept").log_size, self.folder.log_end());
        assert_eq!(self.living(), Vec::<String>::new(), "processes are left");
        self.exit()
    }

    pub fn exit(&self) -> Exit {
        match self.folder.exit().unwrap() {
            ExitRecord::Valid(exit) => *exit,
            other => panic!("{other:?}"),
        }
    }

    pub fn start(&self) -> Start {
        within(20, "the program starts", || self.folder.start())
    }

    /// Waits until the log holds this text.
    pub fn until_said(&self, text: &str) {
        within(20, text, || find(&self.log(), text.as_bytes()).then_some(()));
    }

    pub fn tell(&self, command: &Tell) {
        assert!(self.folder.tell(command).unwrap(), "nobody reads ctl");
    }

    pub fn stop(&self, grace_ms: u64) {
        self.tell(&Tell::Stop { wish: "w1".into(), grace_ms });
    }

    pub fn log(&self) -> Vec<u8> {
        let (mut all, mut at, mut reader) = (Vec::new(), 0, LogReader::new(&self.folder));
        let mut buffer = vec![0; 1 << 16];
        while let LogRead::Bytes(count) = reader.read_at(at, &mut buffer).unwrap() {
            all.extend(&buffer[..count]);
            at += count as u64;
        }
        all
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.log()).unwrap()
    }

    pub fn verbs(&self) -> Vec<String> {
        self.folder.acts().into_iter().map(|act| act.verb).collect()
    }

    /// Living processes with this attempt's mark.
    pub fn living(&self) -> Vec<String> {
        living(&self.mark)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.shim.kill();
        let _ = self.shim.wait();
        let tree = footplate_shim::sweep::Tree::of(&self.mark, self.folder.start().as_ref(), &self.bin_dir);
        footplate_shim::sweep::sweep(&tree, clock::running_ms() + 5000);
    }
}

pub fn living(mark: &str) -> Vec<String> {
    let entry = format!("{}={mark}", contract::MARK_VARIABLE);
    let mut buffer = Vec::new();
    let all = os::processes().unwrap();
    let ours = all.into_iter().filter(|p| !p.dead && os::started_with(p.pid, entry.as_bytes(), &mut buffer));
    ours.map(|p| format!("{} {} (parent {})", p.pid, p.name, p.parent)).collect()
}

/// Waits for a condition, looking often; a deadline is for tests that fail.
pub fn within<T>(seconds: u64, what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(Instant::now() < deadline, "not within {seconds} s: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

pub fn find(all: &[u8], part: &[u8]) -> bool {
    all.windows(part.len().max(1)).any(|window| window == part)
}
