/** What a pointer, or the menu key, does on a row of a list beside its controls: opens it, or the list of its deeds. */
import type { Attachment } from 'svelte/attachments'

/** Where the pointer was, in the window. */
export interface Spot {
  x: number
  y: number
}

interface Deeds {
  open: (row: HTMLElement) => void
  /** `at` is null where a key asked for it. */
  menu: (row: HTMLElement, at: Spot | null) => void
}

const CONTROL = 'a, button, input, select, textarea, label, summary, [role=dialog], [role=menu]'
const OVER = '[role=menu], [role=dialog]'
/** A key's own event may be followed by that of a pointer which was not moved, milliseconds. */
const SAME = 500

const element = (target: EventTarget | null) => (target instanceof Element ? target : null)

/** On what holds rows, each of which is a `[data-run]`: one listener for all of them. */
export function rows(deeds: Deeds): Attachment<HTMLElement> {
  const rowAt = (target: EventTarget | null) => element(target)?.closest<HTMLElement>('[data-run]') ?? null
  /** The row, where no control of it was meant. */
  const bare = (target: EventTarget | null) => (element(target)?.closest(CONTROL) ? null : rowAt(target))

  return (list) => {
    let down: EventTarget | null = null
    let keyed = 0
    // A press beside a list of deeds, or a question, puts that away and does no more.
    const press = (event: PointerEvent) => (down = document.querySelector(OVER) ? null : event.target)
    const click = (event: MouseEvent) => {
      const other = event.ctrlKey || event.metaKey || event.shiftKey || event.altKey
      if (event.defaultPrevented || event.button !== 0 || other) return
      const row = bare(event.target)
      // What began elsewhere is the end of a drag; what is selected is to be copied.
      if (!row || bare(down) !== row || selected(row)) return
      deeds.open(row)
    }
    const context = (event: MouseEvent) => {
      const row = rowAt(event.target)
      if (!row || element(event.target)?.closest('[role=dialog]')) return
      event.preventDefault()
      if (Date.now() - keyed > SAME) deeds.menu(row, { x: event.clientX, y: event.clientY })
    }
    const key = (event: KeyboardEvent) => {
      if (event.key !== 'ContextMenu' && !(event.key === 'F10' && event.shiftKey)) return
      const row = rowAt(event.target)
      if (!row) return
      event.preventDefault()
      keyed = Date.now()
      deeds.menu(row, null)
    }
    list.addEventListener('pointerdown', press)
    list.addEventListener('click', click)
    list.addEventListener('contextmenu', context)
    list.addEventListener('keydown', key)
    return () => {
      list.removeEventListener('pointerdown', press)
      list.removeEventListener('click', click)
      list.removeEventListener('contextmenu', context)
      list.removeEventListener('keydown', key)
    }
  }
}

function selected(row: HTMLElement): boolean {
  const chosen = getSelection()
  return chosen !== null && !chosen.isCollapsed && row.contains(chosen.anchorNode)
}
