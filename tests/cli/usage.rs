//! What programs use is measured while they live, survives an owner, and says why one was ended for want of memory.

use std::fs;
use std::path::{Path, PathBuf};

use footplate_testkit::{Bench, Found, until};
use serde_json::Value;

use super::common::{LONG, ended, gate, open};

fn attempt(bench: &Bench, number: i64) -> Value {
    bench.show(number)["stages"][0]["attempts"][0].clone()
}

fn points(bench: &Bench, number: i64) -> Vec<Value> {
    let all = bench.run(&["usage", "--json", &number.to_string()]).expect(0).json();
    all[0]["points"].as_array().cloned().unwrap_or_default()
}

#[test]
fn a_tree_is_measured_whole_and_an_owner_that_dies_leaves_no_gap_in_its_sums() {
    let mut bench = Bench::new();
    bench.set_env("FOOTPLATE_TEST_SAMPLE_MS", "60");
    // Two processes with 40 MB each, one of them at work.
    let body = format!(
        "x=$(head -c 40000000 /dev/zero | tr '\\0' x); (x=$x; while [ ! -e calm ]; do :; done; {}) & {}; wait",
        gate("go"),
        gate("go")
    );
    let number = bench.add(&[], &["sh", "-c", &body]);
    until(LONG, "it was looked at", || points(&bench, number).len() >= 3);
    let before = attempt(&bench, number)["usage"].clone();
    assert!(bench.kill_owner());
    let seen = points(&bench, number).len();
    until(LONG, "another goes on", || points(&bench, number).len() >= seen + 3);
    open(&bench, "calm");
    open(&bench, "go");
    assert_eq!(ended(&bench, number)["status"], "completed");
    let shown = attempt(&bench, number);
    let used = &shown["usage"];
    let of = |value: &Value| value.as_f64().unwrap();
    assert!(of(&used["peak_memory_bytes"]) > 70e6, "{used}");
    assert!(of(&used["cpu_s"]) >= of(&before["cpu_s"]) && of(&used["cpu_s"]) > 0.0, "{used} after {before}");
    // Counted twice, it would have worked for longer than it ran.
    let ran = of(&shown["running_s"]);
    assert!(of(&used["cpu_s"]) <= 2.0 * ran + 1.0 && of(&used["cores"]) <= 2.2, "{shown}");
    let report = bench.run(&["report", "--json", &number.to_string()]).expect(0).json();
    assert_eq!(report["stages"][0]["attempts"][0]["usage"], *used);
    let told = bench.run(&["usage", &number.to_string()]).expect(0).stdout;
    assert!(told.starts_with("STAGE") && told.contains("MOST MEMORY"), "{told}");
    let csv = bench.run(&["usage", "--csv", &number.to_string()]).expect(0).stdout;
    assert_eq!(csv.lines().count(), points(&bench, number).len() + 1);
}

#[test]
fn a_program_too_short_to_be_looked_at_has_what_its_end_tells() {
    let bench = Bench::new();
    let number = bench.add(&[], &["true"]);
    assert_eq!(ended(&bench, number)["status"], "completed");
    let used = attempt(&bench, number)["usage"].clone();
    assert!(used["peak_memory_bytes"].as_u64().unwrap() > 100_000, "{used}");
    assert_eq!((points(&bench, number).len(), used.get("oom_kills")), (0, None));
}

/// A control group with little memory; goes with the test. `None`: this machine does not let us make one.
struct Group(PathBuf);

impl Group {
    fn with(bytes: u64) -> Result<Group, String> {
        let name = format!("footplate-test-{}", std::process::id());
        let first = Path::new("/sys/fs/cgroup/memory");
        let (path, limit) = match first.is_dir() {
            true => (first.join(&name), "memory.limit_in_bytes"),
            false => (Path::new("/sys/fs/cgroup").join(&name), "memory.max"),
        };
        fs::create_dir(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let group = Group(path);
        fs::write(group.0.join(limit), bytes.to_string()).map_err(|error| format!("{limit}: {error}"))?;
        // Where there is swap, it must not help.
        for (file, value) in [("memory.swap.max", "0".to_owned()), ("memory.memsw.limit_in_bytes", bytes.to_string())] {
            let _ = fs::write(group.0.join(file), value);
        }
        Ok(group)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let empty = || fs::read_to_string(self.0.join("cgroup.procs")).is_ok_and(|pids| pids.trim().is_empty());
        let _ = footplate_testkit::holds_within(LONG, empty);
        let _ = fs::remove_dir(&self.0);
    }
}

#[test]
fn a_program_that_the_system_ended_for_want_of_memory_is_told_from_one_that_was_killed() {
    let group = match Group::with(300_000_000) {
        Ok(group) => group,
        Err(why) => return eprintln!("SKIPPED: no control group with little memory can be made here: {why}"),
    };
    let bench = Bench::new();
    // The owner, and so its shims and their programs, is in the group.
    let into = format!("echo $$ > {}; exec \"$0\" work", group.0.join("cgroup.procs").display());
    let mut owner = bench.command("sh").arg("-c").arg(into).arg(Bench::executable("footplate")).spawn().unwrap();
    until(LONG, "the owner is at work", || bench.owner().is_some());

    let killed = bench.add(&[], &["sh", "-c", "kill -9 $$"]);
    assert_eq!(ended(&bench, killed)["error"]["diagnosis"]["code"], "killed");

    let program = "x = []\nwhile True:\n    x.append(b'x' * 10_000_000)\n";
    let script = bench.write("grows.py", program);
    let number = bench.add(&[], &["python3", script.to_str().unwrap()]);
    let error = ended(&bench, number)["error"].clone();
    assert_eq!(error["diagnosis"]["code"], "out_of_memory", "{error:#}");
    assert_eq!(error["title"], "Out of memory");
    let says = error["detail"].as_str().unwrap();
    assert!(
        says.starts_with("The system ended it because memory ran out; its processes were seen with up to "),
        "{says}"
    );
    assert_eq!(attempt(&bench, number)["usage"]["oom_kills"], 1);
    // A shell that hands the end of its program on says the same.
    let inside = bench.add(&[], &["sh", "-c", &format!("python3 {}; exit $?", script.display())]);
    assert_eq!(ended(&bench, inside)["error"]["diagnosis"]["code"], "out_of_memory");
    // After these, one that somebody kills is still only killed.
    let again = bench.add(&[], &["sh", "-c", "kill -9 $$"]);
    assert_eq!(ended(&bench, again)["error"]["diagnosis"]["code"], "killed");
    assert!(Found::of(owner.id().cast_signed()).is_some(), "the owner was spared");
    owner.kill().unwrap();
    owner.wait().unwrap();
    bench.kill_all();
    drop(group);
}
