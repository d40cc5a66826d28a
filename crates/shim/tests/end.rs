//! How a program starts and ends, and how that is written down.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{Held, Home, shim, within};
use footplate_shim::contract::{self, Command, Ended, OsBytes, code};
use footplate_shim::folder::{Claim, ExitRecord};
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;

#[test]
fn codes_are_recorded() {
    let mut home = Home::new();
    for code in [0, 1, 3, 255] {
        home.set_sh(&format!("echo out; echo err >&2; exit {code}"));
        let mut held = home.hold();
        let exit = held.finish();
        assert_eq!((exit.code, exit.signal, exit.exec_errno, exit.by_wish), (Some(code), None, None, None));
        assert_eq!(held.text(), "out\nerr\n");
        assert_eq!(exit.log_size, 8);
        assert!(exit.max_rss_kb > 0 && exit.finished_ms >= exit.started_ms);
        assert_eq!(held.folder.swept().unwrap().left, Vec::<String>::new());
        let start = held.start();
        assert_eq!(held.folder.claim().unwrap(), Claim::Run(format!("{}.{}", start.shim.pid, start.shim.start)));
        assert_eq!((start.pgid, start.sid), (start.child.pid, start.shim.pid));
    }
}

#[test]
fn signals_are_recorded() {
    let mut home = Home::new();
    for signal in [1, 2, 6, 9, 11, 13, 15] {
        home.set_sh(&format!("kill -{signal} $$"));
        let exit = home.hold().finish();
        assert_eq!((exit.code, exit.signal, exit.by_wish), (None, Some(signal), None));
    }
}

#[test]
fn what_cannot_run_says_why() {
    let mut home = Home::new();
    let plain = home.path("plain");
    std::fs::write(&plain, "echo no\n").unwrap();
    let garbage = home.path("garbage");
    std::fs::write(&garbage, b"\x7fELF nonsense").unwrap();
    std::fs::set_permissions(&garbage, std::fs::Permissions::from_mode(0o755)).unwrap();
    let lost = home.path("lost");
    std::fs::write(&lost, "#!/no/such/interpreter\n").unwrap();
    std::fs::set_permissions(&lost, std::fs::Permissions::from_mode(0o755)).unwrap();
    let folder = home.path("run");
    let cases: Vec<(OsBytes, i32)> = vec![
        ("no-such-program-anywhere".into(), libc::ENOENT),
        ("/no/such/file".into(), libc::ENOENT),
        (plain.into(), libc::EACCES),
        (folder.into(), libc::EACCES),
        (garbage.into(), libc::ENOEXEC),
        (lost.into(), libc::ENOENT),
    ];
    for (program, errno) in cases {
        home.spec.argv = vec![program.clone()];
        let exit = home.hold().finish();
        assert_eq!((exit.exec_errno, exit.exec_what.as_deref()), (Some(errno), Some("exec")), "{program}");
        assert_eq!((exit.code, exit.signal), (None, None), "{program}");
    }
    let mut home = Home::new();
    home.spec.cwd = home.path("gone").into();
    let exit = home.hold().finish();
    assert_eq!((exit.exec_errno, exit.exec_what.as_deref()), (Some(libc::ENOENT), Some("cwd")));
}

#[test]
fn a_program_is_found_on_its_own_path_and_in_its_own_folder() {
    let mut home = Home::new();
    let tools = home.path("run").join("tools");
    std::fs::create_dir(&tools).unwrap();
    let tool = tools.join("tool");
    std::fs::write(&tool, "#!/bin/sh\necho found $1\n").unwrap();
    std::fs::set_permissions(&tool, std::fs::Permissions::from_mode(0o755)).unwrap();
    home.spec.argv = vec!["tool".into(), "it".into()];
    // Relative, so it counts from the child's folder; after one that is not there and one that must not be entered.
    home.spec.env = vec![("PATH".into(), "/nowhere:/etc/passwd:tools:/bin".into())];
    let mut held = home.hold();
    assert_eq!(held.finish().code, Some(0));
    assert_eq!(held.text(), "found it\n");
}

