//! The backlog: what is queued, what runs, and which starts next.
//!
//! Cost of `next`: O(log n) where the first has room or no core is free; else one step more for each distinct demand that the free cores
//! would do for; one comparison where nothing has changed since it last found nothing. `push`, `remove`, `ended`: O(log n).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::line::{Place, Queue, Rank};
use super::{Capacity, Demand, Entry, GpuTaken, KEEP_ROOM_AFTER_MS, QueueRule, RunGate, StartsHeld, Why};
use crate::id::StageKey;
use crate::time::UtcMs;

/// Queued and running stages, the rules of their queues, and the machine's room.
#[derive(Debug)]
pub struct Backlog {
    capacity: Capacity,
    max: Option<u32>,
    held: Option<StartsHeld>,
    queues: Vec<Queue>,
    by_name: HashMap<Arc<str>, usize>,
    slots: BTreeMap<StageKey, Slot>,
    running: HashMap<StageKey, Running>,
    gates: HashMap<i64, BTreeSet<RunGate>>,
    /// Who waits for a folder, and for whom.
    behind: BTreeMap<StageKey, StageKey>,
    used: Used,
    /// GPUs that no stage of ours holds and none may have.
    taken: Arc<[GpuTaken]>,
    /// Something changed since `next` last found nothing.
    changed: bool,
}

/// A queued stage.
#[derive(Clone, Copy, Debug)]
struct Slot {
    queue: usize,
    rank: Rank,
    demand: Demand,
    not_before: Option<UtcMs>,
    filed: Filed,
    /// Since when it has waited for room, from the first time it was found at the head.
    head_since: Option<UtcMs>,
    /// Room is kept for it whenever it is at the head. Sticky, so that a clock set back changes nothing.
    kept: bool,
}

/// Where a queued stage stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Filed {
    /// In its queue's line.
    Line,
    /// Due at a known time.
    Timed(UtcMs),
    /// Its run is closed, its demand is over the capacity, or its last attempt has not ended.
    Aside,
}

#[derive(Clone, Copy, Debug)]
struct Running {
    queue: usize,
    demand: Demand,
}

/// Sums over what runs. May be over the capacity: what was found running counts, whatever it takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Used {
    cpus: u64,
    memory: u128,
    gpus: u64,
}

impl Used {
    fn add(&mut self, demand: Demand) {
        self.cpus += u64::from(demand.cpus);
        self.memory += u128::from(demand.memory);
        self.gpus += u64::from(demand.gpus);
    }

    fn subtract(&mut self, demand: Demand) {
        self.cpus -= u64::from(demand.cpus);
        self.memory -= u128::from(demand.memory);
        self.gpus -= u64::from(demand.gpus);
    }
}

/// What lacks room.
#[derive(Clone, Copy)]
enum Lacking {
    Cpus,
    Memory,
    Gpus,
}

impl Backlog {
    /// An empty backlog on a machine with this room, without queues.
    #[must_use]
    pub fn new(capacity: Capacity) -> Self {
        Backlog {
            capacity,
            max: None,
            held: None,
            queues: Vec::new(),
            by_name: HashMap::new(),
            slots: BTreeMap::new(),
            running: HashMap::new(),
            gates: HashMap::new(),
            behind: BTreeMap::new(),
            used: Used::default(),
            taken: Arc::from([]),
            changed: true,
        }
    }

    /// The machine's room.
    #[must_use]
    pub fn capacity(&self) -> Capacity {
        self.capacity
    }

    /// The machine's room is another. What runs goes on. O(n).
    pub fn set_capacity(&mut self, capacity: Capacity) {
        self.capacity = capacity;
        let keys: Vec<StageKey> = self.slots.keys().copied().collect();
        for key in keys {
            self.refile(key);
        }
    }

    /// The GPUs that no stage holds and none may have now: others use them, or nobody has looked. Their number is below that of
    /// the machine's by those that stages hold; what waits for one of them waits as for one of ours.
    pub fn set_gpus_taken(&mut self, taken: Arc<[GpuTaken]>) {
        if self.taken != taken {
            self.taken = taken;
            self.changed = true;
        }
    }

