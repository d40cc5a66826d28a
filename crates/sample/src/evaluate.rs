//! `evaluate`: what the model makes of digits it has never seen.

use crate::checkpoint::{self, Restored};
use crate::confusion::Confusion;
use crate::data::Digits;
use crate::fault::Fault;
use crate::files::write_whole;
use crate::{picture, protocol, train};

pub(crate) fn run(options: &crate::Evaluate) -> Result<(), Fault> {
    protocol::progress(0, 3, "reading the model")?;
    let Restored { network, about } = checkpoint::read_model(&options.model)?;
    let (digits, _) = Digits::read(&options.data.join("heldout.safetensors"))?;
    protocol::progress(1, 3, &format!("reading {} held-out digits", digits.len()))?;
    let counts = Confusion::count(digits.labels(), &train::read_labels(&network, &digits)?);
    protocol::progress(2, 3, "drawing the confusion matrix")?;
    let path = options.out.join("confusion.png");
    write_whole(&path, &picture::draw(&counts)?)?;

    let (right, total, accuracy) = (counts.right(), counts.total(), counts.accuracy());
    let summary = format!("{right} of {total} held-out digits read right: accuracy {accuracy:.4}");
    protocol::text(&format!("\n{}\n\n{summary} (after {} epochs)", counts.text(), about.epoch))?;
    protocol::progress(3, 3, &summary)?;
    protocol::output("accuracy", accuracy)?;
    protocol::output("confusion", path.to_string_lossy().into_owned())
}
