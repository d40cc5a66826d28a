//! Shows what a captured output tells: `cargo run -p footplate-progress --example show -- FILE`.

use footplate_progress::line::{Readable, ReadableOptions};
use footplate_progress::{Checkpoint, Note, Options, Point, Reader, Sink};

struct Print;

impl Sink for Print {
    fn point(&mut self, p: Point<'_>) {
        println!("  point {} step {:?} epoch {:?} = {}", p.name, p.step, p.epoch, p.value);
    }
    fn checkpoint(&mut self, c: Checkpoint) {
        println!("  checkpoint {c:?}");
    }
    fn note(&mut self, note: Note) {
        println!("  note {note:?}");
    }
}

fn main() -> std::io::Result<()> {
    for path in std::env::args().skip(1) {
        println!("== {path}");
        let bytes = std::fs::read(path)?;
        let mut reader = Reader::new(Options::default()).expect("no patterns");
        let mut before = None;
        for byte in &bytes {
            reader.feed(&[*byte], 0, &mut Print);
            let s = reader.state();
            let now = (s.step, s.total, s.progress, s.overall_progress, s.epoch, s.epochs, s.eta_s, s.rate);
            if before.as_ref() != Some(&now) {
                println!("{now:?} {:?}", s.inner_stage);
                before = Some(now);
            }
        }
        reader.finish(0, &mut Print);
        println!("{:?}", reader.state());
        let mut readable = Readable::new(ReadableOptions::default());
        let mut print = |line: &footplate_progress::line::ReadableLine<'_>| println!("{:>6} {}", line.start, line.text);
        readable.feed(&bytes, &mut print);
        readable.finish(&mut print);
    }
    Ok(())
}
