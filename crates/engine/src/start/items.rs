//! What is looked at before a run is started, a sentence each.

use std::collections::HashMap;
use std::path::Path;

use footplate_core::quantity::ByteSize;
use footplate_core::schedule::Demand;
use footplate_core::view::{DiskLevel, QueueView};
use indexmap::IndexMap;
use serde_json::Value;

use super::{CheckItem, CheckState, Prepared, StagePlan};
use crate::client::{Client, machine_capacity};
use crate::data;
use crate::interpreters::{for_people, is_program};
use crate::ready::{self, Need, Place, Ready};
use crate::templates::consent;

impl Prepared {
    pub(super) fn items(
        &self,
        client: &Client,
        queues: &[QueueView],
        stages: &[StagePlan],
        values: &IndexMap<String, Value>,
        params_good: bool,
    ) -> Vec<CheckItem> {
        let mut items: Vec<CheckItem> = self.consent(client).into_iter().collect();
        let place = Place { pipeline_dir: &self.pipeline_dir, cwd: &self.cwd, environment: &self.environment };
        let ready = ready::look(&self.definition, values, place);
        items.extend(self.programs(&ready));
        items.push(self.folder());
        items.extend(missing(&ready, Need::Folder).chain(missing(&ready, Need::Secret)));
        items.extend(self.script.as_deref().map(|path| self.script_item(path)));
        items.extend(self.resources());
        items.extend(self.data(values));
        items.push(disk(client));
        items.push(queue_item(queues, stages));
        if !self.definition.params.is_empty() {
            items.push(if params_good {
                item("params", CheckState::Ok, "All values can be used.".to_owned(), None)
            } else {
                item("params", CheckState::Bad, "Some values cannot be used.".to_owned(), Some("Mend them first."))
            });
        }
        items
    }

    /// Only where it is missing: what was allowed is not mentioned.
    fn consent(&self, client: &Client) -> Option<CheckItem> {
        let fault = consent::required(client.home(), &self.pipeline_dir).err()?;
        let hint = Some("Look at what it would run, and allow it.");
        (!self.is_command()).then(|| item("consent", CheckState::Bad, fault.message, hint))
    }

    /// What is given as data, each with its first fault by line.
    fn data(&self, values: &IndexMap<String, Value>) -> Vec<CheckItem> {
        let given = data::given(&self.definition, values, &self.cwd);
        let told = given.into_iter().map(|(_, seen)| match seen {
            Ok(seen) if seen.content.as_ref().is_some_and(|content| content.faults_total > 0) => item(
                "data",
                CheckState::Note,
                seen.sentence(),
                Some("The training meets these lines; mend or leave them."),
            ),
            Ok(seen) => item("data", CheckState::Ok, seen.sentence(), None),
            Err(fault) => CheckItem {
                id: "data",
                state: CheckState::Bad,
                detail: fault.message,
                hint: fault.hints.first().cloned(),
            },
        });
        told.collect()
    }

    /// What is not there, else what is.
    fn programs(&self, ready: &Ready) -> Vec<CheckItem> {
        let missing: Vec<CheckItem> = missing(ready, Need::Program).collect();
        if !missing.is_empty() {
            return missing;
        }
        let names: Vec<String> = ready.programs.iter().map(|(_, path)| for_people(path, &self.environment)).collect();
        vec![item("program", CheckState::Ok, names.join(", "), None)]
    }

    fn folder(&self) -> CheckItem {
        let shown = for_people(&self.cwd, &self.environment);
        if !self.cwd.is_dir() {
            let detail = format!("The folder {shown} is not there.");
            return item("folder", CheckState::Bad, detail, Some("Choose another one."));
        }
        if rustix::fs::access(&self.cwd, rustix::fs::Access::WRITE_OK).is_err() {
            let detail = format!("{shown} cannot be written.");
            return item("folder", CheckState::Note, detail, Some("A program that writes beside itself will fail."));
        }
        item("folder", CheckState::Ok, shown, None)
    }

