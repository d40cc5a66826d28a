//! A shim that is killed while its program runs, and the one that takes its place.
//!
//! One job: an attempt that a shim has started, a retry that begins when its row is final. The first shim and those that
//! take its place may be killed, the owner may crash at any step. Boots are the launch model's matter: after one, only the
//! exit record counts, whoever wrote it.
//!
//! Owner: claim is there; it **takes** the lock, reads the exit record, looks whether the program lives, all under the lock.
//! Alive: gives the lock back, starts another shim to adopt it, stays. Dead: sweeps and commits. Nobody left to adopt it:
//! ends it under the lock. The adopter: takes the lock, leaves unless the program lives and has no record (one that may
//! still stand at its gate, which nobody will open, is waited for: it runs, or is gone in a moment); then waits for its end,
//! writes the record, sweeps, ends, as the first would have.

use super::search::{Model, Pack, Step};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    All,
    /// The slot of an attempt without a shim is free at once.
    OrphanFreesSlot,
    /// The owner finds the lock free, and then reads and decides without it.
    DecideWithoutTheLock,
    /// Who adopts does not look whether there is anything to adopt.
    AdoptWithoutALook,
    /// Who adopts does not care for the lock.
    AdoptWithoutTheLock,
    /// Who adopts takes a process at its gate for the program.
    AdoptAtTheGate,
}

pub(crate) struct Adopt {
    pub(crate) rule: Rule,
}

const ADOPTERS: u8 = 2;
const KEEPERS: usize = 1 + ADOPTERS as usize;

