//! A line of the protocol: `##PROGRESS##{json}##`, read into borrowed fields.
//!
//! Keys may come in any order and more than once (the last counts); a value of the wrong kind is left out and counted,
//! the rest of the line stands. Not here: what the values do (`tracker`).

use std::borrow::Cow;
use std::fmt;
use std::sync::LazyLock;

use memchr::memmem;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::sink::Level;

/// Deepest nesting of a line, the outermost object counted.
pub const DEPTH_LIMIT: usize = 32;

/// A number where one is expected.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) enum Number {
    #[default]
    Absent,
    Whole(u64),
    Real(f64),
    Wrong,
}

impl Number {
    pub(crate) fn real(self) -> Option<f64> {
        match self {
            Number::Whole(n) => Some(n as f64),
            Number::Real(n) => Some(n),
            Number::Absent | Number::Wrong => None,
        }
    }

    /// A count: whole, not negative. Wrong where it is something else.
    pub(crate) fn whole(self) -> Result<Option<u64>, ()> {
        match self {
            Number::Absent => Ok(None),
            Number::Whole(n) => Ok(Some(n)),
            Number::Real(n) if n >= 0.0 && n.fract() == 0.0 && n < 9e15 => Ok(Some(n as u64)),
            Number::Real(_) | Number::Wrong => Err(()),
        }
    }
}

/// NaN and the infinities, as the protocol and the usual languages write them.
pub(crate) fn special(text: &str) -> Option<f64> {
    let (negative, word) = match text.as_bytes() {
        [b'-', ..] => (true, &text[1..]),
        [b'+', ..] => (false, &text[1..]),
        _ => (false, text),
    };
    if word.eq_ignore_ascii_case("nan") {
        return Some(f64::NAN);
    }
    let infinite = word.eq_ignore_ascii_case("inf") || word.eq_ignore_ascii_case("infinity");
    infinite.then_some(if negative { f64::NEG_INFINITY } else { f64::INFINITY })
}

/// A text where one is expected.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) enum Text<'a> {
    #[default]
    Absent,
    Is(Cow<'a, str>),
    Wrong,
}

impl Text<'_> {
    pub(crate) fn get(&self) -> Option<&str> {
        match self {
            Text::Is(text) => Some(text),
            Text::Absent | Text::Wrong => None,
        }
    }
}

/// Name and value, in the order of the line.
pub(crate) type Metrics<'a> = Vec<(Cow<'a, str>, Number)>;

#[derive(Debug, Default)]
pub(crate) struct CheckpointKey<'a> {
    pub(crate) path: Text<'a>,
    pub(crate) step: Number,
    pub(crate) epoch: Number,
    pub(crate) metrics: Metrics<'a>,
}

/// One line.
#[derive(Debug, Default)]
pub(crate) struct Message<'a> {
    pub(crate) kind: Text<'a>,
    pub(crate) progress: Number,
    pub(crate) overall: Number,
    pub(crate) stage: Text<'a>,
    pub(crate) message: Text<'a>,
    pub(crate) step: Number,
    pub(crate) total: Number,
    pub(crate) epoch: Number,
    pub(crate) epochs: Number,
    pub(crate) eta_s: Number,
    pub(crate) metrics: Metrics<'a>,
    pub(crate) checkpoint: Option<CheckpointKey<'a>>,
    pub(crate) outputs: Vec<(Cow<'a, str>, &'a RawValue)>,
    pub(crate) level: Text<'a>,
    pub(crate) status: Text<'a>,
    pub(crate) error: Text<'a>,
    pub(crate) timestamp: Text<'a>,
    pub(crate) unknown: Vec<(Cow<'a, str>, &'a RawValue)>,
    /// Values of the wrong kind in compound keys.
    pub(crate) wrong: u64,
}

