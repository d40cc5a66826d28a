//! What a run's stages run: as it really was where an attempt's folder tells, as it is written else.

use footplate_core::view::{AttemptView, StageView};

use super::quoted;
use crate::text::{Align, Cell, Table, cut, visible};

/// What a stage ran last, or is to run, as one would type it.
pub(super) fn of(stage: &StageView) -> String {
    match (newest_that_ran(stage), &stage.shell) {
        (Some(attempt), _) => typed(&attempt.command),
        (None, Some(line)) => typed(&["sh".to_owned(), "-c".to_owned(), line.clone()]),
        (None, None) => typed(&stage.command),
    }
}

fn newest_that_ran(stage: &StageView) -> Option<&AttemptView> {
    stage.attempts.iter().rfind(|attempt| !attempt.command.is_empty())
}

fn typed(argv: &[String]) -> String {
    const MOST: usize = 400;
    let words: Vec<String> = argv.iter().map(|word| quoted(word)).collect();
    cut(&visible(&words.join(" ")), MOST)
}

/// That the command is the template, where values are to be filled in and what was run is not known.
pub(super) fn remark(stage: &StageView) -> Option<&'static str> {
    let filled = |word: &String| word.contains("{{") || word.contains("{%");
    let template = stage.command.iter().chain(&stage.shell).any(filled);
    match (template && newest_that_ran(stage).is_none(), stage.attempts.is_empty()) {
        (false, _) => None,
        (true, true) => Some("as written: it has not run"),
        (true, false) => Some("as written: what was run is not known, its folder is gone or not there yet"),
    }
}

/// What each attempt ran, where one line at the top does not say it. What attempts in a row have in common stands once.
pub(super) fn table(stages: &[StageView], colours: bool) -> String {
    let mut table = Table::new(&[("STAGE", Align::Left), ("ATTEMPT", Align::Right), ("COMMAND", Align::Left)]);
    let (mut rows, mut remarks) = (0, Vec::new());
    for stage in stages {
        let ran: Vec<&AttemptView> = stage.attempts.iter().filter(|attempt| !attempt.command.is_empty()).collect();
        for same in ran.chunk_by(|one, next| one.command == next.command) {
            let (Some(first), Some(last)) = (same.first(), same.last()) else { continue };
            let numbers = match first.number == last.number {
                true => first.number.to_string(),
                false => format!("{}-{}", first.number, last.number),
            };
            table.row(vec![Cell::new(&stage.name), numbers.into(), Cell::new(typed(&first.command))]);
            rows += 1;
        }
        if ran.is_empty() {
            table.row(vec![Cell::new(&stage.name), Cell::new(""), Cell::new(of(stage))]);
            remarks.extend(remark(stage).map(|remark| format!("  {}: {remark}\n", visible(&stage.name))));
        }
    }
    if stages.len() == 1 && rows < 2 {
        return String::new();
    }
    format!("\n{}{}", table.render(colours, None), remarks.concat())
}
