//! `$FOOTPLATE_OUTPUT`: the values that a program hands on by writing a file.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use indexmap::IndexMap;
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use serde_json::Value;

/// More than this is not read, bytes.
pub(super) const LIMIT: u64 = 1 << 20;
/// So many lines that were not understood are named; the rest is counted.
const NAMED: usize = 10;

/// Reads the file: a JSON object a line, or `KEY=VALUE` (a text). Later lines win. Returns the values and what was not understood.
#[must_use]
pub(super) fn read(path: &Path) -> (IndexMap<String, Value>, Vec<String>) {
    let mut text = Vec::new();
    let mut faults = Vec::new();
    let file = match plain(path) {
        Ok(Some(file)) => file,
        Ok(None) => return (IndexMap::new(), faults),
        Err(sentence) => {
            faults.push(sentence);
            return (IndexMap::new(), faults);
        }
    };
    if let Err(error) = file.take(LIMIT + 1).read_to_end(&mut text) {
        faults.push(format!("the output file could not be read: {error}"));
    }
    if text.len() as u64 > LIMIT {
        faults.push("the output file is over 1 MiB; what comes after is left out".to_owned());
        text.truncate(LIMIT as usize);
    }
    let (values, unread) = parse(&String::from_utf8_lossy(&text));
    faults.extend(unread);
    (values, faults)
}

/// The file, where there is one. What the program put in its place is not waited for (a FIFO) and not followed (a link).
fn plain(path: &Path) -> Result<Option<File>, String> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let unread = |error: Errno| format!("the output file could not be read: {error}");
    let no_file = || Err("nothing of the output file is read: the program put something else in its place".to_owned());
    match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(file) => match FileType::from_raw_mode(rustix::fs::fstat(&file).map_err(unread)?.st_mode) {
            FileType::RegularFile => Ok(Some(File::from(file))),
            _ => no_file(),
        },
        Err(Errno::NOENT) => Ok(None),
        Err(Errno::LOOP) => Err("nothing of the output file is read: the program put a link in its place".to_owned()),
        Err(Errno::NXIO) => no_file(),
        Err(error) => Err(unread(error)),
    }
}

fn parse(text: &str) -> (IndexMap<String, Value>, Vec<String>) {
    let mut values = IndexMap::new();
    let mut faults = Vec::new();
    let mut unnamed = 0;
    let mut fault = |sentence: String| {
        if faults.len() < NAMED {
            faults.push(sentence);
        } else {
            unnamed += 1;
        }
    };
    for (number, line) in text.lines().enumerate().map(|(i, l)| (i + 1, l.trim())) {
        if line.is_empty() {
            continue;
        }
        if line.starts_with('{') {
            match object(line) {
                Ok(found) => values.extend(found.into_iter().filter(|(key, _)| is_name(key))),
                Err(error) => fault(format!("line {number} of the output file is no JSON object: {error}")),
            }
        } else if let Some((key, value)) = line.split_once('=').filter(|(key, _)| is_name(key.trim())) {
            values.insert(key.trim().to_owned(), Value::String(value.to_owned()));
        } else {
            fault(format!("line {number} of the output file is neither KEY=VALUE nor a JSON object"));
        }
    }
    if unnamed > 0 {
        faults.push(format!("{unnamed} more lines of the output file were not understood"));
    }
    (values, faults)
}

/// One JSON object. A bare NaN or infinity, as Python writes it, is the protocol's text for it: it costs no other value of the line.
fn object(line: &str) -> serde_json::Result<IndexMap<String, Value>> {
    serde_json::from_str(line).or_else(|error| {
        let quoted = footplate_progress::quote_specials(line.as_bytes());
        quoted.and_then(|quoted| serde_json::from_slice(&quoted).ok()).ok_or(error)
    })
}

/// Names of outputs: `[a-z][a-z0-9_]{0,63}`; capitals are taken too, for `KEY=VALUE` as shells write it.
fn is_name(key: &str) -> bool {
    let mut letters = key.chars();
    letters.next().is_some_and(|c| c.is_ascii_alphabetic())
        && key.len() <= 64
        && letters.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read_and_the_rest_is_named() {
        let (values, faults) =
            parse("model=out/m.bin\n{\"accuracy\": 0.97, \"parts\": [1, 2]}\n\nnonsense\n{broken\n=x\n");
        assert_eq!(values["model"], "out/m.bin");
        assert_eq!(values["accuracy"], 0.97);
        assert_eq!(values["parts"], serde_json::json!([1, 2]));
        assert_eq!(values.len(), 3);
        assert_eq!(faults.len(), 3, "{faults:?}");
    }

    #[test]
    fn what_json_has_no_word_for_costs_no_other_value() {
        let (values, faults) = parse("{\"loss\": NaN, \"of\": [Infinity, -Infinity], \"said\": \"NaN\", \"n\": 1}\n");
        assert_eq!(faults, Vec::<String>::new());
        assert_eq!(
            serde_json::json!(values),
            serde_json::json!({"loss": "nan", "of": ["inf", "-inf"], "said": "NaN", "n": 1})
        );
        let (values, faults) = parse("{\"loss\": NaN, \"n\": }\n");
        assert!(values.is_empty() && faults[0].contains("line 1"), "{faults:?}");
    }

    #[test]
    fn a_text_of_another_kind_is_told_in_a_few_sentences() {
        let (values, faults) = parse(&"x\n".repeat(500_000));
        assert!(values.is_empty());
        assert_eq!(faults.len(), NAMED + 1);
        assert_eq!(faults[NAMED], "499990 more lines of the output file were not understood");
    }

    #[test]
    fn what_is_no_plain_file_is_neither_waited_for_nor_followed() {
        let place = tempfile::tempdir().unwrap();
        let at = place.path().join("output");
        assert_eq!(read(&at), (IndexMap::new(), Vec::new()), "there need not be one");
        let elsewhere = place.path().join("elsewhere");
        std::fs::write(&elsewhere, "key=secret").unwrap();
        let makes: [(&str, &dyn Fn()); 4] = [
            ("something else", &|| std::fs::create_dir(&at).unwrap()),
            ("a link", &|| std::os::unix::fs::symlink(&elsewhere, &at).unwrap()),
            ("something else", &|| drop(std::os::unix::net::UnixListener::bind(&at).unwrap())),
            ("something else", &|| {
                rustix::fs::mknodat(rustix::fs::CWD, &at, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
            }),
        ];
        for (what, make) in makes {
            make();
            let (values, faults) = read(&at);
            assert!(values.is_empty() && faults.len() == 1 && faults[0].contains(what), "{what}: {faults:?}");
            std::fs::remove_dir(&at).or_else(|_| std::fs::remove_file(&at)).unwrap();
        }
    }
}
