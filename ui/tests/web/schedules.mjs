// Work that repeats: looked at, started, paused and removed on its page; made in the wizard and from a run.
import { asked } from './pretend.mjs'

const wishes = async (page) => (await asked(page, 'wish')).map(([, wish]) => wish)
const row = (page, name) => page.locator('article', { hasText: name })

export const schedules = [
  {
    name: 'schedules: when each is due, how its last run ended, what was missed and why',
    run: async ({ page, open, check, audit }) => {
      await open('tick=0', '#/schedules')
      const nightly = row(page, 'Digits, nightly')
      await nightly.waitFor()
      const text = await nightly.textContent()
      for (const part of ['Handwritten digits', 'Every day at 02:30', '30 2 * * *', '#1293', 'Completed', '2 missed'])
        check(text.includes(part), `${part} is not in: ${text}`)
      const next = nightly.locator('.next p').first()
      check(/^\s*in .+/.test(await next.textContent()), await next.textContent())
      check(/\d{4}, 02:30:00/.test(await next.getAttribute('title')), await next.getAttribute('title'))
      check((await row(page, 'Churn').textContent()).includes('Paused'), 'a paused one looks as if it came')
      check((await row(page, 'Voice clone').textContent()).includes('Pacific/Chatham'), 'another time zone is not told')
      const monthly = await row(page, 'Churn').textContent()
      check(monthly.includes('Day 1 of each month at 04:15') && monthly.includes('15 4 1 * *'), monthly)
      await nightly.getByText('2 missed').click()
      await nightly.getByText('Nobody was there to start it; run #1201 made up for it.').waitFor()
      check(
        (await nightly.locator('.more p').allTextContents()).some((one) => one.includes('epochs = 40')),
        'no values',
      )
      await audit()
      await nightly.locator('a[href="#/run/1293"]').click()
      await page.waitForSelector('.rhead')
      await page.goto(page.url().replace(/\?.*/, '?tick=0&lang=zh-CN#/schedules'))
      await row(page, 'Digits, nightly').getByText('错过 2 次').click()
      await page.waitForSelector('text=当时没有启动；已由任务 #1201 补上。')
    },
  },
  {
    name: 'schedules: started now, paused, removed with a change of mind, and whether one stays for them',
    run: async ({ page, open, check, audit }) => {
      await open('tick=0', '#/schedules')
      await row(page, 'Digits, nightly').getByText('Run now').click()
      await page.waitForSelector('.toast >> text=started run #')
      check(JSON.stringify(await asked(page, 'runSchedule')) === '[["Digits, nightly"]]', 'another one was started')
      await audit()
      await row(page, 'Sync recordings').getByRole('switch').click()
      await row(page, 'Sync recordings').getByText('Paused').waitFor()
      await row(page, 'Sync recordings').getByRole('switch').click()
      await row(page, 'Sync recordings').getByText('in 6 h').waitFor()
      const menu = async (name) => {
        await row(page, name).locator('[aria-haspopup=menu]').click()
        await page.click('[role=menuitem]:has-text("Remove")')
        await row(page, name).waitFor({ state: 'detached' })
      }
      await menu('Churn')
      await page.click('text=Undo')
      await row(page, 'Churn').waitFor()
      await page.getByRole('switch', { name: 'Stay ready' }).click()
      await page.waitForSelector('text=Starts wait until Footplate is open')
      const done = [
        { kind: 'schedule', args: { name: 'Sync recordings', enabled: false } },
        { kind: 'schedule', args: { name: 'Sync recordings', enabled: true } },
        { kind: 'schedules', args: { keep_owner: false } },
      ]
      check(JSON.stringify(await wishes(page)) === JSON.stringify(done), JSON.stringify(await wishes(page)))
      await menu('Churn')
      // What was not undone is done when the notice goes, or the page.
      await page.evaluate(() => window.dispatchEvent(new Event('pagehide')))
      check((await wishes(page)).at(-1).args.remove === true, 'it was not removed')
    },
  },
  {
    name: 'schedules: the first one is made in the wizard, and what is wrong with its time is said there',
    run: async ({ page, open, check, audit }) => {
      await open('tick=0&world=empty', '#/schedules')
      await page.click('text=New schedule')
      await page.waitForSelector('h1 >> text=What should run again and again?')
      check((await page.title()).startsWith('New schedule'), await page.title())
      await page.waitForSelector('.rail >> text=Check and schedule')
      await page.click('.template')
      await page.click('footer >> text=Continue')
      check(await page.isChecked('input[value=repeat]'), 'it was not what was asked for')
      await page.selectOption('[aria-label="How often"]', 'cron')
      const cron = page.getByLabel('Minute, hour, day, month, day of the week')
      await cron.fill('61 2 * * *')
      await page.waitForSelector('text="61" cannot be the minute of a schedule (field 1).')
      check(await page.locator('footer .pri').isDisabled(), 'it goes on with a time that is none')
      await audit()
      await cron.fill('30 2 * * *')
      await page.waitForSelector('text=Next:')
      await page.fill('#w-name', 'Nightly look')
      await page.click('footer >> text=Continue')
      await page.waitForSelector('.code')
      await page.waitForSelector('h1 >> text=Ready to be scheduled')
      const aside = await page.textContent('.waside')
      check(aside.includes('Every day at 02:30'), `beside the check it says: ${aside}`)
      await page.click('text=Make the schedule')
      await row(page, 'Nightly look').waitFor()
      const [[request, repeat]] = await asked(page, 'addSchedule')
      check(request.kind === 'template' && request.template === 'digits', JSON.stringify(request))
      const wanted = { name: 'Nightly look', timing: '30 2 * * *', zone: null, catch_up: 'once', overlap: 'skip' }
      check(JSON.stringify(repeat) === JSON.stringify(wanted), JSON.stringify(repeat))
      check((await asked(page, 'start')).length === 0, 'it was started, too')
    },
  },
  {
    name: 'schedules: a run is put on one from its menu, without a mouse; a name that is taken is said',
    run: async ({ page, open, check, audit }) => {
      await open('tick=0', '#/run/1293')
      await page.waitForSelector('.rhead')
      await page.focus('.acts [aria-haspopup=menu]')
      await page.keyboard.press('Enter')
      const item = page.locator('[role=menuitem]', { hasText: 'Run on a schedule' })
      await item.waitFor()
      while (!(await item.evaluate((one) => one === document.activeElement))) await page.keyboard.press('ArrowDown')
      await page.keyboard.press('Enter')
      await page.waitForSelector('[role=dialog] >> text=Next:')
      await audit()
      const name = page.getByLabel('Name of the schedule')
      check((await name.inputValue()) === 'digits-12', await name.inputValue())
      await name.fill('Sync recordings')
      await page.selectOption('[aria-label="How often"]', 'week')
      await page.selectOption('[aria-label="Day of the week"]', '0')
      await page.getByLabel('Time', { exact: true }).fill('04:05')
      await page.waitForSelector('[role=dialog] .pri:not([disabled])')
      await name.press('Enter')
      await page.waitForSelector('[role=alert] >> text=There is a schedule "Sync recordings" already.')
      await name.fill('Sundays')
      await name.press('Enter')
      await page.waitForSelector('.toast >> text=“Sundays” is scheduled')
      const [, [number, repeat]] = await asked(page, 'repeatRun')
      check(number === 1293 && repeat.timing === '5 4 * * 0', JSON.stringify(repeat))
      await page.click('.toast >> text=Show')
      await row(page, 'Sundays').getByText('Sunday at 04:05').waitFor()
    },
  },
  {
    name: 'schedules: one is edited where it stands, with the next times as one types, and what is wrong keeps it as it was',
    run: async ({ page, open, check, audit }) => {
      await open('tick=0', '#/schedules')
      const edit = async (name) => {
        await row(page, name).locator('[aria-haspopup=menu]').click()
        await page.click('[role=menuitem]:has-text("Edit")')
        await page.waitForSelector('form >> text=Next:')
      }
      await edit('Digits, nightly')
      const form = page.locator('article form')
      check((await form.getByLabel('Time', { exact: true }).inputValue()) === '02:30', 'another time stands there')
      check((await form.locator('#p-epochs').inputValue()) === '40', 'another value stands there')
      await form.getByLabel('Time zone').fill('Europe/Nowhere')
      await page.waitForSelector('form >> text=There is no time zone "Europe/Nowhere".')
      check(await form.locator('.pri').isDisabled(), 'it is saved with a zone that is none')
      await audit()
      await form.getByLabel('Time zone').fill('Asia/Tokyo')
      await form.getByLabel('Time', { exact: true }).fill('04:05')
      await page.waitForSelector('form .next >> text=in your own time')
      await form.locator('#p-epochs').fill('0')
      check(await form.locator('.pri').isDisabled(), 'it is saved with a value that is none')
      await form.locator('#p-epochs').fill('60')
      await form.getByLabel('Name of the schedule').fill('Churn, first of the month')
      await form.locator('.pri').click()
      await page.waitForSelector('[role=alert] >> text=There is a schedule "Churn, first of the month" already.')
      await form.getByLabel('Name of the schedule').fill('Digits, early')
      await form.getByLabel('Name of the schedule').press('Enter')
      await form.waitFor({ state: 'detached' })
      await row(page, 'Digits, early').getByText('Every day at 04:05').waitFor()
      const [name, said] = (await asked(page, 'editSchedule')).at(-1)
      const wanted = {
        name: 'Digits, early',
        timing: '5 4 * * *',
        zone: 'Asia/Tokyo',
        catch_up: 'once',
        overlap: 'skip',
        params: { epochs: 60 },
        unset: [],
      }
      check(name === 'Digits, nightly' && JSON.stringify(said) === JSON.stringify(wanted), JSON.stringify(said))
      // What was begun and given up changes nothing.
      await edit('Sync recordings')
      await form.getByLabel('Name of the schedule').press('Escape')
      await form.waitFor({ state: 'detached' })
      check((await asked(page, 'editSchedule')).length === 2, 'it was saved')
    },
  },
]
