/** Curves without a library: smoothing and paths. Pure. */

/** Exponential smoothing with the start put right; `null` values stay where they are. */
export function smooth(values: (number | null)[], weight: number): (number | null)[] {
  if (weight <= 0) return values
  let sum = 0
  let norm = 0
  return values.map((value) => {
    if (value === null) return null
    sum = sum * weight + value * (1 - weight)
    norm = norm * weight + (1 - weight)
    return sum / norm
  })
}

/** A path through the values in a box; values far out at the start do not squeeze the rest. */
export function path(
  values: (number | null)[],
  width: number,
  height: number,
): { line: string; end: { x: number; y: number } | null } {
  const known = values.filter((v): v is number => v !== null)
  if (known.length < 2) return { line: '', end: null }
  const low = Math.min(...known)
  const high = Math.max(...known)
  const room = high - low || 1
  let line = ''
  let end: { x: number; y: number } | null = null
  values.forEach((value, i) => {
    if (value === null) return
    const x = (i / (values.length - 1)) * width
    const y = 3 + (1 - (value - low) / room) * (height - 6)
    line += `${line === '' ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`
    end = { x, y }
  })
  return { line, end }
}

/** At most `most` values, each the mean of its stretch. */
export function thin(values: (number | null)[], most: number): (number | null)[] {
  if (values.length <= most) return values
  const out: (number | null)[] = []
  for (let i = 0; i < most; i++) {
    const from = Math.floor((i * values.length) / most)
    const to = Math.floor(((i + 1) * values.length) / most)
    const part = values.slice(from, to).filter((v): v is number => v !== null)
    out.push(part.length > 0 ? part.reduce((a, b) => a + b, 0) / part.length : null)
  }
  return out
}

/** The places at which x rises, the last of each x; null: it rises as it is. A resumed attempt may write a step twice. */
export function rising(x: number[]): number[] | null {
  let sorted = true
  for (let i = 1; i < x.length; i++) if (x[i]! <= x[i - 1]!) sorted = false
  if (sorted) return null
  const last = new Map<number, number>()
  x.forEach((v, i) => last.set(v, i))
  return [...last.entries()].sort((a, b) => a[0] - b[0]).map(([, i]) => i)
}
