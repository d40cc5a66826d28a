//! Templates as people and programs see them.

use footplate_engine::start::StageText;
use footplate_engine::templates::{
    self, Broken,
    consent::{self, ConsentView, Trust},
};
use footplate_engine::{Home, plan};
use footplate_spec::Problem;
use serde_json::json;

use crate::context::Context;
use crate::stop::Answer;
use crate::text::when::size;
use crate::text::{Align, Cell, Colour, Table, table, visible};
use crate::verb::show::quoted;

/// All of them.
pub(super) fn list(context: &Context) -> Answer {
    let client = context.client()?;
    let mut rows = Vec::new();
    let mut shown = Table::new(&[
        ("TEMPLATE", Align::Left),
        ("STAGES", Align::Right),
        ("SOURCE", Align::Left),
        ("STATE", Align::Left),
        ("TITLE", Align::Left),
    ])
    .flexible(&[4]);
    let all = templates::all(client.home());
    for template in all.templates {
        let definition = &template.definition;
        let source = if template.built_in { "built-in" } else { "own" };
        let times = client.expected_times(&definition.name)?;
        rows.push(json!({
            "name": template.name,
            "source": source,
            "trust": template.trust,
            "title": definition.title,
            "description": definition.description,
            "stages": definition.stages.len(),
            "expected_s": plan::expected(definition, &times),
            "file": null,
            "faults": [],
        }));
        let state = match template.trust {
            Trust::Allowed => Cell::default(),
            Trust::Asks => Cell::new("not allowed yet").colour(Colour::Yellow),
        };
        shown.row(vec![
            Cell::new(&template.name),
            definition.stages.len().to_string().into(),
            source.into(),
            state,
            Cell::new(definition.title.as_deref().unwrap_or_default()),
        ]);
    }
    for broken in &all.broken {
        rows.push(json!({
            "name": broken.name,
            "source": "own",
            "trust": null,
            "title": null,
            "description": null,
            "stages": null,
            "expected_s": null,
            "file": broken.file,
            "faults": broken.faults,
        }));
        let state = Cell::new("cannot be read").colour(Colour::Red);
        shown.row(vec![Cell::new(&broken.name), "".into(), "own".into(), state, Cell::default()]);
    }
    if context.json {
        context.print_json(&rows)?;
        return Ok(0);
    }
    context.print(&shown.render(context.colour, context.columns()))?;
    for broken in &all.broken {
        context.remark(&wrong(broken));
    }
    Ok(0)
}

/// What is wrong with a template that cannot be read, and what to do.
fn wrong(broken: &Broken) -> String {
    let file = broken.file.to_string_lossy();
    let mut out = String::new();
    for fault in &broken.faults {
        let problem = Problem { line: fault.line, column: fault.column, ..Problem::new("", &*fault.message) };
        out.push('\n');
        out.push_str(&visible(&problem.text(&file)));
        out.extend(fault.hint.iter().map(|hint| format!("\n  hint: {}", visible(hint))));
    }
    let name = &broken.name;
    out + &format!("\n  Mend the file, or remove the template: footplate template rm {name}")
}

/// One of them: what it would run.
pub(super) fn show(context: &Context, name: &str) -> Answer {
    let home = context.home()?;
    let view = consent::view(&home, name)?;
    if context.json {
        context.print_json(&view)?;
        return Ok(0);
    }
    context.print(&text(&home, &view, context))?;
    if view.trust == Trust::Asks {
        context.remark(&format!("\nit may run after: footplate template consent {name}"));
    }
    Ok(0)
}

fn text(home: &Home, view: &ConsentView, context: &Context) -> String {
    let state = match view.trust {
        Trust::Allowed if view.folder.is_none() => "part of Footplate",
        Trust::Allowed => "allowed, as it is now",
        Trust::Asks => "not allowed yet: nothing of it runs",
    };
    let mut lines = vec![("template", visible(&view.name))];
    lines.extend(view.title.as_ref().map(|title| ("title", visible(title))));
    lines.extend(view.description.as_ref().map(|text| ("description", visible(text))));
    lines.push(("state", state.to_owned()));
    if let Some(folder) = &view.folder {
        lines.push(("folder", visible(&folder.strip_prefix(home.root()).unwrap_or(folder).to_string_lossy())));
    }
    if !view.paths.is_empty() {
        lines.push(("reads", format!("what these parameters name: {}", view.paths.join(", "))));
    }
    if !view.hash.is_empty() {
        lines.push(("content", view.hash.clone()));
    }
    let mut out = table::pairs(&lines, context.colour);
    for stage in &view.stages {
        out.push('\n');
        out.push_str(&stage_text(stage, context));
    }
    let mut files = Table::new(&[("FILE", Align::Left), ("SIZE", Align::Right), ("", Align::Left)]);
    for file in &view.files {
        let can_run = if file.executable { "can be run" } else { "" };
        files.row(vec![Cell::new(&file.path), size(file.size).into(), can_run.into()]);
    }
    if !files.is_empty() {
        out.push('\n');
        out.push_str(&files.render(context.colour, context.columns()));
    }
    out
}

fn stage_text(stage: &StageText, context: &Context) -> String {
    let line = |words: &[String]| words.iter().map(|word| visible(&quoted(word))).collect::<Vec<_>>().join(" ");
    let mut lines = vec![("stage", visible(&stage.stage)), ("runs", line(&stage.argv))];
    if stage.written != stage.argv {
        lines.push(("written", line(&stage.written)));
    }
    if !stage.resume.is_empty() {
        lines.push(("to resume", line(&stage.resume)));
    }
    let cwd = stage.cwd.as_ref().map_or_else(|| "the folder it is started from".to_owned(), |cwd| visible(cwd));
    lines.push(("in", cwd));
    if !stage.env.is_empty() {
        lines.push(("sets", stage.env.iter().map(|name| visible(name)).collect::<Vec<_>>().join(" ")));
    }
    table::pairs(&lines, context.colour)
}
