//! Bytes -> a tree of values with their places, the same for TOML and JSON. Duplicate keys, encodings and nesting are judged here;
//! what the keys mean is not.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::de::{Deserializer as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::problem::{Problem, shown};

/// The deepest nesting of tables and lists.
const DEEPEST: usize = 64;
/// The largest file, bytes.
pub(crate) const LARGEST: usize = 64 << 20;

/// A value and where it begins in the text, bytes.
pub(crate) struct Node {
    pub(crate) at: usize,
    pub(crate) data: Data,
}

/// A value as written.
pub(crate) enum Data {
    Null,
    Bool(bool),
    Number(Number),
    /// A float that JSON cannot say: `inf`, `nan`.
    Odd(String),
    Text(String),
    /// A TOML date or time.
    Date(String),
    List(Vec<Node>),
    Table(Vec<Entry>),
}

/// A key with its value.
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) at: usize,
    pub(crate) node: Node,
}

impl Node {
    /// The value under a key.
    pub(crate) fn get(&self, key: &str) -> Option<&Entry> {
        match &self.data {
            Data::Table(entries) => entries.iter().find(|entry| entry.key == key),
            _ => None,
        }
    }

    /// The value as JSON; what JSON cannot say becomes text.
    pub(crate) fn value(&self) -> Value {
        match &self.data {
            Data::Null => Value::Null,
            Data::Bool(b) => Value::Bool(*b),
            Data::Number(n) => Value::Number(n.clone()),
            Data::Odd(text) | Data::Text(text) | Data::Date(text) => Value::String(text.clone()),
            Data::List(items) => Value::Array(items.iter().map(Node::value).collect()),
            Data::Table(entries) => {
                Value::Object(entries.iter().map(|e| (e.key.clone(), e.node.value())).collect::<Map<_, _>>())
            }
        }
    }

    /// The value in words, for sentences.
    pub(crate) fn described(&self) -> String {
        match &self.data {
            Data::Null => "null".to_owned(),
            Data::Bool(b) => b.to_string(),
            Data::Number(n) => format!("the number {n}"),
            Data::Odd(text) => text.clone(),
            Data::Text(text) => format!("the text {}", shown(text)),
            Data::Date(text) => format!("the date {text}"),
            Data::List(_) => "a list".to_owned(),
            Data::Table(_) => "a table".to_owned(),
        }
    }

    /// Where `path` (keys and list indexes) stands; the nearest part of it that is there.
    pub(crate) fn place(&self, path: &[String]) -> usize {
        let mut node = self;
        let mut at = self.at;
        for step in path {
            match &node.data {
                Data::Table(_) => match node.get(step) {
                    Some(entry) => {
                        node = &entry.node;
                        at = if matches!(node.data, Data::Table(_)) { entry.at } else { node.at };
                    }
                    None => return at,
                },
                Data::List(items) => match step.parse::<usize>().ok().and_then(|index| items.get(index)) {
                    Some(item) => {
                        node = item;
                        at = item.at;
                    }
                    None => return at,
                },
                _ => return at,
            }
        }
        at
    }
}

/// A problem and the byte where it stands.
pub(crate) struct Found {
    pub(crate) at: usize,
    pub(crate) problem: Problem,
}

impl Found {
    pub(crate) fn new(at: usize, problem: Problem) -> Self {
        Found { at, problem }
    }
}

/// Sorts by place and turns bytes into lines and columns.
pub(crate) fn placed(text: &str, mut found: Vec<Found>) -> Vec<Problem> {
    found.sort_by_key(|f| f.at);
    let lines = Lines::new(text);
    found
        .into_iter()
        .map(|f| {
            let (line, column) = lines.of(f.at);
            Problem { line: Some(line), column: Some(column), ..f.problem }
        })
        .collect()
}

/// Where the lines of a text begin.
pub(crate) struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Lines { text, starts }
    }

    /// Line and column, both from 1, the column in characters.
    pub(crate) fn of(&self, at: usize) -> (u32, u32) {
        let line = self.starts.partition_point(|&start| start <= at).max(1);
        let start = self.starts[line - 1];
        let column = self.text.get(start..at.min(self.text.len())).map_or(0, |part| part.chars().count());
        (line as u32, column as u32 + 1)
    }
}

/// UTF-8 with or without a byte order mark.
pub(crate) fn text(bytes: &[u8]) -> Result<&str, Problem> {
    let utf16 = || Problem::new("encoding", "the file is UTF-16, not UTF-8").hint("save it as UTF-8");
    if bytes.len() > LARGEST {
        return Err(Problem::new("limit", format!("the file has {} bytes; the limit is {LARGEST}", bytes.len())));
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(utf16());
    }
    let bytes = bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes);
    if bytes.len() >= 2 && (bytes[0] == 0) != (bytes[1] == 0) {
        return Err(utf16());
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let good = std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
        let (line, column) = Lines::new(good).of(good.len());
        let byte = bytes[error.valid_up_to()];
        Problem {
            line: Some(line),
            column: Some(column),
            ..Problem::new("encoding", format!("the byte 0x{byte:02x} is not UTF-8")).hint("save the file as UTF-8")
        }
    })
}

