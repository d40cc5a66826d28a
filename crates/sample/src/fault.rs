//! What can go wrong, each as one sentence: what happened, to which file, what to do.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why a verb stopped.
#[derive(Debug, Error)]
pub(crate) enum Fault {
    /// A file could not be read.
    #[error("cannot read the {what} {}: {source}. {hint}", path.display())]
    Read { what: &'static str, path: PathBuf, source: io::Error, hint: &'static str },
    /// A file or folder could not be written.
    #[error("cannot write {}: {source}. Check that the folder may be written to and that the disk has room.", path.display())]
    Write { path: PathBuf, source: io::Error },
    /// A file was read, and is not what it should be.
    #[error("the {what} {} is damaged or of another kind: {why}. {hint}", path.display())]
    Broken { what: &'static str, path: PathBuf, why: String, hint: &'static str },
    /// A checkpoint belongs to a training with other settings.
    #[error("the checkpoint {} is from a training with {was}, this one has {is}. Use the same value, or start without --resume.", path.display())]
    Mismatch { path: PathBuf, was: String, is: String },
    /// The loss is no number any more.
    #[error("the loss became {loss} at step {step}: the training has diverged. Try a smaller --lr.")]
    Diverged { step: u64, loss: f64 },
    /// Nobody takes our output.
    #[error("cannot write to stdout: {0}")]
    Stdout(#[source] io::Error),
    /// The arithmetic refused; a fault of this program, not of its input.
    #[error("the network could not be computed: {0}")]
    Tensor(#[from] candle_core::Error),
    /// The picture could not be encoded.
    #[error("the picture could not be made: {0}")]
    Picture(#[from] png::EncodingError),
    /// A safetensors file could not be put together.
    #[error("the tensors could not be packed: {0}")]
    Pack(#[from] safetensors::SafeTensorError),
}
