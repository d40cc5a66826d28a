//! Lists of runs, and runs by what people type. Nothing here is a pattern or a path: texts are bound, wildcards escaped.

use footplate_core::{RunId, RunStatus};
use rusqlite::{params, params_from_iter, types::Value};

use crate::connection::Read;
use crate::error::StoreError;
use crate::row;
use crate::run::{COLUMNS, RunRow, from_row};

/// Which runs to list, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListQuery {
    /// Any of these; all where it is empty.
    pub statuses: Vec<RunStatus>,
    /// The run's own queue.
    pub queue: Option<String>,
    /// The experiment.
    pub experiment: Option<String>,
    /// One of its tags, exactly.
    pub tag: Option<String>,
    /// A part of the name or of the pipeline's name; capitals (of ASCII) do not matter, and nothing in it is a wildcard.
    pub search: Option<String>,
    /// At most so many.
    pub limit: u32,
    /// Leaves out so many of the newest.
    pub offset: u64,
}

impl Default for ListQuery {
    /// The 50 newest of all.
    fn default() -> Self {
        ListQuery { statuses: Vec::new(), queue: None, experiment: None, tag: None, search: None, limit: 50, offset: 0 }
    }
}

/// A run that a text may mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its number.
    pub number: i64,
    /// UUIDv7.
    pub id: RunId,
    /// Its name.
    pub name: String,
    /// Its status.
    pub status: RunStatus,
}

/// What a text may mean; at most ten of each, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matches {
    /// `142` or `#142`.
    pub number: Option<Found>,
    /// A whole id, with hyphens or without.
    pub id: Option<Found>,
    /// The id begins so (4 digits or more).
    pub prefix: Vec<Found>,
    /// The id ends so (4 digits or more).
    pub suffix: Vec<Found>,
    /// The run's name, exactly.
    pub name: Vec<Found>,
}

impl Matches {
    /// True where nothing fits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.number.is_none()
            && self.id.is_none()
            && self.prefix.is_empty()
            && self.suffix.is_empty()
            && self.name.is_empty()
    }
}

const MOST: u32 = 10;
/// Digits of an id's end that the column `id_tail` holds.
const TAIL_DIGITS: usize = 12;

