//! The end of an attempt: the verdict, the values handed on, and what follows for its stage and its run.

use std::path::Path;

use footplate_core::event::Event;
use footplate_core::state::attempt::{AttemptInput, step};
use footplate_core::state::settle::{Evidence, Verdict, settle};
use footplate_core::state::stage::{AfterAttempt, Budgets, StageInput, after_attempt};
use footplate_core::usage::{self, Usage};
use footplate_core::view::Failure;
use footplate_core::{AttemptKey, AttemptStatus, ErrorCode};
use footplate_shim::contract::Exit;
use footplate_shim::folder::AttemptDir;
use footplate_shim::log::{IndexKind, LogRead, LogReader};
use footplate_store::Tx;
use footplate_store::telemetry::Telemetry;
use footplate_store::{AttemptChange, StageChange};
use indexmap::IndexMap;
use serde_json::Value;

use super::Trouble;
use super::mind::Mind;
use super::resume::Chosen;
use super::tail::{Newest, Summary};
use super::{follow, meter, outputs};
use crate::client::{self, explain};
use crate::diagnose;

/// All that is known when an attempt is settled.
pub(super) struct End {
    /// Which.
    pub(super) key: AttemptKey,
    /// What the folder says.
    pub(super) evidence: Evidence,
    /// The exit record.
    pub(super) exit: Option<Box<Exit>>,
    /// What the log says.
    pub(super) summary: Summary,
    /// The newest state.
    pub(super) newest: Option<Newest>,
}

impl Mind {
    /// Settles an attempt: its row, its stage, what follows.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn settle(&mut self, tx: &Tx<'_>, end: End) -> Result<(), Trouble> {
        let End { key, mut evidence, exit, summary, newest } = end;
        let Some(live) = self.live.get(&key) else { return Ok(()) };
        let (state, dir, run_id) = (live.state.clone(), live.dir.clone(), live.run_id);
        let stage = key.stage;
        tell_interpreter(&mut evidence, &dir);
        let run = self.run(tx, key.run)?;
        if run.stage(stage).stall.is_some() || !run.stage(stage).alerts.is_empty() {
            // What its last lines brought about is told before it ends.
            self.note_episodes(tx, key, &summary.episodes, true)?;
            self.end_alerts(tx, key)?;
        }
        let stopped_for = match &evidence {
            Evidence::Exited { by_wish, .. } => self.stopped_for(tx, by_wish.as_deref())?,
            _ => None,
        };
        let jitter = self.jitter();
        let now = self.now;
        // Three interruptions in a row are too many, unless each of them got further than the one before.
        let began = exit.as_ref().map(|exit| exit.started_ms).or_else(|| dir.start().map(|start| start.started_ms));
        let got_further = match (&evidence, began) {
            (Evidence::Lost { started: true, .. } | Evidence::Exited { session_end: true, .. }, Some(began)) => {
                self.has_checkpoint_since(tx, key.stage_key(), began)?
            }
            _ => false,
        };
        let run = self.run(tx, key.run)?;
        let cancelled = run.cancelled || run.cancelled_stages.contains(&stage);
        let verdict = settle(&evidence, cancelled);
        let next = step(&state, AttemptInput::Settled(verdict.clone()))?;

