//! What is done after the commit: building folders, starting shims, writing into their `ctl`, removing what was removed. Nothing here
//! changes a state; what fails here is found again by looking.

use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use footplate_core::AttemptKey;
use footplate_shim::clock;
use footplate_shim::contract::{Command, Spec};
use footplate_shim::failpoint;
use footplate_shim::folder::AttemptDir;
use footplate_store::Store;

use super::Trouble;
use super::live::{Live, Sent};
use super::mind::Mind;
use super::shims::Shims;
use crate::rescue::record::RunRecord;
use crate::secrets::Secrets;

/// An attempt to launch.
pub(super) struct Launch {
    /// Which.
    pub(super) key: AttemptKey,
    /// What to run.
    pub(super) spec: Spec,
    /// What goes over the pipe.
    pub(super) secrets: Secrets,
}

/// What is to be done.
pub(super) enum Effect {
    /// Build the folder, start a shim.
    Launch(Box<Launch>),
    /// Give the attempt up, unless a shim has it; then stop it.
    Stop {
        /// Which.
        key: AttemptKey,
        /// The wish.
        wish: String,
        /// Time between TERM and KILL, milliseconds.
        grace_ms: u64,
    },
    /// Say something to the shim.
    Tell {
        /// Which.
        key: AttemptKey,
        /// What.
        command: Command,
    },
    /// Remove folders and files of a run that was removed.
    Remove {
        /// Folders and files.
        paths: Vec<PathBuf>,
    },
}

impl Mind {
    /// Does what the last commit decided.
    pub(super) fn act(&mut self) {
        for effect in std::mem::take(&mut self.effects) {
            match effect {
                Effect::Launch(launch) => self.launch_now(*launch),
                Effect::Stop { key, wish, grace_ms } => self.stop_now(key, wish, grace_ms),
                Effect::Tell { key, command } => {
                    if let Some(live) = self.live.get_mut(&key) {
                        tell(live, command);
                    }
                }
                Effect::Remove { paths } => remove(&paths),
            }
        }
        // Last: until then a shim would see to it that another owner comes, should this one die.
        for dir in std::mem::take(&mut self.settled) {
            dir.tell_settled();
        }
    }

    /// These were settled before their shims rang, or by an owner that died before it could tell them: nobody waits for more.
    pub(super) fn tell_again(&self, store: &Store, keys: Vec<AttemptKey>) -> Result<(), Trouble> {
        for key in keys {
            let id = match self.runs.get(&key.run) {
                Some(run) => Some(run.row.id),
                None => store.read()?.run(key.run)?.map(|row| row.id),
            };
            if let Some(id) = id {
                AttemptDir::open(self.home.attempt(&id, key)).tell_settled();
            }
        }
        Ok(())
    }

    fn launch_now(&mut self, launch: Launch) {
        failpoint::hit("launch-after-commit");
        if let Err(error) = self.prepare_run(launch.key.run, &launch) {
            eprintln!("run #{}: its folders could not be made: {error}", launch.key.run);
        }
        let Some(live) = self.live.get_mut(&launch.key) else { return };
        let built = match live.dir.path().parent() {
            Some(parent) => AttemptDir::build(parent, &launch.key.folder_name(), &launch.spec),
            None => Err(io::ErrorKind::InvalidInput.into()),
        };
        failpoint::hit("launch-folder-built");
        match built {
            Ok(dir) => {
                live.dir = dir;
                live.known = true;
                spawn(live, &self.shims, &launch.secrets);
            }
            Err(error) => {
                live.refused = Some(error.raw_os_error().unwrap_or(0));
                live.spawned += 1;
                live.look_soon();
            }
        }
        failpoint::hit("launch-shim-started");
    }

    /// The folders of a run, `run.json` and `config.json`: at its first launch.
    fn prepare_run(&mut self, number: i64, launch: &Launch) -> io::Result<()> {
        let Some(run) = self.runs.get(&number) else { return Ok(()) };
        let folder = self.home.attempts_of(&run.row.id);
        let file = self.home.run_json(&run.row.id);
        if file.exists() && launch.spec.run_dir.is_dir() {
            return Ok(());
        }
        let make = |path: &Path| std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
        make(&folder)?;
        make(&launch.spec.run_dir)?;
        if file.exists() {
            return Ok(());
        }
        let config = serde_json::to_vec(&run.params)?;
        // `run.json` comes last: where it is, the others are whole.
        write(&folder.join("config.json"), &config)?;
        let record = RunRecord::of(&run.row, &run.definition, &run.rows)?;
        replace(&file, &serde_json::to_vec(&record)?)
    }

    fn stop_now(&mut self, key: AttemptKey, wish: String, grace_ms: u64) {
        failpoint::hit("cancel-after-commit");
        let Some(live) = self.live.get_mut(&key) else { return };
        // The same create that a shim claims by: either it never runs, or the shim has it and is told.
        let void = live.dir.exists() && live.dir.try_void().unwrap_or(false);
        if !void {
            tell(live, Command::Stop { wish, grace_ms });
        }
        live.look_soon();
    }
}

/// Starts a shim for an attempt whose folder is there.
pub(super) fn spawn(live: &mut Live, shims: &Shims, secrets: &Secrets) {
    live.spawned += 1;
    match shims.start(live.dir.path(), secrets) {
        Ok(shim) => {
            live.pidfd = shim.pidfd();
            live.child = Some(shim);
            // Most short programs have ended by then: one commit less for each.
            live.look_every = 50;
            live.look_again();
        }
        Err(error) => {
            live.refused = Some(error.raw_os_error().unwrap_or(0));
            live.look_soon();
        }
    }
}

/// Where no process can be started, it is tried again after this, milliseconds.
const ADOPT_AGAIN_MS: u64 = 1_000;

/// Starts a shim that takes the place of one that is gone.
pub(super) fn adopt(live: &mut Live, shims: &Shims) {
    live.adopters += 1;
    match shims.adopt(live.dir.path()) {
        Ok(shim) => {
            live.pidfd = shim.pidfd();
            live.child = Some(shim);
            live.look_soon();
        }
        Err(error) => {
            eprintln!("attempt {}.{} of run #{}: {error}", live.key.stage, live.key.attempt, live.key.run);
            live.look_at = Some(clock::running_ms() + ADOPT_AGAIN_MS);
        }
    }
}

/// Says something to the shim, and remembers it until the shim writes that it got it.
fn tell(live: &mut Live, command: Command) {
    // A shim that has not opened its FIFO yet is told again at the next look.
    let _ = live.dir.tell(&command);
    if !live.sent.iter().any(|s| s.command.wish() == command.wish()) {
        live.sent.push(Sent { command, at: clock::running_ms(), got: false, woken: false });
    }
    live.look_soon();
}

fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let draft = path.with_extension(format!("tmp{}", std::process::id()));
    write(&draft, content)?;
    std::fs::rename(draft, path)
}

fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = std::fs::OpenOptions::new();
    file.write(true).create(true).truncate(true).mode(0o600).open(path)?.write_all(content)
}

fn remove(paths: &[PathBuf]) {
    for path in paths {
        // remove_dir_all follows no links; a link itself is removed.
        let gone = match std::fs::symlink_metadata(path) {
            Ok(about) if about.is_dir() => std::fs::remove_dir_all(path),
            Ok(_) => std::fs::remove_file(path),
            Err(error) => Err(error),
        };
        if let Err(error) = gone
            && error.kind() != io::ErrorKind::NotFound
        {
            eprintln!("{} could not be removed: {error}", path.display());
        }
    }
}
