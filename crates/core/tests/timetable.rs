//! When schedules are due, against the real zones: tables of instants, and ten years in which each is later than the one before.

use footplate_core::UtcMs;
use footplate_core::timetable::{CatchUp, LATE_AFTER_MS, TIMES_MOST, Timetable};
use proptest::prelude::*;

const ANCHOR: UtcMs = UtcMs(0);

fn at(text: &str) -> UtcMs {
    UtcMs::parse(text).unwrap_or_else(|| panic!("{text} is no moment"))
}

fn table(text: &str, zone: &str) -> Timetable {
    Timetable::parse(text, zone).unwrap_or_else(|e| panic!("{text} in {zone}: {e}"))
}

/// The next times as they are written with the zone's own offset, which says what its clocks show.
fn next(text: &str, zone: &str, after: &str, expected: &[&str]) {
    let found = table(text, zone).upcoming(at(after), ANCHOR, expected.len());
    let expected: Vec<UtcMs> = expected.iter().map(|text| at(text)).collect();
    assert_eq!(found, expected, "{text} in {zone} after {after}");
}

#[test]
fn a_fixed_time_in_the_hour_that_is_left_out_is_due_at_its_end_and_one_that_comes_twice_the_first_time() {
    // The clocks go from 02:00 to 03:00, and from 03:00 back to 02:00.
    next(
        "30 2 * * *",
        "Europe/Berlin",
        "2026-03-27T12:00:00+01:00",
        &["2026-03-28T02:30:00+01:00", "2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"],
    );
    next(
        "30 2 * * *",
        "Europe/Berlin",
        "2026-10-24T12:00:00+02:00",
        &["2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"],
    );
    next(
        "30 2 * * *",
        "America/New_York",
        "2026-03-07T12:00:00-05:00",
        &["2026-03-08T03:00:00-04:00", "2026-03-09T02:30:00-04:00"],
    );
    next(
        "30 1 * * *",
        "America/New_York",
        "2026-10-31T12:00:00-04:00",
        &["2026-11-01T01:30:00-04:00", "2026-11-02T01:30:00-05:00"],
    );
    // Half an hour: from 02:00 to 02:30, and from 02:00 back to 01:30.
    next(
        "15 2 * * *",
        "Australia/Lord_Howe",
        "2026-10-03T12:00:00+10:30",
        &["2026-10-04T02:30:00+11:00", "2026-10-05T02:15:00+11:00"],
    );
    next(
        "45 1 * * *",
        "Australia/Lord_Howe",
        "2026-04-04T12:00:00+11:00",
        &["2026-04-05T01:45:00+11:00", "2026-04-06T01:45:00+10:30"],
    );
    next(
        "30 2 * * *",
        "Asia/Shanghai",
        "2026-03-28T12:00:00+08:00",
        &["2026-03-29T02:30:00+08:00", "2026-03-30T02:30:00+08:00"],
    );
}

#[test]
fn what_repeats_is_left_out_with_the_hour_and_comes_with_each_showing() {
    next(
        "*/30 * * * *",
        "Europe/Berlin",
        "2026-03-29T01:00:00+01:00",
        &["2026-03-29T01:30:00+01:00", "2026-03-29T03:00:00+02:00", "2026-03-29T03:30:00+02:00"],
    );
    next(
        "0 * * * *",
        "Europe/Berlin",
        "2026-10-25T01:00:00+02:00",
        &["2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00", "2026-10-25T03:00:00+01:00"],
    );
    next(
        "*/30 * * * *",
        "Australia/Lord_Howe",
        "2026-04-05T01:00:00+11:00",
        &["2026-04-05T01:30:00+11:00", "2026-04-05T01:30:00+10:30", "2026-04-05T02:00:00+10:30"],
    );
}

#[test]
fn the_short_forms_weekdays_and_the_ends_of_months() {
    next("@daily", "UTC", "2026-11-27T10:00:00Z", &["2026-11-28T00:00:00Z", "2026-11-29T00:00:00Z"]);
    next("@WEEKLY", "UTC", "2026-11-27T10:00:00Z", &["2026-11-29T00:00:00Z", "2026-12-06T00:00:00Z"]);
    next("0 9 * * mon-fri", "UTC", "2026-11-27T10:00:00Z", &["2026-11-30T09:00:00Z", "2026-12-01T09:00:00Z"]);
    next("0 0 L * *", "UTC", "2027-01-31T10:00:00Z", &["2027-02-28T00:00:00Z", "2027-03-31T00:00:00Z"]);
    next("0 0 29 2 *", "UTC", "2026-01-01T00:00:00Z", &["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"]);
    // Both days named: either will do, as cron has always had it.
    next("0 0 13 * 5", "UTC", "2026-11-10T00:00:00Z", &["2026-11-13T00:00:00Z", "2026-11-20T00:00:00Z"]);
}

