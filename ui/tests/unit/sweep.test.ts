import { afterEach, describe, expect, it } from 'vitest'

import { blank, placement, revive, setSweep, sweepOf } from '../../src/domain/template/draft.svelte'
import { faultsOf, randomRuns, reviveSweep, toOne } from '../../src/domain/template/sweep'
import { said } from '../../src/i18n/said'
import { setLanguage } from '../../src/i18n/index.svelte'
import type { Definition, TemplateView } from '../../src/platform/types'

const definition: Definition = {
  format: 1,
  name: 'tune',
  params: {
    lr: { type: 'number', default: 0.001, minimum: 0, maximum: 1 },
    opt: { type: 'choice', default: 'adam', choices: ['adam', 'sgd', 'a,b'] },
    amp: { type: 'boolean', default: true },
    note: { type: 'string', default: 'one, two' },
    token: { type: 'secret' },
    epochs: { type: 'integer' },
  },
  presets: { quick: { epochs: 3 } },
  stages: { train: { command: ['true'] } },
}
const template: TemplateView = { name: 'tune', source: 'own', trust: 'allowed', definition, expected_s: null }
const draft = (typed: { [name: string]: string | boolean }) => ({
  ...blank(),
  kind: 'template' as const,
  template: 'tune',
  typed,
})

afterEach(() => setLanguage('en'))

describe('a sweep in the form', () => {
  it('asks for what was typed as the command line would, and for what is one value as that', () => {
    const made = draft({ lr: '1e-4', epochs: '5..20:5', token: 'x,y', note: 'a, b' })
    setSweep(made, template, true)
    made.sweep!.chosen['opt'] = ['adam', 'a,b']
    made.typed['lr'] = '1e-4, 3e-4'
    made.sweep!.experiment = ' deep '
    expect(sweepOf(made, template)).toEqual({
      template: 'tune',
      preset: null,
      params: { token: 'x,y' },
      varied: { lr: '1e-4, 3e-4', opt: 'adam,a\\,b', note: 'a\\, b', epochs: '5..20:5' },
      random: null,
      seed: null,
      experiment: 'deep',
      ...placement(made),
    })
    made.sweep!.random = '30'
    made.sweep!.seed = 7
    expect(sweepOf(made, template)).toMatchObject({ random: 30, seed: 7 })
  })
  it('asks for nothing while something is missing', () => {
    const made = draft({ token: 't' })
    setSweep(made, template, true)
    expect(sweepOf(made, template), 'epochs has no value').toBeNull()
    made.preset = 'quick'
    expect(sweepOf(made, template)?.varied, 'what is as the preset has it is left to it').toEqual({})
    made.sweep!.chosen['amp'] = []
    expect(sweepOf(made, template), 'a switch without a value').toBeNull()
    made.sweep!.chosen['amp'] = ['true', 'false']
    expect(sweepOf(made, template)?.varied).toEqual({ amp: 'true,false' })
    made.sweep!.random = '0'
    expect(sweepOf(made, template), 'no such number of runs').toBeNull()
    expect([randomRuns('1'), randomRuns('10000'), randomRuns('10001'), randomRuns('1e3')]).toEqual([
      1,
      10_000,
      null,
      null,
    ])
  })
  it('goes back to one run with the values that are one', () => {
    const made = draft({ lr: '0.5', amp: false, note: 'a,b' })
    setSweep(made, template, true)
    expect(made.typed).toEqual({ lr: '0.5', note: 'a\\,b' })
    made.sweep!.chosen['opt'] = ['sgd']
    const back = { ...made, typed: { ...made.typed, epochs: '1,2' } }
    setSweep(back, template, false)
    expect(back.typed).toEqual({ lr: '0.5', amp: false, note: 'a,b', opt: 'sgd' })
    expect(back.sweep).toBeNull()
    expect(
      toOne(definition, {}, { random: null, seed: null, chosen: { opt: ['adam', 'sgd'] }, experiment: '' }),
    ).toEqual({})
  })
  it('is neither repeated nor put behind another run', () => {
    const made = { ...draft({}), when: 'repeat' as const }
    setSweep(made, template, true)
    expect(made.when).toBe('now')
  })
  it('is kept with the draft, as far as it is whole', () => {
    const made = draft({ epochs: '1,2' })
    setSweep(made, template, true)
    made.sweep!.chosen['opt'] = ['adam', 'sgd']
    made.step = 'how'
    expect(revive(JSON.parse(JSON.stringify(made)))?.sweep).toEqual(made.sweep)
    expect(reviveSweep([])).toBeNull()
    expect(reviveSweep({ random: 3, seed: 'x', chosen: { a: ['b'], c: [1], d: 'e' } })).toEqual({
      random: null,
      seed: null,
      chosen: { a: ['b'] },
      experiment: '',
    })
  })
  it('a fault stands beside its setting without its name, in both languages', () => {
    const view = {
      experiment: '',
      seed: null,
      varied: [],
      total: 0,
      runs: [],
      refusal: null,
      params: [
        { name: 'lr', message: 'parameter "lr" must be a number from 0 to 1, not 7' },
        { name: 'n', message: 'parameter "n": "9..1" begins above its end' },
      ],
    }
    const texts = () => Object.values(faultsOf(view, said)).map((one) => one.text)
    expect(texts()).toEqual(['Must be a number from 0 to 1, not 7', '"9..1" begins above its end'])
    setLanguage('zh-CN')
    expect(texts()).toEqual(['必须是 0 到 1 的数字，不能是 7', '"9..1" 的起点大于终点'])
  })
})
