/** The series of a run, asked again while it runs. */
import { untrack } from 'svelte'

import { platform } from '../../app/platform'
import { later } from '../../app/seen'
import type { MetricSeries, RunStatus } from '../../platform/types'

export class Watched {
  series = $state.raw<MetricSeries[]>([])
  loaded = $state(false)
  error = $state.raw<unknown>(null)

  constructor(number: () => number, status: () => RunStatus | undefined, max = 2000, every = 1000) {
    // The run is another object with each push; only these matter.
    const current = $derived(number())
    const running = $derived(status() === 'running')
    $effect(() => {
      const n = current
      const live = running
      let gone = false
      let leave = () => {}
      const look = async () => {
        try {
          const found = await platform().metrics(n, max)
          if (gone) return
          this.series = found
          this.error = null
        } catch (error) {
          if (!gone) this.error = error
        }
        if (gone) return
        this.loaded = true
        if (live) leave = later(every, () => void look())
      }
      untrack(() => void look())
      return () => {
        gone = true
        leave()
      }
    })
  }
}
