// Before any library asks for the language.
import './i18n/tag'

import './styles/tokens.css'
import './styles/base.css'

import { mount } from 'svelte'

import App from './App.svelte'
import { setDragging, take } from './app/dropped.svelte'
import { follow } from './app/live.svelte'
import { usePlatform } from './app/platform'
import { shown } from './app/shown'
import { go } from './app/router.svelte'
import { loadSettings, loadTemplates, watchMachine } from './app/settings.svelte'
import { tauri } from './platform/tauri'
import type { Platform } from './platform/types'

async function door(): Promise<Platform> {
  if (import.meta.env.MODE === 'demo') {
    const { demo } = await import('./platform/pretend/demo')
    return demo()
  }
  return tauri()
}

async function begin(): Promise<void> {
  const platform = shown(await door())
  usePlatform(platform)
  // Asked for first, so that it is here when something is painted.
  void follow(platform, { open: go, dragging: setDragging, dropped: take })
  // The language and the theme come first, so that nothing is painted twice. Without an answer the system's are in force until
  // there is one: a window is never empty.
  const patience = new Promise((done) => setTimeout(done, 1000))
  await Promise.race([loadSettings().catch(() => {}), patience])
  mount(App, { target: document.getElementById('app') ?? document.body })
  void loadTemplates().catch(() => {})
  watchMachine()
}

void begin()
