//! New runs: checked, their environment captured, written down.
//!
//! A batch is written in transactions of 1,000 runs. Those before the last are written as drafts, which no owner starts; the
//! last one writes its runs and, with them, the wish `release`, which starts the drafts: so either the whole batch starts
//! or nothing does. Where a batch breaks off because of a bad input, its drafts are taken back; where its process is killed, they
//! stay as drafts, and can be started or removed like any other.

use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{SendError, sync_channel};

use footplate_core::definition::{Definition, OnFailure};
use footplate_core::schedule::{Capacity, Demand};
use footplate_core::view::Submitted;
use footplate_core::{ErrorCode, Fault, RunId, StageStatus};
use footplate_shim::clock;
use footplate_store::{After, NewRun, NewStage, NewWish, Read, Store, StoreError, Tx};
use indexmap::IndexMap;
use serde_json::Value;

use super::check;
use super::keeper::Client;
use super::machine::machine_capacity;
use super::types::{Submit, Wish};
use crate::environment::Captured;
use crate::home::Home;
use crate::rescue::mark;
use crate::secrets::{self, Secrets};
use crate::templates::consent;

/// Runs a transaction: the lock is held for some 30 ms.
const RUNS_A_TRANSACTION: usize = 2000;

impl Client {
    /// Checks a run, captures what it needs, writes it down, and sees to it that there is an owner. When this returns, the run is
    /// on disk.
    ///
    /// # Errors
    /// `InvalidPipeline` with all faults at once; `ConsentMissing` for a template that was not allowed; `Invalid`, `CwdMissing`, `ImpossibleResources`, `NotFound` (queue, `after`),
    /// naming the value; `DiskFull`, `Storage`.
    pub fn submit(&mut self, submit: Submit) -> Result<Submitted, Fault> {
        let mut submitted = self.submit_batch(&mut std::iter::once(Ok(submit)))?;
        submitted.pop().ok_or_else(|| Fault::new(ErrorCode::Storage, "The run was not written down."))
    }

    /// Submits many runs that start together: all of them or, where one is bad, none.
    ///
    /// # Errors
    /// As [`Client::submit`], and whatever the iterator yields.
    pub fn submit_batch(
        &mut self,
        all: &mut dyn Iterator<Item = Result<Submit, Fault>>,
    ) -> Result<Vec<Submitted>, Fault> {
        let mut desk = Desk::new(&self.store.read()?)?;
        let mut book = Book::new(&self.home, &mut self.store);
        let written = write_all(&self.home, &mut desk, &mut book, all);
        let submitted = book.submitted;
        match written {
            Ok(()) => {
                let Some(last) = submitted.last() else { return Ok(submitted) };
                mark::note(&self.home, &self.store, last.number);
                match self.ensure_owner() {
                    Ok(()) => Ok(submitted),
                    Err(fault) => Err(Fault { message: not_started(&submitted, &fault), ..fault }),
                }
            }
            Err(fault) => {
                erase_all(&self.home, desk.unused_secrets.iter());
                // The last transaction was not written: all before it are drafts still.
                self.take_back(&submitted)?;
                Err(fault)
            }
        }
    }

    /// Removes drafts of a batch that broke off. Nobody has acted upon them.
    fn take_back(&mut self, written: &[Submitted]) -> Result<(), Fault> {
        for chunk in written.chunks(RUNS_A_TRANSACTION) {
            let files = self.store.write(|tx| {
                let mut files = Vec::new();
                for Submitted { number, .. } in chunk {
                    files.extend(tx.run(*number)?.and_then(|row| row.secrets));
                    tx.remove_run(*number, clock::wall_ms())?;
                }
                Ok(files)
            })?;
            erase_all(&self.home, files.iter());
        }
        Ok(())
    }
}

fn not_started(submitted: &[Submitted], fault: &Fault) -> String {
    let which = match submitted {
        [one] => format!("Run #{} is", one.number),
        all => format!("{} runs are", all.len()),
    };
    format!("{which} written down, but nothing starts: {}", fault.message)
}

/// What cannot be erased now belongs to no run, and is found by the next clean-up.
pub(super) fn erase_all<'a>(home: &Home, names: impl Iterator<Item = &'a String>) {
    for name in names {
        let _ = secrets::erase(home, name);
    }
}

