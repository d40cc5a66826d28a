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

fn swept(more: Value) -> SweepRequest {
    let mut request = serde_json::json!({
        "template": "digits", "preset": null, "name": null, "queue": null, "priority": null, "not_before": null, "after": [],
    });
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(request).unwrap()
}

#[test]
fn a_sweep_of_a_form_is_that_of_the_command_line() {
    let (_place, mut client, environment) = desk();
    let request = swept(serde_json::json!({
        "params": { "seed": 3 },
        "varied": { "learning_rate": "1e-4, 3e-4", "epochs": "5..20:5" }, "priority": 4,
    }));
    let made = sweep(request, &client, Arc::clone(&environment)).unwrap();
    let view = made.look(&client).unwrap();
    assert_eq!((view.total, view.experiment.as_str(), view.seed), (8, "digits-sweep-1", None));
    assert_eq!(view.runs.len(), 5, "the first few are shown");
    assert_eq!(view.runs[4].name, "learning_rate=0.0003,epochs=5");
    let told: Vec<_> = view.varied.iter().map(|one| (one.name.as_str(), one.count, one.values.len())).collect();
    assert_eq!(told, [("learning_rate", Some(2), 2), ("epochs", Some(4), 4)]);
    let check = made.check(&client).unwrap();
    let line = "footplate sweep digits -p seed=3 -p 'learning_rate=1e-4, 3e-4' -p epochs=5..20:5 --priority 4";
    assert_eq!(check.cli, line);
    let train = check.commands.iter().find(|command| command.stage == "train").unwrap();
    assert!(train.argv.join(" ").contains("--epochs 5"), "{train:?}");
    assert!(client.list(&crate::client::ListQuery::default()).unwrap().runs.is_empty(), "looking started something");
    let started = made.submit(&mut client).unwrap();
    assert_eq!((started.total, started.experiment.as_str()), (8, "digits-sweep-1"));
    let last = client.show(started.first + 7).unwrap();
    assert_eq!((last.name.as_str(), last.priority), ("learning_rate=0.0003,epochs=20", 4));
    assert_eq!(last.params.unwrap()["seed"], 3);
    // The next one is another experiment; one that is drawn is the same again for the seed that was told.
    let drawn = serde_json::json!({ "varied": { "learning_rate": "1e-5..1e-2:log" }, "random": 6 });
    let view = sweep(swept(drawn), &client, Arc::clone(&environment)).unwrap().look(&client).unwrap();
    assert_eq!((view.total, view.experiment.as_str(), view.varied[0].count), (6, "digits-sweep-2", None));
    let again = serde_json::json!({ "varied": { "learning_rate": "1e-5..1e-2:log" }, "random": 6, "seed": view.seed });
    assert_eq!(sweep(swept(again), &client, environment).unwrap().look(&client).unwrap(), view);
}

#[test]
fn a_sweep_that_cannot_be_says_which_parameter_is_why() {
    let (_place, mut client, environment) = desk();
    let made = |more: Value| sweep(swept(more), &client, Arc::clone(&environment)).unwrap();
    let bad =
        made(serde_json::json!({ "params": { "nots": 1 }, "varied": { "epochs": "0,5", "learning_rate": "1e-4,x" } }));
    let view = bad.look(&client).unwrap();
    let names: Vec<&str> = view.params.iter().map(|fault| fault.name.as_str()).collect();
    assert_eq!((names, view.total), (vec!["nots", "epochs", "learning_rate"], 0));
    assert_eq!(bad.check(&client).unwrap_err().code, ErrorCode::InvalidPipeline);
    let refused = |more: Value| made(more).look(&client).unwrap().refusal.map(|refusal| refusal.code);
    assert_eq!(refused(serde_json::json!({ "varied": { "epochs": "5" } })), Some("no_sweep"));
    let many = serde_json::json!({ "varied": { "epochs": "1..500", "seed": "1..500" } });
    assert_eq!(refused(many), Some("limit"));
    let few = serde_json::json!({ "varied": { "epochs": "1,2" }, "random": 9 });
    assert_eq!(refused(few), Some("limit"));
    assert!(bad.submit(&mut client).is_err());
    assert!(
        client.list(&crate::client::ListQuery::default()).unwrap().runs.is_empty(),
        "a bad sweep started something"
    );
}

#[test]
fn what_is_one_value_stays_one_and_each_path_that_is_missing_is_told() {
    let (place, mut client, environment) = desk();
    let folder = place.path().join("data").join("templates").join("mine");
    std::fs::create_dir_all(&folder).unwrap();
    let text = "format = 1\nname = \"mine\"\n[params.note]\ntype = \"string\"\n[params.data]\ntype = \"path\"\nexists = true\n\
        [params.n]\ntype = \"integer\"\n[params.token]\ntype = \"secret\"\n[stages.run]\ncommand = [\"true\"]\n";
    std::fs::write(folder.join("footplate.toml"), text).unwrap();
    std::fs::write(place.path().join("here"), "x").unwrap();
    let hash = templates::consent::view(client.home(), "mine").unwrap().hash;
    templates::consent::give(client.home(), "mine", &hash).unwrap();
    let request = |data: &str| {
        swept(serde_json::json!({
            "template": "mine", "params": { "note": "a\\,b, c", "token": "x,\\,y" }, "varied": { "data": data, "n": "1,2" },
        }))
    };
    let missing = sweep(request("here,gone"), &client, Arc::clone(&environment)).unwrap().look(&client).unwrap();
    let faults: Vec<&str> = missing.params.iter().map(|fault| fault.name.as_str()).collect();
    assert_eq!((faults, missing.total), (vec!["data"], 0), "once, though two runs need it");
    let made = sweep(request("here"), &client, environment).unwrap();
    let line = made.check(&client).unwrap().cli;
    assert!(line.contains("note=a\\\\,b\\, c") && !line.contains("token"), "{line}");
    let started = made.submit(&mut client).unwrap();
    let run = client.show(started.first + 1).unwrap().params.unwrap();
    assert_eq!((run["note"].as_str(), run["n"].as_i64()), (Some("a\\,b, c"), Some(2)));
    assert!(!run.contains_key("token"));
}
