//! From the store to the view: one thread looks for what changed, and tells whoever subscribed. The only file that knows
//! Tauri's channels.
//!
//! While the window is seen it looks ten times a second; else once, for the tray and the notifications.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use footplate_core::Fault;
use footplate_engine::Client;
use footplate_engine::client::live::{Board, Changes, Ended, Live, News};
use serde::Serialize;
use tauri::State;
use tauri::ipc::Channel;

use crate::shell::{Answer, Shell, lock, off};

/// Between two looks, while somebody sees what comes of them.
const SEEN: Duration = Duration::from_millis(100);
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
    /// Asked for before anybody subscribed.
    route: Option<String>,
}

impl Told {
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

    /// Looks as long as the app is open. `each` is told of every picture, and of what ended since the one before; `turn` that
    /// time has passed.
    pub(crate) fn watch(&self, shell: &Shell, each: &dyn Fn(&Live, &[Ended]), turn: &dyn Fn()) {
        let mut client: Option<Client> = None;
        loop {
            turn();
            let done = self.turn(shell, &mut client, each);
            if done.is_err() {
                // Opened anew at the next turn; meanwhile commands tell the view what is wrong.
                client = None;
                lock(&self.state).board = None;
                self.pause(UNSEEN);
            }
        }
    }

    fn turn(&self, shell: &Shell, kept: &mut Option<Client>, each: &dyn Fn(&Live, &[Ended])) -> Result<(), Fault> {
        let client = match kept {
            Some(client) => &*client,
            None => {
                let client = kept.insert(shell.reader()?);
                shell.guest.arrive(client)?;
                let board = Board::new(client)?;
                let (seq, live) = board.live();
                each(live, &[]);
                let mut told = lock(&self.state);
                told.tell(&Push::Snapshot { seq, live: Box::new(live.clone()) });
                told.board = Some(board);
                client
            }
        };
        shell.guest.tend(client);
        shell.machine.sample(&shell.home);
        let seen = {
            let told = lock(&self.state);
            told.seen && !told.subscribers.is_empty()
        };
        // By our own pace, at most ten looks a second: `wait_for_change` looks far more often at first, for those who wait for an
        // answer.
        self.pause(if seen { SEEN } else { UNSEEN });
        let changed = client.wait_for_change(Duration::ZERO)?;
        let mut told = lock(&self.state);
        let Some(board) = &mut told.board else { return Ok(()) };
        if !changed && !board.owner_changed(client) {
            return Ok(());
        }
        let News { changes, ended } = board.look(client)?;
        let live = (changes.is_some() || !ended.is_empty()).then(|| board.live().1.clone());
        if let Some(changes) = changes {
            told.tell(&Push::Changes(Box::new(changes)));
        }
        drop(told);
        if let Some(live) = live {
            each(&live, &ended);
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
