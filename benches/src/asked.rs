//! What a bench is asked for on its command line: switches, and figures by name.

use std::process::ExitCode;

/// What went wrong.
pub type Trouble = Box<dyn std::error::Error + Send + Sync>;

/// The words behind the program's name, all of them known.
#[derive(Debug)]
pub struct Asked {
    words: Vec<String>,
}

impl Asked {
    /// Reads the command line, and measures what it asks for. `--help` prints `usage`; a word that is none of `known` is refused.
    pub fn answer(usage: &str, known: &[&str], measure: impl FnOnce(&Asked) -> Result<(), Trouble>) -> ExitCode {
        let words: Vec<String> = std::env::args().skip(1).collect();
        if words.iter().any(|word| word == "-h" || word == "--help") {
            println!("{usage}");
            return ExitCode::SUCCESS;
        }
        let done = match words.iter().find(|word| !known.contains(&word.as_str())) {
            Some(odd) => Err(format!("{odd} is nothing that can be measured\n\n{usage}").into()),
            None => measure(&Asked { words }),
        };
        match done {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        }
    }

    /// Whether a word was given.
    #[must_use]
    pub fn has(&self, word: &str) -> bool {
        self.words.iter().any(|given| given == word)
    }

    /// Whether a figure is asked for: by its name, or because none is named.
    #[must_use]
    pub fn wants(&self, figure: &str) -> bool {
        self.has(figure) || self.words.iter().all(|word| word.starts_with("--"))
    }
}
