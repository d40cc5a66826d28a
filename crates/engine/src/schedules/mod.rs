//! Work that repeats: what a schedule runs, and how a run is made of it at each start.
//!
//! What a schedule names is read again at each start, and is refused then as any run would be: a file that has gone, a template that
//! was changed since it was allowed. The environment, umask and limits are those of whoever made it.
//!
//! Not here: when it is due (`footplate_core::timetable`), starting what is due (`owner::schedules`), and its row (`footplate-store`).

mod made;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use footplate_core::definition::Definition;
use footplate_core::timetable::{CatchUp, Overlap, ScheduleKind, Timetable, TimetableError};
use footplate_core::{ErrorCode, Fault};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::client::{Client, Origin};
use crate::environment::Captured;
use crate::home::Home;
use crate::templates::{self, Pipeline};
pub(crate) use made::{Job, folder_of, place_of, secrets_of, submit_of, submit_with, table_of};

/// What a schedule runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Source {
    /// A template, as it is at each start.
    Template {
        /// Its name.
        name: String,
    },
    /// A pipeline's file or folder, as it is at each start.
    File {
        /// Absolute.
        path: PathBuf,
    },
    /// One command.
    Command {
        /// Its one stage.
        definition: Box<Definition>,
    },
    /// The pipeline of a run, as it was then.
    Run {
        /// What it was.
        definition: Box<Definition>,
        /// The folder of its file.
        pipeline_dir: PathBuf,
    },
}

/// A schedule to be made.
#[derive(Clone, Debug)]
pub struct NewSchedule {
    /// What people call it; no other has the same.
    pub name: String,
    /// `30 2 * * *`, `@daily` or `every 6h`.
    pub timing: String,
    /// An IANA time zone; else this machine's.
    pub zone: Option<String>,
    /// What becomes of times that nobody saw.
    pub catch_up: CatchUp,
    /// What becomes of a start while its last run has not ended.
    pub overlap: Overlap,
    /// What it runs.
    pub source: Source,
    /// A named set of values.
    pub preset: Option<String>,
    /// The values that were given; secrets among them are kept apart.
    pub params: IndexMap<String, Value>,
    /// The name of its runs; else the pipeline's with the run's number.
    pub run_name: Option<String>,
    /// The experiment that its runs belong to.
    pub experiment: Option<String>,
    /// The queue for stages that name none; else the pipeline's.
    pub queue: Option<String>,
    /// -100 to 100; else the pipeline's.
    pub priority: Option<i32>,
    /// Words to find its runs by.
    pub tags: Vec<String>,
    /// The working folder of its runs.
    pub cwd: PathBuf,
    /// The environment of its runs.
    pub environment: Arc<Captured>,
}

impl NewSchedule {
    /// A schedule with everything else as the pipeline says.
    #[must_use]
    pub fn new(name: &str, timing: &str, source: Source, cwd: PathBuf, environment: Arc<Captured>) -> NewSchedule {
        NewSchedule {
            name: name.to_owned(),
            timing: timing.to_owned(),
            zone: None,
            catch_up: CatchUp::default(),
            overlap: Overlap::default(),
            source,
            preset: None,
            params: IndexMap::new(),
            run_name: None,
            experiment: None,
            queue: None,
            priority: None,
            tags: Vec::new(),
            cwd,
            environment,
        }
    }

    /// A schedule of what a run was made of, in its folder and with its values, queue, priority and tags; values that are secret are
    /// not kept with a run, and have to be given.
    ///
    /// # Errors
    /// `NotFound`; `Storage`.
    pub fn of_run(
        client: &Client,
        number: i64,
        name: &str,
        timing: &str,
        environment: Arc<Captured>,
    ) -> Result<NewSchedule, Fault> {
        let origin = client.definition(number)?;
        let run = client.show(number)?;
        let cwd = origin.cwd.clone();
        let given = format!("{}-{number}", run.pipeline);
        Ok(NewSchedule {
            params: run.params.unwrap_or_default(),
            // A name that was made of the number is made anew.
            run_name: Some(run.name).filter(|name| *name != given),
            experiment: run.experiment,
            queue: Some(run.queue),
            priority: Some(run.priority),
            tags: run.tags,
            ..NewSchedule::new(name, timing, Source::of_run(client.home(), origin), cwd, environment)
        })
    }
}

impl Source {
    /// What `footplate run` would find: a file or a folder where there is one, else a template; with what it is now.
    ///
    /// # Errors
    /// As [`templates::find`].
    pub fn find(text: &str, home: &Home, cwd: &Path) -> Result<(Source, Pipeline), Fault> {
        let pipeline = templates::find(text, home, cwd)?;
        let source = match templates::file_of(text, cwd) {
            Some(path) => Source::File { path: std::path::absolute(&path).unwrap_or(path) },
            None => Source::Template { name: text.to_owned() },
        };
        Ok((source, pipeline))
    }

    /// What a run was made of: its template where that is still there, else its definition as it was.
    #[must_use]
    pub fn of_run(home: &Home, origin: Origin) -> Source {
        if origin.definition.stages.values().all(|stage| stage.literal) {
            return Source::Command { definition: Box::new(origin.definition) };
        }
        match templates::of_run(home, &origin) {
            Some(name) => Source::Template { name },
            None => Source::Run { definition: Box::new(origin.definition), pipeline_dir: origin.pipeline_dir },
        }
    }

    /// What kind it is.
    #[must_use]
    pub fn kind(&self) -> ScheduleKind {
        match self {
            Source::Template { .. } => ScheduleKind::Template,
            Source::File { .. } => ScheduleKind::File,
            Source::Command { .. } => ScheduleKind::Command,
            Source::Run { .. } => ScheduleKind::Run,
        }
    }

    /// What it runs, on one line.
    #[must_use]
    pub fn what(&self) -> String {
        match self {
            Source::Template { name } => name.clone(),
            Source::File { path } => path.display().to_string(),
            Source::Run { definition, .. } => definition.name.clone(),
            Source::Command { definition } => {
                let argv = definition.stages.values().next().map(crate::start::written::as_written).unwrap_or_default();
                argv.join(" ")
            }
        }
    }
}

/// This machine's time zone: `TZ` where it names one, else the system's, else UTC.
#[must_use]
pub fn system_zone() -> String {
    let named = std::env::var("TZ").ok().map(|name| name.trim_start_matches(':').to_owned());
    let system = || iana_time_zone::get_timezone().ok();
    let known = |name: &String| footplate_core::timetable::zone(name).is_ok();
    named.filter(known).or_else(system).filter(known).unwrap_or_else(|| "UTC".to_owned())
}

/// Reads a timetable.
///
/// # Errors
/// `Invalid`, with what is wrong and what is allowed.
pub fn timetable(timing: &str, zone: &str) -> Result<Timetable, Fault> {
    Timetable::parse(timing, zone)
        .map_err(|TimetableError { message, hint }| Fault::new(ErrorCode::Invalid, message).hint(hint))
}
