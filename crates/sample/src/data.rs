//! The digits: unpacking, checking, splitting, distorting, and the two files that `prepare` writes.

use std::io::Read;
use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde::{Deserialize, Serialize};

use crate::fault::Fault;
use crate::files::{Packed, pack, write_whole};
use crate::rng::{Purpose, Rng};

/// Pixels a side.
pub(crate) const SIDE: usize = 8;
/// Pixels a digit.
pub(crate) const PIXELS: usize = SIDE * SIDE;
/// The digits 0 to 9.
pub(crate) const LABELS: usize = 10;
/// The brightest pixel.
const BRIGHTEST: u8 = 16;
/// No honest file of digits is larger, unpacked; a gzip bomb is.
const MOST_BYTES: u64 = 64 << 20;
/// With fewer of a label, a held-out fifth says nothing.
const FEWEST_PER_LABEL: usize = 10;

const BUILT_IN: &[u8] = include_bytes!("../data/digits.csv.gz");

/// Digits in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Digits {
    /// [`PIXELS`] values 0-16 a digit, one digit after the other.
    pixels: Vec<u8>,
    labels: Vec<u8>,
    /// Line in the original file, from 0.
    rows: Vec<u32>,
}

/// What a part is, kept in its file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct About {
    /// `train` or `heldout`.
    pub(crate) part: String,
    /// The seed of the split.
    pub(crate) seed: u64,
    /// CRC-32 of the digits that were split.
    pub(crate) source: u32,
}

impl Digits {
    pub(crate) fn len(&self) -> usize {
        self.labels.len()
    }

    pub(crate) fn labels(&self) -> &[u8] {
        &self.labels
    }

    fn image(&self, index: usize) -> &[u8] {
        &self.pixels[index * PIXELS..(index + 1) * PIXELS]
    }

    /// CRC-32 over pixels and labels: tells whether two trainings saw the same digits.
    pub(crate) fn fingerprint(&self) -> u32 {
        let mut crc = flate2::Crc::new();
        crc.update(&self.pixels);
        crc.update(&self.labels);
        crc.sum()
    }

    /// Those at `indices`, in that order.
    fn pick(&self, indices: &[usize]) -> Self {
        Self {
            pixels: indices.iter().flat_map(|&index| self.image(index)).copied().collect(),
            labels: indices.iter().map(|&index| self.labels[index]).collect(),
            rows: indices.iter().map(|&index| self.rows[index]).collect(),
        }
    }

    /// Sets `share` of each label apart, chosen by `seed`; returns (the rest, those set apart), both in the file's order.
    pub(crate) fn split(&self, share: f64, seed: u64) -> (Self, Self) {
        let (mut rest, mut apart) = (Vec::new(), Vec::new());
        for label in 0..LABELS {
            let mut of_label: Vec<usize> =
                (0..self.len()).filter(|&index| usize::from(self.labels[index]) == label).collect();
            Rng::of(seed, Purpose::Split, label as u64).shuffle(&mut of_label);
            let cut = (of_label.len() as f64 * share).round() as usize;
            apart.extend_from_slice(&of_label[..cut]);
            rest.extend_from_slice(&of_label[cut..]);
        }
        rest.sort_unstable();
        apart.sort_unstable();
        (self.pick(&rest), self.pick(&apart))
    }

    /// Appends digit `index` to `into` as it is, 0 to 1 a pixel.
    pub(crate) fn plain(&self, index: usize, into: &mut Vec<f32>) {
        into.extend(self.image(index).iter().map(|&pixel| f32::from(pixel) / f32::from(BRIGHTEST)));
    }

    /// Appends digit `index` to `into`, shifted by up to 0.9 pixels, turned by up to 12 degrees and scaled by up to 12 %,
    /// as another hand might have written it.
    pub(crate) fn distorted(&self, index: usize, rng: &mut Rng, into: &mut Vec<f32>) {
        let image = self.image(index);
        let (shift_x, shift_y) = (0.9 * rng.signed(), 0.9 * rng.signed());
        let turn = 12f32.to_radians() * rng.signed();
        let scale = 1.0 + 0.12 * rng.signed();
        let (sin, cos) = (turn.sin() / scale, turn.cos() / scale);
        let middle = (SIDE as f32 - 1.0) / 2.0;
        let ink = |x: i32, y: i32| {
            let inside = (0..SIDE as i32).contains(&x) && (0..SIDE as i32).contains(&y);
            if inside { f32::from(image[y as usize * SIDE + x as usize]) } else { 0.0 }
        };
        for row in 0..SIDE {
            for column in 0..SIDE {
                let (dx, dy) = (column as f32 - middle, row as f32 - middle);
                let x = middle + shift_x + cos * dx - sin * dy;
                let y = middle + shift_y + sin * dx + cos * dy;
                let (left, top) = (x.floor(), y.floor());
                let (right_part, lower_part) = (x - left, y - top);
                let (left, top) = (left as i32, top as i32);
                let upper = ink(left, top) * (1.0 - right_part) + ink(left + 1, top) * right_part;
                let lower = ink(left, top + 1) * (1.0 - right_part) + ink(left + 1, top + 1) * right_part;
                into.push((upper * (1.0 - lower_part) + lower * lower_part) / f32::from(BRIGHTEST));
            }
        }
    }

