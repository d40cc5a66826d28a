/** The run that a template is being made of; the panel that asks for its name is open then. */
import type { RunView } from '../../platform/types'

let run = $state.raw<RunView | null>(null)

export function kept(): RunView | null {
  return run
}
export function keepRun(of: RunView | null): void {
  run = of
}
