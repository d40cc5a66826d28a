import { expect, it, vi } from 'vitest'

import { dismiss, toast, toasts, withUndo } from '../../src/app/toasts.svelte'

it('an undo stays while other things are said, and goes only for another one', () => {
  const deed = vi.fn()
  withUndo('deleted 1', deed, () => {})
  for (const text of ['a', 'b', 'c']) toast(text)
  expect(toasts().map((item) => item.text)).toEqual(['deleted 1', 'b', 'c'])
  for (const n of [2, 3])
    withUndo(
      `deleted ${n}`,
      () => {},
      () => {},
    )
  toast('d')
  expect(toasts().map((item) => item.text)).toEqual(['deleted 1', 'deleted 2', 'deleted 3', 'd'])
  expect(deed).not.toHaveBeenCalled()
  withUndo(
    'deleted 4',
    () => {},
    () => {},
  )
  expect(toasts().map((item) => item.text)).toEqual(['deleted 2', 'deleted 3', 'deleted 4'])
  expect(deed).toHaveBeenCalledOnce()
  for (const item of [...toasts()]) dismiss(item.id)
})
