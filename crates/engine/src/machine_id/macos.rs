//! macOS: the hardware's UUID (IOPlatformUUID), by gethostuuid(2).

/// The machine's id; `None` where the system does not tell.
pub(super) fn own_id() -> Option<String> {
    let mut id = [0_u8; 16];
    let wait = libc::timespec { tv_sec: 1, tv_nsec: 0 };
    #[expect(unsafe_code, reason = "gethostuuid(2) is the only way to ask")]
    // SAFETY: the buffer holds a uuid_t, 16 bytes, and both live through the call.
    let asked = unsafe { libc::gethostuuid(id.as_mut_ptr(), &raw const wait) };
    (asked == 0).then(|| uuid::Uuid::from_bytes(id).to_string())
}
