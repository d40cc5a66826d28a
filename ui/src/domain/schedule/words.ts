/** Schedules in the language in force. */
import { span, weekday } from '../../i18n/format'
import { t } from '../../i18n/index.svelte'
import { tell } from './repeat'

/** `Every day at 02:30`; null: the expression says it best itself. */
export function timingText(timing: string): string | null {
  const told = tell(timing)
  switch (told.kind) {
    case 'day':
      return t('schedule.told_day', { time: told.time })
    case 'weekdays':
      return t('schedule.told_weekdays', { time: told.time })
    case 'week':
      return t('schedule.told_week', { day: weekday(told.day), time: told.time })
    case 'interval':
      return t('schedule.told_interval', { span: span(told.seconds) })
    case 'hourly':
      return t('schedule.told_hourly')
    case 'other':
      return null
  }
}
