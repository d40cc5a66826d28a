import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte'
import { afterEach, describe, expect, it } from 'vitest'

import { follow, live } from '../../src/app/live.svelte'
import { usePlatform } from '../../src/app/platform'
import { setLanguage } from '../../src/i18n/index.svelte'
import { fake, type FakeOptions } from '../../src/platform/fake'
import type { Restored } from '../../src/platform/types'
import StorageNotices from '../../src/views/StorageNotices.svelte'

const restored: Restored = {
  at: '2026-11-27T14:21:02.000Z',
  why: 'file is not a database',
  backup: null,
  kept: 'state.db.damaged-20261127T142102Z',
  runs: 3,
  rebuilt: Array.from({ length: 15 }, (_, index) => index + 1),
  updated: [],
  held_back: [2],
  running: [3],
  lost: [{ number: 41, name: null, why: 'it had not started, or was removed' }],
}

async function shown(storage: NonNullable<FakeOptions['storage']>) {
  const platform = fake({ tick: 0, storage })
  usePlatform(platform)
  await follow(platform, { open: () => {}, dragging: () => {}, dropped: () => {} })
  return render(StorageNotices)
}

afterEach(() => {
  cleanup()
  setLanguage('en')
})

describe('what is told of the store', () => {
  it('nothing where all is well', async () => {
    const { container } = await shown({})
    expect(container.textContent?.trim()).toBe('')
  })
  it('another machine is a question, and one press answers it', async () => {
    await shown({ moved: { at: restored.at, queues: ['training', 'default'] } })
    expect(screen.getByRole('status').textContent).toContain('(training, default)')
    await fireEvent.click(screen.getByRole('button', { name: 'Go on here' }))
    await waitFor(() => expect(live().storage.moved).toBeNull())
    expect(screen.queryByRole('status')).toBeNull()
  })
  it('a restore names what it found, what waits and what is lost, until it is put away', async () => {
    await shown({ restored })
    const text = screen.getByRole('status').textContent ?? ''
    expect(text).toContain('1 run could not be brought back.')
    expect(text).toContain('and 3 more')
    expect(text).toContain('#41 it had not started, or was removed')
    expect(screen.getAllByRole('link', { hidden: true, name: '#3' }).length).toBeGreaterThan(0)
    setLanguage('zh-CN')
    await waitFor(() => expect(screen.getByRole('status').textContent).toContain('#41 尚未启动，或已被移除'))
    setLanguage('en')
    await fireEvent.click(await screen.findByRole('button', { name: 'Put the report away' }))
    await waitFor(() => expect(live().storage.restored).toBeNull())
  })
})
