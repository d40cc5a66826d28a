//! The confusion matrix as a PNG: blue on the diagonal, orange beside it, each cell with its count.

use crate::confusion::Confusion;
use crate::data::LABELS;
use crate::fault::Fault;

const CELL: usize = 46;
const LEFT: usize = 64;
const TOP: usize = 92;
const EDGE: usize = 20;
const WIDTH: usize = LEFT + LABELS * CELL + EDGE;
const HEIGHT: usize = TOP + LABELS * CELL + EDGE;

type Colour = [u8; 3];
const PAPER: Colour = [255, 255, 255];
const INK: Colour = [32, 36, 44];
const EMPTY: Colour = [243, 244, 246];
const RIGHT: Colour = [37, 99, 168];
const WRONG: Colour = [217, 95, 14];

/// 5x7 glyphs, a row a byte, the left pixel in bit 4.
const GLYPHS: [(char, [u8; 7]); 29] = [
    ('0', [0x0E, 0x11, 0x13, 0x15, 0x19, 0x11, 0x0E]),
    ('1', [0x04, 0x0C, 0x04, 0x04, 0x04, 0x04, 0x0E]),
    ('2', [0x0E, 0x11, 0x01, 0x02, 0x04, 0x08, 0x1F]),
    ('3', [0x1F, 0x02, 0x04, 0x02, 0x01, 0x11, 0x0E]),
    ('4', [0x02, 0x06, 0x0A, 0x12, 0x1F, 0x02, 0x02]),
    ('5', [0x1F, 0x10, 0x1E, 0x01, 0x01, 0x11, 0x0E]),
    ('6', [0x06, 0x08, 0x10, 0x1E, 0x11, 0x11, 0x0E]),
    ('7', [0x1F, 0x01, 0x02, 0x04, 0x08, 0x08, 0x08]),
    ('8', [0x0E, 0x11, 0x11, 0x0E, 0x11, 0x11, 0x0E]),
    ('9', [0x0E, 0x11, 0x11, 0x0F, 0x01, 0x02, 0x0C]),
    ('A', [0x0E, 0x11, 0x11, 0x1F, 0x11, 0x11, 0x11]),
    ('C', [0x0E, 0x11, 0x10, 0x10, 0x10, 0x11, 0x0E]),
    ('D', [0x1C, 0x12, 0x11, 0x11, 0x11, 0x12, 0x1C]),
    ('E', [0x1F, 0x10, 0x10, 0x1E, 0x10, 0x10, 0x1F]),
    ('F', [0x1F, 0x10, 0x10, 0x1E, 0x10, 0x10, 0x10]),
    ('G', [0x0E, 0x11, 0x10, 0x17, 0x11, 0x11, 0x0F]),
    ('H', [0x11, 0x11, 0x11, 0x1F, 0x11, 0x11, 0x11]),
    ('I', [0x0E, 0x04, 0x04, 0x04, 0x04, 0x04, 0x0E]),
    ('N', [0x11, 0x11, 0x19, 0x15, 0x13, 0x11, 0x11]),
    ('O', [0x0E, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0E]),
    ('P', [0x1E, 0x11, 0x11, 0x1E, 0x10, 0x10, 0x10]),
    ('R', [0x1E, 0x11, 0x11, 0x1E, 0x14, 0x12, 0x11]),
    ('S', [0x0F, 0x10, 0x10, 0x0E, 0x01, 0x01, 0x1E]),
    ('T', [0x1F, 0x04, 0x04, 0x04, 0x04, 0x04, 0x04]),
    ('U', [0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0E]),
    ('%', [0x18, 0x19, 0x02, 0x04, 0x08, 0x13, 0x03]),
    ('.', [0x00, 0x00, 0x00, 0x00, 0x00, 0x0C, 0x0C]),
    (':', [0x00, 0x0C, 0x0C, 0x00, 0x0C, 0x0C, 0x00]),
    (' ', [0; 7]),
];

