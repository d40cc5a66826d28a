//! The table `setting`: words and values of the user's own. What they mean is known to whoever reads them.

use rusqlite::params;

use crate::connection::{Read, Tx};
use crate::error::StoreError;

impl Read<'_> {
    /// The value of a setting; `None` where it was never set.
    ///
    /// # Errors
    /// Those of reading.
    pub fn setting(&self, key: &str) -> Result<Option<String>, StoreError> {
        self.one("SELECT value FROM setting WHERE key = ?1", [key], |r| r.get(0))
    }
}

impl Tx<'_> {
    /// Sets a setting.
    ///
    /// # Errors
    /// A refused row where the key is empty, and those of writing.
    pub fn put_setting(&self, key: &str, value: &str) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO setting (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            params![key, value],
        )?;
        Ok(())
    }

    /// Forgets a setting.
    ///
    /// # Errors
    /// Those of writing.
    pub fn drop_setting(&self, key: &str) -> Result<(), StoreError> {
        self.write("DELETE FROM setting WHERE key = ?1", [key])?;
        Ok(())
    }
}
