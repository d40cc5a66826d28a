// Generated from crates/core by its test `bindings`. Do not edit.

export type JsonValue = number | string | boolean | JsonValue[] | { [key in string]?: JsonValue } | null;

export type RunId = string;

export type UtcMs = string;

export type Span = string;

export type ByteSize = string;

export type RunStatus = "draft" | "queued" | "running" | "paused" | "completed" | "failed" | "cancelled" | "interrupted";

export type StageStatus = "waiting" | "queued" | "running" | "retrying" | "held" | "completed" | "cached" | "skipped" | "failed" | "cancelled" | "interrupted";

export type AttemptStatus = "launching" | "running" | "stopping" | "completed" | "failed" | "timed_out" | "cancelled" | "interrupted" | "launch_failed" | "void";

export type ErrorCode = "exit_code" | "signal" | "timed_out" | "stalled" | "stopped_by_alert" | "launch_failed" | "program_not_found" | "not_executable" | "cwd_missing" | "disk_silent" | "input_missing" | "output_missing" | "expression" | "interrupted" | "rebooted" | "shim_lost" | "folder_deleted" | "session_end" | "cancelled" | "need_not_completed" | "condition_false" | "stopped_by_failure" | "after_failed" | "log_lost" | "secret_missing" | "disk_full" | "usage" | "invalid" | "invalid_pipeline" | "not_a_run_id" | "ambiguous" | "impossible_resources" | "not_found" | "conflict" | "already_ended" | "still_live" | "already_started" | "nothing_to_resume" | "refused" | "consent_missing" | "no_answer" | "store_held" | "store_newer" | "store_damaged" | "storage";

export type Fault = { 
/**
 * For programs.
 */
code: ErrorCode, 
/**
 * One sentence or more for people: what happened, with the value.
 */
message: string, 
/**
 * What to do, best first.
 */
hints: Array<string>, };

export type Waiting = { 
/**
 * A stable word: `dependency queue_paused queue_limit cpus memory gpus not_before after run_paused disk retry_at held no_owner`.
 */
reason: string, 
/**
 * One sentence.
 */
detail: string, };

export type Diagnosis = { 
/**
 * A stable word: `gpu_out_of_memory`, `module_not_found` ..
 */
code: string, 
/**
 * The values that stand in its sentences, by name. They may be a program's own text, cut.
 */
args: { [key in string]: string }, 
/**
 * The byte of the attempt's log at which the line begins that says so; none where the exit record does.
 */
log_offset: number | null, };

export type Failure = { 
/**
 * A stable word.
 */
code: string, 
/**
 * In plain words.
 */
title: string, 
/**
 * What is known.
 */
detail: string, 
/**
 * What to do.
 */
hints: Array<string>, 
/**
 * The line of the log it was read from, from 1.
 */
log_line: number | null, 
/**
 * Where the reason is known: which it is. Title, detail and hints are its sentences then.
 */
diagnosis?: Diagnosis, };

export type Note = { 
/**
 * When it was noted.
 */
time: UtcMs, 
/**
 * The stage's name, where it concerns one.
 */
stage: string | null, 
/**
 * The sentence.
 */
text: string, };

export type AlertWhen = "nan" | "above" | "below" | "no_improvement";

export type Better = "min" | "max";

export type AlertAction = "notify" | "stop";

export type AlertKind = "stall" | "nan" | "above" | "below" | "no_improvement";

export type Figure = number | string;

export type AlertFacts = { 
/**
 * What it is about.
 */
kind: AlertKind, 
/**
 * What follows from it.
 */
action: AlertAction, 
/**
 * The metric; none of a stall.
 */
metric?: string, 
/**
 * Its value when the alert was raised.
 */
value?: Figure, 
/**
 * The bound that it is beyond, or the best value before.
 */
bound?: number, 
/**
 * So many points in a row.
 */
points?: number, 
/**
 * The step of the last of them, where known.
 */
step?: number, 
/**
 * Its epoch, where known.
 */
epoch?: number, 
/**
 * Of a stall: the time without output that raises it, milliseconds of running time.
 */
stall_ms?: number, };

