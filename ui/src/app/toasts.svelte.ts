/** Short notices at the bottom left. One with an undo does its deed only when it goes. */
export interface Toast {
  id: number
  text: string
  bad: boolean
  undo?: () => void
  action?: { label: string; run: () => void }
}

let shown = $state<Toast[]>([])
let last = 0
const pending = new Map<number, () => void>()

export function toasts(): Toast[] {
  return shown
}

export function toast(text: string, more: { bad?: boolean; action?: Toast['action']; ms?: number } = {}): void {
  const id = ++last
  const item: Toast = { id, text, bad: more.bad ?? false }
  if (more.action) item.action = more.action
  shown = [...shown.slice(-2), item]
  setTimeout(() => dismiss(id), more.ms ?? 6000)
}

/** Says what will be done, waits for a change of mind, then does it. Whatever is left is done when the window closes. */
export function withUndo(text: string, deed: () => void, undone: () => void, ms = 7000): void {
  const id = ++last
  pending.set(id, deed)
  const undo = () => {
    pending.delete(id)
    undone()
    shown = shown.filter((item) => item.id !== id)
  }
  for (const item of shown.slice(0, -2)) dismiss(item.id)
  shown = [...shown, { id, text, bad: false, undo }]
  setTimeout(() => dismiss(id), ms)
}

export function dismiss(id: number): void {
  const deed = pending.get(id)
  pending.delete(id)
  deed?.()
  shown = shown.filter((item) => item.id !== id)
}

if (typeof window !== 'undefined') {
  window.addEventListener('pagehide', () => {
    for (const id of [...pending.keys()]) dismiss(id)
  })
}