/// Prepares and writes chunk after chunk. Of a batch of several, one is prepared while another thread writes the one before.
fn write_all(
    home: &Home,
    desk: &mut Desk,
    book: &mut Book<'_>,
    all: &mut dyn Iterator<Item = Result<Submit, Fault>>,
) -> Result<(), Fault> {
    let mut next = all.next();
    let first = desk.chunk(home, all, &mut next)?;
    if next.is_none() {
        return book.write(first, true);
    }
    std::thread::scope(|scope| {
        let (hand_over, chunks) = sync_channel::<(Vec<Prepared>, bool)>(0);
        let writer = scope.spawn(move || chunks.into_iter().try_for_each(|(chunk, last)| book.write(chunk, last)));
        let mut chunk = Ok(first);
        let prepared = loop {
            match chunk {
                Err(fault) => break Err(fault),
                Ok(ready) => {
                    let last = next.is_none();
                    if let Err(SendError((unwritten, _))) = hand_over.send((ready, last)) {
                        // The writer has stopped; its error tells why.
                        erase_all(home, unwritten.iter().filter_map(|prepared| prepared.run.secrets.as_ref()));
                        break Ok(());
                    }
                    if last {
                        break Ok(());
                    }
                    chunk = desk.chunk(home, all, &mut next);
                }
            }
        };
        drop(hand_over);
        let written =
            writer.join().unwrap_or_else(|_| Err(Fault::new(ErrorCode::Storage, "The batch was not written.")));
        prepared.and(written)
    })
}

/// Where runs are written down, transaction by transaction.
struct Book<'a> {
    home: &'a Home,
    store: &'a mut Store,
    submitted: Vec<Submitted>,
    /// Written as drafts, to be started with the last transaction.
    drafts: Vec<i64>,
}

impl<'a> Book<'a> {
    fn new(home: &'a Home, store: &'a mut Store) -> Book<'a> {
        Book { home, store, submitted: Vec::new(), drafts: Vec::new() }
    }

    fn write(&mut self, mut chunk: Vec<Prepared>, last: bool) -> Result<(), Fault> {
        let drafts = &self.drafts;
        let written = self.store.write(|tx| {
            let numbers = insert(tx, &mut chunk, !last)?;
            if last && !drafts.is_empty() {
                release(tx, drafts)?;
            }
            Ok(numbers)
        });
        let numbers = written.map_err(|e| {
            erase_all(self.home, chunk.iter().filter_map(|prepared| prepared.run.secrets.as_ref()));
            e.fault()
        })?;
        for (prepared, number) in chunk.into_iter().zip(numbers) {
            if !last && !prepared.meant_as_draft {
                self.drafts.push(number);
            }
            self.submitted.push(Submitted { id: prepared.run.id, number, name: prepared.run.name });
        }
        Ok(())
    }
}

pub(super) fn insert(tx: &Tx<'_>, chunk: &mut [Prepared], as_drafts: bool) -> Result<Vec<i64>, StoreError> {
    let mut numbers = Vec::with_capacity(chunk.len());
    let mut next = tx.next_run_number()?;
    for prepared in chunk {
        for after in &prepared.run.after {
            if tx.run_brief(after.run)?.is_none() {
                let fault = Fault::new(ErrorCode::NotFound, format!("There is no run #{} to come after.", after.run));
                return Err(fault.hint("footplate list shows the runs").into());
            }
        }
        prepared.run.draft = as_drafts || prepared.meant_as_draft;
        if prepared.named_by_number {
            // Set anew each time: a transaction that is tried again gives another number.
            prepared.run.name = format!("{}-{next}", prepared.run.pipeline);
        }
        let (number, newly) = tx.insert_run(&prepared.run, &prepared.stages)?;
        next += i64::from(newly);
        numbers.push(number);
    }
    Ok(numbers)
}

/// The wish that starts the drafts of a batch, in the same transaction as its last runs.
fn release(tx: &Tx<'_>, drafts: &[i64]) -> Result<(), StoreError> {
    let (kind, args) = Wish::Release { runs: ranges(drafts) }.to_row();
    let id = crate::fresh::uuid().to_string();
    tx.insert_wish(&NewWish { id, run: None, generation: None, kind, args, created_at: clock::wall_ms() })?;
    Ok(())
}

/// Rising numbers as ranges, both ends within.
fn ranges(numbers: &[i64]) -> Vec<(i64, i64)> {
    let mut ranges: Vec<(i64, i64)> = Vec::new();
    for number in numbers {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == *number => *last = *number,
            _ => ranges.push((*number, *number)),
        }
    }
    ranges
}

