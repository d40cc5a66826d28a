//! How long it takes to read, check and plan pipelines of 1,000 and 10,000 stages: `cargo run --release --example plan_speed`.
//! Prints medians of 15 in milliseconds.

use std::fmt::Write as _;
use std::time::Instant;

use footplate_core::dag;
use footplate_spec::{Form, check_within, parse_within, plan};

/// Layers of 100 stages; each stage needs three of the layer before, one of them by an expression.
fn file(stages: usize) -> String {
    let mut text = String::from("format = 1\nname = \"speed\"\n[params.n]\ntype = \"integer\"\ndefault = 1\n");
    for index in 0..stages {
        let _ = writeln!(text, "[stages.s{index}]");
        let mut argument = "{{ params.n }}".to_owned();
        if index >= 100 {
            let layer = index / 100 * 100 - 100;
            let need = |k: usize| layer + (index * 7 + k * 31) % 100;
            let _ = writeln!(text, "needs = [\"s{}\", \"s{}\"]", need(0), need(1));
            argument = format!("{{{{ stages.s{}.outputs.x }}}}", need(2));
        }
        let _ = writeln!(text, "command = [\"true\", \"{argument}\"]");
    }
    text
}

fn median(mut work: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..15)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64() * 1000.0
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[7]
}

fn main() {
    println!("{:>8} {:>12} {:>10} {:>10} {:>12}", "stages", "read+check", "check", "plan", "levels only");
    for stages in [1_000, 10_000] {
        let text = file(stages);
        let definition = match parse_within(text.as_bytes(), Form::Toml, stages) {
            Ok(definition) => definition,
            Err(problems) => {
                println!("{problems}");
                return;
            }
        };
        let needs = plan::needs_by_index(&definition);
        let mut again = definition.clone();
        println!(
            "{stages:>8} {:>12.2} {:>10.2} {:>10.2} {:>12.3}",
            median(|| drop(parse_within(text.as_bytes(), Form::Toml, stages))),
            median(|| drop(check_within(&mut again, stages))),
            median(|| drop(plan::plan(&definition))),
            median(|| drop(dag::levels(&needs))),
        );
    }
}
