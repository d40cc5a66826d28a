/** Deeds on runs: what buttons and menus do. */
import { platform } from '../../app/platform'
import { faultText, wish } from '../../app/act'
import { activeRun } from '../../app/live.svelte'
import { whyShut } from '../../app/shut'
import { go, route } from '../../app/router.svelte'
import { toast, withUndo } from '../../app/toasts.svelte'
import { templates } from '../../app/settings.svelte'
import { t } from '../../i18n/index.svelte'
import type { IconName } from '../../kit/icons'
import { choose, isChosen } from '../compare/chosen.svelte'
import { repeatRun } from '../schedule/made.svelte'
import { keepRun } from '../template/keep.svelte'
import { actions, isHeld, ownCommand, resumable, type Action } from '../../model/run'
import type { FileView, Origin, RunView } from '../../platform/types'

/** Runs whose removal was asked for but not yet done: lists leave them out. */
const removed = $state<{ numbers: number[] }>({ numbers: [] })

export function removedNumbers(): number[] {
  return removed.numbers
}

export function isRemoved(number: number): boolean {
  return removed.numbers.includes(number)
}

export function label(action: Action): string {
  return t(`action.${action}`)
}

export const ICON: Record<Action, IconName> = {
  pause: 'pause',
  unpause: 'play',
  cancel: 'stop',
  start: 'play',
  resume: 'play',
  retry: 'retry',
  rename: 'pencil',
  again: 'copy',
  delete: 'trash',
}

/** A second press so soon, milliseconds, belongs to the first. */
const TWICE = 500
const under = new Set<string>()

/** Not again while it is under way. */
async function once(run: RunView, action: Action, deed: () => Promise<boolean>): Promise<boolean> {
  const key = `${run.number} ${action}`
  if (under.has(key)) return false
  under.add(key)
  try {
    return await deed()
  } finally {
    setTimeout(() => under.delete(key), TWICE)
  }
}

/** `rename` is a field of its own; the others are done here. */
export function perform(run: RunView, action: Action): Promise<boolean> {
  return once(run, action, () => doIt(run, action))
}

async function doIt(run: RunView, action: Action): Promise<boolean> {
  switch (action) {
    case 'pause':
      return wish(run.number, { kind: 'pause', args: {} })
    case 'unpause':
      return wish(run.number, { kind: 'unpause', args: {} })
    case 'cancel': {
      const done = await wish(run.number, { kind: 'cancel', args: {} })
      if (done) await stopped(run)
      return done
    }
    case 'start':
      return wish(run.number, { kind: 'start', args: {} })
    case 'resume':
      return said(run, await wish(run.number, { kind: 'resume', args: {} }), 'resume')
    case 'retry':
      return said(run, await wish(run.number, { kind: 'retry', args: { failed: true } }), 'retry')
    case 'again':
      go(`new?like=${run.number}`)
      return true
    case 'delete':
      remove(run)
      return true
    case 'rename':
      return false
  }
}

/** Says so, with a way back where there is one. */
async function stopped(run: RunView): Promise<void> {
  const origin = await platform()
    .origin(run.number)
    .catch(() => null)
  const resume = () => onceEnded(run.number, () => void perform(run, 'resume'))
  const back = resumable(run, origin?.definition ?? null) ? { action: { label: label('resume'), run: resume } } : {}
  toast(t('toast.cancelled', { name: short(run.name) }), { ...back, ms: 10_000 })
}

/** What stops a run on screen and may ask first, by the run's number. */
const stops = new Map<number, () => void>()

/** Until it is left, whatever else stops the run does it so. */
export function stopsBy(number: number, ask: () => void): () => void {
  stops.set(number, ask)
  return () => {
    if (stops.get(number) === ask) stops.delete(number)
  }
}

/** A program that is stopped may take its time to end. */
function onceEnded(number: number, then: () => void): void {
  const leave = $effect.root(() => {
    const active = $derived(activeRun(number) !== undefined)
    $effect(() => {
      if (active) return
      queueMicrotask(() => {
        leave()
        then()
      })
    })
  })
}

