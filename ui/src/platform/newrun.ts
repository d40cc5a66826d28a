/** What a new run is made of, as the door tells it (`types.ts`): templates, data, scripts, what is to be started, and its check. */
import type { Definition, JsonValue, UtcMs } from '../bindings/core'

export interface TemplateView {
  /** What `start` and `check` take. */
  name: string
  source: 'built-in' | 'own'
  /** `asks`: it came from elsewhere, or was changed, and runs nothing before `allowTemplate`. */
  trust: 'allowed' | 'asks'
  definition: Definition
  /** Seconds it took before, as `plan` knows them. */
  expected_s: number | null
}

/** An own template whose file was broken since (`engine::templates::Broken`). */
export interface BrokenTemplate {
  name: string
  /** The file to mend; for people. */
  file: string
  /** In the order of the file; never empty. */
  faults: { line: number | null; column: number | null; message: string; hint: string | null }[]
}

/** What a template would run and read: what the user allows. */
export interface TemplateContent {
  name: string
  title: string | null
  description: string | null
  trust: 'allowed' | 'asks'
  /** Of all its files; what `allowTemplate` takes. Empty for a built-in one. */
  hash: string
  /** For people; it stands in commands as `{{ pipeline.dir }}`. */
  folder: string | null
  stages: StageText[]
  /** Parameters that name a file or a folder to be read. */
  paths: string[]
  files: { path: string; size: number; executable: boolean }[]
  size: number
}

export interface StageText {
  stage: string
  /** With the default values filled in. */
  argv: string[]
  /** As the file has it. */
  written: string[]
  /** What is put behind it where the stage goes on from a checkpoint. */
  resume: string[]
  shell: boolean
  /** Null: where the run is started from. */
  cwd: string | null
  /** Names of environment variables that it sets, and of secrets that it is given. */
  env: string[]
}

/** What is wrong with a line, from 1. */
export type DataFault = { line: number } & (
  { what: 'not_json' } | { what: 'not_utf8' } | { what: 'columns'; found: number; expected: number }
)

/** What lies behind a path (`engine::data`): counted and read up to a bound. */
export interface DataView {
  name: string
  folder: boolean
  files: number
  size: number
  /** False: there are more. */
  counted: boolean
  /** Links and the like, left out. */
  others: number
  kinds: { ending: string; files: number; size: number }[]
  /** What the file holds; for a folder its first file of a known format. */
  content: {
    name: string
    format: 'jsonl' | 'json' | 'csv' | 'tsv' | 'text'
    /** Without the head. */
    rows: number
    /** False: only the first part was read. */
    whole: boolean
    columns: string[]
    preview: string[][]
    /** The first ones. */
    faults: DataFault[]
    faults_total: number
  } | null
  /** Small ones, as `data:` addresses. */
  pictures: { name: string; address: string }[]
  sounds: SoundView[]
}

/** A recording (`engine::data::Sound`). */
export interface SoundView {
  /** What `sound` takes. */
  id: string
  name: string
  size: number
  /** Its length; null where its head cannot be read. */
  seconds: number | null
  /** Samples a second. */
  rate: number | null
  channels: number | null
  /** Small enough to be listened to. */
  playable: boolean
}

/** A program that can run a script. */
export interface Interpreter {
  id: string
  /** `python 3.12 in ~/tone/.venv`. */
  label: string
}

/** A script that a person chose in the shell's dialog. The handle stays valid; the shell keeps the newest 100. */
export interface ScriptView {
  handle: string
  /** The file's name. */
  name: string
  /** For people: home as `~`. */
  path: string
  /** Its folder, where it will run. */
  folder: string
  /** Best first; empty where the file runs by itself. */
  interpreters: Interpreter[]
}

/** When and where; the same for both kinds. */
export interface Placement {
  /** Else `<pipeline>-<number>`. */
  name: string | null
  queue: string | null
  priority: number | null
  not_before: UtcMs | null
  /** Number of a run, and whether only if it completed. */
  after: [number, boolean][]
}

export type StartRequest =
  | ({ kind: 'template'; template: string; preset: string | null; params: { [name: string]: JsonValue } } & Placement)
  | ({
      kind: 'script'
      script: string
      interpreter: string | null
      args: string[]
      cpus: number
      memory: number
      gpus: number
      retries: number
      /** Limit of running time. */
      timeout_ms: number | null
    } & Placement)
  /** The one command of a run (`Stage.literal`), with what is another; it runs where, and with what, the run did. */
  | ({
      kind: 'again'
      run: number
      /** What stands behind the program. */
      args: string[]
      cpus: number
      gpus: number
      retries: number
    } & Placement)

/** A template with several values for some of its parameters (`engine::start::SweepRequest`). Each run is named after its values. */
export type SweepRequest = {
  template: string
  preset: string | null
  /** Values that are the same in all runs. */
  params: { [name: string]: JsonValue }
  /** Values and ranges as they stand behind `-p` of `footplate sweep`: `1e-4,3e-4`, `5..20:5`. */
  varied: { [name: string]: string }
  /** So many random runs instead of all combinations. */
  random: number | null
  /** What random runs are drawn by; null: any number, which `SweepView` tells. */
  seed: number | null
  /** Else one is named after the pipeline, `digits-sweep-2`. */
  experiment: string | null
} & Placement

/** What a sweep would be (`engine::start::SweepView`). */
export interface SweepView {
  experiment: string
  /** Null: all combinations. */
  seed: number | null
  /** The parameters with several values. `count` null: drawn from numbers without steps. At most 8 values. */
  varied: { name: string; count: number | null; values: JsonValue[] }[]
  /** How many runs; 0 where something is wrong. */
  total: number
  /** The first of them, at most 5. */
  runs: { name: string; params: { [name: string]: JsonValue } }[]
  /** Faults of parameters; the name is empty where it concerns several. */
  params: { name: string; message: string }[]
  /** Why there are no runs, where the values themselves are good. `no_sweep`: nothing varies. */
  refusal: { code: 'no_sweep' | 'limit'; message: string } | null
}

/** What was started (`engine::start::SweptView`). */
export interface SweptView {
  experiment: string
  total: number
  /** The number of the first run. */
  first: number
}

export interface CheckItem {
  /** A stable word: `consent program folder secret memory gpus data disk queue params script`. */
  id: string
  state: 'ok' | 'note' | 'bad'
  detail: string
  /** What to do. */
  hint: string | null
}

/** `engine::plan::Plan` and what was looked at; starts nothing. */
export interface CheckView {
  items: CheckItem[]
  /** Faults of parameters, by name. */
  params: { name: string; message: string }[]
  levels: string[][]
  max_parallelism: number
  critical_path: string[]
  /** Seconds; stages without history are left out. */
  expected_stage_s: { [stage: string]: number }
  expected_s: number | null
  stages: { name: string; needs: string[]; queue: string }[]
  /** What runs, with the parameters filled in; what only the run will know stands as `‹run folder›` and the like. */
  commands: { stage: string; argv: string[]; shell: boolean }[]
  /** For people. */
  cwd: string
  /** The same as a line for the terminal. */
  cli: string
}
