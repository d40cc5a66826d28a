//! Words of the tray and of notifications, from words/ as all others, in the language of the settings.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::settings::Language;

/// A text with `{named}` arguments, or one for each plural form.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Word {
    Text(String),
    Forms(HashMap<String, String>),
}

type Words = HashMap<String, Word>;

static EN: LazyLock<Words> = LazyLock::new(|| words(include_str!("../../words/en.json")));
static ZH: LazyLock<Words> = LazyLock::new(|| words(include_str!("../../words/zh-CN.json")));

fn words(text: &str) -> Words {
    // A test reads both.
    serde_json::from_str(text).unwrap_or_default()
}

/// The words of one language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tongue {
    En,
    Zh,
}

impl Tongue {
    /// The language that is set, or the system's.
    pub(crate) fn of(language: Language) -> Tongue {
        match language {
            Language::En => Tongue::En,
            Language::ZhCn => Tongue::Zh,
            Language::System => {
                let system = sys_locale::get_locale().unwrap_or_default();
                if system.to_ascii_lowercase().starts_with("zh") { Tongue::Zh } else { Tongue::En }
            }
        }
    }

    /// A word without arguments.
    pub(crate) fn word(self, key: &str) -> String {
        self.with(key, &[])
    }

    /// A word with its arguments; `count` chooses the plural form.
    pub(crate) fn with(self, key: &str, arguments: &[(&str, String)]) -> String {
        let words = match self {
            Tongue::En => &*EN,
            Tongue::Zh => &*ZH,
        };
        let mut text = match words.get(key) {
            Some(Word::Text(text)) => text.clone(),
            Some(Word::Forms(forms)) => {
                let one = self == Tongue::En && arguments.iter().any(|(name, value)| *name == "count" && value == "1");
                let form = if one { forms.get("one") } else { None };
                form.or_else(|| forms.get("other")).cloned().unwrap_or_default()
            }
            None => key.to_owned(),
        };
        for (name, value) in arguments {
            text = text.replace(&format!("{{{name}}}"), value);
        }
        text
    }

    /// A length of time.
    pub(crate) fn time(self, seconds: f64) -> String {
        let all = seconds.max(0.0).round() as u64;
        let (days, hours, minutes, left) = (all / 86_400, all / 3600 % 24, all / 60 % 60, all % 60);
        let number = |name: &'static str, value: u64| (name, value.to_string());
        match (days, hours, minutes) {
            (0, 0, 0) => self.with("time.s", &[number("s", left)]),
            (0, 0, _) if minutes < 10 => self.with("time.ms", &[number("m", minutes), number("s", left)]),
            (0, 0, _) => self.with("time.m", &[number("m", minutes)]),
            (0, ..) => self.with("time.hm", &[number("h", hours), number("m", minutes)]),
            _ => self.with("time.dh", &[number("d", days), number("h", hours)]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_shell_is_there_in_both_languages() {
        let sources = [include_str!("tray.rs"), include_str!("notify.rs"), include_str!("words.rs")];
        let mut keys = Vec::new();
        for source in sources {
            for (at, _) in source.match_indices('"') {
                let text = source[at + 1..].split('"').next().unwrap_or_default();
                let key = ["tray.", "notify.", "time."].iter().any(|start| text.starts_with(start));
                if key
                    && !text.ends_with(".rs")
                    && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'.' || b == b'_')
                    && !text.ends_with('.')
                {
                    keys.push(text);
                }
            }
        }
        assert!(keys.len() > 15, "{keys:?}");
        for key in &keys {
            assert!(EN.contains_key(*key) && ZH.contains_key(*key), "{key} is not in words/");
        }
        let ours = EN.keys().filter(|key| key.starts_with("tray.") || key.starts_with("notify."));
        let idle: Vec<&String> = ours.filter(|key| !keys.contains(&key.as_str())).collect();
        assert!(idle.is_empty(), "nobody says {idle:?}");
    }

    #[test]
    fn plurals_and_times_are_worded() {
        assert_eq!(Tongue::En.with("tray.look", &[("count", "1".into())]), "1 run needs a look");
        assert_eq!(Tongue::En.with("tray.look", &[("count", "3".into())]), "3 runs need a look");
        assert!(Tongue::Zh.with("tray.look", &[("count", "1".into())]).contains('1'));
        assert_eq!(Tongue::En.time(125.0), "2 m 5 s");
        assert_eq!(Tongue::En.time(90_000.0), "1 d 1 h");
    }
}
