/** Where the window is: the hash, `#/run/142/log?line=812`. */
export interface Route {
  path: string[]
  query: URLSearchParams
}

export function parse(hash: string): Route {
  const text = hash.replace(/^#\/?/, '')
  const [path = '', query = ''] = text.split('?', 2)
  return { path: path.split('/').filter(Boolean).map(safeDecode), query: new URLSearchParams(query) }
}

function safeDecode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

let current = $state.raw<Route>(parse(typeof location === 'undefined' ? '' : location.hash))

if (typeof window !== 'undefined') {
  window.addEventListener('hashchange', () => (current = parse(location.hash)))
}

export function route(): Route {
  return current
}
/** A text of others as a part of a place; a half of a pair alone, which has no bytes, becomes a sign for it. */
export function part(text: string): string {
  return encodeURIComponent(
    text.replace(/[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]/g, (half) => (half.length === 2 ? half : '\ufffd')),
  )
}
export function go(to: string): void {
  location.hash = `#/${to}`
}
/** Changes the place without a step to go back to. */
export function replace(to: string): void {
  history.replaceState(null, '', `#/${to}`)
  current = parse(location.hash)
}
