//! Disks that do not answer, as behind a network that is gone: what needs them waits and says so, and nothing else does.

use std::path::Path;

use footplate_testkit::{Bench, SilentDisk, in_own_mounts, until};

use crate::LONG;

fn submitted(bench: &Bench, pipeline: &Path) -> i64 {
    bench.run(&["run", "--detach", "--json", pipeline.to_str().unwrap()]).expect(0).json()["number"].as_i64().unwrap()
}

#[test]
fn a_stage_on_a_disk_that_hangs_is_held_the_others_go_on_and_it_starts_by_itself_when_the_disk_answers() {
    if !in_own_mounts(
        "silent_disk::a_stage_on_a_disk_that_hangs_is_held_the_others_go_on_and_it_starts_by_itself_when_the_disk_answers",
    ) {
        return;
    }
    let mut bench = Bench::new();
    bench.expect_nothing_left();
    let pipeline = "format = 1\nname = \"far\"\n[stages.main]\ncommand = [\"true\"]\n";
    let path = bench.write("far/footplate.toml", pipeline);
    let far = path.parent().unwrap().to_owned();
    let inside = far.to_str().unwrap();
    let saves = format!(
        "format = 1\nname = \"saves\"\n[stages.main]\ncommand = [\"true\"]\n[stages.main.checkpoints]\nfiles = \"{inside}/*.pt\"\n"
    );
    let saves = bench.write("saves.toml", saves);
    // Submitted while the disk was well: by its working folder, its pipeline, its stage's own folder and its checkpoints.
    let into = format!("format = 1\nname = \"into\"\n[stages.main]\ncommand = [\"true\"]\ncwd = \"{inside}\"\n");
    let into = bench.write("into.toml", into);
    let _ = bench.run(&["queue", "pause", "default"]).expect(0);
    let waiting = [
        bench.add(&["--cwd", inside], &["true"]),
        submitted(&bench, &path),
        submitted(&bench, &into),
        submitted(&bench, &saves),
    ];
    let Some(disk) = SilentDisk::mount(&far) else { return };
    let near = bench.add(&[], &["true"]);
    let _ = bench.run(&["queue", "unpause", "default"]).expect(0);
    let _ = bench.run(&["wait", &near.to_string()]).expect(0);
    for number in waiting {
        let told = format!("the disk that {inside} lies on does not answer");
        until(LONG, "it is held", || bench.show(number)["waiting"]["reason"] == "held");
        assert_eq!(bench.show(number)["waiting"]["detail"], told.as_str());
    }
    // What waits for it can be given up, and the owner stays for the rest.
    let _ = bench.run(&["cancel", &waiting[2].to_string()]).expect(0);
    assert!(bench.owner().is_some());
    disk.answer();
    // With no command that might call for an owner.
    until(LONG, "all of it is done", || bench.processes().is_empty());
    for (number, status) in waiting.iter().zip(["completed", "completed", "cancelled", "completed"]) {
        assert_eq!(bench.status(*number), status);
    }
}

#[test]
fn an_owner_that_dies_while_a_disk_is_silent_leaves_it_to_the_next_which_asks_again() {
    if !in_own_mounts("silent_disk::an_owner_that_dies_while_a_disk_is_silent_leaves_it_to_the_next_which_asks_again") {
        return;
    }
    let mut bench = Bench::new();
    bench.expect_nothing_left();
    let far = bench.write("far/there", "").parent().unwrap().to_owned();
    let inside = far.to_str().unwrap();
    let _ = bench.run(&["queue", "pause", "default"]).expect(0);
    let waiting = bench.add(&["--cwd", inside], &["true"]);
    let Some(disk) = SilentDisk::mount(&far) else { return };
    let _ = bench.run(&["queue", "unpause", "default"]).expect(0);
    until(LONG, "it is held", || bench.show(waiting)["waiting"]["reason"] == "held");
    assert!(bench.kill_owner());
    // The next one holds up nothing for it either.
    let near = bench.add(&[], &["true"]);
    let _ = bench.run(&["wait", &near.to_string()]).expect(0);
    until(LONG, "it is held again", || bench.show(waiting)["waiting"]["reason"] == "held");
    assert!(bench.show(waiting)["stages"][0]["attempts"].as_array().unwrap().is_empty(), "it was never begun");
    disk.answer();
    until(LONG, "all of it is done", || bench.processes().is_empty());
    assert_eq!(bench.status(waiting), "completed");
}
