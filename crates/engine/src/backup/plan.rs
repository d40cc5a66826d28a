//! When a backup is due, and which ones are kept: pure, all times handed in, UTC milliseconds.

use std::collections::BTreeSet;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// The first backup is made once there has been something to lose for this long.
const FIRST_MS: i64 = 10 * 60_000;
/// The newest backup of each of so many hours is kept ...
const HOURS: usize = 24;
/// ... and the newest of each of so many days.
const DAYS: usize = 7;

/// Whether a backup is due: an hour after the newest, ten minutes after the first run where there is none. One from the future
/// (the clock was set back) says nothing.
#[must_use]
pub fn is_due(backups: &[i64], first_run: Option<i64>, now: i64) -> bool {
    let newest = backups.iter().copied().filter(|at| !is_future(*at, now)).max();
    match (newest, first_run) {
        (Some(at), _) => now.saturating_sub(at) >= HOUR_MS,
        (None, Some(first)) => now.saturating_sub(first) >= FIRST_MS || is_future(first, now),
        (None, None) => false,
    }
}

/// The backups that are superfluous: all but the newest of each of the last 24 hours that have one, and of each of the last 7 days
/// that have one. Those from the future come last, lest they keep the present from being kept.
#[must_use]
pub fn superfluous(backups: &[i64], now: i64) -> Vec<i64> {
    let mut order = backups.to_vec();
    order.sort_unstable_by_key(|at| (is_future(*at, now), std::cmp::Reverse(*at)));
    let mut kept = BTreeSet::new();
    for (length, most) in [(HOUR_MS, HOURS), (DAY_MS, DAYS)] {
        let mut spans = BTreeSet::new();
        for at in &order {
            if spans.len() < most && spans.insert(at.div_euclid(length)) {
                kept.insert(*at);
            }
        }
    }
    order.retain(|at| !kept.contains(at));
    order
}

fn is_future(at: i64, now: i64) -> bool {
    at > now.saturating_add(HOUR_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Noon of some day.
    const NOON: i64 = 20_000 * DAY_MS + 12 * HOUR_MS;

    #[test]
    fn one_is_due_an_hour_after_the_last_and_the_first_ten_minutes_after_the_first_run() {
        assert!(!is_due(&[], None, NOON), "there is nothing to lose");
        assert!(!is_due(&[], Some(NOON - FIRST_MS + 1), NOON));
        assert!(is_due(&[], Some(NOON - FIRST_MS), NOON));
        assert!(!is_due(&[NOON - 9 * HOUR_MS, NOON - HOUR_MS + 1], Some(0), NOON));
        assert!(is_due(&[NOON - 9 * HOUR_MS, NOON - HOUR_MS], Some(0), NOON));
    }

    #[test]
    fn a_clock_that_was_set_back_keeps_nothing_from_being_made_or_kept() {
        let future: Vec<i64> = (0..30).map(|day| NOON + 400 * DAY_MS + day * DAY_MS).collect();
        assert!(is_due(&future, Some(0), NOON));
        assert!(is_due(&[], Some(NOON + DAY_MS), NOON));
        let mut all = future;
        all.push(NOON);
        let gone = superfluous(&all, NOON);
        assert!(!gone.contains(&NOON) && gone.len() < all.len(), "{gone:?}");
    }

    #[test]
    fn a_month_of_hourly_backups_is_thinned_to_24_hours_and_7_days_as_it_goes() {
        let mut there: Vec<i64> = Vec::new();
        for hour in 0..24 * 30 {
            // A few minutes later each time, as an owner that is busy makes them.
            let now = NOON + hour * HOUR_MS + (hour % 7) * 60_000;
            if is_due(&there, Some(0), now) {
                there.push(now);
            }
            let gone = superfluous(&there, now);
            there.retain(|at| !gone.contains(at));
            assert!(there.len() <= HOURS + DAYS, "{} are kept", there.len());
            assert!(there.contains(&now) || !is_due(&there, Some(0), now));
        }
        let newest = there.iter().max().copied().unwrap();
        let days: BTreeSet<i64> = there.iter().map(|at| at.div_euclid(DAY_MS)).collect();
        assert_eq!(days.len(), DAYS, "a backup of each of the last days");
        let recent = there.iter().filter(|at| newest - **at < 24 * HOUR_MS).count();
        assert!((20..=24).contains(&recent), "{recent} of the last 24 hours");
    }
}
