/** Titles and explanations of templates in the language in force: ours from the words, others as their files say. */
import { templates } from '../../app/settings.svelte'
import { language, tDynamic } from '../../i18n/index.svelte'
import { visible } from '../../i18n/visible'
import type { Param } from '../../platform/types'

export function templateTitle(name: string): string {
  const known = templates().find((template) => template.name === name)
  return tDynamic(`template.${name}.title`, visible(known?.definition.title ?? name))
}
export function templateText(name: string, fallback: string): string {
  const own = visible(fallback)
  return language() === 'en' ? own : tDynamic(`template.${name}.description`, own)
}
export function presetTitle(template: string, preset: string, fallback: string): string {
  const own = visible(fallback)
  return language() === 'en' ? own : tDynamic(`template.${template}.preset.${preset}`, own)
}
export function paramTitle(template: string, name: string, param: Param): string {
  const own = visible(param.title ?? name)
  return language() === 'en' ? own : tDynamic(`template.${template}.${name}`, own)
}
export function paramHelp(template: string, name: string, param: Param): string {
  const own = visible(param.help ?? '')
  return language() === 'en' ? own : tDynamic(`template.${template}.${name}.help`, own)
}
