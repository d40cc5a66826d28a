//! From the store to the view: one thread looks for what changed, and tells whoever subscribed. The only file that knows
//! Tauri's channels.
//!
//! It looks when the store was written (`Pulse`), at most ten times a second while the window is seen, else once, for the tray and the
//! notifications. Where the system does not tell of writes it looks by the clock: ten times a second, four where nothing has
//! happened for a while, once while the window is hidden.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use footplate_core::{ErrorCode, Fault};
use footplate_engine::Client;
use footplate_engine::client::live::{Board, Changes, Live, News};
use footplate_engine::client::pulse::{Caller, Heard, Pulse};
use serde::Serialize;
use tauri::State;
use tauri::ipc::Channel;

use crate::answer::{Answer, lock, off};
use crate::shell::Shell;

/// Between two looks at least, while somebody sees what comes of them, and else.
const SEEN: Duration = Duration::from_millis(100);
const UNSEEN: Duration = Duration::from_secs(1);
/// Between two looks by the clock, where for so many looks nothing was another and nothing is active.
const CALM: Duration = Duration::from_millis(250);
const CALM_AFTER: u32 = 100;
/// Between two looks at most, where writes are heard: for what is no write, and what only time changes.
const BACKSTOP: Duration = Duration::from_secs(5);
/// The same while the window is hidden and something is to run, and while nothing is.
const BACKSTOP_ACTIVE: Duration = Duration::from_secs(15);
const BACKSTOP_HIDDEN: Duration = Duration::from_secs(60);

/// What a subscriber is told.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Push {
    /// The present state.
    Snapshot {
        /// Its number.
        seq: u64,
        /// All of it.
        live: Box<Live>,
    },
    /// What is another.
    Changes(Box<Changes>),
    /// Somebody asks for a view.
    Open {
        /// `run/142`, `queue`, `settings`.
        route: String,
    },
    /// Files are held over the window, or no more.
    Dragging {
        /// Whether they are.
        over: bool,
    },
    /// Somebody dropped something to train on.
    Dropped {
        /// What `data` takes.
        path: String,
        /// How many more there were, which are left aside.
        others: usize,
    },
}

/// Whom to tell.
pub(crate) struct Bridge {
    state: Mutex<Told>,
    /// Called where the thread should look at once.
    caller: Caller,
    /// The thread's, until it has it.
    pulse: Mutex<Option<Pulse>>,
}

#[derive(Default)]
struct Told {
    board: Option<Board>,
    subscribers: Vec<(u32, Channel<Push>)>,
    last_id: u32,
    /// The window is seen.
    seen: bool,
    /// Nobody was told of the last changes, for nobody would have seen them.
    kept_back: bool,
    /// Looks since something was another.
    calm: u32,
    /// Asked for before anybody subscribed.
    route: Option<String>,
}

/// When to look next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pace {
    /// From one picture to the next at least: what is heard before that is looked at then.
    least: Duration,
    /// From one look to the next at most, where nothing is heard.
    most: Duration,
}

/// What the thread holds.
struct Watching {
    pulse: Pulse,
    client: Option<Client>,
    /// The last picture was made then.
    pictured: Instant,
    /// What was wrong the last time.
    told: Option<String>,
}

impl Watching {
    /// Waits until it is time for a look; `due`: at most so long.
    fn wait(&mut self, pace: Pace, due: Option<Duration>) {
        let early = |pictured: Instant| pace.least.saturating_sub(pictured.elapsed());
        // What was heard may not have been there yet.
        let again = self.pulse.again().map(|again| again.max(early(self.pictured)));
        let most = due.into_iter().chain(again).fold(pace.most, Duration::min);
        if self.pulse.wait(most) == Heard::Write {
            let _ = self.pulse.rest(early(self.pictured));
        }
    }
}

impl Told {
    /// `hears`: the thread is told of writes.
    fn pace(&self, hears: bool) -> Pace {
        let live = self.board.as_ref().map(|board| board.live().1);
        let active = live.is_some_and(|live| !live.active.is_empty());
        let due = active || live.is_some_and(|live| !live.next.is_empty());
        let watched = self.seen && !self.subscribers.is_empty();
        let least = if watched { SEEN } else { UNSEEN };
        let most = match (hears, watched) {
            (true, true) => BACKSTOP,
            (true, false) if due => BACKSTOP_ACTIVE,
            (true, false) => BACKSTOP_HIDDEN,
            (false, true) if !active && self.calm >= CALM_AFTER => CALM,
            (false, _) => least,
        };
        Pace { least, most }
    }

