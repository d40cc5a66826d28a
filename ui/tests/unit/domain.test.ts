import { afterEach, describe, expect, it } from 'vitest'

import { mark, spans } from '../../src/domain/log/ansi'
import { base, groups, isGiven } from '../../src/domain/metric/groups'
import { path, smooth, thin } from '../../src/domain/metric/spark'
import { draw } from '../../src/domain/pipeline/layout'
import { failureTitle, hints, waitingText } from '../../src/domain/run/words'
import { revive } from '../../src/domain/template/draft.svelte'
import { collect, line, presetValues, read, words } from '../../src/domain/template/params'
import { bytes, bytesBeside, moment, percent, span, tick, ticks, timecode, value } from '../../src/i18n/format'
import { resolveLanguage, setLanguage, t } from '../../src/i18n/index.svelte'
import { faultText } from '../../src/app/act'
import { parse } from '../../src/app/router.svelte'
import { failure } from '../../src/platform/pretend/build'
import { TEMPLATES } from '../../src/platform/pretend/templates'
import type { Param } from '../../src/platform/types'

afterEach(() => setLanguage('en'))
const ESC = '\u001b'

describe('colours of a log', () => {
  it('SGR becomes spans, everything else that is a control character goes', () => {
    expect(spans(`a${ESC}[31mb${ESC}[0m${ESC}[2Kc\u0007`)).toEqual([
      { text: 'a', color: 0, bold: false },
      { text: 'b', color: 1, bold: false },
      { text: 'c', color: 0, bold: false },
    ])
    expect(spans(`${ESC}[1;92mok`)).toEqual([{ text: 'ok', color: 2, bold: true }])
    expect(spans(`${ESC}[38;5;196mred${ESC}[38;2;0;0;255mblue`).map((s) => s.color)).toEqual([1, 4])
    expect(
      spans(`${ESC}[38;5`)
        .map((s) => s.text)
        .join(''),
    ).toBe('[38;5')
  })
  it('hits of a search are cut out of spans, whatever the case', () => {
    const parts = mark(spans(`say ${ESC}[31mHel${ESC}[0mlo hello`), 'hello')
    expect(parts.filter((p) => p.hit).map((p) => p.text)).toEqual(['Hel', 'lo', 'hello'])
    expect(parts.map((p) => p.text).join('')).toBe('say Hello hello')
    expect(mark(spans('İstanbul'), 'i').some((p) => p.hit)).toBe(false)
  })
})

describe('numbers and times', () => {
  it('lengths of time', () => {
    expect([0, 41, 720, 728, 7800, 7_200, 270_000].map((s) => span(s))).toEqual([
      'a moment',
      '41 s',
      '12 m',
      '12 m 08 s',
      '2 h 10 m',
      '2 h',
      '3 d 3 h',
    ])
    expect(span(86_399)).toBe('24 h')
    setLanguage('zh-CN')
    expect([41, 728, 7800].map((s) => span(s))).toEqual(['41 秒', '12 分 08 秒', '2 小时 10 分'])
  })
  it('a size beside another one has its unit where that is another', () => {
    expect(bytesBeside(18e9, 64e9)).toBe('18')
    expect(bytesBeside(512e9, 1.5e12)).toBe('512 GB')
  })
  it('places in a recording', () => {
    expect([0, 7.9, 723, 3723, -1].map(timecode)).toEqual(['0:00', '0:07', '12:03', '1:02:03', '0:00'])
  })
  it('shares, sizes and values', () => {
    expect([0, 0.434, 0.999, 1].map(percent)).toEqual(['0%', '43%', '99%', '100%'])
    expect([812, 48_100_000, 1_204_000_000, 412e9].map(bytes)).toEqual(['812 B', '48 MB', '1.2 GB', '412 GB'])
    expect([1.284, 0.0391, 0.000126, 1862, null, Number.NaN].map((x) => value(x))).toEqual([
      '1.284',
      '0.0391',
      '1.26e-4',
      '1,862',
      '–',
      'NaN',
    ])
    expect([2.5, 0.00015, 1000].map(tick)).toEqual(['2.5', '1.5e-4', '1,000'])
  })
  it('the ticks of an axis have as many digits each', () => {
    expect(ticks([0.8, 0.85, 0.9, 1])).toEqual(['0.80', '0.85', '0.90', '1.00'])
    expect(ticks([0, 0.5, 1])).toEqual(['0.0', '0.5', '1.0'])
    expect(ticks([0, 5e-5, 1e-4, 1.5e-4])).toEqual(['0', '0.5e-4', '1.0e-4', '1.5e-4'])
    expect(ticks([1840, null, 1900])).toEqual(['1,840', '', '1,900'])
    expect(ticks([-2e6, 0, 2e6])).toEqual(['-2e6', '0', '2e6'])
    expect(ticks([0.1 + 0.2, 0.4])).toEqual(['0.3', '0.4'])
    expect(ticks([])).toEqual([])
  })
  it('moments', () => {
    const now = new Date(2026, 10, 27, 23, 30)
    expect(moment(new Date(2026, 10, 27, 1, 5), now)).toBe('01:05')
    expect(moment(new Date(2026, 10, 26, 1, 5), now)).toBe('Thu 01:05')
    expect(moment(new Date(2026, 8, 2), now)).toContain('Sep')
  })
})

