//! The attempt's folder: its paths, and the atomic steps on it.
//!
//! Deliberately not here: which step comes when. The shim's order stands in its executable, the owner's in the engine.

use crate::contract::{Act, Adopted, Command, Exit, SETTLED, Spec, Start, Swept};
use crate::log::{LogRead, LogReader};
use rustix::fs::{FlockOperation, Mode, OFlags};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// What the link `claim` says where the owner gave the attempt up ...
const VOID: &str = "void";
/// ... and what it begins with where a shim has it.
const RUN: &str = "run ";

/// The folder of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptDir {
    path: PathBuf,
}

/// Who may run the attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Nobody has claimed it yet.
    None,
    /// This shim, and no other, ever. The id is empty where the claim could not be read.
    Run(String),
    /// The owner gave it up: nobody.
    Void,
}

/// What is known of the program's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExitRecord {
    /// The gate never opened (or the folder is gone).
    Missing,
    /// The gate may have opened; no record, or a damaged one.
    Blank,
    /// The record.
    Valid(Box<Exit>),
}

/// Holds the attempt's lock until dropped.
#[derive(Debug)]
pub struct LockGuard {
    file: File,
}

impl LockGuard {
    /// The descriptor that carries the lock.
    pub fn file(&self) -> &File {
        &self.file
    }
}

