import { flushSync } from 'svelte'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { minute, now, nowFrom } from '../../src/app/clock.svelte'
import { every, later } from '../../src/app/seen'

const BEGIN = Date.parse('2026-03-04T10:00:30.250Z')

let hidden = false
const see = (seen: boolean) => {
  hidden = !seen
  document.dispatchEvent(new Event('visibilitychange'))
}

beforeEach(() => {
  vi.useFakeTimers({ now: BEGIN })
  vi.spyOn(document, 'hidden', 'get').mockImplementation(() => hidden)
})
afterEach(() => {
  hidden = false
  vi.useRealTimers()
  vi.restoreAllMocks()
})

describe('what is done again and again', () => {
  it('rests while nobody sees the page, and is done at once when it is back', () => {
    const work = vi.fn()
    const leave = every(1000, work)
    vi.advanceTimersByTime(2500)
    expect(work).toHaveBeenCalledTimes(2)
    see(false)
    expect(vi.getTimerCount()).toBe(0)
    vi.advanceTimersByTime(60_000)
    expect(work).toHaveBeenCalledTimes(2)
    see(true)
    expect(work).toHaveBeenCalledTimes(3)
    vi.advanceTimersByTime(1000)
    expect(work).toHaveBeenCalledTimes(4)
    leave()
    see(false)
    see(true)
    expect(work).toHaveBeenCalledTimes(4)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('waits for the page to be seen where its time comes before, and is done once', () => {
    const work = vi.fn()
    later(1000, work)
    see(false)
    vi.advanceTimersByTime(5000)
    expect(work).not.toHaveBeenCalled()
    see(true)
    see(false)
    see(true)
    expect(work).toHaveBeenCalledTimes(1)
    const leave = later(1000, work)
    see(false)
    vi.advanceTimersByTime(5000)
    leave()
    see(true)
    expect(work).toHaveBeenCalledTimes(1)
  })
})

describe('the clock', () => {
  /** How often something that reads it is done; the timers it needs meanwhile. */
  const reads = (read: () => unknown) => {
    const seen: unknown[] = []
    const leave = $effect.root(() => {
      $effect(() => void seen.push(read()))
    })
    flushSync()
    return { seen, leave }
  }
  const pass = (ms: number) => {
    vi.advanceTimersByTime(ms)
    flushSync()
  }

  it('goes only while something reads it, at whole seconds, and not while nobody sees the page', async () => {
    expect(vi.getTimerCount()).toBe(0)
    const { seen, leave } = reads(now)
    expect(seen).toEqual([BEGIN])
    pass(750)
    expect(seen).toEqual([BEGIN, BEGIN + 750])
    see(false)
    expect(vi.getTimerCount()).toBe(0)
    pass(10_000)
    expect(seen).toHaveLength(2)
    see(true)
    flushSync()
    expect(seen.at(-1)).toBe(BEGIN + 10_750)
    leave()
    await Promise.resolve()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('moves whoever asks for the minute once a minute', async () => {
    const { seen, leave } = reads(minute)
    pass(29_000)
    expect(seen).toHaveLength(1)
    pass(60_000)
    expect(seen).toEqual([BEGIN - 30_250, BEGIN + 29_750])
    leave()
    await Promise.resolve()
  })

  it('tells a time by the second within an hour, and by the minute beyond', async () => {
    const near = reads(() => nowFrom(BEGIN - 60_000))
    const far = reads(() => nowFrom(BEGIN + 7_200_000))
    for (let second = 0; second < 20; second++) pass(1000)
    expect(near.seen.length).toBeGreaterThan(15)
    expect(far.seen).toEqual([BEGIN - 30_250])
    near.leave()
    far.leave()
    await Promise.resolve()
  })
})
