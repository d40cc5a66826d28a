/** The present moment for what counts up or down: once a second, and not while nobody looks. */
let current = $state(Date.now())
// For what a clock on the wall decides; derived, so that a second that is no new minute wakes nobody who asks for it.
const wholeMinute = $derived(Math.floor(current / 60_000) * 60_000)

if (typeof window !== 'undefined') {
  setInterval(() => {
    if (!document.hidden) current = Date.now()
  }, 1000)
  document.addEventListener('visibilitychange', () => (current = Date.now()))
}

export function now(): number {
  return current
}
/** The begin of the present minute: for whether something was today. */
export function minute(): number {
  return wholeMinute
}