        let mut detail = stopped_for.or_else(|| summary.fault.clone());
        let (mut values, notes) = outputs::read(&dir.output_path());
        values.extend(summary.outputs);
        let definition = run.stage(stage).clone();
        let used = run.budgets(stage);
        let used = Budgets { interruptions: if got_further { 0 } else { used.interruptions }, ..used };
        let (mut after, budgets) =
            after_attempt(&verdict, cancelled, &definition.retries, definition.interruption(), used, now, jitter);
        let budgets = Budgets { interruptions: if got_further { 0 } else { budgets.interruptions }, ..budgets };
        if after == AfterAttempt::Completed {
            match self.declared_outputs(tx, key, &mut values)? {
                Ok(()) => {}
                Err((code, text)) => {
                    after = AfterAttempt::Failed(code);
                    detail = Some(text);
                }
            }
        }
        let detail = start_fault(&evidence, &dir).or(detail);
        let usage = what_it_used(&self.home.telemetry(&run_id), key, exit.as_deref());
        let code = match &after {
            AfterAttempt::Failed(code) => Some(*code),
            _ => verdict.code,
        };
        let name = self.run(tx, key.run)?.rows[stage as usize].name.clone();
        let failure: Option<Failure> = code.map(|code| {
            let facts = explain::Facts {
                exit_code: verdict.exit_code,
                signal: verdict.signal,
                timeout_ms: definition.timeout.map(|t| t.0),
                stall_ms: definition.stall.map(|t| t.0),
                detail: detail.as_deref(),
                run: Some(key.run),
                stage: Some(&name),
                resumes: !definition.resume.is_empty(),
            };
            let failure = explain::failure(code, &facts);
            match (&after, code) {
                // It failed of itself: its own last words may say why. What was cancelled, stopped or lost did not.
                (AfterAttempt::Failed(_) | AfterAttempt::RetryAt(_), ErrorCode::ExitCode | ErrorCode::Signal) => {
                    diagnosed(failure, &verdict, usage.as_ref(), &dir, &facts)
                }
                _ => failure,
            }
        });
        let remarks: Vec<String> = verdict
            .note
            .map(str::to_owned)
            .into_iter()
            .chain(notes)
            .chain(summary.notes)
            .chain(summary.fault.clone())
            .chain(lost_output(&dir))
            .chain(left_running(&evidence, &dir))
            .collect();
        let change = attempt_change(
            &verdict,
            exit.as_deref(),
            summary.fault.is_some().then_some(summary.read_to),
            dir.log_end(),
            now.0,
        );
        let finished = change.finished_at;
        let error = failure.as_ref().and_then(|f| serde_json::to_string(f).ok());
        // Of a program that had ended before anybody saw it run.
        let unseen = (state.status() == AttemptStatus::Launching).then(|| dir.start()).flatten();
        let pid = unseen.map(|start| start.child.pid);
        let usage = usage.and_then(|usage| serde_json::to_string(&usage).ok());
        let change = AttemptChange { error: error.clone(), note: said(&remarks), pid, usage, ..change };
        if !tx.move_attempt(key, &[state.status()], &change, now.0)? {
            return Err(Trouble::LostRace(format!("attempt {}.{} of run #{}", stage, key.attempt, key.run)));
        }
        for text in remarks {
            tx.append(Some(key.run), &Event::Note { stage: Some(stage), text }, now.0)?;
        }
        if let Some(newest) = newest.filter(|n| n.latest != Default::default() || !n.values.is_empty()) {
            let mut row = follow::latest_row(key, &newest);
            if verdict.status == AttemptStatus::Completed {
                row.progress = Some(1.0);
                row.eta_s = None;
            }
            tx.put_latest(&row)?;
        }
        if let Some(live) = self.live.get_mut(&key) {
            live.state = next;
        }
        self.folders.remove(&key.stage_key());
        self.waited_for(tx, key)?;
        if let Some(live) = self.live.remove(&key) {
            if live.measured {
                self.meter.forget(key);
            }
            self.settled.push(live.dir);
            self.leaving.extend(live.child);
        }
        let again = matches!(after, AfterAttempt::Again | AfterAttempt::RetryAt(_));
        let resume = again && definition.interruption() != footplate_core::definition::OnInterrupt::Restart;
        let ended_well = after == AfterAttempt::Completed;
        // It began anew: what lay there before is not its own, whatever comes next.
        let anew = !self.run(tx, key.run)?.rows[stage as usize].resume && !ended_well;
        let resume_from = anew.then(|| Some(Chosen::anew(began.unwrap_or(now.0)).row()));
        self.move_stage(tx, key.stage_key(), StageInput::AttemptEnded(after), |c| StageChange {
            retries_used: Some(budgets.retries),
            interruptions: Some(budgets.interruptions),
            detail,
            resume: again.then_some(resume),
            resume_from,
            outputs: ended_well.then(|| serde_json::to_string(&values).unwrap_or_default()),
            error: Some(error),
            // When it ended, not when that was seen: an owner may come hours later.
            finished_at: c.finished_at.map(|_| finished),
            ..c
        })?;
        self.keep_later(tx, key.stage_key(), true)?;
        self.propagate(tx, key.run, &[stage])
    }

    /// The declared outputs, rendered; absolute paths must be there. The program's own values win over a declaration of the same name.
    fn declared_outputs(
        &mut self,
        tx: &Tx<'_>,
        key: AttemptKey,
        values: &mut IndexMap<String, Value>,
    ) -> Result<Result<(), (ErrorCode, String)>, Trouble> {
        let home = self.home.clone();
        let run = self.run(tx, key.run)?;
        let stage = run.stage(key.stage).clone();
        let name = run.rows[key.stage as usize].name.clone();
        if stage.outputs.is_empty() {
            return Ok(Ok(()));
        }
        let rendered = run.with_scope(&home, &IndexMap::new(), key.stage, key.attempt, None, |scope| {
            footplate_spec::render_outputs(&name, &stage, scope)
        });
        let rendered = match rendered {
            Ok(rendered) => rendered,
            Err(error) => return Ok(Err((error.code, error.to_string()))),
        };
        for (name, value) in rendered {
            if let Value::String(path) = &value
                && Path::new(path).is_absolute()
                && !Path::new(path).exists()
            {
                let text = format!("its output {name:?} is declared as {path}, which is not there");
                return Ok(Err((ErrorCode::OutputMissing, text)));
            }
            values.entry(name).or_insert(value);
        }
        Ok(Ok(()))
    }
}

