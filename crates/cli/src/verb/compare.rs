//! `footplate compare`.

use clap::Args;
use footplate_core::alert::Better;
use footplate_core::compare::{ComparedMetric, ComparedValue, Comparison};
use footplate_engine::client::compare::{Compared, csv};
use serde_json::Value;

use crate::context::Context;
use crate::stop::Answer;
use crate::text::colour::{self, Colour};
use crate::text::{Align, Cell, Table, when};
use crate::wish::resolve;

/// Show parameters and results of runs side by side
///
/// What is not the same in all runs is marked, and so is the best value of each metric whose better way is known: from the pipeline
/// (the mode of its checkpoints or alerts), else from its name, such as val_loss or accuracy. A wide table is turned: a line for each run.
#[derive(Debug, Args)]
pub(crate) struct Compare {
    /// The runs, by number, id or name; 2 to 100
    #[arg(value_name = "RUN", required_unless_present = "experiment", conflicts_with = "experiment", num_args = 1..)]
    runs: Vec<String>,
    /// All runs of this experiment, at most the newest 100
    #[arg(long, value_name = "E")]
    experiment: Option<String>,
    /// Also the parameters and outputs that are the same in all runs
    #[arg(long)]
    all: bool,
    /// As comma-separated values, a line for each run
    #[arg(long, conflicts_with_all = ["json", "all"])]
    csv: bool,
}

/// Where there is no terminal, so many runs stand side by side; more go line by line.
const SIDE_BY_SIDE: usize = 8;

impl Compare {
    pub(crate) fn run(&self, context: &Context) -> Answer {
        let client = context.client()?;
        let asked = match &self.experiment {
            Some(name) => Compared::Experiment(name.clone()),
            None => {
                let numbers = self.runs.iter().map(|text| Ok(resolve(context, &client, text)?.number));
                Compared::Runs(numbers.collect::<Result<_, footplate_core::Fault>>()?)
            }
        };
        let found = client.compare(&asked)?;
        if context.json {
            context.print_json(&found)?;
            return Ok(0);
        }
        if self.csv {
            context.print(&csv(&found)?)?;
            return Ok(0);
        }
        let sheet = Sheet::new(&found, self.all, context.colour);
        context.print(&sheet.text(context.columns()))?;
        for line in remarks(&found, self.all) {
            context.remark(&line);
        }
        Ok(0)
    }
}

/// What the table leaves out.
fn remarks(found: &Comparison, all: bool) -> Vec<String> {
    let equal = |values: &[ComparedValue]| values.iter().filter(|value| !value.differs).count();
    let mut lines = Vec::new();
    for (count, one, many) in
        [(equal(&found.params), "parameter is", "parameters are"), (equal(&found.outputs), "output is", "outputs are")]
    {
        if count > 0 && !all {
            let what = if count == 1 { one } else { many };
            lines.push(format!("{count} {what} the same in all runs; --all shows them"));
        }
    }
    if found.left_out > 0 {
        lines.push(format!("the oldest {} runs of the experiment are left out", found.left_out));
    }
    lines
}

/// One line of the comparison, or one column where it is turned.
struct Line {
    name: String,
    cells: Vec<Cell>,
    differs: bool,
}

/// The comparison as lines: what it is, and a cell for each run.
struct Sheet {
    runs: Vec<String>,
    lines: Vec<Line>,
    colours: bool,
}

impl Sheet {
    fn new(found: &Comparison, all: bool, colours: bool) -> Sheet {
        let runs = || found.runs.iter();
        let mut lines = vec![
            Line::new("name", runs().map(|run| Cell::new(&run.name)).collect()),
            Line::new(
                "status",
                runs().map(|run| Cell::new(run.status.as_str()).colour(colour::of_run(run.status))).collect(),
            ),
            Line::new("took", runs().map(|run| run.took_s.map(when::span).unwrap_or_default().into()).collect()),
        ];
        let commands: Vec<Option<&String>> = runs().map(|run| run.command.as_ref()).collect();
        if commands.iter().any(Option::is_some) {
            let cells = commands.iter().map(|command| Cell::new(command.map_or("", String::as_str))).collect();
            let mut line = Line::new("command", cells);
            line.differs = footplate_core::compare::differ(&commands);
            lines.push(line.marked());
        }
        let shown = |value: &&ComparedValue| all || value.differs;
        lines.extend(found.params.iter().filter(shown).map(Line::value));
        lines.extend(found.metrics.iter().map(|metric| Line::metric(metric, several_stages(found))));
        lines.extend(found.outputs.iter().filter(shown).map(Line::value));
        Sheet { runs: runs().map(|run| format!("#{}", run.number)).collect(), lines, colours }
    }

