// Keys of the window: whose they are on which system, and where they are not its own.
import { at } from './pretend.mjs'

const SYSTEMS = [
  ['MacIntel', 'Meta', 'Control'],
  ['Linux x86_64', 'Control', 'Meta'],
]

export const keys = [
  ...SYSTEMS.map(([system, own, other]) => ({
    name: `keys: on ${system} ${own} commands the window, and ${other}, Alt and Shift do not`,
    run: async ({ page, open, check }) => {
      await page.addInitScript(
        (name) => Object.defineProperty(Navigator.prototype, 'platform', { get: () => name }),
        system,
      )
      await open('tick=0', '#/run/1285/log')
      const find = page.locator('input[type=search]')
      await page.locator('.log').focus()
      for (const held of [other, `${own}+Shift`, `${own}+Alt`])
        for (const letter of ['k', 'n', 'f']) await page.keyboard.press(`${held}+${letter}`)
      check((await at(page)) === '#/run/1285/log', await at(page))
      check((await page.locator('[role=dialog]').count()) === 0, 'the palette came')
      check(!(await find.evaluate((one) => one === document.activeElement)), 'it searches')
      await page.keyboard.press(`${own}+f`)
      check(await find.evaluate((one) => one === document.activeElement), 'it does not search')
      await page.keyboard.press(`${own}+k`)
      await page.waitForSelector('[role=dialog]')
      await page.keyboard.press(`${own}+k`)
      await page.waitForSelector('[role=dialog]', { state: 'detached' })
      await page.keyboard.press(`${own}+n`)
      await page.waitForFunction(() => location.hash === '#/new')
    },
  })),
  {
    name: 'keys: none reaches through a panel',
    run: async ({ page, open, check }) => {
      await open('tick=0', '#/run/1285')
      await page.waitForSelector('[role=tab]')
      await page.keyboard.press('?')
      await page.waitForSelector('[role=dialog]')
      for (const key of ['2', 'g', 'm', 'Control+n']) await page.keyboard.press(key)
      check((await at(page)) === '#/run/1285', await at(page))
      await page.keyboard.press('Escape')
      await open('tick=0', '#/templates')
      await page.locator('.place .more button').first().click()
      await page.click('[role=menuitem] >> text=Rename')
      await page.locator('[role=dialog] button').first().focus()
      for (const key of ['g', 'm', '?', 'Control+k']) await page.keyboard.press(key)
      check((await at(page)) === '#/templates', await at(page))
      check((await page.locator('[role=dialog]').count()) === 1, 'a second panel')
    },
  },
]