    /// True where a stage would start, as far as its queue goes, were no GPU [`Self::set_gpus_taken`]: it is worth looking at them.
    #[must_use]
    pub fn waits_for_gpus(&self) -> bool {
        if self.held.is_some() || self.at_max() {
            return false;
        }
        let room = u64::from(self.capacity.gpus).saturating_sub(self.used.gpus);
        let fits = |demand: &Demand| demand.gpus > 0 && u64::from(demand.gpus) <= room;
        let open = self.queues.iter().filter(|queue| queue.gpu_lines > 0 && queue.is_open());
        open.flat_map(|queue| queue.lines.keys()).any(fits)
    }

    /// Sets a queue's rule; makes the queue where there is none of this name.
    pub fn set_queue(&mut self, name: &str, rule: QueueRule) {
        let queue = self.queue_id(name);
        self.queues[queue].rule = rule;
        self.changed = true;
    }

    /// Stages at once in all queues together; `None`: no such limit.
    pub fn set_max(&mut self, max: Option<u32>) {
        self.max = max;
        self.changed = true;
    }

    /// Nothing starts while there is a reason; what runs goes on.
    pub fn hold_starts(&mut self, reason: Option<StartsHeld>) {
        self.held = reason;
        self.changed = true;
    }

    /// A stage is queued. One that is queued already takes its new place; one whose last attempt has not [`Self::ended`] starts only
    /// after that.
    pub fn push(&mut self, entry: Entry) {
        self.remove(entry.key);
        let queue = self.queue_id(&entry.queue);
        let rank = Rank::new(entry.run_priority, entry.order, entry.key);
        let slot = Slot {
            queue,
            rank,
            demand: entry.demand,
            not_before: entry.not_before,
            filed: Filed::Aside,
            head_since: None,
            kept: false,
        };
        self.queues[queue].all.insert(rank);
        self.slots.insert(entry.key, slot);
        self.refile(entry.key);
    }

    /// A stage is no longer queued. False where it was not.
    pub fn remove(&mut self, key: StageKey) -> bool {
        self.behind.remove(&key);
        let Some(slot) = self.slots.remove(&key) else { return false };
        self.unfile(key, &slot);
        self.queues[slot.queue].all.remove(&slot.rank);
        self.changed = true;
        true
    }

    /// A stage was found running: it counts against its queue and the room, whatever the limits are.
    pub fn adopt(&mut self, entry: Entry) {
        self.remove(entry.key);
        self.ended(entry.key);
        let queue = self.queue_id(&entry.queue);
        self.start(entry.key, Running { queue, demand: entry.demand });
    }

    /// A running stage's slot and room are free. Nothing happens where it does not run.
    pub fn ended(&mut self, key: StageKey) {
        let Some(running) = self.running.remove(&key) else { return };
        self.queues[running.queue].running -= 1;
        self.used.subtract(running.demand);
        self.changed = true;
        self.refile(key);
        let behind = self.behind.iter().filter(|(_, holder)| **holder == key);
        for waiting in behind.map(|(waiting, _)| *waiting).collect::<Vec<_>>() {
            self.behind.remove(&waiting);
            self.refile(waiting);
        }
    }

    /// A stage writes to the same folder as one that runs: it is queued (again, where [`Self::next`] gave it just now), and starts
    /// only after that one has [`Self::ended`].
    pub fn stand_behind(&mut self, entry: Entry, holder: StageKey) {
        let key = entry.key;
        self.ended(key);
        self.push(entry);
        if self.running.contains_key(&holder) && holder != key {
            self.behind.insert(key, holder);
            self.refile(key);
        }
    }

    /// No stage of this run starts, those pushed later neither. Several gates may be closed at once.
    pub fn close_run(&mut self, run: i64, why: RunGate) {
        self.gates.entry(run).or_default().insert(why);
        self.refile_run(run);
    }

    /// Opens one gate of a run; its stages start once no other is closed.
    pub fn open_gate(&mut self, run: i64, why: RunGate) {
        if let Some(gates) = self.gates.get_mut(&run) {
            gates.remove(&why);
            if gates.is_empty() {
                self.gates.remove(&run);
            }
            self.refile_run(run);
        }
    }

    /// Opens all gates of a run.
    pub fn open_run(&mut self, run: i64) {
        if self.gates.remove(&run).is_some() {
            self.refile_run(run);
        }
    }

    /// A run's own priority and order key are others: its queued stages take their new places.
    pub fn set_run(&mut self, run: i64, priority: i32, order: i64) {
        for key in self.keys_of(run) {
            let Some(slot) = self.slots.get(&key).copied() else { continue };
            self.move_to(key, &slot, slot.queue, Rank::new(priority, order, key));
        }
    }

