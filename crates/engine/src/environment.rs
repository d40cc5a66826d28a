//! The environment a program runs with: that of the shell that submitted it, as bytes, with umask and limits.
//!
//! What belongs to the terminal is left out. What looks like a secret, by its name or by its form, is kept apart
//! ([`crate::secrets`]); the rest is stored once by the hash of its content. Deliberately not here: variables that
//! a stage or the shim adds.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::sync::LazyLock;

use footplate_core::{ErrorCode, Fault};
use regex::bytes::Regex;
use sha2::{Digest, Sha256};

use crate::home::Home;

/// A variable's name or value, as the system knows it.
pub type Bytes = Vec<u8>;

/// A captured environment. Capture it once and share it between the runs of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captured {
    plain: BTreeMap<Bytes, Bytes>,
    secrets: BTreeMap<Bytes, Bytes>,
    umask: u32,
    limits: Vec<(String, u64, u64)>,
    hash: String,
}

impl Captured {
    /// The environment, umask and limits of this process.
    #[must_use]
    pub fn current() -> Captured {
        let all = std::env::vars_os().map(|(name, value)| (OsString::into_vec(name), OsString::into_vec(value)));
        Captured::new(all, umask(), limits())
    }

    /// An environment from elsewhere (a login shell, a test), with the umask and limits of this process.
    #[must_use]
    pub fn from_pairs(all: impl IntoIterator<Item = (Bytes, Bytes)>) -> Captured {
        Captured::new(all, umask(), limits())
    }

    /// One that was captured before, with what was captured beside it.
    pub(crate) fn restored(
        all: impl IntoIterator<Item = (Bytes, Bytes)>,
        umask: u32,
        limits: Vec<(String, u64, u64)>,
    ) -> Captured {
        Captured::new(all, umask, limits)
    }

    fn new(all: impl IntoIterator<Item = (Bytes, Bytes)>, umask: u32, limits: Vec<(String, u64, u64)>) -> Captured {
        let (mut plain, mut secrets) = (BTreeMap::new(), BTreeMap::new());
        for (name, value) in all {
            if name.is_empty() || name.contains(&b'=') || belongs_to_the_terminal(&name) {
                continue;
            }
            let part = if is_secret(&name, &value) { &mut secrets } else { &mut plain };
            part.insert(name, value);
        }
        let hash = hash(&block(&plain));
        Captured { plain, secrets, umask, limits, hash }
    }

    /// The same with variables set (`Some`) or taken away (`None`), as `--env NAME=V` asks.
    ///
    /// # Errors
    /// `Invalid`, naming it, for a name that is empty or has `=` or NUL, and a value with NUL.
    pub fn with(&self, changes: &[(Bytes, Option<Bytes>)]) -> Result<Captured, Fault> {
        let mut all: BTreeMap<Bytes, Bytes> =
            self.plain.iter().chain(&self.secrets).map(|(n, v)| (n.clone(), v.clone())).collect();
        for (name, value) in changes {
            check_name(name)?;
            match value {
                Some(value) if value.contains(&0) => {
                    let name = String::from_utf8_lossy(name);
                    return Err(Fault::new(ErrorCode::Invalid, format!("The value of {name} has a NUL byte in it."))
                        .hint("Values of the environment cannot hold NUL."));
                }
                Some(value) => all.insert(name.clone(), value.clone()),
                None => all.remove(name),
            };
        }
        Ok(Captured::new(all, self.umask, self.limits.clone()))
    }

    /// A variable's value, secret or not.
    #[must_use]
    pub fn get(&self, name: &[u8]) -> Option<&[u8]> {
        self.plain.get(name).or_else(|| self.secrets.get(name)).map(Vec::as_slice)
    }

    /// The secrets, by name.
    #[must_use]
    pub fn secrets(&self) -> &BTreeMap<Bytes, Bytes> {
        &self.secrets
    }

    /// The hash of all but the secrets: the name of its file in `env/`.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The file mode creation mask.
    #[must_use]
    pub fn umask(&self) -> u32 {
        self.umask
    }

    /// Resource limits: name as in `getrlimit(2)` without `RLIMIT_`, in lower case; soft and hard, `u64::MAX` for none.
    #[must_use]
    pub fn limits(&self) -> &[(String, u64, u64)] {
        &self.limits
    }

    /// The bytes that `execve` counts for it: each variable with `=`, NUL and its pointer.
    #[must_use]
    pub fn size(&self) -> usize {
        self.plain.iter().chain(&self.secrets).map(|(n, v)| n.len() + v.len() + 2 + size_of::<usize>()).sum()
    }

