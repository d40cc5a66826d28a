import { describe, expect, it } from 'vitest'

import { clean, shown } from '../../src/app/shown'
import { visible, visibleLine } from '../../src/i18n/visible'
import { fake } from '../../src/platform/fake'

describe('texts of others', () => {
  it.each([
    ['plain text, 训练 🚂, größer', 'plain text, 训练 🚂, größer'],
    ['tab\tand\nline', 'tab\tand\nline'],
    ['\u001b[2J', '␛[2J'],
    ['nul\u0000, del\u007f', 'nul␀, del␡'],
    ['\u009b31m', '<U+009B>31m'],
    ['\u202egnp.exe\u202c', '<U+202E>gnp.exe<U+202C>'],
    ['zero\u200bwidth', 'zero<U+200B>width'],
    ['tag \u{e0041}', 'tag <U+E0041>'],
    ['half \ud800 and \udc00', 'half \ufffd and \ufffd'],
    ['👩‍👩‍👧‍👦', '👩‍👩‍👧‍👦'],
  ])('%j is shown as %j', (text, seen) => {
    expect(visible(text)).toBe(seen)
  })

  it('a line of a log keeps its colours and nothing else', () => {
    expect(visibleLine('\u001b[31;1mred\u001b[0m \u001b[2J\u001b]0;title\u0007')).toBe(
      '\u001b[31;1mred\u001b[0m ␛[2J␛]0;title␇',
    )
  })

  it('what goes back to where it came from stays as it is', () => {
    const run = { name: 'a\u202e', params: { 'p\u202e': 'v\u202e' }, metrics: { 'm\u202e': 1 } }
    expect(clean(run)).toEqual({ name: 'a<U+202E>', params: { 'p\u202e': 'v\u202e' }, metrics: { 'm<U+202E>': 1 } })
  })

  it('an object with nothing to show is the same object', () => {
    const run = { name: 'a', stages: [{ name: 'b', metrics: { loss: 1 } }] }
    expect(clean(run)).toBe(run)
  })

  it('a field called __proto__ is a field', () => {
    const made = clean(JSON.parse('{"__proto__":{"pwned":1},"x":"\\u202e"}') as object)
    expect(Object.keys(made)).toEqual(['__proto__', 'x'])
    expect('pwned' in made).toBe(false)
  })

  it('every answer of the platform passes it', async () => {
    const base = fake({ tick: 0, world: 'hostile', texts: ['a\u202eb'] })
    const seen = JSON.stringify(
      await shown(base).list({
        statuses: [],
        queue: null,
        experiment: null,
        tag: null,
        search: 'a',
        limit: 10,
        offset: 0,
      }),
    )
    expect(seen).toContain('a<U+202E>b')
    // What leads to other runs goes back as it came.
    const raw = seen.replace(/"(experiment|tags)":("[^"]*"|\[[^\]]*\])/g, '')
    expect(raw).not.toContain('\u202e')
  })
})
