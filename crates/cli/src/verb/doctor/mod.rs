//! `footplate doctor`.

mod machine;

use clap::Args;
use footplate_core::gpu::Gpu;
use footplate_core::notice::WebhookView;
use footplate_core::{ErrorCode, Fault, UtcMs};
use footplate_engine::client::OwnerState;
use footplate_engine::{Client, Home, VERSION, install};
use serde::Serialize;

use crate::context::Context;
use crate::stop::Answer;
use crate::text::{Colour, storage, table, visible, visible_lines, when};
use crate::verb::webhook;

/// Say what is installed and what is at work, what is wrong, and what to do about it
#[derive(Debug, Args)]
pub(crate) struct Doctor {}

#[derive(Debug, Serialize)]
struct Examination {
    version: String,
    data: Option<Data>,
    store: Option<Store>,
    backups: Option<Backups>,
    owner: Option<Owner>,
    webhook: Option<WebhookView>,
    shim: Option<String>,
    python: Option<machine::Python>,
    machine: machine::Machine,
    login: machine::Login,
    problems: Vec<Problem>,
}

#[derive(Debug, Serialize)]
struct Data {
    path: String,
    filesystem: Option<String>,
    free_bytes: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Store {
    schema: u32,
    sound: bool,
    detail: String,
    bytes: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Backups {
    count: usize,
    newest: Option<UtcMs>,
    bytes: u64,
    /// How much those of the owner may take together.
    room_bytes: Option<u64>,
    /// Damaged stores that were put aside, by name.
    kept: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Owner {
    present: bool,
    pid: Option<i32>,
    version: Option<String>,
    since: Option<UtcMs>,
    orderly: Option<bool>,
}

#[derive(Debug, Serialize)]
struct Problem {
    code: ErrorCode,
    message: String,
    hints: Vec<String>,
    /// Nothing works until it is mended.
    grave: bool,
}

impl Problem {
    fn grave(fault: Fault) -> Problem {
        Problem { code: fault.code, message: fault.message, hints: fault.hints, grave: true }
    }

    fn slight(code: ErrorCode, message: impl Into<String>, hint: impl Into<String>) -> Problem {
        Problem { code, message: message.into(), hints: vec![hint.into()], grave: false }
    }
}

/// Schedules start by an owner, and after a restart of the machine there is none until something starts one.
fn nobody_after_a_restart(client: &Client, problems: &mut Vec<Problem>) {
    let Ok(all) = client.schedules() else { return };
    let count = all.all.iter().filter(|schedule| schedule.enabled).count();
    if count == 0 {
        return;
    }
    let what = if count == 1 { "1 schedule waits".to_owned() } else { format!("{count} schedules wait") };
    let message = format!("after a restart of the machine {what} until somebody looks: nothing is set up at login");
    problems.push(Problem::slight(
        ErrorCode::NotFound,
        message,
        "set it up as shown here under \"To let queued work go on\"",
    ));
}

/// Less than this is soon full.
const LITTLE_ROOM: u64 = 5_000_000_000;

impl Doctor {
    pub(crate) fn run(&self, context: &Context) -> Answer {
        let found = examine(context);
        if context.json {
            context.print_json(&found)?;
        } else {
            context.print(&text(&found, context.colour))?;
        }
        Ok(found.problems.iter().find(|problem| problem.grave).map_or(0, |problem| problem.code.exit_code()))
    }
}

fn examine(context: &Context) -> Examination {
    let mut problems = Vec::new();
    let home = context.home().map_err(|fault| problems.push(Problem::grave(fault))).ok();
    let data = home.as_ref().map(|home| data(home, &mut problems));
    let shim = install::companion("footplate-shim");
    if shim.is_none() {
        let message = "footplate-shim is not beside this executable; nothing can be started without it";
        problems.push(Problem::grave(
            Fault::new(ErrorCode::NotFound, message)
                .hint("install both executables into one folder, or name it in FOOTPLATE_SHIM"),
        ));
    }
    let backups = home.as_ref().map(backups);
    let client = home.and_then(|home| Client::open(home).map_err(|fault| problems.push(Problem::grave(fault))).ok());
    let store = client.as_ref().and_then(|client| store(client, &mut problems));
    let owner = client.as_ref().map(|client| owner(client, &mut problems));
    let login = machine::login(context.named_data_dir().as_deref());
    let webhook = client.as_ref().and_then(|client| messages(client, &mut problems));
    if let Some(client) = &client {
        told(client, &mut problems);
        if !login.installed {
            nobody_after_a_restart(client, &mut problems);
        }
    }
    let python = machine::python();
    let machine = machine::machine();
    silent_gpus(&machine, &mut problems);
    if python.is_none() {
        let hint = "install Python 3, or activate the environment that has it before you add a run";
        problems.push(Problem::slight(ErrorCode::NotFound, "no python3 or python on PATH", hint));
    }
    Examination {
        version: VERSION.to_owned(),
        data,
        store,
        backups,
        owner,
        webhook,
        shim: shim.map(|path| path.display().to_string()),
        python,
        machine,
        login,
        problems,
    }
}

fn data(home: &Home, problems: &mut Vec<Problem>) -> Data {
    let free = machine::free_bytes(home.root());
    if let Some(free) = free.filter(|free| *free < LITTLE_ROOM) {
        let message = format!("{} left on the disk of the data folder", when::size(free));
        problems.push(Problem::slight(
            ErrorCode::DiskFull,
            message,
            "make room, or clean up: footplate clean --older-than 30d --dry-run",
        ));
    }
    Data { path: home.root().display().to_string(), filesystem: machine::filesystem(home.root()), free_bytes: free }
}

fn backups(home: &Home) -> Backups {
    let all = footplate_engine::backup::list(home);
    let names = std::fs::read_dir(home.root()).into_iter().flatten().flatten();
    let mut kept: Vec<String> = names
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.starts_with("state.db.damaged-") && !name.ends_with("-wal"))
        .collect();
    kept.sort();
    let bytes = all.iter().map(|backup| backup.bytes).sum();
    let room_bytes = footplate_engine::backup::room(home, &all);
    Backups { count: all.len(), newest: all.first().map(|backup| backup.at), bytes, room_bytes, kept }
}

/// What is to be told of the store itself.
fn told(client: &Client, problems: &mut Vec<Problem>) {
    let Ok(view) = client.storage() else { return };
    if let Some(newer) = view.newer {
        let fault = Fault::new(ErrorCode::StoreNewer, newer)
            .hint("use the newer version of Footplate, or restore a backup made before it was installed");
        problems.push(Problem::grave(fault));
    }
    if let Some(moved) = &view.moved {
        let hint = "footplate adopt goes on with it here; or leave it, where it goes on over there";
        problems.push(Problem::slight(ErrorCode::Conflict, storage::other_machine(moved), hint));
    }
    if let Some(restored) = &view.restored {
        let hint = "footplate restore --report tells all of it; footplate restore --seen puts this away";
        problems.push(Problem::slight(ErrorCode::StoreDamaged, storage::in_short(restored), hint));
    }
}

fn store(client: &Client, problems: &mut Vec<Problem>) -> Option<Store> {
    match client.check_store() {
        Ok(check) => {
            if !check.sound {
                let fault = Fault::new(ErrorCode::Storage, format!("the store is damaged: {}", check.detail)).hint(
                    "the next `footplate work` looks through it and restores it; footplate restore shows from what",
                );
                problems.push(Problem::grave(fault));
            }
            let bytes = client.home().root().join("state.db").metadata().ok().map(|facts| facts.len());
            Some(Store { schema: check.schema, sound: check.sound, detail: check.detail, bytes })
        }
        Err(fault) => {
            problems.push(Problem::grave(fault));
            None
        }
    }
}

/// Messages that do not arrive tell nobody so.
fn messages(client: &Client, problems: &mut Vec<Problem>) -> Option<WebhookView> {
    let found = client.webhook();
    if let Err(fault) = &found {
        problems.push(Problem { grave: false, ..Problem::grave(fault.clone()) });
    }
    let view = found.ok().flatten()?;
    if let (Some(at), Some(why)) = (view.failed_at, &view.failure) {
        let message = format!("a message to the webhook could not be delivered at {}: {why}", when::moment(at));
        problems.push(Problem::slight(
            ErrorCode::Refused,
            message,
            "footplate webhook test tries it now; footplate webhook set URL names another",
        ));
    }
    Some(view)
}

fn owner(client: &Client, problems: &mut Vec<Problem>) -> Owner {
    match client.owner() {
        OwnerState::Present { pid, version, since } => {
            if !version.is_empty() && version != VERSION {
                let message = format!("the owner at work is version {version}, this is {VERSION}");
                problems.push(Problem::slight(
                    ErrorCode::Conflict,
                    message,
                    "the next wish hands over to this version by itself",
                ));
            }
            Owner {
                present: true,
                pid: (pid > 0).then_some(pid),
                version: Some(version).filter(|version| !version.is_empty()),
                since: Some(since),
                orderly: None,
            }
        }
        OwnerState::Absent { orderly } => {
            if !orderly {
                let log = client.home().owner_log();
                let hint = format!("what is queued goes on with the next command; {} tells more", log.display());
                problems.push(Problem::slight(
                    ErrorCode::Interrupted,
                    "the last owner did not leave in an orderly way",
                    hint,
                ));
            }
            Owner { present: false, pid: None, version: None, since: None, orderly: Some(orderly) }
        }
    }
}

fn text(found: &Examination, colours: bool) -> String {
    let mut lines: Vec<(&str, String)> = vec![("footplate", found.version.clone())];
    if let Some(data) = &found.data {
        let system = data.filesystem.as_ref().map(|system| format!(", {system}")).unwrap_or_default();
        let free = data.free_bytes.map(|free| format!(", {} free", when::size(free))).unwrap_or_default();
        lines.push(("data folder", visible(&format!("{}{system}{free}", data.path))));
    }
    if let Some(store) = &found.store {
        let state = if store.sound { "sound" } else { "damaged" };
        let size = store.bytes.map(|bytes| format!(", {}", when::size(bytes))).unwrap_or_default();
        lines.push(("store", format!("schema {}, {state}{size}", store.schema)));
    }
    if let Some(backups) = &found.backups {
        let room = backups.room_bytes.map(|room| format!(" of {} that they may take", when::size(room)));
        let newest = backups.newest.map(|at| {
            let (count, bytes, room) = (backups.count, when::size(backups.bytes), room.unwrap_or_default());
            format!("{count}, {bytes}{room}, the newest of {}", when::moment(at))
        });
        let kept = if backups.kept.is_empty() { String::new() } else { format!("; kept: {}", backups.kept.join(", ")) };
        lines.push(("backups", format!("{}{kept}", newest.unwrap_or_else(|| "none yet".to_owned()))));
    }
    if let Some(owner) = &found.owner {
        lines.push((
            "owner",
            match (owner.pid, owner.since) {
                (Some(pid), Some(since)) => format!("at work, pid {pid}, since {}", when::moment(since)),
                _ if owner.present => "at work".to_owned(),
                _ => "none; one starts when there is something to do".to_owned(),
            },
        ));
    }
    if let Some(view) = &found.webhook {
        let last = view.delivered_at.map(|at| format!(", last taken {}", when::moment(at))).unwrap_or_default();
        lines.push(("webhook", format!("{}: {}{last}", webhook::to(view), webhook::told(view))));
    }
    lines.push(("shim", found.shim.as_deref().map_or_else(|| "not found".to_owned(), visible)));
    let python = found.python.as_ref().map(|python| format!("{}, {}", visible(&python.version), visible(&python.path)));
    lines.push(("python", python.unwrap_or_else(|| "not found".to_owned())));
    let machine = &found.machine;
    let cores = if machine.cores == 1 { "core" } else { "cores" };
    lines.push(("machine", format!("{} {cores}, {} of memory", machine.cores, when::size(machine.memory_bytes))));
    lines.push(("gpu", gpus(&machine.gpu)));
    let login = if found.login.installed { "goes on by itself after a restart" } else { "not set up" };
    lines.push(("at login", login.to_owned()));
    let mut out = table::pairs(&lines, colours);
    for problem in &found.problems {
        let colour = if problem.grave { Colour::Red } else { Colour::Yellow };
        out.push_str(&format!("\n{}\n", colour.paint(visible_lines(&problem.message, 0).trim_end(), colours)));
        for hint in &problem.hints {
            out.push_str(&visible_lines(hint, 2));
        }
    }
    if !found.login.installed {
        out.push_str("\nTo let queued work go on after a restart of the machine:\n");
        for step in &found.login.steps {
            out.push_str(&visible_lines(step, 2));
        }
    }
    out
}

/// How many there are, and of each model what its driver tells.
fn gpus(all: &[Gpu]) -> String {
    if all.is_empty() {
        return "none found".to_owned();
    }
    let one = |gpu: &Gpu| {
        let memory = gpu.memory_total.map(|bytes| format!(" {}", when::size(bytes))).unwrap_or_default();
        format!("{}{memory}", visible(&gpu.name))
    };
    let driver = all.iter().find_map(|gpu| gpu.driver.as_deref());
    let driver = driver.map(|version| format!("; driver {}", visible(version))).unwrap_or_default();
    format!("{}: {}{driver}", all.len(), all.iter().map(one).collect::<Vec<_>>().join(", "))
}

fn silent_gpus(machine: &machine::Machine, problems: &mut Vec<Problem>) {
    for gpu in machine.gpu.iter().filter(|gpu| gpu.silent) {
        let message = format!("GPU {} does not answer its driver; no stage gets it", gpu.index);
        let hint = "nvidia-smi tells more; after an update of the driver the machine has to be restarted";
        problems.push(Problem::slight(ErrorCode::Conflict, message, hint));
    }
}
