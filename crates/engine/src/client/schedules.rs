//! Schedules, for guests: making one, looking at them, and starting one's run by hand. Pausing and removing are wishes.

use std::os::unix::ffi::OsStringExt;

use footplate_core::event::Event;
use footplate_core::timetable::{ScheduleRun, ScheduleView, SchedulesView};
use footplate_core::view::Submitted;
use footplate_core::{ErrorCode, Fault, RunId, UtcMs};
use footplate_shim::clock;
use footplate_store::{Read, ScheduleRow, StoreError};
use indexmap::IndexMap;
use serde_json::Value;

use super::check;
use super::keeper::Client;
use super::single::Single;
use super::submit::{erase_all, json, storage};
use crate::rescue::mark;
use crate::schedules::{self, Job, NewSchedule, submit_of, table_of};
use crate::secrets::Secrets;

/// The setting that says whether an owner stays for schedules.
pub(crate) const KEEP_OWNER: &str = "schedules.keep_owner";
/// So many of the next times are shown.
const UPCOMING: usize = 5;

/// Whether an owner stays as long as a schedule is to be due: unless somebody said no.
///
/// # Errors
/// What the store says.
pub(crate) fn keeps_owner(read: &Read<'_>) -> Result<bool, StoreError> {
    Ok(read.setting(KEEP_OWNER)?.as_deref() != Some("false"))
}

/// Whether the schedules that stand in the store need an owner; for guests, and for an owner that has just left.
///
/// # Errors
/// What the store says.
pub(crate) fn need_an_owner(read: &Read<'_>, now: i64) -> Result<bool, StoreError> {
    Ok(match read.next_schedule(&[])? {
        Some(next) => next <= now || keeps_owner(read)?,
        None => false,
    })
}

/// All schedules as they are shown.
pub(super) fn views(read: &Read<'_>, now: UtcMs) -> Result<SchedulesView, StoreError> {
    let all = read.schedules()?.into_iter().map(|row| view(read, row, now)).collect::<Result<_, _>>()?;
    Ok(SchedulesView { keep_owner: keeps_owner(read)?, all })
}

fn view(read: &Read<'_>, row: ScheduleRow, now: UtcMs) -> Result<ScheduleView, StoreError> {
    let job = Job::read(&row).map_err(|fault| StoreError::Damaged(fault.message))?;
    let next = row.next_at.filter(|_| row.enabled).map(UtcMs);
    let mut upcoming: Vec<UtcMs> = next.into_iter().collect();
    if let (Some(next), Ok(table)) = (next, table_of(&row)) {
        upcoming.extend(table.upcoming(next.max(now), UtcMs(row.created_at), UPCOMING - 1));
    }
    let last_run = match row.last_run {
        Some(number) => read.run(number)?.map(|run| ScheduleRun {
            number,
            name: run.name,
            status: run.status,
            created_at: UtcMs(run.created_at),
            finished_at: run.finished_at.map(UtcMs),
        }),
        None => None,
    };
    Ok(ScheduleView {
        kind: job.source.kind(),
        what: job.source.what(),
        preset: job.preset,
        params: job.params,
        queue: job.queue,
        priority: job.priority,
        cwd: String::from_utf8_lossy(&row.cwd).into_owned(),
        next_at: next,
        upcoming,
        last_run,
        id: row.id,
        name: row.name,
        timing: row.timing,
        zone: row.zone,
        catch_up: row.catch_up,
        overlap: row.overlap,
        enabled: row.enabled,
        missed: row.missed,
        created_at: UtcMs(row.created_at),
    })
}

pub(super) fn no_schedule(read: &Read<'_>, name: &str) -> Result<Fault, StoreError> {
    let known: Vec<String> = read.schedules()?.into_iter().map(|row| row.name).collect();
    let fault = Fault::new(ErrorCode::NotFound, format!("There is no schedule {name:?}."));
    let fault = match footplate_spec::nearest(name, known.iter().map(String::as_str)) {
        Some(near) => fault.hint(format!("Did you mean \"{near}\"?")),
        None => fault,
    };
    Ok(fault.hint("footplate schedule list shows the schedules"))
}

impl Client {
    /// All schedules, and whether an owner stays for them.
    ///
    /// # Errors
    /// `Storage`.
    pub fn schedules(&self) -> Result<SchedulesView, Fault> {
        self.confirm()?;
        Ok(views(&self.store.read()?, UtcMs(clock::wall_ms()))?)
    }

    /// One schedule.
    ///
    /// # Errors
    /// `NotFound` with the nearest name; `Storage`.
    pub fn schedule(&self, name: &str) -> Result<ScheduleView, Fault> {
        let read = self.store.read()?;
        match read.schedule(name)? {
            Some(row) => Ok(view(&read, row, UtcMs(clock::wall_ms()))?),
            None => Err(no_schedule(&read, name)?),
        }
    }

    /// Checks a schedule as if it were made, and says when it would be due: its zone, and the next five times. Writes nothing.
    ///
    /// # Errors
    /// As [`Client::add_schedule`].
    pub fn preview_schedule(&self, new: &NewSchedule) -> Result<(String, Vec<UtcMs>), Fault> {
        let now = UtcMs(clock::wall_ms());
        let (row, _) = self.draft_schedule(new, now)?;
        let mut upcoming: Vec<UtcMs> = row.next_at.map(UtcMs).into_iter().collect();
        upcoming.extend(table_of(&row)?.upcoming(upcoming.first().copied().unwrap_or(now), now, UPCOMING - 1));
        Ok((row.zone, upcoming))
    }

