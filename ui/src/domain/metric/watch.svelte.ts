/** The series of a run, asked again while it runs. */
import { platform } from '../../app/platform'
import type { MetricSeries, RunStatus } from '../../platform/types'

export class Watched {
  series = $state.raw<MetricSeries[]>([])
  loaded = $state(false)
  error = $state.raw<unknown>(null)

  constructor(number: () => number, status: () => RunStatus | undefined, max = 2000, every = 1000) {
    $effect(() => {
      const n = number()
      const live = status() === 'running'
      let gone = false
      let timer: ReturnType<typeof setTimeout> | undefined
      const look = async () => {
        try {
          if (!document.hidden || !this.loaded) {
            const found = await platform().metrics(n, max)
            if (gone) return
            this.series = found
            this.error = null
          }
        } catch (error) {
          if (!gone) this.error = error
        }
        if (gone) return
        this.loaded = true
        if (live) timer = setTimeout(() => void look(), every)
      }
      void look()
      return () => {
        gone = true
        clearTimeout(timer)
      }
    })
  }
}
