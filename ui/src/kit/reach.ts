/**
 * How far something has come, as a style of what shows it. A glide is painted in 25 frames and a step in one: what is told ten times a
 * second glides only where one sees that it does, and what nobody can see is not painted at all.
 */
export interface Reach {
  /** 0 to 1. */
  at: number
  style: string
  value: (at: number) => string
}

/** As a bar that grows to the right. */
export const wide = (at: number): Reach => ({ at, style: 'width', value: (at) => `${at * 100}%` })

/** Of the whole way: less than a pixel or two of it, and what is far enough for a glide. */
const UNSEEN = 0.001
const FAR = 0.01

export function reach(node: HTMLElement | SVGElement, first: Reach) {
  let at = -1
  const show = (next: Reach) => {
    const far = Math.abs(next.at - at)
    // The end is exact, however near it was.
    if (far === 0 || (far < UNSEEN && next.at < 1)) return
    node.classList.toggle('glide', at >= 0 && far >= FAR)
    at = next.at
    node.style.setProperty(next.style, next.value(at))
  }
  show(first)
  return { update: show }
}
