//! The tray's icon, drawn: a dial of 270 degrees, after icons/tray.svg. On macOS black and alpha, which the system tints;
//! elsewhere in colours that stand on a light and on a dark panel.

/// What it tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Face {
    /// Nothing runs.
    Idle,
    /// So far it is.
    Percent(u8),
    /// All that is active is paused.
    Paused(u8),
    /// Something ended badly.
    NeedsLook,
}

/// Pixels a side: 18 points twice as fine on macOS; panels of Linux scale down.
const SIDE: u32 = 44;
/// The drawing's own units a side.
const UNITS: f64 = 18.0;

const GREY: [u8; 3] = [0xA8, 0xA1, 0x99];
const EMBER: [u8; 3] = [0xE8, 0x76, 0x2D];
const RED: [u8; 3] = [0xE5, 0x48, 0x4D];

/// RGBA pixels, row by row, and how many a side.
pub(crate) fn draw(face: Face, template: bool) -> (Vec<u8>, u32) {
    let ink = |colour: [u8; 3]| if template { [0, 0, 0] } else { colour };
    let mut pixels = Vec::with_capacity((SIDE * SIDE * 4) as usize);
    let scale = UNITS / f64::from(SIDE);
    let share = match face {
        Face::Percent(percent) | Face::Paused(percent) => f64::from(percent.min(100)) / 100.0,
        Face::Idle | Face::NeedsLook => 0.0,
    };
    for row in 0..SIDE {
        for column in 0..SIDE {
            let (x, y) = ((f64::from(column) + 0.5) * scale, (f64::from(row) + 0.5) * scale);
            // How much of the pixel a shape covers, by its distance from the shape's edge.
            let cover = |distance: f64| (0.5 - distance / scale).clamp(0.0, 1.0);
            let mut layers: Vec<([u8; 3], f64)> = Vec::new();
            layers.push((ink(GREY), 0.42 * cover(arc(x, y, 1.0))));
            if share > 0.0 {
                layers.push((ink(EMBER), cover(arc(x, y, share))));
            }
            match face {
                Face::Idle | Face::NeedsLook => {
                    layers.push((ink(GREY), cover(segment(x, y, (9.0, 9.4), (9.0, 9.4)) - 1.7)));
                }
                Face::Percent(_) => {
                    let (dx, dy) = direction(share);
                    let needle = segment(x, y, (9.0, 9.4), (9.0 + dx * 3.4, 9.4 + dy * 3.4)) - 0.9;
                    let hub = segment(x, y, (9.0, 9.4), (9.0, 9.4)) - 1.7;
                    layers.push((ink(GREY), cover(needle.min(hub))));
                }
                Face::Paused(_) => {
                    let bar = |at: f64| segment(x, y, (at, 7.6), (at, 11.2)) - 0.9;
                    layers.push((ink(GREY), cover(bar(7.4).min(bar(10.6)))));
                }
            }
            let mut pixel = blend(&layers);
            if face == Face::NeedsLook {
                let from_dot = ((x - 14.2).powi(2) + (y - 3.8).powi(2)).sqrt();
                // A clear border keeps it apart from the ring.
                pixel.1 *= 1.0 - cover(from_dot - 4.2);
                pixel = blend(&[pixel, (ink(RED), cover(from_dot - 3.0))]);
            }
            let (colour, alpha) = pixel;
            pixels.extend(colour);
            pixels.push((alpha * 255.0).round() as u8);
        }
    }
    (pixels, SIDE)
}

/// One over the other, straight alpha.
fn blend(layers: &[([u8; 3], f64)]) -> ([u8; 3], f64) {
    let (mut colour, mut alpha) = ([0.0; 3], 0.0);
    for (layer, cover) in layers {
        let under = alpha * (1.0 - cover);
        for (sum, part) in colour.iter_mut().zip(layer) {
            *sum = *sum * (1.0 - cover) + f64::from(*part) * cover;
        }
        alpha = under + cover;
    }
    let whole = if alpha > 0.0 { alpha } else { 1.0 };
    (colour.map(|part: f64| (part / whole).round().clamp(0.0, 255.0) as u8), alpha.min(1.0))
}

/// Where a share of the dial points: 135 degrees is its beginning, lower left.
fn direction(share: f64) -> (f64, f64) {
    let angle = (135.0 + 270.0 * share).to_radians();
    (angle.cos(), angle.sin())
}

/// The distance from a share of the ring.
fn arc(x: f64, y: f64, share: f64) -> f64 {
    const RADIUS: f64 = 6.6;
    const HALF: f64 = 1.1;
    let (dx, dy) = (x - 9.0, y - 9.4);
    let along = (dy.atan2(dx).to_degrees() - 135.0).rem_euclid(360.0);
    if along <= 270.0 * share {
        return (dx.hypot(dy) - RADIUS).abs() - HALF;
    }
    let end = |share: f64| {
        let (ex, ey) = direction(share);
        (dx - ex * RADIUS).hypot(dy - ey * RADIUS) - HALF
    };
    end(0.0).min(end(share))
}

/// The distance from a line between two points.
fn segment(x: f64, y: f64, from: (f64, f64), to: (f64, f64)) -> f64 {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let length = dx * dx + dy * dy;
    let at = if length > 0.0 { (((x - from.0) * dx + (y - from.1) * dy) / length).clamp(0.0, 1.0) } else { 0.0 };
    (x - from.0 - dx * at).hypot(y - from.1 - dy * at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coverage(face: Face, template: bool, colour: [u8; 3]) -> usize {
        let (pixels, _) = draw(face, template);
        pixels.chunks(4).filter(|pixel| pixel[..3] == colour && pixel[3] > 200).count()
    }

    #[test]
    fn the_ring_grows_and_the_template_is_black() {
        let (pixels, side) = draw(Face::Percent(40), false);
        assert_eq!(pixels.len(), (side * side * 4) as usize);
        let ember = |percent: u8| coverage(Face::Percent(percent), false, EMBER);
        assert!(ember(0) == 0 && ember(20) > 20 && ember(60) > 2 * ember(20) && ember(100) > ember(60));
        assert!(coverage(Face::NeedsLook, false, RED) > 40);
        for face in [Face::Idle, Face::Percent(50), Face::Paused(50), Face::NeedsLook] {
            let (pixels, _) = draw(face, true);
            assert!(pixels.chunks(4).all(|pixel| pixel[..3] == [0, 0, 0]), "{face:?}");
        }
        assert_ne!(draw(Face::Paused(50), true), draw(Face::Percent(50), true));
    }
}
