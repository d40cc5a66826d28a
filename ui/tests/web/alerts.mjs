// Alerts where they matter and no longer than they do; checkpoints that go, shown before they do.
import { asked } from './pretend.mjs'

export const alerts = [
  {
    name: 'a full disk is told above the runs, with the way to more room; a disk that fills up more quietly',
    run: async ({ page, open, check, audit }) => {
      for (const route of ['#/queue', '#/run/1285', '#/run/1285/log']) {
        await open('tick=0&fulldisk', route)
        await page.waitForSelector('.banner.bad >> text=310 MB free. Running work is paused until there is room.')
        await audit('colours')
      }
      await page.click('.banner >> text=Machine')
      await page.waitForSelector('.card:has-text("Disk free") em.bad')
      await open('tick=0&fulldisk=low')
      await page.waitForSelector('.banner:not(.bad) >> text=3.1 GB free. Nothing new starts below 5.4 GB.')
      check((await page.locator('.banner.bad').count()) === 0, 'as loud as a full one')
    },
  },
  {
    name: 'a run that is held says what it needs, and can be started again with changes',
    run: async ({ page, open, check }) => {
      await open('tick=0', '#/run/1290')
      const why = page.locator('.rhead .held', { hasText: 'needs the secret HF_TOKEN' })
      await why.waitFor()
      check((await page.locator('.rhead >> text=Pause').count()) === 0, 'pausing it changes nothing')
      await page.click('.rhead >> text=Run again with changes')
      await page.waitForFunction(() => location.hash === '#/new?like=1290')
    },
  },
  {
    name: 'alerts: told on the card and on the page of a run, gone once somebody has seen it',
    run: async ({ page, open, check, audit }) => {
      await open('tick=0')
      const text = 'val_auc has not improved on 0.9147 for 40 points.'
      await page.waitForSelector(`article:has-text("churn-xgb") >> text=${text}`)
      check((await page.locator('article .alarm').count()) === 1, 'the other card has none')
      const badge = () =>
        page.locator('[role=radio]:has-text("Needs a look"), button:has-text("Needs a look")').first().textContent()
      const before = await badge()
      await page.click(`article >> text=${text}`)
      await page.waitForSelector(`.alarms >> text=${text}`)
      await audit()
      await page.click('.alarms >> text=Dismiss')
      await page.waitForSelector('.alarms', { state: 'detached' })
      check(
        JSON.stringify(await asked(page, 'wish')) === '[[1286,{"kind":"dismiss","args":{"alert":3}}]]',
        'not asked so',
      )
      await page.goto(page.url().replace(/#.*/, '#/queue'))
      await page.waitForSelector('article:has-text("churn-xgb")')
      check((await page.locator('article .alarm').count()) === 0, 'still on the card')
      check((await badge()) === before, 'the list of what has ended never counted it')
    },
  },
  {
    name: 'alerts: checkpoints that are not kept are shown before they go',
    run: async ({ page, open, check, audit }) => {
      await open('tick=0', '#/run/1285/files')
      await page.waitForSelector('li:has-text("step-1200") >> text=best')
      await page.waitForSelector('li:has-text("step-1000") >> text=will be removed')
      await page.click('text=Remove 1 now')
      await page.waitForSelector('text=1 checkpoint goes, 48 MB')
      await audit()
      await page.click('button:text-is("Keep")')
      check((await asked(page, 'wish')).length === 0, 'asked before it was said')
      await page.click('text=Remove 1 now')
      await page.click('button:text-is("Remove")')
      await page.waitForSelector('li:has-text("step-1000")', { state: 'detached' })
      check((await asked(page, 'wish'))[0][1].kind === 'clean_checkpoints', 'not asked so')
      check((await page.locator('li:has-text("step-800")').count()) === 1, 'another one went too')
    },
  },
  {
    name: 'alerts: a checkpoint that is pinned stays, until the pin is taken out',
    run: async ({ page, open, check, audit }) => {
      await open('tick=0', '#/run/1285/files')
      const row = page.locator('li:has-text("step-1000")')
      await row.locator('text=will be removed').waitFor()
      await row.getByRole('button', { name: 'Keep ckpt/step-1000' }).click()
      await row.locator('.chip:text-is("pinned")').waitFor()
      check((await page.locator('text=Remove 1 now').count()) === 0, 'nothing is left to remove')
      await audit()
      const asks = async () => (await asked(page, 'wish')).map((one) => one[1].args)
      check(JSON.stringify(await asks()) === '[{"checkpoint":"c2","pinned":true}]', JSON.stringify(await asks()))
      await row.locator('[aria-pressed=true]').click()
      await row.locator('text=will be removed').waitFor()
      check((await asks())[1].pinned === false, 'the pin was not taken out')
    },
  },
  {
    name: 'alerts: each kind of notification has its switch',
    run: async ({ page, open, check }) => {
      await open('tick=0', '#/settings')
      for (const key of ['notify_stalled', 'notify_alert']) {
        check((await page.getAttribute(`#${key}`, 'aria-checked')) === 'true', key)
        await page.click(`#${key}`)
        await page.waitForSelector(`#${key}[aria-checked=false]`)
      }
      const last = (await asked(page, 'setSettings')).at(-1)[0]
      check(last.notify_stalled === false && last.notify_alert === false && last.notify_disk, JSON.stringify(last))
    },
  },
]
