//! Checkpoints: asked for before a stop, and gone on from.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::{LONG, ended, open, pipeline, run, stage, words};
use footplate_testkit::{Bench, Pretend, until};
use serde_json::{Value, json};

#[test]
fn resume_goes_on_from_the_newest_whole_checkpoint() {
    let bench = Bench::new();
    let program = Pretend::python(
        &bench.work(),
        "train.py",
        r#"
import json, struct
note(" ".join(sys.argv[1:]))
folder = os.environ["FOOTPLATE_RUN_DIR"] + "/ckpt"
os.makedirs(folder, exist_ok=True)
def save(step, cut=0):
    header = json.dumps({"w": {"dtype": "U8", "shape": [64], "data_offsets": [0, 64]}}).encode()
    whole = struct.pack("<Q", len(header)) + header + bytes(64)
    path = "%s/step-%d.safetensors" % (folder, step)
    with open(path, "wb") as f:
        f.write(whole[:len(whole) - cut])
    os.utime(path, (step * 1000, step * 1000))
if "--resume" in sys.argv:
    sys.exit(0)
save(1)
save(2)
save(3, cut=10)
sys.exit(1)
"#,
    );
    let toml = format!(
        "[stages.train]\ncommand = {:?}\nresume = [\"--resume\", \"{{{{ checkpoint.path }}}}\"]\ncheckpoints = {{ files = \"{{{{ run.dir }}}}/ckpt/*.safetensors\" }}\n",
        program.argv()
    );
    assert_eq!(run(&bench, &pipeline(&bench, "resumed", &toml), &[])["status"], "failed");
    let _ = bench.run(&words("resume 1")).expect(0);
    let end = ended(&bench, 1);
    assert_eq!(end["status"], "completed", "{end:#}");
    assert_eq!(stage(&end, "train")["attempts"].as_array().unwrap().len(), 2);
    let said: Vec<String> = program.lines().into_iter().filter(|line| !line.starts_with("start ")).collect();
    let expected = bench.data().join("runs").join(end["id"].as_str().unwrap()).join("ckpt/step-2.safetensors");
    assert_eq!(
        said,
        [String::new(), format!("--resume {}", expected.display())],
        "the half-written one is passed over"
    );
}

/// What it was called with, then three checkpoints in the past, the last of them cut off; after that, what is given.
fn saving(then: &str) -> String {
    let start = r###"
import json, struct
note(" ".join(sys.argv[1:]))
folder = os.environ["FOOTPLATE_RUN_DIR"] + "/ckpt"
os.makedirs(folder, exist_ok=True)
def save(step, cut=0, at=None):
    header = json.dumps({"w": {"dtype": "U8", "shape": [64], "data_offsets": [0, 64]}}).encode()
    whole = struct.pack("<Q", len(header)) + header + bytes(64)
    path = "%s/step-%d.safetensors" % (folder, step)
    with open(path, "wb") as f:
        f.write(whole[:len(whole) - cut])
    if at: os.utime(path, (at, at))
    print("##PROGRESS##" + json.dumps({"checkpoint": {"path": path, "step": step}}) + "##", flush=True)
if "--resume" not in sys.argv:
    for step in 1, 2, 3:
        save(step, cut=10 if step == 3 else 0, at=step * 1000)
"###;
    format!("{start}{then}")
}

fn resumable(program: &Pretend, more: &str) -> String {
    let command = program.argv();
    format!(
        "[stages.train]\ncommand = {command:?}\nresume = [\"--resume\", \"{{{{ checkpoint.path }}}}\"]\n\
         checkpoints = {{ files = \"{{{{ run.dir }}}}/ckpt/*.safetensors\" }}\n{more}"
    )
}

/// What the program was called with, each time but the first.
fn resumed(program: &Pretend) -> Vec<String> {
    program.lines().into_iter().filter(|line| line.contains("--resume")).collect()
}

