//! `footplate schedule set`.

use clap::Args;
use footplate_core::{ErrorCode, Fault};
use footplate_engine::client::ScheduleEdit;

use super::add::{CatchUp, Overlap};
use super::look;
use crate::context::Context;
use crate::input::bounds;
use crate::stop::Answer;
use crate::text::visible;

/// Change a schedule's times, rules and values where it stands
///
/// What is not named stays, and so do its runs and the times it missed. A time that is due in that moment is started once.
///
/// footplate schedule set nightly --when "0 4 * * 1-5" -p epochs=40
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Set {
    /// The schedule
    name: String,
    /// When: "30 2 * * *", @daily or "every 6h"
    #[arg(long, value_name = "WHEN")]
    when: Option<String>,
    /// The time zone, for example Europe/Berlin
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
    /// What becomes of times that went by while the machine slept or was off: one run for all, or none
    #[arg(long, value_name = "RULE", value_enum)]
    catch_up: Option<CatchUp>,
    /// What becomes of a start while the last run has not ended: it is left out, or one is queued behind
    #[arg(long, value_name = "RULE", value_enum)]
    overlap: Option<Overlap>,
    /// A parameter's value; may be given several times
    #[arg(short, long = "param", value_name = "K=V", value_parser = bounds::pair)]
    params: Vec<(String, String)>,
    /// A parameter that is to be as the pipeline says again; may be given several times
    #[arg(long, value_name = "K")]
    unset: Vec<String>,
    /// Another name for it
    #[arg(long, value_name = "NAME")]
    rename: Option<String>,
}

impl Set {
    pub(super) fn run(&self, context: &Context) -> Answer {
        let mut client = context.client()?;
        let mut edit = ScheduleEdit {
            name: self.rename.clone(),
            timing: self.when.clone(),
            zone: self.zone.clone(),
            catch_up: self.catch_up.map(Into::into),
            overlap: self.overlap.map(Into::into),
            unset: self.unset.clone(),
            ..ScheduleEdit::default()
        };
        if !self.params.is_empty() {
            let definition = client.schedule_definition(&self.name)?;
            let given = self.params.iter().map(|(name, text)| (name.as_str(), text.as_str()));
            edit.params = footplate_spec::typed_all(&definition, given).map_err(|p| p.fault(&definition.name))?;
        }
        if edit == ScheduleEdit::default() {
            let fault = Fault::new(ErrorCode::Usage, "nothing is to be changed");
            return Err(fault.hint("for example --when \"30 2 * * *\" or -p epochs=40").into());
        }
        let made = client.edit_schedule(&self.name, &edit)?;
        if context.json {
            context.print_json(&made)?;
        } else {
            context.print(&format!("{}: due {}\n", visible(&made.name), look::next(&made)))?;
        }
        Ok(0)
    }
}
