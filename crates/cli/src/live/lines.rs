//! Where no bars can be drawn: a line for each change of status and for each tenth of progress.

use std::collections::HashMap;
use std::io::Write;

use footplate_core::view::RunView;
use footplate_core::{RunStatus, StageStatus};

use super::{Painter, beside, waits};
use crate::stop::Stop;
use crate::text::{visible, when};

pub(super) struct Lines {
    runs: HashMap<i64, RunStatus>,
    stages: HashMap<(i64, usize), (StageStatus, u32)>,
    several: bool,
}

impl Lines {
    pub(super) fn new(several: bool) -> Lines {
        Lines { runs: HashMap::new(), stages: HashMap::new(), several }
    }

    /// The lines that the present state adds to what was said.
    fn changes(&mut self, run: &RunView) -> Vec<String> {
        let mut lines = Vec::new();
        let number = format!("#{}", run.number);
        if self.runs.insert(run.number, run.status) != Some(run.status) && !run.status.is_ended() {
            let why = waits(run).map(|why| format!(": {why}")).unwrap_or_default();
            lines.push(format!("{number} {} {}{why}", visible(&run.name), run.status));
        }
        for (at, stage) in run.stages.iter().flatten().enumerate() {
            let tenth = stage.progress.map_or(0, |share| (share.clamp(0.0, 1.0) * 10.0 + 1e-9) as u32);
            let before = self.stages.insert((run.number, at), (stage.status, tenth));
            let name = visible(&stage.name);
            let changed = before.map(|(status, _)| status) != Some(stage.status);
            let newly_dull = before.is_none() && matches!(stage.status, StageStatus::Waiting | StageStatus::Queued);
            if changed && !newly_dull {
                let took = match (stage.started_at, stage.finished_at) {
                    (Some(from), Some(to)) if stage.status.is_ended() => {
                        format!(" after {}", when::span(to.seconds_since(from)))
                    }
                    _ => String::new(),
                };
                let more = beside(stage);
                let more = if more.is_empty() { more } else { format!("  {more}") };
                lines.push(format!("{number} {name} {}{took}{more}", stage.status));
            } else if stage.status == StageStatus::Running && before.is_some_and(|(_, old)| tenth > old) {
                let share = when::percent(stage.progress.unwrap_or(0.0));
                lines.push(format!("{number} {name} {share}  {}", beside(stage)).trim_end().to_owned());
            }
        }
        if self.several && run.status.is_ended() {
            let key = (run.number, usize::MAX);
            let end = (StageStatus::Completed, run.generation);
            if self.stages.insert(key, end) != Some(end) {
                lines.push(format!("{number} {} {}", visible(&run.name), run.status));
            }
        }
        lines
    }
}

impl Painter for Lines {
    fn paint(&mut self, runs: &[RunView]) -> Result<(), Stop> {
        for run in runs {
            for line in self.changes(run) {
                self.say(&line);
            }
        }
        Ok(())
    }

    fn say(&mut self, text: &str) {
        // Where stderr is closed nobody looks on.
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }

    fn end(&mut self) {}
}
