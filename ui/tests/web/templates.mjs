// Templates: what came from elsewhere and is asked about first, and those of one’s own.
import { asked, at, hold, release } from './pretend.mjs'

export const templates = [
  {
    name: 'what came from elsewhere is shown exactly, and may run only after it was allowed',
    run: async ({ page, open, check }) => {
      await open('tick=0', '#/templates')
      await page.click('.template:has-text("Whisper")')
      await page.waitForFunction(() => location.hash === '#/consent/whisper-tune')
      await page.waitForSelector('pre')
      const shown = await page.textContent('.consent')
      for (const part of [
        "python '{{ pipeline.dir }}/prepare.py' '~/recordings'",
        'report.py > report.html',
        'HF_TOKEN',
        'words/medical.txt',
        '1.2 MB',
      ])
        check(shown.includes(part), `${part} is not on the page: ${shown}`)
      check(!(await page.isVisible('text=429b5cd28436b37e')), 'the hash is in the way')
      await page.click('text=Fingerprint')
      check(await page.isVisible('text=429b5cd28436b37e'), 'no fingerprint')
      check((await asked(page, 'allowTemplate')).length === 0, 'allowed without a click')
      await page.click('text=Allow and keep')
      await page.waitForFunction(() => location.hash === '#/templates')
      const [[name, hash]] = await asked(page, 'allowTemplate')
      check(name === 'whisper-tune' && hash.startsWith('429b5cd2'), `${name} ${hash}`)
      await page.click('.template:has-text("Whisper")')
      await page.waitForFunction(() => location.hash.startsWith('#/new?template=whisper-tune'))
    },
  },
  {
    name: 'what came from elsewhere can be discarded, and the wizard does not pass it by',
    run: async ({ page, open, check }) => {
      await open('tick=0', '#/new')
      await page.click('.template:has-text("Whisper")')
      await page.waitForFunction(() => location.hash === '#/consent/whisper-tune')
      await page.click('text=Discard')
      await page.waitForFunction(() => location.hash === '#/templates')
      check((await page.locator('.template:has-text("Whisper")').count()) === 0, 'it is still there')
      check(
        (await asked(page, 'removeTemplate')).length === 1 && (await asked(page, 'allowTemplate')).length === 0,
        'not discarded',
      )
    },
  },
  {
    name: 'a file from the desktop leads to the page that asks, a hostile one to a sentence',
    run: async ({ page, open, check }) => {
      await open('tick=0', '#/open/a1')
      await page.waitForFunction(() => location.hash === '#/consent/whisper-tune')
      await page.waitForSelector('text=Allow and keep')
      await open('tick=0', '#/open/evil')
      await page.waitForSelector('text=leads elsewhere')
      check((await page.locator('text=Allow and keep').count()) === 0, 'a hostile archive can be allowed')
    },
  },
  {
    name: 'who leaves while a file is unpacked or allowed stays where they went',
    run: async ({ page, open, check }) => {
      await hold(page, 'openArchive', 'allowTemplate')
      const leave = async (n) => {
        await page.waitForFunction((i) => window.held.length > i, n)
        await page.evaluate(() => (location.hash = '#/machine'))
        await page.waitForSelector('h2 >> text=Queues')
        await release(page, n)
      }
      await open('tick=0', '#/open/a1')
      await leave(0)
      await page.waitForSelector('.toast >> text=Allow “whisper-tune” to run?')
      check((await at(page)) === '#/machine', `taken to ${await at(page)}`)
      await page.click('.toast >> text=Show')
      await page.click('text=Allow and keep')
      await leave(1)
      await page.waitForSelector('.toast >> text=may run now')
      check((await at(page)) === '#/machine', `taken to ${await at(page)}`)
    },
  },
  {
    name: 'templates are imported, exported, renamed and removed with a change of mind',
    run: async ({ page, open, check }) => {
      await open('tick=0', '#/templates')
      await page.click('text=Import')
      await page.waitForFunction(() => location.hash === '#/consent/whisper-tune')
      await page.click('.crumb')
      const menu = async (what) => {
        await page.click('[aria-label="More for Voice clone"]')
        await page.click(`[role=menuitem]:has-text("${what}")`)
      }
      await menu('Export')
      check((await asked(page, 'exportTemplate')).flat().join() === 'voice-clone', 'not exported')
      await menu('Rename')
      await page.fill('[role=dialog] input', 'lora-fine-tune')
      await page.keyboard.press('Enter')
      await page.waitForSelector('text=already')
      await page.fill('[role=dialog] input', 'Über')
      check(await page.isDisabled('[role=dialog] [type=submit]'), 'a name that is none')
      await page.fill('[role=dialog] input', 'mira')
      await page.keyboard.press('Enter')
      await page.waitForSelector('.template:has-text("mira")')
      await menu('Remove')
      await page.waitForSelector('.template:has-text("mira")', { state: 'detached' })
      await page.click('text=Undo')
      await page.waitForSelector('.template:has-text("mira")')
      check((await asked(page, 'removeTemplate')).length === 0, 'removed before it was too late')
    },
  },
  {
    name: 'a run becomes a template from its menu',
    run: async ({ page, open, check }) => {
      await open('tick=0', '#/run/1293')
      await page.click('.acts [aria-haspopup=menu]')
      await page.click('[role=menuitem]:has-text("Make a template")')
      await page.fill('[role=dialog] input', 'taken')
      await page.keyboard.press('Enter')
      await page.waitForSelector('[role=alert]:has-text("already")')
      await page.fill('[role=dialog] input', 'My digits')
      await page.keyboard.press('Enter')
      await page.click('text=Show it')
      await page.waitForSelector('.template:has-text("My digits")')
      check(JSON.stringify(await asked(page, 'keepRun')) === '[[1293,"taken"],[1293,"My digits"]]', 'not asked so')
    },
  },
]
