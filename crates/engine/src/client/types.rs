//! What goes into the Client and what comes out, beside the views of `footplate_core::view`.

use std::path::PathBuf;
use std::sync::Arc;

use footplate_core::definition::Definition;
use footplate_core::view::RunView;
use footplate_core::{ErrorCode, RunId, RunStatus, UtcMs};
use footplate_shim::clock;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::environment::Captured;

/// A run to submit.
#[derive(Clone, Debug)]
pub struct Submit {
    /// What to run. Checked again here.
    pub definition: Definition,
    /// The parameters as given, presets applied; defaults are filled in here.
    pub params: IndexMap<String, Value>,
    /// Its name; else the pipeline's with the run's number, `digits-142`.
    pub name: Option<String>,
    /// The experiment it belongs to.
    pub experiment: Option<String>,
    /// The queue for stages that name none; else the pipeline's, else `default`.
    pub queue: Option<String>,
    /// -100 to 100; else the pipeline's.
    pub priority: Option<i32>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// Not started before.
    pub not_before: Option<UtcMs>,
    /// Started after these runs have ended: number, and whether only if it completed.
    pub after: Vec<(i64, bool)>,
    /// Written down, but not started.
    pub draft: bool,
    /// The working folder of stages that name none. Must exist.
    pub cwd: PathBuf,
    /// `pipeline.dir`: the folder of the pipeline file, or `cwd`.
    pub pipeline_dir: PathBuf,
    /// The environment of the shell that submits; capture it once for many runs.
    pub environment: Arc<Captured>,
    /// Where it runs: `local`.
    pub target: String,
    /// When the door began to read what is submitted, on the running clock (`footplate_shim::clock::running_ms`). The report's
    /// planning time is counted from here; `new` says now.
    pub begun_ms: u64,
}

impl Submit {
    /// A run of this definition in this folder, everything else as the definition says.
    #[must_use]
    pub fn new(definition: Definition, cwd: PathBuf, environment: Arc<Captured>) -> Submit {
        Submit {
            definition,
            params: IndexMap::new(),
            name: None,
            experiment: None,
            queue: None,
            priority: None,
            tags: Vec::new(),
            not_before: None,
            after: Vec::new(),
            draft: false,
            pipeline_dir: cwd.clone(),
            cwd,
            environment,
            target: "local".into(),
            begun_ms: clock::running_ms(),
        }
    }
}

/// The run that a text means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// Its number.
    pub number: i64,
    /// Its id.
    pub id: RunId,
    /// Its name.
    pub name: String,
    /// To be told: the name means several runs, and this is the newest.
    pub note: Option<String>,
}

/// Which runs to list, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    /// Any of these; empty: all.
    pub statuses: Vec<RunStatus>,
    /// Only of this queue.
    pub queue: Option<String>,
    /// Only of this experiment.
    pub experiment: Option<String>,
    /// Only with this tag.
    pub tag: Option<String>,
    /// Only where the name or the pipeline contains this.
    pub search: Option<String>,
    /// At most so many.
    pub limit: u32,
    /// After so many.
    pub offset: u64,
}

impl Default for ListQuery {
    fn default() -> Self {
        ListQuery { statuses: Vec::new(), queue: None, experiment: None, tag: None, search: None, limit: 50, offset: 0 }
    }
}

/// A page of runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunPage {
    /// The runs of this page.
    pub runs: Vec<RunView>,
    /// How many there are in all.
    pub total: u64,
}

/// One point of a metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricPoint {
    /// The stage's name.
    pub stage: String,
    /// The attempt's number.
    pub attempt: u32,
    /// The metric's name.
    pub name: String,
    /// The step, where the program said one.
    pub step: Option<i64>,
    /// The epoch, where the program said one.
    pub epoch: Option<f64>,
    /// When it was read.
    pub time: UtcMs,
    /// The value; may be NaN or infinite (`null` in JSON).
    pub value: f64,
}

/// The owner, as a guest sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnerState {
    /// Nobody holds the lock.
    Absent {
        /// The last one left because it had nothing to do or was told to; true where there never was one.
        orderly: bool,
    },
    /// Somebody does.
    Present {
        /// Its process id; 0 where it has not written it yet.
        pid: i32,
        /// Its version; empty where it has not written it yet.
        version: String,
        /// Since when.
        since: UtcMs,
    },
}

