/** The shell: commands one to one. The only file that knows Tauri. */
import { Channel, invoke } from '@tauri-apps/api/core'

import type { Platform, Push } from './types'

export function tauri(): Platform {
  return {
    kind: 'tauri',
    async subscribe(on) {
      const channel = new Channel<Push>()
      let left = false
      channel.onmessage = (push) => {
        if (!left) on(push)
      }
      const id = await invoke<number>('subscribe', { channel })
      return () => {
        left = true
        void invoke('unsubscribe', { id })
      }
    },
    list: (query) => invoke('list', { query }),
    show: (number) => invoke('show', { number }),
    origin: (number) => invoke('origin', { number }),
    report: (number) => invoke('report', { number }),
    metrics: (number, max) => invoke('metrics', { number, max }),
    usage: (number) => invoke('usage', { number }),
    compare: (asked) => invoke('compare', { asked }),
    compareCsv: (asked) => invoke('compare_csv', { asked }),
    log: (query, from, count) => invoke('log', { query, from, count }),
    logSearch: (query, text) => invoke('log_search', { query, text }),
    files: (number) => invoke('files', { number }),
    reveal: (number, file) => invoke('reveal', { number, file }),
    wish: (number, wish) => invoke('wish', { number, wish }),
    scheduleTimes: (timing, zone) => invoke('schedule_times', { timing, zone }),
    scheduleDefinition: (name) => invoke('schedule_definition', { name }),
    editSchedule: (name, edit) => invoke('edit_schedule', { name, edit }),
    addSchedule: (request, repeat) => invoke('add_schedule', { request, repeat }),
    repeatRun: (number, repeat) => invoke('repeat_run', { number, repeat }),
    runSchedule: (name) => invoke('run_schedule', { name }),
    templates: () => invoke('templates'),
    revealTemplate: (name) => invoke('reveal_template', { name }),
    importTemplate: () => invoke('import_template'),
    openArchive: (handle) => invoke('open_archive', { handle }),
    addTemplate: () => invoke('add_template'),
    keepRun: (number, title) => invoke('keep_run', { number, title }),
    templateContent: (name) => invoke('template_content', { name }),
    allowTemplate: (name, hash) => invoke('allow_template', { name, hash }),
    exportTemplate: (name) => invoke('export_template', { name }),
    renameTemplate: (name, to) => invoke('rename_template', { name, to }),
    removeTemplate: (name) => invoke('remove_template', { name }),
    pickScript: () => invoke('pick_script'),
    script: (handle) => invoke('script', { handle }),
    pickPath: (folder) => invoke('pick_path', { folder }),
    data: (path) => invoke('data', { path }),
    sound: (path, id) => invoke('sound', { path, id }),
    check: (request) => invoke('check', { request }),
    start: (request) => invoke('start', { request }),
    lookAtSweep: (request) => invoke('look_at_sweep', { request }),
    checkSweep: (request) => invoke('check_sweep', { request }),
    startSweep: (request) => invoke('start_sweep', { request }),
    draft: () => invoke('draft'),
    setDraft: (draft) => invoke('set_draft', { draft }),
    machine: (closely) => invoke('machine', { closely }),
    machineHistory: () => invoke('machine_history'),
    settings: () => invoke('settings'),
    setSettings: (settings) => invoke('set_settings', { settings }),
    webhook: () => invoke('webhook'),
    setWebhook: (request) => invoke('set_webhook', { request }),
    tryWebhook: (request) => invoke('try_webhook', { request }),
    removeWebhook: () => invoke('remove_webhook'),
    copy: (text) => invoke('copy', { text }),
    saveText: (name, text) => invoke('save_text', { name, text }),
    savePicture: (name, png) => invoke('save_picture', { name, png }),
  }
}
