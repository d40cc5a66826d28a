/** Which series belong on one chart: `train_loss` and `val_loss`, the same name over attempts. Pure. */
import type { MetricSeries } from '../../platform/types'

export interface Group {
  title: string
  series: MetricSeries[]
}

const PART = /^(train(?:ing)?|val(?:id(?:ation)?)?|eval(?:uation)?|test)[_/. -]/i

export function base(name: string): string {
  return name.replace(PART, '')
}
export function part(name: string): string {
  return PART.exec(name)?.[1]?.toLowerCase() ?? ''
}
export function isValidation(name: string): boolean {
  return /^(val|eval|test)/i.test(part(name))
}

const GIVEN =
  /(^|[^a-z])(lr|learning_?rate|momentum|weight_?decay|epochs?|memory|mem|vram|gpu|cpu|ram|disk|util\w*|watts?|power|bytes?|[kmg]i?b)([^a-z]|$)/i

/** Set by a schedule, or read off the machine: every value is true as it is, and smoothing would make another curve of it. */
export function isGiven(name: string): boolean {
  return GIVEN.test(name)
}

/** Losses first, then by the order in which they were written. */
export function groups(series: MetricSeries[]): Group[] {
  const found = new Map<string, MetricSeries[]>()
  for (const one of series) {
    const key = `${one.stage}\u0000${base(one.name)}`
    found.set(key, [...(found.get(key) ?? []), one])
  }
  const all = [...found].map(([key, list]) => ({ title: key.split('\u0000')[1] ?? '', series: list }))
  const rank = (title: string) => (/loss/i.test(title) ? 0 : /(acc|auc|f1|score|wer|bleu|map)/i.test(title) ? 1 : 2)
  return all.sort((a, b) => rank(a.title) - rank(b.title))
}
