//! The data folder: where everything lies, and whether it can be used.
//!
//! Names come from our own ids, never from user text. Deliberately not here: what the files contain.

use std::fs::{DirBuilder, Metadata, Permissions};
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use footplate_core::{AttemptKey, ErrorCode, Fault, RunId};
use footplate_store::RunRow;

/// The name of the data folder below the platform's folder for such things.
pub const APP_ID: &str = "dev.footplate.desktop";
/// The environment variable that names the data folder.
pub const DATA_VARIABLE: &str = "FOOTPLATE_DATA";

/// A data folder that exists, is ours and private. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    root: PathBuf,
}

impl Home {
    /// The data folder: `arg`, else `FOOTPLATE_DATA`, else the platform's place. Made where it is missing.
    ///
    /// # Errors
    /// As [`Home::at`]; `Invalid` where no place can be found (no `HOME`).
    pub fn locate(arg: Option<&Path>) -> Result<Home, Fault> {
        let from_env = || std::env::var_os(DATA_VARIABLE).filter(|v| !v.is_empty()).map(PathBuf::from);
        match arg.map(Path::to_owned).or_else(from_env) {
            Some(path) => Home::at(&path),
            None => Home::at(&platform_place()?),
        }
    }

    /// The data folder at this place. Made 0700 where it is missing; its path is made canonical.
    ///
    /// # Errors
    /// A sentence each: not a folder, of another user, open to others and not ours, on a network or read-only disk, synced to
    /// a cloud, or what the system says.
    pub fn at(place: &Path) -> Result<Home, Fault> {
        if place.as_os_str().is_empty() {
            return Err(Fault::new(ErrorCode::Invalid, "The data folder's path is empty.")
                .hint(format!("Name a folder with --data-dir or {DATA_VARIABLE}.")));
        }
        make_private(place).map_err(|e| unusable(place, &e))?;
        let root = place.canonicalize().map_err(|e| unusable(place, &e))?;
        let facts = root.metadata().map_err(|e| unusable(&root, &e))?;
        check_owner(&root, &facts)?;
        check_privacy(&root, &facts)?;
        check_disk(&root)?;
        let home = Home { root };
        for folder in [home.attempts(), home.runs(), home.env_dir(), home.secrets_dir(), home.bin_dir()] {
            make_private(&folder).map_err(|e| unusable(&folder, &e))?;
            close(&folder)?;
        }
        Ok(home)
    }

    /// The data folder itself, canonical.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of `state.db`: the root.
    #[must_use]
    pub fn state_dir(&self) -> &Path {
        &self.root
    }

    /// The folder of all attempts.
    #[must_use]
    pub fn attempts(&self) -> PathBuf {
        self.root.join("attempts")
    }

    /// The folder of one run's attempts, `run.json` and `telemetry.db`.
    #[must_use]
    pub fn attempts_of(&self, run: &RunId) -> PathBuf {
        self.attempts().join(run.to_string())
    }

    /// The folder of one attempt.
    #[must_use]
    pub fn attempt(&self, run: &RunId, key: AttemptKey) -> PathBuf {
        self.attempts_of(run).join(key.folder_name())
    }

    /// The definition, parameters and queue of a run, written at its first launch.
    #[must_use]
    pub fn run_json(&self, run: &RunId) -> PathBuf {
        self.attempts_of(run).join("run.json")
    }

    /// The metrics of a run.
    #[must_use]
    pub fn telemetry(&self, run: &RunId) -> PathBuf {
        self.attempts_of(run).join("telemetry.db")
    }

    /// The folder of all `run.dir`s: users' files.
    #[must_use]
    pub fn runs(&self) -> PathBuf {
        self.root.join("runs")
    }

    /// `run.dir` of a run, where no other was chosen. Made by the owner at the first launch.
    #[must_use]
    pub fn run_dir(&self, run: &RunId) -> PathBuf {
        self.runs().join(run.to_string())
    }