export type AlertView = { 
/**
 * Its number in the store.
 */
id: number, 
/**
 * The stage's name.
 */
stage: string, 
/**
 * The attempt's number.
 */
attempt: number, 
/**
 * What is known of it.
 */
facts: AlertFacts, 
/**
 * One sentence.
 */
detail: string, 
/**
 * When it began: the first of the points, the last output.
 */
since: UtcMs, 
/**
 * When it was raised.
 */
raised_at: UtcMs, 
/**
 * When it ended by itself, or with its attempt.
 */
ended_at: UtcMs | null, 
/**
 * When somebody said that it was seen.
 */
dismissed_at: UtcMs | null, };

export type AlertRule = { 
/**
 * The metric's name, as the program prints it.
 */
metric: string, 
/**
 * The condition.
 */
when: AlertWhen, 
/**
 * The bound of `above` and `below`.
 */
value?: number, 
/**
 * So many points in a row; for `above` and `below` 1 where nothing is said.
 */
for?: number, 
/**
 * What is better, for `no_improvement`; default `min`.
 */
mode?: Better, 
/**
 * What follows; default `notify`.
 */
action?: AlertAction, };

export type AlertChange = "raised" | "ended" | "dismissed";

export type CatchUp = "once" | "skip";

export type Overlap = "skip" | "queue";

export type ScheduleKind = "template" | "file" | "command" | "run";

export type Missed = { 
/**
 * The first of them.
 */
from: UtcMs, 
/**
 * The last of them.
 */
until: UtcMs, 
/**
 * How many; 10,000 stands for that many or more.
 */
times: number, 
/**
 * One sentence.
 */
why: string, };

export type ScheduleRun = { 
/**
 * What people use.
 */
number: number, 
/**
 * Its name.
 */
name: string, 
/**
 * Its status.
 */
status: RunStatus, 
/**
 * When it was submitted.
 */
created_at: UtcMs, 
/**
 * When its last stage ended.
 */
finished_at: UtcMs | null, };

export type ScheduledBy = { 
/**
 * Its name.
 */
name: string, 
/**
 * The time it was started for; where somebody asked for the run, when that was.
 */
due: UtcMs, };

export type ScheduleView = { 
/**
 * UUIDv7.
 */
id: string, 
/**
 * What people call it; no other has the same.
 */
name: string, 
/**
 * What kind of thing it runs.
 */
kind: ScheduleKind, 
/**
 * What it runs: a template's name, a path, a command line, a pipeline's name.
 */
what: string, 
/**
 * A named set of values.
 */
preset: string | null, 
/**
 * The values that were given, secrets left out.
 */
params: { [key in string]: JsonValue }, 
/**
 * The queue of its runs; none: the pipeline's.
 */
queue: string | null, 
/**
 * The priority of its runs; none: the pipeline's.
 */
priority: number | null, 
/**
 * The working folder of its runs.
 */
cwd: string, 
/**
 * `30 2 * * *`, `@daily` or `every 6h`.
 */
timing: string, 
/**
 * The IANA name of the time zone it is meant in.
 */
zone: string, 
/**
 * What becomes of times that nobody saw.
 */
catch_up: CatchUp, 
/**
 * What becomes of a start while the last run has not ended.
 */
overlap: Overlap, 
/**
 * False: it is paused.
 */
enabled: boolean, 
/**
 * When it is due next; none where it is paused or never due again.
 */
next_at: UtcMs | null, 
/**
 * The next times, at most five; empty where it is paused.
 */
upcoming: Array<UtcMs>, 
/**
 * The run that it started last, as long as that is kept.
 */
last_run: ScheduleRun | null, 
/**
 * The newest times it missed, at most 20, newest first.
 */
missed: Array<Missed>, 
/**
 * When it was made.
 */
created_at: UtcMs, };

export type SchedulesView = { 
/**
 * An owner stays as long as a schedule is to be due, so that starts are on time with nobody around.
 */
keep_owner: boolean, 
/**
 * By name.
 */
all: Array<ScheduleView>, };

