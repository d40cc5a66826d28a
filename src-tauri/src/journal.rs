//! What went wrong while nobody looked, in a file: whoever starts the app by a double click sees no terminal. Nothing of runs stands
//! there, their logs are their own; the owner has one too, `owner.log` in the data folder.

use std::panic;

use log::{LevelFilter, error};
use tauri::Wry;
use tauri::plugin::TauriPlugin;
use tauri_plugin_log::{Builder, RotationStrategy, Target, TargetKind};

/// `<name>.log` in the system's folder for an app's logs.
const NAME: &str = "footplate";
/// Bytes; then it is begun anew, and the one before is kept.
const LONGEST: u128 = 512 * 1024;

/// Writes into the file, and to the terminal where there is one. The page has no right to call it.
pub(crate) fn plugin() -> TauriPlugin<Wry> {
    let file = Target::new(TargetKind::LogDir { file_name: Some(NAME.to_owned()) });
    Builder::new()
        .clear_targets()
        .targets([file, Target::new(TargetKind::Stderr)])
        // Of others only what is wrong.
        .level(LevelFilter::Warn)
        .level_for(env!("CARGO_CRATE_NAME"), LevelFilter::Info)
        .max_file_size(LONGEST)
        .rotation_strategy(RotationStrategy::KeepOne)
        .build()
}

/// A thread that panics is written down, too.
pub(crate) fn note_panics() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |told| {
        error!("{told}");
        before(told);
    }));
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use log::{Log, Metadata, Record};

    use super::*;

    struct Kept(Mutex<Vec<String>>);

    impl Log for Kept {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn log(&self, record: &Record<'_>) {
            self.0.lock().unwrap().push(record.args().to_string());
        }

        fn flush(&self) {}
    }

    static KEPT: Kept = Kept(Mutex::new(Vec::new()));

    #[test]
    fn a_panic_is_written_down_with_its_place() {
        log::set_logger(&KEPT).unwrap();
        log::set_max_level(LevelFilter::Info);
        note_panics();
        assert!(std::thread::spawn(|| panic!("a mistake of ours")).join().is_err());
        let told = KEPT.0.lock().unwrap().join("\n");
        assert!(told.contains("a mistake of ours") && told.contains("journal.rs"), "{told}");
    }
}
