//! Named points at which tests let a process die. Compiled to nothing in release builds.

/// Kills this process with SIGKILL when `FOOTPLATE_FAILPOINT` names this point: `name`, or `name@3` for the third time it
/// is reached. `name:stop` and `name@3:stop` stop it with SIGSTOP instead: a test changes the world around it (its disk, say) and lets it
/// go on. Several names may be given, separated by commas.
#[inline]
pub fn hit(name: &str) {
    #[cfg(debug_assertions)]
    debug::hit(name);
    #[cfg(not(debug_assertions))]
    let _ = name;
}

#[cfg(debug_assertions)]
mod debug {
    use std::io::Write;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    struct Point {
        name: String,
        left: AtomicU32,
        stops: bool,
    }

    pub(super) fn hit(name: &str) {
        static POINTS: OnceLock<Vec<Point>> = OnceLock::new();
        let points = POINTS.get_or_init(|| {
            let wanted = std::env::var("FOOTPLATE_FAILPOINT").unwrap_or_default();
            wanted.split(',').filter(|part| !part.is_empty()).map(parse).collect()
        });
        for point in points {
            if point.name == name && point.left.fetch_sub(1, Ordering::SeqCst) == 1 {
                // So that a test can tell a death here from an end of another kind.
                let _ = writeln!(std::io::stderr(), "failpoint {}", point.name);
                if point.stops {
                    stop();
                    return;
                }
                let me = rustix::process::getpid();
                // Nothing can be done about a failure to die.
                let _ = rustix::process::kill_process(me, rustix::process::Signal::KILL);
                std::process::abort();
            }
        }
    }

    /// Stops the process, this thread before it takes another step.
    fn stop() {
        // Where only parents may look into a process (Yama), the test's strace may all the same.
        #[cfg(target_os = "linux")]
        #[expect(unsafe_code, reason = "prctl(2), which rustix does not have for this")]
        // SAFETY: it reads and writes no memory of ours.
        let _ = unsafe { libc::prctl(libc::PR_SET_PTRACER, libc::PR_SET_PTRACER_ANY) };
        #[expect(
            unsafe_code,
            reason = "raise(3); rustix sends signals to processes only, and another thread might take it"
        )]
        // SAFETY: it reads and writes no memory of ours.
        let _ = unsafe { libc::raise(libc::SIGSTOP) };
    }

    fn parse(part: &str) -> Point {
        let (part, stops) = match part.strip_suffix(":stop") {
            Some(part) => (part, true),
            None => (part, false),
        };
        let (name, times) = match part.split_once('@') {
            Some((name, times)) => (name, times.parse().unwrap_or(1)),
            None => (part, 1),
        };
        Point { name: name.to_owned(), left: AtomicU32::new(times), stops }
    }
}
