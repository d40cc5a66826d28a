//! Which processes are of runs of ours: by session, group, descent and mark, as the sweep knows them.

use std::collections::HashMap;

use footplate_core::gpu::Gpu;
use footplate_shim::contract::{MARK_VARIABLE, Start};
use footplate_shim::identity::Identity;
use footplate_shim::os;

/// More generations than this are none.
const GENERATIONS: u32 = 64;

/// The runs of live attempts, by what their processes are known by.
#[derive(Clone, Debug, Default)]
pub struct Ours {
    numbers: HashMap<i32, (i64, Identity)>,
    marks: Vec<(Vec<u8>, i64)>,
}

impl Ours {
    /// Adds a live attempt of a run.
    pub fn add(&mut self, run: i64, start: &Start, mark: &str) {
        if start.shim.is_of_this_boot() {
            self.numbers.insert(start.shim.pid, (run, start.shim.clone()));
            self.numbers.insert(start.child.pid, (run, start.child.clone()));
        }
        self.marks.push((format!("{MARK_VARIABLE}={mark}").into_bytes(), run));
    }

    /// Says of each process on these GPUs whose it is.
    pub fn tell(&self, gpus: &mut [Gpu]) {
        for user in gpus.iter_mut().flat_map(|gpu| &mut gpu.users) {
            user.run = self.run_of(user.pid);
        }
    }

    /// The run that a process belongs to.
    #[must_use]
    pub fn run_of(&self, pid: i32) -> Option<i64> {
        let mut process = os::process(pid)?;
        for number in [process.session, process.group, process.pid] {
            if let Some(run) = self.by_number(number) {
                return Some(run);
            }
        }
        let mut environment = Vec::new();
        let marked = |(mark, run): &(Vec<u8>, i64)| os::started_with(pid, mark, &mut environment).then_some(*run);
        if let Some(run) = self.marks.iter().find_map(marked) {
            return Some(run);
        }
        for _ in 0..GENERATIONS {
            if let Some(run) = self.by_number(process.parent) {
                return Some(run);
            }
            process = os::process(process.parent).filter(|parent| parent.pid > 1)?;
        }
        None
    }

    /// A number that now belongs to another process is another session's.
    fn by_number(&self, number: i32) -> Option<i64> {
        let (run, maker) = self.numbers.get(&number)?;
        os::process(number).is_none_or(|now| now.start == maker.start).then_some(*run)
    }
}
