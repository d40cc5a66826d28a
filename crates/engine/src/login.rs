//! The environment of a login shell, for doors that are not opened from one: an app that was started by a double-click
//! knows nothing of what `~/.profile` and `~/.zshrc` set.

use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use crate::environment::{Bytes, Captured, check_name};

/// Written around what the shell knows, for its start-up files may print things of their own.
const MARK: &str = "8f3c41d2-footplate-environment";
/// Most that is read of what it prints, bytes.
const MOST: u64 = 4 << 20;

/// Starts the user's login shell, and reads its environment. Where that takes longer than `limit` or does not work, that
/// of this process.
#[must_use]
pub fn environment(limit: Duration) -> Captured {
    ask(limit).map_or_else(Captured::current, Captured::from_pairs)
}

fn ask(limit: Duration) -> Option<Vec<(Bytes, Bytes)>> {
    let shell = std::env::var_os("SHELL").filter(|shell| shell.as_bytes().first() == Some(&b'/'))?;
    let script = format!("printf %s {MARK}; env -0 2>/dev/null || env; printf %s {MARK}");
    let mut child = Command::new(shell)
        .args(["-i", "-l", "-c", &script])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        // A group of its own: whatever it started is ended with it.
        .process_group(0)
        .spawn()
        .ok()?;
    let out = child.stdout.take()?;
    let group = rustix::process::Pid::from_child(&child);
    let (tell, told) = channel();
    let reader = move || {
        let mut bytes = Vec::new();
        let read = out.take(MOST).read_to_end(&mut bytes);
        // Nobody listens any more where it took too long.
        let _ = tell.send(read.map(|_| bytes));
    };
    std::thread::Builder::new().name("login shell".into()).spawn(reader).ok()?;
    let bytes = told.recv_timeout(limit);
    // Gone already, as a rule.
    let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    let _ = child.wait();
    parse(&bytes.ok()?.ok()?)
}

fn parse(bytes: &[u8]) -> Option<Vec<(Bytes, Bytes)>> {
    let find = |from: usize| {
        let mark = MARK.as_bytes();
        bytes.get(from..)?.windows(mark.len()).position(|window| window == mark).map(|at| from + at)
    };
    let start = find(0)? + MARK.len();
    let block = &bytes[start..find(start)?];
    let end = if block.contains(&0) { 0 } else { b'\n' };
    let mut all = Vec::new();
    for entry in block.split(|b| *b == end) {
        let Some(at) = entry.iter().position(|b| *b == b'=') else { continue };
        let (name, value) = (&entry[..at], &entry[at + 1..]);
        // Without NULs a second line of a value cannot be told from a variable; a name with odd characters is none.
        let plain = name.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_');
        if check_name(name).is_ok() && (end == 0 || plain) {
            all.push((name.to_vec(), value.to_vec()));
        }
    }
    all.iter().any(|(name, _)| name == b"PATH").then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_start_up_files_print_is_passed_over() {
        let text = format!("hello A=1\n{MARK}PATH=/bin\0TWO=a\nb\0=x\0{MARK}bye");
        let all = parse(text.as_bytes()).unwrap();
        assert_eq!(all, [(b"PATH".to_vec(), b"/bin".to_vec()), (b"TWO".to_vec(), b"a\nb".to_vec())]);
        let lines = format!("{MARK}PATH=/bin\nTWO=a\nb c=d\n{MARK}");
        assert_eq!(parse(lines.as_bytes()).unwrap().len(), 2);
        assert_eq!(parse(MARK.as_bytes()), None);
        assert_eq!(parse(format!("{MARK}A=1{MARK}").as_bytes()), None);
    }
}
