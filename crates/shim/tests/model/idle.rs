//! An owner that goes when there is nothing to do, and guests that wish at that moment.
//!
//! Owner: sees nothing to do, releases the lock, looks once more, takes the lock back if there is work. Guest: looks at
//! the lock, commits its wish, starts an owner if the lock was free; if it was taken, looks again after its commit.

use super::search::{Model, Pack, Step};

pub(crate) struct Idle {
    pub(crate) owner_looks_again: bool,
    pub(crate) guest_looks_again: bool,
}

const GUESTS: usize = 2;
/// The first one, and one that each guest may start.
const OWNERS: usize = 1 + GUESTS;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Owner {
    Absent,
    /// Tries the lock; leaves if it is taken.
    Starting,
    /// Holds the lock.
    Working,
    SawNothing,
    /// Has given the lock back.
    Released,
    /// Has found work after that.
    ComesBack,
    Gone,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Guest {
    Begins,
    FoundTaken,
    FoundFree,
    CommittedTaken,
    CommittedFree,
    Done,
}

#[derive(Clone, Copy)]
struct State {
    owners: [Owner; OWNERS],
    guests: [Guest; GUESTS],
    wishes: u8,
}

const OWNER_STEPS: [Owner; 7] =
    [Owner::Absent, Owner::Starting, Owner::Working, Owner::SawNothing, Owner::Released, Owner::ComesBack, Owner::Gone];
const GUEST_STEPS: [Guest; 6] =
    [Guest::Begins, Guest::FoundTaken, Guest::FoundFree, Guest::CommittedTaken, Guest::CommittedFree, Guest::Done];

impl State {
    fn taken(&self) -> bool {
        self.owners.iter().any(|owner| matches!(owner, Owner::Working | Owner::SawNothing))
    }

    fn pack(&self) -> u128 {
        let mut pack = Pack::new();
        for owner in self.owners {
            pack.put(owner as u8, 3);
        }
        for guest in self.guests {
            pack.put(guest as u8, 3);
        }
        pack.put(self.wishes, 2);
        pack.done()
    }

    fn unpack(state: u128) -> Self {
        let mut pack = Pack::open(state);
        Self {
            owners: [(); OWNERS].map(|()| OWNER_STEPS[usize::from(pack.take(3))]),
            guests: [(); GUESTS].map(|()| GUEST_STEPS[usize::from(pack.take(3))]),
            wishes: pack.take(2),
        }
    }
}

impl Model for Idle {
    fn initial(&self) -> u128 {
        let mut owners = [Owner::Absent; OWNERS];
        owners[0] = Owner::Working;
        State { owners, guests: [Guest::Begins; GUESTS], wishes: 0 }.pack()
    }

    fn steps(&self, state: u128, into: &mut Vec<Step>) {
        let s = State::unpack(state);
        for n in 0..OWNERS {
            let mut step = |label, owner, wishes| {
                let mut t = s;
                t.owners[n] = owner;
                t.wishes = wishes;
                into.push(Step { label, to: t.pack(), reliable: true });
            };
            match s.owners[n] {
                Owner::Starting | Owner::ComesBack if s.taken() => {
                    step("owner finds the lock taken", Owner::Gone, s.wishes);
                }
                Owner::Starting | Owner::ComesBack => step("owner takes the lock", Owner::Working, s.wishes),
                Owner::Working if s.wishes > 0 => step("owner grants a wish", Owner::Working, s.wishes - 1),
                Owner::Working => step("owner sees nothing to do", Owner::SawNothing, s.wishes),
                Owner::SawNothing if self.owner_looks_again => step("owner releases", Owner::Released, s.wishes),
                Owner::SawNothing => step("owner releases and goes", Owner::Gone, s.wishes),
                Owner::Released if s.wishes > 0 => step("owner finds work", Owner::ComesBack, s.wishes),
                Owner::Released => step("owner goes", Owner::Gone, s.wishes),
                Owner::Absent | Owner::Gone => {}
            }
        }
        for n in 0..GUESTS {
            let mut step = |label, guest, wishes: u8, starts: bool| {
                let mut t = s;
                t.guests[n] = guest;
                t.wishes = wishes;
                if starts {
                    t.owners[n + 1] = Owner::Starting;
                }
                into.push(Step { label, to: t.pack(), reliable: true });
            };
            match s.guests[n] {
                Guest::Begins if s.taken() => step("guest finds the lock taken", Guest::FoundTaken, s.wishes, false),
                Guest::Begins => step("guest finds the lock free", Guest::FoundFree, s.wishes, false),
                Guest::FoundTaken => step("guest commits", Guest::CommittedTaken, s.wishes + 1, false),
                Guest::FoundFree => step("guest commits", Guest::CommittedFree, s.wishes + 1, false),
                Guest::CommittedTaken if self.guest_looks_again && !s.taken() => {
                    step("guest looks again and starts an owner", Guest::Done, s.wishes, true);
                }
                Guest::CommittedTaken => step("guest goes", Guest::Done, s.wishes, false),
                Guest::CommittedFree => step("guest starts an owner", Guest::Done, s.wishes, true),
                Guest::Done => {}
            }
        }
    }

    fn violation(&self, state: u128) -> Option<&'static str> {
        let s = State::unpack(state);
        if s.owners.iter().filter(|owner| matches!(owner, Owner::Working | Owner::SawNothing)).count() > 1 {
            return Some("two owners");
        }
        (self.ended(state) && s.wishes > 0).then_some("a wish is stranded")
    }

    fn ended(&self, state: u128) -> bool {
        let s = State::unpack(state);
        s.owners.iter().all(|owner| matches!(owner, Owner::Absent | Owner::Gone))
            && s.guests.iter().all(|guest| *guest == Guest::Done)
    }
}
