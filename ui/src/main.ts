// Before any library asks for the language.
import './i18n/tag'

import '@fontsource-variable/inter/wght.css'

import './styles/tokens.css'
import './styles/base.css'
import './styles/rows.css'
import './styles/figures.css'
import './styles/scroll.css'
import './styles/edge.css'

import { mount } from 'svelte'

import App from './App.svelte'
import { APPLE } from './app/palette.svelte'
import { setDragging, take } from './app/dropped.svelte'
import { follow } from './app/live.svelte'
import { usePlatform } from './app/platform'
import { shown } from './app/shown'
import { go, route } from './app/router.svelte'
import { loadSettings, loadTemplates, watchMachine } from './app/settings.svelte'
import { askEarly } from './domain/run/pages.svelte'
import { tauri } from './platform/tauri'
import type { Platform } from './platform/types'

async function door(): Promise<Platform> {
  if (import.meta.env.MODE === 'demo') {
    const { demo } = await import('./platform/pretend/demo')
    return demo()
  }
  return tauri()
}

/** The face of all text, where the system has none of its own; for nothing is to be painted twice. */
async function face(): Promise<void> {
  document.documentElement.classList.toggle('apple', APPLE)
  if (!APPLE) await document.fonts.load("13px 'Inter Variable'")
}

/** What is only for a hand that is there. */
function awaitTouch(): void {
  const root = document.documentElement.classList
  const heard = new AbortController()
  let place = ''
  const touched = (event: Event) => {
    // A window that comes up under the pointer is told where that stands; nobody moved it.
    const before = place
    if (event.type === 'pointermove') place = `${(event as PointerEvent).screenX} ${(event as PointerEvent).screenY}`
    if (event.type === 'pointermove' && (before === '' || before === place)) return
    root.remove('untouched')
    heard.abort()
  }
  root.add('untouched')
  const how = { capture: true, passive: true, signal: heard.signal }
  for (const kind of ['pointermove', 'pointerdown', 'wheel', 'keydown']) addEventListener(kind, touched, how)
}

function isFirstScreen(): boolean {
  const { path, query } = route()
  return (path[0] ?? 'queue') === 'queue' && query.toString() === ''
}

async function begin(): Promise<void> {
  awaitTouch()
  const platform = shown(await door())
  usePlatform(platform)
  // Asked for first, so that it is here when something is painted.
  const followed = follow(platform, { open: go, dragging: setDragging, dropped: take })
  // The language, the theme and the face come first, so that nothing is painted twice. Without an answer the system's are in force
  // until there is one: a window is never empty.
  const patience = new Promise((done) => setTimeout(done, 1000))
  // Not before: what ends in between would be in neither.
  const runs = followed.then(() => (isFirstScreen() ? askEarly() : undefined)).catch(() => {})
  const first = [loadSettings(), face()].map((step) => step.catch(() => {}))
  await Promise.race([Promise.all(first), patience])
  // These come as soon, most often; else their shape is shown.
  await Promise.race([runs, new Promise((done) => setTimeout(done, 60))])
  mount(App, { target: document.getElementById('app') ?? document.body })
  void loadTemplates().catch(() => {})
  watchMachine()
}

void begin()
