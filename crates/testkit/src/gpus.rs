//! GPUs for machines without: a library in place of NVIDIA's that answers from a text file.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::Bench;

/// Pretended GPUs of a bench. All that it starts from then on sees them.
#[derive(Debug)]
pub struct PretendGpus {
    library: PathBuf,
}

/// One of them.
#[derive(Clone, Debug)]
pub struct PretendGpu {
    /// Its id: `GPU-..`.
    pub id: String,
    /// Bytes in use, of 16 GB.
    pub used: u64,
    /// Percent of the time in which it computes.
    pub busy: u32,
    /// It fell off the bus.
    pub lost: bool,
    /// Process ids and bytes.
    pub processes: Vec<(i32, u64)>,
}

impl PretendGpu {
    /// One that nobody uses: `GPU-<n>0000000-0000-..`.
    #[must_use]
    pub fn free(n: u32) -> PretendGpu {
        let id = format!("GPU-{n}0000000-0000-4000-8000-000000000000");
        PretendGpu { id, used: 0, busy: 0, lost: false, processes: Vec::new() }
    }
}

impl PretendGpus {
    /// Builds the library with the system's C compiler, and lets the bench's programs load it.
    ///
    /// # Panics
    /// Where there is no C compiler, or the file cannot be written.
    #[must_use]
    pub fn in_bench(bench: &mut Bench, gpus: &[PretendGpu]) -> PretendGpus {
        let source = bench.root().join("nvml.c");
        let library = bench.root().join("libnvidia-ml.so.1");
        let written = fs::write(&source, include_str!("nvml.c"));
        assert!(written.is_ok(), "{written:?}");
        let built = Command::new("cc").args(["-shared", "-fPIC", "-O0", "-o"]).args([&library, &source]).output();
        let built = built.unwrap_or_else(|error| panic!("cc: {error}"));
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        bench.set_env("FOOTPLATE_TEST_NVML", &library);
        bench.set_env("FOOTPLATE_TEST_GPUS", gpus.len().to_string());
        let pretend = PretendGpus { library };
        pretend.set(gpus);
        pretend
    }

    /// They are others from now on.
    ///
    /// # Panics
    /// Where that cannot be written.
    pub fn set(&self, gpus: &[PretendGpu]) {
        let mut text = "driver 570.86.15\n".to_owned();
        for gpu in gpus {
            let PretendGpu { id, used, busy, lost, processes } = gpu;
            let _ = writeln!(text, "gpu {id} 16000000000 {used} {busy} 61 NVIDIA Pretend 4090");
            text.push_str(if *lost { "lost\n" } else { "" });
            for (pid, bytes) in processes {
                let _ = writeln!(text, "process {pid} {bytes}");
            }
        }
        self.write(&text);
    }

    /// The driver is unloaded.
    ///
    /// # Panics
    /// Where that cannot be written.
    pub fn unload(&self) {
        self.write("driver gone\n");
    }

    /// How often its use was begun, and how often ended.
    #[must_use]
    pub fn used(&self) -> (usize, usize) {
        let text = fs::read_to_string(self.beside(".used")).unwrap_or_default();
        (text.matches('+').count(), text.matches('-').count())
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut path = self.library.clone().into_os_string();
        path.push(ending);
        path.into()
    }

    /// Whole or not at all: it is read at any moment.
    fn write(&self, text: &str) {
        let (path, draft) = (self.beside(".gpus"), self.beside(".draft"));
        let written = fs::write(&draft, text).and_then(|()| fs::rename(&draft, &path));
        assert!(written.is_ok(), "{written:?}");
    }
}
