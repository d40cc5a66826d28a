/** What a sweep would be, asked of the engine as its values are typed. */
import { faultText } from '../../app/act'
import { platform } from '../../app/platform'
import type { SweepRequest, SweepView } from '../../platform/types'

/** Milliseconds without a key until it is asked. */
const SETTLED = 150

export class SweepLook {
  /** The newest answer; null: none, or something is missing still. */
  view = $state.raw<SweepView | null>(null)
  /** An answer is still to come. */
  waiting = $state(false)
  error = $state('')

  /** To be made while a component is. `onseed`: random runs were drawn by this. */
  constructor(asked: () => SweepRequest | null, onseed: (seed: number) => void) {
    // A draft changes in ways that do not concern the sweep.
    const text = $derived(JSON.stringify(asked()))
    $effect(() => {
      const request = JSON.parse(text) as SweepRequest | null
      if (request === null) {
        this.view = null
        this.waiting = false
        return
      }
      let stale = false
      this.waiting = true
      const timer = setTimeout(() => {
        platform()
          .lookAtSweep(request)
          .then((view) => {
            if (stale) return
            this.view = view
            this.error = ''
            this.waiting = false
            if (view.seed !== null && view.seed !== request.seed) onseed(view.seed)
          })
          .catch((error: unknown) => {
            if (stale) return
            this.view = null
            this.error = faultText(error)
            this.waiting = false
          })
      }, SETTLED)
      return () => {
        stale = true
        clearTimeout(timer)
      }
    })
  }
}