#[test]
fn a_run_goes_on_from_the_checkpoint_that_was_chosen_until_it_has_written_a_newer_one() {
    let bench = Bench::new();
    // Goes on from the chosen one and fails at once; does so again, after a checkpoint; goes on from that one.
    let then = r#"
if "--resume" in sys.argv:
    tries = int(os.environ["FOOTPLATE_ATTEMPT"])
    if tries == 3: save(9)
    sys.exit(0 if tries == 4 else 1)
"#;
    let program = Pretend::python(&bench.work(), "train.py", &saving(then));
    // It has a checkpoint of its own, made of what was trained before.
    let own = r#"
note(" ".join(sys.argv[1:]))
folder = os.environ["FOOTPLATE_RUN_DIR"] + "/after"
os.makedirs(folder, exist_ok=True)
open(folder + "/a.bin", "wb").write(b"x")
os.utime(folder + "/a.bin", (1000, 1000))
"#;
    let after = Pretend::python(&bench.work(), "after.py", own);
    let more = format!(
        "retries = {{ max = 2, delay = \"10ms\", jitter = 0 }}\n[stages.after]\nneeds = [\"train\"]\ncommand = {:?}\n\
         resume = [\"--resume\", \"{{{{ checkpoint.path }}}}\"]\ncheckpoints = {{ files = \"{{{{ run.dir }}}}/after/*.bin\" }}\n",
        after.argv()
    );
    let end = run(&bench, &pipeline(&bench, "chosen", &resumable(&program, &more)), &[]);
    assert_eq!((end["status"].as_str(), after.starts()), (Some("completed"), 1), "{end:#}");
    let said = bench.run(&words("resume 1 --from 1")).expect(0).stdout;
    assert!(said.contains("#1 goes on with train from ") && said.contains("step-1.safetensors"), "{said}");
    let end = ended(&bench, 1);
    assert_eq!(end["status"], "completed", "{end:#}");
    let folder = bench.data().join("runs").join(end["id"].as_str().unwrap()).join("ckpt");
    let from = |step: u32| format!("--resume {}", folder.join(format!("step-{step}.safetensors")).display());
    assert_eq!(resumed(&program), [from(1), from(1), from(9)]);
    assert_eq!(after.starts(), 2, "what depends on it ran again");
    assert_eq!(resumed(&after), Vec::<String>::new(), "and began anew");
}

#[test]
fn what_cannot_be_gone_on_from_is_refused_with_the_reason() {
    let bench = Bench::new();
    let program = Pretend::python(&bench.work(), "train.py", &saving("if \"--resume\" in sys.argv: time.sleep(600)\n"));
    let end = run(&bench, &pipeline(&bench, "refused", &resumable(&program, "")), &[]);
    let folder = bench.data().join("runs").join(end["id"].as_str().unwrap()).join("ckpt");
    let path = |name: &str| folder.join(name).display().to_string();
    let refused = |args: &[&str]| {
        let mut all = vec!["resume", "1", "--json", "--from"];
        all.extend(args);
        let output = bench.run(&all);
        (output.code, output.error()["message"].as_str().unwrap().replace(&path(""), ""))
    };
    assert_eq!(refused(&["3"]), (3, "The checkpoint step-3.safetensors is not complete".into()));
    assert_eq!(refused(&["17"]), (4, "#1 has no checkpoint \"17\".".into()));
    assert_eq!(refused(&["/etc/passwd"]), (4, "#1 has no checkpoint \"/etc/passwd\".".into()));
    assert_eq!(refused(&["1", "--stage", "trian"]), (4, "#1 has no stage \"trian\"".into()));
    std::fs::remove_file(folder.join("step-2.safetensors")).unwrap();
    assert_eq!(refused(&["2"]), (4, "The checkpoint step-2.safetensors is gone".into()));
    // A file that only a pattern knows.
    std::fs::copy(folder.join("step-1.safetensors"), folder.join("found.safetensors")).unwrap();
    let listed = bench.run(&words("checkpoints 1 --json")).expect(0).json();
    let complete: Vec<_> = listed.as_array().unwrap().iter().map(|row| row["complete"].as_bool().unwrap()).collect();
    assert_eq!(complete, [false, false, true, true], "{listed:#}");
    // By its path, and while it runs by nothing.
    let _ = bench.run(&["resume", "1", "--from", &path("step-1.safetensors")]).expect(0);
    until(LONG, "it goes on", || resumed(&program).len() == 1);
    let (code, message) = refused(&["1"]);
    assert_eq!((code, message.as_str()), (5, "#1 is running: what would be done again is live"));
    let _ = bench.run(&words("cancel 1")).expect(0);
}

