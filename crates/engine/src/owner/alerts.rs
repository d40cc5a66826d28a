//! Alerts: what the rules on a stage's metrics and its patience say, written down once, told, ended, and acted upon where the stage says so.

use footplate_core::alert::{AlertAction, AlertFacts, Episode};
use footplate_core::state::attempt::AttemptState;
use footplate_core::state::settle::{ALERT_WISH, STALL_WISH};
use footplate_core::{AttemptKey, ErrorCode, UtcMs};
use footplate_shim::{clock, failpoint};
use footplate_store::{AlertRow, STALL_RULE, Tx};

use super::Trouble;
use super::live::{Live, Phase};
use super::mind::Mind;
use super::silence::{Called, last_output};
use super::wishes::Refused;

/// Most alerts of one attempt and rule: a metric that goes up and down over its bound fills no disk.
const EPISODES_MOST: u32 = 100;

impl Live {
    /// Its program runs, as far as is known: what it prints, or does not, means something.
    fn speaks(&self) -> bool {
        self.state == AttemptState::Running
    }

    /// When its silence calls for something at the earliest, on the running clock.
    pub(super) fn silence_due(&self) -> Option<u64> {
        self.silence.as_ref().filter(|_| self.speaks()).and_then(super::silence::Silence::due)
    }

    /// Sets the flag as stored, and stops or starts the clock of its silence.
    pub(super) fn set_paused(&mut self, paused: bool) {
        self.paused = paused;
        if let Some(silence) = &mut self.silence {
            silence.set_paused(paused, clock::running_ms());
        }
    }
}

impl Mind {
    /// Is there a silence that calls for something?
    pub(super) fn hears_silence(&self) -> bool {
        let now = clock::running_ms();
        self.live.values().any(|live| live.silence_due().is_some_and(|due| due <= now))
    }