    fn text(&self, columns: Option<usize>) -> String {
        let side_by_side = self.side_by_side().render(self.colours, None);
        let widest = side_by_side.lines().map(|line| crate::text::width(&without_colours(line))).max().unwrap_or(0);
        let fits = columns.map_or(self.runs.len() <= SIDE_BY_SIDE, |columns| widest <= columns);
        if fits { side_by_side } else { self.turned().render(self.colours, columns) }
    }

    /// The mark of a difference: a colour where there are colours, else a star behind the name.
    fn head(&self, line: &Line) -> String {
        if line.differs && !self.colours { format!("{}*", line.name) } else { line.name.clone() }
    }

    fn side_by_side(&self) -> Table {
        let heads: Vec<(&str, Align)> = std::iter::once(("RUN", Align::Left))
            .chain(self.runs.iter().map(|run| (run.as_str(), Align::Right)))
            .collect();
        let mut table = Table::new(&heads);
        for line in &self.lines {
            let name = Cell::new(self.head(line)).colour(if line.differs { Colour::Yellow } else { Colour::Dim });
            table.row(std::iter::once(name).chain(line.cells.iter().cloned()).collect());
        }
        table
    }

    fn turned(&self) -> Table {
        let heads: Vec<String> = self.lines.iter().map(|line| self.head(line)).collect();
        let right = |at: usize| if at < 2 { Align::Left } else { Align::Right };
        let heads: Vec<(&str, Align)> = std::iter::once(("RUN", Align::Right))
            .chain(heads.iter().enumerate().map(|(at, head)| (head.as_str(), right(at))))
            .collect();
        // The name says no more than the parameters do; it gives way first, then what is long.
        let flexible: Vec<usize> = std::iter::once(1).chain(4..=self.lines.len()).collect();
        let mut table = Table::new(&heads).flexible(&flexible).optional(&[3, 1, 2]);
        for (at, run) in self.runs.iter().enumerate() {
            let cells = self.lines.iter().map(|line| line.cells.get(at).cloned().unwrap_or_default());
            table.row(std::iter::once(Cell::new(run)).chain(cells).collect());
        }
        table
    }
}

impl Line {
    fn new(name: &str, cells: Vec<Cell>) -> Line {
        Line { name: name.to_owned(), cells, differs: false }
    }

    /// Its cells in the colour of what differs.
    fn marked(mut self) -> Line {
        if self.differs {
            self.cells = self.cells.into_iter().map(|cell| cell.colour(Colour::Yellow)).collect();
        }
        self
    }

    fn value(value: &ComparedValue) -> Line {
        let text = |value: &Option<Value>| match value {
            None => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        let cells = value.values.iter().map(|value| Cell::new(text(value))).collect();
        Line { name: value.name.clone(), cells, differs: value.differs }.marked()
    }

    fn metric(metric: &ComparedMetric, with_stage: bool) -> Line {
        let stage = if with_stage { format!("{}.", metric.stage) } else { String::new() };
        let what = match metric.better {
            Some(Better::Min) => "min",
            Some(Better::Max) => "max",
            None => "last",
        };
        let cells = metric.values.iter().enumerate().map(|(at, measured)| {
            let text = measured.as_ref().map(|measured| when::number(measured.value)).unwrap_or_default();
            if metric.best.contains(&at) {
                Cell::new(format!("best {text}")).colour(Colour::Green)
            } else {
                text.into()
            }
        });
        Line::new(&format!("{stage}{} ({what})", metric.name), cells.collect())
    }
}

/// Whether the metrics are of more than one stage, so that it has to be said which.
fn several_stages(found: &Comparison) -> bool {
    let mut stages = found.metrics.iter().map(|metric| &metric.stage);
    let first = stages.next();
    stages.any(|stage| Some(stage) != first)
}

/// The text as it is counted in columns.
fn without_colours(line: &str) -> String {
    let mut parts = line.split("\x1b[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once('m').map_or("", |(_, rest)| rest))
}
