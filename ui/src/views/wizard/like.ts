/** A draft of what another run was made of. */
import { faultText } from '../../app/act'
import { platform } from '../../app/platform'
import { templates } from '../../app/settings.svelte'
import { toast } from '../../app/toasts.svelte'
import { blank, ofCommand, type Draft } from '../../domain/template/draft.svelte'
import { t } from '../../i18n/index.svelte'
import { ownCommand } from '../../model/run'

/** Null: it cannot be had, which has been said. */
export async function likeRun(number: number): Promise<Draft | null> {
  try {
    const [run, origin] = await Promise.all([platform().show(number), platform().origin(number)])
    const command = ownCommand(origin.definition)
    if (command) return ofCommand(run, command)
    const found = templates().find((one) => one.name === origin.template)
    if (!found) {
      toast(t('wizard.no_template', { number: String(number) }), { ms: 9000 })
      return null
    }
    const typed = Object.fromEntries(
      Object.entries(run.params ?? {}).map(([name, x]) => [name, typeof x === 'boolean' ? x : String(x)]),
    )
    return { ...blank(), kind: 'template', template: found.name, like: number, step: 'how', typed }
  } catch (error) {
    toast(faultText(error), { bad: true })
    return null
  }
}
