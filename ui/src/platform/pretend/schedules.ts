/** Pretend schedules: one of each kind, and what is done with them. */
import type {
  Fault,
  Platform,
  RepeatRequest,
  SchedulesView,
  ScheduleView,
  StartRequest,
  Submitted,
  Wish,
  WishAnswer,
} from '../types'
import { TEMPLATES } from './templates'

type Asked = Extract<Wish, { kind: 'schedule' | 'schedules' }>
interface Store {
  note: (what: string, ...args: unknown[]) => void
  read: <T>(make: () => T) => Promise<T>
  fault: (code: Fault['code'], message: string, hints?: string[]) => Fault
  start: (request: StartRequest) => Promise<Submitted>
  /** Tells those who look on. */
  changed: () => void
  /** What a run was made of. */
  name: (number: number) => string
}

const HOUR = 3_600_000
const iso = (ms: number) => new Date(ms).toISOString()
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone

/** The next times: each day at the time of a daily expression, else each so many hours. */
function times(timing: string, from: number): string[] {
  const daily = /^(\d+) (\d+) \* \* /.exec(timing)
  const hours = Number(/^every (\d+)h$/.exec(timing)?.[1] ?? 24)
  const first = new Date(from)
  if (daily) first.setHours(Number(daily[2]), Number(daily[1]), 0, 0)
  const every = daily ? 24 * HOUR : hours * HOUR
  let at = daily ? first.getTime() : from + every
  if (at <= from) at += every
  return Array.from({ length: 5 }, (_, i) => iso(at + i * every))
}

function known(now: number): ScheduleView[] {
  const base = (n: number, name: string, timing: string, more: Partial<ScheduleView>): ScheduleView => {
    const upcoming = times(timing, now)
    return {
      id: `0190b5c2-0000-7000-8000-00000000000${n}`,
      name,
      kind: 'template',
      what: 'digits',
      preset: null,
      params: {},
      queue: null,
      priority: null,
      cwd: '/home/mira',
      timing,
      zone,
      catch_up: 'once',
      overlap: 'skip',
      enabled: true,
      next_at: upcoming[0] ?? null,
      upcoming,
      last_run: null,
      missed: [],
      created_at: iso(now - 30 * 24 * HOUR),
      ...more,
    }
  }
  const ran = (number: number, name: string, status: 'completed' | 'failed', ago: number) => ({
    number,
    name,
    status,
    created_at: iso(now - ago - 60_000),
    finished_at: iso(now - ago),
  })
  return [
    base(1, 'Digits, nightly', '30 2 * * *', {
      params: { epochs: 40 },
      last_run: ran(1293, 'digits-12', 'completed', 1_620_000),
      missed: [
        {
          from: iso(now - 76 * HOUR),
          until: iso(now - 52 * HOUR),
          times: 2,
          why: 'Nobody was there to start it; run #1201 made up for it.',
        },
      ],
    }),
    base(2, 'Sync recordings', 'every 6h', {
      kind: 'command',
      what: 'python sync.py --from nas',
      cwd: '/home/mira/calls',
      overlap: 'queue',
      last_run: ran(1280, 'sync.py', 'completed', 3 * HOUR),
    }),
    base(3, 'Voice clone, weekdays', '0 23 * * 1-5', {
      what: 'voice-clone',
      zone: 'Pacific/Chatham',
      last_run: ran(1292, 'voice-clone-6', 'failed', 3_900_000),
      missed: [
        {
          from: iso(now - 20 * HOUR),
          until: iso(now - 20 * HOUR),
          times: 1,
          why: 'Run #1292, which it started before, had not ended.',
        },
      ],
    }),
    base(4, 'Churn, first of the month', '15 4 1 * *', {
      kind: 'file',
      what: '/home/mira/churn/footplate.toml',
      catch_up: 'skip',
      enabled: false,
      next_at: null,
      upcoming: [],
    }),
  ]
}

