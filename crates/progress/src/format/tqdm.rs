//! tqdm: `desc:  50%|█████     | 2/4 [00:00<00:00,  8.30step/s, loss=1.15]`, from the format strings of tqdm 4.
//!
//! The outermost bar is the position; a bar painted below it (the cursor goes up after it) or one that validates is
//! not, but its figures count. `set_postfix` in the loop's body repaints with the old number of steps, so a figure
//! that comes so belongs to the step after it; which way a program does it is seen at its first figure.
//! Not here: the figures a program puts into the description.

use memchr::{memchr_iter, memmem};

use super::{Findings, Format, Metric, Painted, Position};
use crate::codec::{RestoreError, Restored, Saved, Writer};
use crate::latest::{Source, WORD_LIMIT, cut};
use crate::protocol::special;

/// Longest postfix remembered, bytes.
const POSTFIX_LIMIT: usize = 512;
/// Longest line looked at, bytes.
const LINE_LIMIT: usize = 4096;

/// A bar as painted.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Bar<'a> {
    desc: &'a str,
    percent: Option<f64>,
    n: f64,
    total: Option<f64>,
    /// Numbers are rounded and carry k, M, G.
    scaled: bool,
    eta_s: Option<f64>,
    rate: Option<f64>,
    postfix: &'a str,
}

/// What is remembered of a bar.
#[derive(Debug, Clone, Default)]
struct Seen {
    desc: String,
    first: f64,
    n: f64,
    total: Option<f64>,
    postfix: String,
    /// Steps of bars of the same kind before this one.
    before: u64,
    /// Figures come with the old number of steps.
    leading: Option<bool>,
}

/// Reads tqdm bars.
#[derive(Debug, Clone, Default)]
pub(super) struct Tqdm {
    outer: Option<Seen>,
    inner: Option<Seen>,
    /// Epochs count from 0.
    from_zero: Option<bool>,
}

fn is_scale(b: u8) -> bool {
    matches!(b, b'k' | b'K' | b'M' | b'G' | b'T' | b'P' | b'E' | b'Z' | b'Y')
}

fn scale(b: u8) -> f64 {
    let power = b"kMGTPEZY".iter().position(|known| known.eq_ignore_ascii_case(&b)).unwrap_or(0);
    1000f64.powi(power as i32 + 1)
}

/// A plain decimal number at the beginning: its value, whether it has a point, and its length.
fn number(text: &str) -> Option<(f64, bool, usize)> {
    let length = text.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
    let value = text[..length].parse().ok()?;
    Some((value, text[..length].contains('.'), length))
}

/// `N`, `1.43M`: value, whether it is rounded.
fn count(text: &str) -> Option<(f64, bool)> {
    let (value, point, length) = number(text)?;
    match text.as_bytes()[length..] {
        [] => Some((value, point)),
        [b] if is_scale(b) => Some((value * scale(b), true)),
        _ => None,
    }
}

/// `MM:SS` or `H:MM:SS` in seconds.
fn clock(text: &str) -> Option<f64> {
    let mut seconds = 0f64;
    let mut parts = 0;
    for part in text.split(':') {
        if part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        seconds = seconds * 60.0 + part.parse::<f64>().ok()?;
        parts += 1;
    }
    (2..=3).contains(&parts).then_some(seconds)
}

/// What stands between the brackets.
struct Brackets<'a> {
    eta: Option<&'a str>,
    rate: &'a str,
    postfix: &'a str,
}

/// `elapsed<eta, rate, postfix]...`; without `<eta` where the total is not known.
fn brackets(text: &str) -> Option<Brackets<'_>> {
    let close = if text.ends_with(']') { text.len() - 1 } else { text.find(']')? };
    let inside = &text[..close];
    let (times, rest) = inside.split_once(',')?;
    let (elapsed, eta) = times.split_once('<').map_or((times, None), |(elapsed, eta)| (elapsed, Some(eta)));
    clock(elapsed)?;
    let rest = rest.trim_start();
    let (rate, postfix) = rest.split_once(", ").unwrap_or((rest, ""));
    if !(rate.ends_with("/s") || rate.contains("s/")) {
        return None;
    }
    Some(Brackets { eta, rate, postfix })
}