impl Read<'_> {
    /// One page of runs, newest first, without their definitions, and how many there are in all.
    ///
    /// # Errors
    /// Those of reading.
    pub fn list(&self, query: &ListQuery) -> Result<(Vec<RunRow>, u64), StoreError> {
        if query.tag.is_some() || query.search.as_ref().is_some_and(|text| !text.is_empty()) {
            return self.searched(query);
        }
        let total = self.total(query)?;
        let wanted = total.saturating_sub(query.offset).min(u64::from(query.limit));
        if wanted == 0 {
            return Ok((Vec::new(), total));
        }
        // Stopping at the number that the total says keeps a rare queue from costing a walk through all of history.
        let (from, values) = page(query, wanted);
        let sql = format!(
            "SELECT {COLUMNS} FROM ({from}) AS page JOIN run r ON r.number = page.number
             JOIN run_body b ON b.run = page.number ORDER BY page.number DESC"
        );
        Ok((self.all(&sql, params_from_iter(values), from_row)?, total))
    }

    /// The index of names says which runs come into question; each of them, and those too new for it, are compared. Where it
    /// does not help, one walk over all names says both how many there are and which.
    fn searched(&self, query: &ListQuery) -> Result<(Vec<RunRow>, u64), StoreError> {
        let (condition, mut values) = condition(query, "experiment");
        // A tag is searched as it is written: its quotes and backslashes are not.
        let tag = query.tag.as_deref().filter(|tag| !tag.contains(['"', '\\']) && tag.chars().all(|c| !c.is_control()));
        let text = query.search.as_deref().filter(|text| !text.is_empty()).or(tag);
        let asked = text.map(|text| self.in_question(text)).transpose()?.flatten();
        let sql = match asked {
            None => format!("SELECT number FROM run {condition}"),
            Some(numbers) => {
                values.extend([Value::from(numbers), Value::from(self.named()?)]);
                let (list, named) = (values.len() - 1, values.len());
                format!(
                    "SELECT number FROM run {condition} AND number IN (SELECT value FROM json_each(?{list}))
                     UNION ALL SELECT number FROM run {condition} AND number > ?{named}"
                )
            }
        };
        let mut numbers: Vec<i64> = self.all(&sql, params_from_iter(values), |r| r.get(0))?;
        numbers.sort_unstable_by(|a, b| b.cmp(a));
        let offset = usize::try_from(query.offset).unwrap_or(usize::MAX);
        let sql = format!("SELECT {COLUMNS} FROM run r JOIN run_body b ON b.run = r.number WHERE r.number = ?1");
        let mut rows = Vec::new();
        for number in numbers.iter().skip(offset).take(query.limit as usize) {
            rows.extend(self.one(&sql, [number], from_row)?);
        }
        Ok((rows, numbers.len() as u64))
    }

    fn total(&self, query: &ListQuery) -> Result<u64, StoreError> {
        let (condition, values) = condition(query, "coalesce(experiment, '')");
        let sql = format!("SELECT coalesce(sum(runs), 0) FROM run_count {condition}");
        Ok(self.one(&sql, params_from_iter(values), |r| row::unsigned(r, 0))?.unwrap_or(0))
    }

    /// How many runs there are of each status; those without any are left out.
    ///
    /// # Errors
    /// Those of reading.
    pub fn counts(&self) -> Result<Vec<(RunStatus, u64)>, StoreError> {
        self.all("SELECT status, sum(runs) FROM run_count GROUP BY status HAVING sum(runs) > 0", [], |r| {
            Ok((row::word(r, 0)?, row::unsigned(r, 1)?))
        })
    }

    /// Experiments and how many runs each has, most runs first, at most `limit`.
    ///
    /// # Errors
    /// Those of reading.
    pub fn experiments(&self, limit: u32) -> Result<Vec<(String, u64)>, StoreError> {
        self.all(
            "SELECT experiment, sum(runs) AS runs FROM run_count WHERE experiment <> ''
             GROUP BY experiment HAVING runs > 0 ORDER BY runs DESC, experiment LIMIT ?1",
            [limit],
            |r| Ok((r.get(0)?, row::unsigned(r, 1)?)),
        )
    }

    /// Whether a run belongs, or ever belonged, to this experiment.
    ///
    /// # Errors
    /// Those of reading.
    pub fn has_experiment(&self, name: &str) -> Result<bool, StoreError> {
        Ok(self.one("SELECT 1 FROM run_count WHERE experiment = ?1 LIMIT 1", [name], |_| Ok(()))?.is_some())
    }

    /// Ended runs whose end is before `ms`, oldest end first.
    ///
    /// # Errors
    /// Those of reading.
    pub fn ended_before(&self, ms: i64, limit: u32) -> Result<Vec<(i64, RunId)>, StoreError> {
        self.all(
            "SELECT number, id FROM run
             WHERE finished_at IS NOT NULL AND finished_at < ?1
               AND +status IN ('completed','failed','cancelled','interrupted')
             ORDER BY finished_at LIMIT ?2",
            params![ms, limit],
            |r| Ok((r.get(0)?, row::run_id(r, 1)?)),
        )
    }

    /// All that a text typed by a person may mean. Any text is safe.
    ///
    /// # Errors
    /// Those of reading.
    pub fn find_runs(&self, text: &str) -> Result<Matches, StoreError> {
        let mut matches = Matches::default();
        let digits = text.strip_prefix('#').unwrap_or(text);
        // Nobody writes a number with a zero before it, but every id of these years begins so.
        if !digits.starts_with('0')
            && digits.bytes().all(|b| b.is_ascii_digit())
            && let Ok(number) = digits.parse::<i64>()
        {
            matches.number = self.found("number = ?1", [Value::from(number)])?.pop();
        }
        if let Some(hex) = hex_of(text) {
            if hex.len() == 32 {
                matches.id = self.found("id = ?1", [Value::from(hyphened(&hex))])?.pop();
            } else if hex.len() >= 4 {
                let prefix = hyphened(&hex);
                // Every character of an id sorts before `g`.
                let end = format!("{prefix}g");
                matches.prefix = self.found("id >= ?1 AND id < ?2", [Value::from(prefix), Value::from(end)])?;
                matches.suffix = self.by_suffix(&hex)?;
            }
        }
        if !text.is_empty() {
            matches.name = self.found("name = ?1", [Value::from(text.to_owned())])?;
        }
        Ok(matches)
    }

    fn by_suffix(&self, hex: &str) -> Result<Vec<Found>, StoreError> {
        let mut low: i64 = 0;
        let known = hex.len().min(TAIL_DIGITS);
        for digit in hex.bytes().rev().take(known) {
            low = low << 4 | i64::from((digit as char).to_digit(16).unwrap_or(0));
        }
        let free = 4 * (TAIL_DIGITS - known);
        let (low, high) = (low << free, (low + 1) << free);
        self.found(
            "id_tail >= ?1 AND id_tail < ?2 AND replace(id, '-', '') LIKE '%' || ?3",
            [Value::from(low), Value::from(high), Value::from(hex.to_owned())],
        )
    }

    fn found<const N: usize>(&self, condition: &str, values: [Value; N]) -> Result<Vec<Found>, StoreError> {
        let sql =
            format!("SELECT number, id, name, status FROM run WHERE {condition} ORDER BY number DESC LIMIT {MOST}");
        self.all(&sql, params_from_iter(values), |r| {
            Ok(Found { number: r.get(0)?, id: row::run_id(r, 1)?, name: r.get(2)?, status: row::word(r, 3)? })
        })
    }
}

