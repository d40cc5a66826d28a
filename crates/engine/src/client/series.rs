//! Metrics as columns for a chart: as many points as it can show, by the least and the greatest of each stretch.

use footplate_core::Fault;
use serde::Serialize;

use super::keeper::Client;
use super::types::MetricPoint;

/// One series of one attempt, in columns of equal length.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct MetricSeries {
    /// The stage's name.
    pub stage: String,
    /// The attempt's number.
    pub attempt: u32,
    /// The metric's name.
    pub name: String,
    /// Steps, where the program said them.
    pub step: Vec<Option<i64>>,
    /// Epochs, where the program said them.
    pub epoch: Vec<Option<f64>>,
    /// UTC milliseconds.
    pub time_ms: Vec<i64>,
    /// Values; NaN and infinite ones are `null` in JSON.
    pub value: Vec<f64>,
    /// How many points there are.
    pub total: u64,
}

impl Client {
    /// All series of a run, each thinned to at most `most` points.
    ///
    /// # Errors
    /// `NotFound`; `Storage`.
    pub fn series(&self, number: i64, most: usize) -> Result<Vec<MetricSeries>, Fault> {
        let points = self.metrics(number, &[])?;
        let same = |a: &MetricPoint, b: &MetricPoint| (&a.stage, a.attempt, &a.name) == (&b.stage, b.attempt, &b.name);
        Ok(points.chunk_by(same).map(|chunk| columns(chunk, most)).collect())
    }
}

fn columns(points: &[MetricPoint], most: usize) -> MetricSeries {
    let mut series = MetricSeries { total: points.len() as u64, ..MetricSeries::default() };
    if let Some(first) = points.first() {
        (series.stage, series.attempt, series.name) = (first.stage.clone(), first.attempt, first.name.clone());
    }
    let values: Vec<f64> = points.iter().map(|point| point.value).collect();
    for point in thinned(&values, most).into_iter().filter_map(|at| points.get(at)) {
        series.step.push(point.step);
        series.epoch.push(point.epoch);
        series.time_ms.push(point.time.0);
        series.value.push(point.value);
    }
    series
}

/// The places to keep, rising: the first, the last, and of each stretch between them the least and the greatest; a value that is no
/// number is kept where a stretch has no other.
fn thinned(values: &[f64], most: usize) -> Vec<usize> {
    if values.len() <= most.max(4) {
        return (0..values.len()).collect();
    }
    let stretches = (most.max(4) - 2) / 2;
    let inner = values.len() - 2;
    let mut kept = vec![0];
    for stretch in 0..stretches {
        let (from, to) = (1 + inner * stretch / stretches, 1 + inner * (stretch + 1) / stretches);
        let numbers = || (from..to).filter(|at| values[*at].is_finite());
        let by = |a: &usize, b: &usize| values[*a].total_cmp(&values[*b]);
        match (numbers().min_by(by), numbers().max_by(by)) {
            (Some(least), Some(greatest)) => {
                kept.extend([least.min(greatest), least.max(greatest)]);
            }
            _ => kept.extend((from..to).next()),
        }
    }
    kept.push(values.len() - 1);
    kept.dedup();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peaks_and_ends_survive_and_the_limit_holds() {
        let mut values: Vec<f64> = (0..10_000).map(|n| f64::from(n).sin()).collect();
        values[1234] = 99.0;
        values[7000] = -99.0;
        values[42] = f64::NAN;
        let kept = thinned(&values, 500);
        assert!(kept.len() <= 500 && kept.len() > 400, "{}", kept.len());
        assert!(kept.is_sorted() && kept.windows(2).all(|pair| pair[0] < pair[1]));
        for at in [0, 1234, 7000, 9_999] {
            assert!(kept.contains(&at), "{at}");
        }
        assert_eq!(thinned(&values[..3], 500), [0, 1, 2]);
        assert_eq!(thinned(&[f64::NAN; 100], 10).len(), 6);
        assert!(thinned(&[], 10).is_empty());
    }
}
