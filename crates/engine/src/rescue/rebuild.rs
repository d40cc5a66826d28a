//! From folders to rows: a stage with a folder gets its attempts, and is never launched from its row alone. What a run's newest
//! attempts came to is left to the owner, who reads them as after any restart; here the rows only say that they are to be read.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use footplate_core::event::Event;
use footplate_core::state::settle::Verdict;
use footplate_core::storage::{LostRun, Restored};
use footplate_core::{AttemptStatus, RunStatus, StageStatus, UtcMs};
use footplate_store::{Read, RunRow, ScheduleRow, StageRow, StoreError, Tx};

use super::folders::{RunFolder, Told};
use crate::home::Home;
use crate::schedules::table_of;

/// Most numbers that are told for being nobody's, the newest.
const MISSED_MOST: i64 = 1_000;
/// The remark on a run that was rebuilt.
const REBUILT: &str = "rebuilt from its folder: the store was restored";

/// Takes out of a backup the runs that cannot be understood: their folders, or the damaged store, may tell them better. Returns their
/// numbers, and what is wrong with each.
///
/// # Errors
/// Those of reading and writing.
pub(super) fn clear(tx: &Tx<'_>, now: i64) -> Result<Vec<(i64, String)>, StoreError> {
    let mut cleared = Vec::new();
    for number in tx.run_numbers()? {
        match tx.readable_run(number) {
            Err(error) if error.is_damage() => {
                tx.remove_run(number, now)?;
                cleared.push((number, error.to_string()));
            }
            other => other?,
        }
    }
    Ok(cleared)
}

/// Brings the store, as a backup left it, up to what the folders say; then to what can still be read of the damaged one.
///
/// # Errors
/// Those of writing the new store.
pub(super) fn merge(
    home: &Home,
    tx: &Tx<'_>,
    folders: &[RunFolder],
    old: Option<&Read<'_>>,
    report: &mut Restored,
) -> Result<(), StoreError> {
    let now = report.at.0;
    tx.refuse_all_wishes("The store was restored before it was granted; ask again", now)?;
    for folder in folders {
        match tx.run_by_id(&folder.id)? {
            Some(run) => update(tx, folder, &run, report)?,
            None => rebuild(home, tx, folder, report)?,
        }
        if folder.is_at_work()
            && let Some(run) = tx.run_by_id(&folder.id)?
        {
            report.running.push(run.number);
        }
    }
    hold_back(tx, old, folders, report)?;
    if let Some(old) = old {
        salvage(tx, old, report)?;
    }
    schedules(tx, old, now)
}

/// Schedules go on from now: what they started since the backup is not known, and one run too many could not be undone. One that only the
/// damaged store has is taken as it is, but paused.
fn schedules(tx: &Tx<'_>, old: Option<&Read<'_>>, now: i64) -> Result<(), StoreError> {
    let known = tx.schedules()?;
    for row in &known {
        let next = table_of(row).ok().and_then(|table| table.next_after(UtcMs(now), UtcMs(row.created_at)));
        tx.set_schedule(row, row.enabled, next.map(|at| at.0), now)?;
    }
    for row in old.and_then(|old| old.schedules().ok()).unwrap_or_default() {
        if !known.iter().any(|known| known.id == row.id || known.name == row.name) {
            tx.insert_schedule(&ScheduleRow { enabled: false, ..row }, now)?;
        }
    }
    Ok(())
}

/// Numbers that were given since the backup and that nobody knows anything of: runs that had not started, or were removed. Told, for
/// somebody may wait for them. So are those of `cleared` that nothing else knew better.
///
/// # Errors
/// Those of reading.
pub(super) fn miss(
    tx: &Tx<'_>,
    given: RangeInclusive<i64>,
    cleared: Vec<(i64, String)>,
    report: &mut Restored,
) -> Result<(), StoreError> {
    for (number, why) in cleared {
        if tx.run_brief(number)?.is_none() && !report.lost.iter().any(|lost| lost.number == Some(number)) {
            report.lost.push(LostRun { number: Some(number), name: None, why });
        }
    }
    let told: BTreeSet<i64> = report.lost.iter().filter_map(|lost| lost.number).collect();
    let first = (*given.start()).max(given.end().saturating_sub(MISSED_MOST));
    for number in first..=*given.end() {
        if !told.contains(&number) && tx.run_brief(number)?.is_none() {
            let why = "it had not started, or was removed".to_owned();
            report.lost.push(LostRun { number: Some(number), name: None, why });
        }
    }
    Ok(())
}

