/** What the wizard says above each step, and on what ends it: a run, a sweep, or a schedule. */
import type { Draft } from '../../domain/template/draft.svelte'
import { t } from '../../i18n/index.svelte'
import type { CheckView } from '../../platform/types'

export function headingOf(draft: Draft, check: CheckView | null, bad: number): string {
  const repeats = draft.when === 'repeat'
  switch (draft.step) {
    case 'what':
      return repeats ? t('what.title_repeat') : t('what.title')
    case 'data':
      return t('data.title')
    case 'how':
      return t('how.title')
    case 'when':
      return t('when.title')
    case 'check':
      if (check === null) return t('check.looking')
      return bad > 0 ? t('check.not_ready') : repeats ? t('check.ready_repeat') : t('check.ready')
  }
}

export function startWordOf(draft: Draft, runs: number): string {
  if (draft.when === 'repeat') return t('schedule.make')
  if (draft.sweep) return t('sweep.start', { count: runs })
  return draft.step === 'check' ? t('wizard.start') : t('wizard.start_now')
}