    /// Writes `env/<hash>` (0600, NUL-separated `NAME=VALUE`) unless it is there; on disk when this returns.
    ///
    /// # Errors
    /// What the system says.
    pub fn store(&self, home: &Home) -> io::Result<()> {
        let path = home.env_file(&self.hash);
        let block = block(&self.plain);
        if path.metadata().is_ok_and(|facts| facts.len() == block.len() as u64) {
            return Ok(());
        }
        crate::private::write_private(&path, &block)?;
        crate::private::sync_folder(&home.env_dir())
    }
}

/// Reads a file of `env/`: the variables, in the order of their names.
///
/// # Errors
/// What the system says.
pub fn read(path: &Path) -> io::Result<Vec<(Bytes, Bytes)>> {
    let bytes = std::fs::read(path)?;
    let entries = bytes.split(|b| *b == 0).filter(|entry| !entry.is_empty());
    Ok(entries
        .map(|entry| match entry.iter().position(|b| *b == b'=') {
            Some(at) => (entry[..at].to_vec(), entry[at + 1..].to_vec()),
            None => (entry.to_vec(), Vec::new()),
        })
        .collect())
}

/// Checks the name of a variable.
///
/// # Errors
/// `Invalid` where it is empty or has `=` or NUL, saying so.
pub fn check_name(name: &[u8]) -> Result<(), Fault> {
    let shown = String::from_utf8_lossy(name);
    let fault = |what: &str| {
        Err(Fault::new(ErrorCode::Invalid, format!("{shown:?} cannot be the name of an environment variable: {what}."))
            .hint("Write for example OMP_NUM_THREADS."))
    };
    if name.is_empty() {
        fault("it is empty")
    } else if name.contains(&b'=') {
        fault("it has \"=\" in it")
    } else if name.contains(&0) {
        fault("it has a NUL byte in it")
    } else {
        Ok(())
    }
}

fn block(all: &BTreeMap<Bytes, Bytes>) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in all {
        block.extend_from_slice(name);
        block.push(b'=');
        block.extend_from_slice(value);
        block.push(0);
    }
    block
}

fn hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Bytes as lower-case hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// 5-doors lists them.
fn belongs_to_the_terminal(name: &[u8]) -> bool {
    const NAMES: [&[u8]; 10] = [
        b"_",
        b"SHLVL",
        b"OLDPWD",
        b"WINDOWID",
        b"SSH_CONNECTION",
        b"SSH_CLIENT",
        b"SSH_TTY",
        b"INVOCATION_ID",
        b"NOTIFY_SOCKET",
        b"JOURNAL_STREAM",
    ];
    NAMES.contains(&name) || name.starts_with(b"TMUX") || name.starts_with(b"FOOTPLATE_")
}

/// Whether a variable looks like a secret. It is told too often rather than too seldom: a secret reaches the program all
/// the same, it is only kept apart.
#[must_use]
pub fn is_secret(name: &[u8], value: &[u8]) -> bool {
    !value.is_empty() && (secret_by_name(name) || secret_by_form(value))
}

fn secret_by_name(name: &[u8]) -> bool {
    const PARTS: [&str; 13] = [
        "TOKEN",
        "SECRET",
        "PASSWORD",
        "PASSWD",
        "PASSPHRASE",
        "CREDENTIAL",
        "APIKEY",
        "PRIVATEKEY",
        "ACCESSKEY",
        "AUTHKEY",
        "COOKIE",
        "WEBHOOK",
        "BEARER",
    ];
    const WORDS: [&str; 8] = ["KEY", "KEYS", "PASS", "PAT", "PW", "AUTH", "DSN", "JWT"];
    let upper = String::from_utf8_lossy(name).to_ascii_uppercase();
    let joined: String = upper.chars().filter(char::is_ascii_alphanumeric).collect();
    if upper == "SSH_AUTH_SOCK" || upper == "XAUTHORITY" {
        return false;
    }
    PARTS.iter().any(|part| joined.contains(part)) || upper.split(['_', '-', '.']).any(|word| WORDS.contains(&word))
}

/// The place of the first argument that looks like a secret: by its form, or after an option such as `--api-key`. It is told more seldom
/// than of variables, for people are warned of it, and training has `--tokenizer` and hashes of its own.
#[must_use]
pub fn secret_argument(argv: &[String]) -> Option<usize> {
    const NAMES: [&str; 9] =
        ["token", "secret", "password", "passwd", "passphrase", "apikey", "accesskey", "authkey", "privatekey"];
    let names_one = |option: &str| {
        let joined: String = option.chars().filter(char::is_ascii_alphanumeric).collect();
        NAMES.iter().any(|name| joined.to_ascii_lowercase().ends_with(name))
    };
    let is_one = |text: &str| {
        let word = text.len() >= 12 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+=_-.".contains(&b));
        word && text.bytes().any(|b| b.is_ascii_digit()) && text.bytes().any(|b| b.is_ascii_alphabetic())
    };
    argv.iter().enumerate().position(|(at, argument)| {
        let before = at.checked_sub(1).map(|before| argv[before].as_str());
        let after_option = before.is_some_and(|option| option.starts_with('-') && names_one(option));
        let with_option = argument.split_once('=').filter(|(name, _)| names_one(name)).map(|(_, value)| value);
        let by_form = FORMS.as_ref().is_some_and(|forms| forms.is_match(argument.as_bytes()));
        by_form || (after_option && is_one(argument)) || with_option.is_some_and(is_one)
    })
}

