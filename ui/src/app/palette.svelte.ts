/** Which of the panels over the window is open. */
let open = $state<'palette' | 'shortcuts' | null>(null)

export function panel(): 'palette' | 'shortcuts' | null {
  return open
}
export function openPanel(which: 'palette' | 'shortcuts' | null): void {
  open = which
}
/** Cmd on a Mac, Ctrl elsewhere. */
export const APPLE = typeof navigator !== 'undefined' && /Mac|iPhone|iPad/.test(navigator.platform)
export function withCommand(key: string): string {
  return APPLE ? `⌘${key}` : `Ctrl ${key}`
}
