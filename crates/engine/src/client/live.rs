//! Everything the first screen shows, as one picture, and what is another in the next one.
//!
//! Deliberately not here: whom it is sent to, and how (the doors).

use std::collections::BTreeMap;

use footplate_core::event::{AlertChange, Event};
use footplate_core::storage::StorageView;
use footplate_core::timetable::SchedulesView;
use footplate_core::view::{AlertView, QueueView, RunView};
use footplate_core::{Fault, RunStatus, UtcMs};
use footplate_shim::clock;
use footplate_store::{AttemptRow, ListQuery, Read, StoreError};
use serde::Serialize;

use super::keeper::Client;
use super::look::{Viewer, alert_view};
use super::schedules::views;
use super::types::OwnerState;

/// Most queued runs in a picture.
const NEXT_MOST: u32 = 200;
/// Most active runs in a picture.
const ACTIVE_MOST: u32 = 1_000;
/// Most experiments in a picture.
const EXPERIMENTS_MOST: u32 = 20;
/// A run that ended badly longer ago than this needs no look any more, milliseconds.
const NEEDS_LOOK_MS: i64 = 7 * 24 * 3_600_000;
/// Events read at once.
const EVENTS: u32 = 1_000;

/// Who decides and launches, with a tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum OwnerView {
    /// Somebody holds the lock.
    Present {
        /// Its process id.
        pid: i32,
        /// Its version.
        version: String,
        /// Since when.
        since: UtcMs,
    },
    /// Nobody does.
    Absent {
        /// The last one had nothing left to do, or was told to leave.
        orderly: bool,
    },
}

impl From<OwnerState> for OwnerView {
    fn from(state: OwnerState) -> OwnerView {
        match state {
            OwnerState::Present { pid, version, since } => OwnerView::Present { pid, version, since },
            OwnerState::Absent { orderly } => OwnerView::Absent { orderly },
        }
    }
}

/// What the start of an owner found of the attempts that the one before left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Recovery {
    /// When it was seen.
    pub at: UtcMs,
    /// Numbers of runs whose programs were found alive and are watched again.
    pub reattached: Vec<i64>,
    /// Numbers of runs whose end is not known.
    pub interrupted: Vec<i64>,
}

/// An experiment and how many runs it has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExperimentView {
    /// Its name.
    pub name: String,
    /// Of every status.
    pub runs: u64,
}

/// One picture.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Live {
    /// Running and paused runs, oldest start first, with stages and parameters.
    pub active: Vec<RunView>,
    /// Queued runs in the order in which they will start, at most 200, without stages and parameters.
    pub next: Vec<RunView>,
    /// Every status with the number of runs in it.
    pub counts: BTreeMap<RunStatus, u64>,
    /// Failed and interrupted runs of the last 7 days, and runs with open alerts.
    pub needs_look: u64,
    /// The queues, highest priority first.
    pub queues: Vec<QueueView>,
    /// The experiments with most runs, at most 20.
    pub experiments: Vec<ExperimentView>,
    /// Who decides.
    pub owner: OwnerView,
    /// What the newest owner found at its start, where that is worth telling.
    pub recovery: Option<Recovery>,
    /// The schedules.
    pub schedules: SchedulesView,
    /// What is to be told of the store itself.
    pub storage: StorageView,
}

/// What is another than in the picture before.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Changes {
    /// The picture before.
    pub from: u64,
    /// This one.
    pub seq: u64,
    /// Active runs that are new or changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub active: Vec<RunView>,
    /// Numbers of runs that are active no more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<i64>,
    /// The queued runs, whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Vec<RunView>>,
    /// The counts, whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counts: Option<BTreeMap<RunStatus, u64>>,
    /// How many need a look.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needs_look: Option<u64>,
    /// The queues, whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queues: Option<Vec<QueueView>>,
    /// The experiments, whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub experiments: Option<Vec<ExperimentView>>,
    /// The owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<OwnerView>,
    /// The recovery.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovery: Option<Option<Recovery>>,
    /// The schedules, whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedules: Option<SchedulesView>,
    /// What is to be told of the store, whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<StorageView>,
    /// An ended run is new, changed or removed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub history: bool,
}

impl Changes {
    fn between(before: &Live, after: &Live) -> Changes {
        let changed = |run: &&RunView| !before.active.iter().any(|old| old == *run);
        let gone = |run: &&RunView| !after.active.iter().any(|new| new.number == run.number);
        fn other<T: PartialEq + Clone>(before: &T, after: &T) -> Option<T> {
            (before != after).then(|| after.clone())
        }
        Changes {
            active: after.active.iter().filter(changed).cloned().collect(),
            gone: before.active.iter().filter(gone).map(|run| run.number).collect(),
            next: other(&before.next, &after.next),
            counts: other(&before.counts, &after.counts),
            needs_look: other(&before.needs_look, &after.needs_look),
            queues: other(&before.queues, &after.queues),
            experiments: other(&before.experiments, &after.experiments),
            owner: other(&before.owner, &after.owner),
            recovery: other(&before.recovery, &after.recovery),
            schedules: other(&before.schedules, &after.schedules),
            storage: other(&before.storage, &after.storage),
            ..Changes::default()
        }
    }

