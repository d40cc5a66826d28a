//! The executable from outside: real processes, real files.
#![expect(clippy::unwrap_used, reason = "tests may, and the lint overlooks the functions beside them")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

fn sample(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_footplate-sample"));
    // One thread, as the template has it: more only wait for each other where tests run side by side.
    command.args(arguments).env("RAYON_NUM_THREADS", "1");
    command
}

fn done(arguments: &[&str]) -> String {
    let output = sample(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn events(stdout: &str) -> Vec<Value> {
    stdout.lines().filter_map(event).collect()
}

fn event(line: &str) -> Option<Value> {
    let json = line.strip_prefix("##PROGRESS##")?.strip_suffix("##").unwrap();
    Some(serde_json::from_str(json).unwrap())
}

fn output(events: &[Value], key: &str) -> Value {
    let found: Vec<&Value> = events.iter().filter_map(|event| event["output"].get(key)).collect();
    assert_eq!(found.len(), 1, "{key} in {events:?}");
    found[0].clone()
}

struct Home {
    folder: TempDir,
}

impl Home {
    /// With the digits prepared.
    fn new() -> Self {
        let home = Self { folder: tempfile::tempdir().unwrap() };
        done(&["prepare", "--out", &home.at("data")]);
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn at(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// `train` of a small network into `out`.
    fn small(&self, out: &str, more: &[&str]) -> Command {
        let mut command = sample(&["train", "--data", &self.at("data"), "--out", &self.at(out), "--hidden", "48"]);
        command.args(more);
        command
    }
}

/// Reads the child's stdout until its checkpoint number `count` is announced.
fn until_checkpoint(child: &mut Child, count: usize) -> String {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut checkpoints =
        lines.map_while(Result::ok).filter_map(|line| event(&line)).filter(|event| event["type"] == "checkpoint");
    let last = checkpoints.nth(count - 1).expect("the training ended too early");
    last["checkpoint"]["path"].as_str().unwrap().to_owned()
}

#[test]
fn the_default_settings_read_95_of_100_unseen_digits_and_say_so() {
    let home = Home::new();
    let trained = events(&done(&["train", "--data", &home.at("data"), "--out", &home.at("out")]));
    let model = output(&trained, "model");
    let table =
        done(&["evaluate", "--data", &home.at("data"), "--model", model.as_str().unwrap(), "--out", &home.at("out")]);
    let accuracy = output(&events(&table), "accuracy").as_f64().unwrap();
    assert!(accuracy >= 0.95, "{accuracy}");
    assert!(accuracy < 1.0 || table.contains("359 of 359"), "{table}");
    assert!(table.contains("true   read as"), "{table}");
    assert!(home.bytes("out/confusion.png").starts_with(b"\x89PNG\r\n\x1a\n"));

    // The loss falls on screen, positions never go back, and the last one is the end.
    let loss: Vec<f64> = trained.iter().filter_map(|event| event["metrics"]["loss"].as_f64()).collect();
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    assert!(mean(&loss[loss.len() - 40..]) < mean(&loss[..40]) / 10.0, "{loss:?}");
    let steps: Vec<u64> = trained.iter().filter_map(|event| event["step"].as_u64()).collect();
    assert!(steps.is_sorted());
    let last = trained.iter().rfind(|event| event["step"].is_u64()).unwrap();
    assert_eq!(last["step"], last["total"]);
    assert_eq!(last["epoch"], last["epochs"]);
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let home = Home::new();
    for (out, seed) in [("a", "5"), ("b", "5"), ("c", "6")] {
        assert!(home.small(out, &["--epochs", "2", "--seed", seed]).output().unwrap().status.success());
    }
    assert_eq!(home.bytes("a/model.safetensors"), home.bytes("b/model.safetensors"));
    assert_eq!(home.bytes("a/ckpt/epoch-0002.safetensors"), home.bytes("b/ckpt/epoch-0002.safetensors"));
    assert_ne!(home.bytes("a/model.safetensors"), home.bytes("c/model.safetensors"));
    done(&["prepare", "--out", &home.at("again")]);
    assert_eq!(home.bytes("data/heldout.safetensors"), home.bytes("again/heldout.safetensors"));
}

#[test]
fn a_training_killed_and_resumed_ends_in_the_same_bytes_as_one_that_was_not() {
    let home = Home::new();
    let whole = home.small("whole", &["--epochs", "5"]).env("RAYON_NUM_THREADS", "2").output().unwrap();
    assert!(whole.status.success());

    let mut child = home.small("cut", &["--epochs", "5", "--pace", "2"]).stdout(Stdio::piped()).spawn().unwrap();
    let checkpoint = until_checkpoint(&mut child, 2);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!home.path("cut/model.safetensors").exists(), "it was not killed in time to show anything");

    let resumed = home.small("cut", &["--epochs", "5", "--resume", &checkpoint]).output().unwrap();
    let stdout = String::from_utf8(resumed.stdout).unwrap();
    assert!(resumed.status.success(), "{}", String::from_utf8_lossy(&resumed.stderr));
    assert!(stdout.contains("going on after epoch 2"), "{stdout}");
    let first = events(&stdout).into_iter().find(|event| event["step"].is_u64()).unwrap();
    assert_eq!(first["epoch"], 3, "what is done is not done again");
    for name in ["model.safetensors", "ckpt/epoch-0005.safetensors"] {
        assert_eq!(home.bytes(&format!("whole/{name}")), home.bytes(&format!("cut/{name}")), "{name}");
    }
}

#[test]
fn a_finished_training_resumed_has_nothing_to_do_and_a_longer_one_goes_on() {
    let home = Home::new();
    assert!(home.small("out", &["--epochs", "2"]).output().unwrap().status.success());
    let model = home.bytes("out/model.safetensors");
    let last = home.at("out/ckpt/epoch-0002.safetensors");
    assert!(home.small("out", &["--epochs", "2", "--resume", &last]).output().unwrap().status.success());
    assert_eq!(home.bytes("out/model.safetensors"), model);
    assert!(home.small("out", &["--epochs", "3", "--resume", &last]).output().unwrap().status.success());
    assert!(home.path("out/ckpt/epoch-0003.safetensors").exists());
}

#[test]
fn every_checkpoint_announced_stands_complete_at_that_moment() {
    let home = Home::new();
    let mut child = home.small("out", &["--epochs", "4", "--keep", "0"]).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut seen = 0;
    for event in lines.filter_map(|line| event(&line)).filter(|event| event["type"] == "checkpoint") {
        let path = Path::new(event["checkpoint"]["path"].as_str().unwrap());
        let bytes = fs::read(path).unwrap();
        let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        assert_eq!(tensors.len(), 18, "six tensors, each with two moments");
        assert!(event["checkpoint"]["metrics"]["val_loss"].is_f64());
        seen += 1;
    }
    assert!(child.wait().unwrap().success());
    assert_eq!(seen, 4);
    assert_eq!(fs::read_dir(home.path("out/ckpt")).unwrap().count(), 4);
    let left: Vec<_> = fs::read_dir(home.path("out/ckpt")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(left.iter().all(|path| path.extension().is_some_and(|end| end == "safetensors")), "{left:?}");
}

#[test]
fn old_checkpoints_make_room_and_the_newest_stay() {
    let home = Home::new();
    assert!(home.small("out", &["--epochs", "5", "--keep", "2"]).output().unwrap().status.success());
    let mut left: Vec<_> =
        fs::read_dir(home.path("out/ckpt")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["epoch-0004.safetensors", "epoch-0005.safetensors"]);
}

#[test]
fn sigterm_just_ends_it() {
    let home = Home::new();
    let mut child = home.small("out", &["--epochs", "1000", "--pace", "5"]).stdout(Stdio::piped()).spawn().unwrap();
    until_checkpoint(&mut child, 1);
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().signal(), Some(15));
}

#[test]
fn a_training_that_diverges_stops_with_a_sentence() {
    let home = Home::new();
    let ended = home.small("out", &["--lr", "1e30"]).output().unwrap();
    assert_eq!(ended.status.code(), Some(1));
    let stderr = String::from_utf8(ended.stderr).unwrap();
    assert!(stderr.contains("diverged. Try a smaller --lr."), "{stderr}");
    let spelled = |event: &Value| event["metrics"]["loss"] == "nan" || event["metrics"]["loss"] == "inf";
    assert!(events(&String::from_utf8(ended.stdout).unwrap()).iter().any(spelled), "alerts can see it");
}

#[test]
fn broken_inputs_are_answered_with_a_sentence_and_an_exit_code() {
    let home = Home::new();
    assert!(home.small("out", &["--epochs", "1"]).output().unwrap().status.success());
    let (data, out, checkpoint) = (home.at("data"), home.at("out"), home.at("out/ckpt/epoch-0001.safetensors"));
    let (model, cut, text) = (home.at("out/model.safetensors"), home.at("cut.safetensors"), home.at("text"));
    let whole = home.bytes("out/ckpt/epoch-0001.safetensors");
    fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
    fs::write(&text, "not digits at all\n").unwrap();
    fs::create_dir(home.path("empty")).unwrap();
    let empty = home.at("empty");
    done(&["prepare", "--seed", "9", "--out", &home.at("other")]);
    let other = home.at("other");

    let train = ["train", "--data", &data, "--out", &out, "--hidden", "48"];
    let train = |more: &[&'static str]| {
        train.iter().copied().chain(more.iter().copied()).map(str::to_owned).collect::<Vec<_>>()
    };
    let with = |mut arguments: Vec<String>, last: &str| {
        arguments.push(last.to_owned());
        arguments
    };
    let owned = |arguments: &[&str]| arguments.iter().map(|&argument| argument.to_owned()).collect::<Vec<_>>();
    let cases: Vec<(Vec<String>, i32, &str)> = vec![
        (owned(&["train", "--data", &empty, "--out", &out]), 1, "Run `footplate-sample prepare`"),
        (owned(&["evaluate", "--data", &data, "--model", &text, "--out", &out]), 1, "is damaged or of another kind"),
        (
            owned(&["evaluate", "--data", &empty, "--model", &model, "--out", &out]),
            1,
            "heldout.safetensors: No such file",
        ),
        (owned(&["evaluate", "--data", &data, "--model", &empty, "--out", &out]), 1, "Is a directory"),
        (
            owned(&["prepare", "--source", &text, "--out", &out]),
            1,
            "line 1 has \"not digits at all\" where a number is due",
        ),
        (owned(&["prepare", "--out", &text]), 1, "cannot write"),
        (with(train(&["--resume"]), &cut), 1, "Give --resume a file from the ckpt folder"),
        (with(train(&["--resume"]), &home.at("gone")), 1, "No such file"),
        (with(train(&["--resume"]), &model), 1, "hidden1.weight.first"),
        (with(train(&["--seed", "2", "--resume"]), &checkpoint), 1, "with --seed 1, this one has 2"),
        (with(train(&["--batch", "8", "--resume"]), &checkpoint), 1, "with --batch 16, this one has 8"),
        (with(train(&["--lr", "0.1", "--resume"]), &checkpoint), 1, "with --lr 0.001, this one has 0.1"),
        (
            owned(&["train", "--data", &data, "--out", &out, "--resume", &checkpoint]),
            1,
            "with --hidden 48, this one has 512",
        ),
        (
            owned(&["train", "--data", &other, "--out", &out, "--hidden", "48", "--resume", &checkpoint]),
            1,
            "with other digits",
        ),
        (train(&["--epochs", "0"]), 2, "--epochs"),
        (train(&["--lr", "nan"]), 2, "the learning rate must be above 0"),
        (train(&["--epoch", "3"]), 2, "--epochs"),
    ];
    for (arguments, code, sentence) in cases {
        let Output { status, stderr, .. } =
            sample(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).output().unwrap();
        let stderr = String::from_utf8(stderr).unwrap();
        assert_eq!(status.code(), Some(code), "{arguments:?}: {stderr}");
        assert!(stderr.contains(sentence) && !stderr.contains("panicked"), "{arguments:?}: {stderr}");
    }
}
