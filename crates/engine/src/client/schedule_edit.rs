//! A schedule edited in place: its rule, and what its runs are given.
//!
//! A guest does it, in one transaction, as it makes one: what it would run is checked as a run is, and its errors belong to whoever asks.
//! A time that is due in that moment and was not looked at yet stays due: it is started once, by the new rule, or was by the old one.

use footplate_core::definition::Definition;
use footplate_core::timetable::{CatchUp, Overlap, ScheduleView};
use footplate_core::{ErrorCode, Fault, RunId, UtcMs};
use footplate_shim::clock;
use footplate_store::ScheduleRow;
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Value;

use super::check;
use super::keeper::Client;
use super::schedules::{no_schedule, taken};
use super::single::Single;
use super::submit::{erase_all, json, storage};
use crate::schedules::{self, Job, submit_with};
use crate::secrets::Secrets;

/// What is to be another about a schedule; what is not named stays.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScheduleEdit {
    /// What people call it.
    pub name: Option<String>,
    /// `30 2 * * *`, `@daily` or `every 6h`.
    pub timing: Option<String>,
    /// An IANA time zone.
    pub zone: Option<String>,
    /// What becomes of times that nobody saw.
    pub catch_up: Option<CatchUp>,
    /// What becomes of a start while its last run has not ended.
    pub overlap: Option<Overlap>,
    /// Values of parameters; secrets among them are kept apart.
    pub params: IndexMap<String, Value>,
    /// Parameters that are given no value of the schedule's own any more.
    pub unset: Vec<String>,
}

/// A schedule as it is to be, and what it was when that was checked.
struct Edited {
    before: ScheduleRow,
    after: ScheduleRow,
    /// The values that are secret, where they are others.
    secrets: Option<Secrets>,
}

impl Client {
    /// The pipeline that a schedule runs, as it is now.
    ///
    /// # Errors
    /// `NotFound`; as a run of it would be refused.
    pub fn schedule_definition(&self, name: &str) -> Result<Definition, Fault> {
        let read = self.store.read()?;
        let Some(row) = read.schedule(name)? else { return Err(no_schedule(&read, name)?) };
        Job::read(&row)?.definition(&self.home, &schedules::folder_of(&row))
    }

    /// Edits a schedule: all of it, or nothing. Its runs, its last one and the times it missed stay.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` for a timetable that cannot be read or is never due, and for parameters that it does not have; `Conflict` for
    /// a name that is taken, or where somebody else edited it in that moment; as [`Client::submit`] for what it would run.
    pub fn edit_schedule(&mut self, name: &str, edit: &ScheduleEdit) -> Result<ScheduleView, Fault> {
        let mut edited = self.edited(name, edit)?;
        if let Some(new) = &edited.secrets {
            edited.after.secrets = None;
            if !new.is_empty() {
                let stored = new.store(&self.home, &RunId(crate::fresh::uuid())).and_then(|file| {
                    crate::private::sync_folder(&self.home.secrets_dir())?;
                    Ok(file)
                });
                edited.after.secrets = Some(stored.map_err(|e| storage("secrets", &e))?);
            }
        }
        let Edited { before, after, secrets } = edited;
        let now = UtcMs(clock::wall_ms());
        let written = self.store.write(|tx| {
            let Some(found) = tx.schedule(name)? else { return Err(no_schedule(tx, name)?.into()) };
            if !same_rule(&found, &before) {
                let fault =
                    Fault::new(ErrorCode::Conflict, format!("The schedule {name:?} was just edited elsewhere."));
                return Err(fault.hint("Look at it, then edit it again.").into());
            }
            if after.name != found.name && tx.schedule(&after.name)?.is_some_and(|other| other.id != found.id) {
                return Err(taken(&after.name).into());
            }
            let next_at = next_at(&found, &after, now)?;
            tx.edit_schedule(&ScheduleRow { next_at, ..after.clone() }, now.0)
        });
        let unused = if written.is_ok() { &before.secrets } else { &after.secrets };
        if secrets.is_some() {
            erase_all(&self.home, unused.iter());
        }
        written.map_err(|error| error.fault())?;
        self.ensure_owner()?;
        self.schedule(&after.name)
    }

