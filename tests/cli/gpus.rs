//! Stages that want GPUs, on a machine that has some for the time: who gets which, who waits and why, and what outlives an owner.
//! A library stands in for NVIDIA's; everything else is as it is shipped.

use super::common::{LONG, ended, gate, open};
use footplate_testkit::{Bench, PretendGpu, PretendGpus, until};
use serde_json::Value;

const GIB: u64 = 1 << 30;

/// A bench with so many GPUs and room for more stages than that.
fn bench(gpus: u32) -> (Bench, PretendGpus, Vec<PretendGpu>) {
    let mut bench = Bench::new();
    bench.set_env("FOOTPLATE_TEST_CPUS", "8");
    let all: Vec<PretendGpu> = (0..gpus).map(PretendGpu::free).collect();
    let pretend = PretendGpus::in_bench(&mut bench, &all);
    let _ = bench.run(&["queue", "set", "default", "--limit", "8"]).expect(0);
    (bench, pretend, all)
}

/// A program that says which GPUs it sees, and ends when its gate is opened.
fn says(name: &str) -> [String; 3] {
    ["sh".into(), "-c".into(), format!("echo \"sees [${{CUDA_VISIBLE_DEVICES-none}}]\"; {}", gate(name))]
}

fn add(bench: &Bench, gpus: &str, name: &str) -> i64 {
    bench.add(&["--gpus", gpus], &says(name))
}

/// The GPUs of the first attempt of a run's first stage, once it runs.
#[track_caller]
fn held(bench: &Bench, number: i64) -> Vec<String> {
    bench.until_status(number, "running", LONG);
    let shown = bench.show(number);
    let gpus = shown["stages"][0]["attempts"][0]["gpus"].as_array().unwrap().iter();
    gpus.map(|id| id.as_str().unwrap().to_owned()).collect()
}

/// Waits until a run waits for the GPUs in these words.
#[track_caller]
fn waits(bench: &Bench, number: i64, detail: &str) {
    let mut last = Value::Null;
    until(LONG, detail, || {
        last = bench.show(number)["waiting"].clone();
        last["reason"] == "gpus" && last["detail"] == detail
    });
}

#[track_caller]
fn sees(bench: &Bench, number: i64, what: &str) {
    let mut log = String::new();
    until(LONG, &format!("it sees {what}"), || {
        log = bench.run(&["logs", &number.to_string()]).stdout;
        !log.is_empty()
    });
    assert!(log.contains(&format!("sees [{what}]")), "{log}");
}

#[test]
fn each_stage_has_gpus_of_its_own_and_the_next_owner_knows_which() {
    let (bench, _pretend, all) = bench(2);
    let (one, two) = (add(&bench, "1", "a"), add(&bench, "1", "b"));
    let (first, second) = (held(&bench, one), held(&bench, two));
    assert_eq!((&first, &second), (&vec![all[0].id.clone()], &vec![all[1].id.clone()]));
    sees(&bench, one, &first[0]);
    sees(&bench, two, &second[0]);
    let third = add(&bench, "1", "c");
    waits(&bench, third, "wants 1 GPU; 0 of 2 GPUs free");
    let no_gpu = bench.add(&[], &says("d"));
    bench.until_status(no_gpu, "running", LONG);
    sees(&bench, no_gpu, "none");

    // What they hold stands in their rows: another owner gives it to nobody else.
    assert!(bench.kill_owner());
    let fourth = add(&bench, "1", "c");
    waits(&bench, fourth, "wants 1 GPU; 0 of 2 GPUs free");
    open(&bench, "b");
    assert_eq!(ended(&bench, two)["status"], "completed");
    assert_eq!(held(&bench, third), second, "the one that became free");
    for gate in ["a", "c", "d"] {
        open(&bench, gate);
    }
    for number in [one, third, fourth, no_gpu] {
        assert_eq!(ended(&bench, number)["status"], "completed");
    }
}

#[test]
fn a_gpu_that_a_program_of_others_computes_on_is_given_to_nobody_until_it_ends_or_is_ignored() {
    let (bench, pretend, mut all) = bench(2);
    let mut foreign = Killed(bench.command("sleep").arg("300").spawn().unwrap());
    let pid = foreign.0.id().cast_signed();
    all[0].processes = vec![(pid, 14_200_000_000)];
    all[1].processes = vec![(pid, GIB / 2)];
    pretend.set(&all);
    let (one, two) = (add(&bench, "1", "a"), add(&bench, "1", "b"));
    assert_eq!(held(&bench, one), [all[1].id.clone()], "half a gibibyte is a desktop's");
    let why = format!("wants 1 GPU; 0 of 2 GPUs free; GPU 0 is used by sleep (pid {pid}), 14.2GB");
    waits(&bench, two, &why);
    let told = bench.run(&["gpus"]).expect(0).stdout;
    assert!(told.contains(&format!("sleep (pid {pid}) 14.2 GB")) && told.contains("61 °C"), "{told}");

    let _ = bench.run(&["gpus", "--ignore-others", "yes"]).expect(0);
    assert_eq!(held(&bench, two), [all[0].id.clone()]);
    let _ = bench.run(&["gpus", "--ignore-others", "no"]).expect(0);
    open(&bench, "b");
    assert_eq!(ended(&bench, two)["status"], "completed");
    let three = add(&bench, "1", "c");
    waits(&bench, three, &why);
    // It ends by itself, and nobody says so: the queue goes on.
    foreign.0.kill().unwrap();
    foreign.0.wait().unwrap();
    all[0].processes.clear();
    pretend.set(&all);
    assert_eq!(held(&bench, three), [all[0].id.clone()]);
    open(&bench, "a");
    open(&bench, "c");
    assert_eq!(
        (ended(&bench, one)["status"].as_str(), ended(&bench, three)["status"].as_str()),
        (Some("completed"), Some("completed"))
    );
}

