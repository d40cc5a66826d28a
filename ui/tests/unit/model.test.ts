import { describe, expect, it } from 'vitest'

import { apply, type Held } from '../../src/model/live'
import { actions, mainMetric, resumable, stretches, tellingStage } from '../../src/model/run'
import { fake } from '../../src/platform/fake'
import { ran, run, stage } from '../../src/platform/pretend/build'
import type { Live, Push, StageStatus } from '../../src/platform/types'

const live: Live = {
  active: [run(1, 'a', 'running'), run(2, 'b', 'running')],
  next: [],
  counts: { draft: 0, queued: 0, running: 2, paused: 0, completed: 0, failed: 0, cancelled: 0, interrupted: 0 },
  needs_look: 0,
  queues: [],
  experiments: [],
  owner: { state: 'absent', orderly: true },
  recovery: null,
  schedules: { keep_owner: true, all: [] },
  storage: { restored: null, moved: null, newer: null },
}
const held: Held = { seq: 5, live, history: 1 }

describe('the live state', () => {
  it('a snapshot replaces everything', () => {
    expect(apply(null, { kind: 'snapshot', seq: 9, live })).toEqual({ seq: 9, live, history: 1 })
    expect(apply(held, { kind: 'snapshot', seq: 9, live })?.history).toBe(2)
  })
  it('changes before a snapshot, or with a gap, ask for a new one', () => {
    expect(apply(null, { kind: 'changes', from: 5, seq: 6 })).toBeNull()
    expect(apply(held, { kind: 'changes', from: 6, seq: 7 })).toBeNull()
  })
  it('what was seen already changes nothing', () => {
    expect(apply(held, { kind: 'changes', from: 3, seq: 4, needs_look: 7 })).toBe(held)
  })
  it('runs are replaced by number, added at the end, and go', () => {
    const next = apply(held, {
      kind: 'changes',
      from: 5,
      seq: 6,
      active: [run(1, 'a2', 'paused'), run(3, 'c', 'running')],
      gone: [2],
      history: true,
    })
    expect(next?.live.active.map((r) => `${r.number} ${r.name} ${r.status}`)).toEqual(['1 a2 paused', '3 c running'])
    expect(next?.history).toBe(2)
    expect(held.live.active).toHaveLength(2)
  })
  it('follows a pretend store through a thousand changes to the same state as a fresh snapshot', async () => {
    const platform = fake({ world: 'full', tick: 0 })
    let state: Held | null = null
    const on = (push: Push) => {
      if ('seq' in push) state = apply(state, push)
    }
    await platform.subscribe(on)
    for (let i = 0; i < 1000; i++) platform.step()
    await platform.wish(1285, { kind: 'cancel', args: {} })
    await platform.wish(1287, { kind: 'move', args: { to: 2 } })
    let fresh: Live | null = null
    await platform.subscribe((push) => {
      if (push.kind === 'snapshot') fresh = push.live
    })
    expect((state as Held | null)?.live.active.map((r) => [r.number, r.progress])).toEqual(
      (fresh as Live | null)?.active.map((r) => [r.number, r.progress]),
    )
    expect((state as Held | null)?.live.next.map((r) => r.number)).toEqual(
      (fresh as Live | null)?.next.map((r) => r.number),
    )
  })
})

describe('a run', () => {
  it('offers only what makes sense', () => {
    expect(actions('running')).not.toContain('delete')
    expect(actions('completed')).not.toContain('cancel')
    expect(actions('interrupted')[0]).toBe('resume')
    expect(actions('paused')[0]).toBe('unpause')
  })
  it('that was cancelled goes on only where a stage that did not complete can', () => {
    const definition = { format: 1, name: 'x', stages: { train: { command: ['a'], resume: ['--resume'] }, test: {} } }
    const at = (status: StageStatus) =>
      run(1, 'a', 'cancelled', { stages: [stage('train', status), stage('test', 'completed')] })
    expect(resumable(at('cancelled'), definition)).toBe(true)
    expect(resumable(at('completed'), definition)).toBe(false)
    expect(resumable(at('cancelled'), null)).toBe(false)
  })
  it('the stage that says most runs, or failed, or is last', () => {
    expect(tellingStage([ran('a', 0, 1), stage('b', 'running'), stage('c', 'waiting')])?.name).toBe('b')
    expect(tellingStage([ran('a', 0, 1, { status: 'failed' }), stage('b', 'skipped')])?.name).toBe('a')
    expect(tellingStage([ran('a', 0, 1), ran('b', 0, 1)])?.name).toBe('b')
    expect(tellingStage([])).toBeUndefined()
  })
  it('the line is as wide as stages take, and each can be seen', () => {
    const line = stretches([ran('a', 0, 10), ran('b', 0, 90), stage('c', 'waiting')], 0, 'running')
    expect(line.map((s) => s.done)).toEqual([1, 1, 0])
    expect(line[1]!.weight).toBeGreaterThan(line[0]!.weight * 5)
    expect(line[2]!.weight).toBeGreaterThan(0.05)
  })
  it('the metric to show is a loss where there is one', () => {
    expect(mainMetric(['lr', 'val_loss', 'train_loss'])).toBe('train_loss')
    expect(mainMetric(['lr', 'val_auc'])).toBe('val_auc')
    expect(mainMetric(['lr'])).toBe('lr')
    expect(mainMetric([])).toBeUndefined()
  })
})
