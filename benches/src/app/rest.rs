//! M9: from the start to the picture that stays, and what it costs when nothing happens.

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use footplate_benches::figures::{Better, Line, show as table};
use footplate_benches::process::{cpu_seconds, pss_kib};
use footplate_e2e::{Desk, Look};
use footplate_testkit::holds_within;

use crate::{Plan, Trouble, pause};

/// The picture stays when it has been the same for so long.
const STAYS: Duration = Duration::from_secs(2);
/// What of the ink may still be another: a clock, or a dial that moves.
const LITTLE: f64 = 0.02;
/// Between two looks at the screen.
const LOOK: Duration = Duration::from_millis(4);

/// Something that opens a window.
struct Shown {
    child: Child,
    seconds: f64,
}

/// Starts it, and looks at the screen until its picture stays.
fn start(desk: &Desk, program: &Path) -> Result<Shown, Trouble> {
    let screen = desk.screen();
    let empty = screen.look();
    let began = Instant::now();
    let mut command = desk.bench.command(program);
    // As people start it: nobody drives it.
    command.env_remove("TAURI_WEBVIEW_AUTOMATION");
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let mut looks: Vec<(Duration, Look)> = vec![(Duration::ZERO, empty.clone())];
    loop {
        pause(LOOK);
        let (at, look) = (began.elapsed(), screen.look());
        let (changed, last) = looks.last().ok_or("no look")?;
        if last.differs(&look) > LITTLE {
            looks.push((at, look));
        } else if at > *changed + STAYS && *last != empty {
            break;
        }
        if let Some(status) = child.try_wait()? {
            return Err(format!("{} ended at once: {status}", program.display()).into());
        }
        if at > Duration::from_secs(60) {
            return Err(format!("{} shows nothing that stays", program.display()).into());
        }
    }
    let last = looks.last().map(|(_, look)| look.clone()).ok_or("no look")?;
    let first = looks.iter().find(|(_, look)| look.differs(&last) <= LITTLE).ok_or("no look")?;
    Ok(Shown { child, seconds: first.0.as_secs_f64() })
}

/// Ends it, and waits until its window is gone.
fn end(desk: &Desk, mut shown: Shown) -> Result<(), Trouble> {
    shown.child.kill()?;
    shown.child.wait()?;
    let gone = holds_within(Duration::from_secs(10), || views(desk).is_empty());
    if gone { Ok(()) } else { Err("a web view outlives its app".into()) }
}

/// The app's own process and those of its web view.
fn views(desk: &Desk) -> Vec<u32> {
    let is_view = |name: &str| name.starts_with("WebKit") || name == "footplate-app" || name == "footplate-bench-bare";
    let found = desk.bench.processes().into_iter().filter(|found| is_view(&found.program()));
    found.filter_map(|found| u32::try_from(found.pid).ok()).collect()
}

fn computed(desk: &Desk) -> f64 {
    views(desk).into_iter().filter_map(cpu_seconds).sum()
}

pub(crate) fn show(plan: &Plan) -> Result<(), Trouble> {
    let desk = Desk::new();
    println!("\nfilling a store with {} runs", plan.runs);
    desk.has_history(plan.runs);
    let beside = format!("the app, {} runs in the store", plan.runs);
    let programs = [plan.program("footplate-bench-bare"), plan.program("footplate-app")];
    let names = ["a web view with an empty page", beside.as_str()];
    let mut starts = names.map(Line::new).map(|line| line.goal(0.6));
    let mut memory = names.map(Line::new).map(|line| line.goal(300.0));
    let mut idle = names.map(Line::new).map(|line| line.goal(0.0));
    for (line, bare) in [(&mut starts[0], true), (&mut memory[0], true), (&mut idle[0], true)] {
        line.goal = line.goal.filter(|_| !bare);
    }
    for _ in 0..plan.rounds {
        for (index, program) in programs.iter().enumerate() {
            let shown = start(&desk, program)?;
            starts[index].samples.add(shown.seconds);
            // What the start left behind.
            pause(plan.settle);
            let (before, began) = (computed(&desk), Instant::now());
            pause(plan.idle);
            let share = (computed(&desk) - before) / began.elapsed().as_secs_f64();
            idle[index].samples.add(share * 100.0);
            let all = views(&desk).into_iter().filter_map(pss_kib).sum::<f64>();
            memory[index].samples.add(all / 1024.0);
            end(&desk, shown)?;
        }
    }
    table("M9  start -> the picture that stays", "s", Better::Less, false, &starts);
    table("M9  memory of app and web view, idle (PSS)", "MiB", Better::Less, false, &memory);
    table("M9  processor while the window is open and nothing runs", "% of a core", Better::Less, false, &idle);
    sizes(plan)
}

fn sizes(plan: &Plan) -> Result<(), Trouble> {
    let size = |path: &Path| std::fs::metadata(path).map(|facts| facts.len() as f64 / 1e6);
    let mut lines = Vec::new();
    let mut add = |name: &str, size: f64| {
        let mut line = Line::new(name).goal(20.0);
        line.samples.add(size);
        lines.push(line);
    };
    add("footplate-app", size(&plan.program("footplate-app"))?);
    let packages = plan.programs.join("bundle/deb");
    let package = std::fs::read_dir(&packages).into_iter().flatten().flatten().map(|entry| entry.path());
    match package.filter(|path| path.extension().is_some_and(|end| end == "deb")).max() {
        Some(package) => add("the .deb", size(&package)?),
        None => println!("\nno .deb in {}: `make bundle` makes one", packages.display()),
    }
    table("M9  sizes", "MB", Better::Less, false, &lines);
    Ok(())
}