/// A shim: the first has begun, others adopt.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keeper {
    Absent,
    /// Start record written, gate closed.
    Gated,
    /// Adopts: tries the lock.
    Begins,
    /// Adopts: has the lock, has not looked yet.
    Locked,
    Watches,
    SawTheEnd,
    WroteExit,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Program {
    /// Waits at the gate.
    Gated,
    /// Its shim died before it opened the gate: it ends without having run.
    Leaves,
    Runs,
    Ended,
    Killed,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Row {
    Live,
    /// Settled from an exit record.
    Settled,
    /// Settled without one.
    Lost,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    Idle,
    ReadExit,
    LookAtProgram,
    Start,
    End,
    Sweep,
    SweepLost,
    CommitSettled,
    CommitLost,
    Crashed,
}

#[derive(Clone, Copy)]
struct State {
    row: Row,
    program: Program,
    keepers: [Keeper; KEEPERS],
    ran: bool,
    /// Records written, so far as it matters: 0, 1, more.
    exits: u8,
    /// Processes of it may be left.
    left: bool,
    owner: Owner,
    /// The owner holds the attempt's lock.
    owner_locked: bool,
    adopters: u8,
    crashes: u8,
    kills: u8,
    /// The next attempt of the job runs.
    next_runs: bool,
}

const ROWS: [Row; 3] = [Row::Live, Row::Settled, Row::Lost];
const PROGRAMS: [Program; 5] = [Program::Gated, Program::Leaves, Program::Runs, Program::Ended, Program::Killed];
const KEEPER_STEPS: [Keeper; 7] = [
    Keeper::Absent,
    Keeper::Gated,
    Keeper::Begins,
    Keeper::Locked,
    Keeper::Watches,
    Keeper::SawTheEnd,
    Keeper::WroteExit,
];
const OWNER_STEPS: [Owner; 10] = [
    Owner::Idle,
    Owner::ReadExit,
    Owner::LookAtProgram,
    Owner::Start,
    Owner::End,
    Owner::Sweep,
    Owner::SweepLost,
    Owner::CommitSettled,
    Owner::CommitLost,
    Owner::Crashed,
];

impl Keeper {
    fn holds_the_lock(self) -> bool {
        !matches!(self, Keeper::Absent | Keeper::Begins)
    }
}

impl State {
    fn lives(&self) -> bool {
        matches!(self.program, Program::Gated | Program::Leaves | Program::Runs)
    }

    fn held_by_a_shim(&self) -> bool {
        self.keepers.iter().any(|keeper| keeper.holds_the_lock())
    }

    fn owner(mut self, owner: Owner) -> Self {
        self.owner = owner;
        // The lock goes with what it was taken for.
        self.owner_locked &= !matches!(owner, Owner::Idle | Owner::Start | Owner::Crashed);
        self
    }

    fn pack(&self) -> u128 {
        let mut pack = Pack::new();
        pack.put(self.row as u8, 2);
        pack.put(self.program as u8, 3);
        for keeper in self.keepers {
            pack.put(keeper as u8, 3);
        }
        pack.put(self.ran.into(), 1);
        pack.put(self.exits, 2);
        pack.put(self.left.into(), 1);
        pack.put(self.owner as u8, 4);
        pack.put(self.owner_locked.into(), 1);
        for (value, bits) in [(self.adopters, 2), (self.crashes, 2), (self.kills, 2)] {
            pack.put(value, bits);
        }
        pack.put(self.next_runs.into(), 1);
        pack.done()
    }

    fn unpack(state: u128) -> Self {
        let mut pack = Pack::open(state);
        Self {
            row: ROWS[usize::from(pack.take(2))],
            program: PROGRAMS[usize::from(pack.take(3))],
            keepers: [(); KEEPERS].map(|()| KEEPER_STEPS[usize::from(pack.take(3))]),
            ran: pack.take(1) == 1,
            exits: pack.take(2),
            left: pack.take(1) == 1,
            owner: OWNER_STEPS[usize::from(pack.take(4))],
            owner_locked: pack.take(1) == 1,
            adopters: pack.take(2),
            crashes: pack.take(2),
            kills: pack.take(2),
            next_runs: pack.take(1) == 1,
        }
    }
}

impl Adopt {
    fn is(&self, rule: Rule) -> bool {
        self.rule == rule
    }

    fn owner(&self, s: State, step: &mut impl FnMut(&'static str, State, bool)) {
        let committed = |row: Row| State { row, ..s.owner(Owner::Idle) };
        let looked = match (s.lives(), s.adopters < ADOPTERS) {
            (true, true) => Owner::Start,
            (true, false) => Owner::End,
            (false, _) => Owner::SweepLost,
        };
        match s.owner {
            Owner::Crashed => return step("owner starts", s.owner(Owner::Idle), true),
            Owner::Idle if s.row != Row::Live => return,
            Owner::Idle if s.held_by_a_shim() => {}
            Owner::Idle => {
                let owner_locked = !self.is(Rule::DecideWithoutTheLock);
                step("owner takes the lock", State { owner_locked, ..s.owner(Owner::ReadExit) }, true);
            }
            Owner::ReadExit => {
                let next = if s.exits > 0 { Owner::Sweep } else { Owner::LookAtProgram };
                step("owner reads exit", s.owner(next), true);
            }
            Owner::LookAtProgram if self.is(Rule::OrphanFreesSlot) => {
                step("owner frees the slot", committed(Row::Lost), true);
            }
            Owner::LookAtProgram => step("owner looks at the program", s.owner(looked), true),
            Owner::Start => {
                let mut t = s.owner(Owner::Idle);
                if let Some(free) = t.keepers.iter().position(|keeper| *keeper == Keeper::Absent) {
                    t.keepers[free] = Keeper::Begins;
                    t.adopters += 1;
                }
                step("owner starts an adopter", t, true);
            }
            Owner::End => {
                let program = if s.lives() { Program::Killed } else { s.program };
                step("owner ends the program", State { program, ..s.owner(Owner::SweepLost) }, true);
            }
            Owner::Sweep => step("owner sweeps", State { left: false, ..s.owner(Owner::CommitSettled) }, true),
            Owner::SweepLost => step("owner sweeps", State { left: false, ..s.owner(Owner::CommitLost) }, true),
            Owner::CommitSettled => step("owner commits the end", committed(Row::Settled), true),
            Owner::CommitLost => step("owner commits interrupted", committed(Row::Lost), true),
        }
        if s.crashes > 0 {
            let t = State { crashes: s.crashes - 1, ..s.owner(Owner::Crashed) };
            step("OWNER CRASHES", t, false);
        }
    }

    fn keepers(&self, s: State, step: &mut impl FnMut(&'static str, State, bool)) {
        for (n, &keeper) in s.keepers.iter().enumerate() {
            let to = |keeper: Keeper| {
                let mut t = s;
                t.keepers[n] = keeper;
                t
            };
            match keeper {
                Keeper::Absent => continue,
                Keeper::Gated => {
                    step(
                        "shim opens the gate",
                        State { program: Program::Runs, ran: true, left: true, ..to(Keeper::Watches) },
                        true,
                    );
                }
                Keeper::Begins if self.is(Rule::AdoptWithoutTheLock) => {
                    step("adopter goes on", to(Keeper::Locked), true);
                }
                // It tries for a while; the owner may only be looking.
                Keeper::Begins if s.held_by_a_shim() || s.owner_locked => {
                    step("adopter finds the lock taken", to(Keeper::Absent), true);
                }
                Keeper::Begins => step("adopter locks", to(Keeper::Locked), true),
                Keeper::Locked if s.program == Program::Leaves && !self.is(Rule::AdoptAtTheGate) => {}
                Keeper::Locked => {
                    let some = (s.lives() && s.exits == 0) || self.is(Rule::AdoptWithoutALook);
                    let next = if some { Keeper::Watches } else { Keeper::Absent };
                    step("adopter looks", to(next), true);
                }
                Keeper::Watches if s.lives() => {}
                Keeper::Watches => step("shim sees the end", to(Keeper::SawTheEnd), true),
                Keeper::SawTheEnd => {
                    step("shim writes exit", State { exits: (s.exits + 1).min(2), ..to(Keeper::WroteExit) }, true);
                }
                Keeper::WroteExit => step("shim sweeps and ends", State { left: false, ..to(Keeper::Absent) }, true),
            }
            if s.kills > 0 {
                let mut t = to(Keeper::Absent);
                t.kills -= 1;
                if keeper == Keeper::Gated {
                    t.program = Program::Leaves;
                }
                step("SHIM KILLED", t, false);
            }
        }
    }
}

impl Model for Adopt {
    fn initial(&self) -> u128 {
        let mut keepers = [Keeper::Absent; KEEPERS];
        keepers[0] = Keeper::Gated;
        State {
            row: Row::Live,
            program: Program::Gated,
            keepers,
            ran: false,
            exits: 0,
            left: false,
            owner: Owner::Idle,
            owner_locked: false,
            adopters: 0,
            crashes: 2,
            kills: 3,
            next_runs: false,
        }
        .pack()
    }

    fn steps(&self, state: u128, into: &mut Vec<Step>) {
        let s = State::unpack(state);
        let mut step = |label, to: State, reliable| into.push(Step { label, to: to.pack(), reliable });
        self.owner(s, &mut step);
        self.keepers(s, &mut step);
        if s.program == Program::Leaves {
            step("program leaves its gate", State { program: Program::Ended, ..s }, true);
        }
        if s.program == Program::Runs {
            // A program that runs for ever is an end of its own: somebody must watch it all the while.
            step("program ends", State { program: Program::Ended, ..s }, true);
        }
        if s.row != Row::Live && !s.next_runs {
            step("the next attempt begins", State { next_runs: true, ..s }, true);
        }
    }

    fn violation(&self, state: u128) -> Option<&'static str> {
        let s = State::unpack(state);
        let keepers = s.keepers.iter().filter(|keeper| keeper.holds_the_lock()).count();
        let faults = [
            (s.next_runs && (s.program == Program::Runs || s.left), "the next attempt runs beside what the first left"),
            (s.row == Row::Lost && s.exits > 0, "a recorded end is called interrupted"),
            (s.exits > 0 && !s.ran, "an end was recorded of a program that never ran"),
            (s.exits > 1, "an end was recorded twice"),
            (keepers > 1, "two watch one program"),
            (s.owner_locked && s.held_by_a_shim(), "a shim and the owner hold one lock"),
        ];
        faults.iter().find(|(is, _)| *is).map(|(_, what)| *what)
    }

    fn ended(&self, state: u128) -> bool {
        let s = State::unpack(state);
        s.next_runs && s.keepers.iter().all(|keeper| *keeper == Keeper::Absent)
    }
}
