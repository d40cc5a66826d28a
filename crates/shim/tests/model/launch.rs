//! Launch and re-attach: crash of the owner, kill of the shim, reboot, at any step.
//!
//! A reboot may lose the claim and the start record (they are not fsynced); the exit record and committed rows survive.
//! One job, two attempts (the second is a retry of a failure), up to three shims.

use super::search::{Model, Pack, Step};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Variant {
    Proposed,
    NoClaim,
    NoVoid,
    SpawnBeforeDb,
    NoStartRecord,
    LockExitThenClaim,
    ExitBeforeLock,
    SettleAtExitRecord,
    SettleAtLockFree,
    IgnoreBoot,
}

pub(crate) struct Launch {
    pub(crate) variant: Variant,
}

const ATTEMPTS: usize = 2;
const SHIMS: usize = 3;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Job {
    Queued,
    Running,
    Ended,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Row {
    None,
    Live,
    Done,
    Void,
    Lost,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Child {
    None,
    Runs,
    Ended,
    Dead,
}

/// What the owner is about to do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum App {
    Idle,
    InsertLate,
    ReadClaim,
    ReadExitFirst,
    ReadClaimAfter,
    ReadLock,
    ReadExit,
    ReadLockLate,
    Settle,
    Unclaimed,
    CommitVoid,
    Kill,
    CommitLost,
    Crashed,
}

#[derive(Clone, Copy)]
struct Attempt {
    row: Row,
    /// 0 none, 1 run, 2 void.
    claim: u8,
    start: bool,
    exit: bool,
    child: Child,
    runs: u8,
    /// Processes of it may be left.
    left: bool,
    earlier_boot: bool,
}

#[derive(Clone, Copy)]
struct State {
    job: Job,
    attempts: [Attempt; ATTEMPTS],
    /// (attempt, step): 0 begins, 1 locked, 2 claimed, 3 gated, 4 running, 5 exit written.
    shims: [Option<(u8, u8)>; SHIMS],
    app: App,
    of: usize,
    crashes: u8,
    kills: u8,
    reboots: u8,
    spawned: u8,
}

impl State {
    fn locked(&self, attempt: usize) -> bool {
        self.shims.iter().flatten().any(|&(of, step)| usize::from(of) == attempt && step >= 1)
    }

    fn spawn(&mut self, attempt: usize) {
        let free = self.shims.iter().position(Option::is_none).unwrap();
        self.shims[free] = Some((u8::try_from(attempt).unwrap(), 0));
        self.spawned += 1;
    }

    /// In order, without holes: the order is part of the state.
    fn shim_gone(&mut self, at: usize) {
        self.shims[at..].rotate_left(1);
        self.shims[SHIMS - 1] = None;
    }

    fn app(mut self, app: App, of: usize) -> Self {
        (self.app, self.of) = (app, of);
        self
    }

    fn idle(self) -> Self {
        self.app(App::Idle, 0)
    }

    fn pack(&self) -> u128 {
        let mut pack = Pack::new();
        pack.put(self.job as u8, 2);
        for a in &self.attempts {
            pack.put(a.row as u8, 3);
            pack.put(a.claim, 2);
            pack.put(a.start.into(), 1);
            pack.put(a.exit.into(), 1);
            pack.put(a.child as u8, 2);
            pack.put(a.runs, 2);
            pack.put(a.left.into(), 1);
            pack.put(a.earlier_boot.into(), 1);
        }
        for shim in &self.shims {
            let (of, step) = shim.unwrap_or((0, 7));
            pack.put(of, 1);
            pack.put(step, 3);
        }
        pack.put(self.app as u8, 4);
        pack.put(u8::try_from(self.of).unwrap(), 1);
        for (value, bits) in [(self.crashes, 2), (self.kills, 1), (self.reboots, 1), (self.spawned, 2)] {
            pack.put(value, bits);
        }
        pack.done()
    }

    fn unpack(state: u128) -> Self {
        let mut pack = Pack::open(state);
        let job = [Job::Queued, Job::Running, Job::Ended][usize::from(pack.take(2))];
        let attempts = [(); ATTEMPTS].map(|()| Attempt {
            row: [Row::None, Row::Live, Row::Done, Row::Void, Row::Lost][usize::from(pack.take(3))],
            claim: pack.take(2),
            start: pack.take(1) == 1,
            exit: pack.take(1) == 1,
            child: [Child::None, Child::Runs, Child::Ended, Child::Dead][usize::from(pack.take(2))],
            runs: pack.take(2),
            left: pack.take(1) == 1,
            earlier_boot: pack.take(1) == 1,
        });
        let shims = [(); SHIMS].map(|()| {
            let shim = (pack.take(1), pack.take(3));
            (shim.1 != 7).then_some(shim)
        });
        let apps = [
            App::Idle,
            App::InsertLate,
            App::ReadClaim,
            App::ReadExitFirst,
            App::ReadClaimAfter,
            App::ReadLock,
            App::ReadExit,
            App::ReadLockLate,
            App::Settle,
            App::Unclaimed,
            App::CommitVoid,
            App::Kill,
            App::CommitLost,
            App::Crashed,
        ];
        Self {
            job,
            attempts,
            shims,
            app: apps[usize::from(pack.take(4))],
            of: usize::from(pack.take(1)),
            crashes: pack.take(2),
            kills: pack.take(1),
            reboots: pack.take(1),
            spawned: pack.take(2),
        }
    }
}

impl Launch {
    fn is(&self, variant: Variant) -> bool {
        self.variant == variant
    }

    fn owner(&self, s: State, step: &mut impl FnMut(&'static str, State)) {
        let k = s.of;
        let a = s.attempts[k];
        let commit = |row: Row| {
            let mut t = s.idle();
            t.job = Job::Queued;
            t.attempts[k].row = row;
            t
        };
        match s.app {
            App::Crashed => return step("owner starts", s.idle()),
            App::Idle => self.idle(s, step),
            App::InsertLate => {
                let mut t = s.idle();
                t.job = Job::Running;
                t.attempts[k].row = Row::Live;
                step("insert late", t);
            }
            App::ReadClaim if self.is(Variant::LockExitThenClaim) => {
                step("read lock", if s.locked(k) { s.idle() } else { s.app(App::ReadExitFirst, k) });
            }
            App::ReadExitFirst => step("read exit", s.app(if a.exit { App::Settle } else { App::ReadClaimAfter }, k)),
            App::ReadClaimAfter => {
                step("read claim", s.app([App::Unclaimed, App::Kill, App::CommitVoid][usize::from(a.claim)], k));
            }
            App::ReadClaim => {
                let claimed = if self.is(Variant::ExitBeforeLock) { App::ReadExit } else { App::ReadLock };
                step("read claim", s.app([App::Unclaimed, claimed, App::CommitVoid][usize::from(a.claim)], k));
            }
            App::ReadLock => {
                let held = s.locked(k) && !(self.is(Variant::SettleAtExitRecord) && a.exit);
                step("read lock", if held { s.idle() } else { s.app(App::ReadExit, k) });
            }
            App::ReadExit => {
                let none = if self.is(Variant::ExitBeforeLock) { App::ReadLockLate } else { App::Kill };
                step("read exit", s.app(if a.exit { App::Settle } else { none }, k));
            }
            App::ReadLockLate => step("read lock", if s.locked(k) { s.idle() } else { s.app(App::Kill, k) }),
            App::Settle => {
                let mut t = commit(Row::Done);
                t.attempts[k].left &= self.is(Variant::SettleAtExitRecord) || self.is(Variant::SettleAtLockFree);
                step("sweep and commit failed", t);
            }
            App::Unclaimed => {
                if usize::from(s.spawned) < SHIMS {
                    let mut t = s.idle();
                    t.spawn(k);
                    step("spawn", t);
                }
                if self.is(Variant::NoVoid) {
                    step("give up", commit(Row::Lost));
                } else {
                    let mut t = s.idle();
                    if a.claim == 0 {
                        t.attempts[k].claim = 2;
                    }
                    step("void", t);
                }
            }
            App::CommitVoid => step("commit void", commit(Row::Void)),
            App::Kill => {
                let mut t = s.app(App::CommitLost, k);
                if !self.is(Variant::NoStartRecord) || a.start {
                    t.attempts[k].left = false;
                    if a.start && a.child == Child::Runs {
                        t.attempts[k].child = Child::Dead;
                    }
                }
                step("kill", t);
            }
            App::CommitLost => step("commit lost", commit(Row::Lost)),
        }
        if s.crashes > 0 {
            let mut t = s.app(App::Crashed, 0);
            t.crashes -= 1;
            step("OWNER CRASHES", t);
        }
    }

    fn idle(&self, s: State, step: &mut impl FnMut(&'static str, State)) {
        let live = |k: &usize| s.attempts[*k].row == Row::Live;
        if s.job == Job::Queued && !(0..ATTEMPTS).any(|k| live(&k)) {
            let mut t = s;
            match s.attempts.iter().position(|a| a.row == Row::None) {
                None => {
                    t.job = Job::Ended;
                    step("end", t);
                }
                Some(k) if self.is(Variant::SpawnBeforeDb) => {
                    if usize::from(s.spawned) < SHIMS {
                        t.spawn(k);
                        step("spawn first", t.app(App::InsertLate, k));
                    }
                }
                Some(k) => {
                    t.job = Job::Running;
                    t.attempts[k].row = Row::Live;
                    step("insert", t);
                }
            }
        }
        for k in (0..ATTEMPTS).filter(live) {
            let earlier = s.attempts[k].earlier_boot && !self.is(Variant::IgnoreBoot);
            step("look", s.app(if earlier { App::ReadExit } else { App::ReadClaim }, k));
        }
    }

    fn shims(&self, s: State, step: &mut impl FnMut(&'static str, State)) {
        for (n, shim) in s.shims.iter().enumerate() {
            let &Some((of, at)) = shim else { continue };
            let k = usize::from(of);
            let a = s.attempts[k];
            let mut gone = s;
            gone.shim_gone(n);
            let mut on = s;
            let runs = |t: &mut State| {
                t.shims[n] = Some((of, 4));
                t.attempts[k].child = Child::Runs;
                t.attempts[k].runs += 1;
                t.attempts[k].left = true;
            };
            match at {
                0 => {
                    on.shims[n] = Some((of, 1));
                    step("shim locks", if s.locked(k) { gone } else { on });
                }
                1 => {
                    on.shims[n] = Some((of, 2));
                    if self.is(Variant::NoClaim) {
                        on.attempts[k].claim = 1;
                        step("shim goes on without a claim", on);
                    } else if a.claim == 0 {
                        on.attempts[k].claim = 1;
                        step("shim claims", on);
                    } else {
                        step("shim loses the claim", gone);
                    }
                }
                2 if self.is(Variant::NoStartRecord) => {
                    runs(&mut on);
                    step("shim runs it", on);
                }
                2 => {
                    on.shims[n] = Some((of, 3));
                    on.attempts[k].start = true;
                    step("shim writes start", on);
                }
                3 => {
                    runs(&mut on);
                    step("shim opens the gate", on);
                }
                4 if a.child != Child::Runs => {
                    on.shims[n] = Some((of, 5));
                    on.attempts[k].exit = true;
                    step("shim writes exit", on);
                }
                5 => {
                    gone.attempts[k].left = false;
                    step("shim sweeps and ends", gone);
                }
                _ => {}
            }
            if s.kills > 0 {
                let mut t = s;
                t.shim_gone(n);
                t.kills -= 1;
                step("SHIM KILLED", t);
            }
        }
    }
}

impl Model for Launch {
    fn initial(&self) -> u128 {
        let attempt = Attempt {
            row: Row::None,
            claim: 0,
            start: false,
            exit: false,
            child: Child::None,
            runs: 0,
            left: false,
            earlier_boot: false,
        };
        State {
            job: Job::Queued,
            attempts: [attempt; ATTEMPTS],
            shims: [None; SHIMS],
            app: App::Idle,
            of: 0,
            crashes: 2,
            kills: 1,
            reboots: 1,
            spawned: 0,
        }
        .pack()
    }

    fn steps(&self, state: u128, into: &mut Vec<Step>) {
        let s = State::unpack(state);
        let mut step = |label, to: State| into.push(Step { label, to: to.pack(), reliable: true });
        self.owner(s, &mut step);
        self.shims(s, &mut step);
        for k in 0..ATTEMPTS {
            if s.attempts[k].child == Child::Runs {
                let mut t = s;
                t.attempts[k].child = Child::Ended;
                step("program ends", t);
            }
        }
        if s.reboots > 0 {
            let mut t = s.app(App::Crashed, 0);
            t.shims = [None; SHIMS];
            t.reboots -= 1;
            for a in &mut t.attempts {
                if a.child == Child::Runs {
                    a.child = Child::Dead;
                }
                a.left = false;
                a.earlier_boot |= a.row == Row::Live;
            }
            step("REBOOT", t);
            for (a, before) in t.attempts.iter_mut().zip(&s.attempts) {
                // As it was, but for what nobody fsynced: the processes are gone all the same.
                *a = Attempt { claim: 0, start: false, ..*a };
                debug_assert!(a.row == before.row);
            }
            step("REBOOT, LOSSY", t);
        }
    }

    fn violation(&self, state: u128) -> Option<&'static str> {
        let s = State::unpack(state);
        let running = |a: &Attempt| a.child == Child::Runs;
        let beside = (0..ATTEMPTS)
            .any(|k| running(&s.attempts[k]) && (0..ATTEMPTS).any(|other| other != k && s.attempts[other].left));
        if beside {
            return Some("a retry runs beside left-over processes of the first attempt");
        }
        if s.attempts.iter().any(|a| a.runs > 1) {
            return Some("one attempt ran twice");
        }
        if s.attempts.iter().filter(|a| running(a)).count() > 1 {
            return Some("two runs of one job at the same time");
        }
        if s.job == Job::Ended && s.attempts.iter().any(running) {
            return Some("the job ended while its process runs");
        }
        if s.attempts.iter().any(|a| a.row == Row::Lost && a.exit) {
            return Some("a finished run was recorded as lost");
        }
        if s.attempts.iter().any(|a| a.row == Row::None && running(a)) {
            return Some("a running process is unknown to the store");
        }
        None
    }

    fn ended(&self, state: u128) -> bool {
        State::unpack(state).job == Job::Ended
    }
}
