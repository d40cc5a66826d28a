//! The stdout protocol, one line each: `##PROGRESS##{json}##`.

use std::io::{self, Write};
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::fault::Fault;

/// Where a training stands.
#[derive(Clone, Copy)]
pub(crate) struct Position {
    /// Steps done, over all epochs.
    pub(crate) step: u64,
    /// Steps in all.
    pub(crate) total: u64,
    /// The epoch under way, from 1.
    pub(crate) epoch: u32,
    /// Epochs in all.
    pub(crate) epochs: u32,
}

/// Step `step` of `total` of a stage without epochs.
pub(crate) fn progress(step: u64, total: u64, message: &str) -> Result<(), Fault> {
    say(&json!({ "step": step, "total": total, "message": message }))
}

/// A position, with what was measured there.
pub(crate) fn position(at: Position, metrics: &[(&str, f64)], message: &str) -> Result<(), Fault> {
    let Position { step, total, epoch, epochs } = at;
    say(&json!({ "step": step, "total": total, "epoch": epoch, "epochs": epochs,
                 "metrics": values(metrics), "message": message }))
}

/// A complete checkpoint stands at `path`.
pub(crate) fn checkpoint(path: &Path, at: Position, metrics: &[(&str, f64)]) -> Result<(), Fault> {
    say(&json!({ "type": "checkpoint",
                 "checkpoint": { "path": path.to_string_lossy(), "step": at.step, "metrics": values(metrics) } }))
}

/// A value for later stages.
pub(crate) fn output(key: &str, value: impl Into<Value>) -> Result<(), Fault> {
    say(&json!({ "type": "output", "output": Map::from_iter([(key.to_owned(), value.into())]) }))
}

/// A plain line, for people who read the log.
pub(crate) fn text(line: &str) -> Result<(), Fault> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}").and_then(|()| stdout.flush()).map_err(Fault::Stdout)
}

fn say(event: &Value) -> Result<(), Fault> {
    text(&format!("##PROGRESS##{event}##"))
}

/// JSON has no NaN: the protocol spells it.
fn values(metrics: &[(&str, f64)]) -> Value {
    let spelled = |value: f64| match value {
        value if value.is_nan() => json!("nan"),
        f64::INFINITY => json!("inf"),
        f64::NEG_INFINITY => json!("-inf"),
        value => json!(value),
    };
    Value::Object(metrics.iter().map(|(name, value)| ((*name).to_owned(), spelled(*value))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_json_cannot_say_is_spelled() {
        let spelled = values(&[("a", f64::NAN), ("b", f64::INFINITY), ("c", f64::NEG_INFINITY), ("d", 0.5)]);
        assert_eq!(spelled, json!({ "a": "nan", "b": "inf", "c": "-inf", "d": 0.5 }));
    }
}
