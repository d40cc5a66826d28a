/**
 * The engine's sentences in the language in force. It says them in English, in a fixed form each; a test compares the
 * forms with its sources. What has no known form is left as it was said.
 */
import { language, render } from './index.svelte'
import { en, zh, type Key } from './words.gen'

interface Form {
  key: Key
  test: RegExp
  names: string[]
}

let known: Form[] | null = null

function forms(): Form[] {
  return (known ??= (Object.keys(en) as Key[])
    .filter((key) => key.startsWith('said.'))
    .map((key) => {
      const text = en[key] as string
      const names = [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '')
      const parts = text.split(/\{\w+\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      return { key, names, test: new RegExp(`^${parts.join('(.*?)')}$`, 's') }
    })
    // The one with most words of its own first.
    .sort((a, b) => a.names.length - b.names.length || (en[b.key] as string).length - (en[a.key] as string).length))
}

export function said(text: string): string {
  if (language() === 'en') return text
  for (const { key, test, names } of forms()) {
    const match = test.exec(text)
    if (match) return render('zh-CN', zh[key], Object.fromEntries(names.map((name, i) => [name, match[i + 1] ?? ''])))
  }
  return text
}
