import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { afterEach, describe, expect, it } from 'vitest'

import { setLanguage } from '../../src/i18n/index.svelte'
import { said } from '../../src/i18n/said'
import { en } from '../../src/i18n/words.gen'

const root = join(__dirname, '../../..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
/** Without names of values and escapes: `{limit}`, `{:?}` and `{name:?}` are all the same. */
const bare = (text: string) => text.replaceAll('\\"', '"').replace(/\{[^{}]*\}/g, '{}')
const literals = (source: string) => [...source.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map((match) => bare(match[1] ?? ''))
const EXPLAIN = 'crates/engine/src/client/explain.rs'
const SOURCES = [EXPLAIN, 'crates/core/src/schedule/why.rs', 'crates/engine/src/start/items.rs']

/** Put together from parts, or said where a secret is looked for. */
const ELSEWHERE = ['said.waits_secret', 'said.check_reserves', 'said.check_no_memory', 'said.check_free']

afterEach(() => setLanguage('en'))

describe('the engine’s sentences', () => {
  it('each form is one that the engine has', () => {
    const has = new Set(SOURCES.flatMap((path) => literals(read(path))))
    const gone = Object.entries(en).filter(
      ([key, text]) => key.startsWith('said.') && !ELSEWHERE.includes(key) && !has.has(bare(text as string)),
    )
    expect(gone).toEqual([])
  })

  it('each failure of a run has a form', () => {
    const source = read(EXPLAIN)
    const tables = source.slice(source.indexOf('fn table('), source.indexOf('pub fn signal_name'))
    const runs = tables.slice(0, tables.indexOf('C::Usage')) + tables.slice(tables.indexOf('fn exit_code'))
    const forms = new Set(Object.values(en).map((text) => bare(typeof text === 'string' ? text : '')))
    const missing = literals(runs).filter(
      (text) => /^[A-Z].* .*\.$/.test(text) && !/footplate [a-z]|--after/.test(text) && !forms.has(text),
    )
    expect(missing).toEqual([])
  })

  it('is put into Chinese with what it names, and left alone where it is unknown or English', () => {
    const all = [
      ['It ended with exit code 3.', '程序以退出码 3 结束。'],
      [
        'It crashed with signal 11 (SIGSEGV): a fault in the program or in a library it uses.',
        '程序因信号 11 (SIGSEGV) 崩溃：程序本身或它用到的库有错误。',
      ],
      [
        'Cannot start: "trian.py" not found. Searched: /usr/bin, /bin.',
        '无法启动：找不到“trian.py”。已搜索：/usr/bin, /bin。',
      ],
      ['HF_TOKEN is missing', '缺少 HF_TOKEN'],
      ['12.5 GB are free.', '剩余 12.5 GB。'],
      ['It reserves 2 of 8 cores and no memory of 64.0 GB.', '占用 2 / 8 核，不预留内存（共 64.0 GB）。'],
    ] as const
    for (const [english] of all) expect(said(english)).toBe(english)
    setLanguage('zh-CN')
    for (const [english, chinese] of all) expect(said(english)).toBe(chinese)
    expect(said('Something else entirely.')).toBe('Something else entirely.')
  })
})
