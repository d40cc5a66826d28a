import { expect, it } from 'vitest'

import { usePlatform } from '../../src/app/platform'
import { changeSettings, loadSettings, settings } from '../../src/app/settings.svelte'
import { fake } from '../../src/platform/fake'
import type { Settings } from '../../src/platform/types'

it('two changes under way at once flip nothing back, and one that fails takes only itself back', async () => {
  const base = fake({ tick: 0 })
  const asked: { next: Settings; done: (now: Settings) => void; fail: (why: Error) => void }[] = []
  usePlatform({
    ...base,
    setSettings: (next) => new Promise<Settings>((done, fail) => asked.push({ next, done, fail })),
  })
  await loadSettings()
  const now = () => `${settings().theme} ${settings().keep_awake} ${settings().quiet}`
  const turn = async () => {
    for (let i = 0; i < 9; i++) await Promise.resolve()
  }

  const theme = changeSettings({ theme: 'dark' })
  const awake = changeSettings({ keep_awake: false })
  const quiet = changeSettings({ quiet: true })
  expect(now()).toBe('dark false true')
  await turn()
  asked[0]!.done(asked[0]!.next)
  await theme
  expect(now()).toBe('dark false true')
  await turn()
  asked[1]!.fail(new Error('no'))
  await expect(awake).rejects.toThrow('no')
  expect(now()).toBe('dark true true')
  await turn()
  expect(asked[2]!.next).toMatchObject({ theme: 'dark', keep_awake: true, quiet: true })
  asked[2]!.done(asked[2]!.next)
  await quiet
  expect(now()).toBe('dark true true')
})