#[test]
fn a_cancel_asks_for_a_checkpoint_and_resume_goes_on_from_it() {
    let bench = Bench::new();
    let program = Pretend::python(
        &bench.work(),
        "train.py",
        r#"
import json, signal, struct
note(" ".join(sys.argv[1:]))
folder = os.environ["FOOTPLATE_RUN_DIR"] + "/ckpt"
os.makedirs(folder, exist_ok=True)
if "--resume" in sys.argv:
    sys.exit(0)
def save(number, frame):
    header = json.dumps({"w": {"dtype": "U8", "shape": [64], "data_offsets": [0, 64]}}).encode()
    with open(folder + "/step-7.safetensors", "wb") as f:
        f.write(struct.pack("<Q", len(header)) + header + bytes(64))
    os.utime(folder + "/step-7.safetensors", (1000, 1000))
signal.signal(signal.SIGUSR1, save)
note("up")
while True:
    time.sleep(0.02)
"#,
    );
    let toml = format!(
        "[stages.train]\ngrace = \"1s\"\ncommand = {:?}\nresume = [\"--resume\", \"{{{{ checkpoint.path }}}}\"]\n\
         checkpoints = {{ files = \"{{{{ run.dir }}}}/ckpt/*.safetensors\", signal = \"USR1\", wait = \"1s\" }}\n",
        program.argv()
    );
    let path = pipeline(&bench, "saved", &toml);
    let _ = bench.run(&["run", &path, "--detach"]).expect(0);
    until(LONG, "it trains", || program.lines().iter().any(|line| line == "up"));
    let _ = bench.run(&words("cancel 1")).expect(0);
    assert_eq!(bench.status(1), "cancelled");
    let _ = bench.run(&words("resume 1")).expect(0);
    let end = ended(&bench, 1);
    assert_eq!(end["status"], "completed", "{end:#}");
    let expected = bench.data().join("runs").join(end["id"].as_str().unwrap()).join("ckpt/step-7.safetensors");
    assert_eq!(program.lines().last().unwrap(), &format!("--resume {}", expected.display()));
}

