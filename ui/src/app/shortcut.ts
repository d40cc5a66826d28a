/** Which keys are the window's, and which are those of a text field or of a panel. */
import { APPLE } from './palette.svelte'

/** Cmd and this key on a Mac, where Ctrl and a letter edits text; Ctrl and it elsewhere. Nothing else is held. */
export function isCommand(event: KeyboardEvent, key: string): boolean {
  const [held, other] = APPLE ? [event.metaKey, event.ctrlKey] : [event.ctrlKey, event.metaKey]
  return held && !other && !event.altKey && !event.shiftKey && event.key.toLowerCase() === key
}

/** A panel lies over the window: the keys are its own. */
export function isCovered(): boolean {
  return document.querySelector('[role=dialog]') !== null
}

/** A key alone that nothing on the page wants for itself. */
export function isBare(event: KeyboardEvent): boolean {
  const typing =
    event.target instanceof HTMLElement &&
    (event.target.closest('input, textarea, select') !== null || event.target.isContentEditable)
  return !typing && !event.metaKey && !event.ctrlKey && !event.altKey && !isCovered()
}
