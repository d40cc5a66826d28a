//! Cleaning checkpoints: each hour while a stage runs, at its end, and when somebody wishes it. What goes is judged and removed off the loop.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender, channel};

use footplate_core::event::Event;
use footplate_core::quantity::ByteSize;
use footplate_core::{ErrorCode, StageKey};
use footplate_shim::clock;
use footplate_store::{Tx, WishRow};

use super::Trouble;
use super::mind::Mind;
use super::reach::There;
use super::wishes::Refused;
use crate::keep::{self, Fate, StageKeeping};
use crate::wake::Waker;

/// Between two looks at the checkpoints of a stage that runs, milliseconds.
const EVERY_MS: u64 = 3_600_000;
/// Names that a sentence holds, at most.
const NAMED_MOST: usize = 5;

/// What a look is for.
enum For {
    /// These stages were due.
    Stages(Vec<StageKey>),
    /// A wish, by its id.
    Wish(String),
}

/// What a look came to.
struct Done {
    run: i64,
    asked: For,
    removed: Vec<String>,
    freed: u64,
    /// What could not be removed, and why.
    failed: Vec<String>,
}

/// Looks through checkpoints, one thread for each look.
pub(super) struct Keeper {
    outbox: Sender<Done>,
    inbox: Receiver<Done>,
    waker: Option<Waker>,
    /// Looks that have not come back.
    out: usize,
}

impl Default for Keeper {
    fn default() -> Keeper {
        let (outbox, inbox) = channel();
        Keeper { outbox, inbox, waker: None, out: 0 }
    }
}

impl Keeper {
    /// `waker` is woken when a look has come back.
    pub(super) fn wake_by(&mut self, waker: Waker) {
        self.waker = Some(waker);
    }

    /// Somebody is at it.
    pub(super) fn is_busy(&self) -> bool {
        self.out > 0
    }

    fn start(&mut self, run: i64, stages: Vec<StageKeeping>, asked: For) {
        let (outbox, waker) = (self.outbox.clone(), self.waker.clone());
        self.out += 1;
        let work = move || {
            let _ = outbox.send(clean(run, &stages, asked));
            waker.iter().for_each(Waker::wake);
        };
        if std::thread::Builder::new().name("keep".to_owned()).spawn(work).is_err() {
            // What was due is due again for the next owner.
            self.out -= 1;
        }
    }
}

fn clean(run: i64, stages: &[StageKeeping], asked: For) -> Done {
    let mut done = Done { run, asked, removed: Vec::new(), freed: 0, failed: Vec::new() };
    for stage in stages {
        for one in stage.judge(clock::wall_ms()).into_iter().filter(|one| one.fate == Fate::Goes) {
            let name = one.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            match keep::remove::remove(&one.path, &stage.roots, one.modified_ms) {
                Ok(bytes) => {
                    done.freed += bytes;
                    done.removed.push(name);
                }
                Err(error) => done.failed.push(format!("{name}: {error}")),
            }
        }
    }
    done
}

impl Done {
    fn sentence(&self) -> String {
        let few = |all: &[String]| {
            let more = all.len().saturating_sub(NAMED_MOST);
            let named = all.iter().take(NAMED_MOST).cloned().collect::<Vec<_>>().join(", ");
            if more > 0 { format!("{named}, and {more} more") } else { named }
        };
        let freed = ByteSize(self.freed).rounded();
        let mut text = match self.removed.len() {
            0 => "no checkpoint was to be removed".to_owned(),
            1 => format!("1 checkpoint is removed, {freed}: {}", few(&self.removed)),
            n => format!("{n} checkpoints are removed, {freed}: {}", few(&self.removed)),
        };
        if !self.failed.is_empty() {
            text.push_str(&format!("; could not be removed: {}", few(&self.failed)));
        }
        text
    }
}

