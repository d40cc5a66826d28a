//! Bytes of the system (arguments, paths, variables), which are mostly but not always text.

use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use std::ffi::{OsStr, OsString};
use std::fmt::{self, Write as _};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// Bytes as the system knows them. In JSON a string where they are UTF-8, else `{"hex": ".."}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OsBytes(pub Vec<u8>);

impl OsBytes {
    /// As a string of the system.
    pub fn as_os_str(&self) -> &OsStr {
        OsStr::from_bytes(&self.0)
    }

    /// As a path.
    pub fn as_path(&self) -> &Path {
        Path::new(self.as_os_str())
    }
}

impl fmt::Display for OsBytes {
    /// Lossy: for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

impl From<&str> for OsBytes {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

impl From<String> for OsBytes {
    fn from(text: String) -> Self {
        Self(text.into_bytes())
    }
}

impl From<&OsStr> for OsBytes {
    fn from(text: &OsStr) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

impl From<OsString> for OsBytes {
    fn from(text: OsString) -> Self {
        Self(text.into_vec())
    }
}

impl From<&Path> for OsBytes {
    fn from(path: &Path) -> Self {
        path.as_os_str().into()
    }
}

impl From<PathBuf> for OsBytes {
    fn from(path: PathBuf) -> Self {
        path.into_os_string().into()
    }
}

impl Serialize for OsBytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => {
                let mut hex = String::with_capacity(self.0.len() * 2);
                for byte in &self.0 {
                    // Writing to a string cannot fail.
                    let _ = write!(hex, "{byte:02x}");
                }
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("hex", &hex)?;
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for OsBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = OsBytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string, or an object with the bytes in \"hex\"")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<OsBytes, E> {
                Ok(text.into())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<OsBytes, A::Error> {
                let mut found = None;
                while let Some(key) = map.next_key::<String>()? {
                    if key == "hex" {
                        let hex: String = map.next_value()?;
                        found = Some(unhex(&hex).ok_or_else(|| de::Error::custom("odd or foreign hex digits"))?);
                    } else {
                        map.next_value::<de::IgnoredAny>()?;
                    }
                }
                found.map(OsBytes).ok_or_else(|| de::Error::missing_field("hex"))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

fn unhex(hex: &str) -> Option<Vec<u8>> {
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let pairs = hex.as_bytes().chunks(2);
    pairs.map(|pair| Some(digit(*pair.first()?)? * 16 + digit(*pair.get(1)?)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_survive_json() {
        for bytes in [b"plain".to_vec(), "naïve 训练".into(), vec![], vec![0xff, 0, b'a'], vec![0xc3]] {
            let before = OsBytes(bytes);
            let json = serde_json::to_string(&before).unwrap();
            assert_eq!(serde_json::from_str::<OsBytes>(&json).unwrap(), before, "{json}");
        }
        assert_eq!(serde_json::to_string(&OsBytes(vec![0xff, 0x0a])).unwrap(), r#"{"hex":"ff0a"}"#);
        assert!(serde_json::from_str::<OsBytes>(r#"{"hex":"ff0"}"#).is_err());
        assert!(serde_json::from_str::<OsBytes>(r#"{"hex":"zz"}"#).is_err());
    }
}
