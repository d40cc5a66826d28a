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
    name: 'a legend tells what was measured, at the pointer too, and a schedule is not smoothed',
    run: async ({ page, open, check }) => {
      await page.addInitScript(() => {
        const pen = CanvasRenderingContext2D.prototype
        const old = Object.getOwnPropertyDescriptor(pen, 'strokeStyle')
        const set = function (color) {
          if (/^#\w{6}55$/.test(color)) this.canvas.dataset.pale = ''
          old.set.call(this, color)
        }
        Object.defineProperty(pen, 'strokeStyle', { ...old, set })
      })
      await open('tick=0', '#/run/1285/metrics')
      await page.waitForSelector('.panel:has-text("loss") canvas[data-pale]')
      await page.waitForSelector('.panel:has-text("tokens_per_s") canvas[data-pale]')
      check((await page.locator('.panel:has-text("learning_rate") canvas[data-pale]').count()) === 0, 'smoothed')
      const measured = await page.evaluate(async () => {
        const all = await window.pretend.metrics(1285, 2000)
        return Object.fromEntries(all.map((one) => [one.name, one.value]))
      })
      const legend = (chart) => chart.locator('.legend b').allTextContents()
      const loss = page.locator('.panel', { hasText: 'loss' }).first()
      const ends = [measured.train_loss.at(-1).toFixed(3), measured.val_loss.at(-1).toFixed(3)]
      check((await legend(loss)).join() === ends.join(), `${await legend(loss)} for ${ends}`)
      const { x, y, width, height } = await loss.locator('.u-over').boundingBox()
      await page.mouse.move(x + width * 0.55, y + height / 2)
      await loss.locator('.r', { hasText: 'step' }).waitFor()
      const step = Number((await loss.locator('.r').textContent()).replace(/\D/g, ''))
      // Validation was measured each 200 steps; training each 5.
      const wanted = [measured.train_loss[step / 5 - 1], measured.val_loss[Math.floor(step / 200) - 1]]
      const told = wanted.map((one) => one.toFixed(3)).join()
      check((await legend(loss)).join() === told, `${await legend(loss)} for ${told} at ${step}`)
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
  {
    name: 'an axis of steps begins at 0, its labels are whole, and no card repeats what the axis is',
    run: async ({ page, open, check }) => {
      await page.addInitScript(() => {
        const pen = CanvasRenderingContext2D.prototype
        const write = pen.fillText
        pen.fillText = function (text, x, y) {
          const wide = this.measureText(text).width
          const from = x - (this.textAlign === 'right' ? wide : this.textAlign === 'center' ? wide / 2 : 0)
          if (from < 0 || from + wide > this.canvas.width) this.canvas.dataset.cut = text
          if (text === '0' && this.textAlign === 'center') this.canvas.dataset.zero = ''
          write.call(this, text, x, y)
        }
      })
      await open('tick=0', '#/run/1285/metrics')
      await page.waitForFunction(() => document.querySelectorAll('.panel canvas[data-zero]').length === 4)
      const cut = await page.locator('canvas[data-cut]').evaluateAll((all) => all.map((one) => one.dataset.cut))
      check(cut.length === 0, `cut: ${cut}`)
      const said = await page.locator('.panel .phead').allTextContents()
      check(!said.join().includes('by step'), said.join())
    },
  },
  {
    name: 'what has not started says so, and what waits to be tried again shows nothing of before',
    run: async ({ page, open, check }) => {
      await open('tick=0', '#/run/1290/metrics')
      await page.locator('.empty', { hasText: 'It has not started yet.' }).waitFor()
      await page.evaluate(() => (location.hash = '#/run/1292'))
      await page.locator('.dial', { hasText: '13%' }).waitFor()
      await page.click('text=Retry as it was')
      await page.waitForSelector('.rhead .status.s-queued')
      const head = await page.locator('.rhead').textContent()
      check(!/13%|Elapsed/.test(head), head)
      check((await page.locator('.rhead .dial .d1').count()) === 0, 'the dial stands where it stood')
      await page.waitForSelector('.stations .s-queued')
    },
  },
  {
    name: 'the failure card begins with the stage and the step',
    run: async ({ page, open, check }) => {
      await open('tick=0', '#/run/1292')
      const detail = (await page.locator('.fail .top p').textContent()).trim().replace(/\s+/g, ' ')
      check(detail.startsWith('Stage train, step 212: Metal had no room'), detail)
      check((await page.locator('.fail .top b').textContent()) === 'train', 'the name does not stand out')
      await open('tick=0&lang=zh-CN', '#/run/1292')
      const zh = (await page.locator('.fail .top p').textContent()).trim()
      check(zh.startsWith('阶段 train，第 212 步：'), zh)
    },
  },
  {
    name: 'the ID of a run is whole at any width, and can be copied',
    run: async ({ page, open, check }) => {
      await open('tick=0', '#/run/1293/details')
      const id = page.locator('dd.id')
      for (const width of [760, 1240, 1500, 1920]) {
        await page.setViewportSize({ width, height: 800 })
        const cut = await id.evaluate((e) => [e, ...e.children].some((one) => one.scrollWidth > one.clientWidth + 1))
        check(!cut, `cut at ${width}`)
      }
      await page.click('[aria-label="Copy the ID"]')
      const [[text]] = await asked(page, 'copy')
      check(text === (await id.textContent()).trim(), text)
    },
  },
]