/// What reading a text gave: the tree where there is one, and what was wrong. With `whole` false the tree is only good for places.
pub(crate) struct Tree {
    pub(crate) root: Node,
    pub(crate) found: Vec<Found>,
    pub(crate) whole: bool,
}

fn too_deep(at: usize) -> Found {
    Found::new(at, Problem::new("too_deep", format!("nested more than {DEEPEST} levels deep")))
}

/// Reads TOML. The grammar's own faults are all reported; after duplicate keys alone the rest is still read.
pub(crate) fn toml(text: &str) -> Tree {
    let (table, errors) = DeTable::parse_recoverable(text);
    let at = 0;
    let mut found = Vec::new();
    let root = Node { at, data: Data::Table(entries(table.get_ref(), 1, &mut found)) };
    let mut whole = true;
    let mut headers = Vec::new();
    for error in &errors {
        let at = error.span().map_or(text.len(), |span| span.start);
        let problem = match error.message() {
            "duplicate key" => match duplicate_in_toml(text, &root, error.span().unwrap_or(at..at), &mut headers) {
                Some(problem) => problem,
                None => continue,
            },
            message if message.contains("recursion limit") => {
                whole = false;
                too_deep(at).problem
            }
            why => {
                whole = false;
                Problem::new("syntax", format!("not TOML: {why}"))
            }
        };
        if !found.iter().any(|f: &Found| f.at == at && f.problem.code == problem.code) {
            found.push(Found::new(at, problem));
        }
    }
    Tree { root, found, whole }
}

fn entries(table: &DeTable<'_>, depth: usize, found: &mut Vec<Found>) -> Vec<Entry> {
    table
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref().clone().into_owned(),
            at: key.span().start,
            node: toml_node(value, depth, found),
        })
        .collect()
}

fn toml_node(value: &Spanned<DeValue<'_>>, depth: usize, found: &mut Vec<Found>) -> Node {
    let at = value.span().start;
    let data = match value.get_ref() {
        DeValue::String(text) => Data::Text(text.clone().into_owned()),
        DeValue::Boolean(b) => Data::Bool(*b),
        DeValue::Datetime(date) => Data::Date(date.to_string()),
        DeValue::Integer(n) => match i64::from_str_radix(n.as_str(), n.radix()) {
            Ok(n) => Data::Number(n.into()),
            Err(_) => Data::Odd(n.to_string()),
        },
        DeValue::Float(n) => match n.as_str().parse::<f64>().ok().and_then(Number::from_f64) {
            Some(n) => Data::Number(n),
            None => Data::Odd(n.as_str().to_owned()),
        },
        DeValue::Array(_) | DeValue::Table(_) if depth >= DEEPEST => {
            found.push(too_deep(at));
            Data::Null
        }
        DeValue::Array(items) => Data::List(items.iter().map(|item| toml_node(item, depth + 1, found)).collect()),
        DeValue::Table(table) => Data::Table(entries(table, depth + 1, found)),
    };
    Node { at, data }
}

/// The parser names only the second place of a key. The first is found through the key's path, which the line and the header above it say.
/// `None` for a key that is there twice only because its table is, which is told by itself.
fn duplicate_in_toml(text: &str, root: &Node, span: Range<usize>, headers: &mut Vec<usize>) -> Option<Problem> {
    let lines = Lines::new(text);
    let key = text.get(span.clone()).unwrap_or_default().trim_matches(['"', '\'']);
    let line_start = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
    let line = text[line_start..].lines().next().unwrap_or_default();
    let first = if is_header(line) {
        headers.push(line_start);
        let path = path_in(line, key);
        text[..line_start]
            .split_inclusive('\n')
            .scan(0, |next, line| Some((std::mem::replace(next, *next + line.len()), line)))
            .find(|(_, line)| is_header(line) && path.is_some() && path_in(line, key) == path)
            .map(|(at, _)| at)
    } else {
        let above = text[..line_start].lines().rev().find(|line| is_header(line));
        if let Some(above) = above {
            let at = above.as_ptr() as usize - text.as_ptr() as usize;
            if headers.contains(&at) {
                return None;
            }
        }
        let small = format!("{}\n{} = 0", above.unwrap_or_default(), &text[line_start..span.end]);
        path_in(&small, key).and_then(|path| first_place(root, &path, span.start))
    };
    let first = first.or_else(|| before(root, key, span.start));
    let (second_line, _) = lines.of(span.start);
    let message = match first {
        Some(at) => format!("{} is there twice: on line {} and on line {second_line}", shown(key), lines.of(at).0),
        None => format!("{} is there twice, again on line {second_line}", shown(key)),
    };
    Some(Problem::new("duplicate_key", message))
}

/// Does the line open a table?
fn is_header(line: &str) -> bool {
    line.trim_start().starts_with('[')
}