export type Usage = { 
/**
 * Most bytes of memory that all its processes had at one time, as far as it was looked at (each 5 s); at least what its
 * program had alone.
 */
peak_memory_bytes: number | null, 
/**
 * Seconds of processor time.
 */
cpu_s: number | null, 
/**
 * Cores in use, the mean over the time it ran.
 */
cores: number | null, 
/**
 * Bytes read from disks.
 */
read_bytes: number | null, 
/**
 * Bytes written to disks.
 */
written_bytes: number | null, 
/**
 * The share of time in which its GPUs computed, 0 to 1.
 */
gpu: number | null, 
/**
 * Most bytes of GPU memory.
 */
peak_gpu_memory_bytes: number | null, 
/**
 * Processes of its control group that the system killed for want of memory while it ran.
 */
oom_kills?: number, };

export type UsagePoint = { 
/**
 * Its end.
 */
time: UtcMs, 
/**
 * Cores in use, the mean.
 */
cores: number, 
/**
 * Most bytes of memory.
 */
memory_bytes: number, 
/**
 * Bytes read a second.
 */
read_per_s: number | null, 
/**
 * Bytes written a second.
 */
written_per_s: number | null, 
/**
 * The share in which its GPUs computed.
 */
gpu: number | null, 
/**
 * Most bytes of GPU memory.
 */
gpu_memory_bytes: number | null, };

export type Gpu = { 
/**
 * Its place in the machine, from 0, as `nvidia-smi` counts.
 */
index: number, 
/**
 * What it is known by over restarts: `GPU-5b0c..` of NVIDIA; `amd.0`, `apple.0` where nothing better is told.
 */
id: string, 
/**
 * Its model, as its driver says.
 */
name: string, 
/**
 * The driver's version.
 */
driver: string | null, 
/**
 * Bytes of its own memory; none where it shares the machine's.
 */
memory_total: number | null, 
/**
 * Bytes of it in use, by whomever.
 */
memory_used: number | null, 
/**
 * The share of the last moments in which it computed, 0 to 1.
 */
busy: number | null, 
/**
 * Degrees Celsius.
 */
temperature: number | null, 
/**
 * It is there, and does not answer its driver: it fell off the bus, or the driver is being replaced.
 */
silent: boolean, 
/**
 * The processes that compute on it, the largest first.
 */
users: Array<GpuUser>, 
/**
 * The run that holds it.
 */
run: number | null, };

export type GpuUser = { 
/**
 * Its id.
 */
pid: number, 
/**
 * The system's short name for it; empty where it does not tell.
 */
name: string, 
/**
 * Bytes of the GPU's memory it uses, where the driver tells.
 */
memory: number | null, 
/**
 * The run it belongs to, where it is one of ours.
 */
run: number | null, };

export type RunView = { 
/**
 * UUIDv7.
 */
id: RunId, 
/**
 * What people use.
 */
number: number, 
/**
 * Its name.
 */
name: string, 
/**
 * The pipeline's name.
 */
pipeline: string, 
/**
 * The experiment it belongs to.
 */
experiment: string | null, 
/**
 * The queue of its stages that name none.
 */
queue: string, 
/**
 * -100 to 100.
 */
priority: number, 
/**
 * Where it runs: `local`.
 */
target: string, 
/**
 * Words to find it by.
 */
tags: Array<string>, 
/**
 * Derived from flags and stages.
 */
status: RunStatus, 
/**
 * False where attempts are live but no owner confirms it.
 */
confirmed: boolean, 
/**
 * 0 to 1, over all stages.
 */
progress: number | null, 
/**
 * Seconds left.
 */
eta_s: number | null, 
/**
 * What it does now.
 */
message: string | null, 
/**
 * Why it waits.
 */
waiting: Waiting | null, 
/**
 * When it was submitted.
 */
created_at: UtcMs, 
/**
 * When its first attempt started.
 */
started_at: UtcMs | null, 
/**
 * When its last stage ended.
 */
finished_at: UtcMs | null, 
/**
 * The result, fixed when all stages but the tails had ended.
 */
result: RunStatus | null, 
/**
 * When the result was fixed.
 */
result_at: UtcMs | null, 
/**
 * How often it was retried or resumed, plus one.
 */
generation: number, 
/**
 * Why it failed.
 */
error: Failure | null, 
/**
 * The working folder it was submitted from; what is no UTF-8 in it is shown as U+FFFD.
 */
cwd?: string | null, 
/**
 * Its alerts, newest first; in lists only those that are open.
 */
alerts?: Array<AlertView>, 
/**
 * The schedule that started it; left out where somebody submitted it.
 */
schedule?: ScheduledBy, 
/**
 * What was noted about it, oldest first; kept as long as events are (7 days), those of attempts for good with them.
 */
notes?: Array<Note> | null, 
/**
 * Its parameters, secrets left out.
 */
params?: { [key in string]: JsonValue }, 
/**
 * Its stages, in the order of the definition.
 */
stages?: Array<StageView>, };