#[test]
fn the_program_sees_its_environment_limits_and_mask() {
    let mut home = Home::new().sh("env; ulimit -n; ulimit -c; umask; cat | wc -c; ls -l /proc/self/fd | wc -l; pwd");
    let file = home.path("env");
    std::fs::write(&file, b"FROM_FILE=1\0BOTH=file\0GONE=x\0ODD=a=b\nc\0COLUMNS=77\0FOOTPLATE_MARK=outer\0").unwrap();
    home.spec.env_file = Some(file);
    home.spec.env.push(("BOTH".into(), "spec".into()));
    home.spec.env_remove = vec!["GONE".into()];
    home.spec.limits = vec![("nofile".into(), 123, 456), ("core".into(), 0, u64::MAX), ("no_such_limit".into(), 1, 1)];
    home.spec.umask = Some(0o027);
    let mut held = home.hold();
    held.finish();
    let text = held.text();
    let has = |line: &str| assert!(text.contains(&format!("{line}\n")), "{line} is not in\n{text}");
    for line in ["FROM_FILE=1", "BOTH=spec", "ODD=a=b\nc", "COLUMNS=77", "PYTHONUNBUFFERED=1", "TTY_INTERACTIVE=1"] {
        has(line);
    }
    has(&format!("FOOTPLATE_OUTPUT={}", held.folder.output_path().display()));
    has(&format!("FOOTPLATE_RUN_DIR={}", home.path("run").display()));
    has(&format!("FOOTPLATE_MARK={}", home.spec.mark));
    for line in ["FOOTPLATE_RUN_ID=run", "FOOTPLATE_RUN_NUMBER=7", "FOOTPLATE_STAGE=train", "FOOTPLATE_ATTEMPT=1"] {
        has(line);
    }
    assert!(!text.contains("GONE=") && !text.contains("outer"));
    has(&format!("123\n0\n0027\n0\n6\n{}", home.path("run").display()));
}

#[test]
fn secrets_reach_the_program_and_a_short_read_runs_nothing() {
    let mut home = Home::new().sh("echo \"[$TOKEN]\"");
    home.spec.secrets = true;
    let wire = contract::encode_secrets(&[("TOKEN".into(), "canary 7".into())]).unwrap();
    for (bytes, expected) in [(&wire[..], code::HELD), (&wire[..9], code::SECRETS), (&[][..], code::SECRETS)] {
        let folder = home.build();
        let (read, mut write) = std::io::pipe().unwrap();
        write.write_all(bytes).unwrap();
        drop(write);
        rustix::io::fcntl_setfd(&read, rustix::io::FdFlags::empty()).unwrap();
        let fd = read.as_raw_fd().to_string();
        let shim = shim(folder.path()).args([contract::SECRETS_OPTION, &fd]).spawn().unwrap();
        drop(read);
        let mut held = home.held(folder, shim);
        let status = within(20, "the shim ends", || held.shim.try_wait().unwrap());
        assert_eq!(status.code(), Some(i32::from(expected)));
        if expected == code::HELD {
            assert_eq!(held.text(), "[canary 7]\n");
            for entry in std::fs::read_dir(held.folder.path()).unwrap() {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                if !path.symlink_metadata().unwrap().is_file() {
                    continue;
                }
                assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{name}");
                if name != "log.0" {
                    assert!(!common::find(&std::fs::read(&path).unwrap(), b"canary"), "the secret is in {name}");
                }
            }
        } else {
            assert_eq!(held.folder.claim().unwrap(), Claim::None);
            assert_eq!(held.folder.exit().unwrap(), ExitRecord::Missing);
        }
    }
}

#[test]
fn a_shim_that_cannot_start_says_why_by_its_code() {
    let mut home = Home::new();
    let run = |folder: &std::path::Path| shim(folder).output().unwrap().status.code();
    assert_eq!(run(&home.path("nowhere")), Some(i32::from(code::SPEC)));
    let folder = home.build();
    std::fs::write(folder.spec_path(), "{\"version\": 1}").unwrap();
    assert_eq!(run(folder.path()), Some(i32::from(code::SPEC)));
    let folder = home.build();
    assert!(folder.try_void().unwrap());
    assert_eq!(run(folder.path()), Some(i32::from(code::CLAIM_LOST)));
    assert_eq!(folder.exit().unwrap(), ExitRecord::Missing);
    let folder = home.build();
    let lock = folder.try_lock().unwrap().unwrap();
    assert_eq!(run(folder.path()), Some(i32::from(code::LOCKED)));
    assert_eq!(folder.claim().unwrap(), Claim::None);
    drop(lock);
    let folder = home.build();
    std::fs::remove_file(folder.fifo_path()).unwrap();
    assert_eq!(run(folder.path()), Some(i32::from(code::IO)));
    assert_eq!(folder.claim().unwrap(), Claim::None, "refused before the claim, so it may be launched again");
}

