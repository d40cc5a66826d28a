//! Failures that this machine cannot have: captured ones.

use super::{End, args};

/// The log, the code, values by name, what the line holds that it stands on.
type Row = (&'static str, &'static str, &'static [(&'static str, &'static str)], &'static str);

/// Its log without the first line, which names the source.
#[track_caller]
fn captured(log: &str) -> (String, footplate_core::view::Failure, String) {
    let (source, output) = log.split_once('\n').unwrap();
    assert!(source.starts_with("# After https://github.com/"), "{source}");
    End::of(1, output).told()
}

#[test]
fn each_captured_failure_has_its_cause_its_values_and_its_line() {
    let table: &[Row] = &[
        (
            include_str!("logs/cuda_out_of_memory.txt"),
            "gpu_out_of_memory",
            &[("wanted", "496.00 MiB"), ("at_file", "project/train.py"), ("at_line", "61"), ("at_function", "main")],
            "torch.cuda.OutOfMemoryError",
        ),
        (
            include_str!("logs/cuda_out_of_memory_old.txt"),
            "gpu_out_of_memory",
            &[("wanted", "2.26 GiB"), ("at_line", "12")],
            "RuntimeError",
        ),
        (
            include_str!("logs/torchrun.txt"),
            "gpu_out_of_memory",
            &[("wanted", "132.00 MiB"), ("at_line", "162"), ("at_function", "train")],
            "[rank1]: torch.OutOfMemoryError",
        ),
        (
            include_str!("logs/boxed.txt"),
            "gpu_out_of_memory",
            &[("wanted", "50.00 MiB"), ("at_file", "project/train_text_to_image.py"), ("at_line", "894")],
            "OutOfMemoryError: CUDA",
        ),
        (include_str!("logs/torchrun_killed.txt"), "killed", &[("pid", "36071")], "Signal 9"),
        (
            include_str!("logs/mps_out_of_memory.txt"),
            "mps_out_of_memory",
            &[("wanted", "147.24 MB"), ("at_function", "fit")],
            "RuntimeError: MPS",
        ),
        (
            include_str!("logs/invalid_device.txt"),
            "no_such_gpu",
            &[("message", "CUDA error: invalid device ordinal"), ("at_line", "96")],
            "invalid device ordinal",
        ),
        (
            include_str!("logs/no_gpus.txt"),
            "no_such_gpu",
            &[("message", "No CUDA GPUs are available"), ("at_function", "safe_state")],
            "No CUDA GPUs",
        ),
        (include_str!("logs/old_driver.txt"), "gpu_driver", &[("found", "11040"), ("at_line", "5")], "too old"),
        (include_str!("logs/device_assert.txt"), "gpu_assertion", &[("at_function", "train_one_epoch")], "device-side"),
        (
            include_str!("logs/gated.txt"),
            "hub_gated",
            &[("model", "meta-llama/Llama-2-7b-hf"), ("at_line", "31")],
            "OSError: You are trying",
        ),
        (include_str!("logs/hub_offline.txt"), "hub_offline", &[("at_line", "9")], "OSError: We couldn't connect"),
        (include_str!("logs/hub_offline_mode.txt"), "hub_offline", &[("at_line", "3")], "OfflineModeIsEnabled"),
        (
            include_str!("logs/hub_not_found.txt"),
            "hub_not_found",
            &[("model", "org/private-model")],
            "RepositoryNotFoundError",
        ),
        (include_str!("logs/slurm_oom.txt"), "out_of_memory", &[], "oom-kill event"),
        (include_str!("logs/nan_loss.txt"), "nan_loss", &[], "Loss is nan"),
    ];
    for (log, code, values, line) in table {
        let (found, failure, at) = captured(log);
        assert_eq!(found, *code, "{failure:?}");
        let told = args(&failure);
        for (name, value) in *values {
            assert_eq!(told.get(*name).map(String::as_str), Some(*value), "{code}: {told:?}");
        }
        assert!(at.contains(line), "{code}: {at}");
        assert!(failure.detail.ends_with('.') && !failure.detail.contains('{'), "{failure:?}");
        assert!((1..=3).contains(&failure.hints.len()), "{failure:?}");
    }
}
