//! A tree of values -> a definition: known keys, the right kinds, every fault kept with its place. Whether the parts fit together is
//! judged in `check`.

use footplate_core::definition::{
    Definition, FORMAT, MAX_STAGES, OnFailure, OnInterrupt, Param, ParamKind, Resources, Retries, RetryOn, Stage,
};
use footplate_core::quantity::QuantityError;
use indexmap::IndexMap;
use serde_json::Value;

use crate::check::unknown;
use crate::problem::{Problem, nearest, shown};
use crate::source::{Data, Entry, Found, Node};

const PIPELINE: &[&str] =
    &["format", "name", "title", "description", "queue", "priority", "on_failure", "params", "presets", "stages"];
const PARAM: &[&str] =
    &["type", "default", "minimum", "maximum", "choices", "pattern", "exists", "title", "help", "group", "advanced"];
mod guards;

const STAGE: &[&str] = &[
    "command",
    "shell",
    "needs",
    "title",
    "queue",
    "resume",
    "env",
    "secrets",
    "cwd",
    "timeout",
    "grace",
    "stall",
    "stall_action",
    "alerts",
    "retries",
    "on_interrupt",
    "resources",
    "checkpoints",
    "progress_pattern",
    "metric_pattern",
    "if",
    "outputs",
    "allow_failure",
    "needs_any",
    "tail",
    "wait_group",
    "not_before",
];
const STAGE_LATER: &[&str] = &["cache", "inputs", "target"];
const RETRIES: &[&str] = &["max", "delay", "backoff", "max_delay", "jitter", "on"];
const RESOURCES: &[&str] = &["cpus", "memory", "gpus"];
const CHECKPOINTS: &[&str] = &["files", "signal", "wait", "metric", "mode", "keep_best", "keep_last"];

/// What was read, and what was wrong. Faulty parts hold their defaults; `faulty` says where, so that no second fault follows from them.
pub(crate) struct Reader {
    pub(crate) found: Vec<Found>,
    pub(crate) faulty: Vec<Vec<String>>,
    path: Vec<String>,
}

impl Reader {
    pub(crate) fn new() -> Self {
        Reader { found: Vec::new(), faulty: Vec::new(), path: Vec::new() }
    }

    /// The whole file. `most` is the limit of stages.
    pub(crate) fn definition(&mut self, root: &Node, most: usize) -> Definition {
        let mut out = Definition {
            format: FORMAT,
            name: String::new(),
            title: None,
            description: None,
            queue: None,
            priority: 0,
            on_failure: OnFailure::default(),
            params: IndexMap::new(),
            presets: IndexMap::new(),
            stages: IndexMap::new(),
        };
        let Data::Table(entries) = &root.data else {
            let given = root.described();
            self.fault(root.at, "wrong_type", format!("a pipeline is a table of keys, not {given}"));
            return out;
        };
        // A newer format may have keys of its own: one sentence is more use than a list of unknown keys.
        if let Some(newer) = entries.iter().find(|e| e.key == "format")
            && matches!(&newer.node.data, Data::Number(n) if n.as_u64().is_some_and(|n| n > u64::from(FORMAT)))
        {
            let message = format!("format = {} is newer than this version of Footplate reads", newer.node.value());
            let problem = Problem::new("newer_format", message).hint("please update Footplate");
            self.found.push(Found::new(newer.node.at, problem));
            self.faulty.push(Vec::new());
            return out;
        }
        self.known(entries, PIPELINE, &[], "a pipeline");
        for required in ["format", "name", "stages"] {
            let meant = self.faulty.iter().any(|path| path.len() == 1 && path[0] == required);
            if !meant && !entries.iter().any(|e| e.key == required) {
                let problem = Problem::new("missing_key", format!("\"{required}\" is missing"));
                let hint = match required {
                    "format" => "write format = 1 at the top",
                    "name" => "write for example name = \"digits\"",
                    _ => "a pipeline has at least one stage: [stages.train]",
                };
                self.found.push(Found::new(root.at, problem.hint(hint)));
                self.faulty.push(vec![required.to_owned()]);
            }
        }
        for entry in entries {
            self.path.push(entry.key.clone());
            let node = &entry.node;
            match entry.key.as_str() {
                "format" => out.format = self.whole(node, 1, i64::from(FORMAT)).unwrap_or(1) as u32,
                "name" => out.name = self.text(node).unwrap_or_default(),
                "title" => out.title = self.text(node),
                "description" => out.description = self.text(node),
                "queue" => out.queue = self.text(node),
                "priority" => out.priority = self.whole(node, -100, 100).unwrap_or(0) as i32,
                "on_failure" => {
                    let choices = [("continue", OnFailure::Continue), ("stop", OnFailure::Stop)];
                    out.on_failure = self.choice(node, &choices).unwrap_or_default();
                }
                "params" => out.params = self.each(node, |reader, entry| reader.param(entry)),
                "presets" => out.presets = self.each(node, |reader, entry| reader.preset(&entry.node)),
                "stages" => {
                    let count = if let Data::Table(stages) = &node.data { stages.len() } else { 0 };
                    if count > most {
                        let message = format!("{count} stages; the limit is {most}");
                        self.fault(entry.at, "limit", message);
                    } else {
                        out.stages = self.each(node, |reader, entry| reader.stage(entry));
                    }
                }
                _ => {}
            }
            self.path.pop();
        }
        out
    }

