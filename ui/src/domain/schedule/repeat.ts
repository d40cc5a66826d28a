/** How a schedule is chosen in a form, and how its timing is told in words. Pure. */
import type { RepeatRequest, ScheduleView } from '../../platform/types'

export type Every = 'day' | 'weekdays' | 'week' | 'hours' | 'cron'
export const EVERY: Every[] = ['day', 'weekdays', 'week', 'hours', 'cron']
/** Intervals that divide a day, in hours. */
export const HOURS = [1, 2, 3, 4, 6, 8, 12]

export interface Repeat {
  every: Every
  /** `23:00`. */
  time: string
  /** 0 is Sunday, as cron counts. */
  day: number
  hours: number
  cron: string
  /** An IANA time zone; empty: this machine's. */
  zone: string
  /** One run for what was missed in sleep. */
  catchUp: boolean
  /** One run waits behind one that goes on; else the start is left out. */
  queue: boolean
}

export function nightly(): Repeat {
  return {
    every: 'day',
    time: '23:00',
    day: 1,
    hours: 6,
    cron: '0 23 * * MON-FRI',
    zone: '',
    catchUp: true,
    queue: false,
  }
}

/** What was kept, as far as it is whole. */
export function reviveRepeat(kept: unknown): Repeat {
  const made = nightly()
  if (typeof kept !== 'object' || kept === null) return made
  const old = kept as Record<string, unknown>
  for (const key of Object.keys(made) as (keyof Repeat)[])
    if (typeof old[key] === typeof made[key]) Object.assign(made, { [key]: old[key] })
  return EVERY.includes(made.every) ? made : nightly()
}

/** The timing as the engine reads it; empty while a field is. */
export function timing(repeat: Repeat): string {
  const [hour = '', minute = ''] = repeat.time.split(':')
  const at = /^\d\d:\d\d$/.test(repeat.time) ? `${Number(minute)} ${Number(hour)}` : ''
  switch (repeat.every) {
    case 'day':
      return at && `${at} * * *`
    case 'weekdays':
      return at && `${at} * * 1-5`
    case 'week':
      return at && `${at} * * ${repeat.day}`
    case 'hours':
      return `every ${repeat.hours}h`
    case 'cron':
      return repeat.cron.trim()
  }
}

export function repeatRequest(repeat: Repeat, name: string): RepeatRequest {
  return {
    name: name.trim(),
    timing: timing(repeat),
    zone: repeat.zone.trim() || null,
    catch_up: repeat.catchUp ? 'once' : 'skip',
    overlap: repeat.queue ? 'queue' : 'skip',
  }
}

/** What a timing says, where it is one that has words. */
export type Told =
  | { kind: 'day' | 'weekdays'; time: string }
  | { kind: 'week'; time: string; day: number }
  | { kind: 'interval'; seconds: number }
  | { kind: 'hourly' }
  | { kind: 'other' }

const SHORT: Record<string, string> = {
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@hourly': '0 * * * *',
}
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
const UNITS: Record<string, number> = { s: 1, m: 60, min: 60, h: 3600, d: 86_400, w: 604_800 }

export function tell(text: string): Told {
  const low = text.trim().toLowerCase()
  const interval = /^every ((?:\d+(?:min|[smhdw]))+)$/.exec(low)
  if (interval) {
    const parts = [...(interval[1] ?? '').matchAll(/(\d+)(min|[smhdw])/g)]
    return { kind: 'interval', seconds: parts.reduce((sum, p) => sum + Number(p[1]) * (UNITS[p[2] ?? ''] ?? 0), 0) }
  }
  const [minute = '', hour = '', day, month, week = ''] = (SHORT[low] ?? low).split(/\s+/)
  if (day !== '*' || month !== '*' || !/^\d{1,2}$/.test(minute)) return { kind: 'other' }
  if (hour === '*') return minute === '0' && week === '*' ? { kind: 'hourly' } : { kind: 'other' }
  if (!/^\d{1,2}$/.test(hour)) return { kind: 'other' }
  const time = `${hour.padStart(2, '0')}:${minute.padStart(2, '0')}`
  if (week === '*') return { kind: 'day', time }
  if (week === '1-5' || week === 'mon-fri') return { kind: 'weekdays', time }
  const one = /^[0-7]$/.test(week) ? Number(week) % 7 : DAYS.indexOf(week)
  return one >= 0 ? { kind: 'week', time, day: one } : { kind: 'other' }
}

/** A schedule as the form would have made it; `here` is this machine's time zone. */
export function repeatOf(schedule: ScheduleView, here: string): Repeat {
  const base: Repeat = {
    ...nightly(),
    cron: schedule.timing,
    zone: schedule.zone === here ? '' : schedule.zone,
    catchUp: schedule.catch_up === 'once',
    queue: schedule.overlap === 'queue',
  }
  const told = tell(schedule.timing)
  const made: Repeat =
    told.kind === 'day' || told.kind === 'weekdays'
      ? { ...base, every: told.kind, time: told.time }
      : told.kind === 'week'
        ? { ...base, every: 'week', time: told.time, day: told.day }
        : told.kind === 'interval' && HOURS.includes(told.seconds / 3600)
          ? { ...base, every: 'hours', hours: told.seconds / 3600 }
          : { ...base, every: 'cron' }
  return made
}