/// What the end of its output says of the reason, in place of its exit's words. A bounded read of what was just written, and a
/// pass over it: a millisecond at most, and only of what failed.
fn diagnosed(
    failure: Failure,
    verdict: &Verdict,
    usage: Option<&Usage>,
    dir: &AttemptDir,
    known: &explain::Facts<'_>,
) -> Failure {
    let (offset, bytes) = last_output(dir);
    let spec = dir.spec().ok();
    let program = spec.as_ref().and_then(explain::program_of);
    let facts = diagnose::Facts {
        exit_code: verdict.exit_code,
        signal: verdict.signal,
        program: program.as_deref().and_then(Path::to_str),
        cwd: spec.as_ref().and_then(|spec| spec.cwd.as_path().to_str()),
    };
    let found = diagnose::diagnose(&facts, &diagnose::Output::new(&bytes, offset));
    // That the system ended one of its processes for want of memory is known; that it was the reason, where it was killed.
    if usage.is_some_and(|usage| usage.oom_kills.is_some()) && diagnose::was_killed(&facts, found.as_ref()) {
        let most = usage.and_then(|usage| usage.peak_memory_bytes);
        return diagnose::ended_for_memory(failure, found.as_ref(), most, known.run);
    }
    match found {
        Some(found) => diagnose::told(&found, failure, known.run, known.resumes),
        None => failure,
    }
}

/// What it used, from the record of its end and what was seen of it.
fn what_it_used(telemetry: &Path, key: AttemptKey, exit: Option<&Exit>) -> Option<Usage> {
    let ended = exit.filter(|exit| exit.exec_errno.is_none() && !exit.unseen).map(|exit| usage::Ended {
        running_ms: exit.running_ms,
        cpu_ms: exit.user_ms + exit.system_ms,
        max_rss: exit.max_rss_kb << 10,
        oom_kills: exit.oom_kills,
    });
    let short = exit.is_some_and(|exit| exit.running_ms < meter::shortest_ms());
    let rows = || Telemetry::open(telemetry, false).ok()??.usage(Some(key.stage)).ok();
    let rows = if short { Vec::new() } else { rows().unwrap_or_default() };
    let own = rows.iter().filter(|row| row.attempt == key.attempt);
    usage::whole(&own.map(client::usage::sample).collect::<Vec<_>>(), ended, None)
}

