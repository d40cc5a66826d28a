/**
 * The door between the view and whatever stands behind it: the shell over `engine::Client` (`tauri.ts`), or a pretend
 * store (`fake.ts`). One interface; every method is one command of the same name in snake_case with one argument object of the same
 * shape as the method's parameters (camelCase names), e.g. `show(number)` is `invoke("show", { number })`.
 *
 * Everything inside the objects is spelled as serde writes it (snake_case), moments are RFC 3339 in UTC with
 * milliseconds (`UtcMs`), lengths of time are seconds unless the name ends in `_ms`, sizes are bytes, shares are 0 to 1.
 *
 * Every method rejects with a `Fault`: `{ "code": "not_found", "message": "There is no run #7.", "hints": ["..."] }`.
 * `code` is one of core's `ErrorCode`; `message` is for people; `hints` say what to do, best first.
 *
 * Deliberately not here: paths or command lines that the view makes up. Files are chosen in dialogs of the shell, and
 * what the view hands back is a handle, a run's number or a name that the shell gave out before.
 */
import type {
  Comparison,
  Definition,
  DiskView,
  ErrorCode,
  Fault,
  Gpu,
  JsonValue,
  NoticeKind,
  QueueView,
  Report,
  RunStatus,
  RunView,
  SchedulesView,
  ScheduleView,
  StorageView,
  Submitted,
  WebhookForm,
  WebhookView,
  Usage,
  UsagePoint,
  UtcMs,
} from '../bindings/core'

import type {
  TemplateView,
  BrokenTemplate,
  TemplateContent,
  DataView,
  ScriptView,
  StartRequest,
  SweepRequest,
  SweepView,
  SweptView,
  CheckView,
} from './newrun'
import type { RepeatRequest, ScheduleEdit, TimesView } from './repeat'

export type * from './newrun'
export type * from './repeat'
export type {
  AlertView,
  AttemptStatus,
  AttemptView,
  Definition,
  Diagnosis,
  DiskLevel,
  DiskView,
  ErrorCode,
  Failure,
  Fault,
  Gpu,
  JsonValue,
  Param,
  QueueView,
  Report,
  Restored,
  RunStatus,
  RunView,
  SchedulesView,
  ScheduleView,
  Stage,
  StageStatus,
  StageView,
  StorageView,
  Submitted,
  Usage,
  UsagePoint,
  UtcMs,
  Waiting,
  NoticeKind,
  WebhookForm,
  WebhookView,
} from '../bindings/core'

/* ---- live ------------------------------------------------------------------------------------------------------- */

/** Who decides and launches (`engine::OwnerState`, with a tag). */
export type Owner =
  | { state: 'present'; pid: number; version: string; since: UtcMs }
  /** `orderly`: the last one had nothing left to do. False: it died, and another is being started. */
  | { state: 'absent'; orderly: boolean }

/** What a start of the owner found, so that the view can say it once. */
export interface Recovery {
  at: UtcMs
  /** Numbers of runs whose programs were found alive and are watched again. */
  reattached: number[]
  /** Numbers of runs whose end is not known. */
  interrupted: number[]
}

/** All that the first screen and the frame around every screen need. */
export interface Live {
  /** Running and paused runs, oldest start first, each with `stages` and `params`, as `show` gives them. */
  active: RunView[]
  /** Queued runs in the order in which they will start, at most 200, as `list` gives them. */
  next: RunView[]
  /** Every status with the number of runs in it. */
  counts: Record<RunStatus, number>
  /** Failed and interrupted runs of the last 7 days that were not retried. */
  needs_look: number
  queues: QueueView[]
  /** The experiments with most runs, at most 20. */
  experiments: { name: string; runs: number }[]
  owner: Owner
  recovery: Recovery | null
  /** By name, and whether an owner stays for them. */
  schedules: SchedulesView
  /** What is to be told of the store itself. */
  storage: StorageView
}

/**
 * What `subscribe` delivers: first one `snapshot`, then `changes` in order, at most ten a second, latest state wins.
 * `changes` carries only what is another than before: runs of `active` whole, by number, and lists and counts whole.
 * `from` is the `seq` before it; where it isn't the one the view holds, the view subscribes anew.
 */
