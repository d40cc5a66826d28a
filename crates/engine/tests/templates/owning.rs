//! Templates made of runs and folders, and archives of them.

use std::sync::Arc;

use footplate_core::ErrorCode;
use footplate_core::definition::Stage;
use footplate_engine::client::{Client, Submit};
use footplate_engine::environment::Captured;
use footplate_engine::templates::consent::{self, Trust};
use footplate_engine::templates::own::{self, Name};
use footplate_engine::templates::{self, keep_run};
use serde_json::json;

use crate::{client, folder, home, submit};

const PIPELINE: &str = r#"
format = 1
name = "demo"
[params.epochs]
type = "integer"
default = 3
[presets.long]
title = "Long"
epochs = 30
[stages.train]
command = ["python", "{{ pipeline.dir }}/train.py", "{{ params.epochs }}"]
retries = { max = 2 }
[stages.train.outputs]
model = "{{ run.dir }}/model"
[stages.look]
needs = ["train"]
if = "params.epochs > 1"
command = ["cat", "{{ stages.train.outputs.model }}"]
"#;

#[test]
fn an_archive_is_the_same_bytes_each_time_and_comes_back_whole() {
    let place = tempfile::tempdir().unwrap();
    let home = home(place.path());
    let zeros = "0".repeat(3 << 20);
    folder(
        &place.path().join("src"),
        &[("footplate.toml", PIPELINE), ("b/train.py", "1"), ("a.txt", ""), ("zeros", &zeros)],
    );
    own::add(&home, &place.path().join("src"), Name::Own, true).unwrap();
    let (first, second) = (place.path().join("1.footplate"), place.path().join("2.footplate"));
    own::export(&home, "demo", &first).unwrap();
    own::rename(&home, "demo", "moved").unwrap();
    own::rename(&home, "moved", "demo").unwrap();
    let touched = home.templates().join("demo/a.txt");
    std::fs::File::options().write(true).open(&touched).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
    own::export(&home, "demo", &second).unwrap();
    assert_eq!(std::fs::read(&first).unwrap(), std::fs::read(&second).unwrap());

    // Once more by the same name is refused; by a free one it is known by its content.
    assert_eq!(own::import(&home, &first, Name::Own).unwrap_err().code, ErrorCode::Conflict);
    assert_eq!(own::import(&home, &first, Name::Free).unwrap(), "demo");
    std::fs::write(&touched, "another").unwrap();
    assert_eq!(own::import(&home, &first, Name::Free).unwrap(), "demo-2");
    let hash = |name: &str| consent::view(&home, name).unwrap().hash;
    assert_ne!(hash("demo"), hash("demo-2"));
    std::fs::write(&touched, "").unwrap();
    assert_eq!(hash("demo"), hash("demo-2"));
    let unfinished = std::fs::read_dir(home.templates()).unwrap().flatten();
    let names: Vec<_> = unfinished
        .map(|entry| entry.file_name())
        .filter(|name| name.to_string_lossy().contains("unfinished"))
        .collect();
    assert!(names.is_empty(), "{names:?}");
}

#[test]
fn a_run_becomes_a_template_with_its_values_that_runs_where_it_ran() {
    let place = tempfile::tempdir().unwrap();
    let home = home(place.path());
    let mut client = client(&home);
    let project = place.path().join("pro{{ject");
    let text = PIPELINE
        .replace("[presets.long]", "[params.token]\ntype = \"secret\"\n[presets.long]")
        .replace("retries =", "env = { TOKEN = \"{{ params.token }}\" }\nretries =");
    folder(&project, &[("footplate.toml", &text), ("train.py", "")]);
    let found = templates::find(project.to_str().unwrap(), &home, place.path()).unwrap();
    let environment = Arc::new(Captured::from_pairs([]));
    let given = [("epochs".to_owned(), json!(7)), ("token".to_owned(), json!("hf_secret"))].into_iter().collect();
    let params = footplate_spec::parameters(&found.definition, None, &given).unwrap();
    let base = Submit::new(found.definition, project, environment);
    let run = client.submit(Submit { params, pipeline_dir: found.dir.clone(), ..base }).unwrap();

    let name = keep_run(&client, run.number, None, Some("Digits, long")).unwrap();
    assert_eq!(name, "digits-long");
    assert_eq!(consent::trust(&home, &name), Trust::Allowed);
    let kept = templates::template(&name, &home, place.path()).unwrap().definition;
    assert_eq!((kept.name.as_str(), kept.title.as_deref()), ("digits-long", Some("Digits, long")));
    assert_eq!(kept.params["epochs"].default, Some(json!(7)));
    let text = std::fs::read_to_string(home.templates().join(&name).join("footplate.toml")).unwrap();
    assert!(!text.contains("hf_secret"), "{text}");
    let view = consent::view(&home, &name).unwrap();
    let dir = found.dir.to_str().unwrap();
    assert_eq!(view.stages[0].argv, ["python", &format!("{dir}/train.py"), "7"]);
    assert!(view.stages[0].env.contains(&"TOKEN".to_owned()));
    assert_eq!(keep_run(&client, run.number, None, Some("数字")).unwrap(), "demo");
    assert_eq!(keep_run(&client, run.number, None, Some("数字")).unwrap(), "demo-2");
    assert_eq!(keep_run(&client, run.number, Some("demo"), None).unwrap_err().code, ErrorCode::Conflict);
    assert_eq!(keep_run(&client, 99, None, None).unwrap_err().code, ErrorCode::NotFound);
}