    fn script_item(&self, path: &Path) -> CheckItem {
        let shown = for_people(path, &self.environment);
        let by_itself = self.definition.stages.values().any(|stage| stage.command.first().map(Path::new) == Some(path));
        if !path.is_file() {
            return item("script", CheckState::Bad, format!("{shown} is not there."), Some("Choose it again."));
        }
        if by_itself && !is_program(path) {
            let detail = format!("{shown} cannot be run by itself: it is not executable.");
            return item("script", CheckState::Bad, detail, Some("Choose an interpreter, or run chmod +x on it."));
        }
        item("script", CheckState::Ok, shown, None)
    }

    fn resources(&self) -> Vec<CheckItem> {
        let capacity = machine_capacity();
        let (mut cpus, mut memory, mut gpus) = (0, 0, 0);
        for stage in self.definition.stages.values() {
            let wanted = Demand::from(stage.resources);
            cpus = cpus.max(wanted.cpus);
            memory = memory.max(wanted.memory);
            gpus = gpus.max(wanted.gpus);
        }
        let mut items = Vec::new();
        let gib = |bytes: u64| format!("{:.1} GB", bytes as f64 / 1e9);
        let bad = memory > capacity.memory || cpus > capacity.cpus;
        let wanted = if memory == 0 { "no memory".to_owned() } else { gib(memory) };
        let detail = format!("It reserves {cpus} of {} cores and {wanted} of {}.", capacity.cpus, gib(capacity.memory));
        let hint = bad.then_some("This machine has less than that.");
        items.push(item("memory", if bad { CheckState::Bad } else { CheckState::Ok }, detail, hint));
        if gpus > 0 {
            let bad = gpus > capacity.gpus;
            let detail = format!("It reserves {gpus} GPUs of {}.", capacity.gpus);
            let hint = bad.then_some("This machine has less than that.");
            items.push(item("gpus", if bad { CheckState::Bad } else { CheckState::Ok }, detail, hint));
        }
        items
    }
}

/// What is not there. One that a stage before could make keeps nobody from starting.
fn missing(ready: &Ready, need: Need) -> impl Iterator<Item = CheckItem> {
    let id = match need {
        Need::Program => "program",
        Need::Folder => "folder",
        Need::Secret => "secret",
    };
    let state = |sure: bool| if sure { CheckState::Bad } else { CheckState::Note };
    let all = ready.missing.iter().filter(move |one| one.need == need);
    all.map(move |one| item(id, state(one.sure), one.detail.clone(), Some(&one.hint)))
}

fn item(id: &'static str, state: CheckState, detail: String, hint: Option<&str>) -> CheckItem {
    CheckItem { id, state, detail, hint: hint.map(str::to_owned) }
}

fn disk(client: &Client) -> CheckItem {
    let seen = match client.disk() {
        Ok(seen) => seen,
        Err(fault) => return item("disk", CheckState::Note, fault.message, None),
    };
    let detail = format!("{} are free.", ByteSize(seen.free).rounded());
    let mark = ByteSize(seen.warning.max(seen.critical)).rounded();
    match seen.level {
        DiskLevel::Enough if seen.free / 2 >= seen.warning => item("disk", CheckState::Ok, detail, None),
        DiskLevel::Enough => item("disk", CheckState::Note, detail, Some("Checkpoints may need more.")),
        DiskLevel::Low | DiskLevel::Critical => {
            item("disk", CheckState::Note, detail, Some(&format!("It waits: nothing starts below {mark}.")))
        }
    }
}

fn queue_item(queues: &[QueueView], stages: &[StagePlan]) -> CheckItem {
    let known: HashMap<&str, &QueueView> = queues.iter().map(|queue| (queue.name.as_str(), queue)).collect();
    let mut names: Vec<&str> = Vec::new();
    for stage in stages {
        let name = stage.queue.as_str();
        match known.get(name) {
            None => {
                let detail = format!("There is no queue {name:?}.");
                return item("queue", CheckState::Bad, detail, Some("Choose another one."));
            }
            Some(queue) if queue.paused => {
                let detail = format!("The queue {name} is paused: it starts when that ends.");
                return item("queue", CheckState::Note, detail, None);
            }
            Some(_) if !names.contains(&name) => names.push(name),
            Some(_) => {}
        }
    }
    item("queue", CheckState::Ok, names.join(", "), None)
}
