// A row is its run wherever it is pressed, and has the list of its deeds under the other button, and under the menu key.
import { asked, at } from './pretend.mjs'

const back = async (page) => {
  await page.evaluate(() => (location.hash = '#/queue'))
  await page.waitForSelector('.ended .c-name')
}
const items = (page) => page.locator('[role=menuitem]').allTextContents()

export const rows = [
  {
    name: 'rows: a press anywhere on a row or a card opens the run, one on a control does not',
    run: async ({ page, open, check }) => {
      await open('tick=0')
      for (const place of [
        '.ended >> nth=2 >> .grow',
        '.ended >> nth=2 >> .c-took',
        '.next .li .why',
        'article .mid',
      ]) {
        const row = page.locator(place).first()
        const number = await row.evaluate((one) => one.closest('[data-run]').dataset.run)
        await row.click()
        await page.waitForFunction((n) => location.hash === `#/run/${n}`, number)
        await back(page)
      }
      const row = page.locator('.ended').nth(2)
      await row.locator('input[type=checkbox]').check()
      await row.locator('.grow').click({ modifiers: ['Control'] })
      await row.locator('.grow').click({ button: 'middle' })
      await page.click('article >> nth=0 >> [aria-label=Pause]')
      // A handle that is let go where it was taken is no press on the row.
      await page.locator('.next .li').nth(1).hover()
      const grip = await page.locator('.next .li .grip').nth(1).boundingBox()
      await page.mouse.move(grip.x + 6, grip.y + 6)
      await page.mouse.down()
      await page.mouse.move(grip.x + 90, grip.y + 8, { steps: 4 })
      await page.mouse.up()
      check((await at(page)) === '#/queue', await at(page))
    },
  },
  {
    name: 'rows: the other button and the menu key open the list that the row has',
    run: async ({ page, open, check, audit }) => {
      await open('tick=0')
      const row = page.locator('.ended').nth(2)
      const more = row.locator('[aria-haspopup=menu]')
      await row.hover()
      await more.click()
      await page.waitForSelector('[role=menu]')
      const wanted = await items(page)
      await page.keyboard.press('Escape')
      const box = await row.locator('.grow').boundingBox()
      await row.locator('.grow').click({ button: 'right', position: { x: 20, y: 10 } })
      await page.waitForSelector('[role=menu]')
      check((await items(page)).join() === wanted.join(), (await items(page)).join())
      const menu = await page.locator('[role=menu]').boundingBox()
      const beside = menu.y < box.y + 12 && menu.y + menu.height > box.y
      check(
        Math.abs(menu.x - box.x - 20) < 3 && beside,
        `it stands at ${JSON.stringify(menu)}, not at ${JSON.stringify(box)}`,
      )
      await audit()
      // A press beside it puts it away, and opens nothing.
      await page.locator('.ended').nth(5).locator('.grow').click()
      await page.waitForSelector('[role=menu]', { state: 'detached' })
      check((await at(page)) === '#/queue', 'the press opened a run, too')
      for (const key of ['Shift+F10', 'ContextMenu'])
        for (const place of [
          '.ended >> nth=2 >> .c-name',
          '.next .li >> nth=0 >> .c-name',
          'article >> nth=0 >> .who',
        ]) {
          await page.locator(place).focus()
          await page.keyboard.press(key)
          await page.waitForFunction(() => document.activeElement?.getAttribute('role') === 'menuitem')
          check((await page.locator('[role=menu]').count()) === 1, 'more than one list')
          await page.keyboard.press('Escape')
          await page.waitForSelector('[role=menu]', { state: 'detached' })
          const inRow = await page.evaluate(() => document.activeElement.closest('[data-run]') !== null)
          check(inRow, `${key}: the focus is lost`)
        }
      check((await asked(page, 'wish')).length === 0, 'something was asked for')
    },
  },
  {
    name: 'rows: what the list of a card stops asks first, as its button does, and so does the palette',
    run: async ({ page, open, check }) => {
      await open('tick=0')
      await page.locator('article .mid').first().click({ button: 'right' })
      await page.click('[role=menuitem] >> text=Stop')
      await page.waitForFunction(() => document.activeElement?.textContent === 'Keep running')
      await page.keyboard.press('Escape')
      await page.waitForSelector('[role=dialog]', { state: 'detached' })
      await open('tick=0', '#/run/1285')
      await page.waitForSelector('.rhead')
      await page.keyboard.press('Control+k')
      await page.getByRole('combobox').fill('stop')
      await page.waitForSelector('[role=option] >> text=Stop')
      await page.keyboard.press('Enter')
      await page.waitForFunction(() => document.activeElement?.textContent === 'Keep running')
      check((await asked(page, 'wish')).length === 0, 'it was stopped unasked')
    },
  },
]
