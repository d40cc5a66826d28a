//! A data folder of its own, the executables as built, and all processes that come from them.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::process::{self, Found, kill9};
use crate::{holds_within, until};

/// A hermetic place to run the product in. What it started is killed when it is dropped.
#[derive(Debug)]
pub struct Bench {
    root: tempfile::TempDir,
    env: Vec<(OsString, OsString)>,
    expect_nothing_left: bool,
}

/// What a command said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Its exit code; -1 where a signal ended it.
    pub code: i32,
    /// Its answer.
    pub stdout: String,
    /// Its remarks.
    pub stderr: String,
}

impl Output {
    /// The answer as one JSON document.
    ///
    /// # Panics
    /// Where it is none.
    #[must_use]
    #[track_caller]
    pub fn json(&self) -> Value {
        match serde_json::from_str(&self.stdout) {
            Ok(value) => value,
            Err(error) => panic!("no JSON document ({error}): {self:?}"),
        }
    }

    /// The answer as one JSON object a line.
    ///
    /// # Panics
    /// Where a line is none.
    #[must_use]
    #[track_caller]
    pub fn json_lines(&self) -> Vec<Value> {
        let line = |line: &str| match serde_json::from_str(line) {
            Ok(value) => value,
            Err(error) => panic!("no JSON ({error}): {line}"),
        };
        self.stdout.lines().map(line).collect()
    }

    /// The `error` object that `--json` puts at the end of stderr.
    ///
    /// # Panics
    /// Where there is none.
    #[must_use]
    #[track_caller]
    pub fn error(&self) -> Value {
        let last = self.stderr.lines().last().unwrap_or_default();
        match serde_json::from_str::<Value>(last) {
            Ok(value) if value.get("error").is_some() => value["error"].clone(),
            _ => panic!("no error object at the end of stderr: {self:?}"),
        }
    }

    /// The same, once the exit code was as expected.
    ///
    /// # Panics
    /// Where it was not.
    #[must_use]
    #[track_caller]
    pub fn expect(self, code: i32) -> Output {
        assert_eq!(self.code, code, "{self:?}");
        self
    }
}

/// The word in the environment of all that a bench starts. Programs keep it, for it is no name of Footplate's.
const MARK: &str = "BENCH_ROOT";

impl Bench {
    /// A new, empty one.
    ///
    /// # Panics
    /// Where no temporary folder can be made.
    #[must_use]
    pub fn new() -> Bench {
        let root = tempfile::Builder::new().prefix("bench-").tempdir();
        let root = root.unwrap_or_else(|error| panic!("no temporary folder: {error}"));
        for folder in ["home", "work"] {
            let made = fs::create_dir(root.path().join(folder));
            assert!(made.is_ok(), "{made:?}");
        }
        Bench { root, env: Vec::new(), expect_nothing_left: false }
    }

    /// Sets a variable for all commands from now on.
    pub fn set_env(&mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) {
        self.env.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
    }

    /// From now on: dropping the bench fails where, 10 s later, a process of it is left.
    pub fn expect_nothing_left(&mut self) {
        self.expect_nothing_left = true;
    }

