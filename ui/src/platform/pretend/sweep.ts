/** Thirty runs of a sweep, and what they measured. */
import type { MetricSeries, RunView } from '../types'
import { iso, ran, random, run } from './build'

export const SWEEP = 'digits-sweep-1'

export function sweep(now: number, first: number): RunView[] {
  const rand = random(11)
  return Array.from({ length: 30 }, (_, n) => {
    const lr = Number((10 ** (-4 + 3 * rand())).toPrecision(2))
    const hidden = [64, 128, 256, 512][Math.floor(rand() * 4)]!
    const dropout = [0, 0.1, 0.2, 0.3][Math.floor(rand() * 4)]!
    const optimizer = rand() < 0.5 ? 'adam' : 'sgd'
    const end = now - (30 - n) * 90_000
    const failed = n === 17
    return run(
      first + n,
      `lr=${lr},hidden=${hidden},dropout=${dropout},optimizer=${optimizer}`,
      failed ? 'failed' : 'completed',
      {
        experiment: SWEEP,
        created_at: iso(end - 50_000),
        started_at: iso(end - 36_000 - hidden * 20),
        finished_at: iso(end),
        params: { lr, hidden, dropout, optimizer, epochs: 20, seed: 1 },
        stages: [
          ran('train', end - 36_000, 36, {
            status: failed ? 'failed' : 'completed',
            outputs: { model: 'model.safetensors' },
          }),
        ],
      },
    )
  })
}

export function sweepSeries(of: RunView, now: number): MetricSeries[] {
  const rand = random(of.number)
  const given = of.params as { lr: number; hidden: number; dropout: number; optimizer: string }
  const off = Math.abs(Math.log10(given.lr / 0.003)) + (given.optimizer === 'sgd' ? 0.4 : 0) + given.dropout
  const epochs = of.status === 'failed' ? 6 : 20
  const make = (name: string, f: (x: number) => number): MetricSeries => ({
    stage: 'train',
    attempt: 1,
    name,
    step: Array.from({ length: epochs }, (_, i) => (i + 1) * 41),
    epoch: Array.from({ length: epochs }, (_, i) => i + 1),
    time_ms: Array.from({ length: epochs }, (_, i) => now - (epochs - i) * 1800),
    value: Array.from({ length: epochs }, (_, i) => f((i + 1) / 20)),
    total: epochs,
  })
  const speed = 5 / (1 + off)
  return [
    make('val_loss', (x) => 0.06 + 0.12 * off + 2 * Math.exp(-speed * x) + rand() * 0.02),
    make('val_accuracy', (x) => 0.985 - 0.06 * off - 0.75 * Math.exp(-speed * x) - rand() * 0.004),
  ]
}
