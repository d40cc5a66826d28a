/** Numbers, lengths of time, moments and sizes as people of the language in force write them. */
import { language, t } from './index.svelte'
import { visible } from './visible'

const cache = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat>()

function numbers(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = `n${language()}${JSON.stringify(options)}`
  const known = cache.get(key)
  if (known) return known as Intl.NumberFormat
  const made = new Intl.NumberFormat(language(), options)
  cache.set(key, made)
  return made
}

function dates(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `d${language()}${JSON.stringify(options)}`
  const known = cache.get(key)
  if (known) return known as Intl.DateTimeFormat
  const made = new Intl.DateTimeFormat(language(), options)
  cache.set(key, made)
  return made
}

export function count(n: number): string {
  return numbers({ maximumFractionDigits: 0 }).format(n)
}

/** `3.4`: with one digit behind the point. */
export function decimal(n: number): string {
  return numbers({ maximumFractionDigits: 1 }).format(n)
}

/** `43%`; never 100% before it is. */
export function percent(share: number): string {
  const shown = share < 1 ? Math.min(99, Math.floor(share * 100)) : 100
  return `${Math.max(0, shown)}%`
}

/** `41 s`, `12 m 08 s`, `2 h 10 m`, `3 d 4 h`. `coarse` leaves out seconds from a minute on. */
export function span(seconds: number, coarse = false): string {
  const s = Math.max(0, Math.round(seconds))
  if (s < 1) return t('time.moment')
  if (s < 60) return t('time.s', { s })
  const two = (n: number) => String(n).padStart(2, '0')
  if (s < 3600) {
    const m = Math.floor(s / 60)
    if (coarse) return t('time.m', { m: Math.round(s / 60) })
    return s % 60 === 0 ? t('time.m', { m }) : t('time.ms', { m, s: two(s % 60) })
  }
  if (s < 86_400) {
    const m = Math.round(s / 60)
    return m % 60 === 0 ? t('time.h', { h: m / 60 }) : t('time.hm', { h: Math.floor(m / 60), m: two(m % 60) })
  }
  const h = Math.round(s / 3600)
  return h % 24 === 0 ? t('time.d', { d: h / 24 }) : t('time.dh', { d: Math.floor(h / 24), h: h % 24 })
}

/** Where a recording is: `0:07`, `12:03`, `1:02:03`. */
export function timecode(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds))
  const two = (n: number) => String(n).padStart(2, '0')
  const minutes = Math.floor(s / 60)
  return minutes < 60 ? `${minutes}:${two(s % 60)}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(s % 60)}`
}

/** `23:18` today, `Fri 21:40` within a week, `12 Nov` within a year, else with the year. */
export function moment(at: Date, now: Date): string {
  const day = (d: Date) => new Date(d.getFullYear(), d.getMonth(), d.getDate()).getTime()
  const days = Math.round((day(now) - day(at)) / 86_400_000)
  const time: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }
  if (days === 0) return dates(time).format(at)
  if (Math.abs(days) < 7) return `${dates({ weekday: 'short' }).format(at)} ${dates(time).format(at)}`
  if (at.getFullYear() === now.getFullYear()) return dates({ day: 'numeric', month: 'short' }).format(at)
  return dates({ year: 'numeric', month: 'short', day: 'numeric' }).format(at)
}

/** With date and seconds, for a detail. */
export function exact(at: Date, to: 'second' | 'minute' = 'second'): string {
  const timeStyle = to === 'second' ? 'medium' : 'short'
  return dates({ dateStyle: 'medium', timeStyle, hourCycle: 'h23' } as Intl.DateTimeFormatOptions).format(at)
}

/** The name of a day of the week; 0 is Sunday. */
export function weekday(day: number): string {
  return dates({ weekday: 'long', timeZone: 'UTC' }).format(new Date(Date.UTC(2026, 10, 1 + day)))
}

/** `1 January`; months count from 1. */
export function dayOfYear(month: number, day: number): string {
  return dates({ day: 'numeric', month: 'long', timeZone: 'UTC' }).format(new Date(Date.UTC(2024, month - 1, day)))
}

/** `Monday, Wednesday and Friday`. */
export function and(all: string[]): string {
  return [all.slice(0, -1).join(t('list.comma')), all.at(-1)].filter(Boolean).join(t('list.and'))
}

/** `23:18:05`. */
export function clock(at: Date): string {
  return dates({ hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' }).format(at)
}

/** `412 GB`, `1.2 GB`, `48 MB`: powers of 1,000, as disks are sold. */
export function bytes(n: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB', 'PB']
  let value = Math.max(0, n)
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit += 1
  }
  const digits = unit === 0 || value >= 9.95 ? 0 : 1
  return `${numbers({ maximumFractionDigits: digits }).format(value)} ${units[unit]}`
}

/** The first of two sizes that stand side by side: without its unit where that is the other's, too. */
export function bytesBeside(n: number, other: number): string {
  const unit = (text: string) => text.replace(/^.* /, '')
  return unit(bytes(n)) === unit(bytes(other)) ? bytes(n).replace(/ .*/, '') : bytes(n)
}

/** A tick of an axis: no digits that say nothing. */
export function tick(x: number): string {
  const size = Math.abs(x)
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return x.toExponential(1).replace('.0', '').replace('e+', 'e')
  return numbers({ maximumSignificantDigits: 6 }).format(x)
}

/** The ticks of one axis, with the same number of digits each: 0.80, 0.85, 0.90. */
export function ticks(all: (number | null)[]): string[] {
  const known = all.filter((x) => x !== null)
  const most = Math.max(0, ...known.map(Math.abs))
  // Past these, digits are counted from an exponent that all share.
  const power = most !== 0 && (most < 1e-3 || most >= 1e6) ? Math.floor(Math.log10(most)) : 0
  const parts = known.map((x) => x / 10 ** power)
  const exact = (digits: number) =>
    parts.every((x) => Math.abs(x - Number(x.toFixed(digits))) < 1e-9 * 10 ** -digits + 1e-12)
  let digits = 0
  while (digits < 6 && !exact(digits)) digits += 1
  const form = numbers({ minimumFractionDigits: digits, maximumFractionDigits: digits })
  return all.map((x) =>
    x === null ? '' : x === 0 && power !== 0 ? '0' : form.format(x / 10 ** power) + (power === 0 ? '' : `e${power}`),
  )
}

/** A parameter as it was given, not rounded. */
export function plain(x: unknown): string {
  if (typeof x === 'boolean') return t(x ? 'value.yes' : 'value.no')
  if (typeof x === 'string') return visible(x.slice(0, 2000))
  return typeof x === 'number' ? String(x) : visible(JSON.stringify(x))
}

/** A metric's value: four digits that matter; very small and very large ones with an exponent. */
export function value(x: number | null | undefined): string {
  if (x === null || x === undefined) return t('value.none')
  if (Number.isNaN(x)) return 'NaN'
  if (!Number.isFinite(x)) return x > 0 ? '∞' : '−∞'
  const size = Math.abs(x)
  if (size !== 0 && (size < 1e-3 || size >= 1e9)) return x.toExponential(2).replace('.00', '').replace('e+', 'e')
  if (Number.isInteger(x)) return count(x)
  const digits = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : size >= 1 ? 3 : 4
  return numbers({ maximumFractionDigits: digits, minimumFractionDigits: digits }).format(x)
}
