/** What is done again and again only while somebody sees the page: a window in the tray costs nothing. */

/**
 * Begins something whenever the page comes into sight, and ends it when it goes or is left; `back`: it was out of sight, and is here
 * again.
 */
export function whileSeen(begin: () => () => void, back: () => void = () => {}): () => void {
  let end = document.hidden ? null : begin()
  const turn = () => {
    end?.()
    end = null
    if (document.hidden) return
    end = begin()
    back()
  }
  document.addEventListener('visibilitychange', turn)
  return () => {
    document.removeEventListener('visibilitychange', turn)
    end?.()
  }
}

/** Does something every so many milliseconds, and at once when the page comes back into sight. */
export function every(ms: number, work: () => void): () => void {
  return whileSeen(() => {
    const timer = setInterval(work, ms)
    return () => clearInterval(timer)
  }, work)
}

/** Does something once after so many milliseconds; where nobody sees the page then, when somebody does. */
export function later(ms: number, work: () => void): () => void {
  let leave = () => {}
  const timer = setTimeout(() => {
    if (!document.hidden) return work()
    leave = whileSeen(
      () => () => {},
      () => {
        leave()
        work()
      },
    )
  }, ms)
  return () => {
    clearTimeout(timer)
    leave()
  }
}