/// Whether a Client may start owners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnerStart {
    /// Where one is needed: the rule.
    WhenNeeded,
    /// Never: for programs that run the owner themselves, and for tests.
    Never,
}

/// A place in a queue, among queued runs of the same priority.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Spot {
    /// By number, from 1.
    At {
        /// The next to start is 1.
        to: u32,
    },
    /// Just before another run.
    Before {
        /// Its number.
        before: i64,
    },
    /// Just after another run.
    After {
        /// Its number.
        after: i64,
    },
}

/// What a wish asks for. Its serde form is the `kind` and `args` of the wish's row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "args", rename_all = "snake_case")]
pub enum Wish {
    /// End the run, or one of its stages. Answered when the attempts are gone.
    Cancel {
        /// Only this stage.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stage: Option<String>,
    },
    /// Stop it for a while.
    Pause {},
    /// Go on.
    Unpause {},
    /// Do what failed again, or a stage and all that depends on it.
    Retry {
        /// The stage to start from; else all that failed, were cancelled or interrupted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<String>,
        /// True where no stage is named.
        #[serde(default)]
        failed: bool,
    },
    /// Go on from the newest checkpoints, or one stage from one that was chosen.
    Resume {
        /// A checkpoint of the run, complete and still there. In a request its path, its step, or its id in [`super::files`];
        /// in the wish's row always its absolute path.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<String>,
        /// Whose checkpoint it is; in a request only where several stages have one like that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stage: Option<String>,
    },
    /// Start a draft.
    Start {},
    /// Move among the queued runs of its queue that have its priority.
    Move(Spot),
    /// Change a run that is still queued.
    Set {
        /// -100 to 100.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        priority: Option<i32>,
        /// Another queue.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        queue: Option<String>,
        /// Limit of running time of its stages, milliseconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        timeout_ms: Option<u64>,
    },
    /// Another name.
    Rename {
        /// The name.
        name: String,
    },
    /// Other tags.
    Tag {
        /// Tags to add.
        #[serde(default)]
        add: Vec<String>,
        /// Tags to take away.
        #[serde(default)]
        remove: Vec<String>,
    },
    /// Remove the checkpoints that the run's stages do not keep. Answered when they are gone.
    CleanCheckpoints {},
    /// Pin a checkpoint, so that cleaning leaves it alone, or take its pin out.
    Pin {
        /// As in `resume`: in a request its path, its step, or its id; in the wish's row always its absolute path.
        checkpoint: String,
        /// Whose checkpoint it is; in a request only where several stages have one like that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stage: Option<String>,
        /// False: the pin is taken out.
        pinned: bool,
    },
    /// Take alerts of the run for seen.
    Dismiss {
        /// Its number in the store; else all that are open.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        alert: Option<i64>,
    },
    /// Remove an ended run or a draft.
    Rm {
        /// Its `run.dir` too.
        #[serde(default)]
        files: bool,
    },
    /// Make or change a queue. `run` is not set.
    Queue {
        /// Its name.
        name: String,
        /// Stages at once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<u32>,
        /// Higher starts first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        priority: Option<i32>,
        /// Starts nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        paused: Option<bool>,
    },
    /// Change the marks that keep room on the disk, bytes; 0: never. `run` is not set.
    Disk {
        /// Below it nothing starts.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        warning: Option<u64>,
        /// Below it what runs is paused.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        critical: Option<u64>,
    },
    /// Whether programs of others keep stages from a GPU. `run` is not set.
    Gpus {
        /// They do not.
        ignore_others: bool,
    },
    /// Go on here with the work of a data folder that came from another machine. `run` is not set.
    Adopt {},
    /// Hear no more of the last restore of the store. `run` is not set.
    RestoreSeen {},
    /// Pause a schedule, let it go on, or remove it. `run` is not set.
    Schedule {
        /// Its name.
        name: String,
        /// False: paused; true: it goes on with the next time to come.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        enabled: Option<bool>,
        /// Remove it; its runs stay.
        #[serde(default)]
        remove: bool,
    },
    /// Whether an owner stays as long as a schedule is to be due. `run` is not set.
    Schedules {
        /// It does.
        keep_owner: bool,
    },
    /// Start the drafts that a batch was written as, up to its last transaction. Written by [`super::Client::submit_batch`]
    /// in that transaction; numbers that are no drafts (any more) are left alone. `run` is not set.
    Release {
        /// Numbers of runs, from and to, both within.
        runs: Vec<(i64, i64)>,
    },
    /// Remove ended runs of some age. `run` is not set.
    Clean {
        /// Ended longer ago than this, milliseconds.
        older_than_ms: u64,
        /// Only say how many.
        #[serde(default)]
        dry_run: bool,
    },
}

