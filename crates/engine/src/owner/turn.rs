//! The owner's loop: wait, look, one transaction, effects.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use footplate_core::event::Event;
use footplate_core::state::attempt::{AttemptInput, step};
use footplate_core::state::stage::StageInput;
use footplate_core::{AttemptKey, ErrorCode, Fault, UtcMs};
use footplate_shim::clock;
use footplate_shim::failpoint;
use footplate_store::{AttemptChange, Store, StoreError, Tx, WishRow};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::alarm::Alarm;
use super::copies::Copies;
use super::follow::{Answer, Follower};
use super::live::Live;
use super::lock::OwnerLock;
use super::meter::Measured;
use super::mind::Mind;
use super::post::Post;
use super::presence::Presence;
use super::recover::{Eyes, Finding, log_read, observe, swept};
use super::schedules;
use super::silence::Patience;
use super::strays::Strays;
use super::sweeps::Sweeps;
use super::tail::Reading;
use super::tidy::Tidy;
use super::untold::Untold;
use super::{Left, Trouble, WorkOptions};
use crate::bell::Bell;
use crate::home::Home;
use crate::install::Installed;
use crate::rescue::Request;
use crate::rescue::mark::Mark;
use crate::wake::{Wakeable, Waker, pair};

/// While there is work, the store is looked at this often even if nobody rings, milliseconds.
const LOOK_AT_STORE_MS: u64 = 2_000;

const SIGNALS: [i32; 2] = [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT];

mod idle;
mod runs;

struct Owner<'a> {
    mind: Mind,
    home: &'a Home,
    lock: &'a OwnerLock,
    options: WorkOptions,
    follower: Follower,
    sweeps: Sweeps,
    bell: Bell,
    waker: Waker,
    wakeable: Wakeable,
    /// What is due by the wall clock.
    alarm: Alarm,
    told: Arc<AtomicBool>,
    /// The store's version at the last look.
    version: Option<i64>,
    /// Wishes up to this one were taken.
    seen_wish: i64,
    /// Guests were told that there is an owner who looked at all that was live.
    announced: bool,
    /// Runs that the last owner left and that were not looked at yet, least first.
    waiting: VecDeque<i64>,
    /// Runs are left for the next turn.
    more: bool,
    /// How far the store has come, beside it.
    mark: Mark,
    /// The hourly backup.
    copies: Copies,
    /// Messages to a webhook.
    post: Post,
    /// Old events, new names.
    tidy: Tidy,
    /// Secrets that belong to nobody.
    strays: Strays,
    /// What was found and is not in the store yet.
    untold: Untold,
    presence: Presence,
}

/// Is the owner until there is a reason to leave; gives the store back.
pub(super) fn run(
    home: &Home,
    installed: &Installed,
    mut store: Store,
    lock: &OwnerLock,
    options: WorkOptions,
) -> Result<(Store, Left, i64), Trouble> {
    let (waker, wakeable) = pair()?;
    let told = Arc::new(AtomicBool::new(false));
    for signal in SIGNALS {
        signal_hook::flag::register(signal, Arc::clone(&told))?;
        waker.on_signal(signal)?;
    }
    let mut owner = Owner {
        mind: Mind::new(home, installed, crate::client::machine_capacity(), options.max, waker.clone()),
        home,
        lock,
        options,
        follower: Follower::start(home, waker.clone())?,
        sweeps: Sweeps::new(home.bin_dir(), waker.clone()),
        bell: Bell::listen(home)?,
        mark: Mark::of(home, &store)?,
        copies: Copies::new(home, waker.clone()),
        post: Post::new(home, waker.clone()),
        presence: Presence::new(home, waker.clone()),
        tidy: Tidy::new(),
        strays: Strays::default(),
        untold: Untold::default(),
        waker,
        wakeable,
        alarm: Alarm::new(),
        told,
        version: None,
        seen_wish: 0,
        announced: false,
        waiting: VecDeque::new(),
        more: false,
    };
    owner.mind.keeper.wake_by(owner.waker.clone());
    owner.remember(&mut store)?;
    loop {
        let left = owner.turn(&mut store)?;
        if let Some(left) = left {
            owner.mark.leave(owner.mind.seen_run, || store.read()?.last_seq());
            let seen = owner.mind.seen_run;
            return Ok((store, left, seen));
        }
        owner.wait(&store)?;
    }
}

