/** A pretend store in memory: for tests, pictures and the demo. Never part of the product's bundle. */
import { advanced, again, over } from './pretend/advance'
import { check } from './pretend/check'
import { compare } from './pretend/compare'
import { data, sound } from './pretend/data'
import { gpus, machine, machineHistory, usage } from './pretend/machine'
import { begun } from './pretend/begin'
import { iso, random, stage, attempt } from './pretend/build'
import { files, logLine, logTotal, page, series } from './pretend/output'
import { gallery as pretendGallery } from './pretend/gallery'
import { report } from './pretend/report'
import { schedules as pretendSchedules } from './pretend/schedules'
import { sweeps as pretendSweeps } from './pretend/sweeps'
import { TEMPLATES } from './pretend/templates'
import { webhook as pretendWebhook } from './pretend/webhook'
import { moved, world, type WorldName } from './pretend/world'
import type {
  DiskView,
  Fault,
  JsonValue,
  Live,
  Platform,
  Push,
  RunStatus,
  RunView,
  Settings,
  StartRequest,
  Submitted,
  Wish,
  WishAnswer,
  WebhookView,
} from './types'

export interface FakeOptions {
  world?: WorldName
  /** What the hostile world calls its things. */
  texts?: string[]
  /** Milliseconds between ticks; 0: nothing moves. */
  tick?: number
  /** Another disk than the usual one. */
  disk?: Partial<DiskView>
  /** GPUs: one at work, two of which others have one, or none. */
  gpus?: 'one' | 'two' | 'none'
  settings?: Partial<Settings>
  /** Where messages go. */
  webhook?: WebhookView
  /** Reads that fail, to show what is said then. */
  failing?: boolean
  /** Reads that never answer, to show what is seen while loading. */
  hanging?: boolean
  /** Reads that take so long, milliseconds. */
  slow?: number
  hugeLog?: boolean
  owner?: Live['owner']
  recovery?: Live['recovery']
  storage?: Partial<Live['storage']>
  draft?: JsonValue
  /** What every run was started from; else the template that is called as its pipeline. */
  template?: string | null
  /** What is stopped ends only with the next step. */
  stubborn?: boolean
  /** A template of one's own was broken later. */
  broken?: boolean
  /** Paths that were typed are looked into, too: for pictures. */
  allData?: boolean
}

const fault = (code: Fault['code'], message: string, hints: string[] = []): Fault => ({ code, message, hints })
const STATUSES: RunStatus[] = [
  'draft',
  'queued',
  'running',
  'paused',
  'completed',
  'failed',
  'cancelled',
  'interrupted',
]
const ended = (status: RunStatus) => STATUSES.indexOf(status) > 3

export interface Fake extends Platform {
  readonly kind: 'fake'
  /** What was asked, for tests. */
  readonly asked: { what: string; args: unknown[] }[]
  /** One step of pretend time. */
  step(): void
  /** Something is held over the window, or dropped; a path that was dropped can be looked into. */
  emit(push: Push): void
  /** Somebody mends the templates that were broken. */
  mend(): void
}

