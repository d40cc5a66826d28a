//! Commands: what `add` makes a run of, and how `--stdin` reads them, one a line.

use footplate_core::{ErrorCode, Fault};

/// One command of a line: a JSON array of strings, or words quoted as in a shell (nothing is expanded). `Ok(None)`: the
/// line holds nothing, or only a `#` comment.
///
/// # Errors
/// `invalid`, naming the line (from 1).
pub fn parse_line(line: &[u8], number: u64) -> Result<Option<Vec<String>>, Fault> {
    let bad = |why: &str| {
        let shown: String = String::from_utf8_lossy(line).chars().take(80).collect();
        Fault::new(ErrorCode::Invalid, format!("line {number}: {why}: {:?}", shown.trim_end())).hint(
            "write the words as in a shell, python train.py --lr 1e-4, or a JSON array, [\"python\", \"train.py\"]",
        )
    };
    let text = std::str::from_utf8(line)
        .map_err(|_| bad("not UTF-8; such a command can be typed: footplate add -- PROGRAM ARGS"))?
        .trim();
    if text.is_empty() {
        return Ok(None);
    }
    let argv = if text.starts_with('[') {
        serde_json::from_str::<Vec<String>>(text).map_err(|e| bad(&format!("not a JSON array of strings ({e})")))?
    } else {
        match shlex::split(text) {
            Some(words) if words.is_empty() => return Ok(None),
            Some(words) => words,
            None => return Err(bad("a quote is not closed")),
        }
    };
    check_argv(&argv).map_err(|fault| bad(&fault.message))?;
    Ok(Some(argv))
}

/// Refuses what no program can be started with.
///
/// # Errors
/// `invalid`, naming the argument.
pub fn check_argv(argv: &[String]) -> Result<(), Fault> {
    if argv.first().is_none_or(|program| program.trim().is_empty()) {
        return Err(Fault::new(ErrorCode::Invalid, "no program is named").hint("footplate add -- python train.py"));
    }
    for (at, arg) in argv.iter().enumerate() {
        if arg.contains('\0') {
            return Err(Fault::new(
                ErrorCode::Invalid,
                format!("argument {at} holds a NUL character, which no program can be given"),
            ));
        }
    }
    Ok(())
}

/// The name of a run made of a command: the script where an interpreter runs one, else the program.
#[must_use]
pub fn name_of(argv: &[String]) -> String {
    let base = |text: &str| text.rsplit('/').find(|part| !part.is_empty()).unwrap_or(text).to_owned();
    let program = argv.first().map(|p| base(p)).unwrap_or_default();
    let stem = program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    if matches!(
        stem,
        "python" | "pypy" | "node" | "ruby" | "perl" | "Rscript" | "julia" | "bash" | "sh" | "zsh" | "dash"
    ) {
        // The interpreter's own flags stand before the script; code on the command line has no name.
        let mut rest = argv[1..].iter();
        while let Some(arg) = rest.next() {
            match arg.as_str() {
                "-m" => return rest.next().map_or_else(|| limited(&program), |module| limited(module)),
                "-c" | "-e" => break,
                "-W" | "-X" | "-o" => {
                    rest.next();
                }
                flag if flag.starts_with('-') => {}
                script => return limited(&base(script)),
            }
        }
    }
    limited(&program)
}

fn limited(name: &str) -> String {
    let clean: String = name.chars().filter(|c| !c.is_control()).take(200).collect();
    if clean.trim().is_empty() { "command".to_owned() } else { clean }
}
