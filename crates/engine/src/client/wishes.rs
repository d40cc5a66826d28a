//! Wishes: written down, heard by the owner, answered in the store.
//!
//! Deliberately not here: what they do (the owner's), and whether the present state allows it, which only the owner knows for sure.

use std::time::Duration;

use footplate_core::{ErrorCode, Fault, StageStatus};
use footplate_shim::clock;
use footplate_store::{NewWish, WishStatus};

use super::check;
use super::keeper::Client;
use super::types::{Spot, Wish, WishAnswer, WishRequest};
use crate::bell;
use crate::templates::consent;

impl Client {
    /// Writes a wish down and sees to it that there is an owner. Returns the wish's id. On disk when this returns.
    ///
    /// # Errors
    /// `NotFound` (run, checkpoint), `Ambiguous` (checkpoint), `ConsentMissing`, `Invalid` and `NotFound` for values that could never be
    /// granted; `Storage`. That no owner could be started is an error too; the wish stands.
    pub fn wish(&mut self, mut request: WishRequest) -> Result<String, Fault> {
        let queues: Vec<String> = self.store.read()?.queues()?.into_iter().map(|queue| queue.name).collect();
        check_wish(&request, &queues)?;
        let generation = match request.run {
            None => None,
            Some(number) => match self.store.read()?.run_brief(number)? {
                Some(brief) => Some(brief.generation),
                None => return Err(no_run(number)),
            },
        };
        if let (Some(number), Wish::Start {} | Wish::Retry { .. } | Wish::Resume { .. }) = (request.run, &request.wish)
        {
            // Its template may have been changed since the run was written down.
            let origin = self.definition(number)?;
            if !origin.definition.stages.values().all(|stage| stage.literal) {
                consent::required_again(&self.home, &origin.pipeline_dir)?;
            }
        }
        if let (Some(number), Wish::Resume { from: Some(named), stage } | Wish::Pin { checkpoint: named, stage, .. }) =
            (request.run, &mut request.wish)
        {
            let found = self.checkpoint(number, named, stage.as_deref())?;
            (*named, *stage) = (found.path, Some(found.stage));
        }
        let (kind, args) = request.wish.to_row();
        let id = crate::fresh::uuid().to_string();
        let wish = NewWish { id: id.clone(), run: request.run, generation, kind, args, created_at: clock::wall_ms() };
        self.store.write(|tx| tx.insert_wish(&wish))?;
        self.ensure_owner()?;
        Ok(id)
    }

    /// Allows a template to run ([`consent::give`]); what was held for want of it starts now.
    ///
    /// # Errors
    /// As [`consent::give`]; that no owner could be started where something waits for it. The consent stands.
    pub fn consent(&self, name: &str, hash: &str) -> Result<(), Fault> {
        consent::give(&self.home, name, hash)?;
        if self.store.read()?.open_stages(StageStatus::Held)?.is_empty() {
            return Ok(());
        }
        // Nobody to hear it: a new owner looks at all that is held.
        let _ = bell::ring_for_held(&self.home);
        self.ensure_owner()
    }

    /// What became of a wish; `None` while it is not answered.
    ///
    /// # Errors
    /// `NotFound` where there is no such wish; `Storage`.
    pub fn answer(&self, wish: &str) -> Result<Option<WishAnswer>, Fault> {
        let row = self.store.read()?.wish(wish)?;
        let row = row.ok_or_else(|| Fault::new(ErrorCode::NotFound, format!("There is no wish {wish:?}.")))?;
        let done = match row.status {
            WishStatus::Pending => return Ok(None),
            WishStatus::Done => true,
            WishStatus::Refused => false,
        };
        Ok(Some(WishAnswer { done, code: row.code, message: row.message.unwrap_or_default() }))
    }

