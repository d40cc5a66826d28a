/** What the comparison shows: the order of runs, the lines of the table, the axes of a sweep. Pure. */
import type { ComparedMetric, Comparison, JsonValue } from '../../bindings/core'

/** More runs than this stand line by line; fewer stand side by side. */
export const SIDE_BY_SIDE = 5
/** More curves than this are pale, but for the best one and the one that is pointed at. */
export const DISTINCT = 8
const AXES = 7

/** What tells a metric from others. */
export const keyOf = (metric: { stage: string; name: string }) => `${metric.stage}\u0000${metric.name}`

/** Places of the runs: the best first by this metric, then those without a value. */
export function order(found: Comparison, metric: ComparedMetric | undefined): number[] {
  const all = found.runs.map((_, i) => i)
  if (!metric?.better) return all
  const way = metric.better === 'min' ? 1 : -1
  const value = (i: number) => metric.values[i]?.value ?? null
  return all.sort((a, b) => {
    const [x, y] = [value(a), value(b)]
    if (x === null || y === null) return Number(x === null) - Number(y === null) || a - b
    return way * (x - y) || a - b
  })
}

/** How the curve of the run at this place looks: five colours, then the same with dashes. */
export function look(place: number): { color: number; dash: boolean } {
  return { color: (place % 5) + 1, dash: Math.floor(place / 5) % 2 === 1 }
}

export interface Axis {
  name: string
  /** 0 to 1 from the bottom; null: the run has no such value. */
  places: (number | null)[]
  /** What is written at which height. */
  marks: { at: number; value: JsonValue }[]
}

/** The axes of parallel coordinates: what differs, then the result. None for two runs: the table says it better.
 * Numbers that span decades are laid out by their logarithm. */
export function axes(found: Comparison, metric: ComparedMetric | undefined): Axis[] {
  if (found.runs.length < 3) return []
  // What most of them lack says nothing of the others.
  const half = found.runs.length / 2
  const common = (values: unknown[]) => values.filter((value) => value !== null).length > half
  const given = found.params.filter((param) => param.differs && common(param.values)).slice(0, AXES)
  const out = given.map((param) => axis(param.name, param.values))
  if (metric && metric.values.some((one) => (one?.value ?? null) !== null))
    out.push(
      axis(
        metric.name,
        metric.values.map((one) => one?.value ?? null),
      ),
    )
  return out
}

function axis(name: string, values: (JsonValue | null)[]): Axis {
  const there = values.filter((value) => value !== null)
  const numbers = there.filter((value) => typeof value === 'number')
  if (numbers.length === there.length && numbers.length > 0) {
    const [low, high] = [Math.min(...numbers), Math.max(...numbers)]
    const log = low > 0 && high / low >= 50
    const by = (x: number) => (log ? Math.log(x) : x)
    const at = (x: number) => (high === low ? 0.5 : (by(x) - by(low)) / (by(high) - by(low)))
    return {
      name,
      places: values.map((value) => (typeof value === 'number' ? at(value) : null)),
      marks: high === low ? [{ at: 0.5, value: low }] : [low, high].map((value) => ({ at: at(value), value })),
    }
  }
  const kinds = [...new Set(there.map((value) => JSON.stringify(value)))].sort()
  const at = (kind: string) => (kinds.length === 1 ? 0.5 : kinds.indexOf(kind) / (kinds.length - 1))
  return {
    name,
    places: values.map((value) => (value === null ? null : at(JSON.stringify(value)))),
    marks: kinds.length > 8 ? [] : kinds.map((kind) => ({ at: at(kind), value: JSON.parse(kind) as JsonValue })),
  }
}

/** The metric that is looked at first: the one whose better way the pipeline says, else one whose name tells it. */
export function firstMetric(found: Comparison): ComparedMetric | undefined {
  const validated = (metric: ComparedMetric) => /^(val|eval|test)/i.test(metric.name)
  const told = found.metrics.filter((metric) => metric.better !== null)
  return told.find((metric) => metric.declared) ?? told.find(validated) ?? told[0] ?? found.metrics[0]
}
