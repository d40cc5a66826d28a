//! `train`: the loop, its report, its checkpoints.

use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use candle_core::{D, DType, Device, Tensor};
use candle_nn::loss::cross_entropy;

use crate::checkpoint::{self, About, Restored};
use crate::data::{Digits, PIXELS};
use crate::fault::Fault;
use crate::network::{AdamW, Network};
use crate::protocol::{self, Position};
use crate::rng::{Purpose, Rng};

/// The share of the training part that measures each epoch and is not learned from.
const VALIDATION: f64 = 0.125;
/// Progress lines an epoch.
const LINES: usize = 20;
/// The learning rate ends at this part of its height.
const LAST_RATE: f64 = 0.01;

pub(crate) fn run(options: &crate::Train) -> Result<(), Fault> {
    let (digits, _) = Digits::read(&options.data.join("train.safetensors"))?;
    let (train, validation) = digits.split(VALIDATION, options.seed);
    let (hidden, batch) = (options.hidden as usize, options.batch as usize);
    let wanted = About {
        hidden,
        batch,
        lr: options.lr,
        seed: options.seed,
        epochs: options.epochs,
        epoch: 0,
        step: 0,
        digits: digits.fingerprint(),
        val_loss: f64::INFINITY,
        val_accuracy: 0.0,
    };
    let (network, adam, about) = match &options.resume {
        None => {
            let network = Network::random(hidden, options.seed)?;
            let adam = AdamW::new(&network)?;
            (network, adam, wanted)
        }
        Some(path) => resume(path, &wanted)?,
    };
    let steps_per_epoch = train.len().div_ceil(batch);
    let total = steps_per_epoch as u64 * u64::from(options.epochs);
    let mut training = Training { train, validation, network, adam, about, steps_per_epoch, total, options };
    training.announce()?;
    for epoch in training.about.epoch + 1..=options.epochs {
        training.epoch(epoch)?;
    }
    training.finish()
}

/// Takes up `path`, if it is of the same training.
fn resume(path: &Path, wanted: &About) -> Result<(Network, AdamW, About), Fault> {
    let (Restored { network, about }, adam) = checkpoint::read_checkpoint(path)?;
    let mismatch = |was: String, is: String| Err(Fault::Mismatch { path: path.to_owned(), was, is });
    if about.hidden != wanted.hidden {
        return mismatch(format!("--hidden {}", about.hidden), wanted.hidden.to_string());
    }
    if about.batch != wanted.batch {
        return mismatch(format!("--batch {}", about.batch), wanted.batch.to_string());
    }
    if about.lr != wanted.lr {
        return mismatch(format!("--lr {}", about.lr), wanted.lr.to_string());
    }
    if about.seed != wanted.seed {
        return mismatch(format!("--seed {}", about.seed), wanted.seed.to_string());
    }
    if about.digits != wanted.digits {
        return mismatch("other digits".to_owned(), "its own in --data".to_owned());
    }
    // More or fewer epochs are allowed: only the fall of the learning rate is then another.
    Ok((network, adam, About { epochs: wanted.epochs, ..about }))
}

struct Training<'a> {
    train: Digits,
    validation: Digits,
    network: Network,
    adam: AdamW,
    /// Settings, and the position after the last whole epoch.
    about: About,
    steps_per_epoch: usize,
    total: u64,
    options: &'a crate::Train,
}

