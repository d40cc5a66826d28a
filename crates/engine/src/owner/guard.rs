//! The disk guard: with little room nothing new starts, with nearly none what runs is paused rather than let crash, and goes on when
//! there is room. A ballast in the data folder is given up then, so that results can be recorded.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use footplate_core::AttemptKey;
use footplate_core::event::Event;
use footplate_core::quantity::ByteSize;
use footplate_core::state::attempt::AttemptState;
use footplate_core::view::{DiskLevel, DiskView};
use footplate_shim::contract::{Command, Reason};
use footplate_store::Tx;

use super::Trouble;
use super::effects::Effect;
use super::mind::Mind;
use super::wishes::Refused;
use crate::disk::{self, Marks};
use crate::home::Home;

const BALLAST_BYTES: u64 = 16 << 20;

/// What the owner knows of the disk.
#[derive(Default)]
pub(super) struct Guard {
    marks: Marks,
    /// The last look; none where the system does not tell.
    seen: Option<DiskView>,
    /// The level that was acted upon.
    level: Option<DiskLevel>,
    /// The level that people were told of, since there was room last: kept in the store, for the next owner tells nothing twice.
    told: Option<DiskLevel>,
}

/// With less room, bytes, nothing is written for this.
const TELL_ROOM: u64 = 1 << 20;
/// The setting with the level that people were told of.
const TOLD: &str = "disk.told";

