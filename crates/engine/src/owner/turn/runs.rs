//! Taking runs in: those that the last owner left, and those that guests have submitted since.

use std::collections::HashMap;
use std::sync::Arc;

use footplate_core::schedule::{Demand, Entry};
use footplate_core::state::attempt::AttemptState;
use footplate_core::state::stage::StageInput;
use footplate_core::{AttemptKey, RunStatus, StageStatus, UtcMs};
use footplate_shim::clock;
use footplate_shim::folder::AttemptDir;
use footplate_store::{RunBrief, Store, Tx};

use super::{Owner, Trouble, conclude};
use crate::owner::live::Live;

/// Runs taken in one turn, at most: what starts first need not wait until all of many were seen.
const NEW_RUNS: u32 = 1_000;

impl Owner<'_> {
    /// Reads what the last owner left: queues, open runs, live attempts, queued stages, retries. Starts nothing yet.
    pub(super) fn remember(&mut self, store: &mut Store) -> Result<(), Trouble> {
        let tx = store.begin()?;
        let mind = &mut self.mind;
        mind.now = UtcMs(clock::wall_ms());
        mind.look_at_machine(&tx)?;
        mind.read_queues(&tx)?;
        mind.read_disk_marks(&tx)?;
        mind.read_gpu_settings(&tx)?;
        mind.read_keeping(&tx)?;
        mind.mend_schedules(&tx)?;
        mind.read_schedules(&tx)?;
        let open: HashMap<i64, RunBrief> = tx.open_runs()?.into_iter().map(|b| (b.number, b)).collect();
        for brief in open.values() {
            mind.take_in(&tx, brief)?;
        }
        mind.seen_run = mind.seen_run.max(tx.newest_run()?);
        for row in tx.live_attempts()? {
            let key = AttemptKey { run: row.run, stage: row.stage, attempt: row.number };
            let run = mind.run(&tx, row.run)?;
            let run_id = run.row.id;
            let adopted = crate::owner::mind::entry(run, key.stage_key());
            let mut live = Live::new(key, run_id, AttemptDir::open(self.home.attempt(&run_id, key)), row.boot_id);
            live.state = AttemptState::live(row.status).unwrap_or(AttemptState::Launching);
            live.known = row.status == footplate_core::AttemptStatus::Running;
            live.paused = row.paused;
            live.orphan = row.orphan;
            live.gpus = row.gpus;
            // Which of the two it is the rows do not tell: a shim that was not paused for this is told in vain.
            live.paused_for_disk = row.paused;
            live.look_soon();
            mind.live.insert(key, live);
            mind.remember_alerts(&tx, key)?;
            let folder = mind.folder_of(&tx, key.stage_key())?;
            mind.folders.extend(folder.map(|(folder, _)| (key.stage_key(), folder)));
            mind.backlog.adopt(adopted);
            mind.touched.insert(row.run);
        }
        for stage in tx.open_stages(StageStatus::Queued)? {
            if let Some(brief) = open.get(&stage.run) {
                if brief.status == RunStatus::Running {
                    // It has no place in the order any more, which is known of runs in memory.
                    mind.run(&tx, stage.run)?;
                }
                mind.backlog.push(queued(brief, stage.idx, &stage.queue, stage.cpus, stage.memory, stage.gpus));
            }
        }
        for stage in tx.open_stages(StageStatus::Retrying)? {
            let key = stage.key();
            // Never longer than its pipeline says, whatever the wall clock did in between.
            let most = mind.run(&tx, key.run)?.stage(key.stage).retries.max_delay.0;
            let left = u64::try_from(stage.retry_at.unwrap_or(0).saturating_sub(mind.now.0)).unwrap_or(0);
            mind.retries.insert(key, clock::running_ms() + left.min(most));
        }
        for stage in tx.open_stages(StageStatus::Held)? {
            // What was missing may be there now.
            mind.move_stage(&tx, stage.key(), StageInput::Release, |c| c)?;
        }
        self.waiting = tx.waiting_runs()?.into();
        self.activate_some(&tx)?;
        tx.commit()?;
        // First all that was running: recovery never starts more than the limits allow.
        self.take_wishes_first(store)
    }

    /// Wishes before folders: the end of an attempt depends on what was wished.
    fn take_wishes_first(&mut self, store: &mut Store) -> Result<(), Trouble> {
        let tx = store.begin()?;
        self.take_wishes(&tx)?;
        let touched = std::mem::take(&mut self.mind.touched);
        conclude(&mut self.mind, &tx, touched)?;
        tx.commit()?;
        self.mind.act();
        Ok(())
    }

    pub(super) fn take_new_runs(&mut self, tx: &Tx<'_>) -> Result<(), Trouble> {
        let briefs = tx.runs_after(self.mind.seen_run, NEW_RUNS)?;
        // What starts now need not wait until all of a large batch was seen.
        self.more = briefs.len() == NEW_RUNS as usize;
        for brief in briefs {
            self.mind.take_in(tx, &brief)?;
            let number = brief.number;
            let stages = tx.stages(number)?;
            let waiting = stages.iter().any(|s| s.status == StageStatus::Waiting);
            if waiting && !brief.draft {
                self.mind.activate_and_set_aside(tx, number)?;
            }
            for row in stages.into_iter().filter(|s| s.status == StageStatus::Queued) {
                self.mind.backlog.push(queued(&brief, row.idx, &row.queue, row.cpus, row.memory, row.gpus));
            }
        }
        Ok(())
    }

    /// Of the runs that the last owner left, a turn's worth: their stages that wait may have nothing to wait for.
    pub(super) fn activate_some(&mut self, tx: &Tx<'_>) -> Result<(), Trouble> {
        for _ in 0..NEW_RUNS {
            let Some(number) = self.waiting.pop_front() else { break };
            // It may have ended or been removed since.
            if tx.run(number)?.is_some_and(|run| !run.status.is_ended() && !run.draft) {
                self.mind.activate_and_set_aside(tx, number)?;
            }
        }
        self.more |= !self.waiting.is_empty();
        Ok(())
    }
}

/// A queued stage, from its rows alone.
fn queued(brief: &RunBrief, idx: u32, queue: &str, cpus: u32, memory: u64, gpus: u32) -> Entry {
    Entry {
        key: footplate_core::StageKey { run: brief.number, stage: idx },
        queue: Arc::from(queue),
        run_priority: brief.priority,
        order: brief.order_key,
        demand: Demand { cpus, memory, gpus },
        not_before: brief.not_before.map(UtcMs),
    }
}