impl Training<'_> {
    fn announce(&self) -> Result<(), Fault> {
        let weights: usize = self.network.parameters().iter().map(|parameter| parameter.value.elem_count()).sum();
        protocol::text(&format!(
            "{weights} weights; {} digits to learn from, {} to check each epoch with; {} epochs of {} steps",
            self.train.len(),
            self.validation.len(),
            self.about.epochs,
            self.steps_per_epoch
        ))?;
        if let Some(path) = &self.options.resume {
            protocol::text(&format!("going on after epoch {} from {}", self.about.epoch, path.display()))?;
        }
        Ok(())
    }

    /// Half a cosine from the given rate down to a hundredth of it.
    fn learning_rate(&self, step: u64) -> f64 {
        let done = (step as f64 / self.total as f64).min(1.0);
        let height = (1.0 + (std::f64::consts::PI * done).cos()) / 2.0;
        self.options.lr * (LAST_RATE + (1.0 - LAST_RATE) * height)
    }

    fn epoch(&mut self, epoch: u32) -> Result<(), Fault> {
        let mut rng = Rng::of(self.options.seed, Purpose::Epoch, u64::from(epoch));
        let mut order: Vec<usize> = (0..self.train.len()).collect();
        rng.shuffle(&mut order);
        let message = format!("epoch {epoch} of {}", self.options.epochs);
        let (mut loss_sum, mut right, mut seen) = (0.0, 0, 0);
        for (index, chosen) in order.chunks(self.about.batch).enumerate() {
            let began = Instant::now();
            let (pixels, labels) = batch(&self.train, chosen, Some(&mut rng))?;
            let scores = self.network.scores(&pixels)?;
            let loss = cross_entropy(&scores, &labels)?;
            let rate = self.learning_rate(self.adam.step());
            self.adam.update(&loss.backward()?, rate)?;

            let loss = f64::from(loss.to_scalar::<f32>()?);
            loss_sum += loss * chosen.len() as f64;
            right += count_right(&scores, &labels)?;
            seen += chosen.len();
            let at = self.position(epoch);
            let due = (index + 1) * LINES / self.steps_per_epoch > index * LINES / self.steps_per_epoch;
            if due || !loss.is_finite() {
                let metrics =
                    [("loss", loss_sum / seen as f64), ("accuracy", right as f64 / seen as f64), ("lr", rate)];
                protocol::position(at, &metrics, &message)?;
                (loss_sum, right, seen) = (0.0, 0, 0);
            }
            if !loss.is_finite() {
                return Err(Fault::Diverged { step: at.step, loss });
            }
            if let Some(rest) = Duration::from_millis(self.options.pace).checked_sub(began.elapsed()) {
                sleep(rest);
            }
        }
        self.close(epoch)
    }

    /// Measures the epoch and writes its checkpoint.
    fn close(&mut self, epoch: u32) -> Result<(), Fault> {
        let (val_loss, val_accuracy) = measure(&self.network, &self.validation)?;
        self.about = About { epoch, step: self.adam.step(), val_loss, val_accuracy, ..self.about.clone() };
        let at = self.position(epoch);
        let metrics = [("val_loss", val_loss), ("val_accuracy", val_accuracy)];
        let message = format!("epoch {epoch} of {}: val_loss {val_loss:.4}, val_accuracy {val_accuracy:.4}", at.epochs);
        protocol::position(at, &metrics, &message)?;
        let path = self.checkpoint(epoch);
        checkpoint::write(&path, &self.network, Some(&self.adam), &self.about)?;
        protocol::checkpoint(&path, at, &metrics)?;
        if self.options.keep > 0 && epoch > self.options.keep {
            // It may be gone already, tidied by someone else.
            let _ = std::fs::remove_file(self.checkpoint(epoch - self.options.keep));
        }
        Ok(())
    }

    fn checkpoint(&self, epoch: u32) -> PathBuf {
        self.options.out.join("ckpt").join(format!("epoch-{epoch:04}.safetensors"))
    }

    fn position(&self, epoch: u32) -> Position {
        Position { step: self.adam.step(), total: self.total, epoch, epochs: self.options.epochs }
    }

    fn finish(&self) -> Result<(), Fault> {
        let path = self.options.out.join("model.safetensors");
        checkpoint::write(&path, &self.network, None, &self.about)?;
        let About { epoch, val_loss, val_accuracy, .. } = self.about;
        protocol::text(&format!("after {epoch} epochs: val_loss {val_loss:.4}, val_accuracy {val_accuracy:.4}"))?;
        protocol::output("val_loss", val_loss)?;
        protocol::output("val_accuracy", val_accuracy)?;
        protocol::output("model", path.to_string_lossy().into_owned())
    }
}

/// Pixels [n, 64] and labels [n] of the digits at `chosen`; distorted where there is a generator to do it by.
fn batch(digits: &Digits, chosen: &[usize], mut distort: Option<&mut Rng>) -> Result<(Tensor, Tensor), Fault> {
    let mut pixels = Vec::with_capacity(chosen.len() * PIXELS);
    for &index in chosen {
        match &mut distort {
            Some(rng) => digits.distorted(index, rng, &mut pixels),
            None => digits.plain(index, &mut pixels),
        }
    }
    let labels: Vec<u32> = chosen.iter().map(|&index| u32::from(digits.labels()[index])).collect();
    let pixels = Tensor::from_vec(pixels, (chosen.len(), PIXELS), &Device::Cpu)?;
    Ok((pixels, Tensor::from_vec(labels, chosen.len(), &Device::Cpu)?))
}

fn count_right(scores: &Tensor, labels: &Tensor) -> Result<u64, Fault> {
    let right = scores.argmax(D::Minus1)?.eq(labels)?.to_dtype(DType::U32)?.sum_all()?;
    Ok(u64::from(right.to_scalar::<u32>()?))
}

/// Mean loss and the share that is read right.
fn measure(network: &Network, digits: &Digits) -> Result<(f64, f64), Fault> {
    let (pixels, labels) = batch(digits, &(0..digits.len()).collect::<Vec<_>>(), None)?;
    let scores = network.scores(&pixels)?;
    let loss = f64::from(cross_entropy(&scores, &labels)?.to_scalar::<f32>()?);
    Ok((loss, count_right(&scores, &labels)? as f64 / digits.len() as f64))
}

/// The label that `network` reads in each of `digits`.
pub(crate) fn read_labels(network: &Network, digits: &Digits) -> Result<Vec<u32>, Fault> {
    let (pixels, _) = batch(digits, &(0..digits.len()).collect::<Vec<_>>(), None)?;
    Ok(network.scores(&pixels)?.argmax(D::Minus1)?.to_vec1::<u32>()?)
}