    fn is_nothing(&self) -> bool {
        *self == Changes { from: self.from, seq: self.seq, ..Changes::default() }
    }
}

/// A run that ended since the last look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Its number.
    pub run: i64,
    /// How.
    pub status: RunStatus,
}

/// What a look brought.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct News {
    /// What the picture shows otherwise.
    pub changes: Option<Changes>,
    /// The runs that ended, in order.
    pub ended: Vec<Ended>,
    /// The alerts that were raised and are open, in order.
    pub raised: Vec<Raised>,
}

/// An alert that was raised since the last look.
#[derive(Clone, Debug, PartialEq)]
pub struct Raised {
    /// The run's number.
    pub run: i64,
    /// The run's name.
    pub name: String,
    /// The alert.
    pub alert: AlertView,
}

/// Holds the newest picture, and looks for what is another.
#[derive(Debug)]
pub struct Board {
    live: Live,
    seq: u64,
    /// The event seen last.
    event: i64,
    /// The live attempts while nobody decided.
    left: Option<Vec<AttemptRow>>,
}

impl Board {
    /// The first picture.
    ///
    /// # Errors
    /// `Storage`.
    pub fn new(client: &Client) -> Result<Board, Fault> {
        let event = client.store.read()?.last_seq()?;
        let mut board = Board { live: client.live(None)?, seq: 1, event, left: None };
        board.watch_owner(client)?;
        Ok(board)
    }

    /// The newest picture and its number.
    #[must_use]
    pub fn live(&self) -> (u64, &Live) {
        (self.seq, &self.live)
    }

    /// Whether the owner is another than in the picture; costs microseconds.
    #[must_use]
    pub fn owner_changed(&self, client: &Client) -> bool {
        OwnerView::from(client.owner()) != self.live.owner || self.left.is_some()
    }

    /// Looks again. Ask for it when [`Client::wait_for_change`] or [`Board::owner_changed`] said so.
    ///
    /// # Errors
    /// `Storage`.
    pub fn look(&mut self, client: &Client) -> Result<News, Fault> {
        let (ended, raised, history) = self.read_events(client)?;
        let recovery = self.watch_owner(client)?.or_else(|| self.live.recovery.clone());
        let live = client.live(recovery)?;
        let mut changes = Changes::between(&self.live, &live);
        changes.history = history;
        if changes.is_nothing() {
            return Ok(News { changes: None, ended, raised });
        }
        changes.from = self.seq;
        self.seq += 1;
        changes.seq = self.seq;
        self.live = live;
        Ok(News { changes: Some(changes), ended, raised })
    }

    fn read_events(&mut self, client: &Client) -> Result<(Vec<Ended>, Vec<Raised>, bool), Fault> {
        let read = client.store.read()?;
        let mut ended: Vec<Ended> = Vec::new();
        let mut alerts: Vec<i64> = Vec::new();
        let mut history = false;
        loop {
            let rows = read.events_after(self.event, EVENTS)?;
            let whole = rows.len() == EVENTS as usize;
            for row in rows {
                self.event = row.seq;
                match (&row.event, row.run) {
                    (Event::RunStatus { status }, Some(run)) => {
                        history = true;
                        ended.retain(|known| known.run != run);
                        if status.is_ended() {
                            ended.push(Ended { run, status: *status });
                        }
                    }
                    (Event::Alert { alert, change: AlertChange::Raised, .. }, _) => alerts.push(*alert),
                    (Event::RunRemoved | Event::RunChanged | Event::Note { .. } | Event::RunSubmitted, _) => {
                        history = true;
                    }
                    _ => {}
                }
            }
            if !whole {
                let raised = alerts.into_iter().filter_map(|id| raised(&read, id).transpose());
                return Ok((ended, raised.collect::<Result<_, _>>()?, history));
            }
        }
    }

