// Input methods: the key that takes or dismisses a candidate is theirs, and does nothing else.
import { asked, at } from './pretend.mjs'

/** Presses a key as Chromium tells it while one composes, and as WebKit does when that has just ended. */
async function compose(page, field, key) {
  for (const how of [{ isComposing: true }, { keyCode: 229 }])
    await page
      .locator(field)
      .evaluate((node, init) => node.dispatchEvent(new KeyboardEvent('keydown', { bubbles: true, ...init })), {
        key,
        ...how,
      })
}

export const composing = [
  {
    name: 'a candidate of an input method is taken in the palette without a choice, and dismissed without a goodbye',
    run: async ({ page, open, check }) => {
      await open('tick=0')
      await page.keyboard.press('Control+k')
      await page.fill('[role=combobox]', '#1291')
      await page.waitForSelector('[role=option]')
      await compose(page, '[role=combobox]', 'Enter')
      await compose(page, '[role=combobox]', 'Escape')
      check((await at(page)) === '#/queue' && (await page.isVisible('[role=dialog]')), `it went to ${await at(page)}`)
      await page.keyboard.press('Enter')
      await page.waitForFunction(() => location.hash === '#/run/1291')
    },
  },
  {
    name: 'a candidate of an input method is taken while a run is renamed, and the name is still written on',
    run: async ({ page, open, check }) => {
      await open('tick=0', '#/run/1293')
      await page.click('.acts [aria-haspopup=menu]')
      await page.click('[role=menuitem]:has-text("Rename")')
      await page.fill('input.edit', '数字')
      await compose(page, 'input.edit', 'Escape')
      await compose(page, 'input.edit', 'Enter')
      check((await asked(page, 'wish')).length === 0, 'it was renamed too early')
      await page.keyboard.press('Enter')
      await page.waitForSelector('h1 >> text=数字')
    },
  },
  {
    name: 'a candidate of an input method is dismissed in the wizard, in a schedule and in the log, and all stays as it is',
    run: async ({ page, open, check }) => {
      await open('tick=0', '#/new?template=digits')
      await page.waitForSelector('#p-epochs')
      await compose(page, '#p-epochs', 'Escape')
      check((await at(page)).startsWith('#/new'), 'the wizard was left')
      await open('tick=0', '#/schedules')
      await page.locator('article', { hasText: 'Digits, nightly' }).locator('[aria-haspopup=menu]').click()
      await page.click('[role=menuitem]:has-text("Edit")')
      await page.waitForSelector('#edit-name')
      await compose(page, '#edit-name', 'Escape')
      check(await page.isVisible('#edit-name'), 'the edit was thrown away')
      await open('tick=0', '#/run/1285/log')
      await page.fill('.find input', 'epoch')
      await compose(page, '.find input', 'Escape')
      check((await page.inputValue('.find input')) === 'epoch', 'what was searched is gone')
    },
  },
]
