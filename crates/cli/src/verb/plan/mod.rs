//! `footplate plan`.

mod guards;
mod missing;

use clap::Args;
use footplate_core::Fault;
use footplate_engine::data::{self, DataView};
use footplate_engine::environment::Captured;
use footplate_engine::plan::{Plan as Content, plan};
use footplate_engine::ready::{self, Missing, Place};
use serde::Serialize;

use crate::context::Context;
use crate::input::{bounds, pipeline};
use crate::stop::Answer;
use crate::text::{Align, Cell, Table, table, visible, when};
use crate::verb::{add, show};

use guards::Guarded;

/// Check a pipeline and show what would run in what order; starts nothing
///
/// What is not there now (a program, a folder, a secret) is told, and refuses nothing: it may be there when the run starts.
#[derive(Debug, Args)]
pub(crate) struct Plan {
    /// A file, a folder with footplate.toml, or a template's name: digits
    pipeline: String,
    /// A parameter's value; may be given several times
    #[arg(short, long = "param", value_name = "K=V", value_parser = bounds::pair)]
    params: Vec<(String, String)>,
    /// A named set of values that the pipeline offers
    #[arg(long, value_name = "P")]
    preset: Option<String>,
}

impl Plan {
    pub(crate) fn run(&self, context: &Context) -> Answer {
        let cwd = add::folder(None)?;
        let client = context.client()?;
        let found = pipeline::find(&self.pipeline, client.home(), &cwd)?;
        let values = pipeline::values(&found, None, self.preset.as_deref(), &self.params)?;
        let plan = plan(&found.definition, &values, Some(&client))?;
        let data = data::given(&found.definition, &plan.params, &cwd);
        let guards = guards::all(&found.definition);
        let environment = Captured::current();
        let place = Place { pipeline_dir: &found.dir, cwd: &cwd, environment: &environment };
        let missing = ready::look(&found.definition, &values, place).missing;
        if context.json {
            let data = data.into_iter().map(Given::from).collect();
            context.print_json(&Told { plan: &plan, guards, data, missing })?;
        } else {
            let rows = rows(&plan, &guards, &data, &missing);
            context.print(&text(&plan, &rows, context.colour, context.columns()))?;
        }
        Ok(0)
    }
}

/// What is said of a plan to programs.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    plan: &'a Content,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    guards: Vec<Guarded<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    data: Vec<Given>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<Missing>,
}

/// What lies behind a parameter of kind `dataset`.
#[derive(Serialize)]
struct Given {
    param: String,
    seen: Option<DataView>,
    error: Option<Fault>,
}

impl From<(String, Result<DataView, Fault>)> for Given {
    fn from((param, seen): (String, Result<DataView, Fault>)) -> Given {
        match seen {
            // Pictures are for windows.
            Ok(seen) => Given { param, seen: Some(DataView { pictures: Vec::new(), ..seen }), error: None },
            Err(fault) => Given { param, seen: None, error: Some(fault) },
        }
    }
}

type Rows = Vec<(&'static str, String)>;

fn rows(
    plan: &Content,
    guards: &[Guarded<'_>],
    data: &[(String, Result<DataView, Fault>)],
    missing: &[Missing],
) -> Rows {
    let expected =
        plan.expected_s.map_or_else(|| "not known: not every stage has completed before".to_owned(), when::span);
    let mut lines = vec![
        ("pipeline", visible(&plan.pipeline)),
        ("stages", plan.stages.to_string()),
        ("parallelism", format!("{} at most", plan.max_parallelism)),
        ("longest chain", plan.critical_path.iter().map(|name| visible(name)).collect::<Vec<_>>().join(" -> ")),
        ("expected", expected),
    ];
    for (at, (name, value)) in plan.params.iter().enumerate() {
        lines.push((if at == 0 { "params" } else { "" }, format!("{} = {}", visible(name), show::value_text(value))));
    }
    for (at, (name, seen)) in data.iter().enumerate() {
        let said = seen.as_ref().map_or_else(|fault| fault.message.clone(), DataView::sentence);
        lines.push((if at == 0 { "data" } else { "" }, format!("{}: {}", visible(name), visible(&said))));
    }
    for (at, one) in guards.iter().enumerate() {
        lines.push((if at == 0 { "watched" } else { "" }, visible(&one.sentence())));
    }
    for (at, one) in missing.iter().enumerate() {
        lines.push((if at == 0 { "missing" } else { "" }, visible(&missing::sentence(one))));
    }
    lines
}

fn text(plan: &Content, rows: &[(&str, String)], colours: bool, columns: Option<usize>) -> String {
    let mut levels = Table::new(&[("LEVEL", Align::Right), ("STAGE", Align::Left), ("EXPECTED", Align::Right)]);
    for (level, stages) in plan.levels.iter().enumerate() {
        for stage in stages {
            let expected = plan.expected_stage_s.get(stage).copied().map(when::span).unwrap_or_default();
            levels.row(vec![level.to_string().into(), Cell::new(stage), expected.into()]);
        }
    }
    format!("{}\n{}", table::pairs(rows, colours), levels.render(colours, columns))
}
