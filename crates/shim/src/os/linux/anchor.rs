//! What keeps a stopped program stopped when its shim dies.
//!
//! The kernel sends HUP and CONT to a process group that has stopped members and becomes orphaned: when no member has a parent in the same
//! session and in another group (`kill_orphaned_pgrp` in Linux' kernel/exit.c, after POSIX). The shim is the only such parent. So two
//! processes are set beside it that outlive it: the anchor, in a group of its own, and its child, in the program's group.

use super::close_inherited;
use rustix::process::{Pid, PidfdFlags};
use std::io;
use std::os::fd::AsRawFd;

/// Sets an anchor for the group of a program that is a child of this process. It stays until the program has ended, holds nothing but a
/// pidfd, hears no signal but KILL and never wakes before.
///
/// # Errors
/// What the system says: then a death of this process ends a pause of the program's, as if nothing had been done.
#[expect(unsafe_code, reason = "fork has no safe wrapper")]
pub fn anchor_group(program: Pid, group: Pid) -> io::Result<()> {
    let end = rustix::process::pidfd_open(program, PidfdFlags::empty())?;
    let group = group.as_raw_nonzero().get();
    // SAFETY: plain C structures, for which all-zero is valid.
    let (mut all, mut before) = unsafe { std::mem::zeroed::<(libc::sigset_t, libc::sigset_t)>() };
    // SAFETY: both sets live through the calls. The anchor and its child keep all signals blocked.
    unsafe {
        libc::sigfillset(&raw mut all);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
    }
    // SAFETY: one thread; the child calls async-signal-safe functions only, and never returns.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        be_anchor(end.as_raw_fd(), group);
    }
    let error = io::Error::last_os_error();
    // SAFETY: the set lives through the call.
    unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const before, std::ptr::null_mut()) };
    if pid < 0 { Err(error) } else { Ok(()) }
}

#[expect(unsafe_code, reason = "after a fork there is nothing but system calls")]
fn be_anchor(end: i32, group: i32) -> ! {
    // The lock first of all: a shim that dies leaves it free.
    close_inherited(0, Some(end));
    // SAFETY: system calls on this process's own numbers and memory; no allocation, no lock, no unwinding.
    unsafe {
        libc::setpgid(0, 0);
        let me = libc::getpid();
        let member = libc::fork();
        if member == 0 {
            libc::setpgid(0, group);
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            // It may have died before that.
            if libc::getppid() == me {
                close_inherited(0, None);
                loop {
                    libc::pause();
                }
            }
            libc::_exit(0);
        }
        let mut wait = libc::pollfd { fd: end, events: libc::POLLIN, revents: 0 };
        while libc::poll(&raw mut wait, 1, -1) < 0 {}
        if member > 0 {
            libc::kill(member, libc::SIGKILL);
        }
        libc::_exit(0)
    }
}
