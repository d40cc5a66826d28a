//! The user's settings and the half-filled wizard: small JSON files in the app's configuration folder.
//!
//! Deliberately not here: what they bring about.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use footplate_core::notice::NoticeKind;
use footplate_core::{ErrorCode, Fault};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::answer::{Answer, lock};

/// Longest draft, bytes.
const DRAFT_MOST: usize = 64 << 10;

/// The language of all words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Language {
    /// As the system's.
    #[default]
    #[serde(rename = "system")]
    System,
    /// English.
    #[serde(rename = "en")]
    En,
    /// Simplified Chinese.
    #[serde(rename = "zh-CN")]
    ZhCn,
}

/// Light or dark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Theme {
    /// As the system's.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// All settings of the app. A key that an older version did not write has its usual value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Values {
    pub(crate) language: Language,
    pub(crate) theme: Theme,
    pub(crate) notify_completed: bool,
    pub(crate) notify_failed: bool,
    pub(crate) notify_interrupted: bool,
    pub(crate) notify_disk: bool,
    pub(crate) notify_stalled: bool,
    pub(crate) notify_alert: bool,
    pub(crate) quiet: bool,
    /// `22:00`, local time.
    pub(crate) quiet_from: String,
    pub(crate) quiet_to: String,
    pub(crate) start_at_login: bool,
    pub(crate) keep_awake: bool,
}

impl Default for Values {
    fn default() -> Values {
        Values {
            language: Language::System,
            theme: Theme::System,
            notify_completed: true,
            notify_failed: true,
            notify_interrupted: true,
            notify_disk: true,
            notify_stalled: true,
            notify_alert: true,
            quiet: false,
            quiet_from: "22:00".into(),
            quiet_to: "07:00".into(),
            start_at_login: false,
            keep_awake: true,
        }
    }
}

/// Minutes since midnight of `22:00`.
pub(crate) fn minutes(text: &str) -> Option<u32> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |text: &str, below: u32| {
        let good = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
        text.parse::<u32>().ok().filter(|n| good && *n < below)
    };
    Some(number(hours, 24)? * 60 + number(minutes, 60)?)
}

impl Values {
    fn check(&self) -> Answer<()> {
        for time in [&self.quiet_from, &self.quiet_to] {
            if minutes(time).is_none() {
                return Err(Fault::new(ErrorCode::Invalid, format!("{time:?} is no time of day."))
                    .hint("Write hours and minutes, 22:00."));
            }
        }
        Ok(())
    }

    /// Whether news of this kind are shown on the desktop at this minute of the day. Messages of the webhook have switches of their own, and
    /// no quiet hours: whoever gets them is elsewhere.
    pub(crate) fn tells(&self, kind: NoticeKind, minute: u32) -> bool {
        let wanted = match kind {
            NoticeKind::Disk => self.notify_disk,
            NoticeKind::Failed => self.notify_failed,
            NoticeKind::Stalled => self.notify_stalled,
            NoticeKind::Alert => self.notify_alert,
            NoticeKind::Interrupted => self.notify_interrupted,
            NoticeKind::Completed => self.notify_completed,
        };
        wanted && !self.is_quiet(minute)
    }

    /// Whether notifications are held back at this minute of the day.
    fn is_quiet(&self, minute: u32) -> bool {
        let (Some(from), Some(to)) = (minutes(&self.quiet_from), minutes(&self.quiet_to)) else { return false };
        self.quiet && if from <= to { (from..to).contains(&minute) } else { minute >= from || minute < to }
    }
}

/// The files.
pub(crate) struct Settings {
    folder: PathBuf,
    values: Mutex<Values>,
}

impl Settings {
    /// Those in this folder; usual values where there are none or they cannot be read.
    pub(crate) fn open(folder: PathBuf) -> Settings {
        let values = read(&folder.join("settings.json")).unwrap_or_default();
        Settings { folder, values: Mutex::new(values) }
    }

    pub(crate) fn get(&self) -> Values {
        lock(&self.values).clone()
    }

