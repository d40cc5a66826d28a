import { expect, it, vi } from 'vitest'

import { usePlatform } from '../../src/app/platform'
import { Lines } from '../../src/domain/log/lines.svelte'
import { fake } from '../../src/platform/fake'
import type { LogPage } from '../../src/platform/types'

const page = (attempt: number, first: number, last: number): LogPage => ({
  stage: 'train',
  attempt,
  lines: Array.from({ length: last - first + 1 }, (_, i) => ({
    n: first + i,
    at: null,
    text: `attempt ${attempt}, line ${first + i}`,
    cut: 0,
    updates: 0,
    level: null,
    gap: null,
  })),
  total: last,
  bytes: last * 20,
  ended: attempt === 2,
  last_at: null,
  first_error: null,
  at: null,
})

it('nothing of an attempt stays when a newer one takes its place', async () => {
  const answers = [page(1, 801, 1000), page(2, 1, 3)]
  let tell = () => {}
  const told = () => new Promise<void>((done) => (tell = done))
  usePlatform({
    ...fake({ tick: 0 }),
    log: (_, from) => {
      const answer = from < 0 ? answers.shift() : page(1, from, 1000)
      queueMicrotask(() => tell())
      return answer ? Promise.resolve(answer) : Promise.reject(new Error('asked too often'))
    },
  })
  const lines = new Lines()
  let next = told()
  lines.open({ number: 1, stage: null, attempt: null, mode: 'bars' })
  await next
  await Promise.resolve()
  expect([lines.attempt, lines.total, lines.line(900)?.text]).toEqual([1, 1000, 'attempt 1, line 901'])
  next = told()
  await next
  await Promise.resolve()
  expect([lines.attempt, lines.total, lines.line(900), lines.line(2)?.text]).toEqual([
    2,
    3,
    undefined,
    'attempt 2, line 3',
  ])
  lines.close()
})

it('what is in sight stays while the end grows, however long ago it came', async () => {
  let total = 30_000
  usePlatform({
    ...fake({ tick: 0 }),
    log: (_, from, count) => {
      const first = from < 0 ? total + from + 1 : from
      return Promise.resolve({ ...page(1, first, Math.min(total, first + count - 1)), total })
    },
  })
  const lines = new Lines()
  lines.open({ number: 1, stage: null, attempt: null, mode: 'bars' })
  await vi.waitFor(() => expect(lines.total).toBe(total))
  lines.sight(0, 50)
  lines.sight(500, total)
  lines.sight(0, 50)
  await vi.waitFor(() => expect(lines.line(29_000)).toBeDefined())
  for (const more of [5000, 5000]) {
    total += more
    await vi.waitFor(() => expect(lines.total).toBe(total), 3000)
  }
  expect(lines.line(10)?.text).toBe('attempt 1, line 11')
  lines.close()
})

it('what is looked for is found in lines that come later, too', async () => {
  let total = 1000
  usePlatform({
    ...fake({ tick: 0 }),
    log: () => Promise.resolve(page(1, total - 199, total)),
    logSearch: () => Promise.resolve(total > 1000 ? { lines: [total], total: 1 } : { lines: [], total: 0 }),
  })
  const lines = new Lines()
  lines.open({ number: 1, stage: null, attempt: null, mode: 'bars' })
  await vi.waitFor(() => expect(lines.total).toBe(total))
  await lines.search('later')
  expect([lines.found, lines.hits]).toEqual([true, []])
  total += 1
  await vi.waitFor(() => expect(lines.hits).toEqual([1001]), 4000)
  lines.close()
})
