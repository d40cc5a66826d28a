//! Moments in local time with its zone, lengths of time, sizes and shares.

use chrono::{DateTime, FixedOffset, Local, TimeZone};
use footplate_core::UtcMs;
use footplate_core::timetable::Zone;

/// A moment in this machine's zone: `2026-11-21 21:01:02 +01:00`.
#[must_use]
pub fn moment(at: UtcMs) -> String {
    moment_in(at, &Local, "%Y-%m-%d %H:%M:%S %:z")
}

/// A moment without seconds, for lists: `2026-11-21 21:01 +01:00`.
#[must_use]
pub fn moment_short(at: UtcMs) -> String {
    moment_in(at, &Local, "%Y-%m-%d %H:%M %:z")
}

/// The same where clocks show another time.
#[must_use]
pub fn moment_short_in(at: UtcMs, zone: &Zone) -> String {
    match zone.ahead_of_utc(at).and_then(FixedOffset::east_opt) {
        Some(offset) => moment_in(at, &offset, "%Y-%m-%d %H:%M %:z"),
        None => at.to_string(),
    }
}

/// A moment in a zone, formatted as chrono's `strftime` says.
#[must_use]
pub fn moment_in<Z: TimeZone>(at: UtcMs, zone: &Z, format: &str) -> String
where
    Z::Offset: std::fmt::Display,
{
    match DateTime::from_timestamp_millis(at.0) {
        Some(t) => t.with_timezone(zone).format(format).to_string(),
        None => at.to_string(),
    }
}

/// A sentence with its moments (`2026-11-21T20:01:02.345Z`) in this machine's zone.
#[must_use]
pub fn local(sentence: &str) -> String {
    local_in(sentence, &Local)
}

/// A sentence with its moments in a zone.
#[must_use]
pub fn local_in<Z: TimeZone>(sentence: &str, zone: &Z) -> String
where
    Z::Offset: std::fmt::Display,
{
    /// Of a moment as `UtcMs` is written.
    const LENGTH: usize = 24;
    let mut out = String::with_capacity(sentence.len());
    let mut rest = sentence;
    while let Some(end) = rest.find('Z') {
        let (before, after) = rest.split_at(end + 1);
        let start = before.len().checked_sub(LENGTH).filter(|at| before.is_char_boundary(*at));
        let found = start.and_then(|at| Some((at, UtcMs::parse(&before[at..])?)));
        match found {
            Some((at, moment)) => {
                out.push_str(&before[..at]);
                out.push_str(&moment_in(moment, zone, "%Y-%m-%d %H:%M:%S %:z"));
            }
            None => out.push_str(before),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// A length of time in its two largest units: `3ms`, `0.4s`, `12s`, `1m 12s`, `3h 5m`, `2d 4h`.
#[must_use]
pub fn span(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "?".to_owned();
    }
    if seconds < 0.0995 {
        return format!("{:.0}ms", seconds * 1000.0);
    }
    if seconds < 9.95 {
        return format!("{seconds:.1}s");
    }
    let whole = seconds.round() as u64;
    let (days, hours, minutes, rest) = (whole / 86_400, whole / 3600 % 24, whole / 60 % 60, whole % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{rest}s"),
        (0, 0, _) => format!("{minutes}m {rest}s"),
        (0, _, _) => format!("{hours}h {minutes}m"),
        _ => format!("{days}d {hours}h"),
    }
}

/// Bytes in decimal units: `512 B`, `1.4 GB`.
#[must_use]
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1000.0;
    let mut unit = 0;
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// A share of 1 as whole percent, rounded down so that 100 % means done.
#[must_use]
pub fn percent(share: f64) -> String {
    if share.is_nan() {
        return "?".to_owned();
    }
    format!("{}%", (share.clamp(0.0, 1.0) * 100.0 + 1e-9).floor() as u32)
}

/// A measured value in few characters: whole numbers as they are, else four significant digits.
#[must_use]
pub fn number(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    if value == value.trunc() && value.abs() < 1e15 {
        return format!("{value:.0}");
    }
    let size = value.abs();
    if !(1e-4..1e6).contains(&size) {
        return format!("{value:.3e}");
    }
    let digits = (3 - size.log10().floor() as i32).clamp(0, 8) as usize;
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}
