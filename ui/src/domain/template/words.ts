/** Titles and explanations of templates in the language in force: ours from the words, others as their files say. */
import { templates } from '../../app/settings.svelte'
import { language, tDynamic } from '../../i18n/index.svelte'
import type { Param } from '../../platform/types'

export function templateTitle(name: string): string {
  const known = templates().find((template) => template.name === name)
  return tDynamic(`template.${name}.title`, known?.definition.title ?? name)
}
export function templateText(name: string, fallback: string): string {
  return language() === 'en' ? fallback : tDynamic(`template.${name}.description`, fallback)
}
export function presetTitle(template: string, preset: string, fallback: string): string {
  return language() === 'en' ? fallback : tDynamic(`template.${template}.preset.${preset}`, fallback)
}
export function paramTitle(template: string, name: string, param: Param): string {
  const own = param.title ?? name
  return language() === 'en' ? own : tDynamic(`template.${template}.${name}`, own)
}
export function paramHelp(template: string, name: string, param: Param): string {
  const own = param.help ?? ''
  return language() === 'en' ? own : tDynamic(`template.${template}.${name}.help`, own)
}
