/** Schedules in the language in force. */
import { and, dayOfYear, span, weekday } from '../../i18n/format'
import { t } from '../../i18n/index.svelte'
import { tell } from './tell'

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
    case 'days': {
      const time = and(told.times)
      if (told.days === null) return t('schedule.told_day', { time })
      if (told.days === 'weekdays') return t('schedule.told_weekdays', { time })
      // A week begins with Monday here.
      const days = [...told.days].sort((a, b) => ((a + 6) % 7) - ((b + 6) % 7))
      return t('schedule.told_week', { day: and(days.map(weekday)), time })
    }
    case 'month':
      return t('schedule.told_month', {
        count: told.dates.length,
        days: and(told.dates.map(String)),
        time: and(told.times),
      })
    case 'year':
      return t('schedule.told_year', { date: dayOfYear(told.month, told.date), time: told.time })
    case 'interval':
      return t('schedule.told_interval', { span: span(told.seconds) })
    case 'minutes':
      return t('schedule.told_minutes', { count: told.every })
    case 'hours':
      if (told.minute === 0) return t('schedule.told_hours', { count: told.every })
      return t('schedule.told_hours_past', { count: told.every, minute: told.minute })
    case 'hourly':
      return t('schedule.told_hourly')
    case 'other':
      return null
  }
}
