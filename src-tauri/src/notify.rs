//! Notifications: how a run ended, unless the settings say that it is not to be told now.

use chrono::{Local, TimeZone, Timelike};
use footplate_core::alert::{AlertAction, AlertKind, Figure};
use footplate_core::notice::{NoticeKind, figure as short, telling_metric};
use footplate_core::quantity::ByteSize;
use footplate_core::view::{AlertView, DiskLevel, DiskView, RunView};
use footplate_shim::clock;
use tauri::AppHandle;
use tauri_plugin_notification::{ActionPerformed, NotificationExt};

use crate::settings::Values;
use crate::words::Tongue;

/// What a notification carries: the view that a click opens.
const ROUTE: &str = "route";
/// Longest text of a cause.
const CAUSE_MOST: usize = 300;

/// A title and a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) title: String,
    pub(crate) body: String,
}

/// What is told of a run that ended; `None` where the settings are against it, or nothing is told of such an end.
pub(crate) fn message(run: &RunView, settings: &Values, minute: u32, tongue: Tongue) -> Option<Message> {
    let kind = NoticeKind::of_status(run.status)?;
    if !settings.tells(kind, minute) {
        return None;
    }
    let name = [("name", run.name.clone())];
    let message = match kind {
        NoticeKind::Failed => Message { title: tongue.with("notify.failed", &name), body: cause(run) },
        NoticeKind::Interrupted => {
            Message { title: tongue.with("notify.interrupted", &name), body: tongue.word("notify.interrupted_body") }
        }
        _ => Message { title: tongue.with("notify.completed", &name), body: took(run, tongue) },
    };
    Some(message)
}

/// What is told of a disk that has come below a mark; `None` where the settings are against it.
pub(crate) fn fuller(disk: &DiskView, settings: &Values, minute: u32, tongue: Tongue) -> Option<Message> {
    if !settings.tells(NoticeKind::Disk, minute) {
        return None;
    }
    let size = |bytes| ByteSize(bytes).rounded();
    let values = [("free", size(disk.free)), ("mark", size(disk.warning.max(disk.critical)))];
    let body = match disk.level {
        DiskLevel::Enough => return None,
        DiskLevel::Low => tongue.with("notify.disk_low", &values),
        DiskLevel::Critical => tongue.with("notify.disk_critical", &values),
    };
    Some(Message { title: tongue.word("notify.disk"), body })
}

/// What is told of an alert of a run of this name; `None` where the settings are against it.
pub(crate) fn alarm(name: &str, alert: &AlertView, settings: &Values, minute: u32, tongue: Tongue) -> Option<Message> {
    let facts = &alert.facts;
    if !settings.tells(NoticeKind::of_alert(facts.kind), minute) {
        return None;
    }
    let figure = |value: &Figure| match value {
        Figure::Number(value) => short(*value),
        Figure::Word(word) => word.clone(),
    };
    let values = [
        ("metric", facts.metric.clone().unwrap_or_default()),
        ("value", facts.value.as_ref().map(figure).unwrap_or_default()),
        ("bound", facts.bound.map(short).unwrap_or_default()),
        ("points", facts.points.unwrap_or(1).to_string()),
        ("time", tongue.time(facts.stall_ms.unwrap_or_default() as f64 / 1000.0)),
    ];
    let body = match (facts.kind, facts.points.unwrap_or(1)) {
        (AlertKind::Stall, _) => tongue.with("notify.alert_stall", &values),
        (AlertKind::Nan, _) => tongue.with("notify.alert_nan", &values),
        (AlertKind::Above, _) => tongue.with("notify.alert_above", &values),
        (AlertKind::Below, _) => tongue.with("notify.alert_below", &values),
        (AlertKind::NoImprovement, _) if facts.bound.is_none() => tongue.with("notify.alert_never", &values),
        (AlertKind::NoImprovement, 0..=1) => tongue.with("notify.alert_flat", &values),
        (AlertKind::NoImprovement, _) => tongue.with("notify.alert_flat_for", &values),
    };
    let stops = facts.action == AlertAction::Stop;
    let body = if stops { format!("{body} {}", tongue.word("notify.alert_stops")) } else { body };
    let title = if facts.kind == AlertKind::Stall { "notify.stalled" } else { "notify.alert" };
    Some(Message { title: tongue.with(title, &[("name", name.to_owned())]), body })
}

fn cause(run: &RunView) -> String {
    let Some(error) = &run.error else { return String::new() };
    let text = if error.detail.is_empty() { error.title.clone() } else { format!("{}: {}", error.title, error.detail) };
    text.chars().take(CAUSE_MOST).collect()
}

fn took(run: &RunView, tongue: Tongue) -> String {
    let seconds = match (run.started_at, run.finished_at) {
        (Some(from), Some(to)) => to.seconds_since(from),
        _ => 0.0,
    };
    let time = ("time", tongue.time(seconds));
    match telling_metric(run.stages.as_deref().unwrap_or_default()) {
        Some((metric, value)) => {
            tongue.with("notify.took_metric", &[("metric", metric.to_owned()), ("value", short(value)), time])
        }
        None => tongue.with("notify.took", &[time]),
    }
}

/// The minute of the day, local time.
pub(crate) fn minute_now() -> u32 {
    let now = Local.timestamp_millis_opt(clock::wall_ms()).single();
    now.map_or(12 * 60, |now| now.hour() * 60 + now.minute())
}

/// Where a click on what was told of a run's end leads: its page begins with what counts.
pub(crate) fn end_route(run: i64) -> String {
    format!("run/{run}")
}

