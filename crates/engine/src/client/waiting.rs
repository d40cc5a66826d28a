//! Why a stage waits, found on demand from rows: the states say some of it, the backlog the rest.

use std::collections::HashMap;
use std::sync::Arc;

use footplate_core::definition::Definition;
use footplate_core::schedule::{Backlog, Demand, Entry, QueueRule, RunGate, Why};
use footplate_core::view::Waiting;
use footplate_core::{ErrorCode, StageKey, StageStatus, UtcMs};
use footplate_store::{Read, RunBrief, RunRow, StageBrief, StageRow, StoreError};

use super::machine::machine_capacity;
use crate::disk::{self, Marks};
use crate::home::Home;
use crate::keep;

/// Above so many queued stages only those shown are weighed: no answer is wrong by it, but one that waits because room is kept
/// for another is told the lack of room only.
const WEIGHED_MOST: u64 = 5_000;

/// Answers for one view. Built at the first question, from the view's own snapshot.
pub(super) struct Reasons<'r> {
    read: &'r Read<'r>,
    home: &'r Home,
    now: UtcMs,
    owner: bool,
    backlog: Option<Backlog>,
}

impl<'r> Reasons<'r> {
    pub(super) fn new(read: &'r Read<'r>, home: &'r Home, now: UtcMs, owner: bool) -> Reasons<'r> {
        Reasons { read, home, now, owner, backlog: None }
    }

    /// Why this stage waits; `None` where it does not, or where it is about to start.
    pub(super) fn of(
        &mut self,
        run: &RunRow,
        definition: Option<&Definition>,
        stages: &[StageRow],
        stage: &StageRow,
    ) -> Result<Option<Waiting>, StoreError> {
        let why = match stage.status {
            StageStatus::Waiting | StageStatus::Queued | StageStatus::Held | StageStatus::Retrying if run.draft => {
                Some(Why::Draft)
            }
            StageStatus::Waiting => {
                let needs = open_needs(definition, stages, stage);
                match needs.is_empty() {
                    true if run.paused => Some(Why::RunPaused),
                    true => self.nobody(),
                    false => Some(Why::Dependency { needs }),
                }
            }
            StageStatus::Held => return Ok(Some(held(stage))),
            StageStatus::Retrying => Some(Why::RetryAt { at: UtcMs(stage.retry_at.unwrap_or(self.now.0)) }),
            StageStatus::Queued => match self.in_the_queue(run, definition, stages, stage)? {
                Some(why) => Some(why),
                None => self.nobody(),
            },
            StageStatus::Running
            | StageStatus::Completed
            | StageStatus::Cached
            | StageStatus::Skipped
            | StageStatus::Failed
            | StageStatus::Cancelled
            | StageStatus::Interrupted => None,
        };
        Ok(why.map(|why| why.sentence()))
    }

    /// The stage that runs and writes its checkpoints where this one would.
    fn holder(
        &self,
        run: &RunRow,
        definition: Option<&Definition>,
        stages: &[StageRow],
        stage: &StageRow,
    ) -> Result<Option<StageKey>, StoreError> {
        // Below a run's own folder nobody else writes.
        let shares = |files: &str| !["{{ run.dir }}/", "{{run.dir}}/"].iter().any(|own| files.starts_with(own));
        let writes = |d: &Definition| {
            let stage = d.stages.get_index(stage.idx as usize).map(|(_, stage)| stage);
            stage.and_then(|stage| stage.checkpoints.as_ref()).is_some_and(|checkpoints| shares(&checkpoints.files))
        };
        let Some(definition) = definition.filter(|d| writes(d)) else { return Ok(None) };
        let own = keep::folder(self.home, run, definition, stages, stage);
        let Some(own) = own else { return Ok(None) };
        for brief in self.read.open_stages(StageStatus::Running)? {
            let Some(row) = self.read.run(brief.run)? else { continue };
            let Ok(definition) = serde_json::from_str::<Definition>(&row.definition) else { continue };
            if !definition.stages.values().any(|stage| stage.checkpoints.is_some()) {
                continue;
            }
            let rows = self.read.stages(brief.run)?;
            let of = rows.iter().find(|row| row.idx == brief.idx);
            let folder = of.and_then(|of| keep::folder(self.home, &row, &definition, &rows, of));
            if brief.key() != (StageKey { run: run.number, stage: stage.idx }) && folder.as_ref() == Some(&own) {
                return Ok(Some(brief.key()));
            }
        }
        Ok(None)
    }

    fn nobody(&self) -> Option<Why> {
        (!self.owner).then_some(Why::NoOwner)
    }

    fn in_the_queue(
        &mut self,
        run: &RunRow,
        definition: Option<&Definition>,
        stages: &[StageRow],
        stage: &StageRow,
    ) -> Result<Option<Why>, StoreError> {
        let mut backlog = match self.backlog.take() {
            Some(backlog) => backlog,
            None => load(self.read, self.home, self.owner)?,
        };
        let key = StageKey { run: run.number, stage: stage.idx };
        // The stage itself is known better than from its brief: its own `not_before` stands in the definition.
        let own = definition
            .and_then(|d| d.stages.get_index(stage.idx as usize))
            .and_then(|(_, s)| UtcMs::parse(s.not_before.as_deref()?));
        let not_before = own.into_iter().chain(run.not_before.map(UtcMs)).max();
        let entry = Entry {
            key,
            queue: Arc::from(stage.queue.as_str()),
            run_priority: run.priority,
            order: run.order_key,
            demand: Demand { cpus: stage.cpus, memory: stage.memory, gpus: stage.gpus },
            not_before,
        };
        match self.holder(run, definition, stages, stage)? {
            Some(holder) => backlog.stand_behind(entry, holder),
            None => backlog.push(entry),
        }
        close_gates(self.read, &mut backlog, run.number, run.draft, run.paused, &run.after)?;
        let why = backlog.why(key, self.now);
        self.backlog = Some(backlog);
        Ok(why)
    }
}

fn open_needs(definition: Option<&Definition>, stages: &[StageRow], stage: &StageRow) -> Vec<String> {
    let needs = definition.and_then(|d| d.stages.get_index(stage.idx as usize)).map(|(_, s)| s.needs.as_slice());
    let open = |name: &&String| stages.iter().any(|s| s.name == **name && !s.status.is_ended());
    needs.unwrap_or_default().iter().filter(open).cloned().collect()
}

fn held(stage: &StageRow) -> Waiting {
    let code = stage.code.unwrap_or(ErrorCode::Conflict);
    let reason = if code == ErrorCode::DiskFull { "disk" } else { "held" };
    let detail = match &stage.detail {
        Some(detail) => detail.clone(),
        None => super::explain::failure(code, &super::explain::Facts::default()).detail,
    };
    Waiting { reason: reason.into(), detail }
}

fn load(read: &Read<'_>, home: &Home, owner: bool) -> Result<Backlog, StoreError> {
    let capacity = machine_capacity();
    let mut backlog = Backlog::new(capacity);
    if owner && capacity.gpus > 0 {
        backlog.set_gpus_taken(super::usage::taken(read)?.into());
    }
    // What the system does not tell holds nobody.
    let disk = disk::look(home.root(), Marks::read(read)?).ok();
    backlog.hold_starts(disk.as_ref().and_then(disk::holds_starts));
    for queue in read.queues()? {
        let limit = queue.limit.unwrap_or(capacity.cpus);
        backlog.set_queue(&queue.name, QueueRule { priority: queue.priority, limit, paused: queue.paused });
    }
    let mut briefs = Briefs { read, known: HashMap::new() };
    for stage in read.open_stages(StageStatus::Running)? {
        let entry = briefs.entry(&stage)?;
        backlog.adopt(entry);
    }
    if !read.more_queued_than(WEIGHED_MOST)? {
        for stage in read.open_stages(StageStatus::Queued)? {
            let entry = briefs.entry(&stage)?;
            backlog.push(entry);
        }
        for brief in briefs.known.values().flatten() {
            close_gates(read, &mut backlog, brief.number, brief.draft, brief.paused, &brief.after)?;
        }
    }
    Ok(backlog)
}

fn close_gates(
    read: &Read<'_>,
    backlog: &mut Backlog,
    run: i64,
    draft: bool,
    paused: bool,
    after: &[footplate_store::After],
) -> Result<(), StoreError> {
    if draft {
        backlog.close_run(run, RunGate::Draft);
    }
    if paused {
        backlog.close_run(run, RunGate::Paused);
    }
    for one in after {
        // A run that is gone had ended.
        let open = match read.run_brief(one.run)? {
            Some(brief) if !brief.status.is_ended() => read.run(one.run)?.is_some_and(|row| row.result.is_none()),
            _ => false,
        };
        if open {
            backlog.close_run(run, RunGate::After { run: one.run });
        }
    }
    Ok(())
}

struct Briefs<'r> {
    read: &'r Read<'r>,
    known: HashMap<i64, Option<RunBrief>>,
}

impl Briefs<'_> {
    fn entry(&mut self, stage: &StageBrief) -> Result<Entry, StoreError> {
        if !self.known.contains_key(&stage.run) {
            self.known.insert(stage.run, self.read.run_brief(stage.run)?);
        }
        let brief = self.known.get(&stage.run).and_then(Option::as_ref);
        Ok(Entry {
            key: stage.key(),
            queue: Arc::from(stage.queue.as_str()),
            run_priority: brief.map_or(0, |b| b.priority),
            order: brief.map_or(stage.run * 1024, |b| b.order_key),
            demand: Demand { cpus: stage.cpus, memory: stage.memory, gpus: stage.gpus },
            not_before: brief.and_then(|b| b.not_before).map(UtcMs),
        })
    }
}
