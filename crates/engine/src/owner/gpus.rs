//! Which GPUs a stage gets: those that no attempt holds and that nobody else computes on. Looked at only while a stage waits for
//! one; what attempts hold stands in their rows, so that the next owner knows it too.

use std::collections::BTreeSet;

use footplate_core::gpu::{self, Gpu, GpuTaken, TakenBy};
use footplate_core::schedule::Capacity;
use footplate_shim::clock;
use footplate_store::{CapacityRow, Tx};

use super::Trouble;
use super::mind::Mind;
use super::wishes::Refused;
use crate::client::Told;
use crate::gpu::IGNORE_OTHERS;

/// A look that is older says nothing of the present: while a stage waits for a GPU that none of ours holds, they are looked at
/// this often, milliseconds.
const FRESH_MS: u64 = 2_000;

/// The variable by which CUDA is told what it may see.
pub(super) const VISIBLE: &str = "CUDA_VISIBLE_DEVICES";

/// What the owner knows of the GPUs.
#[derive(Default)]
pub(super) struct Gpus {
    seen: Vec<Gpu>,
    /// When, on the running clock.
    seen_at: Option<u64>,
    /// Somebody is looking, since when.
    asked_at: Option<u64>,
    /// A stage has waited for one since they were looked at for it.
    wanted: bool,
    ignore_others: bool,
    taken: Vec<GpuTaken>,
    /// What guests were told is another.
    untold: bool,
}

/// What a stage that starts may choose from.
#[derive(Clone)]
pub(super) struct Pool {
    seen: Vec<Gpu>,
    held: BTreeSet<String>,
    ignore_others: bool,
}

impl Pool {
    /// The GPUs of an attempt that wants so many. `chosen`: what the user set [`VISIBLE`] to; that is what its program will use, and
    /// what is held for it as far as it can be told. `None`: there are not so many free ones.
    pub(super) fn assign(&self, wanted: u32, chosen: Option<&str>) -> Option<Vec<String>> {
        let held = self.held.iter().map(String::as_str).collect();
        match chosen {
            Some(value) => Some(gpu::named(value, &self.seen, wanted)),
            None => gpu::pick(&self.seen, &held, wanted, self.ignore_others),
        }
    }
}

impl Mind {
    /// The setting, from the store.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn read_gpu_settings(&mut self, tx: &Tx<'_>) -> Result<(), Trouble> {
        self.gpus.ignore_others = tx.setting(IGNORE_OTHERS)?.is_some_and(|value| value == "1");
        Ok(())
    }

    /// Takes what was seen, and has somebody look where it is time for that. True where something new was seen.
    pub(super) fn look_at_gpus(&mut self) -> bool {
        let seen = self.meter.gpus();
        let new = seen.is_some();
        if let Some(seen) = seen {
            let most = crate::gpu::count().max(seen.len() as u32);
            self.gpus =
                Gpus { seen, seen_at: Some(clock::running_ms()), asked_at: None, ..std::mem::take(&mut self.gpus) };
            let capacity = self.backlog.capacity();
            if capacity.gpus != most {
                self.backlog.set_capacity(Capacity { gpus: most, ..capacity });
                self.gpus.untold = true;
            }
        }
        self.ask_for_gpus();
        new
    }

    fn ask_for_gpus(&mut self) {
        if self.gpus.asked_at.is_none() && self.gpus_due().is_some_and(|at| at <= clock::running_ms()) {
            self.gpus.asked_at = Some(clock::running_ms());
            self.meter.look_at_gpus();
        }
    }

    /// When the GPUs are to be looked at next, on the running clock; none where nobody waits for them.
    pub(super) fn gpus_due(&self) -> Option<u64> {
        let due = || self.gpus.seen_at.map_or(0, |at| at + FRESH_MS);
        (self.gpus.asked_at.is_none() && self.backlog.waits_for_gpus()).then(due)
    }

    /// Says which GPUs no stage may have now. For before stages are started.
    pub(super) fn weigh_gpus(&mut self) {
        let wanted = std::mem::replace(&mut self.gpus.wanted, self.backlog.waits_for_gpus());
        if !self.gpus.wanted {
            return;
        }
        if !wanted {
            // What was seen for another says nothing of now.
            self.gpus.seen_at = None;
        }
        let fresh = self.gpus.seen_at.is_some_and(|at| clock::running_ms() < at + FRESH_MS);
        let seen = self.gpus.seen.as_slice();
        let held = self.held_gpus();
        let held = held.iter().map(String::as_str).collect();
        let mut taken = gpu::taken(seen, &held, self.backlog.capacity().gpus, self.gpus.ignore_others);
        if !fresh {
            // What stood in the way may still; what was free is not known to be.
            let known =
                |gpu: &&Gpu| gpu.silent || held.contains(gpu.id.as_str()) || taken.iter().any(|t| t.index == gpu.index);
            let free: Vec<u32> = seen.iter().filter(|gpu| !known(gpu)).map(|gpu| gpu.index).collect();
            taken.extend(free.into_iter().map(|index| GpuTaken { index, by: TakenBy::Unseen }));
        }
        if taken != self.gpus.taken {
            self.gpus.untold = true;
            self.gpus.taken.clone_from(&taken);
        }
        self.backlog.set_gpus_taken(taken.into());
        self.ask_for_gpus();
    }

    /// The free GPUs were fewer than they seemed: they are looked at again before the next stage gets one.
    pub(super) fn doubt_gpus(&mut self) {
        self.gpus.seen.clear();
        self.weigh_gpus();
    }

    pub(super) fn gpu_pool(&self) -> Pool {
        Pool { seen: self.gpus.seen.clone(), held: self.held_gpus(), ignore_others: self.gpus.ignore_others }
    }

    fn held_gpus(&self) -> BTreeSet<String> {
        self.live.values().flat_map(|live| live.gpus.iter().cloned()).collect()
    }

    /// Tells guests, where there is something else to tell.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn tell_gpus(&mut self, tx: &Tx<'_>) -> Result<(), Trouble> {
        if std::mem::take(&mut self.gpus.untold) {
            tx.put_capacity(&self.announcement())?;
        }
        Ok(())
    }

    /// What guests are told of the machine.
    pub(super) fn announcement(&self) -> CapacityRow {
        let Capacity { cpus, memory, gpus } = self.backlog.capacity();
        let told = Told { cpus, memory, gpus, taken: self.gpus.taken.clone() };
        CapacityRow {
            pid: std::process::id(),
            version: super::lock::VERSION.to_owned(),
            data: serde_json::to_string(&told).unwrap_or_default(),
            updated_at: self.now.0,
        }
    }

    /// Grants the wish to count processes of others, or not to.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn set_gpus(
        &mut self,
        tx: &Tx<'_>,
        ignore_others: bool,
    ) -> Result<Result<Option<String>, Refused>, Trouble> {
        tx.put_setting(IGNORE_OTHERS, if ignore_others { "1" } else { "0" })?;
        self.read_gpu_settings(tx)?;
        Ok(Ok(Some(match ignore_others {
            true => "a GPU that programs of others use may be given to a stage".to_owned(),
            false => "a GPU that a program of others computes on is given to no stage".to_owned(),
        })))
    }
}