    fn snapshot(&self) -> Option<Push> {
        let (seq, live) = self.board.as_ref()?.live();
        Some(Push::Snapshot { seq, live: Box::new(live.clone()) })
    }

    fn tell(&mut self, push: &Push) {
        // One whose page has gone cannot be told anything any more.
        self.subscribers.retain(|(_, channel)| channel.send(push.clone()).is_ok());
    }

    fn tell_changes(&mut self, changes: &Changes) {
        if self.seen {
            self.tell(&Push::Changes(Box::new(changes.clone())));
        } else {
            self.kept_back = true;
        }
    }

    fn tell_all(&mut self) {
        if let Some(push) = self.snapshot() {
            self.kept_back = false;
            self.tell(&push);
        }
    }
}

impl Bridge {
    /// # Errors
    /// What the system says.
    pub(crate) fn new() -> io::Result<Bridge> {
        let (pulse, caller) = Pulse::new()?;
        Ok(Bridge { state: Mutex::default(), caller, pulse: Mutex::new(Some(pulse)) })
    }

    /// The window comes into view, or went. A page that nobody sees is told nothing; before it is seen again it is told all.
    pub(crate) fn seen(&self, seen: bool) {
        let mut told = lock(&self.state);
        told.seen = seen;
        if seen && told.kept_back {
            told.tell_all();
        }
        drop(told);
        self.caller.call();
    }

    /// Whether the window is in view.
    pub(crate) fn is_seen(&self) -> bool {
        lock(&self.state).seen
    }

    /// The user does something: what comes of it is looked for at once.
    pub(crate) fn stir(&self) {
        lock(&self.state).calm = 0;
        self.caller.call();
    }

    /// Asks the view to show something; kept for the first subscriber where there is none yet.
    pub(crate) fn open(&self, route: &str) {
        let mut told = lock(&self.state);
        if told.subscribers.is_empty() {
            told.route = Some(route.to_owned());
        } else {
            told.tell(&Push::Open { route: route.to_owned() });
        }
    }

    /// Tells whoever is subscribed now.
    pub(crate) fn tell(&self, push: &Push) {
        lock(&self.state).tell(push);
    }

    /// Nobody is subscribed any more: the page is being loaded anew.
    pub(crate) fn forget(&self) {
        lock(&self.state).subscribers.clear();
    }

    fn subscribe(&self, channel: Channel<Push>) -> Answer<u32> {
        let mut told = lock(&self.state);
        told.last_id += 1;
        let id = told.last_id;
        if let Some(push) = told.snapshot() {
            channel.send(push).map_err(|error| crate::answer::broken(&error))?;
        }
        told.subscribers.push((id, channel));
        if let Some(route) = told.route.take() {
            told.tell(&Push::Open { route });
        }
        drop(told);
        self.caller.call();
        Ok(id)
    }

    fn unsubscribe(&self, id: u32) {
        lock(&self.state).subscribers.retain(|(known, _)| *known != id);
    }

    /// Looks as long as the app is open. `each` is told of every picture, and of what happened since the one before; `turn` that
    /// time has passed, and it says after how much of it it wants to be told again.
    pub(crate) fn watch(&self, shell: &Shell, each: &dyn Fn(&Live, &News), turn: &dyn Fn() -> Option<Duration>) {
        let Some(pulse) = lock(&self.pulse).take() else { return };
        let mut watching = Watching { pulse, client: None, pictured: Instant::now(), told: None };
        loop {
            let due = turn();
            let done = self.turn(shell, &mut watching, due, each);
            if let Err(fault) = done {
                // Opened anew at the next turn; meanwhile commands tell the view what is wrong.
                watching.client = None;
                if watching.told.as_ref() != Some(&fault.message) {
                    log::warn!("the store cannot be read: {}", fault.message);
                    watching.told = Some(fault.message.clone());
                }
                lock(&self.state).board = None;
                if fault.code == ErrorCode::StoreDamaged {
                    // Where that fails, too, the next turn tries again.
                    let _ = footplate_engine::client::heal(&shell.home, &fault.message);
                }
                let _ = watching.pulse.rest(UNSEEN);
            }
        }
    }

