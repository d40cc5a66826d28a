// What people do in the gallery and around it, beyond the usual.
import { asked } from './pretend.mjs'

export const gallery = [
  {
    name: 'a template that was broken later is shown with its faults by line, shown in its folder, and removed',
    run: async ({ page, open, check, audit }) => {
      await open('tick=0&broken', '#/templates')
      const card = page.locator('.broken')
      await card.waitFor()
      for (const text of ['nightly-eval', 'cannot be read', 'line 12', 'did you mean "command"?'])
        check((await card.textContent()).includes(text), text)
      await audit()
      await card.getByText('Open folder').click()
      check((await asked(page, 'revealTemplate')).flat().join() === 'nightly-eval', 'not shown')
      await card.getByText('Remove').click()
      await card.waitFor({ state: 'detached' })
      await page.click('text=Undo')
      await card.waitFor()
      // Mended meanwhile: it is a template like the others again.
      await page.evaluate(() => window.pretend.mend())
      await card.getByRole('button', { name: 'Look again' }).click()
      await page.waitForSelector('.template:has-text("nightly-eval")')
      check((await page.locator('.broken').count()) === 0, 'still said to be broken')
    },
  },
  {
    name: "a run of a command of one's own is changed and started again from its failure card",
    run: async ({ page, open, check, audit }) => {
      await open('tick=0', '#/queue')
      const number = await page.evaluate(async () => {
        const query = { queue: null, experiment: null, tag: null, search: 'calls-prepare', limit: 1, offset: 0 }
        return (await window.pretend.list({ statuses: ['failed'], ...query })).runs[0].number
      })
      await page.goto(page.url().replace(/#.*/, `#/run/${number}`))
      await page.click('text=Change settings and retry')
      const args = page.locator('#s-args')
      check((await args.inputValue()) === 'prepare.py --rate "16 kHz" --jobs 4', await args.inputValue())
      check((await page.textContent('main')).includes('python'), 'the program is shown')
      await audit()
      await args.fill('prepare.py --rate "8 kHz"')
      // What was typed survives a restart of the window.
      await page.waitForFunction(() => sessionStorage.getItem('fake-draft')?.includes('8 kHz'))
      await page.evaluate(() => (location.hash = '#/queue'))
      await page.waitForSelector('.ended')
      await page.evaluate(() => (location.hash = '#/new'))
      await args.waitFor()
      check((await args.inputValue()) === 'prepare.py --rate "8 kHz"', await args.inputValue())
      await page.click('text=Continue')
      await page.click('text=Continue')
      await page.click('text=Start training')
      await page.waitForFunction(() => location.hash.startsWith('#/run/'))
      const [[request]] = await asked(page, 'start')
      const { kind, run, args: words, name } = request
      check(kind === 'again' && run === number, JSON.stringify(request))
      check(JSON.stringify(words) === '["prepare.py","--rate","8 kHz"]', JSON.stringify(words))
      check(name.startsWith('calls-prepare'), name)
    },
  },
  {
    name: 'what is dropped on the window fills the wizard: data now or when a template takes it, and a script at once',
    run: async ({ page, open, check, audit }) => {
      await open('tick=0', '#/queue')
      const emit = (push) => page.evaluate((one) => window.pretend.emit(one), push)
      await emit({ kind: 'dragging', over: true })
      await page.waitForSelector('.drop')
      await audit()
      await emit({ kind: 'dragging', over: false })
      await page.waitForSelector('.drop', { state: 'detached' })
      await emit({ kind: 'dropped', path: '~/tone/support-chats.jsonl', others: 2 })
      await page.waitForSelector('.waits:has-text("support-chats.jsonl")')
      check((await page.textContent('body')).includes('One at a time'), 'nothing is said of the others')
      await audit()
      await page.click('.template:has-text("LoRA fine-tune")')
      await page.waitForSelector('.seen')
      check((await page.inputValue('#p-data')) === '~/tone/support-chats.jsonl', 'the data is another')
      // On the step itself another takes its place.
      await emit({ kind: 'dropped', path: '~/pictures/digits', others: 0 })
      await page.waitForFunction(() => document.querySelector('#p-data').value === '~/pictures/digits')
      await page.waitForSelector('.seen img')
      await emit({ kind: 'open', route: 'new?script=s1' })
      await page.waitForSelector('#s-args')
      check((await page.textContent('main')).includes('~/tone/train.py'), 'the script is another')
      // What is left out does not come back.
      await emit({ kind: 'dropped', path: '~/pictures/digits', others: 0 })
      await page.click('.waits button')
      await page.click('.template:has-text("LoRA fine-tune")')
      await page.waitForSelector('#p-data')
      check((await page.inputValue('#p-data')) === '', 'it came back')
    },
  },
  {
    name: 'checkpoints show what was said of them, and a run that broke off goes on from there',
    run: async ({ page, open, check, audit }) => {
      await open('tick=0', '#/run/1292/files')
      await page.waitForSelector('text=Checkpoints')
      const rows = await page.locator('.files .li').allTextContents()
      check(rows[1].includes('step 1,200') && rows[1].includes('val_loss 1.361'), rows[1])
      await audit()
      await page.click('.part >> text=Resume')
      check(JSON.stringify(await asked(page, 'wish')) === '[[1292,{"kind":"resume","args":{}}]]', 'not resumed')
      // One that completed has nothing to go on with.
      await open('tick=0', '#/run/1287/files')
      await page.waitForSelector('.files')
      check((await page.locator('.part >> text=Resume').count()) === 0, 'offered in vain')
    },
  },
  {
    name: 'a run goes on from the checkpoint one points at, and from none that is half written',
    run: async ({ page, open, check, audit }) => {
      await open('tick=0', '#/run/1292/files')
      const row = (name) => page.locator('.files .li', { hasText: name })
      await row('step-800').waitFor()
      check((await row('step-1400').textContent()).includes('incomplete'), 'a half-written one looks whole')
      check((await row('step-1400').locator('text=Resume').count()) === 0, 'it goes on from a half-written one')
      check((await row('config.json').locator('text=Resume').count()) === 0, 'it goes on from a file of another kind')
      await row('step-800').locator('text=Resume from here').click()
      await page.waitForSelector('.toast >> text=goes on from step-800.safetensors')
      const wished = await asked(page, 'wish')
      check(JSON.stringify(wished) === '[[1292,{"kind":"resume","args":{"from":"c1"}}]]', JSON.stringify(wished))
      // It is queued again now: nothing to go on from.
      await page.waitForFunction(() => !document.querySelector('.files')?.textContent.includes('Resume from here'))
      // One that completed can be trained on; one that runs is left alone.
      await open('tick=0', '#/run/1293/files')
      await row('step-800').locator('text=Resume from here').waitFor()
      await audit()
      await open('tick=0', '#/run/1285/files')
      await row('step-800').waitFor()
      check((await page.locator('text=Resume from here').count()) === 0, 'offered while it runs')
    },
  },
  {
    name: 'the failure card names the step it goes on from, and means it',
    run: async ({ page, open, check }) => {
      await open('tick=0', '#/run/1292')
      await page.click('.acts >> text=Resume from step 1,200')
      await page.waitForSelector('.toast')
      const wished = await asked(page, 'wish')
      check(JSON.stringify(wished) === '[[1292,{"kind":"resume","args":{"from":"c3"}}]]', JSON.stringify(wished))
    },
  },
  {
    name: 'a command of one’s own is changed and started again from the menu of its row, and from the palette',
    run: async ({ page, open, check, audit }) => {
      await open('tick=0')
      await page.fill('.find input', 'calls-prepare')
      const row = page.locator('.ended', { hasText: 'calls-prepare' }).first()
      await row.hover()
      await row.locator('[aria-label=More]').click()
      await page.waitForSelector('[role=menuitem]')
      await audit()
      await page.click('[role=menuitem] >> text=Run again with changes')
      await page.waitForSelector('#s-args')
      const number = await page.evaluate(() => new URLSearchParams(location.hash.split('?')[1]).get('like'))
      await open('tick=0', `#/run/${number}`)
      await page.waitForSelector('.rhead')
      await page.keyboard.press('Control+k')
      const deed = page.locator('[role=option]', { hasText: 'Run again with changes' })
      await deed.waitFor()
      await audit()
      await deed.click()
      check((await page.inputValue('#s-args')).startsWith('prepare.py'), 'not its arguments')
    },
  },
  {
    name: 'the same again is of the template that the run was started from, whatever its pipeline is called',
    run: async ({ page, open, check }) => {
      // Two templates of one name: its pipeline is called digits.
      await open('tick=0&from=voice-clone', '#/new?like=1293')
      await page.waitForSelector('.rail >> text=Voice clone')
      // Its template is gone; another of that name is not taken for it.
      await open('tick=0&from=', '#/run/1293')
      await page.waitForSelector('.rhead')
      await page.locator('.rhead [aria-label=More]').click()
      await page.waitForSelector('[role=menuitem] >> text=Delete')
      check((await page.locator('text=Run again with changes').count()) === 0, 'offered in vain')
      await page.evaluate(() => (location.hash = '#/new?like=1293'))
      await page.waitForSelector('.toast >> text=The template of #1293 is gone')
      await page.waitForSelector('text=What should run?')
    },
  },
  {
    name: 'faults of pipelines and of values are told in Chinese',
    run: async ({ page, open, check }) => {
      await open('tick=0&lang=zh-CN&broken', '#/templates')
      const told = await page.locator('.broken li').allTextContents()
      check(told.length > 0 && told.every((text) => !/[a-z]{2,} [a-z]{2,}/.test(text)), told.join('; '))
      await open('tick=0&lang=zh-CN')
      await page.evaluate(() => {
        const look = window.pretend.check
        window.pretend.check = async (asked) => {
          const seen = await look(asked)
          const message = 'parameter "epochs" must be a whole number from 1 to 10000, not 0'
          const item = { id: 'params', state: 'bad', detail: 'Some values cannot be used.', hint: 'Mend them first.' }
          return { ...seen, items: [...seen.items, item], params: [{ name: 'epochs', message }] }
        }
        location.hash = '#/new?template=digits'
      })
      await page.click('footer .pri')
      await page.waitForSelector('text=参数“epochs”必须是 1 到 10000 的整数，不能是 0')
    },
  },
  {
    name: 'recordings of a data set are told with their length, and one at a time is heard',
    run: async ({ page, open, check, audit }) => {
      await open('tick=0&alldata', '#/new?template=lora-fine-tune')
      await page.fill('#p-data', '~/clips')
      await page.waitForSelector('.sounds .li')
      const rows = page.locator('.sounds .li')
      check((await rows.count()) === 12, `${await rows.count()} rows`)
      const first = await rows.first().textContent()
      check(first.includes('0:03') && first.includes('8 kHz · mono'), first)
      check(await rows.nth(10).locator('button').isDisabled(), 'one that is too large is offered')
      check(await rows.nth(11).locator('button').isDisabled(), 'one without a head is offered')
      await audit()
      const playing = () => page.evaluate(() => !document.querySelector('audio').paused)
      await page.click('[aria-label="Play mira/clip-001.wav"]')
      await page.waitForFunction(() => document.querySelector('audio').currentTime > 0)
      check(await playing(), 'nothing is heard')
      check((await page.evaluate(() => document.querySelector('audio').duration)) === 3, 'another length')
      await page.click('[aria-label="Pause mira/clip-001.wav"]')
      check(!(await playing()), 'it goes on')
      await audit()
      await page.fill('[aria-label="Place in mira/clip-001.wav"]', '2')
      await page.waitForFunction(() => document.querySelector('.sounds .on .time').textContent.startsWith('0:02'))
      await page.click('[aria-label="Play mira/clip-002.wav"]')
      await page.waitForFunction(() => document.querySelector('audio').duration === 4)
      check((await page.locator('.sounds .on').count()) === 1, 'two at once')
      const heard = await asked(page, 'sound')
      check(heard.map((one) => one[1]).join() === 'mira/clip-001.wav,mira/clip-002.wav', JSON.stringify(heard))
      // One that breaks is said, and let go.
      await page.evaluate(() => {
        const create = URL.createObjectURL
        URL.createObjectURL = () => create(new Blob(['no sound'], { type: 'audio/wav' }))
      })
      await page.click('[aria-label="Play mira/clip-003.wav"]')
      await page.waitForSelector('text=mira/clip-003.wav cannot be played here.')
    },
  },
]
