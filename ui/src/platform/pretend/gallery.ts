/** The pretend gallery: templates that are imported, renamed, broken and removed. */
import type { Fault, Platform, TemplateView } from '../types'
import { BROKEN, MENDED, TEMPLATES, contentOf } from './templates'

type Gallery = Pick<
  Platform,
  | 'templates'
  | 'revealTemplate'
  | 'importTemplate'
  | 'openArchive'
  | 'addTemplate'
  | 'keepRun'
  | 'templateContent'
  | 'allowTemplate'
  | 'exportTemplate'
  | 'renameTemplate'
  | 'removeTemplate'
>

const fault = (code: Fault['code'], message: string, hints: string[] = []): Fault => ({ code, message, hints })

export function gallery(
  options: { world?: string; broken?: boolean },
  { note, read }: { note: (what: string, ...args: unknown[]) => void; read: <T>(make: () => T) => Promise<T> },
): Gallery & { mend(): void } {
  let known: TemplateView[] = options.world === 'empty' ? TEMPLATES.slice(0, 1) : TEMPLATES
  let broken = options.broken ? BROKEN : []
  function template(name: string): TemplateView {
    const found = known.find((one) => one.name === name)
    if (!found) throw fault('not_found', `"${name}" is no template of your own`, ['templates: digits'])
    return found
  }

  return {
    mend() {
      known = [...known, ...broken.map(({ name }) => ({ ...MENDED, name }))]
      broken = []
    },
    templates: () => read(() => ({ templates: known, broken })),
    revealTemplate: async (name) => note('revealTemplate', name),
    async importTemplate() {
      note('importTemplate')
      return 'whisper-tune'
    },
    async openArchive(handle) {
      note('openArchive', handle)
      if (handle !== 'a1')
        throw fault('refused', 'The archive was not unpacked: the name "../evil" leads elsewhere by "..".', [
          'Nothing of it was kept. Ask whoever made it for another one.',
        ])
      return 'whisper-tune'
    },
    async addTemplate() {
      note('addTemplate')
      return null
    },
    async keepRun(number, title) {
      note('keepRun', number, title)
      if (title === 'taken') throw fault('conflict', 'There is a template "taken" already.')
      const base = TEMPLATES[0]!
      known = [...known, { ...base, name: 'kept', source: 'own', definition: { ...base.definition, title } }]
      return 'kept'
    },
    templateContent: (name) => read(() => contentOf(template(name))),
    async allowTemplate(name, hash) {
      note('allowTemplate', name, hash)
      known = known.map((one) => (one.name === name ? { ...one, trust: 'allowed' as const } : one))
    },
    async exportTemplate(name) {
      note('exportTemplate', name)
      return true
    },
    async renameTemplate(name, to) {
      note('renameTemplate', name, to)
      if (known.some((one) => one.name === to)) throw fault('conflict', `There is a template "${to}" already.`)
      known = known.map((one) => (one.name === name ? { ...one, name: to } : one))
    },
    async removeTemplate(name) {
      note('removeTemplate', name)
      known = known.filter((one) => one.name !== name)
      broken = broken.filter((one) => one.name !== name)
    },
  }
}
