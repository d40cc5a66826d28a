//! Time left, from how fast the position has moved of late.
//!
//! The rate is taken over a sliding window of at most [`SAMPLES`] points: its slowest and its fastest quarter of
//! intervals are left out once there are eight, and the interval before the first point (loading, compiling) once
//! there are three, so that a slow first step or one checkpoint does not spoil it. What is shown counts down with the
//! clock and moves towards a new figure gradually. Not here: the clock, and a tool's own figure.

use crate::codec::{RestoreError, Restored, Saved, Writer};

/// Points kept.
pub const SAMPLES: usize = 32;
/// Points needed before a time is shown.
pub const SHOWN_AFTER: usize = 3;
/// The window, milliseconds, once there are enough points in it.
const WINDOW_MS: i64 = 10 * 60 * 1000;
/// Points closer together than this are one.
const SPACING_MS: i64 = 100;

/// An estimate of the time left. Times are milliseconds since the Unix epoch, positions 0 to 1.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Estimate {
    samples: Vec<(i64, f64)>,
    /// Points seen, counted to `SAMPLES`.
    seen: usize,
    spacing_ms: i64,
    /// When the end is thought to come, as shown, and when that was said.
    shown: Option<(f64, i64)>,
}

impl Estimate {
    /// Nothing known.
    pub fn new() -> Estimate {
        Estimate { spacing_ms: SPACING_MS, ..Estimate::default() }
    }

    /// The position at a time. Going back, or a clock set back, begins anew. True if it was taken as a point.
    pub fn observe(&mut self, now_ms: i64, position: f64) -> bool {
        if !position.is_finite() {
            return false;
        }
        let Some(&(last_ms, last)) = self.samples.last() else {
            self.samples.push((now_ms, position));
            self.seen = 1;
            return true;
        };
        if position < last || now_ms < last_ms {
            *self = Estimate::new();
            self.samples.push((now_ms, position));
            self.seen = 1;
            return true;
        }
        if position == last {
            return false;
        }
        if now_ms.saturating_sub(last_ms) < self.spacing_ms && position < 1.0 {
            return false;
        }
        self.samples.push((now_ms, position));
        self.seen = (self.seen + 1).min(SAMPLES);
        if self.samples.len() > SAMPLES {
            if now_ms.saturating_sub(self.samples[0].0) > WINDOW_MS {
                self.samples.remove(0);
            } else {
                let mut at = 0;
                self.samples.retain(|_| {
                    at += 1;
                    at % 2 == 1 || at > SAMPLES
                });
                self.spacing_ms = (self.spacing_ms * 2).min(WINDOW_MS / SAMPLES as i64);
            }
        }
        self.show(now_ms);
        true
    }

    /// Position a second, if known.
    pub fn rate(&self) -> Option<f64> {
        if self.seen < SHOWN_AFTER {
            return None;
        }
        // The first interval holds the warm-up.
        let from = usize::from(self.samples.len() > SHOWN_AFTER || self.first_was_slow());
        let mut gaps = [(0.0f64, 0.0f64); SAMPLES + 1];
        let mut count = 0;
        for pair in self.samples[from..].windows(2) {
            gaps[count] = (pair[1].1 - pair[0].1, pair[1].0.saturating_sub(pair[0].0) as f64 / 1000.0);
            count += 1;
        }
        let gaps = &mut gaps[..count];
        let kept = if count >= 8 {
            gaps.sort_by(|a, b| (a.0 / a.1).total_cmp(&(b.0 / b.1)));
            // Checkpoints and evaluations take real time that comes again: only the far ends go.
            &gaps[count / 8..count - count / 8]
        } else {
            gaps
        };
        let (moved, took) = kept.iter().fold((0.0, 0.0), |sum, gap| (sum.0 + gap.0, sum.1 + gap.1));
        (took > 0.0 && moved > 0.0).then(|| moved / took)
    }

    /// Of three points: the first interval was slower by half than the second.
    fn first_was_slow(&self) -> bool {
        let [a, b, c] = self.samples[..] else { return false };
        let took = |from: (i64, f64), to: (i64, f64)| to.0.saturating_sub(from.0) as f64 / (to.1 - from.1);
        took(a, b) > 2.0 * took(b, c)
    }

    fn show(&mut self, now_ms: i64) {
        let (Some(rate), Some(&(at, position))) = (self.rate(), self.samples.last()) else { return };
        let raw = at as f64 + (1.0 - position).max(0.0) / rate * 1000.0;
        let end = match self.shown {
            None => raw,
            Some((before, said)) => {
                let left = (raw - now_ms as f64).max(0.0);
                let was = (before - now_ms as f64).max(0.0);
                let settle = (left * 0.1).max(2000.0);
                let weight = 1.0 - (-(now_ms.saturating_sub(said).max(0) as f64) / settle).exp();
                // Twice or half is no wavering: what was shown was wrong.
                let wrong = left > 2.0 * was + 5000.0 || was > 2.0 * left + 5000.0;
                if wrong { raw } else { before + (raw - before) * weight }
            }
        };
        self.shown = Some((end, now_ms));
    }

