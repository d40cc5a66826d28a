/** Words and numbers in the language in force. Reading `t` in a component follows the language as it changes. */
import { en, zh, type Key, type Word, type Words } from './words.gen'

export type { Key } from './words.gen'
export type Language = 'en' | 'zh-CN'

let current = $state<Language>('en')

const dictionaries: Record<Language, Record<Key, Word>> = { en, 'zh-CN': zh }

export function language(): Language {
  return current
}

/** What a setting means on a system that prefers these languages. */
export function resolveLanguage(setting: 'system' | Language, preferred: readonly string[]): Language {
  if (setting !== 'system') return setting
  const known = preferred.find((tag) => /^(en|zh)\b/i.test(tag))
  return known && /^zh/i.test(known) ? 'zh-CN' : 'en'
}

export function setLanguage(to: Language): void {
  current = to
  document.documentElement.lang = to
}

/** A text with its arguments filled in; numbers are written as the language writes them. */
export function t<K extends Key>(key: K, ...args: Words[K] extends [] ? [] : Words[K]): string {
  return render(current, dictionaries[current][key], args[0])
}

/** As `t`, for keys made at run time (`status.failed`); `fallback` where there is no such word. */
export function tDynamic(key: string, fallback: string): string {
  const word = (dictionaries[current] as Record<string, Word | undefined>)[key]
  return word === undefined ? fallback : render(current, word, undefined)
}

const made = new Map<string, { plural: Intl.PluralRules; number: Intl.NumberFormat }>()
/** Made once: each costs more than the sentence it is used for. */
function rules(lang: Language): { plural: Intl.PluralRules; number: Intl.NumberFormat } {
  const known = made.get(lang) ?? { plural: new Intl.PluralRules(lang), number: new Intl.NumberFormat(lang) }
  made.set(lang, known)
  return known
}

export function render(lang: Language, word: Word, args: Record<string, string | number> | undefined): string {
  let text = word
  if (typeof text !== 'string') {
    const form = rules(lang).plural.select(Number(args?.count ?? 0))
    text = text[form] ?? text['other'] ?? ''
  }
  if (!args) return text
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = args[name]
    if (value === undefined) return whole
    return typeof value === 'number' ? rules(lang).number.format(value) : value
  })
}
