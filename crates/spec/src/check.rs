//! Whether the parts of a definition fit together: names, bounds, needs, circles, expressions. References in expressions become needs.
//!
//! Not here: whether programs, files and GPUs are there; the machine is asked at submit.

mod guards;
mod params;
mod stage;

use footplate_core::dag;
use footplate_core::definition::{Definition, FORMAT};
use indexmap::IndexMap;

use crate::problem::{Problem, Problems, Warning, is_hidden, nearest, shown};
use crate::read::STAGES;

/// Checks a definition and adds the stages that expressions refer to to `needs`. Doing it again changes nothing.
///
/// # Errors
/// Everything that is wrong, without places: those are known where a file is read.
pub fn check(definition: &mut Definition) -> Result<Vec<Warning>, Problems> {
    check_within(definition, STAGES)
}

/// As [`check`], with another limit of stages.
///
/// # Errors
/// As [`check`].
pub fn check_within(definition: &mut Definition, most_stages: usize) -> Result<Vec<Warning>, Problems> {
    let mut checker = Checker::default();
    checker.definition(definition, most_stages);
    if checker.found.is_empty() {
        Ok(checker.warnings)
    } else {
        Err(Problems(checker.found.into_iter().map(|(_, problem)| problem).collect()))
    }
}

/// What was found, each with the keys that lead to it.
#[derive(Default)]
pub(crate) struct Checker {
    pub(crate) found: Vec<(Vec<String>, Problem)>,
    pub(crate) warnings: Vec<Warning>,
    /// How often a near name was looked for among the stages: each look passes over all of them.
    looks: usize,
}

impl Checker {
    pub(crate) fn definition(&mut self, definition: &mut Definition, most_stages: usize) {
        if definition.format != FORMAT {
            let problem = if definition.format > FORMAT {
                let message = format!("format = {} is newer than this version of Footplate reads", definition.format);
                Problem::new("newer_format", message).hint("please update Footplate")
            } else {
                Problem::new("out_of_range", format!("format must be {FORMAT}, not {}", definition.format))
            };
            self.push(&["format"], problem);
        }
        self.pipeline_name(&definition.name);
        self.line(&["title"], definition.title.as_deref());
        if let Some(text) = &definition.description
            && text.chars().count() > 2000
        {
            self.add(&["description"], "limit", "description has more than 2000 characters");
        }
        if let Some(queue) = &definition.queue {
            self.queue(&["queue"], queue);
        }
        if !(-100..=100).contains(&definition.priority) {
            let given = definition.priority;
            let message = format!("priority must be a whole number from -100 to 100, not {given}");
            self.add(&["priority"], "out_of_range", message);
        }
        params::check(self, definition);
        if definition.stages.is_empty() {
            let problem = Problem::new("missing_key", "there is no stage");
            self.push(&["stages"], problem.hint("a pipeline has at least one stage: [stages.train]"));
            return;
        }
        if definition.stages.len() > most_stages {
            let message = format!("{} stages; the limit is {most_stages}", definition.stages.len());
            self.add(&["stages"], "limit", message);
            return;
        }
        let names: Vec<String> = definition.stages.keys().cloned().collect();
        self.names(&["stages"], "stage", &names);
        let mut referred: Vec<Vec<String>> = Vec::with_capacity(names.len());
        for (name, stage) in &definition.stages {
            referred.push(stage::check(self, definition, name, stage));
        }
        for (stage, referred) in definition.stages.values_mut().zip(referred) {
            let mut unique: Vec<String> = Vec::with_capacity(stage.needs.len() + referred.len());
            for need in stage.needs.drain(..).chain(referred) {
                if !unique.contains(&need) {
                    unique.push(need);
                }
            }
            stage.needs = unique;
        }
        self.circles(definition);
        self.tails(definition);
        self.checkpoint_folders(definition);
    }

    pub(crate) fn push(&mut self, path: &[&str], problem: Problem) {
        self.found.push((path.iter().map(|step| (*step).to_owned()).collect(), problem));
    }