export type Push =
  | { kind: 'snapshot'; seq: number; live: Live }
  | {
      kind: 'changes'
      from: number
      seq: number
      /** Active runs that are new or changed. */
      active?: RunView[]
      /** Numbers of runs that are active no more. */
      gone?: number[]
      next?: RunView[]
      counts?: Record<RunStatus, number>
      needs_look?: number
      queues?: QueueView[]
      experiments?: Live['experiments']
      owner?: Owner
      recovery?: Recovery | null
      schedules?: SchedulesView
      storage?: StorageView
      /** True: an ended run is new, changed or removed, so that pages of `list` are stale. */
      history?: boolean
    }
  /** A notification, the tray or a deep link asks for a view: `run/142`, `queue`, `settings`, `open/HANDLE`, `new?script=HANDLE`. */
  | { kind: 'open'; route: string }
  /** Files are held over the window, or no more. */
  | { kind: 'dragging'; over: boolean }
  /** Something to train on was dropped: `path` is what `data` takes; `others` more were left aside. */
  | { kind: 'dropped'; path: string; others: number }

/* ---- runs ------------------------------------------------------------------------------------------------------- */

/** `engine::ListQuery`: which runs, newest first. */
export interface ListQuery {
  /** Any of these; empty: all. */
  statuses: RunStatus[]
  queue: string | null
  experiment: string | null
  /** Only with this tag. */
  tag: string | null
  /** Only where the name, the pipeline or a tag contains this. */
  search: string | null
  limit: number
  offset: number
}

/** `engine::RunPage`; the runs are without `stages` and `params`. */
export interface RunPage {
  runs: RunView[]
  /** How many there are in all. */
  total: number
}

/** `engine::Spot`: the place among queued runs of one queue and priority, from 1, or beside another run. */
export type Spot = { to: number } | { before: number } | { after: number }

/** `engine::Wish`, in its serde form. */
export type Wish =
  | { kind: 'cancel'; args: { stage?: string } }
  | { kind: 'pause'; args: Record<string, never> }
  | { kind: 'unpause'; args: Record<string, never> }
  | { kind: 'retry'; args: { from?: string; failed?: boolean } }
  /** `from`: the id of a checkpoint in `files`; else the newest that is complete. */
  | { kind: 'resume'; args: { from?: string; stage?: string } }
  | { kind: 'start'; args: Record<string, never> }
  | { kind: 'move'; args: Spot }
  | { kind: 'set'; args: { priority?: number; queue?: string; timeout_ms?: number } }
  | { kind: 'rename'; args: { name: string } }
  | { kind: 'tag'; args: { add?: string[]; remove?: string[] } }
  | { kind: 'rm'; args: { files?: boolean } }
  /** Alerts of the run are seen: one, or all that are open. */
  | { kind: 'dismiss'; args: { alert?: number } }
  /** Removes what the run's stages do not keep. */
  | { kind: 'clean_checkpoints'; args: Record<string, never> }
  /** `checkpoint`: its id in `files`. Cleaning leaves alone what is pinned. */
  | { kind: 'pin'; args: { checkpoint: string; stage?: string; pinned: boolean } }
  | { kind: 'disk'; args: { warning?: number; critical?: number } }
  /** Whether programs of others keep stages from a GPU. */
  | { kind: 'gpus'; args: { ignore_others: boolean } }
  | { kind: 'adopt'; args: Record<string, never> }
  | { kind: 'restore_seen'; args: Record<string, never> }
  /** Pauses a schedule, lets it go on, or removes it. */
  | { kind: 'schedule'; args: { name: string; enabled?: boolean; remove?: boolean } }
  | { kind: 'schedules'; args: { keep_owner: boolean } }
  | { kind: 'queue'; args: { name: string; limit?: number; priority?: number; paused?: boolean } }

/** `engine::WishAnswer`. */
export interface WishAnswer {
  done: boolean
  code: ErrorCode | null
  /** The effect, or the present state, in one sentence. */
  message: string
}

/** `engine::client::compare::Compared`: these runs, or all of an experiment. */
export type Compared = { runs: number[] } | { experiment: string }

/** What a run was made of. */
export interface Origin {
  /** What its pipeline was. */
  definition: Definition
  /** The template that it was started from; null: none, or it is not there any more. */
  template: string | null
}

