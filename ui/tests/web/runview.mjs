// What the page of a run says of it in each of its states.
import { asked, at } from './pretend.mjs'

export const runview = [
  {
    name: 'a completed run begins with its result, and can be run again from its head',
    run: async ({ page, open, check }) => {
      await open('tick=0', '#/run/1293')
      const side = page.locator('.right')
      await side.locator('.big', { hasText: '0.9780' }).waitFor()
      const said = (await side.textContent()).replace(/\s+/g, ' ')
      for (const part of ['Result', 'val_accuracy · step 1,640', 'the best so far', 'Ran for', '41 s', 'loss'])
        check(said.includes(part), `no "${part}" in ${said}`)
      check(!said.includes('It printed no metrics'), said)
      await page.click('.rhead >> text=Run again with changes')
      check((await at(page)) === '#/new?like=1293', await at(page))
    },
  },
  {
    name: 'a line of the log that has no room is shown whole, by a click or by keys, and can be copied',
    size: [760, 600],
    run: async ({ page, open, check, audit, shots }) => {
      await open('tick=0', '#/run/1292/log')
      const last = page.locator('.l[data-n="4122"]')
      await last.waitFor()
      check((await last.getAttribute('title')).endsWith('Tried to allocate 1.50 GiB'), 'no title')
      await last.click()
      const whole = page.locator('.whole')
      await whole.locator('text=Tried to allocate 1.50 GiB').waitFor()
      const [row, panel] = [await last.boundingBox(), await whole.boundingBox()]
      check(row.y + row.height <= panel.y + 1, 'the panel hides its line')
      await audit()
      await page.screenshot({ path: `${shots}log-line.png` })
      await whole.locator('text=Copy line').click()
      const [[text]] = await asked(page, 'copy')
      check(text.startsWith('RuntimeError') && text.endsWith('1.50 GiB'), text)
      await page.click('[aria-label="Close line"]')
      check((await whole.count()) === 0, 'it stays open')
      // The log has the focus again.
      await page.keyboard.press('Enter')
      await page.keyboard.press('ArrowUp')
      await whole.locator('text=Line 4,121').waitFor()
      check((await page.locator('.l.cur').getAttribute('data-n')) === '4121', 'another row is marked')
      await page.keyboard.press('Escape')
      check((await whole.count()) === 0 && (await at(page)).includes('log'), 'Escape leaves it')
      await page.locator('.l[data-n="4116"]').click()
      check((await whole.count()) === 0, 'a line that has room is opened')
    },
  },
  {
    name: 'a paused run has no end, and stands still wherever it is shown',
    run: async ({ page, open, check }) => {
      await open('tick=0')
      await page.click('text=Pause all')
      await page.locator('#now-title', { hasText: 'Paused' }).waitFor()
      await page.evaluate(() => (location.hash = '#/run/1285'))
      await page.waitForSelector('.node.paused .s-paused')
      const head = page.locator('.rhead')
      const said = await head.textContent()
      check(said.includes('about 2 h 10 m of work left') && !/Left|Ends/.test(said), said)
      check((await page.locator('.stations .s-paused').count()) === 1, 'its stage moves in the head')
      check((await page.locator('.s-running').count()) === 0, 'something moves')
      check((await page.locator('.node.paused').textContent()).includes('Paused · 45%'), 'not the node')
      await page.click('[role=tab] >> text=Log')
      await page.locator('.rhead.slim', { hasText: 'about 2 h 10 m of work left' }).waitFor()
      check(!(await head.textContent()).includes('ends'), await head.textContent())
    },
  },
  {
    name: 'the stages fit their card, and where they cannot, an edge says that there is more',
    size: [1240, 800],
    run: async ({ page, open, check }) => {
      await open('tick=0', '#/run/1285')
      await page.waitForSelector('.node')
      const dag = page.locator('.dag')
      const over = () => dag.evaluate((e) => e.scrollWidth - e.clientWidth)
      check((await over()) === 0, `clipped by ${await over()} px`)
      check((await page.locator('.dag.before, .dag.after').count()) === 0, 'faded')
      await page.setViewportSize({ width: 560, height: 600 })
      await page.waitForSelector('.dag.after:not(.before)[tabindex="0"]')
      await dag.evaluate((e) => (e.scrollLeft = e.scrollWidth))
      await page.waitForSelector('.dag.before:not(.after)')
    },
  },
]