#[test]
fn a_typed_command_becomes_a_template_that_says_the_same() {
    let place = tempfile::tempdir().unwrap();
    let home = home(place.path());
    let mut client = client(&home);
    let words = ["echo", "{{ not an expression", "{% x %}", "it's \"so\"", "{# plain #}"];
    let argv = words.map(str::to_owned).to_vec();
    let definition = footplate_spec::single(argv.clone(), Stage::default());
    let environment = Arc::new(Captured::from_pairs([]));
    let run = client.submit(Submit::new(definition, place.path().to_owned(), environment)).unwrap();
    let name = keep_run(&client, run.number, Some("said"), None).unwrap();
    let view = consent::view(&home, &name).unwrap();
    assert_eq!(view.stages[0].argv, argv);
    assert_eq!(view.stages[0].cwd.as_deref(), place.path().to_str());
}

#[test]
fn a_run_of_an_own_template_takes_its_files_along_and_no_more_trust_than_it_had() {
    let place = tempfile::tempdir().unwrap();
    let home = home(place.path());
    let mut client = client(&home);
    folder(&place.path().join("src"), &[("footplate.toml", PIPELINE), ("train.py", "1")]);
    own::add(&home, &place.path().join("src"), Name::Own, true).unwrap();
    let run = client.submit(submit(&home, "demo", place.path())).unwrap();
    let name = keep_run(&client, run.number, Some("second"), None).unwrap();
    assert_eq!(consent::trust(&home, &name), Trust::Allowed);
    let view = consent::view(&home, &name).unwrap();
    assert_eq!(view.stages[0].argv[1], "{{ pipeline.dir }}/train.py");
    assert!(view.files.iter().any(|file| file.path == "train.py"));
    std::fs::write(home.templates().join("demo/train.py"), "2").unwrap();
    let name = keep_run(&client, run.number, Some("third"), None).unwrap();
    assert_eq!(consent::trust(&home, &name), Trust::Asks);
}

#[test]
fn the_built_in_one_is_neither_replaced_nor_removed() {
    let place = tempfile::tempdir().unwrap();
    let home = home(place.path());
    folder(&place.path().join("src"), &[("footplate.toml", &PIPELINE.replace("\"demo\"", "\"digits\""))]);
    assert_eq!(own::add(&home, &place.path().join("src"), Name::Own, true).unwrap_err().code, ErrorCode::Conflict);
    assert_eq!(own::add(&home, &place.path().join("src"), Name::Free, false).unwrap(), "digits-2");
    assert_eq!(consent::trust(&home, "digits-2"), Trust::Asks);
    assert_eq!(own::remove(&home, "digits").unwrap_err().code, ErrorCode::Conflict);
    assert_eq!(own::remove(&home, "digitz").unwrap_err().code, ErrorCode::NotFound);
    for name in ["digits", "digits-2"] {
        assert!(templates::all(&home).templates.iter().any(|template| template.name == name), "{name}");
    }
}

#[test]
fn a_run_knows_its_template_where_others_have_the_same_name() {
    let place = tempfile::tempdir().unwrap();
    let home = home(place.path());
    let mut client = client(&home);
    let source = place.path().join("src");
    folder(&source, &[("footplate.toml", PIPELINE)]);
    let (first, second) = (
        own::add(&home, &source, Name::Free, true).unwrap(),
        own::add(&home, &source, Name::Exactly("other"), true).unwrap(),
    );
    let of = |client: &mut Client, submit: Submit| {
        let number = client.submit(submit).unwrap().number;
        templates::of_run(&home, &client.definition(number).unwrap())
    };
    assert_eq!(of(&mut client, submit(&home, &first, place.path())).as_deref(), Some("demo"));
    assert_eq!(of(&mut client, submit(&home, &second, place.path())).as_deref(), Some("other"));
    // From its file it is of no template, whatever its name.
    let (definition, dir) = footplate_spec::load(&source).unwrap();
    let plain = submit(&home, &first, place.path());
    let plain = Submit { definition, pipeline_dir: dir, ..plain };
    assert_eq!(of(&mut client, plain), None);
    // Of a built-in one only what is exactly that; another limit of time is no other template.
    let built_in = || submit(&home, "digits", place.path());
    let mut longer = built_in();
    longer.definition.stages[0].timeout = Some(footplate_core::quantity::Span(60_000));
    assert_eq!(of(&mut client, longer).as_deref(), Some("digits"));
    let mut changed = built_in();
    changed.definition.stages[0].command.push("--more".into());
    assert_eq!(of(&mut client, changed), None);
    // One that is gone is none.
    let number = client.submit(submit(&home, &second, place.path())).unwrap().number;
    own::remove(&home, "other").unwrap();
    assert_eq!(templates::of_run(&home, &client.definition(number).unwrap()), None);
}