    /// Waits for the answer to a wish. `None`: not within `timeout`; the wish stays on record. Where the owner dies
    /// meanwhile, another is started.
    ///
    /// # Errors
    /// As [`Client::answer`].
    pub fn await_answer(&self, wish: &str, timeout: Duration) -> Result<Option<WishAnswer>, Fault> {
        let start = clock::running_ms();
        let limit = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        let mut look_again = 1000;
        loop {
            if let Some(answer) = self.answer(wish)? {
                return Ok(Some(answer));
            }
            let waited = clock::running_ms() - start;
            if waited >= limit {
                return Ok(None);
            }
            if waited >= look_again {
                // Each time twice as late: an owner that cannot stay is not started over and over.
                look_again *= 2;
                self.ensure_owner()?;
            }
            self.wait_for_change(Duration::from_millis((limit - waited).min(250)))?;
        }
    }
}

pub(super) fn no_run(number: i64) -> Fault {
    Fault::new(ErrorCode::NotFound, format!("There is no run #{number}.")).hint("footplate list shows the runs")
}

fn check_wish(request: &WishRequest, queues: &[String]) -> Result<(), Fault> {
    let invalid = |message: String, hint: &str| Err(Fault::new(ErrorCode::Invalid, message).hint(hint));
    let general = matches!(
        request.wish,
        Wish::Queue { .. }
            | Wish::Disk { .. }
            | Wish::Gpus { .. }
            | Wish::Adopt {}
            | Wish::RestoreSeen {}
            | Wish::Schedule { .. }
            | Wish::Schedules { .. }
            | Wish::Clean { .. }
            | Wish::Release { .. }
    );
    if general != request.run.is_none() {
        let (kind, _) = request.wish.to_row();
        let what = if general { "concerns no run" } else { "needs a run" };
        return Err(Fault::new(ErrorCode::Usage, format!("The wish {kind} {what}.")));
    }
    match &request.wish {
        Wish::Move(Spot::At { to: 0 }) => {
            invalid("There is no place 0 in a queue.".into(), "Places count from 1: the next to start.")
        }
        Wish::Set { priority, queue, timeout_ms } => {
            priority.map_or(Ok(()), check::priority)?;
            queue.as_ref().map_or(Ok(()), |name| check::queue(name, queues))?;
            match timeout_ms {
                Some(0) => invalid("A timeout of 0 would stop it at once.".into(), "Write for example 30m or 24h."),
                _ => Ok(()),
            }
        }
        Wish::Rename { name } => check::line("name", name),
        Wish::Tag { add, remove } => add.iter().chain(remove).try_for_each(|tag| check::line("tag", tag)),
        Wish::Queue { name, limit, priority, .. } => {
            if !footplate_spec::is_queue(name) {
                return invalid(
                    format!("{name:?} cannot be a queue's name."),
                    "Write a letter a-z, then up to 63 of a-z, 0-9, _ and -.",
                );
            }
            // `queue pause Q` is for queues that exist; a limit or a priority makes one.
            if limit.is_none() && priority.is_none() {
                check::queue(name, queues)?;
            }
            if *limit == Some(0) {
                return invalid(
                    format!("The limit 0 would let nothing start in queue {name}."),
                    "Write 1 or more; footplate queue pause stops its starts.",
                );
            }
            if priority.is_some_and(|p| !(-1000..=1000).contains(&p)) {
                return invalid(
                    "A queue's priority is a whole number from -1000 to 1000.".into(),
                    "The built-in ones are 1 to 10.",
                );
            }
            Ok(())
        }
        Wish::Cancel { .. }
        | Wish::Pause {}
        | Wish::Unpause {}
        | Wish::Retry { .. }
        | Wish::Resume { .. }
        | Wish::Start {}
        | Wish::Move(_)
        | Wish::CleanCheckpoints {}
        | Wish::Pin { .. }
        | Wish::Dismiss { .. }
        | Wish::Rm { .. }
        | Wish::Disk { .. }
        | Wish::Gpus { .. }
        | Wish::Adopt {}
        | Wish::RestoreSeen {}
        | Wish::Schedule { .. }
        | Wish::Schedules { .. }
        | Wish::Release { .. }
        | Wish::Clean { .. } => Ok(()),
    }
}