static FORMS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let forms = [
        // URLs with a user or a password in them.
        r"[A-Za-z][A-Za-z0-9+.-]*://[^/\s@:]*:[^/\s@]+@",
        r"https?://[^/\s@]+@",
        // Keys in PEM, JSON web tokens, headers.
        r"-----BEGIN [A-Z ]*PRIVATE KEY",
        r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}",
        r"(?i)\b(bearer|basic|token) +[A-Za-z0-9._~+/=-]{12,}",
        // The prefixes by which services mark their tokens.
        r"\b(sk|pk|rk)[-_](live|test|proj|ant|or)?[-_]?[A-Za-z0-9_-]{16,}",
        r"\bhf_[A-Za-z0-9]{16,}",
        r"\b(ghp|gho|ghu|ghs|ghr)_[A-Za-z0-9]{20,}",
        r"\bgithub_pat_[A-Za-z0-9_]{20,}",
        r"\bglpat-[A-Za-z0-9_-]{16,}",
        r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}",
        r"\b(AKIA|ASIA|AGPA|AIDA|AROA)[A-Z0-9]{16}\b",
        r"\bAIza[A-Za-z0-9_-]{30,}",
        r"\bya29\.[A-Za-z0-9_-]{20,}",
        r"\b(npm|pypi|dckr_pat|nvapi|r8|gsk|shpat|dop_v1|tskey|lin_api|figd)[-_][A-Za-z0-9_-]{16,}",
        r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
        r"(?i)\b(password|passwd|pwd|secret|token|api_?key|access_?key|sig)=[^\s&;]{4,}",
    ];
    // The forms are constants; a test compiles them.
    Regex::new(&format!("(?-u)(?:{})", forms.join(")|(?:"))).ok()
});

fn secret_by_form(value: &[u8]) -> bool {
    FORMS.as_ref().is_none_or(|forms| forms.is_match(value)) || is_random(value)
}

/// One word of 32 or more characters that looks drawn by chance: a key without a mark of its own.
fn is_random(value: &[u8]) -> bool {
    if value.len() < 32
        || value.len() > 512
        || !value.iter().all(|b| b.is_ascii_alphanumeric() || b"+/=_-.".contains(b))
    {
        return false;
    }
    // Paths and lists of words have separators with words between them; keys have digits all over.
    let digits = value.iter().filter(|b| b.is_ascii_digit()).count();
    let slashes = value.iter().filter(|b| **b == b'/').count();
    let mut counts = [0_u32; 256];
    for byte in value {
        counts[usize::from(*byte)] += 1;
    }
    let length = value.len() as f64;
    let entropy: f64 = counts.iter().filter(|c| **c > 0).map(|c| f64::from(*c) / length).map(|p| -p * p.log2()).sum();
    value[0] != b'/' && slashes * 16 <= value.len() && digits * 10 >= value.len() && entropy >= 3.0
}

fn umask() -> u32 {
    // Linux tells it without changing it; elsewhere there is only the old way.
    let told = std::fs::read_to_string("/proc/self/status").ok().and_then(|status| {
        let line = status.lines().find_map(|line| line.strip_prefix("Umask:"))?;
        u32::from_str_radix(line.trim(), 8).ok()
    });
    told.unwrap_or_else(|| {
        let old = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
        rustix::process::umask(old);
        wide(old.as_raw_mode())
    })
}

#[cfg_attr(target_os = "linux", expect(clippy::useless_conversion, reason = "a mode has 16 bits on macOS and 32 here"))]
fn wide(mode: rustix::fs::RawMode) -> u32 {
    u32::from(mode)
}

