//! Pretend trainings: small scripts that leave a line in a file of their own for each time they really ran.

use std::fs;
use std::path::{Path, PathBuf};

/// A script in a bench, and the file it leaves its lines in.
#[derive(Clone, Debug)]
pub struct Pretend {
    script: PathBuf,
    lines: PathBuf,
    interpreter: &'static str,
}

impl Pretend {
    /// A POSIX shell script: first it appends `start <pid>` to its file, then it does what `body` says, which finds the
    /// file in `$LINES`.
    ///
    /// # Panics
    /// Where it cannot be written.
    #[must_use]
    pub fn sh(folder: &Path, name: &str, body: &str) -> Pretend {
        let pretend = Pretend::at(folder, name, "sh");
        let lines = quoted(&pretend.lines);
        pretend.write(&format!("LINES={lines}\nexport LINES\necho \"start $$\" >> \"$LINES\"\n{body}\n"))
    }

    /// A Python script: first it appends `start <pid>` to its file, then it does what `body` says; `note(text)` appends
    /// another line.
    ///
    /// # Panics
    /// Where it cannot be written.
    #[must_use]
    pub fn python(folder: &Path, name: &str, body: &str) -> Pretend {
        let pretend = Pretend::at(folder, name, "python3");
        let lines = pretend.lines.display().to_string();
        pretend.write(&format!(
            "import os, sys, time\nLINES = {lines:?}\ndef note(text):\n    with open(LINES, 'a') as f:\n        f.write(f'{{text}}\\n')\nnote(f'start {{os.getpid()}}')\n{body}\n"
        ))
    }

    /// A training of so many epochs, each of so many seconds, that prints progress and a falling loss.
    ///
    /// # Panics
    /// Where it cannot be written.
    #[must_use]
    pub fn training(folder: &Path, name: &str, epochs: u32, seconds: f64) -> Pretend {
        let body = format!(
            "epochs = {epochs}\nfor epoch in range(1, epochs + 1):\n    time.sleep({seconds})\n    print('##PROGRESS##{{\"epoch\": %d, \"epochs\": %d, \"progress\": %f, \"metrics\": {{\"loss\": %f}}}}##' % (epoch, epochs, epoch / epochs, 1 / epoch), flush=True)\nnote('end')"
        );
        Pretend::python(folder, name, &body)
    }

    fn at(folder: &Path, name: &str, interpreter: &'static str) -> Pretend {
        Pretend { script: folder.join(name), lines: folder.join(format!("{name}.lines")), interpreter }
    }

    fn write(self, text: &str) -> Pretend {
        let written = fs::write(&self.script, text);
        assert!(written.is_ok(), "{}: {written:?}", self.script.display());
        self
    }

    /// What to write behind `footplate add --`.
    #[must_use]
    pub fn argv(&self) -> Vec<String> {
        vec![self.interpreter.to_owned(), self.script.display().to_string()]
    }

    /// The file its lines are in.
    #[must_use]
    pub fn lines_file(&self) -> &Path {
        &self.lines
    }

    /// The lines it left so far, whole ones only.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let text = fs::read_to_string(&self.lines).unwrap_or_default();
        text.split_inclusive('\n').filter(|line| line.ends_with('\n')).map(|line| line.trim_end().to_owned()).collect()
    }

    /// How often it really started.
    #[must_use]
    pub fn starts(&self) -> usize {
        self.lines().iter().filter(|line| line.starts_with("start ")).count()
    }
}

fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_pretend_training_leaves_a_line_for_each_start() {
        let folder = tempfile::tempdir().unwrap();
        for pretend in [
            Pretend::sh(folder.path(), "a.sh", "echo done >> \"$LINES\"; exit 3"),
            Pretend::training(folder.path(), "b.py", 2, 0.0),
        ] {
            for _ in 0..2 {
                let argv = pretend.argv();
                let output = Command::new(&argv[0]).args(&argv[1..]).output().unwrap();
                assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
            }
            assert_eq!(pretend.starts(), 2);
            assert_eq!(pretend.lines().len(), 4);
        }
    }
}