/// A run that the backup has: attempts that it does not know, or knew as live.
fn update(tx: &Tx<'_>, folder: &RunFolder, run: &RunRow, report: &mut Restored) -> Result<(), StoreError> {
    let now = report.at.0;
    let mut stages = tx.stages(run.number)?;
    let known = tx.attempts(run.number)?;
    let mut reopened = BTreeSet::new();
    for (stage, numbers) in &folder.attempts {
        let Some(row) = stages.get_mut(*stage as usize) else { continue };
        let Some(newest) = numbers.last().copied().filter(|newest| *newest > row.attempt) else { continue };
        for number in numbers {
            let before = known.iter().find(|a| a.stage == *stage && a.number == *number);
            if before.is_some_and(|attempt| !attempt.status.is_live()) {
                continue;
            }
            let told = folder.attempt(run.number, *stage, *number);
            tx.put_attempt_as_it_is(&told.row(run.generation, now, *number == newest), now)?;
            if *number < newest {
                spend(row, &told.verdict);
            } else {
                begin(row, &told, now);
            }
        }
        tx.put_stage_as_it_is(row)?;
        reopened.insert(row.name.clone());
    }
    if reopened.is_empty() {
        return Ok(());
    }
    // What was skipped for the sake of such a stage waits for it again.
    let definition: footplate_core::definition::Definition =
        serde_json::from_str(&run.definition).map_err(|e| StoreError::Damaged(e.to_string()))?;
    loop {
        let mut grown = false;
        for row in &mut stages {
            let needs = definition.stages.get(&row.name).map(|stage| stage.needs.as_slice()).unwrap_or_default();
            if row.status == StageStatus::Skipped && needs.iter().any(|need| reopened.contains(need)) {
                *row = StageRow {
                    status: StageStatus::Waiting,
                    code: None,
                    detail: None,
                    finished_at: None,
                    ..row.clone()
                };
                tx.put_stage_as_it_is(row)?;
                grown |= reopened.insert(row.name.clone());
            }
        }
        if !grown {
            break;
        }
    }
    tx.reopen_as_it_is(run.number, RunStatus::Running, run.paused)?;
    report.updated.push(run.number);
    Ok(())
}

/// A run that the backup lacks, from `run.json` and its attempts.
fn rebuild(home: &Home, tx: &Tx<'_>, folder: &RunFolder, report: &mut Restored) -> Result<(), StoreError> {
    let now = report.at.0;
    let lost = |why: String, number: Option<i64>, name: Option<String>| LostRun { number, name, why };
    let record = match folder.record() {
        Ok(record) => record,
        Err(why) => {
            let spec = folder.any_spec();
            let why = format!("{why} (attempts/{})", folder.id);
            report.lost.push(lost(why, spec.map(|spec| spec.run_number), None));
            return Ok(());
        }
    };
    let mut row = match record.row(folder.any_spec().as_ref(), home.run_dir(&folder.id)) {
        Ok(row) => row,
        Err(error) => {
            report.lost.push(lost(format!("its run.json: {error}"), Some(record.number), Some(record.name)));
            return Ok(());
        }
    };
    row.number = free_number(tx, row.number)?;
    row.order_key = row.number * 1024;
    let mut stages = record.stages();
    let mut attempts = Vec::new();
    let mut at_work = false;
    let mut may_start = stages.len() > folder.attempts.len();
    for (stage, numbers) in &folder.attempts {
        let Some(stage_row) = stages.get_mut(*stage as usize) else { continue };
        let newest = numbers.last().copied().unwrap_or(0);
        for number in numbers {
            let told = folder.attempt(row.number, *stage, *number);
            attempts.push(told.row(row.generation, row.created_at, *number == newest));
            if *number < newest {
                spend(stage_row, &told.verdict);
                continue;
            }
            begin(stage_row, &told, now);
            at_work |= told.held;
            may_start |= !told.held && told.verdict.status != AttemptStatus::Completed;
        }
    }
    row.started_at = attempts.iter().filter_map(|attempt| attempt.started_at).min();
    // Whether somebody had cancelled or paused what is left of it nobody can tell: it waits for a word. Not so where a program of
    // it is at work.
    row.paused = may_start && !at_work;
    row.status = match (row.paused, attempts.is_empty()) {
        (true, _) => RunStatus::Paused,
        (false, true) => RunStatus::Queued,
        (false, false) => RunStatus::Running,
    };
    if row.paused {
        report.held_back.push(row.number);
    }
    insert(tx, &row, &stages, &attempts, now)?;
    report.rebuilt.push(row.number);
    Ok(())
}

fn insert(
    tx: &Tx<'_>,
    row: &RunRow,
    stages: &[StageRow],
    attempts: &[footplate_store::AttemptRow],
    now: i64,
) -> Result<(), StoreError> {
    tx.insert_run_as_it_is(row, stages)?;
    for attempt in attempts {
        tx.put_attempt_as_it_is(attempt, now)?;
    }
    tx.append(Some(row.number), &Event::Note { stage: None, text: REBUILT.to_owned() }, now).map(|_| ())
}

