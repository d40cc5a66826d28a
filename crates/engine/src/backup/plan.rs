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
/// They may always take this much: with stores of the usual size (some tens of MB) no copy has to go.
const ROOM_LEAST: u64 = 2 << 30;
/// Of what would be free without them they may take this part, where it is more.
const ROOM_PART: u64 = 10;
/// The newest are kept whatever they take: the newest alone might have been made of a store that was damaged already.
const NEWEST: usize = 2;

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

/// How much the hourly backups may take together on a disk with so much free and so much in them already, bytes. Counted without them, it
/// stays what it is while they are made and removed.
#[must_use]
pub fn room(free: u64, held: u64) -> u64 {
    ROOM_LEAST.max(free.saturating_add(held) / ROOM_PART)
}

/// The backups (moment, bytes) that have to go for the others to take no more than `room`. What is kept, first to last: the two newest,
/// the newest of each day, the other hours; of each of these the later before the earlier, and each that fits. So a store that has grown
/// huge is kept less often, and as far back as there is room.
#[must_use]
pub fn beyond(backups: &[(i64, u64)], room: u64, now: i64) -> Vec<i64> {
    let mut order = backups.to_vec();
    order.sort_unstable_by_key(|(at, _)| (is_future(*at, now), std::cmp::Reverse(*at)));
    let mut days = BTreeSet::new();
    let mut worth: Vec<(usize, i64, u64)> = Vec::new();
    for (place, (at, bytes)) in order.into_iter().enumerate() {
        let first_of_day = days.insert(at.div_euclid(DAY_MS));
        let class = if place < NEWEST { 0 } else { 2 - usize::from(first_of_day) };
        worth.push((class, at, bytes));
    }
    // Stable: within a class the later come first.
    worth.sort_by_key(|(class, ..)| *class);
    let mut taken = 0u64;
    worth.retain(|(class, _, bytes)| {
        let fits = *class == 0 || taken.saturating_add(*bytes) <= room;
        if fits {
            taken = taken.saturating_add(*bytes);
        }
        !fits
    });
    worth.into_iter().map(|(_, at, _)| at).collect()
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
    fn huge_backups_go_hours_first_then_days_and_the_two_newest_never() {
        const GIB: u64 = 1 << 30;
        // What thinning leaves: 24 hours, and the newest of six days before.
        let hours = (0..24).map(|hour| NOON - hour * HOUR_MS);
        let days = (2..8).map(|day| NOON - day * DAY_MS);
        let moments: Vec<i64> = hours.chain(days).collect();
        let kept = |bytes: u64, room: u64| {
            let all: Vec<(i64, u64)> = moments.iter().map(|at| (*at, bytes)).collect();
            let gone = beyond(&all, room, NOON);
            moments.iter().copied().filter(|at| !gone.contains(at)).collect::<Vec<i64>>()
        };
        assert_eq!(kept(50 << 20, 2 * GIB), moments, "a usual store keeps all");
        let some = kept(GIB, 10 * GIB);
        assert_eq!(some.len(), 10);
        assert_eq!(some[..3], moments[..3], "the newest hours");
        assert!(moments[24..].iter().all(|day| some.contains(day)), "each day");
        // Today's newest, the one before it, yesterday's newest, the day before that.
        let few = kept(GIB, 4 * GIB);
        assert_eq!(few, [NOON, NOON - HOUR_MS, NOON - 13 * HOUR_MS, NOON - 2 * DAY_MS]);
        assert_eq!(kept(GIB, 0), [NOON, NOON - HOUR_MS]);
        // One that is too large for what is left does not push out the smaller ones behind it.
        let mixed = [(NOON, 1), (NOON - HOUR_MS, 1), (NOON - 2 * DAY_MS, 100), (NOON - 3 * DAY_MS, 5)];
        assert_eq!(beyond(&mixed, 10, NOON), [NOON - 2 * DAY_MS]);
        // From a clock that was set back: the present comes first.
        let future = [(NOON + 400 * DAY_MS, 5), (NOON, 5), (NOON - HOUR_MS, 5)];
        assert_eq!(beyond(&future, 10, NOON), [NOON + 400 * DAY_MS]);
    }

    #[test]
    fn the_room_for_backups_is_a_tenth_of_what_would_be_free_without_them_and_never_less_than_two_gib() {
        const GIB: u64 = 1 << 30;
        assert_eq!((room(0, 0), room(20 * GIB, 0), room(100 * GIB, 0)), (2 * GIB, 2 * GIB, 10 * GIB));
        assert_eq!(room(70 * GIB, 30 * GIB), room(100 * GIB, 0), "their own size changes nothing");
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
