/** One run, kept up to date: from the live state while it is active, by asking again when something changed otherwise. */
import { untrack } from 'svelte'

import { activeRun, history, sequence } from '../../app/live.svelte'
import { platform } from '../../app/platform'
import { isFault, type Definition, type Origin, type RunView } from '../../platform/types'

export class OpenRun {
  #asked = $state.raw<RunView | null>(null)
  #origin = $state.raw<Origin | null>(null)
  error = $state.raw<unknown>(null)
  #number: () => number

  constructor(number: () => number) {
    this.#number = number
    // The run itself is another object with each push; only whether it is active matters here.
    const isActive = $derived(activeRun(number()) !== undefined)
    const active = () => isActive
    let last = 0
    let timer: ReturnType<typeof setTimeout> | undefined
    $effect(() => {
      const n = number()
      void history()
      // A queued run changes with everybody's; asked at most once a second.
      if (!active()) void sequence()
      // Its own answer is no reason to ask again.
      const known = untrack(() => this.#asked?.number === n)
      const wait = known ? Math.max(0, 1000 - (Date.now() - last)) : 0
      timer = setTimeout(() => {
        last = Date.now()
        void this.#look(n)
      }, wait)
      return () => clearTimeout(timer)
    })
    $effect(() => {
      const n = number()
      this.#origin = null
      platform()
        .origin(n)
        .then((found) => {
          if (number() === n) this.#origin = found
        })
        .catch(() => {})
    })
  }

  get run(): RunView | null {
    const n = this.#number()
    return activeRun(n) ?? (this.#asked?.number === n ? this.#asked : null)
  }
  /** What it was made of; null until it is known. */
  get origin(): Origin | null {
    return this.#origin
  }
  get definition(): Definition | null {
    return this.#origin?.definition ?? null
  }

  async #look(n: number): Promise<void> {
    try {
      const found = await platform().show(n)
      if (this.#number() !== n) return
      this.#asked = found
      this.error = null
    } catch (error) {
      if (this.#number() !== n) return
      this.error = error
      if (isFault(error) && error.code === 'not_found') this.#asked = null
    }
  }
}