#[test]
fn an_interval_counts_from_when_it_was_made_and_no_clock_changes_it() {
    let made = at("2026-03-28T20:10:00+01:00");
    let found = table("every 6h", "Europe/Berlin").upcoming(made, made, 3);
    assert_eq!(
        found,
        ["2026-03-29T02:10:00+01:00", "2026-03-29T09:10:00+02:00", "2026-03-29T15:10:00+02:00"].map(at),
        "six hours each, though a clock shows seven"
    );
    // Asked in the middle, a moment before, and on the moment itself.
    let every = table("every 90m", "UTC");
    let hour = 3_600_000;
    for (after, next) in [(0, 90), (hour, 90), (90 * 60_000 - 1, 90), (90 * 60_000, 180), (-1, 0)] {
        assert_eq!(every.next_after(UtcMs(after), ANCHOR), Some(UtcMs(next * 60_000)), "after {after}");
    }
}

#[test]
fn what_cannot_be_read_is_answered_with_the_field_and_what_is_allowed() {
    for (text, says, hint) in [
        ("61 * * * *", "\"61\" cannot be the minute of a schedule (field 1).", "0 to 59"),
        ("0 24 * * *", "\"24\" cannot be the hour of a schedule (field 2).", "0 to 23"),
        ("0 0 32 * *", "\"32\" cannot be the day of the month of a schedule (field 3).", "1 to 31"),
        ("0 0 1 13 *", "\"13\" cannot be the month of a schedule (field 4).", "JAN to DEC"),
        ("0 0 * * funday", "\"funday\" cannot be the day of the week of a schedule (field 5).", "MON"),
        ("*/0 * * * *", "\"*/0\" cannot be the minute", "*/15"),
        (
            "0 2 * *",
            "A schedule has 5 fields (minute, hour, day of the month, month, day of the week); \"0 2 * *\" has 4.",
            "30 2 * * *",
        ),
        ("0 0 2 * * *", "has 6.", "30 2 * * *"),
        ("nightly", "has 1.", "@daily"),
        ("", "has 0.", "@daily"),
        ("@nightly", "There is no short form \"@nightly\".", "@daily"),
        ("every now and then", "\"now and then\" is no interval.", "every 6h"),
        ("every 5s", "\"every 5s\" is too often.", "1m"),
        ("every 0m", "too often", "1m"),
    ] {
        let error = Timetable::parse(text, "UTC").expect_err(text);
        assert!(error.message.contains(says) && error.hint.contains(hint), "{text}: {error:?}");
    }
    for (zone, hint) in [("Berlin", "Europe/Berlin"), ("new york", "America/New_York"), ("Mars", "IANA"), ("", "IANA")]
    {
        let error = Timetable::parse("@daily", zone).expect_err(zone);
        assert!(error.message.contains(&format!("{zone:?}")) && error.hint.contains(hint), "{zone}: {error:?}");
    }
    assert_eq!(table("@daily", "europe/berlin"), table("@daily", "Europe/Berlin"));
}

#[test]
fn a_day_that_never_comes_is_never_due() {
    assert_eq!(table("0 0 30 2 *", "UTC").next_after(at("2026-01-01T00:00:00Z"), ANCHOR), None);
}

#[test]
fn what_is_on_time_starts_what_is_late_follows_the_rule_and_never_more_than_one_starts() {
    let daily = table("0 3 * * *", "UTC");
    let (third, minute) = (at("2026-11-27T03:00:00Z"), 60_000);
    let look = |now: i64, rule| daily.due(ANCHOR, third, UtcMs(third.0 + now), rule);
    for rule in [CatchUp::Once, CatchUp::Skip] {
        let early = look(-1, rule);
        assert_eq!((early.start, early.missed, early.next), (None, None, Some(third)));
        for late in [0, 5_000, LATE_AFTER_MS] {
            let due = look(late, rule);
            assert_eq!((due.start, due.missed), (Some(third), None), "{late} ms after");
            assert_eq!(due.next, Some(at("2026-11-28T03:00:00Z")));
        }
    }
    let (once, skip) = (look(10 * minute, CatchUp::Once), look(10 * minute, CatchUp::Skip));
    assert_eq!((once.start, once.missed), (Some(third), None));
    assert_eq!(skip.start, None);
    assert_eq!(skip.missed.map(|m| (m.from, m.until, m.times)), Some((third, third, 1)));
    // Three nights and a half of sleep: four times, one run or none.
    let week = 3 * 24 * 60 * minute + 12 * 60 * minute;
    let (once, skip) = (look(week, CatchUp::Once), look(week, CatchUp::Skip));
    let last = at("2026-11-30T03:00:00Z");
    assert_eq!(once.start, Some(last));
    assert_eq!(once.missed.map(|m| (m.from, m.until, m.times)), Some((third, at("2026-11-29T03:00:00Z"), 3)));
    assert_eq!(skip.missed.map(|m| (m.from, m.until, m.times)), Some((third, last, 4)));
    assert_eq!((once.next, skip.next), (Some(at("2026-12-01T03:00:00Z")), Some(at("2026-12-01T03:00:00Z"))));
    // The last of them is on time, the ones before are not.
    let fast = table("* * * * *", "UTC").due(ANCHOR, third, UtcMs(third.0 + 5 * minute + 1000), CatchUp::Skip);
    assert_eq!(fast.start, Some(UtcMs(third.0 + 5 * minute)));
    assert_eq!(fast.missed.map(|m| m.times), Some(5));
}

