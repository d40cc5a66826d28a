//! From what people type to a run: number, id, a part of the id, name. No text reaches a file.

use footplate_core::{ErrorCode, Fault};
use footplate_store::{Found, Matches};

use super::check::NAME_MOST;
use super::keeper::Client;
use super::types::Resolved;

impl Client {
    /// The run that a text means: `#142`, `142`, an id, a prefix or suffix of one (4 characters or more), a name. Where a
    /// name means several, the newest is taken and `note` says so.
    ///
    /// # Errors
    /// `NotARunId` for a text that can be none, `Ambiguous` with the candidates, `NotFound`; `Storage`.
    pub fn resolve(&self, text: &str) -> Result<Resolved, Fault> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > NAME_MOST || text.chars().any(char::is_control) {
            return Err(not_a_run_id(text));
        }
        let matches = self.store.read()?.find_runs(text)?;
        choose(text, matches)
    }
}

fn choose(text: &str, matches: Matches) -> Result<Resolved, Fault> {
    if let Some(found) = matches.number.or(matches.id) {
        return Ok(resolved(found, None));
    }
    let mut named = matches.name.into_iter();
    if let Some(newest) = named.next() {
        let others = named.count();
        let note = (others > 0).then(|| {
            let several = if others >= 9 { "several".into() } else { (others + 1).to_string() };
            format!("{several} runs are named {text:?}; taking the newest, #{}", newest.number)
        });
        return Ok(resolved(newest, note));
    }
    let mut parts = matches.prefix;
    for found in matches.suffix {
        if !parts.iter().any(|known| known.number == found.number) {
            parts.push(found);
        }
    }
    match parts.len() {
        0 if looks_like_one(text) => {
            Err(Fault::new(ErrorCode::NotFound, format!("There is no run {text:?}."))
                .hint("footplate list shows the runs"))
        }
        0 => Err(not_a_run_id(text)),
        1 => parts.pop().map(|found| resolved(found, None)).ok_or_else(|| not_a_run_id(text)),
        n => {
            let listed: Vec<String> = parts.iter().map(|f| format!("#{} ({})", f.number, f.name)).collect();
            let count = if n >= 10 { "10 runs or more".into() } else { format!("{n} runs") };
            Err(Fault::new(ErrorCode::Ambiguous, format!("{text:?} matches {count}."))
                .hint(format!("It may be {}.", listed.join(", ")))
                .hint("Write more of the id, or the number."))
        }
    }
}

fn resolved(found: Found, note: Option<String>) -> Resolved {
    Resolved { number: found.number, id: found.id, name: found.name, note }
}

/// A text that could be a number, an id or a name, and not a path or an option.
fn looks_like_one(text: &str) -> bool {
    let path_or_option = text.starts_with(['-', '.', '~']) || text.contains(['/', '\\']);
    let no_number = text.strip_prefix('#').is_some_and(|digits| digits.parse::<u64>().is_err());
    !path_or_option && !no_number
}

fn not_a_run_id(text: &str) -> Fault {
    let start: String = text.chars().take(40).collect();
    let shown = if start.len() < text.len() { format!("{start}..") } else { start };
    Fault::new(ErrorCode::NotARunId, format!("Not a run id: {shown:?}."))
        .hint("Write a number (142), an id or at least 4 characters of one, or a name.")
}
