//! Facts of the operating system, one file each, behind the same names.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub use linux::*;

#[cfg(target_os = "macos")]
mod macos;
#[cfg(target_os = "macos")]
pub use macos::*;

/// A process as the system's table shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub pid: i32,
    /// Its parent's id.
    pub parent: i32,
    /// Its process group.
    pub group: i32,
    /// Its session; 0 where the system does not tell.
    pub session: i32,
    /// When it started, in the system's unit (see [`crate::identity::Identity`]).
    pub start: u64,
    /// A zombie: nothing of it runs any more.
    pub dead: bool,
    /// Its main thread has ended; others may go on, or are on their way out as well.
    pub leaderless: bool,
    /// The system's short name for it.
    pub name: String,
}

/// What an ended child used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Processor time in user mode, milliseconds, with the children it waited for.
    pub user_ms: u64,
    /// Processor time in the kernel, milliseconds.
    pub system_ms: u64,
    /// Largest resident set, KiB.
    pub max_rss_kb: u64,
}

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It left with this code.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
}

/// Makes a FIFO, 0600.
///
/// # Errors
/// What the system says.
#[expect(unsafe_code, reason = "mkfifo(3) has no safe wrapper that all systems share")]
pub fn make_fifo(path: &std::path::Path) -> std::io::Result<()> {
    use std::os::unix::ffi::OsStrExt;
    let path = std::ffi::CString::new(path.as_os_str().as_bytes())?;
    // SAFETY: the path is a C string that lives through the call.
    if unsafe { libc::mkfifo(path.as_ptr(), 0o600) } == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
}

/// A fork with all signals blocked, so that none that is meant for the child is taken for one to this process, or the other way round.
/// The child keeps them blocked until it says otherwise, and never returns. Gives the child's number.
///
/// # Errors
/// What the system says.
#[expect(unsafe_code, reason = "fork has no safe wrapper")]
pub fn fork_quietly(child: impl FnOnce() -> std::convert::Infallible) -> std::io::Result<i32> {
    // SAFETY: plain C structures, for which all-zero is valid.
    let (mut all, mut before) = unsafe { std::mem::zeroed::<(libc::sigset_t, libc::sigset_t)>() };
    // SAFETY: both sets live through the calls.
    unsafe {
        libc::sigfillset(&raw mut all);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
    }
    // SAFETY: one thread; the child calls async-signal-safe functions only, and never returns.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        child();
    }
    let error = std::io::Error::last_os_error();
    // SAFETY: the set lives through the call.
    unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const before, std::ptr::null_mut()) };
    if pid < 0 { Err(error) } else { Ok(pid) }
}