    /// The queued stages of a run that stand in `from` move to `to`; what runs stays where it is.
    pub fn set_run_queue(&mut self, run: i64, from: &str, to: &str) {
        let (from, to) = (self.queue_id(from), self.queue_id(to));
        for key in self.keys_of(run) {
            let Some(slot) = self.slots.get(&key).copied() else { continue };
            if slot.queue == from {
                self.move_to(key, &slot, to, slot.rank);
            }
        }
    }

    /// Picks the stage to start now and counts it as running. Call it until it says `None`.
    pub fn next(&mut self, now: UtcMs) -> Option<StageKey> {
        self.line_up_due(now);
        if !self.changed || self.held.is_some() || self.at_max() {
            return None;
        }
        let fit = self.first().and_then(|first| {
            let demand = self.demand_of(first.rank.key());
            if self.lacking(demand, Demand::default()).is_none() {
                return Some(first);
            }
            let kept = self.wait_at_head(first.rank.key(), now);
            self.first_with_room(if kept { demand } else { Demand::default() })
        });
        let Some(place) = fit else {
            self.changed = false;
            return None;
        };
        let key = place.rank.key();
        let slot = self.slots.get(&key).copied()?;
        self.remove(key);
        self.start(key, Running { queue: slot.queue, demand: slot.demand });
        Some(key)
    }

    /// The earliest moment at which `next` may give more by time alone. Keeping room never starts anything, so it is no such moment.
    #[must_use]
    pub fn next_due(&self, now: UtcMs) -> Option<UtcMs> {
        if self.held.is_some() || self.at_max() {
            return None;
        }
        let first = self.queues.iter().filter(|q| q.is_open()).filter_map(|q| q.timed.first()).map(|(at, _)| *at).min();
        first.map(|at| at.max(now))
    }

    /// Why a queued stage does not start now; `None` where nothing is in its way (the next `next`s give it), or where it is not queued.
    #[must_use]
    pub fn why(&self, key: StageKey, now: UtcMs) -> Option<Why> {
        let slot = self.slots.get(&key)?;
        let queue = &self.queues[slot.queue];
        if let Some(gate) = self.gates.get(&key.run).and_then(BTreeSet::first) {
            return Some(match *gate {
                RunGate::Paused => Why::RunPaused,
                RunGate::After { run } => Why::After { run },
                RunGate::Draft => Why::Draft,
            });
        }
        if self.running.contains_key(&key) {
            return Some(Why::LastAttempt);
        }
        if let Some(holder) = self.behind.get(&key) {
            return Some(Why::FolderInUse { run: holder.run });
        }
        if !self.capacity.can_hold(slot.demand) {
            return self.lacking_in_all(slot.demand).map(|what| self.room(what, slot.demand, None));
        }
        if let Filed::Timed(at) = slot.filed
            && at > now
        {
            return Some(Why::NotBefore { at });
        }
        if queue.rule.paused {
            return Some(Why::QueuePaused { queue: queue.name.clone() });
        }
        if let Some(held) = self.held {
            return Some(Why::StartsHeld(held));
        }
        if !queue.is_open() {
            let (running, limit) = (queue.running, queue.rule.limit);
            return Some(Why::QueueLimit { queue: queue.name.clone(), running, limit });
        }
        if let Some(limit) = self.max.filter(|_| self.at_max()) {
            return Some(Why::Max { running: self.running.len() as u32, limit });
        }
        if let Some(what) = self.lacking(slot.demand, Demand::default()) {
            return Some(self.room(what, slot.demand, None));
        }
        // It has room of its own: only room kept for the head can be in its way.
        let head = self.first().filter(|head| *head < Place::new(queue.rule.priority, slot.rank))?.rank.key();
        let beside = self.demand_of(head);
        if self.lacking(beside, Demand::default()).is_none() || !self.is_kept(head, now) {
            return None;
        }
        let what = self.lacking(slot.demand, beside)?;
        Some(self.room(what, slot.demand, Some(head.run)))
    }

    /// True where something queued could start without a further wish, once room is free or its time comes. Paused queues and runs,
    /// drafts, runs that come after another, and demands over the capacity do not count; a full disk is no wish, so it does.
    #[must_use]
    pub fn can_start_by_itself(&self) -> bool {
        let queued = |q: &Queue| q.goes_on() && !(q.lines.is_empty() && q.timed.is_empty());
        self.max != Some(0) && self.queues.iter().any(queued)
    }

