import { cleanup, fireEvent, render, screen } from '@testing-library/svelte'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { usePlatform } from '../../src/app/platform'
import { dismiss, toasts, withUndo } from '../../src/app/toasts.svelte'
import ParamForm from '../../src/domain/template/ParamForm.svelte'
import Status from '../../src/domain/run/Status.svelte'
import LineText from '../../src/domain/log/LineText.svelte'
import { setLanguage } from '../../src/i18n/index.svelte'
import Menu from '../../src/kit/Menu.svelte'
import Seg from '../../src/kit/Seg.svelte'
import { fake } from '../../src/platform/fake'
import { TEMPLATES } from '../../src/platform/pretend/templates'

beforeEach(() => usePlatform(fake({ tick: 0 })))
afterEach(() => {
  cleanup()
  setLanguage('en')
})

describe('components', () => {
  it('one of a few is chosen by arrow keys', async () => {
    let chosen = 'a'
    render(Seg, {
      value: 'a',
      label: 'x',
      options: [
        { value: 'a', label: 'A' },
        { value: 'b', label: 'B' },
      ],
      onchange: (v: string) => (chosen = v),
    })
    await fireEvent.keyDown(screen.getByRole('radiogroup'), { key: 'ArrowRight' })
    expect(chosen).toBe('b')
  })
  it('a field says what is wrong beside itself and to a screen reader', () => {
    render(ParamForm, {
      template: 'digits',
      only: ['epochs'],
      definition: TEMPLATES[0]!.definition,
      typed: { epochs: '0' },
      preset: null,
      problems: { epochs: { code: 'between', least: 1, most: 10000 } },
      onchange: () => {},
    })
    const field = screen.getByLabelText(/^Epochs/)
    expect(field.getAttribute('aria-invalid')).toBe('true')
    expect(document.getElementById(field.getAttribute('aria-describedby') ?? '')?.textContent).toContain(
      'From 1 to 10,000.',
    )
  })
  it('a menu whose deeds cannot be had stays closed, and can be asked again', async () => {
    let asked = 0
    const items = () => (++asked === 1 ? Promise.reject(new Error('no')) : Promise.resolve([{ label: 'Go', run() {} }]))
    render(Menu, { label: 'More', items })
    await fireEvent.click(screen.getByRole('button', { name: 'More' }))
    expect(screen.queryByRole('menu')).toBeNull()
    await fireEvent.click(screen.getByRole('button', { name: 'More' }))
    expect(await screen.findByRole('menuitem', { name: 'Go' })).toBeTruthy()
  })
  it('words follow the language while they are shown', async () => {
    render(Status, { status: 'failed' })
    expect(screen.getByText('Failed')).toBeTruthy()
    setLanguage('zh-CN')
    await Promise.resolve()
    expect(screen.getByText('失败')).toBeTruthy()
  })
  it('markup in a log is text', () => {
    const { container } = render(LineText, { text: '<img src=x onerror=alert(1)>', needle: 'img' })
    expect(container.querySelector('img')).toBeNull()
    expect(container.textContent).toContain('<img src=x onerror=alert(1)>')
  })
})

describe('a deed with an undo', () => {
  it('is done when its notice goes, and never after an undo', () => {
    const done: string[] = []
    withUndo(
      'a',
      () => done.push('a'),
      () => done.push('undone a'),
    )
    withUndo(
      'b',
      () => done.push('b'),
      () => done.push('undone b'),
    )
    toasts()
      .find((item) => item.text === 'a')
      ?.undo?.()
    expect(done).toEqual(['undone a'])
    for (const item of [...toasts()]) dismiss(item.id)
    expect(done).toEqual(['undone a', 'b'])
  })
})
