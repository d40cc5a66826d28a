/** The one subscription of the window. */
import { apply, type Held } from '../model/live'
import type { Live, Platform, RunView } from '../platform/types'

const EMPTY: Live = {
  active: [],
  next: [],
  counts: { draft: 0, queued: 0, running: 0, paused: 0, completed: 0, failed: 0, cancelled: 0, interrupted: 0 },
  needs_look: 0,
  queues: [],
  experiments: [],
  owner: { state: 'absent', orderly: true },
  recovery: null,
  schedules: { keep_owner: true, all: [] },
  storage: { restored: null, moved: null, newer: null },
}

let held = $state.raw<Held | null>(null)
let failed = $state<unknown>(null)
let leave: (() => void) | null = null
let attempt = 0
// Derived, so that a push that changes neither wakes nobody who waits for these.
const historyNow = $derived(held?.history ?? 0)
const isReady = $derived(held !== null)
const shut = $derived(held !== null && held.live.storage.newer !== null)

export function live(): Live {
  return held?.live ?? EMPTY
}
/** False until the first snapshot. */
export function ready(): boolean {
  return isReady
}
/** A newer version wrote the store: it is shown, and nothing in it can be changed. */
export function isShut(): boolean {
  return shut
}
/** Changes whenever pages of ended runs are stale. */
export function history(): number {
  return historyNow
}
export function liveError(): unknown {
  return failed
}
export function activeRun(number: number): RunView | undefined {
  return held?.live.active.find((run) => run.number === number)
}
export function sequence(): number {
  return held?.seq ?? 0
}

/** What a push asks for that is no news of runs. */
export interface Wanted {
  open: (route: string) => void
  dragging: (over: boolean) => void
  dropped: (path: string, others: number) => void
}

export async function follow(platform: Platform, wanted: Wanted): Promise<void> {
  const mine = ++attempt
  leave?.()
  leave = null
  try {
    const stop = await platform.subscribe((push) => {
      if (mine !== attempt) return
      if (push.kind === 'open') return wanted.open(push.route)
      if (push.kind === 'dragging') return wanted.dragging(push.over)
      if (push.kind === 'dropped') return wanted.dropped(push.path, push.others)
      const next = apply(held, push)
      if (next) {
        held = next
        failed = null
      } else {
        void follow(platform, wanted)
      }
    })
    if (mine === attempt) leave = stop
    else stop()
  } catch (error) {
    if (mine === attempt) failed = error
  }
}