    /// Raises the alerts of those that have been silent for too long, and ends those of programs that spoke again.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn tell_silence(&mut self, tx: &Tx<'_>) -> Result<(), Trouble> {
        let now = clock::running_ms();
        let call = |live: &Live| Some((live.key, live.silence.as_ref().filter(|_| live.speaks())?.call(now)?));
        let called: Vec<(AttemptKey, Called)> = self.live.values().filter_map(call).collect();
        for (key, called) in called {
            match called {
                Called::TooLong => self.raise_stall(tx, key)?,
                Called::Over(alert) => {
                    if let Some(silence) = self.live.get_mut(&key).and_then(|live| live.silence.as_mut()) {
                        silence.end();
                    }
                    tx.end_alert(alert, self.now.0, self.now.0)?;
                }
            }
        }
        Ok(())
    }

    fn raise_stall(&mut self, tx: &Tx<'_>, key: AttemptKey) -> Result<(), Trouble> {
        let now = self.now.0;
        let Some(live) = self.live.get_mut(&key) else { return Ok(()) };
        let Some(silence) = live.silence.as_mut() else { return Ok(()) };
        if silence.is_being_heard(&live.dir) {
            return Ok(());
        }
        let patience = silence.patience;
        let since = last_output(&live.dir).or_else(|| live.dir.start().map(|start| start.started_ms)).unwrap_or(now);
        let facts = AlertFacts::stall(patience.limit_ms, patience.action);
        let episode = tx.last_episode(key, STALL_RULE)? + 1;
        let Some(alert) = tx.raise_alert(key, (STALL_RULE, episode), &facts, since, now)? else { return Ok(()) };
        silence.raise(alert);
        self.has_news = true;
        if patience.action == AlertAction::Stop {
            self.stop_attempt(tx, key, &format!("{STALL_WISH}{alert}"))?;
        }
        Ok(())
    }

    /// Writes down what began or ended by the rules of an attempt. Episodes that are known already change nothing. `over`: it has ended, and
    /// there is nothing to stop.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn note_episodes(
        &mut self,
        tx: &Tx<'_>,
        key: AttemptKey,
        episodes: &[Episode],
        over: bool,
    ) -> Result<(), Trouble> {
        let now = self.now.0;
        // What comes of one that is settled was told with its end.
        let Some(live) = self.live.get(&key) else { return Ok(()) };
        let lives = !over && matches!(live.phase, Phase::Held);
        for episode in episodes.iter().filter(|episode| episode.number <= EPISODES_MOST) {
            let rule = i64::from(episode.rule);
            let id = match tx.raise_alert(key, (rule, episode.number), &episode.facts, episode.since, now)? {
                Some(id) => {
                    self.has_news = true;
                    failpoint::hit("alert-before-commit");
                    let running = lives && self.live.get(&key).is_some_and(Live::speaks);
                    if episode.facts.action == AlertAction::Stop && running {
                        self.stop_attempt(tx, key, &format!("{ALERT_WISH}{id}"))?;
                    }
                    Some(id)
                }
                None => {
                    let same = |row: &AlertRow| row.rule == rule && row.episode == episode.number;
                    tx.alerts_of(key)?.into_iter().find(same).map(|row| row.id)
                }
            };
            if let (Some(id), Some(ended)) = (id, episode.ended) {
                tx.end_alert(id, ended, now)?;
            }
        }
        Ok(())
    }

    /// With its attempt every alert ends.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn end_alerts(&mut self, tx: &Tx<'_>, key: AttemptKey) -> Result<(), Trouble> {
        for row in tx.alerts_of(key)? {
            tx.end_alert(row.id, self.now.0, self.now.0)?;
        }
        Ok(())
    }

    /// An attempt that another owner left: its stall is remembered, and a stop that was decided is asked for again.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn remember_alerts(&mut self, tx: &Tx<'_>, key: AttemptKey) -> Result<(), Trouble> {
        let mut rows = tx.alerts(key.run, u32::MAX)?;
        rows.retain(|row| row.key == key);
        for row in rows {
            let stall = row.rule == STALL_RULE;
            if stall
                && row.ended_at.is_none()
                && let Some(live) = self.live.get_mut(&key)
            {
                live.stalled = Some((row.id, row.since));
            }
            // Also where it has ended since: it was to stop.
            if row.facts.action == AlertAction::Stop {
                let begins = if stall { STALL_WISH } else { ALERT_WISH };
                self.stop_attempt(tx, key, &format!("{begins}{}", row.id))?;
            }
        }
        Ok(())
    }

    /// The sentence of the alert that an attempt was stopped for.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn stopped_for(&self, tx: &Tx<'_>, wish: Option<&str>) -> Result<Option<String>, Trouble> {
        let id = wish.and_then(|wish| wish.strip_prefix(ALERT_WISH)).and_then(|id| id.parse().ok());
        let row = id.map(|id| tx.alert(id)).transpose()?.flatten();
        Ok(row.map(|row| format!("It was stopped by a rule of its stage: {}", row.facts.sentence(UtcMs(row.since)))))
    }

    /// Grants the wish that alerts of a run be taken for seen: one, or all that are open.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn dismiss(
        &mut self,
        tx: &Tx<'_>,
        number: i64,
        alert: Option<i64>,
    ) -> Result<Result<Option<String>, Refused>, Trouble> {
        let rows = match alert {
            None => tx.alerts(number, u32::MAX)?,
            Some(id) => match tx.alert(id)?.filter(|row| row.key.run == number) {
                Some(row) => vec![row],
                None => return Ok(Err((ErrorCode::NotFound, format!("#{number} has no alert {id}")))),
            },
        };
        let mut seen = 0;
        for row in rows.iter().filter(|row| alert.is_some() || row.ended_at.is_none()) {
            seen += u32::from(tx.dismiss_alert(row.id, self.now.0)?);
        }
        Ok(Ok(Some(match seen {
            0 => format!("#{number} has no alert that was not seen"),
            1 => format!("1 alert of #{number} is dismissed"),
            _ => format!("{seen} alerts of #{number} are dismissed"),
        })))
    }
}
