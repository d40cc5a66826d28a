//! What a receiver really gets, from a real one, and what comes of one that does not take it.

use std::time::Duration;

use footplate_core::UtcMs;
use footplate_core::notice::{NoticeKind, WebhookForm};
use footplate_core::view::{AlertView, DiskLevel, RunView};
use footplate_testkit::{Receiver, Reply};
use serde_json::{Value, json};

use super::*;

const SOON: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_secs(30);

fn stamp(seq: i64) -> Stamp {
    Stamp { id: format!("0f0f-{seq}"), time: UtcMs(1_795_770_000_000), machine: "gpubox".to_owned() }
}

/// Its name is what somebody might try.
fn run(status: &str, error: &Value, metrics: &Value) -> RunView {
    let stage = json!({
        "name": "train", "status": "completed", "queue": "default", "needs": [], "command": [], "shell": null,
        "progress": null, "eta_s": null, "message": null, "metrics": metrics, "waiting": null, "outputs": {},
        "queued_at": null, "started_at": null, "finished_at": null, "allow_failure": false, "tail": false,
        "error": null, "attempts": [],
    });
    let mut run = json!({
        "id": "0192f0e4-b1aa-7c5d-8e6f-001122334455", "number": 7, "name": "<!channel> *tone* & @everyone", "pipeline": "tone",
        "experiment": "night", "queue": "default", "priority": 0, "target": "local", "tags": ["a"], "status": status,
        "confirmed": true, "progress": null, "eta_s": null, "message": null, "waiting": null,
        "created_at": "2026-11-27T09:00:00.000Z", "started_at": "2026-11-27T09:00:00.000Z",
        "finished_at": "2026-11-27T09:02:05.000Z", "result": null, "result_at": null, "generation": 1, "error": error,
    });
    run["stages"] = json!([stage]);
    serde_json::from_value(run).unwrap()
}

fn alert(facts: &Value) -> AlertView {
    serde_json::from_value(json!({
        "id": 1, "stage": "train", "attempt": 1, "facts": facts, "detail": "", "since": "2026-11-27T09:00:00.000Z",
        "raised_at": "2026-11-27T09:00:00.000Z", "ended_at": null, "dismissed_at": null,
    }))
    .unwrap()
}

/// One of each kind.
fn messages() -> Vec<Message> {
    let nothing = Value::Null;
    let error = json!({ "code": "exit_code", "title": "Python raised ValueError", "detail": "bad_value [x](y)", "hints": ["Look at it"] });
    let done = run("completed", &nothing, &json!({ "val_accuracy": 0.98039, "loss": 0.1 }));
    let failed = run("failed", &error, &json!({}));
    let stall = alert(&json!({ "kind": "stall", "action": "stop", "stall_ms": 1_800_000 }));
    let nan = alert(&json!({ "kind": "nan", "action": "notify", "metric": "loss", "value": "nan", "step": 7 }));
    let disk = DiskFacts { level: DiskLevel::Low, free: 1_200_000_000, mark: 5_000_000_000 };
    let single = vec![
        Message::end(stamp(1), NoticeKind::Completed, &done),
        Message::end(stamp(2), NoticeKind::Failed, &failed),
        Message::end(stamp(3), NoticeKind::Interrupted, &run("interrupted", &nothing, &json!({}))),
        Message::alert(stamp(4), &done, &stall),
        Message::alert(stamp(5), &done, &nan),
        Message::disk(stamp(6), disk),
        Message::disk(stamp(7), DiskFacts { level: DiskLevel::Critical, ..disk }),
        Message::test(stamp(8)),
    ];
    let counts = [(NoticeKind::Failed, 3), (NoticeKind::Completed, 40)].into_iter().collect();
    let several = Message::several(stamp(9), counts, &[single[1].clone(), single[0].clone()]);
    single.into_iter().chain([several]).collect()
}

fn webhook(receiver: &Receiver, path: &str, form: WebhookForm) -> Webhook {
    Webhook::new(Address::parse(&receiver.url(path)).unwrap(), form, &NoticeKind::ALL).unwrap()
}

#[test]
fn each_form_is_what_its_receiver_is_written_to_understand() {
    for form in WebhookForm::ALL {
        let receiver = Receiver::new();
        let webhook = webhook(&receiver, "/training?auth=x", form);
        for message in messages() {
            assert_eq!(send(&webhook, &message, LONG), Ok(()));
        }
        let seen = receiver.seen();
        let line = if form == WebhookForm::Ntfy { "POST /?auth=x HTTP/1.1" } else { "POST /training?auth=x HTTP/1.1" };
        assert!(seen.iter().all(|request| request.line == line), "{seen:?}");
        assert!(
            seen.iter().all(|request| request.head.contains(&"content-type: application/json".to_owned())),
            "{seen:?}"
        );
        let bodies: Vec<Value> = seen.iter().map(footplate_testkit::Request::json).collect();
        insta::assert_json_snapshot!(form.as_str(), bodies);
    }
}

