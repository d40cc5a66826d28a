//! macOS: libproc, sysctl. Written with care, type-checked, never run: its doubts stand in `docs/MACOS.md`.
//!
//! There is no subreaper and no pidfd here. What left the program's session is found by its mark; a signal is sent to a
//! pid right after its identity was checked.

use super::{Ended, Process, Usage};
use rustix::process::{Pid, Signal};
use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// CLOCK_UPTIME_RAW, which stops in sleep; CLOCK_MONOTONIC runs on here.
#[expect(unsafe_code, reason = "this clock has no safe wrapper")]
pub fn running_ms() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer leads to a live, writable timespec.
    unsafe { libc::clock_gettime(libc::CLOCK_UPTIME_RAW, &raw mut now) };
    u64::try_from(now.tv_sec).unwrap_or(0) * 1000 + u64::try_from(now.tv_nsec).unwrap_or(0) / 1_000_000
}

/// `kern.bootsessionuuid`; `kern.boottime` moves with the wall clock.
#[expect(unsafe_code, reason = "sysctl has no safe wrapper")]
pub fn boot_id() -> String {
    let mut text = [0_u8; 64];
    let mut length = text.len();
    // SAFETY: name and buffer live through the call, and the length is the buffer's.
    let result = unsafe {
        libc::sysctlbyname(
            c"kern.bootsessionuuid".as_ptr(),
            text.as_mut_ptr().cast(),
            &raw mut length,
            std::ptr::null_mut(),
            0,
        )
    };
    if result != 0 {
        return String::new();
    }
    String::from_utf8_lossy(&text[..length.min(text.len())]).trim_end_matches('\0').to_owned()
}

/// One process, if there is one with this id.
#[expect(unsafe_code, reason = "libproc has no safe wrapper")]
pub fn process(pid: i32) -> Option<Process> {
    // SAFETY: a plain C structure, for which all-zero is valid.
    let mut info: libc::proc_bsdinfo = unsafe { std::mem::zeroed() };
    let size = i32::try_from(size_of::<libc::proc_bsdinfo>()).ok()?;
    // The argument 1 lets it answer for zombies, too.
    // SAFETY: the buffer is a live, writable proc_bsdinfo of the size given.
    let got = unsafe { libc::proc_pidinfo(pid, libc::PROC_PIDTBSDINFO, 1, (&raw mut info).cast(), size) };
    if got != size {
        return None;
    }
    // SAFETY: no memory is touched; an unknown pid yields -1.
    let session = unsafe { libc::getsid(pid) };
    let bytes: Vec<u8> =
        info.pbi_comm.iter().map(|&c| u8::from_ne_bytes(c.to_ne_bytes())).take_while(|&b| b != 0).collect();
    Some(Process {
        pid,
        parent: i32::try_from(info.pbi_ppid).ok()?,
        group: i32::try_from(info.pbi_pgid).ok()?,
        session: session.max(0),
        start: info.pbi_start_tvsec * 1_000_000 + info.pbi_start_tvusec,
        dead: info.pbi_status == libc::SZOMB,
        leaderless: info.pbi_status == libc::SZOMB,
        name: String::from_utf8_lossy(&bytes).into_owned(),
    })
}

/// All processes that can be seen.
///
/// # Errors
/// What the system says.
#[expect(unsafe_code, reason = "libproc has no safe wrapper")]
pub fn processes() -> io::Result<Vec<Process>> {
    // SAFETY: a null buffer asks for the number of processes.
    let count = unsafe { libc::proc_listallpids(std::ptr::null_mut(), 0) };
    let mut pids = vec![0_i32; usize::try_from(count).unwrap_or(0) + 64];
    let bytes = i32::try_from(pids.len() * size_of::<i32>()).unwrap_or(i32::MAX);
    // SAFETY: the buffer is live, writable and of the size given.
    let count = unsafe { libc::proc_listallpids(pids.as_mut_ptr().cast(), bytes) };
    let Ok(count) = usize::try_from(count) else { return Err(io::Error::last_os_error()) };
    pids.truncate(count);
    Ok(pids.into_iter().filter(|&pid| pid > 0).filter_map(process).collect())
}

