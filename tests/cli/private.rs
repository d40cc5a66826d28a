//! What must stay private: secrets, from everyone but their program; the data folder, from another user of the machine.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use common::{LONG, gate, open, pipeline, words};
use footplate_testkit::{Bench, until};

/// Fifteen variables that look like secrets by name or by form; with the five of `PARAMS` twenty.
const VARIABLES: [(&str, &str); 15] = [
    ("HF_TOKEN", "canary-01"),
    ("WANDB_API_KEY", "canary-02"),
    ("AWS_SECRET_ACCESS_KEY", "canary-03"),
    ("PGPASSWORD", "canary-04"),
    ("MY_PASSPHRASE", "canary-05"),
    ("SERVICE_CREDENTIALS", "canary-06"),
    ("SLACK_WEBHOOK", "canary-07"),
    ("SENTRY_DSN", "canary-08"),
    ("mlflow_tracking_password", "canary-09"),
    ("DATABASE_URL", "postgres://u:canary-10@db/x"),
    ("PIP_INDEX_URL", "https://canary-11@pypi.example.com/simple"),
    ("HEADER", "Authorization: Bearer canary-12-bearer-0123456789"),
    ("REMOTE", "hf_canary13canary13canary13"),
    ("PEM", "-----BEGIN PRIVATE KEY-----canary-14"),
    ("GH_PAT_TOKEN", "ghp_canary-15"),
];
const PARAMS: [&str; 5] = ["canary-16", "canary-17", "canary-18", "canary-19", "canary-20"];

fn has_canary(bytes: &[u8]) -> bool {
    bytes.windows(6).any(|part| part == b"canary")
}

/// Every file below; links, FIFOs, copies of our executables and the ballast of zeros are left out.
fn files(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root).unwrap().flatten() {
        let kind = entry.file_type().unwrap();
        let name = entry.file_name();
        if kind.is_dir() && name != "bin" {
            found.extend(files(&entry.path()));
        } else if kind.is_file() && name != "ballast" {
            found.push(entry.path());
        }
    }
    found
}

