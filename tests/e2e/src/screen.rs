//! The pixels of a screen without a monitor, as Xvfb keeps them in a file: what is painted is seen without asking anybody.

use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Bytes of a line of 1,280 pixels; of eight lines one is looked at, so that a look costs next to nothing.
const LINE: usize = 1280 * 4;
/// What an empty screen is of.
const EMPTY: &[u8] = &[0; 4];
const STEP: u64 = 8 * LINE as u64;

/// A screen.
#[derive(Debug)]
pub struct Screen {
    file: File,
}

/// Every eighth line of a screen at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look(Vec<u8>);

impl Screen {
    pub(crate) fn open(path: &Path) -> Screen {
        let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Screen { file }
    }

    /// What is there now.
    #[must_use]
    pub fn look(&self) -> Look {
        let mut pixels = Vec::new();
        let mut line = [0; LINE];
        let mut at = 0;
        while self.file.read_exact_at(&mut line, at).is_ok() {
            pixels.extend_from_slice(&line);
            at += STEP;
        }
        Look(pixels)
    }
}

impl Look {
    fn pixels(&self) -> impl Iterator<Item = &[u8]> {
        self.0.chunks_exact(4)
    }

    /// How far this one is from another: the pixels that are not the same, as a share of the other's ink, which are its pixels in
    /// any but its commonest colour and that of an empty screen. 0 is the same; an empty screen is far more than 1 from a page.
    #[must_use]
    pub fn differs(&self, other: &Look) -> f64 {
        let mut colours: HashMap<&[u8], u32> = HashMap::new();
        for pixel in other.pixels() {
            *colours.entry(pixel).or_default() += 1;
        }
        let ground = colours.iter().max_by_key(|(_, count)| **count).map(|(colour, _)| *colour);
        let ink = colours.iter().filter(|(colour, _)| Some(**colour) != ground && **colour != EMPTY);
        let ink: u32 = ink.map(|(_, count)| count).sum();
        let others = self.pixels().zip(other.pixels()).filter(|(here, there)| here != there).count();
        others as f64 / f64::from(ink.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_a_share_of_the_ink() {
        let look = |pixels: &[u8]| Look(pixels.iter().flat_map(|pixel| [*pixel; 4]).collect());
        let page = look(&[9, 9, 9, 9, 1, 2, 0, 0]);
        assert_eq!(page.differs(&page), 0.0);
        assert_eq!(look(&[9, 9, 9, 9, 1, 9, 0, 0]).differs(&page), 0.5);
        assert_eq!(look(&[0; 8]).differs(&page), 3.0);
        assert_eq!(page.differs(&look(&[0; 8])), 6.0);
    }
}