#[test]
fn a_damaged_record_is_no_record() {
    let mut home = Home::new();
    let mut held = home.hold();
    assert_eq!(held.finish().code, Some(0));
    let path = held.folder.path().join("exit.json");
    let good = std::fs::read(&path).unwrap();
    assert_eq!(good.len(), contract::EXIT_FILE_BYTES);
    let text = String::from_utf8(good.clone()).unwrap();
    std::fs::write(&path, text.replace("\"code\":0", "\"code\":1")).unwrap();
    assert_eq!(held.folder.exit().unwrap(), ExitRecord::Blank);
    std::fs::write(&path, &good[..100]).unwrap();
    assert_eq!(held.folder.exit().unwrap(), ExitRecord::Blank);
    // A valid exit.tmp counts: the shim died between its fsync and its rename.
    std::fs::remove_file(&path).unwrap();
    std::fs::write(held.folder.path().join("exit.tmp"), &good).unwrap();
    assert_eq!(held.exit().code, Some(0));
}

#[test]
fn a_program_that_wipes_its_run_folder_is_held_to_its_end() {
    let mut home = Home::new().sh("echo before; rm -rf \"$FOOTPLATE_RUN_DIR\"; echo after; exit 4");
    let mut held = home.hold();
    assert_eq!(held.finish().code, Some(4));
    assert_eq!(held.text(), "before\nafter\n");
    assert!(!home.path("run").exists());
}

#[test]
fn a_shim_of_a_run_carries_no_mark_of_its_own() {
    let mut home = Home::new().sh("echo up; sleep 60");
    let folder = home.build();
    let shim = shim(folder.path()).env(contract::MARK_VARIABLE, "an outer run's").spawn().unwrap();
    let mut held = home.held(folder, shim);
    held.until_said("up");
    assert_eq!(common::living("an outer run's"), Vec::<String>::new());
    held.stop(1000);
    held.finish();
}