/// Steps a second, and the unit.
fn rate(text: &str, scaled: bool) -> (Option<f64>, &str) {
    let (value, rest) = match number(text) {
        Some((value, _, length)) => (Some(value), &text[length..]),
        None => (None, text.strip_prefix('?').unwrap_or(text)),
    };
    let (factor, unscaled) = match rest.as_bytes() {
        [b, ..] if is_scale(*b) => (scale(*b), &rest[1..]),
        _ => (1.0, rest),
    };
    if let Some(unit) = rest.strip_suffix("/s") {
        let value = if scaled && unscaled.len() > 2 { value.map(|value| value * factor) } else { value };
        return (value, unit);
    }
    if let Some(unit) = rest.strip_prefix("s/") {
        return (value.filter(|value| *value > 0.0).map(|value| 1.0 / value), unit);
    }
    match unscaled.strip_prefix("s/") {
        Some(unit) => (value.filter(|value| *value > 0.0).map(|value| 1.0 / (value * factor)), unit),
        None => (None, rest),
    }
}

fn desc(text: &str) -> &str {
    let text = text.trim();
    text.strip_suffix(':').unwrap_or(text).trim_end()
}

fn parse(text: &str) -> Option<Bar<'_>> {
    if text.len() > LINE_LIMIT {
        return None;
    }
    with_total(text).or_else(|| without_total(text))
}

/// Where the `%|` before a bar stands.
fn percent_bar(line: &[u8]) -> Option<usize> {
    memchr_iter(b'|', line).find(|at| *at > 0 && line[at - 1] == b'%').map(|at| at - 1)
}

fn with_total(text: &str) -> Option<Bar<'_>> {
    let (head, percent, rest) = match percent_bar(text.as_bytes()) {
        Some(at) => {
            let digits = text[..at].bytes().rev().take_while(u8::is_ascii_digit).count();
            let percent = text[at - digits..at].parse::<f64>().ok()?;
            (&text[..at - digits], Some(percent), &text[at + 2..])
        }
        // A total not known yet: `desc: |          | 0/? [...`
        None => {
            memmem::find(text.as_bytes(), b"/? [")?;
            let (head, rest) = text.split_once('|')?;
            (head, None, rest)
        }
    };
    let (_, rest) = rest.split_once('|')?;
    let (counts, inside) = rest.split_once(" [")?;
    let (n, total) = counts.trim_start().split_once('/')?;
    let (n, n_scaled) = count(n)?;
    let (total, total_scaled) = if total == "?" {
        (None, false)
    } else {
        let (total, scaled) = count(total)?;
        (Some(total), scaled)
    };
    let inside = brackets(inside)?;
    let scaled = n_scaled || total_scaled;
    Some(Bar {
        desc: desc(head),
        percent,
        n,
        total,
        scaled,
        eta_s: inside.eta.and_then(clock),
        rate: rate(inside.rate, scaled).0,
        postfix: inside.postfix,
    })
}

fn without_total(text: &str) -> Option<Bar<'_>> {
    for (at, _) in text.match_indices(" [").take(4) {
        let Some(inside) = brackets(&text[at + 2..]).filter(|inside| inside.eta.is_none()) else { continue };
        let head = &text[..at];
        let (before, counted) = head.rsplit_once(": ").unwrap_or(("", head));
        let counted = counted.trim_start();
        let Some((value, point, length)) = number(counted) else { continue };
        let own = &counted[length..];
        // The unit must be the rate's: this is what tells a bar from a line of log with brackets.
        let (plain_rate, plain_unit) = rate(inside.rate, false);
        let has_scale = own.bytes().next().is_some_and(is_scale);
        let (n, scaled) = if own == plain_unit {
            (value, point)
        } else if has_scale && plain_unit.trim_start_matches(|c: char| c.is_ascii() && is_scale(c as u8)) == &own[1..] {
            (value * scale(own.as_bytes()[0]), true)
        } else if plain_unit.len() > own.len() && plain_unit.ends_with(own) && plain_unit.len() == own.len() + 1 {
            (value, true)
        } else {
            continue;
        };
        let rate = if scaled { rate(inside.rate, true).0 } else { plain_rate };
        return Some(Bar {
            desc: desc(before),
            percent: None,
            n,
            total: None,
            scaled,
            eta_s: None,
            rate,
            postfix: inside.postfix,
        });
    }
    None
}

/// `Epoch 3/10`, `epoch: 3 of 10`, `Epoch [3/10]`, `Epoch 3`.
fn epoch(desc: &str) -> Option<(f64, Option<f64>)> {
    let at = desc.as_bytes().windows(5).position(|word| word.eq_ignore_ascii_case(b"epoch"))?;
    let rest = desc[at + 5..].trim_start_matches(|c: char| c == 's' || " :#=[(".contains(c));
    let (now, _, length) = number(rest)?;
    let rest = rest[length..].trim_start();
    let of = rest.strip_prefix('/').or_else(|| rest.strip_prefix("of ")).map(str::trim_start);
    Some((now, of.and_then(number).map(|(all, ..)| all).filter(|all| *all > 0.0)))
}