impl Message<'_> {
    pub(crate) fn level(&self) -> Result<Option<Level>, ()> {
        match &self.level {
            Text::Absent => Ok(None),
            Text::Wrong => Err(()),
            Text::Is(text) => match text.to_ascii_lowercase().as_str() {
                "debug" | "trace" => Ok(Some(Level::Debug)),
                "info" => Ok(Some(Level::Info)),
                "warning" | "warn" => Ok(Some(Level::Warning)),
                "error" | "critical" | "fatal" => Ok(Some(Level::Error)),
                _ => Err(()),
            },
        }
    }
}

/// What begins a line of the protocol.
pub(crate) const MARKER: &str = "##PROGRESS##";

static FINDER: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new(MARKER));

/// Where the payload behind the first marker begins.
pub(crate) fn find(line: &[u8]) -> Option<usize> {
    FINDER.find(line).map(|at| at + MARKER.len())
}

/// Reads the payload behind a marker into a default message. Returns how many bytes it took, the closing `##` included.
///
/// After an error the message holds part of the line and must not be used.
pub(crate) fn read<'a>(payload: &'a [u8], message: &mut Message<'a>) -> Result<usize, String> {
    if payload.trim_ascii_start().first() != Some(&b'{') {
        return Err("not a JSON object".to_owned());
    }
    if !shallow(payload) {
        return Err(format!("nested more than {DEPTH_LIMIT} deep"));
    }
    // Nearly always the line ends with its `##`.
    if let Some(json) = payload.trim_ascii_end().strip_suffix(b"##") {
        let mut whole = serde_json::Deserializer::from_slice(json);
        if Fill(message).deserialize(&mut whole).is_ok() && whole.end().is_ok() {
            return Ok(json.len() + 2);
        }
        *message = Message::default();
    }
    let mut stream = serde_json::Deserializer::from_slice(payload).into_iter::<&'a RawValue>();
    let json = match stream.next() {
        Some(Ok(json)) => json,
        Some(Err(error)) => return Err(error.to_string()),
        None => return Err("empty".to_owned()),
    };
    let taken = stream.byte_offset();
    let rest = &payload[taken..];
    let tail = rest.trim_ascii_start();
    if !tail.starts_with(b"##") {
        return Err("no ## at its end".to_owned());
    }
    let mut one = serde_json::Deserializer::from_str(json.get());
    Fill(message).deserialize(&mut one).map_err(|error| error.to_string())?;
    Ok(taken + rest.len() - tail.len() + 2)
}

/// Whether nothing is nested deeper than the limit; brackets within strings do not count.
fn shallow(payload: &[u8]) -> bool {
    let opened = memchr::memchr2_iter(b'{', b'[', payload).take(DEPTH_LIMIT + 1).count();
    if opened <= DEPTH_LIMIT {
        return true;
    }
    let (mut depth, mut text, mut escaped) = (0usize, false, false);
    for byte in payload {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if text => escaped = true,
            b'"' => text = !text,
            b'{' | b'[' if !text => {
                depth += 1;
                if depth > DEPTH_LIMIT {
                    return false;
                }
            }
            b'}' | b']' if !text => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return true;
                }
            }
            _ => {}
        }
    }
    true
}

/// Python's `json.dumps` writes bare `NaN`, `Infinity` and `-Infinity`, which are no JSON: puts the protocol's texts `"nan"`, `"inf"`
/// and `"-inf"` in their place. `None` if there are none.
#[must_use]
pub fn quote_specials(payload: &[u8]) -> Option<Vec<u8>> {
    let mut quoted = Vec::with_capacity(payload.len() + 16);
    let (mut text, mut escaped, mut found, mut at) = (false, false, false, 0);
    while at < payload.len() {
        let byte = payload[at];
        if !text && !escaped && matches!(byte, b'N' | b'I' | b'-' | b'n' | b'i') {
            let word = payload[at..].iter().take_while(|b| b.is_ascii_alphabetic() || **b == b'-').count();
            let bare = std::str::from_utf8(&payload[at..at + word]).unwrap_or("");
            if let Some(value) = special(bare).filter(|_| word > 0) {
                let text: &[u8] = match value {
                    value if value.is_nan() => b"\"nan\"",
                    value if value > 0.0 => b"\"inf\"",
                    _ => b"\"-inf\"",
                };
                quoted.extend_from_slice(text);
                at += word;
                found = true;
                continue;
            }
        }
        match byte {
            _ if escaped => escaped = false,
            b'\\' if text => escaped = true,
            b'"' => text = !text,
            _ => {}
        }
        quoted.push(byte);
        at += 1;
    }
    found.then_some(quoted)
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Number, D::Error> {
        deserializer.deserialize_any(NumberVisitor)
    }
}

