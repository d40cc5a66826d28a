//! `prepare`: digits in, two files out.

use crate::data::{self, About, Digits};
use crate::fault::Fault;
use crate::protocol;

/// The share that training never sees.
const HELD_OUT: f64 = 0.2;

pub(crate) fn run(options: &crate::Prepare) -> Result<(), Fault> {
    protocol::progress(0, 3, "unpacking the digits")?;
    let digits = data::load(options.source.as_deref())?;
    protocol::progress(1, 3, "splitting")?;
    let (train, heldout) = digits.split(HELD_OUT, options.seed);
    protocol::progress(2, 3, "writing")?;
    let write = |part: &str, digits: &Digits, source| {
        let about = About { part: part.to_owned(), seed: options.seed, source };
        digits.write(&options.out.join(format!("{part}.safetensors")), &about)
    };
    write("train", &train, digits.fingerprint())?;
    write("heldout", &heldout, digits.fingerprint())?;
    protocol::progress(3, 3, &format!("{} digits to train on, {} held out", train.len(), heldout.len()))?;
    protocol::text(&format!("{} digits: {} to train on, {} held out", digits.len(), train.len(), heldout.len()))?;
    protocol::output("train_digits", train.len())?;
    protocol::output("heldout_digits", heldout.len())
}
