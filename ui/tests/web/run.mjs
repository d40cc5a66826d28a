// The view in Chromium over a pretend store: what it does, how it looks, and whether everybody can use it.
// Pictures go to shots/; `node tests/web/run.mjs --only NAME` runs what has NAME in its title.
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'

import { chromium } from 'playwright-core'

import { alerts } from './alerts.mjs'
import { behaviours } from './behaviours.mjs'
import { compare } from './compare.mjs'
import { composing } from './composing.mjs'
import { deeds } from './deeds.mjs'
import { focus } from './focus.mjs'
import { frames } from './frames.mjs'
import { gallery } from './gallery.mjs'
import { hostile } from './hostile.mjs'
import { keyboard } from './keyboard.mjs'
import { keys } from './keys.mjs'
import { logs } from './logs.mjs'
import { pictures } from './pictures.mjs'
import { readonly } from './readonly.mjs'
import { rows } from './rows.mjs'
import { runview } from './runview.mjs'
import { schedules } from './schedules.mjs'
import { serve } from './serve.mjs'
import { starting } from './starting.mjs'
import { sweeps } from './sweeps.mjs'
import { templates } from './templates.mjs'
import { webhook } from './webhook.mjs'

const only = process.argv.includes('--only') ? process.argv[process.argv.indexOf('--only') + 1] : ''
const shots = new URL('../../shots/', import.meta.url).pathname
mkdirSync(shots, { recursive: true })
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const site = await serve()
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--force-device-scale-factor=1'],
})

let failures = []
let passed = 0
const asked = (test) =>
  !only ||
  only.split(',').some((part) => (part.startsWith('-') ? !test.name.includes(part.slice(1)) : test.name.includes(part)))

// What watches frames or counts by the second is alone; of the rest, as many at once as there are cores.
const all = [
  ...starting,
  ...behaviours,
  ...alerts,
  ...compare,
  ...composing,
  ...deeds,
  ...focus,
  ...frames,
  ...gallery,
  ...keyboard,
  ...keys,
  ...logs,
  ...readonly,
  ...rows,
  ...runview,
  ...schedules,
  ...sweeps,
  ...templates,
  ...webhook,
  ...hostile,
  ...pictures,
].filter(asked)
await lane(all.filter((test) => test.alone))
const rest = all.filter((test) => !test.alone)
await Promise.all(Array.from({ length: availableParallelism() }, () => lane(rest)))

// On a machine that is shared with others a window may stand still at any moment: what failed gets a second chance, alone, and is
// named, for it is a mistake somewhere all the same.
const FEW = 3
const flaky = []
if (process.env.CI && failures.length <= FEW) {
  const again = failures
  failures = []
  await lane(again.map((test) => ({ ...test, picture: false })))
  flaky.push(...again.filter((test) => !failures.some((failed) => failed.name === test.name)))
  for (const test of flaky) console.log(`FLAKY ${test.name}`)
}

/** Takes tests off the list until none is left. What is only looked at shares a window, which knows nothing of what was before. */
async function lane(tests) {
  let shared
  for (let test = tests.shift(); test; test = tests.shift()) {
    const where = test.picture ? (shared ??= await fresh({ forgets: true })) : await fresh(test)
    const well = await one(test, where)
    if (!test.picture) await where.page.context().close()
    else if (!well) {
      await where.page.context().close()
      shared = undefined
    }
  }
}

/** A window of its own, and what goes wrong in it. */
async function fresh({ motion, forgets }) {
  const context = await browser.newContext({ locale: 'en-GB', reducedMotion: motion ? 'no-preference' : 'reduce' })
  if (forgets)
    await context.addInitScript(() => {
      if (location.protocol !== 'http:') return
      localStorage.clear()
      sessionStorage.clear()
    })
  const page = await context.newPage()
  const said = []
  page.on('pageerror', (error) => said.push(`error on the page: ${error.message}`))
  page.on('console', (message) => {
    if (message.type() === 'error') said.push(`console: ${message.text()}`)
  })
  page.on('dialog', (dialog) => {
    said.push(`a dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  return { page, said }
}

/** Whether it went well. */
async function one(test, { page, said }) {
  const began = Date.now()
  const [width, height] = test.size ?? [1280, 800]
  await page.setViewportSize({ width, height })
  const open = async (query = '', route = '#/queue') => {
    // Another place on the page that is there would be no start.
    if (test.picture) await page.goto('about:blank')
    await page.goto(`${site.url}/?${query}${route}`)
    await page.waitForSelector('#main')
  }
  const check = (truth, what) => {
    if (!truth) throw new Error(what)
  }
  try {
    await test.run({
      page,
      open,
      check,
      shots,
      audit: (rules) => audit(page, rules),
      still: () => page.evaluate(still),
    })
    check(said.length === 0, said.join('\n'))
    passed += 1
    if (!test.picture || process.env.TIMES) console.log(`ok   ${test.name}  ${Date.now() - began} ms`)
    return true
  } catch (error) {
    failures.push(test)
    console.log(`FAIL ${test.name}\n     ${String(error.message).split('\n').slice(0, 12).join('\n     ')}`)
    await page.screenshot({ path: `${shots}failed-${test.name.replace(/\W+/g, '-')}.png` }).catch(() => {})
    return false
  }
}

await browser.close()
site.close()
console.log(`${passed} passed, ${flaky.length} of them at the second try, ${failures.length} failed`)
process.exit(failures.length > 0 ? 1 : 0)

/** In the page: until its fonts are there, nothing moves, and nothing was changed for a while. */
async function still() {
  await document.fonts.ready
  const ends = document.getAnimations().filter((one) => Number.isFinite(one.effect?.getComputedTiming().endTime))
  await Promise.allSettled(ends.map((one) => one.finished))
  await new Promise((done) => {
    const quiet = () => {
      watch.disconnect()
      requestAnimationFrame(() => requestAnimationFrame(done))
    }
    let timer = setTimeout(quiet, 150)
    const watch = new MutationObserver(() => {
      clearTimeout(timer)
      timer = setTimeout(quiet, 150)
    })
    watch.observe(document, { subtree: true, childList: true, attributes: true, characterData: true })
  })
}

/** What axe finds by all its rules, by those of colours or by none of them, and what reaches over the edge of the window. */
async function audit(page, rules = 'all') {
  const found = rules === 'none' ? [] : await violations(page, rules)
  const over = await page.evaluate(() => {
    const out = []
    if (document.documentElement.scrollWidth > window.innerWidth)
      out.push(`the page is ${document.documentElement.scrollWidth} px wide`)
    for (const card of document.querySelectorAll('.card, main, .bar, .li, .toast, .rhead, .logbar')) {
      const box = card.getBoundingClientRect()
      if (box.width > 0 && box.right > window.innerWidth + 9)
        out.push(`${card.className || card.tagName} reaches to ${Math.round(box.right)}`)
    }
    return out.slice(0, 4)
  })
  const all = [...found, ...over]
  if (all.length > 0) throw new Error(all.join('\n'))
}

async function violations(page, rules) {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe)
  return page.evaluate(async (rules) => {
    const result = await window.axe.run(document, {
      runOnly:
        rules === 'colours'
          ? { type: 'rule', values: ['color-contrast'] }
          : ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
      rules: { region: { enabled: false } },
    })
    return result.violations.map(
      (v) =>
        `${v.id}: ${v.nodes
          .slice(0, 3)
          .map((n) => `${n.target.join(' ')} (${n.any[0]?.message ?? n.all[0]?.message ?? n.none[0]?.message ?? ''})`)
          .join('; ')}`,
    )
  }, rules)
}