/// A wish and whom it concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WishRequest {
    /// The run's number; `None` for what concerns none: `queue`, `disk`, `gpus`, `schedule`, `schedules`, `adopt`, `restore_seen`
    /// and `clean`.
    pub run: Option<i64>,
    /// What is wished.
    pub wish: Wish,
}

impl WishRequest {
    /// A wish about one run.
    #[must_use]
    pub fn of(run: i64, wish: Wish) -> WishRequest {
        WishRequest { run: Some(run), wish }
    }

    /// A wish about no run, such as `queue`, `disk` or `clean`.
    #[must_use]
    pub fn general(wish: Wish) -> WishRequest {
        WishRequest { run: None, wish }
    }
}

impl Wish {
    /// The kind and the arguments as JSON, as they stand in the wish's row.
    #[must_use]
    pub fn to_row(&self) -> (String, String) {
        match serde_json::to_value(self) {
            Ok(Value::Object(mut object)) => {
                let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
                let args = object.remove("args").unwrap_or_else(|| Value::Object(serde_json::Map::new()));
                (kind, args.to_string())
            }
            // A struct of plain fields always becomes an object.
            _ => (String::new(), "{}".into()),
        }
    }

    /// Reads a wish's row. `None`: a newer guest's kind, or damaged arguments.
    #[must_use]
    pub fn from_row(kind: &str, args: &str) -> Option<Wish> {
        let args: Value = serde_json::from_str(args).ok()?;
        serde_json::from_value(serde_json::json!({ "kind": kind, "args": args })).ok()
    }
}

/// What became of a wish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WishAnswer {
    /// True: done; false: refused.
    pub done: bool,
    /// The code of a refusal.
    pub code: Option<ErrorCode>,
    /// The effect, or the present state, in one sentence.
    pub message: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_survives_its_row_and_an_unknown_kind_is_none() {
        for wish in [
            Wish::Cancel { stage: None },
            Wish::Cancel { stage: Some("train".into()) },
            Wish::Pause {},
            Wish::Retry { from: None, failed: true },
            Wish::Resume { from: None, stage: None },
            Wish::Resume { from: Some("/r/9.pt".into()), stage: Some("train".into()) },
            Wish::Move(Spot::At { to: 3 }),
            Wish::Move(Spot::Before { before: 7 }),
            Wish::Move(Spot::After { after: 7 }),
            Wish::Set { priority: Some(-5), queue: None, timeout_ms: Some(1000) },
            Wish::Tag { add: vec!["a".into()], remove: vec![] },
            Wish::Queue { name: "training".into(), limit: Some(2), priority: None, paused: None },
            Wish::CleanCheckpoints {},
            Wish::Pin { checkpoint: "/r/9.pt".into(), stage: Some("train".into()), pinned: true },
            Wish::Schedule { name: "nightly".into(), enabled: Some(false), remove: false },
            Wish::Schedules { keep_owner: false },
            Wish::Dismiss { alert: Some(7) },
            Wish::Release { runs: vec![(1, 1000), (1003, 1003)] },
            Wish::Clean { older_than_ms: 5, dry_run: false },
        ] {
            let (kind, args) = wish.to_row();
            assert_eq!(Wish::from_row(&kind, &args), Some(wish), "{kind} {args}");
        }
        assert_eq!(Wish::from_row("retry", r#"{"failed":true}"#), Some(Wish::Retry { from: None, failed: true }));
        assert_eq!(Wish::from_row("resume", "{}"), Some(Wish::Resume { from: None, stage: None }), "an older guest's");
        assert_eq!(Wish::from_row("dance", "{}"), None);
        for unclear in ["{}", r#"{"to":1,"before":7}"#, r#"{"to":-1}"#] {
            assert_eq!(Wish::from_row("move", unclear), None, "{unclear}");
        }
    }
}