export function fake(options: FakeOptions = {}): Fake {
  const began = Date.now()
  const store = world(options.world ?? 'full', began, options.texts)
  const listeners = new Set<(push: Push) => void>()
  const asked: { what: string; args: unknown[] }[] = []
  let seq = 1
  let ticks = 0
  let cached: { key: string; hits: RunView[] } | null = null
  let picked: string | null = null
  let draft: JsonValue = options.draft ?? null
  let settings: Settings = {
    language: 'en',
    theme: 'light',
    notify_completed: true,
    notify_failed: true,
    notify_interrupted: true,
    notify_disk: true,
    notify_stalled: true,
    notify_alert: true,
    quiet: false,
    quiet_from: '22:00',
    quiet_to: '07:00',
    start_at_login: false,
    keep_awake: true,
    ...options.settings,
  }
  const rand = random(3)

  const note = (what: string, ...args: unknown[]) => void asked.push({ what, args })
  async function read<T>(make: () => T): Promise<T> {
    if (options.hanging) return new Promise<T>(() => {})
    if (options.slow) await new Promise((done) => setTimeout(done, options.slow))
    if (options.failing)
      throw fault('storage', 'The store cannot be read: disk I/O error.', ['Look at the disk, then try again.'])
    return make()
  }
  const lean = (run: RunView): RunView => {
    const copy = { ...run }
    delete copy.stages
    delete copy.params
    return copy
  }
  const find = (number: number): RunView => {
    const found = store.runs.get(number)
    if (!found) throw fault('not_found', `There is no run #${number}.`, ['footplate list shows the runs'])
    return found.stages
      ? found
      : {
          ...found,
          params: {},
          stages: [
            stage('train', found.status === 'completed' ? 'completed' : 'failed', {
              progress: found.progress,
              started_at: found.started_at,
              finished_at: found.finished_at,
              error: found.error,
              attempts: [
                attempt({
                  status: found.status === 'completed' ? 'completed' : 'failed',
                  started_at: found.started_at,
                  finished_at: found.finished_at,
                }),
              ],
            }),
          ],
        }
  }
  let storage: Live['storage'] = { restored: null, moved: null, newer: null, ...options.storage }
  function live(): Live {
    const all = [...store.runs.values()]
    const counts = Object.fromEntries(STATUSES.map((s) => [s, 0])) as Record<RunStatus, number>
    for (const run of all) counts[run.status] += 1
    const active = all.filter((run) => run.status === 'running' || run.status === 'paused')
    const next = store.order
      .map((n) => store.runs.get(n))
      .filter((run): run is RunView => run?.status === 'queued')
      .slice(0, 200)
    const queues = store.queues.map((queue) => {
      const stages = active
        .flatMap((run) => run.stages ?? [])
        .filter((s) => s.status === 'running' && s.queue === queue.name)
      return { ...queue, running: stages.length, queued: next.filter((run) => run.queue === queue.name).length }
    })
    const named = all.flatMap((run) => (run.experiment ? [run.experiment] : []))
    const experiments = [...new Set(named)]
      .map((name) => ({ name, runs: named.filter((other) => other === name).length }))
      .sort((a, b) => b.runs - a.runs)
      .slice(0, 20)
    const week = Date.now() - 7 * 86_400_000
    const alarmed = (run: RunView) => (run.alerts ?? []).some((a) => a.ended_at === null && a.dismissed_at === null)
    const needs_look = all.filter(
      (run) =>
        alarmed(run) ||
        ((run.status === 'failed' || run.status === 'interrupted') && Date.parse(run.finished_at ?? '') > week),
    ).length
    return {
      active,
      next: next.map(lean),
      counts,
      needs_look,
      queues,
      experiments,
      owner: options.owner ?? { state: 'present', pid: 4312, version: '0.1.0', since: iso(began) },
      recovery: options.recovery ?? null,
      schedules: schedules.view(),
      storage,
    }
  }
  const schedules = pretendSchedules(options, began, {
    note,
    read,
    fault,
    start: startRun,
    changed: () => push(false),
    name: (n) => find(n).pipeline,
  })
  let sent: Live = live()
  function push(history: boolean): void {
    const now = live()
    const from = seq++
    const changed = now.active.filter((run) => sent.active.find((old) => old.number === run.number) !== run)
    const gone = sent.active
      .filter((run) => !now.active.some((other) => other.number === run.number))
      .map((run) => run.number)
    sent = now
    const message: Push = {
      kind: 'changes',
      from,
      seq,
      active: changed,
      gone,
      next: now.next,
      counts: now.counts,
      needs_look: now.needs_look,
      queues: now.queues,
      experiments: now.experiments,
      owner: now.owner,
      schedules: now.schedules,
      storage: now.storage,
    }
    if (history) message.history = true
    for (const on of listeners) on(message)
  }
  function set(number: number, change: Partial<RunView>): void {
    const old = store.runs.get(number)
    if (old) store.runs.set(number, { ...old, ...change })
  }
  function finish(run: RunView, status: RunStatus): void {
    set(run.number, over(run, status))
    store.order = store.order.filter((n) => n !== run.number)
  }

  function step(): void {
    ticks += 1
    let history = ending.size > 0
    for (const number of ending) finish(find(number), 'cancelled')
    ending.clear()
    for (const run of [...store.runs.values()]) {
      const change = advanced(run, ticks)
      if (!change) continue
      set(run.number, change)
      if (change.stages.every((s) => s.status === 'completed')) {
        finish(store.runs.get(run.number) ?? run, 'completed')
        set(run.number, { message: 'val_accuracy 0.978' })
        history = true
      }
    }
    push(history)
  }

  let marks: { warning?: number; critical?: number } = {}
  let ignoreOthers = false

  const cleaned = new Set<number>()
  const ending = new Set<number>()
  const pins = new Set<string>()

  function obey(number: number | null, wish: Wish): WishAnswer {
    const done = (message: string): WishAnswer => ({ done: true, code: null, message })
    const no = (code: WishAnswer['code'], message: string): WishAnswer => ({ done: false, code, message })
    if (wish.kind === 'queue') {
      const { name, limit, paused } = wish.args
      store.queues = store.queues.map((q) =>
        q.name === name ? { ...q, limit: limit ?? q.limit, paused: paused ?? q.paused } : q,
      )
      return done('Changed.')
    }
    if (wish.kind === 'schedule' || wish.kind === 'schedules') return schedules.obey(wish)
    if (wish.kind === 'disk') {
      marks = { ...marks, ...wish.args }
      return done('Changed.')
    }
    if (wish.kind === 'gpus') {
      ignoreOthers = wish.args.ignore_others
      return done('Changed.')
    }
    if (wish.kind === 'adopt') {
      const queues = storage.moved?.queues ?? []
      store.queues = store.queues.map((q) => (queues.includes(q.name) ? { ...q, paused: false } : q))
      storage = { ...storage, moved: null }
      return done('The work goes on on this machine.')
    }
    if (wish.kind === 'restore_seen') {
      storage = { ...storage, restored: null }
      return done('The report of the restore is put away.')
    }
    const run = find(number ?? -1)
    switch (wish.kind) {
      case 'cancel':
        if (ended(run.status)) return no('already_ended', `#${run.number} has already ended: ${run.status}.`)
        if (options.stubborn) ending.add(run.number)
        else finish(run, 'cancelled')
        return done('Cancelled.')
      case 'pause':
        set(run.number, { status: 'paused' })
        return done('Paused.')
      case 'unpause':
        set(run.number, { status: run.started_at ? 'running' : 'queued' })
        return done('It goes on.')
      case 'retry':
      case 'resume':
        set(run.number, {
          status: 'queued',
          finished_at: null,
          result: null,
          error: null,
          stages: again(run.stages ?? []),
          generation: run.generation + 1,
          waiting: { reason: 'queue_limit', detail: '1 of 1 training stages running' },
        })
        store.order.push(run.number)
        return done('Queued again.')
      case 'move': {
        store.order = moved(store, run, wish.args)
        return done('Moved.')
      }
      case 'rename':
        set(run.number, { name: wish.args.name })
        return done('Renamed.')
      case 'set':
        set(run.number, { queue: wish.args.queue ?? run.queue, priority: wish.args.priority ?? run.priority })
        return done('Changed.')
      case 'tag': {
        const { add = [], remove = [] } = wish.args
        set(run.number, { tags: [...new Set([...run.tags, ...add])].filter((tag) => !remove.includes(tag)) })
        return done('Tagged.')
      }
      case 'dismiss': {
        const { alert } = wish.args
        const at = iso(Date.now())
        const seen = (run.alerts ?? []).map((a) =>
          alert === undefined || a.id === alert ? { ...a, dismissed_at: at } : a,
        )
        set(run.number, { alerts: seen })
        return done('Dismissed.')
      }
      case 'clean_checkpoints':
        cleaned.add(run.number)
        return done('Cleaned.')
      case 'pin': {
        const { checkpoint, pinned } = wish.args
        pins[pinned ? 'add' : 'delete'](`${run.number} ${checkpoint}`)
        return done('Pinned.')
      }
      case 'rm':
        store.runs.delete(run.number)
        return done('Removed.')
      default:
        return done('Done.')
    }
  }

  function begin(name: string | null, wait: boolean, base: Partial<RunView> & { pipeline: string }): RunView {
    const number = store.next++
    const free = !wait && ![...store.runs.values()].some((run) => run.status === 'running')
    const made = begun(number, name ?? `${base.pipeline}-${number}`, free, base)
    store.runs.set(number, made)
    if (!free) store.order.push(number)
    return made
  }
  async function startRun(request: StartRequest): Promise<Submitted> {
    note('start', request)
    const { id, number, name } = begin(request.name, request.not_before !== null, {
      pipeline: request.kind === 'template' ? request.template : 'train',
      queue: request.queue ?? 'training',
      params: request.kind === 'template' ? (request.params as Record<string, JsonValue>) : {},
    })
    push(true)
    return { id, number, name }
  }
  const sweeps = pretendSweeps({
    note,
    read,
    fault,
    has: (experiment) => [...store.runs.values()].some((run) => run.experiment === experiment),
    add: (pipeline, name, experiment, params) => {
      const { number } = begin(name, false, { pipeline, experiment, queue: 'training', params })
      push(true)
      return number
    },
  })

  if (options.tick !== 0) setInterval(step, options.tick ?? 500)

  const gallery = pretendGallery(options, { note, read })

  const script = {
    handle: 's1',
    name: 'train.py',
    path: '~/tone/train.py',
    folder: '~/tone',
    interpreters: [
      { id: 'venv', label: 'python 3.12 in ~/tone/.venv' },
      { id: 'system', label: 'python 3.11, the system’s' },
    ],
  }

  return {
    kind: 'fake',
    asked,
    step,
    emit(pushed) {
      if (pushed.kind === 'dropped') picked = pushed.path
      for (const on of listeners) on(pushed)
    },
    async subscribe(on) {
      if (options.failing)
        throw fault('storage', 'The store cannot be read: disk I/O error.', ['Look at the disk, then try again.'])
      if (options.hanging) return () => {}
      listeners.add(on)
      sent = live()
      on({ kind: 'snapshot', seq, live: sent })
      return () => listeners.delete(on)
    },
    list: (query) =>
      read(() => {
        note('list', query)
        const key = JSON.stringify([{ ...query, limit: 0, offset: 0 }, seq])
        if (cached?.key === key)
          return {
            runs: cached.hits.slice(query.offset, query.offset + query.limit).map(lean),
            total: cached.hits.length,
          }
        const text = query.search?.toLowerCase() ?? ''
        const hits: RunView[] = []
        for (const run of store.runs.values()) {
          if (query.statuses.length > 0 && !query.statuses.includes(run.status)) continue
          if (query.queue && run.queue !== query.queue) continue
          if (query.experiment && run.experiment !== query.experiment) continue
          if (query.tag && !run.tags.includes(query.tag)) continue
          if (text && !run.name.toLowerCase().includes(text) && !run.pipeline.toLowerCase().includes(text)) continue
          hits.push(run)
        }
        hits.sort((a, b) => {
          const x = a.finished_at ?? a.created_at
          const y = b.finished_at ?? b.created_at
          return x < y ? 1 : x > y ? -1 : 0
        })
        cached = { key, hits }
        return { runs: hits.slice(query.offset, query.offset + query.limit).map(lean), total: hits.length }
      }),
    show: (number) =>
      read(() => {
        note('show', number)
        return find(number)
      }),
    origin: (number) =>
      read(() => {
        const run = find(number)
        const template = TEMPLATES.find((t) => t.name === run.pipeline)
        const definition = template?.definition ?? {
          format: 1,
          name: run.pipeline.slice(0, 60),
          stages:
            run.pipeline === 'prepare-audio'
              ? { main: { command: ['python', 'prepare.py', '--rate', '16 kHz', '--jobs', '4'], literal: true } }
              : { train: { command: ['python', 'train.py'], resume: ['--resume'] } },
        }
        return { definition, template: options.template === undefined ? (template?.name ?? null) : options.template }
      }),
    report: (number) => read(() => report(find(number))),
    metrics: (number) =>
      read(() => {
        note('metrics', number)
        return series(find(number), began, ticks)
      }),
    usage: (number) =>
      read(() => {
        note('usage', number)
        return usage(find(number), began)
      }),
    compare: (what) =>
      read(() => {
        note('compare', what)
        const all = [...store.runs.values()]
        const runs = 'runs' in what ? what.runs.map(find) : all.filter((run) => run.experiment === what.experiment)
        if (runs.length === 0) throw fault('not_found', 'There is no such experiment.')
        if (runs.length === 1) throw fault('invalid', '1 run is to be compared; it takes 2 to 100.')
        const kept = runs.slice(-100).map((run) => find(run.number))
        return compare(kept, (run) => series(run, began, 0), runs.length - kept.length)
      }),
    compareCsv: (what) =>
      read(() => {
        note('compareCsv', what)
        return 'run,name\n1,a\n'
      }),
    log: (query, from, count) =>
      read(() => {
        note('log', query, from)
        return page(find(query.number), query, from, count, began, options.hugeLog ?? false)
      }),
    logSearch: (query, text) =>
      read(() => {
        const run = find(query.number)
        const total = logTotal(run, query, options.hugeLog ?? false)
        const lines: number[] = []
        for (let n = 1; n <= Math.min(total, 20_000); n++)
          if (logLine(run, query, n, total, began).text.toLowerCase().includes(text.toLowerCase())) lines.push(n)
        return { lines: lines.slice(0, 10_000), total: lines.length }
      }),
    files: (number) =>
      read(() => {
        note('files', number)
        return files(find(number), began, cleaned.has(number), (id) => pins.has(`${number} ${id}`))
      }),
    reveal: async (number, file) => note('reveal', number, file),
    async wish(number, wish) {
      note('wish', number, wish)
      const answer = obey(number, wish)
      push(true)
      return answer
    },
    ...gallery,
    ...schedules.platform,
    ...sweeps,
    async pickScript() {
      note('pickScript')
      return script
    },
    async script(handle) {
      if (handle !== script.handle) throw fault('not_found', 'The script has gone.')
      return script
    },
    async pickPath(folder) {
      picked = folder ? '~/pictures/digits' : '~/tone/support-chats.jsonl'
      return picked
    },
    async data(path) {
      note('data', path)
      if (path !== picked && !options.allData)
        throw fault('refused', 'Only what was chosen in the dialog is looked into.', ['Choose it again.'])
      return data(path)
    },
    async sound(path, id) {
      note('sound', path, id)
      return sound(data(path).sounds.find((one) => one.id === id)?.seconds ?? 1)
    },
    check: (request) => read(() => check(request)),
    start: startRun,
    draft: async () => draft,
    async setDraft(next) {
      if (JSON.stringify(next).length > 64 << 10) throw fault('invalid', 'The draft is over 65536 bytes.')
      draft = next
      if (typeof sessionStorage !== 'undefined') sessionStorage.setItem('fake-draft', JSON.stringify(next))
    },
    machine: () =>
      read(() => {
        const drift = options.tick === 0 ? 0 : (rand() - 0.5) * 0.1
        return machine(drift, { ...options.disk, ...marks }, gpus(options.gpus ?? 'one'), ignoreOthers)
      }),
    machineHistory: () => read(() => machineHistory(began, rand)),
    settings: async () => settings,
    async setSettings(next) {
      note('setSettings', next)
      settings = next
      return settings
    },
    ...pretendWebhook(options.webhook ?? null, note, fault),
    copy: async (text) => note('copy', text),
    saveText: async (name, text) => {
      note('saveText', name, text.length)
      return true
    },
    savePicture: async (name, png) => {
      note('savePicture', name, png)
      return true
    },
  }
}