    /// Seconds left, after three points.
    pub fn left(&self, now_ms: i64) -> Option<f64> {
        if self.samples.last().is_some_and(|(_, position)| *position >= 1.0) {
            return (self.seen >= SHOWN_AFTER).then_some(0.0);
        }
        self.shown.map(|(end, _)| ((end - now_ms as f64) / 1000.0).max(0.0))
    }

    pub(crate) fn save(&self, to: &mut Writer) {
        to.usize(self.samples.len());
        for (at, position) in &self.samples {
            to.i64(*at);
            to.f64(*position);
        }
        to.usize(self.seen);
        to.i64(self.spacing_ms);
        to.option(self.shown, |to, (end, said)| {
            to.f64(end);
            to.i64(said);
        });
    }

    pub(crate) fn restore(from: &mut Saved<'_>) -> Restored<Estimate> {
        let mut estimate = Estimate::new();
        for _ in 0..from.usize(SAMPLES)? {
            let sample = (from.i64()?, from.f64()?);
            let follows = estimate.samples.last().is_none_or(|last| last.0 <= sample.0 && last.1 <= sample.1);
            if !sample.1.is_finite() || !follows {
                return Err(RestoreError::Damaged);
            }
            estimate.samples.push(sample);
        }
        estimate.seen = from.usize(SAMPLES)?;
        estimate.spacing_ms = from.i64()?;
        estimate.shown = from.option(|from| Ok((from.f64()?, from.i64()?)))?;
        let sound = (SPACING_MS..=WINDOW_MS).contains(&estimate.spacing_ms)
            && estimate.shown.is_none_or(|(end, _)| end.is_finite())
            && (estimate.seen == 0) == estimate.samples.is_empty();
        if sound { Ok(estimate) } else { Err(RestoreError::Damaged) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is shown after each point.
    fn shown(points: &[(i64, f64)]) -> Vec<Option<f64>> {
        let mut estimate = Estimate::new();
        let each = points.iter().map(|(at, position)| {
            estimate.observe(*at, *position);
            estimate.left(*at)
        });
        each.collect()
    }

    #[test]
    fn nothing_is_shown_before_three_points() {
        let shown = shown(&[(0, 0.0), (1000, 0.1), (2000, 0.2)]);
        assert_eq!(shown[..2], [None, None]);
        assert!((shown[2].unwrap() - 8.0).abs() < 1e-9);
    }

    #[test]
    fn a_slow_first_step_is_soon_forgotten() {
        let points: Vec<(i64, f64)> =
            std::iter::once((0, 0.0)).chain((0..40).map(|at| (60_000 + at * 1000, 0.01 * (at + 1) as f64))).collect();
        let left = shown(&points).last().copied().flatten().unwrap();
        assert!((55.0..75.0).contains(&left), "60 s are left, shown {left}");
    }

    #[test]
    fn it_counts_down_and_does_not_jump_while_the_rate_holds() {
        let points: Vec<(i64, f64)> = (0..90).map(|at| (at * 1000 + (at % 3) * 150, at as f64 / 100.0)).collect();
        let shown: Vec<f64> = shown(&points).into_iter().flatten().collect();
        for pair in shown[5..].windows(2) {
            assert!((pair[1] - pair[0] + 1.0).abs() < 3.0, "{pair:?}");
        }
        assert!((shown.last().unwrap() - 11.0).abs() < 2.0);
    }

    #[test]
    fn one_long_pause_moves_it_little_and_a_new_pace_wins_in_time() {
        let mut points: Vec<(i64, f64)> = (0..50).map(|at| (at * 1000, at as f64 / 1000.0)).collect();
        points.extend((50..60).map(|at| (at * 1000 + 60_000, at as f64 / 1000.0)));
        let left = shown(&points).last().copied().flatten().unwrap();
        assert!((800.0..1100.0).contains(&left), "940 s are left, shown {left}");
        points.extend((1..200).map(|at| (119_000 + at * 1000, 0.059 + at as f64 * 0.004)));
        let left = shown(&points).last().copied().flatten().unwrap();
        assert!((20.0..60.0).contains(&left), "36 s are left, shown {left}");
    }

    #[test]
    fn the_end_is_zero_and_going_back_begins_anew() {
        let mut estimate = Estimate::new();
        for at in 0..=10 {
            estimate.observe(at * 1000, at as f64 / 10.0);
        }
        assert_eq!(estimate.left(10_000), Some(0.0));
        estimate.observe(11_000, 0.1);
        assert_eq!(estimate.left(11_000), None);
        estimate.observe(i64::MIN, f64::NAN);
        estimate.observe(i64::MAX, 0.2);
        estimate.observe(i64::MIN, 0.3);
        assert_eq!(estimate.left(i64::MAX), None);
    }
}