export type StageView = { 
/**
 * Its name.
 */
name: string, 
/**
 * Its status.
 */
status: StageStatus, 
/**
 * Its queue.
 */
queue: string, 
/**
 * The names of the stages it needs.
 */
needs: Array<string>, 
/**
 * The program and its arguments as the definition has them, templates among them, U+FFFD for what is no UTF-8; empty where it is a line for a shell.
 */
command: Array<string>, 
/**
 * The line for a shell.
 */
shell: string | null, 
/**
 * 0 to 1.
 */
progress: number | null, 
/**
 * Seconds left.
 */
eta_s: number | null, 
/**
 * What it does now.
 */
message: string | null, 
/**
 * The newest values by name: position (`step`, `epoch`) and metrics.
 */
metrics: { [key in string]: number }, 
/**
 * Why it waits.
 */
waiting: Waiting | null, 
/**
 * Values handed on.
 */
outputs: { [key in string]: JsonValue }, 
/**
 * True: its failure does not fail the run.
 */
allow_failure: boolean, 
/**
 * True: nobody waits for it.
 */
tail: boolean, 
/**
 * When it was queued first in this generation.
 */
queued_at: UtcMs | null, 
/**
 * When its first attempt of this generation started.
 */
started_at: UtcMs | null, 
/**
 * When it ended.
 */
finished_at: UtcMs | null, 
/**
 * Why it failed.
 */
error: Failure | null, 
/**
 * All attempts, oldest first.
 */
attempts: Array<AttemptView>, };

export type AttemptView = { 
/**
 * From 1.
 */
number: number, 
/**
 * Its status.
 */
status: AttemptStatus, 
/**
 * The program and its arguments as it was really started, U+FFFD for what is no UTF-8; empty where its folder is gone or not
 * built yet, and outside of `show`.
 */
command: Array<string>, 
/**
 * The user stopped it for a while.
 */
paused: boolean, 
/**
 * The program's process id, once it runs.
 */
pid: number | null, 
/**
 * The exit code.
 */
exit_code: number | null, 
/**
 * The signal that ended it.
 */
signal: number | null, 
/**
 * When its program started.
 */
started_at: UtcMs | null, 
/**
 * When it ended.
 */
finished_at: UtcMs | null, 
/**
 * Seconds it ran, without sleep and pauses.
 */
running_s: number | null, 
/**
 * Bytes of log.
 */
log_size: number | null, 
/**
 * What it used, or has used so far.
 */
usage: Usage | null, 
/**
 * The ids of the GPUs that it holds, or held.
 */
gpus: Array<string>, 
/**
 * Remarks: `cancel came too late`, progress out of bounds, metrics left out ..
 */
notes: Array<string>, 
/**
 * Why it failed.
 */
error: Failure | null, };

export type QueueView = { 
/**
 * Its name.
 */
name: string, 
/**
 * Higher starts first.
 */
priority: number, 
/**
 * Stages at once.
 */
limit: number, 
/**
 * Starts nothing.
 */
paused: boolean, 
/**
 * Stages queued in it.
 */
queued: number, 
/**
 * Stages running in it.
 */
running: number, };

export type DiskLevel = "enough" | "low" | "critical";

export type DiskView = { 
/**
 * What this user can still write.
 */
free: number, 
/**
 * The whole disk.
 */
total: number, 
/**
 * Below it nothing starts; 0: never.
 */
warning: number, 
/**
 * Below it what runs is paused; 0: never.
 */
critical: number, 
/**
 * Where it stands.
 */
level: DiskLevel, };

export type Submitted = { 
/**
 * UUIDv7.
 */
id: RunId, 
/**
 * What people use.
 */
number: number, 
/**
 * Its name.
 */
name: string, };

export type LostRun = { 
/**
 * Its number, where it is known.
 */
number: number | null, 
/**
 * Its name, where it is known.
 */
name: string | null, 
/**
 * What stood in the way, in half a sentence.
 */
why: string, };

