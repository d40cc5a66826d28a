//! What a schedule runs is read and checked off the owner's loop: a disk that hangs (a server behind NFS that is gone) holds up a thread of
//! its own, and no program, wish or other schedule.

use std::sync::{Arc, Mutex, PoisonError};

use footplate_core::Fault;
use footplate_core::timetable::Due;
use footplate_shim::clock;
use footplate_store::{Role, ScheduleRow, Store, StoreError};

use super::schedules::Start;
use crate::client::Single;
use crate::home::Home;
use crate::schedules::{place_of, submit_of};
use crate::wake::Waker;

/// How long it may take, milliseconds: as long as a time counts as on time.
const LIMIT_MS: u64 = 60_000;

/// The run, or why there is none.
type Answer = Result<Result<Single, String>, StoreError>;
/// Where a thread leaves its answer. It holds it for as long as it lives.
type Tray = Arc<Mutex<Option<Answer>>>;

struct Reading {
    row: ScheduleRow,
    due: Due,
    /// When it is given up, on the running clock.
    until: u64,
    tray: Tray,
}

/// Those that are being read.
#[derive(Default)]
pub(super) struct Readings {
    going: Vec<Reading>,
    /// Given up, by the schedule's id: their threads hang still. One more for the same schedule would hang as well.
    stuck: Vec<(String, Tray)>,
}

impl Readings {
    /// Begins to read what a schedule runs; its run is to come after these. Another start where that hangs since the last time.
    pub(super) fn begin(
        &mut self,
        home: &Home,
        waker: &Waker,
        row: ScheduleRow,
        due: Due,
        after: Vec<(i64, bool)>,
    ) -> Option<Start> {
        if self.stuck.iter().any(|(id, _)| *id == row.id) {
            let why = format!("{} still cannot be read: the disk it lies on does not answer.", place_of(&row));
            return Some(Start { row, due, run: Some(Err(why)) });
        }
        let tray = Tray::default();
        let (theirs, home, waker, asked) = (Arc::clone(&tray), home.clone(), waker.clone(), row.clone());
        let started = std::thread::Builder::new().name("schedule".to_owned()).spawn(move || {
            let answer = read(&home, &asked, after);
            *theirs.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
            waker.wake();
        });
        match started {
            Ok(_) => {
                self.going.push(Reading { row, due, until: clock::running_ms() + limit_ms(), tray });
                None
            }
            Err(error) => {
                let why = format!("What it runs could not be read: {error}.");
                Some(Start { row, due, run: Some(Err(why)) })
            }
        }
    }

    /// Those that are read, or took too long.
    ///
    /// # Errors
    /// What the store said to one that was reading.
    pub(super) fn take(&mut self, home: &Home) -> Result<Vec<Start>, StoreError> {
        self.stuck.retain(|(_, tray)| match answer(tray) {
            Some(late) => {
                // Too late: what it laid down for the run goes again.
                late.into_iter().flatten().for_each(|single| single.give_up(home));
                false
            }
            None => Arc::strong_count(tray) > 1,
        });
        let now = clock::running_ms();
        let mut starts = Vec::new();
        for reading in std::mem::take(&mut self.going) {
            let Reading { row, due, until, tray } = reading;
            let run = match answer(&tray) {
                Some(answer) => answer?,
                None if until > now => {
                    self.going.push(Reading { row, due, until, tray });
                    continue;
                }
                None => {
                    self.stuck.push((row.id.clone(), tray));
                    let seconds = limit_ms().div_ceil(1_000);
                    let place = place_of(&row);
                    Err(format!("{place} could not be read within {seconds} s: the disk it lies on does not answer."))
                }
            };
            starts.push(Start { row, due, run: Some(run) });
        }
        Ok(starts)
    }

    /// One is read, or has taken too long.
    pub(super) fn is_over(&self) -> bool {
        let now = clock::running_ms();
        self.going.iter().any(|reading| {
            reading.until <= now || reading.tray.lock().unwrap_or_else(PoisonError::into_inner).is_some()
        })
    }

    /// When the first one has taken too long, on the running clock.
    pub(super) fn until(&self) -> Option<u64> {
        self.going.iter().map(|reading| reading.until).min()
    }

    /// The ids of their schedules.
    pub(super) fn ids(&self) -> Vec<String> {
        self.going.iter().map(|reading| reading.row.id.clone()).collect()
    }
}

fn answer(tray: &Tray) -> Option<Answer> {
    tray.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// With a connection of its own.
fn read(home: &Home, row: &ScheduleRow, after: Vec<(i64, bool)>) -> Answer {
    let store = Store::open(home.state_dir(), Role::ReadOnly)?;
    let read = store.read()?;
    let made = submit_of(home, row).and_then(|mut submit| {
        submit.after = after;
        Single::prepare(home, &read, submit)
    });
    Ok(made.map_err(|Fault { message, .. }| message))
}

/// Tests set `FOOTPLATE_TEST_READ_MS`.
fn limit_ms() -> u64 {
    std::env::var("FOOTPLATE_TEST_READ_MS").ok().and_then(|text| text.parse().ok()).unwrap_or(LIMIT_MS)
}
