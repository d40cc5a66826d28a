//! What is written into `ctl`, what `acts.log` answers, and what the bell is rung with.

use std::fmt;
use std::str::FromStr;

/// Why an attempt is paused. It is paused while any reason is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// A person wished it.
    User,
    /// The disk is nearly full.
    Disk,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::User => "user",
            Self::Disk => "disk",
        })
    }
}

impl FromStr for Reason {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "user" => Ok(Self::User),
            "disk" => Ok(Self::Disk),
            _ => Err(()),
        }
    }
}

/// One line of `ctl`. Each carries the id of its wish (no spaces, at most 200 bytes); a repeat is ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// TERM, then KILL after the grace.
    Stop {
        /// The wish.
        wish: String,
        /// Time between TERM and KILL, milliseconds.
        grace_ms: u64,
    },
    /// KILL at once.
    Kill {
        /// The wish.
        wish: String,
    },
    /// Stop the whole tree from running, for this reason.
    Pause {
        /// The wish.
        wish: String,
        /// Why.
        reason: Reason,
    },
    /// Take this reason away.
    Resume {
        /// The wish.
        wish: String,
        /// Which.
        reason: Reason,
    },
}

impl Command {
    /// The wish it carries out.
    pub fn wish(&self) -> &str {
        match self {
            Self::Stop { wish, .. } | Self::Kill { wish } | Self::Pause { wish, .. } | Self::Resume { wish, .. } => {
                wish
            }
        }
    }

    /// Its first word.
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Stop { .. } => "stop",
            Self::Kill { .. } => "kill",
            Self::Pause { .. } => "pause",
            Self::Resume { .. } => "resume",
        }
    }
}

impl fmt::Display for Command {
    /// The line, without its end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stop { wish, grace_ms } => write!(f, "stop {wish} {grace_ms}"),
            Self::Kill { wish } => write!(f, "kill {wish}"),
            Self::Pause { wish, reason } => write!(f, "pause {wish} {reason}"),
            Self::Resume { wish, reason } => write!(f, "resume {wish} {reason}"),
        }
    }
}

impl FromStr for Command {
    type Err = ();

    /// Words after those it knows are accepted: a newer owner may say more.
    fn from_str(line: &str) -> Result<Self, ()> {
        let mut words = line.split_ascii_whitespace();
        let (Some(verb), Some(wish)) = (words.next(), words.next()) else { return Err(()) };
        if wish.len() > 200 {
            return Err(());
        }
        let wish = wish.to_owned();
        let mut next = || words.next().ok_or(());
        match verb {
            "stop" => Ok(Self::Stop { wish, grace_ms: next()?.parse().map_err(|_| ())? }),
            "kill" => Ok(Self::Kill { wish }),
            "pause" => Ok(Self::Pause { wish, reason: next()?.parse()? }),
            "resume" => Ok(Self::Resume { wish, reason: next()?.parse()? }),
            _ => Err(()),
        }
    }
}

/// What a shim rings the owner's bell with: `!<run>.<stage>.<attempt>` and a line feed, in one write. Guests ring with a byte
/// that is not `!`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The run's number.
    pub run: i64,
    /// The stage's index.
    pub stage: u32,
    /// The attempt's number.
    pub attempt: u32,
}

impl Ended {
    /// What it begins with.
    pub const MARK: u8 = b'!';
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "!{}.{}.{}", self.run, self.stage, self.attempt)
    }
}

impl FromStr for Ended {
    type Err = ();

    /// Reads a line, without its line feed.
    fn from_str(line: &str) -> Result<Self, ()> {
        let mut numbers = line.strip_prefix('!').ok_or(())?.split('.');
        let mut next = || numbers.next().ok_or(());
        let run = next()?.parse().map_err(|_| ())?;
        let stage = next()?.parse().map_err(|_| ())?;
        let attempt = next()?.parse().map_err(|_| ())?;
        if numbers.next().is_some() { Err(()) } else { Ok(Self { run, stage, attempt }) }
    }
}

/// One line of `acts.log`: something the shim did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// When, on the running clock.
    pub running_ms: u64,
    /// When, UTC milliseconds.
    pub wall_ms: i64,
    /// What: `got`, `term`, `kill`, `stop`, `cont`, `paused`, `unpaused`, `timeout`, `session_end`, `left`, `swept`,
    /// `adopted`; a newer shim may know more.
    pub verb: String,
    /// The words after it.
    pub args: Vec<String>,
}

impl Act {
    /// Whether it says that this wish arrived.
    pub fn is_got(&self, wish: &str) -> bool {
        self.verb == "got" && self.args.first().is_some_and(|first| first == wish)
    }
}

impl FromStr for Act {
    type Err = ();

    fn from_str(line: &str) -> Result<Self, ()> {
        let mut words = line.split_ascii_whitespace();
        let mut next = || words.next().ok_or(());
        let running_ms = next()?.parse().map_err(|_| ())?;
        let wall_ms = next()?.parse().map_err(|_| ())?;
        let verb = next()?.to_owned();
        Ok(Self { running_ms, wall_ms, verb, args: words.map(str::to_owned).collect() })
    }
}

/// How long the attempt was paused, by these acts, until `now` on the running clock, milliseconds.
pub fn paused_ms(acts: &[Act], now: u64) -> u64 {
    let (mut total, mut since) = (0, None);
    let mut reasons: Vec<&str> = Vec::new();
    for act in acts {
        let reason = act.args.first().map_or("", String::as_str);
        match act.verb.as_str() {
            "paused" if !reasons.contains(&reason) => reasons.push(reason),
            "unpaused" => reasons.retain(|&other| other != reason),
            _ => continue,
        }
        match (since, reasons.is_empty()) {
            (None, false) => since = Some(act.running_ms),
            (Some(from), true) => {
                total += act.running_ms.saturating_sub(from);
                since = None;
            }
            _ => {}
        }
    }
    total + since.map_or(0, |from| now.saturating_sub(from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_survive_their_line_and_nonsense_is_refused() {
        let wish = || "w-1".to_owned();
        for command in [
            Command::Stop { wish: wish(), grace_ms: 30_000 },
            Command::Kill { wish: wish() },
            Command::Pause { wish: wish(), reason: Reason::Disk },
            Command::Resume { wish: wish(), reason: Reason::User },
        ] {
            assert_eq!(command.to_string().parse(), Ok(command));
        }
        for line in ["", "stop", "stop w", "stop w soon", "pause w tired", "dance w 1", "kill"] {
            assert_eq!(line.parse::<Command>(), Err(()), "{line}");
        }
        assert_eq!("kill w now please".parse(), Ok(Command::Kill { wish: "w".into() }));
    }

    #[test]
    fn overlapping_reasons_are_one_pause() {
        let text = "10 0 paused user\n20 0 paused disk\n30 0 unpaused user\n50 0 unpaused disk\n70 0 paused user";
        let acts: Vec<Act> = text.lines().map(|line| line.parse().unwrap()).collect();
        assert_eq!(paused_ms(&acts, 75), 40 + 5);
        assert_eq!(paused_ms(&acts[..3], 45), 35);
        assert_eq!(paused_ms(&[], 45), 0);
    }
}