impl Mind {
    /// What the owner before this one left to be looked through.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn read_keeping(&mut self, tx: &Tx<'_>) -> Result<(), Trouble> {
        for (key, due) in tx.keeping()? {
            let left = u64::try_from(due.saturating_sub(self.now.0)).unwrap_or(0).min(EVERY_MS);
            self.keeping.insert(key, clock::running_ms() + left);
        }
        Ok(())
    }

    /// A stage that has a rule starts, or has ended: its checkpoints are looked through in an hour, or now.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn keep_later(&mut self, tx: &Tx<'_>, key: StageKey, now: bool) -> Result<(), Trouble> {
        let run = self.run(tx, key.run)?;
        let rule = run.stage(key.stage).checkpoints.as_ref();
        if rule.is_none_or(|rule| rule.keep_best.is_none() && rule.keep_last.is_none()) {
            return Ok(());
        }
        let wait = if now { 0 } else { EVERY_MS };
        tx.put_keeping(key, self.now.0.saturating_add_unsigned(wait))?;
        self.keeping.insert(key, clock::running_ms() + wait);
        Ok(())
    }

    /// Starts the looks that are due, and takes what came back.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn keep_checkpoints(&mut self, tx: &Tx<'_>) -> Result<(), Trouble> {
        while let Ok(done) = self.keeper.inbox.try_recv() {
            self.keeper.out = self.keeper.out.saturating_sub(1);
            self.kept(tx, &done)?;
        }
        while let Some(key) = self.keeping.take(clock::running_ms()) {
            let Some(row) = tx.run(key.run)? else { continue };
            let name = tx.stages(key.run)?.into_iter().find(|stage| stage.idx == key.stage).map(|stage| stage.name);
            let mut stages = keep::stages(tx, &self.home, &row)?;
            stages.retain(|stage| stage.removes() && Some(&stage.name) == name.as_ref());
            self.keeper.start(key.run, stages, For::Stages(vec![key]));
        }
        Ok(())
    }

    fn kept(&mut self, tx: &Tx<'_>, done: &Done) -> Result<(), Trouble> {
        let there = tx.run(done.run)?.is_some();
        let text = done.sentence();
        let stage = match &done.asked {
            For::Wish(wish) => {
                tx.answer_wish(wish, true, None, &format!("#{}: {text}", done.run), self.now.0)?;
                None
            }
            For::Stages(keys) => {
                for key in keys.iter().filter(|_| there) {
                    // One that runs again since is due again since.
                    if self.live.keys().any(|live| live.stage_key() == *key) {
                        self.keep_later(tx, *key, false)?;
                    } else if self.keeping.at(*key).is_none() {
                        tx.end_keeping(*key)?;
                    }
                }
                keys.first().map(|key| key.stage)
            }
        };
        if there && !(done.removed.is_empty() && done.failed.is_empty()) {
            tx.append(Some(done.run), &Event::Note { stage, text }, self.now.0)?;
        }
        Ok(())
    }

    /// Where a stage writes its checkpoints, and the stage that runs and writes there too.
    ///
    /// # Errors
    /// As [`Mind::run`].
    pub(super) fn folder_of(
        &mut self,
        tx: &Tx<'_>,
        key: StageKey,
    ) -> Result<Option<(PathBuf, Option<StageKey>)>, Trouble> {
        let (home, reach) = (self.home.clone(), Rc::clone(&self.reach));
        let run = self.run(tx, key.run)?;
        if run.stage(key.stage).checkpoints.is_none() {
            return Ok(None);
        }
        let row = &run.rows[key.stage as usize];
        let written = keep::folder_as_written(&home, &run.row, &run.definition, &run.rows, row);
        let Some(written) = written else { return Ok(None) };
        let folder = if reach.look(&written) == There::Silent { written } else { keep::real(&written) };
        let other = |(other, used): (&StageKey, &PathBuf)| {
            (*other != key && *used == folder && self.backlog.is_running(*other)).then_some(*other)
        };
        let holder = self.folders.iter().find_map(other);
        Ok(Some((folder, holder)))
    }

    /// Grants the wish to clean a run's checkpoints now; answered when it is done.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn clean_checkpoints(
        &mut self,
        tx: &Tx<'_>,
        wish: &WishRow,
        number: i64,
    ) -> Result<Result<Option<String>, Refused>, Trouble> {
        let Some(row) = tx.run(number)? else {
            return Ok(Err((ErrorCode::NotFound, format!("There is no run #{number}"))));
        };
        let mut stages = keep::stages(tx, &self.home, &row)?;
        stages.retain(StageKeeping::removes);
        if stages.is_empty() {
            let text = format!("#{number} has no stage that says which checkpoints stay (keep_best, keep_last)");
            return Ok(Err((ErrorCode::Conflict, text)));
        }
        self.keeper.start(number, stages, For::Wish(wish.id.clone()));
        Ok(Ok(None))
    }

    /// Pins a checkpoint of a stage, or takes its pin out.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn pin(
        &mut self,
        tx: &Tx<'_>,
        number: i64,
        path: &str,
        stage: Option<&str>,
        pinned: bool,
    ) -> Result<Result<Option<String>, Refused>, Trouble> {
        let Some(stage) = tx.stages(number)?.into_iter().find(|row| Some(row.name.as_str()) == stage) else {
            return Ok(Err((ErrorCode::NotFound, format!("#{number} has no stage {:?}", stage.unwrap_or("")))));
        };
        let changed = tx.set_pin(StageKey { run: number, stage: stage.idx }, path, pinned, self.now.0)?;
        let name = Path::new(path).file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Ok(Some(match (pinned, changed) {
            (true, true) => format!("#{number}: {name} is pinned: it stays whatever its stage keeps"),
            (true, false) => format!("#{number}: {name} was pinned already"),
            (false, true) => format!("#{number}: {name} is no longer pinned"),
            (false, false) => format!("#{number}: {name} was not pinned"),
        })))
    }

    /// Whether a whole checkpoint of this stage was written since a moment, UTC milliseconds: what came of an attempt that was interrupted.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn has_checkpoint_since(&mut self, tx: &Tx<'_>, key: StageKey, since: i64) -> Result<bool, Trouble> {
        let Some(row) = tx.run(key.run)? else { return Ok(false) };
        let name = self.run(tx, key.run)?.rows[key.stage as usize].name.clone();
        let stages = keep::stages(tx, &self.home, &row)?;
        let whole = |one: &keep::Judged| one.fate != Fate::Unfinished && one.modified_ms >= since;
        Ok(stages
            .iter()
            .filter(|stage| stage.name == name)
            .any(|stage| stage.judge(clock::wall_ms()).iter().any(whole)))
    }
}