    /// The run with its `run.dir` where this data folder has it: it may have been moved or copied since the run was submitted, and what
    /// lies in another one is another's.
    #[must_use]
    pub(crate) fn own(&self, run: RunRow) -> RunRow {
        RunRow { run_dir: self.run_dir(&run.id).into_os_string().into_vec(), ..run }
    }

    /// Captured environments, by the hash of their content.
    #[must_use]
    pub fn env_dir(&self) -> PathBuf {
        self.root.join("env")
    }

    /// The captured environment with this hash.
    #[must_use]
    pub fn env_file(&self, hash: &str) -> PathBuf {
        self.env_dir().join(hash)
    }

    /// Captured secrets, a file a run.
    #[must_use]
    pub fn secrets_dir(&self) -> PathBuf {
        self.root.join("secrets")
    }

    /// Copies of our executables, from which owner and shims run.
    #[must_use]
    pub fn bin_dir(&self) -> PathBuf {
        self.root.join("bin")
    }

    /// The file whose lock makes a process the owner. Guests probe it with a shared try-lock that lasts microseconds, so
    /// whoever wants to own the folder tries for 100 ms before he believes it taken.
    #[must_use]
    pub fn owner_lock(&self) -> PathBuf {
        self.root.join("owner.lock")
    }

    /// What owners print.
    #[must_use]
    pub fn owner_log(&self) -> PathBuf {
        self.root.join("owner.log")
    }

    /// Room that is given up when there is none left.
    #[must_use]
    pub fn ballast(&self) -> PathBuf {
        self.root.join("ballast")
    }

    /// The FIFO on which the owner listens.
    #[must_use]
    pub fn bell(&self) -> PathBuf {
        self.root.join("bell")
    }

    /// The file on which those who look on hold a shared lock.
    #[must_use]
    pub fn presence(&self) -> PathBuf {
        self.root.join("presence")
    }

    /// The file whose lock guards the making of the store.
    #[must_use]
    pub fn schema_lock(&self) -> PathBuf {
        self.root.join("schema.lock")
    }

    /// The file by which a newer owner asks an older one to leave.
    #[must_use]
    pub fn hand_over(&self) -> PathBuf {
        self.root.join("hand_over")
    }

    /// Copies of the store.
    #[must_use]
    pub fn backups(&self) -> PathBuf {
        self.root.join("backups")
    }

    /// The file by which an owner is asked to restore the store.
    #[must_use]
    pub fn mend(&self) -> PathBuf {
        self.root.join("mend")
    }

    /// How far the store had come when an owner last looked.
    #[must_use]
    pub fn mark(&self) -> PathBuf {
        self.root.join("state.mark")
    }

    /// The user's own templates.
    #[must_use]
    pub fn templates(&self) -> PathBuf {
        self.root.join("templates")
    }

    /// Where messages go; its address may be a secret.
    #[must_use]
    pub fn webhook(&self) -> PathBuf {
        self.root.join("webhook.json")
    }

    /// What became of the messages so far.
    #[must_use]
    pub fn webhook_state(&self) -> PathBuf {
        self.root.join("webhook.state")
    }

    /// What the user allowed templates from elsewhere to run: a file each, by the template's name.
    #[must_use]
    pub fn consents(&self) -> PathBuf {
        self.root.join("consents")
    }
}

fn platform_place() -> Result<PathBuf, Fault> {
    let home = std::env::var_os("HOME").filter(|v| !v.is_empty()).map(PathBuf::from);
    let missing = || {
        Fault::new(ErrorCode::Invalid, "There is no place for the data folder: HOME is not set.")
            .hint(format!("Name a folder with --data-dir or {DATA_VARIABLE}."))
    };
    if cfg!(target_os = "macos") {
        return Ok(home.ok_or_else(missing)?.join("Library/Application Support").join(APP_ID));
    }
    // The specification says that a relative XDG path is to be ignored.
    let xdg = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|p| p.is_absolute());
    let base = match xdg {
        Some(base) => base,
        None => home.ok_or_else(missing)?.join(".local/share"),
    };
    Ok(base.join(APP_ID))
}

