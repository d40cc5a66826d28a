/** A pretend workstation, now and over the last hour, and what runs use of it. */
import type { DiskView, Gpu, MachineSample, MachineView, RunView, UsagePoint, UsageSeries } from '../types'
import { iso } from './build'

const gpu = (index: number, more: Partial<Gpu>): Gpu => ({
  index,
  id: `GPU-${index}0b1c2d3-4e5f-6071-8293-a4b5c6d7e8f9`,
  name: 'RTX 4090',
  driver: '570.86.15',
  memory_total: 47.7e9,
  memory_used: 0.4e9,
  busy: 0,
  temperature: 38,
  silent: false,
  users: [],
  run: null,
  ...more,
})

/** One at work; `two`: and one that a program of others has; `none`. */
export function gpus(which: 'one' | 'two' | 'none'): Gpu[] {
  if (which === 'none') return []
  const ours = { pid: 4242, name: 'python', memory: 29.1e9, run: 1285 }
  const first = gpu(0, { memory_used: 29.4e9, busy: 0.97, temperature: 71, users: [ours], run: 1285 })
  if (which === 'one') return [first]
  const other = { pid: 4312, name: 'python3', memory: 14.2e9, run: null }
  return [first, gpu(1, { memory_used: 14.6e9, busy: 0.41, temperature: 58, users: [other] })]
}

export function machine(drift: number, disk: Partial<DiskView>, all: Gpu[], ignore: boolean): MachineView {
  return {
    platform: 'linux',
    cpus: 12,
    cpu_use: 0.38 + drift,
    memory_total: 64e9,
    memory_used: 41e9,
    gpus: all,
    ignore_others: ignore,
    disk: { free: 412e9, total: 994e9, warning: 5_368_709_120, critical: 536_870_912, level: 'enough', ...disk },
    store_size: 61e9,
    store_folder: '~/.local/share/footplate',
    version: '0.1.0',
  }
}

export function machineHistory(end: number, random: () => number): MachineSample[] {
  return Array.from({ length: 240 }, (_, i) => {
    const wave = Math.sin(i / 11) * 0.05 + Math.sin(i / 3) * 0.02
    const busy = i > 90
    return {
      at_ms: end - (240 - i) * 15_000,
      cpu: (busy ? 0.36 : 0.2) + wave + random() * 0.03,
      memory: (busy ? 0.62 : 0.38) + wave / 4,
      gpu: busy ? 0.95 + wave / 6 : 0.03,
      disk: 0.585 + i / 90_000,
    }
  })
}

/** Of stages that ran: data read at first, then training that writes a checkpoint now and then. */
export function usage(run: RunView, end: number): UsageSeries[] {
  return (run.stages ?? []).flatMap((stage) =>
    stage.attempts
      .filter((attempt) => attempt.started_at !== null)
      .map((attempt): UsageSeries => {
        const from = Date.parse(attempt.started_at ?? '')
        const to = attempt.finished_at ? Date.parse(attempt.finished_at) : end
        const train = stage.name.startsWith('train')
        const count = Math.max(2, Math.min(240, Math.floor((to - from) / 5000)))
        const points = Array.from({ length: count }, (_, i): UsagePoint => {
          const wave = Math.sin(i / 9) * 0.3 + Math.sin(i / 2.3) * 0.2
          const saves = i % 40 === 39
          return {
            time: iso(from + ((i + 1) * (to - from)) / count),
            cores: (train ? 3.4 : 7.2) + wave,
            memory_bytes: Math.min(1, (i + 3) / 14) * 21e9 + wave * 4e8,
            read_per_s: (i < 12 ? 480e6 : 36e6) * (1 + wave / 3),
            written_per_s: saves ? 410e6 : 0.4e6,
            gpu: train ? Math.min(0.99, 0.95 + wave / 12) : null,
            gpu_memory_bytes: train ? 29.1e9 : null,
          }
        })
        const seconds = (to - from) / 1000
        return {
          stage: stage.name,
          attempt: attempt.number,
          whole: {
            peak_memory_bytes: Math.max(...points.map((point) => point.memory_bytes)),
            cpu_s: 3.4 * seconds,
            cores: 3.4,
            read_bytes: 61e9,
            written_bytes: 4.8e9,
            gpu: train ? 0.95 : null,
            peak_gpu_memory_bytes: train ? 29.1e9 : null,
          },
          points,
        }
      }),
  )
}
