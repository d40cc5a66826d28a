//! The reference: a run told again from the design, with words instead of types and loops over everything instead of steps.
//! It shares nothing with the code under test but the words of its statuses.

/// What an attempt's folder may say, as the walk picks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Voided,
    NoClaim,
    ExecMissing,
    CwdMissing,
    Zero,
    Code,
    Signal,
    Stopped,
    TimedOut,
    Logout,
    LostUnstarted,
    LostStarted,
}

impl End {
    pub(crate) const ALL: [End; 12] = [
        End::Voided,
        End::NoClaim,
        End::ExecMissing,
        End::CwdMissing,
        End::Zero,
        End::Code,
        End::Signal,
        End::Stopped,
        End::TimedOut,
        End::Logout,
        End::LostUnstarted,
        End::LostStarted,
    ];
}

#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) needs: Vec<usize>,
    pub(crate) allow_failure: bool,
    pub(crate) needs_any: bool,
    pub(crate) tail: bool,
    pub(crate) condition: bool,
    pub(crate) retries: u32,
    pub(crate) retry_timeouts: bool,
    /// `ask`, else it goes on after an interruption.
    pub(crate) ask: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Stage {
    pub(crate) word: &'static str,
    pub(crate) code: &'static str,
    pub(crate) retries_left: u32,
    pub(crate) interruptions: u32,
    /// The words of all attempts, oldest first.
    pub(crate) attempts: Vec<&'static str>,
    /// When a retry is due.
    pub(crate) due: i64,
    /// A cancel of this generation was accepted.
    pub(crate) cancel: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) rules: Vec<Rule>,
    pub(crate) stop_on_failure: bool,
    pub(crate) stages: Vec<Stage>,
    pub(crate) draft: bool,
    pub(crate) paused: bool,
    pub(crate) after_failed: bool,
}

const LIVE: [&str; 3] = ["launching", "running", "stopping"];
pub(crate) const ENDED: [&str; 6] = ["completed", "cached", "skipped", "failed", "cancelled", "interrupted"];

pub(crate) fn ended(word: &str) -> bool {
    ENDED.contains(&word)
}

impl Model {
    pub(crate) fn new(rules: Vec<Rule>, stop_on_failure: bool) -> Self {
        let stages = rules
            .iter()
            .map(|rule| Stage {
                word: "waiting",
                code: "",
                retries_left: rule.retries,
                interruptions: 0,
                attempts: Vec::new(),
                due: 0,
                cancel: false,
            })
            .collect();
        Model { rules, stop_on_failure, stages, draft: true, paused: false, after_failed: false }
    }

    fn set(&mut self, stage: usize, word: &'static str, code: &'static str) {
        self.stages[stage].word = word;
        self.stages[stage].code = code;
    }

    /// The word of the last attempt is another.
    pub(crate) fn set_attempt(&mut self, stage: usize, word: &'static str) {
        if let Some(last) = self.stages[stage].attempts.last_mut() {
            *last = word;
        }
    }

