//! M10: how soon the end of a long log is there.

use std::time::Duration;

use footplate_benches::figures::{Better, Line, show as table};
use footplate_e2e::{Desk, PATIENCE};
use footplate_testkit::until;
use serde_json::json;

use crate::{Plan, Trouble};

const LONG: u64 = 1_000_000;

/// The milliseconds from going to a place until its last line is painted, and what that line says.
const OPENED: &str = "const [place, wanted, done] = arguments;
    const began = performance.now(); location.hash = place;
    const look = () => {
        const lines = document.querySelectorAll('.log .l');
        const last = lines[lines.length - 1];
        if (last && last.innerText.includes(wanted)) {
            // The frame after this one shows it.
            requestAnimationFrame(() => done(performance.now() - began));
        } else requestAnimationFrame(look);
    };
    look();";

/// A log of a million lines, opened in an app that has not seen it, and again.
pub(crate) fn show(plan: &Plan) -> Result<(), Trouble> {
    let desk = Desk::new();
    let program = plan.program("footplate-bench-child").display().to_string();
    let number = desk.bench.add(&["--name", "long"], &[program.as_str(), "flood", "plain", &LONG.to_string()]);
    desk.bench.until_status(number, "completed", Duration::from_secs(120));
    let place = json!(format!("#/run/{number}/log"));
    let last = json!(format!("step {} of {LONG}", LONG - 1));
    let mut first = Line::new("opened for the first time").goal(150.0);
    let mut again = Line::new("opened again").goal(150.0);
    for _ in 0..plan.rounds {
        let driver = desk.driver();
        let window = driver.open(&plan.program("footplate-app"));
        window.shows("long");
        for line in [&mut first, &mut again] {
            let ms = window.answer(OPENED, &[place.clone(), last.clone()])?;
            line.samples.add(ms.as_f64().ok_or("no time")?);
            window.go("queue");
            until(PATIENCE, "the log is closed", || !window.has(".log"));
        }
        window.close();
        // The driver ends it a moment later; one that stays would be asked for the next window.
        until(PATIENCE, "the app has ended", || desk.app_process().is_none());
    }
    table(&format!("M10  the end of a log of {LONG} lines is painted"), "ms", Better::Less, false, &[first, again]);
    Ok(())
}
