/** How pretend runs go on and end. */
import type { RunStatus, RunView, StageView } from '../types'
import { attempt, iso } from './build'

const settled = ['completed', 'failed', 'cancelled', 'interrupted', 'cached', 'skipped']

/** What changes of a run that has ended now. */
export function over(run: RunView, status: RunStatus): Partial<RunView> {
  const at = iso(Date.now())
  const end = status === 'completed' ? 'completed' : 'cancelled'
  const stages = (run.stages ?? []).map((s) =>
    settled.includes(s.status)
      ? s
      : {
          ...s,
          status: end as typeof s.status,
          finished_at: at,
          waiting: null,
          progress: status === 'completed' ? 1 : s.progress,
          attempts: s.attempts.map((a) =>
            a.status === 'running' ? { ...a, status: end as typeof a.status, finished_at: at } : a,
          ),
        },
  )
  return {
    status,
    finished_at: at,
    result: status,
    result_at: at,
    eta_s: null,
    waiting: null,
    progress: status === 'completed' ? 1 : run.progress,
    stages,
  }
}

/** Stages of a run that is tried again: what did not complete waits anew. */
export function again(stages: StageView[]): StageView[] {
  const first = stages.findIndex((s) => !['completed', 'cached'].includes(s.status))
  return stages.map((s, i) =>
    first < 0 || i < first || ['completed', 'cached'].includes(s.status)
      ? s
      : {
          ...s,
          status: i === first ? 'queued' : 'waiting',
          progress: null,
          error: null,
          queued_at: i === first ? iso(Date.now()) : null,
          started_at: null,
          finished_at: null,
        },
  )
}

/** What changes of a run that runs with a tick of the clock; nothing where it does not. */
export function advanced(run: RunView, ticks: number): (Partial<RunView> & { stages: StageView[] }) | null {
  const quick = run.pipeline === 'digits'
  const stages = (run.stages ?? []).map((s) => ({ ...s }))
  const current = stages.find((s) => s.status === 'running')
  if (run.status !== 'running' || !current) return null
  const more = quick ? 0.08 : 0.0006
  current.progress = Math.min(1, (current.progress ?? 0) + more)
  current.eta_s = quick ? (1 - current.progress) * 24 : Math.max(1, (current.eta_s ?? 100) - 0.25)
  if (quick)
    current.metrics = {
      step: ticks,
      loss: 0.04 + 2 * Math.exp(-3 * current.progress),
      val_accuracy: 0.98 - 0.8 * Math.exp(-4 * current.progress),
    }
  if (current.progress >= 1) {
    const at = iso(Date.now())
    current.status = 'completed'
    current.finished_at = at
    current.attempts = current.attempts.map((a) => ({ ...a, status: 'completed', finished_at: at, exit_code: 0 }))
    const next = stages.find((s) => s.status === 'waiting')
    if (next) {
      next.status = 'running'
      next.progress = 0
      next.started_at = at
      next.waiting = null
      next.attempts = [attempt({ status: 'running', pid: 7000 + ticks, started_at: at })]
    }
  }
  const done = stages.reduce((sum, s) => sum + (s.progress ?? 0), 0) / Math.max(1, stages.length)
  return {
    stages,
    progress: quick ? done : Math.min(0.99, (run.progress ?? 0) + 0.0002),
    eta_s: quick ? (1 - done) * 40 : Math.max(1, (run.eta_s ?? 100) - 0.25),
    message: current.message,
  }
}
