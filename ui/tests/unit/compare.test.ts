import { describe, expect, it } from 'vitest'

import { axes, firstMetric, look, order } from '../../src/domain/compare/model'
import type { ComparedMetric, ComparedValue, Comparison, JsonValue } from '../../src/bindings/core'

const metric = (name: string, better: ComparedMetric['better'], values: (number | null)[]): ComparedMetric => ({
  stage: 'train',
  name,
  better,
  declared: false,
  values: values.map((value) => (value === null ? null : { value, step: 1, last: value, points: 1 })),
  best: [],
})
const param = (name: string, values: (JsonValue | null)[]): ComparedValue => ({
  name,
  values,
  differs: new Set(values).size > 1,
})
const of = (params: ComparedValue[], metrics: ComparedMetric[], runs = 3): Comparison => ({
  runs: Array.from({ length: runs }, (_, i) => ({ number: i + 1 }) as Comparison['runs'][number]),
  left_out: 0,
  params,
  metrics,
  outputs: [],
})

describe('comparisons', () => {
  it('the best run stands first, those without a value last, and without a better way the order stays', () => {
    const found = of([], [])
    expect(order(found, metric('loss', 'min', [2, null, 1]))).toEqual([2, 0, 1])
    expect(order(found, metric('acc', 'max', [2, 3, 1]))).toEqual([1, 0, 2])
    expect(order(found, metric('loss', 'min', [1, 1, 1]))).toEqual([0, 1, 2])
    expect(order(found, metric('norm', null, [3, 2, 1]))).toEqual([0, 1, 2])
    expect(order(found, undefined)).toEqual([0, 1, 2])
  })

  it('numbers that span decades are laid out by exponents, words side by side', () => {
    const given = [
      param('lr', [1e-4, 1e-3, 1e-2]),
      param('width', [10, 15, 20]),
      param('kind', ['sgd', 'adam', 'sgd']),
      param('seed', [1, 1, 1]),
      param('rare', [1, null, null]),
    ]
    const [lr, width, kind, loss, ...rest] = axes(of(given, []), metric('loss', 'min', [1, null, 3]))
    expect(lr?.places.map((place) => place?.toFixed(3))).toEqual(['0.000', '0.500', '1.000'])
    expect(width?.places).toEqual([0, 0.5, 1])
    expect(kind?.places).toEqual([1, 0, 1])
    expect(kind?.marks).toEqual([
      { at: 0, value: 'adam' },
      { at: 1, value: 'sgd' },
    ])
    expect(loss?.places).toEqual([0, null, 1])
    expect(rest).toEqual([])
    expect(axes(of([param('lr', [1, 2])], [], 2), undefined)).toEqual([])
  })

  it('what the pipeline says is looked at first, then a validation, and curves stay apart', () => {
    const [train, val, norm] = [metric('loss', 'min', []), metric('val_loss', 'min', []), metric('norm', null, [])]
    expect(firstMetric(of([], [norm, train, val]))?.name).toBe('val_loss')
    expect(firstMetric(of([], [val, { ...train, declared: true }]))?.name).toBe('loss')
    expect(firstMetric(of([], [norm]))?.name).toBe('norm')
    expect(firstMetric(of([], []))).toBeUndefined()
    const looks = Array.from({ length: 10 }, (_, i) => JSON.stringify(look(i)))
    expect(new Set(looks).size).toBe(10)
  })
})