#[test]
fn twenty_secrets_are_in_the_secret_store_and_in_their_programs_environment_and_nowhere_else() {
    let mut bench = Bench::new();
    // The owner is there before the secrets are: it is started by a shell that has none.
    let idle = bench.add(&["--draft"], &["true"]);
    for (name, value) in VARIABLES {
        bench.set_env(name, value);
    }
    let params: String = (1..=5).map(|n| format!("[params.s{n}]\ntype = \"secret\"\n")).collect();
    let env: String = (1..=5).map(|n| format!("APP_{n} = \"{{{{ params.s{n} }}}}\"\n")).collect();
    let stages = format!(
        "{params}[stages.main]\nshell = 'env > seen; chmod 600 seen; {}; exit 3'\nretries = {{ max = 1, delay = \"1ms\" }}\n\
         [stages.main.env]\n{env}",
        gate("go")
    );
    let path = pipeline(&bench, "secretive", &stages);
    let given: Vec<String> = PARAMS.iter().zip(1..).map(|(value, n)| format!("s{n}={value}")).collect();
    let mut args = vec!["run", &path, "--detach", "--json", "--name", "secretive"];
    args.extend(given.iter().flat_map(|pair| ["-p", pair.as_str()]));
    let submitted = bench.run(&args).expect(0);
    bench.until_status(2, "running", LONG);
    let seen = bench.work().join("seen");
    let all = || VARIABLES.iter().map(|(_, value)| *value).chain(PARAMS);
    assert_eq!(all().count(), 20);
    until(LONG, "its program has started", || {
        fs::read_to_string(&seen).is_ok_and(|text| all().all(|value| text.contains(value)))
    });

    // While it runs: nobody's arguments, and nobody's environment but that of the program and what it started.
    let (mut programs, mut ours) = (0, 0);
    for found in bench.processes() {
        let of = |file: &str| fs::read(format!("/proc/{}/{file}", found.pid)).unwrap_or_default();
        assert!(!has_canary(&of("cmdline")), "{found:?}");
        if found.program().starts_with("footplate") || ["fork-server", "stand-by"].contains(&found.program().as_str()) {
            ours += 1;
            // The owner and what it forks come from the shell that was first, or from the one with the secrets: not handed on.
            assert!(!has_canary(&of("environ")), "{found:?} has a secret in its environment");
        } else {
            programs += 1;
        }
    }
    assert!(programs >= 1 && ours >= 2, "{programs} programs, {ours} of ours");

    let everywhere = |when: &str| {
        let secrets = bench.data().join("secrets");
        let mut kept = 0;
        for path in files(&bench.data()) {
            let hit = has_canary(&fs::read(&path).unwrap_or_default());
            assert!(!hit || path.starts_with(&secrets), "{when}: {} has a secret", path.display());
            kept += usize::from(hit);
        }
        kept
    };
    assert_eq!(everywhere("while it runs"), 1, "the secret store has them");
    open(&bench, "go");
    let _ = bench.run(&words("wait 2")).expect(1);
    let _ = bench.run(&words("backup")).expect(0);
    assert_eq!(everywhere("after its end, with a backup"), 1);

    // What the doors say and hand out.
    let says = [
        submitted.stdout.clone() + &submitted.stderr,
        [
            "show 2 --json",
            "show 2",
            "list --json",
            "report 2 --json",
            "logs 2",
            "metrics 2 --json",
            "checkpoints 2 --json",
        ]
        .map(|args| {
            let output = bench.run(&words(args));
            output.stdout + &output.stderr
        })
        .concat(),
        bench.run(&words("compare 1 2 --json")).expect(0).stdout
            + &bench.run(&words("compare 1 2 --csv")).expect(0).stdout,
        bench.run(&words("doctor --json")).stdout,
    ];
    for said in says {
        assert!(!has_canary(said.as_bytes()), "{said}");
    }
    let _ = bench.run(&words("template add --run 2 --name shared")).expect(0);
    let _ = bench.run(&words("template export shared shared.footplate")).expect(0);
    let unpacked = bench.command("python3").args(words("-m zipfile -e shared.footplate unpacked")).status().unwrap();
    assert!(unpacked.success() && bench.work().join("unpacked").is_dir());
    for path in
        files(bench.root()).into_iter().filter(|path| *path != seen && !path.starts_with(bench.data().join("secrets")))
    {
        assert!(!has_canary(&fs::read(&path).unwrap_or_default()), "{} has a secret", path.display());
    }

    // They are erased with the run.
    let _ = bench.run(&words("rm 2 --files")).expect(0);
    until(LONG, "they are gone", || everywhere("after its removal") == 0);
    assert_eq!(bench.status(idle), "draft");
}

#[test]
fn what_a_stage_sets_goes_over_a_secret_of_the_shell() {
    let mut bench = Bench::new();
    bench.set_env("HF_TOKEN", "of-the-shell");
    bench.set_env("API_KEY", "kept");
    let stages = "[params.own]\ntype = \"secret\"\n[stages.main]\nshell = 'echo $HF_TOKEN $API_KEY $OTHER_TOKEN'\n\
                  env = { HF_TOKEN = \"of-the-stage\", OTHER_TOKEN = \"{{ params.own }}\" }\n";
    let path = pipeline(&bench, "over", stages);
    let _ = bench.run(&["run", &path, "-p", "own=given"]).expect(0);
    assert_eq!(bench.run(&words("logs 1")).expect(0).stdout, "of-the-stage kept given\n");
}

/// Another user of this machine.
const STRANGER: u32 = 65_534;

#[test]
fn another_user_is_denied_everything_in_the_data_folder() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: only root can become another user, so what one sees was not tried");
        return;
    }
    let bench = Bench::new();
    // Around the data folder everything is open: only its own modes protect it.
    fs::set_permissions(bench.root(), fs::Permissions::from_mode(0o755)).unwrap();
    let number = bench.add(&[], &["sh", "-c", &gate("go")]);
    bench.until_status(number, "running", LONG);
    let _ = bench.run(&words("backup")).expect(0);
    let data = bench.data();
    let mut places = vec![data.clone()];
    let mut kinds = [0; 3];
    walk(&data, &mut |path, facts| {
        let mode = facts.mode() & 0o777;
        let kind = facts.file_type();
        if !kind.is_symlink() {
            assert_eq!(mode & 0o077, 0, "{} has mode {mode:o}", path.display());
        }
        kinds[usize::from(kind.is_dir()) + 2 * usize::from(kind.is_fifo())] += 1;
        places.push(path.to_owned());
    });
    assert!(kinds[0] > 10 && kinds[1] > 5 && kinds[2] >= 3, "files, folders and FIFOs: {kinds:?}");

    // As the other user: each place is opened for reading and for writing, and the program itself is tried.
    let list: String = places.iter().map(|path| format!("{}\n", path.display())).collect();
    fs::write(bench.root().join("places"), list).unwrap();
    let try_all = "
