//! The reference: one list, sorted and scanned from its start each time.

use std::collections::{BTreeMap, BTreeSet};

use footplate_core::id::StageKey;
use footplate_core::schedule::{
    Capacity, Demand, Entry, KEEP_ROOM_AFTER_MS, QueueRule, RunGate, StartsHeld, Why, built_in_queues,
};
use footplate_core::time::UtcMs;

pub(crate) const QUEUES: [&str; 4] = ["training", "evaluation", "default", "preprocessing"];

#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) entry: Entry,
    waits_since: Option<UtcMs>,
}

#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) capacity: Capacity,
    pub(crate) queues: BTreeMap<&'static str, QueueRule>,
    pub(crate) queued: Vec<Item>,
    pub(crate) running: BTreeMap<StageKey, Entry>,
    pub(crate) gates: BTreeMap<i64, BTreeSet<RunGate>>,
    pub(crate) max: Option<u32>,
    pub(crate) held: Option<StartsHeld>,
    /// GPUs that others use.
    pub(crate) taken: u32,
}

impl Model {
    pub(crate) fn new(capacity: Capacity) -> Self {
        Model {
            capacity,
            queues: built_in_queues(capacity.cpus).into_iter().filter(|(name, _)| QUEUES.contains(name)).collect(),
            queued: Vec::new(),
            running: BTreeMap::new(),
            gates: BTreeMap::new(),
            max: None,
            held: None,
            taken: 0,
        }
    }

    pub(crate) fn push(&mut self, entry: Entry) {
        self.remove(entry.key);
        self.queued.push(Item { entry, waits_since: None });
    }

    pub(crate) fn remove(&mut self, key: StageKey) -> bool {
        let before = self.queued.len();
        self.queued.retain(|item| item.entry.key != key);
        self.queued.len() < before
    }

    pub(crate) fn adopt(&mut self, entry: &Entry) {
        self.remove(entry.key);
        self.running.insert(entry.key, entry.clone());
    }

    pub(crate) fn set_run(&mut self, run: i64, priority: i32, order: i64) {
        for item in self.queued.iter_mut().filter(|item| item.entry.key.run == run) {
            item.entry.run_priority = priority;
            item.entry.order = order;
            item.waits_since = None;
        }
    }

    pub(crate) fn set_run_queue(&mut self, run: i64, from: &str, to: &str) {
        for item in self.queued.iter_mut().filter(|item| item.entry.key.run == run && &*item.entry.queue == from) {
            item.entry.queue = to.into();
            item.waits_since = None;
        }
    }

    fn closed(&self, run: i64) -> bool {
        self.gates.get(&run).is_some_and(|gates| !gates.is_empty())
    }

    fn at_max(&self) -> bool {
        self.max.is_some_and(|max| self.running.len() >= max as usize)
    }

    fn running_in(&self, queue: &str) -> usize {
        self.running.values().filter(|entry| &*entry.queue == queue).count()
    }

    fn is_open(&self, queue: &str) -> bool {
        let rule = self.queues[queue];
        !rule.paused && self.running_in(queue) < rule.limit as usize
    }

    fn possible(&self, demand: Demand) -> bool {
        demand.cpus <= self.capacity.cpus && demand.memory <= self.capacity.memory && demand.gpus <= self.capacity.gpus
    }

    /// Nothing but time, its queue and room is in its way.
    fn in_line(&self, entry: &Entry) -> bool {
        !self.closed(entry.key.run) && !self.running.contains_key(&entry.key) && self.possible(entry.demand)
    }

    /// Free cores, bytes and GPUs; below 0 where what was found running takes more than there is.
    fn free(&self) -> [i64; 3] {
        let mut free =
            parts(Demand { cpus: self.capacity.cpus, memory: self.capacity.memory, gpus: self.capacity.gpus });
        for entry in self.running.values() {
            for (free, taken) in free.iter_mut().zip(parts(entry.demand)) {
                *free -= taken;
            }
        }
        free[2] -= i64::from(self.taken);
        free
    }

    /// Something would start, as far as its queue goes, were no GPU taken by others.
    pub(crate) fn waits_for_gpus(&self, now: UtcMs) -> bool {
        let due = |entry: &Entry| entry.not_before.is_none_or(|at| at <= now);
        let room = self.free()[2] + i64::from(self.taken);
        self.held.is_none()
            && !self.at_max()
            && self.queued.iter().map(|item| &item.entry).any(|entry| {
                let gpus = i64::from(entry.demand.gpus);
                due(entry) && self.in_line(entry) && self.is_open(&entry.queue) && gpus > 0 && gpus <= room
            })
    }

    /// Fits into what is free, and leaves `kept` free of what it takes.
    fn fits(free: [i64; 3], demand: Demand, kept: Demand) -> bool {
        (0..3).all(|i| parts(demand)[i] == 0 || parts(demand)[i] + parts(kept)[i] <= free[i])
    }

    fn rank(&self, entry: &Entry) -> (i32, i32, i64, i64, u32) {
        let queue = self.queues[&*entry.queue].priority;
        (-queue, -entry.run_priority, entry.order, entry.key.run, entry.key.stage)
    }

