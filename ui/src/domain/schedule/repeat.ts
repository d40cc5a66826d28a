/** How a schedule is chosen in a form. Pure. */
import type { RepeatRequest, ScheduleView } from '../../platform/types'
import { tell } from './tell'

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
