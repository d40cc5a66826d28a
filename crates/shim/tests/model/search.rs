//! Breadth-first search over packed states.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// One step: what it is called, where it leads, and whether somebody must take it for the model to come to its end
/// (a step that may or may not happen, such as a fault, is not to be relied upon).
pub(crate) struct Step {
    pub(crate) label: &'static str,
    pub(crate) to: u128,
    pub(crate) reliable: bool,
}

pub(crate) trait Model {
    fn initial(&self) -> u128;
    fn steps(&self, state: u128, into: &mut Vec<Step>);
    /// What must never be.
    fn violation(&self, state: u128) -> Option<&'static str>;
    /// Where it may end.
    fn ended(&self, state: u128) -> bool;
}

#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) states: usize,
    /// Each kind once, with a shortest way to it.
    pub(crate) violations: Vec<(&'static str, Vec<&'static str>)>,
    /// States from which no reliable step leads on to an end.
    pub(crate) stuck: usize,
    /// A shortest way to one of them.
    pub(crate) stuck_way: Vec<&'static str>,
}

impl Report {
    pub(crate) fn assert_sound(&self) {
        assert!(self.violations.is_empty(), "{:#?}", self.violations);
        assert!(self.stuck == 0, "{} states are stuck, for instance after {:#?}", self.stuck, self.stuck_way);
    }

    /// A rule was left out: this must go wrong.
    pub(crate) fn assert_violates(&self, what: &str) {
        assert!(self.violations.iter().any(|(known, _)| *known == what), "no way leads to \"{what}\": {self:#?}");
    }

    /// A rule was left out: somewhere it must not go on.
    pub(crate) fn assert_stuck(&self) {
        assert!(self.stuck > 0, "{self:#?}");
    }
}

#[derive(Default)]
struct Mix(u64);

impl Hasher for Mix {
    fn write(&mut self, _: &[u8]) {
        unreachable!("keys are u128");
    }

    fn write_u128(&mut self, n: u128) {
        let folded = (n as u64) ^ ((n >> 64) as u64).rotate_left(29);
        let mixed = folded.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 29);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

pub(crate) fn search(model: &impl Model) -> Report {
    let mut numbers: HashMap<u128, u32, BuildHasherDefault<Mix>> = HashMap::default();
    let mut states = vec![model.initial()];
    let mut parents: Vec<(u32, &'static str)> = vec![(0, "")];
    let mut edges: Vec<(u32, u32)> = Vec::new();
    let mut bad = vec![false];
    let mut violations: Vec<(&'static str, u32)> = Vec::new();
    numbers.insert(states[0], 0);
    let mut steps = Vec::new();
    let mut at = 0;
    while let Some(&state) = states.get(at) {
        let here = u32::try_from(at).unwrap();
        at += 1;
        if let Some(what) = model.violation(state) {
            bad[at - 1] = true;
            if !violations.iter().any(|(known, _)| *known == what) {
                violations.push((what, here));
            }
            continue;
        }
        steps.clear();
        model.steps(state, &mut steps);
        for step in &steps {
            let next = u32::try_from(states.len()).unwrap();
            let there = *numbers.entry(step.to).or_insert(next);
            if there == next {
                states.push(step.to);
                parents.push((here, step.label));
                bad.push(false);
            }
            if step.reliable {
                edges.push((there, here));
            }
        }
    }
    // Backwards from the ends.
    edges.sort_unstable();
    let mut first = vec![0_usize; states.len() + 1];
    for &(to, _) in &edges {
        first[to as usize + 1] += 1;
    }
    for n in 1..first.len() {
        first[n] += first[n - 1];
    }
    let mut ends: Vec<u32> = (0..).zip(&states).filter(|(_, state)| model.ended(**state)).map(|(n, _)| n).collect();
    let mut reaches = vec![false; states.len()];
    for &end in &ends {
        reaches[end as usize] = true;
    }
    while let Some(to) = ends.pop() {
        for &(_, from) in &edges[first[to as usize]..first[to as usize + 1]] {
            if !reaches[from as usize] {
                reaches[from as usize] = true;
                ends.push(from);
            }
        }
    }
    let way = |to: u32| {
        let (mut labels, mut at) = (Vec::new(), to);
        while at != 0 {
            labels.push(parents[at as usize].1);
            at = parents[at as usize].0;
        }
        labels.reverse();
        labels
    };
    let stuck: Vec<u32> = (0..).zip(&reaches).filter(|(n, ok)| !**ok && !bad[*n as usize]).map(|(n, _)| n).collect();
    Report {
        states: states.len(),
        violations: violations.into_iter().map(|(what, at)| (what, way(at))).collect(),
        stuck: stuck.len(),
        stuck_way: stuck.first().map(|&at| way(at)).unwrap_or_default(),
    }
}

/// Packs small numbers into a state, and takes them out again in the same order.
pub(crate) struct Pack(u128, u32);

impl Pack {
    pub(crate) fn new() -> Self {
        Self(0, 0)
    }

    pub(crate) fn put(&mut self, value: u8, bits: u32) {
        assert!(u32::from(value) < 1 << bits, "{value} does not fit into {bits} bits");
        self.0 |= u128::from(value) << self.1;
        self.1 += bits;
        assert!(self.1 <= 128);
    }

    pub(crate) fn done(self) -> u128 {
        self.0
    }

    pub(crate) fn open(state: u128) -> Self {
        Self(state, 0)
    }

    pub(crate) fn take(&mut self, bits: u32) -> u8 {
        let value = (self.0 >> self.1) & ((1 << bits) - 1);
        self.1 += bits;
        u8::try_from(value).unwrap()
    }
}
