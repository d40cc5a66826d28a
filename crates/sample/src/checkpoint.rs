//! Checkpoints and models: safetensors files, written whole. A checkpoint is a model plus what makes going on from it
//! the same as never having stopped: both moments of AdamW and the position. The order of the digits follows from
//! (seed, epoch), so no state of a generator has to be kept.

use std::path::Path;

use candle_core::{DType, Device, Tensor};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};

use crate::fault::Fault;
use crate::files::{Packed, pack, write_whole};
use crate::network::{AdamW, Network};

/// What a model or checkpoint is, kept in its file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct About {
    /// Units in each hidden layer.
    pub(crate) hidden: usize,
    /// Digits a step.
    pub(crate) batch: usize,
    /// Highest learning rate.
    pub(crate) lr: f64,
    pub(crate) seed: u64,
    /// Epochs that were to be done.
    pub(crate) epochs: u32,
    /// Epochs that are done.
    pub(crate) epoch: u32,
    /// Steps that are done.
    pub(crate) step: u64,
    /// CRC-32 of the training part.
    pub(crate) digits: u32,
    pub(crate) val_loss: f64,
    pub(crate) val_accuracy: f64,
}

/// Writes the network, and with `adam` what is needed to go on.
pub(crate) fn write(path: &Path, network: &Network, adam: Option<&AdamW>, about: &About) -> Result<(), Fault> {
    let mut tensors: Vec<(String, &Tensor)> =
        network.parameters().iter().map(|parameter| (parameter.name.clone(), parameter.value.as_tensor())).collect();
    for moments in adam.into_iter().flat_map(AdamW::moments) {
        let name = &moments.parameter.name;
        tensors.push((format!("{name}.first"), &moments.first));
        tensors.push((format!("{name}.second"), &moments.second));
    }
    let bytes = |tensor: &Tensor| -> Result<Vec<u8>, candle_core::Error> {
        Ok(tensor.flatten_all()?.to_vec1::<f32>()?.into_iter().flat_map(f32::to_le_bytes).collect())
    };
    let values = tensors.iter().map(|(_, tensor)| bytes(tensor)).collect::<Result<Vec<_>, _>>()?;
    let views = tensors
        .into_iter()
        .zip(&values)
        .map(|((name, tensor), value)| Ok((name, TensorView::new(Dtype::F32, tensor.dims().to_vec(), value)?)))
        .collect::<Result<Vec<_>, Fault>>()?;
    write_whole(path, &pack(views, about)?)
}

/// A model or checkpoint that was read.
pub(crate) struct Restored {
    pub(crate) network: Network,
    pub(crate) about: About,
}

/// Reads a model, or the model in a checkpoint.
pub(crate) fn read_model(path: &Path) -> Result<Restored, Fault> {
    let file = Packed::read(path, "model", "Give --model a file that `footplate-sample train` wrote.")?;
    let about: About = file.about()?;
    let network = network(&file, &file.tensors()?, about.hidden)?;
    Ok(Restored { network, about })
}

/// Reads a checkpoint with all that is needed to go on.
pub(crate) fn read_checkpoint(path: &Path) -> Result<(Restored, AdamW), Fault> {
    let hint = "Give --resume a file from the ckpt folder of an earlier training, or start without it.";
    let file = Packed::read(path, "checkpoint", hint)?;
    let about: About = file.about()?;
    let tensors = file.tensors()?;
    let network = network(&file, &tensors, about.hidden)?;
    let adam = AdamW::from_tensors(&network, about.step, |name, value| tensor(&file, &tensors, name, value.dims()))?;
    Ok((Restored { network, about }, adam))
}

fn network(file: &Packed<'_>, tensors: &SafeTensors<'_>, hidden: usize) -> Result<Network, Fault> {
    Network::from_tensors(hidden, |name, shape| tensor(file, tensors, name, shape))
}

fn tensor(file: &Packed<'_>, tensors: &SafeTensors<'_>, name: &str, shape: &[usize]) -> Result<Tensor, Fault> {
    let view = tensors.tensor(name).map_err(|error| file.broken(error))?;
    if view.dtype() != Dtype::F32 || view.shape() != shape {
        return Err(file.broken(format!("`{name}` is {} {:?}, not F32 {shape:?}", view.dtype(), view.shape())));
    }
    Ok(Tensor::from_raw_buffer(view.data(), DType::F32, shape, &Device::Cpu)?)
}
