//! The command line's grammar: global options and the verbs. What a verb takes stands in its own file.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser, Subcommand};
use footplate_core::{ErrorCode, Fault};
use footplate_engine::client;

use crate::context::Context;
use crate::stop::{self, Answer, Stop};
use crate::verb::{
    add, adopt, alerts, backup, cancel, checkpoints, clean, compare, completions, disk, doctor, gpus, list, logs, man,
    metrics, r#move, pause, plan, queue, rename, report, restore, resume, retry, rm, run, schedule, set, show, start,
    sweep, tag, template, unpause, usage as used, wait, watch, webhook, work,
};

/// Queue, run and watch model training on your own machine.
///
/// A run is one execution of a pipeline, or of one command; people call it by its number, #142. It keeps going when this
/// terminal, and everything else but the machine, does not.
#[derive(Debug, Parser)]
#[command(name = "footplate", version, arg_required_else_help = true, after_help = EXIT_CODES, max_term_width = 100)]
struct Cli {
    /// Where everything is kept [default: $FOOTPLATE_DATA, or the platform's folder for applications]
    #[arg(long, global = true, value_name = "DIR", help_heading = EVERYWHERE)]
    data_dir: Option<PathBuf>,
    /// Answer with JSON, for programs
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    json: bool,
    #[command(subcommand)]
    verb: Verb,
}

/// The heading of the options that every verb has.
const EVERYWHERE: &str = "Options of every verb";

const EXIT_CODES: &str = "Exit codes: 0 done, 1 the run failed, 2 usage, 3 invalid or ambiguous input, 4 not found, 5 conflict, \
6 refused by policy, 7 another process holds the store, 8 storage, 130 cancelled or interrupted";

#[derive(Debug, Subcommand)]
enum Verb {
    Run(run::Run),
    Add(add::Add),
    Sweep(sweep::Sweep),
    Plan(plan::Plan),
    #[command(visible_alias = "ls")]
    List(list::List),
    Show(show::Show),
    Watch(watch::Watch),
    Wait(wait::Wait),
    Report(report::Report),
    #[command(visible_alias = "log")]
    Logs(logs::Logs),
    Metrics(metrics::Metrics),
    Compare(compare::Compare),
    Usage(used::Usage),
    Checkpoints(checkpoints::Checkpoints),
    Alerts(alerts::Alerts),
    Cancel(cancel::Cancel),
    Pause(pause::Pause),
    Unpause(unpause::Unpause),
    Retry(retry::Retry),
    Resume(resume::Resume),
    Start(start::Start),
    Set(set::Set),
    Move(r#move::Move),
    Rename(rename::Rename),
    Tag(tag::Tag),
    Rm(rm::Rm),
    Queue(queue::Queue),
    Schedule(schedule::Schedule),
    Disk(disk::Disk),
    Gpus(gpus::Gpus),
    Webhook(webhook::Webhook),
    Template(template::Template),
    Work(work::Work),
    Clean(clean::Clean),
    Doctor(doctor::Doctor),
    Backup(backup::Backup),
    Restore(restore::Restore),
    Adopt(adopt::Adopt),
    Completions(completions::Completions),
    Man(man::Man),
}

/// The grammar, for help, completions and tests.
#[must_use]
pub fn command() -> clap::Command {
    Cli::command()
}

/// Parses, runs, tells; returns the exit code.
pub(crate) fn run(args: impl Iterator<Item = OsString>) -> u8 {
    let args: Vec<OsString> = args.collect();
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(error) => return usage(&with_tip(error, &args), &args),
    };
    let context = Context::new(cli.data_dir, cli.json);
    match dispatch(&cli.verb, &context) {
        Ok(code) => code,
        Err(Stop::NoReader) => 0,
        Err(Stop::Fault(fault)) => {
            let fault = mended(fault, &context);
            stop::tell(&fault, context.json);
            fault.code.exit_code()
        }
    }
}

/// Has a store that showed damage looked through, and restored where that is needed, and says so.
fn mended(fault: Fault, context: &Context) -> Fault {
    if fault.code != ErrorCode::StoreDamaged {
        return fault;
    }
    match context.home().and_then(|home| client::heal(&home, &fault.message)) {
        Ok(()) => Fault { hints: Vec::new(), ..fault }
            .hint("it was looked through by an owner, and restored where that was needed: run this command again")
            .hint("footplate doctor tells what was restored"),
        Err(other) => other,
    }
}