export type Restored = { 
/**
 * When.
 */
at: UtcMs, 
/**
 * What was wrong with the store, in half a sentence; `None`: somebody asked for it.
 */
why: string | null, 
/**
 * When the backup was made that it began with; `None`: there was none, or what stood in the store was good enough.
 */
backup: UtcMs | null, 
/**
 * The file that the store before was kept in, in the data folder.
 */
kept: string | null, 
/**
 * How many runs there are now.
 */
runs: number, 
/**
 * Numbers of runs that were rebuilt from their folders alone.
 */
rebuilt: Array<number>, 
/**
 * Numbers of runs of which their folders knew more than the backup.
 */
updated: Array<number>, 
/**
 * Numbers of runs that wait for a word before anything of theirs starts: paused, or drafts.
 */
held_back: Array<number>, 
/**
 * Numbers of runs whose programs were found at work.
 */
running: Array<number>, 
/**
 * What could not be brought back.
 */
lost: Array<LostRun>, };

export type Moved = { 
/**
 * When that was noticed.
 */
at: UtcMs, 
/**
 * The queues that were paused for it, and go on once the work is adopted.
 */
queues: Array<string>, };

export type StorageView = { 
/**
 * The last restore, until somebody has seen it.
 */
restored: Restored | null, 
/**
 * The question whether this machine is to go on with the work of another.
 */
moved: Moved | null, 
/**
 * A newer version wrote the store; it is only read. In a sentence.
 */
newer: string | null, };

export type Event = { "kind": "run_submitted" } | { "kind": "run_status", 
/**
 * Its new status.
 */
status: RunStatus, } | { "kind": "stage_status", 
/**
 * The stage's index.
 */
stage: number, 
/**
 * Its new status.
 */
status: StageStatus, 
/**
 * Why, where there is a reason.
 */
code?: ErrorCode, } | { "kind": "attempt_status", 
/**
 * The stage's index.
 */
stage: number, 
/**
 * The attempt's number.
 */
attempt: number, 
/**
 * Its new status.
 */
status: AttemptStatus, 
/**
 * Why, where there is a reason.
 */
code?: ErrorCode, } | { "kind": "attempt_paused", 
/**
 * The stage's index.
 */
stage: number, 
/**
 * The attempt's number.
 */
attempt: number, 
/**
 * True: paused now.
 */
paused: boolean, } | { "kind": "alert", 
/**
 * The stage's index.
 */
stage: number, 
/**
 * The attempt's number.
 */
attempt: number, 
/**
 * The alert's number in the store.
 */
alert: number, 
/**
 * Which of these.
 */
change: AlertChange, } | { "kind": "wish_answered", 
/**
 * The wish's id.
 */
wish: string, 
/**
 * Whether it was done.
 */
done: boolean, 
/**
 * The code of a refusal.
 */
code?: ErrorCode, } | { "kind": "note", 
/**
 * The stage's index, where it concerns one.
 */
stage?: number, 
/**
 * The sentence.
 */
text: string, } | { "kind": "run_changed" } | { "kind": "run_removed" } | { "kind": "queue_changed", 
/**
 * Its name.
 */
queue: string, } | { "kind": "schedule_changed", 
/**
 * Its name.
 */
schedule: string, } | { "kind": "disk", 
/**
 * Below which of the marks.
 */
level: DiskLevel, 
/**
 * What was free, bytes.
 */
free: number, 
/**
 * The mark, bytes.
 */
mark: number, };

export type NoticeKind = "disk" | "failed" | "stalled" | "alert" | "interrupted" | "completed";

export type WebhookForm = "json" | "slack" | "discord" | "ntfy";

export type WebhookView = { 
/**
 * The server's name, with the port where one was given. The rest of the address may be a secret.
 */
host: string, 
/**
 * The way there is encrypted: `https`.
 */
encrypted: boolean, 
/**
 * What it understands.
 */
form: WebhookForm, 
/**
 * What is told, the most pressing first.
 */
on: Array<NoticeKind>, 
/**
 * When the last message was taken.
 */
delivered_at: UtcMs | null, 
/**
 * When the last try failed; `None` where one that came after it was taken.
 */
failed_at: UtcMs | null, 
/**
 * Why, in a sentence.
 */
failure: string | null, };

