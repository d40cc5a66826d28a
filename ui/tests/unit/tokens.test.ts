import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

const css = readFileSync(join(process.cwd(), 'src/styles/tokens.css'), 'utf8')

function values(from: string): Map<string, string> {
  const start = css.indexOf(from)
  const body = css.slice(css.indexOf('{', start) + 1, css.indexOf('}', start))
  return new Map(
    [...body.matchAll(/(--[\w-]+):\s*([^;]+);/g)].map((match) => [
      match[1] ?? '',
      (match[2] ?? '').replace(/\s+/g, ' ').trim(),
    ]),
  )
}
const light = values(":root,\n:root[data-theme='light']")
const dark = values("\n:root[data-theme='dark']")

function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const c = parseInt(hex.slice(at, at + 2), 16) / 255
    return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}
function contrast(a: string, b: string): number {
  const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p)
  return ((x ?? 0) + 0.05) / ((y ?? 0) + 0.05)
}

describe('tokens', () => {
  it('the dark values stand twice, the same', () => {
    expect([...values(":root:not([data-theme='light'])")]).toEqual([...dark])
  })
  it('each theme has a value for each token of the other', () => {
    expect([...dark.keys()]).toEqual([...light.keys()])
  })
  it('no token needs a newer web view', () => {
    expect(css).not.toContain('light-dark(')
  })
  it('text is readable on every surface', () => {
    const poor: string[] = []
    for (const [theme, map] of [
      ['light', light],
      ['dark', dark],
    ] as const) {
      for (const surface of ['--bg', '--side', '--card', '--well']) {
        for (const text of [
          '--text',
          '--text-2',
          '--text-3',
          '--accent',
          '--s-failed',
          '--s-completed',
          '--s-held',
          '--s-interrupted',
          '--s-queued',
          '--s-paused',
          '--s-cached',
        ]) {
          const ratio = contrast(map.get(text) ?? '', map.get(surface) ?? '')
          if (!(ratio >= 4.5)) poor.push(`${theme} ${text} on ${surface}: ${ratio.toFixed(2)}`)
        }
      }
    }
    expect(poor).toEqual([])
  })
})
