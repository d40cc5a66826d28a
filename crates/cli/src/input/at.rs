//! `--at TIME`: `23:00`, `2026-11-22 23:00`, RFC 3339, `+2h`.

use chrono::{DateTime, Duration, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeZone};
use footplate_core::UtcMs;
use footplate_core::quantity::Span;

const EXAMPLES: &str = "23:00, \"2026-11-22 23:00\", 2026-11-22T23:00:00+01:00 or +2h";

/// Reads a moment. A time of day means the next such time in `zone`; a time that the clocks skip means the first one
/// after the gap; one that they repeat, the first.
///
/// # Errors
/// A sentence with examples, where the text is no moment.
pub fn parse_at<Z: TimeZone>(text: &str, now: UtcMs, zone: &Z) -> Result<UtcMs, String> {
    let fail = || format!("{text:?} is not a time; write for example {EXAMPLES}");
    let text = text.trim();
    if let Some(span) = text.strip_prefix('+') {
        let span: Span = span.parse().map_err(|_| fail())?;
        return Ok(UtcMs(now.0.saturating_add(i64::try_from(span.0).map_err(|_| fail())?)));
    }
    if let Some(moment) = UtcMs::parse(text) {
        return Ok(moment);
    }
    for format in ["%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"] {
        if let Ok(local) = NaiveDateTime::parse_from_str(text, format) {
            return first_at(local, zone).ok_or_else(fail);
        }
    }
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return first_at(day.and_time(NaiveTime::MIN), zone).ok_or_else(fail);
    }
    let time = ["%H:%M", "%H:%M:%S"].iter().find_map(|f| NaiveTime::parse_from_str(text, f).ok()).ok_or_else(fail)?;
    let today = DateTime::from_timestamp_millis(now.0).ok_or_else(fail)?.with_timezone(zone).date_naive();
    let mut day = today;
    for _ in 0..3 {
        match first_at(day.and_time(time), zone) {
            Some(moment) if moment > now => return Ok(moment),
            _ => day = day.succ_opt().ok_or_else(fail)?,
        }
    }
    Err(fail())
}

fn first_at<Z: TimeZone>(local: NaiveDateTime, zone: &Z) -> Option<UtcMs> {
    // Gaps are an hour nearly everywhere, 30 minutes on Lord Howe, a day where a date line moved.
    for minutes in (0..=24 * 60).step_by(15) {
        let shifted = local.checked_add_signed(Duration::minutes(minutes))?;
        match zone.from_local_datetime(&shifted) {
            LocalResult::Single(t) | LocalResult::Ambiguous(t, _) => return Some(UtcMs(t.timestamp_millis())),
            LocalResult::None => {}
        }
    }
    None
}

/// For clap: a moment in this machine's zone, from now.
///
/// # Errors
/// A sentence with examples, where the text is no moment.
pub fn at(text: &str) -> Result<UtcMs, String> {
    parse_at(text, UtcMs(footplate_shim::clock::wall_ms()), &chrono::Local)
}