    /// A stage that is not there; the nearest name is offered for the first hundred.
    fn unknown_stage(&mut self, definition: &Definition, own: &str, wrong: &str, problem: Problem) -> Problem {
        self.looks += 1;
        if self.looks > 100 {
            return problem;
        }
        let others = definition.stages.keys().map(String::as_str).filter(|other| *other != own);
        unknown(problem.code, problem.message, wrong, others)
    }

    fn add(&mut self, path: &[&str], code: &'static str, message: impl Into<String>) {
        self.push(path, Problem::new(code, message));
    }

    fn warn(&mut self, code: &'static str, message: String) {
        self.warnings.push(Warning { code, message });
    }

    fn pipeline_name(&mut self, name: &str) {
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || name.len() > 64 || !name.chars().all(good) {
            let problem = Problem::new("bad_name", format!("{} is not a pipeline's name", shown(name)));
            self.push(&["name"], problem.hint("1 to 64 of a-z, 0-9 and -; any text may stand in title"));
        }
    }

    /// Text that people read on one line: no control characters, at most 200 characters.
    fn line(&mut self, path: &[&str], text: Option<&str>) {
        let Some(text) = text else { return };
        let label = path.join(".");
        if text.chars().count() > 200 {
            self.add(path, "limit", format!("{label} has more than 200 characters"));
        }
        if let Some(c) = text.chars().find(|c| is_hidden(*c)) {
            self.add(path, "bad_value", format!("{label} holds the control character {}", c.escape_unicode()));
        }
    }

    fn queue(&mut self, path: &[&str], name: &str) {
        if !is_queue(name) {
            let problem = Problem::new("bad_name", format!("{} is not a queue's name", shown(name)));
            self.push(path, problem.hint("a letter a-z, then up to 63 of a-z, 0-9, _ and -"));
        }
    }

    /// Names of stages, parameters and outputs: the form, and none that differ by capitals only.
    fn names(&mut self, path: &[&str], what: &str, names: &[String]) {
        let one = format!("{} {what}", if what.starts_with('o') { "an" } else { "a" });
        let mut lower: IndexMap<String, &str> = IndexMap::with_capacity(names.len());
        for name in names {
            let here: Vec<&str> = path.iter().copied().chain([name.as_str()]).collect();
            if let Some(first) = lower.get(&name.to_lowercase()) {
                let message = format!("{what}s {} and {} differ by capitals only", shown(first), shown(name));
                self.add(&here, "duplicate_name", message);
                continue;
            }
            lower.insert(name.to_lowercase(), name);
            if !is_name(name) {
                let what = &one;
                let problem = Problem::new("bad_name", format!("{} is not the name of {what}", shown(name)));
                let fitting = fitting(name);
                let hint = match fitting {
                    Some(fitting) => {
                        format!("a letter a-z, then up to 63 of a-z, 0-9 and _; for example \"{fitting}\"")
                    }
                    None => "a letter a-z, then up to 63 of a-z, 0-9 and _".to_owned(),
                };
                self.push(&here, problem.hint(hint));
            }
        }
    }

    /// Unknown needs, and every circle: each that is found is cut open and the rest looked at again.
    fn circles(&mut self, definition: &Definition) {
        let mut needs = needs(definition);
        for _ in 0..20 {
            let Err(circle) = dag::levels(&needs) else { return };
            let name = |index: u32| definition.stages.get_index(index as usize).map_or("", |(name, _)| name.as_str());
            let mut names: Vec<&str> = circle.path.iter().map(|&index| name(index)).collect();
            names.extend(names.first().copied());
            let first = circle.path[0];
            let message = if circle.path.len() == 1 {
                format!("stage \"{}\" needs itself", names[0])
            } else {
                format!("stages need each other in a circle: {}", names.join(" -> "))
            };
            let hint = "a -> b: a needs b, by needs or by an expression; take one of them out";
            let problem = Problem::new("cycle", message);
            let problem = if circle.path.len() == 1 { problem } else { problem.hint(hint) };
            self.push(&["stages", names[0], "needs"], problem);
            let cut = circle.path.get(1).copied().unwrap_or(first);
            needs[first as usize].retain(|&need| need != cut);
        }
    }

