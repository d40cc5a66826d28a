//! M8: pipelines of thousands of stages: planned, run, and how near a run comes to the best that its workers could do.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt::Write as _;
use std::process::Command;
use std::time::Duration;

use footplate_spec::{Form, parse_within};

use crate::clock::now;
use crate::figures::{Better, Line, show as table};
use crate::peer::{Door, Footplate, program, queue, run, run_quietly};
use crate::{Plan, Trouble};

const SEED: u64 = 0x9e37_79b9_7f4a_7c15;
const WORKERS: usize = 8;

/// A pipeline by the needs and the times of its stages.
struct Graph {
    /// Of each stage, those it needs, all of them before it.
    needs: Vec<Vec<usize>>,
    /// Milliseconds each stage takes; 0: `/bin/true`.
    ms: Vec<u64>,
}

/// A multiplicative hash: the same graph on every machine.
fn mixed(index: usize, salt: u64) -> u64 {
    let mut x = (index as u64 + 1).wrapping_mul(SEED) ^ salt.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x ^= x >> 31;
    x.wrapping_mul(0x94d0_49bb_1331_11eb) >> 33
}

impl Graph {
    /// Layers of `width` stages, each of which needs three of the layer before.
    fn layered(stages: usize, width: usize, ms: impl Fn(usize) -> u64) -> Graph {
        let need = |index: usize, k: usize| (index / width - 1) * width + (index * 7 + k * 31) % width;
        let needs = |index: usize| {
            let mut all: Vec<usize> = if index < width { Vec::new() } else { (0..3).map(|k| need(index, k)).collect() };
            all.sort_unstable();
            all.dedup();
            all
        };
        Graph { needs: (0..stages).map(needs).collect(), ms: (0..stages).map(ms).collect() }
    }

    /// As workflows are: samples that go through four steps each, and one stage that gathers every ten of them.
    fn workflow(stages: usize, ms: impl Fn(usize) -> u64) -> Graph {
        let needs = |index: usize| match index % 41 {
            40 => (0..10).map(|sample| index - 40 + sample * 4 + 3).collect(),
            step if step % 4 > 0 => vec![index - 1],
            _ => Vec::new(),
        };
        Graph { needs: (0..stages).map(needs).collect(), ms: (0..stages).map(ms).collect() }
    }

    fn text(&self, queue: &str) -> String {
        let mut text = format!("format = 1\nname = \"graph\"\nqueue = \"{queue}\"\n");
        for (index, (needs, ms)) in self.needs.iter().zip(&self.ms).enumerate() {
            let needs: Vec<String> = needs.iter().map(|need| format!("\"s{need}\"")).collect();
            let _ = writeln!(text, "[stages.s{index}]\nneeds = [{}]\nresources = {{ cpus = 0 }}", needs.join(", "));
            let _ = match ms {
                0 => writeln!(text, "command = [\"/bin/true\"]"),
                ms => writeln!(text, "command = [\"/bin/sleep\", \"{}.{:03}\"]", ms / 1000, ms % 1000),
            };
        }
        text
    }

    /// The milliseconds of a list schedule without any cost: whatever is ready starts on a free worker, first come first.
    fn ideal(&self, workers: usize) -> u64 {
        let mut left: Vec<usize> = self.needs.iter().map(Vec::len).collect();
        let mut ready: BinaryHeap<Reverse<(u64, usize)>> =
            (0..left.len()).filter(|&stage| left[stage] == 0).map(|stage| Reverse((0, stage))).collect();
        let mut running: BinaryHeap<Reverse<(u64, usize)>> = BinaryHeap::new();
        let mut time = 0;
        loop {
            while running.len() < workers
                && let Some(Reverse((_, stage))) = ready.pop()
            {
                running.push(Reverse((time + self.ms[stage], stage)));
            }
            let Some(Reverse((end, done))) = running.pop() else { return time };
            time = end;
            for (stage, needs) in self.needs.iter().enumerate().filter(|(_, needs)| needs.contains(&done)) {
                left[stage] -= needs.iter().filter(|&&need| need == done).count();
                if left[stage] == 0 {
                    ready.push(Reverse((time, stage)));
                }
            }
        }
    }
}

pub(crate) fn show(plan: &Plan) -> Result<(), Trouble> {
    planned(plan)?;
    let mut ours = Footplate::start(&plan.place, "m8", Door::Library, true)?;
    no_ops(plan, &mut ours)?;
    makespan(plan, &mut ours)
}

