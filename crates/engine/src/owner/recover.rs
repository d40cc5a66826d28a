//! Looking at attempts: the table "Recovery" of docs/RUN-FOLDER.md, the first line that fits. The same code serves an attempt of this owner,
//! one of an owner that died, and one of an earlier boot.

use std::sync::Arc;

use footplate_core::alert::Episode;
use footplate_core::state::attempt::AttemptState;
use footplate_core::state::settle::Evidence;
use footplate_core::{AttemptKey, ErrorCode};
use footplate_shim::clock;
use footplate_shim::contract::{Adopted, Command, Exit, Start, code};
use footplate_shim::failpoint;
use footplate_shim::folder::LockGuard;
use footplate_shim::identity::Identity;
use footplate_shim::sweep::Tree;
use rustix::process::Signal;

use super::ends::End;
use super::follow::{Ask, Follower};
use super::launch::SHIMS_PER_ATTEMPT;
use super::live::{Live, Phase};
use super::shims::{Shim, Shims};
use super::silence::{Patience, Silence};
use super::sweeps::Sweeps;
use super::tail::{Reading, Summary, Tail};
use crate::attempt::look::{Seen, look, look_after_reboot};
use crate::home::Home;
use crate::secrets::Secrets;

/// Up to this size a log that nobody followed is read on the spot, bytes.
const INLINE_LOG: u64 = 256 * 1024;
/// A shim that has not said it got a command is woken after this, milliseconds.
const WAKE_SHIM_MS: u64 = 2_000;
/// ... and killed after this.
const KILL_SHIM_MS: u64 = 5_000;
/// After so many shims that could not adopt a program, one after the other, it is ended.
const ADOPTERS: u32 = 3;
const ENOSPC: i32 = 28;

/// What a look found that changes a state.
pub(super) enum Finding {
    /// Its program runs.
    Started(AttemptKey, Box<Start>),
    /// Its program was seen at work: what it uses is to be measured.
    Measured(AttemptKey, Box<Start>),
    /// Its first shim is gone; another has taken its place.
    Adopted(AttemptKey),
    /// It is over and its log is read.
    Ended(Box<End>),
    /// No shim has it, and its folder is not there: make it again.
    Relaunch(AttemptKey),
    /// The shim carried a command out.
    Carried(AttemptKey, Command),
    /// Something began or ended by its stage's rules.
    Told(AttemptKey, Vec<Episode>),
    /// Its tree does not go away.
    Stuck(AttemptKey, Vec<String>),
}

/// What looking needs.
pub(super) struct Eyes<'a> {
    /// The data folder.
    pub(super) home: &'a Home,
    /// Starts shims.
    pub(super) shims: &'a Shims,
    /// Reads logs.
    pub(super) follower: &'a Follower,
    /// Ends what dead shims left.
    pub(super) sweeps: &'a Sweeps,
    /// How the attempt's output is read.
    pub(super) reading: Reading,
    /// How long its program may be silent.
    pub(super) patience: Option<Patience>,
    /// The file of the run's secrets.
    pub(super) secrets: Option<String>,
}

/// Looks at one attempt.
pub(super) fn observe(live: &mut Live, eyes: &Eyes<'_>) -> Vec<Finding> {
    live.look_at = None;
    failpoint::hit("recover-look");
    if matches!(live.phase, Phase::Sweeping { .. } | Phase::ReadingLog { .. }) {
        return Vec::new();
    }
    reap(live);
    let seen =
        if live.is_of_another_boot() { look_after_reboot(&live.dir, live.known) } else { look(&live.dir, live.known) };
    match seen {
        // A folder that cannot be read says nothing; it is looked at again.
        Err(error) => {
            eprintln!("attempt {}.{} of run #{}: {error}", live.key.stage, live.key.attempt, live.key.run);
            live.look_every = 100;
            live.look_again();
            Vec::new()
        }
        Ok(Seen::Unclaimed { built }) => unclaimed(live, built, eyes),
        Ok(Seen::Gone) => {
            let evidence = Evidence::Lost { started: true, why: ErrorCode::FolderDeleted };
            sweep(live, evidence, None, None, None, eyes);
            Vec::new()
        }
        Ok(Seen::Held { start, adopted }) => held(live, start, adopted, eyes),
        Ok(Seen::Orphan { start, lock }) => {
            live.known = true;
            orphan(live, &start, lock, eyes);
            Vec::new()
        }
        Ok(Seen::Over { evidence, exit }) => read_log(live, evidence, exit, eyes),
        Ok(Seen::Unswept { evidence, exit, start, lock }) => {
            live.known = true;
            sweep(live, evidence, exit, start.as_ref(), lock, eyes);
            Vec::new()
        }
    }
}

