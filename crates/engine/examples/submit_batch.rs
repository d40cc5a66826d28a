//! Submits many runs at once to a new data folder and says how long it took: `cargo run --release -p footplate-engine
//! --example submit_batch -- 50000`. Starts nothing.

use std::sync::Arc;

use footplate_core::Fault;
use footplate_core::definition::Definition;
use footplate_engine::client::{Client, OwnerStart, Submit};
use footplate_engine::environment::Captured;
use footplate_engine::home::Home;
use footplate_shim::clock;

fn main() -> Result<(), Fault> {
    let count: usize = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(10_000);
    let place = std::env::current_dir().unwrap_or_default().join(format!("submit-batch.{}", std::process::id()));
    let mut client = Client::open_with(Home::at(&place)?, OwnerStart::Never)?;
    let environment = Arc::new(Captured::current());
    let definition = |n: usize| -> Result<Definition, Fault> {
        let value = serde_json::json!({
            "format": 1, "name": "add", "stages": { "main": { "command": ["python", "train.py", "--seed", n.to_string()] } }
        });
        serde_json::from_value(value).map_err(|e| Fault::new(footplate_core::ErrorCode::Invalid, e.to_string()))
    };
    let cwd = std::env::temp_dir();
    let start = clock::running_ms();
    let runs = client.submit_batch(
        &mut (0..count).map(|n| Ok(Submit::new(definition(n)?, cwd.clone(), Arc::clone(&environment)))),
    )?;
    let ms = (clock::running_ms() - start).max(1);
    println!("{} runs in {ms} ms: {} a second", runs.len(), runs.len() as u64 * 1000 / ms);
    drop(client);
    let _ = std::fs::remove_dir_all(place);
    Ok(())
}