    pub(crate) fn next(&mut self, now: UtcMs) -> Option<Entry> {
        if self.held.is_some() || self.at_max() {
            return None;
        }
        let mut order: Vec<usize> = (0..self.queued.len()).collect();
        order.sort_by_cached_key(|i| self.rank(&self.queued[*i].entry));
        let mut head: Option<usize> = None;
        let free = self.free();
        for i in order {
            let entry = &self.queued[i].entry;
            let due = entry.not_before.is_none_or(|at| at <= now);
            if !due || !self.in_line(entry) || !self.is_open(&entry.queue) {
                continue;
            }
            let kept = head.map_or(Demand::default(), |head| {
                let since = self.queued[head].waits_since.unwrap_or(now);
                let kept = now.0 - since.0 >= KEEP_ROOM_AFTER_MS;
                if kept { self.queued[head].entry.demand } else { Demand::default() }
            });
            if Model::fits(free, entry.demand, kept) {
                let entry = self.queued.remove(i).entry;
                self.running.insert(entry.key, entry.clone());
                return Some(entry);
            }
            if head.is_none() {
                head = Some(i);
                self.queued[i].waits_since.get_or_insert(now);
            }
        }
        None
    }

    pub(crate) fn next_due(&self, now: UtcMs) -> Option<UtcMs> {
        if self.held.is_some() || self.at_max() {
            return None;
        }
        let items = self.queued.iter().map(|item| &item.entry);
        items
            .filter(|entry| self.in_line(entry) && self.is_open(&entry.queue))
            .filter_map(|entry| entry.not_before)
            .filter(|at| *at > now)
            .min()
    }

    pub(crate) fn can_start_by_itself(&self) -> bool {
        self.max != Some(0)
            && self.queued.iter().any(|item| {
                let rule = self.queues[&*item.entry.queue];
                self.in_line(&item.entry) && !rule.paused && rule.limit > 0
            })
    }

    pub(crate) fn order_of(&self, queue: &str) -> Vec<StageKey> {
        let mut entries: Vec<&Entry> =
            self.queued.iter().map(|item| &item.entry).filter(|e| &*e.queue == queue).collect();
        entries.sort_by_key(|entry| self.rank(entry));
        entries.iter().map(|entry| entry.key).collect()
    }

    /// What `why` says is so.
    pub(crate) fn check_reason(&self, entry: &Entry, why: &Why, now: UtcMs) {
        let rule = self.queues[&*entry.queue];
        let gates = self.gates.get(&entry.key.run).cloned().unwrap_or_default();
        let room = |wanted: i64, free: i64, of: i64, kept_for: Option<i64>, part: usize| {
            assert_eq!(wanted, parts(entry.demand)[part]);
            assert_eq!(free, self.free()[part].max(0));
            match kept_for {
                _ if wanted > of => assert!(!self.possible(entry.demand)),
                None => assert!(wanted > free, "{entry:?} {why:?}"),
                Some(run) => {
                    assert!(wanted <= free);
                    let heads = self.queued.iter().filter(|item| item.entry.key.run == run);
                    let waited = |since: UtcMs| now.0 - since.0 >= KEEP_ROOM_AFTER_MS;
                    let mut heads = heads.filter(|item| item.waits_since.is_some_and(waited));
                    assert!(heads.any(|head| {
                        self.rank(&head.entry) < self.rank(entry)
                            && !Model::fits(self.free(), head.entry.demand, Demand::default())
                            && wanted + parts(head.entry.demand)[part] > free
                    }));
                }
            }
        };
        match why {
            Why::RunPaused => assert!(gates.contains(&RunGate::Paused)),
            Why::Draft => assert!(gates.contains(&RunGate::Draft)),
            Why::After { run } => assert!(gates.contains(&RunGate::After { run: *run })),
            Why::LastAttempt => assert!(self.running.contains_key(&entry.key)),
            Why::NotBefore { at } => assert!(entry.not_before == Some(*at) && *at > now),
            Why::QueuePaused { queue } => assert!(*queue == entry.queue && rule.paused),
            Why::QueueLimit { queue, running, limit } => {
                assert_eq!((queue, *limit), (&entry.queue, rule.limit));
                assert_eq!(*running as usize, self.running_in(queue));
                assert!(running >= limit);
            }
            Why::Max { running, limit } => {
                assert_eq!(Some(*limit), self.max);
                assert!(*running as usize == self.running.len() && running >= limit);
            }
            Why::StartsHeld(held) => assert_eq!(Some(*held), self.held),
            Why::Cpus { wanted, free, of, kept_for } => {
                room((*wanted).into(), (*free).into(), (*of).into(), *kept_for, 0);
            }
            Why::Memory { wanted, free, of, kept_for } => room(*wanted as i64, *free as i64, *of as i64, *kept_for, 1),
            Why::Gpus { wanted, free, of, kept_for, .. } => {
                room((*wanted).into(), (*free).into(), (*of).into(), *kept_for, 2);
            }
            Why::Dependency { .. } | Why::FolderInUse { .. } | Why::RetryAt { .. } | Why::NoOwner => {
                panic!("{why:?} is not the backlog's to say")
            }
        }
    }
}

fn parts(demand: Demand) -> [i64; 3] {
    [demand.cpus.into(), demand.memory as i64, demand.gpus.into()]
}
