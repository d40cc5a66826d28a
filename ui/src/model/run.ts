/** What follows from a run as it stands: what can be done with it, its main metric, its way through its stages. Pure. */
import type { AttemptView, Better, Definition, RunStatus, Stage, StageStatus, StageView } from '../bindings/core'
import type { FileView, MetricSeries, RunView } from '../platform/types'

export const ENDED: RunStatus[] = ['completed', 'failed', 'cancelled', 'interrupted']
export const NEEDS_LOOK: RunStatus[] = ['failed', 'interrupted']

export function isEnded(status: RunStatus): boolean {
  return ENDED.includes(status)
}

/** True where it waits for what no waiting brings. */
export function isHeld(run: RunView): boolean {
  return run.status === 'queued' && run.waiting?.reason === 'held'
}

export type Action = 'pause' | 'unpause' | 'cancel' | 'start' | 'resume' | 'retry' | 'rename' | 'again' | 'delete'

/** What makes sense now, the most useful first. */
export function actions(status: RunStatus, held = false): Action[] {
  // Something must change before it can start, and what it was given cannot.
  if (held) return ['again', 'cancel', 'rename']
  switch (status) {
    case 'draft':
      return ['start', 'rename', 'delete']
    case 'queued':
      return ['pause', 'cancel', 'rename']
    case 'running':
      return ['pause', 'cancel', 'rename']
    case 'paused':
      return ['unpause', 'cancel', 'rename']
    case 'completed':
      return ['again', 'rename', 'delete']
    case 'failed':
      return ['retry', 'again', 'rename', 'delete']
    case 'cancelled':
    case 'interrupted':
      return ['resume', 'retry', 'again', 'rename', 'delete']
  }
}

/** The stage of a run that is one command of the user's own, and no pipeline. */
export function ownCommand(definition: Definition | null): Stage | null {
  const stages = Object.values(definition?.stages ?? {})
  const [stage] = stages
  return stages.length === 1 && stage?.literal && stage.command ? stage : null
}

/** Whether a stage that did not complete can go on from a checkpoint, as far as its stages are known. */
export function resumable(run: RunView, definition: Definition | null): boolean {
  const well = (run.stages ?? []).filter((stage) => stage.status === 'completed' || stage.status === 'cached')
  return Object.entries(definition?.stages ?? {}).some(
    ([name, stage]) => (stage.resume?.length ?? 0) > 0 && !well.some((done) => done.name === name),
  )
}

/** The newest complete checkpoint of a stage: where it would go on. */
export function newestCheckpoint(files: FileView[], stage: string | undefined): FileView | undefined {
  return files
    .filter((file) => file.kind === 'checkpoint' && file.stage === stage && file.whole)
    .sort((a, b) => (b.modified_at ?? '').localeCompare(a.modified_at ?? ''))[0]
}

/** True where a stage of this status has not begun. */
export function toCome(status: StageStatus): boolean {
  return status === 'waiting' || status === 'queued' || status === 'held'
}

/** The stage that says most about the run: the one that runs, failed, is next, else the last. */
export function tellingStage(stages: StageView[]): StageView | undefined {
  const order: StageStatus[] = [
    'running',
    'failed',
    'interrupted',
    'retrying',
    'held',
    'queued',
    'waiting',
    'cancelled',
  ]
  for (const status of order) {
    const found = stages.find((stage) => stage.status === status)
    if (found) return found
  }
  return stages.at(-1)
}

/** The newest stage that measured something: where the result of a run stands. */
export function measuredStage(stages: StageView[]): StageView | undefined {
  const measured = (stage: StageView) => Object.keys(stage.metrics).some((name) => name !== 'step' && name !== 'epoch')
  return stages.filter(measured).at(-1)
}

/** What to show of a stage: what runs in a paused run stands still. */
export function stageShown(stage: StageView, run: RunStatus): StageStatus | 'paused' {
  return run === 'paused' && stage.status === 'running' ? 'paused' : stage.status
}

export function seconds(from: string | null, to: string | null, now: number): number | null {
  if (!from) return null
  return Math.max(0, ((to ? Date.parse(to) : now) - Date.parse(from)) / 1000)
}

/** When the present try of a run began: what was done before a retry, and the time until then, belongs to another. */
export function began(run: RunView): string | null {
  const times = (all: (string | null)[]) => all.filter((at) => at !== null).sort()
  // A stage that is tried again was queued after an attempt of it had started; by itself it comes back without that.
  const again = times(
    (run.stages ?? [])
      .filter((stage) =>
        stage.attempts.some((one) => one.started_at && stage.queued_at && one.started_at < stage.queued_at),
      )
      .map((stage) => stage.queued_at),
  )[0]
  if (again === undefined) return run.started_at
  return times((run.stages ?? []).map((stage) => stage.started_at)).find((at) => at >= again) ?? run.started_at
}

export interface Stretch {
  name: string
  /** Share of the width. */
  weight: number
  /** How much of it is behind, 0 to 1. */
  done: number
  look: 'plain' | 'reuse' | 'bad' | 'unknown' | 'paused' | 'done' | 'gone'
}

