//! From a queued stage to an attempt that is on disk: what is run is made here, in the transaction; folder and shim come after the commit.

use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use footplate_core::definition::SaveSignal;
use footplate_core::state::stage::StageInput;
use footplate_core::{AttemptKey, AttemptStatus, ErrorCode, StageKey};
use footplate_shim::clock;
use footplate_shim::contract::{OsBytes, Spec, VERSION};
use footplate_shim::folder::AttemptDir;
use footplate_store::Tx;
use footplate_store::{AttemptRow, StageChange};
use indexmap::IndexMap;
use rustix::process::Signal;
use serde_json::Value;

use super::Trouble;
use super::active::ActiveRun;
use super::effects::{Effect, Launch};
use super::gpus::{Pool, VISIBLE};
use super::live::Live;
use super::mind::Mind;
use super::reach::{Reach, There};
use super::resume;
use crate::attempt;
use crate::home::Home;
use crate::install::{Installed, companion};
use crate::secrets::Secrets;
use crate::templates::consent;

/// How many shims may come and go without a claim before a launch is given up.
pub(super) const SHIMS_PER_ATTEMPT: u32 = 3;

/// Where an attempt's GPUs come from.
enum Hand<'a> {
    /// Out of those that are free.
    New(&'a Pool),
    /// They are held already.
    Kept(&'a [String]),
}

/// The GPUs of a stage that wants some were had by somebody after all.
struct NoGpu;

/// Why a stage cannot be launched.
struct Refusal {
    code: ErrorCode,
    text: String,
    /// Something outside may change it.
    held: bool,
}

impl Mind {
    /// Starts all that may start now.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn start_stages(&mut self, tx: &Tx<'_>) -> Result<(), Trouble> {
        self.weigh_gpus();
        while let Some(key) = self.backlog.next(self.now) {
            self.launch(tx, key)?;
        }
        self.weigh_gpus();
        Ok(())
    }

    fn launch(&mut self, tx: &Tx<'_>, key: StageKey) -> Result<(), Trouble> {
        footplate_shim::failpoint::hit("launch-before-commit");
        let home = self.home.clone();
        let installed = self.installed.clone();
        let now = self.now;
        let run = self.run(tx, key.run)?;
        let attempt = run.rows[key.stage as usize].attempt + 1;
        // A stage's own earliest moment is known from its definition only.
        let entry = super::mind::entry(run, key);
        if entry.not_before.is_some_and(|at| at > now) {
            self.backlog.ended(key);
            self.backlog.push(entry);
            return Ok(());
        }
        // Nothing outside the data folder is touched before its disk has answered.
        let reach = Rc::clone(&self.reach);
        if let Some(refusal) = outside(self.run(tx, key.run)?, key).iter().find_map(|place| silent(&reach, place)) {
            return self.refuse(tx, key, refusal);
        }
        // Where it writes its checkpoints is known from its definition, too. Two stages never write to the same folder at the same time.
        let folder = self.folder_of(tx, key)?;
        if let Some((_, Some(holder))) = &folder {
            self.backlog.stand_behind(entry, *holder);
            return Ok(());
        }
        if let Some(refusal) = folder.as_ref().and_then(|(folder, _)| silent(&reach, folder)) {
            return self.refuse(tx, key, refusal);
        }
        let pool = self.gpu_pool();
        let run = self.run(tx, key.run)?;
        let key3 = AttemptKey { run: key.run, stage: key.stage, attempt };
        match make(run, &home, &installed, &reach, key3, &Hand::New(&pool)) {
            Ok(Err(NoGpu)) => {
                self.backlog.ended(key);
                self.backlog.push(entry);
                self.doubt_gpus();
                Ok(())
            }
            Err(refusal) => self.refuse(tx, key, refusal),
            Ok(Ok((spec, secrets))) => {
                let run_id = run.row.id;
                let boot = spec.boot_id.clone();
                let gpus = spec.gpus.clone();
                let row = launching(key3, run.row.generation, boot.clone(), gpus.clone(), self.now.0);
                tx.insert_attempt(&row, self.now.0)?;
                self.move_stage(tx, key, StageInput::Launched { attempt }, |c| c)?;
                self.keep_later(tx, key, false)?;
                self.folders.extend(folder.map(|(folder, _)| (key, folder)));
                let dir = AttemptDir::open(self.home.attempt(&run_id, key3));
                self.live.insert(key3, Live { gpus, ..Live::new(key3, run_id, dir, boot) });
                self.effects.push(Effect::Launch(Box::new(Launch { key: key3, spec, secrets })));
                Ok(())
            }
        }
    }

    /// Holds a stage that cannot be launched, or ends it.
    fn refuse(&mut self, tx: &Tx<'_>, key: StageKey, refusal: Refusal) -> Result<(), Trouble> {
        self.backlog.ended(key);
        let input = if refusal.held { StageInput::Hold(refusal.code) } else { StageInput::Unmakeable(refusal.code) };
        self.move_stage(tx, key, input, |c| StageChange { detail: Some(refusal.text), ..c })?;
        self.propagate(tx, key.run, &[key.stage])
    }

    /// Makes the launch of an attempt again whose row was committed by an owner that died before its folder was built.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn relaunch(&mut self, tx: &Tx<'_>, key: AttemptKey) -> Result<Option<Launch>, Trouble> {
        let home = self.home.clone();
        let installed = self.installed.clone();
        let reach = Rc::clone(&self.reach);
        let gpus = self.live.get(&key).map(|live| live.gpus.clone()).unwrap_or_default();
        let run = self.run(tx, key.run)?;
        let made = make(run, &home, &installed, &reach, key, &Hand::Kept(&gpus)).ok().and_then(Result::ok);
        Ok(made.map(|(spec, secrets)| Launch { key, spec, secrets }))
    }
}

