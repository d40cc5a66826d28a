//! `footplate-sample`: trains a small network on handwritten digits, so that there is something real to queue, watch,
//! interrupt and resume on the first day, offline.
//!
//! It knows nothing of Footplate but the stdout protocol (`##PROGRESS##{json}##`): no crate of ours, no environment
//! variable, no signal handler. SIGTERM just ends it; the last checkpoint stands.

mod checkpoint;
mod confusion;
mod data;
mod evaluate;
mod fault;
mod files;
mod network;
mod picture;
mod prepare;
mod protocol;
mod rng;
mod train;

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Trains a small network on 1,797 scanned handwritten digits.
#[derive(Parser)]
#[command(name = "footplate-sample", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Unpack and check the digits, and split them into a training part (80 %) and a held-out part (20 %).
    Prepare(Prepare),
    /// Train the network; writes a checkpoint after each epoch and the model at the end.
    Train(Train),
    /// Measure a model on the held-out digits: accuracy and a confusion matrix.
    Evaluate(Evaluate),
}

#[derive(clap::Args)]
struct Prepare {
    /// Folder for train.safetensors and heldout.safetensors; made if missing.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Decides which digits are held out.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Other digits of the same form (64 values 0-16 and a label a line; CSV, or gzip of it) in place of the built-in ones.
    #[arg(long, value_name = "FILE")]
    source: Option<PathBuf>,
}

#[derive(clap::Args)]
struct Train {
    /// The folder that `prepare` wrote.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Folder for model.safetensors and ckpt/epoch-NNNN.safetensors; made if missing.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Passes over the training digits.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    epochs: u32,
    /// Highest learning rate; it falls to a hundredth of this along half a cosine.
    #[arg(long, default_value_t = 0.001, value_parser = learning_rate)]
    lr: f64,
    /// Units in each of the two hidden layers.
    #[arg(long, default_value_t = 512, value_parser = clap::value_parser!(u32).range(1..=4096))]
    hidden: u32,
    /// Digits a step.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=1024))]
    batch: u32,
    /// Decides the first weights, the order of the digits and how each is shifted and turned.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Keep this many of the newest checkpoints; 0 keeps all.
    #[arg(long, default_value_t = 3, value_name = "N")]
    keep: u32,
    /// Go on from this checkpoint instead of starting anew.
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
    /// Let no step take less than this many milliseconds (to watch, or to pretend a slower machine).
    #[arg(long, default_value_t = 0, value_name = "MS", value_parser = clap::value_parser!(u64).range(0..=60_000))]
    pace: u64,
}

#[derive(clap::Args)]
struct Evaluate {
    /// The folder that `prepare` wrote.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// A model or a checkpoint that `train` wrote.
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    /// Folder for confusion.png; made if missing.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// A positive, finite number.
fn learning_rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate.is_finite() && rate > 0.0 => Ok(rate),
        Ok(_) => Err("the learning rate must be above 0".to_owned()),
        Err(_) => Err("not a number".to_owned()),
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match &arguments.verb {
        Verb::Prepare(options) => prepare::run(options),
        Verb::Train(options) => train::run(options),
        Verb::Evaluate(options) => evaluate::run(options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // Nobody reads any more (`| head`): there is no one to tell.
        Err(fault::Fault::Stdout(gone)) if gone.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        Err(fault) => {
            let mut stderr = std::io::stderr().lock();
            let (red, plain) = if stderr.is_terminal() { ("\x1b[31m", "\x1b[0m") } else { ("", "") };
            let _ = writeln!(stderr, "{red}error:{plain} {fault}");
            ExitCode::FAILURE
        }
    }
}
