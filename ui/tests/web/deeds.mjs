// What becomes of a deed when one presses twice, looks at what is deleted, or goes elsewhere meanwhile.
import { asked, at, hold, release } from './pretend.mjs'

const removeRun = (page, number) => page.evaluate((n) => window.pretend.wish(n, { kind: 'rm', args: {} }), number)

export const deeds = [
  {
    name: 'deeds: a run that is deleted on its own page gives way to the queue, and undo brings it back',
    run: async ({ page, open, check }) => {
      await open('tick=0', '#/run/1292')
      const name = await page.locator('h1').textContent()
      const row = page.locator('.ended .c-name', { hasText: name })
      await page.click('.rhead [aria-haspopup=menu]')
      await page.click('[role=menuitem] >> text=Delete')
      await page.waitForFunction(() => location.hash === '#/queue')
      await page.waitForSelector('.ended .c-name')
      check((await row.count()) === 0, 'still in the list')
      await page.click('.toast >> text=Undo')
      await row.waitFor()
      check((await asked(page, 'wish')).length === 0, 'it was removed all the same')
    },
  },
  {
    name: 'deeds: the page of a run that somebody else deleted says so',
    run: async ({ page, open }) => {
      await open('tick=0', '#/run/1292')
      await page.waitForSelector('.rhead')
      await removeRun(page, 1292)
      await page.waitForSelector('text=There is no run #1292', { timeout: 8000 })
      await page.waitForSelector('.rhead', { state: 'detached', timeout: 8000 })
    },
  },
  {
    name: 'deeds: two presses are one wish',
    run: async ({ page, open, check }) => {
      await open('tick=0', '#/run/1292')
      const retry = page.locator('.fail .acts button').last()
      await retry.evaluate((button) => {
        button.click()
        button.click()
      })
      await page.waitForSelector('.toast')
      const kinds = (await asked(page, 'wish')).map(([, wish]) => wish.kind)
      check(kinds.join() === 'retry', kinds.join())
    },
  },
  {
    name: 'deeds: a notice of what was found at the start stays closed',
    run: async ({ page, open, check }) => {
      await open('tick=0&recovered')
      await page.click('.banner.calm [aria-label=Close]')
      await page.click('nav >> text=Machine')
      await page.waitForFunction(() => location.hash === '#/machine')
      await page.click('nav >> text=Queue')
      await page.waitForSelector('.ended .c-name')
      check((await page.locator('.banner.calm').count()) === 0, 'it is back')
    },
  },
  {
    name: 'deeds: who has gone elsewhere while the sample was being started stays there, and is told',
    run: async ({ page, open, check }) => {
      await hold(page, 'start')
      await open('tick=0&world=empty')
      await page.click('.first .pri')
      await page.click('nav >> text=Machine')
      await page.waitForFunction(() => location.hash === '#/machine')
      await release(page, 0)
      await page.waitForSelector('.toast >> text=/Run #\\d+, “digits-\\d+”, is queued/')
      check((await at(page)) === '#/machine', await at(page))
      await page.click('.toast >> text=Show')
      await page.waitForFunction(() => location.hash.startsWith('#/run/'))
    },
  },
  {
    name: 'deeds: a setting that the palette could not keep is told',
    run: async ({ page, open, check }) => {
      await hold(page, 'setSettings')
      await open('tick=0')
      await page.keyboard.press('Control+k')
      await page.getByRole('combobox').fill('dark')
      await page.keyboard.press('Enter')
      await release(page, 0, { code: 'storage', message: 'No room for settings.', hints: [] })
      await page.waitForSelector('.toast >> text=No room for settings.')
      const theme = await page.evaluate(() => document.documentElement.dataset.theme)
      check(theme === 'light', `it looks as if it were kept: ${theme}`)
    },
  },
  {
    name: 'deeds: a run that is changed after it failed says why in the wizard, one that completed says nothing',
    run: async ({ page, open, check, audit }) => {
      await open('tick=0', '#/run/1292')
      await page.click('.fail >> text=Change settings and retry')
      const before = page.locator('.before')
      await before.getByText('Out of GPU memory').waitFor()
      check((await before.textContent()).includes('#1292'), await before.textContent())
      check((await before.textContent()).includes('Use a smaller batch'), 'nothing to try')
      await audit()
      // A draft that is taken up again has it, too.
      await page.waitForFunction(() => sessionStorage.getItem('fake-draft')?.includes('1292'))
      await open('tick=0', '#/new')
      await before.getByText('Out of GPU memory').waitFor()
      await before.locator('a').click()
      await page.waitForFunction(() => location.hash === '#/run/1292')
      await open('tick=0', '#/new?like=1293')
      await page.waitForSelector('.wfoot .pri')
      check((await before.count()) === 0, 'it says something of a run that completed')
    },
  },
  {
    name: 'deeds: what is deleted is compared no more, and undo chooses it again',
    run: async ({ page, open, check }) => {
      await open('tick=0')
      const rows = page.locator('.ended')
      for (const n of [0, 1]) await rows.nth(n).locator('input[type=checkbox]').check()
      await rows.first().hover()
      await rows.first().locator('[aria-label=More]').click()
      await page.click('[role=menuitem] >> text=Delete')
      await page.waitForSelector('p.chosen >> text=1 run chosen', { timeout: 8000 })
      await page.click('.toast >> text=Undo')
      await page.waitForSelector('p.chosen >> text=2 runs chosen')
      await removeRun(page, 1292)
      await page.evaluate(() => (location.hash = '#/compare?runs=1293,1292,1285'))
      await page.waitForSelector('h2:has-text("Parameters and results")', { timeout: 8000 })
      await page.waitForSelector('.toast >> text=1 of the chosen runs was deleted')
      check((await at(page)) === '#/compare?runs=1293,1285', await at(page))
    },
  },
]
