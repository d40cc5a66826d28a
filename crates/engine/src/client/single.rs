//! One run, checked and with its files on disk, for whoever writes it down together with something else: a schedule's starts.

use footplate_core::Fault;
use footplate_store::{Read, StoreError, Tx};

use super::submit::{Desk, Prepared, erase_all, insert};
use super::types::Submit;
use crate::home::Home;

/// A run that is not written down yet.
#[derive(Debug)]
pub(crate) struct Single(Vec<Prepared>);

impl Single {
    /// Checks a run and captures what it needs, as [`super::Client::submit`] does. Nothing of it stands in the store.
    ///
    /// # Errors
    /// As [`super::Client::submit`].
    pub(crate) fn prepare(home: &Home, read: &Read<'_>, submit: Submit) -> Result<Single, Fault> {
        let mut desk = Desk::new(read)?;
        let prepared = desk.prepare(home, submit).and_then(|prepared| desk.make_durable(home).map(|()| prepared));
        if prepared.is_err() {
            erase_all(home, desk.unused_secrets.iter());
        }
        prepared.map(|prepared| Single(vec![prepared]))
    }

    /// Writes it down. Returns its number.
    ///
    /// # Errors
    /// As `Tx::insert_run`; `NotFound` for a run that it was to come after.
    pub(crate) fn write(&mut self, tx: &Tx<'_>) -> Result<i64, StoreError> {
        let numbers = insert(tx, &mut self.0, false)?;
        numbers.first().copied().ok_or_else(|| StoreError::Damaged("a run got no number".to_owned()))
    }

    /// Its id and its name, after it was written down.
    pub(crate) fn written(&self, number: i64) -> Option<footplate_core::view::Submitted> {
        let run = &self.0.first()?.run;
        Some(footplate_core::view::Submitted { id: run.id, number, name: run.name.clone() })
    }

    /// It will not be written down: its files go.
    pub(crate) fn give_up(self, home: &Home) {
        erase_all(home, self.0.iter().filter_map(|prepared| prepared.run.secrets.as_ref()));
    }
}