fn launching(key: AttemptKey, generation: u32, boot_id: String, gpus: Vec<String>, now: i64) -> AttemptRow {
    AttemptRow {
        run: key.run,
        stage: key.stage,
        number: key.attempt,
        generation,
        status: AttemptStatus::Launching,
        code: None,
        boot_id,
        created_at: now,
        pid: None,
        started_at: None,
        finished_at: None,
        running_ms: None,
        exit_code: None,
        signal: None,
        paused: false,
        orphan: false,
        note: None,
        error: None,
        log_size: None,
        log_read_to: None,
        spawned: 0,
        gpus,
        usage: None,
    }
}

/// The places outside the data folder that the launch of a stage touches, as far as they are known before it is rendered.
fn outside(run: &ActiveRun, key: StageKey) -> Vec<PathBuf> {
    // A typed command's pipeline is made up: no folder of its own.
    let pipeline = (!run.stage(key.stage).literal).then_some(&run.row.pipeline_dir);
    let mut places: Vec<PathBuf> = std::iter::once(&run.row.cwd).chain(pipeline).map(|v| path(v)).collect();
    places.dedup();
    places
}

/// Why a stage that needs this place has to wait: its disk does not answer.
fn silent(reach: &Reach, place: &Path) -> Option<Refusal> {
    (reach.look(place) == There::Silent).then(|| unanswered(place))
}

fn unanswered(place: &Path) -> Refusal {
    let text = format!("the disk that {} lies on does not answer", place.display());
    Refusal { code: ErrorCode::DiskSilent, text, held: true }
}

fn path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(std::ffi::OsString::from_vec(bytes.to_vec()))
}