#[test]
fn texts_of_others_call_nobody_and_are_bounded() {
    let long = run("completed", &Value::Null, &json!({}));
    let error = json!({ "code": "x", "title": "t", "detail": "é".repeat(100_000), "hints": [] });
    let failed = run("failed", &error, &json!({}));
    for form in WebhookForm::ALL {
        let webhook =
            Webhook::new(Address::parse("https://example.com/topic").unwrap(), form, &NoticeKind::ALL).unwrap();
        let told = |message: &Message| body::body(&webhook, message).1.to_string();
        let all = told(&Message::end(stamp(1), NoticeKind::Completed, &long));
        let calls = match form {
            WebhookForm::Json | WebhookForm::Ntfy => false,
            WebhookForm::Slack => serde_json::from_str::<Value>(&all).unwrap()["text"].as_str().unwrap().contains("<!"),
            WebhookForm::Discord => all.contains(" @everyone") || !all.contains(r#""allowed_mentions":{"parse":[]}"#),
        };
        assert!(!calls, "{all}");
        let text = told(&Message::end(stamp(1), NoticeKind::Failed, &failed));
        assert!(text.chars().count() < 5_000, "{form:?}: {}", text.len());
    }
}

#[test]
fn what_goes_wrong_is_told_in_words_without_the_address_and_takes_no_longer_than_it_may() {
    let receiver = Receiver::new();
    let ours = webhook(&receiver, "/canary", WebhookForm::Json);
    let host = receiver.host();
    let elsewhere = Receiver::new();
    let moved = format!("location: {}", elsewhere.url("/canary"));
    for (reply, part) in [
        (Reply::Status(500), "answered with 500: it is in trouble itself."),
        (Reply::Status(404), "answered with 404: it does not know this address"),
        (Reply::Status(400), "another form"),
        (Reply::With(302, moved.clone()), "elsewhere"),
        (Reply::With(307, moved), "elsewhere"),
        (Reply::Hang, "did not answer in time."),
        (Reply::Close, "closed the connection without an answer."),
        (Reply::Noise, "did not answer as a web server does."),
        // An answer without end is none.
        (Reply::With(200, format!("x: {}", "y".repeat(100_000))), "answer"),
    ] {
        receiver.always(reply.clone());
        let patience = if reply == Reply::Hang { SOON } else { LONG };
        let refusal = send(&ours, &messages()[0], patience).unwrap_err();
        assert!(refusal.why.starts_with(&host) && refusal.why.contains(part), "{part}: {refusal:?}");
        assert!(!format!("{refusal:?}").contains("canary"), "{refusal:?}");
    }
    assert!(elsewhere.seen().is_empty(), "a message went to where a receiver wanted it to go");
    receiver.always(Reply::With(429, "Retry-After: 90".to_owned()));
    assert_eq!(send(&ours, &messages()[0], LONG).unwrap_err().wait_ms, Some(90_000));
    let host = receiver.host();
    drop(receiver);
    let refusal = send(&ours, &messages()[0], LONG).unwrap_err();
    assert_eq!(refusal.why, format!("{host} refuses the connection: nobody listens there."));
    let nobody = Webhook { address: Address::parse("http://canary.invalid/x").unwrap(), ..ours };
    let refusal = send(&nobody, &messages()[0], LONG).unwrap_err();
    assert!(refusal.why.contains("is not known"), "{refusal:?}");
}

#[test]
fn a_receiver_that_speaks_no_tls_is_told_so() {
    let receiver = Receiver::new();
    receiver.always(Reply::Noise);
    let address = Address::parse(&receiver.url("/x").replace("http:", "https:")).unwrap();
    let webhook = Webhook::new(address, WebhookForm::Json, &NoticeKind::ALL).unwrap();
    let refusal = send(&webhook, &messages()[0], LONG).unwrap_err();
    assert!(refusal.why.contains("encrypted connection") || refusal.why.contains("without an answer"), "{refusal:?}");
}

#[test]
fn a_webhook_is_complete_or_refused() {
    let address = |text| Address::parse(text).unwrap();
    let made = Webhook::new(
        address("https://x.org/a"),
        WebhookForm::Slack,
        &[NoticeKind::Completed, NoticeKind::Disk, NoticeKind::Completed],
    );
    assert_eq!(made.unwrap().on, [NoticeKind::Disk, NoticeKind::Completed]);
    assert!(Webhook::new(address("https://x.org/a"), WebhookForm::Json, &[]).is_err());
    let no_topic = Webhook::new(address("https://ntfy.sh/"), WebhookForm::Ntfy, &NoticeKind::ALL).unwrap_err();
    assert!(no_topic.message.contains("topic"), "{no_topic:?}");
}
