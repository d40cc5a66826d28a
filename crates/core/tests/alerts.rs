//! Rules on metrics: what raises an alert, what ends it, and that each episode is told once, also by a watch that was kept and taken up.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use footplate_core::UtcMs;
use footplate_core::alert::{AlertRule, Episode, Seen, Watch};

fn rules(json: serde_json::Value) -> Vec<AlertRule> {
    serde_json::from_value(json).unwrap()
}

/// Points of `loss`, a second apart; of each episode told: number, began, ended, sentence. The watch is kept and taken up after each.
fn told(rules: &[AlertRule], values: &[f64]) -> Vec<(u32, i64, Option<i64>, String)> {
    let mut watch = Watch::default();
    let mut all = Vec::new();
    for (index, value) in values.iter().enumerate() {
        let time_ms = index as i64;
        let mut episodes = Vec::new();
        let seen = Seen { name: "loss", value: *value, step: Some(time_ms), epoch: Some(f64::NAN), time_ms };
        watch.point(rules, seen, &mut episodes);
        let kept = serde_json::to_string(&watch).unwrap();
        assert_eq!(serde_json::from_str::<Watch>(&kept).unwrap(), watch, "{kept}");
        watch = serde_json::from_str(&kept).unwrap();
        all.extend(episodes);
    }
    let newest = watch.newest().last().cloned();
    assert_eq!(newest, all.last().cloned(), "who takes it up tells the newest again");
    let line = |e: Episode| (e.number, e.since, e.ended, e.facts.sentence(UtcMs(e.since)));
    all.into_iter().map(line).collect()
}

fn row(number: u32, since: i64, ended: Option<i64>, text: &str) -> (u32, i64, Option<i64>, String) {
    (number, since, ended, text.to_owned())
}

const NAN: f64 = f64::NAN;

#[test]
fn not_a_number_is_told_once_until_it_is_one_again() {
    let rules = rules(serde_json::json!([{ "metric": "loss", "when": "nan" }]));
    assert_eq!(
        told(&rules, &[1.0, NAN, NAN, f64::INFINITY, 2.0, f64::NEG_INFINITY]),
        [row(1, 1, None, "loss is nan"), row(1, 1, Some(4), "loss is nan"), row(2, 5, None, "loss is -inf"),]
    );
}

#[test]
fn a_bound_counts_points_in_a_row_and_is_itself_allowed() {
    let above = rules(serde_json::json!([{ "metric": "loss", "when": "above", "value": 10, "for": 3 }]));
    assert_eq!(
        told(&above, &[11.0, 12.0, 10.0, 11.0, 12.0, 13.5, 14.0, 10.0, 11.0, NAN, 12.0, 13.0]),
        [
            row(1, 3, None, "loss is 13.5, above 10 for 3 points"),
            row(1, 3, Some(7), "loss is 13.5, above 10 for 3 points"),
        ]
    );
    let below = rules(serde_json::json!([{ "metric": "loss", "when": "below", "value": 0.5 }]));
    assert_eq!(told(&below, &[0.5, NAN, 0.25]), [row(1, 2, None, "loss is 0.25, below 0.5")]);
}

#[test]
fn no_improvement_counts_from_the_best_and_what_is_no_number_is_never_better() {
    let least = rules(serde_json::json!([{ "metric": "loss", "when": "no_improvement", "for": 2 }]));
    assert_eq!(
        told(&least, &[3.0, 2.0, 2.0, NAN, 1.5, f64::NEG_INFINITY, 1.6]),
        [
            row(1, 2, None, "loss has not improved on 2 for 2 points"),
            row(1, 2, Some(4), "loss has not improved on 2 for 2 points"),
            row(2, 5, None, "loss has not improved on 1.5 for 2 points"),
        ]
    );
    let most = rules(serde_json::json!([{ "metric": "loss", "when": "no_improvement", "for": 2, "mode": "max" }]));
    assert_eq!(told(&most, &[1.0, 2.0, 3.0, 2.5]), []);
    assert_eq!(told(&most, &[NAN, NAN]), [row(1, 0, None, "loss has had no finite value for 2 points")]);
}

#[test]
fn each_rule_has_its_own_memory_and_other_metrics_are_none_of_its_business() {
    let rules = rules(serde_json::json!([
        { "metric": "accuracy", "when": "below", "value": 0.9 },
        { "metric": "loss", "when": "above", "value": 1, "action": "stop" },
        { "metric": "loss", "when": "above", "value": 2 },
    ]));
    let found = told(&rules, &[3.0, 1.5]);
    assert_eq!(found.iter().map(|row| (row.0, row.2)).collect::<Vec<_>>(), [(1, None), (1, None), (1, Some(1))]);
}