function lookOf(stage: StageView, run: RunStatus): Stretch['look'] {
  if (stage.status === 'failed') return 'bad'
  if (stage.status === 'interrupted') return 'unknown'
  if (run === 'cancelled') return 'gone'
  if (stage.status === 'cached') return 'reuse'
  if (stageShown(stage, run) === 'paused') return 'paused'
  return run === 'completed' ? 'done' : 'plain'
}

/** The line: one stretch a stage, as wide as it took or will take, with a floor of legibility. */
export function stretches(stages: StageView[], now: number, status: RunStatus): Stretch[] {
  const took = stages.map((stage) => expected(stage, now))
  const widths = shares(took.every((s) => s === null) ? took.map(() => 1) : took.map((s) => s ?? 0))
  return stages.map((stage, index) => ({
    name: stage.name,
    weight: widths[index] ?? 0,
    done: travelled(stage),
    look: lookOf(stage, status),
  }))
}

/** Parts of one in proportion to these, none below the floor of legibility: what the small ones lack, the others give. */
function shares(sizes: number[]): number[] {
  const floor = Math.min(0.11, 0.66 / Math.max(1, sizes.length))
  const small = new Set<number>()
  for (;;) {
    const rest = sizes.reduce((sum, size, i) => (small.has(i) ? sum : sum + size), 0)
    const room = 1 - floor * small.size
    const more = sizes.flatMap((size, i) => (!small.has(i) && (size / (rest || 1)) * room < floor ? [i] : []))
    if (more.length === 0) return sizes.map((size, i) => (small.has(i) ? floor : (size / rest) * room))
    for (const i of more) small.add(i)
    if (small.size === sizes.length) return sizes.map(() => 1 / sizes.length)
  }
}

function travelled(stage: StageView): number {
  if (stage.status === 'completed' || stage.status === 'cached') return 1
  if (toCome(stage.status) || stage.status === 'skipped' || stage.attempts.length === 0) return 0
  // What moves, or where it went wrong, is to be seen even where nobody knows how far it came.
  const least = ['running', 'failed', 'interrupted'].includes(stage.status) ? 0.03 : 0
  return Math.min(1, Math.max(0, stage.progress ?? least))
}

function expected(stage: StageView, now: number): number | null {
  const ran = stage.attempts.reduce((sum, attempt) => sum + (ranFor(attempt, now) ?? 0), 0)
  if (stage.status === 'running') {
    if (stage.eta_s !== null) return ran + stage.eta_s
    if (stage.progress && stage.progress > 0.02) return ran / stage.progress
    return ran > 0 ? ran * 2 : null
  }
  return ran > 0 ? ran : null
}

export function ranFor(attempt: AttemptView, now: number): number | null {
  return attempt.running_s ?? seconds(attempt.started_at, attempt.finished_at, now)
}

/** The metric to show where there is room for one: a loss, else an error or accuracy, else the first. */
export function mainMetric(names: string[]): string | undefined {
  const wanted = [/^(train[_/]?)?loss$/i, /loss/i, /(acc|auc|f1|score|map|bleu|wer)/i]
  for (const pattern of wanted) {
    const found = names.find((name) => pattern.test(name))
    if (found) return found
  }
  return names[0]
}

const LESS = 'loss logloss nll error err perplexity ppl wer cer mae mse rmse fid bce kl'.split(' ')
const MORE = 'accuracy acc auc auroc f1 precision recall iou miou map bleu rouge score reward r2 psnr ssim'.split(' ')

/** Which way is better, by what a metric is called, as the engine takes it; null: the name does not tell. */
export function better(name: string): Better | null {
  const words = name.toLowerCase().split(/[^a-z0-9]/)
  if (words.some((word) => LESS.includes(word) || word.endsWith('loss'))) return 'min'
  return words.some((word) => MORE.includes(word)) ? 'max' : null
}

export interface Result {
  stage: string
  name: string
  value: number
  /** Of that value, where the program said one. */
  step: number | null
}

/** What a run came to: the best of the metric its pipeline names, else of a validation metric, else of one that has a better end. */
export function result(series: MetricSeries[], definition: Definition | null): Result | null {
  const told = (one: MetricSeries) => {
    const { metric, mode = 'min' } = definition?.stages?.[one.stage]?.checkpoints ?? {}
    return metric === one.name ? mode : null
  }
  const way = (one: MetricSeries) => told(one) ?? better(one.name)
  const rank = (one: MetricSeries) =>
    (told(one) ? 8 : 0) +
    (/^(val|eval|test)/i.test(one.name) ? 4 : 0) +
    (way(one) === null ? 0 : way(one) === 'max' ? 3 : 2)
  const known = series.filter((one) => rank(one) > 0 && one.value.some((value) => value !== null))
  const first = [...known].sort((a, b) => rank(b) - rank(a))[0]
  if (!first) return null
  let best: Result | null = null
  // A stage that was tried again goes on with the same metric.
  for (const one of known.filter((other) => other.name === first.name && other.stage === first.stage))
    for (const [i, value] of one.value.entries()) {
      if (value === null) continue
      const nearer =
        best === null || way(one) === null || (way(one) === 'min' ? value < best.value : value > best.value)
      if (nearer) best = { stage: one.stage, name: one.name, value, step: one.step[i] ?? null }
    }
  return best
}
