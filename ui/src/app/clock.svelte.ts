/**
 * The present moment for what counts up or down. A clock goes only while something that it moves is on screen, and never while
 * nobody sees the page.
 */
import { createSubscriber } from 'svelte/reactivity'

import { whileSeen } from './seen'

const SECOND = 1000
const MINUTE = 60_000

/** A clock whose hand moves at each whole `step`, milliseconds. */
function hand(step: number): () => void {
  return createSubscriber((moved) =>
    whileSeen(() => {
      let timer: ReturnType<typeof setTimeout>
      const tick = () => {
        moved()
        wait()
      }
      // Anew each time: a repeated timer would drift away from the wall's clock.
      const wait = () => (timer = setTimeout(tick, step - (Date.now() % step)))
      wait()
      return () => clearTimeout(timer)
    }, moved),
  )
}

const seconds = hand(SECOND)
const minutes = hand(MINUTE)

/** Now, read anew each second. */
export function now(): number {
  seconds()
  return Date.now()
}
/** The begin of the present minute: for whether something was today, and for what is told in minutes. */
export function minute(): number {
  minutes()
  return Math.floor(Date.now() / MINUTE) * MINUTE
}
/** Now, as exactly as a time that long ago or ahead is told: by the second within an hour, by the minute beyond. */
export function nowFrom(at: number): number {
  return Math.abs(Date.now() - at) < 3_600_000 ? now() : minute()
}
