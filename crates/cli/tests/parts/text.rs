//! What people read.

use chrono::FixedOffset;
use footplate_cli::text::{Align, Cell, Colour, Table, colour, cut, table, visible, when, width};
use footplate_core::UtcMs;

fn runs() -> Table {
    let mut table = Table::new(&[
        ("RUN", Align::Right),
        ("NAME", Align::Left),
        ("EMPTY", Align::Left),
        ("DONE", Align::Right),
        ("NOTE", Align::Left),
    ])
    .flexible(&[4, 1])
    .optional(&[3]);
    table.row(vec![
        "#7".into(),
        Cell::new("digits-7").colour(Colour::Green),
        Cell::default(),
        "42%".into(),
        "epoch 9 of 20, and on it goes".into(),
    ]);
    table.row(vec!["#142".into(), "手書き".into()]);
    table
}

#[test]
fn columns_are_aligned_and_empty_ones_left_out() {
    insta::assert_snapshot!(runs().render(false, None), @r"
     RUN  NAME      DONE  NOTE
      #7  digits-7   42%  epoch 9 of 20, and on it goes
    #142  手書き
    ");
}

#[test]
fn the_flexible_column_gives_way_to_a_narrow_terminal() {
    let text = runs().render(false, Some(44));
    assert!(text.lines().all(|line| width(line) <= 44), "{text}");
    assert!(text.contains("epoch 9 of 20, and on…"), "{text}");
}

#[test]
fn a_terminal_that_is_narrower_still_loses_columns_and_no_line_is_broken() {
    let mut table = runs();
    table.row(vec!["#143".into(), "a name that somebody wrote with care".into(), Cell::default(), "7%".into()]);
    for columns in 40..120 {
        let text = table.render(false, Some(columns));
        assert!(text.lines().all(|line| width(line) <= columns), "{columns}: {text}");
        assert_eq!(text.contains("DONE"), columns >= 46, "{columns}: {text}");
    }
    // The first to be cut is cut first.
    let text = table.render(false, Some(70));
    assert!(
        text.contains("wrote with care") && text.contains("epoch 9 of 20,") && !text.contains("on it goes"),
        "{text}"
    );
}

#[test]
fn colours_change_no_widths() {
    let painted = runs().render(true, None);
    assert!(painted.contains("\x1b[32mdigits-7\x1b[0m"), "{painted:?}");
    let mut bare = painted;
    for sequence in ["\x1b[32m", "\x1b[2m", "\x1b[0m"] {
        bare = bare.replace(sequence, "");
    }
    assert_eq!(bare, runs().render(false, None));
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    assert!(colour::wanted(true, None, Some("xterm")));
    assert!(colour::wanted(true, Some(""), Some("xterm")));
    assert!(!colour::wanted(true, Some("1"), Some("xterm")));
    assert!(!colour::wanted(true, None, Some("dumb")));
    assert!(!colour::wanted(false, None, Some("xterm")));
}

#[test]
fn nothing_of_others_reaches_the_terminal_as_a_command() {
    let hostile =
        ["a\x1b[2Jb", "a\x1b]0;title\x07b", "a\rb", "a\u{202e}b", "a\u{9b}2Jb", "a\x08b", "a\nb", "a\u{2066}b"];
    for text in hostile {
        let mut table = Table::new(&[("NAME", Align::Left)]);
        table.row(vec![Cell::new(text)]);
        let cell = table.render(false, None);
        for shown in [visible(text), cell.trim_start_matches("NAME\n").trim_end_matches('\n').to_owned()] {
            assert!(
                !shown.chars().any(|c| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c) || c == '\u{2066}'),
                "{shown:?}"
            );
            assert!(shown.starts_with('a') && shown.ends_with('b') && shown.len() > 2, "{shown:?}");
        }
    }
}

#[test]
fn times_sizes_and_numbers_are_short() {
    for (seconds, text) in [
        (0.0, "0ms"),
        (0.0123, "12ms"),
        (0.0996, "0.1s"),
        (0.42, "0.4s"),
        (9.96, "10s"),
        (59.6, "1m 0s"),
        (72.0, "1m 12s"),
        (3599.4, "59m 59s"),
        (11_100.0, "3h 5m"),
        (187_200.0, "2d 4h"),
        (-1.0, "?"),
        (f64::NAN, "?"),
    ] {
        assert_eq!(when::span(seconds), text, "{seconds}");
    }
    for (bytes, text) in [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (1_400_000_000, "1.4 GB"), (999_999, "1.0 MB")]
    {
        assert_eq!(when::size(bytes), text);
    }
    for (share, text) in
        [(0.0, "0%"), (0.29, "29%"), (0.999, "99%"), (1.0, "100%"), (1.5, "100%"), (-1.0, "0%"), (f64::NAN, "?")]
    {
        assert_eq!(when::percent(share), text);
    }
    for (value, text) in [
        (3.0, "3"),
        (0.123_456, "0.1235"),
        (0.0001, "0.0001"),
        (0.000_03, "3.000e-5"),
        (12.345_6, "12.35"),
        (1_234_567.8, "1.235e6"),
        (f64::NAN, "NaN"),
        (f64::NEG_INFINITY, "-inf"),
    ] {
        assert_eq!(when::number(value), text);
    }
}

#[test]
fn moments_are_told_with_their_zone() {
    let at = UtcMs::parse("2026-11-21T20:01:02.345Z").unwrap();
    let zone = FixedOffset::east_opt(3600).unwrap();
    assert_eq!(when::moment_in(at, &zone, "%Y-%m-%d %H:%M:%S %:z"), "2026-11-21 21:01:02 +01:00");
    let sentence = "Zone A: not before 2026-11-21T20:01:02.345Z, or größer Z 2026-11-21T20:01:02.345Z";
    assert_eq!(
        when::local_in(sentence, &zone),
        "Zone A: not before 2026-11-21 21:01:02 +01:00, or größer Z 2026-11-21 21:01:02 +01:00"
    );
    for kept in ["Z", "", "é0-11-21T20:01:02.345Z", "2026-13-21T20:01:02.345Z"] {
        assert_eq!(when::local_in(kept, &zone), kept);
    }
    // Out of chrono's range: told all the same.
    assert_eq!(when::moment_in(UtcMs(i64::MAX), &zone, "%Y"), UtcMs(i64::MAX).to_string());
}

#[test]
fn pairs_and_cuts() {
    let text = table::pairs(&[("a", "1".into()), ("long name", "2".into()), ("", "3".into())], false);
    assert_eq!(text, "a          1\nlong name  2\n           3\n");
    assert_eq!(cut("手書き文字", 6), "手書…");
    assert_eq!(cut("abc", 3), "abc");
}
