/** A pretend receiver of messages: it takes them, unless its name says otherwise. */
import type { Fault, Platform, WebhookForm, WebhookRequest, WebhookView } from '../types'

type Part = Pick<Platform, 'webhook' | 'setWebhook' | 'tryWebhook' | 'removeWebhook'>

const FORMS: Record<string, WebhookForm> = {
  'hooks.slack.com': 'slack',
  'discord.com': 'discord',
  'ntfy.sh': 'ntfy',
}

export function webhook(
  before: WebhookView | null,
  note: (what: string, ...args: unknown[]) => void,
  fault: (code: Fault['code'], message: string, hints: string[]) => Fault,
): Part {
  let view = before

  function wanted(request: WebhookRequest): WebhookView {
    let next = view
    if (request.address !== undefined) {
      if (!/^https?:\/\//.test(request.address))
        throw fault('invalid', 'The address of the webhook does not begin with https:// or http://.', [
          'It looks like https://hooks.slack.com/services/.. or https://ntfy.sh/TOPIC.',
        ])
      const url = new URL(request.address)
      next = {
        host: url.host,
        encrypted: url.protocol === 'https:',
        form: FORMS[url.hostname] ?? 'json',
        on: view?.on ?? ['disk', 'failed', 'stalled', 'alert', 'interrupted', 'completed'],
        delivered_at: null,
        failed_at: null,
        failure: null,
      }
    }
    if (next === null) throw fault('not_found', 'There is no webhook.', ['Name an address: footplate webhook set URL'])
    return { ...next, form: request.form ?? next.form, on: request.on ?? next.on }
  }

  return {
    webhook: async () => view,
    async setWebhook(request) {
      note('setWebhook', request)
      view = wanted(request)
      return view
    },
    async tryWebhook(request) {
      note('tryWebhook', request)
      const { host } = wanted(request)
      if (host.startsWith('dead.'))
        throw fault('refused', `${host} answered with 404: it does not know this address, or not any more.`, [
          "The message was not taken. Compare the address and the form with the receiver's own page.",
        ])
      return host
    },
    async removeWebhook() {
      note('removeWebhook')
      const was = view !== null
      view = null
      return was
    },
  }
}