/// The digits of a text that may be a part of an id.
fn hex_of(text: &str) -> Option<String> {
    let hex: String = text.chars().filter(|c| *c != '-').map(|c| c.to_ascii_lowercase()).collect();
    (!hex.is_empty() && hex.len() <= 32 && hex.bytes().all(|b| b.is_ascii_hexdigit())).then_some(hex)
}

fn hyphened(hex: &str) -> String {
    let mut text = String::with_capacity(36);
    for (index, digit) in hex.chars().enumerate() {
        if matches!(index, 8 | 12 | 16 | 20) {
            text.push('-');
        }
        text.push(digit);
    }
    text
}

/// `WHERE ...` and its values, numbered from 1. `experiment`: how the column is spelled in the table asked.
fn condition(query: &ListQuery, experiment: &str) -> (String, Vec<Value>) {
    let mut parts: Vec<String> = Vec::new();
    let mut values: Vec<Value> = Vec::new();
    let mut bind = |value: Value| {
        values.push(value);
        values.len()
    };
    if !query.statuses.is_empty() {
        let places: Vec<String> =
            query.statuses.iter().map(|s| format!("?{}", bind(Value::from(s.as_str().to_owned())))).collect();
        parts.push(format!("status IN ({})", places.join(", ")));
    }
    if let Some(queue) = &query.queue {
        parts.push(format!("queue = ?{}", bind(Value::from(queue.clone()))));
    }
    if let Some(name) = &query.experiment {
        parts.push(format!("{experiment} = ?{}", bind(Value::from(name.clone()))));
    }
    if let Some(tag) = &query.tag {
        parts.push(format!("EXISTS (SELECT 1 FROM json_each(tags) WHERE value = ?{})", bind(Value::from(tag.clone()))));
    }
    if let Some(text) = query.search.as_ref().filter(|text| !text.is_empty()) {
        let place = bind(Value::from(pattern(text)));
        parts.push(format!(
            "(name LIKE ?{place} ESCAPE '\\' OR pipeline LIKE ?{place} ESCAPE '\\' OR tags LIKE ?{place} ESCAPE '\\')"
        ));
    }
    let text = if parts.is_empty() { String::new() } else { format!("WHERE {}", parts.join(" AND ")) };
    (text, values)
}

fn pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// The statement that yields the numbers of the page, and its values.
fn page(query: &ListQuery, wanted: u64) -> (String, Vec<Value>) {
    let plain =
        query.queue.is_none() && query.experiment.is_none() && query.search.as_ref().is_none_or(String::is_empty);
    let (limit, offset) = (row::signed(wanted), row::signed(query.offset));
    if plain && !query.statuses.is_empty() {
        // One walk along the index for each status, each no longer than the page reaches.
        let reach = limit.saturating_add(offset);
        let mut statuses = query.statuses.clone();
        statuses.sort_unstable();
        statuses.dedup();
        let walks: Vec<String> = (1..=statuses.len())
            .map(|place| {
                format!(
                    "SELECT * FROM (SELECT number FROM run WHERE status = ?{place} ORDER BY number DESC LIMIT {reach})"
                )
            })
            .collect();
        let values = statuses.iter().map(|s| Value::from(s.as_str().to_owned())).collect();
        return (format!("{} ORDER BY number DESC LIMIT {limit} OFFSET {offset}", walks.join(" UNION ALL ")), values);
    }
    let (condition, values) = condition(query, "experiment");
    // NOT INDEXED: newest first along the table itself, so that it ends as soon as the page is full.
    (
        format!("SELECT number FROM run NOT INDEXED {condition} ORDER BY number DESC LIMIT {limit} OFFSET {offset}"),
        values,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_ids_are_read_with_and_without_hyphens() {
        assert_eq!(hex_of("0192F0E4-b1"), Some("0192f0e4b1".to_owned()));
        assert_eq!(hyphened("0192f0e4b1"), "0192f0e4-b1");
        for no in ["", "-", "xyz", "0192f0e4b1aa4c5d8e6f001122334455a", "../..", "'; DROP TABLE run; --"] {
            assert_eq!(hex_of(no), None, "{no}");
        }
    }

    #[test]
    fn nothing_in_a_search_is_a_wildcard() {
        assert_eq!(pattern(r"50%_\x"), r"%50\%\_\\x%");
    }
}