import os, sys
for line in open(sys.argv[1]).read().splitlines():
    for how in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR):
        try:
            os.close(os.open(line, how | os.O_NONBLOCK))
            print('opened', how, line)
        except (PermissionError, IsADirectoryError):
            pass
    for deed in (os.listdir, os.readlink, os.unlink, lambda path: os.rename(path, path + '.x'), lambda path: os.chmod(path, 0o777)):
        try:
            deed(line)
            print('did', line)
        except OSError:
            pass
for folder in (os.path.dirname(line) for line in open(sys.argv[1]).read().splitlines()[1:]):
    try:
        open(folder + '/new', 'w')
        print('made', folder)
    except PermissionError:
        pass
";
    let mut python = bench.command("python3");
    python.args(["-c", try_all]).arg(bench.root().join("places")).current_dir("/").uid(STRANGER).gid(STRANGER);
    let output = python.stderr(Stdio::piped()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "what another user could do");
    assert!(output.status.success(), "{output:?}");

    // The program of ours says whose it is, and touches nothing. It lies where that user can run it.
    let program = bench.root().join("footplate-of-all");
    fs::copy(Bench::executable("footplate"), &program).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    for args in [vec!["list"], vec!["add", "--", "true"], vec!["cancel", "1"], vec!["work"], vec!["doctor"]] {
        let mut command = bench.command(&program);
        let output = command.args(&args).current_dir("/").uid(STRANGER).gid(STRANGER).output().unwrap();
        let said = String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned();
        assert_ne!(output.status.code(), Some(0), "{args:?}: {output:?}");
        assert!(said.contains("data folder") && said.contains(&data.display().to_string()), "{args:?}: {output:?}");
    }
    assert_eq!(bench.status(number), "running", "nothing of it came to harm");
    open(&bench, "go");
    let _ = bench.run(&words("wait 1")).expect(0);
}

#[test]
fn what_was_opened_to_others_is_closed_at_the_next_start() {
    let bench = Bench::new();
    let number = bench.add(&[], &["true"]);
    let _ = bench.run(&["wait", &number.to_string()]).expect(0);
    let opened = ["", "attempts", "runs", "env", "secrets", "bin"].map(|name| bench.data().join(name));
    for folder in &opened {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).unwrap();
    }
    let _ = bench.run(&words("list")).expect(0);
    for folder in &opened {
        assert_eq!(folder.metadata().unwrap().mode() & 0o777, 0o700, "{}", folder.display());
    }
    // A link may lead to another disk, but not to another user's folder.
    let elsewhere = bench.root().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::set_permissions(&elsewhere, fs::Permissions::from_mode(0o755)).unwrap();
    fs::remove_dir_all(bench.data().join("secrets")).unwrap();
    std::os::unix::fs::symlink(&elsewhere, bench.data().join("secrets")).unwrap();
    let _ = bench.run(&words("list")).expect(0);
    assert_eq!(elsewhere.metadata().unwrap().mode() & 0o777, 0o700);
    if std::os::unix::fs::chown(&elsewhere, Some(STRANGER), None).is_ok() {
        let refused = bench.run(&words("list")).expect(8);
        assert!(refused.stderr.contains("secrets belongs to user 65534, not to you"), "{refused:?}");
    }
}

fn walk(root: &Path, see: &mut impl FnMut(&Path, &fs::Metadata)) {
    for entry in fs::read_dir(root).unwrap().flatten() {
        // What an owner at work has just removed is no matter.
        let Ok(facts) = entry.path().symlink_metadata() else { continue };
        see(&entry.path(), &facts);
        if facts.is_dir() {
            walk(&entry.path(), see);
        }
    }
}