/// The number itself, unless another run has it.
fn free_number(tx: &Tx<'_>, wanted: i64) -> Result<i64, StoreError> {
    let taken = wanted < 1 || tx.run_brief(wanted)?.is_some();
    if taken { Ok(tx.next_run_number()?.max(tx.newest_run()? + 1)) } else { Ok(wanted) }
}

/// What an earlier attempt took from the stage's budgets.
fn spend(row: &mut StageRow, verdict: &Verdict) {
    match verdict.status {
        AttemptStatus::Failed | AttemptStatus::TimedOut | AttemptStatus::LaunchFailed => row.retries_used += 1,
        AttemptStatus::Interrupted => row.interruptions += 1,
        AttemptStatus::Completed
        | AttemptStatus::Cancelled
        | AttemptStatus::Void
        | AttemptStatus::Launching
        | AttemptStatus::Running
        | AttemptStatus::Stopping => {}
    }
}

/// The stage is at its newest attempt.
fn begin(row: &mut StageRow, told: &Told, now: i64) {
    *row = StageRow {
        status: StageStatus::Running,
        code: None,
        detail: None,
        attempt: told.key.attempt,
        retry_at: None,
        queued_at: row.queued_at.or(told.started_at()).or(Some(now)),
        started_at: row.started_at.or(told.started_at()).or(Some(now)),
        finished_at: None,
        error: None,
        ..row.clone()
    };
}

/// Runs that are open in the backup and were ended, paused, removed or made drafts since, as far as the damaged store can be read, wait
/// for a word, unless a program of theirs is at work. So do those of which it tells nothing and which have no folder that would: they may
/// have completed and been removed, and one run too many could not be undone.
fn hold_back(
    tx: &Tx<'_>,
    old: Option<&Read<'_>>,
    folders: &[RunFolder],
    report: &mut Restored,
) -> Result<(), StoreError> {
    for brief in tx.open_runs()? {
        let (stopped, ended) = match old.map(|old| old.run_by_id(&brief.id)) {
            Some(Ok(Some(before))) => (before.status.is_ended() || before.paused, before.status.is_ended()),
            // Removed, which only what has ended is.
            Some(Ok(None)) => (true, true),
            Some(Err(_)) | None => (!folders.iter().any(|folder| folder.id == brief.id), true),
        };
        if stopped && !brief.paused && !brief.draft && !report.running.contains(&brief.number) {
            tx.set_run_flags(brief.number, false, true, brief.after_failed)?;
            // Where all of it has ended the flag shows nothing.
            if !ended || tx.stages(brief.number)?.iter().any(|s| s.status == StageStatus::Queued) {
                report.held_back.push(brief.number);
            }
        }
    }
    Ok(())
}

/// What the damaged store still tells of runs that neither the backup nor a folder has. Ended ones are taken as they are; those that
/// never started become drafts, for a damaged command must not be run unseen; the rest is told.
fn salvage(tx: &Tx<'_>, old: &Read<'_>, report: &mut Restored) -> Result<(), StoreError> {
    let now = report.at.0;
    let numbers = match old.run_numbers() {
        Ok(numbers) => numbers,
        Err(error) => {
            let why = format!("whatever was queued since and never started: {error}");
            report.lost.push(LostRun { number: None, name: None, why });
            return Ok(());
        }
    };
    let told: BTreeSet<i64> = report.lost.iter().filter_map(|lost| lost.number).collect();
    for number in numbers {
        let readable = old.readable_run(number).and_then(|()| old.run(number));
        let row = match readable {
            Ok(Some(row)) => row,
            Ok(None) => continue,
            Err(error) => {
                // Where only its body cannot be read, the run itself may be there already.
                if tx.run_brief(number)?.is_none() && !told.contains(&number) {
                    report.lost.push(LostRun { number: Some(number), name: None, why: error.to_string() });
                }
                continue;
            }
        };
        if tx.run_by_id(&row.id)?.is_some() || told.contains(&number) {
            continue;
        }
        let mut row = RunRow { number: free_number(tx, row.number)?, ..row };
        let (Ok(stages), Ok(mut attempts)) = (old.stages(number), old.attempts(number)) else { continue };
        if !row.status.is_ended() {
            if !attempts.is_empty() {
                let why = "it had begun, and its folder is gone".to_owned();
                report.lost.push(LostRun { number: Some(number), name: Some(row.name), why });
                continue;
            }
            row = RunRow { draft: true, status: RunStatus::Draft, paused: false, ..row };
            report.held_back.push(row.number);
        }
        attempts.iter_mut().for_each(|attempt| attempt.run = row.number);
        insert(tx, &row, &stages, &attempts, now)?;
        report.rebuilt.push(row.number);
    }
    Ok(())
}
