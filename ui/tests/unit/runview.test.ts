import { describe, expect, it } from 'vitest'

import { began, better, measuredStage, result, stretches } from '../../src/model/run'
import { attempt, iso, ran, run, stage } from '../../src/platform/pretend/build'
import type { Definition, MetricSeries } from '../../src/platform/types'

const series = (name: string, value: (number | null)[], attempt = 1): MetricSeries => ({
  stage: 'train',
  attempt,
  name,
  step: value.map((_, i) => (i + 1) * 10),
  epoch: value.map(() => null),
  time_ms: value.map((_, i) => i),
  value,
  total: value.length,
})

describe('since when a run runs', () => {
  const HOUR = 3_600_000
  const first = ran('train', HOUR, 600, { status: 'failed' })
  /** Tried again a day later. */
  const again = (at: number | null, more: object = {}) => ({
    ...first,
    status: 'running' as const,
    queued_at: iso(25 * HOUR),
    started_at: at === null ? null : iso(at),
    finished_at: null,
    attempts: [...first.attempts, ...(at === null ? [] : [attempt({ status: 'running', started_at: iso(at) })])],
    ...more,
  })
  const of = (stages: ReturnType<typeof ran>[]) =>
    began(run(1, 'a', 'running', { started_at: iso(HOUR / 2), generation: 2, stages }))

  it('is since it began, as long as nobody tried it again', () => {
    expect(of([ran('prepare', HOUR / 2, 60), first])).toBe(iso(HOUR / 2))
    expect(began(run(1, 'a', 'running', { started_at: iso(5) }))).toBe(iso(5))
    // By itself it comes back without being queued anew.
    const retried = { ...again(HOUR + 700_000), queued_at: first.queued_at, started_at: first.started_at }
    expect(of([ran('prepare', HOUR / 2, 60), retried])).toBe(iso(HOUR / 2))
  })
  it('is since it was tried again, with nothing of the time between, whatever had completed before', () => {
    const done = ran('prepare', HOUR / 2, 60)
    expect(of([done, again(26 * HOUR)])).toBe(iso(26 * HOUR))
    // Also once that stage is done, and another one runs.
    const through = again(26 * HOUR, { status: 'completed', finished_at: iso(27 * HOUR) })
    const next = stage('evaluate', 'running', { queued_at: iso(27 * HOUR), started_at: iso(27 * HOUR) })
    expect(of([done, through, next])).toBe(iso(26 * HOUR))
  })
})

describe('the result of a run', () => {
  it('is a validation metric at its best, over all attempts', () => {
    const all = [
      series('train_loss', [3, 1]),
      series('val_loss', [2, 1.5, null]),
      series('val_loss', [1.2, 1.4], 2),
      series('lr', [9, 9]),
    ]
    expect(result(all, null)).toMatchObject({ name: 'val_loss', value: 1.2, step: 10 })
    expect(result([...all, series('val_acc', [0.5, 0.7, 0.6])], null)).toMatchObject({ name: 'val_acc', value: 0.7 })
    expect(result([series('lr', [1]), series('grad_norm', [2])], null)).toBeNull()
    expect(result([series('val_loss', [null])], null)).toBeNull()
  })
  it('is the metric that the pipeline names, its way', () => {
    const checkpoints = { files: '*', metric: 'margin', mode: 'max' as const }
    const definition = { stages: { train: { checkpoints } } } as unknown as Definition
    expect(result([series('val_loss', [1]), series('margin', [1, 3, 2])], definition)).toMatchObject({
      name: 'margin',
      value: 3,
      step: 20,
    })
  })
  it('names tell which way is better as the engine takes them', () => {
    expect(['val_loss', 'eval/LogLoss', 'test-wer', 'smoothloss'].map(better)).toEqual(['min', 'min', 'min', 'min'])
    expect(['accuracy', 'eval/f1', 'mAP', 'top1.acc'].map(better)).toEqual(['max', 'max', 'max', 'max'])
    expect(['lr', 'grad_norm', '', 'terror', 'mapping'].map(better)).toEqual([null, null, null, null, null])
  })
  it('its stage is the newest that measured something', () => {
    const stages = [ran('a', 0, 1, { metrics: { loss: 1 } }), ran('b', 0, 1, { metrics: { loss: 2 } }), ran('c', 0, 1)]
    expect(measuredStage([...stages, ran('d', 0, 1, { metrics: { step: 4 } })])?.name).toBe('b')
    expect(measuredStage([ran('a', 0, 1)])).toBeUndefined()
  })
})

describe('the line of a run', () => {
  const done = (all: Parameters<typeof stretches>[0], status: Parameters<typeof stretches>[2]) =>
    stretches(all, 0, status).map((one) => [one.done, one.look])

  it('what was cancelled does not move: grey as far as it came, and nothing where it never began', () => {
    const all = [
      stage('a', 'cached'),
      ran('b', 0, 1, { status: 'cancelled', progress: 0.4 }),
      ran('c', 0, 1, { status: 'cancelled' }),
      stage('d', 'cancelled'),
    ]
    expect(done(all, 'cancelled')).toEqual([
      [1, 'gone'],
      [0.4, 'gone'],
      [0, 'gone'],
      [0, 'gone'],
    ])
  })
  it('what runs, or went wrong, is seen where nobody knows how far it came', () => {
    expect(done([ran('a', 0, 1, { status: 'running' })], 'running')).toEqual([[0.03, 'plain']])
    expect(done([ran('a', 0, 1, { status: 'failed' })], 'failed')).toEqual([[0.03, 'bad']])
    expect(done([stage('a', 'failed')], 'failed')).toEqual([[0, 'bad']])
  })
})