/// The file a process runs.
#[expect(unsafe_code, reason = "libproc has no safe wrapper")]
pub fn executable(pid: i32) -> Option<PathBuf> {
    let mut path = vec![0_u8; usize::try_from(libc::PROC_PIDPATHINFO_MAXSIZE).ok()?];
    // SAFETY: the buffer is live, writable and of the size given.
    let length = unsafe { libc::proc_pidpath(pid, path.as_mut_ptr().cast(), u32::try_from(path.len()).ok()?) };
    let length = usize::try_from(length).ok().filter(|&length| length > 0)?;
    Some(PathBuf::from(OsStr::from_bytes(path.get(..length)?)))
}

/// Whether the environment a process was started with has exactly this entry. Unreadable (another user's, or one the
/// system protects): no.
#[expect(unsafe_code, reason = "sysctl has no safe wrapper")]
pub fn started_with(pid: i32, entry: &[u8], buffer: &mut Vec<u8>) -> bool {
    buffer.resize(1 << 20, 0);
    let mut name = [libc::CTL_KERN, libc::KERN_PROCARGS2, pid];
    let mut length = buffer.len();
    // SAFETY: name and buffer live through the call, and the length is the buffer's.
    let result = unsafe {
        libc::sysctl(name.as_mut_ptr(), 3, buffer.as_mut_ptr().cast(), &raw mut length, std::ptr::null_mut(), 0)
    };
    // argc, the executable's path, padding, argc arguments, then the environment. An argument that looks like the entry
    // does no harm: nobody knows the token but this attempt's processes.
    result == 0 && buffer.get(4..length).is_some_and(|rest| rest.split(|&b| b == 0).any(|part| part == entry))
}

/// Ids of the direct children of this process, zombies too.
pub fn own_children() -> Option<Vec<i32>> {
    let me = rustix::process::getpid().as_raw_nonzero().get();
    let all = processes().ok()?;
    Some(all.into_iter().filter(|process| process.parent == me).map(|process| process.pid).collect())
}

/// The system tells nobody but the parent how a process ended.
pub fn told_end(_who: &crate::identity::Identity, _pidfd: Option<&OwnedFd>) -> Option<Ended> {
    None
}

/// There is no such thing here: orphans go to launchd.
///
/// # Errors
/// None.
pub fn become_subreaper() -> io::Result<()> {
    Ok(())
}

/// Whether [`become_subreaper`] does anything here.
pub const HAS_SUBREAPER: bool = false;

/// Whether [`fork_sibling`] does anything here.
pub const HAS_FORK_SERVER: bool = false;

/// No process can be given another parent here: shims are started one by one.
///
/// # Errors
/// Always `Unsupported`.
pub fn fork_sibling() -> io::Result<Option<i32>> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Nobody stands by here; and this system has no such socket.
///
/// # Errors
/// Always `Unsupported`.
pub fn message_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Err(io::ErrorKind::Unsupported.into())
}

/// What other programs show as this process's arguments; not changed here.
#[derive(Debug)]
pub struct Title;

impl Title {
    /// Where it lies.
    pub fn find() -> Self {
        Self
    }

    /// Nothing.
    pub fn set(&self, _text: &[u8]) {}
}

/// Sends a signal to the process behind `pid` right after `is_it` has said that it is the one.
///
/// # Errors
/// What the system says, except that it is gone.
pub fn signal_checked(pid: Pid, signal: Signal, is_it: impl Fn() -> bool) -> io::Result<bool> {
    if !is_it() {
        return Ok(false);
    }
    match rustix::process::kill_process(pid, signal) {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::SRCH) => Ok(false),
        Err(other) => Err(other.into()),
    }
}

