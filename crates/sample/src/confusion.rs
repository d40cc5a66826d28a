//! How often each digit was taken for which.

use std::fmt::Write;

use crate::data::LABELS;

/// How often each digit (row) was read as each digit (column).
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Confusion(pub(crate) [[usize; LABELS]; LABELS]);

impl Confusion {
    /// Counts what was read for each label.
    pub(crate) fn count(labels: &[u8], read: &[u32]) -> Self {
        let mut counts = Self::default();
        for (&label, &read) in labels.iter().zip(read) {
            counts.0[usize::from(label)][read as usize] += 1;
        }
        counts
    }

    pub(crate) fn total(&self) -> usize {
        self.0.iter().flatten().sum()
    }

    pub(crate) fn right(&self) -> usize {
        (0..LABELS).map(|digit| self.0[digit][digit]).sum()
    }

    /// The share that was read right, 0 to 1.
    pub(crate) fn accuracy(&self) -> f64 {
        self.right() as f64 / self.total() as f64
    }

    /// A table for people; a dot for none.
    pub(crate) fn text(&self) -> String {
        let mut text = "true   read as\n      ".to_owned();
        (0..LABELS).for_each(|digit| _ = write!(text, "{digit:5}"));
        for (digit, row) in self.0.iter().enumerate() {
            _ = write!(text, "\n{digit:4}  ");
            for &count in row {
                _ = if count == 0 { write!(text, "    .") } else { write!(text, "{count:5}") };
            }
            let of = row.iter().sum::<usize>();
            _ = write!(text, "   {:5.1} %", 100.0 * row[digit] as f64 / of.max(1) as f64);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_counts_rows_as_truth_and_columns_as_reading() {
        let counts = Confusion::count(&[3, 3, 8, 0], &[3, 8, 8, 0]);
        assert_eq!((counts.0[3][3], counts.0[3][8], counts.0[8][3], counts.right(), counts.total()), (1, 1, 0, 3, 4));
        assert_eq!(counts.accuracy(), 0.75);
        let text = counts.text();
        let row = text.lines().nth(5).unwrap();
        assert_eq!(
            row.split_whitespace().collect::<Vec<_>>(),
            "3 . . . 1 . . . . 1 . 50.0 %".split(' ').collect::<Vec<_>>()
        );
    }
}
