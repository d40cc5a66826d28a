/** A run that was just added: running where there is room, else waiting for it. */
import type { RunView } from '../types'
import { attempt, iso, run, stage } from './build'

export function begun(
  number: number,
  name: string,
  free: boolean,
  base: Partial<RunView> & { pipeline: string },
): RunView {
  const at = iso(Date.now())
  const stages = base.pipeline === 'digits' ? ['prepare', 'train', 'evaluate'] : ['run']
  const needs = (i: number) => (i > 0 ? [stages[i - 1]!] : [])
  const more = { created_at: at, ...base }
  if (free)
    return run(number, name, 'running', {
      ...more,
      started_at: at,
      progress: 0,
      stages: stages.map((s, i) =>
        stage(s, i === 0 ? 'running' : 'waiting', {
          needs: needs(i),
          started_at: i === 0 ? at : null,
          attempts: i === 0 ? [attempt({ status: 'running', pid: 6000 + number, started_at: at })] : [],
        }),
      ),
    })
  const why = { reason: 'queue_limit', detail: '1 of 1 training stages running' }
  return run(number, name, 'queued', {
    ...more,
    waiting: why,
    stages: stages.map((s, i) =>
      stage(s, i === 0 ? 'queued' : 'waiting', { needs: needs(i), waiting: i === 0 ? why : null }),
    ),
  })
}
