//! M9: from the start to the picture that stays, and what it costs when nothing happens, in sight and in the tray.

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use footplate_benches::figures::{Better, Line, show as table};
use footplate_benches::process::{cpu_seconds, pss_kib, sleeps, woke};
use footplate_e2e::{Desk, Look};
use footplate_testkit::holds_within;

use crate::{Plan, Trouble, frames, pause};

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

/// What time costs, a second.
struct Cost {
    /// Of a core.
    percent: f64,
    wakes: f64,
}

fn cost(plan: &Plan, desk: &Desk) -> Cost {
    // What went before has an end.
    pause(plan.settle);
    let all = views(desk);
    let now = || all.iter().map(|pid| (cpu_seconds(*pid), sleeps(*pid))).collect::<Vec<_>>();
    let (before, began) = (now(), Instant::now());
    pause(plan.idle);
    let (after, seconds) = (now(), began.elapsed().as_secs_f64());
    let mut cost = Cost { percent: 0.0, wakes: 0.0 };
    for ((cpu, slept), (cpu_after, slept_after)) in before.iter().zip(&after) {
        // One that ended in between has cost nothing that is known.
        let computed = cpu_after.zip(*cpu).map_or(0.0, |(after, before)| after - before);
        cost.percent += computed / seconds * 100.0;
        cost.wakes += woke(slept, slept_after) as f64 / seconds;
    }
    cost
}

/// Where the window is and what goes on, with what it costs.
struct Idle {
    percent: Vec<Line>,
    wakes: Vec<Line>,
}

impl Idle {
    fn new() -> Idle {
        Idle { percent: Vec::new(), wakes: Vec::new() }
    }

    fn add(&mut self, name: &str, goal: Option<f64>, cost: &Cost) {
        for (lines, value, goal) in [(&mut self.percent, cost.percent, goal), (&mut self.wakes, cost.wakes, None)] {
            let known = lines.iter().position(|line| line.who == name);
            let at = known.unwrap_or_else(|| {
                lines.push(Line { goal, ..Line::new(name) });
                lines.len() - 1
            });
            lines[at].samples.add(value);
        }
    }
}

pub(crate) fn show(plan: &Plan) -> Result<(), Trouble> {
    let desk = Desk::new();
    println!("\nfilling a store with {} runs", plan.runs);
    desk.has_history(plan.runs);
    let beside = format!("the app, {} runs in the store", plan.runs);
    let bare = plan.program("footplate-bench-bare");
    let app = plan.program("footplate-app");
    let mut starts = [Line::new("a web view with an empty page"), Line::new(&beside).goal(0.6)];
    let mut memory = [Line::new("a web view with an empty page"), Line::new(&beside).goal(300.0)];
    let mut idle = Idle::new();
    for round in 0..plan.rounds {
        let shown = start(&desk, &bare)?;
        starts[0].samples.add(shown.seconds);
        idle.add("an empty page", None, &cost(plan, &desk));
        memory[0].samples.add(pss(&desk));
        end(&desk, shown)?;

        let shown = start(&desk, &app)?;
        starts[1].samples.add(shown.seconds);
        idle.add("the app, nothing runs, its window is open", Some(0.0), &cost(plan, &desk));
        memory[1].samples.add(pss(&desk));
        desk.close_window();
        idle.add("the app, nothing runs, in the tray", Some(0.0), &cost(plan, &desk));
        if round == 0 {
            let number = frames::talk(plan, &desk, 1, 10)?;
            idle.add("the app in the tray, 10 reports of progress a second", None, &cost(plan, &desk));
            let _ = desk.bench.run(&["cancel", &number.to_string()]).expect(0);
        }
        end(&desk, shown)?;
    }
    table("M9  start -> the picture that stays", "s", Better::Less, false, &starts);
    table("M9  memory of app and web view, idle (PSS)", "MiB", Better::Less, false, &memory);
    table("M9  processor", "% of a core", Better::Less, false, &idle.percent);
    table("M9  wake-ups of app and web view", "1/s", Better::Less, false, &idle.wakes);
    sizes(plan)
}

fn pss(desk: &Desk) -> f64 {
    views(desk).into_iter().filter_map(pss_kib).sum::<f64>() / 1024.0
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
