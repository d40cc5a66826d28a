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
        StartRequest::Script(_) => panic!("a template was asked for"),
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