/// The shim is our child: take its exit code, so that no zombie is left.
fn reap(live: &mut Live) {
    if let Some(status) = live.child.as_ref().and_then(Shim::ended) {
        let refused = match status {
            Some(code::NO_SPACE) => Some(ENOSPC),
            Some(code::HELD | code::LOCKED | code::CLAIM_LOST | code::NOTHING_TO_ADOPT) | None => None,
            Some(_) => Some(5),
        };
        live.refused = refused.or(live.refused);
        live.child = None;
        live.pidfd = None;
    }
}

fn unclaimed(live: &mut Live, built: bool, eyes: &Eyes<'_>) -> Vec<Finding> {
    if live.state == AttemptState::Stopping {
        // Cancelled before anybody claimed it: it never runs, unless a shim wins this very create.
        if !built || live.dir.try_void().unwrap_or(false) {
            return over(live, Evidence::Voided, Summary::default());
        }
        live.look_again();
        return Vec::new();
    }
    if live.child.is_some() {
        // It has not come to its claim yet.
        live.look_again();
        return Vec::new();
    }
    if live.spawned >= SHIMS_PER_ATTEMPT {
        if built && !live.dir.try_void().unwrap_or(false) {
            live.look_again();
            return Vec::new();
        }
        return over(live, Evidence::NoClaim { errno: live.refused.unwrap_or(0) }, Summary::default());
    }
    if built {
        let secrets = eyes
            .secrets
            .as_ref()
            .map_or_else(Secrets::default, |name| Secrets::read(eyes.home, name).unwrap_or_default());
        super::effects::spawn(live, eyes.shims, &secrets);
        return Vec::new();
    }
    // Never built, or wiped by what it started: its processes tell.
    let tree = Tree::of(&live.mark(), None, &eyes.home.bin_dir());
    if tree.members().is_ok_and(|members| !members.is_empty()) {
        sweep(live, Evidence::Lost { started: true, why: ErrorCode::FolderDeleted }, None, None, None, eyes);
        return Vec::new();
    }
    vec![Finding::Relaunch(live.key)]
}

/// Its shim was killed and its program lives: another shim takes the place, and until it has, the slot is not free.
fn orphan(live: &mut Live, start: &Start, lock: LockGuard, eyes: &Eyes<'_>) {
    if live.child.is_some() {
        // It is on its way to the lock.
        drop(lock);
        live.look_again();
        return;
    }
    if live.adopters >= ADOPTERS {
        let evidence = Evidence::Lost { started: true, why: ErrorCode::ShimLost };
        return sweep(live, evidence, None, Some(start), Some(lock), eyes);
    }
    drop(lock);
    failpoint::hit("recover-adopt");
    super::effects::adopt(live, eyes.shims);
}

fn held(live: &mut Live, start: Option<Start>, adopted: Option<Adopted>, eyes: &Eyes<'_>) -> Vec<Finding> {
    live.known = true;
    live.phase = Phase::Held;
    let mut findings = Vec::new();
    let Some(start) = start else {
        live.look_again();
        return findings;
    };
    if live.adopters > 0 {
        if adopted.as_ref().is_none_or(|adopted| !adopted.shim.is_alive()) {
            // It has the lock, and has not said yet that it is the one.
            live.look_again();
            return findings;
        }
        live.adopters = 0;
    }
    let shim = adopted.as_ref().map_or(&start.shim, |adopted| &adopted.shim);
    if live.pidfd.is_none() {
        live.pidfd = shim.open_pidfd().ok().flatten();
        if live.pidfd.is_none() {
            live.look_again();
        }
    }
    if live.silence.is_none()
        && let Some(patience) = eyes.patience
    {
        let before = live.stalled;
        live.silence = Some(Silence::of(&live.dir, &start, patience, &live.pulse, live.paused, before));
    }
    if !live.followed {
        live.followed = true;
        eyes.follower.ask(follow(live, eyes));
    }
    findings.extend(commands(live, shim));
    if !live.measured || adopted.is_some() && !live.orphan {
        live.measured = true;
        let of = Start { shim: shim.clone(), ..start.clone() };
        findings.push(Finding::Measured(live.key, Box::new(of)));
    }
    if live.state == AttemptState::Launching {
        findings.push(Finding::Started(live.key, Box::new(start)));
    }
    if adopted.is_some() && !live.orphan {
        findings.push(Finding::Adopted(live.key));
    }
    findings
}

fn follow(live: &Live, eyes: &Eyes<'_>) -> Ask {
    Ask::Follow {
        key: live.key,
        dir: live.dir.clone(),
        telemetry: eyes.home.telemetry(&live.run_id),
        reading: eyes.reading.clone(),
        pulse: Arc::clone(&live.pulse),
    }
}

