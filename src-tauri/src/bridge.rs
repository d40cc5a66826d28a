//! From the store to the view: one thread looks for what changed, and tells whoever subscribed. The only file that knows
//! Tauri's channels.
//!
//! While the window is seen it looks ten times a second, four times where nothing has happened for a while; else once, for the tray
//! and the notifications.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use footplate_core::{ErrorCode, Fault};
use footplate_engine::Client;
use footplate_engine::client::live::{Board, Changes, Live, News};
use serde::Serialize;
use tauri::State;
use tauri::ipc::Channel;

use crate::shell::{Answer, Shell, lock, off};

/// Between two looks, while somebody sees what comes of them.
const SEEN: Duration = Duration::from_millis(100);
/// The same, where for so many looks nothing was another and nothing is active.
const CALM: Duration = Duration::from_millis(250);
const CALM_AFTER: u32 = 100;
/// Between two looks else.
const UNSEEN: Duration = Duration::from_secs(1);

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
#[derive(Default)]
pub(crate) struct Bridge {
    state: Mutex<Told>,
    /// Rung where the thread should look at once.
    wake: Condvar,
}

#[derive(Default)]
struct Told {
    board: Option<Board>,
    subscribers: Vec<(u32, Channel<Push>)>,
    last_id: u32,
    /// The window is seen.
    seen: bool,
    /// Looks since something was another.
    calm: u32,
    /// Asked for before anybody subscribed.
    route: Option<String>,
}

impl Told {
    /// How long to the next look.
    fn pace(&self) -> Duration {
        let active = self.board.as_ref().is_some_and(|board| !board.live().1.active.is_empty());
        match self.seen && !self.subscribers.is_empty() {
            true if active || self.calm < CALM_AFTER => SEEN,
            true => CALM,
            false => UNSEEN,
        }
    }

    fn tell(&mut self, push: &Push) {
        // One whose page has gone cannot be told anything any more.
        self.subscribers.retain(|(_, channel)| channel.send(push.clone()).is_ok());
    }
}

impl Bridge {
    /// The window came into view, or went.
    pub(crate) fn seen(&self, seen: bool) {
        lock(&self.state).seen = seen;
        self.wake.notify_all();
    }

    /// The user does something: what comes of it is looked for at once.
    pub(crate) fn stir(&self) {
        lock(&self.state).calm = 0;
        self.wake.notify_all();
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
        if let Some(board) = &told.board {
            let (seq, live) = board.live();
            let sent = channel.send(Push::Snapshot { seq, live: Box::new(live.clone()) });
            sent.map_err(|error| crate::shell::broken(&error))?;
        }
        told.subscribers.push((id, channel));
        if let Some(route) = told.route.take() {
            told.tell(&Push::Open { route });
        }
        drop(told);
        self.wake.notify_all();
        Ok(id)
    }

    fn unsubscribe(&self, id: u32) {
        lock(&self.state).subscribers.retain(|(known, _)| *known != id);
    }

    /// Looks as long as the app is open. `each` is told of every picture, and of what happened since the one before; `turn` that
    /// time has passed.
    pub(crate) fn watch(&self, shell: &Shell, each: &dyn Fn(&Live, &News), turn: &dyn Fn()) {
        let mut client: Option<Client> = None;
        loop {
            turn();
            let done = self.turn(shell, &mut client, each);
            if let Err(fault) = done {
                // Opened anew at the next turn; meanwhile commands tell the view what is wrong.
                client = None;
                lock(&self.state).board = None;
                if fault.code == ErrorCode::StoreDamaged {
                    // Where that fails, too, the next turn tries again.
                    let _ = footplate_engine::client::heal(&shell.home, &fault.message);
                }
                self.pause(UNSEEN);
            }
        }
    }

    fn turn(&self, shell: &Shell, kept: &mut Option<Client>, each: &dyn Fn(&Live, &News)) -> Result<(), Fault> {
        let client = match kept {
            Some(client) => &*client,
            None => {
                let client = kept.insert(shell.reader()?);
                shell.guest.arrive(client)?;
                let board = Board::new(client)?;
                let (seq, live) = board.live();
                each(live, &News::default());
                let mut told = lock(&self.state);
                told.tell(&Push::Snapshot { seq, live: Box::new(live.clone()) });
                told.board = Some(board);
                client
            }
        };
        shell.guest.tend(client);
        shell.machine.sample(client);
        // By our own pace, at most ten looks a second: `wait_for_change` looks far more often at first, for those who wait for an
        // answer.
        let pace = lock(&self.state).pace();
        self.pause(pace);
        let changed = client.wait_for_change(Duration::ZERO)?;
        let mut told = lock(&self.state);
        let Told { board: Some(board), calm, .. } = &mut *told else { return Ok(()) };
        if !changed && !board.owner_changed(client) {
            *calm = calm.saturating_add(1);
            return Ok(());
        }
        *calm = 0;
        let news = board.look(client)?;
        let something = news.changes.is_some() || !news.ended.is_empty() || !news.raised.is_empty();
        let live = something.then(|| board.live().1.clone());
        if let Some(changes) = &news.changes {
            told.tell(&Push::Changes(Box::new(changes.clone())));
        }
        drop(told);
        if let Some(live) = live {
            each(&live, &news);
        }
        Ok(())
    }

    /// Waits, unless somebody subscribes or the window comes into view.
    fn pause(&self, time: Duration) {
        let told = lock(&self.state);
        drop(self.wake.wait_timeout(told, time));
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
        let bridge = Bridge::default();
        let pace = || lock(&bridge.state).pace();
        assert_eq!(pace(), UNSEEN, "nobody is there");
        bridge.seen(true);
        assert_eq!(pace(), UNSEEN, "nobody is told");
        bridge.subscribe(Channel::new(|_| Ok(()))).unwrap();
        assert_eq!(pace(), SEEN);
        lock(&bridge.state).calm = CALM_AFTER;
        assert_eq!(pace(), CALM, "nothing happened for a while");
        bridge.stir();
        assert_eq!(pace(), SEEN, "the user did something");
        bridge.seen(false);
        assert_eq!(pace(), UNSEEN);
    }
}
