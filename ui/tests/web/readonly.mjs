// What a newer version wrote is shown on every screen as what it is, and nothing that can only fail can be pressed.
import { asked } from './pretend.mjs'

const REASON = 'Nothing can be changed here'
/** Of these, which can be pressed. */
const live = (page, places) =>
  page.evaluate(
    (all) =>
      all.flatMap((place) => {
        const found = [...document.querySelectorAll(place)]
        if (found.length === 0) return [`${place}: none`]
        return found.filter((one) => !one.disabled).map((one) => `${place}: ${one.textContent || one.ariaLabel}`)
      }),
    places,
  )

const SCREENS = [
  ['#/queue', ['article .acts .btn', '.now .r .btn', '.next .quick .btn:not([aria-haspopup])']],
  ['#/queue?queue=maintenance', ['.chipline .btn']],
  ['#/run/1285', ['.rhead .acts > .btn', '.rhead .stop > .btn']],
  ['#/run/1292', ['.fail .acts .btn:not(:first-child)']],
  ['#/run/1285/files', ['[aria-pressed]']],
  ['#/schedules', ['.acts > .btn', '[role=switch]']],
  ['#/machine', ['.tb .step button', '[role=switch]']],
  ['#/settings', ['input[type=number]']],
  ['#/new?template=digits', ['.wfoot .pri']],
]

export const readonly = [
  {
    name: 'readonly: every screen says so, and what would be refused cannot be pressed',
    run: async ({ page, open, check, audit }) => {
      for (const [route, places] of SCREENS) {
        await open('tick=0&newer', route)
        await page.waitForSelector('.banner >> text=A newer version of Footplate wrote the store')
        await page.waitForSelector(places[0])
        const found = await live(page, places)
        check(found.length === 0, `${route} ${found.join('; ')}`)
        const title = await page
          .locator(places[0])
          .first()
          .evaluate((one) => one.closest('[title]')?.title ?? '')
        check(title.startsWith(REASON), `${route}: ${title}`)
        await audit()
      }
      check((await asked(page, 'wish')).length === 0, 'something was asked for')
    },
  },
  {
    name: 'readonly: a list of deeds shows them, says why not, and does none; the wizard is not started by a key',
    run: async ({ page, open, check }) => {
      await open('tick=0&newer')
      const row = page.locator('.ended').first()
      await row.locator('.grow').click({ button: 'right' })
      const gone = page.locator('[role=menuitem]', { hasText: 'Delete' })
      await gone.waitFor()
      check((await gone.getAttribute('aria-disabled')) === 'true', 'it can be pressed')
      check((await gone.getAttribute('title')).startsWith(REASON), 'it does not say why')
      await gone.click({ force: true })
      check((await page.locator('.toast').count()) === 0, 'it is deleted')
      await page.keyboard.press('Escape')
      const order = () => page.locator('.next .c-name').allTextContents()
      const before = (await order()).join()
      await page.locator('.next .c-name').nth(2).focus()
      await page.keyboard.press('Alt+ArrowUp')
      check((await page.locator('.next .grip').count()) === 0, 'it can be dragged')
      check((await order()).join() === before, 'it was moved')
      await open('tick=0&newer', '#/new?template=digits')
      await page.waitForSelector('.wfoot')
      for (let i = 0; i < 4; i++) {
        await page.keyboard.press('Control+Enter')
        await page.waitForTimeout(150)
      }
      check((await asked(page, 'wish')).length + (await asked(page, 'start')).length === 0, 'something was asked for')
    },
  },
]