fn make_private(folder: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => Ok(()),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Err(io::Error::from(io::ErrorKind::NotADirectory)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => DirBuilder::new().mode(0o700).recursive(true).create(folder),
        Err(e) => Err(e),
    }
}

fn unusable(place: &Path, error: &io::Error) -> Fault {
    let shown = place.display();
    let elsewhere = format!("Name another folder with --data-dir or {DATA_VARIABLE}.");
    let message = match error.kind() {
        io::ErrorKind::ReadOnlyFilesystem => format!("The data folder {shown} is on a read-only disk."),
        io::ErrorKind::PermissionDenied => format!("The data folder {shown} may not be written by you."),
        io::ErrorKind::NotADirectory => format!("The data folder's path {shown} is not a folder."),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            return Fault::new(
                ErrorCode::DiskFull,
                format!("There is no room on the disk of the data folder {shown}."),
            )
            .hint("Free some space, then try again.");
        }
        _ => format!("The data folder {shown} cannot be used: {error}."),
    };
    Fault::new(ErrorCode::Storage, message).hint(elsewhere)
}

fn check_owner(root: &Path, facts: &Metadata) -> Result<(), Fault> {
    let us = rustix::process::geteuid().as_raw();
    if facts.uid() == us {
        return Ok(());
    }
    let shown = root.display();
    Err(Fault::new(
        ErrorCode::Storage,
        format!("The data folder {shown} belongs to user {}, not to you ({us}).", facts.uid()),
    )
    .hint(format!("Use a folder of your own: --data-dir or {DATA_VARIABLE}.")))
}

/// A folder of ours that others could read is closed to them; a foreign one with files in it is not touched.
fn check_privacy(root: &Path, facts: &Metadata) -> Result<(), Fault> {
    if facts.mode() & 0o077 == 0 {
        return Ok(());
    }
    let ours = root.join("state.db").exists() || root.join("attempts").is_dir();
    let empty = || std::fs::read_dir(root).is_ok_and(|mut all| all.next().is_none());
    if ours || empty() {
        return std::fs::set_permissions(root, Permissions::from_mode(0o700)).map_err(|e| unusable(root, &e));
    }
    let shown = root.display();
    Err(Fault::new(
        ErrorCode::Refused,
        format!(
            "{shown} is not a data folder of Footplate: it holds other files and is open to other users (mode {:o}).",
            facts.mode() & 0o777
        ),
    )
    .hint(format!("Name an empty folder, for example --data-dir {shown}/footplate.")))
}

/// A folder of the data folder that others could read is closed to them; one that leads to another user's is refused.
fn close(folder: &Path) -> Result<(), Fault> {
    let facts = folder.metadata().map_err(|e| unusable(folder, &e))?;
    check_owner(folder, &facts)?;
    if facts.mode() & 0o077 == 0 {
        return Ok(());
    }
    std::fs::set_permissions(folder, Permissions::from_mode(0o700)).map_err(|e| unusable(folder, &e))
}

fn check_disk(root: &Path) -> Result<(), Fault> {
    let shown = root.display();
    if let Some(kind) = network_disk(root) {
        return Err(Fault::new(
            ErrorCode::Storage,
            format!(
                "The data folder {shown} is on a network disk ({kind}), where locks and the store cannot be trusted."
            ),
        )
        .hint(format!(
            "Use a folder on a local disk: --data-dir or {DATA_VARIABLE}. Your own files may stay where they are."
        )));
    }
    if let Some(service) = cloud_service(root) {
        return Err(Fault::new(
            ErrorCode::Storage,
            format!("The data folder {shown} is synced by {service}, which would tear the store while it is written."),
        )
        .hint(format!("Use a folder that is not synced: --data-dir or {DATA_VARIABLE}.")));
    }
    rustix::fs::access(root, rustix::fs::Access::WRITE_OK).map_err(|e| unusable(root, &e.into()))
}

