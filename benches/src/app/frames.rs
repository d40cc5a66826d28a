//! M10: how evenly the page paints while eight stages talk.

use std::fs;

use footplate_benches::figures::{Better, Line, show as table};
use footplate_e2e::{Desk, PATIENCE, Window};
use footplate_testkit::until;
use serde_json::{Value, json};

use crate::{Plan, Trouble};

const STAGES: usize = 8;
/// Lines a second of each of them.
const RATE: usize = 2_500;

/// The milliseconds between two frames, while something is scrolled a little further in each.
const FRAMES: &str = "const [ms, selector, step, done] = arguments;
    const all = []; let last, way = step; const end = performance.now() + ms;
    const next = (now) => {
        if (last !== undefined) all.push(now - last);
        last = now;
        const scrolled = selector && document.querySelector(selector);
        if (scrolled) {
            const before = scrolled.scrollTop; scrolled.scrollTop += way;
            if (scrolled.scrollTop === before) way = -way;
        }
        if (now < end) requestAnimationFrame(next); else done(all);
    };
    requestAnimationFrame(next);";

struct Frames {
    /// (who, p95 of each round, frames a second of each round).
    lines: Vec<(Line, Line)>,
}

impl Frames {
    fn measure(&mut self, plan: &Plan, window: &Window<'_>, name: &str, scroll: Option<&str>) -> Result<(), Trouble> {
        let (mut p95, mut rate) = (Line::new(name).goal(20.0), Line::new(name).goal(59.0));
        for _ in 0..plan.rounds {
            let step = if scroll.is_some() { 90 } else { 0 };
            let answer = window.answer(FRAMES, &[json!(plan.watched.as_millis()), json!(scroll), json!(step)])?;
            let mut all = footplate_benches::figures::Samples::default();
            let frames: Vec<f64> = answer.as_array().into_iter().flatten().filter_map(Value::as_f64).collect();
            frames.iter().for_each(|ms| all.add(*ms));
            p95.samples.add(all.part(0.95));
            rate.samples.add(frames.len() as f64 * 1000.0 / frames.iter().sum::<f64>());
        }
        self.lines.push((p95, rate));
        Ok(())
    }
}

/// A run whose stages each print so many lines and ten updates a second.
pub(crate) fn talk(plan: &Plan, desk: &Desk, stages: usize, rate: usize) -> Result<i64, Trouble> {
    let mut text = "format = 1\nname = \"talk\"\n".to_owned();
    for stage in 1..=stages {
        let program = plan.program("footplate-bench-child").display().to_string();
        text += &format!(
            "[stages.s{stage}]\ncommand = [{program:?}, \"talk\", \"{rate}\"]\nqueue = \"preprocessing\"\nresources = {{ cpus = 0 }}\n"
        );
    }
    fs::create_dir_all(desk.bench.work().join("talk"))?;
    let _ = desk.bench.write("talk/footplate.toml", text);
    let _ = desk.bench.run(&["queue", "set", "preprocessing", "--limit", &stages.to_string()]).expect(0);
    let started = desk.bench.run(&["run", "talk", "--detach", "--json"]).expect(0).json();
    Ok(started["number"].as_i64().ok_or("no number")?)
}

pub(crate) fn show(plan: &Plan) -> Result<(), Trouble> {
    let desk = Desk::new();
    desk.has_history(plan.runs);
    let driver = desk.driver();
    let window = driver.open(&plan.program("footplate-app"));
    window.shows(&format!("digits-{}", plan.runs));
    let mut frames = Frames { lines: Vec::new() };
    let list = Some(".body.scroll");
    frames.measure(plan, &window, "nothing runs, nothing moves", None)?;
    frames.measure(plan, &window, &format!("nothing runs, {} rows scroll", plan.runs), list)?;
    let number = talk(plan, &desk, STAGES, RATE)?;
    let running = |window: &Window<'_>| {
        let run = window.invoke("show", &json!({ "number": number })).unwrap_or_default();
        let stages = run["stages"].as_array().cloned().unwrap_or_default();
        stages.iter().filter(|stage| stage["status"] == "running").count()
    };
    until(PATIENCE, "all stages talk", || running(&window) == STAGES);
    window.shows("talk-1");
    let loud = format!("{} lines/s", RATE * STAGES);
    frames.measure(plan, &window, &format!("{loud}: the queue"), None)?;
    frames.measure(plan, &window, &format!("{loud}: {} rows scroll", plan.runs), list)?;
    window.go(&format!("run/{number}/log?stage=s1"));
    until(PATIENCE, "the log is there", || window.has(".log .l"));
    frames.measure(plan, &window, &format!("{loud}: a log, following"), None)?;
    window.go(&format!("run/{number}/metrics"));
    until(PATIENCE, "a curve is there", || window.has(".u-wrap canvas, canvas"));
    frames.measure(plan, &window, &format!("{loud}: curves"), None)?;
    assert_eq!(running(&window), STAGES, "they talked to the end");
    let _ = desk.bench.run(&["cancel", &number.to_string()]).expect(0);
    window.close();
    drop(driver);
    let (p95, rate): (Vec<Line>, Vec<Line>) = frames.lines.into_iter().unzip();
    table("M10  p95 of the time between two frames", "ms", Better::Less, false, &p95);
    table("M10  frames", "1/s", Better::More, false, &rate);
    Ok(())
}