    fn param(&mut self, entry: &Entry) -> Option<Param> {
        let mut out = Param {
            kind: ParamKind::String,
            default: None,
            minimum: None,
            maximum: None,
            choices: Vec::new(),
            pattern: None,
            exists: false,
            title: None,
            help: None,
            group: None,
            advanced: false,
        };
        let entries = self.table(&entry.node)?;
        self.known(entries, PARAM, &[], "a parameter");
        if !entries.iter().any(|e| e.key == "type") {
            let message = format!("parameter {} has no \"type\"", shown(&entry.key));
            self.fault_hint(entry.at, "missing_key", message, &format!("one of {}", kinds().join(", ")));
        }
        for entry in entries {
            self.path.push(entry.key.clone());
            let node = &entry.node;
            match entry.key.as_str() {
                "type" => match self.choice(node, KINDS) {
                    Some(kind) => out.kind = kind,
                    // The rest is judged by the type: without one nothing more can be said about this parameter.
                    None => self.faulty.push(self.path[..self.path.len() - 1].to_vec()),
                },
                "default" => out.default = self.any(node),
                "minimum" => out.minimum = self.number(node),
                "maximum" => out.maximum = self.number(node),
                "choices" => out.choices = self.list(node, Reader::any),
                "pattern" => out.pattern = self.text(node),
                "exists" => out.exists = self.truth(node),
                "title" => out.title = self.text(node),
                "help" => out.help = self.text(node),
                "group" => out.group = self.text(node),
                "advanced" => out.advanced = self.truth(node),
                _ => {}
            }
            self.path.pop();
        }
        Some(out)
    }

    fn preset(&mut self, node: &Node) -> Option<IndexMap<String, Value>> {
        Some(self.each(node, |reader, entry| reader.any(&entry.node)))
    }

    fn stage(&mut self, entry: &Entry) -> Option<Stage> {
        let mut out = Stage::default();
        // A stage that is no table stays in the list, so that needs on it are not called unknown.
        let Some(entries) = self.table(&entry.node) else { return Some(out) };
        self.known(entries, STAGE, STAGE_LATER, "a stage");
        for entry in entries {
            self.path.push(entry.key.clone());
            let node = &entry.node;
            match entry.key.as_str() {
                "command" => {
                    if let Data::Text(line) = &node.data {
                        let message =
                            format!("command must be a list of the program and its arguments, not {}", shown(line));
                        let hint = "write command = [\"python\", \"train.py\"], or shell = \"..\" to have a shell read the line";
                        self.fault_hint(node.at, "wrong_type", message, hint);
                    } else {
                        out.command = self.list(node, Reader::text);
                    }
                }
                "shell" => out.shell = self.text(node),
                "needs" => out.needs = self.list(node, Reader::text),
                "title" => out.title = self.text(node),
                "queue" => out.queue = self.text(node),
                "resume" => out.resume = self.list(node, Reader::text),
                "env" => out.env = self.each(node, |reader, entry| reader.text(&entry.node)),
                "secrets" => out.secrets = self.list(node, Reader::text),
                "cwd" => out.cwd = self.text(node),
                "timeout" => out.timeout = self.quantity(node, "\"24h\""),
                "grace" => out.grace = self.quantity(node, "\"30s\""),
                "stall" => out.stall = self.quantity(node, "\"30m\""),
                "stall_action" => out.stall_action = self.choice(node, guards::ACTIONS).unwrap_or_default(),
                "alerts" => out.alerts = self.alerts(node),
                "retries" => out.retries = self.retries(node),
                "on_interrupt" => {
                    let choices =
                        [("resume", OnInterrupt::Resume), ("restart", OnInterrupt::Restart), ("ask", OnInterrupt::Ask)];
                    out.on_interrupt = self.choice(node, &choices);
                }
                "resources" => out.resources = self.resources(node),
                "checkpoints" => out.checkpoints = self.checkpoints(entry),
                "progress_pattern" => out.progress_pattern = self.text(node),
                "metric_pattern" => out.metric_pattern = self.text(node),
                "if" => out.condition = self.text(node),
                "outputs" => out.outputs = self.each(node, |reader, entry| reader.text(&entry.node)),
                "allow_failure" => out.allow_failure = self.truth(node),
                "needs_any" => out.needs_any = self.truth(node),
                "tail" => out.tail = self.truth(node),
                "wait_group" => out.wait_group = self.truth(node),
                "not_before" => {
                    out.not_before = match &node.data {
                        Data::Date(date) => Some(date.clone()),
                        _ => self.text(node),
                    }
                }
                _ => {}
            }
            self.path.pop();
        }
        Some(out)
    }