fn starts_with_word(desc: &str, words: &[&str]) -> bool {
    words.iter().any(|word| desc.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word)))
}

/// Bars that look at the model rather than train it.
fn validates(desc: &str) -> bool {
    starts_with_word(desc, &["valid", "val ", "val:", "val_", "eval", "test", "sanity", "calculating loss"])
        || desc.eq_ignore_ascii_case("val")
}

fn whole(n: f64, scaled: bool) -> Option<u64> {
    (!scaled && n.fract() == 0.0 && (0.0..9e15).contains(&n)).then_some(n as u64)
}

impl Seen {
    /// Whether a bar is another one than this.
    fn ended_by(&self, bar: &Bar<'_>) -> bool {
        bar.n < self.n || self.total != bar.total || self.desc != cut(bar.desc, WORD_LIMIT)
    }

    fn next(before: Option<&Seen>, bar: &Bar<'_>) -> Seen {
        let mut next = Seen {
            desc: cut(bar.desc, WORD_LIMIT).to_owned(),
            first: bar.n,
            n: bar.n,
            total: bar.total,
            ..Seen::default()
        };
        if let Some(before) = before {
            // A new bar may be painted with the old one's figures first.
            next.postfix.clone_from(&before.postfix);
            let digits = |c: char| c.is_ascii_digit();
            let alike = before.desc.split(digits).eq(next.desc.split(digits));
            if alike {
                next.leading = before.leading;
            }
            if alike && bar.n < before.n {
                next.before = before.before.saturating_add(whole(before.n, false).unwrap_or(0));
            }
        }
        next
    }

    fn save(&self, to: &mut Writer) {
        to.str(&self.desc);
        to.f64(self.first);
        to.f64(self.n);
        to.option(self.total, Writer::f64);
        to.str(&self.postfix);
        to.u64(self.before);
        to.option(self.leading, Writer::bool);
    }

    fn restore(from: &mut Saved<'_>) -> Restored<Seen> {
        let seen = Seen {
            desc: from.str()?.to_owned(),
            first: from.f64()?,
            n: from.f64()?,
            total: from.option(Saved::f64)?,
            postfix: from.str()?.to_owned(),
            before: from.u64()?,
            leading: from.option(Saved::bool)?,
        };
        let sound = seen.desc.len() <= WORD_LIMIT && seen.postfix.len() <= POSTFIX_LIMIT;
        if sound { Ok(seen) } else { Err(RestoreError::Damaged) }
    }
}

/// The figures of a postfix, `name=value` each; what is no number is left out.
fn figures(postfix: &str) -> impl Iterator<Item = (&str, f64, &str)> {
    postfix.split(", ").filter_map(|one| {
        let (name, value) = one.split_once('=').or_else(|| one.split_once(": "))?;
        let (name, text) = (name.trim(), value.trim());
        let bare = text.strip_suffix('%').unwrap_or(text);
        let value = special(bare).or_else(|| bare.parse().ok())?;
        (name != "v_num").then_some((name, value, one))
    })
}

impl Tqdm {
    /// The figures of a bar that are new: others stay in the postfix unchanged while one changes.
    fn metrics(&mut self, bar: &Bar<'_>, nested: bool, add: u64, epoch: Option<f64>) -> Vec<Metric> {
        let Some(seen) = (if nested { self.inner.as_mut() } else { self.outer.as_mut() }) else { return Vec::new() };
        let new = cut(bar.postfix, POSTFIX_LIMIT);
        if new.is_empty() || new == seen.postfix {
            return Vec::new();
        }
        let leading = *seen.leading.get_or_insert(bar.n == seen.first);
        let local = whole(bar.n, bar.scaled).map(|n| {
            let step = if leading { n + 1 } else { n };
            bar.total.and_then(|total| whole(total, bar.scaled)).map_or(step, |total| step.min(total.max(n)))
        });
        let step = local.map(|local| local.saturating_add(add));
        let prefix = if nested && validates(bar.desc) { "val_" } else { "" };
        let mut metrics = Vec::new();
        for (name, value, one) in figures(bar.postfix) {
            if seen.postfix.split(", ").any(|old| old == one) {
                continue;
            }
            let prefix = if validates(name) { "" } else { prefix };
            metrics.push(Metric { name: format!("{prefix}{name}"), step, epoch, value });
        }
        new.clone_into(&mut seen.postfix);
        metrics
    }

