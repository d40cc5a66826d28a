//! Linux: `/proc`, pidfds, subreaper.

mod anchor;
mod group;

pub use anchor::anchor_group;
pub use group::oom_kills;

use super::{Ended, Process, Usage};
use rustix::process::{Pid, PidfdFlags, Signal};
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// CLOCK_MONOTONIC, which stops in sleep.
pub fn running_ms() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    u64::try_from(now.tv_sec).unwrap_or(0) * 1000 + u64::try_from(now.tv_nsec).unwrap_or(0) / 1_000_000
}

/// The kernel's random id of this boot.
pub fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

/// One process, if there is one with this id.
pub fn process(pid: i32) -> Option<Process> {
    let mut buffer = [0_u8; 1024];
    let mut file = std::fs::File::open(format!("/proc/{pid}/stat")).ok()?;
    let length = file.read(&mut buffer).ok()?;
    parse_stat(&buffer[..length])
}

/// All processes that can be seen.
///
/// # Errors
/// When `/proc` cannot be read.
pub fn processes() -> io::Result<Vec<Process>> {
    let mut all = Vec::with_capacity(256);
    for entry in std::fs::read_dir("/proc")? {
        let Ok(entry) = entry else { continue };
        if let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok())
            && let Some(process) = process(pid)
        {
            all.push(process);
        }
    }
    Ok(all)
}

/// `pid (name) state ppid pgrp session ..`: the name may hold anything, so the last `)` counts. See proc(5).
fn parse_stat(line: &[u8]) -> Option<Process> {
    let open = line.iter().position(|&b| b == b'(')?;
    let close = line.iter().rposition(|&b| b == b')')?;
    let pid = std::str::from_utf8(line.get(..open)?).ok()?.trim().parse().ok()?;
    let name = String::from_utf8_lossy(line.get(open + 1..close)?).into_owned();
    let mut fields = std::str::from_utf8(line.get(close + 1..)?).ok()?.split_ascii_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    let group = fields.next()?.parse().ok()?;
    let session = fields.next()?.parse().ok()?;
    // tty_nr is the 7th field, num_threads the 20th, starttime the 22nd.
    let threads: u32 = fields.nth(13)?.parse().ok()?;
    let start = fields.nth(1)?.parse().ok()?;
    // A main thread that left while others run looks like a zombie, but the program goes on.
    let dead = matches!(state, "X" | "x") || (state == "Z" && threads <= 1);
    let leaderless = dead || state == "Z";
    Some(Process { pid, parent, group, session, start, dead, leaderless, name })
}

/// The file a process runs; without the kernel's " (deleted)".
pub fn executable(pid: i32) -> Option<PathBuf> {
    let path = std::fs::read_link(format!("/proc/{pid}/exe")).ok()?;
    match path.as_os_str().as_bytes().strip_suffix(b" (deleted)") {
        Some(plain) => Some(PathBuf::from(std::ffi::OsStr::from_bytes(plain))),
        None => Some(path),
    }
}

/// Whether the environment a process was started with has exactly this entry (`NAME=VALUE`). Unreadable: no.
pub fn started_with(pid: i32, entry: &[u8], buffer: &mut Vec<u8>) -> bool {
    buffer.clear();
    let Ok(mut file) = std::fs::File::open(format!("/proc/{pid}/environ")) else { return false };
    file.read_to_end(buffer).is_ok() && buffer.split(|&b| b == 0).any(|part| part == entry)
}

/// Ids of the direct children of this process, zombies too.
pub fn own_children() -> Option<Vec<i32>> {
    let me = rustix::process::getpid().as_raw_nonzero();
    let text = std::fs::read_to_string(format!("/proc/self/task/{me}/children")).ok()?;
    Some(text.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect())
}

/// From now on, orphans among the descendants become children of this process.
///
/// # Errors
/// What the system says.
pub fn become_subreaper() -> io::Result<()> {
    Ok(rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?)
}

/// Whether [`become_subreaper`] does anything here.
pub const HAS_SUBREAPER: bool = true;

/// Whether [`fork_sibling`] does anything here.
pub const HAS_FORK_SERVER: bool = true;

