//! What watches over a stage: whether its rules mean something.

use footplate_core::alert::{AlertRule, AlertWhen, Better, MAX_ALERTS};
use footplate_core::definition::Stage;

use super::stage::One;
use crate::problem::{Problem, shown};

/// The longest name of a metric, bytes: what the reader of output takes.
const NAME_MOST: usize = 128;
/// The shortest silence: below it, a program that is about to print is called stalled.
const STALL_LEAST_MS: u64 = 1_000;

impl One<'_> {
    pub(super) fn guards(&mut self, stage: &Stage) {
        let name = self.name;
        if let Some(stall) = stage.stall
            && stall.0 < STALL_LEAST_MS
        {
            let message = format!("stages.{name}.stall must be at least 1s, not {stall}");
            self.push(&["stall"], Problem::new("out_of_range", message).hint("leave it out for no such alert"));
        }
        if stage.stall.is_none() && stage.stall_action != Default::default() {
            let message = format!("stages.{name}.stall_action says what follows from a stall, and there is none");
            self.push(
                &["stall_action"],
                Problem::new("wrong_place", message).hint("write for example stall = \"30m\""),
            );
        }
        if stage.alerts.len() > MAX_ALERTS {
            let message = format!("stage \"{name}\" has {} alerts; the limit is {MAX_ALERTS}", stage.alerts.len());
            self.add(&["alerts"], "limit", message);
        }
        for (place, rule) in stage.alerts.iter().enumerate().take(MAX_ALERTS) {
            self.rule(&place.to_string(), rule);
        }
        self.keeping(stage);
    }

    fn rule(&mut self, place: &str, rule: &AlertRule) {
        let label = |key: &str| format!("stages.{}.alerts.{place}.{key}", self.name);
        let mut found: Vec<(&str, Problem)> = Vec::new();
        if rule.metric.is_empty() || rule.metric.len() > NAME_MOST || rule.metric.chars().any(char::is_control) {
            let message = format!("{} is no name of a metric: {}", label("metric"), shown(&rule.metric));
            found.push(("metric", Problem::new("bad_value", message).hint("as the program prints it: \"val_loss\"")));
        }
        let bounded = matches!(rule.when, AlertWhen::Above | AlertWhen::Below);
        let when = match rule.when {
            AlertWhen::Nan => "nan",
            AlertWhen::Above => "above",
            AlertWhen::Below => "below",
            AlertWhen::NoImprovement => "no_improvement",
        };
        match rule.value {
            None if bounded => {
                let message = format!("{} is missing: \"{when}\" needs a bound", label("value"));
                found.push(("value", Problem::new("missing_key", message).hint("write for example value = 10.0")));
            }
            Some(_) if !bounded => {
                let message = format!("{} is no use to \"{when}\"", label("value"));
                found.push(("value", Problem::new("wrong_place", message).hint("leave it out")));
            }
            Some(value) if !value.is_finite() => {
                found.push(("value", Problem::new("bad_value", format!("{} must be a finite number", label("value")))));
            }
            _ => {}
        }
        match rule.points {
            None if rule.when == AlertWhen::NoImprovement => {
                let message = format!("{} is missing: for how many points without improvement?", label("for"));
                found.push(("for", Problem::new("missing_key", message).hint("write for example for = 5")));
            }
            Some(_) if rule.when == AlertWhen::Nan => {
                let message = format!("{} is no use to \"nan\": the first one counts", label("for"));
                found.push(("for", Problem::new("wrong_place", message).hint("leave it out")));
            }
            Some(0) => {
                found.push(("for", Problem::new("out_of_range", format!("{} must be at least 1", label("for")))));
            }
            _ => {}
        }
        if rule.mode != Better::Min && rule.when != AlertWhen::NoImprovement {
            let message = format!("{} is no use to \"{when}\"", label("mode"));
            found.push(("mode", Problem::new("wrong_place", message).hint("leave it out")));
        }
        for (key, problem) in found {
            self.push(&["alerts", place, key], problem);
        }
    }

    fn keeping(&mut self, stage: &Stage) {
        let Some(checkpoints) = &stage.checkpoints else { return };
        let label = |key: &str| format!("stages.{}.checkpoints.{key}", self.name);
        let mut found: Vec<(&str, Problem)> = Vec::new();
        if checkpoints.metric.as_ref().is_some_and(|metric| metric.is_empty() || metric.len() > NAME_MOST) {
            found.push(("metric", Problem::new("bad_value", format!("{} is no name of a metric", label("metric")))));
        }
        if checkpoints.metric.is_none() {
            if checkpoints.mode != Better::Min {
                let message = format!("{} says which value of a metric is better, and none is named", label("mode"));
                found.push((
                    "mode",
                    Problem::new("wrong_place", message).hint("write for example metric = \"val_loss\""),
                ));
            }
            if checkpoints.keep_best.is_some() {
                let message = format!("{} needs a metric to know the best by", label("keep_best"));
                let problem = Problem::new("missing_key", message);
                found.push(("keep_best", problem.hint("write for example metric = \"val_loss\", mode = \"min\"")));
            }
        }
        if checkpoints.keep_best.unwrap_or(0) == 0 && checkpoints.keep_last == Some(0) {
            let message = format!("{} is 0 and none of the best is kept: nothing would be left", label("keep_last"));
            found.push(("keep_last", Problem::new("out_of_range", message).hint("keep at least one")));
        }
        for (key, problem) in found {
            self.push(&["checkpoints", key], problem);
        }
    }
}
