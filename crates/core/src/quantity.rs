//! Durations and sizes as people write them in pipeline files and on the command line.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A length of time in milliseconds, written `500ms`, `30s`, `10m`, `24h`, `7d` or together, `1h30m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(type = "string"))]
pub struct Span(pub u64);

/// A number of bytes, written `512MB`, `2GB`, `1GiB` or plain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(type = "string"))]
pub struct ByteSize(pub u64);

/// What was wrong with a duration or a size, with examples.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct QuantityError(pub String);

const TEN_YEARS_MS: u64 = 10 * 365 * 24 * 3600 * 1000;

fn units(text: &str, table: &[(&str, f64)], what: &str, examples: &str) -> Result<f64, QuantityError> {
    let fail = || QuantityError(format!("{text:?} is not a {what}; write for example {examples}"));
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(fail());
    }
    let mut sum = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let number: f64 = rest[..digits].parse().map_err(|_| fail())?;
        rest = rest[digits..].trim_start();
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let (_, factor) =
            table.iter().find(|(name, _)| name.eq_ignore_ascii_case(&rest[..letters])).ok_or_else(fail)?;
        sum += number * factor;
        rest = rest[letters..].trim_start();
    }
    Ok(sum)
}

impl FromStr for Span {
    type Err = QuantityError;
    fn from_str(text: &str) -> Result<Self, QuantityError> {
        const TABLE: &[(&str, f64)] =
            &[("ms", 1.0), ("s", 1e3), ("m", 6e4), ("min", 6e4), ("h", 3.6e6), ("d", 8.64e7), ("w", 6.048e8)];
        let ms = units(text, TABLE, "duration", "500ms, 30s, 10m, 1h30m, 24h, 7d")?;
        if ms > TEN_YEARS_MS as f64 {
            return Err(QuantityError(format!("{text:?} is over 10 years; write for example 24h or 7d")));
        }
        Ok(Span(ms.round() as u64))
    }
}

impl FromStr for ByteSize {
    type Err = QuantityError;
    fn from_str(text: &str) -> Result<Self, QuantityError> {
        const TABLE: &[(&str, f64)] = &[
            ("", 1.0),
            ("B", 1.0),
            ("K", 1e3),
            ("KB", 1e3),
            ("KiB", 1024.0),
            ("M", 1e6),
            ("MB", 1e6),
            ("MiB", 1_048_576.0),
            ("G", 1e9),
            ("GB", 1e9),
            ("GiB", 1_073_741_824.0),
            ("T", 1e12),
            ("TB", 1e12),
            ("TiB", 1_099_511_627_776.0),
        ];
        let bytes = units(text, TABLE, "size", "512MB, 2GB, 1GiB")?;
        if bytes > 1e18 {
            return Err(QuantityError(format!("{text:?} is too large; write for example 512MB or 2GB")));
        }
        Ok(ByteSize(bytes.round() as u64))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = self.0;
        if left == 0 {
            return f.write_str("0s");
        }
        for (unit, size) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)] {
            if left >= size {
                write!(f, "{}{unit}", left / size)?;
                left %= size;
            }
        }
        Ok(())
    }
}

impl ByteSize {
    /// For people: rounded down, three digits or so.
    #[must_use]
    pub fn rounded(self) -> String {
        let bytes = self.0;
        for unit in [1_000_000_000_u64, 1_000_000, 1000] {
            if bytes >= unit {
                let tenth = unit / 10;
                let rounded = bytes / tenth * tenth;
                return if rounded.is_multiple_of(unit) {
                    ByteSize(rounded).to_string()
                } else {
                    let name = match unit {
                        1_000_000_000 => "GB",
                        1_000_000 => "MB",
                        _ => "KB",
                    };
                    format!("{}.{}{name}", rounded / unit, rounded % unit / tenth)
                };
            }
        }
        ByteSize(bytes).to_string()
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (unit, size) in [("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1000)] {
            if self.0 >= size && self.0.is_multiple_of(size) {
                return write!(f, "{}{unit}", self.0 / size);
            }
        }
        write!(f, "{}B", self.0)
    }
}

macro_rules! as_text {
    ($name:ident, $doc:literal) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
            }
        }
        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "description": $doc })
            }
        }
    };
}
as_text!(Span, "a duration: 500ms, 30s, 10m, 1h30m, 24h, 7d");
as_text!(ByteSize, "a size: 512MB, 2GB, 1GiB");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes_are_read_and_written_back() {
        for (text, ms) in [("30s", 30_000), ("1h30m", 5_400_000), ("24h", 86_400_000), ("1.5s", 1500), ("0s", 0)] {
            let span: Span = text.parse().unwrap();
            assert_eq!(span.0, ms);
            assert_eq!(span.to_string().parse::<Span>().unwrap(), span);
        }
        assert_eq!("2GB".parse::<ByteSize>().unwrap().0, 2_000_000_000);
        assert_eq!("1GiB".parse::<ByteSize>().unwrap().0, 1 << 30);
        for bad in ["5 min utes", "", "s", "-3s", "1e99h", "30", "999999999d", "1..5s"] {
            assert!(bad.parse::<Span>().is_err(), "{bad}");
        }
        assert!("many".parse::<ByteSize>().is_err());
    }
}
