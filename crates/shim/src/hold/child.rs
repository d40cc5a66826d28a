//! The fork, and what the child does until its program runs: system calls only, for nothing else is safe there.

use super::environ::{self, Environment};
use super::signals;
use footplate_shim::contract::Spec;
use std::ffi::{CString, NulError};
use std::io::{self, Read};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::sync::OnceLock;

/// The child's oom score lies this much above the shim's: of the two, the program goes first.
const OOM_HIGHER: i32 = 200;
/// Where the guard goes: out of the way of what programs and shells use.
const GUARD_FROM: RawFd = 200;

/// What a child leaves with whose gate nobody opened. Not 0: whoever sees it must not take it for a program that did well.
const NEVER_RAN: libc::c_int = 125;

const WHAT_CWD: u8 = 1;
const WHAT_EXEC: u8 = 2;

/// Everything the child needs, made before the fork.
pub(super) struct Plan {
    argv: Vec<CString>,
    environment: Vec<CString>,
    candidates: Vec<CString>,
    cwd: CString,
    limits: Vec<(u32, libc::rlimit)>,
    umask: Option<libc::mode_t>,
    oom: Option<(CString, String)>,
}

/// A child that waits at its gate.
pub(super) struct Gated {
    pub(super) pid: i32,
    gate: OwnedFd,
    report: OwnedFd,
}

/// Descriptors of the parent that the child uses or has to close.
pub(super) struct Ends<'a> {
    pub(super) lock: RawFd,
    pub(super) null: &'a OwnedFd,
    pub(super) writer: &'a OwnedFd,
    pub(super) guard: &'a OwnedFd,
}

impl Plan {
    pub(super) fn new(spec: &Spec, environment: &Environment) -> Result<Self, NulError> {
        let argv = spec.argv.iter().map(|word| CString::new(word.0.clone())).collect::<Result<Vec<_>, _>>()?;
        let program = spec.argv.first().map_or(b"".as_slice(), |word| word.0.as_slice());
        let oom = match footplate_shim::os::oom_score(OOM_HIGHER) {
            Some((path, value)) => Some((CString::new(path.as_os_str().as_bytes())?, value)),
            None => None,
        };
        Ok(Self {
            argv,
            environment: environ::entries(environment)?,
            candidates: environ::candidates(program, environment)?,
            cwd: CString::new(spec.cwd.0.clone())?,
            limits: spec
                .limits
                .iter()
                .filter_map(|(name, soft, hard)| limit(name, *soft, *hard))
                .filter(|(resource, limit)| !has_limit(*resource, limit))
                .collect(),
            umask: spec.umask.and_then(|mask| libc::mode_t::try_from(mask & 0o777).ok()),
            oom,
        })
    }

    /// Forks. The child makes itself ready and waits at the gate.
    #[expect(unsafe_code, reason = "fork has no safe wrapper")]
    pub(super) fn fork(&self, ends: &Ends<'_>) -> io::Result<Gated> {
        let (gate_read, gate_write) = io::pipe()?;
        let (report_read, report_write) = io::pipe()?;
        let argv = pointers(&self.argv);
        let environment = pointers(&self.environment);
        // A TERM between the fork and the child's own handlers must not look like one to the shim.
        let pid = footplate_shim::os::fork_quietly(|| {
            self.be_child(
                ends,
                gate_read.as_raw_fd(),
                gate_write.as_raw_fd(),
                report_write.as_raw_fd(),
                &argv,
                &environment,
            )
        })?;
        // The child does the same: whoever comes first, the group is there before the start record names it.
        // SAFETY: no memory is touched.
        unsafe { libc::setpgid(pid, pid) };
        Ok(Gated { pid, gate: gate_write.into(), report: report_read.into() })
    }