/// Forks a process that is a child of this process's own parent. `None` in the new one, its id in this one.
///
/// # Errors
/// What the system says.
#[expect(unsafe_code, reason = "fork(2) cannot make siblings; clone(2) without a new stack is the same but for that")]
pub fn fork_sibling() -> io::Result<Option<i32>> {
    let flags = libc::c_long::from(libc::CLONE_PARENT | libc::SIGCHLD);
    // SAFETY: to be called by processes with one thread: the copy has all there is, and no lock that another holds.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags, 0_usize, 0_usize, 0_usize, 0_usize) };
    match i32::try_from(pid) {
        Ok(0) => Ok(None),
        Ok(pid) if pid > 0 => Ok(Some(pid)),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Two ends of a socket that keeps messages apart and tells its end, for those who stand by.
///
/// # Errors
/// What the system says.
pub fn message_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

    Ok(socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?)
}

/// The memory that other programs (`ps`) show as this process's arguments.
#[derive(Debug)]
pub struct Title {
    at: usize,
    length: usize,
}

impl Title {
    /// Where it lies: fields 48 and 49 of `/proc/self/stat`, see proc(5).
    pub fn find() -> Self {
        let find = || {
            let line = std::fs::read_to_string("/proc/self/stat").ok()?;
            let mut fields = line.get(line.rfind(')')? + 1..)?.split_ascii_whitespace();
            let at: usize = fields.nth(45)?.parse().ok()?;
            let end: usize = fields.next()?.parse().ok()?;
            Some(Self { at, length: end.checked_sub(at).filter(|_| at != 0)? })
        };
        find().unwrap_or(Self { at: 0, length: 0 })
    }

    /// Writes another text, as much of it as there is room for. The arguments as they were are gone.
    #[expect(unsafe_code, reason = "the arguments lie where the system put them")]
    pub fn set(&self, text: &[u8]) {
        if self.length == 0 {
            return;
        }
        // SAFETY: the system tells where the arguments lie: writable memory of this process, alive as long as it is; nothing
        // reads them at this moment, for there is one thread.
        let room = unsafe { std::slice::from_raw_parts_mut(self.at as *mut u8, self.length) };
        room.fill(0);
        let last = self.length - 1;
        for (to, from) in room.iter_mut().zip(text.iter().take(last)) {
            *to = *from;
        }
    }
}

/// Sends a signal to the process behind `pid` after `is_it` has said, with the pidfd already open, that it is the one.
///
/// # Errors
/// What the system says, except that it is gone.
pub fn signal_checked(pid: Pid, signal: Signal, is_it: impl Fn() -> bool) -> io::Result<bool> {
    let Some(fd) = open_pidfd(pid, is_it)? else { return Ok(false) };
    match rustix::process::pidfd_send_signal(&fd, signal) {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::SRCH) => Ok(false),
        Err(other) => Err(other.into()),
    }
}

/// A pidfd of the process behind `pid`, if `is_it` says, with the pidfd already open, that it is the one.
///
/// # Errors
/// What the system says, except that it is gone.
pub fn open_pidfd(pid: Pid, is_it: impl Fn() -> bool) -> io::Result<Option<OwnedFd>> {
    match rustix::process::pidfd_open(pid, PidfdFlags::empty()) {
        Ok(fd) => Ok(is_it().then_some(fd)),
        Err(rustix::io::Errno::SRCH) => Ok(None),
        Err(other) => Err(other.into()),
    }
}

/// How the child ended and what it used, without reaping it. `None`: it has not ended.
///
/// # Errors
/// ECHILD when it is no child of this process.
#[expect(unsafe_code, reason = "the system call fills in the usage, which no safe wrapper passes on")]
pub fn ended(child: i32) -> io::Result<Option<(Ended, Usage)>> {
    // SAFETY: both are plain C structures, for which all-zero is valid.
    let (mut info, mut usage) = unsafe { (std::mem::zeroed::<libc::siginfo_t>(), std::mem::zeroed::<libc::rusage>()) };
    let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    // SAFETY: the pointers lead to live, writable structures of the types waitid(2) names.
    let result = unsafe { libc::syscall(libc::SYS_waitid, libc::P_PID, child, &raw mut info, options, &raw mut usage) };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: waitid filled in the SIGCHLD variant, or left the zeroes, which read as pid 0.
    let (pid, status) = unsafe { (info.si_pid(), info.si_status()) };
    if pid == 0 {
        return Ok(None);
    }
    let how = if info.si_code == libc::CLD_EXITED { Ended::Code(status) } else { Ended::Signal(status) };
    let ms = |t: libc::timeval| u64::try_from(t.tv_sec * 1000 + t.tv_usec / 1000).unwrap_or(0);
    let used = Usage {
        user_ms: ms(usage.ru_utime),
        system_ms: ms(usage.ru_stime),
        max_rss_kb: u64::try_from(usage.ru_maxrss).unwrap_or(0),
    };
    Ok(Some((how, used)))
}

