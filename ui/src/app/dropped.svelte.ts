/** What is held over the window, and what was dropped on it until the wizard takes it. */
import { t } from '../i18n/index.svelte'
import { go, route } from './router.svelte'
import { toast } from './toasts.svelte'

let dragging = $state(false)
let path = $state.raw<string | null>(null)

export function isDragging(): boolean {
  return dragging
}
export function setDragging(over: boolean): void {
  dragging = over
}
/** A file or a folder to train on, which nobody has taken yet. */
export function dropped(): string | null {
  return path
}
export function forget(): void {
  path = null
}
/** Somebody dropped it: the wizard is the place for it. */
export function take(next: string, others: number): void {
  path = next
  if (others > 0) toast(t('drop.others'))
  if (route().path[0] !== 'new') go('new')
}