    fn turn(
        &self,
        shell: &Shell,
        watching: &mut Watching,
        due: Option<Duration>,
        each: &dyn Fn(&Live, &News),
    ) -> Result<(), Fault> {
        if watching.client.is_none() {
            // Before the first look, so that nothing is written between the two unheard.
            let _ = watching.pulse.listen(&shell.home);
            let client = watching.client.insert(shell.reader()?);
            shell.guest.arrive(client)?;
            let board = Board::new(client)?;
            let (_, live) = board.live();
            each(live, &News::default());
            let mut told = lock(&self.state);
            told.board = Some(board);
            told.tell_all();
        }
        let pace = lock(&self.state).pace(watching.pulse.hears());
        let tended = watching.client.as_ref().and_then(|client| {
            shell.machine.sample(client);
            shell.guest.tend(client)
        });
        watching.wait(pace, due.into_iter().chain(tended).min());
        let Some(client) = &watching.client else { return Ok(()) };
        // Without waiting: that looks far more often at first, for those who wait for an answer.
        let changed = client.wait_for_change(Duration::ZERO)?;
        let mut told = lock(&self.state);
        let Told { board: Some(board), calm, .. } = &mut *told else { return Ok(()) };
        if !changed && !board.owner_changed(client) {
            *calm = calm.saturating_add(1);
            return Ok(());
        }
        *calm = 0;
        watching.pictured = Instant::now();
        let news = board.look(client)?;
        let something = news.changes.is_some() || !news.ended.is_empty() || !news.raised.is_empty();
        let live = something.then(|| board.live().1.clone());
        if let Some(changes) = &news.changes {
            told.tell_changes(changes);
        }
        drop(told);
        if let Some(live) = live {
            each(&live, &news);
        }
        Ok(())
    }
}

/// Tells the present state, then what changes.
#[tauri::command]
pub(crate) async fn subscribe(bridge: State<'_, Arc<Bridge>>, channel: Channel<Push>) -> Answer<u32> {
    let bridge = Arc::clone(&bridge);
    off(move || bridge.subscribe(channel)).await
}

/// Ends a subscription.
#[tauri::command]
pub(crate) async fn unsubscribe(bridge: State<'_, Arc<Bridge>>, id: u32) -> Answer<()> {
    let bridge = Arc::clone(&bridge);
    off(move || {
        bridge.unsubscribe(id);
        Ok(())
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_looks_less_often_the_less_there_is_to_see() {
        let bridge = Bridge::new().unwrap();
        let by_clock = || lock(&bridge.state).pace(false).most;
        let told = || {
            let Pace { least, most } = lock(&bridge.state).pace(true);
            (least, most)
        };
        assert_eq!((by_clock(), told()), (UNSEEN, (UNSEEN, BACKSTOP_HIDDEN)), "nobody is there");
        bridge.seen(true);
        assert_eq!((by_clock(), told()), (UNSEEN, (UNSEEN, BACKSTOP_HIDDEN)), "nobody is told");
        bridge.subscribe(Channel::new(|_| Ok(()))).unwrap();
        assert_eq!((by_clock(), told()), (SEEN, (SEEN, BACKSTOP)));
        lock(&bridge.state).calm = CALM_AFTER;
        assert_eq!((by_clock(), told()), (CALM, (SEEN, BACKSTOP)), "nothing happened for a while");
        bridge.stir();
        assert_eq!(by_clock(), SEEN, "the user did something");
        bridge.seen(false);
        assert_eq!((by_clock(), told()), (UNSEEN, (UNSEEN, BACKSTOP_HIDDEN)));
    }

    #[test]
    fn who_does_not_see_is_told_nothing_and_all_when_he_sees_again() {
        let place = tempfile::tempdir().unwrap();
        let home = footplate_engine::Home::at(place.path()).unwrap();
        let client = Client::open_with(home, footplate_engine::client::OwnerStart::Never).unwrap();
        let bridge = Bridge::new().unwrap();
        lock(&bridge.state).board = Some(Board::new(&client).unwrap());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&heard);
        bridge
            .subscribe(Channel::new(move |body| {
                let push: serde_json::Value = body.deserialize()?;
                lock(&into).push(push["kind"].as_str().unwrap_or_default().to_owned());
                Ok(())
            }))
            .unwrap();
        let said = || std::mem::take(&mut *lock(&heard));
        let change = || lock(&bridge.state).tell_changes(&Changes::default());
        assert_eq!(said(), ["snapshot"]);
        bridge.seen(true);
        assert!(said().is_empty(), "nothing has changed since");
        change();
        assert_eq!(said(), ["changes"]);
        bridge.seen(false);
        change();
        change();
        assert!(said().is_empty(), "nobody sees it");
        bridge.seen(true);
        assert_eq!(said(), ["snapshot"]);
        bridge.seen(true);
        assert!(said().is_empty());
    }
}