impl AttemptDir {
    /// Builds the folder `name` in `parent`: under a temporary name, files 0600, then renamed. One that an earlier try
    /// of the same attempt left is taken as it is.
    ///
    /// # Errors
    /// What the system says.
    pub fn build(parent: &Path, name: &str, spec: &Spec) -> io::Result<Self> {
        let path = parent.join(name);
        if path.join("spec.json").exists() {
            return Ok(Self { path });
        }
        let mut folder = std::fs::DirBuilder::new();
        folder.mode(0o700);
        let draft = parent.join(format!(".new.{name}.{}", std::process::id()));
        match folder.create(&draft) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                std::fs::DirBuilder::new().mode(0o700).recursive(true).create(parent)?;
                folder.create(&draft)?;
            }
            // A dead process with our pid left it half built.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                std::fs::remove_dir_all(&draft)?;
                folder.create(&draft)?;
            }
            Err(error) => return Err(error),
        }
        let built = Self::fill(&draft, spec).and_then(|()| match std::fs::rename(&draft, &path) {
            // Another owner, an earlier one, was here between our look and our rename.
            Err(_) if path.join("spec.json").exists() => {
                let _ = std::fs::remove_dir_all(&draft);
                Ok(())
            }
            other => other,
        });
        match built {
            Ok(()) => Ok(Self { path }),
            Err(error) => {
                let _ = std::fs::remove_dir_all(&draft);
                Err(error)
            }
        }
    }

    fn fill(draft: &Path, spec: &Spec) -> io::Result<()> {
        let text = serde_json::to_vec(spec)?;
        create_new(&draft.join("spec.json"))?.write_all(&text)?;
        crate::os::make_fifo(&draft.join("out.fifo"))?;
        crate::os::make_fifo(&draft.join("ctl"))
    }

    /// The folder at this path, which may or may not be there.
    pub fn open(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the folder is there, built.
    pub fn exists(&self) -> bool {
        self.spec_path().exists()
    }

    /// `spec.json`.
    pub fn spec_path(&self) -> PathBuf {
        self.path.join("spec.json")
    }

    /// `output`, which the program writes.
    pub fn output_path(&self) -> PathBuf {
        self.path.join("output")
    }

    /// `out.fifo`, which the program writes to and the shim reads.
    pub fn fifo_path(&self) -> PathBuf {
        self.path.join("out.fifo")
    }

    /// `ctl`, which the owner writes to and the shim reads.
    pub fn ctl_path(&self) -> PathBuf {
        self.path.join("ctl")
    }

    /// `acts.log`.
    pub fn acts_path(&self) -> PathBuf {
        self.path.join("acts.log")
    }

    /// `lock`.
    pub fn lock_path(&self) -> PathBuf {
        self.path.join("lock")
    }

    /// `claim`, a symbolic link.
    pub fn claim_path(&self) -> PathBuf {
        self.path.join("claim")
    }

    /// `log.idx`.
    pub fn index_path(&self) -> PathBuf {
        self.path.join("log.idx")
    }

    /// The segment that starts at this offset.
    pub fn segment_path(&self, start: u64) -> PathBuf {
        self.path.join(format!("log.{start}"))
    }

    /// Reads `spec.json`.
    ///
    /// # Errors
    /// What the system says; `InvalidData` when it cannot be understood.
    pub fn spec(&self) -> io::Result<Spec> {
        let text = std::fs::read(self.spec_path())?;
        serde_json::from_slice(&text).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }

    /// Who claimed the attempt. Unreadable counts as [`Claim::Run`]: better to wait for nobody than to run it twice.
    ///
    /// # Errors
    /// What the system says, except that there is no claim.
    pub fn claim(&self) -> io::Result<Claim> {
        match std::fs::read_link(self.claim_path()) {
            Ok(to) if to == Path::new(VOID) => Ok(Claim::Void),
            Ok(to) => {
                Ok(Claim::Run(to.to_str().and_then(|text| text.strip_prefix(RUN)).unwrap_or_default().to_owned()))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Claim::None),
            // There, and no link: not ours, and no leave to run.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(Claim::Run(String::new())),
            Err(error) => Err(error),
        }
    }

    /// Claims the attempt for this shim. `false`: it was claimed or made void before.
    ///
    /// # Errors
    /// What the system says.
    pub fn try_claim_run(&self, shim_id: &str) -> io::Result<bool> {
        self.link_claim(&format!("{RUN}{shim_id}"))
    }

    /// Gives the attempt up: nobody will ever run it. `false`: a shim won, or it was void before.
    ///
    /// # Errors
    /// What the system says.
    pub fn try_void(&self) -> io::Result<bool> {
        self.link_claim(VOID)
    }

    /// A symbolic link that leads nowhere, its target the text: one system call makes it whole, only one of two succeeds, and
    /// it takes no block of a full disk.
    fn link_claim(&self, text: &str) -> io::Result<bool> {
        match std::os::unix::fs::symlink(text, self.claim_path()) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Takes the attempt's lock. `None`: somebody holds it. Nothing is created where the folder is gone.
    ///
    /// # Errors
    /// What the system says.
    pub fn try_lock(&self) -> io::Result<Option<LockGuard>> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(self.lock_path())?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(LockGuard { file })),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether somebody holds the lock. It is taken and given back at once where not; a shim that tries at that moment
    /// tries again.
    ///
    /// # Errors
    /// What the system says, except that there is no lock file: then nobody holds it.
    pub fn lock_is_held(&self) -> io::Result<bool> {
        let file = match File::open(self.lock_path()) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockShared) {
            Ok(()) => Ok(false),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    /// The start record, where there is a readable one.
    pub fn start(&self) -> Option<Start> {
        self.record("start.json")
    }

    /// Writes the start record.
    ///
    /// # Errors
    /// What the system says.
    pub fn write_start(&self, start: &Start) -> io::Result<()> {
        self.write_record("start.json", &serde_json::to_vec(start)?)
    }

    /// Who holds the attempt since its first shim was lost, where one took its place.
    pub fn adopted(&self) -> Option<Adopted> {
        self.record("adopt.json")
    }

    /// Writes who took a lost shim's place. The last one counts, so it is replaced whole.
    ///
    /// # Errors
    /// What the system says.
    pub fn write_adopted(&self, adopted: &Adopted) -> io::Result<()> {
        self.write_record("adopt.new", &serde_json::to_vec(adopted)?)?;
        std::fs::rename(self.path.join("adopt.new"), self.path.join("adopt.json"))
    }

    /// What is known of the program's end. A valid `exit.tmp` counts as the record.
    ///
    /// # Errors
    /// What the system says, except that there is none.
    pub fn exit(&self) -> io::Result<ExitRecord> {
        let mut blank = false;
        // The last look is for a rename between the first two.
        for name in ["exit.json", "exit.tmp", "exit.json"] {
            match std::fs::read(self.path.join(name)) {
                Ok(bytes) => match Exit::unseal(&bytes) {
                    Some(exit) => return Ok(ExitRecord::Valid(Box::new(exit))),
                    None => blank = true,
                },
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(if blank { ExitRecord::Blank } else { ExitRecord::Missing })
    }

    /// The sweep's record, where there is a readable one.
    pub fn swept(&self) -> Option<Swept> {
        self.record("swept.json")
    }

    /// Writes the sweep's record: only when the tree is gone.
    ///
    /// # Errors
    /// What the system says.
    pub fn write_swept(&self, swept: &Swept) -> io::Result<()> {
        self.write_record("swept.json", &serde_json::to_vec(swept)?)
    }

    /// Tells the shim something. `false`: nobody reads.
    ///
    /// # Errors
    /// What the system says; `WouldBlock` when a shim that does not read has left its FIFO full.
    pub fn tell(&self, command: &Command) -> io::Result<bool> {
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let mut ctl = match rustix::fs::open(self.ctl_path(), flags, Mode::empty()) {
            Ok(fd) => File::from(fd),
            Err(rustix::io::Errno::NXIO | rustix::io::Errno::NOENT) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        // One write below PIPE_BUF: lines of two writers never mix.
        match ctl.write_all(format!("{command}\n").as_bytes()) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Tells a shim that has rung the bell that its attempt is settled, and what follows from that is begun: nobody else has to
    /// see to it. A shim that has left needs no telling.
    pub fn tell_settled(&self) {
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        if let Ok(ctl) = rustix::fs::open(self.ctl_path(), flags, Mode::empty()) {
            let _ = rustix::io::write(&ctl, format!("{SETTLED}\n").as_bytes());
        }
    }

    /// What the shim did, in order. A line cut by a crash is left out.
    pub fn acts(&self) -> Vec<Act> {
        let mut text = Vec::new();
        let read = File::open(self.acts_path()).and_then(|mut file| file.read_to_end(&mut text));
        match read {
            Ok(_) => String::from_utf8_lossy(&text)
                .split_inclusive('\n')
                .filter(|line| line.ends_with('\n'))
                .filter_map(|line| line.parse().ok())
                .collect(),
            Err(_) => Vec::new(),
        }
    }

    /// The log's segments: start offset and length, in order.
    ///
    /// # Errors
    /// What the system says.
    pub fn segments(&self) -> io::Result<Vec<(u64, u64)>> {
        crate::log::segments(&self.path)
    }

    /// Where the log ends: the offset after its last byte. 0 where there is none.
    pub fn log_end(&self) -> u64 {
        self.segments().ok().and_then(|all| all.last().map(|(start, length)| start + length)).unwrap_or(0)
    }

    /// Reads the log at an offset. Whoever reads on and on keeps a [`LogReader`].
    ///
    /// # Errors
    /// What the system says.
    pub fn read_log_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<LogRead> {
        LogReader::new(self).read_at(offset, buffer)
    }

    fn record<T: serde::de::DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_slice(&std::fs::read(self.path.join(name)).ok()?).ok()
    }

    /// Written once, by one write, under its own name: the beginning of a JSON object is none, so that half a record (of a
    /// full disk, of a moment ago) reads as no record.
    fn write_record(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let mut record = OpenOptions::new();
        record.write(true).create(true).truncate(true).mode(0o600).open(self.path.join(name))?.write_all(content)
    }
}

fn create_new(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}
