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
pub fn anchor_group(program: Pid, group: Pid) -> io::Result<()> {
    let end = rustix::process::pidfd_open(program, PidfdFlags::empty())?;
    let (left, held) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    let group = group.as_raw_nonzero().get();
    // The anchor and its child keep all signals blocked.
    super::super::fork_quietly(|| be_anchor(end.as_raw_fd(), group))?;
    // Until both are where they belong and have given up all they inherited, the lock above all: whoever looks at that must not find it
    // held for a shim that is dead.
    drop(held);
    let _ = rustix::io::retry_on_intr(|| rustix::io::read(&left, &mut [0_u8]));
    Ok(())
}

#[expect(unsafe_code, reason = "after a fork there is nothing but system calls")]
fn be_anchor(end: i32, group: i32) -> ! {
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
        close_inherited(0, Some(end));
        let mut wait = libc::pollfd { fd: end, events: libc::POLLIN, revents: 0 };
        while libc::poll(&raw mut wait, 1, -1) < 0 {}
        if member > 0 {
            libc::kill(member, libc::SIGKILL);
        }
        libc::_exit(0)
    }
}
