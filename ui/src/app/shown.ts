/**
 * The platform with every text that comes from outside made fit to be seen (`i18n/visible`).
 *
 * Left as they are: values that go back to where they came from (parameters, definitions, drafts, the line to copy).
 */
import { visible, visibleLine } from '../i18n/visible'
import type { Platform } from '../platform/types'

/** These go back as they came; who shows them makes them visible. */
const RAW = new Set(['id', 'params', 'cli', 'handle', 'experiment', 'experiments', 'schedules', 'tags'])

/** The same with every text in it made visible, names of fields too; itself where there was nothing to show. */
export function clean<T>(value: T, line: (text: string) => string = visible): T {
  if (typeof value === 'string') return line(value) as T
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    let changed = false
    const out = value.map((item: unknown) => {
      const next = clean(item, line)
      changed ||= next !== item
      return next
    })
    return changed ? (out as T) : value
  }
  let changed = false
  const entries = Object.entries(value).map(([key, item]: [string, unknown]): [string, unknown] => {
    // `params` of a check is a list of faults, which only people read.
    const next = RAW.has(key) && !(key === 'params' && Array.isArray(item)) ? item : clean(item, line)
    const name = visible(key)
    changed ||= next !== item || name !== key
    return [name, next]
  })
  return changed ? (Object.fromEntries(entries) as T) : value
}

export function shown(platform: Platform): Platform {
  return {
    ...platform,
    // A path that was dropped goes back as it came.
    subscribe: (on) => platform.subscribe((push) => on(push.kind === 'dropped' ? push : clean(push))),
    list: async (query) => clean(await platform.list(query)),
    show: async (number) => clean(await platform.show(number)),
    report: async (number) => clean(await platform.report(number)),
    metrics: async (number, max) => {
      const all = await platform.metrics(number, max)
      return all.map((one) => ({ ...one, stage: visible(one.stage), name: visible(one.name) }))
    },
    log: async (query, from, count) => clean(await platform.log(query, from, count), visibleLine),
    files: async (number) => clean(await platform.files(number)),
    pickScript: async () => clean(await platform.pickScript()),
    script: async (handle) => clean(await platform.script(handle)),
    data: async (path) => clean(await platform.data(path)),
    check: async (request) => clean(await platform.check(request)),
    usage: async (number) => clean(await platform.usage(number)),
    machine: async (closely) => clean(await platform.machine(closely)),
  }
}
