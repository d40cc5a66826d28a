// Everything without a mouse: where Tab leads, that one sees it, and the whole way from the first launch to a run.

/** The element that has the focus, and whether one sees that it has. */
function focused() {
  const one = document.activeElement
  if (!one || one === document.body) return null
  const look = (node) => {
    const style = getComputedStyle(node)
    return `${style.boxShadow} ${style.outlineStyle} ${style.outlineColor} ${style.backgroundColor} ${style.opacity}`
  }
  const frame = one.closest('.field') ?? one
  const box = (frame.getBoundingClientRect().width > 0 ? frame : one).getBoundingClientRect()
  const before = [look(one), look(frame)]
  const within = box.width > 0 && box.right > 0 && box.left < innerWidth && box.bottom > 0 && box.top < innerHeight
  one.blur()
  const differs = look(one) !== before[0] || look(frame) !== before[1]
  one.focus({ preventScroll: true })
  const name =
    one.getAttribute('aria-label') ??
    (one.labels?.[0]?.textContent || one.textContent || one.getAttribute('title') || one.id || one.tagName)
  return {
    name: name.replace(/\s+/g, ' ').trim().slice(0, 60),
    id: one.id,
    role: one.getAttribute('role'),
    tag: one.tagName,
    kind: one.type,
    seen: within && differs,
  }
}

/** Presses Tab until the test holds of what has the focus; each stop on the way must be seen. */
async function tabTo(page, what, test, most = 80) {
  for (let i = 0; i < most; i++) {
    await page.keyboard.press('Tab')
    const at = await page.evaluate(focused)
    if (!at) continue
    if (!at.seen) throw new Error(`the focus on "${at.name}" (${at.tag}) is not seen`)
    if (test(at)) return at
  }
  throw new Error(`Tab does not lead to ${what}`)
}
const named = (part) => (at) => at.name.includes(part)

const VIEWS = [
  ['the queue', '#/queue'],
  ['a run', '#/run/1285'],
  ['a failed run', '#/run/1292'],
  ['metrics', '#/run/1285/metrics'],
  ['the log', '#/run/1285/log'],
  ['files', '#/run/1285/files'],
  ['details', '#/run/1293/details'],
  ['the schedules', '#/schedules'],
  ['a comparison', '#/compare?runs=1293,1285'],
  ['the machine', '#/machine'],
  ['settings', '#/settings'],
  ['the wizard', '#/new?template=digits'],
  ['the wizard for a script', '#/new?kind=script'],
]

export const keyboard = [
  {
    name: 'from the first launch to a run by Tab, Enter, Space and arrows alone, the focus always seen',
    run: async ({ page, open, check }) => {
      await open('world=empty&tick=0')
      await page.waitForSelector('text=Train the sample')
      await tabTo(page, 'New run', named('New run'))
      await page.keyboard.press('Enter')
      await page.waitForSelector('.template')
      await tabTo(page, 'the template', named('Handwritten digits'))
      await page.keyboard.press('Enter')
      await page.waitForSelector('#p-epochs')
      await tabTo(page, 'the presets', (at) => at.role === 'radio')
      await page.keyboard.press('ArrowRight')
      check((await page.evaluate(focused))?.name.startsWith('Quick look'), 'the arrow leads to the next preset')
      await tabTo(page, 'the epochs', (at) => at.id === 'p-epochs')
      await page.keyboard.press('Control+a')
      await page.keyboard.type('7')
      await tabTo(page, 'the switch', (at) => at.role === 'switch')
      await page.keyboard.press('Space')
      await tabTo(page, 'the advanced settings', named('Advanced'))
      await page.keyboard.press('Enter')
      await tabTo(page, 'the seed', (at) => at.id === 'p-seed')
      await page.keyboard.press('Control+a')
      await page.keyboard.type('3')
      await tabTo(page, 'Continue', named('Continue'))
      await page.keyboard.press('Enter')
      await page.waitForSelector('input[name=when]')
      await tabTo(page, 'the time', (at) => at.kind === 'radio')
      await page.keyboard.press('ArrowDown')
      await page.waitForSelector('input[type=datetime-local]')
      await page.keyboard.press('ArrowUp')
      await tabTo(page, 'the queue', (at) => at.id === 'w-queue')
      await page.keyboard.press('ArrowDown')
      await tabTo(page, 'the name', (at) => at.id === 'w-name')
      await page.keyboard.type('by hand')
      await tabTo(page, 'Continue', named('Continue'))
      await page.keyboard.press('Space')
      await page.waitForSelector('.code')
      await tabTo(page, 'Start training', named('Start training'))
      await page.keyboard.press('Enter')
      await page.waitForFunction(() => location.hash.startsWith('#/run/'))
      const [request] = await page.evaluate(() =>
        window.pretend.asked.filter((a) => a.what === 'start').map((a) => a.args[0]),
      )
      const { preset, params, name, queue, not_before } = request
      check(
        JSON.stringify({ preset, params, name, queue, not_before }) ===
          '{"preset":"quick","params":{"epochs":7,"seed":3,"evaluate":false},"name":"by hand","queue":"training","not_before":null}',
        JSON.stringify(request),
      )
    },
  },
  ...VIEWS.map(([what, route]) => ({
    name: `Tab leads to everything on ${what}, and round again`,
    run: async ({ page, open, check }) => {
      await open('tick=0', route)
      await page.waitForTimeout(300)
      // Rows of the long list come and go; its first ones stand for all.
      const wanted = await page.evaluate(() => {
        const all = [...document.querySelectorAll('a[href], button, input, select, [tabindex="0"]')].filter(
          (one) =>
            one.tabIndex >= 0 &&
            !one.disabled &&
            one.checkVisibility() &&
            !one.closest('.ended:nth-child(n+4)') &&
            !(one.type === 'radio' && !one.checked),
        )
        all.forEach((one, i) => (one.dataset.stop = String(i)))
        return all.length
      })
      const reached = new Set()
      for (let i = 0; i < wanted + 60 && reached.size < wanted; i++) {
        await page.keyboard.press('Tab')
        const at = await page.evaluate(focused)
        if (!at) continue
        check(at.seen, `the focus on "${at.name}" (${at.tag}) is not seen`)
        const stop = await page.evaluate(() => document.activeElement.dataset.stop)
        if (stop) reached.add(stop)
      }
      const missed = await page.evaluate(
        (got) =>
          [...document.querySelectorAll('[data-stop]')]
            .filter((one) => !got.includes(one.dataset.stop))
            .map((one) => one.getAttribute('aria-label') ?? one.textContent.trim().slice(0, 30)),
        [...reached],
      )
      check(missed.length === 0, `Tab does not lead to ${missed.join(', ')}`)
    },
  })),
  {
    name: 'nothing moves for those who asked for less motion',
    run: async ({ page, open, check }) => {
      for (const route of [
        '#/queue',
        '#/run/1285',
        '#/run/1290',
        '#/schedules',
        '#/machine',
        '#/new?template=digits',
      ]) {
        await open('tick=40', route)
        await page.waitForTimeout(250)
        const moving = await page.evaluate(() =>
          document
            .getAnimations()
            .filter((one) => Number(one.effect?.getComputedTiming().duration) > 1)
            .map((one) => one.effect?.target?.className?.toString()),
        )
        check(moving.length === 0, `${route}: ${moving.join(', ')} moves`)
      }
    },
  },
]
