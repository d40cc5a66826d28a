//! What came from elsewhere runs nothing before it was allowed, and nothing else than what was allowed.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use footplate_core::ErrorCode;
use footplate_engine::client::{Wish, WishRequest};
use footplate_engine::templates::consent::{self, Trust};
use footplate_engine::templates::own::{self, Name};

use crate::{client, folder, home, submit};

const PIPELINE: &str = r#"
format = 1
name = "demo"
title = "A demo"
[params.data]
type = "dataset"
default = "/data"
[params.epochs]
type = "integer"
default = 3
[stages.train]
command = ["python", "{{ pipeline.dir }}/train.py", "--epochs", "{{ params.epochs }}"]
cwd = "{{ pipeline.dir }}"
env = { LR = "1" }
[stages.look]
needs = ["train"]
shell = "cat {{ params.data }} | head"
"#;

fn imported(place: &std::path::Path) -> footplate_engine::Home {
    let home = home(place);
    folder(&place.join("src"), &[("footplate.toml", PIPELINE), ("train.py", "print(1)\n")]);
    own::add(&home, &place.join("src"), Name::Own, true).unwrap();
    own::export(&home, "demo", &place.join("demo.footplate")).unwrap();
    own::remove(&home, "demo").unwrap();
    assert_eq!(own::import(&home, &place.join("demo.footplate"), Name::Own).unwrap(), "demo");
    home
}

#[test]
fn an_imported_template_starts_only_after_consent_and_only_as_it_was_shown() {
    let place = tempfile::tempdir().unwrap();
    let home = imported(place.path());
    let mut client = client(&home);
    let mut start = || client.submit(submit(&home, "demo", place.path())).map(|run| run.number);
    let fault = start().unwrap_err();
    assert_eq!((fault.code, fault.code.exit_code()), (ErrorCode::ConsentMissing, 6));
    assert!(fault.hints.iter().any(|hint| hint.contains("footplate template consent demo")), "{fault:?}");

    let view = consent::view(&home, "demo").unwrap();
    assert_eq!(view.trust, Trust::Asks);
    assert_eq!(view.stages[0].argv, ["python", "{{ pipeline.dir }}/train.py", "--epochs", "3"]);
    assert_eq!(view.stages[0].written[3], "{{ params.epochs }}");
    assert_eq!(view.stages[0].cwd.as_deref(), Some("{{ pipeline.dir }}"));
    assert_eq!(view.stages[0].env, ["LR"]);
    assert_eq!(view.stages[1].argv, ["/bin/sh", "-c", "cat /data | head"]);
    assert!(view.stages[1].shell);
    assert_eq!(view.paths, ["data"]);
    let files: Vec<(&str, u64)> = view.files.iter().map(|file| (file.path.as_str(), file.size)).collect();
    assert_eq!(files, [("footplate.toml", PIPELINE.len() as u64), ("train.py", 9)]);

    // What was shown is what is allowed.
    let wrong = consent::give(&home, "demo", &"0".repeat(64)).unwrap_err();
    assert_eq!(wrong.code, ErrorCode::Conflict);
    assert_eq!(start().unwrap_err().code, ErrorCode::ConsentMissing);
    consent::give(&home, "demo", &view.hash).unwrap();
    assert_eq!(consent::trust(&home, "demo"), Trust::Allowed);
    start().unwrap();

    // Any byte, any bit, any file.
    let own = home.templates().join("demo");
    let changes: [(&str, &dyn Fn()); 4] = [
        ("a byte of the script", &|| fs::write(own.join("train.py"), "print(2)\n").unwrap()),
        ("a comment in the pipeline", &|| fs::write(own.join("footplate.toml"), format!("{PIPELINE}#")).unwrap()),
        ("a bit", &|| fs::set_permissions(own.join("train.py"), fs::Permissions::from_mode(0o700)).unwrap()),
        ("a new file", &|| fs::write(own.join("sitecustomize.py"), "").unwrap()),
    ];
    for (what, change) in changes {
        change();
        let fault = start().unwrap_err();
        assert_eq!(fault.code, ErrorCode::ConsentMissing, "{what}");
        assert!(fault.message.contains("was changed"), "{fault}");
        consent::give(&home, "demo", &consent::view(&home, "demo").unwrap().hash).unwrap();
        start().unwrap();
    }
    // A link in the place of a file that was allowed.
    fs::remove_file(own.join("train.py")).unwrap();
    std::os::unix::fs::symlink("/dev/null", own.join("train.py")).unwrap();
    assert_eq!(start().unwrap_err().code, ErrorCode::ConsentMissing);
}

#[test]
fn a_run_that_was_written_down_before_a_change_is_not_started_after_it() {
    let place = tempfile::tempdir().unwrap();
    let home = imported(place.path());
    let mut client = client(&home);
    consent::give(&home, "demo", &consent::view(&home, "demo").unwrap().hash).unwrap();
    let mut draft = submit(&home, "demo", place.path());
    draft.draft = true;
    let number = client.submit(draft).unwrap().number;
    fs::write(home.templates().join("demo/train.py"), "print(2)\n").unwrap();
    for wish in [Wish::Start {}, Wish::Retry { from: None, failed: false }, Wish::Resume { from: None, stage: None }] {
        let fault = client.wish(WishRequest::of(number, wish)).unwrap_err();
        assert_eq!(fault.code, ErrorCode::ConsentMissing);
    }
    client.wish(WishRequest::of(number, Wish::Rm { files: false })).unwrap();
}

#[test]
fn consent_goes_with_the_name_and_ends_with_the_template() {
    let place = tempfile::tempdir().unwrap();
    let home = imported(place.path());
    consent::give(&home, "demo", &consent::view(&home, "demo").unwrap().hash).unwrap();
    own::rename(&home, "demo", "other").unwrap();
    assert_eq!(consent::trust(&home, "other"), Trust::Allowed);
    assert_eq!(own::rename(&home, "other", "digits").unwrap_err().code, ErrorCode::Conflict);
    assert_eq!(own::rename(&home, "other", "../x").unwrap_err().code, ErrorCode::Invalid);
    own::remove(&home, "other").unwrap();
    assert_eq!(own::import(&home, &place.path().join("demo.footplate"), Name::Exactly("other")).unwrap(), "other");
    assert_eq!(consent::trust(&home, "other"), Trust::Asks);
    assert_eq!(consent::trust(&home, "demo"), Trust::Asks);
}

#[test]
fn a_folder_put_among_the_templates_by_hand_asks_and_no_way_around_its_name_helps() {
    let place = tempfile::tempdir().unwrap();
    let home = home(place.path());
    let own = home.templates().join("demo");
    folder(&own, &[("footplate.toml", PIPELINE), ("deep/footplate.toml", PIPELINE), ("train.py", "")]);
    std::os::unix::fs::symlink(&own, place.path().join("way")).unwrap();
    for way in [own.clone(), own.join("deep"), place.path().join("way"), own.join("../demo/deep/..")] {
        assert_eq!(consent::required(&home, &way).unwrap_err().code, ErrorCode::ConsentMissing, "{}", way.display());
    }
    consent::required(&home, place.path()).unwrap();
}