/// How a process ended that is not this one's child. `pidfd`: opened while it lived. `None`: the system does not tell.
///
/// While nobody has reaped it, its line in `/proc` has it (field 52, see proc(5)); after that, kernels from 6.15 on tell it to
/// who has a pidfd (`PIDFD_INFO_EXIT`, see ioctl_pidfd(2)).
pub fn told_end(who: &crate::identity::Identity, pidfd: Option<&OwnedFd>) -> Option<Ended> {
    let of_status = |status: i32| match status & 0x7f {
        0 => Ended::Code((status >> 8) & 0xff),
        signal => Ended::Signal(signal),
    };
    let line = std::fs::read(format!("/proc/{}/stat", who.pid)).unwrap_or_default();
    if parse_stat(&line).is_some_and(|process| process.start == who.start && process.dead) {
        let fields = line.get(line.iter().rposition(|&b| b == b')')? + 1..)?;
        return std::str::from_utf8(fields).ok()?.split_ascii_whitespace().nth(49)?.parse().ok().map(of_status);
    }
    pidfd_exit(pidfd?).map(of_status)
}

/// The wait status of a reaped process, from the kernel's `struct pidfd_info` (its first version, 64 bytes: a mask, then at byte
/// 60 the status).
#[expect(unsafe_code, reason = "this ioctl has no safe wrapper")]
fn pidfd_exit(pidfd: &OwnedFd) -> Option<i32> {
    use std::os::fd::AsRawFd;

    const EXIT: u64 = 1 << 3;
    /// `_IOWR(0xFF, 11, struct pidfd_info)`.
    const PIDFD_GET_INFO: u32 = 0xC040_FF0B;
    let mut info = [0_u64; 8];
    info[0] = EXIT;
    // SAFETY: the descriptor is open, and the buffer has the 64 bytes that the request's number tells the kernel of.
    let done = unsafe { libc::ioctl(pidfd.as_raw_fd(), PIDFD_GET_INFO as _, info.as_mut_ptr()) } == 0;
    let status = i32::from_ne_bytes(info[7].to_ne_bytes()[4..].try_into().ok()?);
    (done && info[0] & EXIT != 0).then_some(status)
}

/// Makes a pipe or FIFO as large as wanted where the system allows it; a smaller one serves too.
pub fn widen_pipe(fd: impl AsFd, bytes: usize) {
    let _ = rustix::pipe::fcntl_setpipe_size(fd, bytes);
}

/// Whether an fsync of a file just created or renamed makes the folders durable that it hangs on: true of ext4 (one
/// journal, committed whole; without a journal it syncs new parents itself) and XFS (the log is forced up to the inode's
/// last change, which the rename was).
pub fn fsync_carries_folders(file: impl AsFd) -> bool {
    const XFS_SUPER_MAGIC: i128 = 0x5846_5342;
    const EXT4_SUPER_MAGIC: i128 = 0xEF53;
    rustix::fs::fstatfs(file).is_ok_and(|about| [EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC].contains(&i128::from(about.f_type)))
}

/// The file a process writes its willingness to be killed for want of memory to, and the value that puts a child
/// `higher` above this process.
pub fn oom_score(higher: i32) -> Option<(&'static Path, String)> {
    // A process forked from one that has looked has the same, and need not look again.
    static OWN: OnceLock<Option<i32>> = OnceLock::new();
    let look = || std::fs::read_to_string("/proc/self/oom_score_adj").ok()?.trim().parse().ok();
    let own = (*OWN.get_or_init(look))?;
    Some((Path::new("/proc/self/oom_score_adj"), own.saturating_add(higher).min(1000).to_string()))
}

/// Closes every descriptor from `first` on, but one.
#[expect(unsafe_code, reason = "descriptors that were inherited have no owner in this program")]
pub fn close_inherited(first: i32, but: Option<i32>) {
    let close = |from: i32, to: u32| {
        // SAFETY: called at the start, when nothing in this program owns a descriptor in the range.
        unsafe { libc::syscall(libc::SYS_close_range, from, to, 0_u32) }
    };
    match but {
        Some(keep) if keep >= first => {
            if let Ok(last) = u32::try_from(keep - 1)
                && keep > first
            {
                close(first, last);
            }
            close(keep + 1, u32::MAX);
        }
        _ => {
            close(first, u32::MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_and_spaces_does_not_confuse_the_line() {
        let line = b"4242 (a) R 1 (x y)) S 17 18 19 34816 4242 4194304 1 2 3 4 5 6 7 8 20 0 3 0 987654 1 2\n";
        let process = parse_stat(line).unwrap();
        assert_eq!((process.pid, process.parent, process.group, process.session), (4242, 17, 18, 19));
        assert_eq!((process.start, process.dead, process.name.as_str()), (987_654, false, "a) R 1 (x y)"));
    }

    #[test]
    fn a_zombie_leader_with_living_threads_is_not_dead() {
        let line = |threads: u32| format!("7 (t) Z 1 7 7 0 -1 4 0 0 0 0 0 0 0 0 20 0 {threads} 0 55 0");
        assert!(parse_stat(line(1).as_bytes()).unwrap().dead);
        let led_by_none = parse_stat(line(2).as_bytes()).unwrap();
        assert!(!led_by_none.dead && led_by_none.leaderless);
    }
}
