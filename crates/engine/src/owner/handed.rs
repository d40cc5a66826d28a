//! The values that an attempt hands on through its progress lines: as many as its stage can keep, whatever it prints.

use indexmap::IndexMap;
use serde_json::Value;

/// More values are not kept.
const MOST: usize = 1_000;
/// Nor more than this of names and values together, bytes of JSON; the same as of the output file.
const MOST_BYTES: usize = super::outputs::LIMIT as usize;
/// What is said where there were more.
pub(super) const TOO_MANY: &str = "it handed on more than 1,000 values, or 1 MiB of them; what came after is left out";

/// The newest value of each name.
#[derive(Debug, Default)]
pub(super) struct Handed {
    values: IndexMap<String, Value>,
    bytes: usize,
    full: bool,
}

impl Handed {
    /// Keeps those for which there is room, and only those in `found`. True where the first was left out.
    pub(super) fn take(&mut self, found: &mut Vec<(String, Value)>) -> bool {
        let before = self.full;
        found.retain(|(name, value)| self.keep(name, value));
        self.full && !before
    }

    fn keep(&mut self, name: &str, value: &Value) -> bool {
        let size = |value: &Value| name.len() + serde_json::to_string(value).map_or(0, |text| text.len());
        let known = self.values.get(name);
        let bytes = self.bytes - known.map_or(0, size) + size(value);
        if bytes > MOST_BYTES || known.is_none() && self.values.len() >= MOST {
            self.full = true;
            return false;
        }
        self.bytes = bytes;
        self.values.insert(name.to_owned(), value.clone());
        true
    }

    /// All of them.
    pub(super) fn values(self) -> IndexMap<String, Value> {
        self.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_has_a_limit_and_the_newest_of_each_name_counts() {
        let mut handed = Handed::default();
        let many = |names: std::ops::Range<usize>, length: usize| -> Vec<(String, Value)> {
            names.map(|n| (format!("k{n}"), Value::String("x".repeat(length)))).collect()
        };
        let mut found = many(0..1_000, 10);
        assert!(!handed.take(&mut found) && found.len() == 1_000);
        let mut more = many(1_000..1_010, 10);
        assert!(handed.take(&mut more) && more.is_empty(), "one name too many");
        assert!(!handed.take(&mut many(1_000..1_010, 10)), "it is said once");
        // A name that is known gets another value, and the old one's room.
        for _ in 0..100 {
            let mut again = many(0..1, 500_000);
            let _ = handed.take(&mut again);
            assert_eq!(again.len(), 1);
        }
        let mut large = many(1..3, 600_000);
        let _ = handed.take(&mut large);
        assert!(large.is_empty(), "over 1 MiB");
        let values = handed.values();
        assert_eq!((values.len(), values["k0"].as_str().map(str::len)), (1_000, Some(500_000)));
    }
}