    /// Writes the digits as one safetensors file: `pixels` [n, 64], `labels` [n], `rows` [n].
    pub(crate) fn write(&self, path: &Path, about: &About) -> Result<(), Fault> {
        let rows: Vec<u8> = self.rows.iter().flat_map(|row| row.to_le_bytes()).collect();
        let tensors = vec![
            ("pixels".to_owned(), TensorView::new(Dtype::U8, vec![self.len(), PIXELS], &self.pixels)?),
            ("labels".to_owned(), TensorView::new(Dtype::U8, vec![self.len()], &self.labels)?),
            ("rows".to_owned(), TensorView::new(Dtype::U32, vec![self.len()], &rows)?),
        ];
        write_whole(path, &pack(tensors, about)?)
    }

    /// Reads and checks what [`Digits::write`] wrote.
    pub(crate) fn read(path: &Path) -> Result<(Self, About), Fault> {
        let file = Packed::read(path, "digits", "Run `footplate-sample prepare` and give its --out here as --data.")?;
        let about = file.about()?;
        let tensors = file.tensors()?;
        let bytes = |name: &str, kind: Dtype| {
            let tensor = tensors.tensor(name).map_err(|error| file.broken(error))?;
            if tensor.dtype() == kind {
                Ok(tensor.data().to_vec())
            } else {
                Err(file.broken(format!("`{name}` is {}, not {kind}", tensor.dtype())))
            }
        };
        let (pixels, labels) = (bytes("pixels", Dtype::U8)?, bytes("labels", Dtype::U8)?);
        let rows = bytes("rows", Dtype::U32)?;
        let rows: Vec<u32> =
            rows.chunks_exact(4).map(|row| u32::from_le_bytes([row[0], row[1], row[2], row[3]])).collect();
        if labels.is_empty() || pixels.len() != labels.len() * PIXELS || rows.len() != labels.len() {
            return Err(file.broken("the number of pixels, labels and rows does not fit"));
        }
        if pixels.iter().any(|&pixel| pixel > BRIGHTEST) || labels.iter().any(|&label| usize::from(label) >= LABELS) {
            return Err(file.broken("a pixel is above 16 or a label above 9"));
        }
        Ok((Self { pixels, labels, rows }, about))
    }
}

/// The built-in digits, or those of `source`: unpacked, read and checked.
pub(crate) fn load(source: Option<&Path>) -> Result<Digits, Fault> {
    const HINT: &str = "Each line needs 64 values from 0 to 16 and a label from 0 to 9, separated by commas.";
    let built_in = Path::new("built in");
    let path = source.unwrap_or(built_in);
    let broken = |why| Fault::Broken { what: "digits", path: path.to_owned(), why, hint: HINT };
    let bytes = match source {
        None => BUILT_IN.to_vec(),
        Some(path) => std::fs::read(path).map_err(|source| Fault::Read {
            what: "digits",
            path: path.to_owned(),
            source,
            hint: HINT,
        })?,
    };
    parse(&unpack(bytes).map_err(broken)?).map_err(broken)
}

/// Undoes gzip where the two magic bytes say so.
fn unpack(bytes: Vec<u8>) -> Result<Vec<u8>, String> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes);
    }
    let mut plain = Vec::new();
    let read = flate2::read::GzDecoder::new(bytes.as_slice()).take(MOST_BYTES + 1).read_to_end(&mut plain);
    read.map_err(|error| format!("it does not unpack ({error})"))?;
    if plain.len() as u64 > MOST_BYTES {
        return Err(format!("it is larger than {} MiB unpacked", MOST_BYTES >> 20));
    }
    Ok(plain)
}

