//! Linux: machine-id(5).

/// The machine's id; `None` where there is none yet (`uninitialized`, in an image that has not been started).
pub(super) fn own_id() -> Option<String> {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let id = ["/etc/machine-id", "/var/lib/dbus/machine-id"].into_iter().find_map(read)?;
    let id = id.trim();
    (id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| id.to_owned())
}
