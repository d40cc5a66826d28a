//! A run in the owner's memory: its definition, its shape, its stages. Loaded when something happens to it, dropped when it has ended.

use std::collections::BTreeSet;

use footplate_core::definition::Definition;
use footplate_core::state::run::{RunFlags, Shape, StageRule};
use footplate_core::state::stage::{Budgets, StageState};
use footplate_core::{ErrorCode, StageKey, StageStatus, UtcMs};
use footplate_spec::{RunScope, Scope};
use footplate_store::StageRow;
use footplate_store::{RunRow, WishRow};
use indexmap::IndexMap;
use serde_json::Value;

use super::Trouble;
use crate::client::Wish;
use crate::home::Home;

/// A run as the owner works on it. `rows` and `states` agree at every commit.
pub(super) struct ActiveRun {
    /// The run's row.
    pub(super) row: RunRow,
    /// What was frozen at submit.
    pub(super) definition: Definition,
    /// The parameters, secrets left out.
    pub(super) params: IndexMap<String, Value>,
    /// The law's view of the definition.
    pub(super) shape: Shape,
    /// The stages' rows, by index.
    pub(super) rows: Vec<StageRow>,
    /// The stages' states, by index.
    pub(super) states: Vec<StageState>,
    /// An accepted cancel of this generation.
    pub(super) cancelled: bool,
    /// Stages with an accepted cancel of their own.
    pub(super) cancelled_stages: BTreeSet<u32>,
}

impl ActiveRun {
    /// Builds a run from its rows.
    ///
    /// # Errors
    /// Where the definition or a status in the store cannot be understood.
    pub(super) fn new(row: RunRow, rows: Vec<StageRow>) -> Result<ActiveRun, Trouble> {
        let broken = |what: &str, e: &dyn std::fmt::Display| {
            Trouble::Damaged(format!("run #{}: its {what} cannot be read: {e}", row.number))
        };
        let definition: Definition = serde_json::from_str(&row.definition).map_err(|e| broken("definition", &e))?;
        let params = serde_json::from_str(&row.params).map_err(|e| broken("parameters", &e))?;
        let shape = shape_of(&definition);
        if rows.len() != shape.rules.len() {
            return Err(broken("stages", &format!("{} rows for {} stages", rows.len(), shape.rules.len())));
        }
        let states = rows.iter().map(state_of).collect();
        Ok(ActiveRun {
            row,
            definition,
            params,
            shape,
            rows,
            states,
            cancelled: false,
            cancelled_stages: BTreeSet::new(),
        })
    }

    /// The run's flags, for the law.
    #[must_use]
    pub(super) fn flags(&self) -> RunFlags {
        RunFlags { draft: self.row.draft, paused: self.row.paused, after_failed: self.row.after_failed }
    }

    /// Takes note of the cancel wishes of this generation.
    pub(super) fn note_cancels(&mut self, wishes: &[WishRow]) {
        for wish in wishes {
            match Wish::from_row(&wish.kind, &wish.args) {
                Some(Wish::Cancel { stage: Some(name) }) => {
                    self.cancelled_stages.extend(self.definition.stages.get_index_of(&name).map(|i| i as u32));
                }
                _ => self.cancelled = true,
            }
        }
    }

    /// One of its stages.
    #[must_use]
    pub(super) fn key(&self, stage: u32) -> StageKey {
        StageKey { run: self.row.number, stage }
    }

    /// What the definition says of a stage.
    #[must_use]
    pub(super) fn stage(&self, stage: u32) -> &footplate_core::definition::Stage {
        &self.definition.stages[stage as usize]
    }

    /// The budgets used up by a stage.
    #[must_use]
    pub(super) fn budgets(&self, stage: u32) -> Budgets {
        let row = &self.rows[stage as usize];
        Budgets { retries: row.retries_used, interruptions: row.interruptions }
    }

    /// What expressions of a stage may refer to, lent to `f`.
    pub(super) fn with_scope<T>(
        &self,
        home: &Home,
        secrets: &IndexMap<String, String>,
        stage: u32,
        attempt: u32,
        checkpoint: Option<&str>,
        f: impl FnOnce(&Scope<'_>) -> T,
    ) -> T {
        let stages: IndexMap<String, IndexMap<String, Value>> = self
            .rows
            .iter()
            .map(|row| (row.name.clone(), serde_json::from_str(&row.outputs).unwrap_or_default()))
            .collect();
        let config = home.attempts_of(&self.row.id).join("config.json");
        let run_dir = String::from_utf8_lossy(&self.row.run_dir).into_owned();
        let id = self.row.id.to_string();
        let config = config.to_string_lossy().into_owned();
        let pipeline_dir = String::from_utf8_lossy(&self.row.pipeline_dir).into_owned();
        f(&Scope {
            params: &self.params,
            secrets,
            run: RunScope { id: &id, number: self.row.number, name: &self.row.name, dir: &run_dir, config: &config },
            pipeline_dir: &pipeline_dir,
            stages: &stages,
            attempt,
            checkpoint,
            queue: &self.rows[stage as usize].queue,
        })
    }
}

/// The law's view of a definition: needs by index.
#[must_use]
pub(super) fn shape_of(definition: &Definition) -> Shape {
    let rules = definition
        .stages
        .values()
        .map(|stage| {
            let mut needs: Vec<u32> =
                stage.needs.iter().filter_map(|n| definition.stages.get_index_of(n)).map(|i| i as u32).collect();
            needs.sort_unstable();
            needs.dedup();
            StageRule { needs, allow_failure: stage.allow_failure, needs_any: stage.needs_any, tail: stage.tail }
        })
        .collect();
    Shape::new(rules, definition.on_failure)
}

/// The state that a stage's row stands for.
#[must_use]
pub(super) fn state_of(row: &StageRow) -> StageState {
    let code = row.code.unwrap_or(ErrorCode::Interrupted);
    match row.status {
        StageStatus::Waiting => StageState::Waiting,
        StageStatus::Queued => StageState::Queued,
        StageStatus::Running => StageState::Running { attempt: row.attempt },
        StageStatus::Retrying => StageState::Retrying { at: UtcMs(row.retry_at.unwrap_or(0)) },
        StageStatus::Held => StageState::Held { code },
        StageStatus::Completed => StageState::Completed,
        StageStatus::Cached => StageState::Cached,
        StageStatus::Skipped => StageState::Skipped { code },
        StageStatus::Failed => StageState::Failed { code },
        StageStatus::Cancelled => StageState::Cancelled,
        StageStatus::Interrupted => StageState::Interrupted { code },
    }
}

/// Does to a row in memory what [`footplate_store::Tx::move_stage`] did to the one in the store.
pub(super) fn apply(change: &footplate_store::StageChange, row: &mut StageRow) {
    row.status = change.to;
    row.code = change.code;
    row.detail.clone_from(&change.detail);
    row.retry_at = change.retry_at;
    row.attempt = change.attempt.unwrap_or(row.attempt);
    row.retries_used = change.retries_used.unwrap_or(row.retries_used);
    row.interruptions = change.interruptions.unwrap_or(row.interruptions);
    row.resume = change.resume.unwrap_or(row.resume);
    if let Some(chosen) = &change.resume_from {
        row.resume_from.clone_from(chosen);
    }
    row.queued_at = change.queued_at.unwrap_or(row.queued_at);
    row.started_at = change.started_at.unwrap_or(row.started_at);
    row.finished_at = change.finished_at.unwrap_or(row.finished_at);
    if let Some(outputs) = &change.outputs {
        row.outputs.clone_from(outputs);
    }
    if let Some(error) = &change.error {
        row.error.clone_from(error);
    }
}
