/** What a timing says, where it is one that has words. Pure. */

/** Times of the day are `23:00`; days of the week count from 0, Sunday. */
export type Told =
  | { kind: 'day' | 'weekdays'; time: string }
  | { kind: 'week'; time: string; day: number }
  /** Several times or days; `days` is null for each, `'weekdays'` for Monday to Friday. */
  | { kind: 'days'; times: string[]; days: number[] | 'weekdays' | null }
  /** On these days of each month. */
  | { kind: 'month'; times: string[]; dates: number[] }
  | { kind: 'year'; time: string; month: number; date: number }
  | { kind: 'interval'; seconds: number }
  /** By the clock: each so many minutes, or hours with so many minutes past. */
  | { kind: 'minutes'; every: number }
  | { kind: 'hours'; every: number; minute: number }
  | { kind: 'hourly' }
  | { kind: 'other' }

const OTHER: Told = { kind: 'other' }
const SHORT: Record<string, string> = {
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@hourly': '0 * * * *',
  '@monthly': '0 0 1 * *',
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
}
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const UNITS: Record<string, number> = { s: 1, m: 60, min: 60, h: 3600, d: 86_400, w: 604_800 }
/** More times than these are no sentence. */
const MOST = 4

/** The numbers of a field like `1,3-5`, in order; null: it is something else. */
function list(field: string, least: number, most: number, names: string[] = []): number[] | null {
  const found = new Set<number>()
  const number = (text: string) =>
    /^\d{1,2}$/.test(text) ? Number(text) : names.includes(text) ? names.indexOf(text) + least : NaN
  for (const part of field.split(',')) {
    const [from = '', to = from, more] = part.split('-')
    const [first, last] = [number(from), number(to)]
    if (more !== undefined || !(first >= least && last <= most && first <= last)) return null
    for (let n = first; n <= last; n++) found.add(n)
  }
  return [...found].sort((a, b) => a - b)
}

/** Each so many, of so many: those that come out even. */
function step(field: string, of: number): number | null {
  const every = Number(/^\*\/(\d{1,2})$/.exec(field)?.[1] ?? 0)
  return every > 0 && of % every === 0 ? every : null
}

export function tell(text: string): Told {
  const low = text.trim().toLowerCase()
  const interval = /^every ((?:\d+(?:min|[smhdw]))+)$/.exec(low)
  if (interval) {
    const parts = [...(interval[1] ?? '').matchAll(/(\d+)(min|[smhdw])/g)]
    return { kind: 'interval', seconds: parts.reduce((sum, p) => sum + Number(p[1]) * (UNITS[p[2] ?? ''] ?? 0), 0) }
  }
  const fields = (SHORT[low] ?? low).split(/\s+/)
  const [minute = '', hour = '', date = '', month = '', week = ''] = fields
  if (fields.length !== 5) return OTHER
  const daily = date === '*' && month === '*'
  const each = daily && week === '*'
  const everyMinutes = minute === '*' ? 1 : step(minute, 60)
  if (everyMinutes !== null) return each && hour === '*' ? { kind: 'minutes', every: everyMinutes } : OTHER
  const minutes = list(minute, 0, 59)
  if (!minutes) return OTHER
  const [only = 0] = minutes
  const everyHours = hour === '*' ? 1 : step(hour, 24)
  if (everyHours !== null) {
    if (!each || minutes.length > 1) return OTHER
    return everyHours === 1 && only === 0 ? { kind: 'hourly' } : { kind: 'hours', every: everyHours, minute: only }
  }
  const two = (n: number) => String(n).padStart(2, '0')
  const times = list(hour, 0, 23)?.flatMap((h) => minutes.map((m) => `${two(h)}:${two(m)}`))
  const [time = ''] = times ?? []
  if (!times || times.length > MOST) return OTHER
  if (daily) return byDay(times, time, week)
  // With a day of the week beside it, it would be either.
  const dates = list(date, 1, 31)
  if (week !== '*' || !dates || dates.length > MOST) return OTHER
  if (month === '*') return { kind: 'month', times, dates }
  const months = list(month, 1, 12, MONTHS)
  if (months?.length !== 1 || dates.length > 1 || times.length > 1) return OTHER
  return { kind: 'year', time, month: months[0] ?? 1, date: dates[0] ?? 1 }
}

function byDay(times: string[], time: string, week: string): Told {
  const one = times.length === 1
  if (week === '*') return one ? { kind: 'day', time } : { kind: 'days', times, days: null }
  const found = list(week, 0, 7, DAYS)
  if (!found) return OTHER
  const days = [...new Set(found.map((day) => day % 7))].sort((a, b) => a - b)
  if (days.length === 7) return one ? { kind: 'day', time } : { kind: 'days', times, days: null }
  const workdays = days.join() === '1,2,3,4,5'
  if (workdays) return one ? { kind: 'weekdays', time } : { kind: 'days', times, days: 'weekdays' }
  return one && days.length === 1 ? { kind: 'week', time, day: days[0] ?? 0 } : { kind: 'days', times, days }
}
