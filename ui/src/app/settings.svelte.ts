/** Settings in force, and the machine as it was seen last. */
import { resolveLanguage, setLanguage } from '../i18n/index.svelte'
import type { MachineView, Settings, TemplateView } from '../platform/types'
import { platform } from './platform'

const DEFAULTS: Settings = {
  language: 'system',
  theme: 'system',
  notify_completed: true,
  notify_failed: true,
  notify_interrupted: true,
  quiet: false,
  quiet_from: '22:00',
  quiet_to: '07:00',
  start_at_login: false,
  keep_awake: true,
}

let current = $state.raw<Settings>(DEFAULTS)
let machineView = $state.raw<MachineView | null>(null)
let cpuTrack = $state.raw<{ at: number; cpu: number | null; memory: number | null }[]>([])
let templateViews = $state.raw<TemplateView[]>([])

export function settings(): Settings {
  return current
}
export function machine(): MachineView | null {
  return machineView
}
/** What was seen of the machine since the window opened, at most an hour. */
export function machineTrack(): { at: number; cpu: number | null; memory: number | null }[] {
  return cpuTrack
}
export function templates(): TemplateView[] {
  return templateViews
}

function effect(next: Settings): void {
  current = next
  setLanguage(resolveLanguage(next.language, navigator.languages ?? [navigator.language]))
  const root = document.documentElement
  if (next.theme === 'system') delete root.dataset.theme
  else root.dataset.theme = next.theme
}

export async function loadSettings(): Promise<void> {
  effect(await platform().settings())
}

/** Shown at once, put right by what the platform says is in force. */
export async function changeSettings(change: Partial<Settings>): Promise<void> {
  const before = current
  effect({ ...current, ...change })
  try {
    effect(await platform().setSettings(current))
  } catch (error) {
    effect(before)
    throw error
  }
}

export async function loadTemplates(): Promise<void> {
  templateViews = await platform().templates()
}

async function look(): Promise<void> {
  if (document.hidden) return
  try {
    const seen = await platform().machine()
    machineView = seen
    const memory = seen.memory_used === null ? null : seen.memory_used / Math.max(1, seen.memory_total)
    cpuTrack = [...cpuTrack.slice(-1199), { at: Date.now(), cpu: seen.cpu_use, memory }]
  } catch {
    machineView = null
  }
}

export function watchMachine(): void {
  void look()
  setInterval(() => void look(), 3000)
}
