// 200 hostile texts as names, messages, metrics, lines, files, tags, queues and words of templates, on every view:
// nothing runs, nothing leaves, nothing becomes markup, nothing hides or turns, and what one would press can be pressed.
import { readFileSync } from 'node:fs'

const CORPUS = JSON.parse(readFileSync(new URL('../../../tests/hostile.json', import.meta.url), 'utf8'))
const text = (one) =>
  one.units ? String.fromCharCode(...one.units) : one.text + (one.times ? one.then.repeat(one.times) : '')
export const TEXTS = CORPUS.map(text)
if (new Set(TEXTS).size !== 200) throw new Error(`${new Set(TEXTS).size} distinct texts, not 200`)

const BATCH = 25
/** The full world has 1,284 + 2 + 4 + 3 runs before the hostile ones; three for each text, then the one with all. */
const FIRST = 1294
const WHOLE = FIRST + 3 * BATCH

/** What is wrong with the page as it stands. */
function faults() {
  const out = []
  const app = document.body
  if (window.pwned !== undefined || !document.title.endsWith(' – Footplate')) out.push('a script ran')
  const markup =
    'script, iframe, object, embed, link, meta, base, form:not([class]), form[action], video, audio[src], audio > *, math, img:not([src^="data:image/"]), marquee, dialog, template, foreignObject, animate, plaintext, isindex, textarea, noscript'
  for (const found of app.querySelectorAll(markup))
    if (!found.src?.startsWith(location.origin) || found.tagName !== 'SCRIPT')
      out.push(`<${found.tagName}> on the page`)
  for (const found of app.querySelectorAll('*'))
    for (const { name, value } of found.attributes) {
      if (name.startsWith('on')) out.push(`${found.tagName} has ${name}`)
      if (name === 'href' && !value.startsWith('#')) out.push(`a link to ${value.slice(0, 60)}`)
    }
  // What may be scrolled sideways shows that it can.
  const wide = (box) => box.scrollWidth > box.clientWidth + 1 && getComputedStyle(box).overflowX !== 'auto'
  for (const box of [
    document.documentElement,
    document.body,
    ...app.querySelectorAll('main, .scroll, .body, .card, .li'),
  ])
    if (box.clientWidth > 0 && wide(box))
      out.push(`${box.className || box.tagName} is ${box.scrollWidth} px wide in ${box.clientWidth}`)
  for (const row of app.querySelectorAll('.li')) if (row.offsetHeight > 44) out.push(`a row of ${row.offsetHeight} px`)
  // What is hidden is shown; what runs from right to left is alone in its box.
  const walk = document.createTreeWalker(app, NodeFilter.SHOW_TEXT)
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const parent = node.parentElement
    if (!parent || parent.closest('script, style, option')) continue
    const hidden = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/.exec(
      node.data,
    )
    if (hidden) out.push(`U+${hidden[0].charCodeAt(0).toString(16)} is hidden in ${parent.className || parent.tagName}`)
    if (/[\u0590-\u08ff]/.test(node.data)) {
      const style = getComputedStyle(parent)
      const apart =
        /isolate|plaintext/.test(style.unicodeBidi) || (style.display !== 'inline' && parent.textContent === node.data)
      if (!apart)
        out.push(
          `right to left in the midst of ${parent.className || parent.tagName}: ${parent.textContent.slice(0, 40)}`,
        )
    }
  }
  return [...new Set(out)].slice(0, 6)
}

/** Of these, what cannot be seen and pressed. */
function blocked(selector) {
  const out = []
  for (const one of document.querySelectorAll(selector)) {
    if (getComputedStyle(one).opacity === '0' || one.disabled || one.closest('.quick')) continue
    one.scrollIntoView({ block: 'nearest', inline: 'nearest' })
    const box = one.getBoundingClientRect()
    const at = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2)
    const within = box.left >= -0.5 && box.right <= innerWidth + 0.5 && box.width >= 14 && box.height >= 14
    if (!within || !at || !(one.contains(at) || at.contains(one)))
      out.push(
        `${(one.getAttribute('aria-label') ?? one.textContent).trim().slice(0, 30)} cannot be pressed at ${Math.round(box.left)},${Math.round(box.top)} (${at?.className ?? 'nothing'})`,
      )
  }
  return out.slice(0, 3)
}