    fn retries(&mut self, node: &Node) -> Retries {
        let mut out = Retries::default();
        let Some(entries) = self.table(node) else { return out };
        self.known(entries, RETRIES, &[], "retries");
        for entry in entries {
            self.path.push(entry.key.clone());
            let node = &entry.node;
            match entry.key.as_str() {
                "max" => out.max = self.whole(node, 0, 100).unwrap_or(0) as u32,
                "delay" => out.delay = self.quantity(node, "\"30s\"").unwrap_or(out.delay),
                "backoff" => out.backoff = self.number(node).unwrap_or(out.backoff),
                "max_delay" => out.max_delay = self.quantity(node, "\"10m\"").unwrap_or(out.max_delay),
                "jitter" => out.jitter = self.number(node).unwrap_or(out.jitter),
                "on" => {
                    let choices = [("failed", RetryOn::Failed), ("timed_out", RetryOn::TimedOut)];
                    out.on = self.list(node, |reader, item| reader.choice(item, &choices));
                }
                _ => {}
            }
            self.path.pop();
        }
        out
    }

    fn resources(&mut self, node: &Node) -> Resources {
        let mut out = Resources::default();
        let Some(entries) = self.table(node) else { return out };
        self.known(entries, RESOURCES, &[], "resources");
        for entry in entries {
            self.path.push(entry.key.clone());
            let node = &entry.node;
            match entry.key.as_str() {
                "cpus" => out.cpus = self.whole(node, 0, 4096).map_or(out.cpus, |n| n as u32),
                "memory" => out.memory = self.quantity(node, "\"2GB\"").unwrap_or(out.memory),
                "gpus" => out.gpus = self.whole(node, 0, 64).map_or(out.gpus, |n| n as u32),
                _ => {}
            }
            self.path.pop();
        }
        out
    }

    fn fault(&mut self, at: usize, code: &'static str, message: String) {
        self.push(at, Problem::new(code, message));
    }

    fn fault_hint(&mut self, at: usize, code: &'static str, message: String, hint: &str) {
        self.push(at, Problem::new(code, message).hint(hint));
    }

    fn push(&mut self, at: usize, problem: Problem) {
        self.faulty.push(self.path.clone());
        self.found.push(Found::new(at, problem));
    }

    fn known(&mut self, entries: &[Entry], known: &[&str], later: &[&str], what: &str) {
        for entry in entries.iter().filter(|e| !known.contains(&e.key.as_str())) {
            let problem = if later.contains(&entry.key.as_str()) {
                Problem::new("unsupported_key", format!("{} is not supported by this version yet", shown(&entry.key)))
                    .hint("leave it out, or update Footplate once it is there")
            } else {
                if let Some(name) = nearest(&entry.key, known.iter().copied()) {
                    // The key that was meant is not called missing as well.
                    self.faulty.push(self.path.iter().cloned().chain([name.to_owned()]).collect());
                }
                let message = format!("{what} has no key {}", shown(&entry.key));
                unknown("unknown_key", message, &entry.key, known.iter().copied())
            };
            self.found.push(Found::new(entry.at, problem));
        }
    }

    /// The path as people write it, for sentences.
    fn label(&self) -> String {
        self.path.join(".")
    }

    fn wrong(&mut self, node: &Node, wanted: &str) {
        let given = node.described();
        let here = self.label();
        let message = format!("{here} must be {wanted}, not {given}");
        self.fault(node.at, "wrong_type", message);
    }

