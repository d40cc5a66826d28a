import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

import { describe, expect, it } from 'vitest'

import { files, SRC } from './sources'

const MAY: Record<string, string[]> = {
  bindings: [],
  platform: ['platform', 'bindings'],
  model: ['model', 'bindings', 'platform/types'],
  i18n: ['i18n', 'bindings'],
  kit: ['kit'],
  app: ['app', 'bindings', 'i18n', 'model', 'platform/types'],
  domain: ['domain', 'kit', 'app', 'bindings', 'i18n', 'model', 'platform/types'],
  views: ['views', 'domain', 'kit', 'app', 'bindings', 'i18n', 'model', 'platform/types'],
}

const sources = files().filter((path) => /\.(ts|svelte)$/.test(path) && !path.endsWith('.test.ts'))
const imports = (path: string) =>
  [...readFileSync(path, 'utf8').matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1] ?? '')

function target(from: string, to: string): string | null {
  if (!to.startsWith('.')) return null
  const base = join(dirname(from), to)
  return [base, `${base}.ts`, `${base}.svelte.ts`].find((path) => existsSync(path) && !path.endsWith('/')) ?? null
}

describe('rooms', () => {
  it('only platform/tauri.ts knows Tauri', () => {
    const guilty = sources
      .filter((path) => imports(path).some((name) => name.startsWith('@tauri-apps')))
      .map((path) => relative(SRC, path))
    expect(guilty).toEqual(['platform/tauri.ts'])
  })

  it('kit <- domain <- views: nobody reaches up', () => {
    const guilty: string[] = []
    for (const path of sources) {
      const here = relative(SRC, path)
      const room = here.split('/')[0] ?? ''
      const may = MAY[room]
      if (!may) continue
      for (const name of imports(path)) {
        const found = target(path, name)
        if (!found || !found.startsWith(SRC)) continue
        const there = relative(SRC, found)
        if (
          !may.some(
            (allowed) => there === allowed || there.startsWith(`${allowed}/`) || there.startsWith(`${allowed}.`),
          )
        )
          guilty.push(`${here} -> ${there}`)
      }
    }
    expect(guilty).toEqual([])
  })

  it('nothing imports itself in a circle', () => {
    const edges = new Map(
      sources.map((path) => [
        path,
        imports(path)
          .map((name) => target(path, name))
          .filter((x): x is string => x !== null),
      ]),
    )
    const done = new Set<string>()
    const circles: string[] = []
    const walk = (path: string, trail: string[]): void => {
      const at = trail.indexOf(path)
      if (at !== -1) {
        circles.push([...trail.slice(at), path].map((p) => relative(SRC, p)).join(' -> '))
        return
      }
      if (done.has(path)) return
      for (const next of edges.get(path) ?? []) walk(next, [...trail, path])
      done.add(path)
    }
    for (const path of sources) walk(path, [])
    expect(circles).toEqual([])
  })

  it('no file makes text into markup', () => {
    const guilty = sources
      .filter((path) =>
        /innerHTML|outerHTML|insertAdjacentHTML|\{@html|document\.write/.test(readFileSync(path, 'utf8')),
      )
      .map((path) => relative(SRC, path))
    expect(guilty).toEqual([])
  })
})
