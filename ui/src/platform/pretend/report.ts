/** Where a pretend run's time went. */
import type { Report, RunView } from '../types'

export function report(run: RunView): Report {
  return {
    run: { id: run.id, number: run.number, name: run.name },
    status: run.status,
    planning_s: 0.004,
    queued_s: 1.8,
    execution_s: 41,
    total_s: 42.8,
    levels: [(run.stages ?? []).map((s) => s.name)],
    max_parallelism: 2,
    peak_parallelism: 1,
    critical_path: (run.stages ?? []).map((s) => s.name),
    critical_path_s: 40.5,
    totals: {} as never,
    stages: [],
    longest_stage: 'train',
    average_stage_s: 13.5,
    errors: [],
    alerts: run.alerts ?? [],
  }
}