fn make(
    run: &ActiveRun,
    home: &Home,
    installed: &Installed,
    reach: &Reach,
    key: AttemptKey,
    hand: &Hand<'_>,
) -> Result<Result<(Spec, Secrets), NoGpu>, Refusal> {
    let stage = run.stage(key.stage);
    let row = &run.rows[key.stage as usize];
    // A command that was typed is consent; what a template says was allowed as it was then.
    if !stage.literal {
        consent::required_again(home, &path(&run.row.pipeline_dir)).map_err(|fault| Refusal {
            code: fault.code,
            text: fault.message,
            held: true,
        })?;
    }
    let mut secrets = read_secrets(run, home)?;
    let texts = secret_texts(&secrets);
    let resume_from =
        resume::point(run, home, key, &texts).map_err(|(code, text)| Refusal { code, text, held: false })?;
    let resume_text = resume_from.as_ref().map(|p| p.to_string_lossy().into_owned());
    let rendered = run
        .with_scope(home, &texts, key.stage, key.attempt, resume_text.as_deref(), |scope| {
            footplate_spec::render(&row.name, stage, scope)
        })
        .map_err(|e| Refusal { code: e.code, text: e.to_string(), held: false })?;
    for name in &stage.secrets {
        if !secrets.env.iter().any(|(n, _)| n.0 == name.as_bytes()) && !has_variable(run, home, name) {
            let text = format!("the secret {name} is not there: it was not in the environment that submitted the run");
            return Err(Refusal { code: ErrorCode::SecretMissing, text, held: true });
        }
    }
    let submitted = path(&run.row.cwd);
    let cwd = rendered.cwd.as_ref().map_or_else(|| submitted.clone(), |c| submitted.join(c));
    // The run's own folder is made with the attempt's.
    match reach.look(&cwd) {
        There::Silent => return Err(unanswered(&cwd)),
        There::NoFolder if cwd != path(&run.row.run_dir) => {
            let text = format!("its working folder {} is not there", cwd.display());
            return Err(Refusal { code: ErrorCode::CwdMissing, text, held: true });
        }
        There::Closed => {
            let text = format!("its working folder {} cannot be entered: permission denied", cwd.display());
            return Err(Refusal { code: ErrorCode::CwdMissing, text, held: true });
        }
        There::NoFolder | There::Folder => {}
    }
    let mut argv: Vec<OsBytes> = rendered.argv.iter().map(|a| OsBytes::from(a.as_str())).collect();
    for (at, bytes) in &stage.bytes {
        if let Some(argument) = argv.get_mut(*at as usize) {
            *argument = OsBytes(bytes.clone());
        }
    }
    if let Some(path) = rendered.argv.first().and_then(|name| companion(name)) {
        argv[0] = OsBytes::from(path);
    }
    let mut env: Vec<(OsBytes, OsBytes)> = vec![("FOOTPLATE_DATA".into(), OsBytes::from(home.root()))];
    // What the stage sets goes over what was captured, secret or not; what is made of a secret is handed over like one.
    let sets = |name: &OsBytes| {
        let own = rendered.env.iter().chain(&rendered.secret_env);
        own.into_iter().any(|(own, _)| own.as_bytes() == name.0)
    };
    secrets.env.retain(|(name, _)| !sets(name));
    let made = rendered.secret_env.iter().map(|(n, v)| (OsBytes::from(n.as_str()), OsBytes::from(v.as_str())));
    secrets.env.extend(made);
    env.extend(rendered.env.iter().map(|(n, v)| (OsBytes::from(n.as_str()), OsBytes::from(v.as_str()))));
    let chosen = chosen_gpus(run, home, &env, &secrets);
    let gpus = match hand {
        _ if row.gpus == 0 => Vec::new(),
        Hand::Kept(gpus) => gpus.to_vec(),
        Hand::New(pool) => match pool.assign(row.gpus, chosen.as_deref()) {
            Some(gpus) => gpus,
            None => return Ok(Err(NoGpu)),
        },
    };
    if chosen.is_none() && !gpus.is_empty() && gpus.iter().all(|id| id.starts_with("GPU-")) {
        env.push((VISIBLE.into(), OsBytes::from(gpus.join(",").as_str())));
    }
    let owner_argv = ["--data-dir", "", "work", "--until-idle", "--no-wait"];
    let owner_argv = std::iter::once(OsBytes::from(installed.footplate.as_path()))
        .chain(owner_argv.iter().map(|a| if a.is_empty() { OsBytes::from(home.root()) } else { OsBytes::from(*a) }))
        .collect();
    let spec = Spec {
        version: VERSION,
        run_id: run.row.id.to_string(),
        run_number: key.run,
        stage: row.name.clone(),
        stage_index: key.stage,
        attempt: key.attempt,
        argv,
        cwd: OsBytes::from(cwd),
        env_file: run.row.env_hash.as_ref().map(|hash| home.env_file(hash)),
        env,
        env_remove: Vec::new(),
        secrets: !secrets.env.is_empty(),
        umask: Some(run.row.umask),
        limits: serde_json::from_str(&run.row.limits).unwrap_or_default(),
        run_dir: path(&run.row.run_dir),
        timeout_ms: stage.timeout.map(|t| t.0),
        grace_ms: stage.grace_ms(),
        save_signal: stage.checkpoints.as_ref().and_then(|checkpoints| checkpoints.signal).map(save_signal),
        save_ms: stage.save_ms(),
        wait_group: stage.wait_group,
        log_cap: test_size("FOOTPLATE_TEST_LOG_CAP").unwrap_or(2 << 30),
        segment: test_size("FOOTPLATE_TEST_SEGMENT").unwrap_or(64 << 20),
        mark: attempt::mark(&run.row.id, key),
        boot_id: clock::boot_id().to_owned(),
        bell: home.bell(),
        owner_lock: home.owner_lock(),
        bin_dir: home.bin_dir(),
        owner_argv,
        gpus,
    };
    Ok(Ok((spec, secrets)))
}

