// What the page does often, and so must do cheaply: bars, rows that come and go, and bars of scrolling.

export const frames = [
  {
    name: 'what is told ten times a second glides nowhere; a long way does',
    motion: true,
    run: async ({ page, open, check }) => {
      await open('tick=0')
      await page.waitForSelector('.rcard .line u')
      const seen = await page.evaluate(async () => {
        const { runs } = await window.pretend.list({ statuses: ['running'], limit: 1, offset: 0 })
        const run = await window.pretend.show(runs[0].number)
        const bars = [...document.querySelectorAll('.rcard')]
          .find((card) => card.textContent.includes(run.name))
          .querySelectorAll('.line u')
        const at = run.stages.findIndex((stage) => stage.status === 'running')
        let seq = 1
        // How many parts of a hundred the bar stands at, and what moves.
        const tell = async (progress) => {
          const stages = run.stages.map((stage, i) => (i === at ? { ...stage, progress } : stage))
          window.pretend.emit({
            kind: 'changes',
            from: seq,
            seq: ++seq,
            active: [{ ...run, progress, stages }],
            gone: [],
          })
          await new Promise(requestAnimationFrame)
          await new Promise(requestAnimationFrame)
          const glides = document.getAnimations().filter((one) => one instanceof CSSTransition).length
          return { width: bars[at].style.width, glides }
        }
        await tell(0.2)
        await new Promise((done) => setTimeout(done, 600))
        return [await tell(0.2004), await tell(0.204), await tell(0.2081), await tell(0.6)]
      })
      const [unseen, near, nearer, far] = seen
      check(unseen.width === '20%', `what nobody can see is painted: ${JSON.stringify(seen)}`)
      check(near.width === '20.4%' && nearer.width === '20.81%', `it stands still: ${JSON.stringify(seen)}`)
      check(near.glides + nearer.glides === 0, `a short way glides: ${JSON.stringify(seen)}`)
      check(far.width === '60%' && far.glides >= 2, `a long way does not: ${JSON.stringify(seen)}`)
    },
  },
  {
    name: 'the menu of an ended row stands beside it, is of its run however one scrolled, and gives the focus back',
    run: async ({ page, open, check }) => {
      await open('tick=0')
      await page.waitForSelector('.ended')
      await page.evaluate(() => document.querySelector('.body').scrollTo(0, 20_000))
      await page.waitForFunction(() => document.querySelectorAll('.ended').length > 20)
      const row = page.locator('.ended:has(.s-completed)').nth(14)
      const name = await row.locator('.c-name').textContent()
      const number = /\d+$/.exec(await row.locator('.c-name').getAttribute('href'))[0]
      const same = page.locator('.ended').filter({ has: page.locator(`a[href="#/run/${number}"]`) })
      const button = same.getByRole('button', { name: 'More' })
      const focused = () => button.evaluate((node) => node === document.activeElement)
      await button.focus()
      await page.keyboard.press('Enter')
      await page.waitForFunction(() => document.activeElement.getAttribute('role') === 'menuitem')
      check((await page.locator('[aria-expanded=true]').count()) === 1, 'another one is open')
      check((await button.getAttribute('aria-expanded')) === 'true', 'it is not said to be open')
      const [of, list] = [await button.boundingBox(), await page.locator('[role=menu]').boundingBox()]
      const gap = Math.min(Math.abs(list.y - of.y - of.height), Math.abs(of.y - list.y - list.height))
      check(gap < 12 && Math.abs(of.x + of.width - list.x - list.width) < 2, JSON.stringify({ of, list }))
      await page.keyboard.press('Escape')
      await page.waitForSelector('[role=menu]', { state: 'detached' })
      check(await focused(), 'the focus is lost after Escape')
      await page.keyboard.press('Enter')
      await page.waitForSelector('[role=menuitem]:focus')
      await page.keyboard.press('Shift+Tab')
      check(await focused(), 'Shift+Tab does not lead back to the button')
      await page.keyboard.press('Enter')
      await page.waitForSelector('[role=menuitem]:focus')
      await page.keyboard.press('Tab')
      const next = await page.evaluate(
        () => document.activeElement.closest('.ended')?.querySelector('.c-name').textContent,
      )
      check(next !== undefined && next !== name, `Tab leads to ${next}`)
      // Its row goes on without it.
      await button.click()
      await page.waitForSelector('[role=menu]')
      await page.evaluate(() => document.querySelector('.body').scrollBy(0, 360))
      await page.waitForSelector('[role=menu]', { state: 'detached' })
      // Where it is brought into view first, that is a scroll of its own, told a frame later.
      await button.scrollIntoViewIfNeeded()
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))))
      await button.click()
      await page.click('[role=menuitem] >> text=Delete')
      await page.waitForSelector('.toast')
      check((await page.locator('.toast').textContent()).includes(name), `not ${name}`)
      await same.waitFor({ state: 'detached' })
    },
  },
  {
    name: 'the focus stays with its run while other rows come and go',
    run: async ({ page, open, check }) => {
      await open('tick=0')
      await page.waitForSelector('.ended')
      await page.evaluate(() => document.querySelector('.body').scrollTo(0, 20_000))
      await page.waitForFunction(() => document.querySelectorAll('.ended').length > 20)
      const went = await page.evaluate(async () => {
        const body = document.querySelector('.body')
        const link = document.querySelectorAll('.ended .c-name')[20]
        const to = link.getAttribute('href')
        link.focus({ preventScroll: true })
        for (let i = 0; i < 60; i++) {
          body.scrollTop += 90
          await new Promise(requestAnimationFrame)
          const now = document.activeElement
          if (now !== document.body && now.getAttribute('href') !== to)
            return `${to} became ${now.getAttribute('href')}`
        }
        return null
      })
      check(went === null, went)
    },
  },
  {
    name: 'bars of scrolling are seen once somebody touches something, not where a window comes up under the pointer',
    run: async ({ page, open, check }) => {
      const untouched = () => page.evaluate(() => document.documentElement.classList.contains('untouched'))
      const moved = (x, y) =>
        page.evaluate(([x, y]) => dispatchEvent(new PointerEvent('pointermove', { screenX: x, screenY: y })), [x, y])
      await open('tick=0')
      check(await untouched(), 'touched from the beginning')
      await moved(400, 300)
      check(await untouched(), 'where the pointer stands is taken for a touch')
      await moved(400, 300)
      check(await untouched(), 'a pointer that stands still is taken for a touch')
      await moved(400, 302)
      check(!(await untouched()), 'a pointer that moves is none')
      const touches = {
        mouse: async () => {
          await page.mouse.move(400, 300)
          await page.mouse.move(420, 300)
        },
        press: () => page.mouse.down(),
        wheel: () => page.mouse.wheel(0, 10),
        key: () => page.keyboard.press('Shift'),
      }
      for (const [how, touch] of Object.entries(touches)) {
        await open(`tick=0&by=${how}`)
        check(await untouched(), `${how}: touched from the beginning`)
        await touch()
        await page
          .waitForFunction(() => !document.documentElement.classList.contains('untouched'), undefined, {
            timeout: 3000,
          })
          .catch(() => check(false, `${how} is no touch`))
      }
    },
  },
]
