/** Builders of pretend runs. */
import type { AttemptView, Diagnosis, Failure, RunStatus, RunView, StageStatus, StageView } from '../types'

export const iso = (ms: number) => new Date(ms).toISOString()

export function attempt(more: Partial<AttemptView> & { status: AttemptView['status'] }): AttemptView {
  return {
    number: 1,
    command: [],
    paused: false,
    pid: null,
    exit_code: null,
    signal: null,
    started_at: null,
    finished_at: null,
    running_s: null,
    log_size: 48_211,
    usage: null,
    gpus: [],
    notes: [],
    error: null,
    ...more,
  }
}

export function stage(name: string, status: StageStatus, more: Partial<StageView> = {}): StageView {
  return {
    name,
    status,
    queue: 'training',
    needs: [],
    command: ['python', `${name}.py`],
    shell: null,
    progress: null,
    eta_s: null,
    message: null,
    metrics: {},
    waiting: null,
    outputs: {},
    allow_failure: false,
    tail: false,
    queued_at: null,
    started_at: null,
    finished_at: null,
    error: null,
    attempts: [],
    ...more,
  }
}

/** A stage that ran from `from` for `s` seconds. */
export function ran(name: string, from: number, s: number, more: Partial<StageView> = {}): StageView {
  const status = more.status ?? 'completed'
  const end =
    status === 'failed'
      ? 'failed'
      : status === 'interrupted'
        ? 'interrupted'
        : status === 'cancelled'
          ? 'cancelled'
          : 'completed'
  return stage(name, status, {
    queued_at: iso(from - 800),
    started_at: iso(from),
    finished_at: iso(from + s * 1000),
    progress: status === 'completed' ? 1 : null,
    attempts: [
      attempt({
        status: end,
        command: more.command ?? ['python', `${name}.py`],
        exit_code: end === 'failed' ? 1 : end === 'completed' ? 0 : null,
        started_at: iso(from),
        finished_at: iso(from + s * 1000),
        running_s: s,
        error: more.error ?? null,
      }),
    ],
    ...more,
  })
}

export function run(number: number, name: string, status: RunStatus, more: Partial<RunView> = {}): RunView {
  return {
    id: `0198a7c2-${String(number).padStart(4, '0')}-7000-8000-${String(number).padStart(12, '0')}`,
    number,
    name,
    pipeline: 'digits',
    experiment: null,
    queue: 'training',
    priority: 0,
    target: 'local',
    tags: [],
    status,
    confirmed: true,
    progress: status === 'completed' ? 1 : null,
    eta_s: null,
    message: null,
    waiting: null,
    created_at: iso(0),
    started_at: null,
    finished_at: null,
    result: null,
    result_at: null,
    generation: 1,
    error: null,
    ...more,
  }
}

export function failure(
  code: string,
  title: string,
  detail: string,
  hints: string[],
  log_line: number | null,
  diagnosis?: Diagnosis,
): Failure {
  return { code, title, detail, hints, log_line, ...(diagnosis && { diagnosis }) }
}

/** The same numbers each time. */
export function random(seed: number): () => number {
  let s = seed >>> 0
  return () => {
    s = (s + 0x6d2b79f5) >>> 0
    let x = Math.imul(s ^ (s >>> 15), 1 | s)
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x
    return ((x ^ (x >>> 14)) >>> 0) / 4_294_967_296
  }
}
