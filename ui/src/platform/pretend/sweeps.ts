/** Pretend sweeps: enough of their grammar to be shown and tried; the engine's own reading is tested where it is. */
import type { CheckView, Fault, JsonValue, Param, Platform, SweepRequest, SweepView } from '../types'
import { check } from './check'
import { TEMPLATES } from './templates'

interface Store {
  note: (what: string, ...args: unknown[]) => void
  read: <T>(make: () => T) => Promise<T>
  fault: (code: Fault['code'], message: string, hints?: string[]) => Fault
  /** Writes down a run of an experiment. */
  add: (template: string, name: string, experiment: string, params: { [name: string]: JsonValue }) => number
  has: (experiment: string) => boolean
}

/** Values of one parameter; null: drawn from a stretch without steps. Throws what is wrong with them. */
function values(name: string, param: Param, text: string, random: boolean): JsonValue[] | null {
  const numbers = param.type === 'integer' || param.type === 'number'
  const out: JsonValue[] = []
  for (const piece of text.split(/(?<!\\),/)) {
    const range = numbers ? /^\s*(.+)\.\.([^:]+)(?::(.+))?$/.exec(piece) : null
    const [low, high] = [Number(range?.[1]), Number(range?.[2])]
    if (range && (range[3] === 'log' || (param.type === 'number' && !range[3]))) {
      if (!random) throw new Error(`parameter "${name}": "${piece.trim()}" has no steps to make a grid of`)
      return null
    }
    const step = Number(range?.[3] ?? 1)
    for (let at = low; range && at <= high + 1e-9 && out.length < 20_000; at += step) out.push(Number(at.toFixed(9)))
    if (range) continue
    const n = Number(piece)
    if (numbers && (piece.trim() === '' || Number.isNaN(n) || n < (param.minimum ?? n) || n > (param.maximum ?? n)))
      throw new Error(
        `parameter "${name}" must be a number from ${param.minimum} to ${param.maximum}, not ${Number.isNaN(n) ? `"${piece.trim()}"` : n}`,
      )
    out.push(numbers ? n : param.type === 'boolean' ? piece === 'true' : piece.replaceAll('\\,', ','))
  }
  return out
}

function look(request: SweepRequest, experiment: string): SweepView {
  const definition = TEMPLATES.find((one) => one.name === request.template)?.definition
  const axes: [string, JsonValue[] | null][] = []
  const params: SweepView['params'] = []
  const fixed: { [name: string]: JsonValue } = { ...request.params }
  for (const [name, text] of Object.entries(request.varied)) {
    const param = definition?.params?.[name]
    try {
      const found = param ? values(name, param, text, request.random !== null) : []
      if (found?.length === 1) fixed[name] = found[0]!
      else axes.push([name, found])
    } catch (error) {
      params.push({ name, message: (error as Error).message })
    }
  }
  const varied = axes.map(([name, all]) => ({ name, count: all?.length ?? null, values: (all ?? []).slice(0, 8) }))
  const all = axes.reduce((product, [, list]) => product * (list?.length ?? Infinity), 1)
  const seed = request.random === null ? null : (request.seed ?? 4711)
  let refusal: SweepView['refusal'] = null
  if (axes.length === 0)
    refusal = { code: 'no_sweep', message: 'nothing varies: no parameter is given more than one value' }
  else if (request.random === null && all > 10_000)
    refusal = { code: 'limit', message: `this grid has ${all} runs; the limit is 10000` }
  else if (request.random !== null && request.random > all)
    refusal = { code: 'limit', message: `${request.random} random runs are asked for, and these values make ${all}` }
  const total = params.length > 0 || refusal ? 0 : (request.random ?? all)
  const rows = Array.from({ length: total }, (_, n) => {
    let left = seed === null ? n : (n * 7919 + seed) >>> 0
    const row: { [name: string]: JsonValue } = {}
    for (const [name, list] of [...axes].reverse()) {
      row[name] = list ? list[left % list.length]! : Number((0.0001 * (1 + (left % 97))).toPrecision(4))
      left = Math.floor(left / (list?.length ?? 97))
    }
    return { ...fixed, ...Object.fromEntries(axes.map(([name]) => [name, row[name]!])) }
  })
  const named = (row: { [name: string]: JsonValue }) => axes.map(([name]) => `${name}=${String(row[name])}`).join(',')
  const runs = rows.map((row) => ({ name: named(row), params: row }))
  return { experiment, seed, varied, total, runs, params, refusal }
}

export function sweeps(store: Store): Pick<Platform, 'lookAtSweep' | 'checkSweep' | 'startSweep'> {
  const experiment = (request: SweepRequest): string => {
    if (request.experiment) return request.experiment
    let n = 1
    while (store.has(`${request.template}-sweep-${n}`)) n += 1
    return `${request.template}-sweep-${n}`
  }
  const whole = (request: SweepRequest) => {
    const seen = look(request, experiment(request))
    if (seen.total === 0) throw store.fault('invalid_pipeline', 'The sweep cannot be made.')
    return seen
  }
  return {
    lookAtSweep: (request) =>
      store.read(() => {
        store.note('lookAtSweep', request)
        const view = look(request, experiment(request))
        return { ...view, runs: view.runs.slice(0, 5) }
      }),
    checkSweep: (request) =>
      store.read((): CheckView => {
        const { runs, seed } = whole(request)
        const first = check({ kind: 'template', ...request, preset: null, params: runs[0]?.params ?? {} })
        const given = Object.entries(request.varied).map(([name, text]) => `-p '${name}=${text}'`)
        const drawn = request.random === null ? [] : [`--random ${request.random} --seed ${seed}`]
        return { ...first, cli: ['footplate sweep', request.template, ...given, ...drawn].join(' ') }
      }),
    async startSweep(request) {
      store.note('startSweep', request)
      const { runs, experiment: name } = whole(request)
      const numbers = runs.map((run) => store.add(request.template, run.name, name, run.params))
      return { experiment: name, total: runs.length, first: numbers[0] ?? 0 }
    },
  }
}
