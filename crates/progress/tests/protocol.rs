//! The protocol, rule by rule.
#![allow(clippy::unwrap_used, reason = "a test fails where it stands")]

mod common;

use common::{Heard, read, reader};
use footplate_progress::{Level, Note, Options, Reader, STATE_LIMIT, Source};
use serde_json::json;

fn line(json: &str) -> String {
    format!("##PROGRESS##{json}##\n")
}

#[test]
fn every_key_of_the_table_is_read() {
    let (reader, heard) = read(&line(
        r#"{"type":"progress","progress":0.5,"overall_progress":0.25,"stage":"fit","message":"now","step":5,"total":20,
        "epoch":1.5,"epochs":3,"eta_s":12.5,"metrics":{"loss":1.25},"level":"error","status":"busy","error":"oops",
        "timestamp":"2026-01-01T00:00:00Z","colour":{"a":[1]}}"#
            .replace('\n', "")
            .as_str(),
    ));
    let s = reader.state();
    assert_eq!((s.progress, s.raw_progress, s.overall_progress), (Some(0.5), Some(0.5), Some(0.25)));
    assert_eq!((s.inner_stage.as_deref(), s.message.as_deref()), (Some("fit"), Some("now")));
    assert_eq!((s.step, s.total, s.epoch, s.epochs), (Some(5), Some(20), Some(1.5), Some(3.0)));
    assert_eq!((s.eta_s, s.status.as_deref(), s.error.as_deref()), (Some(12.5), Some("busy"), Some("oops")));
    assert_eq!(s.source, Source::Protocol);
    assert_eq!(heard.points, [("loss".into(), Some(5), Some(1.5), 1_767_225_600_000, "1.25".into())]);
    assert_eq!(heard.levels, [(0, Level::Error)]);
    assert_eq!(heard.unknown, [("colour".into(), r#"{"a":[1]}"#.into())]);
    assert_eq!(s.counters.bad_values, 0);
}

#[test]
fn progress_is_step_of_total_where_absent() {
    let (reader, _) = read(&line(r#"{"step":3,"total":12}"#));
    assert_eq!(reader.state().progress, Some(0.25));
    let (reader, _) = read(&(line(r#"{"step":3,"total":12}"#) + &line(r#"{"step":6}"#)));
    assert_eq!((reader.state().progress, reader.state().total), (Some(0.5), Some(12)));
    let (reader, _) = read(&line(r#"{"step":3,"total":0}"#));
    assert_eq!(reader.state().progress, None);
}

#[test]
fn steps_that_begin_anew_each_epoch_are_weighed_by_epochs() {
    let text: String = [(1, 10), (2, 5), (2, 10), (4, 10)]
        .iter()
        .map(|(epoch, step)| line(&format!(r#"{{"epoch":{epoch},"epochs":4,"step":{step},"total":10}}"#)))
        .collect();
    let (mut reader, mut heard) = (reader(), Heard::default());
    let mut seen = Vec::new();
    for one in text.lines() {
        reader.feed(format!("{one}\n").as_bytes(), 0, &mut heard);
        seen.push(reader.state().progress.unwrap());
    }
    assert_eq!(seen, [1.0, 0.375, 0.5, 1.0]);
}

#[test]
fn progress_outside_its_bounds_is_clamped_kept_raw_and_said_once() {
    for (raw, clamped) in
        [("1.5", Some(1.0)), ("-3", Some(0.0)), ("\"nan\"", None), ("NaN", None), ("\"inf\"", Some(1.0))]
    {
        let one = line(&format!(r#"{{"progress":{raw}}}"#));
        let (reader, heard) = read(&(one.clone() + &one));
        let s = reader.state();
        assert_eq!(s.progress, clamped, "{raw}");
        assert_eq!(s.counters.clamped, 2, "{raw}");
        assert_eq!(heard.notes.len(), 1, "{raw}: {:?}", heard.notes);
        assert!(matches!(heard.notes[0], Note::ProgressClamped { .. }));
        assert!(s.raw_progress.is_some_and(|kept| !(0.0..=1.0).contains(&kept)));
    }
}

#[test]
fn the_bar_never_goes_back_but_for_a_new_inner_stage() {
    let (reader, heard) =
        read(&(line(r#"{"progress":0.5}"#) + &line(r#"{"progress":0.25}"#) + &line(r#"{"progress":0.1}"#)));
    assert_eq!((reader.state().progress, reader.state().raw_progress), (Some(0.5), Some(0.1)));
    assert_eq!(heard.notes, [Note::ProgressWentBack { from: 0.5, to: 0.25 }]);
    let (reader, heard) = read(&(line(r#"{"stage":"a","progress":0.5}"#) + &line(r#"{"stage":"b","progress":0.25}"#)));
    assert_eq!((reader.state().progress, heard.notes.len()), (Some(0.25), 0));
}

#[test]
fn metrics_take_null_nan_and_infinities() {
    let (reader, heard) = read(&line(
        r#"{"step":1,"metrics":{"a":1,"b":null,"c":"nan","d":"inf","e":"-inf","f":"text","g":[1],"h":{},"i":true,"j":-2.5}}"#,
    ));
    assert_eq!(heard.short(), ["a@1=1", "c@1=NaN", "d@1=inf", "e@1=-inf", "j@1=-2.5"]);
    assert_eq!(reader.state().counters.bad_values, 4);
    assert_eq!(heard.notes, [Note::BadValue { offset: 0 }]);
}

#[test]
fn bare_nan_of_python_is_understood() {
    let (reader, heard) =
        read(&line(r#"{"step":2,"metrics":{"loss":NaN,"a":-Infinity,"b":Infinity},"message":"NaN, said \"NaN\""}"#));
    assert_eq!(heard.short(), ["loss@2=NaN", "a@2=-inf", "b@2=inf"]);
    assert_eq!(reader.state().message.as_deref(), Some("NaN, said \"NaN\""));
    assert_eq!(reader.state().counters.bad_lines, 0);
}

#[test]
fn what_is_no_line_of_the_protocol_is_counted_and_read_as_log() {
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(32), "]".repeat(32));
    let bad = ["[1,2]", "", "{", "{broken", "7", "null", "{\"a\":\u{0}}", "{\"progress\":1e999}", deep.as_str()];
    for one in bad {
        let (reader, heard) = read(&(line(one) + &line(r#"{"progress":0.5}"#)));
        assert_eq!(reader.state().counters.bad_lines, 1, "{one}");
        assert!(matches!(heard.notes[..], [Note::BadLine { offset: 0, .. }]), "{one}: {:?}", heard.notes);
        assert_eq!(reader.state().progress, Some(0.5), "{one}");
    }
    let (mut reader, mut heard) = (reader(), Heard::default());
    reader.feed(b"##PROGRESS##{\"message\":\"\xff\xfe\"}##\n##PROGRESS##{\"step\":1}\n", 0, &mut heard);
    assert_eq!(reader.state().counters.bad_lines, 2);
    assert_eq!(reader.state().message, None);
}

#[test]
fn nesting_up_to_the_limit_is_read() {
    let deep = format!("{{\"output\":{{\"a\":{}1{}}}}}", "[".repeat(30), "]".repeat(30));
    let (reader, heard) = read(&line(&deep));
    assert_eq!((reader.state().counters.bad_lines, heard.outputs.len()), (0, 1));
    let brackets = line(&format!(r#"{{"message":"{}"}}"#, "[{".repeat(500)));
    assert_eq!(read(&brackets).0.state().counters.bad_lines, 0, "brackets within a text are no nesting");
}

#[test]
fn values_of_the_wrong_kind_are_left_out_and_the_rest_stands() {
    let (reader, heard) = read(&line(
        r#"{"progress":"half","step":-1,"total":1.5,"epoch":[1],"stage":{"a":1},"message":"m","metrics":[1],"checkpoint":7,"output":"x","timestamp":"soon","level":"loud"}"#,
    ));
    let s = reader.state();
    assert_eq!((s.progress, s.step, s.total, s.epoch), (None, None, None, None));
    assert_eq!(s.message.as_deref(), Some("m"));
    assert_eq!(s.counters.bad_values, 10);
    assert_eq!((heard.checkpoints.len(), heard.outputs.len(), heard.levels.len()), (0, 0, 0));
}

#[test]
fn a_status_is_noted_once_and_is_only_text() {
    let (reader, heard) = read(&(line(r#"{"status":"completed"}"#) + &line(r#"{"status":"failed","error":"e"}"#)));
    assert_eq!(reader.state().status.as_deref(), Some("failed"));
    assert_eq!(heard.notes, [Note::ChildStatus { status: "completed".into() }, Note::ChildError { error: "e".into() }]);
}

#[test]
fn checkpoints_and_outputs_are_handed_on() {
    let (_, heard) = read(&line(
        r#"{"step":9,"checkpoint":{"path":"a/b.pt","metrics":{"val":0.5,"n":null}},"output":{"acc":0.97,"deep":{"x":[1,"y"]}}}"#,
    ));
    let c = &heard.checkpoints[0];
    assert_eq!((c.path.as_str(), c.step), ("a/b.pt", Some(9)));
    assert_eq!(c.metrics, [("val".to_owned(), Some(0.5)), ("n".to_owned(), None)]);
    assert_eq!(heard.outputs, [("acc".into(), json!(0.97)), ("deep".into(), json!({"x": [1, "y"]}))]);
    let (reader, heard) = read(&line(r#"{"checkpoint":{"path":"","step":1}}"#));
    assert_eq!((heard.checkpoints.len(), reader.state().counters.bad_values), (0, 1));
}

#[test]
fn a_log_line_is_no_message() {
    let (reader, heard) = read(&format!("x\n{}", line(r#"{"type":"log","message":"said"}"#)));
    assert_eq!((reader.state().message.as_deref(), heard.levels), (None, vec![(2, Level::Info)]));
}

#[test]
fn sixty_four_kibibytes_are_read_and_one_more_is_not() {
    let frame = line(r#"{"message":""}"#).len() - 1;
    for (extra, long) in [(0, 0), (1, 1)] {
        let text = line(&format!(r#"{{"message":"{}"}}"#, "x".repeat(64 * 1024 - frame + extra)));
        let (reader, heard) = read(&(text + &line(r#"{"progress":0.5}"#)));
        assert_eq!(reader.state().counters.over_long, long);
        assert_eq!(reader.state().message.is_some(), long == 0);
        assert_eq!(heard.notes.len() as u64, long);
        assert_eq!(reader.state().progress, Some(0.5));
    }
}

#[test]
fn two_hundred_series_with_names_of_128_bytes() {
    let (mut reader, mut heard) = (reader(), Heard::default());
    for at in 0..250 {
        reader.feed(line(&format!(r#"{{"metrics":{{"m{at}":1}}}}"#)).as_bytes(), 0, &mut heard);
    }
    assert_eq!((heard.points.len(), reader.state().counters.series_over), (200, 50));
    assert_eq!(heard.notes, [Note::TooManySeries { name: "m200".into() }]);
    let (reader, heard) =
        read(&line(&format!(r#"{{"metrics":{{"{}":1,"{}":2,"":3,"a\u001bb":4}}}}"#, "x".repeat(128), "x".repeat(129))));
    assert_eq!((heard.points.len(), reader.state().counters.bad_names), (1, 3));
}

/// One line of a loss.
fn loss(step: i64) -> String {
    line(&format!(r#"{{"step":{step},"metrics":{{"loss":{step}}}}}"#))
}

#[test]
fn a_flood_is_thinned_to_ten_points_a_second_the_first_and_the_latest_among_them() {
    let (mut reader, mut heard) = (reader(), Heard::default());
    for at in 0..3000 {
        reader.feed(loss(at).as_bytes(), at, &mut heard);
    }
    reader.finish(3000, &mut heard);
    let steps: Vec<u64> = heard.points.iter().map(|point| point.1.unwrap()).collect();
    assert!(steps.iter().take(600).copied().eq(0..600), "a minute's worth to begin with");
    assert_eq!((steps.last(), steps.len()), (Some(&2999), 630));
    assert_eq!(reader.state().counters.dropped_points, 2370);
    assert!(matches!(heard.notes[..], [Note::PointsDropped { .. }]));
}

#[test]
fn who_reads_late_or_finds_much_at_once_leaves_nothing_out_that_was_slow_enough() {
    let (mut reader, mut heard) = (reader(), Heard::default());
    // Five a second, read each second; then nobody reads for a minute and a half.
    let mut step = 0;
    for read_at in (0..200_000).step_by(1_000).chain([290_000]).chain((291_000..300_000).step_by(1_000)) {
        let text: String = (step..read_at / 200).map(loss).collect();
        step = step.max(read_at / 200);
        reader.feed(text.as_bytes(), read_at, &mut heard);
    }
    // A program that writes forty lines at once, each six seconds.
    for burst in 50..100 {
        let text: String = (0..40).map(|line| loss(burst * 40 + line)).collect();
        reader.feed(text.as_bytes(), burst * 6_000, &mut heard);
    }
    assert_eq!(reader.state().counters.dropped_points, 0);
    assert_eq!(heard.points.len() as i64, step + 50 * 40);
    // Not saved up for ever, and a clock that is put back loses nothing.
    for at in 0..10_000 {
        reader.feed(loss(at).as_bytes(), 90_000_000, &mut heard);
    }
    assert_eq!(reader.state().counters.dropped_points, 3_999);
    let before = heard.points.len();
    reader.feed(loss(1).as_bytes(), 1_000_000, &mut heard);
    assert_eq!(heard.points.len(), before + 1, "the held one goes on");
}

#[test]
fn a_held_point_is_handed_on_when_there_is_room_without_more_output() {
    let (mut reader, mut heard) = (reader(), Heard::default());
    for step in 0..620 {
        reader.feed(loss(step).as_bytes(), 5, &mut heard);
    }
    reader.feed(b"", 104, &mut heard);
    assert_eq!(heard.points.len(), 600);
    reader.feed(b"", 105, &mut heard);
    assert_eq!(heard.points.last().unwrap().1, Some(619));
    assert_eq!(reader.held().count(), 0);
}

#[test]
fn the_newest_value_is_known_before_there_is_room_for_it() {
    let (mut reader, mut heard) = (reader(), Heard::default());
    for at in 0..620 {
        reader.feed(line(&format!(r#"{{"metrics":{{"loss":{at},"once":1}}}}"#)).as_bytes(), 5, &mut heard);
        let newest = reader.held().find(|(name, _)| *name == "loss").map(|(_, value)| value);
        assert_eq!(newest, (at >= 600).then_some(at as f64));
    }
    let again = Reader::restore(Options::default(), &reader.save()).unwrap();
    assert_eq!(again.held().collect::<Vec<_>>(), [("loss", 619.0), ("once", 1.0)]);
}

#[test]
fn the_protocol_beats_a_bar_and_a_bar_goes_on_without_positions() {
    let bar = "\r 90%|█████████ | 9/10 [00:01<00:01,  1.00it/s, loss=7]\n";
    let (reader, heard) = read(&format!("{}{bar}", line(r#"{"progress":0.5,"metrics":{"loss":1}}"#)));
    assert_eq!((reader.state().progress, reader.state().source), (Some(0.5), Source::Protocol));
    assert_eq!(heard.short(), ["loss@-=1"], "a figure known from the protocol counts once");
    let (reader, _) = read(&format!("{bar}{}", line(r#"{"progress":0.5}"#)));
    assert_eq!(reader.state().progress, Some(0.5), "the better source may begin lower");
    let (reader, _) = read(&format!("{}{bar}", line(r#"{"type":"heartbeat"}"#)));
    assert_eq!((reader.state().progress, reader.state().source), (Some(0.9), Source::Tqdm));
}

#[test]
fn a_line_is_found_behind_a_bar_in_colour_and_with_crlf() {
    let text = "\r 50%|#####     | 1/2 [00:01<00:01,  1.00it/s]##PROGRESS##{\"step\":1}##\n\
                \x1b[32m##PROGRESS##{\"step\":2}##\x1b[0m\r\n\
                ##PROGRESS##{\"step\":3}##\r\nINFO: ##PROGRESS##{\"step\":4}## \n";
    let (reader, _) = read(text);
    assert_eq!((reader.state().counters.protocol_lines, reader.state().step), (4, Some(4)));
    assert_eq!(reader.state().counters.bad_lines, 0);
}

#[test]
fn two_lines_that_ran_together_are_both_read() {
    let (reader, _) = read("##PROGRESS##{\"step\":1,\"message\":\"##PROGRESS##{}##\"}####PROGRESS##{\"total\":4}##\n");
    let s = reader.state();
    assert_eq!((s.counters.protocol_lines, s.counters.bad_lines), (2, 0));
    assert_eq!((s.step, s.total, s.message.as_deref()), (Some(1), Some(4), Some("##PROGRESS##{}##")));
}

#[test]
fn the_last_line_counts_without_a_newline() {
    let (mut reader, mut heard) = read("##PROGRESS##{\"progress\":0.75}##");
    assert_eq!(reader.state().progress, None);
    reader.finish(0, &mut heard);
    assert_eq!(reader.state().progress, Some(0.75));
}

#[test]
fn time_left_is_estimated_after_three_points_unless_the_program_says() {
    let (mut reader, mut heard) = (reader(), Heard::default());
    let mut seen = Vec::new();
    for at in 0..5u32 {
        reader.feed(
            line(&format!(r#"{{"step":{},"total":100}}"#, at * 10)).as_bytes(),
            i64::from(at) * 10_000,
            &mut heard,
        );
        seen.push(reader.state().eta_s.map(f64::round));
    }
    assert_eq!(seen, [None, None, Some(80.0), Some(70.0), Some(60.0)]);
    assert_eq!(reader.state().rate.map(f64::round), Some(1.0));
    reader.feed(line(r#"{"step":41,"eta_s":5}"#).as_bytes(), 41_000, &mut heard);
    reader.feed(line(r#"{"step":42}"#).as_bytes(), 42_000, &mut heard);
    assert_eq!(reader.state().eta_s, Some(4.0));
}

#[test]
fn patterns_of_the_stage() {
    let options = Options {
        progress_pattern: Some(r"step (?P<step>\d+) of (?P<total>[\d,]+)".into()),
        metric_pattern: Some(r"(?P<name>\w+)=(?P<value>[-\d.e]+|nan)".into()),
    };
    let (mut reader, mut heard) = (Reader::new(options.clone()).unwrap(), Heard::default());
    reader.feed(b"step 250 of 1,000: loss=0.5 acc=nan\n", 0, &mut heard);
    assert_eq!((reader.state().progress, reader.state().source), (Some(0.25), Source::Pattern));
    assert_eq!(heard.short(), ["loss@250=0.5", "acc@250=NaN"]);
    let mut restored = Reader::restore(options, &reader.save()).unwrap();
    restored.feed(b"step 500 of 1,000\n", 0, &mut heard);
    assert_eq!(restored.state().progress, Some(0.5));

    let by_group = Options {
        progress_pattern: Some(r"(?P<progress>\d+) ?%".into()),
        metric_pattern: Some(r"it (?P<step>\d+) L (?P<loss>[\d.]+) A (?P<acc>[\d.]+)".into()),
    };
    let (mut reader, mut heard) = (Reader::new(by_group).unwrap(), Heard::default());
    reader.feed(b"done 45 %\nit 7 L 0.5 A 0.75\n", 0, &mut heard);
    assert_eq!(reader.state().progress, Some(0.45));
    assert_eq!(heard.short(), ["loss@7=0.5", "acc@7=0.75"]);
}

#[test]
fn patterns_that_cannot_work_are_refused_by_name() {
    let refuse = |progress: Option<&str>, metric: Option<&str>| {
        let options =
            Options { progress_pattern: progress.map(str::to_owned), metric_pattern: metric.map(str::to_owned) };
        Reader::new(options).unwrap_err()
    };
    assert_eq!(refuse(Some("("), None).key, "progress_pattern");
    assert!(refuse(Some(r"(\d+)"), None).message.contains("step, total"));
    assert_eq!(refuse(None, Some("(?P<name>x)")).key, "metric_pattern");
    assert!(refuse(None, Some(r"(?P<step>\d+)")).message.contains("named group"));
}

#[test]
fn the_fullest_state_fits() {
    let (mut reader, mut heard) = (reader(), Heard::default());
    for round in 0..30 {
        for at in 0..200 {
            let json = format!(
                r#"{{"step":18446744073709551615,"epoch":1.5,"metrics":{{"{at:0>128}":{round}}},"message":"{0}","stage":"{0}","status":"{0}","error":"{0}"}}"#,
                "é".repeat(700)
            );
            reader.feed(line(&json).as_bytes(), i64::MAX, &mut heard);
        }
    }
    for row in 0..12 {
        reader.feed(format!("\r{row}{}\n", "█".repeat(1500)).as_bytes(), 0, &mut heard);
        reader.feed(format!("\x1b[A\r{}\n", "█".repeat(1500)).as_bytes(), 0, &mut heard);
    }
    reader.feed("\x1b[A".repeat(4).as_bytes(), 0, &mut heard);
    reader.feed("\u{10ffff}".repeat(2000).as_bytes(), 0, &mut heard);
    reader.feed(format!("##PROGRESS##{}", "x".repeat(1020)).as_bytes(), 0, &mut heard);
    let saved = reader.save();
    assert!(saved.len() <= STATE_LIMIT, "{}", saved.len());
    assert!(saved.len() > 40_000, "the test fills it: {}", saved.len());
    assert_eq!(Reader::restore(Options::default(), &saved).unwrap().save(), saved);
}