export type ComparedRun = { 
/**
 * UUIDv7.
 */
id: RunId, 
/**
 * What people use.
 */
number: number, 
/**
 * Its name.
 */
name: string, 
/**
 * The pipeline's name.
 */
pipeline: string, 
/**
 * The experiment it belongs to.
 */
experiment: string | null, 
/**
 * Words to find it by.
 */
tags: Array<string>, 
/**
 * Its status.
 */
status: RunStatus, 
/**
 * When it was submitted.
 */
created_at: UtcMs, 
/**
 * When its first attempt started.
 */
started_at: UtcMs | null, 
/**
 * When its last stage ended.
 */
finished_at: UtcMs | null, 
/**
 * From its start to its end, or until now, seconds.
 */
took_s: number | null, 
/**
 * What it runs, where it is a single command.
 */
command: string | null, };

export type ComparedValue = { 
/**
 * Its name.
 */
name: string, 
/**
 * Its value in each run; none where a run has no such thing.
 */
values: Array<JsonValue | null>, 
/**
 * It is not the same in all runs.
 */
differs: boolean, };

export type Measured = { 
/**
 * The best value; the last where it is not known which way is better. NaN and infinite ones are `null` in JSON.
 */
value: number | null, 
/**
 * The step of that value, where the program said one.
 */
step: number | null, 
/**
 * The last value.
 */
last: number | null, 
/**
 * How many points there are.
 */
points: number, };

export type ComparedMetric = { 
/**
 * The stage's name.
 */
stage: string, 
/**
 * The metric's name.
 */
name: string, 
/**
 * Which way is better; none: nobody said so, and the name does not tell.
 */
better: Better | null, 
/**
 * The pipeline says so: `checkpoints.mode`, or the `mode` of an alert. Else the name was taken for it.
 */
declared: boolean, 
/**
 * What each run measured; none where it did not.
 */
values: Array<Measured | null>, 
/**
 * The places in `runs` of the best one, or of all that are as good; empty where `better` is not known.
 */
best: Array<number>, };

export type Comparison = { 
/**
 * The runs, in the order in which they were asked for; those of an experiment from the oldest to the newest.
 */
runs: Array<ComparedRun>, 
/**
 * So many runs of the experiment, its oldest, are left out: there are more than 100.
 */
left_out: number, 
/**
 * Parameters, secrets left out, in the order of the pipelines.
 */
params: Array<ComparedValue>, 
/**
 * What was measured: first what a pipeline says which way is better, then what its name tells, then the others.
 */
metrics: Array<ComparedMetric>, 
/**
 * What stages handed on, named `stage.output`.
 */
outputs: Array<ComparedValue>, };

export type Report = { 
/**
 * Which run.
 */
run: Submitted, 
/**
 * Its result once fixed, else its status.
 */
status: RunStatus, 
/**
 * Seconds until the plan stood: reading and checking the definition, the parameters and the surroundings, up to `created_at`,
 * when the run was ready to be written down. Measured by who submitted it, to the millisecond; `null` where nobody did.
 */
planning_s: number | null, 
/**
 * From `created_at` to the first attempt's start.
 */
queued_s: number, 
/**
 * From the first attempt's start to the result.
 */
execution_s: number, 
/**
 * `planning_s`, `queued_s` and `execution_s` together.
 */
total_s: number, 
/**
 * The stages' names by level: each stands in the first level at which all it needs stands before it.
 */
levels: Array<Array<string>>, 
/**
 * Stages that may run side by side: the widest level, or the peak where that was higher (stages do not wait for their level).
 */
max_parallelism: number, 
/**
 * Attempts that ran side by side.
 */
peak_parallelism: number, 
/**
 * The chain of needs that ran longest, first stage first; without tails and what did not run.
 */
critical_path: Array<string>, 
/**
 * Seconds that its stages ran.
 */
critical_path_s: number, 
/**
 * Every status with the number of stages in it; the sum is the number of stages.
 */
totals: { [key in StageStatus]?: number }, 
/**
 * All stages, in the order of the definition, those never started too.
 */
stages: Array<StageReport>, 
/**
 * The stage that ran longest; `null` where none ran.
 */
longest_stage: string | null, 
/**
 * Mean of `run_s` over the stages that ran; `null` where none ran.
 */
average_stage_s: number | null, 
/**
 * Everything that failed, attempts that were tried again too.
 */
errors: Array<ErrorReport>, 
/**
 * What people were told of while it ran, newest first.
 */
alerts: Array<AlertView>, };