    /// The row as it is to be, all of it checked. Writes nothing.
    fn edited(&self, name: &str, edit: &ScheduleEdit) -> Result<Edited, Fault> {
        let read = self.store.read()?;
        let Some(before) = read.schedule(name)? else { return Err(no_schedule(&read, name)?) };
        let mut after = before.clone();
        if let Some(new) = &edit.name {
            check::line("name of the schedule", new)?;
            after.name.clone_from(new);
        }
        if let Some(timing) = &edit.timing {
            after.timing = timing.split_whitespace().collect::<Vec<_>>().join(" ");
        }
        if let Some(zone) = &edit.zone {
            after.zone = footplate_core::timetable::zone(zone).map_or(zone.clone(), |zone| zone.name().to_owned());
        }
        after.catch_up = edit.catch_up.unwrap_or(before.catch_up);
        after.overlap = edit.overlap.unwrap_or(before.overlap);
        next_at(&before, &after, UtcMs(clock::wall_ms()))?;
        if edit.params.is_empty() && edit.unset.is_empty() {
            return Ok(Edited { before, after, secrets: None });
        }
        let mut job = Job::read(&before)?;
        let definition = job.definition(&self.home, &schedules::folder_of(&before))?;
        let mut kept = schedules::secrets_of(&self.home, &before)?;
        let secret_before = kept.params.clone();
        for gone in &edit.unset {
            if !definition.params.contains_key(gone) && !job.params.contains_key(gone) {
                let fault = Fault::new(ErrorCode::Invalid, format!("There is no parameter {gone:?}."));
                return Err(match footplate_spec::nearest(gone, definition.params.keys().map(String::as_str)) {
                    Some(near) => fault.hint(format!("Did you mean \"{near}\"?")),
                    None => fault,
                });
            }
            job.params.shift_remove(gone);
            kept.params.shift_remove(gone);
        }
        job.params.extend(edit.params.clone());
        // Values that are secret are kept apart, as those of a run.
        let secret = footplate_spec::take_secrets(&definition, &mut job.params);
        kept.params.extend(secret.into_iter().map(|(name, text)| (name, Value::String(text))));
        after.job = json(&job)?;
        Single::prepare(&self.home, &read, submit_with(&self.home, &after, &kept)?)?.give_up(&self.home);
        let changed = kept.params != secret_before;
        Ok(Edited { before, after, secrets: changed.then_some(kept) })
    }
}

/// Nobody edited it meanwhile; what the owner writes of it may be another.
fn same_rule(one: &ScheduleRow, other: &ScheduleRow) -> bool {
    one.id == other.id
        && (&one.job, &one.secrets, &one.timing, &one.zone) == (&other.job, &other.secrets, &other.timing, &other.zone)
        && (one.catch_up, one.overlap) == (other.catch_up, other.overlap)
}

/// When it is due by its new rule. A time that is due now stays.
fn next_at(found: &ScheduleRow, after: &ScheduleRow, now: UtcMs) -> Result<Option<i64>, Fault> {
    if (&found.timing, &found.zone) == (&after.timing, &after.zone)
        || found.enabled && found.next_at.is_some_and(|next| next <= now.0)
    {
        return Ok(found.next_at);
    }
    let next = schedules::table_of(after)?.next_after(now, UtcMs(found.created_at));
    let never = || {
        Fault::new(ErrorCode::Invalid, format!("{:?} is never due: there is no such day.", after.timing))
            .hint("Write for example \"30 2 * * *\", for 02:30 each day.")
    };
    next.map(|at| Some(at.0)).ok_or_else(never)
}
