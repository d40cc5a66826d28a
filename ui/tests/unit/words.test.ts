import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { parse } from 'svelte/compiler'
import { describe, expect, it } from 'vitest'

import { files, SRC } from './sources'

const words = (language: string) =>
  JSON.parse(readFileSync(join(process.cwd(), `../words/${language}.json`), 'utf8')) as Record<
    string,
    string | Record<string, string>
  >
const en = words('en')
const zh = words('zh-CN')

const sources = files().filter(
  (path) => /\.(ts|svelte)$/.test(path) && !path.includes('words.gen') && !path.includes('bindings'),
)

/** Keys made at run time, by what they begin with. The shell embeds the same file: its own keys begin with `tray.` or `notify.`. */
const MADE = [
  /^status\./,
  /^failure\./,
  /^template\./,
  /^schedule\.every_/,
  /^only\./,
  /^check\.item\./,
  /^files\.(checkpoint|output|file)s$/,
  /^action\./,
  /^toast\.(resume|retry)$/,
  /^check\.(ok|note|bad)$/,
]
const ELSEWHERE = [/^tray\./, /^notify\./, /^shell\./, /^menu\.(?!more)/]

/** Texts on the screen that are the same in every language. */
const SAME = new Set(['English', '简体中文', 'ID', 'Alt ↑ ↓', 'Esc', 'Footplate', '--epochs 3'])

describe('words', () => {
  it('both languages have the same keys', () => {
    expect(Object.keys(zh)).toEqual(Object.keys(en))
  })

  it("a run's number is its name, and is never written like an amount", () => {
    const named = Object.keys(en).filter((key) => JSON.stringify(en[key]).includes('#{number}'))
    const wrong = sources.flatMap((path) =>
      [...readFileSync(path, 'utf8').matchAll(/\bt\(\s*'([\w.]+)',\s*\{([^}]*)/g)]
        .filter((match) => named.includes(match[1] ?? '') && !/number: (String\(|\w+\[1\])/.test(match[2] ?? ''))
        .map((match) => `${path}: ${match[0]}`),
    )
    expect(named.length).toBeGreaterThan(5)
    expect(wrong).toEqual([])
  })

  it('every key that is asked for exists', () => {
    const missing = sources.flatMap((path) =>
      [...readFileSync(path, 'utf8').matchAll(/\bt\(\s*'([\w.]+)'/g)]
        .map((match) => match[1] ?? '')
        .filter((key) => !(key in en)),
    )
    expect(missing).toEqual([])
  })

  it('every key is used', () => {
    const all = sources.map((path) => readFileSync(path, 'utf8')).join('\n')
    const idle = Object.keys(en).filter(
      (key) => ![...MADE, ...ELSEWHERE].some((made) => made.test(key)) && !all.includes(`'${key}'`),
    )
    expect(idle).toEqual([])
  })

  it('Chinese has a space between Han and Latin or figures, and full-width punctuation after Han', () => {
    const wrong = Object.entries(zh)
      .flatMap(([key, word]) =>
        (typeof word === 'string' ? [word] : Object.values(word)).map((text) => [key, text] as const),
      )
      .filter(
        ([, text]) =>
          /[\u4e00-\u9fff][A-Za-z0-9{]|[A-Za-z0-9}][\u4e00-\u9fff]/.test(
            text.replaceAll(/\{(time|help|bounds)\}/g, ''),
          ) || /[\u4e00-\u9fff][,;:!?](?!\S*})/.test(text),
      )
      .map(([key, text]) => `${key}: ${text}`)
    expect(wrong).toEqual([])
  })

  it('Chinese has one form of address, and its own marks of quotation', () => {
    const sentences = Object.entries(words('sentences.zh-CN'))
    const wrong = [...Object.entries(zh), ...sentences]
      .flatMap(([key, word]) => (typeof word === 'string' ? [word] : Object.values(word)).map((text) => [key, text]))
      .filter(([, text]) => /您|[\u4e00-\u9fff] ?"\{\w+\}"|"\{\w+\}" ?[\u4e00-\u9fff]/.test(text ?? ''))
      .map(([key, text]) => `${key}: ${text}`)
    expect(wrong).toEqual([])
  })

  it('components hold no words of their own', () => {
    const found: string[] = []
    for (const path of sources.filter((file) => file.endsWith('.svelte'))) {
      for (const text of literals(readFileSync(path, 'utf8'))) found.push(`${path.slice(SRC.length + 1)}: ${text}`)
    }
    expect(found).toEqual([])
    // All components are parsed: seconds, where others want the machine as well.
  }, 60_000)

  it('the test for words of their own finds them', () => {
    expect(literals('<p>Delete</p>')).toEqual(['Delete'])
    expect(literals('<button aria-label="Close it">{x}</button>')).toEqual(['Close it'])
    expect(literals("<p>{yes ? 'Really' : x}</p>")).toEqual(['Really'])
    expect(literals('<p class="a">{t(\'a.b\')} · #{n}</p>')).toEqual([])
  })
})

interface Node {
  type: string
  [key: string]: unknown
}

/** Letters that a template would put on the screen by itself. */
function literals(source: string): string[] {
  const out: string[] = []
  const said = new Set(['aria-label', 'title', 'placeholder', 'label', 'alt', 'less', 'more'])
  const letters = (text: string) => /\p{L}{2,}/u.test(text)
  const keep = (text: string) => {
    const trimmed = text.trim()
    if (letters(trimmed) && !SAME.has(trimmed)) out.push(trimmed)
  }
  const visit = (node: unknown, spoken: boolean): void => {
    if (Array.isArray(node)) {
      for (const one of node) visit(one, spoken)
      return
    }
    if (typeof node !== 'object' || node === null) return
    const it = node as Node
    switch (it.type) {
      case 'Text':
        if (spoken) keep(String(it.data))
        return
      case 'Attribute': {
        const name = String(it.name)
        if (said.has(name)) visit(it.value, true)
        return
      }
      case 'ExpressionTag':
        visit((it as { expression?: unknown }).expression, spoken)
        return
      case 'ConditionalExpression':
        visit(it.consequent, spoken)
        visit(it.alternate, spoken)
        return
      case 'Literal':
        if (spoken && typeof it.value === 'string') keep(it.value)
        return
      case 'RegularElement':
      case 'SvelteElement':
      case 'Component':
        visit(it.attributes, false)
        visit(it.fragment, it.name !== 'style' && it.name !== 'script')
        return
      case 'Fragment':
        visit(it.nodes, spoken)
        return
      case 'IfBlock':
        visit(it.consequent, spoken)
        visit(it.alternate, spoken)
        return
      case 'EachBlock':
      case 'SnippetBlock':
      case 'KeyBlock':
        visit(it.body ?? it.fragment, spoken)
        visit(it.fallback, spoken)
        return
    }
  }
  const ast = parse(source, { modern: true }) as unknown as { fragment: Node }
  visit(ast.fragment, true)
  return out
}