export type StageReport = { 
/**
 * Its name.
 */
name: string, 
/**
 * Its level, from 0.
 */
level: number, 
/**
 * Its status.
 */
status: StageStatus, 
/**
 * Its failure does not fail the run.
 */
allow_failure: boolean, 
/**
 * Nobody waits for it.
 */
tail: boolean, 
/**
 * Seconds from queued to the first start after that; up to its end, or now, where it has not started.
 */
queued_s: number, 
/**
 * Seconds that its attempts ran.
 */
run_s: number, 
/**
 * All attempts, oldest first.
 */
attempts: Array<AttemptReport>, 
/**
 * Why it failed.
 */
error: Failure | null, };

export type AttemptReport = { 
/**
 * From 1.
 */
number: number, 
/**
 * Its status.
 */
status: AttemptStatus, 
/**
 * When its program started.
 */
started_at: UtcMs | null, 
/**
 * When it ended.
 */
finished_at: UtcMs | null, 
/**
 * Seconds it ran.
 */
run_s: number, 
/**
 * The exit code.
 */
exit_code: number | null, 
/**
 * The signal that ended it.
 */
signal: number | null, 
/**
 * What it used, or has used so far.
 */
usage: Usage | null, 
/**
 * Why it failed.
 */
error: Failure | null, 
/**
 * Another attempt followed, or will, without a wish.
 */
will_retry: boolean, };

export type ErrorReport = { 
/**
 * The stage's name.
 */
stage: string, 
/**
 * The attempt, where one failed.
 */
attempt: number | null, 
/**
 * Another attempt followed, or will.
 */
will_retry: boolean, 
/**
 * It does not fail the run.
 */
allowed: boolean, 
/**
 * Why.
 */
error: Failure, };

export type OnFailure = "continue" | "stop";

export type ParamKind = "string" | "integer" | "number" | "boolean" | "choice" | "path" | "dataset" | "secret";

export type Param = { 
/**
 * The kind of value.
 */
type: ParamKind, 
/**
 * The value where none is given. Without one the parameter is required.
 */
default?: JsonValue, 
/**
 * Least number allowed.
 */
minimum?: number, 
/**
 * Greatest number allowed.
 */
maximum?: number, 
/**
 * The values of a `choice`.
 */
choices?: Array<JsonValue>, 
/**
 * A regular expression that the whole text must match.
 */
pattern?: string, 
/**
 * For paths: must it exist when the run is submitted?
 */
exists?: boolean, 
/**
 * The label.
 */
title?: string, 
/**
 * The explanation.
 */
help?: string, 
/**
 * The heading it stands under.
 */
group?: string, 
/**
 * Folded away at first.
 */
advanced?: boolean, };

export type RetryOn = "failed" | "timed_out";

export type Retries = { 
/**
 * How often, 0 to 100; default 0.
 */
max: number, 
/**
 * Before the first; default 30s.
 */
delay: Span, 
/**
 * The delay's factor from one to the next; default 2.
 */
backoff: number, 
/**
 * The longest delay; default 10m.
 */
max_delay: Span, 
/**
 * The share of the delay that varies at random, 0 to 1; default 0.1.
 */
jitter: number, 
/**
 * After what; default both.
 */
on: Array<RetryOn>, };

export type OnInterrupt = "resume" | "restart" | "ask";

export type Resources = { 
/**
 * Cores; default 1.
 */
cpus: number, 
/**
 * Bytes; default 0. No hard limit.
 */
memory: ByteSize, 
/**
 * GPUs; default 0.
 */
gpus: number, };

export type SaveSignal = "USR1" | "USR2" | "HUP" | "INT";

