//! The verbs, a file each; the doc comment of a verb's arguments is its help.

pub(crate) mod add;
pub(crate) mod cancel;
pub(crate) mod clean;
pub(crate) mod completions;
pub(crate) mod doctor;
pub(crate) mod list;
pub(crate) mod logs;
pub(crate) mod metrics;
pub(crate) mod r#move;
pub(crate) mod pause;
pub(crate) mod plan;
pub(crate) mod queue;
pub(crate) mod rename;
pub(crate) mod report;
pub(crate) mod resume;
pub(crate) mod retry;
pub(crate) mod rm;
pub(crate) mod run;
pub(crate) mod set;
pub(crate) mod show;
pub(crate) mod start;
pub(crate) mod tag;
pub(crate) mod unpause;
pub(crate) mod wait;
pub(crate) mod watch;
pub(crate) mod work;
