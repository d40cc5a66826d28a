//! Wishes as every verb that has one asks them: written down, then waited for until the effect is there.

use std::time::Duration;

use clap::Args;
use footplate_core::definition::Stage;
use footplate_core::{ErrorCode, Fault};
use footplate_engine::client::{Client, Resolved, Wish, WishAnswer, WishRequest};
use serde_json::json;

use crate::context::Context;
use crate::stop::{self, Answer, Stop};
use crate::text::{visible, when};

/// Whether to wait for the effect.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(crate) struct Waits {
    /// Only write the wish down; do not wait for its effect
    #[arg(long)]
    no_wait: bool,
}

/// How long the effect is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    /// 10 seconds.
    Usual,
    /// The longest grace of the run's stages, and 5 seconds.
    Grace,
}

const USUAL: Duration = Duration::from_secs(10);
const AFTER_GRACE: Duration = Duration::from_secs(5);

/// Asks the same of several runs: all wishes are written before the first is waited for, so that they take effect together.
/// The exit code is that of the first refusal.
pub(crate) fn of_runs(context: &Context, runs: &[String], waits: Waits, limit: Limit, wish: &Wish) -> Answer {
    let mut client = context.client()?;
    let mut asked = Vec::new();
    let mut code = 0;
    for text in runs {
        match one(context, &mut client, text, wish) {
            Ok((run, id)) => asked.push((run, id)),
            Err(fault) => refuse(context, &fault, &mut code),
        }
    }
    for (run, id) in asked {
        let answer = if waits.no_wait { None } else { wait(&client, &run, &id, limit)? };
        match answer {
            Some(answer) if answer.done => done(context, &run, wish, &answer)?,
            Some(answer) => refuse(context, &refusal(answer), &mut code),
            None if waits.no_wait => requested(context, &run, wish)?,
            None => refuse(context, &unanswered(&format!("#{}", run.number), wish), &mut code),
        }
    }
    Ok(code)
}

/// Asks something that concerns no run.
pub(crate) fn of_all(context: &Context, client: &mut Client, waits: Waits, wish: Wish) -> Answer {
    let (kind, _) = wish.to_row();
    let id = client.wish(WishRequest::general(wish.clone()))?;
    let answer = if waits.no_wait { None } else { client.await_answer(&id, USUAL)? };
    match answer {
        Some(answer) if answer.done => {
            say(context, &json!({ "done": true, "message": answer.message }), &answer.message)?;
        }
        Some(answer) => return Err(refusal(answer).into()),
        None if waits.no_wait => {
            say(context, &json!({ "done": false, "message": "requested" }), &format!("{kind} requested"))?;
        }
        None => return Err(unanswered("the owner", &wish).into()),
    }
    Ok(0)
}

fn one(context: &Context, client: &mut Client, text: &str, wish: &Wish) -> Result<(Resolved, String), Fault> {
    let run = resolve(context, client, text)?;
    if let Wish::Cancel { stage: Some(stage) }
    | Wish::Retry { from: Some(stage), .. }
    | Wish::Resume { stage: Some(stage), .. } = wish
    {
        check_stage(client, run.number, stage)?;
    }
    let id = client.wish(WishRequest::of(run.number, wish.clone()))?;
    Ok((run, id))
}

/// A stage that the run has.
///
/// # Errors
/// `not_found`, with the nearest name or all of them.
pub(crate) fn check_stage(client: &Client, number: i64, asked: &str) -> Result<(), Fault> {
    let stages = client.definition(number)?.definition.stages;
    let names = || stages.keys().map(String::as_str);
    if names().any(|name| name == asked) {
        return Ok(());
    }
    let fault = Fault::new(ErrorCode::NotFound, format!("#{number} has no stage {asked:?}"));
    Err(match footplate_spec::nearest(asked, names()) {
        Some(near) => fault.hint(format!("did you mean {near:?}?")),
        None => fault.hint(format!("stages: {}", names().take(50).collect::<Vec<_>>().join(", "))),
    })
}

/// The run that a text means; says so where the name means several.
pub(crate) fn resolve(context: &Context, client: &Client, text: &str) -> Result<Resolved, Fault> {
    let run = client.resolve(text)?;
    if let Some(note) = &run.note {
        context.remark(&visible(note));
    }
    Ok(run)
}

fn wait(client: &Client, run: &Resolved, id: &str, limit: Limit) -> Result<Option<WishAnswer>, Fault> {
    let limit = match limit {
        Limit::Usual => USUAL,
        Limit::Grace => grace(client, run.number)? + AFTER_GRACE,
    };
    client.await_answer(id, limit)
}

fn done(context: &Context, run: &Resolved, wish: &Wish, answer: &WishAnswer) -> Result<(), Stop> {
    let object = if matches!(wish, Wish::Retry { .. }) {
        json!({ "id": run.id, "number": run.number, "name": run.name })
    } else {
        json!({ "id": run.id, "number": run.number, "name": run.name, "done": true, "message": answer.message })
    };
    let number = format!("#{}", run.number);
    let said = answer.message.trim();
    // The owner's sentence may begin with the run itself.
    let text = if said.contains(&number) { said.to_owned() } else { format!("{number} {said}") };
    say(context, &object, text.trim_end_matches('.'))
}

fn requested(context: &Context, run: &Resolved, wish: &Wish) -> Result<(), Stop> {
    let (kind, _) = wish.to_row();
    let object = if matches!(wish, Wish::Retry { .. }) {
        json!({ "id": run.id, "number": run.number, "name": run.name })
    } else {
        json!({ "id": run.id, "number": run.number, "name": run.name, "done": false, "message": "requested" })
    };
    say(context, &object, &format!("#{} {kind} requested", run.number))
}

fn say(context: &Context, object: &serde_json::Value, text: &str) -> Result<(), Stop> {
    if context.json {
        context.print_json_line(object)
    } else {
        context.print(&format!("{}\n", visible(&when::local(text))))
    }
}

fn refuse(context: &Context, fault: &Fault, code: &mut u8) {
    stop::tell(fault, context.json);
    if *code == 0 {
        *code = fault.code.exit_code();
    }
}

fn refusal(answer: WishAnswer) -> Fault {
    Fault::new(answer.code.unwrap_or(ErrorCode::Conflict), answer.message)
}

fn unanswered(whom: &str, wish: &Wish) -> Fault {
    let (kind, _) = wish.to_row();
    Fault::new(
        ErrorCode::NoAnswer,
        format!("{kind} of {whom}: requested, but not answered in time; it stays on record"),
    )
    .hint("footplate doctor says whether an owner is at work")
    .hint("footplate show tells what became of it")
}

/// The longest that a stop of one of a run's stages may take.
fn grace(client: &Client, number: i64) -> Result<Duration, Fault> {
    let definition = client.definition(number)?.definition;
    Ok(Duration::from_millis(definition.stages.values().map(Stage::stop_ms).max().unwrap_or(0)))
}
