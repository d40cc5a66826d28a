//! `footplate disk`.

use clap::Args;
use footplate_core::quantity::ByteSize;
use footplate_core::view::DiskLevel;
use footplate_engine::client::Wish;
use footplate_engine::disk::in_words;

use crate::context::Context;
use crate::input::bounds;
use crate::stop::Answer;
use crate::wish::{self, Waits};

/// Show the room on the disk, or change the marks that keep it
///
/// Below the warning mark nothing new starts; below the critical one what runs is paused, and goes on when there is room.
/// Until they are set they follow the disk's size: a tenth of it, 5 GiB at most, and a hundredth, 512 MiB at most.
#[derive(Debug, Args)]
pub(crate) struct Disk {
    /// Start nothing below this, for example 10GB; 0 for never
    #[arg(long, value_name = "SIZE", value_parser = bounds::bytes)]
    warning: Option<ByteSize>,
    /// Pause what runs below this; 0 for never
    #[arg(long, value_name = "SIZE", value_parser = bounds::bytes)]
    critical: Option<ByteSize>,
    #[command(flatten)]
    waits: Waits,
}

impl Disk {
    pub(crate) fn run(&self, context: &Context) -> Answer {
        let mut client = context.client()?;
        if self.warning.is_some() || self.critical.is_some() {
            let (warning, critical) = (self.warning.map(|mark| mark.0), self.critical.map(|mark| mark.0));
            return wish::of_all(context, &mut client, self.waits, Wish::Disk { warning, critical });
        }
        let disk = client.disk()?;
        if context.json {
            context.print_json(&disk)?;
            return Ok(0);
        }
        let size = |bytes| ByteSize(bytes).rounded();
        let now = match disk.level {
            DiskLevel::Enough => "",
            DiskLevel::Low => "; nothing starts now",
            DiskLevel::Critical => "; nothing starts now, and what runs is paused",
        };
        let (free, total) = (size(disk.free), size(disk.total));
        context.print(&format!("{free} of {total} free{now}\n{}\n", in_words(&disk)))?;
        Ok(0)
    }
}
