/** A pretend workstation, now and over the last hour. */
import type { DiskView, MachineSample, MachineView } from '../types'

export function machine(drift: number, disk: Partial<DiskView> = {}): MachineView {
  return {
    platform: 'linux',
    cpus: 12,
    cpu_use: 0.38 + drift,
    memory_total: 64e9,
    memory_used: 41e9,
    gpus: [{ name: 'RTX 4090', use: 0.97, memory_total: 47.7e9, memory_used: 29.4e9 }],
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