/** One series of one attempt, in columns of equal length, in the order in which it was written. */
export interface MetricSeries {
  stage: string
  attempt: number
  name: string
  step: (number | null)[]
  epoch: (number | null)[]
  /** UTC milliseconds. */
  time_ms: number[]
  /** `null`: NaN or infinite. */
  value: (number | null)[]
  /** How many points there are; more than the columns hold where they were thinned. */
  total: number
}

/** What one attempt used over time: each 5 s of the last hour, each minute before that. `engine::client::UsageSeries`. */
export interface UsageSeries {
  stage: string
  attempt: number
  /** All together, up to now where it lives. */
  whole: Usage | null
  points: UsagePoint[]
}

/* ---- logs ------------------------------------------------------------------------------------------------------- */

/** `bars`: a line that was written over counts once, as it stands now. `raw`: every update is a line. */
export type LogMode = 'bars' | 'raw'

export interface LogQuery {
  number: number
  /** Else the stage that runs, failed, or ended last. */
  stage: string | null
  /** Else the newest. */
  attempt: number | null
  mode: LogMode
  /** Count from the line that holds this byte: `from` is then so many lines after it, or before it. */
  at?: number
}

/** One line. Only colour (SGR) escapes are left in `text`; other control characters are not. */
export interface LogLine {
  /** From 1. */
  n: number
  /** When it came, where it is known. */
  at: UtcMs | null
  /** At most 8 KiB; `cut` is how many bytes more there are. */
  text: string
  cut: number
  /** How often it was written over (`bars`). */
  updates: number
  level: 'error' | 'warning' | null
  /** In place of a line: so many bytes are gone here (over the cap, or no room). `text` is empty then. */
  gap: number | null
}

export interface LogPage {
  stage: string
  attempt: number
  lines: LogLine[]
  /** Lines there are now. */
  total: number
  /** Bytes there are now. */
  bytes: number
  /** What is there now is all there will be. */
  ended: boolean
  /** When the last line came. */
  last_at: UtcMs | null
  /** The line of the first error: the failure's `log_line`, else the first line of level `error`. */
  first_error: number | null
  /** The line that holds the byte that was asked for. */
  at: number | null
}

/* ---- files, machine, settings ------------------------------------------------------------------------------------ */

export interface FileView {
  /** What `reveal` takes, and `resume` from a checkpoint. */
  id: string
  kind: 'output' | 'checkpoint' | 'file'
  stage: string | null
  /** The output's name, or the path below the run's folder. */
  name: string
  size: number
  modified_at: UtcMs | null
  /** False: declared, but not there. */
  exists: boolean
  /** False: a checkpoint that is not complete, as far as its format tells, or anything that is not there. */
  whole: boolean
  /** What its program said of a checkpoint; null: nothing. A metric of null is no number. */
  checkpoint: { step: number | null; epoch: number | null; metrics: { [name: string]: number | null } } | null
  /** What becomes of a checkpoint; null: nothing is known of it. `rank`: its place by its stage's metric, 1 is the best. */
  keeping: { fate: Fate; rank: number | null; value: number | null } | null
}

/** Whether a checkpoint stays, and why; `goes`: it is removed when they are cleaned next. */
export type Fate = 'stays' | 'best' | 'newest' | 'pinned' | 'in_use' | 'unfinished' | 'not_ours' | 'goes'

export interface FilesView {
  /** For people. */
  folder: string
  /** Of all of it. */
  size: number
  /** At most 500, newest first. */
  files: FileView[]
  /** How many more there are. */
  more: number
}

export interface MachineView {
  platform: 'macos' | 'linux'
  cpus: number
  /** Share of all cores that is busy; `null` where it cannot be told. */
  cpu_use: number | null
  memory_total: number
  memory_used: number | null
  /** Looked at closely only where that was asked for; else what is there, without figures. */
  gpus: Gpu[]
  /** Programs of others keep no stage from a GPU. */
  ignore_others: boolean
  /** Of the data folder; `null` where it cannot be told. */
  disk: DiskView | null
  /** What the data folder holds. */
  store_size: number | null
  /** For people. */
  store_folder: string
  version: string
}

