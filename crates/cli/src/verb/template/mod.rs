//! `footplate template`.

mod look;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use footplate_core::{ErrorCode, Fault};
use footplate_engine::templates::consent::{self, Trust};
use footplate_engine::templates::own::{self, Name};
use footplate_engine::{archive, templates};
use serde_json::json;

use crate::context::Context;
use crate::stop::Answer;
use crate::text::{visible, when};
use crate::wish::resolve;

/// List templates, or make, share and allow one
#[derive(Debug, Args)]
pub(crate) struct Template {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// All templates: built-in ones, and your own
    List,
    /// What a template would run and read; runs nothing
    Show {
        /// The template
        name: String,
    },
    /// Allow a template from elsewhere to run, as it is now; asked again after any change
    Consent {
        /// The template
        name: String,
        /// Only if its content still is the one that `show` told
        #[arg(long, value_name = "HASH")]
        hash: Option<String>,
    },
    /// Unpack a .footplate archive among your templates; it may run nothing before `consent`
    Import {
        /// The archive
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Its name [default: as it calls itself]
        #[arg(long, value_name = "N")]
        name: Option<String>,
    },
    /// Write a template as a .footplate archive, to give it to others
    Export {
        /// The template
        name: String,
        /// The archive [default: NAME.footplate in this folder]
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
        /// In the place of a file that is there
        #[arg(long)]
        force: bool,
    },
    /// Make a template of a folder with footplate.toml, or of a run
    Add {
        /// The folder; all of it is copied
        #[arg(value_name = "FOLDER", required_unless_present = "run", conflicts_with = "run")]
        folder: Option<PathBuf>,
        /// A run, by number, id or name: its pipeline, with its values as defaults
        #[arg(long, value_name = "RUN")]
        run: Option<String>,
        /// Its name [default: the pipeline's]
        #[arg(long, value_name = "N")]
        name: Option<String>,
        /// What people read [default: the pipeline's]
        #[arg(long, value_name = "TEXT", requires = "run")]
        title: Option<String>,
    },
    /// Give one of your templates another name
    Rename {
        /// The template
        name: String,
        /// Its new name
        #[arg(value_name = "NEW")]
        to: String,
    },
    /// Remove templates of your own; runs that were made of them stay
    Rm {
        /// The templates
        #[arg(value_name = "NAME", required = true)]
        names: Vec<String>,
    },
}

impl Template {
    pub(crate) fn run(&self, context: &Context) -> Answer {
        match &self.what {
            None | Some(What::List) => look::list(context),
            Some(What::Show { name }) => look::show(context, name),
            Some(What::Consent { name, hash }) => allow(context, name, hash.as_deref()),
            Some(What::Import { file, name }) => import(context, file, name.as_deref()),
            Some(What::Export { name, file, force }) => export(context, name, file.clone(), *force),
            Some(What::Add { folder, run, name, title }) => match (folder, run) {
                (Some(folder), _) => {
                    let home = context.home()?;
                    let name = own::add(&home, folder, named(name.as_deref()), true)?;
                    told(context, &name, "added", Trust::Allowed)
                }
                (None, Some(run)) => {
                    let client = context.client()?;
                    let number = resolve(context, &client, run)?.number;
                    let name = templates::keep_run(&client, number, name.as_deref(), title.as_deref())?;
                    told(context, &name, "added", consent::trust(client.home(), &name))
                }
                (None, None) => Err(Fault::new(ErrorCode::Usage, "no folder is named").into()),
            },
            Some(What::Rename { name, to }) => {
                let home = context.home()?;
                own::rename(&home, name, to)?;
                told(context, to, "renamed", consent::trust(&home, to))
            }
            Some(What::Rm { names }) => {
                let home = context.home()?;
                for name in names {
                    own::remove(&home, name)?;
                    told(context, name, "removed", Trust::Allowed)?;
                }
                Ok(0)
            }
        }
    }
}

fn named(name: Option<&str>) -> Name<'_> {
    name.map_or(Name::Own, Name::Exactly)
}

fn import(context: &Context, file: &std::path::Path, name: Option<&str>) -> Answer {
    let home = context.home()?;
    let name = own::import(&home, file, named(name))?;
    if context.json {
        context.print_json(&consent::view(&home, &name)?)?;
        return Ok(0);
    }
    context.print(&format!("imported {name}; it has run nothing\n\n"))?;
    look::show(context, &name)
}

fn allow(context: &Context, name: &str, hash: Option<&str>) -> Answer {
    let client = context.client()?;
    let view = consent::view(client.home(), name)?;
    client.consent(name, hash.unwrap_or(&view.hash))?;
    told(context, name, "allowed", Trust::Allowed)
}

fn export(context: &Context, name: &str, file: Option<PathBuf>, force: bool) -> Answer {
    let home = context.home()?;
    let file = file.unwrap_or_else(|| PathBuf::from(format!("{name}.{}", archive::EXTENSION)));
    if file.is_dir() || file.exists() && !force {
        let message = format!("{} is there already.", file.display());
        return Err(Fault::new(ErrorCode::Conflict, message).hint("--force puts the archive in its place").into());
    }
    own::export(&home, name, &file)?;
    let size = std::fs::metadata(&file)?.len();
    if context.json {
        context.print_json(&json!({ "name": name, "file": file, "size_bytes": size }))?;
    } else {
        context.print(&format!("wrote {} ({})\n", visible(&file.to_string_lossy()), when::size(size)))?;
    }
    Ok(0)
}

fn told(context: &Context, name: &str, done: &str, trust: Trust) -> Answer {
    if context.json {
        context.print_json_line(&json!({ "name": name, "done": done, "trust": trust }))?;
    } else {
        context.print(&format!("{done} {name}\n"))?;
        if trust == Trust::Asks {
            context.remark(&format!("it may run after: footplate template consent {name}"));
        }
    }
    Ok(0)
}
