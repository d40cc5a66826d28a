/** The present moment for what counts up or down: once a second, and not while nobody looks. */
let current = $state(Date.now())

if (typeof window !== 'undefined') {
  setInterval(() => {
    if (!document.hidden) current = Date.now()
  }, 1000)
  document.addEventListener('visibilitychange', () => (current = Date.now()))
}

export function now(): number {
  return current
}
