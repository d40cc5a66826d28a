/** Several values for settings: what is typed for them, and what is asked for. What a text means, the engine alone knows. Pure. */
import type { Definition, JsonValue, Param, Placement, SweepRequest, SweepView } from '../../platform/types'
import { entries, presetValues, read, type Problem, type Typed } from './params'

export interface Sweep {
  /** So many random runs, as typed; null: all combinations. */
  random: string | null
  /** What they are drawn by, so that those that are started are those that were shown. */
  seed: number | null
  /** The values of choices and switches. */
  chosen: { [name: string]: string[] }
  experiment: string
}

/** Most runs of a sweep, as the engine has it. */
export const MOST_RUNS = 10_000
/** More runs than these are not started without a look at the last step. */
export const LOOKED_AT_BEYOND = 100

/** What was kept, as far as it is whole. */
export function reviveSweep(kept: JsonValue | undefined): Sweep | null {
  if (typeof kept !== 'object' || kept === null || Array.isArray(kept)) return null
  const { random, seed, chosen, experiment } = kept
  const lists = Object.entries(typeof chosen === 'object' && chosen !== null ? chosen : {}).filter(
    (pair): pair is [string, string[]] => Array.isArray(pair[1]) && pair[1].every((one) => typeof one === 'string'),
  )
  return {
    random: typeof random === 'string' ? random : null,
    seed: typeof seed === 'number' ? seed : null,
    chosen: Object.fromEntries(lists),
    experiment: typeof experiment === 'string' ? experiment : '',
  }
}

/** Chosen from a list, rather than typed. */
export const isListed = (param: Param): boolean => param.type === 'choice' || param.type === 'boolean'
/** One value in all runs. */
export const isSingle = (param: Param): boolean => param.type === 'secret' || param.type === 'dataset'
const isText = (param: Param): boolean => param.type === 'string' || param.type === 'path'
/** Commas separate values; one within a value has a backslash before it. */
const escaped = (text: string): string => text.replaceAll(',', '\\,')
const plain = (text: string): string => text.replaceAll('\\,', ',')

/** The values a preset sets, as they would be typed for a sweep. */
export function sweepValues(definition: Definition, preset: string | null): Typed {
  const base = presetValues(definition, preset)
  for (const [name, param] of entries(definition)) {
    const value = base[name]
    if (isText(param) && typeof value === 'string') base[name] = escaped(value)
  }
  return base
}

/** What was typed for one run, for a sweep. */
export function toSweep(definition: Definition, typed: Typed): { typed: Typed; sweep: Sweep } {
  const out: Typed = { ...typed }
  const chosen: Sweep['chosen'] = {}
  for (const [name, param] of entries(definition)) {
    const value = out[name]
    if (value === undefined) continue
    if (isListed(param)) {
      chosen[name] = [String(value)]
      delete out[name]
    } else if (isText(param)) out[name] = escaped(String(value))
  }
  return { typed: out, sweep: { random: null, seed: null, chosen, experiment: '' } }
}

/** What was given for a sweep, for one run: values that are one. */
export function toOne(definition: Definition, typed: Typed, sweep: Sweep): Typed {
  const out: Typed = {}
  for (const [name, param] of entries(definition)) {
    const [only, ...more] = sweep.chosen[name] ?? []
    const text = isListed(param) ? (more.length > 0 ? undefined : only) : typed[name]
    if (text === undefined) continue
    const value = param.type === 'boolean' ? text === 'true' : isText(param) ? plain(String(text)) : text
    if (read(param, value).problem === null || isSingle(param)) out[name] = value
  }
  return out
}

/** What is given for each setting, and what can be said to be wrong with it without reading it. */
export function collectSweep(
  definition: Definition,
  typed: Typed,
  preset: string | null,
  sweep: Sweep,
): { params: SweepRequest['params']; varied: SweepRequest['varied']; problems: { [name: string]: Problem } } {
  const base = sweepValues(definition, preset)
  const params: SweepRequest['params'] = {}
  const varied: SweepRequest['varied'] = {}
  const problems: { [name: string]: Problem } = {}
  for (const [name, param] of entries(definition)) {
    const raw = typed[name] ?? base[name] ?? ''
    if (isListed(param)) {
      const chosen = sweep.chosen[name]
      if (chosen?.length === 0) problems[name] = { code: 'required' }
      else if (chosen) varied[name] = chosen.map(escaped).join(',')
      else if (param.type === 'choice' && raw === '') problems[name] = { code: 'required' }
    } else if (isSingle(param)) {
      const { value, problem } = read(param, raw)
      if (problem) problems[name] = problem
      else if (value !== undefined && raw !== base[name]) params[name] = value
    } else if (String(raw).trim() === '' && !(isText(param) && param.default !== undefined))
      problems[name] = { code: 'required' }
    else if (raw !== base[name]) varied[name] = String(raw)
  }
  return { params, varied, problems }
}

/** How many random runs; null: no such number. */
export function randomRuns(text: string): number | null {
  const runs = /^\d{1,5}$/.test(text.trim()) ? Number(text) : 0
  return runs >= 1 && runs <= MOST_RUNS ? runs : null
}

/** What is asked for; null while something is missing. */
export function sweepRequest(
  template: { name: string; definition: Definition },
  typed: Typed,
  preset: string | null,
  sweep: Sweep,
  placement: Placement,
): SweepRequest | null {
  const { params, varied, problems } = collectSweep(template.definition, typed, preset, sweep)
  const random = sweep.random === null ? null : randomRuns(sweep.random)
  if (Object.keys(problems).length > 0 || (sweep.random !== null && random === null)) return null
  return {
    template: template.name,
    preset,
    params,
    varied,
    random,
    seed: random === null ? null : sweep.seed,
    experiment: sweep.experiment.trim() || null,
    ...placement,
    name: null,
    after: [],
  }
}

/** What the engine says is wrong, each beside its setting. `said` puts it into the language in force. */
export function faultsOf(view: SweepView | null, said: (text: string) => string): { [name: string]: Problem } {
  const faults: { [name: string]: Problem } = {}
  for (const { name, message } of view?.params ?? []) {
    // Its name stands beside it.
    const text = said(message)
    const bare = text.replace(/^(?:parameter "(?:[^"\\]|\\.)*"|参数“[^”]*”)\s*[:：]?\s*/, '')
    faults[name] ??= { code: 'said', text: bare.charAt(0).toUpperCase() + bare.slice(1) }
  }
  return faults
}

/** The first values of a setting, in one line. */
export function listed(values: JsonValue[], count: number, write: (value: JsonValue) => string): string {
  return values.map(write).join(', ') + (count > values.length ? ' …' : '')
}