describe('words', () => {
  it('numbers are written and counted', () => {
    expect(t('nav.running', { count: 1 })).toBe('1 running')
    expect(t('notice.interrupted', { count: 2 })).toBe('The ends of 2 runs are not known.')
    expect(t('log.size', { count: 1_000_000, size: '1 MB' })).toBe('1,000,000 lines, 1 MB')
  })
  it('an argument is not looked into', () => {
    expect(t('toast.deleted', { name: '{name} $& <b>' })).toBe('Deleted “{name} $& <b>”')
  })
  it('the system language decides where the setting leaves it to it', () => {
    expect(resolveLanguage('system', ['fr', 'zh-Hans-CN', 'en'])).toBe('zh-CN')
    expect(resolveLanguage('system', ['fr'])).toBe('en')
    expect(resolveLanguage('en', ['zh'])).toBe('en')
  })
  it('what the engine says is put into words, and left as it is where it is unknown', () => {
    const now = Date.now()
    setLanguage('zh-CN')
    expect(waitingText({ reason: 'queue_limit', detail: '1 of 1 training stages running' }, now)).toBe(
      'training 队列：上限 1，已有 1 个在运行',
    )
    expect(waitingText({ reason: 'after', detail: 'comes after #7' }, now)).toBe('等 #7 结束')
    expect(waitingText({ reason: 'memory', detail: 'wants 9GB; 1GB of 8GB free' }, now)).toBe(
      '需要 9GB；可用 1GB（共 8GB）',
    )
    expect(failureTitle(failure('exit_code', 'The program failed', '', [], null))).toBe('程序出错')
    expect(failureTitle(failure('nobody_knows', 'Odd', '', [], null))).toBe('Odd')
  })
  it('a cause that was found is told in place of the exit', () => {
    const found = (title: string) => failure('exit_code', title, '', [], null, { code: 'x', args: {}, log_offset: 7 })
    expect(failureTitle(found('Out of GPU memory'))).toBe('Out of GPU memory')
    setLanguage('zh-CN')
    expect(failureTitle(found('Out of GPU memory'))).toBe('GPU 内存不足')
    expect(failureTitle(found('Python raised ValueError'))).toBe('Python 抛出了 ValueError')
    expect(failureTitle(found('Something newer'))).toBe('程序出错')
  })
  it('a fault says what to do next, as the language sets its sentences, and never by a command of the terminal', () => {
    const fault = (hint: string) => ({ code: 'not_found' as const, message: 'There is no schedule x', hints: [hint] })
    expect(faultText(fault('footplate schedule list shows the schedules'))).toBe('There is no schedule x')
    setLanguage('zh-CN')
    expect(faultText(fault('Make the schedule anew.'))).toBe('没有计划 x。请重新创建这个计划。')
  })
  it('hints for the terminal are not shown in the window', () => {
    expect(
      hints(failure('x', '', '', ['Try again: footplate retry 7 --failed', 'Use a smaller batch.'], null)),
    ).toEqual(['Use a smaller batch.'])
  })
})