/// The path of the deepest key of a text that holds one key only; `None` unless it ends with `key`.
fn path_in(small: &str, key: &str) -> Option<Vec<String>> {
    let (table, _) = DeTable::parse_recoverable(small);
    let mut path = Vec::new();
    let mut table = table.get_ref();
    while let Some((name, value)) = table.iter().next() {
        path.push(name.get_ref().clone().into_owned());
        match value.get_ref() {
            DeValue::Table(inner) => table = inner,
            _ => break,
        }
    }
    (path.last().map(String::as_str) == Some(key)).then_some(path)
}

fn first_place(root: &Node, path: &[String], before: usize) -> Option<usize> {
    let mut node = root;
    let mut at = None;
    for step in path {
        let entry = node.get(step)?;
        at = Some(entry.at);
        node = &entry.node;
    }
    at.filter(|&at| at < before)
}

/// The last key of that name before a place, anywhere.
fn before(node: &Node, key: &str, limit: usize) -> Option<usize> {
    match &node.data {
        Data::Table(entries) => entries
            .iter()
            .flat_map(|e| (e.key == key).then_some(e.at).into_iter().chain(before(&e.node, key, limit)))
            .filter(|&at| at < limit)
            .max(),
        Data::List(items) => items.iter().filter_map(|item| before(item, key, limit)).max(),
        _ => None,
    }
}

/// Reads JSON. The first fault of the grammar ends it; duplicate keys do not.
pub(crate) fn json(text: &str) -> Result<Tree, Problem> {
    let raw: &RawValue = serde_json::from_str(text).map_err(|error| {
        let text = error.to_string();
        let why = text.split(" at line ").next().unwrap_or_default();
        Problem {
            line: Some(error.line() as u32),
            column: Some((error.column() as u32).max(1)),
            ..Problem::new("syntax", format!("not JSON: {why}"))
        }
    })?;
    let mut reader = JsonReader { text, found: Vec::new() };
    let root = reader.node(raw, 0);
    Ok(Tree { root, found: reader.found, whole: true })
}

struct JsonReader<'t> {
    text: &'t str,
    found: Vec<Found>,
}

impl<'t> JsonReader<'t> {
    /// A raw value is a part of the text: its place is the difference of the addresses.
    fn at(&self, raw: &str) -> usize {
        (raw.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize)
    }

    fn node(&mut self, raw: &'t RawValue, depth: usize) -> Node {
        let source = raw.get();
        let at = self.at(source);
        let composite = matches!(source.as_bytes().first(), Some(b'{' | b'['));
        let data = if composite && depth >= DEEPEST {
            self.found.push(too_deep(at));
            Data::Null
        } else if source.starts_with('{') {
            self.table(source, depth)
        } else if source.starts_with('[') {
            let items: Vec<&'t RawValue> = parts(source, Shape::List).into_iter().map(|(_, item)| item).collect();
            Data::List(items.into_iter().map(|item| self.node(item, depth + 1)).collect())
        } else {
            match serde_json::from_str(source) {
                Ok(Value::Bool(b)) => Data::Bool(b),
                Ok(Value::Number(n)) => Data::Number(n),
                Ok(Value::String(text)) => Data::Text(text),
                Ok(Value::Null | Value::Array(_) | Value::Object(_)) => Data::Null,
                Err(_) => Data::Odd(source.to_owned()),
            }
        };
        Node { at, data }
    }

    fn table(&mut self, source: &'t str, depth: usize) -> Data {
        let mut entries: Vec<Entry> = Vec::new();
        let mut seen = std::collections::HashMap::new();
        for (key, value) in parts(source, Shape::Table) {
            let raw_key = key.map_or("", RawValue::get);
            let at = self.at(raw_key);
            let key: Cow<'_, str> = serde_json::from_str::<String>(raw_key).unwrap_or_default().into();
            if let Some(first) = seen.insert(key.to_string(), at) {
                let lines = Lines::new(self.text);
                let ((first, _), (second, _)) = (lines.of(first), lines.of(at));
                let message = format!("{} is there twice: on line {first} and on line {second}", shown(&key));
                self.found.push(Found::new(at, Problem::new("duplicate_key", message)));
                continue;
            }
            let node = self.node(value, depth + 1);
            entries.push(Entry { key: key.into_owned(), at, node });
        }
        Data::Table(entries)
    }
}

#[derive(Clone, Copy)]
enum Shape {
    Table,
    List,
}

/// The parts of an object or array that is known to be good JSON.
fn parts(source: &str, shape: Shape) -> Vec<(Option<&RawValue>, &RawValue)> {
    struct Parts;
    impl<'de> Visitor<'de> for Parts {
        type Value = Vec<(Option<&'de RawValue>, &'de RawValue)>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object or an array")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut list = Vec::new();
            while let Some((key, value)) = map.next_entry()? {
                list.push((Some(key), value));
            }
            Ok(list)
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            let mut list = Vec::new();
            while let Some(value) = seq.next_element()? {
                list.push((None, value));
            }
            Ok(list)
        }
    }
    let mut from = serde_json::Deserializer::from_str(source);
    let read = match shape {
        Shape::Table => from.deserialize_map(Parts),
        Shape::List => from.deserialize_seq(Parts),
    };
    read.unwrap_or_default()
}
