//! The TypeScript of what crosses to the view: generated from here, committed in `ui/src/bindings/core.ts`.
//!
//! `FOOTPLATE_WRITE_BINDINGS=1 cargo test -p footplate-core --features ts --test bindings` writes it anew.

use std::fmt::Write as _;
use std::path::Path;

use footplate_core::alert::{AlertAction, AlertFacts, AlertKind, AlertRule, AlertWhen, Better, Figure};
use footplate_core::compare::{ComparedMetric, ComparedRun, ComparedValue, Comparison, Measured};
use footplate_core::definition::{
    Checkpoints, Definition, OnFailure, OnInterrupt, Param, ParamKind, Resources, Retries, RetryOn, SaveSignal, Stage,
};
use footplate_core::event::{AlertChange, Event};
use footplate_core::gpu::{Gpu, GpuUser};
use footplate_core::notice::{NoticeKind, WebhookForm, WebhookView};
use footplate_core::quantity::{ByteSize, Span};
use footplate_core::report::{AttemptReport, ErrorReport, Report, StageReport};
use footplate_core::storage::{LostRun, Moved, Restored, StorageView};
use footplate_core::timetable::{
    CatchUp, Missed, Overlap, ScheduleKind, ScheduleRun, ScheduleView, ScheduledBy, SchedulesView,
};
use footplate_core::usage::{Usage, UsagePoint};
use footplate_core::view::{
    AlertView, AttemptView, Diagnosis, DiskLevel, DiskView, Failure, Note, QueueView, RunView, StageView, Submitted,
    Waiting,
};
use footplate_core::{AttemptStatus, ErrorCode, Fault, RunId, RunStatus, StageStatus, UtcMs};
use ts_rs::{Config, TS};

macro_rules! declarations {
    ($config:expr; $($name:ty),+ $(,)?) => {{
        let mut text = String::new();
        $(writeln!(text, "export {}\n", <$name>::decl($config)).unwrap();)+
        text
    }};
}

#[test]
fn the_bindings_of_the_view_are_those_of_core() {
    let config = Config::new().with_large_int("number");
    let body = declarations!(&config;
        RunId, UtcMs, Span, ByteSize, RunStatus, StageStatus, AttemptStatus, ErrorCode, Fault, Waiting, Diagnosis, Failure, Note,
        AlertWhen, Better, AlertAction, AlertKind, Figure, AlertFacts, AlertView, AlertRule, AlertChange,
        CatchUp, Overlap, ScheduleKind, Missed, ScheduleRun, ScheduledBy, ScheduleView, SchedulesView,
        Usage, UsagePoint, Gpu, GpuUser, RunView, StageView, AttemptView, QueueView, DiskLevel, DiskView, Submitted, LostRun, Restored, Moved, StorageView, Event, NoticeKind, WebhookForm, WebhookView, ComparedRun, ComparedValue, Measured, ComparedMetric, Comparison, Report, StageReport, AttemptReport, ErrorReport, OnFailure,
        ParamKind, Param, RetryOn, Retries, OnInterrupt, Resources, SaveSignal, Checkpoints, Stage, Definition,
    );
    // What serde_json calls any value.
    let head = "// Generated from crates/core by its test `bindings`. Do not edit.\n\n\
        export type JsonValue = number | string | boolean | JsonValue[] | { [key in string]?: JsonValue } | null;\n\n";
    let text = format!("{head}{}\n", body.trim_end());
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui/src/bindings/core.ts");
    if std::env::var_os("FOOTPLATE_WRITE_BINDINGS").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == text,
        "ui/src/bindings/core.ts is stale. Write it anew with\n  \
         FOOTPLATE_WRITE_BINDINGS=1 cargo test -p footplate-core --features ts --test bindings"
    );
}