    /// What the child does. Its copies of the lock and of the gate's write end go first: a shim that dies now must leave
    /// the lock free, and the child an end of file at the gate.
    #[expect(unsafe_code, reason = "between fork and exec there is nothing but system calls")]
    fn be_child(
        &self,
        ends: &Ends<'_>,
        gate: RawFd,
        gate_write: RawFd,
        report: RawFd,
        argv: &[*const libc::c_char],
        environment: &[*const libc::c_char],
    ) -> ! {
        // SAFETY: system calls on descriptors and memory that this process got by the fork; no allocation, no lock, no
        // unwinding. All pointers lead to what `self` owns.
        unsafe {
            libc::close(ends.lock);
            libc::close(gate_write);
            libc::setpgid(0, 0);
            signals::reset_ours();
            let mut none: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&raw mut none);
            libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
            libc::dup2(ends.null.as_raw_fd(), 0);
            libc::dup2(ends.writer.as_raw_fd(), 1);
            libc::dup2(ends.writer.as_raw_fd(), 2);
            for lowest in [GUARD_FROM, 50, 3] {
                if libc::fcntl(ends.guard.as_raw_fd(), libc::F_DUPFD, lowest) >= 0 {
                    break;
                }
            }
            if let Some((path, value)) = &self.oom {
                let file = libc::open(path.as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC);
                libc::write(file, value.as_ptr().cast(), value.len());
                libc::close(file);
            }
            if let Some(mask) = self.umask {
                libc::umask(mask);
            }
            for (resource, limit) in &self.limits {
                if libc::setrlimit(*resource as _, limit) != 0 {
                    // The hard limit cannot be raised again: as much as there is.
                    let mut now: libc::rlimit = std::mem::zeroed();
                    libc::getrlimit(*resource as _, &raw mut now);
                    now.rlim_cur = limit.rlim_cur.min(now.rlim_max);
                    libc::setrlimit(*resource as _, &raw const now);
                }
            }
            let mut go = 0_u8;
            loop {
                let got = libc::read(gate, (&raw mut go).cast(), 1);
                if got == 1 {
                    break;
                }
                if got == 0 || errno() != libc::EINTR {
                    libc::_exit(NEVER_RAN);
                }
            }
            if libc::chdir(self.cwd.as_ptr()) != 0 {
                self.cannot(report, WHAT_CWD, errno());
            }
            let mut refused = libc::ENOENT;
            for candidate in &self.candidates {
                libc::execve(candidate.as_ptr(), argv.as_ptr(), environment.as_ptr());
                match errno() {
                    libc::ENOENT | libc::ENOTDIR | libc::ESTALE | libc::ENODEV | libc::ETIMEDOUT => {}
                    libc::EACCES => refused = libc::EACCES,
                    other => self.cannot(report, WHAT_EXEC, other),
                }
            }
            self.cannot(report, WHAT_EXEC, refused)
        }
    }

    #[expect(unsafe_code, reason = "between fork and exec there is nothing but system calls")]
    fn cannot(&self, report: RawFd, what: u8, errno: i32) -> ! {
        let [a, b, c, d] = errno.to_le_bytes();
        let message = [what, a, b, c, d];
        // SAFETY: five live bytes; then the end of this process.
        unsafe {
            libc::write(report, message.as_ptr().cast(), message.len());
            libc::_exit(127)
        }
    }
}

impl Gated {
    /// Opens the gate. Returns what will tell whether the program could be started.
    pub(super) fn open(self) -> io::Result<Report> {
        // A child that was killed at its gate reads nothing: its end will be seen.
        match rustix::io::write(&self.gate, b"g") {
            Ok(_) | Err(rustix::io::Errno::PIPE) => Ok(Report(self.report)),
            Err(error) => Err(error.into()),
        }
    }

    /// Lets it end without running anything, and waits for that.
    pub(super) fn dismiss(self) {
        drop(self.gate);
        let _ =
            rustix::process::waitpid(rustix::process::Pid::from_raw(self.pid), rustix::process::WaitOptions::empty());
    }
}

/// Tells "could not exec" from "failed".
pub(super) struct Report(OwnedFd);

