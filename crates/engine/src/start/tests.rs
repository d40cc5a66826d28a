//! What a form's values become, without starting anything.

use super::*;
use crate::client::OwnerStart;
use crate::home::Home;

fn desk() -> (tempfile::TempDir, Client, Arc<Captured>) {
    let place = tempfile::tempdir().unwrap();
    let home = Home::at(&place.path().join("data")).unwrap();
    let client = Client::open_with(home, OwnerStart::Never).unwrap();
    let home = place.path().display().to_string().into_bytes();
    let environment = Captured::from_pairs([(b"PATH".to_vec(), b"/usr/bin:/bin".to_vec()), (b"HOME".to_vec(), home)]);
    (place, client, Arc::new(environment))
}

fn digits(params: Value) -> TemplateRequest {
    let request = serde_json::json!({
        "kind": "template", "template": "digits", "preset": null, "params": params,
        "name": null, "queue": null, "priority": 5, "not_before": null, "after": [],
    });
    match serde_json::from_value(request).unwrap() {
        StartRequest::Template(request) => request,
        other => panic!("a template was asked for: {other:?}"),
    }
}

#[test]
fn a_template_is_planned_with_its_commands_and_each_fault_has_its_parameter() {
    let (_place, client, environment) = desk();
    let good = template(digits(serde_json::json!({ "epochs": 3 })), &client, Arc::clone(&environment)).unwrap();
    let view = good.check(&client).unwrap();
    assert_eq!(view.levels, [vec!["prepare"], vec!["train"], vec!["evaluate"]]);
    assert_eq!(view.params, []);
    let train = view.commands.iter().find(|command| command.stage == "train").unwrap();
    assert!(train.argv.join(" ").contains("--data ‹run folder›/data --out ‹run folder› --epochs 3"), "{train:?}");
    assert_eq!(view.cli, "footplate run digits -p epochs=3 --priority 5");
    assert_eq!(view.cwd, "~");
    let bad = template(digits(serde_json::json!({ "epochs": 0, "hiden": 1 })), &client, environment).unwrap();
    let view = bad.check(&client).unwrap();
    let names: Vec<&str> = view.params.iter().map(|fault| fault.name.as_str()).collect();
    assert_eq!(names, ["epochs", "hiden"]);
    assert!(view.items.iter().any(|item| item.id == "params" && item.state == CheckState::Bad));
}

#[test]
fn a_script_runs_in_its_folder_and_one_that_cannot_is_told() {
    let (place, mut client, environment) = desk();
    let path = place.path().join("it's.py");
    std::fs::write(&path, "print(1)\n").unwrap();
    let request = |interpreter: Option<&str>| -> ScriptRequest {
        serde_json::from_value(serde_json::json!({
            "script": "h", "interpreter": interpreter, "args": ["--lr", "1e-4 x"], "cpus": 1, "memory": 0,
            "gpus": 0, "retries": 2, "timeout_ms": 60000, "name": null, "queue": null, "priority": null,
            "not_before": null, "after": [],
        }))
        .unwrap()
    };
    let gone = script(request(Some("0000")), &path, Arc::clone(&environment)).unwrap_err();
    assert_eq!(gone.code, ErrorCode::NotFound);
    let view = script(request(None), &path, Arc::clone(&environment)).unwrap().check(&client).unwrap();
    assert!(view.items.iter().any(|item| item.id == "script" && item.state == CheckState::Bad), "{view:?}");
    assert!(view.cli.contains("--retries 2 --timeout 60s"), "{}", view.cli);
    assert!(view.cli.ends_with("--lr '1e-4 x'"), "{}", view.cli);
    let python = interpreters::for_script(&path, &environment);
    let made = script(request(Some(&python[0].id)), &path, environment).unwrap();
    let submitted = made.submit(&mut client).unwrap();
    assert_eq!(submitted.name, "it's.py");
}

#[test]
fn a_command_runs_again_with_other_arguments_where_and_with_what_it_ran_before() {
    let (place, mut client, environment) = desk();
    let venv = [(b"PATH".to_vec(), b"/venv/bin:/bin".to_vec()), (b"HUB_TOKEN".to_vec(), b"canary-1".to_vec())];
    let retries = Retries { max: 2, ..Retries::default() };
    let stage = Stage { retries, timeout: Some(Span(60_000)), ..Stage::default() };
    let argv = ["python", "train.py", "--lr", "1"].map(str::to_owned).to_vec();
    let mut first =
        Submit::new(spec::single(argv, stage), place.path().to_owned(), Arc::new(Captured::from_pairs(venv)));
    first.name = Some("tone".to_owned());
    first.tags = vec!["night".to_owned()];
    first.priority = Some(7);
    let number = client.submit(first).unwrap().number;
    let request = |run: i64| -> AgainRequest {
        serde_json::from_value(serde_json::json!({
            "run": run, "args": ["train.py", "--lr", "0.1 x"], "cpus": 2, "gpus": 0, "retries": 0,
            "name": null, "queue": null, "priority": null, "not_before": null, "after": [],
        }))
        .unwrap()
    };
    let made = again(request(number), &client, Arc::clone(&environment)).unwrap();
    let cli = made.clone().check(&client).unwrap().cli;
    assert!(cli.ends_with("--name tone --priority 7 --tag night -- python train.py --lr '0.1 x'"), "{cli}");
    assert!(cli.contains("--cpus 2 --timeout 60s"), "{cli}");
    let second = made.submit(&mut client).unwrap();
    let run = client.show(second.number).unwrap();
    assert_eq!((run.name.as_str(), run.tags.as_slice(), run.priority), ("tone", &["night".to_owned()][..], 7));
    let captured = client.environment(second.number).unwrap().unwrap();
    assert_eq!(captured.get(b"PATH"), Some(&b"/venv/bin:/bin"[..]));
    assert_eq!(captured.get(b"HUB_TOKEN"), Some(&b"canary-1"[..]));
    // A pipeline has a form of its own, and what is not there has none.
    let pipeline = template(digits(serde_json::json!({})), &client, Arc::clone(&environment)).unwrap();
    let pipeline = pipeline.submit(&mut client).unwrap().number;
    assert_eq!(again(request(pipeline), &client, Arc::clone(&environment)).unwrap_err().code, ErrorCode::Conflict);
    assert_eq!(again(request(99), &client, environment).unwrap_err().code, ErrorCode::NotFound);
}
