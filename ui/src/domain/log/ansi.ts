/** Colour escapes (SGR) to spans. Everything else that is a control character is dropped. Pure. */
export interface Span {
  text: string
  /** 1 to 6: red green yellow blue magenta cyan; 7: dim; 0: plain. */
  color: number
  bold: boolean
}

const ESCAPE = /\u001b\[([0-9;:]*)([A-Za-z])|[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g

export function spans(text: string): Span[] {
  if (!/[\u0000-\u001f\u007f-\u009f]/.test(text)) return [{ text, color: 0, bold: false }]
  const out: Span[] = []
  let color = 0
  let bold = false
  let at = 0
  const push = (part: string) => {
    if (part === '') return
    const last = out.at(-1)
    if (last && last.color === color && last.bold === bold) last.text += part
    else out.push({ text: part, color, bold })
  }
  for (const match of text.matchAll(ESCAPE)) {
    push(text.slice(at, match.index))
    at = match.index + match[0].length
    if (match[2] !== 'm') continue
    const codes = (match[1] === '' ? '0' : (match[1] ?? '0')).split(/[;:]/).map(Number)
    for (let i = 0; i < codes.length; i++) {
      const code = codes[i] ?? 0
      if (code === 0) {
        color = 0
        bold = false
      } else if (code === 1) bold = true
      else if (code === 2) color = 7
      else if (code === 22) bold = false
      else if (code >= 31 && code <= 36) color = code - 30
      else if (code >= 91 && code <= 96) color = code - 90
      else if (code === 90 || code === 30) color = 7
      else if (code === 39 || code === 37 || code === 97) color = 0
      else if (code === 38 || code === 48) {
        // 256 colours and true colour: the nearest of ours, by what dominates.
        const mode = codes[i + 1]
        if (mode === 5) {
          if (code === 38) color = of256(codes[i + 2] ?? 0)
          i += 2
        } else if (mode === 2) {
          if (code === 38) color = ofRgb(codes[i + 2] ?? 0, codes[i + 3] ?? 0, codes[i + 4] ?? 0)
          i += 4
        }
      }
    }
  }
  push(text.slice(at))
  return out
}

/** Without its colours. */
export function bare(text: string): string {
  return spans(text)
    .map((part) => part.text)
    .join('')
}

function of256(n: number): number {
  if (n >= 1 && n <= 6) return n
  if (n >= 9 && n <= 14) return n - 8
  if (n === 8 || n >= 232) return n > 248 ? 0 : 7
  if (n < 16) return 0
  const v = n - 16
  return ofRgb(Math.floor(v / 36) * 51, (Math.floor(v / 6) % 6) * 51, (v % 6) * 51)
}

function ofRgb(r: number, g: number, b: number): number {
  const most = Math.max(r, g, b)
  if (most - Math.min(r, g, b) < 40) return most < 160 && most > 40 ? 7 : 0
  const on = (x: number) => x > most * 0.6
  if (on(r) && on(g) && !on(b)) return 3
  if (on(r) && on(b) && !on(g)) return 5
  if (on(g) && on(b) && !on(r)) return 6
  return on(r) ? 1 : on(g) ? 2 : 4
}

/** Cuts spans at the hits of a search, whatever the case; hits are marked. */
export function mark(parts: Span[], needle: string): (Span & { hit: boolean })[] {
  if (needle === '') return parts.map((part) => ({ ...part, hit: false }))
  const whole = parts.map((part) => part.text).join('')
  const hay = whole.toLowerCase()
  const low = needle.toLowerCase()
  // Lower case may be longer than what it comes from; then positions would lie, and nothing is marked.
  if (hay.length !== whole.length) return parts.map((part) => ({ ...part, hit: false }))
  const cuts: [number, number][] = []
  for (let at = hay.indexOf(low); at !== -1 && cuts.length < 200; at = hay.indexOf(low, at + low.length))
    cuts.push([at, at + low.length])
  const out: (Span & { hit: boolean })[] = []
  let base = 0
  for (const part of parts) {
    let from = base
    const end = base + part.text.length
    for (const [start, stop] of cuts) {
      if (stop <= from || start >= end) continue
      const a = Math.max(start, from)
      const b = Math.min(stop, end)
      if (a > from) out.push({ ...part, text: whole.slice(from, a), hit: false })
      out.push({ ...part, text: whole.slice(a, b), hit: true })
      from = b
    }
    if (from < end) out.push({ ...part, text: whole.slice(from, end), hit: false })
    base = end
  }
  return out
}