    /// Nobody waits for a tail, so no other stage may need it.
    fn tails(&mut self, definition: &Definition) {
        for (name, stage) in definition.stages.iter().filter(|(_, stage)| !stage.tail) {
            for need in &stage.needs {
                if definition.stages.get(need).is_some_and(|needed| needed.tail) {
                    let message = format!("stage \"{name}\" needs \"{need}\", which is a tail: nobody waits for it");
                    let hint = format!("take tail = true from \"{need}\", or make \"{name}\" a tail as well");
                    self.push(&["stages", name, "needs"], Problem::new("needs_tail", message).hint(hint));
                }
            }
        }
    }

    /// Two stages of one run that may run at the same time must not write the same checkpoint folder.
    fn checkpoint_folders(&mut self, definition: &Definition) {
        let mut folders: IndexMap<&str, Vec<usize>> = IndexMap::new();
        for (index, stage) in definition.stages.values().enumerate() {
            if let Some(checkpoints) = stage.checkpoints.as_ref().filter(|c| !c.files.contains("attempt.")) {
                let folder = checkpoints.files.rsplit_once('/').map_or("", |(folder, _)| folder);
                folders.entry(folder).or_default().push(index);
            }
        }
        if folders.values().all(|list| list.len() < 2) {
            return;
        }
        let needs = needs(definition);
        for (folder, stages) in folders {
            for (place, &later) in stages.iter().enumerate() {
                let clash = stages[..place].iter().find(|&&first| {
                    !reaches(&needs, later as u32, first as u32) && !reaches(&needs, first as u32, later as u32)
                });
                if let Some(&first) = clash {
                    let name = |index: usize| definition.stages.get_index(index).map_or("", |(name, _)| name.as_str());
                    let message = format!(
                        "stages \"{}\" and \"{}\" write checkpoints to the same folder {} and may run at the same time",
                        name(first),
                        name(later),
                        shown(folder)
                    );
                    let problem = Problem::new("same_folder", message);
                    let hint = "give each a folder of its own, or let one need the other";
                    self.push(&["stages", name(later), "checkpoints"], problem.hint(hint));
                }
            }
        }
    }
}

/// The needs of every stage as indexes; names that are unknown are left out.
pub(crate) fn needs(definition: &Definition) -> Vec<Vec<u32>> {
    let index = |name: &String| definition.stages.get_index_of(name).map(|index| index as u32);
    definition.stages.values().map(|stage| stage.needs.iter().filter_map(index).collect()).collect()
}

/// Does `from` need `to`, directly or through others?
fn reaches(needs: &[Vec<u32>], from: u32, to: u32) -> bool {
    let mut seen = vec![false; needs.len()];
    let mut open = vec![from];
    while let Some(stage) = open.pop() {
        if stage == to {
            return true;
        }
        if !std::mem::replace(&mut seen[stage as usize], true) {
            open.extend(&needs[stage as usize]);
        }
    }
    false
}

/// `[a-z][a-z0-9_]{0,63}`.
pub(crate) fn is_name(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// Is it a queue's name, `[a-z][a-z0-9_-]{0,63}`?
#[must_use]
pub fn is_queue(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase()) && is_name(&name.replace('-', "_"))
}

/// A name of the right form that is near.
fn fitting(name: &str) -> Option<String> {
    let plain: String =
        name.to_lowercase().chars().map(|c| if c == '-' || c == ' ' || c == '.' { '_' } else { c }).take(64).collect();
    is_name(&plain).then_some(plain)
}

/// "there is no stage .."; with the nearest name, else with the known ones if they are few.
pub(crate) fn unknown<'a>(
    code: &'static str,
    message: String,
    wrong: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Problem {
    let known: Vec<&str> = known.into_iter().collect();
    let problem = Problem::new(code, message);
    match nearest(wrong, known.iter().copied()) {
        Some(name) => problem.hint(format!("did you mean \"{name}\"?")),
        None if (1..=32).contains(&known.len()) => problem.hint(format!("known: {}", known.join(", "))),
        None => problem,
    }
}
