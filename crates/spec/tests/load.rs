//! Files and folders as people name them.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::path::PathBuf;

use footplate_core::ErrorCode;
use footplate_spec::load;

const GOOD: &str = "format = 1\nname = \"x\"\n[stages.a]\ncommand = [\"true\"]\n";

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("footplate-load-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Folder(fs::canonicalize(path).unwrap())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_file_or_its_folder_is_loaded_with_the_folder() {
    let folder = Folder::new("good");
    fs::write(folder.0.join("footplate.toml"), GOOD).unwrap();
    let json = r#"{"format": 1, "name": "y", "stages": {"a": {"shell": "true"}}}"#;
    fs::write(folder.0.join("other.JSON"), json).unwrap();
    for (path, name) in [("", "x"), ("footplate.toml", "x"), ("other.JSON", "y")] {
        let (definition, dir) = load(&folder.0.join(path)).unwrap();
        assert_eq!((definition.name.as_str(), &dir), (name, &folder.0));
    }
}

#[test]
fn what_cannot_be_loaded_says_why_under_a_code() {
    let folder = Folder::new("bad");
    fs::write(folder.0.join("digits.toml"), "format = 1\nname = \"x\"\nqeue = 3\n").unwrap();
    fs::write(folder.0.join("train.py"), "").unwrap();
    let fault = |name: &str| load(&folder.0.join(name)).unwrap_err().fault();
    let missing = fault("digit.toml");
    assert_eq!(missing.code, ErrorCode::NotFound);
    assert!(missing.hints[0].contains("digits.toml"), "{missing:?}");
    let empty = fault("");
    assert_eq!(empty.code, ErrorCode::NotFound);
    assert!(empty.message.ends_with("has no footplate.toml"), "{empty:?}");
    let program = fault("train.py");
    assert_eq!(program.code, ErrorCode::Invalid);
    assert!(program.hints[0].contains("footplate add"), "{program:?}");
    let wrong = fault("digits.toml");
    assert_eq!(wrong.code, ErrorCode::InvalidPipeline);
    let file = folder.0.join("digits.toml");
    let lines: Vec<&str> = wrong.message.lines().collect();
    assert_eq!(lines[0], format!("{}:1:1: \"stages\" is missing", file.display()));
    assert_eq!(lines[1], format!("{}:3:1: a pipeline has no key \"qeue\"", file.display()));
    assert_eq!(wrong.hints[1], "did you mean \"queue\"?");
}
