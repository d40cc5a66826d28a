//! What a person chose in a form, again and again: a schedule.

use std::sync::Arc;

use footplate_core::timetable::{CatchUp, Overlap, ScheduleView};
use footplate_core::{Fault, UtcMs};
use footplate_shim::clock;
use serde::{Deserialize, Serialize};

use super::Prepared;
use crate::client::Client;
use crate::environment::Captured;
use crate::schedules::{NewSchedule, Source, system_zone, timetable};

/// So many of the next times are told.
const UPCOMING: usize = 5;

/// When it is to be due, and what becomes of what is in the way.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct RepeatRequest {
    /// The schedule's name.
    pub name: String,
    /// `30 2 * * *`, `@daily` or `every 6h`.
    pub timing: String,
    /// An IANA time zone; else this machine's.
    #[serde(default)]
    pub zone: Option<String>,
    /// What becomes of times that nobody saw.
    pub catch_up: CatchUp,
    /// What becomes of a start while its last run has not ended.
    pub overlap: Overlap,
}

/// When a timetable is due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TimesView {
    /// The IANA name of the time zone.
    pub zone: String,
    /// The next times, at most five.
    pub upcoming: Vec<UtcMs>,
}

/// When a timetable would be due, in a time zone or in this machine's. Writes nothing.
///
/// # Errors
/// `Invalid`, with what is wrong and what is allowed.
pub fn times(timing: &str, zone: Option<&str>) -> Result<TimesView, Fault> {
    let zone = zone.map_or_else(system_zone, str::to_owned);
    let now = UtcMs(clock::wall_ms());
    let upcoming = timetable(timing, &zone)?.upcoming(now, now, UPCOMING);
    Ok(TimesView { zone, upcoming })
}

impl RepeatRequest {
    /// Makes a schedule of what a run was made of.
    ///
    /// # Errors
    /// As [`Client::add_schedule`]; `NotFound` for the run.
    pub fn of_run(self, client: &mut Client, number: i64, environment: Arc<Captured>) -> Result<ScheduleView, Fault> {
        // Its own environment, where that is there still: that it worked with.
        let environment = client.environment(number)?.map_or(environment, Arc::new);
        let new = NewSchedule::of_run(client, number, &self.name, &self.timing, environment)?;
        client.add_schedule(self.into(new))
    }

    fn into(self, new: NewSchedule) -> NewSchedule {
        NewSchedule { zone: self.zone, catch_up: self.catch_up, overlap: self.overlap, ..new }
    }
}

impl Prepared {
    /// Makes a schedule of it; its own name stays that of the runs, where it is one command.
    ///
    /// # Errors
    /// As [`Client::add_schedule`].
    pub fn repeat(self, client: &mut Client, when: RepeatRequest) -> Result<ScheduleView, Fault> {
        let run_name = self.placement.name.clone().filter(|_| self.is_command());
        let source = match self.template {
            Some(name) => Source::Template { name },
            None => Source::Command { definition: Box::new(self.definition) },
        };
        let new = NewSchedule {
            preset: self.preset,
            params: self.given,
            run_name,
            queue: self.placement.queue,
            priority: self.placement.priority,
            tags: self.tags,
            ..NewSchedule::new(&when.name, &when.timing, source, self.cwd, self.environment)
        };
        client.add_schedule(when.into(new))
    }
}