const PRESSED = 'main .btn, article button, [role=tab], footer .btn, .toast button'

const batch = (index) => ({
  name: `hostile texts ${index * BATCH + 1} to ${(index + 1) * BATCH}: nothing runs, nothing leaves, nothing breaks`,
  run: async ({ page, open, check }) => {
    const mine = TEXTS.slice(index * BATCH, (index + 1) * BATCH)
    const away = []
    await page.addInitScript((texts) => (window.hostile = texts), mine)
    page.on('request', (request) => {
      const url = new URL(request.url())
      if (!/^127\.0\.0\.1:/.test(url.host) || !/^\/(assets\/[\w.-]+)?$/.test(url.pathname)) away.push(request.url())
    })
    page.on('popup', () => away.push('a window'))
    const said = []
    const look = async (where, pressed = PRESSED) => {
      const found = [...(await page.evaluate(faults)), ...(await page.evaluate(blocked, pressed))]
      if (found.length > 0) said.push(`${where}: ${found.join('; ')}`)
    }
    const settled = () =>
      page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))))
    const to = async (hash, ready) => {
      await page.evaluate((h) => (location.hash = h), hash)
      await page.waitForSelector(ready)
      await settled()
      await look(hash)
    }
    await open('tick=0&world=hostile')
    await page.waitForSelector('.ended')
    await settled()
    await look('#/queue')
    await page.keyboard.press('Control+k')
    await page.keyboard.type('a')
    await page.waitForSelector('[role=option]')
    await look('the palette', '[role=dialog] input')
    await page.keyboard.press('Escape')
    for (const tab of ['overview', 'metrics', 'log', 'timeline', 'files', 'details'])
      await to(
        `#/run/${WHOLE}/${tab}`,
        { metrics: '.charts', log: '.l .pick', files: '.files ul' }[tab] ?? `#tab-${tab}`,
      )
    await page.click('#tab-log')
    await page.fill('.find input', 'e')
    await page.waitForSelector('.hits')
    await look('the log, searched')
    await to('#/compare?runs=1,2,3', 'tbody td')
    await to('#/machine', 'h2')
    await to('#/schedules', 'h2')
    await page.locator('.warn').first().click()
    await look('the schedules, one opened')
    await to('#/settings', 'h1')
    await to('#/templates', 'h1, h2')
    await to('#/new', '.template')
    // A choice that looks empty counts as not made: the last one shown is another.
    const whole = mine.findIndex((one) => one.trim() !== '')
    for (const i of [0, 7, 13, 19, whole]) await to(`#/new?template=hostile-${i}`, '#p-given')
    await page.waitForSelector('.seen')
    await look('the wizard, data')
    await page.keyboard.press('Control+Enter')
    await page.waitForSelector('.presets')
    await look('the wizard, how')
    await page.keyboard.press('Control+Enter')
    await page.waitForSelector('input[name=when]')
    await page.check('input[value=after]')
    await look('the wizard, when')
    await page.keyboard.press('Control+Enter')
    await page.evaluate(() => {
      const select = document.querySelector('select[aria-label]')
      select.selectedIndex = 2
      select.dispatchEvent(new Event('change', { bubbles: true }))
    })
    await page.keyboard.press('Control+Enter')
    await page.waitForSelector('.code')
    await look('the wizard, check')
    await to('#/new?kind=script', '#s-args')
    // Each as the name and the failure of a run.
    for (let i = 0; i < mine.length; i++) {
      await to(`#/run/${FIRST + 3 * i}`, '.fail')
      await to(`#/run/${FIRST + 3 * i}/details`, '.details')
    }
    check(away.length === 0, `asked for ${away.slice(0, 3).join(', ')}`)
    check(said.length === 0, said.slice(0, 8).join('\n'))
  },
})

export const hostile = Array.from({ length: 200 / BATCH }, (_, index) => batch(index))
