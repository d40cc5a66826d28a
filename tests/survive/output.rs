//! Any output, read by the owner: nothing is lost, memory stays flat, the last line is there.

use footplate_testkit::{Bench, Pretend, until};

use crate::LONG;

fn peak_kb(pid: i32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find(|l| l.starts_with("VmHWM")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kb| kb.parse().ok()).unwrap_or(0)
}

#[test]
fn a_gigabyte_in_one_line_and_a_last_line() {
    let bench = Bench::new();
    let _ = bench.run(&["list"]).expect(0);
    // Somebody looks on, so that the owner is still there when it has read all.
    let presence = std::fs::File::create(bench.data().join("presence")).unwrap();
    presence.lock_shared().unwrap();
    let program = Pretend::python(
        &bench.work(),
        "p.py",
        "part = b'x' * 1000000\n\
         for i in range(1000):\n    if i == 10:\n        note('begun')\n        while not os.path.exists('on'): time.sleep(0.01)\n    \
         at = 0\n    while at < len(part): at += os.write(1, part[at:])\n\
         os.write(1, b'\\nlast\\n')\nnote('written')\nwhile not os.path.exists('go'): time.sleep(0.01)",
    );
    let number = bench.add(&[], &program.argv());
    until(LONG, "ten megabytes are written", || program.lines().len() == 2);
    bench.until_status(number, "running", LONG);
    let owner = bench.owner().unwrap();
    let shim = bench.processes_of("footplate-shim")[0].pid;
    let before = (peak_kb(owner), peak_kb(shim));
    std::fs::write(bench.work().join("on"), "").unwrap();
    until(LONG * 5, "all is written", || program.lines().len() == 3);
    let of_shim = peak_kb(shim);
    std::fs::write(bench.work().join("go"), "").unwrap();
    let _ = bench.run(&["wait", &number.to_string()]).expect(0);
    assert_eq!(bench.owner(), Some(owner));
    let of_owner = peak_kb(owner);
    drop(presence);
    assert!(
        before.0 > 0 && of_owner < before.0 + 16_000,
        "the owner's memory grew from {} to {of_owner} KiB",
        before.0
    );
    assert!(before.1 > 0 && of_shim < before.1 + 2_000, "the shim's memory grew from {} to {of_shim} KiB", before.1);
    let tail = bench.run(&["logs", &number.to_string(), "--tail", "1"]).expect(0).stdout;
    assert_eq!(tail, "last\n");
    let run = bench.show(number);
    assert_eq!(run["stages"][0]["attempts"][0]["log_size"], 1_000_000_006);
    assert_eq!(run["stages"][0]["attempts"][0]["exit_code"], 0);
}

#[test]
fn a_million_lines_with_metrics_between_are_all_there_after_the_owner_died_in_the_middle() {
    let bench = Bench::new();
    let program = Pretend::python(
        &bench.work(),
        "p.py",
        "out = sys.stdout\nfor i in range(1000000):\n    out.write('line %d\\n' % i)\n    if i % 10000 == 0:\n        out.write('##PROGRESS##{\"step\":%d,\"total\":1000000,\"metrics\":{\"loss\":%f}}##\\n' % (i, 1.0 / (i + 1)))\n    if i == 500000:\n        out.flush(); note('half')\n        while not os.path.exists('go'): time.sleep(0.02)\nprint('last')",
    );
    let number = bench.add(&[], &program.argv());
    until(LONG, "half is written", || program.lines().len() == 2);
    bench.kill_owner();
    std::fs::write(bench.work().join("go"), "").unwrap();
    let _ = bench.run(&["wait", &number.to_string()]).expect(0);
    let log = bench.run(&["logs", &number.to_string(), "--raw"]).expect(0).stdout;
    assert_eq!(log.lines().filter(|l| l.starts_with("line ")).count(), 1_000_000);
    assert_eq!(log.lines().last(), Some("last"));
    let points = bench.run(&["metrics", &number.to_string(), "loss", "--csv"]).expect(0).stdout;
    let steps: Vec<u64> = points.lines().skip(1).filter_map(|l| l.split(',').nth(2)?.parse().ok()).collect();
    assert!(!steps.is_empty() && steps.windows(2).all(|w| w[0] < w[1]), "a point is there twice: {steps:?}");
    assert_eq!(steps.last(), Some(&990_000));
}

#[test]
fn bytes_that_are_no_text_and_carriage_returns() {
    let bench = Bench::new();
    let program = Pretend::python(
        &bench.work(),
        "p.py",
        "os.write(1, b'a\\x00b\\xff\\xfe\\n')\nfor i in range(50000): os.write(1, b'\\r%d' % i)\nos.write(2, b'\\nfrom stderr\\n')\nopen('/dev/stderr', 'w').write('through the path\\n')\nos.write(1, b'no newline at the end')",
    );
    let number = bench.add(&[], &program.argv());
    let _ = bench.run(&["wait", &number.to_string()]).expect(0);
    let log = bench.run(&["logs", &number.to_string()]).expect(0).stdout;
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines[1..], ["49999", "from stderr", "through the path", "no newline at the end"], "{:?}", &lines[..1]);
}
