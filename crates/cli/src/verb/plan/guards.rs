//! What watches over the stages of a plan.

use footplate_core::alert::{AlertAction, AlertRule, AlertWhen, Better};
use footplate_core::definition::{Checkpoints, Definition, Stage};
use serde::Serialize;

/// What one stage says, as programs read it.
#[derive(Debug, Serialize)]
pub(super) struct Guarded<'a> {
    stage: &'a str,
    stall_ms: Option<u64>,
    stall_action: AlertAction,
    alerts: &'a [AlertRule],
    checkpoints: Option<&'a Checkpoints>,
}

/// The stages that say something.
pub(super) fn all(definition: &Definition) -> Vec<Guarded<'_>> {
    let says = |stage: &Stage| {
        let keeps = stage.checkpoints.as_ref().is_some_and(|c| c.metric.is_some() || c.keep_last.is_some());
        stage.stall.is_some() || !stage.alerts.is_empty() || keeps
    };
    let one = |(name, stage)| -> Guarded<'_> {
        let (name, stage): (&String, &Stage) = (name, stage);
        Guarded {
            stage: name,
            stall_ms: stage.stall.map(|stall| stall.0),
            stall_action: stage.stall_action,
            alerts: &stage.alerts,
            checkpoints: stage.checkpoints.as_ref(),
        }
    };
    definition.stages.iter().filter(|(_, stage)| says(stage)).map(one).collect()
}

impl Guarded<'_> {
    /// For people: `train: no output for 30m stops it; loss nan; keeps the best 3 by val_loss and the newest`.
    pub(super) fn sentence(&self) -> String {
        let stops = |action: AlertAction| if action == AlertAction::Stop { " stops it" } else { "" };
        let mut parts: Vec<String> = Vec::new();
        if let Some(ms) = self.stall_ms {
            let span = footplate_core::quantity::Span(ms);
            parts.push(format!("no output for {span}{}", stops(self.stall_action)));
        }
        parts.extend(self.alerts.iter().map(|rule| format!("{}{}", condition(rule), stops(rule.action))));
        parts.extend(self.checkpoints.and_then(kept));
        format!("{}: {}", self.stage, parts.join("; "))
    }
}

fn condition(rule: &AlertRule) -> String {
    let AlertRule { metric, when, value, points, .. } = rule;
    let bound = value.map(|value| format!(" {value}")).unwrap_or_default();
    let row = points.filter(|points| *points > 1).map(|points| format!(" for {points} points")).unwrap_or_default();
    match when {
        AlertWhen::Nan => format!("{metric} nan"),
        AlertWhen::Above => format!("{metric} above{bound}{row}"),
        AlertWhen::Below => format!("{metric} below{bound}{row}"),
        AlertWhen::NoImprovement => format!("{metric} no better{row}"),
    }
}

fn kept(checkpoints: &Checkpoints) -> Option<String> {
    let by = checkpoints.metric.as_ref().map(|metric| {
        let mode = if checkpoints.mode == Better::Max { "max" } else { "min" };
        format!("by {metric} ({mode})")
    });
    let last = checkpoints.keep_last.unwrap_or(1).max(1);
    match (checkpoints.keep_best, checkpoints.keep_last, by) {
        (Some(best), _, Some(by)) => Some(format!("keeps the best {best} checkpoints {by} and the newest {last}")),
        (_, Some(_), _) => Some(format!("keeps the newest {last} checkpoints")),
        (_, None, Some(by)) => Some(format!("the best checkpoint is told {by}")),
        (_, None, None) => None,
    }
}
