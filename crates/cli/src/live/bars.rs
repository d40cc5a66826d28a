//! A bar for each stage, on a terminal.

use std::collections::HashMap;

use footplate_core::StageStatus;
use footplate_core::view::{RunView, StageView};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Painter, beside, waits};
use crate::stop::Stop;
use crate::text::{colour, cut, visible, when};

/// Up to so many stages all have a bar; beyond, only those that are live.
const ALL_UP_TO: usize = 16;
/// Most bars of one run.
const MOST: usize = 24;
/// A bar's steps.
const LENGTH: u64 = 1000;

pub(super) struct Bars {
    screen: MultiProgress,
    heads: HashMap<i64, ProgressBar>,
    bars: HashMap<(i64, usize), ProgressBar>,
    colours: bool,
}

impl Bars {
    pub(super) fn new(colours: bool) -> Bars {
        let screen = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(15));
        Bars { screen, heads: HashMap::new(), bars: HashMap::new(), colours }
    }

    fn head(&mut self, run: &RunView) {
        let bar = self.heads.entry(run.number).or_insert_with(|| {
            let bar = self.screen.add(ProgressBar::new(LENGTH));
            bar.set_style(style("{msg}"));
            bar
        });
        let status = colour::of_run(run.status).paint(run.status.as_str(), self.colours);
        let mut text = format!("#{} {}  {status}", run.number, cut(&visible(&run.name), 40));
        let stages = run.stages.as_deref().unwrap_or_default();
        if stages.len() > 1 {
            let ended = stages.iter().filter(|stage| stage.status.is_ended()).count();
            text.push_str(&format!("  {ended} of {} stages", stages.len()));
        }
        if let Some(waits) = waits(run) {
            text.push_str(&format!("  {}", cut(&waits, 60)));
        } else if let Some(eta) = run.eta_s.filter(|_| !run.status.is_ended() && stages.len() > 1) {
            text.push_str(&format!("  {} left", when::span(eta)));
        }
        bar.set_message(text);
    }

    fn stage(&mut self, run: &RunView, at: usize, stage: &StageView, name_width: usize) {
        let key = (run.number, at);
        let colours = self.colours;
        let bar = match self.bars.get(&key) {
            Some(bar) => bar,
            None => {
                let before = (0..at).rev().find_map(|i| self.bars.get(&(run.number, i)));
                let before = before.or_else(|| self.heads.get(&run.number));
                let new = ProgressBar::new(LENGTH);
                let bar = match before {
                    Some(before) => self.screen.insert_after(before, new),
                    None => self.screen.add(new),
                };
                let look = if colours { "{bar:28.cyan/dim}" } else { "{bar:28}" };
                bar.set_style(style(&format!("  {{prefix}} {look} {{wide_msg}}")).progress_chars("━╸─"));
                self.bars.entry(key).or_insert(bar)
            }
        };
        let share =
            if stage.status == StageStatus::Completed { 1.0 } else { stage.progress.unwrap_or(0.0).clamp(0.0, 1.0) };
        bar.set_position((share * LENGTH as f64) as u64);
        bar.set_prefix(format!("{:name_width$}", cut(&visible(&stage.name), name_width)));
        let status = colour::of_stage(stage.status).paint(stage.status.as_str(), colours);
        let text = match stage.status {
            StageStatus::Running if stage.progress.is_some() => {
                format!("{:>4}  {}", when::percent(share), beside(stage))
            }
            StageStatus::Running => format!("{status}  {}", beside(stage)),
            ended if ended.is_ended() => match (stage.started_at, stage.finished_at) {
                (Some(from), Some(to)) => {
                    format!("{status} after {}  {}", when::span(to.seconds_since(from)), beside(stage))
                }
                _ => status,
            },
            _ => format!("{status}  {}", beside(stage)),
        };
        bar.set_message(text.trim_end().to_owned());
    }
}

fn style(template: &str) -> ProgressStyle {
    // The templates are ours; a wrong one would show the default bar.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

impl Painter for Bars {
    fn paint(&mut self, runs: &[RunView]) -> Result<(), Stop> {
        for run in runs {
            self.head(run);
            let stages = run.stages.as_deref().unwrap_or_default();
            let name_width = stages.iter().map(|s| s.name.chars().count()).max().unwrap_or(0).min(24);
            let mut shown = 0;
            for (at, stage) in stages.iter().enumerate() {
                let live = matches!(stage.status, StageStatus::Running | StageStatus::Retrying);
                if shown < MOST && (stages.len() <= ALL_UP_TO || live) {
                    self.stage(run, at, stage, name_width);
                    shown += 1;
                } else if let Some(bar) = self.bars.remove(&(run.number, at)) {
                    bar.finish_and_clear();
                    self.screen.remove(&bar);
                }
            }
        }
        Ok(())
    }

    fn say(&mut self, text: &str) {
        // Where stderr is closed nobody looks on.
        let _ = self.screen.println(text);
    }

    fn end(&mut self) {
        for bar in self.bars.values().chain(self.heads.values()) {
            bar.abandon();
        }
    }
}