/// Commands on their way: said again until the shim writes that it got them; a shim that does not answer is woken, then killed.
fn commands(live: &mut Live, shim: &Identity) -> Vec<Finding> {
    if live.sent.is_empty() {
        return Vec::new();
    }
    let acts = live.dir.acts();
    let now = clock::running_ms();
    let mut carried = Vec::new();
    let (dir, key) = (&live.dir, live.key);
    live.sent.retain_mut(|sent| {
        sent.got = sent.got || acts.iter().any(|act| act.is_got(sent.command.wish()));
        if sent.got {
            let done = match &sent.command {
                Command::Stop { .. } | Command::Kill { .. } => true,
                Command::Pause { reason, .. } => last_pause(&acts, &reason.to_string()) == Some(true),
                Command::Resume { reason, .. } => last_pause(&acts, &reason.to_string()) != Some(true),
            };
            if done {
                carried.push(Finding::Carried(key, sent.command.clone()));
            }
            return !done;
        }
        let _ = dir.tell(&sent.command);
        if now.saturating_sub(sent.at) >= KILL_SHIM_MS {
            let _ = shim.signal(Signal::KILL);
        } else if now.saturating_sub(sent.at) >= WAKE_SHIM_MS && !sent.woken {
            sent.woken = true;
            let _ = shim.signal(Signal::CONT);
        }
        true
    });
    if !live.sent.is_empty() {
        live.look_again();
    }
    carried
}

/// Whether the last act on this reason paused.
fn last_pause(acts: &[footplate_shim::contract::Act], reason: &str) -> Option<bool> {
    acts.iter()
        .rev()
        .find(|act| matches!(act.verb.as_str(), "paused" | "unpaused") && act.args.first().is_some_and(|a| a == reason))
        .map(|act| act.verb == "paused")
}

fn sweep(
    live: &mut Live,
    evidence: Evidence,
    exit: Option<Box<Exit>>,
    start: Option<&Start>,
    lock: Option<LockGuard>,
    eyes: &Eyes<'_>,
) {
    live.phase = Phase::Sweeping { evidence, exit };
    eyes.sweeps.start(live.key, live.dir.clone(), &live.mark(), start, lock);
}

/// A sweep is done: the log is next, or another sweep.
pub(super) fn swept(live: &mut Live, gone: bool, left: Vec<String>, eyes: &Eyes<'_>) -> Vec<Finding> {
    if !gone {
        // The attempt keeps its slot; it is swept again.
        live.phase = Phase::Held;
        live.look_at = Some(clock::running_ms() + super::sweeps::AGAIN_MS);
        return vec![Finding::Stuck(live.key, left)];
    }
    match std::mem::replace(&mut live.phase, Phase::Held) {
        Phase::Sweeping { evidence, exit } => read_log(live, evidence, exit, eyes),
        other @ (Phase::Launching | Phase::Held | Phase::ReadingLog { .. }) => {
            live.phase = other;
            Vec::new()
        }
    }
}

fn read_log(live: &mut Live, evidence: Evidence, exit: Option<Box<Exit>>, eyes: &Eyes<'_>) -> Vec<Finding> {
    failpoint::hit("finish-before-log");
    live.known = true;
    if !live.followed {
        let end = live.dir.log_end();
        if end == 0 {
            return ended(live, evidence, exit, Summary::default(), None);
        }
        if end <= INLINE_LOG {
            let tail = Tail::open(
                &live.dir,
                eyes.home.telemetry(&live.run_id),
                live.key.stage,
                live.key.attempt,
                eyes.reading.clone(),
            );
            let (summary, newest) = tail.finish();
            return ended(live, evidence, exit, summary, Some(newest));
        }
        live.followed = true;
        eyes.follower.ask(follow(live, eyes));
    }
    eyes.follower.ask(Ask::Finish(live.key));
    live.phase = Phase::ReadingLog { evidence, exit };
    Vec::new()
}

/// The log was read to its end.
pub(super) fn log_read(live: &mut Live, summary: Summary, newest: super::tail::Newest) -> Vec<Finding> {
    match std::mem::replace(&mut live.phase, Phase::Held) {
        Phase::ReadingLog { evidence, exit } => ended(live, evidence, exit, summary, Some(newest)),
        other @ (Phase::Launching | Phase::Held | Phase::Sweeping { .. }) => {
            live.phase = other;
            Vec::new()
        }
    }
}

fn over(live: &Live, evidence: Evidence, summary: Summary) -> Vec<Finding> {
    ended(live, evidence, None, summary, None)
}

fn ended(
    live: &Live,
    evidence: Evidence,
    exit: Option<Box<Exit>>,
    summary: Summary,
    newest: Option<super::tail::Newest>,
) -> Vec<Finding> {
    failpoint::hit("finish-before-commit");
    vec![Finding::Ended(Box::new(End { key: live.key, evidence, exit, summary, newest }))]
}
