//! Time zones of the IANA database, as it is built in (jiff's: one block of bytes that nothing has to be relocated in at a start).

use std::fmt;

use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, Zoned};

use super::parse::{TimetableError, error};
use crate::time::UtcMs;

/// A time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    /// As the database writes it: `Europe/Berlin`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// How far its clocks are ahead of UTC at a moment, in seconds. `None`: the moment is beyond the year 9999.
    #[must_use]
    pub fn ahead_of_utc(&self, at: UtcMs) -> Option<i32> {
        Some(self.0.to_offset(Timestamp::from_millisecond(at.0).ok()?).seconds())
    }

    /// A moment as its clocks show it, to the second: what cron knows.
    pub(super) fn local(&self, at: UtcMs) -> Option<Zoned> {
        Some(Timestamp::from_second(at.0.div_euclid(1000)).ok()?.to_zoned(self.0.clone()))
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A time zone by its IANA name, in any capitals.
///
/// # Errors
/// For a name that is none, with the nearest or examples.
pub fn zone(name: &str) -> Result<Zone, TimetableError> {
    let name = name.trim();
    let all = TimeZoneDatabase::bundled();
    if let Ok(zone) = all.get(name) {
        return Ok(Zone(zone));
    }
    let lower = name.to_ascii_lowercase().replace(' ', "_");
    let city = |zone: &str| zone.rsplit('/').next().unwrap_or_default().eq_ignore_ascii_case(&lower);
    let near = all.available().map(|zone| zone.to_string()).find(|zone| !lower.is_empty() && city(zone));
    Err(error(
        format!("There is no time zone {name:?}."),
        match near {
            Some(near) => format!("Did you mean \"{near}\"?"),
            None => "Write a name of the IANA time zone database: Europe/Berlin, America/New_York, UTC.".to_owned(),
        },
    ))
}