/** One look at the machine; shares of all there is, `null` where it cannot be told. */
export interface MachineSample {
  at_ms: number
  cpu: number | null
  memory: number | null
  /** The first GPU. */
  gpu: number | null
  /** Used, not free. */
  disk: number | null
}

export interface Settings {
  language: 'system' | 'en' | 'zh-CN'
  theme: 'system' | 'light' | 'dark'
  notify_completed: boolean
  notify_failed: boolean
  notify_interrupted: boolean
  notify_disk: boolean
  notify_stalled: boolean
  notify_alert: boolean
  quiet: boolean
  /** `22:00`, local time. */
  quiet_from: string
  quiet_to: string
  start_at_login: boolean
  /** The system, not the display, while a run is active. */
  keep_awake: boolean
}

/** What is not given stays, or is what the address suggests, with every kind told. */
export interface WebhookRequest {
  /** A secret. */
  address?: string
  form?: WebhookForm
  on?: NoticeKind[]
}

export interface Platform {
  /** Which one this is: the view words a few things by it. */
  readonly kind: 'tauri' | 'fake'

  /**
   * Present state first, then changes. In Tauri: `invoke("subscribe", { channel })`, a `Channel<Push>`, which answers
   * with the id of the subscription; leaving is `invoke("unsubscribe", { id })`. A new subscription ends none of the others.
   */
  subscribe(on: (push: Push) => void): Promise<() => void>

  /** `Client::list`. */
  list(query: ListQuery): Promise<RunPage>
  /** `Client::show`. */
  show(number: number): Promise<RunView>
  /** `Client::definition`, and `engine::templates::of_run`. */
  origin(number: number): Promise<Origin>
  /** `Client::report`. */
  report(number: number): Promise<Report>
  /** `Client::metrics` in columns, each thinned to at most `max` points by least and greatest of each stretch. */
  metrics(number: number, max: number): Promise<MetricSeries[]>
  /** `Client::usage`. */
  usage(number: number): Promise<UsageSeries[]>
  /** `Client::compare`: 2 to 100 runs side by side. */
  compare(asked: Compared): Promise<Comparison>
  /** The same as comma-separated values. */
  compareCsv(asked: Compared): Promise<string>
  /** Lines `from` (from 1) to `from + count - 1`; a negative `from` counts from the end (-100: the last 100). `count` <= 2,000. */
  log(query: LogQuery, from: number, count: number): Promise<LogPage>
  /** Numbers of the lines that contain `text`, whatever its case, in order, at most 10,000; `total` counts all. */
  logSearch(query: LogQuery, text: string): Promise<{ lines: number[]; total: number }>
  /** What lies in the run's folder, and its declared outputs. */
  files(number: number): Promise<FilesView>
  /** Shows a file of `files`, or the run's folder, in the file manager. */
  reveal(number: number, file: string | null): Promise<void>

  /**
   * `Client::wish` and `await_answer` (cancel: grace + 5 s, others 10 s). `number` is null for `queue` and `schedule`. A refusal is an
   * answer with `done: false`; no answer in time rejects with `no_answer`, and the wish stays on record.
   */
  wish(number: number | null, wish: Wish): Promise<WishAnswer>

  /** When a timetable would be due in a zone, or in this machine's; rejects with `invalid`, which says what is wrong with it. */
  scheduleTimes(timing: string, zone: string | null): Promise<TimesView>
  /** The pipeline that a schedule runs, as it is now. */
  scheduleDefinition(name: string): Promise<Definition>
  /** `Client::edit_schedule`: all of it, or nothing. */
  editSchedule(name: string, edit: ScheduleEdit): Promise<ScheduleView>
  /** `Client::add_schedule` for what was chosen in the wizard; its `name` is that of the runs, and not used for a template. */
  addSchedule(request: StartRequest, repeat: RepeatRequest): Promise<ScheduleView>
  /** The same for what a run was made of. */
  repeatRun(number: number, repeat: RepeatRequest): Promise<ScheduleView>
  /** `Client::run_schedule`: a run now; its times stay. */
  runSchedule(name: string): Promise<Submitted>

