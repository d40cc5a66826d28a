/** What the views are called. */
import { t } from '../i18n/index.svelte'

export function viewTitle(at: string): string {
  switch (at) {
    case 'new':
      return t('top.new')
    case 'compare':
      return t('nav.compare')
    case 'templates':
    case 'consent':
    case 'open':
      return t('nav.templates')
    case 'schedules':
      return t('nav.schedules')
    case 'machine':
      return t('nav.machine')
    case 'settings':
      return t('nav.settings')
    default:
      return t('nav.queue')
  }
}
