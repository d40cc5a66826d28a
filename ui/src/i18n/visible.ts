/**
 * Texts of others made fit to be seen: what would be invisible, or would turn the text around it, is shown as what it is
 * (`␛`, `<U+202E>`). The same characters as the command line's (`footplate_progress::line`). Pure.
 */

const HIDDEN =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g
// A pair, or a half alone. No look-behind, which the web view of macOS 12 does not know.
const HALVES = /[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]/g
const TAG = /\udb40[\udc00-\udc7f]/g
const COLOUR = /\u001b\[[0-9;:]*m/g

function sign(c: string): string {
  const code = c.codePointAt(0) ?? 0
  if (code < 0x20) return String.fromCharCode(0x2400 + code)
  if (code === 0x7f) return '\u2421'
  return `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`
}

/** The text with what is hidden in it shown; tabs and line ends stay. */
export function visible(text: string): string {
  return text
    .replace(HALVES, (half) => (half.length === 2 ? half : '\ufffd'))
    .replace(HIDDEN, sign)
    .replace(TAG, sign)
}

/** As `visible`, but colours stay. */
export function visibleLine(text: string): string {
  let out = ''
  let at = 0
  for (const match of text.matchAll(COLOUR)) {
    out += visible(text.slice(at, match.index)) + match[0]
    at = match.index + match[0].length
  }
  return out + visible(text.slice(at))
}
