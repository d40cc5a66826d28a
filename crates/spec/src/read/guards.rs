//! What watches over a stage: rules on its metrics, and which of its checkpoints stay.

use footplate_core::alert::{AlertAction, AlertRule, AlertWhen, Better};
use footplate_core::definition::{Checkpoints, SaveSignal};

use super::{CHECKPOINTS, Reader};
use crate::source::{Entry, Node};

const ALERT: &[&str] = &["metric", "when", "value", "for", "mode", "action"];
const CONDITIONS: &[(&str, AlertWhen)] = &[
    ("nan", AlertWhen::Nan),
    ("above", AlertWhen::Above),
    ("below", AlertWhen::Below),
    ("no_improvement", AlertWhen::NoImprovement),
];
const MODES: &[(&str, Better)] = &[("min", Better::Min), ("max", Better::Max)];
const SIGNALS: &[(&str, SaveSignal)] =
    &[("USR1", SaveSignal::Usr1), ("USR2", SaveSignal::Usr2), ("HUP", SaveSignal::Hup), ("INT", SaveSignal::Int)];
pub(super) const ACTIONS: &[(&str, AlertAction)] = &[("notify", AlertAction::Notify), ("stop", AlertAction::Stop)];
/// More points than any rule or list needs.
const COUNT_MOST: i64 = 1_000_000;

impl Reader {
    pub(super) fn alerts(&mut self, node: &Node) -> Vec<AlertRule> {
        self.list(node, Reader::alert)
    }

    fn alert(&mut self, node: &Node) -> Option<AlertRule> {
        let entries = self.table(node)?;
        let before = self.found.len();
        self.known(entries, ALERT, &[], "an alert");
        let (mut metric, mut when, mut value, mut points) = (None, None, None, None);
        let (mut mode, mut action) = (Better::default(), AlertAction::default());
        for entry in entries {
            self.path.push(entry.key.clone());
            let node = &entry.node;
            match entry.key.as_str() {
                "metric" => metric = self.text(node),
                "when" => when = self.choice(node, CONDITIONS),
                "value" => value = self.number(node),
                "for" => points = self.whole(node, 1, COUNT_MOST).map(|n| n as u32),
                "mode" => mode = self.choice(node, MODES).unwrap_or_default(),
                "action" => action = self.choice(node, ACTIONS).unwrap_or_default(),
                _ => {}
            }
            self.path.pop();
        }
        for (key, example) in [("metric", "metric = \"loss\""), ("when", "when = \"nan\"")] {
            // A key that was mistyped is told already.
            if self.found.len() == before && !entries.iter().any(|entry| entry.key == key) {
                let message = format!("an alert needs \"{key}\"");
                self.fault_hint(node.at, "missing_key", message, &format!("write for example {example}"));
            }
        }
        Some(AlertRule { metric: metric?, when: when?, value, points, mode, action })
    }

    pub(super) fn checkpoints(&mut self, entry: &Entry) -> Option<Checkpoints> {
        let entries = self.table(&entry.node)?;
        self.known(entries, CHECKPOINTS, &[], "checkpoints");
        if !entries.iter().any(|entry| entry.key == "files") {
            let hint = "write checkpoints = { files = \"{{ run.dir }}/ckpt/*.safetensors\" }";
            self.fault_hint(entry.at, "missing_key", "\"files\" is missing in checkpoints".to_owned(), hint);
            return None;
        }
        let mut files = None;
        let mut out = Checkpoints { files: String::new(), ..Checkpoints::default() };
        for entry in entries {
            self.path.push(entry.key.clone());
            let node = &entry.node;
            match entry.key.as_str() {
                "files" => files = self.text(node),
                "signal" => out.signal = self.choice(node, SIGNALS),
                "wait" => out.wait = self.quantity(node, "\"60s\""),
                "metric" => out.metric = self.text(node),
                "mode" => out.mode = self.choice(node, MODES).unwrap_or_default(),
                "keep_best" => out.keep_best = self.whole(node, 0, COUNT_MOST).map(|n| n as u32),
                "keep_last" => out.keep_last = self.whole(node, 0, COUNT_MOST).map(|n| n as u32),
                _ => {}
            }
            self.path.pop();
        }
        files.map(|files| Checkpoints { files, ..out })
    }
}
