//! The launch protocol with settling split into sweep and commit, and a cancel wish that may come at any time.
//!
//! The wish is committed before its signal, and sent again at each look until the attempt has ended. How an attempt ended
//! is a function of the exit record and the wishes: a record that says "by this wish" is `cancelled`, an end of its own is
//! its own, no record but a wish is `cancelled`. After a wish nothing is launched any more. One owner crash, one shim
//! kill, one reboot; the wish must be carried out without the program's ending by itself.

use super::search::{Model, Pack, Step};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// None is left out.
    All,
    /// The owner signals first and commits the wish then.
    SignalBeforeCommit,
    /// The owner notes that it sends, sends, and never sends again.
    SentOnce,
    CommitBeforeSweep,
    /// A wish makes every end a cancelled one.
    EndFromWishAlone,
    RetryDespiteWish,
}

pub(crate) struct Wishes {
    pub(crate) rule: Rule,
}

const ATTEMPTS: usize = 2;
const SHIMS: usize = 3;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Job {
    Queued,
    Running,
    Ended,
    Cancelled,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Row {
    None,
    Live,
    Failed,
    Cancelled,
    Void,
    Lost,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Child {
    None,
    Runs,
    Ended,
    /// Ended by the shim, for the wish.
    Stopped,
    Dead,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Record {
    None,
    Own,
    ByWish,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum App {
    Idle,
    ReadClaim,
    ReadLock,
    ReadExit,
    Sweep,
    Settle,
    Unclaimed,
    CommitVoid,
    Kill,
    CommitLost,
    NoteSent,
    Tell,
    TellUncommitted,
    CommitWish,
    Crashed,
}

#[derive(Clone, Copy)]
struct Attempt {
    row: Row,
    claim: u8,
    start: bool,
    exit: Record,
    child: Child,
    runs: u8,
    left: bool,
    earlier_boot: bool,
    /// The wish lies in its shim's `ctl`.
    told: bool,
}

#[derive(Clone, Copy)]
struct State {
    job: Job,
    attempts: [Attempt; ATTEMPTS],
    shims: [Option<(u8, u8)>; SHIMS],
    app: App,
    of: usize,
    crashes: u8,
    kills: u8,
    reboots: u8,
    spawned: u8,
    /// The wish: 0 not yet, 1 only in the owner's memory, 2 committed.
    wish: u8,
    sent: bool,
    /// An attempt was begun after the wish was committed.
    late: bool,
}

const JOBS: [Job; 4] = [Job::Queued, Job::Running, Job::Ended, Job::Cancelled];
const ROWS: [Row; 6] = [Row::None, Row::Live, Row::Failed, Row::Cancelled, Row::Void, Row::Lost];
const CHILDREN: [Child; 5] = [Child::None, Child::Runs, Child::Ended, Child::Stopped, Child::Dead];
const RECORDS: [Record; 3] = [Record::None, Record::Own, Record::ByWish];
const APPS: [App; 15] = [
    App::Idle,
    App::ReadClaim,
    App::ReadLock,
    App::ReadExit,
    App::Sweep,
    App::Settle,
    App::Unclaimed,
    App::CommitVoid,
    App::Kill,
    App::CommitLost,
    App::NoteSent,
    App::Tell,
    App::TellUncommitted,
    App::CommitWish,
    App::Crashed,
];

impl State {
    fn locked(&self, attempt: usize) -> bool {
        self.shims.iter().flatten().any(|&(of, step)| usize::from(of) == attempt && step >= 1)
    }

    /// In order, without holes. What lies in its `ctl` goes with the last that holds it.
    fn shim_gone(&mut self, at: usize) {
        let of = self.shims[at].map(|(of, _)| usize::from(of));
        self.shims[at..].rotate_left(1);
        self.shims[SHIMS - 1] = None;
        if let Some(of) = of
            && !self.locked(of)
        {
            self.attempts[of].told = false;
        }
    }

    fn app(mut self, app: App, of: usize) -> Self {
        (self.app, self.of) = (app, of);
        self
    }

    fn idle(self) -> Self {
        self.app(App::Idle, 0)
    }

    fn over(&self) -> bool {
        matches!(self.job, Job::Ended | Job::Cancelled)
    }

    fn pack(&self) -> u128 {
        let mut pack = Pack::new();
        pack.put(self.job as u8, 2);
        for a in &self.attempts {
            pack.put(a.row as u8, 3);
            pack.put(a.claim, 2);
            pack.put(a.start.into(), 1);
            pack.put(a.exit as u8, 2);
            pack.put(a.child as u8, 3);
            pack.put(a.runs, 2);
            pack.put(a.left.into(), 1);
            pack.put(a.earlier_boot.into(), 1);
            pack.put(a.told.into(), 1);
        }
        for shim in &self.shims {
            let (of, step) = shim.unwrap_or((0, 7));
            pack.put(of, 1);
            pack.put(step, 3);
        }
        pack.put(self.app as u8, 4);
        pack.put(u8::try_from(self.of).unwrap(), 1);
        for (value, bits) in [(self.crashes, 2), (self.kills, 1), (self.reboots, 1), (self.spawned, 2), (self.wish, 2)]
        {
            pack.put(value, bits);
        }
        pack.put(self.sent.into(), 1);
        pack.put(self.late.into(), 1);
        pack.done()
    }

    fn unpack(state: u128) -> Self {
        let mut pack = Pack::open(state);
        Self {
            job: JOBS[usize::from(pack.take(2))],
            attempts: [(); ATTEMPTS].map(|()| Attempt {
                row: ROWS[usize::from(pack.take(3))],
                claim: pack.take(2),
                start: pack.take(1) == 1,
                exit: RECORDS[usize::from(pack.take(2))],
                child: CHILDREN[usize::from(pack.take(3))],
                runs: pack.take(2),
                left: pack.take(1) == 1,
                earlier_boot: pack.take(1) == 1,
                told: pack.take(1) == 1,
            }),
            shims: [(); SHIMS].map(|()| {
                let shim = (pack.take(1), pack.take(3));
                (shim.1 != 7).then_some(shim)
            }),
            app: APPS[usize::from(pack.take(4))],
            of: usize::from(pack.take(1)),
            crashes: pack.take(2),
            kills: pack.take(1),
            reboots: pack.take(1),
            spawned: pack.take(2),
            wish: pack.take(2),
            sent: pack.take(1) == 1,
            late: pack.take(1) == 1,
        }
    }
}

impl Wishes {
    fn is(&self, rule: Rule) -> bool {
        self.rule == rule
    }

    /// How an attempt ended: the exit record and the wishes, nothing else.
    fn end(&self, exit: Record, wish: u8) -> Row {
        match (exit, wish) {
            (Record::ByWish, _) => Row::Cancelled,
            (Record::Own, 2) if self.is(Rule::EndFromWishAlone) => Row::Cancelled,
            (Record::Own, _) => Row::Failed,
            (Record::None, 2) => Row::Cancelled,
            (Record::None, _) => Row::Lost,
        }
    }

    fn owner(&self, s: State, step: &mut impl FnMut(&'static str, State)) {
        let k = s.of;
        let a = s.attempts[k];
        let commit = |row: Row| {
            let mut t = s.idle();
            t.job = if row == Row::Cancelled { Job::Cancelled } else { Job::Queued };
            t.attempts[k].row = row;
            t
        };
        match s.app {
            App::Crashed => return step("owner starts", s.idle()),
            App::Idle => self.idle(s, step),
            App::ReadClaim => {
                step("read claim", s.app([App::Unclaimed, App::ReadLock, App::CommitVoid][usize::from(a.claim)], k));
            }
            App::ReadLock => step(
                "read lock",
                match (s.locked(k), s.wish) {
                    (false, _) => s.app(App::ReadExit, k),
                    (true, 2) if !self.is(Rule::SentOnce) => s.app(App::Tell, k),
                    (true, 2) if !s.sent => s.app(App::NoteSent, k),
                    (true, 1) => s.app(App::TellUncommitted, k),
                    (true, _) => s.idle(),
                },
            ),
            App::NoteSent => {
                let mut t = s.app(App::Tell, k);
                t.sent = true;
                step("note that it is sent", t);
            }
            App::Tell | App::TellUncommitted => {
                let mut t = if s.app == App::Tell { s.idle() } else { s.app(App::CommitWish, k) };
                t.attempts[k].told |= s.locked(k);
                step("tell the shim", t);
            }
            App::CommitWish => {
                let mut t = s.idle();
                t.wish = 2;
                step("commit the wish", t);
            }
            App::ReadExit => step("read exit", s.app(if a.exit == Record::None { App::Kill } else { App::Sweep }, k)),
            App::Sweep if self.is(Rule::CommitBeforeSweep) => step("no sweep yet", s.app(App::Settle, k)),
            App::Sweep => {
                let mut t = s.app(App::Settle, k);
                t.attempts[k].left = false;
                step("sweep", t);
            }
            App::Settle => step("commit the end", commit(self.end(a.exit, s.wish))),
            App::Unclaimed => {
                if s.wish != 2 && usize::from(s.spawned) < SHIMS {
                    let mut t = s.idle();
                    let free = t.shims.iter().position(Option::is_none).unwrap();
                    t.shims[free] = Some((u8::try_from(k).unwrap(), 0));
                    t.spawned += 1;
                    step("spawn", t);
                }
                let mut t = s.idle();
                if a.claim == 0 {
                    t.attempts[k].claim = 2;
                }
                step("void", t);
            }
            App::CommitVoid => step("commit void", commit(Row::Void)),
            App::Kill => {
                let mut t = s.app(App::CommitLost, k);
                t.attempts[k].left = false;
                if a.start && a.child == Child::Runs {
                    t.attempts[k].child = Child::Dead;
                }
                step("kill and sweep", t);
            }
            App::CommitLost => step("commit interrupted", commit(self.end(Record::None, s.wish))),
        }
        if s.crashes > 0 {
            let mut t = s.app(App::Crashed, 0);
            t.crashes -= 1;
            // What was only in its memory is gone with it.
            t.wish = if s.wish == 1 { 0 } else { s.wish };
            step("OWNER CRASHES", t);
        }
    }

    fn idle(&self, s: State, step: &mut impl FnMut(&'static str, State)) {
        let live = |k: &usize| s.attempts[*k].row == Row::Live;
        if s.job == Job::Queued && !(0..ATTEMPTS).any(|k| live(&k)) {
            let mut t = s;
            match s.attempts.iter().position(|a| a.row == Row::None) {
                _ if s.wish == 2 && !self.is(Rule::RetryDespiteWish) => {
                    t.job = Job::Cancelled;
                    step("commit cancelled", t);
                }
                None => {
                    t.job = Job::Ended;
                    step("end", t);
                }
                Some(k) => {
                    t.job = Job::Running;
                    t.attempts[k].row = Row::Live;
                    t.late |= s.wish == 2;
                    step("insert", t);
                }
            }
        }
        for k in (0..ATTEMPTS).filter(live) {
            step("look", s.app(if s.attempts[k].earlier_boot { App::ReadExit } else { App::ReadClaim }, k));
        }
    }

    fn shims(s: State, step: &mut impl FnMut(&'static str, State, bool)) {
        for (n, shim) in s.shims.iter().enumerate() {
            let &Some((of, at)) = shim else { continue };
            let k = usize::from(of);
            let a = s.attempts[k];
            let mut gone = s;
            gone.shim_gone(n);
            let mut on = s;
            on.shims[n] = Some((of, at + 1));
            match at {
                0 => step("shim locks", if s.locked(k) { gone } else { on }, true),
                1 if a.claim == 0 => {
                    on.attempts[k].claim = 1;
                    step("shim claims", on, true);
                }
                1 => step("shim loses the claim", gone, true),
                2 => {
                    on.attempts[k].start = true;
                    step("shim writes start", on, true);
                }
                3 => {
                    on.attempts[k].child = Child::Runs;
                    on.attempts[k].runs += 1;
                    on.attempts[k].left = true;
                    step("shim opens the gate", on, true);
                }
                4 if a.child == Child::Runs && a.told => {
                    let mut t = s;
                    t.attempts[k].child = Child::Stopped;
                    step("shim stops the program", t, true);
                }
                4 if a.child != Child::Runs => {
                    on.attempts[k].exit = if a.child == Child::Stopped { Record::ByWish } else { Record::Own };
                    step("shim writes exit", on, true);
                }
                5 => {
                    gone.attempts[k].left = false;
                    step("shim sweeps and ends", gone, true);
                }
                _ => {}
            }
            if s.kills > 0 {
                let mut t = s;
                t.shim_gone(n);
                t.kills -= 1;
                step("SHIM KILLED", t, false);
            }
        }
    }
}

impl Model for Wishes {
    fn initial(&self) -> u128 {
        let attempt = Attempt {
            row: Row::None,
            claim: 0,
            start: false,
            exit: Record::None,
            child: Child::None,
            runs: 0,
            left: false,
            earlier_boot: false,
            told: false,
        };
        State {
            job: Job::Queued,
            attempts: [attempt; ATTEMPTS],
            shims: [None; SHIMS],
            app: App::Idle,
            of: 0,
            crashes: 1,
            kills: 1,
            reboots: 1,
            spawned: 0,
            wish: 0,
            sent: false,
            late: false,
        }
        .pack()
    }

    fn steps(&self, state: u128, into: &mut Vec<Step>) {
        let s = State::unpack(state);
        let mut step = |label, to: State, reliable| into.push(Step { label, to: to.pack(), reliable });
        self.owner(s, &mut |label, to| {
            let fault = label == "OWNER CRASHES";
            step(label, to, !fault);
        });
        Self::shims(s, &mut step);
        if s.wish == 0 && !s.over() {
            let mut t = s;
            // A guest commits by itself; the weakened owner first only hears of it.
            t.wish = if self.is(Rule::SignalBeforeCommit) { 1 } else { 2 };
            step("a guest wishes to cancel", t, false);
        }
        for k in 0..ATTEMPTS {
            if s.attempts[k].child == Child::Runs {
                let mut t = s;
                t.attempts[k].child = Child::Ended;
                // Once it is to be cancelled, nobody may wait for it to end by itself.
                step("program ends", t, s.wish == 0);
            }
        }
        if s.reboots > 0 {
            let mut t = s.app(App::Crashed, 0);
            t.shims = [None; SHIMS];
            t.reboots -= 1;
            t.wish = if s.wish == 1 { 0 } else { s.wish };
            for a in &mut t.attempts {
                if a.child == Child::Runs {
                    a.child = Child::Dead;
                }
                a.left = false;
                a.told = false;
                a.earlier_boot |= a.row == Row::Live;
            }
            step("REBOOT", t, false);
            for a in &mut t.attempts {
                *a = Attempt { claim: 0, start: false, ..*a };
            }
            step("REBOOT, LOSSY", t, false);
        }
    }

    fn violation(&self, state: u128) -> Option<&'static str> {
        let s = State::unpack(state);
        let running = |a: &Attempt| a.child == Child::Runs;
        let any = |what: &dyn Fn(&Attempt) -> bool| s.attempts.iter().any(what);
        let beside = (0..ATTEMPTS)
            .any(|k| running(&s.attempts[k]) && (0..ATTEMPTS).any(|other| other != k && s.attempts[other].left));
        let faults = [
            (beside, "a retry runs beside left-over processes of the first attempt"),
            (any(&|a| a.runs > 1), "one attempt ran twice"),
            (s.attempts.iter().filter(|a| running(a)).count() > 1, "two runs of one job at the same time"),
            (s.over() && any(&running), "the job ended while its process runs"),
            (s.over() && any(&|a| a.left), "the job ended while processes of it are left"),
            (any(&|a| a.row == Row::Lost && a.exit != Record::None), "a finished run was recorded as lost"),
            (any(&|a| a.row == Row::None && running(a)), "a running process is unknown to the store"),
            (s.late, "an attempt was begun after the wish to cancel"),
            (s.wish != 2 && any(&|a| a.exit == Record::ByWish), "stopped by a wish that nobody knows of"),
            (any(&|a| a.row == Row::Cancelled && a.exit == Record::Own), "it ended by itself, and is called cancelled"),
            (any(&|a| a.row == Row::Failed && a.exit == Record::ByWish), "stopped by the wish, and called failed"),
        ];
        faults.iter().find(|(is, _)| *is).map(|(_, what)| *what)
    }

    fn ended(&self, state: u128) -> bool {
        State::unpack(state).over()
    }
}