fn parse(bytes: &[u8]) -> Result<Digits, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is no text".to_owned())?;
    let mut digits = Digits::default();
    for (row, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let at = row + 1;
        let before = digits.pixels.len();
        for (place, field) in line.split(',').enumerate() {
            let value: u8 =
                field.trim().parse().map_err(|_| format!("line {at} has {field:?} where a number is due"))?;
            match place {
                0..PIXELS if value <= BRIGHTEST => digits.pixels.push(value),
                0..PIXELS => return Err(format!("line {at} has a pixel of {value}; the brightest is {BRIGHTEST}")),
                PIXELS if usize::from(value) < LABELS => digits.labels.push(value),
                PIXELS => return Err(format!("line {at} has the label {value}")),
                _ => return Err(format!("line {at} has more than {} values", PIXELS + 1)),
            }
        }
        if digits.pixels.len() - before != PIXELS || digits.labels.len() * PIXELS != digits.pixels.len() {
            return Err(format!("line {at} has fewer than {} values", PIXELS + 1));
        }
        digits.rows.push(u32::try_from(row).map_err(|_| "it has too many lines".to_owned())?);
    }
    for label in 0..LABELS {
        let count = digits.labels.iter().filter(|&&found| usize::from(found) == label).count();
        if count < FEWEST_PER_LABEL {
            return Err(format!("it has {count} of the digit {label}, at least {FEWEST_PER_LABEL} are needed"));
        }
    }
    Ok(digits)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_built_in_digits_are_the_published_ones() {
        let digits = load(None).unwrap();
        assert_eq!(digits.len(), 1797);
        // Counts a label, as the UCI page lists them for the test part.
        let mut counts = [0; LABELS];
        digits.labels().iter().for_each(|&label| counts[usize::from(label)] += 1);
        assert_eq!(counts, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
        assert_eq!(&digits.image(0)[..8], &[0, 0, 5, 13, 9, 1, 0, 0]);
    }

    #[test]
    fn a_split_is_deterministic_disjoint_complete_and_fair_to_each_label() {
        let digits = load(None).unwrap();
        let (train, heldout) = digits.split(0.2, 1);
        assert_eq!(digits.split(0.2, 1), (train.clone(), heldout.clone()));
        assert_ne!(digits.split(0.2, 2).1.rows, heldout.rows);

        let rows = |part: &Digits| part.rows.iter().copied().collect::<BTreeSet<u32>>();
        assert!(rows(&train).is_disjoint(&rows(&heldout)));
        assert_eq!(rows(&train).len() + rows(&heldout).len(), digits.len());
        for (index, &row) in heldout.rows.iter().enumerate() {
            assert_eq!(heldout.image(index), digits.image(row as usize));
            assert_eq!(heldout.labels[index], digits.labels[row as usize]);
        }
        for label in 0..LABELS as u8 {
            let of = |part: &Digits| part.labels.iter().filter(|&&found| found == label).count() as f64;
            let share = of(&heldout) / of(&digits);
            assert!((share - 0.2).abs() < 0.01, "{label}: {share}");
        }
    }

    #[test]
    fn a_part_is_read_back_as_it_was_written() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("heldout.safetensors");
        let (_, heldout) = load(None).unwrap().split(0.2, 3);
        let about = About { part: "heldout".to_owned(), seed: 3, source: 42 };
        heldout.write(&path, &about).unwrap();
        let first = std::fs::read(&path).unwrap();
        assert_eq!(Digits::read(&path).unwrap(), (heldout.clone(), about.clone()));
        heldout.write(&path, &about).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), first, "the same content, the same bytes");
    }

    #[test]
    fn a_distorted_digit_keeps_its_ink_and_is_another_picture() {
        let digits = load(None).unwrap();
        let mut rng = Rng::of(1, Purpose::Epoch, 1);
        let (mut plain, mut distorted) = (Vec::new(), Vec::new());
        for index in 0..200 {
            digits.plain(index, &mut plain);
            digits.distorted(index, &mut rng, &mut distorted);
        }
        assert_eq!(plain.len(), distorted.len());
        assert_ne!(plain, distorted);
        assert!(distorted.iter().all(|pixel| (0.0..=1.0).contains(pixel)));
        let ratio = distorted.iter().sum::<f32>() / plain.iter().sum::<f32>();
        assert!((0.8..1.2).contains(&ratio), "{ratio}");
    }

    #[test]
    fn each_fault_of_a_source_is_named_with_its_line() {
        let good = "1,".repeat(PIXELS);
        let cases = [
            (format!("{good}3\n{good}x\n"), "line 2 has \"x\" where a number is due"),
            (format!("{good}11\n"), "line 1 has the label 11"),
            (format!("17,{}3\n", "1,".repeat(PIXELS - 1)), "line 1 has a pixel of 17; the brightest is 16"),
            (format!("{good}3,4\n"), "line 1 has more than 65 values"),
            ("1,2,3\n".to_owned(), "line 1 has fewer than 65 values"),
            (format!("{good}3\n"), "it has 0 of the digit 0, at least 10 are needed"),
            (String::new(), "it has 0 of the digit 0, at least 10 are needed"),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text.as_bytes()).unwrap_err(), expected);
        }
        assert_eq!(parse(&[0xff, 0xfe]).unwrap_err(), "it is no text");
        let cut = BUILT_IN[..BUILT_IN.len() / 2].to_vec();
        assert!(unpack(cut).unwrap_err().starts_with("it does not unpack"));
    }
}