    /// Checks and stores them.
    pub(crate) fn set(&self, values: Values) -> Answer<()> {
        values.check()?;
        write(&self.folder.join("settings.json"), &values)?;
        *lock(&self.values) = values;
        Ok(())
    }

    /// `null` where there is none.
    pub(crate) fn draft(&self) -> Value {
        read(&self.folder.join("draft.json")).unwrap_or(Value::Null)
    }

    pub(crate) fn set_draft(&self, draft: &Value) -> Answer<()> {
        if draft.to_string().len() > DRAFT_MOST {
            return Err(Fault::new(ErrorCode::Invalid, format!("The draft is over {DRAFT_MOST} bytes."))
                .hint("Put long lists into a file."));
        }
        write(&self.folder.join("draft.json"), draft)
    }

    /// Whether this is said for the first time; it is not any more after that.
    pub(crate) fn first_time(&self, what: &str) -> bool {
        let path = self.folder.join("told.json");
        let mut told: Vec<String> = read(&path).unwrap_or_default();
        if told.iter().any(|known| known == what) {
            return false;
        }
        told.push(what.to_owned());
        // Where it cannot be remembered it is said again, which harms nobody.
        let _ = write(&path, &told);
        true
    }
}

/// What a file of ours says; `None` where there is none, or it cannot be read.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// Puts a file of ours in the place of the one before.
pub(crate) fn write<T: Serialize>(path: &Path, value: &T) -> Answer<()> {
    let fault = |error: &dyn std::fmt::Display| {
        Fault::new(ErrorCode::Storage, format!("{} cannot be written: {error}.", path.display()))
            .hint("Look at the rights and the free space of its folder.")
    };
    let bytes = serde_json::to_vec_pretty(value).map_err(|e| fault(&e))?;
    let put = || {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let aside = path.with_extension("new");
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        fs::rename(&aside, path)
    };
    put().map_err(|e: std::io::Error| fault(&e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_survive_and_what_an_older_version_wrote_is_filled_in() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("config");
        let settings = Settings::open(folder.clone());
        assert_eq!(settings.get(), Values::default());
        settings.set(Values { language: Language::ZhCn, ..Values::default() }).unwrap();
        assert_eq!(Settings::open(folder.clone()).get().language, Language::ZhCn);
        let bad = Values { quiet_from: "25:00".into(), ..Values::default() };
        assert_eq!(settings.set(bad).unwrap_err().code, ErrorCode::Invalid);
        fs::write(folder.join("settings.json"), r#"{"theme":"dark","later":1}"#).unwrap();
        let older = Settings::open(folder.clone()).get();
        assert_eq!((older.theme, older.notify_failed), (Theme::Dark, true));
        assert!(settings.first_time("tray"));
        assert!(!Settings::open(folder).first_time("tray"));
    }

    #[test]
    fn a_draft_is_kept_as_it_is_and_not_without_end() {
        let place = tempfile::tempdir().unwrap();
        let settings = Settings::open(place.path().to_owned());
        assert_eq!(settings.draft(), Value::Null);
        let draft = serde_json::json!({ "step": 2, "params": { "epochs": "3x" } });
        settings.set_draft(&draft).unwrap();
        assert_eq!(settings.draft(), draft);
        assert!(settings.set_draft(&Value::String("x".repeat(DRAFT_MOST))).is_err());
    }

    #[test]
    fn quiet_hours_go_over_midnight() {
        let quiet = Values { quiet: true, ..Values::default() };
        assert!(quiet.is_quiet(23 * 60) && quiet.is_quiet(0) && quiet.is_quiet(6 * 60 + 59));
        assert!(!quiet.is_quiet(7 * 60) && !quiet.is_quiet(12 * 60));
        assert!(!Values::default().is_quiet(0));
        for bad in ["", "7:00", "24:00", "12:60", "+1:00", "ab:cd"] {
            assert_eq!(minutes(bad), None, "{bad}");
        }
    }
}