/// A run ready to be written.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) run: NewRun,
    stages: Vec<NewStage>,
    meant_as_draft: bool,
    /// It was given no name: the pipeline's and its number.
    named_by_number: bool,
}

/// What is the same for all runs of a batch.
pub(super) struct Desk {
    capacity: Capacity,
    queues: Vec<String>,
    /// The environment captured last, with what was made of it.
    environment: Option<(Arc<Captured>, String)>,
    /// The run whose secrets file holds the secrets of that environment and no others.
    shared: Option<String>,
    /// Files in `secrets/` of runs that are not written yet.
    pub(super) unused_secrets: Vec<String>,
    /// Folders that were found good.
    folder: Option<(PathBuf, PathBuf)>,
    /// A pipeline's folder from which things may run.
    allowed: Option<PathBuf>,
}

impl Desk {
    pub(super) fn new(read: &Read<'_>) -> Result<Desk, Fault> {
        let queues = read.queues()?.into_iter().map(|queue| queue.name).collect();
        Ok(Desk {
            capacity: machine_capacity(),
            queues,
            environment: None,
            shared: None,
            unused_secrets: Vec::new(),
            folder: None,
            allowed: None,
        })
    }

    /// The next runs for one transaction, their environments and secrets on disk.
    fn chunk(
        &mut self,
        home: &Home,
        all: &mut dyn Iterator<Item = Result<Submit, Fault>>,
        next: &mut Option<Result<Submit, Fault>>,
    ) -> Result<Vec<Prepared>, Fault> {
        let mut chunk = Vec::new();
        while chunk.len() < RUNS_A_TRANSACTION
            && let Some(one) = next.take()
        {
            chunk.push(self.prepare(home, one?)?);
            *next = all.next();
        }
        self.make_durable(home)?;
        // From here on the rows tell of them.
        self.unused_secrets.clear();
        Ok(chunk)
    }

    pub(super) fn prepare(&mut self, home: &Home, mut submit: Submit) -> Result<Prepared, Fault> {
        check::words(&submit)?;
        let mut definition = std::mem::replace(&mut submit.definition, nothing());
        // First, for its sentences name what was typed; those of the pipeline's check name places in a file.
        check::arguments(&definition, &submit.environment)?;
        let file = definition.name.clone();
        footplate_spec::check(&mut definition).map_err(|problems| problems.fault(&file))?;
        let cwd = self.good_folder(&submit)?;
        let pipeline_dir = std::path::absolute(&submit.pipeline_dir).unwrap_or_else(|_| cwd.clone());
        // A command that was typed is consent, wherever it was typed; no file can say that it is one.
        if !definition.stages.values().all(|stage| stage.literal) {
            self.allowed(home, &pipeline_dir)?;
        }
        let mut params = footplate_spec::parameters(&definition, None, &submit.params).map_err(|p| p.fault(&file))?;
        footplate_spec::paths_exist(&definition, &params, &cwd).map_err(|p| p.fault(&file))?;
        let secret_params = footplate_spec::take_secrets(&definition, &mut params);
        check::resources(&definition, self.capacity)?;

        let id = RunId(crate::fresh::uuid());
        let limits = self.use_environment(home, &submit.environment)?;
        let secrets = Secrets::new(
            &submit.environment,
            secret_params.into_iter().map(|(name, text)| (name, Value::String(text))).collect(),
        );
        let secrets = self.store_secrets(home, &secrets, &id)?;
        let now = clock::wall_ms();
        let queue = submit.queue.clone().or_else(|| definition.queue.clone()).unwrap_or_else(|| "default".into());
        check::queue(&queue, &self.queues)?;
        let mut stages = Vec::with_capacity(definition.stages.len());
        for (name, stage) in &definition.stages {
            let own = stage.queue.clone().unwrap_or_else(|| queue.clone());
            check::queue(&own, &self.queues)?;
            // A draft's stages are queued when it is started; conditions are the owner's to decide.
            let ready = stage.needs.is_empty() && stage.condition.is_none() && !submit.draft;
            let demand = Demand::from(stage.resources);
            stages.push(NewStage {
                name: name.clone(),
                queue: own,
                status: if ready { StageStatus::Queued } else { StageStatus::Waiting },
                cpus: demand.cpus,
                memory: demand.memory,
                gpus: demand.gpus,
                queued_at: ready.then_some(now),
            });
        }
        let named_by_number = submit.name.is_none();
        let run = NewRun {
            id,
            name: submit.name.unwrap_or_else(|| definition.name.clone()),
            pipeline: definition.name.clone(),
            experiment: submit.experiment,
            queue,
            priority: submit.priority.unwrap_or(definition.priority),
            target: submit.target,
            tags: submit.tags,
            draft: submit.draft,
            definition: json(&definition)?,
            params: json(&params)?,
            cwd: cwd.into_os_string().into_vec(),
            pipeline_dir: pipeline_dir.into_os_string().into_vec(),
            run_dir: home.run_dir(&id).into_os_string().into_vec(),
            env_hash: Some(submit.environment.hash().to_owned()),
            secrets,
            umask: submit.environment.umask(),
            limits,
            planning_ms: Some(clock::running_ms().saturating_sub(submit.begun_ms)),
            not_before: submit.not_before.map(|at| at.0),
            after: submit.after.iter().map(|(run, ok_only)| After { run: *run, ok_only: *ok_only }).collect(),
            created_at: now,
        };
        Ok(Prepared { run, stages, meant_as_draft: submit.draft, named_by_number })
    }