    fn table<'n>(&mut self, node: &'n Node) -> Option<&'n [Entry]> {
        match &node.data {
            Data::Table(entries) => Some(entries),
            _ => {
                self.wrong(node, "a table");
                None
            }
        }
    }

    fn each<T>(&mut self, node: &Node, mut read: impl FnMut(&mut Self, &Entry) -> Option<T>) -> IndexMap<String, T> {
        let mut out = IndexMap::new();
        for entry in self.table(node).unwrap_or_default() {
            self.path.push(entry.key.clone());
            if let Some(value) = read(self, entry) {
                out.insert(entry.key.clone(), value);
            }
            self.path.pop();
        }
        out
    }

    fn list<T>(&mut self, node: &Node, mut read: impl FnMut(&mut Self, &Node) -> Option<T>) -> Vec<T> {
        let Data::List(items) = &node.data else {
            self.wrong(node, "a list");
            return Vec::new();
        };
        let mut out = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            self.path.push(index.to_string());
            out.extend(read(self, item));
            self.path.pop();
        }
        if out.len() < items.len() {
            // Places of later items would be off by the missing ones.
            self.faulty.push(self.path.clone());
        }
        out
    }

    fn text(&mut self, node: &Node) -> Option<String> {
        match &node.data {
            Data::Text(text) => Some(text.clone()),
            _ => {
                self.wrong(node, "text");
                None
            }
        }
    }

    fn truth(&mut self, node: &Node) -> bool {
        match &node.data {
            Data::Bool(b) => *b,
            _ => {
                self.wrong(node, "true or false");
                false
            }
        }
    }

    fn number(&mut self, node: &Node) -> Option<f64> {
        match &node.data {
            Data::Number(n) => n.as_f64(),
            _ => {
                self.wrong(node, "a number");
                None
            }
        }
    }

    fn whole(&mut self, node: &Node, least: i64, most: i64) -> Option<i64> {
        let value = match &node.data {
            Data::Number(n) => n.as_i64(),
            _ => None,
        };
        match value {
            Some(n) if (least..=most).contains(&n) => Some(n),
            _ => {
                let wanted =
                    if least == most { format!("{least}") } else { format!("a whole number from {least} to {most}") };
                let given = node.described();
                let here = self.label();
                let message = format!("{here} must be {wanted}, not {given}");
                self.fault(node.at, if value.is_some() { "out_of_range" } else { "wrong_type" }, message);
                None
            }
        }
    }

    fn any(&mut self, node: &Node) -> Option<Value> {
        match &node.data {
            Data::Null | Data::Odd(_) => {
                self.wrong(node, "a value that JSON can hold");
                None
            }
            _ => Some(node.value()),
        }
    }

    fn quantity<T: std::str::FromStr<Err = QuantityError>>(&mut self, node: &Node, example: &str) -> Option<T> {
        let Data::Text(text) = &node.data else {
            self.wrong(node, &format!("text such as {example}"));
            return None;
        };
        match text.parse() {
            Ok(value) => Some(value),
            Err(QuantityError(problem)) => {
                let field = self.label();
                let message = format!("{field}: {problem}");
                self.fault(node.at, "bad_value", message);
                None
            }
        }
    }

    fn choice<T: Copy>(&mut self, node: &Node, choices: &[(&str, T)]) -> Option<T> {
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        let wanted = format!("one of {}", names.join(", "));
        let Data::Text(text) = &node.data else {
            self.wrong(node, &wanted);
            return None;
        };
        let found = choices.iter().find(|(name, _)| name == text).map(|(_, value)| *value);
        if found.is_none() {
            let given = shown(text);
            let here = self.label();
            let problem = Problem::new("bad_value", format!("{here} must be {wanted}, not {given}"));
            self.push(node.at, problem.near(text, names));
        }
        found
    }
}

const KINDS: &[(&str, ParamKind)] = &[
    ("string", ParamKind::String),
    ("integer", ParamKind::Integer),
    ("number", ParamKind::Number),
    ("boolean", ParamKind::Boolean),
    ("choice", ParamKind::Choice),
    ("path", ParamKind::Path),
    ("dataset", ParamKind::Dataset),
    ("secret", ParamKind::Secret),
];

fn kinds() -> Vec<&'static str> {
    KINDS.iter().map(|(name, _)| *name).collect()
}

/// The limit of stages in force where nobody says another.
pub(crate) const STAGES: usize = MAX_STAGES;