fn limits() -> Vec<(String, u64, u64)> {
    use rustix::process::{Resource, getrlimit};
    let wanted = [
        ("nofile", Resource::Nofile),
        ("nproc", Resource::Nproc),
        ("stack", Resource::Stack),
        ("core", Resource::Core),
        ("as", Resource::As),
        ("data", Resource::Data),
        ("fsize", Resource::Fsize),
        ("cpu", Resource::Cpu),
        ("memlock", Resource::Memlock),
        ("rss", Resource::Rss),
    ];
    wanted
        .into_iter()
        .map(|(name, which)| {
            let limit = getrlimit(which);
            (name.to_owned(), limit.current.unwrap_or(u64::MAX), limit.maximum.unwrap_or(u64::MAX))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured(pairs: &[(&str, &str)]) -> Captured {
        Captured::from_pairs(pairs.iter().map(|(n, v)| (n.as_bytes().to_vec(), v.as_bytes().to_vec())))
    }

    #[test]
    fn the_forms_compile() {
        assert!(FORMS.is_some());
    }

    #[test]
    fn what_is_a_secret_and_what_is_not() {
        for (name, value) in [
            ("HF_TOKEN", "x"),
            ("WANDB_API_KEY", "x"),
            ("AWS_SECRET_ACCESS_KEY", "x"),
            ("PGPASSWORD", "x"),
            ("my_password", "x"),
            ("DB_PASS", "x"),
            ("REMOTE", "https://u:hunter2@example.com/x"),
            ("DATABASE_URL", "postgres://app:s3cret@localhost/db"),
            ("REMOTE2", "https://ghtok@example.com/x"),
            ("HUB", "hf_abcdefghijklmnopqrstuvwx"),
            ("OPEN", "sk-proj-abcdefghij0123456789"),
            ("AWS", "AKIAIOSFODNN7EXAMPLE"),
            ("WANDB", "0123456789abcdef0123456789abcdef01234567"),
            ("CONN", "Server=db;Password=hunter22;"),
            ("HEADER", "Authorization: Bearer abcdefghijklmnop"),
            ("PEM", "-----BEGIN OPENSSH PRIVATE KEY-----\nabc"),
            ("JWTISH", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc"),
        ] {
            assert!(is_secret(name.as_bytes(), value.as_bytes()), "{name}={value}");
        }
        for (name, value) in [
            ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"),
            ("HOME", "/home/ada"),
            ("VIRTUAL_ENV", "/home/ada/projects/2024-11-21/venv3.12"),
            ("LANG", "en_GB.UTF-8"),
            ("KEYBOARD_LAYOUT", "de"),
            ("MONKEY", "banana"),
            ("SSH_AUTH_SOCK", "/tmp/ssh-XXXX/agent.12"),
            ("EMPTY_TOKEN", ""),
            ("HTTP_PROXY", "http://proxy.example.com:3128"),
            ("CONDA_PREFIX", "/opt/conda/envs/train-a-very-long-name-of-an-environment"),
            ("LS_COLORS", "rs=0:di=01;34:ln=01;36:mh=00:pi=40;33:so=01;35"),
            ("MODEL", "sentence-transformers/all-MiniLM-L6-v2"),
        ] {
            assert!(!is_secret(name.as_bytes(), value.as_bytes()), "{name}={value}");
        }
    }

    #[test]
    fn the_terminal_is_left_out_and_the_hash_knows_neither_order_nor_secrets() {
        let one = captured(&[("A", "1"), ("B", "2"), ("TMUX_PANE", "%1"), ("SHLVL", "2"), ("FOOTPLATE_MARK", "m")]);
        let two = captured(&[("B", "2"), ("A", "1"), ("HF_TOKEN", "x")]);
        assert_eq!(one.hash(), two.hash());
        assert_eq!(one.get(b"TMUX_PANE"), None);
        assert_eq!(one.get(b"FOOTPLATE_MARK"), None);
        assert_eq!(two.get(b"HF_TOKEN"), Some(&b"x"[..]));
        assert_ne!(one.hash(), captured(&[("A", "1"), ("B", "3")]).hash());
    }

    #[test]
    fn changes_are_checked_and_sorted_into_their_part() {
        let base = captured(&[("A", "1"), ("B", "2")]);
        let set = |n: &str, v: Option<&str>| (n.as_bytes().to_vec(), v.map(|v| v.as_bytes().to_vec()));
        let next = base.with(&[set("A", None), set("HF_TOKEN", Some("t"))]).unwrap();
        assert_eq!(next.get(b"A"), None);
        assert_eq!(next.secrets().len(), 1);
        for bad in [set("A=B", Some("x")), set("", Some("x")), set("A\0", Some("x")), set("A", Some("x\0"))] {
            assert_eq!(base.with(&[bad]).unwrap_err().code, ErrorCode::Invalid);
        }
    }

    #[test]
    fn bytes_that_are_no_text_survive_the_file() {
        let place = tempfile::tempdir().unwrap();
        let home = Home::at(place.path()).unwrap();
        let odd = Captured::from_pairs([(b"ODD".to_vec(), vec![0xff, b'=', b'\n']), (b"E".to_vec(), vec![])]);
        odd.store(&home).unwrap();
        odd.store(&home).unwrap();
        let back = read(&home.env_file(odd.hash())).unwrap();
        assert_eq!(back, vec![(b"E".to_vec(), vec![]), (b"ODD".to_vec(), vec![0xff, b'=', b'\n'])]);
    }
}