/// Where one leads that tells of an alert: what it printed last, or the curve.
pub(crate) fn alert_route(run: i64, kind: AlertKind) -> String {
    format!("run/{run}/{}", if kind == AlertKind::Stall { "log" } else { "metrics" })
}

/// Where one leads that tells of the disk.
pub(crate) const DISK_ROUTE: &str = "machine";

/// Shows a message; a click on it opens the view `route`.
pub(crate) fn show(app: &AppHandle, message: &Message, route: Option<&str>) {
    let mut notification = app.notification().builder().title(&message.title).body(&message.body);
    if let Some(route) = route {
        notification = notification.extra(ROUTE, route);
    }
    // Where the desktop shows none, the tray and the queue tell the same.
    let _ = notification.show();
}

/// The view that a clicked notification asks for.
pub(crate) fn route_of(clicked: &ActionPerformed) -> Option<String> {
    let route = clicked.notification()?.extra().get(ROUTE)?.as_str()?;
    Some(route.to_owned())
}

/// What is said when the window goes for the first time.
pub(crate) fn hidden(tongue: Tongue) -> Message {
    Message { title: tongue.word("notify.hidden"), body: tongue.word("notify.hidden_body") }
}

/// What is said when the app is left for the first time while something runs.
pub(crate) fn quit(tongue: Tongue) -> Message {
    Message { title: tongue.word("notify.quit"), body: tongue.word("notify.quit_body") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(status: &str) -> RunView {
        serde_json::from_value(serde_json::json!({
            "id": "0192f0e4-b1aa-7c5d-8e6f-001122334455", "number": 7, "name": "tone-7", "pipeline": "tone",
            "experiment": null, "queue": "default", "priority": 0, "target": "local", "tags": [], "status": status,
            "confirmed": true, "progress": null, "eta_s": null, "message": null, "waiting": null,
            "created_at": "2026-11-27T09:00:00.000Z", "started_at": "2026-11-27T09:00:00.000Z",
            "finished_at": "2026-11-27T09:02:05.000Z", "result": null, "result_at": null, "generation": 1,
            "error": { "code": "exit_code", "title": "The program failed", "detail": "ValueError: x", "hints": [] },
        }))
        .unwrap()
    }

    #[test]
    fn each_alert_has_its_words_and_its_switch() {
        let usual = Values::default();
        let alert = |facts: serde_json::Value| -> AlertView {
            serde_json::from_value(serde_json::json!({
                "id": 1, "stage": "train", "attempt": 1, "facts": facts, "detail": "", "since": "2026-11-27T09:00:00.000Z",
                "raised_at": "2026-11-27T09:00:00.000Z", "ended_at": null, "dismissed_at": null,
            }))
            .unwrap()
        };
        let told =
            |facts: serde_json::Value, settings: &Values| alarm("tone-7", &alert(facts), settings, 0, Tongue::En);
        let stall = serde_json::json!({ "kind": "stall", "action": "stop", "stall_ms": 1_800_000 });
        let message = told(stall.clone(), &usual).unwrap();
        assert_eq!(
            (message.title.as_str(), message.body.as_str()),
            ("tone-7 prints nothing", "No output for 30 m. It is being stopped.")
        );
        let nan = serde_json::json!({ "kind": "nan", "action": "notify", "metric": "loss", "value": "nan", "step": 7 });
        assert_eq!(told(nan.clone(), &usual).unwrap().body, "loss is nan.");
        let flat = serde_json::json!(
            { "kind": "no_improvement", "action": "notify", "metric": "val_loss", "value": 2.5, "bound": 1.25, "points": 5 }
        );
        assert_eq!(told(flat, &usual).unwrap().body, "val_loss has not improved on 1.2500 for 5 points.");
        let quieter = Values { notify_stalled: false, ..usual.clone() };
        assert!(told(stall.clone(), &quieter).is_none() && told(nan.clone(), &quieter).is_some());
        let quieter = Values { notify_alert: false, ..usual };
        assert!(told(stall, &quieter).is_some() && told(nan, &quieter).is_none());
    }

    #[test]
    fn each_end_has_its_words_and_its_switch() {
        let usual = Values::default();
        let told = |status: &str, settings: &Values, minute: u32| message(&run(status), settings, minute, Tongue::En);
        let done = told("completed", &usual, 0).unwrap();
        assert_eq!((done.title.as_str(), done.body.as_str()), ("tone-7 is done", "It took 2 m 5 s."));
        let failed = told("failed", &usual, 0).unwrap();
        assert_eq!(
            (failed.title.as_str(), failed.body.as_str()),
            ("tone-7 failed", "The program failed: ValueError: x")
        );
        assert!(told("interrupted", &usual, 0).is_some());
        assert_eq!(told("cancelled", &usual, 0), None);
        assert_eq!(told("failed", &Values { notify_failed: false, ..usual.clone() }, 0), None);
        let disk =
            |level| DiskView { free: 1_200_000_000, total: 1, warning: 5_000_000_000, critical: 500_000_000, level };
        let low = fuller(&disk(DiskLevel::Low), &usual, 0, Tongue::En).unwrap();
        assert_eq!(low.body, "1.2GB are free. Nothing new starts below 5GB.");
        assert!(fuller(&disk(DiskLevel::Critical), &usual, 0, Tongue::En).is_some_and(|told| told != low));
        assert_eq!(fuller(&disk(DiskLevel::Enough), &usual, 0, Tongue::En), None);
        assert_eq!(fuller(&disk(DiskLevel::Low), &Values { notify_disk: false, ..usual.clone() }, 0, Tongue::En), None);
        let quiet = Values { quiet: true, ..usual };
        assert_eq!(told("failed", &quiet, 23 * 60), None);
        assert!(told("failed", &quiet, 12 * 60).is_some());
    }
}
