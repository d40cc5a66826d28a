//! Numbers of processes that are given out again: a hundred times a stranger gets the numbers that a program and its shim had, and
//! nothing that is meant for those reaches it.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::within;
use footplate_shim::clock::running_ms;
use footplate_shim::contract::{self, Start};
use footplate_shim::identity::Identity;
use footplate_shim::sweep::{Tree, sweep};
use rustix::process::Signal;
use std::process::{Child, Command, Stdio};

const INSIDE: &str = "FOOTPLATE_TEST_OWN_PIDS";
const NAME: &str = "a_stranger_with_a_number_that_was_ours_is_never_hit";
const LAST: &str = "/proc/sys/kernel/ns_last_pid";

/// A process that leads a session and a group of its own, as a shim and as a program do.
fn leader() -> Child {
    Command::new("setsid")
        .args(["sleep", "60"])
        .stdin(Stdio::null())
        .env_remove(contract::MARK_VARIABLE)
        .spawn()
        .unwrap()
}

/// Its identity, once it is what it will be.
fn known(child: &Child) -> Identity {
    let pid = i32::try_from(child.id()).unwrap();
    within(10, "it leads its session", || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        stat.contains("(sleep)").then(|| Identity::of(pid).unwrap())
    })
}

/// The next process gets this number.
fn give_out(pid: i32) {
    std::fs::write(LAST, (pid - 1).to_string()).unwrap();
}

/// Numbers are told from one another by when their processes started, in hundredths of a second.
fn a_moment_passes() {
    let from = running_ms();
    within(10, "a moment passes", || (running_ms() > from + 20).then_some(()));
}

#[test]
fn a_stranger_with_a_number_that_was_ours_is_never_hit() {
    if std::env::var_os(INSIDE).is_none() {
        let own = ["--fork", "--pid", "--mount-proc", "--kill-child"];
        let can = Command::new("unshare")
            .args(own)
            .args(["sh", "-c", &format!("echo 100 > {LAST}")])
            .stderr(Stdio::null())
            .status();
        if !can.is_ok_and(|status| status.success()) {
            eprintln!("SKIPPED: numbers of processes cannot be chosen here (not root?), so their reuse was not tried");
            return;
        }
        let mut inside = Command::new("unshare");
        inside.args(own).arg(std::env::current_exe().unwrap()).args(["--exact", NAME, "--nocapture"]).env(INSIDE, "1");
        let output = inside.stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
        return;
    }
    let bin = tempfile::tempdir().unwrap();
    for round in 0..100 {
        let (mut shim, mut child) = (leader(), leader());
        let start = Start {
            version: contract::VERSION,
            shim: known(&shim),
            child: known(&child),
            pgid: i32::try_from(child.id()).unwrap(),
            sid: i32::try_from(shim.id()).unwrap(),
            started_ms: 0,
            started_running_ms: 0,
            oom_kills: None,
        };
        let pidfd = start.child.open_pidfd().unwrap().unwrap();
        a_moment_passes();
        for (process, identity) in [(&mut shim, &start.shim), (&mut child, &start.child)] {
            assert!(identity.signal(Signal::KILL).unwrap(), "round {round}: ours is hit");
            process.wait().unwrap();
        }
        // Both numbers are a stranger's now, who leads a session and a group of these numbers.
        let mut strangers = [&start.shim, &start.child].map(|identity| {
            give_out(identity.pid);
            let stranger = leader();
            assert_eq!(
                i32::try_from(stranger.id()).unwrap(),
                identity.pid,
                "round {round}: the number was not given out again"
            );
            known(&stranger);
            stranger
        });
        for identity in [&start.shim, &start.child] {
            assert!(!identity.is_alive(), "round {round}");
            for signal in [Signal::TERM, Signal::STOP, Signal::KILL] {
                assert!(!identity.signal(signal).unwrap(), "round {round}");
            }
            assert!(identity.open_pidfd().unwrap().is_none(), "round {round}");
        }
        assert!(
            rustix::process::pidfd_send_signal(&pidfd, Signal::KILL).is_err(),
            "round {round}: a handle is the dead one's"
        );
        let tree = Tree::of("a-mark-of-nobody", Some(&start), bin.path());
        assert!(tree.members().unwrap().is_empty(), "round {round}");
        let outcome = sweep(&tree, running_ms() + 5000);
        assert!(outcome.gone && outcome.left.is_empty(), "round {round}: {:?}", outcome.left);
        for stranger in &mut strangers {
            assert!(stranger.try_wait().unwrap().is_none(), "round {round}: a stranger was hit");
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", stranger.id())).unwrap();
            assert!(!stat.contains(") T "), "round {round}: a stranger was stopped: {stat}");
            stranger.kill().unwrap();
            stranger.wait().unwrap();
        }
    }
}