    /// While nobody decides: remembers what is live. When somebody does again, and has looked: what became of it.
    fn watch_owner(&mut self, client: &Client) -> Result<Option<Recovery>, Fault> {
        let OwnerState::Present { pid, .. } = client.owner() else {
            if self.left.is_none() {
                self.left = Some(client.store.read()?.live_attempts()?);
            }
            return Ok(None);
        };
        let Some(left) = self.left.take() else { return Ok(None) };
        let read = client.store.read()?;
        if read.capacity()?.is_none_or(|row| i64::from(row.pid) != i64::from(pid)) {
            // It has not looked yet.
            self.left = Some(left);
            return Ok(None);
        }
        let live = read.live_attempts()?;
        let mut recovery = Recovery { at: UtcMs(clock::wall_ms()), reattached: Vec::new(), interrupted: Vec::new() };
        for attempt in &left {
            let same = |other: &AttemptRow| {
                (other.run, other.stage, other.number) == (attempt.run, attempt.stage, attempt.number)
            };
            let list = if live.iter().any(same) {
                &mut recovery.reattached
            } else if read.run_brief(attempt.run)?.is_some_and(|run| run.status == RunStatus::Interrupted) {
                &mut recovery.interrupted
            } else {
                continue;
            };
            if !list.contains(&attempt.run) {
                list.push(attempt.run);
            }
        }
        let told = !recovery.reattached.is_empty() || !recovery.interrupted.is_empty();
        Ok(told.then_some(recovery))
    }
}

/// An alert, unless it is over already.
fn raised(read: &Read<'_>, id: i64) -> Result<Option<Raised>, StoreError> {
    let Some(row) = read.alert(id)? else { return Ok(None) };
    let Some(run) = read.run(row.key.run)? else { return Ok(None) };
    let stages = read.stages(row.key.run)?;
    let stage = stages.into_iter().find(|stage| stage.idx == row.key.stage).map(|stage| stage.name);
    let alert = alert_view(&row, stage.unwrap_or_default());
    Ok(alert.is_open().then_some(Raised { run: run.number, name: run.name, alert }))
}

impl Client {
    /// The picture as it is now.
    ///
    /// # Errors
    /// `Storage`.
    pub fn live(&self, recovery: Option<Recovery>) -> Result<Live, Fault> {
        let queues = self.queues()?;
        let storage = self.storage()?;
        let owner = self.owner();
        let present = matches!(owner, OwnerState::Present { .. });
        let confirmed = self.confirm()?;
        let read = self.store.read()?;
        let mut viewer = Viewer::new(&read, &self.home, present, confirmed);
        let statuses = vec![RunStatus::Running, RunStatus::Paused];
        let (rows, _) = read.list(&ListQuery { statuses, limit: ACTIVE_MOST, ..ListQuery::default() })?;
        let mut active = rows.into_iter().map(|row| viewer.run(row)).collect::<Result<Vec<_>, _>>()?;
        active.sort_by_key(|run| (run.started_at.is_none(), run.started_at, run.number));
        let mut next = Vec::new();
        for row in read.queued_in_order(NEXT_MOST)? {
            next.push(RunView { params: None, stages: None, ..viewer.run(row)? });
        }
        let mut counts: BTreeMap<RunStatus, u64> = RunStatus::ALL.iter().map(|status| (*status, 0)).collect();
        counts.extend(read.counts()?);
        let needs_look = read.ended_badly_since(clock::wall_ms() - NEEDS_LOOK_MS)? + read.runs_with_open_alerts()?;
        let experiments = read.experiments(EXPERIMENTS_MOST)?;
        let experiments = experiments.into_iter().map(|(name, runs)| ExperimentView { name, runs }).collect();
        let schedules = views(&read, UtcMs(clock::wall_ms()))?;
        let owner = owner.into();
        Ok(Live { active, next, counts, needs_look, queues, experiments, owner, recovery, schedules, storage })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture() -> Live {
        Live {
            active: Vec::new(),
            next: Vec::new(),
            counts: BTreeMap::from([(RunStatus::Queued, 0)]),
            needs_look: 0,
            queues: Vec::new(),
            experiments: Vec::new(),
            owner: OwnerView::Absent { orderly: true },
            recovery: None,
            schedules: SchedulesView::default(),
            storage: StorageView::default(),
        }
    }

    #[test]
    fn only_what_is_another_is_told_and_a_recovery_that_went_is_null() {
        let recovery = Recovery { at: UtcMs(5), reattached: vec![3], interrupted: vec![] };
        let before = Live { recovery: Some(recovery), ..picture() };
        let after = Live { needs_look: 2, ..picture() };
        assert!(Changes::between(&before, &before).is_nothing());
        let changes = serde_json::to_value(Changes::between(&before, &after)).unwrap();
        assert_eq!(changes, serde_json::json!({ "from": 0, "seq": 0, "needs_look": 2, "recovery": null }));
        let owner = serde_json::to_value(picture()).unwrap();
        assert_eq!(owner["owner"], serde_json::json!({ "state": "absent", "orderly": true }));
        assert_eq!(owner["counts"], serde_json::json!({ "queued": 0 }));
    }
}