fn save_signal(signal: SaveSignal) -> i32 {
    let signal = match signal {
        SaveSignal::Usr1 => Signal::USR1,
        SaveSignal::Usr2 => Signal::USR2,
        SaveSignal::Hup => Signal::HUP,
        SaveSignal::Int => Signal::INT,
    };
    signal.as_raw()
}

/// Smaller logs for tests.
fn test_size(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Secret parameters as they stand in commands.
fn secret_texts(secrets: &Secrets) -> IndexMap<String, String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    secrets.params.iter().map(|(name, value)| (name.clone(), text(value))).collect()
}

/// The secret parameters of a run; none where they cannot be read.
pub(super) fn secrets_of(run: &ActiveRun, home: &Home) -> IndexMap<String, String> {
    read_secrets(run, home).map(|secrets| secret_texts(&secrets)).unwrap_or_default()
}

fn read_secrets(run: &ActiveRun, home: &Home) -> Result<Secrets, Refusal> {
    let Some(name) = &run.row.secrets else { return Ok(Secrets::default()) };
    Secrets::read(home, name).map_err(|e| Refusal {
        code: ErrorCode::SecretMissing,
        text: format!("the secrets captured with this run cannot be read: {e}"),
        held: true,
    })
}

fn has_variable(run: &ActiveRun, home: &Home, name: &str) -> bool {
    captured(run, home, name).is_some()
}

/// A variable of the environment that the run was submitted from.
fn captured(run: &ActiveRun, home: &Home, name: &str) -> Option<Vec<u8>> {
    let content = std::fs::read(home.env_file(run.row.env_hash.as_ref()?)).ok()?;
    let value = |pair: &[u8]| pair.strip_prefix(name.as_bytes())?.strip_prefix(b"=").map(<[u8]>::to_vec);
    content.split(|b| *b == 0).find_map(value)
}

/// What the user set [`VISIBLE`] to, in the stage, as a secret, or in the shell that submitted the run. That is what counts.
fn chosen_gpus(run: &ActiveRun, home: &Home, env: &[(OsBytes, OsBytes)], secrets: &Secrets) -> Option<String> {
    let set = secrets.env.iter().chain(env.iter().rev()).find(|(name, _)| name.0 == VISIBLE.as_bytes());
    let value = set.map(|(_, value)| value.0.clone()).or_else(|| captured(run, home, VISIBLE));
    value.map(|value| String::from_utf8_lossy(&value).into_owned())
}