    /// How many stages are queued.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.slots.len()
    }

    /// How many stages run.
    #[must_use]
    pub fn running(&self) -> usize {
        self.running.len()
    }

    /// How many stages of a queue run.
    #[must_use]
    pub fn running_in(&self, queue: &str) -> u32 {
        self.by_name.get(queue).map_or(0, |id| self.queues[*id].running)
    }

    /// True where this stage runs.
    #[must_use]
    pub fn is_running(&self, key: StageKey) -> bool {
        self.running.contains_key(&key)
    }

    /// How many queued stages stand before this one in its queue, those that cannot start now included. O(that number).
    #[must_use]
    pub fn place(&self, key: StageKey) -> Option<usize> {
        let slot = self.slots.get(&key)?;
        Some(self.queues[slot.queue].all.range(..slot.rank).count())
    }

    /// The queued stages of a queue in its order, each with its run's priority and order, those that cannot start now included.
    pub fn queue_ranks(&self, queue: &str) -> impl Iterator<Item = (StageKey, i32, i64)> + '_ {
        let id = self.by_name.get(queue).copied();
        id.into_iter().flat_map(|id| self.queues[id].all.iter().map(|rank| rank.parts()))
    }

    fn queue_id(&mut self, name: &str) -> usize {
        if let Some(id) = self.by_name.get(name) {
            return *id;
        }
        let name: Arc<str> = name.into();
        let rule = QueueRule { priority: 0, limit: self.capacity.cpus.max(1), paused: false };
        self.queues.push(Queue::new(name.clone(), rule));
        self.by_name.insert(name, self.queues.len() - 1);
        self.queues.len() - 1
    }

    fn keys_of(&self, run: i64) -> Vec<StageKey> {
        let (first, last) = (StageKey { run, stage: 0 }, StageKey { run, stage: u32::MAX });
        self.slots.range(first..=last).map(|(key, _)| *key).collect()
    }

    fn demand_of(&self, key: StageKey) -> Demand {
        self.slots.get(&key).map_or_else(Demand::default, |slot| slot.demand)
    }

    fn at_max(&self) -> bool {
        self.max.is_some_and(|max| self.running.len() >= max as usize)
    }

    fn start(&mut self, key: StageKey, running: Running) {
        self.queues[running.queue].running += 1;
        self.used.add(running.demand);
        self.running.insert(key, running);
        self.changed = true;
    }

    /// Puts a queued stage where it belongs now.
    fn refile(&mut self, key: StageKey) {
        let Some(slot) = self.slots.get(&key).copied() else { return };
        self.unfile(key, &slot);
        let aside = self.gates.contains_key(&key.run)
            || self.running.contains_key(&key)
            || self.behind.contains_key(&key)
            || !self.capacity.can_hold(slot.demand);
        let queue = &mut self.queues[slot.queue];
        let filed = match slot.not_before {
            _ if aside => Filed::Aside,
            Some(at) => {
                queue.timed.insert((at, key));
                Filed::Timed(at)
            }
            None => {
                queue.line_up(slot.demand, slot.rank);
                Filed::Line
            }
        };
        if let Some(slot) = self.slots.get_mut(&key) {
            slot.filed = filed;
        }
        self.changed = true;
    }

    fn refile_run(&mut self, run: i64) {
        for key in self.keys_of(run) {
            self.refile(key);
        }
    }

    fn unfile(&mut self, key: StageKey, slot: &Slot) {
        let queue = &mut self.queues[slot.queue];
        match slot.filed {
            Filed::Line => queue.leave_line(slot.demand, slot.rank),
            Filed::Timed(at) => {
                queue.timed.remove(&(at, key));
            }
            Filed::Aside => {}
        }
    }

    /// A stage that is moved waits at the head anew.
    fn move_to(&mut self, key: StageKey, old: &Slot, queue: usize, rank: Rank) {
        self.unfile(key, old);
        self.queues[old.queue].all.remove(&old.rank);
        self.queues[queue].all.insert(rank);
        let slot = Slot { queue, rank, filed: Filed::Aside, head_since: None, kept: false, ..*old };
        self.slots.insert(key, slot);
        self.refile(key);
    }

    /// Lines up what is due. Once due, a stage stays so, even if the clock is set back.
    fn line_up_due(&mut self, now: UtcMs) {
        for id in 0..self.queues.len() {
            while let Some((at, key)) = self.queues[id].timed.first().copied()
                && at <= now
            {
                self.queues[id].timed.remove(&(at, key));
                if let Some(slot) = self.slots.get_mut(&key) {
                    slot.not_before = None;
                    slot.filed = Filed::Line;
                    self.queues[id].line_up(slot.demand, slot.rank);
                    self.changed = true;
                }
            }
        }
    }

    /// The first stage of the open queues.
    fn first(&self) -> Option<Place> {
        let open = self.queues.iter().filter(|q| q.is_open());
        open.filter_map(|q| q.ready.first().map(|rank| Place::new(q.rule.priority, *rank))).min()
    }

    /// The first stage of the open queues for which there is room while `beside` stays free too.
    fn first_with_room(&self, beside: Demand) -> Option<Place> {
        let taken = self.used.cpus + u64::from(beside.cpus);
        let cpus = u64::from(self.capacity.cpus).saturating_sub(taken) as u32;
        let most = Demand { cpus, memory: u64::MAX, gpus: u32::MAX };
        let mut first: Option<Place> = None;
        for queue in self.queues.iter().filter(|q| q.is_open()) {
            for (demand, line) in queue.lines.range(..=most) {
                let place = line.first().map(|rank| Place::new(queue.rule.priority, *rank));
                if self.lacking(*demand, beside).is_none() && place.is_some() && (first.is_none() || place < first) {
                    first = place;
                }
            }
        }
        first
    }

    /// What this demand lacks now while `beside` stays free too. What is not asked for is never lacking.
    fn lacking(&self, demand: Demand, beside: Demand) -> Option<Lacking> {
        let cpus = self.used.cpus + u64::from(demand.cpus) + u64::from(beside.cpus);
        let memory = self.used.memory + u128::from(demand.memory) + u128::from(beside.memory);
        let gpus = self.used.gpus + self.taken.len() as u64 + u64::from(demand.gpus) + u64::from(beside.gpus);
        if demand.gpus > 0 && gpus > u64::from(self.capacity.gpus) {
            Some(Lacking::Gpus)
        } else if demand.cpus > 0 && cpus > u64::from(self.capacity.cpus) {
            Some(Lacking::Cpus)
        } else if demand.memory > 0 && memory > u128::from(self.capacity.memory) {
            Some(Lacking::Memory)
        } else {
            None
        }
    }

    fn lacking_in_all(&self, demand: Demand) -> Option<Lacking> {
        if demand.gpus > self.capacity.gpus {
            Some(Lacking::Gpus)
        } else if demand.cpus > self.capacity.cpus {
            Some(Lacking::Cpus)
        } else if demand.memory > self.capacity.memory {
            Some(Lacking::Memory)
        } else {
            None
        }
    }

    fn room(&self, what: Lacking, demand: Demand, kept_for: Option<i64>) -> Why {
        let Capacity { cpus, memory, gpus } = self.capacity;
        match what {
            Lacking::Cpus => {
                let free = u64::from(cpus).saturating_sub(self.used.cpus) as u32;
                Why::Cpus { wanted: demand.cpus, free, of: cpus, kept_for }
            }
            Lacking::Memory => {
                let free = u128::from(memory).saturating_sub(self.used.memory) as u64;
                Why::Memory { wanted: demand.memory, free, of: memory, kept_for }
            }
            Lacking::Gpus => {
                let free = u64::from(gpus).saturating_sub(self.used.gpus + self.taken.len() as u64) as u32;
                Why::Gpus { wanted: demand.gpus, free, of: gpus, taken: Arc::clone(&self.taken), kept_for }
            }
        }
    }

    /// Notes that the first stage of all waits for room. True where room is kept for it.
    fn wait_at_head(&mut self, key: StageKey, now: UtcMs) -> bool {
        let Some(slot) = self.slots.get_mut(&key) else { return false };
        let since = slot.head_since.map_or(now, |since| since.min(now));
        slot.head_since = Some(since);
        slot.kept |= now.0.saturating_sub(since.0) >= KEEP_ROOM_AFTER_MS;
        slot.kept
    }

    fn is_kept(&self, key: StageKey, now: UtcMs) -> bool {
        let waited = |since: UtcMs| now.0.saturating_sub(since.0) >= KEEP_ROOM_AFTER_MS;
        self.slots.get(&key).is_some_and(|slot| slot.kept || slot.head_since.is_some_and(waited))
    }
}