    /// What came from elsewhere was allowed by the user.
    fn allowed(&mut self, home: &Home, pipeline_dir: &Path) -> Result<(), Fault> {
        if self.allowed.as_deref() != Some(pipeline_dir) {
            consent::required(home, pipeline_dir)?;
            self.allowed = Some(pipeline_dir.to_owned());
        }
        Ok(())
    }

    fn good_folder(&mut self, submit: &Submit) -> Result<PathBuf, Fault> {
        if let Some((given, good)) = &self.folder
            && *given == submit.cwd
        {
            return Ok(good.clone());
        }
        let good = check::folder("working folder", &submit.cwd)?;
        self.folder = Some((submit.cwd.clone(), good.clone()));
        Ok(good)
    }

    /// Writes an environment that was not written before. Returns its limits as JSON.
    fn use_environment(&mut self, home: &Home, environment: &Arc<Captured>) -> Result<String, Fault> {
        if let Some((known, limits)) = &self.environment
            && (Arc::ptr_eq(known, environment) || known == environment)
        {
            return Ok(limits.clone());
        }
        environment.store(home).map_err(|e| storage("captured environment", &e))?;
        let limits = json(environment.limits())?;
        self.environment = Some((Arc::clone(environment), limits.clone()));
        self.shared = None;
        Ok(limits)
    }

    fn store_secrets(&mut self, home: &Home, all: &Secrets, run: &RunId) -> Result<Option<String>, Fault> {
        if all.is_empty() {
            return Ok(None);
        }
        let linked = match &self.shared {
            // Too many links, or a disk without: a file of its own.
            Some(from) if all.params.is_empty() => secrets::share(home, from, run).ok(),
            _ => None,
        };
        let name = match linked {
            Some(name) => name,
            None => {
                let name = all.store(home, run).map_err(|e| storage("secrets", &e))?;
                if all.params.is_empty() {
                    self.shared = Some(name.clone());
                }
                name
            }
        };
        self.unused_secrets.push(name.clone());
        Ok(Some(name))
    }

    /// Secrets are on disk before the runs that need them.
    pub(super) fn make_durable(&self, home: &Home) -> Result<(), Fault> {
        if self.unused_secrets.is_empty() {
            return Ok(());
        }
        crate::private::sync_folder(&home.secrets_dir()).map_err(|e| storage("secrets", &e))
    }
}

/// A definition that takes no room.
fn nothing() -> Definition {
    Definition {
        format: 0,
        name: String::new(),
        title: None,
        description: None,
        queue: None,
        priority: 0,
        on_failure: OnFailure::Continue,
        params: IndexMap::new(),
        presets: IndexMap::new(),
        stages: IndexMap::new(),
    }
}

pub(super) fn json<T: serde::Serialize + ?Sized>(value: &T) -> Result<String, Fault> {
    serde_json::to_string(value)
        .map_err(|e| Fault::new(ErrorCode::Invalid, format!("The run cannot be written as JSON: {e}.")))
}

pub(super) fn storage(what: &str, error: &std::io::Error) -> Fault {
    if matches!(error.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded) {
        return Fault::new(ErrorCode::DiskFull, format!("There is no room on the disk for the {what}."))
            .hint("Free some space, then try again.");
    }
    Fault::new(ErrorCode::Storage, format!("The {what} cannot be written: {error}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_ranges() {
        assert_eq!(ranges(&[]), []);
        assert_eq!(ranges(&[1, 2, 3, 7, 8, 10]), [(1, 3), (7, 8), (10, 10)]);
    }
}