#[test]
fn a_year_of_minutes_is_not_counted_one_by_one() {
    let minutes = table("* * * * *", "Europe/Berlin");
    let (from, now) = (at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:30Z"));
    let due = minutes.due(ANCHOR, from, now, CatchUp::Once);
    assert_eq!(due.start, Some(at("2027-01-01T00:00:00Z")));
    assert_eq!(due.next, Some(at("2027-01-01T00:01:00Z")));
    let missed = due.missed.expect("a year of them");
    assert_eq!(missed.from, from);
    assert!(missed.times + 1 >= TIMES_MOST && missed.until < at("2027-01-01T00:00:00Z"), "{missed:?}");
}

const ZONES: [&str; 8] = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Shanghai",
    "Africa/Casablanca",
    "America/St_Johns",
    "Pacific/Chatham",
    "UTC",
];

fn expression() -> impl Strategy<Value = String> {
    let minute = prop_oneof![
        Just("*".to_owned()),
        Just("*/7".into()),
        Just("*/30".into()),
        (0..60u32).prop_map(|m| m.to_string())
    ];
    let hour = prop_oneof![
        Just("*".to_owned()),
        Just("*/5".into()),
        Just("0-3".into()),
        (0..24u32).prop_map(|h| h.to_string())
    ];
    let day = prop_oneof![Just("*".to_owned()), Just("L".into()), (1..29u32).prop_map(|d| d.to_string())];
    let week = prop_oneof![Just("*".to_owned()), Just("SUN".into()), Just("1-5".into())];
    prop_oneof![
        4 => (minute, hour, day, week).prop_map(|(m, h, d, w)| format!("{m} {h} {d} * {w}")),
        1 => (1..3000u32).prop_map(|m| format!("every {m}m")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Ten years, from changes of the clocks as well as from anywhere: each time is later than the one it is asked after, the times rise, and
    /// a look from between two of them finds the second.
    #[test]
    fn times_rise_strictly_over_ten_years(text in expression(), zone in 0..ZONES.len(), starts in prop::collection::vec(0..10 * 365 * 24 * 60i64, 24)) {
        let table = table(&text, ZONES[zone]);
        let first = at("2024-01-01T00:00:00Z").0;
        for start in starts {
            let mut after = UtcMs(first + start * 60_000);
            for _ in 0..6 {
                let Some(next) = table.next_after(after, UtcMs(first)) else { break };
                prop_assert!(next > after, "{text} in {}: {next} after {after}", ZONES[zone]);
                let between = UtcMs(after.0 + (next.0 - after.0) / 2);
                prop_assert_eq!(table.next_after(between, UtcMs(first)), Some(next), "{} in {} from {}", text, ZONES[zone], between);
                after = next;
            }
        }
    }

    /// Looked at whenever, however late: each time is started or missed, none twice.
    #[test]
    fn whenever_it_is_looked_at_no_time_is_started_twice_and_none_is_lost(
        text in expression(), zone in 0..ZONES.len(), start in 0..10 * 365 * 24 * 60i64,
        looks in prop::collection::vec(0..2 * 24 * 3600i64, 6), once in any::<bool>(),
    ) {
        let (table, anchor) = (table(&text, ZONES[zone]), at("2024-01-01T00:00:00Z"));
        let mut now = UtcMs(anchor.0 + start * 60_000);
        let Some(first) = table.next_after(now, anchor) else { return Ok(()) };
        let (mut next, mut counted) = (first, 0u64);
        for look in looks {
            now = UtcMs(now.0 + look * 1000);
            let due = table.due(anchor, next, now, if once { CatchUp::Once } else { CatchUp::Skip });
            counted += u64::from(due.missed.map_or(0, |m| m.times)) + u64::from(due.start.is_some());
            if let Some(started) = due.start {
                prop_assert!(started >= next && started <= now);
            }
            let Some(after) = due.next else { break };
            prop_assert!(after > now);
            next = after;
        }
        let all = std::iter::successors(Some(first), |at| table.next_after(*at, anchor)).take_while(|at| *at <= now).count();
        prop_assert_eq!(counted, all as u64);
    }
}
