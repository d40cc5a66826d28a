//! Any bytes, cut where the first byte says: no panic, a state within its limit, the same as in one piece.
//! Run with `cargo +nightly fuzz run reader` in crates/progress.
#![no_main]

use footplate_progress::line::{Readable, ReadableOptions};
use footplate_progress::{Options, Reader, STATE_LIMIT};
use libfuzzer_sys::fuzz_target;

const NOW: i64 = 1_800_000_000_000;

fuzz_target!(|data: &[u8]| {
    let Some((first, bytes)) = data.split_first() else { return };
    let cut = bytes.len() * usize::from(*first) / 255;
    let mut whole = Reader::new(Options::default()).expect("no patterns");
    whole.feed(bytes, NOW, &mut ());

    let mut pieces = Reader::new(Options::default()).expect("no patterns");
    pieces.feed(&bytes[..cut], NOW, &mut ());
    let saved = pieces.save();
    assert!(saved.len() <= STATE_LIMIT);
    let mut pieces = Reader::restore(Options::default(), &saved).expect("what was saved can be restored");
    let from = usize::try_from(pieces.offset()).expect("within the input");
    pieces.feed(&bytes[from..], NOW, &mut ());
    assert!(whole.save() == pieces.save());
    whole.finish(NOW, &mut ());

    let mut readable = Readable::new(ReadableOptions { colour: first % 2 == 0, line_bytes: 256 });
    let mut check = |line: &footplate_progress::line::ReadableLine<'_>| {
        assert!(!line.text.replace("\x1b[", "").chars().any(|c| c.is_control() && c != '\t'));
    };
    readable.feed(bytes, &mut check);
    readable.finish(&mut check);

    if let Ok(mut restored) = Reader::restore(Options::default(), data) {
        restored.feed(b"\r 50%|#  | 1/2 [00:01<00:01, 1.00it/s]\n\x1b[A", NOW, &mut ());
        restored.finish(NOW, &mut ());
    }
});
