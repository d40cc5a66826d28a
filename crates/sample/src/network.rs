//! The network and its optimizer. candle-nn's own AdamW keeps its moments to itself, and without them a resumed
//! training is another one; so AdamW is written here, after Loshchilov and Hutter, "Decoupled Weight Decay
//! Regularization", 2019 (<https://arxiv.org/abs/1711.05101>), algorithm 2.

use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Result, Tensor, Var};
use candle_nn::{Linear, Module};

use crate::data::{LABELS, PIXELS};
use crate::rng::{Purpose, Rng};

/// The layers' names, as they stand in files.
pub(crate) const LAYERS: [&str; 3] = ["hidden1", "hidden2", "read"];

/// 64 pixels, two hidden layers with ReLU, 10 scores.
pub(crate) struct Network {
    layers: Vec<Linear>,
    parameters: Vec<Parameter>,
}

/// One tensor that is learned.
#[derive(Clone)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) value: Var,
    /// Biases are not decayed.
    decays: bool,
}

/// (inputs, outputs) of each layer.
fn shapes(hidden: usize) -> [(usize, usize); 3] {
    [(PIXELS, hidden), (hidden, hidden), (hidden, LABELS)]
}

impl Network {
    /// Random first weights after He et al., 2015 (<https://arxiv.org/abs/1502.01852>): evenly from ±sqrt(6 / inputs).
    pub(crate) fn random(hidden: usize, seed: u64) -> Result<Self> {
        Self::from_tensors(hidden, |name, shape| {
            let Some(layer) = LAYERS.iter().position(|layer| name == format!("{layer}.weight")) else {
                return Tensor::zeros(shape, DType::F32, &Device::Cpu);
            };
            let mut rng = Rng::of(seed, Purpose::Weights, layer as u64);
            let bound = (6.0 / shape[1] as f32).sqrt();
            let weights: Vec<f32> = (0..shape[0] * shape[1]).map(|_| bound * rng.signed()).collect();
            Tensor::from_vec(weights, shape, &Device::Cpu)
        })
    }

    /// The network with what `tensor(name, shape)` returns.
    pub(crate) fn from_tensors<E: From<candle_core::Error>>(
        hidden: usize,
        tensor: impl Fn(&str, &[usize]) -> std::result::Result<Tensor, E>,
    ) -> std::result::Result<Self, E> {
        let (mut layers, mut parameters) = (Vec::new(), Vec::new());
        for (layer, (inputs, outputs)) in LAYERS.iter().zip(shapes(hidden)) {
            let mut parameter = |name: &str, shape: &[usize], decays| {
                let name = format!("{layer}.{name}");
                let value = Var::from_tensor(&tensor(&name, shape)?)?;
                parameters.push(Parameter { name, value: value.clone(), decays });
                Ok::<_, E>(value.as_tensor().clone())
            };
            let weight = parameter("weight", &[outputs, inputs], true)?;
            let bias = parameter("bias", &[outputs], false)?;
            layers.push(Linear::new(weight, Some(bias)));
        }
        Ok(Self { layers, parameters })
    }

    pub(crate) fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// Scores [n, 10] for pixels [n, 64].
    pub(crate) fn scores(&self, pixels: &Tensor) -> Result<Tensor> {
        let mut x = pixels.clone();
        for (index, layer) in self.layers.iter().enumerate() {
            x = layer.forward(&x)?;
            if index + 1 < self.layers.len() {
                x = x.relu()?;
            }
        }
        Ok(x)
    }
}

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPSILON: f64 = 1e-8;
const DECAY: f64 = 0.01;

/// AdamW with its moments in the open.
pub(crate) struct AdamW {
    states: Vec<Moments>,
    /// Steps taken.
    step: u64,
}

/// A parameter and its two running means.
pub(crate) struct Moments {
    pub(crate) parameter: Parameter,
    /// Of the gradient.
    pub(crate) first: Tensor,
    /// Of its square.
    pub(crate) second: Tensor,
}