impl Mind {
    /// The marks, from the store.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn read_disk_marks(&mut self, tx: &Tx<'_>) -> Result<(), Trouble> {
        self.guard.marks = Marks::read(tx)?;
        self.guard.told = match tx.setting(TOLD)?.as_deref() {
            Some("low") => Some(DiskLevel::Low),
            Some("critical") => Some(DiskLevel::Critical),
            _ => None,
        };
        Ok(())
    }

    /// Looks at the disk. True where that calls for a change.
    pub(super) fn look_at_disk(&mut self) -> bool {
        self.guard.seen = disk::look(self.home.root(), self.guard.marks).ok();
        let Some(seen) = self.guard.seen else { return self.guard.level.is_some() };
        keep_ballast(&self.home, &seen);
        let acts = !self.to_pause(&seen).is_empty() || !self.to_go_on(&seen).is_empty();
        acts || self.guard.level != Some(seen.level) || self.guard.told != self.to_tell(&seen)
    }

    /// Does what the last look calls for.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn guard_disk(&mut self, tx: &Tx<'_>) -> Result<(), Trouble> {
        let seen = self.guard.seen;
        self.guard.level = seen.map(|seen| seen.level);
        self.backlog.hold_starts(seen.as_ref().and_then(disk::holds_starts));
        let Some(seen) = seen else { return Ok(()) };
        self.tell_disk(tx, &seen)?;
        for key in self.to_pause(&seen) {
            self.pause_for_disk(
                tx,
                key,
                true,
                &format!("paused: {} are free on the disk", ByteSize(seen.free).rounded()),
            )?;
        }
        for key in self.to_go_on(&seen) {
            self.pause_for_disk(
                tx,
                key,
                false,
                &format!("goes on: {} are free on the disk", ByteSize(seen.free).rounded()),
            )?;
        }
        Ok(())
    }

    /// The level that people are to know of. Where nothing runs or waits a full disk is nobody's trouble yet, and one that has little more
    /// room than the mark is no better.
    fn to_tell(&self, seen: &DiskView) -> Option<DiskLevel> {
        let works = !self.live.is_empty() || self.backlog.can_start_by_itself();
        // What cannot be written down is not told: an owner that fails at it over and over would be worse.
        if seen.free < TELL_ROOM {
            return self.guard.told;
        }
        match (self.guard.told, seen.level) {
            (_, DiskLevel::Enough) if seen.free >= seen.warning.max(seen.critical).saturating_mul(11) / 10 => None,
            (told, DiskLevel::Enough) => told,
            (Some(DiskLevel::Critical), _) => Some(DiskLevel::Critical),
            (told, level) => {
                if works {
                    Some(level)
                } else {
                    told
                }
            }
        }
    }

    fn tell_disk(&mut self, tx: &Tx<'_>, seen: &DiskView) -> Result<(), Trouble> {
        let level = self.to_tell(seen);
        if self.guard.told == level {
            return Ok(());
        }
        self.guard.told = level;
        match level {
            None => tx.drop_setting(TOLD)?,
            Some(level) => {
                let (word, mark) = match level {
                    DiskLevel::Critical => ("critical", seen.critical),
                    DiskLevel::Low | DiskLevel::Enough => ("low", seen.warning.max(seen.critical)),
                };
                tx.put_setting(TOLD, word)?;
                tx.append(None, &Event::Disk { level, free: seen.free, mark }, self.now.0)?;
                self.has_news = true;
            }
        }
        Ok(())
    }

    fn to_pause(&self, seen: &DiskView) -> Vec<AttemptKey> {
        let critical = seen.level == DiskLevel::Critical;
        let runs = |state: &AttemptState| *state == AttemptState::Running;
        self.live.values().filter(|l| critical && !l.paused_for_disk && runs(&l.state)).map(|l| l.key).collect()
    }

    fn to_go_on(&self, seen: &DiskView) -> Vec<AttemptKey> {
        let room = disk::may_go_on(seen);
        self.live.values().filter(|l| room && l.paused_for_disk).map(|l| l.key).collect()
    }

    fn pause_for_disk(&mut self, tx: &Tx<'_>, key: AttemptKey, pause: bool, text: &str) -> Result<(), Trouble> {
        let by_user = self.run(tx, key.run)?.row.paused;
        let Some(live) = self.live.get_mut(&key) else { return Ok(()) };
        live.paused_for_disk = pause;
        live.set_paused(pause || by_user);
        tx.set_attempt_paused(key, live.paused, self.now.0)?;
        // Of a run that the user has paused nothing is to be seen of it.
        if !by_user {
            tx.append(Some(key.run), &Event::Note { stage: Some(key.stage), text: text.to_owned() }, self.now.0)?;
        }
        // A wish of nobody's; a shim ignores one that it has had.
        let (wish, reason) = (format!("disk.{}", self.now.0), Reason::Disk);
        let command = if pause { Command::Pause { wish, reason } } else { Command::Resume { wish, reason } };
        self.effects.push(Effect::Tell { key, command });
        Ok(())
    }

    /// Grants the wish for other marks.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn set_disk_marks(
        &mut self,
        tx: &Tx<'_>,
        warning: Option<u64>,
        critical: Option<u64>,
    ) -> Result<Result<Option<String>, Refused>, Trouble> {
        for (key, mark) in [(disk::WARNING, warning), (disk::CRITICAL, critical)] {
            if let Some(mark) = mark {
                tx.put_setting(key, &mark.to_string())?;
            }
        }
        self.read_disk_marks(tx)?;
        self.look_at_disk();
        self.guard_disk(tx)?;
        let unknown = || "the marks are kept; the room on the disk is not known".to_owned();
        Ok(Ok(Some(self.guard.seen.as_ref().map_or_else(unknown, disk::in_words))))
    }
}

/// Room that is given up when there is none left. Kept only where the disk may fill: with four times the warning mark it costs
/// more than it is worth.
fn keep_ballast(home: &Home, seen: &DiskView) {
    let path = home.ballast();
    let scarce = seen.warning > 0 && seen.free < seen.warning.saturating_mul(4);
    match seen.level {
        DiskLevel::Enough if scarce && !path.exists() => {
            if lay(&path, BALLAST_BYTES.min(seen.total / 100)).is_err() {
                let _ = std::fs::remove_file(&path);
            }
        }
        DiskLevel::Critical => disk::give_up_ballast(home),
        DiskLevel::Enough | DiskLevel::Low => {}
    }
}

fn lay(path: &Path, bytes: u64) -> io::Result<()> {
    let file: File = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    Ok(rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, bytes)?)
}