    fn read_nested(&mut self, bar: &Bar<'_>) -> Findings {
        if self.inner.as_ref().is_none_or(|inner| inner.ended_by(bar)) {
            self.inner = Some(Seen::next(self.inner.as_ref(), bar));
        }
        if let Some(inner) = &mut self.inner {
            inner.n = bar.n;
        }
        let outer = self.outer.as_ref();
        let outer_n = outer.and_then(|outer| whole(outer.n, false));
        let total = bar.total.and_then(|total| whole(total, bar.scaled));
        let add = outer_n.zip(total).map_or(0, |(n, total)| n.saturating_mul(total));
        let epoch = outer.filter(|outer| starts_with_word(&outer.desc, &["epoch"])).map(|outer| outer.n);
        Findings { position: None, metrics: self.metrics(bar, true, add, epoch) }
    }

    fn read_outer(&mut self, bar: &Bar<'_>) -> Findings {
        let fresh = self.outer.as_ref().is_none_or(|outer| outer.ended_by(bar));
        if fresh {
            self.outer = Some(Seen::next(self.outer.as_ref(), bar));
            self.inner = None;
        }
        if let Some(outer) = &mut self.outer {
            outer.n = bar.n;
        }
        let fraction = match bar.total {
            Some(total) if !bar.scaled && total > 0.0 => Some((bar.n / total).clamp(0.0, 1.0)),
            _ => bar.percent.map(|percent| (percent / 100.0).min(1.0)),
        };
        let (step, total) = (whole(bar.n, bar.scaled), bar.total.and_then(|total| whole(total, bar.scaled)));
        let mut position = Position {
            progress: fraction,
            inner_stage: (!bar.desc.is_empty()).then(|| cut(bar.desc, WORD_LIMIT).to_owned()),
            step,
            total,
            eta_s: bar.eta_s,
            rate: bar.rate,
            fresh,
            ..Position::default()
        };
        let mut before = self.outer.as_ref().map_or(0, |outer| outer.before);
        if let Some((now, all)) = epoch(bar.desc) {
            let from_zero = *self.from_zero.get_or_insert(now == 0.0);
            let done = if from_zero { now } else { (now - 1.0).max(0.0) };
            position.epoch = Some(now);
            position.epochs = all;
            if let (Some(done), Some(total)) = (whole(done, false), total) {
                before = done.saturating_mul(total);
            }
            if let Some(all) = all {
                let overall = ((done + fraction.unwrap_or(0.0)) / all).clamp(0.0, 1.0);
                position.overall = Some(overall);
                position.progress = Some(overall);
                if all > 1.0 {
                    position.eta_s = None;
                }
            }
        } else if starts_with_word(bar.desc, &["epoch"]) {
            position.epoch = Some(bar.n);
            position.epochs = bar.total;
            position.overall = fraction;
        } else if self.inner.is_some() {
            position.overall = fraction;
        }
        let epoch = position.epoch;
        Findings { metrics: self.metrics(bar, false, before, epoch), position: Some(position) }
    }
}

impl Format for Tqdm {
    fn source(&self) -> Source {
        Source::Tqdm
    }

    fn may_be(&self, line: &[u8]) -> bool {
        if line.len() > LINE_LIMIT {
            return false;
        }
        let end = line.trim_ascii_end();
        let closed = end.last() == Some(&b']') && memchr_iter(b'[', end).any(|at| at > 0 && end[at - 1] == b' ');
        closed || percent_bar(line).is_some()
    }

    fn read(&mut self, painted: Painted<'_>) -> Option<Findings> {
        let bar = parse(painted.text)?;
        let running = self.outer.as_ref().is_some_and(|outer| outer.total.is_none_or(|total| outer.n < total));
        let aside = starts_with_word(bar.desc, &["sanity"]) || (running && validates(bar.desc));
        let same = self.outer.as_ref().is_some_and(|outer| outer.desc == cut(bar.desc, WORD_LIMIT));
        if painted.nested || (aside && !same) { Some(self.read_nested(&bar)) } else { Some(self.read_outer(&bar)) }
    }

    fn save(&self, to: &mut Writer) {
        for seen in [&self.outer, &self.inner] {
            to.bool(seen.is_some());
            if let Some(seen) = seen {
                seen.save(to);
            }
        }
        to.option(self.from_zero, Writer::bool);
    }

    fn restore(&mut self, from: &mut Saved<'_>) -> Restored<()> {
        self.outer = from.option(Seen::restore)?;
        self.inner = from.option(Seen::restore)?;
        self.from_zero = from.option(Saved::bool)?;
        Ok(())
    }

    fn copy(&self) -> Box<dyn Format + Send> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
#[path = "tqdm/tests.rs"]
mod tests;