#[test]
fn at_the_end_the_bell_rings_or_an_owner_is_started() {
    let mut home = Home::new();
    let started = home.path("owner-started");
    home.spec.owner_argv = ["sh", "-c", &format!("echo > {}; true", started.display())].map(OsBytes::from).to_vec();
    let left = |orderly: bool| format!(r#"{{"pid":5,"version":"1","orderly":{orderly},"since_ms":1}}"#);
    std::fs::write(&home.spec.owner_lock, left(false)).unwrap();
    footplate_shim::os::make_fifo(&home.spec.bell).unwrap();
    let bell = home.spec.bell.clone();
    let listen = || {
        let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::NONBLOCK;
        rustix::fs::open(&bell, flags, rustix::fs::Mode::empty()).unwrap()
    };
    // Rings come in when the record is there and the lock is free.
    let rung = |held: &Held, bell: &std::os::fd::OwnedFd| {
        let mut line = [0; 64];
        let read = within(20, "the bell rings", || rustix::io::read(bell, &mut line).ok().filter(|&count| count > 0));
        let spec = &held.folder.spec().unwrap();
        let ended = Ended { run: spec.run_number, stage: spec.stage_index, attempt: spec.attempt };
        assert_eq!(std::str::from_utf8(&line[..read]).unwrap(), ended.to_string());
        assert!(held.folder.swept().is_some() && !held.folder.lock_is_held().unwrap());
    };

    // Somebody listens, and settles the attempt; a stop that came too late says nothing.
    let ear = listen();
    let mut held = home.hold();
    rung(&held, &ear);
    held.folder.tell(&Command::Stop { wish: "late".into(), grace_ms: 5 }).unwrap();
    held.folder.tell_settled();
    held.finish();
    assert!(!started.exists());

    // Who listened leaves before the attempt is settled: in an orderly way ...
    std::fs::write(&home.spec.owner_lock, left(true)).unwrap();
    let mut held = home.hold();
    rung(&held, &ear);
    drop(ear);
    held.finish();
    assert!(!started.exists());
    // ... or not, the ring taken.
    std::fs::write(&home.spec.owner_lock, left(false)).unwrap();
    let ear = listen();
    let mut held = home.hold();
    rung(&held, &ear);
    assert!(!started.exists());
    drop(ear);
    held.finish();
    within(20, "an owner is started", || started.exists().then_some(()));
    std::fs::remove_file(&started).unwrap();

    // Nobody listens, and the last owner left in an orderly way; and it did not.
    std::fs::write(&home.spec.owner_lock, left(true)).unwrap();
    home.hold().finish();
    assert!(!started.exists());
    std::fs::write(&home.spec.owner_lock, left(false)).unwrap();
    home.hold().finish();
    within(20, "an owner is started", || started.exists().then_some(()));
}

#[test]
fn an_owner_whose_program_is_missing_for_a_moment_is_started_when_it_is_there() {
    let mut home = Home::new();
    let (program, started) = (home.path("footplate"), home.path("owner-started"));
    home.spec.owner_argv = vec![program.clone().into()];
    let mut held = home.hold();
    within(20, "the attempt is over", || held.folder.swept().filter(|_| !held.folder.lock_is_held().unwrap()));
    assert!(held.shim.try_wait().unwrap().is_none(), "it waits for the program to come back");
    let draft = home.path("draft");
    std::fs::write(&draft, format!("#!/bin/sh\n: > {}\n", started.display())).unwrap();
    std::fs::set_permissions(&draft, PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::rename(draft, program).unwrap();
    held.finish();
    assert!(started.exists());
}

#[test]
fn nobody_is_told_once_the_data_folder_was_removed() {
    let mut home = Home::new();
    let (data, starts) = (home.path("data"), home.path("starts"));
    std::fs::create_dir(&data).unwrap();
    home.spec.owner_lock = data.join("owner.lock");
    home.spec.bell = data.join("bell");
    let script = format!("echo >> {}; rmdir {}; exit 1", starts.display(), data.display());
    home.spec.owner_argv = ["sh", "-c", &script].map(OsBytes::from).to_vec();
    home.hold().finish();
    assert_eq!(std::fs::read_to_string(&starts).unwrap().lines().count(), 1, "another would make it anew");
}

#[test]
fn an_owner_that_was_started_and_dies_is_followed_by_another() {
    let mut home = Home::new();
    let starts = home.path("starts");
    // The first is killed, the second finds another at work, the third fails, the fourth settles everything.
    let script = format!(
        "echo >> {0}; n=$(($(wc -l < {0}))); : > {0}.$n; case $n in 1) kill -9 $$;; 2) exit 7;; 3) exit 8;; *) exit 0;; esac",
        starts.display()
    );
    home.spec.owner_argv = ["sh", "-c", &script].map(OsBytes::from).to_vec();
    let left = r#"{"pid":5,"version":"1","orderly":false,"since_ms":1}"#;
    std::fs::write(&home.spec.owner_lock, left).unwrap();
    home.hold().finish();
    assert_eq!(std::fs::read_to_string(&starts).unwrap().lines().count(), 4);
    // Ever later: one that cannot work now (a full disk) is not started a hundred times a second.
    let at = |n: u32| home.path(&format!("starts.{n}")).metadata().unwrap().modified().unwrap();
    let pause = |n: u32| at(n + 1).duration_since(at(n)).unwrap().as_millis();
    assert!(pause(2) >= 19 && pause(3) >= 79, "{} and {} ms", pause(2), pause(3));

    // One that is told while the owner it started is at work leaves it there.
    let at_work = home.path("at-work");
    let script = format!("echo $$ > {0}.new; mv {0}.new {0}; exec sleep 300", at_work.display());
    home.spec.owner_argv = ["sh", "-c", &script].map(OsBytes::from).to_vec();
    let mut held = home.hold();
    let owner: i32 = within(20, "an owner is started", || {
        std::fs::read_to_string(&at_work).ok().and_then(|pid| pid.trim().parse().ok())
    });
    assert!(held.shim.try_wait().unwrap().is_none(), "it waits for the word");
    held.folder.tell_settled();
    held.finish();
    let owner = footplate_shim::identity::Identity::of(owner).unwrap();
    assert!(owner.signal(rustix::process::Signal::KILL).unwrap(), "the owner outlives the shim");
}
