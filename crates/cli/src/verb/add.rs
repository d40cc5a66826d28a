//! `footplate add`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use footplate_core::definition::{Definition, Resources, Retries, Stage};
use footplate_core::quantity::{ByteSize, Span};
use footplate_core::view::Submitted;
use footplate_core::{ErrorCode, Fault, UtcMs};
use footplate_engine::client::{Client, Submit};
use footplate_engine::environment::{Captured, secret_argument};

use crate::context::Context;
use crate::input::{at, bounds, commands};
use crate::stop::{Answer, Stop};
use crate::text::visible;
use crate::wish::resolve;

/// Add one command to a queue, as a run of one stage; returns at once with its number
///
/// The program runs with the environment, the working folder, the umask and the limits of this shell. Its arguments reach it as
/// they were typed, byte for byte, and go through no shell.
///
/// footplate add -- python train.py --epochs 30
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Its name [default: the program's]
    #[arg(long, value_name = "N")]
    name: Option<String>,
    /// The queue [default: default]
    #[arg(long, value_name = "Q")]
    queue: Option<String>,
    /// -100 to 100; higher starts first
    #[arg(long, value_name = "N", value_parser = bounds::priority, allow_negative_numbers = true)]
    priority: Option<i32>,
    /// Cores to reserve [default: 1]
    #[arg(long, value_name = "N", value_parser = bounds::cpus, allow_negative_numbers = true)]
    cpus: Option<u32>,
    /// Memory to reserve, for example 8GB
    #[arg(long, value_name = "S", value_parser = bounds::bytes, allow_negative_numbers = true)]
    memory: Option<ByteSize>,
    /// GPUs to reserve
    #[arg(long, value_name = "N", value_parser = bounds::gpus, allow_negative_numbers = true)]
    gpus: Option<u32>,
    /// The working folder [default: this one]
    #[arg(long, value_name = "D")]
    cwd: Option<PathBuf>,
    /// A variable of its environment; without a value: this shell's. May be given several times
    #[arg(long, value_name = "NAME[=V]")]
    env: Vec<OsString>,
    /// Start after this run has ended, however it ends; may be given several times
    #[arg(long, value_name = "RUN")]
    after: Vec<String>,
    /// Start after this run has completed; may be given several times
    #[arg(long, value_name = "RUN")]
    after_ok: Vec<String>,
    /// Not before this time: 23:00, "2026-11-22 23:00", RFC 3339 or +2h
    #[arg(long, value_name = "TIME", value_parser = at::at)]
    at: Option<UtcMs>,
    /// Limit of running time, for example 30m or 24h
    #[arg(long, value_name = "D", value_parser = bounds::span)]
    timeout: Option<Span>,
    /// Try again so often after a failure, 0 to 100
    #[arg(long, value_name = "N", value_parser = bounds::retries, allow_negative_numbers = true)]
    retries: Option<u32>,
    /// A word to find it by; may be given several times
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// Only write it down; `footplate start` starts it
    #[arg(long)]
    draft: bool,
    /// Read commands from stdin, one a line: words as in a shell, or a JSON array; all are added, or none
    #[arg(long, conflicts_with = "command")]
    stdin: bool,
    /// The program and its arguments
    #[arg(last = true, value_name = "PROGRAM ARGS", required_unless_present = "stdin")]
    command: Vec<OsString>,
}

impl Add {
    pub(crate) fn run(&self, context: &Context) -> Answer {
        // What can be refused is, before a data folder is made.
        let argv = if self.stdin { Argv::default() } else { Argv::typed(&self.command)? };
        let cwd = folder(self.cwd.as_deref())?;
        let environment = Arc::new(Captured::current().with(&changes(&self.env)?)?);
        if let Some(at) = self.at.filter(|at| at.0 < footplate_shim::clock::wall_ms()) {
            context.remark(&format!("{} is past: it starts as soon as there is room", crate::text::when::moment(at)));
        }
        if let Some(at) = secret_argument(&argv.text) {
            context.remark(&secret_warning(&format!("argument {at}")));
        }
        let mut client = context.client()?;
        let after = self.after(context, &client)?;
        let submit = |argv: &Argv| self.submit(argv, &cwd, &environment, &after);
        let added = if self.stdin {
            let mut lines =
                Lines { from: BufReader::with_capacity(1 << 16, std::io::stdin()), line: Vec::new(), number: 0 };
            let mut all = std::iter::from_fn(|| lines.next().transpose().map(|argv| Ok(submit(&Argv::text(argv?)))));
            client.submit_batch(&mut all)?
        } else {
            vec![client.submit(submit(&argv))?]
        };
        if added.is_empty() {
            context.remark("no commands on stdin; nothing was added");
        }
        tell(context, &added)?;
        Ok(0)
    }

    fn after(&self, context: &Context, client: &Client) -> Result<Vec<(i64, bool)>, Fault> {
        let any = self.after.iter().map(|text| (text, false));
        let completed = self.after_ok.iter().map(|text| (text, true));
        any.chain(completed).map(|(text, ok)| Ok((resolve(context, client, text)?.number, ok))).collect()
    }

    fn submit(&self, argv: &Argv, cwd: &std::path::Path, environment: &Arc<Captured>, after: &[(i64, bool)]) -> Submit {
        let stage = Stage {
            timeout: self.timeout,
            retries: Retries { max: self.retries.unwrap_or(0), ..Retries::default() },
            resources: Resources {
                cpus: self.cpus.unwrap_or(1),
                memory: self.memory.unwrap_or(ByteSize(0)),
                gpus: self.gpus.unwrap_or(0),
            },
            bytes: argv.bytes.clone(),
            ..Stage::default()
        };
        let definition = footplate_spec::single(argv.text.clone(), stage);
        let mut submit = Submit::new(definition, cwd.to_owned(), Arc::clone(environment));
        submit.name = Some(self.name.clone().unwrap_or_else(|| commands::name_of(&argv.text)));
        submit.queue.clone_from(&self.queue);
        submit.priority = self.priority;
        submit.not_before = self.at;
        submit.after = after.to_vec();
        submit.tags.clone_from(&self.tag);
        submit.draft = self.draft;
        submit
    }
}

