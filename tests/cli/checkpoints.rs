//! Checkpoints: asked for before a stop, and gone on from.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::{LONG, ended, pipeline, run, stage, words};
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