describe('the form of a template', () => {
  const digits = TEMPLATES[0]!.definition
  const number: Param = { type: 'number', minimum: 0.000001, maximum: 1 }
  it('reads what people type', () => {
    expect(read(number, '6e-4').value).toBe(0.0006)
    expect(read(number, ' .5 ').value).toBe(0.5)
    expect(read(number, '2').problem).toEqual({ code: 'between', least: 0.000001, most: 1 })
    expect(read(number, 'fast').problem).toEqual({ code: 'number' })
    expect(read({ type: 'integer' }, '1.5').problem).toEqual({ code: 'integer' })
    expect(read({ type: 'integer' }, '0x10').problem).toEqual({ code: 'integer' })
    expect(read({ type: 'string', pattern: '[a-z]+' }, 'A').problem).toEqual({ code: 'pattern' })
    expect(read({ type: 'string', pattern: '(?<=' }, 'A').problem).toBeNull()
    expect(read({ type: 'path' }, '').problem).toEqual({ code: 'required' })
    expect(read({ type: 'string', default: '' }, '').problem).toBeNull()
    expect(read({ type: 'choice', choices: [8, 16] }, '16').value).toBe(16)
  })
  it('submits only what differs from the preset', () => {
    expect(presetValues(digits, 'quick')['epochs']).toBe('4')
    expect(collect(digits, { epochs: '4' }, 'quick').params).toEqual({})
    expect(collect(digits, { epochs: '9', evaluate: false }, null).params).toEqual({ epochs: 9, evaluate: false })
    expect(collect(digits, { epochs: '0' }, null).problems).toEqual({
      epochs: { code: 'between', least: 1, most: 10000 },
    })
  })
  it('splits arguments as a shell would, without a shell', () => {
    expect(words(`--name "two words" 'it''s' a\\ b  ""`)).toEqual(['--name', 'two words', 'its', 'a b', ''])
    const odd = ['train.py', '--lr', '1', '', 'two words', `it's`, 'say "so"', 'back\\slash', '$HOME', 'a\nb', '音 声']
    expect(words(line(odd))).toEqual(odd)
    expect(line(['--lr', '1e-4', 'a b'])).toBe('--lr 1e-4 "a b"')
    expect(words('$(rm -rf /) ; `x`')).toEqual(['$(rm', '-rf', '/)', ';', '`x`'])
  })
  it('a damaged draft starts afresh', () => {
    expect(revive(null)).toBeNull()
    expect(revive([1])).toBeNull()
    expect(revive({ step: 'dance', kind: 'template' })).toBeNull()
    expect(revive({ step: 'how', kind: 'template', template: 'digits', cpus: 'many' })?.cpus).toBe(1)
  })
})

describe('curves', () => {
  it('smoothing keeps the start and the gaps', () => {
    expect(smooth([4, null, 4], 0.9)).toEqual([4, null, 4])
    expect(smooth([1, 2], 0)).toEqual([1, 2])
  })
  it('a path needs two points, and thinning keeps their mean', () => {
    expect(path([1], 10, 10).line).toBe('')
    expect(thin([1, 3, 5, 7], 2)).toEqual([2, 6])
    expect(path([1, 1], 10, 10).line).toMatch(/^M0/)
  })
  it('train and validation of one name share a chart, losses first', () => {
    const one = (name: string) => ({
      stage: 's',
      attempt: 1,
      name,
      step: [],
      epoch: [],
      time_ms: [],
      value: [],
      total: 0,
    })
    expect(groups([one('lr'), one('train_loss'), one('val_loss')]).map((g) => [g.title, g.series.length])).toEqual([
      ['loss', 2],
      ['lr', 1],
    ])
    expect(base('eval/accuracy')).toBe('accuracy')
  })
})

describe('what is not smoothed', () => {
  it('is what a schedule sets or the machine tells', () => {
    const given = ['lr', 'learning_rate', 'opt/lr-0', 'epoch', 'gpu_memory_gb', 'train/epoch', 'cpu_util', 'momentum']
    expect(given.filter((name) => !isGiven(name))).toEqual([])
    const measured = ['train_loss', 'grad_norm', 'clr_loss', 'val_auc', 'program', 'memorization', 'tokens_per_s']
    expect(measured.filter(isGiven)).toEqual([])
  })
})

describe('the picture of a pipeline', () => {
  it('what needs another stands to its right', () => {
    const drawn = draw([
      { name: 'a', needs: [] },
      { name: 'b', needs: ['a'] },
      { name: 'c', needs: ['a', 'b', 'ghost'] },
    ])
    const x = (name: string) => drawn.nodes.find((n) => n.name === name)!.x
    expect(x('a')).toBeLessThan(x('b'))
    expect(x('b')).toBeLessThan(x('c'))
    expect(drawn.edges).toHaveLength(3)
  })
  it('fills its room as far as it can be read, and no further', () => {
    const chain = ['a', 'b', 'c', 'd'].map((name, i, all) => ({ name, needs: i === 0 ? [] : [all[i - 1]!] }))
    for (const room of [560, 600, 668, 720]) {
      const { width, node } = draw(chain, room)
      expect(width, `in ${room}`).toBeLessThanOrEqual(room)
      expect(width, `in ${room}`).toBeGreaterThan(room - 12)
      expect(node >= 118 && node <= 160).toBe(true)
    }
    expect(draw(chain, 300).node).toBe(118)
    expect(draw(chain, 2000)).toMatchObject({ node: 160, width: 4 * 160 + 3 * 64 + 4 })
  })
})

describe('places', () => {
  it('a hash is a path and a query, whatever is in it', () => {
    expect(parse('#/run/142/log?line=8').path).toEqual(['run', '142', 'log'])
    expect(parse('#/run/142/log?line=8').query.get('line')).toBe('8')
    expect(parse('#/%E0%A4%A').path).toEqual(['%E0%A4%A'])
    expect(parse('').path).toEqual([])
  })
})
