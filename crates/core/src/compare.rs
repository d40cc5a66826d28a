//! Runs side by side: what `compare` shows. Built by the engine's Client from the store.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::alert::Better;
use crate::id::RunId;
use crate::status::RunStatus;
use crate::time::UtcMs;

/// Most runs that are compared at once.
pub const MOST: usize = 100;

/// Runs side by side. Each list of values has one for each run, in the order of `runs`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Comparison {
    /// The runs, in the order in which they were asked for; those of an experiment from the oldest to the newest.
    pub runs: Vec<ComparedRun>,
    /// So many runs of the experiment, its oldest, are left out: there are more than 100.
    pub left_out: u64,
    /// Parameters, secrets left out, in the order of the pipelines.
    pub params: Vec<ComparedValue>,
    /// What was measured: first what a pipeline says which way is better, then what its name tells, then the others.
    pub metrics: Vec<ComparedMetric>,
    /// What stages handed on, named `stage.output`.
    pub outputs: Vec<ComparedValue>,
}

/// One of the runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct ComparedRun {
    /// UUIDv7.
    pub id: RunId,
    /// What people use.
    pub number: i64,
    /// Its name.
    pub name: String,
    /// The pipeline's name.
    pub pipeline: String,
    /// The experiment it belongs to.
    pub experiment: Option<String>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// Its status.
    pub status: RunStatus,
    /// When it was submitted.
    pub created_at: UtcMs,
    /// When its first attempt started.
    pub started_at: Option<UtcMs>,
    /// When its last stage ended.
    pub finished_at: Option<UtcMs>,
    /// From its start to its end, or until now, seconds.
    pub took_s: Option<f64>,
    /// What it runs, where it is a single command.
    pub command: Option<String>,
}

/// A parameter or an output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct ComparedValue {
    /// Its name.
    pub name: String,
    /// Its value in each run; none where a run has no such thing.
    pub values: Vec<Option<Value>>,
    /// It is not the same in all runs.
    pub differs: bool,
}

/// A metric of a stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct ComparedMetric {
    /// The stage's name.
    pub stage: String,
    /// The metric's name.
    pub name: String,
    /// Which way is better; none: nobody said so, and the name does not tell.
    pub better: Option<Better>,
    /// The pipeline says so: `checkpoints.mode`, or the `mode` of an alert. Else the name was taken for it.
    pub declared: bool,
    /// What each run measured; none where it did not.
    pub values: Vec<Option<Measured>>,
    /// The places in `runs` of the best one, or of all that are as good; empty where `better` is not known.
    pub best: Vec<usize>,
}

/// What a run measured of a metric, over all attempts of the stage.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Measured {
    /// The best value; the last where it is not known which way is better. NaN and infinite ones are `null` in JSON.
    #[cfg_attr(feature = "ts", ts(as = "Option<f64>"))]
    pub value: f64,
    /// The step of that value, where the program said one.
    pub step: Option<i64>,
    /// The last value.
    #[cfg_attr(feature = "ts", ts(as = "Option<f64>"))]
    pub last: f64,
    /// How many points there are.
    pub points: u64,
}

/// Whether these are not all the same.
#[must_use]
pub fn differ<T: PartialEq>(values: &[T]) -> bool {
    values.windows(2).any(|pair| matches!(pair, [one, other] if one != other))
}

/// The places of the best values. What is not finite is never best.
#[must_use]
pub fn best(values: &[Option<Measured>], better: Better) -> Vec<usize> {
    let numbers = || values.iter().enumerate().filter_map(|(at, one)| Some((at, one.as_ref()?.value)));
    let top = numbers().map(|(_, value)| value).filter(|value| value.is_finite());
    let Some(top) = top.reduce(|one, other| if better.is_better(other, one) { other } else { one }) else {
        return Vec::new();
    };
    #[expect(clippy::float_cmp, reason = "as good means the same number")]
    numbers().filter(|(_, value)| *value == top).map(|(at, _)| at).collect()
}

/// Which way is better, by what a metric is called; none where the name does not tell.
#[must_use]
pub fn better_by_name(name: &str) -> Option<Better> {
    const LESS: [&str; 15] = [
        "loss",
        "logloss",
        "nll",
        "error",
        "err",
        "perplexity",
        "ppl",
        "wer",
        "cer",
        "mae",
        "mse",
        "rmse",
        "fid",
        "bce",
        "kl",
    ];
    const MORE: [&str; 17] = [
        "accuracy",
        "acc",
        "auc",
        "auroc",
        "f1",
        "precision",
        "recall",
        "iou",
        "miou",
        "map",
        "bleu",
        "rouge",
        "score",
        "reward",
        "r2",
        "psnr",
        "ssim",
    ];
    let name = name.to_lowercase();
    let words = || name.split(|c: char| !c.is_ascii_alphanumeric());
    if words().any(|word| LESS.contains(&word) || word.ends_with("loss")) {
        Some(Better::Min)
    } else if words().any(|word| MORE.contains(&word)) {
        Some(Better::Max)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(value: f64) -> Option<Measured> {
        Some(Measured { value, step: None, last: value, points: 1 })
    }

    #[test]
    fn the_best_is_a_number_and_all_that_are_as_good() {
        let values = [measured(f64::NAN), measured(2.0), None, measured(1.0), measured(1.0), measured(f64::INFINITY)];
        assert_eq!(best(&values, Better::Min), [3, 4]);
        assert_eq!(best(&values, Better::Max), [1]);
        assert_eq!(best(&[measured(f64::NAN), None], Better::Min), [] as [usize; 0]);
        assert_eq!(best(&[], Better::Min), [] as [usize; 0]);
    }

    #[test]
    fn names_tell_which_way_is_better_only_where_they_do() {
        for name in ["loss", "val_loss", "eval/LogLoss", "train.rmse", "test-wer", "smoothloss"] {
            assert_eq!(better_by_name(name), Some(Better::Min), "{name}");
        }
        for name in ["accuracy", "val_acc", "eval/f1", "mAP", "top1.acc"] {
            assert_eq!(better_by_name(name), Some(Better::Max), "{name}");
        }
        for name in ["lr", "epoch", "grad_norm", "", "steps", "terror", "mapping"] {
            assert_eq!(better_by_name(name), None, "{name}");
        }
    }

    #[test]
    fn one_other_value_is_a_difference_and_a_missing_one_too() {
        assert!(differ(&[Some(1), Some(1), Some(2)]) && differ(&[Some(1), None]));
        assert!(!differ(&[Some(1), Some(1)]) && !differ::<i32>(&[]));
    }
}
