//! Random runs of a sweep, the same for the same seed on every machine.

use std::collections::HashSet;

use serde_json::Value;

use super::axis::{Axis, number};
use super::{MOST_RUNS, different, too_many};
use crate::problem::Problem;

/// Drawn numbers have so many significant digits: nobody needs more of a learning rate, and machines whose logarithms differ in the last
/// place agree.
const SIGNIFICANT: i32 = 4;

/// So many different rows.
pub(super) fn rows(axes: &[(String, Axis)], runs: usize, seed: u64) -> Result<Vec<Vec<Value>>, Problem> {
    if runs > MOST_RUNS {
        return Err(too_many(&format!("{runs} random runs are asked for")));
    }
    let few = |there: &str| {
        Problem::new("limit", format!("{runs} random runs are asked for, and these values make {there}"))
            .hint("without --random all of them are run")
    };
    if let Some(all) = different(axes).filter(|all| (runs as u128) > *all) {
        return Err(few(&format!("{all}")));
    }
    let mut draw = SplitMix(seed);
    let (mut rows, mut seen) = (Vec::with_capacity(runs), HashSet::new());
    let mut tries_left = 100 * runs + 100_000;
    while rows.len() < runs {
        let row: Vec<Value> = axes.iter().map(|(_, axis)| draw.value(axis)).collect();
        if seen.insert(row.iter().map(Value::to_string).collect::<Vec<_>>()) {
            rows.push(row);
        }
        tries_left -= 1;
        if tries_left == 0 {
            return Err(few(&format!("hardly more than {} that differ", rows.len())));
        }
    }
    Ok(rows)
}

/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to 1, without 1.
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn value(&mut self, axis: &Axis) -> Value {
        match axis {
            Axis::Steps(_) => {
                let count = axis.count().unwrap_or(1).min(u128::from(u64::MAX));
                axis.take(&mut ((u128::from(self.next()) * count) >> 64))
            }
            Axis::Between { low, high, log, whole } => {
                let share = self.share();
                let drawn = if *log { low * (high / low).powf(share) } else { low + (high - low) * share };
                let digits = if *whole { 0 } else { SIGNIFICANT - 1 - drawn.abs().log10().floor() as i32 };
                let rounded = number(drawn, usize::try_from(digits).unwrap_or(0));
                // Rounding leads out of the stretch at its ends only.
                let inside = rounded.as_f64().is_some_and(|value| (*low..=*high).contains(&value));
                if inside { rounded } else { number(drawn, 17) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::SplitMix;

    #[test]
    fn the_generator_is_the_published_one() {
        // The first numbers of the reference implementation for the seed 1234567.
        let mut draw = SplitMix(1_234_567);
        assert_eq!([draw.next(), draw.next()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
    }
}
