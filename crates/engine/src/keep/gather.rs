//! What the stages of a run say about their checkpoints, from the store and the folders.

use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

use footplate_core::AttemptKey;
use footplate_core::definition::Definition;
use footplate_shim::folder::AttemptDir;
use footplate_spec::{RunScope, Scope};
use footplate_store::telemetry::PointRow;
use footplate_store::{AttemptRow, Read, RunRow, StageRow, StoreError, Telemetry};
use indexmap::IndexMap;

use super::{Measured, StageKeeping};
use crate::home::Home;

/// The stages of a run that have checkpoints and were tried.
pub(crate) fn stages(read: &Read<'_>, home: &Home, run: &RunRow) -> Result<Vec<StageKeeping>, StoreError> {
    let text = if run.definition.is_empty() { read.run(run.number)?.map(|row| row.definition) } else { None };
    let definition = text.as_deref().unwrap_or(&run.definition);
    // One that cannot be read (damage) removes nothing.
    let Ok(definition) = serde_json::from_str::<Definition>(definition) else { return Ok(Vec::new()) };
    if definition.stages.values().all(|stage| stage.checkpoints.is_none()) {
        return Ok(Vec::new());
    }
    let rows = read.stages(run.number)?;
    let pins = read.pins(run.number)?;
    let telemetry = Telemetry::open(&home.telemetry(&run.id), false)?;
    let path = |bytes: &[u8]| PathBuf::from(std::ffi::OsString::from_vec(bytes.to_vec()));
    let cwd = path(&run.cwd);
    let all = [home.run_dir(&run.id), cwd.clone(), path(&run.pipeline_dir)];
    // The root of all files is nobody's folder.
    let roots: Vec<PathBuf> =
        all.iter().filter_map(|root| root.canonicalize().ok()).filter(|root| root.parent().is_some()).collect();
    let mut found = Vec::new();
    for row in &rows {
        let stage = definition.stages.get_index(row.idx as usize).map(|(_, stage)| stage);
        let Some(rule) = stage.and_then(|stage| stage.checkpoints.clone()) else { continue };
        let attempts = read.attempts_of(run.number, row.idx)?;
        let Some(since_ms) = attempts.iter().filter_map(|attempt| began(home, run, attempt)).min() else { continue };
        let pattern = pattern(home, run, &definition, &rows, row).map(|pattern| plain(&cwd.join(pattern)));
        let Some(pattern) = pattern else { continue };
        let mut named = Vec::new();
        let mut points = Vec::new();
        if let Some(telemetry) = &telemetry {
            let figure = |data: &str| {
                let figures: IndexMap<String, Option<f64>> = serde_json::from_str(data).ok()?;
                figures.get(rule.metric.as_ref()?).copied().flatten()
            };
            let said = telemetry.checkpoints(row.idx)?;
            named = said.iter().map(|one| (plain(&cwd.join(&one.path)), figure(&one.data))).collect();
            if let Some(metric) = &rule.metric {
                let series = telemetry.series(Some(row.idx), std::slice::from_ref(metric))?;
                let measured = |point: &PointRow| Measured {
                    time: point.time,
                    step: point.step,
                    epoch: point.epoch,
                    value: point.value,
                };
                points = series.iter().map(measured).collect();
                points.sort_by_key(|point| point.time);
            }
        }
        let live = attempts.last().filter(|attempt| attempt.status.is_live());
        let mut arguments = live.map(|attempt| arguments(home, run, attempt.key())).unwrap_or_default();
        // What a person chose to go on from, until it has been.
        arguments.extend(row.resume_from.clone().filter(|_| !row.status.is_ended()).and_then(|chosen| {
            let chosen: serde_json::Value = serde_json::from_str(&chosen).ok()?;
            Some(chosen.get("path")?.as_str()?.to_owned())
        }));
        let roots = roots.clone();
        let pinned = pins.iter().filter(|(stage, _)| *stage == row.idx).map(|(_, path)| PathBuf::from(path)).collect();
        let name = row.name.clone();
        found.push(StageKeeping { name, rule, pattern, named, points, since_ms, arguments, pinned, roots });
    }
    Ok(found)
}

/// The folder that a stage writes its checkpoints to, without links.
pub(crate) fn folder(
    home: &Home,
    run: &RunRow,
    definition: &Definition,
    rows: &[StageRow],
    row: &StageRow,
) -> Option<PathBuf> {
    folder_as_written(home, run, definition, rows, row).map(|folder| real(&folder))
}

/// The folder that a stage writes its checkpoints to, as its pipeline names it: no disk is asked.
pub(crate) fn folder_as_written(
    home: &Home,
    run: &RunRow,
    definition: &Definition,
    rows: &[StageRow],
    row: &StageRow,
) -> Option<PathBuf> {
    let cwd = PathBuf::from(std::ffi::OsString::from_vec(run.cwd.clone()));
    let pattern = plain(&cwd.join(pattern(home, run, definition, rows, row)?));
    pattern.parent().map(Path::to_owned)
}

/// A folder without links; of one that is not there yet, as far as it is.
pub(crate) fn real(folder: &Path) -> PathBuf {
    let there = folder.ancestors().find_map(|above| Some((above, above.canonicalize().ok()?)));
    there.map_or_else(
        || folder.to_owned(),
        |(above, real)| real.join(folder.strip_prefix(above).unwrap_or(Path::new(""))),
    )
}

/// When an attempt's program began, as the store or, before that is told, its own record has it.
fn began(home: &Home, run: &RunRow, attempt: &AttemptRow) -> Option<i64> {
    attempt.started_at.or_else(|| AttemptDir::open(home.attempt(&run.id, attempt.key())).start().map(|s| s.started_ms))
}

fn pattern(home: &Home, run: &RunRow, definition: &Definition, rows: &[StageRow], row: &StageRow) -> Option<String> {
    let (name, stage) = definition.stages.get_index(row.idx as usize)?;
    let outputs = rows.iter().map(|row| (row.name.clone(), serde_json::from_str(&row.outputs).unwrap_or_default()));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let dir = home.run_dir(&run.id).to_string_lossy().into_owned();
    let (id, pipeline_dir) = (run.id.to_string(), text(&run.pipeline_dir));
    let config = home.attempts_of(&run.id).join("config.json").to_string_lossy().into_owned();
    let scope = Scope {
        params: &serde_json::from_str(&run.params).ok()?,
        secrets: &IndexMap::new(),
        run: RunScope { id: &id, number: run.number, name: &run.name, dir: &dir, config: &config },
        pipeline_dir: &pipeline_dir,
        stages: &outputs.collect(),
        attempt: row.attempt,
        checkpoint: None,
        queue: &row.queue,
    };
    // Where a value is missing nothing is known of its checkpoints, and nothing goes.
    footplate_spec::render_checkpoints(name, stage, &scope).ok().flatten()
}

fn arguments(home: &Home, run: &RunRow, key: AttemptKey) -> Vec<String> {
    let spec = AttemptDir::open(home.attempt(&run.id, key)).spec();
    spec.map(|spec| spec.argv.iter().map(|word| word.as_os_str().to_string_lossy().into_owned()).collect())
        .unwrap_or_default()
}

/// Without the `.` that programs write.
fn plain(path: &Path) -> PathBuf {
    path.components().filter(|part| *part != Component::CurDir).collect()
}
