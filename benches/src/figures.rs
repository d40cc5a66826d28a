//! Samples, their medians, and the table they are shown in.

/// Measurements of one figure.
#[derive(Clone, Debug, Default)]
pub struct Samples(Vec<f64>);

impl Samples {
    /// One more.
    pub fn add(&mut self, value: f64) {
        self.0.push(value);
    }

    /// Whether nothing was measured.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value that this part of the samples does not exceed; 0.5 is the median.
    #[must_use]
    pub fn part(&self, part: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().saturating_sub(1);
        sorted.get((last as f64 * part).round() as usize).copied().unwrap_or(f64::NAN)
    }

    /// The value in the middle.
    #[must_use]
    pub fn median(&self) -> f64 {
        self.part(0.5)
    }
}

/// What is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// A smaller figure.
    Less,
    /// A greater one.
    More,
}

/// One line: who, samples, and what we aim at (ours only).
#[derive(Clone, Debug)]
pub struct Line {
    /// Who, or what of it.
    pub who: String,
    /// What was measured.
    pub samples: Samples,
    /// What the median should reach.
    pub goal: Option<f64>,
}

impl Line {
    /// A line without samples and goal.
    pub fn new(who: impl Into<String>) -> Line {
        Line { who: who.into(), samples: Samples::default(), goal: None }
    }

    /// The same with a goal.
    #[must_use]
    pub fn goal(self, goal: f64) -> Line {
        Line { goal: Some(goal), ..self }
    }
}

/// Prints a table: medians, p99 where it is asked for, each line's ratio to the first one, and goals.
pub fn show(title: &str, unit: &str, better: Better, p99: bool, lines: &[Line]) {
    println!("\n{title} [{unit}]");
    let head = if p99 { "       p50       p99" } else { "    median  min - max       " };
    println!("  {:<54}{head}   goal (p50)            ratio to the first", "");
    let first = lines.iter().find(|line| !line.samples.is_empty()).map(|line| line.samples.median());
    for line in lines.iter().filter(|line| !line.samples.is_empty()) {
        let median = line.samples.median();
        let spread = if p99 {
            format!("{:>10}", number(line.samples.part(0.99)))
        } else {
            format!("  {:<16}", format!("{} - {}", number(line.samples.part(0.0)), number(line.samples.part(1.0))))
        };
        let goal = line.goal.map_or_else(String::new, |goal| {
            let met = if better == Better::Less { median <= goal } else { median >= goal };
            let sign = if better == Better::Less { "<=" } else { ">=" };
            format!("{sign} {} {}", number(goal), if met { "met" } else { "MISSED" })
        });
        let ratio = first.map(|first| median / first).filter(|ratio| ratio.is_finite() && lines.len() > 1);
        let ratio = ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"));
        println!("  {:<54}{:>10}{spread}   {goal:<22}{ratio}", line.who, number(median));
    }
}

/// Three digits that matter, no more.
fn number(value: f64) -> String {
    match value.abs() {
        v if v >= 1000.0 => {
            let whole = format!("{:.0}", value.round());
            let mut text = String::new();
            for (index, digit) in whole.chars().enumerate() {
                if index > 0 && (whole.len() - index).is_multiple_of(3) {
                    text.push(',');
                }
                text.push(digit);
            }
            text
        }
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_parts_are_of_the_sorted_samples() {
        let mut samples = Samples::default();
        [5.0, 1.0, 4.0, 2.0, 3.0].into_iter().for_each(|value| samples.add(value));
        assert_eq!((samples.part(0.0), samples.median(), samples.part(1.0)), (1.0, 3.0, 5.0));
        assert!(Samples::default().median().is_nan());
    }

    #[test]
    fn numbers_are_short() {
        let texts = [1_234_567.0, 999.6, 12.34, 1.239].map(number);
        assert_eq!(texts, ["1,234,567", "1000", "12.3", "1.24"]);
    }
}
