//! The command line on a real terminal: what it draws there, and what Ctrl-C does.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::{LONG, ended, gate, open, pipeline};
use footplate_testkit::{Bench, until};

/// Runs `footplate` on a terminal of its own: waits for a text, presses Ctrl-C, and so on; then tells the exit code and what was
/// shown.
const ON_A_TERMINAL: &str = r#"
import os, pty, sys, time
program, *steps = sys.argv[1].split('|')
pid, terminal = pty.fork()
if pid == 0:
    os.environ.update(TERM='xterm', NO_COLOR='1')
    os.execv(sys.argv[2], [sys.argv[2]] + program.split(' '))
shown = b''
end = time.monotonic() + 60
def read():
    global shown
    try:
        part = os.read(terminal, 65536)
    except OSError:
        part = b''
    shown += part
    return part
for step in steps:
    while step.encode() not in shown and time.monotonic() < end and read():
        pass
    os.write(terminal, b'\x03')
while read():
    pass
_, status = os.waitpid(pid, 0)
sys.stdout.buffer.write(shown)
sys.exit(os.waitstatus_to_exitcode(status))
"#;

fn on_a_terminal(bench: &Bench, command: &str, steps: &[&str]) -> (i32, String) {
    let told = std::iter::once(command).chain(steps.iter().copied()).collect::<Vec<_>>().join("|");
    let mut python = bench.command("python3");
    let output = python.args(["-c", ON_A_TERMINAL, &told]).arg(Bench::executable("footplate")).output().unwrap();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn ctrl_c_in_run_cancels_and_shows_the_end() {
    let mut bench = Bench::new();
    bench.expect_nothing_left();
    pipeline(&bench, "gentle", "[stages.main]\ncommand = [\"sleep\", \"300\"]\n");
    let (code, shown) = on_a_terminal(&bench, "run gentle.toml", &["running"]);
    assert_eq!(code, 130, "{shown}");
    for part in ["cancelling #1 (Ctrl-C again leaves without waiting for its end)", "#1 gentle-1 cancelled"] {
        assert!(shown.contains(part), "{part:?} is not in {shown}");
    }
    assert_eq!(bench.status(1), "cancelled");
}

#[test]
fn a_second_ctrl_c_in_run_leaves_and_the_cancel_stays_requested() {
    let mut bench = Bench::new();
    bench.expect_nothing_left();
    let script = format!(
        "trap 'touch told' TERM\necho '##PROGRESS##{{\"message\":\"all set\"}}##'\n{}\n{}\n",
        gate("told"),
        gate("go")
    );
    bench.write("stubborn.sh", script);
    pipeline(&bench, "stubborn", "[stages.main]\ncommand = [\"sh\", \"stubborn.sh\"]\n");
    let (code, shown) = on_a_terminal(&bench, "run stubborn.toml", &["all set", "cancelling #1"]);
    assert_eq!(code, 130, "{shown}");
    assert!(shown.contains("left; the cancel of #1 stays requested; footplate watch 1 comes back"), "{shown}");
    until(LONG, "the program was told to stop", || bench.work().join("told").exists());
    assert_eq!(bench.status(1), "running", "it goes on until it ends or its grace is over");
    open(&bench, "go");
    bench.until_status(1, "cancelled", LONG);
}

#[test]
fn ctrl_c_in_watch_only_leaves() {
    let bench = Bench::new();
    let number = bench.add(&[], &["sh", "-c", &gate("go")]);
    bench.until_status(number, "running", LONG);
    let (code, shown) = on_a_terminal(&bench, "watch 1", &["running"]);
    assert_eq!(code, 130, "{shown}");
    assert!(shown.contains("left; #1 goes on; footplate watch 1 comes back"), "{shown}");
    assert_eq!(bench.status(number), "running");
    open(&bench, "go");
    assert_eq!(ended(&bench, number)["status"], "completed");
}
