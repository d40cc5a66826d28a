/** The demo and the web tests: what to pretend stands in the address, `?world=empty&lang=zh-CN&theme=dark&tick=0`. */
import { fake, type FakeOptions, type Fake } from '../fake'
import { hostile } from './hostile'
import type { Restored, Settings } from '../types'
import type { WorldName } from './world'

/** A restore with something of each kind. */
function restored(): Restored {
  const at = Date.now()
  return {
    at: new Date(at - 5 * 60_000).toISOString(),
    why: 'database disk image is malformed',
    backup: new Date(at - 42 * 60_000).toISOString(),
    kept: 'state.db.damaged-20261127T142102Z',
    runs: 214,
    rebuilt: [1288, 1289, 1290],
    updated: [1285],
    held_back: [1290],
    running: [1285, 1288],
    lost: [{ number: 1291, name: null, why: 'it had not started, or was removed' }],
  }
}

export function demo(): Fake {
  const query = new URLSearchParams(location.search)
  const settings: Partial<Settings> = {}
  const lang = query.get('lang')
  const theme = query.get('theme')
  if (lang === 'en' || lang === 'zh-CN') settings.language = lang
  if (theme === 'light' || theme === 'dark') settings.theme = theme
  const options: FakeOptions = {
    world: (query.get('world') ?? 'full') as WorldName,
    tick: Number(query.get('tick') ?? 500),
    settings,
    failing: query.has('failing'),
    hanging: query.has('hanging'),
    slow: Number(query.get('slow') ?? 0),
    allData: query.has('alldata'),
    hugeLog: query.has('hugelog'),
    broken: query.has('broken'),
    stubborn: query.has('stubborn'),
  }
  if (query.has('fulldisk'))
    options.disk = query.get('fulldisk') === 'low' ? { free: 3.1e9, level: 'low' } : { free: 3.1e8, level: 'critical' }
  if (query.has('webhook'))
    options.webhook = {
      host: 'hooks.slack.com',
      encrypted: true,
      form: 'slack',
      on: ['disk', 'failed', 'stalled', 'alert', 'interrupted'],
      delivered_at: new Date(Date.now() - 3_600_000).toISOString(),
      failed_at: null,
      failure: null,
    }
  const gpus = query.get('gpus')
  if (gpus === 'two' || gpus === 'none') options.gpus = gpus
  if (query.has('away')) options.owner = { state: 'absent', orderly: false }
  if (query.has('recovered'))
    options.recovery = { at: new Date().toISOString(), reattached: [1285, 1286], interrupted: [1291] }
  if (query.has('moved'))
    options.storage = { moved: { at: new Date().toISOString(), queues: ['training', 'default', 'evaluation'] } }
  if (query.has('newer'))
    options.storage = { newer: 'the store has format 9, and this program knows formats up to 1; it is only read' }
  if (query.has('restored')) options.storage = { restored: restored() }
  const from = query.get('from')
  if (from !== null) options.template = from === '' ? null : from
  const kept = sessionStorage.getItem('fake-draft')
  if (kept) options.draft = JSON.parse(kept)
  // A test brings its own texts for the hostile world; everything it then reads is made of them.
  const texts = (window as { hostile?: string[] }).hostile
  if (texts) options.texts = texts
  const made = texts ? hostile(fake(options), texts) : fake(options)
  Object.assign(window, { pretend: made })
  return made
}
