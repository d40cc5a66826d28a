//! The index of names, by three letters in a row: which runs a search has to look at. Filled by the owner, some behind the newest.

use rusqlite::params;

use crate::connection::{Read, Tx};
use crate::error::StoreError;

/// More runs than this in question, and a walk along all names costs less.
const MOST: usize = 5_000;
/// So many rows of letters are asked for at most; the rest of a long text is compared.
const MOST_PARTS: usize = 16;

impl Read<'_> {
    /// The newest run that is in the index of names, or was; 0 before the first.
    ///
    /// # Errors
    /// Those of reading.
    pub fn named(&self) -> Result<i64, StoreError> {
        Ok(self.one("SELECT number FROM named", [], |r| r.get(0))?.unwrap_or(0))
    }

    /// The runs whose words hold all letters that the index is asked for, as a JSON list: those in question for a text. `None` where the
    /// index does not help: the text is too short, or in too many runs.
    pub(crate) fn in_question(&self, text: &str) -> Result<Option<String>, StoreError> {
        let Some(asked) = parts(text) else { return Ok(None) };
        let numbers: Vec<i64> = self.all(
            "SELECT rowid FROM run_text WHERE run_text MATCH ?1 LIMIT ?2",
            params![asked, MOST as i64 + 1],
            |r| r.get(0),
        )?;
        Ok((numbers.len() <= MOST).then(|| format!("{numbers:?}")))
    }
}

impl Tx<'_> {
    /// Takes more runs into the index of names, at most `limit` and none after `newest`, the oldest first. Returns the newest
    /// that is in it now.
    ///
    /// # Errors
    /// Those of writing.
    pub fn name_runs(&self, newest: i64, limit: u32) -> Result<i64, StoreError> {
        let from = self.named()?;
        // By the number, not by the rows: where thousands were removed, a step may find none.
        let to = newest.min(from.saturating_add(i64::from(limit)));
        self.write(
            "INSERT INTO run_text (rowid, words)
             SELECT number, name || char(10) || pipeline || char(10) || tags FROM run WHERE number > ?1 AND number <= ?2",
            params![from, to],
        )?;
        self.write("UPDATE named SET number = ?1", [to])?;
        Ok(to)
    }
}

/// The text's letters by threes, as the index is asked for all of them: each letter once, since each more that is asked for costs a step
/// for each run that has the rarest, and what is found is compared anyway. Its form: <https://sqlite.org/fts5.html#the_trigram_tokenizer>.
fn parts(text: &str) -> Option<String> {
    let letters: Vec<char> = text.chars().collect();
    if letters.contains(&'\0') {
        return None;
    }
    let last = letters.len().checked_sub(3)?;
    let quoted = |at: usize| format!("\"{}\"", letters[at..at + 3].iter().collect::<String>().replace('"', "\"\""));
    let places = (0..last).step_by(3).take(MOST_PARTS).chain([last]);
    Some(places.map(quoted).collect::<Vec<_>>().join(" AND "))
}
