// What people do in the gallery and around it, beyond the usual.

const asked = (page, what) =>
  page.evaluate((name) => window.pretend.asked.filter((one) => one.what === name).map((one) => one.args), what)

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
      check(rows[0].includes('step 1,200') && rows[0].includes('val_loss 1.361'), rows[0])
      await audit()
      await page.click('.part >> text=Resume')
      check(JSON.stringify(await asked(page, 'wish')) === '[[1292,{"kind":"resume","args":{}}]]', 'not resumed')
      // One that completed has nothing to go on with.
      await open('tick=0', '#/run/1287/files')
      await page.waitForSelector('.files')
      check((await page.locator('.part >> text=Resume').count()) === 0, 'offered in vain')
    },
  },
]
