//! Kills while a checkpoint is being saved: what is gone on from is always whole, and what got further is not given up.

use footplate_testkit::{Bench, Pretend, kill9, until};

use crate::{Dice, LONG};

/// Saves one checkpoint after another, 40 pieces each, and appends a byte to `pieces` with each. Given one to go on from it looks whether that
/// is whole, and says which it is.
const SAVES: &str = r#"
import json, struct
folder = os.environ["FOOTPLATE_RUN_DIR"] + "/ckpt"
os.makedirs(folder, exist_ok=True)
step = 0
if "--resume" in sys.argv:
    data = open(sys.argv[-1], "rb").read()
    size = struct.unpack("<Q", data[:8])[0]
    step = int(json.loads(data[8:8 + size])["__metadata__"]["step"])
    whole = data[8 + size:] == bytes([step % 256]) * (40 * 256)
    note("from %d %s" % (step, "whole" if whole else "broken"))
else:
    note("from nothing")
pieces = open("pieces", "ab", buffering=0)
while not os.path.exists("enough"):
    step += 1
    entry = {"dtype": "U8", "shape": [40 * 256], "data_offsets": [0, 40 * 256]}
    header = json.dumps({"__metadata__": {"step": str(step)}, "w": entry}).encode()
    with open("%s/step-%d.safetensors" % (folder, step), "wb", buffering=0) as f:
        f.write(struct.pack("<Q", len(header)) + header)
        for _ in range(40):
            f.write(bytes([step % 256]) * 256)
            pieces.write(b".")
            time.sleep(0.0005)
    if os.path.exists("once"):
        os.remove("once")
        note("saved once")
    while os.path.exists("hold"):
        time.sleep(0.01)
"#;

fn pipeline(bench: &Bench, program: &Pretend, keys: &str) -> i64 {
    let text = format!(
        "format = 1\nname = \"saves\"\n[stages.train]\ncommand = {:?}\nresume = [\"--resume\", \"{{{{ checkpoint.path }}}}\"]\n{keys}\n\
         checkpoints = {{ files = \"{{{{ run.dir }}}}/ckpt/*.safetensors\", keep_last = 3 }}\n",
        program.argv()
    );
    let path = bench.write("saves.toml", text).display().to_string();
    bench.run(&["run", &path, "--detach", "--json"]).expect(0).json()["number"].as_i64().unwrap()
}

#[test]
fn at_whatever_moment_of_a_save_the_program_is_killed_it_goes_on_from_a_whole_checkpoint() {
    let rounds = crate::rounds(12, 100) as usize;
    let mut dice = Dice(88_172_645_463_325_252);
    for _ in 0..crate::rounds(1, 2) {
        let bench = Bench::new();
        let program = Pretend::python(&bench.work(), "train.py", SAVES);
        let number = pipeline(&bench, &program, "retries = { max = 100, delay = \"0s\", jitter = 0 }");
        let pieces = || std::fs::metadata(bench.work().join("pieces")).map_or(0, |about| about.len());
        for round in 0..rounds {
            until(LONG, "it was started again", || {
                program.lines().iter().filter(|l| l.starts_with("from ")).count() > round
            });
            // Up to three saves, and any piece of the next.
            let piece = pieces() + 1 + dice.below(120);
            until(LONG, "it saves", || pieces() >= piece);
            let start = program.lines().into_iter().rfind(|line| line.starts_with("start ")).unwrap();
            assert!(kill9(start["start ".len()..].parse().unwrap()));
        }
        std::fs::write(bench.work().join("enough"), "").unwrap();
        bench.until_status(number, "completed", LONG);
        let from: Vec<String> = program.lines().into_iter().filter(|line| line.starts_with("from ")).collect();
        assert_eq!(from.len(), rounds + 1);
        assert!(!from.iter().any(|line| line.ends_with("broken")), "{from:?}");
        let steps: Vec<u64> =
            from.iter().filter_map(|line| line.strip_prefix("from ")?.split(' ').next()?.parse().ok()).collect();
        assert!(steps.len() > rounds / 4 && steps.is_sorted(), "it never falls back: {from:?}");
    }
}

#[test]
fn interruptions_without_a_new_checkpoint_are_counted_and_those_with_one_are_not() {
    let bench = Bench::new();
    let program = Pretend::python(&bench.work(), "train.py", SAVES);
    // One checkpoint for each time it is started.
    let _ = bench.write("hold", "");
    let number = pipeline(&bench, &program, "");
    let begun = |count: usize| {
        // Whoever looks sees to it that there is an owner.
        until(LONG, "it is started", || {
            bench.status(number) == "running"
                && program.lines().iter().filter(|l| l.starts_with("from ")).count() == count
        });
    };
    // More often than three times in a row, each time with a checkpoint more.
    for count in 1..=4 {
        let once = bench.write("once", "");
        begun(count);
        until(LONG, "a checkpoint is saved", || !once.exists());
        bench.kill_all();
    }
    // And now without.
    let ckpt = bench.data().join("runs").join(bench.show(number)["id"].as_str().unwrap()).join("ckpt");
    for count in 5..=7 {
        begun(count);
        // What it has saved since its start is taken away again.
        let new = program.lines().into_iter().rfind(|line| line.starts_with("from ")).unwrap();
        let from: u64 = new.split(' ').nth(1).unwrap().parse().unwrap();
        bench.kill_all();
        for step in from + 1..from + 1_000 {
            let _ = std::fs::remove_file(ckpt.join(format!("step-{step}.safetensors")));
        }
    }
    bench.until_status(number, "interrupted", LONG);
    assert_eq!(bench.show(number)["stages"][0]["attempts"].as_array().unwrap().len(), 7);
}