    /// Makes a schedule: checks what it would run as a run is checked, captures what its runs need, writes it down, and sees to it
    /// that there is an owner. When this returns, it is on disk.
    ///
    /// # Errors
    /// `Invalid` for a timetable that cannot be read or is never due; `Conflict` where another schedule has its name; as
    /// [`Client::submit`] for what it runs.
    pub fn add_schedule(&mut self, new: NewSchedule) -> Result<ScheduleView, Fault> {
        let now = UtcMs(clock::wall_ms());
        let (mut row, secrets) = self.draft_schedule(&new, now)?;
        new.environment.store(&self.home).map_err(|e| storage("captured environment", &e))?;
        if !secrets.is_empty() {
            let id = RunId(row.id.parse().unwrap_or_default());
            let stored = secrets.store(&self.home, &id).and_then(|name| {
                crate::private::sync_folder(&self.home.secrets_dir())?;
                Ok(name)
            });
            row.secrets = Some(stored.map_err(|e| storage("secrets", &e))?);
        }
        let written = self.store.write(|tx| {
            if tx.schedule(&row.name)?.is_some() {
                return Err(taken(&row.name).into());
            }
            tx.insert_schedule(&row, now.0)
        });
        if let Err(error) = written {
            erase_all(&self.home, row.secrets.iter());
            return Err(error.fault());
        }
        self.ensure_owner().map_err(|fault| Fault {
            message: format!("The schedule {:?} is written down, but nobody starts it: {}", row.name, fault.message),
            ..fault
        })?;
        self.schedule(&row.name)
    }

    /// Starts a run of a schedule now, whether it is paused or its last run goes on. Its times stay as they are.
    ///
    /// # Errors
    /// `NotFound`; as [`Client::submit`].
    pub fn run_schedule(&mut self, name: &str) -> Result<Submitted, Fault> {
        let read = self.store.read()?;
        let Some(row) = read.schedule(name)? else { return Err(no_schedule(&read, name)?) };
        let mut run = Single::prepare(&self.home, &read, submit_of(&self.home, &row)?)?;
        drop(read);
        let now = clock::wall_ms();
        let written = self.store.write(|tx| {
            let number = run.write(tx)?;
            tx.put_scheduled(number, &row, now)?;
            let text = format!("started by hand from the schedule {}", row.name);
            tx.append(Some(number), &Event::Note { stage: None, text }, now)?;
            Ok(number)
        });
        let number = match written {
            Ok(number) => number,
            Err(error) => {
                run.give_up(&self.home);
                return Err(error.fault());
            }
        };
        mark::note(&self.home, &self.store, number);
        self.ensure_owner()?;
        run.written(number).ok_or_else(|| Fault::new(ErrorCode::Storage, "The run was not written down."))
    }

    /// The row of a new schedule, checked, and its secrets.
    fn draft_schedule(&self, new: &NewSchedule, now: UtcMs) -> Result<(ScheduleRow, Secrets), Fault> {
        check::line("name of the schedule", &new.name)?;
        let zone = new.zone.clone().unwrap_or_else(schedules::system_zone);
        let table = schedules::timetable(&new.timing, &zone)?;
        let next = table.next_after(now, now).ok_or_else(|| {
            Fault::new(ErrorCode::Invalid, format!("{:?} is never due: there is no such day.", new.timing.trim()))
                .hint("Write for example \"30 2 * * *\", for 02:30 each day.")
        })?;
        let read = self.store.read()?;
        if read.schedule(&new.name)?.is_some() {
            return Err(taken(&new.name));
        }
        let mut job = Job::of(new);
        let submit = job.submit(&self.home, new.cwd.clone(), new.environment.clone(), &IndexMap::new())?;
        let cwd = check::folder("working folder", &new.cwd)?;
        // Values that are secret are kept apart, as those of a run.
        let secret_params = footplate_spec::take_secrets(&submit.definition, &mut job.params);
        let secret_params = secret_params.into_iter().map(|(name, text)| (name, Value::String(text))).collect();
        let secrets = Secrets::new(&new.environment, secret_params);
        Single::prepare(&self.home, &read, submit)?.give_up(&self.home);
        let row = ScheduleRow {
            id: crate::fresh::uuid().to_string(),
            name: new.name.clone(),
            job: json(&job)?,
            cwd: cwd.into_os_string().into_vec(),
            env_hash: new.environment.hash().to_owned(),
            secrets: None,
            umask: new.environment.umask(),
            limits: json(new.environment.limits())?,
            timing: new.timing.split_whitespace().collect::<Vec<_>>().join(" "),
            zone: footplate_core::timetable::zone(&zone).map_or(zone.clone(), |zone| zone.name().to_owned()),
            catch_up: new.catch_up,
            overlap: new.overlap,
            enabled: true,
            next_at: Some(next.0),
            last_run: None,
            missed: Vec::new(),
            created_at: now.0,
        };
        Ok((row, secrets))
    }
}

pub(super) fn taken(name: &str) -> Fault {
    Fault::new(ErrorCode::Conflict, format!("There is a schedule {name:?} already."))
        .hint("Choose another name, or remove that one: footplate schedule rm")
}