export type Checkpoints = { 
/**
 * A path with `*` and `?` in its last part.
 */
files: string, 
/**
 * Sent to the program before it is stopped, so that it saves; a program that does not handle it is ended by it.
 */
signal?: SaveSignal | null, 
/**
 * How long the program may take to save before it is told to end; 30 s where nothing is said.
 */
wait?: Span | null, 
/**
 * The metric that says which is best; without one, keeping the best means nothing.
 */
metric?: string, 
/**
 * Which of two values of it is better; default `min`.
 */
mode?: Better, 
/**
 * Keep so many of the best; others are removed. Nothing is removed unless this or `keep_last` is given.
 */
keep_best?: number, 
/**
 * Keep so many of the newest; others are removed. At least the newest stays in any case.
 */
keep_last?: number, };

export type Stage = { 
/**
 * The program and its arguments; never goes through a shell.
 */
command?: Array<string>, 
/**
 * A line for `/bin/sh -c`, in place of `command`.
 */
shell?: string, 
/**
 * Stages that must have ended first. References in expressions are added by the checker.
 */
needs?: Array<string>, 
/**
 * What people read.
 */
title?: string, 
/**
 * The queue; else the pipeline's, else `default`.
 */
queue?: string, 
/**
 * Arguments appended when the stage starts again and a valid checkpoint exists.
 */
resume?: Array<string>, 
/**
 * Environment over that of the submitter.
 */
env?: { [key in string]: string }, 
/**
 * Names taken from the secret store into the environment.
 */
secrets?: Array<string>, 
/**
 * The working folder; default: where the run was submitted.
 */
cwd?: string, 
/**
 * Limit of running time.
 */
timeout?: Span, 
/**
 * Time between TERM and KILL; default 30s.
 */
grace?: Span, 
/**
 * So much running time without output raises an alert.
 */
stall?: Span, 
/**
 * What follows from that alert.
 */
stall_action?: AlertAction, 
/**
 * Conditions on its metrics that people are told of.
 */
alerts?: Array<AlertRule>, 
/**
 * Tries again after a failure.
 */
retries?: Retries, 
/**
 * What an interruption leads to; default: `resume` where `resume` is given, else `ask`.
 */
on_interrupt?: OnInterrupt, 
/**
 * Reserved for scheduling.
 */
resources?: Resources, 
/**
 * Where checkpoints appear; the newest valid one is what `resume` goes on from.
 */
checkpoints?: Checkpoints, 
/**
 * A regular expression with named groups `step`, `total`, `epoch`, `epochs`, `progress`.
 */
progress_pattern?: string, 
/**
 * A regular expression whose named groups are metrics (or `name` and `value`).
 */
metric_pattern?: string, 
/**
 * A bare expression; false: skipped, and so is what needs it.
 */
if?: string, 
/**
 * Values and paths handed on; paths are checked at the stage's end.
 */
outputs?: { [key in string]: string }, 
/**
 * Its failure does not fail the run.
 */
allow_failure?: boolean, 
/**
 * Runs whatever the needs' end, except after interrupted or cancel.
 */
needs_any?: boolean, 
/**
 * Nobody waits for it.
 */
tail?: boolean, 
/**
 * Wait for every process of the tree, not only for the program.
 */
wait_group?: boolean, 
/**
 * RFC 3339; not started before.
 */
not_before?: string, 
/**
 * Nothing here is a template: what `footplate add` submits is run as it was typed. Pipeline files cannot say it.
 */
literal?: boolean, 
/**
 * Of arguments that are no UTF-8 their true bytes, by their place in `command`, which has U+FFFD for what is none. What
 * `footplate add` submits may have such; pipeline files cannot say it.
 */
bytes?: { [key in number]: Array<number> }, };

export type Definition = { 
/**
 * The version of the format: 1.
 */
format: number, 
/**
 * `[a-z0-9-]`, 1 to 64 characters.
 */
name: string, 
/**
 * What people read.
 */
title?: string, 
/**
 * One or two sentences.
 */
description?: string, 
/**
 * The queue for stages that name none.
 */
queue?: string, 
/**
 * The run's own priority, -100 to 100.
 */
priority?: number, 
/**
 * Whether a failure lets independent branches go on.
 */
on_failure?: OnFailure, 
/**
 * The parameters, in the order of the form.
 */
params?: { [key in string]: Param }, 
/**
 * Named sets of parameter values (and a `title`).
 */
presets?: { [key in string]: { [key in string]: JsonValue } }, 
/**
 * The stages, in the order of the file; a stage's index is its place here.
 */
stages: { [key in string]: Stage }, };
