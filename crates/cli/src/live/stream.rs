//! What is watched, for programs: one object a line.

use footplate_core::UtcMs;
use footplate_core::view::RunView;
use footplate_shim::clock;

use super::Painter;
use crate::context::Context;
use crate::stop::Stop;

/// After so long without a line a sign of life is given, milliseconds.
const HEARTBEAT_MS: u64 = 15_000;

/// Each run as `show --json` does: all at first, then each that is another than before; `{"heartbeat": ".."}` in silence.
pub(super) struct Stream<'a> {
    context: &'a Context,
    last: Vec<String>,
    /// When the last line was written, on the running clock.
    written: u64,
    heartbeat_ms: u64,
}

impl<'a> Stream<'a> {
    /// Nothing was told yet.
    pub(super) fn new(context: &'a Context) -> Stream<'a> {
        let shorter = std::env::var("FOOTPLATE_TEST_HEARTBEAT_MS").ok().and_then(|ms| ms.parse().ok());
        let heartbeat_ms = shorter.unwrap_or(HEARTBEAT_MS);
        Stream { context, last: Vec::new(), written: clock::running_ms(), heartbeat_ms }
    }
}

impl Painter for Stream<'_> {
    fn paint(&mut self, runs: &[RunView]) -> Result<(), Stop> {
        let now = clock::running_ms();
        let before = self.written;
        self.last.resize(runs.len(), String::new());
        for (run, last) in runs.iter().zip(&mut self.last) {
            let text = serde_json::to_string(run).map_err(std::io::Error::from)?;
            if *last != text {
                self.context.print(&format!("{text}\n"))?;
                *last = text;
                self.written = now;
            }
        }
        if self.written == before && now.saturating_sub(before) >= self.heartbeat_ms {
            self.context.print_json_line(&serde_json::json!({ "heartbeat": UtcMs(clock::wall_ms()) }))?;
            self.written = now;
        }
        Ok(())
    }

    fn say(&mut self, _: &str) {}

    fn end(&mut self) {}
}
