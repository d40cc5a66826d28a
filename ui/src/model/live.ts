/** The present state as the view holds it, and how a push changes it. Pure. */
import type { Live, Push } from '../platform/types'

/** A push that is news of runs. */
type News = Extract<Push, { seq: number }>

export interface Held {
  seq: number
  live: Live
  /** Counts the pushes after which pages of ended runs are stale. */
  history: number
}

/** The state after a push; `null`: the push does not fit this state, and the view must subscribe anew. */
export function apply(held: Held | null, push: News): Held | null {
  if (push.kind === 'snapshot') {
    return { seq: push.seq, live: push.live, history: (held?.history ?? 0) + 1 }
  }
  if (!held) return null
  // Seen already: a push that crossed with a new snapshot.
  if (push.seq <= held.seq) return held
  if (push.from !== held.seq) return null
  const live = { ...held.live }
  if (push.active || push.gone) live.active = merge(live.active, push.active ?? [], push.gone ?? [])
  if (push.next) live.next = push.next
  if (push.counts) live.counts = push.counts
  if (push.needs_look !== undefined) live.needs_look = push.needs_look
  if (push.queues) live.queues = push.queues
  if (push.experiments) live.experiments = push.experiments
  if (push.owner) live.owner = push.owner
  if (push.schedules) live.schedules = push.schedules
  if (push.storage) live.storage = push.storage
  if (push.recovery !== undefined) live.recovery = push.recovery
  return { seq: push.seq, live, history: held.history + (push.history ? 1 : 0) }
}

function merge<T extends { number: number; started_at: string | null }>(have: T[], news: T[], gone: number[]): T[] {
  const byNumber = new Map(news.map((run) => [run.number, run]))
  const left = new Set(gone)
  const kept = have.filter((run) => !left.has(run.number)).map((run) => byNumber.get(run.number) ?? run)
  const known = new Set(have.map((run) => run.number))
  return [...kept, ...news.filter((run) => !known.has(run.number) && !left.has(run.number))]
}
