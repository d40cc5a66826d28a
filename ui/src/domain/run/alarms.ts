/** Alerts in words, in the language in force. */
import { moment, value } from '../../i18n/format'
import { t } from '../../i18n/index.svelte'
import { visible } from '../../i18n/visible'
import type { AlertView, RunView } from '../../platform/types'

/** Those that are still so, and that nobody has said to have seen; newest first. */
export function openAlarms(run: RunView): AlertView[] {
  return (run.alerts ?? []).filter((alert) => alert.ended_at === null && alert.dismissed_at === null)
}

export function alarmText(alert: AlertView, now: number): string {
  const { kind, action, metric = '', value: figure, bound, points = 1 } = alert.facts
  const words = {
    metric: visible(metric),
    value: typeof figure === 'number' ? value(figure) : (figure ?? ''),
    bound: bound === undefined ? '' : value(bound),
    points,
    time: moment(new Date(alert.since), new Date(now)),
  }
  const said = () => {
    switch (kind) {
      case 'stall':
        return t('alert.stall', words)
      case 'nan':
        return t('alert.nan', words)
      case 'above':
        return points > 1 ? t('alert.above_for', words) : t('alert.above', words)
      case 'below':
        return points > 1 ? t('alert.below_for', words) : t('alert.below', words)
      case 'no_improvement':
        if (bound === undefined) return t('alert.never', words)
        return points > 1 ? t('alert.flat_for', words) : t('alert.flat', words)
    }
  }
  return action === 'stop' ? `${said()} ${t('alert.stops')}` : said()
}