struct NumberVisitor;

impl<'de> Visitor<'de> for NumberVisitor {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_u64<E>(self, value: u64) -> Result<Number, E> {
        Ok(Number::Whole(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Number, E> {
        Ok(Number::Real(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Number, E> {
        Ok(Number::Real(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Number, E> {
        Ok(special(value).map_or(Number::Wrong, Number::Real))
    }

    fn visit_unit<E>(self) -> Result<Number, E> {
        Ok(Number::Absent)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Number, E> {
        Ok(Number::Wrong)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Number, A::Error> {
        skip_map(map)?;
        Ok(Number::Wrong)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Number, A::Error> {
        skip_seq(seq)?;
        Ok(Number::Wrong)
    }
}

fn skip_map<'de, A: MapAccess<'de>>(mut map: A) -> Result<(), A::Error> {
    while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(())
}

fn skip_seq<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<(), A::Error> {
    while seq.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

/// A key or a text, borrowed where it holds no escape.
struct Borrowed<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Borrowed<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Key;
        impl<'de> Visitor<'de> for Key {
            type Value = Cow<'de, str>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Cow<'de, str>, E> {
                Ok(Cow::Borrowed(value))
            }

            fn visit_str<E>(self, value: &str) -> Result<Cow<'de, str>, E> {
                Ok(Cow::Owned(value.to_owned()))
            }
        }
        deserializer.deserialize_str(Key).map(Borrowed)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyText;
        impl<'de> Visitor<'de> for AnyText {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Text<'de>, E> {
                Ok(Text::Is(Cow::Borrowed(value)))
            }

            fn visit_str<E>(self, value: &str) -> Result<Text<'de>, E> {
                Ok(Text::Is(Cow::Owned(value.to_owned())))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Text<'de>, E> {
                Ok(Text::Is(Cow::Owned(value.to_string())))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Text<'de>, E> {
                Ok(Text::Is(Cow::Owned(value.to_string())))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Text<'de>, E> {
                Ok(Text::Is(Cow::Owned(value.to_string())))
            }

            fn visit_unit<E>(self) -> Result<Text<'de>, E> {
                Ok(Text::Absent)
            }

            fn visit_bool<E>(self, _: bool) -> Result<Text<'de>, E> {
                Ok(Text::Wrong)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Text<'de>, A::Error> {
                skip_map(map)?;
                Ok(Text::Wrong)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Text<'de>, A::Error> {
                skip_seq(seq)?;
                Ok(Text::Wrong)
            }
        }
        deserializer.deserialize_any(AnyText)
    }
}

/// A compound value: its entries, or nothing and whether it was wrong.
fn object(raw: &RawValue, wrong: &mut u64) -> bool {
    match raw.get().as_bytes().first() {
        Some(b'{') => true,
        Some(b'n') => false,
        _ => {
            *wrong += 1;
            false
        }
    }
}

struct Entries<'a, V>(Vec<(Cow<'a, str>, V)>);

impl<'de: 'a, 'a, V: Deserialize<'de>> Deserialize<'de> for Entries<'a, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each<V>(std::marker::PhantomData<V>);
        impl<'de, V: Deserialize<'de>> Visitor<'de> for Each<V> {
            type Value = Vec<(Cow<'de, str>, V)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::with_capacity(4);
                while let Some(Borrowed(name)) = map.next_key::<Borrowed<'de>>()? {
                    entries.push((name, map.next_value()?));
                }
                Ok(entries)
            }
        }
        deserializer.deserialize_map(Each(std::marker::PhantomData)).map(Entries)
    }
}

/// The value of `metrics`: entries, or nothing and whether it was wrong.
struct MetricsValue<'a>(Option<Metrics<'a>>, bool);

