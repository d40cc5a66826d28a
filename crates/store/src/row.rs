//! How words, JSON and unsigned numbers are read from columns and written to them.

use std::str::FromStr;

use footplate_core::{ErrorCode, RunId};
use rusqlite::Row;
use rusqlite::types::Type;
use serde::Serialize;
use serde::de::DeserializeOwned;

fn bad(column: usize, what: String) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, what.into())
}

/// A status.
pub(crate) fn word<T: FromStr>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    text.parse().map_err(|_| bad(column, format!("{text:?} is not one of the words expected")))
}

pub(crate) fn maybe_word<T: FromStr>(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<T>> {
    match row.get_ref(column)?.as_str_or_null()? {
        None => Ok(None),
        Some(_) => word(row, column).map(Some),
    }
}

/// A code; one of a newer version reads as `conflict` rather than making the row unreadable.
pub(crate) fn code(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<ErrorCode>> {
    Ok(row.get_ref(column)?.as_str_or_null()?.map(|text| text.parse().unwrap_or(ErrorCode::Conflict)))
}

pub(crate) fn run_id(row: &Row<'_>, column: usize) -> rusqlite::Result<RunId> {
    word(row, column)
}

pub(crate) fn json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    serde_json::from_str(row.get_ref(column)?.as_str()?).map_err(|e| bad(column, e.to_string()))
}

/// A list that is NULL or `[]` where it is empty.
pub(crate) fn list<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<Vec<T>> {
    match row.get_ref(column)?.as_str_or_null()? {
        None | Some("[]") => Ok(Vec::new()),
        Some(_) => json(row, column),
    }
}

pub(crate) fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(column)?;
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, value))
}

pub(crate) fn maybe_unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<u64>> {
    match row.get::<_, Option<i64>>(column)? {
        None => Ok(None),
        Some(_) => unsigned(row, column).map(Some),
    }
}

/// SQLite's integers are signed; nothing we count comes near the difference.
pub(crate) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// JSON text of something that always has one.
pub(crate) fn to_json<T: Serialize + ?Sized>(value: &T) -> Result<String, rusqlite::Error> {
    serde_json::to_string(value).map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))
}