fn planned(plan: &Plan) -> Result<(), Trouble> {
    let mut lines = Vec::new();
    for (stages, goal) in [(1_000, 5.0), (10_000, 50.0)] {
        let text = Graph::layered(stages, 100, |_| 0).text("default");
        let mut read = Line::new(format!("read and check {stages} stages (TOML)"));
        let mut levels = Line::new(format!("plan {stages} stages")).goal(goal);
        for _ in 0..plan.short_rounds / 5 {
            let began = now();
            let definition =
                parse_within(text.as_bytes(), Form::Toml, stages).map_err(|problems| problems.to_string())?;
            let checked = now();
            let planned = footplate_spec::plan::plan(&definition);
            levels.samples.add((now() - checked) as f64 / 1e6);
            read.samples.add((checked - began) as f64 / 1e6);
            if planned.levels.len() != stages / 100 {
                return Err(format!("{} levels", planned.levels.len()).into());
            }
        }
        lines.extend([levels, read]);
    }
    table("M8a plan", "ms", Better::Less, true, &lines);
    Ok(())
}

/// Submits it and gives the milliseconds from its first start to its end.
fn once(ours: &mut Footplate, queue: &str, graph: &Graph) -> Result<f64, Trouble> {
    let definition = parse_within(graph.text(queue).as_bytes(), Form::Toml, graph.ms.len())
        .map_err(|problems| problems.to_string())?;
    let number = ours.add_pipeline(queue, definition)?;
    ours.ended(number)?;
    let view = ours.client().show(number)?;
    match (view.status, view.started_at, view.finished_at) {
        (footplate_core::RunStatus::Completed, Some(started), Some(finished)) => Ok((finished.0 - started.0) as f64),
        (status, ..) => Err(format!("a graph ended {status:?}").into()),
    }
}

/// The same graph for make, where it is installed.
fn makefile(graph: &Graph) -> String {
    let mut text = format!("all: {}\n", (0..graph.ms.len()).map(|stage| format!("s{stage} ")).collect::<String>());
    for (index, needs) in graph.needs.iter().enumerate() {
        let needs: String = needs.iter().map(|need| format!("s{need} ")).collect();
        let _ = writeln!(text, "s{index}: {needs}\n\t@/bin/true");
    }
    text
}

fn no_ops(plan: &Plan, ours: &mut Footplate) -> Result<(), Trouble> {
    let sizes = if plan.quick { [200, 1_000] } else { [1_000, 5_000] };
    let mut lines: Vec<Line> =
        sizes.iter().map(|stages| Line::new(format!("Footplate, {stages} stages, two at a time"))).collect();
    let make = program("make", &[]).filter(|_| plan.peers);
    let mut peer = Line::new(format!("make -j2, {} targets", sizes[0]));
    let files = plan.place.folder("m8-make")?;
    for _ in 0..plan.rounds {
        for (stages, line) in sizes.iter().zip(&mut lines) {
            let graph = Graph::layered(*stages, 100, |_| 0);
            line.samples.add(once(ours, queue(2), &graph)? / *stages as f64);
            if *stages == sizes[0]
                && let Some(make) = &make
            {
                std::fs::write(files.join("Makefile"), makefile(&graph))?;
                let began = now();
                run_quietly(Command::new(make).args(["-s", "-j2", "all"]).current_dir(&files))?;
                peer.samples.add((now() - began) as f64 / 1e6 / *stages as f64);
            }
        }
    }
    lines.push(peer);
    table("M8a a stage that does nothing, in a graph", "ms/stage", Better::Less, false, &lines);
    Ok(())
}

fn makespan(plan: &Plan, ours: &mut Footplate) -> Result<(), Trouble> {
    // Five a second at most: stages that take long measure nothing but themselves.
    let short = |index: usize| 10 + mixed(index, 1) % 91;
    let graphs = [
        ("layered, 200 stages of 10 - 100 ms", Graph::layered(200, 20, short), 1.08),
        ("workflow, 205 stages of 10 - 100 ms", Graph::workflow(205, short), 1.08),
        ("layered, 48 stages of 1 s", Graph::layered(48, 16, |_| 1_000), 1.01),
    ];
    run(ours.command().args(["queue", "set", "maintenance", "--limit", &WORKERS.to_string()]))?;
    let mut lines: Vec<Line> = graphs.iter().map(|(name, _, goal)| Line::new(*name).goal(*goal)).collect();
    for _ in 0..plan.rounds {
        for ((_, graph, _), line) in graphs.iter().zip(&mut lines) {
            line.samples.add(once(ours, "maintenance", graph)? / graph.ideal(WORKERS) as f64);
            // The next one starts from a machine at rest.
            ours.client().wait_for_change(Duration::from_millis(100))?;
        }
    }
    table("M8b a run's time / a list schedule without cost, 8 workers", "ratio", Better::Less, false, &lines);
    Ok(())
}
