/** The press belongs to an input method: it chooses or dismisses a candidate. WebKit ends the composition before it tells of that press. */
export function composing(event: KeyboardEvent): boolean {
  return event.isComposing || event.keyCode === 229
}
