/** The form of a pipeline's parameters: what was typed, what it means, what is wrong with it. Pure. */
import type { Definition, JsonValue, Param } from '../../platform/types'

/** As typed: text for most, true or false for switches. */
export type Typed = { [name: string]: string | boolean }

export interface Problem {
  /** A key of the words, with its arguments. */
  code: 'required' | 'integer' | 'number' | 'least' | 'most' | 'between' | 'pattern' | 'choice' | 'said'
  least?: number
  most?: number
  /** What the engine says, for `said`. */
  text?: string
}

export function entries(definition: Definition): [string, Param][] {
  return Object.entries(definition.params ?? {}).filter((pair): pair is [string, Param] => pair[1] !== undefined)
}

/** Names of the parameters that are data sets: they have a step of their own. */
export function datasets(definition: Definition): string[] {
  return entries(definition).flatMap(([name, param]) => (param.type === 'dataset' ? [name] : []))
}

function text(value: JsonValue | undefined, param: Param): string | boolean {
  if (param.type === 'boolean') return value === true
  if (value === undefined || value === null) return ''
  return typeof value === 'string' ? value : String(value)
}

/** What a preset sets; the empty name: the defaults alone. */
export function presetValues(definition: Definition, preset: string | null): Typed {
  const set = preset === null ? undefined : definition.presets?.[preset]
  return Object.fromEntries(
    entries(definition).map(([name, param]) => [name, text(set?.[name] ?? param.default, param)]),
  )
}

/** Presets with what each changes, `title` left out. */
export function presets(definition: Definition): { name: string; title: string; changes: [string, JsonValue][] }[] {
  return Object.entries(definition.presets ?? {}).map(([name, set]) => ({
    name,
    title: typeof set?.['title'] === 'string' ? set['title'] : name,
    changes: Object.entries(set ?? {}).filter(
      (pair): pair is [string, JsonValue] => pair[0] !== 'title' && pair[1] !== undefined,
    ),
  }))
}

/** Of what was given, all that no preset is about: another preset leaves that as it is, and above all data and secrets. */
export function beside<T>(definition: Definition, given: { [name: string]: T }): { [name: string]: T } {
  const governed = new Set(presets(definition).flatMap(({ changes }) => changes.map(([name]) => name)))
  const params = definition.params ?? {}
  return Object.fromEntries(
    Object.entries(given).filter(([name]) => {
      const type = params[name]?.type
      return type === 'dataset' || type === 'secret' || !governed.has(name)
    }),
  )
}

/** A number as people type it: `1e-4`, `0.001`, `1,000` with separators of thousands is not one. */
function numberOf(raw: string): number | null {
  const trimmed = raw.trim()
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(trimmed)) return null
  const n = Number(trimmed)
  return Number.isFinite(n) ? n : null
}

export function read(
  param: Param,
  raw: string | boolean | undefined,
): { value: JsonValue | undefined; problem: Problem | null } {
  if (param.type === 'boolean') return { value: raw === true, problem: null }
  const typed = typeof raw === 'string' ? raw : ''
  if (typed.trim() === '') {
    const optional = param.default !== undefined
    // An emptied field of text is an empty text; an emptied number falls back to nothing.
    if (optional && (param.type === 'string' || param.type === 'secret')) return { value: typed, problem: null }
    return { value: undefined, problem: { code: 'required' } }
  }
  if (param.type === 'integer' || param.type === 'number') {
    const n = numberOf(typed)
    if (n === null) return { value: undefined, problem: { code: param.type } }
    if (param.type === 'integer' && !Number.isInteger(n)) return { value: undefined, problem: { code: 'integer' } }
    const { minimum: least, maximum: most } = param
    const out = (least !== undefined && n < least) || (most !== undefined && n > most)
    if (out) {
      if (least !== undefined && most !== undefined)
        return { value: undefined, problem: { code: 'between', least, most } }
      return {
        value: undefined,
        problem: least !== undefined ? { code: 'least', least } : { code: 'most', most: most ?? 0 },
      }
    }
    return { value: n, problem: null }
  }
  if (param.type === 'choice') {
    const found = (param.choices ?? []).find((choice) => String(choice) === typed)
    return found === undefined ? { value: undefined, problem: { code: 'choice' } } : { value: found, problem: null }
  }
  if (param.pattern !== undefined) {
    try {
      if (!new RegExp(`^(?:${param.pattern})$`, 'u').test(typed))
        return { value: undefined, problem: { code: 'pattern' } }
    } catch {
      // A pattern of another dialect: the engine looks at it.
    }
  }
  return { value: typed, problem: null }
}

/** The values to submit, and what is wrong. Values that are as in the preset are left out. */
export function collect(
  definition: Definition,
  typed: Typed,
  preset: string | null,
): { params: { [name: string]: JsonValue }; problems: { [name: string]: Problem } } {
  const base = presetValues(definition, preset)
  const params: { [name: string]: JsonValue } = {}
  const problems: { [name: string]: Problem } = {}
  for (const [name, param] of entries(definition)) {
    const raw = typed[name] ?? base[name]
    const { value, problem } = read(param, raw)
    if (problem) problems[name] = problem
    else if (value !== undefined && raw !== base[name]) params[name] = value
  }
  return { params, problems }
}

export function changed(
  definition: Definition,
  typed: Typed,
  preset: string | null,
): { name: string; before: string | boolean; now: string | boolean }[] {
  const base = presetValues(definition, preset)
  return entries(definition)
    .map(([name]) => ({ name, before: base[name] ?? '', now: typed[name] ?? base[name] ?? '' }))
    .filter((change) => change.before !== change.now)
}

/** Words of a command line as typed, with quotes: `--name "two words"`. */
export function words(line: string): string[] {
  const out: string[] = []
  let word = ''
  let open = false
  let quote = ''
  for (let i = 0; i < line.length; i++) {
    const c = line[i] ?? ''
    if (quote) {
      if (c === quote) quote = ''
      else if (c === '\\' && quote === '"' && i + 1 < line.length) word += line[++i]
      else word += c
    } else if (c === '"' || c === "'") {
      quote = c
      open = true
    } else if (c === '\\' && i + 1 < line.length) {
      word += line[++i]
      open = true
    } else if (/\s/.test(c)) {
      if (open || word) out.push(word)
      word = ''
      open = false
    } else word += c
  }
  if (open || word) out.push(word)
  return out
}

/** Words as a line that `words` reads back as they were. */
export function line(all: string[]): string {
  return all
    .map((word) => (/^[^\s'"\\]+$/.test(word) ? word : `"${word.replace(/[\\"]/g, (sign) => `\\${sign}`)}"`))
    .join(' ')
}
