/** What cannot be done as long as nothing can be changed, and why. */
import { t } from '../i18n/index.svelte'
import { isShut } from './live.svelte'

export function whyShut(): string | undefined {
  return isShut() ? t('store.shut') : undefined
}

/** For a button whose deed writes; `off`: it cannot be pressed in any case. */
export function writes(off = false): { disabled: boolean; title?: string } {
  const why = whyShut()
  return why === undefined ? { disabled: off } : { disabled: true, title: why }
}
