//! Ctrl-C, counted. Nothing else is done in the handler.

use std::sync::atomic::{AtomicU32, Ordering};

static INTERRUPTS: AtomicU32 = AtomicU32::new(0);

extern "C" fn on_interrupt(_: libc::c_int) {
    INTERRUPTS.fetch_add(1, Ordering::Relaxed);
}

/// From now on SIGINT is counted and ends nothing.
pub(crate) fn count_interrupts() {
    #[expect(unsafe_code, reason = "sigaction has no safe form in std or rustix")]
    // SAFETY: the handler only adds to an atomic, which is async-signal-safe; the struct is zeroed, then filled as sigaction(2)
    // asks, and lives through the call.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = on_interrupt as extern "C" fn(libc::c_int) as libc::sighandler_t;
        action.sa_flags = libc::SA_RESTART;
        libc::sigemptyset(&raw mut action.sa_mask);
        libc::sigaction(libc::SIGINT, &raw const action, std::ptr::null_mut());
    }
}

/// How often Ctrl-C was pressed since.
pub(crate) fn interrupts() -> u32 {
    INTERRUPTS.load(Ordering::Relaxed)
}
