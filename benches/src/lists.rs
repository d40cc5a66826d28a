//! M5: what one looks at in a history of 100,000 runs, and of ten times as many.

use footplate_core::RunStatus;
use footplate_engine::client::ListQuery;

use crate::clock::now;
use crate::figures::{Better, Line, show as table};
use crate::peer::{Door, Footplate, run};
use crate::{Plan, Trouble};

/// What is asked, and how the tables name it.
fn questions(runs: i64) -> [(&'static str, ListQuery); 3] {
    let all = ListQuery::default();
    [
        ("library: the 50 newest", all.clone()),
        ("library: the 50 newest that failed", ListQuery { statuses: vec![RunStatus::Failed], ..all.clone() }),
        ("library: one by its name", ListQuery { search: Some(format!("digits-{}", runs * 7 / 9)), ..all }),
    ]
}

pub(crate) fn show(plan: &Plan) -> Result<(), Trouble> {
    let sizes: [i64; 2] = if plan.quick { [10_000, 100_000] } else { [100_000, 1_000_000] };
    let mut lines = Vec::new();
    for runs in sizes {
        let ours = Footplate::start(&plan.place, &format!("m5-{runs}"), Door::Library, false)?;
        footplate_history::fill(ours.data(), runs)?;
        // An owner that comes by, as one did for each of them, leaves the index of names as it should be.
        run(ours.command().args(["work", "--until-idle"]))?;
        for (what, query) in questions(runs) {
            let mut line = Line::new(format!("{what}, of {runs}"));
            if runs == sizes[0] {
                line = line.goal(1.0);
            }
            for round in 0..=plan.short_rounds {
                let began = now();
                let page = ours.client().list(&query)?;
                let took = (now() - began) as f64 / 1e6;
                if page.runs.is_empty() {
                    return Err(format!("{what}: nothing was found").into());
                }
                if round > 0 {
                    line.samples.add(took);
                }
            }
            lines.push(line);
        }
        let mut line = Line::new(format!("footplate list, of {runs}")).goal(12.0);
        for _ in 0..plan.short_rounds / 2 {
            let began = now();
            run(ours.command().args(["list", "--limit", "50"]))?;
            line.samples.add((now() - began) as f64 / 1e6);
        }
        lines.push(line);
    }
    // Each question beside itself, ten times as much behind it.
    let half = lines.len() / 2;
    let (few, many) = lines.split_at(half);
    for (few, many) in few.iter().zip(many) {
        table(
            "M5  looking at history (goal of the ratio: <= 2)",
            "ms",
            Better::Less,
            true,
            &[few.clone(), many.clone()],
        );
    }
    Ok(())
}
