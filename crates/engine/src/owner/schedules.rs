//! Starting what is due by a schedule. What it runs is read and checked before the transaction, on a thread (`reading.rs`); the run, the schedule's next time and what was
//! missed are written in one, so that an owner that is killed anywhere starts each time once or leaves it to the next.

use footplate_core::event::Event;
use footplate_core::timetable::{Due, Missed, MissedTimes, Overlap};
use footplate_core::{ErrorCode, UtcMs};
use footplate_shim::failpoint;
use footplate_store::{Read, RunBrief, ScheduleRow, StoreError, Tx};

use super::Trouble;
use super::effects::Effect;
use super::mind::Mind;
use super::reading::Readings;
use super::wishes::Refused;
use crate::client::{KEEP_OWNER, Single, keeps_owner};
use crate::home::Home;
use crate::schedules::table_of;
use crate::wake::Waker;

/// Schedules that are started in one turn, at most: between two of them the owner does its other work.
const A_TURN: u32 = 16;
/// Why a time was missed.
const NOBODY_THERE: &str = "Nobody was there to start it: the machine slept or was off, or no owner was at work.";

/// What the owner knows of the schedules.
#[derive(Default)]
pub(super) struct Schedules {
    /// When the first of them is due, UTC milliseconds; those that are being read left out.
    next: Option<i64>,
    /// The owner stays for them.
    keep: bool,
    readings: Readings,
}

impl Schedules {
    /// When the first of them is due.
    pub(super) fn next(&self) -> Option<i64> {
        self.next
    }

    /// When one that is being read has taken too long, on the running clock.
    pub(super) fn patient_until(&self) -> Option<u64> {
        self.readings.until()
    }

    /// One is due, or is read.
    pub(super) fn is_due(&self, now: UtcMs) -> bool {
        self.next.is_some_and(|next| next <= now.0) || self.readings.is_over()
    }

    /// The owner has to stay for them.
    pub(super) fn need_an_owner(&self, now: UtcMs) -> bool {
        self.is_due(now) || self.readings.until().is_some() || self.keep && self.next.is_some()
    }

    /// Begins with what is due, and gives what can be written down.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn prepare(
        &mut self,
        home: &Home,
        read: &Read<'_>,
        now: UtcMs,
        waker: &Waker,
    ) -> Result<Vec<Start>, StoreError> {
        let mut starts = self.readings.take(home)?;
        let busy = self.readings.ids();
        let known = |starts: &[Start], id: &str| starts.iter().any(|start| start.row.id == id);
        for row in read.schedules_due(now.0, A_TURN + busy.len() as u32)? {
            let Some(next) = row.next_at.map(UtcMs).filter(|_| !known(&starts, &row.id)) else { continue };
            if busy.contains(&row.id) {
                continue;
            }
            match table_of(&row) {
                Ok(table) => {
                    let due = table.due(UtcMs(row.created_at), next, now, row.catch_up);
                    starts.extend(match due.start.map(|_| after(read, &row)).transpose()? {
                        None => Some(Start { row, due, run: None }),
                        Some(Err(why)) => Some(Start { row, due, run: Some(Err(why)) }),
                        Some(Ok(after)) => self.readings.begin(home, waker, row, due, after),
                    });
                }
                // What another version could read: told, and left alone from here on.
                Err(fault) => {
                    let due = Due { start: Some(next), missed: None, next: None };
                    starts.push(Start { row, due, run: Some(Err(fault.message)) });
                }
            }
        }
        self.next = read.next_schedule(&self.readings.ids())?;
        Ok(starts)
    }
}

/// One schedule that is due, and what is to be done about it.
pub(super) struct Start {
    /// The schedule, as it was when it was due.
    pub(super) row: ScheduleRow,
    /// Which time is started, and what was missed.
    pub(super) due: Due,
    /// The run, or why there is none.
    pub(super) run: Option<Result<Single, String>>,
}

/// What a start has to come after, unless the last run is in its way.
fn after(read: &Read<'_>, row: &ScheduleRow) -> Result<Result<Vec<(i64, bool)>, String>, StoreError> {
    let last: Option<RunBrief> = match row.last_run {
        Some(number) => read.run_brief(number)?.filter(|run| !run.status.is_ended()),
        None => None,
    };
    let begun = match (&last, row.overlap) {
        (None, _) => true,
        (Some(run), Overlap::Skip) => {
            return Ok(Err(format!("Run #{}, which it started before, had not ended.", run.number)));
        }
        (Some(run), Overlap::Queue) => read.run(run.number)?.is_some_and(|run| run.started_at.is_some()),
    };
    if let (Some(run), false) = (&last, begun) {
        return Ok(Err(format!("Run #{}, which it started before, had not begun.", run.number)));
    }
    Ok(Ok(last.iter().map(|run| (run.number, false)).collect()))
}

