/**
 * What the engine says, in the language in force. It speaks in English sentences of fixed forms, for every door the same;
 * words/sentences.zh-CN.json has each form as it stands in the source, `{}` and `{name}` for what varies.
 */
import chinese from '../../../words/sentences.zh-CN.json'
import { language } from './index.svelte'

interface Form {
  pattern: RegExp
  names: string[]
  text: string
  /** The longer form is the more exact one. */
  weight: number
}

interface Found {
  text: string
  weight: number
}

/** What stands in these places may be a phrase of the engine's own, and an amount anywhere; all else is somebody's text, and stays. */
const PHRASES = new Set([
  'what',
  'why',
  'rows',
  'faults',
  'wrong',
  'wanted',
  'free',
  'taken',
  'one_is_taken',
  'others_are_taken',
  'limit',
  'listed',
  'given',
  'fault',
  'problem',
  'kinds',
])
/** What a place can hold, where anything else would be taken for it: a phrase of several words, rather than its first one. */
const PLACES: Record<string, string> = {
  what: 'working folder|pipeline folder|captured environment|.*?',
  rows: '(?:at least )?\\d+ rows?',
  faults: '\\d+ faults?',
  quoted: '"(?:[^"\\\\]|\\\\.)*"',
  dotted: '\\w+(?:\\.[^ .]+)+',
  here: '[^ ]+',
  // A name, and no sentence's first word.
  metric: '(?!there is\\b)\\S.*?',
  memory: '[\\d.]+ ?[KMGT]?B',
  index: '\\d+',
  taken: 'GPU \\d+ .*?',
  one_is_taken: 'GPU \\d+ .*?',
  others_are_taken: 'GPU \\d+ .*?',
  field: 'stages\\.[^ ]+',
}
/** What is wrong with a file stands a line each, behind its place. */
const AT_LINE = /^(.*?\.(?:toml|json)(?::\d+){0,2}): (.+)$/
const AMOUNT = /^\d+ (cores?|GPUs?|files?|files or more)$/
/** Between these stands a space, where one is put beside the other. */
const HAN = /[\u4e00-\u9fff]/
const LATIN = /["\w]/
/** Longer texts are logs or the like. */
const LONGEST = 600
/** More sentences than this are no sentences. */
const MOST = 6

let compiled: Form[] | null = null

function forms(): Form[] {
  compiled ??= Object.entries(chinese)
    .map(([english, text]) => form(english, text))
    .sort((one, other) => other.weight - one.weight)
  return compiled
}

function form(english: string, text: string): Form {
  const names: string[] = []
  let unnamed = 0
  const pattern = english.split(/\{(\w*)\}/).map((part, at) => {
    if (at % 2 === 0) return part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    names.push(part || String(++unnamed))
    return `(${PLACES[part] ?? '.*?'})`
  })
  return {
    pattern: new RegExp(`^${pattern.join('')}$`, 's'),
    names,
    text,
    weight: english.length,
  }
}

function whole(text: string): Found | null {
  for (const { pattern, names, text: translated, weight } of forms()) {
    const found = pattern.exec(text)
    if (found === null) continue
    const values = new Map(names.map((name, at) => [name, found[at + 1] ?? '']))
    const filled = translated.replace(/\{(\w+)\}/g, (place, name: string, at: number) => {
      const value = values.get(name)
      if (value === undefined) return place
      if (!PHRASES.has(name)) return AMOUNT.test(value) ? (whole(value)?.text ?? value) : value
      const phrase = whole(value)?.text ?? value
      const before = HAN.test(translated.charAt(at - 1)) && LATIN.test(phrase.charAt(0)) ? ' ' : ''
      const after = HAN.test(translated.charAt(at + place.length)) && LATIN.test(phrase.charAt(phrase.length - 1))
      return `${before}${phrase}${after ? ' ' : ''}`
    })
    return { text: filled, weight }
  }
  return null
}

/** A sentence may have been made of a phrase: a capital letter at its start, a full stop at its end. */
function one(sentence: string): string | null {
  const phrase = sentence.replace(/\.$/, '')
  const stop = phrase === sentence ? '' : '。'
  const found = [
    whole(sentence),
    ...[phrase, phrase.charAt(0).toLowerCase() + phrase.slice(1)].map((text) => {
      const made = whole(text)
      return made && { ...made, text: `${made.text}${stop}` }
    }),
  ].filter((made) => made !== null)
  found.sort((one, other) => other.weight - one.weight)
  return found[0]?.text ?? null
}

/** Sentences of which each, or some next to each other, have a form. Half a translation would be harder to read than none. */
function several(parts: string[]): string | null {
  if (parts.length === 0) return ''
  for (let count = 1; count <= parts.length; count++) {
    const first = one(parts.slice(0, count).join(' '))
    const rest = first === null ? null : several(parts.slice(count))
    if (first !== null && rest !== null) return first + rest
  }
  return null
}

/** The engine's sentence, or sentences, in the language in force; what it does not know stays as it is. */
export function said(text: string): string {
  if (language() === 'en') return text
  const lines = text.length > LONGEST * MOST ? [] : text.split('\n').map((line) => AT_LINE.exec(line))
  if (lines.length > 0 && lines.every((line) => line !== null))
    return lines.map((line) => `${line[1]}: ${said(line[2] ?? '')}`).join('\n')
  if (text.length > LONGEST) return text
  const parts = text.split(/(?<=[.?!]) (?=[A-Z"#])/)
  return (parts.length > MOST ? one(text) : several(parts)) ?? text
}
