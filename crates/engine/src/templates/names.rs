//! What templates are called, and where one of a name lies.

use std::fs;
use std::path::PathBuf;

use footplate_core::{ErrorCode, Fault};
use footplate_spec as spec;

use crate::home::Home;

/// The templates that are part of this program: name and file.
pub(super) const BUILT_IN: [(&str, &str); 1] =
    [("digits", include_str!("../../../../templates/digits/footplate.toml"))];

/// Whether a template can be called that: `[a-z0-9-]`, 1 to 64 characters.
pub(crate) fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// Whether a template of this name is part of this program.
pub(super) fn is_built_in(name: &str) -> bool {
    BUILT_IN.iter().any(|(known, _)| *known == name)
}

/// The names of the user's own templates, in order.
pub(super) fn own_names(home: &Home) -> Vec<String> {
    let own = fs::read_dir(home.templates()).into_iter().flatten().flatten();
    let mut names: Vec<String> =
        own.map(|entry| entry.file_name().to_string_lossy().into_owned()).filter(|name| is_name(name)).collect();
    names.sort_unstable();
    names
}

/// There is no template of this name: `why`, and the nearest one.
pub(super) fn unknown(text: &str, home: &Home, why: &str) -> Fault {
    let mut known: Vec<String> = BUILT_IN.iter().map(|(name, _)| (*name).to_owned()).collect();
    known.extend(own_names(home));
    let fault = Fault::new(ErrorCode::NotFound, format!("{text:?} {why}"));
    match spec::nearest(text, known.iter().map(String::as_str)) {
        Some(near) => fault.hint(format!("did you mean {near:?}?")),
        None => fault.hint(format!("templates: {}", known.join(", "))),
    }
}

/// The folder of an own template.
///
/// # Errors
/// `NotFound` with the nearest name; `Refused` where it is a link.
pub fn folder(home: &Home, name: &str) -> Result<PathBuf, Fault> {
    let folder = home.templates().join(name);
    let facts = if is_name(name) { fs::symlink_metadata(&folder).ok() } else { None };
    match facts {
        Some(facts) if facts.is_dir() => Ok(folder),
        Some(_) => {
            Err(Fault::new(ErrorCode::Refused, format!("{} is a link, not a template's folder.", folder.display()))
                .hint("Put the folder itself there: footplate template add FOLDER"))
        }
        None if is_built_in(name) => {
            Err(Fault::new(ErrorCode::Conflict, format!("The template {name:?} is part of Footplate."))
                .hint("Only templates of your own are exported, renamed, allowed and removed."))
        }
        None => Err(unknown(name, home, "is no template of your own")),
    }
}