#[test]
fn checkpoints_are_listed_with_what_was_said_of_each() {
    let bench = Bench::new();
    let program = Pretend::python(
        &bench.work(),
        "train.py",
        r###"
import json
folder = os.environ["FOOTPLATE_RUN_DIR"] + "/ckpt"
os.makedirs(folder + "/whole", exist_ok=True)
def say(path, **known):
    print("##PROGRESS##" + json.dumps({"checkpoint": dict(known, path=path)}) + "##", flush=True)
open(folder + "/whole/model.bin", "wb").write(bytes(100))
open(folder + "/whole/state.bin", "wb").write(bytes(20))
say(folder + "/whole", step=10, metrics={"val_loss": 0.5, "odd": None})
open("beside.pt", "wb").write(bytes(7))
say("./beside.pt", epoch=1.5)
say(folder + "/gone.pt", step=20)
open(folder + "/found.pt", "wb").write(bytes(3))
"###,
    );
    let toml = format!(
        "[stages.train]\ncommand = {:?}\ncheckpoints = {{ files = \"{{{{ run.dir }}}}/ckpt/*.pt\" }}\n",
        program.argv()
    );
    assert_eq!(run(&bench, &pipeline(&bench, "said", &toml), &[])["status"], "completed");
    let listed = bench.run(&words("checkpoints 1 --json")).expect(0).json();
    let rows: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let path = row["path"].as_str().unwrap();
            let known = (row["step"].clone(), row["epoch"].clone(), row["metrics"].clone());
            (path.rsplit('/').next().unwrap().to_owned(), known, row["size"].clone(), row["exists"].clone())
        })
        .collect();
    let said = |name: &str, step, epoch, metrics, size: u64, exists: bool| {
        (name.to_owned(), (step, epoch, metrics), json!(size), json!(exists))
    };
    assert_eq!(
        rows,
        [
            said("gone.pt", json!(20), Value::Null, json!({}), 0, false),
            said("beside.pt", Value::Null, json!(1.5), json!({}), 7, true),
            said("whole", json!(10), Value::Null, json!({ "val_loss": 0.5, "odd": null }), 120, true),
            // What fits the pattern, and was not spoken of.
            said("found.pt", Value::Null, Value::Null, json!({}), 3, true),
        ]
    );
    assert_eq!(listed[1]["path"], json!(bench.work().join("beside.pt")));
    let shown = bench.run(&words("checkpoints 1")).expect(0).stdout;
    for part in ["ckpt/whole", "val_loss 0.5", "odd nan", "epoch 1.5", "gone"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let none = bench.add(&[], &["true"]);
    bench.until_status(none, "completed", LONG);
    assert!(bench.run(&["checkpoints", &none.to_string()]).expect(0).stderr.contains("has no checkpoints"));
}

/// Saves safetensors files, each with the loss that a line says; `plant` are further files and links, made before.
const KEEPS: &str = r###"
import json, struct
folder = os.environ["FOOTPLATE_RUN_DIR"] + "/ckpt"
os.makedirs(folder, exist_ok=True)
def save(step, loss, cut=0):
    header = json.dumps({"w": {"dtype": "U8", "shape": [64], "data_offsets": [0, 64]}}).encode()
    whole = struct.pack("<Q", len(header)) + header + bytes(64)
    path = "%s/step-%d.safetensors" % (folder, step)
    with open(path, "wb") as f:
        f.write(whole[:len(whole) - cut])
    # In their order, whatever the file system's clock does.
    at = time.time() + step
    os.utime(path, (at, at))
    if not cut:
        print("##PROGRESS##" + json.dumps({"checkpoint": {"path": path, "step": step, "metrics": {"val_loss": loss}}}) + "##", flush=True)
"###;

