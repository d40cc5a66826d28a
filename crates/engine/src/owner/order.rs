//! A run's place among those that wait in its queue.

use footplate_core::{ErrorCode, RunStatus, StageStatus};
use footplate_store::Tx;

use super::Trouble;
use super::mind::Mind;
use super::wishes::Refused;
use crate::client::Spot;

/// Between two runs that were put in a row.
const APART: i64 = 1024;

impl Mind {
    /// Only runs of one priority have an order that can be changed. Runs that have begun have no place any more, though stages
    /// of theirs may be queued.
    pub(super) fn move_to(
        &mut self,
        tx: &Tx<'_>,
        number: i64,
        spot: &Spot,
    ) -> Result<Result<Option<String>, Refused>, Trouble> {
        let run = self.run(tx, number)?;
        let Some(queue) = run.rows.iter().find(|r| r.status == StageStatus::Queued).map(|r| r.queue.clone()) else {
            return Ok(Err((ErrorCode::Conflict, format!("#{number} is {}: nothing of it is queued", run.row.status))));
        };
        let (priority, own) = (run.row.priority, run.row.order_key);
        let mut others: Vec<(i64, i64)> = Vec::new();
        for (key, of, order) in self.backlog.queue_ranks(&queue) {
            let begun = self.runs.get(&key.run).is_some_and(|known| known.row.status == RunStatus::Running);
            if key.run != number && of == priority && !begun && others.last().is_none_or(|other| other.0 != key.run) {
                others.push((key.run, order));
            }
        }
        let place = match *spot {
            Spot::At { to } => (to.max(1) as usize - 1).min(others.len()),
            Spot::Before { before: other } | Spot::After { after: other } => {
                let (of, order) = match self.waits(tx, number, other)? {
                    Ok(found) => found,
                    Err(refused) => return Ok(Err(refused)),
                };
                let after = matches!(spot, Spot::After { .. });
                // Of another priority: all of ours come before it, or after it.
                others.partition_point(|&(run, key)| match of.cmp(&priority) {
                    std::cmp::Ordering::Less => true,
                    std::cmp::Ordering::Greater => false,
                    std::cmp::Ordering::Equal => (key, run) < (order, other) || after && run == other,
                })
            }
        };
        let before = place.checked_sub(1).and_then(|i| others.get(i)).map(|o| o.1);
        let after = others.get(place).map(|o| o.1);
        let order = match (before, after) {
            (Some(b), Some(a)) if a - b > 1 => b + (a - b) / 2,
            (Some(_), Some(_)) => return self.respace(tx, number, place, &others, &queue),
            (Some(b), None) => b + APART,
            (None, Some(a)) => a - APART,
            (None, None) => own,
        };
        self.set_order(tx, number, order)?;
        Ok(Ok(Some(format!("#{number} is at place {} in {queue}", place + 1))))
    }

    /// The priority and the order of another run that waits.
    fn waits(&mut self, tx: &Tx<'_>, number: i64, other: i64) -> Result<Result<(i32, i64), Refused>, Trouble> {
        if other == number {
            return Ok(Err((ErrorCode::Invalid, format!("#{number} cannot be moved beside itself"))));
        }
        let Some(row) = tx.run(other)? else {
            return Ok(Err((ErrorCode::NotFound, format!("There is no run #{other}"))));
        };
        if !matches!(row.status, RunStatus::Queued | RunStatus::Paused | RunStatus::Running) {
            return Ok(Err((ErrorCode::Conflict, format!("#{other} is {}: it waits in no queue", row.status))));
        }
        Ok(Ok((row.priority, row.order_key)))
    }

    /// No key is left between two neighbours: all of them get new ones.
    fn respace(
        &mut self,
        tx: &Tx<'_>,
        number: i64,
        place: usize,
        others: &[(i64, i64)],
        queue: &str,
    ) -> Result<Result<Option<String>, Refused>, Trouble> {
        let mut order: Vec<i64> = others.iter().map(|o| o.0).collect();
        order.insert(place, number);
        let first = others.first().map_or(0, |o| o.1);
        for (index, run) in order.into_iter().enumerate() {
            self.set_order(tx, run, first + index as i64 * APART)?;
        }
        Ok(Ok(Some(format!("#{number} is at place {} in {queue}", place + 1))))
    }

    fn set_order(&mut self, tx: &Tx<'_>, number: i64, order: i64) -> Result<(), Trouble> {
        tx.set_order_key(number, order, self.now.0)?;
        let run = self.run(tx, number)?;
        run.row.order_key = order;
        let priority = run.row.priority;
        self.backlog.set_run(number, priority, order);
        self.touched.insert(number);
        Ok(())
    }
}
