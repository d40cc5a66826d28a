//! The app as a guest: it holds `presence` while it is open, and sees to it that there is an owner.
//!
//! The owner is a process of its own, started from the copy of `footplate` in the data folder, so that neither the end of
//! the app nor its upgrade stops a queue.

use std::process::Child;
use std::sync::Mutex;
use std::time::Duration;

use footplate_core::Fault;
use footplate_engine::Client;
use footplate_engine::client::{OwnerState, PresenceGuard};
use footplate_shim::clock;

use crate::answer::lock;

/// Before the second try, and at most.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// How long one that is being started is left alone: it tells of itself by its lock.
const STARTING: Duration = Duration::from_millis(500);
/// Exit codes after which trying again helps nobody: another process holds the store; it cannot be used.
const HOPELESS: [i32; 2] = [7, 8];

/// Sees to an owner.
#[derive(Default)]
pub(crate) struct Guest {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    presence: Option<PresenceGuard>,
    child: Option<Child>,
    /// On the running clock, milliseconds.
    not_before: u64,
    wait: Option<Duration>,
    /// Not before the user does something.
    given_up: bool,
}

impl Guest {
    /// Says that somebody looks on, from now until the app ends.
    pub(crate) fn arrive(&self, client: &Client) -> Result<(), Fault> {
        lock(&self.state).presence = Some(client.presence()?);
        Ok(())
    }

    /// The user did something: what was given up is tried again.
    pub(crate) fn acted(&self) {
        let mut state = lock(&self.state);
        if state.given_up {
            *state = State { presence: state.presence.take(), ..State::default() };
        }
    }

    /// Starts an owner where there is none: at once, then after 1, 2, 4 .. 60 s. Tells when it wants to be asked again, where there is
    /// none yet.
    pub(crate) fn tend(&self, client: &Client) -> Option<Duration> {
        let mut state = lock(&self.state);
        if let Some(child) = &mut state.child
            && let Ok(Some(status)) = child.try_wait()
        {
            state.child = None;
            if !status.success() {
                log::warn!("an owner ended: {status}");
            }
            state.given_up = status.code().is_some_and(|code| HOPELESS.contains(&code));
        }
        let now = clock::running_ms();
        if matches!(client.owner(), OwnerState::Present { .. }) {
            // One that has stayed for a while is no sign of trouble.
            if now > state.not_before {
                state.wait = None;
            }
            state.given_up = false;
            return None;
        }
        if state.given_up {
            return None;
        }
        if state.child.is_some() || now < state.not_before {
            return Some(Duration::from_millis(state.not_before.saturating_sub(now)).max(STARTING));
        }
        let wait = state.wait.map_or(FIRST_WAIT, |wait| (wait * 2).min(LONGEST_WAIT));
        state.wait = Some(wait);
        state.not_before = now + u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        // Whoever asks for something is told, too.
        state.child = client.launch_owner().unwrap_or_else(|fault| {
            log::warn!("no owner could be started: {}", fault.message);
            None
        });
        Some(STARTING)
    }
}
