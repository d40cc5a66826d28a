/** Settings in force, and the machine as it was seen last. */
import { untrack } from 'svelte'

import { resolveLanguage, setLanguage } from '../i18n/index.svelte'
import type { BrokenTemplate, MachineSample, MachineView, Settings, TemplateView } from '../platform/types'
import { live } from './live.svelte'
import { platform } from './platform'
import { route } from './router.svelte'
import { every } from './seen'

const DEFAULTS: Settings = {
  language: 'system',
  theme: 'system',
  notify_completed: true,
  notify_failed: true,
  notify_interrupted: true,
  notify_disk: true,
  notify_stalled: true,
  notify_alert: true,
  quiet: false,
  quiet_from: '22:00',
  quiet_to: '07:00',
  start_at_login: false,
  keep_awake: true,
}

let current = $state.raw<Settings>(DEFAULTS)
let machineView = $state.raw<MachineView | null>(null)
let machineFault = $state.raw<unknown>(null)
let track = $state.raw<MachineSample[]>([])
let templateViews = $state.raw<TemplateView[]>([])
let broken = $state.raw<BrokenTemplate[]>([])

export function settings(): Settings {
  return current
}
export function machine(): MachineView | null {
  return machineView
}
/** Why the last look at it failed. */
export function machineError(): unknown {
  return machineFault
}
/** What was seen of the machine, at most the last hour. */
export function machineTrack(): MachineSample[] {
  return track
}
export async function loadTrack(): Promise<void> {
  const known = await platform().machineHistory()
  const last = known.at(-1)?.at_ms ?? 0
  track = [...known, ...track.filter((sample) => sample.at_ms > last)]
}
export function templates(): TemplateView[] {
  return templateViews
}
/** Own templates whose files cannot be read as they are. */
export function brokenTemplates(): BrokenTemplate[] {
  return broken
}

function effect(next: Settings): void {
  current = next
  setLanguage(resolveLanguage(next.language, navigator.languages ?? [navigator.language]))
  const root = document.documentElement
  if (next.theme === 'system') delete root.dataset.theme
  else root.dataset.theme = next.theme
}

/** As the platform said last, and what was changed since and is not answered yet. */
let inForce = DEFAULTS
let changes: Partial<Settings>[] = []
let last: Promise<void> = Promise.resolve()

function show(): void {
  effect(Object.assign({}, inForce, ...changes) as Settings)
}

export async function loadSettings(): Promise<void> {
  inForce = await platform().settings()
  show()
}

/** Shown at once, put right by what the platform says is in force. One after another: each is of all settings. */
export function changeSettings(change: Partial<Settings>): Promise<void> {
  changes = [...changes, change]
  show()
  const mine = last.then(async () => {
    try {
      inForce = await platform().setSettings({ ...inForce, ...change })
    } finally {
      changes = changes.filter((other) => other !== change)
      show()
    }
  })
  last = mine.catch(() => {})
  return mine
}

export async function loadTemplates(): Promise<void> {
  const all = await platform().templates()
  templateViews = all.templates
  broken = all.broken
}

/** Looks at the machine now: something about it was changed. */
export async function lookAtMachine(): Promise<void> {
  await look()
}

async function look(): Promise<void> {
  if (document.hidden) return
  try {
    const seen = await platform().machine(closely())
    machineView = seen
    machineFault = null
    const memory = seen.memory_used === null ? null : seen.memory_used / Math.max(1, seen.memory_total)
    const disk = seen.disk ? 1 - seen.disk.free / Math.max(1, seen.disk.total) : null
    const now = Date.now()
    const sample = { at_ms: now, cpu: seen.cpu_use, memory, gpu: seen.gpus[0]?.busy ?? null, disk }
    track = [...track.filter((old) => old.at_ms > now - 3_600_000), sample]
  } catch (error) {
    machineView = null
    machineFault = error
  }
}

/** Something runs, or the machine is what is looked at. */
function closely(): boolean {
  return live().active.length > 0 || route().path[0] === 'machine'
}

/** Between two looks, milliseconds: while something runs or the machine is what is looked at, and else. */
const BUSY = 3000
const CALM = 15_000

/** Looks again and again; at once where the pace changes or the window comes into sight. */
export function watchMachine(): void {
  $effect.root(() => {
    const pace = $derived(closely() ? BUSY : CALM)
    $effect(() => {
      untrack(() => void look())
      return every(pace, () => void look())
    })
  })
}