/// The bytes of a PNG file, RGB, 8 bits a channel.
pub(crate) fn draw(counts: &Confusion) -> Result<Vec<u8>, Fault> {
    let mut canvas = Canvas { pixels: PAPER.repeat(WIDTH * HEIGHT) };
    let percent = 100.0 * counts.accuracy();
    canvas.text(&format!("{} OF {} READ RIGHT: {percent:.1} %", counts.right(), counts.total()), LEFT, 14, 2, INK);
    canvas.text("READ AS", LEFT, 42, 2, INK);
    canvas.text("TRUE", 8, TOP - 24, 2, INK);
    for digit in 0..LABELS {
        let name = digit.to_string();
        canvas.centred(&name, LEFT + digit * CELL + CELL / 2, TOP - 18, 3, INK);
        canvas.centred(&name, LEFT / 2, TOP + digit * CELL + CELL / 2, 3, INK);
    }
    for (row, line) in counts.0.iter().enumerate() {
        let of = line.iter().sum::<usize>().max(1) as f32;
        for (column, &count) in line.iter().enumerate() {
            let (left, top) = (LEFT + column * CELL, TOP + row * CELL);
            // A single misreading must still be seen.
            let weight = if count == 0 { 0.0 } else { 0.25 + 0.75 * count as f32 / of };
            let colour = blend(EMPTY, if row == column { RIGHT } else { WRONG }, weight);
            canvas.fill(left + 1, top + 1, CELL - 2, colour);
            if count > 0 {
                let ink = if weight > 0.55 { PAPER } else { INK };
                canvas.centred(&count.to_string(), left + CELL / 2, top + CELL / 2, 2, ink);
            }
        }
    }
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, WIDTH as u32, HEIGHT as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&canvas.pixels)?;
    writer.finish()?;
    Ok(bytes)
}

fn blend(from: Colour, to: Colour, part: f32) -> Colour {
    std::array::from_fn(|channel| {
        let (from, to) = (f32::from(from[channel]), f32::from(to[channel]));
        (from + (to - from) * part).round() as u8
    })
}

struct Canvas {
    pixels: Vec<u8>,
}

impl Canvas {
    fn fill(&mut self, left: usize, top: usize, size: usize, colour: Colour) {
        for y in top..(top + size).min(HEIGHT) {
            for x in left..(left + size).min(WIDTH) {
                self.pixels[(y * WIDTH + x) * 3..][..3].copy_from_slice(&colour);
            }
        }
    }

    fn text(&mut self, text: &str, left: usize, top: usize, scale: usize, colour: Colour) {
        for (place, wanted) in text.chars().enumerate() {
            let Some((_, rows)) = GLYPHS.iter().find(|(glyph, _)| *glyph == wanted) else { continue };
            for (y, row) in rows.iter().enumerate() {
                for x in (0..5).filter(|x| row & (0x10 >> x) != 0) {
                    self.fill(left + (place * 6 + x) * scale, top + y * scale, scale, colour);
                }
            }
        }
    }

    fn centred(&mut self, text: &str, x: usize, y: usize, scale: usize, colour: Colour) {
        let width = (text.chars().count() * 6 - 1) * scale;
        self.text(text, x - width / 2, y - 7 * scale / 2, scale, colour);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_is_a_png_whose_cells_have_their_colours() {
        let mut counts = Confusion::default();
        (0..LABELS).for_each(|digit| counts.0[digit][digit] = 30);
        counts.0[3][8] = 1;
        let bytes = draw(&counts).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.width as usize, info.height as usize), (WIDTH, HEIGHT));
        let cell = |row: usize, column: usize| {
            let (x, y) = (LEFT + column * CELL + 4, TOP + row * CELL + 4);
            [0, 1, 2].map(|channel| pixels[(y * WIDTH + x) * 3 + channel])
        };
        assert_eq!(cell(0, 0), RIGHT);
        assert_eq!(cell(0, 1), EMPTY);
        assert_eq!(cell(3, 8), blend(EMPTY, WRONG, 0.25 + 0.75 / 31.0));
    }

    #[test]
    fn every_sign_that_is_drawn_has_a_glyph() {
        for sign in "0123456789 OF READ RIGHT: . % READ AS TRUE".chars() {
            assert!(GLYPHS.iter().any(|(glyph, _)| *glyph == sign), "{sign:?}");
        }
    }
}
