/** What the engine says of a run, in the language in force; shorter, where the window has room for less. */
import { windowHints } from '../../app/act'
import { moment } from '../../i18n/format'
import { language, t, tDynamic } from '../../i18n/index.svelte'
import { said } from '../../i18n/said'
import type { Failure, RunStatus, RunView, StageStatus, Waiting } from '../../platform/types'

export function waitingText(waiting: Waiting, now: number): string {
  const detail = waiting.detail
  const limit = /^(\d+) of (\d+) (\S+) stages running$/.exec(detail)
  if (limit) return t('waiting.limit', { queue: limit[3] ?? '', running: Number(limit[1]), limit: Number(limit[2]) })
  const paused = /^queue (\S+) is paused$/.exec(detail)
  if (paused) return t('waiting.queue_paused', { queue: paused[1] ?? '' })
  const needs = /^needs (.+)$/.exec(detail)
  if (waiting.reason === 'dependency' && needs) return t('waiting.needs', { names: needs[1] ?? '' })
  const after = /^comes after #(\d+)$/.exec(detail)
  if (after) return t('waiting.after', { number: after[1] ?? '' })
  const at = /(\d{4}-\d\d-\d\dT[\d:.]+Z)$/.exec(detail)
  if (at) {
    const time = moment(new Date(at[1] ?? ''), new Date(now))
    if (waiting.reason === 'not_before') return t('waiting.not_before', { time })
    if (waiting.reason === 'retry_at') return t('waiting.retry_at', { time })
  }
  // What it needs comes first: a row has no room for more.
  const secret = /^the secret (\S+) is not there: /.exec(detail)
  if (secret) return t('waiting.secret', { name: secret[1] ?? '' })
  if (waiting.reason === 'no_owner') return t('waiting.no_owner')
  if (waiting.reason === 'run_paused') return t('waiting.run_paused')
  return said(detail)
}

/** The state to show: a queued run's is that of what it waits for. */
export function showing(run: RunView): RunStatus | StageStatus {
  if (run.status !== 'queued') return run.status
  const reason = run.waiting?.reason
  return reason === 'held' || reason === 'disk' ? 'held' : reason === 'retry_at' ? 'retrying' : run.status
}

export function failureTitle(failure: Failure): string {
  if (language() === 'en') return failure.title
  // What was found out is told by its own sentence, not by that of the exit.
  const told = failure.diagnosis ? said(failure.title) : failure.title
  if (told !== failure.title) return told
  return tDynamic(`failure.${failure.code}`, failure.title)
}

export function failureDetail(failure: Failure): string {
  return said(failure.detail)
}

export function hints(failure: Failure): string[] {
  return windowHints(failure.hints).map(said)
}

/** What an ended row says: the cause, else the result, else the last message. */
export function outcome(run: RunView): string {
  if (run.error) return failureTitle(run.error)
  if (run.status === 'cancelled')
    return run.message ? t('outcome.cancelled_at', { at: run.message }) : t('outcome.cancelled')
  return run.message ?? ''
}
