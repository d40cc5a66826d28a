/** The half-filled wizard: kept by the platform, so that neither a reload nor a crash loses it. */
import { platform } from '../../app/platform'
import type {
  JsonValue,
  Placement,
  RunView,
  ScriptView,
  Stage,
  StartRequest,
  SweepRequest,
  TemplateView,
} from '../../platform/types'
import { nightly, reviveRepeat, type Repeat } from '../schedule/repeat'
import { collect, datasets, line, words, type Typed } from './params'
import { reviveSweep, sweepRequest, toOne, toSweep, type Sweep } from './sweep'

/** Where a stage runs whose pipeline names no queue. Names of queues are never translated. */
export const DEFAULT_QUEUE = 'default'

export type Step = 'what' | 'data' | 'how' | 'when' | 'check'
const STEPS: Step[] = ['what', 'data', 'how', 'when', 'check']

/** The steps there are: data only where a template asks for it. */
export function stepsOf(template: TemplateView | undefined): Step[] {
  const data = template !== undefined && datasets(template.definition).length > 0
  return STEPS.filter((step) => step !== 'data' || data)
}

export interface Draft {
  step: Step
  kind: 'template' | 'script' | 'command' | null
  template: string | null
  preset: string | null
  typed: Typed
  /** Several values, and a run for each; null: one run. */
  sweep: Sweep | null
  script: string | null
  interpreter: string | null
  /** The run whose command it is, what it runs, and where: for `command`. */
  like: number | null
  program: string
  folder: string
  args: string
  cpus: number
  gpus: number
  retries: number
  name: string
  queue: string
  when: 'now' | 'at' | 'after' | 'repeat'
  /** As the field gives it, local time: `2026-11-27T23:00`. */
  at: string
  after: number | null
  afterOk: boolean
  /** How often: for `repeat`. */
  repeat: Repeat
}

export function blank(): Draft {
  return {
    step: 'what',
    kind: null,
    template: null,
    preset: null,
    typed: {},
    sweep: null,
    script: null,
    interpreter: null,
    like: null,
    program: '',
    folder: '',
    args: '',
    cpus: 1,
    gpus: 0,
    retries: 0,
    name: '',
    queue: '',
    when: 'now',
    at: '',
    after: null,
    afterOk: false,
    repeat: nightly(),
  }
}

/** The command of a run, to be changed. */
export function ofCommand(run: RunView, stage: Stage): Draft {
  return {
    ...blank(),
    step: 'how',
    kind: 'command',
    like: run.number,
    program: stage.command?.[0] ?? '',
    folder: run.cwd ?? '',
    args: line((stage.command ?? []).slice(1)),
    cpus: stage.resources?.cpus ?? 1,
    gpus: stage.resources?.gpus ?? 0,
    retries: stage.retries?.max ?? 0,
    name: run.name,
    queue: run.queue === DEFAULT_QUEUE ? '' : run.queue,
  }
}

/** What was kept, as far as it is whole; anything else starts afresh. */
export function revive(kept: JsonValue): Draft | null {
  if (typeof kept !== 'object' || kept === null || Array.isArray(kept)) return null
  const draft = blank()
  for (const key of Object.keys(draft) as (keyof Draft)[]) {
    const value = kept[key]
    if (value !== undefined && (draft[key] === null || value === null || typeof value === typeof draft[key]))
      Object.assign(draft, { [key]: value })
  }
  draft.repeat = reviveRepeat(kept['repeat'])
  draft.sweep = reviveSweep(kept['sweep'])
  return STEPS.includes(draft.step) && draft.kind !== null ? draft : null
}

/** Goes over from one run to a sweep, or back: what was typed stays, as far as it can. */
export function setSweep(draft: Draft, template: TemplateView, on: boolean): void {
  if (on === (draft.sweep !== null)) return
  if (draft.sweep !== null) {
    draft.typed = toOne(template.definition, draft.typed, draft.sweep)
    draft.sweep = null
    return
  }
  Object.assign(draft, toSweep(template.definition, draft.typed))
  if (draft.when === 'after' || draft.when === 'repeat') draft.when = 'now'
}

/** What a draft of a sweep asks for; `null` while something is missing, or for one run. */
export function sweepOf(draft: Draft, template: TemplateView | undefined): SweepRequest | null {
  if (draft.kind !== 'template' || !template || draft.sweep === null) return null
  return sweepRequest(template, draft.typed, draft.preset, draft.sweep, placement(draft))
}

let timer: ReturnType<typeof setTimeout> | undefined
let fault = $state.raw<unknown>(null)
/** Why the draft as it is now is not kept; null: it is, or will be in a moment. */
export function notKept(): unknown {
  return fault
}
let newest = 0
/** What is on its way to be kept, or could not be. */
let pending: { draft: JsonValue } | null = null
/** The draft as it was last left, also a moment ago. */
export async function kept(): Promise<JsonValue> {
  return pending ? pending.draft : await platform().draft()
}
export function keep(draft: Draft | null): void {
  clearTimeout(timer)
  const mine = ++newest
  const told = (why: unknown) => {
    if (mine !== newest) return
    fault = why
    if (why === null) pending = null
  }
  const text =
    draft === null ? null : (JSON.parse(JSON.stringify({ ...draft, typed: withoutSecrets(draft.typed) })) as JsonValue)
  pending = { draft: text }
  timer = setTimeout(
    () =>
      void platform()
        .setDraft(text)
        .then(() => told(null), told),
    draft === null ? 0 : 250,
  )
}

let secretNames: string[] = []
/** Secrets are not kept with the draft. */
export function secrets(names: string[]): void {
  secretNames = names
}
function withoutSecrets(typed: Typed): Typed {
  return Object.fromEntries(Object.entries(typed).filter(([name]) => !secretNames.includes(name)))
}

export function placement(draft: Draft): Placement {
  return {
    name: draft.name.trim() || null,
    queue: draft.queue || null,
    priority: null,
    not_before: draft.when === 'at' && draft.at ? new Date(draft.at).toISOString() : null,
    after: draft.when === 'after' && draft.after !== null ? [[draft.after, draft.afterOk]] : [],
  }
}

/** What the draft asks for; `null` while something is missing. */
export function request(
  draft: Draft,
  template: TemplateView | undefined,
  script: ScriptView | null,
): StartRequest | null {
  if (draft.kind === 'template' && template) {
    const { params, problems } = collect(template.definition, draft.typed, draft.preset)
    if (Object.keys(problems).length > 0) return null
    return { kind: 'template', template: template.name, preset: draft.preset, params, ...placement(draft) }
  }
  if (draft.kind === 'script' && script) {
    return {
      kind: 'script',
      script: script.handle,
      interpreter: draft.interpreter ?? script.interpreters[0]?.id ?? null,
      args: words(draft.args),
      cpus: draft.cpus,
      memory: 0,
      gpus: draft.gpus,
      retries: draft.retries,
      timeout_ms: null,
      ...placement(draft),
    }
  }
  if (draft.kind === 'command' && draft.like !== null) {
    return {
      kind: 'again',
      run: draft.like,
      args: words(draft.args),
      cpus: draft.cpus,
      gpus: draft.gpus,
      retries: draft.retries,
      ...placement(draft),
    }
  }
  return null
}