/// That something readable looks like a secret.
pub(crate) fn secret_warning(what: &str) -> String {
    format!(
        "{what} looks like a secret: it stays readable in the run's record and in the list of processes; an environment variable is kept apart"
    )
}

/// Says where a pipeline has something readable that looks like a secret.
pub(crate) fn warn_of_secrets(context: &Context, definition: &Definition) {
    for (name, stage) in &definition.stages {
        let line = stage.shell.iter().cloned().chain(stage.env.values().cloned());
        let words: Vec<String> = stage.command.iter().cloned().chain(line).collect();
        if secret_argument(&words).is_some() {
            context.remark(&secret_warning(&format!("a part of stage {}", visible(name))));
        }
    }
}

/// Says what was added: `#142 name`, or the objects.
pub(crate) fn tell(context: &Context, added: &[Submitted]) -> Result<(), Stop> {
    let mut page = String::new();
    for run in added {
        if context.json {
            page.push_str(&serde_json::to_string(run).map_err(std::io::Error::from)?);
            page.push('\n');
        } else {
            page.push_str(&format!("#{} {}\n", run.number, visible(&run.name)));
        }
    }
    context.print(&page)
}

/// The working folder, absolute.
///
/// # Errors
/// `cwd_missing` or `invalid`, with the path.
pub(crate) fn folder(asked: Option<&std::path::Path>) -> Result<PathBuf, Fault> {
    let here = std::env::current_dir();
    let Some(asked) = asked else {
        return here.map_err(|error| {
            Fault::new(ErrorCode::CwdMissing, format!("this shell's working folder is not there any more: {error}"))
                .hint("cd to a folder that exists, or name one with --cwd")
        });
    };
    let path = here.map(|here| here.join(asked)).unwrap_or_else(|_| asked.to_owned());
    match path.metadata() {
        Ok(facts) if facts.is_dir() => Ok(path),
        Ok(_) => Err(Fault::new(ErrorCode::Invalid, format!("--cwd {}: not a folder", asked.display()))),
        Err(error) => Err(Fault::new(ErrorCode::CwdMissing, format!("--cwd {}: {error}", asked.display()))),
    }
}

/// A program and its arguments.
#[derive(Debug, Default)]
pub(crate) struct Argv {
    pub(crate) text: Vec<String>,
    /// The true bytes of those that are no UTF-8.
    pub(crate) bytes: BTreeMap<u32, Vec<u8>>,
}

impl Argv {
    fn text(text: Vec<String>) -> Argv {
        Argv { text, bytes: BTreeMap::new() }
    }

    /// What was typed behind `--`.
    ///
    /// # Errors
    /// `invalid`, naming the argument.
    pub(crate) fn typed(command: &[OsString]) -> Result<Argv, Fault> {
        let mut argv = Argv::text(command.iter().map(|arg| arg.to_string_lossy().into_owned()).collect());
        commands::check_argv(&argv.text)?;
        for (at, arg) in (0..).zip(command) {
            if arg.to_str().is_none() {
                argv.bytes.insert(at, arg.as_bytes().to_vec());
            }
        }
        Ok(argv)
    }
}

pub(crate) type Change = (Vec<u8>, Option<Vec<u8>>);

/// What `--env` asks for.
///
/// # Errors
/// `invalid` for a variable that this shell does not have.
pub(crate) fn changes(asked: &[OsString]) -> Result<Vec<Change>, Fault> {
    let mut changes = Vec::new();
    for text in asked {
        let bytes = text.as_bytes();
        // The first byte is part of the name, so that `=V` is refused as a name and not taken for an empty one.
        match bytes.iter().position(|b| *b == b'=') {
            Some(at) => changes.push((bytes[..at].to_vec(), Some(bytes[at + 1..].to_vec()))),
            None => {
                let value = std::env::var_os(text).ok_or_else(|| {
                    let name = text.to_string_lossy();
                    Fault::new(ErrorCode::Invalid, format!("--env {name}: this shell has no such variable"))
                        .hint(format!("export {name} first, or write --env {name}=VALUE"))
                })?;
                changes.push((bytes.to_vec(), Some(value.into_vec())));
            }
        }
    }
    Ok(changes)
}

/// Commands of stdin. A line is limited, so that a file that is none does not fill the memory.
struct Lines<R> {
    from: R,
    line: Vec<u8>,
    number: u64,
}

const LONGEST_LINE: u64 = 4 << 20;

impl<R: BufRead> Lines<R> {
    fn next(&mut self) -> Result<Option<Vec<String>>, Fault> {
        loop {
            self.line.clear();
            self.number += 1;
            let mut limited = std::io::Read::take(&mut self.from, LONGEST_LINE);
            let read = limited.read_until(b'\n', &mut self.line);
            let read = read.map_err(|error| Fault::new(ErrorCode::Invalid, format!("cannot read stdin: {error}")))?;
            if read == 0 {
                return Ok(None);
            }
            if read as u64 == LONGEST_LINE && self.line.last() != Some(&b'\n') {
                let sentence = format!("line {}: longer than {} bytes", self.number, LONGEST_LINE);
                return Err(Fault::new(ErrorCode::Invalid, sentence));
            }
            if let Some(argv) = commands::parse_line(&self.line, self.number)? {
                return Ok(Some(argv));
            }
        }
    }
}
