/** Wishes with words: what was asked, what became of it. */
import { t } from '../i18n/index.svelte'
import { said } from '../i18n/said'
import { isFault, type Wish } from '../platform/types'
import { platform } from './platform'
import { toast } from './toasts.svelte'

export function faultText(error: unknown): string {
  if (isFault(error)) return [error.message, ...error.hints.slice(0, 1)].map(said).join(' ')
  return error instanceof Error ? error.message : String(error)
}

/** Sends a wish; says so where it was refused. True: done. */
export async function wish(number: number | null, what: Wish): Promise<boolean> {
  try {
    const answer = await platform().wish(number, what)
    if (!answer.done) toast(said(answer.message) || t('toast.refused'), { bad: true })
    return answer.done
  } catch (error) {
    toast(faultText(error), { bad: true, ms: 9000 })
    return false
  }
}