fn there(bench: &Bench, run: &Value, folder: &str) -> Vec<String> {
    let folder = bench.data().join("runs").join(run["id"].as_str().unwrap()).join(folder);
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn the_best_and_the_newest_stay_when_a_stage_ends_and_links_and_what_is_cut_are_left_alone() {
    let bench = Bench::new();
    let victim = bench.write("victim.safetensors", "precious");
    let body = format!(
        "{KEEPS}\nfor step, loss in [(1, 0.9), (2, 0.2), (3, 0.5), (4, float('nan')), (5, 0.4), (6, 0.8)]:\n    save(step, loss)\n\
         save(7, 0.0, cut=9)\nos.symlink({victim:?}, folder + '/step-0.safetensors')\nopen(folder + '/other.txt', 'w').write('x')\n"
    );
    let program = Pretend::python(&bench.work(), "train.py", &body);
    let toml = format!(
        "[stages.train]\ncommand = {:?}\ncheckpoints = {{ files = \"{{{{ run.dir }}}}/ckpt/step-*.safetensors\", \
         metric = \"val_loss\", keep_best = 2, keep_last = 1 }}\n",
        program.argv()
    );
    let end = run(&bench, &pipeline(&bench, "kept", &toml), &[]);
    assert_eq!(end["status"], "completed", "{end:#}");
    let expected = [
        "other.txt",
        "step-0.safetensors",
        "step-2.safetensors",
        "step-5.safetensors",
        "step-6.safetensors",
        "step-7.safetensors",
    ];
    until(LONG, "what is not kept is gone", || there(&bench, &end, "ckpt") == expected);
    assert_eq!(std::fs::read_to_string(&victim).unwrap(), "precious");
    until(LONG, "it is noted", || bench.show(1)["notes"].to_string().contains("3 checkpoints are removed"));
    let text = bench.run(&words("checkpoints 1")).expect(0).stdout;
    assert!(text.lines().any(|line| line.contains("step-2") && line.contains("best")), "{text}");
    // Nothing is left to do, and the owner leaves.
    assert!(
        bench
            .run(&words("checkpoints 1 --clean --dry-run"))
            .expect(0)
            .stdout
            .ends_with("0 checkpoints would be removed\n")
    );
    until(LONG, "the owner leaves", || bench.owner().is_none());
}

/// Run 1: it has saved four checkpoints, of which the newest two are kept, and waits for `go`.
fn saves_four_and_waits(bench: &Bench, name: &str) {
    let body = format!(
        "{KEEPS}\nfor step in range(1, 5):\n    save(step, step)\nnote('saved')\nwhile not os.path.exists('go'):\n    time.sleep(0.02)\n"
    );
    let program = Pretend::python(&bench.work(), "train.py", &body);
    let toml = format!(
        "[stages.train]\ncommand = {:?}\ncheckpoints = {{ files = \"{{{{ run.dir }}}}/ckpt/*.safetensors\", keep_last = 2 }}\n",
        program.argv()
    );
    let path = pipeline(bench, name, &toml);
    let _ = bench.run(&["run", &path, "--detach"]).expect(0);
    until(LONG, "they are saved", || program.lines().iter().any(|line| line == "saved"));
}

#[test]
fn what_would_go_is_shown_first_and_goes_when_it_is_wished_while_the_stage_runs() {
    let bench = Bench::new();
    saves_four_and_waits(&bench, "live");
    let fates = || -> Vec<String> {
        let all = bench.run(&words("checkpoints 1 --clean --dry-run --json")).expect(0).json();
        all.as_array().unwrap().iter().map(|one| one["fate"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(fates(), ["newest", "newest", "goes", "goes"]);
    let run = bench.show(1);
    assert_eq!(there(&bench, &run, "ckpt").len(), 4, "a look removes nothing");
    // By its step, as the program said it, or by its path below the run's folder.
    let pin = |how: &str, which: &str| bench.run(&["checkpoints", "1", how, which]).expect(0).stdout;
    assert!(pin("--pin", "ckpt/step-2.safetensors").contains("step-2.safetensors is pinned"));
    assert!(pin("--pin", "ckpt/step-1.safetensors").contains("step-1.safetensors is pinned"));
    assert!(pin("--pin", "ckpt/step-1.safetensors").contains("was pinned already"));
    assert_eq!(fates(), ["newest", "newest", "pinned", "pinned"]);
    assert!(bench.run(&words("checkpoints 1")).expect(0).stdout.contains("pinned"));
    assert!(bench.run(&words("checkpoints 1 --pin 77")).expect(4).stderr.contains("has no checkpoint \"77\""));
    assert!(pin("--unpin", "ckpt/step-1.safetensors").contains("is no longer pinned"));
    let said = bench.run(&words("checkpoints 1 --clean")).expect(0).stdout;
    assert!(said.starts_with("#1: 1 checkpoint is removed, "), "{said}");
    let left = ["step-2.safetensors", "step-3.safetensors", "step-4.safetensors"];
    assert_eq!(there(&bench, &run, "ckpt"), left, "what is pinned stays");
    open(&bench, "go");
    assert_eq!(ended(&bench, 1)["status"], "completed");
    assert_eq!(there(&bench, &run, "ckpt"), left, "at the stage's end, too");
    let none = bench.add(&[], &["true"]);
    bench.until_status(none, "completed", LONG);
    assert!(
        bench.run(&["checkpoints", &none.to_string(), "--clean"]).expect(5).stderr.contains("keep_best, keep_last")
    );
}

#[test]
fn checkpoints_of_others_in_the_same_folder_are_nobodys_to_remove() {
    let bench = Bench::new();
    let old = bench.write("out/old.bin", "theirs");
    let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    std::fs::File::options().write(true).open(&old).unwrap().set_modified(long_ago).unwrap();
    let elsewhere = bench.root().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    let body = r###"
for step in range(3):
    path = '%s/%d.bin' % (sys.argv[1], step)
    open(path, 'w').write('mine')
    at = time.time() + step
    os.utime(path, (at, at))
    print('##PROGRESS##{"checkpoint": {"path": "%s"}}##' % path, flush=True)
"###;
    let program = Pretend::python(&bench.work(), "train.py", body);
    let stage = |name: &str, folder: &str| {
        let argv: Vec<String> = program.argv().into_iter().chain([folder.to_owned()]).collect();
        let files = format!("{folder}/*.bin");
        format!("[stages.{name}]\ncommand = {argv:?}\ncheckpoints = {{ files = {files:?}, keep_last = 1 }}\n")
    };
    let toml = format!("{}{}", stage("here", "out"), stage("away", &elsewhere.display().to_string()));
    let end = run(&bench, &pipeline(&bench, "others", &toml), &[]);
    assert_eq!(end["status"], "completed", "{end:#}");
    until(LONG, "the owner leaves", || bench.owner().is_none());
    assert_eq!(std::fs::read_to_string(&old).unwrap(), "theirs");
    assert_eq!(std::fs::read_dir(&elsewhere).unwrap().count(), 3, "not below a folder of the run's");
    assert!(!bench.work().join("out/0.bin").exists() && bench.work().join("out/2.bin").exists());
}

#[test]
fn two_runs_never_write_the_same_checkpoint_folder_at_the_same_time() {
    let bench = Bench::new();
    std::fs::create_dir_all(bench.work().join("out/ckpt")).unwrap();
    std::os::unix::fs::symlink(bench.work().join("out"), bench.work().join("link")).unwrap();
    let program = Pretend::sh(
        &bench.work(),
        "p.sh",
        &format!("echo \"in $1\" >> \"$LINES\"\n{}\necho \"out $1\" >> \"$LINES\"", common::gate("go")),
    );
    let of = |name: &str, files: &str| {
        let argv: Vec<String> = program.argv().into_iter().chain([name.to_owned()]).collect();
        let stage = format!(
            "[stages.train]\nqueue = \"evaluation\"\ncommand = {argv:?}\ncheckpoints = {{ files = {files:?} }}\n"
        );
        common::start(&bench, &pipeline(&bench, name, &stage), &[])
    };
    let first = of("one", "out/ckpt/*.pt");
    bench.until_status(first, "running", LONG);
    let second = of("two", "link/ckpt/../ckpt/*.bin");
    let other = of("three", "out/others/*.pt");
    bench.until_status(other, "running", LONG);
    let waits = || bench.show(second)["waiting"].clone();
    until(LONG, "the reason is told", || waits()["reason"] == "folder_in_use");
    assert_eq!(waits()["detail"], "#1 writes checkpoints to the same folder");
    // Another owner knows it, too.
    assert!(bench.kill_owner());
    until(LONG, "another owner is there", || bench.status(first) == "running" && bench.owner().is_some());
    assert_eq!((bench.status(second).as_str(), waits()["reason"].as_str()), ("queued", Some("folder_in_use")));
    open(&bench, "go");
    for number in [first, second, other] {
        bench.until_status(number, "completed", LONG);
    }
    let lines = program.lines();
    let at = |line: &str| lines.iter().position(|other| other == line).unwrap();
    assert!(at("out one") < at("in two"), "{lines:?}");
}

#[test]
fn an_hour_later_the_next_owner_cleans_while_the_stage_runs() {
    let mut bench = Bench::new();
    let shift = bench.write("shift", "0");
    bench.set_env("FOOTPLATE_TEST_WALL_SHIFT", &shift);
    saves_four_and_waits(&bench, "hourly");
    let run = bench.show(1);
    assert_eq!(there(&bench, &run, "ckpt").len(), 4);
    assert!(bench.kill_owner());
    std::fs::write(&shift, "3700000").unwrap();
    until(LONG, "two are left", || bench.status(1) == "running" && there(&bench, &run, "ckpt").len() == 2);
    open(&bench, "go");
    assert_eq!(ended(&bench, 1)["status"], "completed");
}

/// A stage that says with what it was called and ends as `then` has it, and saves to a folder that other runs use as well.
fn shared(bench: &Bench, then: &str) -> (Pretend, String) {
    let body = format!("note(' '.join(sys.argv[1:]) or 'anew')\n{then}\n");
    let program = Pretend::python(&bench.work(), "train.py", &body);
    let toml = format!(
        "[stages.prepare]\ncommand = [\"true\"]\n[stages.train]\nqueue = \"training\"\nneeds = [\"prepare\"]\ncommand = {:?}\n\
         resume = [\"--resume\", \"{{{{ checkpoint.path }}}}\"]\ncheckpoints = {{ files = \"{}/ckpt/*.bin\" }}\n",
        program.argv(),
        bench.work().display()
    );
    let path = pipeline(bench, "shared", &toml);
    (program, path)
}

fn called(program: &Pretend) -> Vec<String> {
    program.lines().into_iter().filter(|line| !line.starts_with("start ")).collect()
}

#[test]
fn what_another_run_or_older_data_left_is_not_gone_on_from_unasked() {
    let bench = Bench::new();
    // Killed while `hold` is there, before it saved anything. What it saves has been left alone for long, by its own time.
    let (program, path) = shared(
        &bench,
        "os.makedirs('ckpt', exist_ok=True)\nwhile os.path.exists('hold'): time.sleep(0.01)\nopen('ckpt/one.bin', 'w').write('weights')\nos.utime('ckpt/one.bin', (1, 1))\nsys.exit(1 if os.path.exists('fail') else 0)",
    );
    let kill_in_the_middle = |number: i64, starts: usize| {
        until(LONG, "it is in the middle", || called(&program).len() == starts);
        let pid = stage(&bench.show(number), "train")["attempts"].as_array().unwrap().last().unwrap()["pid"].clone();
        assert!(footplate_testkit::kill9(i32::try_from(pid.as_i64().unwrap()).unwrap()));
        until(LONG, "it was started again", || called(&program).len() == starts + 1);
        std::fs::remove_file(bench.work().join("hold")).unwrap();
    };
    assert_eq!(run(&bench, &path, &[])["status"], "completed");
    // Another run with the same folder.
    open(&bench, "hold");
    let text = std::fs::read_to_string(&path).unwrap();
    let retried =
        text.replace("[stages.train]\n", "[stages.train]\nretries = { max = 3, delay = \"0s\", jitter = 0 }\n");
    std::fs::write(&path, retried).unwrap();
    let second = common::start(&bench, &path, &[]);
    kill_in_the_middle(second, 2);
    assert_eq!(ended(&bench, second)["status"], "completed");
    assert_eq!(called(&program), ["anew", "anew", "anew"], "the first run's weights are not the second's");
    // The same run with other data.
    open(&bench, "hold");
    let _ = bench.run(&["retry", &second.to_string(), "--from", "prepare"]).expect(0);
    kill_in_the_middle(second, 4);
    assert_eq!(ended(&bench, second)["status"], "completed");
    assert_eq!(called(&program)[3..], ["anew", "anew"], "what was trained on the data of before");
    // Asked for: what it saved since it began anew, though that was in an attempt that had failed.
    open(&bench, "fail");
    let _ = bench.run(&["retry", &second.to_string(), "--from", "train"]).expect(0);
    assert_eq!(ended(&bench, second)["status"], "failed");
    std::fs::remove_file(bench.work().join("fail")).unwrap();
    let _ = bench.run(&["resume", &second.to_string()]).expect(0);
    assert_eq!(ended(&bench, second)["status"], "completed");
    let resumed = format!("--resume {}/ckpt/one.bin", bench.work().display());
    assert_eq!(called(&program).last(), Some(&resumed));
    // Asked for of a stage that was never tried: what lies there is the others'.
    let _ = bench.run(&words("queue pause training")).expect(0);
    let third = common::start(&bench, &path, &[]);
    until(LONG, "its data are prepared", || stage(&bench.show(third), "train")["status"] == "queued");
    let _ = bench.run(&["cancel", &third.to_string()]).expect(0);
    let _ = bench.run(&words("queue unpause training")).expect(0);
    let _ = bench.run(&["resume", &third.to_string()]).expect(0);
    assert_eq!(ended(&bench, third)["status"], "completed");
    assert_eq!(called(&program).last().unwrap(), "anew");
}

#[test]
fn checkpoints_that_are_folders_or_lie_elsewhere_are_listed_pinned_and_gone_on_from_like_others() {
    let bench = Bench::new();
    let program = Pretend::python(
        &bench.work(),
        "train.py",
        "note(' '.join(sys.argv[1:]) or 'anew')\nif len(sys.argv) > 1: sys.exit(0)\nfor step in (10, 20, 30):\n    for place in (os.environ['FOOTPLATE_RUN_DIR'] + '/ck', 'outputs'):\n        folder = '%s/checkpoint-%d' % (place, step)\n        os.makedirs(folder)\n        open(folder + '/model.bin', 'w').write('x' * 1000)\nsys.exit(1)",
    );
    for (at, files) in ["{{ run.dir }}/ck/checkpoint-*", "outputs/checkpoint-*"].into_iter().enumerate() {
        let _ = std::fs::remove_dir_all(bench.work().join("outputs"));
        let toml = format!(
            "[stages.train]\ncommand = {:?}\nresume = [\"--resume\", \"{{{{ checkpoint.path }}}}\"]\ncheckpoints = {{ files = \"{files}\", keep_last = 1 }}\n",
            program.argv()
        );
        let number = common::start(&bench, &pipeline(&bench, &format!("folders{at}"), &toml), &[]);
        assert_eq!(ended(&bench, number)["status"], "failed");
        let listed = bench.run(&["checkpoints", &number.to_string(), "--json"]).expect(0).json();
        let listed: Vec<&Value> = listed.as_array().unwrap().iter().collect();
        let paths: Vec<&str> = listed.iter().map(|one| one["path"].as_str().unwrap()).collect();
        assert!(paths.len() == 3 && paths[0].ends_with("checkpoint-30"), "{files}: {listed:#?}");
        assert!(listed.iter().all(|one| one["size"] == 1000 && one["exists"] == true), "{listed:#?}");
        let (run, oldest) = (number.to_string(), paths[2]);
        let _ = bench.run(&["checkpoints", &run, "--pin", oldest]).expect(0);
        let _ = bench.run(&["resume", &run, "--from", oldest]).expect(0);
        assert_eq!(ended(&bench, number)["status"], "completed");
        assert!(called(&program).last().unwrap().ends_with("/checkpoint-10"), "{:?}", called(&program));
    }
}