impl Mind {
    /// What is due first, and whether the owner stays for it, from the store.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn read_schedules(&mut self, tx: &Tx<'_>) -> Result<(), Trouble> {
        let known = &mut self.schedules;
        known.next = tx.next_schedule(&known.readings.ids())?;
        known.keep = keeps_owner(tx)?;
        Ok(())
    }

    /// Brings times back that a clock which stood ahead has pushed away. None is started twice for it: what was started for a time
    /// is in the store.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn mend_schedules(&mut self, tx: &Tx<'_>) -> Result<(), Trouble> {
        for row in tx.schedules()?.into_iter().filter(|row| row.enabled) {
            let next = table_of(&row).ok().and_then(|table| table.next_after(self.now, UtcMs(row.created_at)));
            if let (Some(next), Some(known)) = (next, row.next_at)
                && next.0 < known
            {
                tx.set_schedule(&row, true, Some(next.0), self.now.0)?;
            }
        }
        Ok(())
    }

    /// Writes down what is due: runs, what was missed, and the next times. True where there are new runs.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn start_scheduled(&mut self, tx: &Tx<'_>, starts: Vec<Start>) -> Result<bool, Trouble> {
        let mut new = false;
        for start in starts {
            new |= self.start_one(tx, start)?;
        }
        self.read_schedules(tx)?;
        failpoint::hit("schedule-before-commit");
        Ok(new)
    }

    fn start_one(&mut self, tx: &Tx<'_>, Start { row, due, run }: Start) -> Result<bool, Trouble> {
        let now = self.now.0;
        // As it was read: a rule that was edited meanwhile says itself what is due, and when next.
        let current = tx.schedule(&row.name)?.as_ref() == Some(&row);
        let next = due.next.map(|at| at.0);
        let done = match due.start {
            Some(at) => tx.is_scheduled(&row.id, at.0)?,
            None => false,
        };
        if done {
            // Of another owner of this store: one that was restored, or a row that somebody put back.
            tx.advance_schedule(&row.id, row.next_at.unwrap_or(now), next)?;
        }
        if done || !current || !tx.advance_schedule(&row.id, row.next_at.unwrap_or(now), next)? {
            // Somebody was quicker; where it is due still, the next turn looks again.
            if let Some(Ok(run)) = run {
                run.give_up(&self.home);
            }
            return Ok(false);
        }
        let miss = |times: MissedTimes, why: String| {
            let MissedTimes { from, until, times } = times;
            tx.miss_schedule(&row.id, Missed { from, until, times, why }, now)
        };
        let (Some(at), Some(run)) = (due.start, run) else {
            if let Some(times) = due.missed {
                miss(times, NOBODY_THERE.to_owned())?;
            }
            return Ok(false);
        };
        let made = match run {
            Err(why) => Err(why),
            Ok(mut run) => {
                let number = run.write(tx)?;
                tx.put_scheduled(number, &row, at.0)?;
                let text = format!("started by the schedule {}", row.name);
                tx.append(Some(number), &Event::Note { stage: None, text }, now)?;
                Ok(number)
            }
        };
        if let Some(times) = due.missed {
            let why = match &made {
                Ok(number) => format!("Nobody was there to start it; run #{number} made up for it."),
                Err(_) => NOBODY_THERE.to_owned(),
            };
            miss(times, why)?;
        }
        match made {
            Ok(_) => Ok(true),
            Err(why) => {
                miss(MissedTimes { from: at, until: at, times: 1 }, why)?;
                Ok(false)
            }
        }
    }

    /// Grants the wish to pause a schedule, to let it go on, or to remove it.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn change_schedule(
        &mut self,
        tx: &Tx<'_>,
        name: &str,
        enabled: Option<bool>,
        remove: bool,
    ) -> Result<Result<Option<String>, Refused>, Trouble> {
        let now = self.now;
        let Some(row) = tx.schedule(name)? else {
            return Ok(Err((ErrorCode::NotFound, format!("There is no schedule {name:?}"))));
        };
        let said = if remove {
            tx.remove_schedule(&row, now.0)?;
            let paths = row.secrets.iter().map(|file| self.home.secrets_dir().join(file)).collect();
            self.effects.push(Effect::Remove { paths });
            format!("the schedule {name} is removed; its runs stay")
        } else {
            let enabled = enabled.unwrap_or(row.enabled);
            // What went by meanwhile was not missed: somebody wanted it so.
            let next = match table_of(&row) {
                Ok(table) if enabled != row.enabled => table.next_after(now, UtcMs(row.created_at)).map(|at| at.0),
                Ok(_) | Err(_) => row.next_at,
            };
            tx.set_schedule(&row, enabled, next, now.0)?;
            match (enabled, next) {
                (false, _) => format!("the schedule {name} is paused"),
                (true, Some(next)) => format!("the schedule {name} goes on; it is due {}", UtcMs(next)),
                (true, None) => format!("the schedule {name} is never due again"),
            }
        };
        self.read_schedules(tx)?;
        Ok(Ok(Some(said)))
    }

    /// Grants the wish for an owner that stays, or not.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn keep_for_schedules(
        &mut self,
        tx: &Tx<'_>,
        keep: bool,
    ) -> Result<Result<Option<String>, Refused>, Trouble> {
        tx.put_setting(KEEP_OWNER, if keep { "true" } else { "false" })?;
        self.read_schedules(tx)?;
        let said = if keep {
            "an owner stays while a schedule is to be due"
        } else {
            "no owner stays for schedules: they start while something else keeps one, and are made up for when one comes"
        };
        Ok(Ok(Some(said.to_owned())))
    }
}
