//! From a schedule's row to a run.

use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use footplate_core::definition::Definition;
use footplate_core::timetable::Timetable;
use footplate_core::{ErrorCode, Fault};
use footplate_store::ScheduleRow;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{NewSchedule, Source};
use crate::client::Submit;
use crate::environment::{self, Captured};
use crate::home::Home;
use crate::secrets::Secrets;
use crate::templates;

/// What a schedule runs and with which values: the row's JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Job {
    pub(crate) source: Source,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) preset: Option<String>,
    /// As given, secrets left out.
    #[serde(default)]
    pub(crate) params: IndexMap<String, Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) run_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) experiment: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) queue: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) priority: Option<i32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tags: Vec<String>,
}

impl Job {
    /// What is written down of a new schedule.
    pub(crate) fn of(new: &NewSchedule) -> Job {
        Job {
            source: new.source.clone(),
            preset: new.preset.clone(),
            params: new.params.clone(),
            run_name: new.run_name.clone(),
            experiment: new.experiment.clone(),
            queue: new.queue.clone(),
            priority: new.priority,
            tags: new.tags.clone(),
        }
    }

    /// A row's.
    ///
    /// # Errors
    /// `Storage` where it cannot be read.
    pub(crate) fn read(row: &ScheduleRow) -> Result<Job, Fault> {
        serde_json::from_str(&row.job).map_err(|e| {
            Fault::new(ErrorCode::Storage, format!("What the schedule {:?} runs cannot be read: {e}.", row.name))
        })
    }

    /// The pipeline that it runs, as it is now.
    ///
    /// # Errors
    /// As [`templates::find`].
    pub(crate) fn definition(&self, home: &Home, cwd: &Path) -> Result<Definition, Fault> {
        Ok(self.pipeline(home, cwd)?.0)
    }

    /// With its folder, and what it is called in sentences.
    fn pipeline(&self, home: &Home, cwd: &Path) -> Result<(Definition, PathBuf, String), Fault> {
        let found = match &self.source {
            Source::Template { name } => templates::template(name, home, cwd)?,
            Source::File { path } => templates::find(&path.to_string_lossy(), home, cwd)?,
            Source::Command { definition } => {
                return Ok(((**definition).clone(), cwd.to_owned(), definition.name.clone()));
            }
            Source::Run { definition, pipeline_dir } => {
                return Ok(((**definition).clone(), pipeline_dir.clone(), definition.name.clone()));
            }
        };
        Ok((found.definition, found.dir, found.file))
    }

    /// The run that it is now, with its values and those that are secret.
    ///
    /// # Errors
    /// As [`templates::find`]; `InvalidPipeline` for values that do not fit (any more).
    pub(crate) fn submit(
        &self,
        home: &Home,
        cwd: PathBuf,
        environment: Arc<Captured>,
        secrets: &IndexMap<String, Value>,
    ) -> Result<Submit, Fault> {
        let (definition, dir, file) = self.pipeline(home, &cwd)?;
        let mut given = self.params.clone();
        given.extend(secrets.iter().map(|(name, value)| (name.clone(), value.clone())));
        let params = footplate_spec::parameters(&definition, self.preset.as_deref(), &given);
        let params = params.map_err(|problems| problems.fault(&file))?;
        Ok(Submit {
            params,
            name: self.run_name.clone(),
            experiment: self.experiment.clone(),
            queue: self.queue.clone(),
            priority: self.priority,
            tags: self.tags.clone(),
            pipeline_dir: dir,
            ..Submit::new(definition, cwd, environment)
        })
    }
}

/// The run that a schedule is to start now.
///
/// # Errors
/// As [`Job::submit`]; `Storage` where what was captured with it is not there any more.
pub(crate) fn submit_of(home: &Home, row: &ScheduleRow) -> Result<Submit, Fault> {
    submit_with(home, row, &secrets_of(home, row)?)
}

/// The same with other secrets.
///
/// # Errors
/// As [`submit_of`].
pub(crate) fn submit_with(home: &Home, row: &ScheduleRow, secrets: &Secrets) -> Result<Submit, Fault> {
    let job = Job::read(row)?;
    let mut all = environment::read(&home.env_file(&row.env_hash))
        .map_err(|e| gone(format!("The environment of the schedule {:?} cannot be read: {e}.", row.name)))?;
    all.extend(secrets.env.iter().map(|(name, value)| (name.0.clone(), value.0.clone())));
    let limits = serde_json::from_str(&row.limits).unwrap_or_default();
    let environment = Arc::new(Captured::restored(all, row.umask, limits));
    job.submit(home, folder_of(row), environment, &secrets.params)
}

/// What is kept apart of a schedule.
///
/// # Errors
/// `Storage` where it is not there any more.
pub(crate) fn secrets_of(home: &Home, row: &ScheduleRow) -> Result<Secrets, Fault> {
    let Some(name) = &row.secrets else { return Ok(Secrets::default()) };
    Secrets::read(home, name)
        .map_err(|e| gone(format!("The secrets of the schedule {:?} cannot be read: {e}.", row.name)))
}

fn gone(message: String) -> Fault {
    Fault::new(ErrorCode::Storage, message).hint("Make the schedule anew.")
}

/// The working folder of its runs.
pub(crate) fn folder_of(row: &ScheduleRow) -> PathBuf {
    PathBuf::from(std::ffi::OsString::from_vec(row.cwd.clone()))
}

/// What a schedule reads at each start: the file or folder of its pipeline, else the folder that it runs in.
pub(crate) fn place_of(row: &ScheduleRow) -> String {
    match Job::read(row).map(|job| job.source) {
        Ok(Source::File { path }) => path.display().to_string(),
        _ => String::from_utf8_lossy(&row.cwd).into_owned(),
    }
}

/// A row's timetable.
///
/// # Errors
/// `Invalid`: what another version wrote, or damage.
pub(crate) fn table_of(row: &ScheduleRow) -> Result<Timetable, Fault> {
    super::timetable(&row.timing, &row.zone)
}