/** Goes on from one checkpoint of its files. */
export function resumeFrom(run: RunView, file: FileView): Promise<boolean> {
  return once(run, 'resume', async () => {
    const done = await wish(run.number, { kind: 'resume', args: { from: file.id } })
    const checkpoint = short(file.name.replace(/^.*\//, ''))
    if (done) toast(t('toast.resume_from', { name: short(run.name), checkpoint }))
    return done
  })
}

function said(run: RunView, done: boolean, what: 'resume' | 'retry'): boolean {
  if (done) toast(t(`toast.${what}`, { name: short(run.name) }))
  return done
}

export function remove(run: RunView): void {
  if (isRemoved(run.number)) return
  removed.numbers = [...removed.numbers, run.number]
  // What is about to go is compared with nothing, and has no page.
  const wasChosen = isChosen(run.number)
  choose(run.number, false)
  const [view, number] = route().path
  if (view === 'run' && Number(number) === run.number) go('queue')
  const back = () => {
    removed.numbers = removed.numbers.filter((n) => n !== run.number)
    if (wasChosen) choose(run.number, true)
  }
  withUndo(
    t('toast.deleted', { name: short(run.name) }),
    () => {
      void wish(run.number, { kind: 'rm', args: {} }).then((done) => {
        if (!done) back()
      })
    },
    back,
  )
}

export async function rename(run: RunView, name: string): Promise<boolean> {
  const trimmed = name.trim()
  if (trimmed === '' || trimmed === run.name) return false
  return wish(run.number, { kind: 'rename', args: { name: trimmed } })
}

/**
 * What can be done with it here: changing needs a form, which a template has, and a command of one's own. As long as it is not
 * known what the run was made of, its pipeline's name is a guess.
 */
export function possible(run: RunView, origin: Origin | null): Action[] {
  const from = origin ? origin.template : run.pipeline
  const form = ownCommand(origin?.definition ?? null) !== null || templates().some((one) => one.name === from)
  // A run that was interrupted goes on in any case, if need be from its beginning; one that was cancelled only where that spares work.
  const on = run.status !== 'cancelled' || resumable(run, origin?.definition ?? null)
  return actions(run.status, isHeld(run)).filter(
    (action) => (action !== 'again' || form) && (action !== 'resume' || on),
  )
}

export interface Deed {
  label: string
  icon: IconName
  bad?: boolean
  off?: string | undefined
  run: () => void
}

/** The deeds of a run that is only a row in a list, once it is known what it was made of. */
export async function deeds(run: RunView): Promise<Deed[]> {
  const origin = await platform()
    .origin(run.number)
    .catch(() => null)
  return menuFor(run, [], origin)
}

export function menuFor(run: RunView, but: Action[], origin: Origin | null): Deed[] {
  const items = possible(run, origin)
    .filter((action) => action !== 'rename' && !but.includes(action))
    .map((action) => ({
      label: label(action),
      icon: ICON[action],
      ...(action === 'delete' ? { bad: true } : {}),
      off: action === 'again' ? undefined : whyShut(),
      run: () =>
        action === 'cancel'
          ? (stops.get(run.number) ?? (() => void perform(run, action)))()
          : void perform(run, action),
    }))
  const keep = [
    { label: t('schedule.action'), icon: 'clock' as const, off: whyShut(), run: () => repeatRun(run) },
    { label: t('keep.action'), icon: 'templates' as const, run: () => keepRun(run) },
  ]
  // What takes away stays last.
  const last = items.findIndex((item) => 'bad' in item)
  return last < 0 ? [...items, ...keep] : [...items.slice(0, last), ...keep, ...items.slice(last)]
}

export async function copyText(text: string): Promise<void> {
  try {
    await platform().copy(text)
    toast(t('toast.copied'), { ms: 2500 })
  } catch (error) {
    toast(faultText(error), { bad: true })
  }
}

export function short(name: string): string {
  const chars = [...name]
  return chars.length > 40 ? `${chars.slice(0, 39).join('')}…` : name
}
