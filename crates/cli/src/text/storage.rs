//! What is to be told of the store, in sentences: that it was restored, came from another machine, or is a newer version's.

use footplate_core::storage::{LostRun, Moved, Restored, StorageView};

use super::{visible, when};

/// Most numbers in a sentence.
const NUMBERS: usize = 10;

/// A line each.
pub(crate) fn remarks(view: &StorageView) -> Vec<String> {
    let newer = view.newer.as_deref().map(visible);
    let moved =
        view.moved.as_ref().map(|moved| format!("{}; footplate adopt goes on with it here", other_machine(moved)));
    let restored = view.restored.as_ref().map(|restored| {
        format!("{}; footplate restore --report tells more, --seen puts this away", in_short(restored))
    });
    newer.into_iter().chain(moved).chain(restored).collect()
}

/// That the data folder came from another machine.
pub(crate) fn other_machine(moved: &Moved) -> String {
    let queues = if moved.queues.is_empty() {
        "its queues stay paused".to_owned()
    } else {
        format!("its queues were paused ({})", moved.queues.join(", "))
    };
    format!("This data folder was used on another machine, where its work may still go on: {queues}")
}

/// A restore, in one sentence.
pub(crate) fn in_short(restored: &Restored) -> String {
    let why = restored.why.as_ref().map(|why| format!(" ({})", visible(why))).unwrap_or_default();
    let from = match restored.backup {
        Some(at) => format!("from the backup of {}", when::moment(at)),
        None => "from what was left of it and the runs' folders".to_owned(),
    };
    let lost = match restored.lost.len() {
        0 => String::new(),
        lost => format!("; {lost} could not be brought back"),
    };
    format!("The store was restored {} {from}{why}{lost}", when::moment(restored.at))
}

/// All that a restore did, a line each.
pub(crate) fn in_full(restored: &Restored) -> String {
    let mut lines = vec![in_short(restored), format!("It has {} runs now", restored.runs)];
    let parts = [
        ("rebuilt from their folders", &restored.rebuilt),
        ("of which their folders knew more than the backup", &restored.updated),
        ("at work, and watched again", &restored.running),
        ("held back until you say so (footplate unpause, footplate start)", &restored.held_back),
    ];
    for (what, numbers) in parts.into_iter().filter(|(_, numbers)| !numbers.is_empty()) {
        lines.push(format!("{what}: {}", listed(numbers)));
    }
    lines.extend(restored.lost.iter().map(|lost| format!("not brought back: {}", one(lost))));
    if restored.backup.is_some() {
        lines.push("What was cancelled or removed after that backup may be there again".to_owned());
    }
    if let Some(kept) = &restored.kept {
        lines.push(format!("the store before is kept as {kept}"));
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn one(lost: &LostRun) -> String {
    let number = lost.number.map(|number| format!("#{number} ")).unwrap_or_default();
    let name = lost.name.as_ref().map(|name| format!("{} ", visible(name))).unwrap_or_default();
    format!("{number}{name}({})", visible(&lost.why))
}

fn listed(numbers: &[i64]) -> String {
    let shown: Vec<String> = numbers.iter().take(NUMBERS).map(|number| format!("#{number}")).collect();
    let more = numbers.len().saturating_sub(NUMBERS);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{rest}", shown.join(", "))
}