/// The last bytes of its log, without a gap in them, and the offset of the first.
fn last_output(dir: &AttemptDir) -> (u64, Vec<u8>) {
    let end = dir.log_end();
    let mut start = end.saturating_sub(diagnose::OUTPUT_MOST as u64);
    let mut bytes = Vec::new();
    let mut reader = LogReader::new(dir);
    let mut buffer = vec![0; diagnose::OUTPUT_MOST];
    loop {
        let at = start + bytes.len() as u64;
        let wanted = usize::try_from(end.saturating_sub(at)).unwrap_or(0).min(buffer.len());
        match reader.read_at(at, &mut buffer[..wanted]) {
            Ok(LogRead::Bytes(read)) if wanted > 0 => bytes.extend_from_slice(&buffer[..read]),
            Ok(LogRead::Dropped { next }) if next < end => {
                start = next;
                bytes.clear();
            }
            // What cannot be read says nothing.
            Ok(LogRead::Bytes(_) | LogRead::Dropped { .. } | LogRead::End) | Err(_) => return (start, bytes),
        }
    }
}

/// What a full disk took of the output, in a sentence.
fn lost_output(dir: &AttemptDir) -> Option<String> {
    // Most lost nothing, and their index is long: it is read only where the last record says that something is missing.
    if !dir.index_path().exists() || dir.swept()?.dropped == 0 {
        return None;
    }
    let lost = footplate_shim::log::index(dir).ok()?.into_iter().filter(|e| e.kind == IndexKind::NoRoom);
    let bytes: u64 = lost.map(|entry| entry.dropped).sum();
    (bytes > 0).then(|| format!("{bytes} bytes of its output are lost: there was no room on the disk"))
}

/// So many of the processes that were ended are named.
const NAMED: usize = 3;

/// What a program that ended by itself left running, in a sentence; that a stop ends all of it goes without saying.
fn left_running(evidence: &Evidence, dir: &AttemptDir) -> Option<String> {
    if !matches!(evidence, Evidence::Exited { by_wish: None, timed_out: false, session_end: false, .. }) {
        return None;
    }
    let left = dir.swept()?.left;
    let named = left.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match left.len() {
        0 => None,
        1..=NAMED => Some(format!("what it left running was ended: {named}")),
        all => {
            let more = all - NAMED;
            Some(format!("what it left running was ended: {named}, and {more} more"))
        }
    }
}

/// All remarks in one text, a line each, at most 2,000 characters.
fn said(remarks: &[String]) -> Option<String> {
    let lines: Vec<String> = remarks.iter().map(|remark| remark.replace(['\n', '\r'], " ")).collect();
    let text: String = lines.join("\n").chars().take(2_000).collect();
    (!text.is_empty()).then_some(text)
}

/// `ENOENT` of a program that is there is that of its interpreter.
fn tell_interpreter(evidence: &mut Evidence, dir: &AttemptDir) {
    if let Evidence::ExecFailed { errno: libc::ENOENT, what } = evidence
        && what == "exec"
        && let Ok(spec) = dir.spec()
        && explain::program_of(&spec).is_some()
    {
        *what = "interpreter".to_owned();
    }
}

/// What only the folder and the evidence know of a failed start, in a sentence.
fn start_fault(evidence: &Evidence, dir: &AttemptDir) -> Option<String> {
    match evidence {
        Evidence::NoClaim { errno } => {
            Some(format!("it could not be started: {}", std::io::Error::from_raw_os_error(*errno)))
        }
        Evidence::ExecFailed { .. } => dir.spec().ok().map(|spec| explain::not_started(&spec, evidence)),
        Evidence::Voided | Evidence::Exited { .. } | Evidence::Lost { .. } => None,
    }
}

fn attempt_change(
    verdict: &Verdict,
    exit: Option<&Exit>,
    read_to: Option<u64>,
    log_size: u64,
    now: i64,
) -> AttemptChange {
    let ran = exit.filter(|e| e.exec_errno.is_none());
    AttemptChange {
        code: verdict.code,
        exit_code: verdict.exit_code,
        signal: verdict.signal,
        log_size: Some(log_size),
        log_read_to: read_to,
        started_at: ran.map(|e| e.started_ms),
        finished_at: Some(ran.map_or(now, |e| e.finished_ms.max(e.started_ms))),
        running_ms: ran.map(|e| e.running_ms),
        ..AttemptChange::to(verdict.status)
    }
}

impl End {
    /// An attempt of which nothing is left to read.
    #[must_use]
    pub(super) fn nothing(key: AttemptKey, evidence: Evidence) -> End {
        End { key, evidence, exit: None, summary: Summary::default(), newest: None }
    }
}
