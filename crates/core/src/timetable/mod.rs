//! When work that repeats is due: cron expressions and intervals, in a time zone of their own. Pure: the time is handed in, and the zones'
//! rules (the tz database) are built in.
//!
//! What a clock that is put forward or back means (croner's rules, which are those of Vixie cron): a fixed time (`30 2 * * *`) that the clock
//! leaves out is due at the first moment after the gap, and one that it shows twice is due the first time. What repeats within the hour or
//! day (`*/15 * * * *`, `0 * * * *`) is left out with the hour that is left out, and comes with each showing of the one that is shown twice.
//! `every 6h` counts on from when it was made, whatever the clocks do.
//!
//! Not here: who runs what, and what becomes of it (the engine); the order of the queue ([`crate::schedule`]).

mod due;
mod parse;
mod view;
mod zone;

use croner::Cron;

use crate::quantity::Span;
use crate::time::UtcMs;
pub use due::{Due, LATE_AFTER_MS, MissedTimes, TIMES_MOST};
pub use parse::TimetableError;
pub use view::{CatchUp, Missed, Overlap, ScheduleKind, ScheduleRun, ScheduleView, ScheduledBy, SchedulesView};
pub use zone::{Zone, zone};

/// When something is due, again and again.
#[derive(Clone, Debug, PartialEq)]
pub struct Timetable {
    timing: Timing,
    zone: Zone,
}

/// Either form.
#[derive(Clone, Debug, PartialEq)]
enum Timing {
    Cron(Box<Cron>),
    Every(Span),
}

impl Timetable {
    /// Reads `30 2 * * *`, `@daily` or `every 6h`, in an IANA time zone.
    ///
    /// # Errors
    /// Which part is wrong, what is allowed there, and an example.
    pub fn parse(text: &str, zone_name: &str) -> Result<Timetable, TimetableError> {
        Ok(Timetable { timing: parse::timing(text)?, zone: zone(zone_name)? })
    }

    /// The first time after `after`, never `after` itself. An interval counts from `anchor`. `None`: it is never due again.
    #[must_use]
    pub fn next_after(&self, after: UtcMs, anchor: UtcMs) -> Option<UtcMs> {
        match &self.timing {
            Timing::Every(Span(every)) => {
                let every = i64::try_from(*every).ok().filter(|every| *every > 0)?;
                let gone = after.0.checked_sub(anchor.0)?.div_euclid(every);
                Some(UtcMs(anchor.0.checked_add(gone.checked_add(1)?.checked_mul(every)?)?))
            }
            Timing::Cron(cron) => {
                let start = self.zone.local(after)?;
                let next = cron.find_next_occurrence(&start, false).ok()?;
                Some(UtcMs(next.timestamp().as_millisecond())).filter(|next| *next > after)
            }
        }
    }

    /// The last time up to and with `until`.
    fn last_until(&self, until: UtcMs, anchor: UtcMs) -> Option<UtcMs> {
        match &self.timing {
            Timing::Every(Span(every)) => {
                let every = i64::try_from(*every).ok().filter(|every| *every > 0)?;
                let gone = until.0.checked_sub(anchor.0)?.div_euclid(every);
                Some(UtcMs(anchor.0.checked_add(gone.checked_mul(every)?)?))
            }
            Timing::Cron(cron) => {
                let last = cron.find_previous_occurrence(&self.zone.local(until)?, true).ok()?;
                Some(UtcMs(last.timestamp().as_millisecond()))
            }
        }
    }

    /// The next times after `after`, at most `count`.
    #[must_use]
    pub fn upcoming(&self, after: UtcMs, anchor: UtcMs, count: usize) -> Vec<UtcMs> {
        std::iter::successors(self.next_after(after, anchor), |at| self.next_after(*at, anchor)).take(count).collect()
    }
}
