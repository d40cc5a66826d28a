//! Runs that come after others: the gate that keeps one from beginning before those it waits for have a result.

use footplate_core::event::Event;
use footplate_core::schedule::RunGate;
use footplate_core::state::stage::StageInput;
use footplate_core::{ErrorCode, RunStatus};
use footplate_store::{After, StageChange, Tx};

use super::Trouble;
use super::mind::Mind;

impl Mind {
    /// Opens, or cancels, the runs that come after this one.
    pub(super) fn after_result(&mut self, tx: &Tx<'_>, number: i64) -> Result<(), Trouble> {
        for waiting in self.after.remove(&number).unwrap_or_default() {
            self.backlog.open_gate(waiting, RunGate::After { run: number });
            let Some(row) = tx.run(waiting)? else { continue };
            self.gate_after(tx, waiting, &row.after)?;
        }
        Ok(())
    }

    /// Closes a run's gate while a run it comes after has no result; cancels it where one did not complete and had to.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn gate_after(&mut self, tx: &Tx<'_>, number: i64, after: &[After]) -> Result<(), Trouble> {
        let mut awaited = None;
        for one in after {
            match self.outcome(tx, one.run)? {
                None => awaited = awaited.or(Some(one.run)),
                Some(RunStatus::Completed) => {}
                Some(_) if one.ok_only => return self.cancel_after_failed(tx, number, one.run),
                Some(_) => {}
            }
        }
        if let Some(run) = awaited {
            self.after.entry(run).or_default().insert(number);
            self.backlog.close_run(number, RunGate::After { run });
        }
        Ok(())
    }

    fn cancel_after_failed(&mut self, tx: &Tx<'_>, number: i64, awaited: i64) -> Result<(), Trouble> {
        let run = self.run(tx, number)?;
        if run.row.status.is_ended() {
            return Ok(());
        }
        run.row.after_failed = true;
        let (draft, paused) = (run.row.draft, run.row.paused);
        tx.set_run_flags(number, draft, paused, true)?;
        let text = format!("it comes after run #{awaited}, which did not complete");
        tx.append(Some(number), &Event::Note { stage: None, text: text.clone() }, self.now.0)?;
        for key in self.startable(tx, number)? {
            let text = text.clone();
            self.move_stage(tx, key, StageInput::Cancel, |c| StageChange {
                code: Some(ErrorCode::AfterFailed),
                detail: Some(text),
                ..c
            })?;
        }
        self.touched.insert(number);
        Ok(())
    }

    /// A run that is done again waits for those that still have no result, if it never began. What did not complete is no reason any
    /// more not to begin: who asks for it has seen that.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn wait_again(&mut self, tx: &Tx<'_>, number: i64) -> Result<(), Trouble> {
        let run = self.run(tx, number)?;
        if run.row.after.is_empty() || run.row.started_at.is_some() {
            return Ok(());
        }
        let before = run.row.after.clone();
        let mut after = Vec::new();
        for one in &before {
            if self.outcome(tx, one.run)?.is_none() {
                after.push(*one);
            }
        }
        if after != before {
            tx.set_after(number, &after)?;
            self.run(tx, number)?.row.after.clone_from(&after);
        }
        self.gate_after(tx, number, &after)
    }

    /// A draft was removed: it has no result and will have none, so what had to come after its success does not.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn never_ran(&mut self, tx: &Tx<'_>, number: i64) -> Result<(), Trouble> {
        for waiting in self.after.remove(&number).unwrap_or_default() {
            self.backlog.open_gate(waiting, RunGate::After { run: number });
            let Some(row) = tx.run(waiting)? else { continue };
            if row.after.iter().any(|one| one.run == number && one.ok_only) {
                self.cancel_after_failed(tx, waiting, number)?;
            } else {
                self.gate_after(tx, waiting, &row.after)?;
            }
        }
        Ok(())
    }

    /// How a run ended; none: not yet. A run that was removed had ended.
    fn outcome(&self, tx: &Tx<'_>, number: i64) -> Result<Option<RunStatus>, Trouble> {
        Ok(match self.runs.get(&number) {
            Some(run) => run.row.result,
            None => tx.run(number)?.map_or(Some(RunStatus::Completed), |row| row.result),
        })
    }
}
