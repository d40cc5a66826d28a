//! What people are told of while they do not look, on the desktop and by messages: the kinds, and what of a run is worth a line.
//!
//! Not here: what is said of it, and the way it takes (the doors, `engine::webhook`).

use serde::{Deserialize, Serialize};

use crate::alert::AlertKind;
use crate::status::RunStatus;
use crate::time::UtcMs;
use crate::view::StageView;

/// A kind of news, with a switch of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// The disk is below a mark while something runs or waits.
    Disk,
    /// A run failed.
    Failed,
    /// A run prints nothing for too long.
    Stalled,
    /// A metric is beyond a rule of its stage.
    Alert,
    /// How a run ended is not known.
    Interrupted,
    /// A run completed.
    Completed,
}

impl NoticeKind {
    /// All of them, the most pressing first.
    pub const ALL: [NoticeKind; 6] = [
        NoticeKind::Disk,
        NoticeKind::Failed,
        NoticeKind::Stalled,
        NoticeKind::Alert,
        NoticeKind::Interrupted,
        NoticeKind::Completed,
    ];

    /// The word used in every door.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            NoticeKind::Disk => "disk",
            NoticeKind::Failed => "failed",
            NoticeKind::Stalled => "stalled",
            NoticeKind::Alert => "alert",
            NoticeKind::Interrupted => "interrupted",
            NoticeKind::Completed => "completed",
        }
    }

    /// The kind with this word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<NoticeKind> {
        NoticeKind::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// What a run's new status is news of. One that somebody cancelled is none: he knows.
    #[must_use]
    pub fn of_status(status: RunStatus) -> Option<NoticeKind> {
        match status {
            RunStatus::Completed => Some(NoticeKind::Completed),
            RunStatus::Failed => Some(NoticeKind::Failed),
            RunStatus::Interrupted => Some(NoticeKind::Interrupted),
            RunStatus::Draft | RunStatus::Queued | RunStatus::Running | RunStatus::Paused | RunStatus::Cancelled => {
                None
            }
        }
    }

    /// What an alert is news of.
    #[must_use]
    pub fn of_alert(kind: AlertKind) -> NoticeKind {
        match kind {
            AlertKind::Stall => NoticeKind::Stalled,
            AlertKind::Nan | AlertKind::Above | AlertKind::Below | AlertKind::NoImprovement => NoticeKind::Alert,
        }
    }
}

/// The metrics worth telling, best first.
const METRICS: [&str; 8] =
    ["val_accuracy", "accuracy", "val_acc", "acc", "val_loss", "eval_loss", "loss", "train_loss"];

/// The metric that tells most of a result, with its newest finite value; of several stages the last one's counts.
#[must_use]
pub fn telling_metric(stages: &[StageView]) -> Option<(&'static str, f64)> {
    METRICS.iter().find_map(|name| {
        let value = stages.iter().rev().find_map(|stage| stage.metrics.get(*name).filter(|value| value.is_finite()))?;
        Some((*name, *value))
    })
}

/// A metric's value in a line: four digits after the point, small ones with a power of ten.
#[must_use]
pub fn figure(value: f64) -> String {
    if value != 0.0 && value.abs() < 0.001 { format!("{value:.2e}") } else { format!("{value:.4}") }
}

/// What a receiver of messages understands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum WebhookForm {
    /// All that is known, for programs (docs/API.md).
    #[default]
    Json,
    /// An incoming webhook of Slack, or of what speaks like it (Mattermost, Rocket.Chat).
    Slack,
    /// A webhook of a Discord channel.
    Discord,
    /// A topic of ntfy.
    Ntfy,
}

impl WebhookForm {
    /// All of them.
    pub const ALL: [WebhookForm; 4] = [WebhookForm::Json, WebhookForm::Slack, WebhookForm::Discord, WebhookForm::Ntfy];

    /// The word used in every door.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            WebhookForm::Json => "json",
            WebhookForm::Slack => "slack",
            WebhookForm::Discord => "discord",
            WebhookForm::Ntfy => "ntfy",
        }
    }

    /// The form that a server of this name expects, as far as it is known by its name.
    #[must_use]
    pub fn of_host(host: &str) -> WebhookForm {
        match host {
            "hooks.slack.com" => WebhookForm::Slack,
            "discord.com" | "discordapp.com" => WebhookForm::Discord,
            "ntfy.sh" => WebhookForm::Ntfy,
            _ => WebhookForm::Json,
        }
    }
}

/// Where messages go, without what must stay private of it, and how the last ones fared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct WebhookView {
    /// The server's name, with the port where one was given. The rest of the address may be a secret.
    pub host: String,
    /// The way there is encrypted: `https`.
    pub encrypted: bool,
    /// What it understands.
    pub form: WebhookForm,
    /// What is told, the most pressing first.
    pub on: Vec<NoticeKind>,
    /// When the last message was taken.
    pub delivered_at: Option<UtcMs>,
    /// When the last try failed; `None` where one that came after it was taken.
    pub failed_at: Option<UtcMs>,
    /// Why, in a sentence.
    pub failure: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_word_of_its_own_and_only_news_are_told() {
        for kind in NoticeKind::ALL {
            assert_eq!(NoticeKind::of_word(kind.as_str()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        let told: Vec<RunStatus> =
            RunStatus::ALL.iter().copied().filter(|status| NoticeKind::of_status(*status).is_some()).collect();
        assert_eq!(told, [RunStatus::Completed, RunStatus::Failed, RunStatus::Interrupted]);
    }

    #[test]
    fn the_last_stage_that_has_the_better_metric_is_told_and_nothing_that_is_no_number() {
        let stage = |metrics: serde_json::Value| -> StageView {
            serde_json::from_value(serde_json::json!({
                "name": "s", "status": "completed", "queue": "default", "needs": [], "command": [], "shell": null,
                "progress": null, "eta_s": null, "message": null, "metrics": metrics, "waiting": null, "outputs": {},
                "queued_at": null, "started_at": null, "finished_at": null, "allow_failure": false, "tail": false,
                "error": null, "attempts": [],
            }))
            .unwrap()
        };
        let stages = [
            stage(serde_json::json!({ "val_loss": 0.5, "val_accuracy": 0.9 })),
            stage(serde_json::json!({ "val_loss": 0.4, "val_accuracy": 0.95 })),
            stage(serde_json::json!({ "loss": 0.1 })),
        ];
        assert_eq!(telling_metric(&stages), Some(("val_accuracy", 0.95)));
        assert_eq!(telling_metric(&stages[2..]), Some(("loss", 0.1)));
        assert_eq!(telling_metric(&[]), None);
        assert_eq!([figure(0.98039), figure(0.0), figure(0.00012)], ["0.9804", "0.0000", "1.20e-4"]);
    }
}
