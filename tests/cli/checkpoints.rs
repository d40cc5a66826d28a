//! Checkpoints: asked for before a stop, and gone on from.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::{LONG, ended, pipeline, run, stage, words};
use footplate_testkit::{Bench, Pretend, until};

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
