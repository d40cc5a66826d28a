import { describe, expect, it } from 'vitest'

import {
  nightly,
  repeatOf,
  repeatRequest,
  reviveRepeat,
  tell,
  timing,
  type Repeat,
} from '../../src/domain/schedule/repeat'
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
    for (const text of ['*/5 * * * *', '0 2 1 * *', '0 2 * 6 *', '0 9-17 * * *', '0 2 * * 1,3', '@yearly', ''])
      expect(tell(text), text).toEqual({ kind: 'other' })
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
    for (const text of ['5 2 * * *', '30 9 * * 1-5', '0 0 * * 0', 'every 6h', '*/5 * * * *', 'every 90m', '@yearly'])
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
