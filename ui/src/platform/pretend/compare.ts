/** Comparisons over the pretend store, as the engine makes them. */
import type { ComparedMetric, ComparedValue, Comparison } from '../../bindings/core'
import type { JsonValue, MetricSeries, RunView } from '../types'

const better = (name: string): ComparedMetric['better'] =>
  /loss/.test(name) ? 'min' : /(acc|auc)/.test(name) ? 'max' : null

export function compare(runs: RunView[], series: (run: RunView) => MetricSeries[], leftOut: number): Comparison {
  const measured = runs.map(series)
  const table = (rows: { [name: string]: JsonValue | undefined }[]): ComparedValue[] =>
    [...new Set(rows.flatMap((row) => Object.keys(row)))].map((name) => {
      const values = rows.map((row) => row[name] ?? null)
      return { name, values, differs: new Set(values.map((value) => JSON.stringify(value))).size > 1 }
    })
  const names = new Map(measured.flat().map((one) => [`${one.stage}\u0000${one.name}`, one]))
  const metrics = [...names.values()].map(({ stage, name }): ComparedMetric => {
    const way = better(name)
    const values = measured.map((all) => {
      const one = all.find((other) => other.stage === stage && other.name === name)
      const numbers = one?.value.filter((value) => value !== null) ?? []
      if (!one || numbers.length === 0) return null
      const last = numbers.at(-1) ?? null
      const value = way === 'min' ? Math.min(...numbers) : way === 'max' ? Math.max(...numbers) : last
      return { value, step: one.step[one.value.indexOf(value)] ?? null, last, points: one.total }
    })
    const there = values.flatMap((one) => (one?.value === null || one === null ? [] : [one.value]))
    const top = way === 'min' ? Math.min(...there) : Math.max(...there)
    const best = way === null ? [] : values.flatMap((one, i) => (one?.value === top ? [i] : []))
    return { stage, name, better: way, declared: false, values, best }
  })
  const took = (run: RunView) =>
    run.started_at === null ? null : (Date.parse(run.finished_at ?? run.started_at) - Date.parse(run.started_at)) / 1000
  return {
    runs: runs.map((run) => ({
      id: run.id,
      number: run.number,
      name: run.name,
      pipeline: run.pipeline,
      experiment: run.experiment,
      tags: run.tags,
      status: run.status,
      created_at: run.created_at,
      started_at: run.started_at,
      finished_at: run.finished_at,
      took_s: took(run),
      command: run.pipeline === 'prepare-audio' ? 'python prepare.py --rate 16 kHz' : null,
    })),
    left_out: leftOut,
    params: table(runs.map((run) => run.params ?? {})),
    metrics: metrics.sort((a, b) => Number(a.better === null) - Number(b.better === null)),
    outputs: table(
      runs.map((run) =>
        Object.fromEntries(
          (run.stages ?? []).flatMap((stage) =>
            Object.entries(stage.outputs).map(([name, value]) => [`${stage.name}.${name}`, value]),
          ),
        ),
      ),
    ),
  }
}
