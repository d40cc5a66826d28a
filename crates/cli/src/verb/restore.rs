//! `footplate restore`.

use clap::Args;
use footplate_core::{ErrorCode, Fault};
use footplate_engine::client::{self, OwnerStart, Wish};
use footplate_engine::rescue::{Preview, preview};
use footplate_engine::{Client, Home, backup};
use serde_json::json;

use crate::context::Context;
use crate::stop::Answer;
use crate::text::table::{Align, Table};
use crate::text::{storage, visible, when};
use crate::wish::{self, Waits};

/// Restore the store from a backup and the runs' folders
///
/// Without --yes it only says what would be. A damaged store is restored by itself; this is for going back by hand. All folders of
/// attempts are read first, programs at work are found again, and the store as it is now is kept beside under a dated name.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("what").args(["list", "report", "seen", "yes"])))]
pub(crate) struct Restore {
    /// The backup, as --list names it [default: the newest that checks out]
    #[arg(value_name = "BACKUP", conflicts_with_all = ["list", "report", "seen"])]
    backup: Option<String>,
    /// Do it
    #[arg(long)]
    yes: bool,
    /// List the backups
    #[arg(long)]
    list: bool,
    /// Tell what the last restore did
    #[arg(long)]
    report: bool,
    /// Put the report of the last restore away
    #[arg(long)]
    seen: bool,
}

impl Restore {
    pub(crate) fn run(&self, context: &Context) -> Answer {
        if self.seen {
            return wish::of_all(context, &mut context.client()?, Waits::default(), Wish::RestoreSeen {});
        }
        let home = context.home()?;
        if self.list {
            return list(context, &home);
        }
        if self.report {
            return report(context, &home);
        }
        let name = self.backup.as_deref().unwrap_or_default();
        let would = preview(&home, name)?;
        if !self.yes {
            return show(context, &would);
        }
        client::restore(&home, would.backup.as_deref().unwrap_or_default())?;
        report(context, &home)
    }
}

fn list(context: &Context, home: &Home) -> Answer {
    let all = backup::list(home);
    if context.json {
        context.print_json(&all)?;
        return Ok(0);
    }
    if all.is_empty() {
        context.remark("no backups yet; the owner makes one each hour in which something changes");
        return Ok(0);
    }
    let mut table = Table::new(&[("BACKUP", Align::Left), ("MADE", Align::Left), ("SIZE", Align::Right)]);
    for one in &all {
        table.row(vec![one.name.clone().into(), when::moment(one.at).into(), when::size(one.bytes).into()]);
    }
    context.print(&table.render(context.colour, context.columns()))?;
    Ok(0)
}

fn report(context: &Context, home: &Home) -> Answer {
    let client = Client::open_with(home.clone(), OwnerStart::Never)?;
    let Some(restored) = client.storage()?.restored else {
        return Err(Fault::new(ErrorCode::NotFound, "The store was not restored, or its report was put away.").into());
    };
    if context.json {
        context.print_json(&restored)?;
    } else {
        context.print(&storage::in_full(&restored))?;
    }
    Ok(0)
}

fn show(context: &Context, would: &Preview) -> Answer {
    if context.json {
        context.print_json(&json!({ "done": false, "would": would }))?;
        return Ok(0);
    }
    let from = match (&would.backup, would.at) {
        (Some(name), Some(at)) => format!("from {} of {}, with {} runs", visible(name), when::moment(at), would.runs),
        _ => "from the runs' folders alone: there is no backup that checks out".to_owned(),
    };
    let now = match would.runs_now {
        Some(runs) => format!("The store has {runs} runs now"),
        None => "The store cannot be read now".to_owned(),
    };
    let without = if would.readable {
        "runs without a folder are taken over from the store as it is now; what has not started becomes a draft"
    } else {
        "runs that never started since then are lost"
    };
    context.print(&format!(
        "{now}. It would be restored {from}\n\
         {} runs that are not in there would be rebuilt from their folders; {without}\n\
         Nothing was done; --yes does it\n",
        would.from_folders
    ))?;
    Ok(0)
}