    /// The data folder. It is made by the first command.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.root.path().join("data")
    }

    /// Where commands run: an empty folder for scripts and pipelines.
    #[must_use]
    pub fn work(&self) -> PathBuf {
        self.root.path().join("work")
    }

    /// The folder around all: data, home, work.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// Writes a file below [`Bench::work`] and tells its path.
    ///
    /// # Panics
    /// Where it cannot be written.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.work().join(name);
        let folder = path.parent().map(fs::create_dir_all);
        let written = fs::write(&path, text);
        assert!(written.is_ok(), "{}: {folder:?} {written:?}", path.display());
        path
    }

    /// An executable as built: beside the test, one folder up.
    ///
    /// # Panics
    /// Where it is not built, telling how.
    #[must_use]
    pub fn executable(name: &str) -> PathBuf {
        let own = std::env::current_exe().unwrap_or_default();
        let found = own.ancestors().skip(1).take(3).map(|folder| folder.join(name)).find(|path| path.is_file());
        found.unwrap_or_else(|| {
            panic!("{name} is not built beside {}: cargo build -p footplate-cli -p footplate-shim", own.display())
        })
    }

    /// A command in this bench, not started yet.
    #[must_use]
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into()))
            .env("HOME", self.root.path().join("home"))
            .env("LANG", "C.UTF-8")
            .env("TZ", "UTC")
            .env("FOOTPLATE_DATA", self.data())
            .env(MARK, self.root.path())
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .current_dir(self.work())
            .stdin(Stdio::null());
        // Coverage and sanitizers are told where to write by these.
        for name in ["LLVM_PROFILE_FILE", "RUST_BACKTRACE"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
    }

    /// `footplate` with arguments, not started yet.
    #[must_use]
    pub fn footplate(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
        let mut command = self.command(Bench::executable("footplate"));
        command.args(args);
        command
    }

    /// Runs `footplate` to its end.
    ///
    /// # Panics
    /// Where it cannot be started.
    pub fn run<S: AsRef<OsStr>>(&self, args: &[S]) -> Output {
        gather(self.footplate(args).output())
    }

    /// Runs `footplate` to its end, with this on its stdin.
    ///
    /// # Panics
    /// Where it cannot be started.
    pub fn run_with_stdin<S: AsRef<OsStr>>(&self, args: &[S], stdin: impl AsRef<[u8]>) -> Output {
        let path = self.root.path().join("stdin");
        let written = fs::write(&path, stdin);
        assert!(written.is_ok(), "{written:?}");
        let file = fs::File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        gather(self.footplate(args).stdin(file).output())
    }

    /// Starts `footplate` and leaves it running, its output thrown away.
    ///
    /// # Panics
    /// Where it cannot be started.
    pub fn spawn<S: AsRef<OsStr>>(&self, args: &[S]) -> Child {
        let child = self.footplate(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        child.unwrap_or_else(|error| panic!("cannot start footplate: {error}"))
    }

    /// Adds a command as a run and tells its number. `options` stand before the `--`.
    ///
    /// # Panics
    /// Where it is not added.
    #[track_caller]
    pub fn add(&self, options: &[&str], argv: &[impl AsRef<str>]) -> i64 {
        let mut args = vec!["add".to_owned(), "--json".to_owned()];
        args.extend(options.iter().map(|option| (*option).to_owned()));
        args.push("--".to_owned());
        args.extend(argv.iter().map(|arg| arg.as_ref().to_owned()));
        let added = self.run(&args).expect(0).json();
        added["number"].as_i64().unwrap_or_else(|| panic!("no number: {added}"))
    }

    /// A run as `show --json` has it.
    ///
    /// # Panics
    /// Where there is none.
    #[must_use]
    #[track_caller]
    pub fn show(&self, number: i64) -> Value {
        self.run(&["show", "--json", &number.to_string()]).expect(0).json()
    }

    /// A run's status, as `show` tells it.
    #[must_use]
    #[track_caller]
    pub fn status(&self, number: i64) -> String {
        self.show(number)["status"].as_str().unwrap_or_default().to_owned()
    }

    /// Waits until a run has this status.
    ///
    /// # Panics
    /// Where it has not within the deadline, showing it.
    #[track_caller]
    pub fn until_status(&self, number: i64, status: &str, deadline: Duration) {
        let mut last = Value::Null;
        let reached = holds_within(deadline, || {
            last = self.show(number);
            last["status"] == status
        });
        assert!(reached, "#{number} is not {status} within {deadline:?}: {last:#}");
    }

    /// Waits until the condition holds.
    ///
    /// # Panics
    /// Where it does not within the deadline.
    #[track_caller]
    pub fn until(&self, deadline: Duration, condition: impl FnMut() -> bool) {
        until(deadline, "the condition", condition);
    }

    /// Every live process that came from this bench.
    #[must_use]
    pub fn processes(&self) -> Vec<Found> {
        process::of_folder(self.root.path())
    }

    /// Every live process that runs this executable: `footplate-shim`, `sleep`.
    #[must_use]
    pub fn processes_of(&self, program: &str) -> Vec<Found> {
        self.processes().into_iter().filter(|found| found.program() == program).collect()
    }

    /// The owner's process id, where one holds the lock.
    #[must_use]
    pub fn owner(&self) -> Option<i32> {
        let lock = self.data().join("owner.lock");
        let text = fs::read_to_string(&lock).ok()?;
        let line: Value = serde_json::from_str(text.lines().next()?).ok()?;
        let pid = i32::try_from(line["pid"].as_i64()?).ok()?;
        // The content stays when the owner is killed: the lock tells.
        let file = fs::File::open(&lock).ok()?;
        let held = matches!(file.try_lock_shared(), Err(fs::TryLockError::WouldBlock));
        (held && Found::of(pid).is_some_and(|found| !found.is_zombie())).then_some(pid)
    }

    /// Kills the owner with SIGKILL and waits until it is gone. False where there was none.
    ///
    /// # Panics
    /// Where it survives that.
    pub fn kill_owner(&self) -> bool {
        let Some(pid) = self.owner() else { return false };
        kill9(pid);
        until(Duration::from_secs(10), "the owner is gone", || Found::of(pid).is_none_or(|found| found.is_zombie()));
        true
    }

    /// Kills all that came from this bench, until nothing is left.
    ///
    /// # Panics
    /// Where something is left after 10 s.
    pub fn kill_all(&self) {
        let mut left = Vec::new();
        let gone = holds_within(Duration::from_secs(10), || {
            left = self.processes();
            // Owners first, for the shims start another when they end.
            left.sort_by_key(|found| found.program() != "footplate");
            for found in &left {
                kill9(found.pid);
            }
            left.is_empty()
        });
        assert!(gone, "cannot be killed: {left:?}");
    }

    /// Waits until every process of this bench has ended by itself.
    ///
    /// # Panics
    /// Where some have not within the deadline, naming them.
    #[track_caller]
    pub fn until_nothing_left(&self, deadline: Duration) {
        let mut left = Vec::new();
        let gone = holds_within(deadline, || {
            left = self.processes();
            left.is_empty()
        });
        assert!(gone, "left after {deadline:?}: {left:#?}");
    }
}

impl Default for Bench {
    fn default() -> Bench {
        Bench::new()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = fs::read_to_string(self.data().join("owner.log")).unwrap_or_default();
            if !log.is_empty() {
                eprintln!("--- owner.log\n{log}---");
            }
        } else if self.expect_nothing_left {
            let mut left = Vec::new();
            let gone = holds_within(Duration::from_secs(10), || {
                left = self.processes();
                left.is_empty()
            });
            self.kill_all();
            assert!(gone, "left behind: {left:#?}");
            return;
        }
        self.kill_all();
    }
}

fn gather(output: std::io::Result<std::process::Output>) -> Output {
    let output = output.unwrap_or_else(|error| panic!("cannot start footplate: {error}"));
    Output {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
