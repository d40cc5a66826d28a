//! Patterns of rules: literal text with `{name}` for what is taken from it, `{}` for what is passed over, `$` at the end for
//! the end of the line. No expressions: a rule must be readable, and matching must cost one pass.

use indexmap::IndexMap;

/// Characters kept of a value.
const VALUE_MOST: usize = 200;

/// The values of a text by name, where the pattern is found anywhere in it.
pub(super) fn anywhere(pattern: &str, text: &str) -> Option<IndexMap<String, String>> {
    let first = pattern.split(['{', '$']).next().unwrap_or_default();
    if first.is_empty() {
        return from_start(pattern, text);
    }
    let mut from = 0;
    while let Some(at) = text[from..].find(first) {
        if let Some(values) = from_start(pattern, &text[from + at..]) {
            return Some(values);
        }
        from += at + first.len();
    }
    None
}

/// The same where the text begins with it.
pub(super) fn from_start(pattern: &str, text: &str) -> Option<IndexMap<String, String>> {
    let (pattern, to_end) = match pattern.strip_suffix('$') {
        Some(rest) => (rest, true),
        None => (pattern, false),
    };
    let mut parts = pattern.split('{');
    let mut rest = text.strip_prefix(parts.next().unwrap_or_default())?;
    let mut values = IndexMap::new();
    for part in parts {
        let (name, literal) = part.split_once('}')?;
        let last = to_end && pattern.ends_with(part);
        let end = match literal {
            "" => rest.len(),
            _ if last && rest.ends_with(literal) => rest.len() - literal.len(),
            _ => rest.find(literal)?,
        };
        if !name.is_empty() {
            let value = value(&rest[..end])?;
            // It becomes part of a command that people are told to type.
            let plain = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
            if name == "module" && !value.chars().all(plain) {
                return None;
            }
            values.insert(name.to_owned(), value);
        }
        rest = &rest[end + literal.len()..];
    }
    (!to_end || rest.is_empty()).then_some(values)
}

/// The first line of a text, cut; none where there is nothing in it.
pub(super) fn value(text: &str) -> Option<String> {
    let line = text.trim().lines().next()?.trim_end();
    let mut kept: String = line.chars().filter(|c| !c.is_control()).take(VALUE_MOST + 1).collect();
    if kept.chars().count() > VALUE_MOST {
        kept.pop();
        kept.push('…');
    }
    (!kept.is_empty()).then_some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(pattern: &str, text: &str) -> Option<Vec<String>> {
        anywhere(pattern, text).map(|values| values.into_values().collect())
    }

    #[test]
    fn a_pattern_takes_what_stands_between_its_words_and_nothing_else() {
        let took = |text: &str| Some(vec![text.to_owned()]);
        assert_eq!(taken("No module named '{module}'", "No module named 'a.b'; 'a' is not a package"), took("a.b"));
        assert_eq!(taken("Tried to allocate {wanted}. ", "x. Tried to allocate 1.50 GiB. GPU 0"), took("1.50 GiB"));
        assert_eq!(taken("Killed$", "Killed"), Some(vec![]));
        assert_eq!(taken("Killed$", "Killed it"), None);
        assert_eq!(taken("{}: {file}: Permission denied$", "cat: a: b: Permission denied"), took("a: b"));
        assert_eq!(taken("{}: {file}: Permission denied$", "cat: a: Permission denied, he said"), None);
        assert_eq!(taken("in '{file}'", "in '', in 'x'"), took("x"), "what is empty is no value");
        assert_eq!(taken("port {port} ", "no such thing"), None);
        assert_eq!(taken("named '{module}'", "named 'a; rm -r ~'"), None, "a module's name is a name");
    }

    #[test]
    fn a_value_is_one_line_without_control_characters_and_is_cut() {
        assert_eq!(value(" a\u{7}b \nc").as_deref(), Some("ab"));
        assert_eq!(value("\n "), None);
        let long = value(&"é".repeat(5_000)).unwrap();
        assert_eq!(long, format!("{}…", "é".repeat(VALUE_MOST)));
    }
}