#[cfg(target_os = "linux")]
fn network_disk(root: &Path) -> Option<&'static str> {
    // Magic numbers: statfs(2), linux/magic.h.
    let facts = rustix::fs::statfs(root).ok()?;
    match u32::try_from(facts.f_type & 0xffff_ffff).ok()? {
        0x6969 => Some("NFS"),
        0x517b | 0xff53_4d42 | 0xfe53_4d42 => Some("SMB"),
        0x5346_414f | 0x6b41_4653 => Some("AFS"),
        0x00c3_6400 => Some("Ceph"),
        0x0bd0_0bd0 => Some("Lustre"),
        0x6573_5546 => network_fuse(root),
        _ => None,
    }
}

/// FUSE carries local disks (NTFS) as well as network ones; the mount's type tells which.
#[cfg(target_os = "linux")]
fn network_fuse(root: &Path) -> Option<&'static str> {
    let device = root.metadata().ok()?.dev();
    let ours = format!("{}:{}", rustix::fs::major(device), rustix::fs::minor(device));
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").ok()?;
    let line = mounts.lines().find(|line| line.split(' ').nth(2) == Some(ours.as_str()))?;
    let kind = line.split(" - ").nth(1)?.split(' ').next()?;
    ["sshfs", "rclone", "s3fs", "gcsfuse", "davfs", "glusterfs", "juicefs"]
        .into_iter()
        .find(|network| kind.strip_prefix("fuse.").is_some_and(|rest| rest.contains(network)))
}

#[cfg(target_os = "macos")]
fn network_disk(root: &Path) -> Option<&'static str> {
    const MNT_LOCAL: u32 = 0x1000;
    let facts = rustix::fs::statfs(root).ok()?;
    (facts.f_flags & MNT_LOCAL == 0).then_some("a remote volume")
}

fn cloud_service(root: &Path) -> Option<&'static str> {
    root.components().find_map(|part| match part.as_os_str().to_str()? {
        "Dropbox" => Some("Dropbox"),
        "OneDrive" => Some("OneDrive"),
        "Google Drive" | "GoogleDrive" => Some("Google Drive"),
        "Mobile Documents" => Some("iCloud"),
        "CloudStorage" => Some("a cloud service"),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_folder_is_private_and_an_open_one_of_ours_is_closed() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("deep/er/data");
        let home = Home::at(&root).unwrap();
        let mode = |p: &Path| p.metadata().unwrap().mode() & 0o777;
        for folder in [home.root(), &home.secrets_dir(), &home.env_dir(), &home.attempts()] {
            assert_eq!(mode(folder), 0o700, "{}", folder.display());
        }
        std::fs::set_permissions(&root, Permissions::from_mode(0o755)).unwrap();
        assert_eq!(Home::at(&root).unwrap(), home);
        assert_eq!(mode(&root), 0o700);
    }

    #[test]
    fn what_cannot_be_a_data_folder_gets_a_sentence() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("file");
        std::fs::write(&file, "x").unwrap();
        assert!(Home::at(&file).unwrap_err().message.contains("is not a folder"));
        assert!(Home::at(&file.join("below")).unwrap_err().message.contains("is not a folder"));
        assert!(Home::at(Path::new("")).unwrap_err().message.contains("empty"));
        let shared = place.path().join("shared");
        std::fs::create_dir(&shared).unwrap();
        std::fs::write(shared.join("thesis.tex"), "x").unwrap();
        std::fs::set_permissions(&shared, Permissions::from_mode(0o755)).unwrap();
        let refused = Home::at(&shared).unwrap_err();
        assert_eq!(refused.code, ErrorCode::Refused);
        assert_eq!(shared.metadata().unwrap().mode() & 0o777, 0o755, "a foreign folder was changed");
        let synced = Home::at(&place.path().join("Dropbox/footplate")).unwrap_err();
        assert!(synced.message.contains("synced by Dropbox"), "{}", synced.message);
    }

    #[test]
    fn a_folder_of_another_user_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("theirs");
        std::fs::create_dir(&root).unwrap();
        // Only root can give a folder away; as another user there is nothing to show here.
        if std::os::unix::fs::chown(&root, Some(12345), None).is_ok() {
            let refused = Home::at(&root).unwrap_err();
            assert!(refused.message.contains("belongs to user 12345"), "{}", refused.message);
        }
    }
}
