//! The rules, as data: what an exception or a line of output must say, and what follows from it. The first that fits counts.
//!
//! A pattern is literal text with `{name}` for what is taken from it ([`super::pattern`]). Each rule is shown by a real failure in
//! `tests/diagnose`. What programs may say of errors that they got over must not fit: exceptions count only where they ended the
//! output, lines only near its end.

use super::Cause;

/// Over an exception: its type's own name (any, where none is named), and one of these in its message (`""`: whatever it says).
pub(super) struct ExceptionRule {
    pub(super) cause: Cause,
    pub(super) kinds: &'static [&'static str],
    pub(super) says: &'static [&'static str],
}

/// Over a line from its start, without a traceback.
pub(super) struct LineRule {
    pub(super) cause: Cause,
    pub(super) says: &'static [&'static str],
    /// Counts only among so many last lines that are not empty.
    pub(super) within: usize,
    /// Counts only with one of these exit codes; any failure, where there is none.
    pub(super) exits: &'static [i32],
}

const fn raised(cause: Cause, kinds: &'static [&'static str], says: &'static [&'static str]) -> ExceptionRule {
    ExceptionRule { cause, kinds, says }
}

const fn said(cause: Cause, within: usize, exits: &'static [i32], says: &'static [&'static str]) -> LineRule {
    LineRule { cause, says, within, exits }
}

/// Exceptions that only pass on that another process failed: that one's own words are looked for.
pub(super) const LAUNCHERS: &[&str] =
    &["ChildFailedError", "CalledProcessError", "ProcessExitedException", "ProcessRaisedException"];

/// Exceptions by which a program is ended, not by a fault of it.
pub(super) const ENDINGS: &[&str] = &["KeyboardInterrupt", "SystemExit", "GeneratorExit"];

pub(super) const EXCEPTIONS: &[ExceptionRule] = &[
    raised(
        Cause::GpuOutOfMemory,
        &[],
        &[
            "CUDA out of memory. Tried to allocate {wanted} (GPU",
            "out of memory. Tried to allocate {wanted}. GPU",
            "CUDA out of memory",
            "HIP out of memory",
            "CUDA error: out of memory",
            "CUBLAS_STATUS_ALLOC_FAILED",
            "RESOURCE_EXHAUSTED: Out of memory while trying to allocate {wanted}.",
            "RESOURCE_EXHAUSTED: Out of memory",
        ],
    ),
    raised(
        Cause::MpsOutOfMemory,
        &[],
        &["MPS backend out of memory{}Tried to allocate {wanted} on ", "MPS backend out of memory"],
    ),
    raised(
        Cause::GpuUnsupported,
        &[],
        &["no kernel image is available for execution on the device", "Torch not compiled with CUDA enabled"],
    ),
    raised(
        Cause::GpuDriver,
        &[],
        &[
            "The NVIDIA driver on your system is too old (found version {found})",
            "CUDA driver version is insufficient for CUDA runtime version",
            "Driver/library version mismatch",
            "forward compatibility was attempted on non supported HW",
        ],
    ),
    raised(
        Cause::NoSuchGpu,
        &[],
        &[
            "invalid device ordinal",
            "No CUDA GPUs are available",
            "no CUDA-capable device is detected",
            "Found no NVIDIA driver on your system",
            "Attempting to deserialize object on a CUDA device but torch.cuda.is_available() is False",
        ],
    ),
    raised(Cause::GpuAssertion, &[], &["device-side assert triggered"]),
    raised(
        Cause::HubGated,
        &[],
        &[
            "Access to model {model} is restricted",
            "Repo model {model} is gated",
            "You are trying to access a gated repo",
            "Cannot access gated repo",
        ],
    ),
    raised(Cause::HubGated, &["GatedRepoError"], &[""]),
    raised(
        Cause::HubNotFound,
        &[],
        &["{model} is not a local folder and is not a valid model identifier listed on 'https://huggingface.co"],
    ),
    raised(
        Cause::HubNotFound,
        &["RepositoryNotFoundError"],
        &["https://huggingface.co/api/models/{model}/revision", "https://huggingface.co/{model}/resolve/", ""],
    ),
    raised(
        Cause::HubOffline,
        &[],
        &[
            "We couldn't connect to 'https://huggingface.co'",
            "HTTPSConnectionPool(host='huggingface.co'",
            "Cannot reach https://huggingface.co",
        ],
    ),
    raised(Cause::HubOffline, &["OfflineModeIsEnabled", "LocalEntryNotFoundError"], &[""]),
    raised(
        Cause::OutOfMemory,
        &["MemoryError", "_ArrayMemoryError"],
        &["Unable to allocate {wanted} for an array", ""],
    ),
    raised(
        Cause::OutOfMemory,
        &[],
        &[
            "you tried to allocate {wanted}. Error code 12",
            "DefaultCPUAllocator: not enough memory: you tried to allocate {wanted}.",
            "[Errno 12] Cannot allocate memory",
            "std::bad_alloc",
        ],
    ),
    raised(
        Cause::Killed,
        &[],
        &["DataLoader worker (pid {pid}) is killed by signal: Killed", "DataLoader worker (pid(s) {pid}) exited"],
    ),
    raised(Cause::Killed, &["BrokenProcessPool"], &["terminated abruptly"]),
    raised(
        Cause::DiskFull,
        &[],
        &["[Errno 28] No space left on device: '{file}'", "No space left on device", "[Errno 122] Disk quota exceeded"],
    ),
    raised(
        Cause::ModuleNotFound,
        &["ModuleNotFoundError", "ImportError"],
        &["No module named '{module}'", "No module named {module}"],
    ),
    raised(
        Cause::FileNotFound,
        &["FileNotFoundError", "OSError", "NotADirectoryError"],
        &[
            "No such file or directory: '{file}'$",
            "No such file or directory: \"{file}\"$",
            "No such file or directory: '{file}' -> ",
            "No such file or directory: b'{file}'",
            "No such file or directory: '{file}'",
            "Unable to open file (unable to open file: name = '{file}'",
        ],
    ),
    raised(
        Cause::PermissionDenied,
        &["PermissionError"],
        &["Permission denied: '{file}'", "Operation not permitted: '{file}'", ""],
    ),
    raised(Cause::PermissionDenied, &["OSError"], &["Read-only file system: '{file}'"]),
    raised(
        Cause::PortInUse,
        &[],
        &[
            "error while attempting to bind on address ('{}', {port}): ",
            "failed to bind to [::]:{port} (errno: 98",
            "failed to bind to {}:{port} (errno: 98",
            "Address already in use",
            "address already in use",
        ],
    ),
    raised(
        Cause::NanLoss,
        &[
            "ValueError",
            "RuntimeError",
            "FloatingPointError",
            "AssertionError",
            "Exception",
            "MisconfigurationException",
        ],
        &[
            "oss is nan",
            "oss is NaN",
            "oss is inf",
            "NaN loss",
            "nan loss",
            "loss became nan",
            "loss returned in `training_step` is nan or inf",
            "returned nan values in its",
            "Minimum loss scale reached",
            "Current loss scale already at minimum",
        ],
    ),
    raised(Cause::Assertion, &["AssertionError"], &["{message}", ""]),
];

/// For the words of shells, loaders and programs in other languages.
pub(super) const LINES: &[LineRule] = &[
    said(
        Cause::GpuOutOfMemory,
        30,
        &[],
        &[
            "what():  CUDA out of memory. Tried to allocate {wanted} (GPU",
            "what():  CUDA out of memory. Tried to allocate {wanted}. ",
            "CUDA error: out of memory",
        ],
    ),
    said(Cause::GpuAssertion, 30, &[], &["what():  CUDA error: device-side assert triggered"]),
    said(
        Cause::OutOfMemory,
        20,
        &[],
        &[
            "terminate called after throwing an instance of 'std::bad_alloc'",
            "slurmstepd: error: Detected {} oom_kill event",
            "slurmstepd: error: Detected {} oom-kill event",
            "memory allocation of {wanted} failed",
            "fatal error: runtime: out of memory",
            "Exception in thread \"main\" java.lang.OutOfMemoryError",
            "{}: fork: Cannot allocate memory$",
        ],
    ),
    said(Cause::GpuDriver, 5, &[], &["Failed to initialize NVML: Driver/library version mismatch"]),
    said(
        Cause::Killed,
        60,
        &[],
        &["exitcode  : -9 (pid: {pid})", "traceback : Signal 9 (SIGKILL) received by PID {pid}$"],
    ),
    said(Cause::Killed, 5, &[], &["Killed$", "Killed: 9$"]),
    said(Cause::Killed, 5, &[137], &["{}: line {}: {pid} Killed ", "{}: line {}: {pid} Killed: 9 "]),
    said(
        Cause::ProgramNotFound,
        5,
        &[127],
        &[
            "env: ‘{program}’: No such file or directory$",
            "env: '{program}': No such file or directory$",
            "/usr/bin/env: ‘{program}’: No such file or directory$",
            "/usr/bin/env: '{program}': No such file or directory$",
            "{}: line {}: {program}: command not found$",
            "{}: command not found: {program}$",
            "{}: {}: {program}: not found$",
        ],
    ),
    said(
        Cause::PermissionDenied,
        5,
        &[126],
        &["{}: line {}: {file}: Permission denied$", "{}: {}: {file}: Permission denied$"],
    ),
    said(
        Cause::PermissionDenied,
        1,
        &[],
        &[
            "{}: cannot {} '{file}': Permission denied$",
            "{}: cannot {} ‘{file}’: Permission denied$",
            "cat: {file}: Permission denied$",
        ],
    ),
    said(
        Cause::FileNotFound,
        1,
        &[],
        &[
            "{}: can't open file '{file}': [Errno 2] No such file or directory$",
            "cat: {file}: No such file or directory$",
        ],
    ),
    said(
        Cause::FileNotFound,
        1,
        &[],
        &["{}: cannot {} '{file}': No such file or directory$", "{}: cannot {} ‘{file}’: No such file or directory$"],
    ),
    said(Cause::DiskFull, 5, &[], &["{}: No space left on device$", "{}: Disk quota exceeded$"]),
    said(Cause::ModuleNotFound, 1, &[1], &["{}python{}: No module named {module}$"]),
    said(Cause::NanLoss, 5, &[], &["Loss is nan, stopping training", "Loss is inf, stopping training"]),
    said(Cause::PortInUse, 3, &[], &["{}: Address already in use$", "{}: address already in use$"]),
    said(Cause::Assertion, 5, &[], &["{}: {}: Assertion `{message}' failed.$"]),
];