    pub(crate) fn live_attempt(&self, stage: usize) -> Option<&'static str> {
        self.stages[stage].attempts.last().copied().filter(|word| LIVE.contains(word))
    }

    /// Needs stand before what needs them, so one pass from the first to the last is all that follows.
    pub(crate) fn settle_needs(&mut self) {
        if self.draft {
            return;
        }
        let failed =
            |m: &Model, i: usize| m.stages[i].word == "failed" && !m.rules[i].allow_failure && !m.rules[i].tail;
        for stage in 0..self.stages.len() {
            let stop = self.stop_on_failure && (0..self.stages.len()).any(|i| failed(self, i));
            if stop && ["waiting", "queued", "retrying", "held"].contains(&self.stages[stage].word) {
                self.set(stage, "skipped", "stopped_by_failure");
            }
            if self.stages[stage].word != "waiting" {
                continue;
            }
            let needs: Vec<&str> = self.rules[stage].needs.iter().map(|need| self.stages[*need].word).collect();
            let bad: &[&str] = if self.rules[stage].needs_any {
                &["interrupted", "cancelled"]
            } else {
                &["interrupted", "cancelled", "failed", "skipped"]
            };
            if needs.iter().any(|word| bad.contains(word)) {
                self.set(stage, "skipped", "need_not_completed");
            } else if needs.iter().all(|word| ended(word)) {
                if self.rules[stage].condition {
                    self.set(stage, "queued", "");
                } else {
                    self.set(stage, "skipped", "condition_false");
                }
            }
        }
    }

    pub(crate) fn cancel(&mut self) -> bool {
        if self.stages.iter().all(|stage| ended(stage.word)) {
            return false;
        }
        for stage in 0..self.stages.len() {
            if self.stages[stage].word == "running" {
                self.stages[stage].cancel = true;
                self.set_attempt(stage, "stopping");
            } else if !ended(self.stages[stage].word) {
                self.set(stage, "cancelled", "cancelled");
            }
        }
        self.draft = false;
        true
    }

    /// The end of the live attempt of a stage. False where that cannot be.
    pub(crate) fn end(&mut self, stage: usize, end: End, now: i64) -> bool {
        if self.live_attempt(stage).is_none() {
            return false;
        }
        let cancel = self.stages[stage].cancel;
        let (attempt, code) = match end {
            End::Voided => ("void", ""),
            End::NoClaim => ("launch_failed", "launch_failed"),
            End::ExecMissing => ("launch_failed", "program_not_found"),
            End::CwdMissing => ("launch_failed", "cwd_missing"),
            End::Zero => ("completed", ""),
            End::Code => ("failed", "exit_code"),
            End::Signal => ("failed", "signal"),
            End::Stopped => ("cancelled", "cancelled"),
            End::TimedOut => ("timed_out", "timed_out"),
            End::Logout => ("interrupted", "session_end"),
            End::LostUnstarted | End::LostStarted if cancel => ("cancelled", "cancelled"),
            End::LostUnstarted => ("void", ""),
            End::LostStarted => ("interrupted", "shim_lost"),
        };
        self.set_attempt(stage, attempt);
        let rule = self.rules[stage].clone();
        let left = self.stages[stage].retries_left;
        let may_retry = left > 0 && !cancel;
        match attempt {
            "completed" => {
                self.stages[stage].interruptions = 0;
                self.set(stage, "completed", "");
            }
            "cancelled" => self.set(stage, "cancelled", "cancelled"),
            "void" if cancel => self.set(stage, "cancelled", "cancelled"),
            "void" => self.set(stage, "queued", ""),
            "failed" if may_retry => self.retry(stage, now),
            "timed_out" if may_retry && rule.retry_timeouts => self.retry(stage, now),
            "launch_failed" if code == "cwd_missing" && !cancel => self.set(stage, "held", code),
            "failed" | "timed_out" | "launch_failed" => self.set(stage, "failed", code),
            "interrupted" => {
                self.stages[stage].interruptions += 1;
                if rule.ask || cancel || self.stages[stage].interruptions == 3 {
                    self.set(stage, "interrupted", code);
                } else {
                    self.set(stage, "queued", "");
                }
            }
            other => unreachable!("{other}"),
        }
        true
    }

    /// The first retry comes after 10 s, each further one after twice the time before, at most 25 s.
    fn retry(&mut self, stage: usize, now: i64) {
        let delay = match self.rules[stage].retries - self.stages[stage].retries_left {
            0 => 10_000,
            1 => 20_000,
            _ => 25_000,
        };
        self.stages[stage].retries_left -= 1;
        self.stages[stage].due = now + delay;
        self.set(stage, "retrying", "");
    }

    fn depends(&self, stage: usize, on: usize) -> bool {
        self.rules[stage].needs.iter().any(|need| *need == on || self.depends(*need, on))
    }

    /// `from`: one stage; `rest`: all that did not end well. The error's word where it is refused.
    pub(crate) fn reopen(&mut self, from: Option<usize>, rest: bool) -> Result<(), &'static str> {
        let count = self.stages.len();
        let again = |stage: &Stage| {
            ["failed", "cancelled", "interrupted"].contains(&stage.word) || stage.code == "stopped_by_failure"
        };
        if from.is_some_and(|stage| !ended(self.stages[stage].word)) {
            return Err("still_live");
        }
        let chosen: Vec<usize> = (0..count).filter(|i| from == Some(*i) || (rest && again(&self.stages[*i]))).collect();
        if chosen.is_empty() {
            return Err("conflict");
        }
        let below: Vec<usize> = (0..count).filter(|i| chosen.iter().any(|on| self.depends(*i, *on))).collect();
        let busy = |i: &usize| ["queued", "running", "retrying", "held"].contains(&self.stages[*i].word);
        if below.iter().any(busy) {
            return Err("still_live");
        }
        let before = self.stages.clone();
        for stage in 0..count {
            if !chosen.contains(&stage) && !below.contains(&stage) {
                continue;
            }
            let any = self.rules[stage].needs_any;
            let good = |need: &usize| match before[*need].word {
                "completed" | "cached" => true,
                "failed" | "skipped" => any,
                _ => false,
            };
            let queue = !below.contains(&stage) && self.rules[stage].needs.iter().all(good);
            self.set(stage, if queue { "queued" } else { "waiting" }, "");
            let rule = &self.rules[stage];
            self.stages[stage].retries_left = rule.retries;
            self.stages[stage].interruptions = 0;
            self.stages[stage].cancel = false;
        }
        self.after_failed = false;
        Ok(())
    }

    pub(crate) fn status(&self) -> &'static str {
        let has = |words: &[&str]| self.stages.iter().any(|stage| words.contains(&stage.word));
        let open = self.stages.iter().any(|stage| !ended(stage.word));
        match () {
            () if self.draft => "draft",
            () if open && self.paused => "paused",
            () if has(&["running", "retrying"]) => "running",
            () if open => "queued",
            () => self.outcome(),
        }
    }

    pub(crate) fn result(&self) -> Option<&'static str> {
        let mut waited_for = self.stages.iter().zip(&self.rules).filter(|(_, rule)| !rule.tail);
        (!self.draft && waited_for.all(|(stage, _)| ended(stage.word))).then(|| self.outcome())
    }

    fn outcome(&self) -> &'static str {
        let mut outcome = "completed";
        let worst = ["completed", "interrupted", "failed", "cancelled"];
        for (stage, rule) in self.stages.iter().zip(&self.rules) {
            let word = match stage.word {
                _ if rule.tail => "completed",
                "failed" if rule.allow_failure => "completed",
                "cached" | "skipped" => "completed",
                other => other,
            };
            let rank = |word: &str| worst.iter().position(|w| *w == word).unwrap_or(0);
            if rank(word) > rank(outcome) {
                outcome = word;
            }
        }
        if self.after_failed { "cancelled" } else { outcome }
    }
}
