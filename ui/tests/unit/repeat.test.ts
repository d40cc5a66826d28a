import { describe, expect, it } from 'vitest'

import { nightly, repeatOf, repeatRequest, reviveRepeat, timing, type Repeat } from '../../src/domain/schedule/repeat'
import { tell } from '../../src/domain/schedule/tell'
import { timingText } from '../../src/domain/schedule/words'
import { setLanguage } from '../../src/i18n/index.svelte'
import type { ScheduleView } from '../../src/platform/types'

const of = (change: Partial<Repeat>) => timing({ ...nightly(), ...change })

describe('a schedule as it is chosen', () => {
  it('becomes what the engine reads, and nothing while a field is empty', () => {
    expect(of({})).toBe('0 23 * * *')
    expect(of({ time: '02:05' })).toBe('5 2 * * *')
    expect(of({ every: 'weekdays', time: '09:30' })).toBe('30 9 * * 1-5')
    expect(of({ every: 'week', day: 0, time: '00:00' })).toBe('0 0 * * 0')
    expect(of({ every: 'hours', hours: 6 })).toBe('every 6h')
    expect(of({ every: 'cron', cron: ' @daily ' })).toBe('@daily')
    for (const every of ['day', 'weekdays', 'week'] as const) expect(of({ every, time: '' })).toBe('')
    expect(repeatRequest({ ...nightly(), catchUp: false, queue: true }, ' a ')).toEqual({
      name: 'a',
      timing: '0 23 * * *',
      zone: null,
      catch_up: 'skip',
      overlap: 'queue',
    })
  })

  it('is told as it was chosen, and an expression without words is none', () => {
    for (const [change, told] of [
      [{ time: '02:05' }, { kind: 'day', time: '02:05' }],
      [
        { every: 'weekdays', time: '23:00' },
        { kind: 'weekdays', time: '23:00' },
      ],
      [
        { every: 'week', day: 3 },
        { kind: 'week', time: '23:00', day: 3 },
      ],
      [
        { every: 'hours', hours: 12 },
        { kind: 'interval', seconds: 43_200 },
      ],
    ] as [Partial<Repeat>, object][])
      expect(tell(of(change))).toEqual(told)
    expect(tell('@daily')).toEqual({ kind: 'day', time: '00:00' })
    expect(tell('@hourly')).toEqual({ kind: 'hourly' })
    expect(tell('every 1h30m')).toEqual({ kind: 'interval', seconds: 5400 })
    expect(tell('0 9 * * SUN')).toEqual({ kind: 'week', time: '09:00', day: 0 })
    for (const text of [
      '0 2 * 6 *',
      '0 9-17 * * *',
      '*/7 * * * *',
      '0 2 1 * 1',
      '0 2 L * *',
      '0 0 2 * * *',
      '0 24 * * *',
      '',
    ])
      expect(tell(text), text).toEqual({ kind: 'other' })
  })

  it('has words in both languages', () => {
    const told = (text: string) =>
      (['en', 'zh-CN'] as const).map((language) => {
        setLanguage(language)
        return timingText(text)
      })
    for (const [text, en, zh] of [
      ['0 23 * * MON-FRI', 'Monday to Friday at 23:00', '周一至周五 23:00'],
      ['0 23 * * 1,2,3,4,5', 'Monday to Friday at 23:00', '周一至周五 23:00'],
      ['0 23 * * 0-6', 'Every day at 23:00', '每天 23:00'],
      ['30 9,17 * * *', 'Every day at 09:30 and 17:30', '每天 09:30、17:30'],
      ['0 2 * * 0,wed,1', 'Monday, Wednesday and Sunday at 02:00', '星期一、星期三、星期日 02:00'],
      ['0 2 * * 7', 'Sunday at 02:00', '星期日 02:00'],
      ['15 4 1 * *', 'Day 1 of each month at 04:15', '每月 1 日 04:15'],
      ['15 4 1,15 * *', 'Days 1 and 15 of each month at 04:15', '每月 1、15 日 04:15'],
      ['@yearly', 'Each January 1 at 00:00', '每年 1月1日 00:00'],
      ['*/15 * * * *', 'Every 15 minutes', '每 15 分钟'],
      ['* * * * *', 'Every minute', '每 1 分钟'],
      ['0 */6 * * *', 'Every 6 hours', '每 6 小时'],
      ['20 */6 * * *', 'Every 6 hours, 20 min past', '每 6 小时，整点后 20 分'],
      ['20 * * * *', 'Every hour, 20 min past', '每 1 小时，整点后 20 分'],
      ['0 2 * 6 *', null, null],
    ] as const)
      expect(told(text), text).toEqual([en, zh])
    setLanguage('en')
  })

  it('survives being kept, as far as it is whole', () => {
    const kept = { ...nightly(), every: 'week' as const, day: 5 }
    expect(reviveRepeat(JSON.parse(JSON.stringify(kept)))).toEqual(kept)
    expect(reviveRepeat({ every: 'never', time: 3 })).toEqual(nightly())
    expect(reviveRepeat({ time: 3, hours: 2 })).toEqual({ ...nightly(), hours: 2 })
    expect(reviveRepeat(null)).toEqual(nightly())
  })

  it('is edited as the form that would have made it, whatever its rule', () => {
    const schedule = (timing: string, more: object = {}) =>
      ({ timing, zone: 'Europe/Berlin', catch_up: 'once', overlap: 'skip', ...more }) as ScheduleView
    for (const text of [
      '5 2 * * *',
      '30 9 * * 1-5',
      '0 0 * * 0',
      'every 6h',
      '*/5 * * * *',
      '0 */6 * * *',
      '0 9 * * 1,3',
      'every 90m',
      '@yearly',
    ])
      expect(timing(repeatOf(schedule(text), 'Europe/Berlin')), text).toBe(text)
    const other = repeatOf(schedule('@daily', { catch_up: 'skip', overlap: 'queue' }), 'UTC')
    expect(repeatRequest(other, 'x')).toEqual({
      name: 'x',
      timing: '0 0 * * *',
      zone: 'Europe/Berlin',
      catch_up: 'skip',
      overlap: 'queue',
    })
    expect(repeatOf(schedule('@daily'), 'Europe/Berlin').zone, 'where one is needs no name').toBe('')
  })
})
