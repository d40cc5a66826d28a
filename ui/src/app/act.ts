/** Wishes with words: what was asked, what became of it. */
import { language, t } from '../i18n/index.svelte'
import { said } from '../i18n/said'
import { isFault, type Settings, type Wish } from '../platform/types'
import { platform } from './platform'
import { changeSettings } from './settings.svelte'
import { toast } from './toasts.svelte'

export function faultText(error: unknown): string {
  if (isFault(error)) return sentences([error.message, ...windowHints(error.hints).slice(0, 1)].map(said))
  return error instanceof Error ? error.message : String(error)
}

/** Hints without those that name a command of the terminal: the window has buttons for these. */
export function windowHints(all: string[]): string[] {
  return all.filter((hint) => !/\bfootplate [a-z]/.test(hint))
}

/** One after the other, as the language in force sets them. */
function sentences(all: string[]): string {
  if (language() === 'en' || all.length < 2 || !all.every((one) => /[\u4e00-\u9fff]/.test(one))) return all.join(' ')
  return all.map((one) => (/[。！？…]$/.test(one) ? one : `${one}。`)).join('')
}

/** Changes settings; says so where they could not be kept. */
export async function changed(what: Partial<Settings>): Promise<void> {
  try {
    await changeSettings(what)
  } catch (error) {
    toast(faultText(error), { bad: true })
  }
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
