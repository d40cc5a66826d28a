/** The demo and the web tests: what to pretend stands in the address, `?world=empty&lang=zh-CN&theme=dark&tick=0`. */
import { fake, type FakeOptions, type Fake } from '../fake'
import { hostile } from './hostile'
import type { Settings } from '../types'
import type { WorldName } from './world'

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
    allData: query.has('alldata'),
    hugeLog: query.has('hugelog'),
    broken: query.has('broken'),
  }
  if (query.has('fulldisk')) options.disk = { free: 3.1e8, level: 'critical' }
  if (query.has('away')) options.owner = { state: 'absent', orderly: false }
  if (query.has('recovered'))
    options.recovery = { at: new Date().toISOString(), reattached: [1285, 1286], interrupted: [1291] }
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