/// A kqueue with the process's end as its only event: it polls readable then.
///
/// # Errors
/// What the system says, except that it is gone.
#[expect(unsafe_code, reason = "this use of kqueue has no safe wrapper")]
pub fn open_pidfd(pid: Pid, is_it: impl Fn() -> bool) -> io::Result<Option<OwnedFd>> {
    let queue = rustix::event::kqueue::kqueue()?;
    let ident = usize::try_from(pid.as_raw_nonzero().get()).unwrap_or(0);
    let event = libc::kevent {
        ident,
        filter: libc::EVFILT_PROC,
        flags: libc::EV_ADD | libc::EV_CLEAR,
        fflags: libc::NOTE_EXIT,
        data: 0,
        udata: std::ptr::null_mut(),
    };
    let raw = std::os::fd::AsRawFd::as_raw_fd(&queue);
    // SAFETY: one live event is read, none is written.
    let result = unsafe { libc::kevent(raw, &raw const event, 1, std::ptr::null_mut(), 0, std::ptr::null()) };
    if result != 0 {
        let error = io::Error::last_os_error();
        return if error.raw_os_error() == Some(libc::ESRCH) { Ok(None) } else { Err(error) };
    }
    Ok(is_it().then_some(queue))
}

/// How the child ended and what it used, without reaping it. `None`: it has not ended.
///
/// # Errors
/// ECHILD when it is no child of this process.
#[expect(unsafe_code, reason = "one form for both systems; the usage has no safe wrapper")]
pub fn ended(child: i32) -> io::Result<Option<(Ended, Usage)>> {
    // SAFETY: a plain C structure, for which all-zero is valid.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    // SAFETY: the pointer leads to a live, writable siginfo_t.
    let result = unsafe { libc::waitid(libc::P_PID, u32::try_from(child).unwrap_or(0), &raw mut info, options) };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    if info.si_pid == 0 {
        return Ok(None);
    }
    let how =
        if info.si_code == libc::CLD_EXITED { Ended::Code(info.si_status) } else { Ended::Signal(info.si_status) };
    Ok(Some((how, usage(child))))
}

/// What the system still tells of a child that has ended; zeroes where it does not.
#[expect(unsafe_code, reason = "libproc has no safe wrapper")]
fn usage(child: i32) -> Usage {
    // SAFETY: a plain C structure, for which all-zero is valid.
    let mut info: libc::rusage_info_v4 = unsafe { std::mem::zeroed() };
    // SAFETY: the buffer is a live, writable structure of the flavour named.
    let result = unsafe { libc::proc_pid_rusage(child, libc::RUSAGE_INFO_V4, (&raw mut info).cast()) };
    if result != 0 {
        return Usage::default();
    }
    Usage {
        user_ms: (info.ri_user_time + info.ri_child_user_time) / 1_000_000,
        system_ms: (info.ri_system_time + info.ri_child_system_time) / 1_000_000,
        // The present footprint of one that has ended is nothing.
        max_rss_kb: info.ri_lifetime_max_phys_footprint / 1024,
    }
}

/// Pipes grow by themselves here, to 64 KiB.
pub fn widen_pipe(_fd: impl AsFd, _bytes: usize) {}

/// Nothing is promised here.
pub fn fsync_carries_folders(_file: impl AsFd) -> bool {
    false
}

/// There is no such score here.
pub fn oom_score(_higher: i32) -> Option<(&'static Path, String)> {
    None
}

/// How many processes of this one's group the system has killed for want of memory: it does not count them.
pub fn oom_kills() -> Option<u64> {
    None
}

/// Nothing that outlives the shim keeps a stopped program stopped here: there is no descriptor by which it would learn, without waking, that
/// the program has ended.
///
/// # Errors
/// Never.
pub fn anchor_group(_program: rustix::process::Pid, _group: rustix::process::Pid) -> io::Result<()> {
    Ok(())
}

/// Closes every descriptor from `first` on, but one.
#[expect(unsafe_code, reason = "descriptors that were inherited have no owner in this program")]
pub fn close_inherited(first: i32, but: Option<i32>) {
    let open: Vec<i32> = match std::fs::read_dir("/dev/fd") {
        Ok(entries) => entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect(),
        Err(_) => (first..256).collect(),
    };
    for fd in open {
        if fd >= first && Some(fd) != but {
            // SAFETY: called at the start, when nothing in this program owns a descriptor in the range; the listing's own
            // is closed already, and closing it again fails harmlessly.
            unsafe { libc::close(fd) };
        }
    }
}