fn dispatch(verb: &Verb, context: &Context) -> Answer {
    match verb {
        Verb::Run(verb) => verb.run(context),
        Verb::Add(verb) => verb.run(context),
        Verb::Sweep(verb) => verb.run(context),
        Verb::Plan(verb) => verb.run(context),
        Verb::List(verb) => verb.run(context),
        Verb::Show(verb) => verb.run(context),
        Verb::Watch(verb) => verb.run(context),
        Verb::Wait(verb) => verb.run(context),
        Verb::Report(verb) => verb.run(context),
        Verb::Logs(verb) => verb.run(context),
        Verb::Metrics(verb) => verb.run(context),
        Verb::Compare(verb) => verb.run(context),
        Verb::Usage(verb) => verb.run(context),
        Verb::Checkpoints(verb) => verb.run(context),
        Verb::Alerts(verb) => verb.run(context),
        Verb::Cancel(verb) => verb.run(context),
        Verb::Pause(verb) => verb.run(context),
        Verb::Unpause(verb) => verb.run(context),
        Verb::Retry(verb) => verb.run(context),
        Verb::Resume(verb) => verb.run(context),
        Verb::Start(verb) => verb.run(context),
        Verb::Set(verb) => verb.run(context),
        Verb::Move(verb) => verb.run(context),
        Verb::Rename(verb) => verb.run(context),
        Verb::Tag(verb) => verb.run(context),
        Verb::Rm(verb) => verb.run(context),
        Verb::Queue(verb) => verb.run(context),
        Verb::Schedule(verb) => verb.run(context),
        Verb::Disk(verb) => verb.run(context),
        Verb::Gpus(verb) => verb.run(context),
        Verb::Webhook(verb) => verb.run(context),
        Verb::Template(verb) => verb.run(context),
        Verb::Work(verb) => verb.run(context),
        Verb::Clean(verb) => verb.run(context),
        Verb::Doctor(verb) => verb.run(context),
        Verb::Backup(verb) => verb.run(context),
        Verb::Restore(verb) => verb.run(context),
        Verb::Adopt(verb) => verb.run(context),
        Verb::Completions(verb) => verb.run(context, command()),
        Verb::Man(verb) => verb.run(context, command()),
    }
}

/// `footplate add python train.py` lacks its `--`: says so with what was typed.
fn with_tip(mut error: clap::Error, args: &[OsString]) -> clap::Error {
    let Some(verb) = args.iter().position(|arg| arg == "add") else { return error };
    let Some(ContextValue::String(unknown)) = error.get(ContextKind::InvalidArg) else { return error };
    let Some(at) = args.iter().skip(verb + 1).position(|arg| arg == unknown.as_str()) else { return error };
    if error.kind() != ErrorKind::UnknownArgument || unknown.starts_with('-') {
        return error;
    }
    let typed = |args: &[OsString]| -> String {
        args.iter().map(|arg| show::quoted(&arg.to_string_lossy())).collect::<Vec<_>>().join(" ")
    };
    let (options, command) = args[verb + 1..].split_at(at);
    let before = if options.is_empty() { String::new() } else { format!("{} ", typed(options)) };
    let tip = format!("write -- before the program: footplate add {before}-- {}", typed(command));
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    error
}

/// Shows help, the version or what was wrong with the arguments.
fn usage(error: &clap::Error, args: &[OsString]) -> u8 {
    // Where nobody reads, nobody can be told.
    let _ = error.print();
    if !error.use_stderr() {
        return 0;
    }
    let json = args.iter().take_while(|arg| *arg != "--").any(|arg| arg == "--json");
    if json && error.kind() != ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let text = error.render().to_string();
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let message = lines.next().unwrap_or("wrong arguments").trim_start_matches("error: ").to_owned();
        let mut fault = Fault::new(ErrorCode::Usage, message);
        fault.hints = lines.map(str::to_owned).collect();
        let _ = writeln!(std::io::stderr().lock(), "{}", stop::as_json(&fault));
    }
    ErrorCode::Usage.exit_code()
}
