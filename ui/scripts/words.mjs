// Compiles words/*.json into src/i18n/words.gen.ts: the dictionaries and, for each key, the arguments it takes.
// A word is a text with {named} arguments, or an object of plural forms (by {count}): {"one": "..", "other": ".."}.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const path = (name) => fileURLToPath(new URL(name, import.meta.url))
const read = (language) => JSON.parse(readFileSync(path(`../../words/${language}.json`), 'utf8'))
const en = read('en')
const zh = read('zh-CN')

const forms = (word) => (typeof word === 'string' ? [word] : Object.values(word))
const args = (word) =>
  [...new Set(forms(word).flatMap((text) => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1])))].sort()

const problems = []
for (const key of new Set([...Object.keys(en), ...Object.keys(zh)])) {
  if (!(key in en)) problems.push(`${key}: missing in en.json`)
  else if (!(key in zh)) problems.push(`${key}: missing in zh-CN.json`)
  else {
    const plural = [en[key], zh[key]].some((word) => typeof word !== 'string')
    const known = (word) =>
      args(word)
        .filter((name) => !(plural && name === 'count'))
        .join()
    if (known(en[key]) !== known(zh[key])) problems.push(`${key}: other arguments in zh-CN.json`)
    if (typeof en[key] !== 'string' && !('other' in en[key])) problems.push(`${key}: no form "other"`)
  }
}
if (problems.length > 0) {
  console.error(problems.join('\n'))
  process.exit(1)
}

const type = (key) => {
  const names = new Set([...args(en[key]), ...args(zh[key])])
  if ([en[key], zh[key]].some((word) => typeof word !== 'string')) names.add('count')
  if (names.size === 0) return '[]'
  return `[{ ${[...names]
    .sort()
    .map((name) => `${name}: ${name === 'count' ? 'number' : 'Arg'}`)
    .join('; ')} }]`
}

const text = `// Generated from words/*.json by scripts/words.mjs.
export type Arg = string | number
export type Word = string | { [form: string]: string }
export interface Words {
${Object.keys(en)
  .map((key) => `  ${JSON.stringify(key)}: ${type(key)}`)
  .join('\n')}
}
export type Key = keyof Words
export const en: Record<Key, Word> = ${JSON.stringify(en, null, 1)}
export const zh: Record<Key, Word> = ${JSON.stringify(Object.fromEntries(Object.keys(en).map((k) => [k, zh[k]])), null, 1)}
`
writeFileSync(path('../src/i18n/words.gen.ts'), text)
