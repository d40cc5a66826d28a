// Where the focus is after what had it has gone, and what the window is called then.

/** Until the focus is there. */
async function on(page, selector) {
  const there = page.waitForFunction((s) => document.activeElement?.matches(s), selector, { timeout: 8000 })
  await there.catch(async () => {
    const found = await page.evaluate(() => document.activeElement?.className)
    throw new Error(`the focus is not on ${selector} but on ${found}`)
  })
}
async function called(page, title) {
  const so = page.waitForFunction((t) => document.title === t, title, { timeout: 8000 })
  await so.catch(async () => {
    throw new Error(`the window is not called ${title} but ${await page.title()}`)
  })
}

export const focus = [
  {
    name: 'focus: a place that is gone to has it and gives the window its name; at the start it is nowhere',
    run: async ({ page, open, check }) => {
      await open('tick=0')
      await page.waitForSelector('.next .c-name')
      await called(page, 'Queue – Footplate')
      check(await page.evaluate(() => document.activeElement === document.body), 'taken at the start')
      const link = page.locator('.next .c-name').first()
      const name = await link.textContent()
      await link.focus()
      await page.keyboard.press('Enter')
      await on(page, '#main')
      await called(page, `${name} – Footplate`)
      check((await page.getAttribute('#main', 'aria-label')) === name, 'the place is not told')
      check((await page.evaluate(() => getComputedStyle(document.activeElement).boxShadow)) === 'none', 'a ring')
      await page.keyboard.press('Escape')
      await page.waitForFunction(() => location.hash === '#/queue')
      await called(page, 'Queue – Footplate')
      await page.locator('header.bar a.btn').focus()
      await page.keyboard.press('Enter')
      await on(page, 'h1')
      await called(page, 'New run – Footplate')
    },
  },
  {
    name: 'focus: a field that takes the place of something gives it back by Enter and Escape',
    run: async ({ page, open }) => {
      const edit = async (item) => {
        await page.keyboard.press('Enter')
        await page.waitForSelector('[role=menu]')
        await page.click(`[role=menuitem] >> text=${item}`)
        await on(page, 'input')
      }
      await open('tick=0', '#/run/1285')
      await page.locator('.acts [aria-haspopup=menu]').focus()
      for (const key of ['Escape', 'Enter']) {
        await edit('Rename')
        await page.keyboard.type('another')
        await page.keyboard.press(key)
        await on(page, '.acts [aria-haspopup=menu]')
      }
      await page.waitForSelector('h1 >> text=another')
      await page.evaluate(() => (location.hash = '#/schedules'))
      await page.locator('article .acts [aria-haspopup=menu]').first().focus()
      await edit('Edit')
      await page.keyboard.press('Escape')
      await on(page, 'article .acts [aria-haspopup=menu]')
    },
  },
]
