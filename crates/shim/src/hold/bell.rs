//! Telling the owner that an attempt has ended; starting one where the last did not leave in an orderly way.

use footplate_shim::contract::{OwnerLine, Spec};
use rustix::fs::{Mode, OFlags};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

/// To be called without the lock: an owner that looks at once must find it free.
pub(super) fn ring(spec: &Spec) {
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    match rustix::fs::open(&spec.bell, flags, Mode::empty()) {
        // A full bell rings already.
        Ok(bell) => drop(rustix::io::write(bell, b"!")),
        Err(rustix::io::Errno::NXIO | rustix::io::Errno::NOENT) => {
            if !left_orderly(spec) {
                start_owner(spec);
            }
        }
        Err(_) => {}
    }
}

fn left_orderly(spec: &Spec) -> bool {
    let line = std::fs::read(&spec.owner_lock).ok();
    line.and_then(|line| serde_json::from_slice::<OwnerLine>(&line).ok()).is_some_and(|owner| owner.orderly)
}

/// In a session of its own: it must not end with anything of ours. Too many are no harm, one gets the lock.
#[expect(unsafe_code, reason = "a session of its own can only be made between fork and exec")]
fn start_owner(spec: &Spec) {
    let Some((program, arguments)) = spec.owner_argv.split_first() else { return };
    let mut command = Command::new(program.as_os_str());
    command.args(arguments.iter().map(|word| word.as_os_str()));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // SAFETY: setsid is async-signal-safe, and signal is as well.
    unsafe {
        command.pre_exec(|| {
            for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGXFSZ] {
                libc::signal(signal, libc::SIG_DFL);
            }
            rustix::process::setsid()?;
            Ok(())
        });
    }
    // Nobody is left to be told; the next command of any guest starts an owner too.
    let _ = command.spawn();
}
