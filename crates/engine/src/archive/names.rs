//! Names in archives and templates: good on every system, one spelling each, and none that reads as another.

use std::collections::HashMap;

use unicode_normalization::{UnicodeNormalization, is_nfc};

/// Most bytes of a path.
const LONGEST: usize = 1_024;
/// Most bytes of one part of it.
const LONGEST_PART: usize = 255;
/// Most folders within one another.
const DEEPEST: usize = 32;

/// The parts of a path with `/` between them, or why it cannot be used.
pub(super) fn parts(path: &str) -> Result<Vec<&str>, String> {
    let shown = || path.escape_debug().to_string();
    if path.is_empty() {
        return Err("a name is empty".to_owned());
    }
    if path.len() > LONGEST {
        return Err(format!("a name has {} bytes; the limit is {LONGEST}", path.len()));
    }
    if path.starts_with('/') {
        return Err(format!("\"{}\" is an absolute path", shown()));
    }
    let parts: Vec<&str> = path.split('/').collect();
    if parts.len() > DEEPEST {
        return Err(format!("\"{}\" lies {} folders deep; the limit is {DEEPEST}", shown(), parts.len()));
    }
    for part in &parts {
        if let Err(why) = part_is_good(part) {
            return Err(format!("the name \"{}\" {why}", shown()));
        }
    }
    Ok(parts)
}

fn part_is_good(part: &str) -> Result<(), String> {
    if part.is_empty() {
        return Err("has an empty part".to_owned());
    }
    if part == "." || part == ".." {
        return Err(format!("leads elsewhere by \"{part}\""));
    }
    if part.len() > LONGEST_PART {
        return Err(format!("has a part of {} bytes; the limit is {LONGEST_PART}", part.len()));
    }
    if let Some(bad) = part.chars().find(|c| c.is_control() || is_invisible(*c)) {
        return Err(format!("has a character that is not seen (U+{:04X})", u32::from(bad)));
    }
    if let Some(bad) = part.chars().find(|c| "<>:\"|?*\\".contains(*c)) {
        return Err(format!("has a {bad:?}, which not every system allows"));
    }
    if part.ends_with('.') || part.ends_with(' ') || part.starts_with(' ') {
        return Err("begins with a blank, or ends with a blank or a dot".to_owned());
    }
    if !is_nfc(part) {
        return Err("is not in Unicode's composed form (NFC)".to_owned());
    }
    let base = part.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let numbered = |name: &str| {
        base.strip_prefix(name).is_some_and(|rest| {
            let mut rest = rest.chars();
            rest.next().is_some_and(|c| c.is_ascii_digit() || "¹²³".contains(c)) && rest.next().is_none()
        })
    };
    if ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"].contains(&&*base) || numbered("COM") || numbered("LPT") {
        return Err("is a device on Windows".to_owned());
    }
    Ok(())
}

/// Marks of direction, joiners and the like: with them a name reads as another one.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// What a program leaves behind that nobody wants to hand on.
pub(super) fn is_litter(part: &str) -> bool {
    part == "__pycache__" || part == ".DS_Store"
}

/// Two names are one where case does not count.
fn folded(part: &str) -> String {
    part.to_uppercase().to_lowercase().nfc().collect()
}

/// The names that were seen, to find two that are one on some system.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// By the folded path: its spelling, and whether it is a folder.
    known: HashMap<String, (String, bool)>,
}

impl Seen {
    /// Adds a path with all folders on its way, or says what stands against it.
    pub(super) fn add(&mut self, parts: &[&str], folder: bool) -> Result<(), String> {
        let mut key = String::new();
        let mut path = String::new();
        for (at, part) in parts.iter().enumerate() {
            if at > 0 {
                key.push('/');
                path.push('/');
            }
            key.push_str(&folded(part));
            path.push_str(part);
            let last = at + 1 == parts.len();
            let is_folder = !last || folder;
            match self.known.get(&key) {
                None => {
                    self.known.insert(key.clone(), (path.clone(), is_folder));
                }
                Some((known, _)) if *known != path => {
                    return Err(format!("\"{known}\" and \"{path}\" differ in case only"));
                }
                Some((_, was_folder)) if *was_folder != is_folder => {
                    return Err(format!("\"{path}\" is both a file and a folder"));
                }
                Some(_) if last && !folder => return Err(format!("\"{path}\" is there twice")),
                Some(_) => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_names_pass_and_no_other() {
        for good in
            ["footplate.toml", "src/train.py", "数据/样本.csv", "é.txt", ".gitignore", "a b", "console.py", "com10"]
        {
            assert!(parts(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "/",
            "/etc/passwd",
            "a//b",
            "a/",
            "./a",
            "a/../b",
            "..",
            "a\\b",
            "C:/x",
            "a\0b",
            "a\nb",
            "a.",
            "a ",
            " a",
            "CON",
            "con.txt",
            "a/nul",
            "LPT1.x",
            "com²",
            "e\u{301}.txt",
            "a\u{202e}b",
            "a\u{200b}",
            "a?b",
            "a*",
        ] {
            assert!(parts(bad).is_err(), "{bad:?}");
        }
        assert!(parts("a/".repeat(40).trim_end_matches('/')).is_err());
        assert!(parts(&"a".repeat(256)).is_err() && parts(&"a".repeat(2000)).is_err());
    }

    #[test]
    fn names_that_some_system_takes_for_one_collide() {
        let mut seen = Seen::default();
        seen.add(&["a", "File"], false).unwrap();
        seen.add(&["a"], true).unwrap();
        for (bad, folder) in
            [(vec!["a", "file"], false), (vec!["A", "x"], false), (vec!["a"], false), (vec!["a", "File"], false)]
        {
            assert!(seen.add(&bad, folder).is_err(), "{bad:?}");
        }
        assert!(seen.add(&["a", "File", "x"], false).is_err());
        seen.add(&["straße"], false).unwrap();
        assert!(seen.add(&["STRASSE"], false).is_err());
    }
}