impl<'de: 'a, 'a> Deserialize<'de> for MetricsValue<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = MetricsValue<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of numbers")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::with_capacity(4);
                while let Some(Borrowed(name)) = map.next_key::<Borrowed<'de>>()? {
                    entries.push((name, map.next_value()?));
                }
                Ok(MetricsValue(Some(entries), false))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
                skip_seq(seq)?;
                Ok(MetricsValue(None, true))
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(MetricsValue(None, false))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                Ok(MetricsValue(None, true))
            }

            fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
                Ok(MetricsValue(None, true))
            }

            fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
                Ok(MetricsValue(None, true))
            }

            fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
                Ok(MetricsValue(None, true))
            }

            fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
                Ok(MetricsValue(None, true))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

fn checkpoint<'a>(raw: &'a RawValue, wrong: &mut u64) -> Option<CheckpointKey<'a>> {
    if raw.get().starts_with('"') {
        let path = serde_json::from_str(raw.get()).ok()?;
        return Some(CheckpointKey { path, ..CheckpointKey::default() });
    }
    if !object(raw, wrong) {
        return None;
    }
    let entries: Entries<'a, &'a RawValue> = serde_json::from_str(raw.get()).ok()?;
    let mut key = CheckpointKey::default();
    for (name, value) in entries.0 {
        let value = value.get();
        match &*name {
            "path" => key.path = serde_json::from_str(value).unwrap_or(Text::Wrong),
            "step" => key.step = serde_json::from_str(value).unwrap_or(Number::Wrong),
            "epoch" => key.epoch = serde_json::from_str(value).unwrap_or(Number::Wrong),
            "metrics" => {
                let metrics = serde_json::from_str(value).unwrap_or(MetricsValue(None, true));
                *wrong += u64::from(metrics.1);
                key.metrics = metrics.0.unwrap_or_default();
            }
            _ => {}
        }
    }
    Some(key)
}

/// Where the keys of a line go: a message is too large to be handed from hand to hand.
struct Fill<'m, 'a>(&'m mut Message<'a>);

impl<'de> DeserializeSeed<'de> for Fill<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        struct Keys<'m, 'de>(&'m mut Message<'de>);
        impl<'de> Visitor<'de> for Keys<'_, 'de> {
            type Value = ();

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
                let m = self.0;
                while let Some(Borrowed(key)) = map.next_key::<Borrowed<'de>>()? {
                    match &*key {
                        "type" => m.kind = map.next_value()?,
                        "progress" => m.progress = map.next_value()?,
                        "overall_progress" => m.overall = map.next_value()?,
                        "stage" => m.stage = map.next_value()?,
                        "message" => m.message = map.next_value()?,
                        "step" => m.step = map.next_value()?,
                        "total" => m.total = map.next_value()?,
                        "epoch" => m.epoch = map.next_value()?,
                        "epochs" => m.epochs = map.next_value()?,
                        "eta_s" => m.eta_s = map.next_value()?,
                        "level" => m.level = map.next_value()?,
                        "status" => m.status = map.next_value()?,
                        "error" => m.error = map.next_value()?,
                        "timestamp" => m.timestamp = map.next_value()?,
                        "metrics" => {
                            let MetricsValue(metrics, wrong) = map.next_value()?;
                            m.metrics = metrics.unwrap_or_default();
                            m.wrong += u64::from(wrong);
                        }
                        "checkpoint" => m.checkpoint = checkpoint(map.next_value()?, &mut m.wrong),
                        "output" => {
                            let raw: &'de RawValue = map.next_value()?;
                            if object(raw, &mut m.wrong) {
                                let entries: Result<Entries<'de, &'de RawValue>, _> = serde_json::from_str(raw.get());
                                m.outputs = entries.map(|entries| entries.0).unwrap_or_default();
                            }
                        }
                        _ => m.unknown.push((key, map.next_value()?)),
                    }
                }
                Ok(())
            }
        }
        deserializer.deserialize_map(Keys(self.0))
    }
}