impl AdamW {
    /// At rest.
    pub(crate) fn new(network: &Network) -> Result<Self> {
        Self::from_tensors(network, 0, |_, value| value.zeros_like())
    }

    /// After `step` steps, with what `tensor("NAME.first" or "NAME.second", parameter)` returns.
    pub(crate) fn from_tensors<E>(
        network: &Network,
        step: u64,
        tensor: impl Fn(&str, &Tensor) -> std::result::Result<Tensor, E>,
    ) -> std::result::Result<Self, E> {
        let moments = |parameter: &Parameter| {
            Ok(Moments {
                first: tensor(&format!("{}.first", parameter.name), &parameter.value)?,
                second: tensor(&format!("{}.second", parameter.name), &parameter.value)?,
                parameter: parameter.clone(),
            })
        };
        Ok(Self { states: network.parameters().iter().map(moments).collect::<std::result::Result<_, E>>()?, step })
    }

    pub(crate) fn moments(&self) -> &[Moments] {
        &self.states
    }

    pub(crate) fn step(&self) -> u64 {
        self.step
    }

    /// One step along `gradients`.
    pub(crate) fn update(&mut self, gradients: &GradStore, learning_rate: f64) -> Result<()> {
        self.step += 1;
        let unbias = |beta: f64| 1.0 / (1.0 - beta.powf(self.step as f64));
        let (unbias1, unbias2) = (unbias(BETA1), unbias(BETA2));
        for Moments { parameter, first, second } in &mut self.states {
            let Some(gradient) = gradients.get(&parameter.value) else { continue };
            *first = ((&*first * BETA1)? + (gradient * (1.0 - BETA1))?)?.detach();
            *second = ((&*second * BETA2)? + (gradient.sqr()? * (1.0 - BETA2))?)?.detach();
            let direction = ((&*first * unbias1)? / ((&*second * unbias2)?.sqrt()? + EPSILON)?)?;
            let kept = if parameter.decays { 1.0 - learning_rate * DECAY } else { 1.0 };
            let value = ((parameter.value.as_tensor() * kept)? - (direction * learning_rate)?)?;
            parameter.value.set(&value)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_optimizer_takes_the_steps_of_candles_own() {
        use candle_nn::optim::{Optimizer, ParamsAdamW};
        let (ours, theirs) = (Network::random(5, 1).unwrap(), Network::random(5, 1).unwrap());
        let mut adam = AdamW::new(&ours).unwrap();
        // candle's decays all tensors alike, so it gets the weights only.
        let weights = |network: &Network| -> Vec<Var> {
            network
                .parameters()
                .iter()
                .filter(|parameter| parameter.decays)
                .map(|parameter| parameter.value.clone())
                .collect()
        };
        let settings = ParamsAdamW { lr: 0.01, beta1: BETA1, beta2: BETA2, eps: EPSILON, weight_decay: DECAY };
        let mut reference = candle_nn::AdamW::new(weights(&theirs), settings).unwrap();
        for round in 0..5 {
            for (a, b) in weights(&ours).iter().zip(weights(&theirs)) {
                let difference = (a.as_tensor() - b.as_tensor()).unwrap().abs().unwrap().max_all().unwrap();
                assert!(difference.to_scalar::<f32>().unwrap() < 1e-6, "after {round} steps");
            }
            // A loss of the weights alone, so that the two see the same gradients.
            let loss = |network: &Network| {
                let terms = weights(network).iter().map(|weight| weight.sqr()?.sum_all()).collect::<Result<Vec<_>>>();
                Tensor::stack(&terms.unwrap(), 0).unwrap().sum_all().unwrap()
            };
            adam.update(&loss(&ours).backward().unwrap(), 0.01).unwrap();
            reference.backward_step(&loss(&theirs)).unwrap();
        }
        assert_eq!(adam.step(), 5);
    }
}