/// True where a guest wrote something that no owner has taken.
pub(super) fn anything_new(store: &Store, seen_run: i64) -> Result<bool, Fault> {
    let found = || -> Result<bool, StoreError> {
        let read = store.read()?;
        Ok(!read.pending_wishes()?.is_empty()
            || read.newest_run()? > seen_run
            || crate::client::need_an_owner(&read, clock::wall_ms())?)
    };
    found().map_err(|e| e.fault())
}

impl Owner<'_> {
    fn turn(&mut self, store: &mut Store) -> Result<Option<Left>, Trouble> {
        self.wakeable.drain();
        self.alarm.drain();
        let rang = self.bell.drain()?;
        // A shim rings before it has quite gone: its record is there, its lock is free. The others are left alone: a look that
        // finds a program at work writes that down, which is not worth it for one that ends at once.
        let mut known = Vec::new();
        for key in &rang.ended {
            match self.mind.live.get_mut(key) {
                Some(live) => live.look_soon(),
                None => known.push(*key),
            }
        }
        if rang.held || self.mind.reach.answered() {
            self.mind.held.all_at(clock::running_ms());
        }
        if rang.others {
            self.mind.live.values_mut().filter(|l| l.pidfd.is_some()).for_each(Live::look_soon);
        }
        self.mind.now = UtcMs(clock::wall_ms());
        self.mind.leaving.retain(|shim| shim.ended().is_none());
        let found = self.look();
        self.untold.add(found);
        let version = store.data_version()?;
        let new = rang.guest || self.more || self.version != Some(version);
        self.version = Some(version);
        let disk = self.mind.look_at_disk();
        let gpus = self.mind.look_at_gpus();
        if new || disk || gpus || !self.announced || self.untold.is_pressing() || self.something_due() {
            if !self.lock.is_still_there() {
                return Err(Trouble::Damaged("the data folder was replaced under the owner".to_owned()));
            }
            let starts = self.what_schedules_start(store)?;
            let tx = store.begin()?;
            let mut relaunch = Vec::new();
            for finding in self.untold.waiting() {
                self.apply(&tx, finding, &mut relaunch)?;
            }
            if new {
                self.mind.read_schedules(&tx)?;
                self.take_new_runs(&tx)?;
                self.activate_some(&tx)?;
                self.take_wishes(&tx)?;
            }
            for finding in self.untold.pressing() {
                self.apply(&tx, finding, &mut relaunch)?;
            }
            self.queue_what_is_due(&tx)?;
            self.mind.guard_disk(&tx)?;
            self.mind.tell_silence(&tx)?;
            self.mind.keep_checkpoints(&tx)?;
            if !self.told.load(Ordering::Relaxed) {
                self.mind.start_stages(&tx)?;
            }
            while !self.mind.touched.is_empty() {
                let touched = std::mem::take(&mut self.mind.touched);
                conclude(&mut self.mind, &tx, touched)?;
                // A run that ended may let another begin.
                if !self.told.load(Ordering::Relaxed) {
                    self.mind.start_stages(&tx)?;
                }
            }
            if !starts.is_empty() {
                // New runs are taken in like those of guests, in the next turn.
                self.more |= self.mind.start_scheduled(&tx, starts)?;
            }
            if !self.announced {
                // From here on what the store says of live attempts is confirmed.
                tx.put_capacity(&self.mind.announcement())?;
            }
            self.mind.tell_gpus(&tx)?;
            failpoint::hit("turn-before-commit");
            tx.commit()?;
            self.announced = true;
            self.mark.advance(self.mind.seen_run, || store.read()?.last_seq());
            self.copies.changed();
            self.tidy.changed();
            if std::mem::take(&mut self.mind.has_news) {
                self.post.stir();
            }
            failpoint::hit("turn-after-commit");
            for launch in relaunch {
                self.mind.effects.push(super::effects::Effect::Launch(Box::new(launch)));
            }
            self.mind.act();
            self.mind.forget_those_that_wait();
        }
        self.mind.tell_again(store, known)?;
        self.post.tend();
        self.copies.tend(store)?;
        // While many come in, they come first.
        if !self.more {
            self.tidy.tend(store, self.mind.seen_run)?;
            self.strays.tend(self.home, store)?;
        }
        if self.told.load(Ordering::Relaxed) {
            return Ok(Some(Left::Told));
        }
        if rang.guest
            && let Some(request) = Request::left(self.home)
        {
            let why = request.suspected.unwrap_or_else(|| "somebody wants it restored".to_owned());
            return Err(StoreError::Damaged(why).into());
        }
        if rang.guest && asks_for_hand_over(self.home) {
            return Ok(Some(Left::HandOver));
        }
        Ok((self.options.until_idle && self.is_idle()).then_some(Left::Idle))
    }

    fn eyes<'b>(mind: &'b Mind, key: AttemptKey, follower: &'b Follower, sweeps: &'b Sweeps) -> Eyes<'b> {
        let run = mind.runs.get(&key.run);
        let stage = run.map(|r| r.stage(key.stage));
        Eyes {
            home: &mind.home,
            shims: &mind.shims,
            follower,
            sweeps,
            reading: Reading {
                options: footplate_progress::Options {
                    progress_pattern: stage.and_then(|s| s.progress_pattern.clone()),
                    metric_pattern: stage.and_then(|s| s.metric_pattern.clone()),
                },
                rules: stage.map(|s| Arc::from(s.alerts.as_slice())).unwrap_or_default(),
            },
            patience: stage.and_then(|s| Some(Patience { limit_ms: s.stall?.0, action: s.stall_action })),
            secrets: run.and_then(|r| r.row.secrets.clone()),
        }
    }

    /// Looks at the attempts whose time has come, and takes what other threads finished.
    fn look(&mut self) -> Vec<Finding> {
        let now = clock::running_ms();
        let mut findings = Vec::new();
        let due: Vec<AttemptKey> =
            self.mind.live.iter().filter(|(_, l)| l.look_at.is_some_and(|at| at <= now)).map(|(k, _)| *k).collect();
        for key in due {
            findings.extend(self.with_live(key, observe));
        }
        while let Some(done) = self.sweeps.done() {
            findings.extend(self.with_live(done.key, |live, eyes| swept(live, done.gone, done.left, eyes)));
        }
        while let Some(answer) = self.follower.answer() {
            match answer {
                Answer::Finished(done) => {
                    findings.extend(self.with_live(done.key, |live, _| log_read(live, done.summary, done.newest)));
                }
                Answer::Told(key, episodes) => findings.push(Finding::Told(key, episodes)),
            }
        }
        findings
    }

    fn with_live(&mut self, key: AttemptKey, f: impl FnOnce(&mut Live, &Eyes<'_>) -> Vec<Finding>) -> Vec<Finding> {
        let Some(mut live) = self.mind.live.remove(&key) else { return Vec::new() };
        let findings = f(&mut live, &Self::eyes(&self.mind, key, &self.follower, &self.sweeps));
        self.mind.live.insert(key, live);
        findings
    }

    fn something_due(&self) -> bool {
        let now = self.mind.now;
        let running = clock::running_ms();
        let due = |at: Option<u64>| at.is_some_and(|at| at <= running);
        due(self.mind.retries.first())
            || due(self.mind.keeping.first())
            || self.mind.keeper.is_busy()
            || due(self.mind.held.first())
            || self.mind.backlog.next_due(now).is_some_and(|at| at <= now)
            || self.mind.schedules.is_due(now)
            || self.mind.hears_silence()
    }

    /// What is due by schedules: once the first launches are through, so that what waits since the last owner comes before it.
    fn what_schedules_start(&mut self, store: &Store) -> Result<Vec<schedules::Start>, Trouble> {
        let due = self.announced && self.mind.schedules.is_due(self.mind.now);
        if !due || self.told.load(Ordering::Relaxed) {
            return Ok(Vec::new());
        }
        Ok(self.mind.schedules.prepare(self.home, &store.read()?, self.mind.now, &self.waker)?)
    }

    fn take_wishes(&mut self, tx: &Tx<'_>) -> Result<(), Trouble> {
        for row in tx.pending_wishes()? {
            if row.seq > self.seen_wish {
                self.seen_wish = row.seq;
                self.grant(tx, &row)?;
            }
        }
        Ok(())
    }

    /// One wish in a savepoint of its own: one that cannot be granted is refused, and stops no other and no owner.
    fn grant(&mut self, tx: &Tx<'_>, row: &WishRow) -> Result<(), Trouble> {
        let mind = &mut self.mind;
        let (effects, awaiting) = (mind.effects.len(), mind.awaiting.len());
        let mut trouble = None;
        let granted = tx.savepoint(|tx| {
            mind.grant(tx, row).map_err(|e| match e {
                Trouble::Store(error) => error,
                other => {
                    let fault = Fault::new(ErrorCode::Storage, other.to_string());
                    trouble = Some(other);
                    StoreError::Fault(fault)
                }
            })
        });
        let Err(error) = granted else { return Ok(()) };
        if trouble.is_none() && !error.is_refused_row() {
            return Err(error.into());
        }
        eprintln!("the wish {} ({} {}) cannot be granted: {error}", row.id, row.kind, row.args);
        mind.effects.truncate(effects);
        mind.awaiting.truncate(awaiting);
        if let Some(number) = row.run {
            mind.runs.remove(&number);
            mind.touched.remove(&number);
        }
        let text = format!("It cannot be done: {error}");
        tx.answer_wish(&row.id, false, Some(ErrorCode::Storage), &text, mind.now.0)?;
        Ok(())
    }

    fn apply(
        &mut self,
        tx: &Tx<'_>,
        finding: Finding,
        relaunch: &mut Vec<super::effects::Launch>,
    ) -> Result<(), Trouble> {
        let now = self.mind.now.0;
        match finding {
            Finding::Started(key, start) => {
                if let Some(live) = self.mind.live.get_mut(&key) {
                    let next = step(&live.state, AttemptInput::Started)?;
                    let change = AttemptChange {
                        pid: Some(start.child.pid),
                        started_at: Some(start.started_ms),
                        ..AttemptChange::to(next.status())
                    };
                    tx.move_attempt(key, &[live.state.status()], &change, now)?;
                    live.state = next;
                }
                Ok(())
            }
            Finding::Measured(key, start) => {
                if let Some(live) = self.mind.live.get(&key) {
                    let (mark, gpus) = (live.mark(), live.gpus.clone());
                    let telemetry = self.home.telemetry(&live.run_id);
                    self.mind.meter.watch(Measured { key, start: *start, mark, gpus, telemetry });
                }
                Ok(())
            }
            Finding::Adopted(key) => self.mind.adopted(tx, key),
            Finding::Ended(end) => self.mind.settle(tx, *end),
            Finding::Relaunch(key) => {
                match self.mind.relaunch(tx, key)? {
                    Some(launch) => relaunch.push(launch),
                    None => {
                        let evidence = footplate_core::state::settle::Evidence::Voided;
                        self.mind.settle(tx, super::ends::End::nothing(key, evidence))?;
                    }
                }
                Ok(())
            }
            Finding::Carried(key, command) => self.mind.carried(tx, key, &command),
            Finding::Told(key, episodes) => self.mind.note_episodes(tx, key, &episodes, false),
            Finding::Stuck(key, left) => {
                let text = format!("does not go away, is tried again each 10 s: {}", left.join(", "));
                tx.append(Some(key.run), &Event::Note { stage: Some(key.stage), text }, now)?;
                Ok(())
            }
        }
    }

    /// Retries that are due, and held stages whose lack may have ended.
    fn queue_what_is_due(&mut self, tx: &Tx<'_>) -> Result<(), Trouble> {
        let now = clock::running_ms();
        while let Some(key) = self.mind.retries.take(now) {
            self.mind.move_stage(tx, key, StageInput::RetryDue, |c| c)?;
        }
        while let Some(key) = self.mind.held.take(now) {
            self.mind.move_stage(tx, key, StageInput::Release, |c| c)?;
        }
        Ok(())
    }

    fn wait(&mut self, _store: &Store) -> Result<(), Trouble> {
        let now = clock::running_ms();
        let mind = &self.mind;
        let looks = mind.live.values().filter_map(|l| l.look_at).map(|at| at.saturating_sub(now));
        let start = mind.backlog.next_due(mind.now).map(|at| at.0);
        let by_wall = self.alarm.set(start.into_iter().chain(mind.schedules.next()).min());
        let work = !mind.live.is_empty() || !mind.awaiting.is_empty() || mind.backlog.can_start_by_itself();
        let store = if self.more || self.strays.is_busy() { Some(0) } else { work.then_some(LOOK_AT_STORE_MS) };
        let retry = mind.retries.first().map(|at| at.saturating_sub(now));
        let keep = mind.keeping.first().map(|at| at.saturating_sub(now));
        let held = mind.held.first().map(|at| at.saturating_sub(now));
        let copy = self.copies.due().filter(|_| work).map(|at| at.saturating_sub(now));
        let tidy = self.tidy.due().filter(|_| work || self.tidy.is_busy()).map(|at| at.saturating_sub(now));
        let silent = mind.live.values().filter_map(Live::silence_due);
        let silence = silent.chain(mind.schedules.patient_until()).map(|at| at.saturating_sub(now));
        let gpus = mind.gpus_due().map(|at| at.saturating_sub(now));
        let untold = self.untold.due().map(|at| at.saturating_sub(now));
        let post = self.post.due().map(|at| at.saturating_sub(now));
        let reach = mind.reach.until().map(|at| at.saturating_sub(now));
        let due = [retry, held, by_wall, store, copy, keep, tidy, gpus, untold, post, reach].into_iter().flatten();
        let timeout = looks.chain(silence).chain(due).min().filter(|ms| *ms < u64::MAX).map(|ms| {
            let ms = ms.min(u64::from(u32::MAX));
            Timespec { tv_sec: (ms / 1000).cast_signed(), tv_nsec: ((ms % 1000) * 1_000_000).cast_signed() }
        });
        let watched: Vec<(AttemptKey, &std::os::fd::OwnedFd)> =
            mind.live.iter().filter_map(|(k, l)| l.pidfd.as_ref().map(|fd| (*k, fd))).collect();
        let mut fds = vec![PollFd::new(&self.bell, PollFlags::IN), PollFd::new(&self.wakeable, PollFlags::IN)];
        fds.extend(watched.iter().map(|(_, fd)| PollFd::new(*fd, PollFlags::IN)));
        let alarm = self.alarm.fd();
        fds.extend(alarm.iter().map(|fd| PollFd::new(fd, PollFlags::IN)));
        // Interrupted or not: the turn looks at everything.
        let _ = poll(&mut fds, timeout.as_ref());
        let ended: Vec<AttemptKey> =
            fds.iter().skip(2).zip(&watched).filter(|(fd, _)| !fd.revents().is_empty()).map(|(_, (k, _))| *k).collect();
        for key in ended {
            if let Some(live) = self.mind.live.get_mut(&key) {
                live.pidfd = None;
                live.look_soon();
            }
        }
        Ok(())
    }
}

fn conclude(mind: &mut Mind, tx: &Tx<'_>, touched: std::collections::BTreeSet<i64>) -> Result<(), Trouble> {
    for number in touched {
        mind.answer_stages(tx, number)?;
        mind.conclude(tx, number)?;
    }
    Ok(())
}

fn asks_for_hand_over(home: &Home) -> bool {
    std::fs::read_to_string(home.hand_over()).is_ok_and(|version| version.trim() != super::lock::VERSION)
}