  /** Built-in ones and own ones; `broken`: own ones that cannot be read as they are. */
  templates(): Promise<{ templates: TemplateView[]; broken: BrokenTemplate[] }>
  /** Shows the folder of an own template in the file manager. */
  revealTemplate(name: string): Promise<void>
  /** The shell's dialog for an archive, which is unpacked: the new template's name. It may run nothing yet. */
  importTemplate(): Promise<string | null>
  /** The same for a file that was opened from the desktop, or a folder that was dropped, by the handle in `open/HANDLE`. */
  openArchive(handle: string): Promise<string>
  /** The shell's dialog for a folder with a pipeline, which is copied. It may run nothing yet. */
  addTemplate(): Promise<string | null>
  /** Makes a template of a run; answers with its name. */
  keepRun(number: number, title: string): Promise<string>
  /** What a template would run and read; runs nothing. */
  templateContent(name: string): Promise<TemplateContent>
  /** Allows it to run as it was shown; rejects with `conflict` where it was changed since. */
  allowTemplate(name: string, hash: string): Promise<void>
  /** The shell's dialog for a new archive. False: closed without a choice. */
  exportTemplate(name: string): Promise<boolean>
  renameTemplate(name: string, to: string): Promise<void>
  removeTemplate(name: string): Promise<void>
  /** The shell's dialog for one file; null: closed without a choice. */
  pickScript(): Promise<ScriptView | null>
  /** What stands behind a handle; rejects with `not_found` where the shell or the file has gone. */
  script(handle: string): Promise<ScriptView>
  /** The shell's dialog for a parameter of kind `path` or `dataset`; null: closed without a choice. */
  pickPath(folder: boolean): Promise<string | null>
  /** What lies behind a path that `pickPath` gave out since the app started; rejects with `refused` for any other. */
  data(path: string): Promise<DataView>
  /** The bytes of a recording in it, at most 32 MiB. */
  sound(path: string, id: string): Promise<ArrayBuffer>
  /** Checks and plans; starts nothing, writes nothing. Rejects only where it could not even look. */
  check(request: StartRequest): Promise<CheckView>
  /** `Client::submit`. */
  start(request: StartRequest): Promise<Submitted>
  /** What a sweep would be, with all that is wrong with it; writes nothing. */
  lookAtSweep(request: SweepRequest): Promise<SweepView>
  /** `check` of its first run, with the sweep's line for the terminal. */
  checkSweep(request: SweepRequest): Promise<CheckView>
  /** `Client::sweep`: all runs as one batch, or none. */
  startSweep(request: SweepRequest): Promise<SweptView>

  /** Half-filled wizard, kept across restarts; null: none. The shell stores it as it is, up to 64 KiB. */
  draft(): Promise<JsonValue>
  setDraft(draft: JsonValue): Promise<void>

  /** `closely`: somebody looks at it, or something runs. GPUs are not asked else. */
  machine(closely: boolean): Promise<MachineView>
  /** What was seen since the shell started, at most the last hour, one sample each 15 seconds, oldest first. */
  machineHistory(): Promise<MachineSample[]>
  settings(): Promise<Settings>
  /** Stores all of them, puts them into effect and answers with what is in force. */
  setSettings(settings: Settings): Promise<Settings>
  /** Where messages are sent, and how the last ones fared; null: nowhere. Of the address only the server is told. */
  webhook(): Promise<WebhookView | null>
  /** Sets it, or changes what is given. Answers with what is in force. */
  setWebhook(request: WebhookRequest): Promise<WebhookView>
  /** Sends a message now, as it would be after `setWebhook`; answers with the server that has taken it. At most five seconds. */
  tryWebhook(request: WebhookRequest): Promise<string>
  /** False: there was none. */
  removeWebhook(): Promise<boolean>
  /** Puts text on the clipboard. */
  copy(text: string): Promise<void>
  /** The shell's dialog for a new file; writes `text` there. False: closed without a choice. */
  saveText(name: string, text: string): Promise<boolean>
  /** As `saveText`, for a picture: the bytes of a PNG. */
  savePicture(name: string, png: number[]): Promise<boolean>
}

/** True for what a method of `Platform` rejects with. */
export function isFault(error: unknown): error is Fault {
  return typeof error === 'object' && error !== null && 'code' in error && 'message' in error
}
