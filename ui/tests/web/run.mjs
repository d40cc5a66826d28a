// The view in Chromium over a pretend store: what it does, how it looks, and whether everybody can use it.
// Pictures go to shots/; `node tests/web/run.mjs --only NAME` runs what has NAME in its title.
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'

import { chromium } from 'playwright-core'

import { alerts } from './alerts.mjs'
import { behaviours } from './behaviours.mjs'
import { compare } from './compare.mjs'
import { gallery } from './gallery.mjs'
import { hostile } from './hostile.mjs'
import { keyboard } from './keyboard.mjs'
import { pictures } from './pictures.mjs'
import { schedules } from './schedules.mjs'
import { serve } from './serve.mjs'
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

const failures = []
let passed = 0
const asked = (test) =>
  !only ||
  only.split(',').some((part) => (part.startsWith('-') ? !test.name.includes(part.slice(1)) : test.name.includes(part)))

// What people do is tried one at a time: some of it watches frames. What is only looked at, as many at once as there are cores.
await lane(
  [...behaviours, ...alerts, ...compare, ...gallery, ...keyboard, ...schedules, ...webhook, ...hostile].filter(asked),
)
const rest = pictures.filter(asked)
await Promise.all(Array.from({ length: availableParallelism() }, () => lane(rest)))

/** Takes tests off the list until none is left. */
async function lane(tests) {
  for (let test = tests.shift(); test; test = tests.shift()) await one(test)
}

async function one(test) {
  const [width, height] = test.size ?? [1280, 800]
  const context = await browser.newContext({
    viewport: { width, height },
    locale: 'en-GB',
    reducedMotion: test.motion ? 'no-preference' : 'reduce',
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
  const open = async (query = '', route = '#/queue') => {
    await page.goto(`${site.url}/?${query}${route}`)
    await page.waitForSelector('#main')
  }
  const check = (truth, what) => {
    if (!truth) throw new Error(what)
  }
  try {
    await test.run({ page, open, check, shots, audit: () => audit(page), still: () => page.waitForTimeout(350) })
    check(said.length === 0, said.join('\n'))
    passed += 1
    if (!test.picture) console.log(`ok   ${test.name}`)
  } catch (error) {
    failures.push(test.name)
    console.log(`FAIL ${test.name}\n     ${String(error.message).split('\n').slice(0, 12).join('\n     ')}`)
    await page.screenshot({ path: `${shots}failed-${test.name.replace(/\W+/g, '-')}.png` }).catch(() => {})
  }
  await context.close()
}

await browser.close()
site.close()
console.log(`${passed} passed, ${failures.length} failed`)
process.exit(failures.length > 0 ? 1 : 0)

/** What axe finds, and what reaches over the edge of the window. */
async function audit(page) {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe)
  const found = await page.evaluate(async () => {
    const result = await window.axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
      rules: { region: { enabled: false } },
    })
    return result.violations.map(
      (v) =>
        `${v.id}: ${v.nodes
          .slice(0, 3)
          .map((n) => `${n.target.join(' ')} (${n.any[0]?.message ?? n.all[0]?.message ?? n.none[0]?.message ?? ''})`)
          .join('; ')}`,
    )
  })
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
