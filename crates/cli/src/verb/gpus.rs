//! `footplate gpus`.

use clap::{Args, ValueEnum};
use footplate_core::gpu::{Gpu, GpuUser};
use footplate_engine::client::Wish;

use crate::context::Context;
use crate::stop::Answer;
use crate::text::{Align, Cell, Table, when};
use crate::wish::{self, Waits};

/// Show the GPUs and who uses them, or whether programs of others count
///
/// A stage with `gpus` gets GPUs that no other stage holds and on which no program of others computes with more than 1 GiB. It sees
/// no others: CUDA_VISIBLE_DEVICES is set, unless you set it yourself.
#[derive(Debug, Args)]
pub(crate) struct Gpus {
    /// Give GPUs to stages whatever programs of others do on them: yes or no
    #[arg(long, value_name = "YES|NO")]
    ignore_others: Option<YesNo>,
    #[command(flatten)]
    waits: Waits,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum YesNo {
    Yes,
    No,
}

impl Gpus {
    pub(crate) fn run(&self, context: &Context) -> Answer {
        let mut client = context.client()?;
        if let Some(answer) = self.ignore_others {
            let ignore_others = answer == YesNo::Yes;
            return wish::of_all(context, &mut client, self.waits, Wish::Gpus { ignore_others });
        }
        let found = client.gpus()?;
        if context.json {
            context.print_json(&found)?;
        } else if found.gpus.is_empty() {
            context.remark("no GPU was found");
        } else {
            context.print(&table(&found.gpus).render(context.colour, context.columns()))?;
            if found.ignore_others {
                context.print("\nPrograms of others do not keep stages from a GPU.\n")?;
            }
        }
        Ok(0)
    }
}

fn table(gpus: &[Gpu]) -> Table {
    let mut table = Table::new(&[
        ("GPU", Align::Right),
        ("NAME", Align::Left),
        ("MEMORY", Align::Right),
        ("OF", Align::Right),
        ("BUSY", Align::Right),
        ("HEAT", Align::Right),
        ("RUN", Align::Left),
        ("USED BY", Align::Left),
        ("ID", Align::Left),
    ])
    .flexible(&[7, 1])
    .optional(&[8]);
    for gpu in gpus {
        let users = if gpu.silent {
            vec!["does not answer its driver".to_owned()]
        } else {
            gpu.users.iter().map(user).collect()
        };
        table.row(vec![
            gpu.index.to_string().into(),
            Cell::new(&gpu.name),
            gpu.memory_used.map(when::size).unwrap_or_default().into(),
            gpu.memory_total.map(when::size).unwrap_or_default().into(),
            gpu.busy.map(when::percent).unwrap_or_default().into(),
            gpu.temperature.map(|degrees| format!("{degrees} °C")).unwrap_or_default().into(),
            gpu.run.map(|run| format!("#{run}")).unwrap_or_default().into(),
            users.join(", ").into(),
            Cell::new(&gpu.id),
        ]);
    }
    table
}

fn user(user: &GpuUser) -> String {
    let name = if user.name.is_empty() { "a program" } else { &user.name };
    let of = user.run.map(|run| format!(" of #{run}")).unwrap_or_default();
    let memory = user.memory.map(|bytes| format!(" {}", when::size(bytes))).unwrap_or_default();
    format!("{name}{of} (pid {}){memory}", user.pid)
}
