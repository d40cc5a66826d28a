/** The run that a schedule is being made of; the panel that asks when is open then. */
import type { RunView } from '../../platform/types'

let run = $state.raw<RunView | null>(null)

export function repeated(): RunView | null {
  return run
}
export function repeatRun(of: RunView | null): void {
  run = of
}
