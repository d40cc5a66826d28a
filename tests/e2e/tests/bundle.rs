//! What is in the .deb, unpacked into an empty folder, and used as by someone who has nothing else: one click trains the real
//! sample. `make bundle` runs it with the package it made; FOOTPLATE_DEB names the file.
#![expect(clippy::unwrap_used, reason = "tests may, and the lint overlooks the functions beside them")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use footplate_e2e::{Desk, status, word};
use footplate_testkit::{Found, holds_within};
use serde_json::{Value, json};

/// The sample takes half a minute where nothing else is going on.
const TRAINING: Duration = Duration::from_secs(300);
const PROGRAMS: [&str; 4] = ["footplate-app", "footplate", "footplate-shim", "footplate-sample"];

fn package() -> PathBuf {
    let named = std::env::var_os("FOOTPLATE_DEB").expect("FOOTPLATE_DEB names no package: `make bundle` does");
    PathBuf::from(named).canonicalize().unwrap()
}

fn said(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn field(package: &Path, name: &str) -> String {
    said(Command::new("dpkg-deb").arg("-f").arg(package).arg(name)).trim().to_owned()
}

#[test]
fn the_package_says_what_it_is_and_needs() {
    let package = package();
    assert_eq!(field(&package, "Package"), "footplate");
    assert_eq!(field(&package, "Version"), env!("CARGO_PKG_VERSION"));
    assert_eq!(field(&package, "Section"), "science");
    let depends = field(&package, "Depends");
    let names: BTreeSet<&str> = depends.split(", ").filter_map(|one| one.split(' ').next()).collect();
    for needed in ["libwebkit2gtk-4.1-0", "libgtk-3-0", "libayatana-appindicator3-1", "libc6", "libgcc-s1"] {
        assert!(names.contains(needed), "{needed} is not in {depends:?}");
    }
    assert_eq!(names.len(), depends.split(", ").count(), "one is named twice: {depends}");
    let maintainer = field(&package, "Maintainer");
    assert!(maintainer.contains(" <") && maintainer.ends_with('>'), "{maintainer:?}");
    let description = field(&package, "Description");
    assert!(description.lines().count() > 1 && !description.contains("(none)"), "{description}");
}

#[test]
fn the_desktop_knows_the_app_and_its_files() {
    let desk = Desk::new();
    let root = unpacked(&desk);
    let entry = fs::read_to_string(root.join("usr/share/applications/Footplate.desktop")).unwrap();
    for line in [
        // Not %F: links are no paths of this machine, and would be left out.
        "Exec=footplate-app %U",
        "Icon=footplate-app",
        "MimeType=application/vnd.footplate+zip;x-scheme-handler/footplate",
    ] {
        assert!(entry.lines().any(|found| found.trim_end_matches(';') == line), "{line} is not in\n{entry}");
    }
    let mime = fs::read_to_string(root.join("usr/share/mime/packages/footplate.xml")).unwrap();
    assert!(mime.contains("\"application/vnd.footplate+zip\"") && mime.contains("\"*.footplate\""), "{mime}");
    for size in ["32x32", "128x128", "256x256@2"] {
        let icon = root.join(format!("usr/share/icons/hicolor/{size}/apps/footplate-app.png"));
        assert!(fs::read(&icon).is_ok_and(|bytes| bytes.starts_with(b"\x89PNG")), "{}", icon.display());
    }
    let completions = root.join("usr/share/bash-completion/completions/footplate");
    assert!(fs::read_to_string(completions).unwrap().contains("_footplate()"));
    for page in ["footplate.1.gz", "footplate-run.1.gz", "footplate-queue-set.1.gz"] {
        let page = root.join("usr/share/man/man1").join(page);
        assert!(fs::read(&page).is_ok_and(|bytes| bytes.starts_with(b"\x1f\x8b")), "{}", page.display());
    }
    for document in ["copyright", "changelog.gz"] {
        assert!(root.join("usr/share/doc/footplate").join(document).is_file(), "{document}");
    }
}

/// What the package would install, below the desk's own folder.
fn unpacked(desk: &Desk) -> PathBuf {
    let root = desk.bench.root().join("installed");
    let _ = said(Command::new("dpkg-deb").arg("-x").arg(package()).arg(&root));
    root.canonicalize().unwrap()
}

/// The files that processes of the desk run, and ran.
fn note_programs(desk: &Desk, seen: &mut BTreeSet<PathBuf>) {
    seen.extend(desk.bench.processes().into_iter().filter_map(|found: Found| found.exe));
}

/// How far the page says that the run is, in percent.
fn shown(window: &footplate_e2e::Window<'_>) -> Option<f64> {
    let label = window.script("return document.querySelector('article svg.dial')?.getAttribute('aria-label')", &[]);
    label.ok()?.as_str()?.trim_end_matches('%').trim().parse().ok()
}

#[test]
fn one_click_trains_the_sample_with_what_is_in_the_package_alone() {
    let mut desk = Desk::new();
    // Nothing that was built here, and nothing of whoever runs this.
    desk.bench.set_env("PATH", "/usr/bin:/bin");
    let root = unpacked(&desk);
    let bin = root.join("usr/bin");
    for program in PROGRAMS {
        let twin = Path::new("/usr/bin").join(program);
        assert!(!twin.exists(), "{} is installed: what it does would be taken for the package's", twin.display());
    }
    let driver = desk.driver();
    let window = driver.open(&bin.join("footplate-app"));
    window.shows(&word("empty.title"));
    desk.picture(&window, "bundle-1-empty");
    window.click(&word("empty.sample"));
    window.shows("digits-1");
    window.go("queue");

    let (mut exes, mut positions) = (BTreeSet::new(), Vec::new());
    let ended = holds_within(TRAINING, || {
        note_programs(&desk, &mut exes);
        positions.extend(shown(&window));
        !["queued", "running", ""].contains(&status(&window, 1).as_str())
    });
    assert!(ended, "after {TRAINING:?}: {}", window.text());
    assert_eq!(status(&window, 1), "completed", "{}", desk.bench.show(1));
    positions.dedup();
    assert!(positions.len() >= 5, "the bar did not move: {positions:?}");
    assert!(positions.is_sorted(), "the bar went back: {positions:?}");
    window.shows(&word("status.completed"));
    desk.picture(&window, "bundle-2-completed");

    // The accuracy is what the trainer found, at every place where it is told.
    let run = window.invoke("show", &json!({ "number": 1 })).unwrap();
    let evaluate = run["stages"].as_array().unwrap().iter().find(|stage| stage["name"] == "evaluate").unwrap();
    let accuracy = evaluate["outputs"]["accuracy"].as_f64().unwrap_or_else(|| panic!("no accuracy in {evaluate:#}"));
    assert!((0.9..=1.0).contains(&accuracy), "{accuracy}");
    window.go("run/1/log?stage=evaluate");
    window.shows(&format!("held-out digits read right: accuracy {accuracy:.4}"));
    desk.picture(&window, "bundle-3-accuracy");
    let notification = desk.bus.notified("digits-1 is done");
    assert!(notification.body.contains("val_accuracy 0.9"), "{notification:?}");

    // Owner and shim are the package's, run from copies in the data folder; the rest runs where it was unpacked.
    let own = desk.bench.data().join("bin").canonicalize().unwrap();
    let ours: Vec<&PathBuf> = exes.iter().filter(|exe| name(exe).starts_with("footplate")).collect();
    for program in PROGRAMS {
        let found = ours.iter().find(|exe| name(exe) == program);
        let found = found.unwrap_or_else(|| panic!("{program} was not seen among {exes:?}"));
        if ["footplate", "footplate-shim"].contains(&program) {
            assert!(found.starts_with(&own), "{}", found.display());
            assert!(fs::read(found).unwrap() == fs::read(bin.join(program)).unwrap(), "{} is another", found.display());
        } else {
            assert_eq!(**found, bin.join(program));
        }
    }
    assert!(ours.iter().all(|exe| exe.starts_with(&root) || exe.starts_with(&own)), "{ours:?}");

    // The command line of the package sees the same.
    let listed = said(desk.bench.command(bin.join("footplate")).args(["show", "--json", "1"]));
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed["status"], "completed");

    println!(
        "the .deb works: one click trained the sample, the bar stood at {} places, accuracy {accuracy:.4}",
        positions.len()
    );
    window.close();
}

fn name(exe: &Path) -> String {
    exe.file_name().unwrap_or_default().to_string_lossy().trim_end_matches(" (deleted)").to_owned()
}