#[test]
fn a_choice_of_the_users_own_wins_and_its_gpu_is_held_for_it() {
    let (bench, _pretend, all) = bench(2);
    let chosen = bench.add(&["--gpus", "1", "--env", "CUDA_VISIBLE_DEVICES=1"], &says("a"));
    assert_eq!(held(&bench, chosen), [all[1].id.clone()]);
    sees(&bench, chosen, "1");
    let other = add(&bench, "1", "b");
    assert_eq!(held(&bench, other), [all[0].id.clone()]);
    let third = add(&bench, "1", "c");
    waits(&bench, third, "wants 1 GPU; 0 of 2 GPUs free");
    // One that nothing can be made of is counted, and holds none by name.
    open(&bench, "a");
    assert_eq!(ended(&bench, chosen)["status"], "completed");
    assert_eq!(held(&bench, third), [all[1].id.clone()]);
    for gate in ["b", "c"] {
        open(&bench, gate);
    }
    assert_eq!(
        (ended(&bench, other)["status"].as_str(), ended(&bench, third)["status"].as_str()),
        (Some("completed"), Some("completed"))
    );
}

#[test]
fn a_driver_that_goes_away_stops_no_program_and_no_owner() {
    let (bench, pretend, mut all) = bench(2);
    let one = add(&bench, "1", "a");
    assert_eq!(held(&bench, one), [all[0].id.clone()]);
    let owner = bench.owner().unwrap();
    // The one in use falls off the bus: the other is given away all the same.
    all[0].lost = true;
    pretend.set(&all);
    let two = add(&bench, "1", "b");
    assert_eq!(held(&bench, two), [all[1].id.clone()]);
    open(&bench, "b");
    assert_eq!(ended(&bench, two)["status"], "completed");
    // While a stage waits, they are looked at: so it is seen that the driver goes, and that it comes back.
    all[1].processes = vec![(1, 2 * GIB)];
    pretend.set(&all);
    let three = add(&bench, "1", "c");
    until(LONG, "it waits", || {
        bench.show(three)["waiting"]["detail"].as_str().is_some_and(|why| why.contains("GPU 1 is used by"))
    });
    pretend.unload();
    waits(&bench, three, "wants 1 GPU; 0 of 2 GPUs free; GPU 1 does not answer its driver");
    let told = bench.run(&["doctor"]).expect(0).stdout;
    assert!(told.contains("GPU 0 does not answer its driver; no stage gets it"), "{told}");
    all[0].lost = false;
    all[1].processes.clear();
    pretend.set(&all);
    assert_eq!(held(&bench, three), [all[1].id.clone()]);
    assert_eq!((bench.owner(), bench.status(one).as_str()), (Some(owner), "running"));
    for gate in ["a", "c"] {
        open(&bench, gate);
    }
    assert_eq!(
        (ended(&bench, one)["status"].as_str(), ended(&bench, three)["status"].as_str()),
        (Some("completed"), Some("completed"))
    );
}

#[test]
fn several_gpus_and_more_than_there_are() {
    let (bench, _pretend, all) = bench(2);
    let output = bench.run(&["add", "--gpus", "3", "--", "true"]).expect(3);
    assert!(output.stderr.contains("3 GPUs; this machine has 2 GPUs"), "{output:?}");
    let both = add(&bench, "2", "a");
    let ids: Vec<String> = all.iter().map(|gpu| gpu.id.clone()).collect();
    assert_eq!(held(&bench, both), ids);
    sees(&bench, both, &ids.join(","));
    let told = bench.run(&["gpus", "--json"]).expect(0).json();
    assert_eq!((&told["gpus"][1]["run"], &told["gpus"][1]["id"]), (&both.into(), &ids[1].clone().into()));
    assert_eq!(told["ignore_others"], false);
    open(&bench, "a");
    assert_eq!(ended(&bench, both)["status"], "completed");
}

#[test]
fn without_a_stage_that_wants_one_no_gpu_is_looked_at() {
    let (bench, pretend, _) = bench(1);
    let number = bench.add(&[], &["true"]);
    assert_eq!(ended(&bench, number)["status"], "completed");
    let _ = bench.run(&["show", &number.to_string()]).expect(0);
    let _ = bench.run(&["list"]).expect(0);
    assert_eq!(pretend.used(), (0, 0));
}

/// A child that does not outlive its test.
struct Killed(std::process::Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // Gone already, where all went well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
