/** The view's own idea of the language, where it is none: with `LANG=C` WebKit says `C`, and libraries that format numbers by it fail. */
function isTag(text: string): boolean {
  try {
    return Intl.getCanonicalLocales(text).length > 0
  } catch {
    return false
  }
}

if (!isTag(navigator.language)) Object.defineProperty(navigator, 'language', { value: 'en-US' })
