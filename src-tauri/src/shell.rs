//! What all commands share: the data folder, guests of the store, the environment for runs, and the user's settings.

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use footplate_engine::client::OwnerStart;
use footplate_engine::environment::Captured;
use footplate_engine::lines::Logs;
use footplate_engine::{Client, Home, login};

use crate::answer::{Answer, lock};
use crate::guest::Guest;
use crate::handover::Opened;
use crate::machine::Machine;
use crate::picked::Picked;
use crate::scripts::Scripts;
use crate::settings::Settings;

/// How long the login shell may take to tell its environment.
const LOGIN_SHELL: Duration = Duration::from_secs(5);
/// Connections to the store that are kept for the next command.
const KEPT: usize = 4;

/// One for the whole app.
pub(crate) struct Shell {
    pub(crate) home: Home,
    pub(crate) settings: Settings,
    pub(crate) scripts: Scripts,
    pub(crate) picked: Picked,
    pub(crate) machine: Machine,
    pub(crate) guest: Guest,
    pub(crate) logs: Logs,
    pub(crate) opened: Opened,
    readers: Mutex<Vec<Client>>,
    writers: Mutex<Vec<Client>>,
    environment: OnceLock<Arc<Captured>>,
}

impl Shell {
    pub(crate) fn new(home: Home, settings: Settings, scripts: Scripts) -> Shell {
        Shell {
            home,
            settings,
            scripts,
            picked: Picked::default(),
            machine: Machine::default(),
            guest: Guest::default(),
            logs: Logs::default(),
            opened: Opened::default(),
            readers: Mutex::default(),
            writers: Mutex::default(),
            environment: OnceLock::new(),
        }
    }

    /// A guest that only looks: the owner is seen to by [`Guest`], with its own patience.
    pub(crate) fn reader(&self) -> Answer<Client> {
        Client::open_with(self.home.clone(), OwnerStart::Never)
    }

    /// Does something with a guest that only looks.
    pub(crate) fn read<T>(&self, ask: impl FnOnce(&Client) -> Answer<T>) -> Answer<T> {
        let kept = lock(&self.readers).pop();
        let client = match kept {
            Some(client) => client,
            None => self.reader()?,
        };
        let answer = ask(&client)?;
        keep(&self.readers, client);
        Ok(answer)
    }

    /// Does something with a guest that starts an owner where one is needed.
    pub(crate) fn write<T>(&self, ask: impl FnOnce(&mut Client) -> Answer<T>) -> Answer<T> {
        self.guest.acted();
        let kept = lock(&self.writers).pop();
        let mut client = match kept {
            Some(client) => client,
            None => Client::open(self.home.clone())?,
        };
        let answer = ask(&mut client)?;
        keep(&self.writers, client);
        Ok(answer)
    }

    /// That of the user's login shell, read once.
    pub(crate) fn environment(&self) -> Arc<Captured> {
        Arc::clone(self.environment.get_or_init(|| Arc::new(login::environment(LOGIN_SHELL))))
    }
}

/// One that failed is closed: the next command opens another.
fn keep(kept: &Mutex<Vec<Client>>, client: Client) {
    let mut kept = lock(kept);
    if kept.len() < KEPT {
        kept.push(client);
    }
}