impl Report {
    /// To be called once the child has ended: what could not be done, and errno. `None`: the program ran.
    pub(super) fn read(self) -> Option<(&'static str, i32)> {
        let mut message = [0; 5];
        std::fs::File::from(self.0).read_exact(&mut message).ok()?;
        let [what, errno @ ..] = message;
        Some((if what == WHAT_CWD { "cwd" } else { "exec" }, i32::from_le_bytes(errno)))
    }
}

fn pointers(strings: &[CString]) -> Vec<*const libc::c_char> {
    strings.iter().map(|text| text.as_ptr()).chain([std::ptr::null()]).collect()
}

#[expect(unsafe_code, reason = "errno after fork: std's reading of it is as good, but not promised to be")]
unsafe fn errno() -> i32 {
    #[cfg(target_os = "linux")]
    // SAFETY: always valid for the calling thread.
    let value = unsafe { *libc::__errno_location() };
    #[cfg(target_os = "macos")]
    // SAFETY: always valid for the calling thread.
    let value = unsafe { *libc::__error() };
    value
}

/// How many kinds of limits are remembered; no system has more.
const KINDS: usize = 16;

/// Whether this process has this very limit, as a child will then, too. Looked up once, also for the processes forked from this
/// one: nothing in it changes a limit.
#[expect(unsafe_code, reason = "a limit may be of a kind that the safe wrapper does not know")]
fn has_limit(resource: u32, limit: &libc::rlimit) -> bool {
    static OWN: [OnceLock<Option<(u64, u64)>>; KINDS] = [const { OnceLock::new() }; KINDS];
    let look = || {
        // SAFETY: a plain C structure, for which all-zero is valid, and which lives through the call.
        let mut now: libc::rlimit = unsafe { std::mem::zeroed() };
        // SAFETY: as above.
        let told = unsafe { libc::getrlimit(resource as _, &raw mut now) } == 0;
        told.then_some((now.rlim_cur, now.rlim_max))
    };
    let own = usize::try_from(resource).ok().and_then(|at| OWN.get(at)).and_then(|own| *own.get_or_init(look));
    own == Some((limit.rlim_cur, limit.rlim_max))
}

/// Looks up all limits, for the processes to come.
pub(super) fn know_limits() {
    for resource in 0..KINDS as u32 {
        has_limit(resource, &libc::rlimit { rlim_cur: 0, rlim_max: 0 });
    }
}

/// Names that this system does not know are left out: they were captured on it, but perhaps by a newer version.
#[cfg_attr(target_os = "linux", expect(clippy::unnecessary_cast, reason = "of another type on other systems"))]
fn limit(name: &str, soft: u64, hard: u64) -> Option<(u32, libc::rlimit)> {
    let resource = match name {
        "as" => libc::RLIMIT_AS,
        "core" => libc::RLIMIT_CORE,
        "cpu" => libc::RLIMIT_CPU,
        "data" => libc::RLIMIT_DATA,
        "fsize" => libc::RLIMIT_FSIZE,
        "memlock" => libc::RLIMIT_MEMLOCK,
        "nofile" => libc::RLIMIT_NOFILE,
        "nproc" => libc::RLIMIT_NPROC,
        "rss" => libc::RLIMIT_RSS,
        "stack" => libc::RLIMIT_STACK,
        #[cfg(target_os = "linux")]
        "locks" => libc::RLIMIT_LOCKS,
        #[cfg(target_os = "linux")]
        "msgqueue" => libc::RLIMIT_MSGQUEUE,
        #[cfg(target_os = "linux")]
        "nice" => libc::RLIMIT_NICE,
        #[cfg(target_os = "linux")]
        "rtprio" => libc::RLIMIT_RTPRIO,
        #[cfg(target_os = "linux")]
        "rttime" => libc::RLIMIT_RTTIME,
        #[cfg(target_os = "linux")]
        "sigpending" => libc::RLIMIT_SIGPENDING,
        _ => return None,
    };
    let value = |number: u64| if number == u64::MAX { libc::RLIM_INFINITY } else { number };
    let limit = libc::rlimit { rlim_cur: value(soft), rlim_max: value(hard) };
    Some((resource as u32, limit))
}