export function schedules(options: { world?: string; texts?: string[] }, began: number, store: Store) {
  let all = options.world === 'empty' ? [] : known(began)
  // Whatever somebody may have called one, and what it runs.
  if (options.world === 'hostile')
    all = (options.texts ?? []).map((text, n) => ({
      ...known(began)[n % 3]!,
      id: `0190b5c2-0000-7000-8000-0000000002${n}`,
      name: text || `schedule ${n}`,
      kind: 'command',
      what: text,
      params: { [`given-${n}`]: text },
      cwd: text,
    }))
  let keep = true
  const find = (name: string): ScheduleView => {
    const found = all.find((one) => one.name === name)
    if (!found)
      throw store.fault('not_found', `There is no schedule "${name}".`, ['footplate schedule list shows the schedules'])
    return found
  }
  const taken = (name: string) =>
    store.fault('conflict', `There is a schedule "${name}" already.`, [
      'Choose another name, or remove that one: footplate schedule rm',
    ])
  function make(repeat: RepeatRequest, what: Pick<ScheduleView, 'kind' | 'what'>): ScheduleView {
    if (all.some((one) => one.name === repeat.name)) throw taken(repeat.name)
    const upcoming = times(repeat.timing, Date.now())
    const made: ScheduleView = {
      ...known(began)[0]!,
      ...repeat,
      zone: repeat.zone ?? zone,
      ...what,
      id: `0190b5c2-0000-7000-8000-0000000001${all.length}`,
      params: {},
      last_run: null,
      missed: [],
      next_at: upcoming[0] ?? null,
      upcoming,
      created_at: iso(Date.now()),
    }
    all = [...all, made]
    store.changed()
    return made
  }
  const platform: Pick<
    Platform,
    'scheduleTimes' | 'scheduleDefinition' | 'editSchedule' | 'addSchedule' | 'repeatRun' | 'runSchedule'
  > = {
    scheduleTimes: (timing, where) =>
      store.read(() => {
        if (where !== null && !Intl.supportedValuesOf('timeZone').includes(where))
          throw store.fault('invalid', `There is no time zone "${where}".`, [])
        const minute = timing.split(' ')[0] ?? ''
        if (!timing.startsWith('every ') && Number(minute) > 59)
          throw store.fault('invalid', `"${minute}" cannot be the minute of a schedule (field 1).`, [
            'Allowed are 0 to 59, and * for each; for example 0, */15 or 0,30.',
          ])
        return { zone: where ?? zone, upcoming: times(timing, Date.now()) }
      }),
    scheduleDefinition: (name) =>
      store.read(() => {
        const { kind, what } = find(name)
        const found = kind === 'template' ? TEMPLATES.find((one) => one.name === what)?.definition : undefined
        return found ?? { format: 1, name: what, stages: { run: { command: ['true'] } } }
      }),
    async editSchedule(name, edit) {
      store.note('editSchedule', name, edit)
      const old = find(name)
      if (edit.name && all.some((one) => one.name === edit.name && one.id !== old.id)) throw taken(edit.name)
      const { params = {}, unset = [], ...rule } = edit
      const timing = rule.timing ?? old.timing
      const upcoming = old.enabled ? times(timing, Date.now()) : []
      const kept = Object.entries({ ...old.params, ...params }).filter(([key]) => !unset.includes(key))
      const made = { ...old, ...rule, params: Object.fromEntries(kept), upcoming, next_at: upcoming[0] ?? null }
      all = all.map((one) => (one.id === old.id ? made : one))
      store.changed()
      return made
    },
    async addSchedule(request, repeat) {
      store.note('addSchedule', request, repeat)
      return make(
        repeat,
        request.kind === 'template'
          ? { kind: 'template', what: request.template }
          : { kind: 'command', what: `python train.py ${request.args.join(' ')}` },
      )
    },
    async repeatRun(number, repeat) {
      store.note('repeatRun', number, repeat)
      return make(repeat, { kind: 'template', what: store.name(number) })
    },
    async runSchedule(name) {
      store.note('runSchedule', name)
      const found = find(name)
      const started = await store.start({
        kind: 'template',
        template: found.what,
        preset: null,
        params: {},
        name: null,
        queue: null,
        priority: null,
        not_before: null,
        after: [],
      })
      const at = iso(Date.now())
      const last_run = { ...started, status: 'queued' as const, created_at: at, finished_at: null }
      all = all.map((one) => (one.name === name ? { ...one, last_run } : one))
      return started
    },
  }

  return {
    platform,
    view: (): SchedulesView => ({ keep_owner: keep, all }),
    obey(wish: Asked): WishAnswer {
      if (wish.kind === 'schedules') keep = wish.args.keep_owner
      else {
        const { name, enabled, remove } = wish.args
        if (!all.some((one) => one.name === name))
          return { done: false, code: 'not_found', message: `There is no schedule "${name}"` }
        all = remove ? all.filter((one) => one.name !== name) : all
        all = all.map((one) => {
          if (one.name !== name || enabled === undefined) return one
          const upcoming = enabled ? times(one.timing, Date.now()) : []
          return { ...one, enabled, upcoming, next_at: upcoming[0] ?? null }
        })
      }
      return { done: true, code: null, message: 'Changed.' }
    },
  }
}
