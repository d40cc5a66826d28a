//! The command of a run once more, with other arguments and other needs.

use std::sync::Arc;

use footplate_core::definition::{Definition, Resources, Retries, Stage};
use footplate_core::{ErrorCode, Fault};
use footplate_spec as spec;
use indexmap::IndexMap;
use serde::Deserialize;

use super::{Placement, Prepared, add_words};
use crate::client::Client;
use crate::environment::Captured;

/// A run of one command, with what is another. All else (program, folder, environment, limits, tags) is the run's.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct AgainRequest {
    /// The run's number.
    pub run: i64,
    /// What stands behind the program.
    #[serde(default)]
    pub args: Vec<String>,
    /// Cores to reserve.
    pub cpus: u32,
    /// GPUs to reserve.
    pub gpus: u32,
    /// After a failure so often again.
    pub retries: u32,
    /// When and where; without a name: the run's.
    #[serde(flatten)]
    pub placement: Placement,
}

/// Makes a new run of a run's command. `environment` is for one whose own is not there any more.
///
/// # Errors
/// `NotFound`; `Conflict` for a run that is no single command; `Invalid` where its command is no text; `Storage`.
pub fn again(request: AgainRequest, client: &Client, environment: Arc<Captured>) -> Result<Prepared, Fault> {
    let number = request.run;
    let origin = client.definition(number)?;
    let before = command(&origin.definition).ok_or_else(|| {
        Fault::new(ErrorCode::Conflict, format!("Run #{number} is a pipeline, not one command."))
            .hint(format!("footplate run --like {number} starts it again with other values"))
    })?;
    let Some(cwd) = origin.cwd.to_str().filter(|_| before.bytes.is_empty()) else {
        let message = format!("The command of run #{number} is not UTF-8, and cannot be changed here.");
        let fault = Fault::new(ErrorCode::Invalid, message);
        return Err(fault.hint(format!("footplate retry {number} starts it again as it was")));
    };
    let argv = before.command.iter().take(1).cloned().chain(request.args).collect();
    let stage = Stage {
        retries: Retries { max: request.retries, ..before.retries.clone() },
        resources: Resources { cpus: request.cpus, gpus: request.gpus, ..before.resources },
        ..before.clone()
    };
    let run = client.show(number)?;
    let mut placement = request.placement;
    placement.name.get_or_insert(run.name);
    placement.priority.get_or_insert(run.priority);
    Ok(Prepared {
        words: add_words(cwd, &stage),
        definition: spec::single(argv, stage),
        preset: None,
        given: IndexMap::new(),
        placement,
        pipeline_dir: origin.pipeline_dir,
        cwd: origin.cwd,
        environment: client.environment(number)?.map_or(environment, Arc::new),
        script: None,
        template: None,
        tags: run.tags,
    })
}

/// The one stage of what `footplate add` made.
fn command(definition: &Definition) -> Option<&Stage> {
    let stage = definition.stages.values().next().filter(|_| definition.stages.len() == 1)?;
    (stage.literal && !stage.command.is_empty()).then_some(stage)
}
