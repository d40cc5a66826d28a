//! The store belongs to a machine. On another one (moved, cloned) all queues are paused until somebody says that this is the same
//! work, moved here: on the machine it came from it may still be going on.

use footplate_core::storage::Moved;
use footplate_core::{ErrorCode, UtcMs};
use footplate_store::{QueueChange, Tx};

use super::Trouble;
use super::mind::Mind;
use super::wishes::Refused;
use crate::machine_id::{ASKED, Asked, machine_id};
use crate::rescue::REPORT;

/// The setting that names the machine which the store belongs to.
pub(crate) const MACHINE: &str = "machine.id";

impl Mind {
    /// Sees to it that the store belongs to this machine, or that the question is asked. For the beginning, before the queues are read.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn look_at_machine(&mut self, tx: &Tx<'_>) -> Result<(), Trouble> {
        // Where the system has no name for the machine nothing can be told.
        let Some(here) = machine_id() else { return Ok(()) };
        let asked = read_question(tx)?;
        match tx.setting(MACHINE)? {
            None => tx.put_setting(MACHINE, here)?,
            // It came back, or nothing happened.
            Some(home) if home == here => {
                if let Some(asked) = asked {
                    self.unpause(tx, &asked.moved)?;
                }
            }
            Some(_) if asked.as_ref().is_some_and(|asked| asked.machine == here) => {}
            Some(_) => {
                let mut queues: Vec<String> = asked.map(|asked| asked.moved.queues).unwrap_or_default();
                for queue in tx.queues()?.into_iter().filter(|queue| !queue.paused) {
                    let change = QueueChange { paused: Some(true), ..QueueChange::default() };
                    tx.put_queue(&queue.name, &change, self.now.0)?;
                    queues.push(queue.name);
                }
                let moved = Moved { at: UtcMs(self.now.0), queues };
                let asked = Asked { machine: here.to_owned(), moved };
                tx.put_setting(ASKED, &serde_json::to_string(&asked).unwrap_or_default())?;
            }
        }
        Ok(())
    }

    /// Grants the wish to go on here with the work of another machine.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn adopt(&mut self, tx: &Tx<'_>) -> Result<Result<Option<String>, Refused>, Trouble> {
        let (Some(asked), Some(here)) = (read_question(tx)?, machine_id()) else {
            let text = "The data folder belongs to this machine already; nothing waits for that".to_owned();
            return Ok(Err((ErrorCode::Conflict, text)));
        };
        tx.put_setting(MACHINE, here)?;
        self.unpause(tx, &asked.moved)?;
        self.read_queues(tx)?;
        Ok(Ok(Some(match asked.moved.queues.is_empty() {
            true => "The work goes on on this machine; its queues were paused before, and stay so".to_owned(),
            false => format!("The work goes on on this machine; unpaused: {}", asked.moved.queues.join(", ")),
        })))
    }

    fn unpause(&mut self, tx: &Tx<'_>, moved: &Moved) -> Result<(), Trouble> {
        for name in &moved.queues {
            let change = QueueChange { paused: Some(false), ..QueueChange::default() };
            tx.put_queue(name, &change, self.now.0)?;
        }
        tx.drop_setting(ASKED)?;
        Ok(())
    }

    /// Grants the wish to hear no more of the last restore.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn forget_restore(&mut self, tx: &Tx<'_>) -> Result<Result<Option<String>, Refused>, Trouble> {
        if tx.setting(REPORT)?.is_none() {
            return Ok(Err((ErrorCode::Conflict, "There is no report of a restore".to_owned())));
        }
        tx.drop_setting(REPORT)?;
        Ok(Ok(Some("The report of the restore is put away".to_owned())))
    }
}

fn read_question(tx: &Tx<'_>) -> Result<Option<Asked>, Trouble> {
    Ok(tx.setting(ASKED)?.and_then(|text| serde_json::from_str(&text).ok()))
}
