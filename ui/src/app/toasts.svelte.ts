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
  makeRoom(false)
  shown = [...shown, item]
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
  makeRoom(true)
  shown = [...shown, { id, text, bad: false, undo }]
  setTimeout(() => dismiss(id), ms)
}

/** For one more beside two: what offers nothing goes first; an undo goes only for another one. */
function makeRoom(forUndo: boolean): void {
  while (shown.length > 2) {
    const out =
      shown.find((item) => !item.undo && !item.action) ??
      shown.find((item) => !item.undo) ??
      (forUndo ? shown[0] : undefined)
    if (!out) return
    dismiss(out.id)
  }
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
