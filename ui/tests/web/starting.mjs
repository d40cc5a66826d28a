// The first screen, and how runs are started: the sample, a template, a script, the same again.
import { answer, asked, at, hold, release } from './pretend.mjs'

export const starting = [
  {
    name: 'first launch: one click trains the sample, which runs to its end',
    run: async ({ page, open, check }) => {
      await open('world=empty&tick=60')
      await page.click('text=Train the sample')
      await page.waitForFunction(() => location.hash.startsWith('#/run/'))
      await page.waitForSelector('.status.s-completed', { timeout: 20000 })
      check((await asked(page, 'start')).length === 1, 'started more than once')
    },
  },
  {
    name: 'the sample in three clicks through the wizard',
    run: async ({ page, open, check }) => {
      await open('tick=0')
      await page.click('text=New run')
      await page.click('text=Handwritten digits')
      await page.click('text=Start now')
      await page.waitForFunction(() => location.hash.startsWith('#/run/'))
      const [[request]] = await asked(page, 'start')
      check(request.template === 'digits' && Object.keys(request.params).length === 0, JSON.stringify(request))
    },
  },
  {
    name: 'the wizard by keyboard alone',
    run: async ({ page, open, check }) => {
      await open('tick=0')
      await page.keyboard.press('Control+n')
      await page.waitForSelector('.template')
      const tabTo = async (test, most = 60) => {
        for (let i = 0; i < most; i++) {
          await page.keyboard.press('Tab')
          if (await page.evaluate(test)) return
        }
        throw new Error(`no way by Tab to ${test}`)
      }
      await tabTo(`document.activeElement?.textContent?.includes('Handwritten digits')`)
      await page.keyboard.press('Enter')
      await page.waitForSelector('#p-epochs')
      await tabTo(`document.activeElement?.getAttribute('role') === 'radio'`)
      await page.keyboard.press('ArrowRight')
      await tabTo(`document.activeElement?.id === 'p-epochs'`)
      await page.keyboard.press('Control+a')
      await page.keyboard.type('7')
      await page.keyboard.press('Control+Enter')
      await page.waitForSelector('input[name=when]')
      await page.keyboard.press('Control+Enter')
      await page.waitForSelector('.code')
      await page.keyboard.press('Control+Enter')
      await page.waitForFunction(() => location.hash.startsWith('#/run/'))
      const [[request]] = await asked(page, 'start')
      check(request.preset === 'quick' && request.params.epochs === 7, JSON.stringify(request))
    },
  },
  {
    name: 'a key that is held goes one step, and starts nothing',
    run: async ({ page, open, check }) => {
      await open('tick=0', '#/new?template=digits')
      await page.waitForSelector('#p-epochs')
      await page.keyboard.down('Control')
      // Each press after the first is one of a key that is held.
      for (let i = 0; i < 4; i++) await page.keyboard.down('Enter')
      check((await page.textContent('h1')) === 'When and where?', await page.textContent('h1'))
      check((await asked(page, 'start')).length === 0, 'it was started')
    },
  },
  {
    name: 'a value out of bounds is said beside the field and stops the start',
    run: async ({ page, open, check }) => {
      await open('tick=0', '#/new?template=digits')
      await page.fill('#p-epochs', '0')
      await page.waitForSelector('text=From 1 to 10,000.')
      check(await page.isDisabled('text=Start now'), 'it could be started')
      await page.fill('#p-epochs', '12')
      check(!(await page.isDisabled('text=Start now')), 'it could not be started again')
    },
  },
  {
    name: 'a half-filled wizard survives a reload',
    run: async ({ page, open, check }) => {
      await open('tick=0', '#/new?template=digits')
      await page.fill('#p-epochs', '77')
      await page.waitForTimeout(500)
      await open('tick=0', '#/new')
      await page.reload()
      await page.waitForSelector('#p-epochs')
      check((await page.inputValue('#p-epochs')) === '77', await page.inputValue('#p-epochs'))
      await page.click('text=Start over')
      await page.waitForSelector('text=What should run?')
    },
  },
  {
    name: 'a script of one’s own: chosen in the dialog, arguments as typed',
    run: async ({ page, open, check }) => {
      await open('tick=0', '#/new')
      await page.click('text=Your own script')
      await page.fill('#s-args', '--epochs 3 --name "two words"')
      await page.click('text=Continue')
      await page.click('text=Continue')
      await page.waitForSelector('.code')
      await page.click('text=Start training')
      await page.waitForFunction(() => location.hash.startsWith('#/run/'))
      const [[request]] = await asked(page, 'start')
      check(
        request.script === 's1' && JSON.stringify(request.args) === '["--epochs","3","--name","two words"]',
        JSON.stringify(request),
      )
    },
  },
  {
    name: 'a draft that is too large to be kept says so, until it is not any more',
    run: async ({ page, open }) => {
      await open('tick=0', '#/new?template=lora-fine-tune')
      await page.fill('#p-data', 'x'.repeat(70_000))
      await page.waitForSelector('.kept >> text=Too large to be kept')
      await page.fill('#p-data', 'x')
      await page.waitForSelector('.kept >> text=Saved as a draft')
    },
  },
  {
    name: 'a dialog that fails is told',
    run: async ({ page, open }) => {
      await hold(page, 'pickPath')
      await open('tick=0', '#/new?template=lora-fine-tune')
      await page.click('[aria-label="Choose a file for Data"]')
      await release(page, 0, { code: 'refused', message: 'No dialog could be opened.', hints: [] })
      await page.waitForSelector('.toast.bad >> text=No dialog could be opened.')
    },
  },
  {
    name: 'a dialog for a script that is closed without a choice leaves the draft as it was',
    run: async ({ page, open }) => {
      await hold(page, 'pickScript')
      await open('tick=0', '#/new?template=digits')
      await page.fill('#p-epochs', '77')
      await page.evaluate(() => (location.hash = '#/new?kind=script'))
      await answer(page, 0, null)
      await page.waitForFunction(() => document.querySelector('#p-epochs')?.value === '77')
    },
  },
  {
    name: 'a draft of a template that is gone says so, and asks what should run instead',
    run: async ({ page, open }) => {
      await open('tick=0')
      await page.evaluate(() =>
        window.pretend.setDraft({ step: 'how', kind: 'template', template: 'taken-away', typed: {} }),
      )
      await page.click('text=New run')
      await page.waitForSelector('h1 >> text=What should run?')
      await page.waitForSelector('.toast >> text=The template “taken-away” is gone')
    },
  },
  {
    name: 'data is chosen, seen and checked by line before anything starts',
    run: async ({ page, open, check, audit }) => {
      await open('tick=0', '#/new')
      await page.click('text=LoRA fine-tune')
      await page.waitForSelector('text=What should it learn from?')
      check(await page.isDisabled('footer >> text=Continue'), 'it goes on without data')
      await page.click('[aria-label="Choose a file for Data"]')
      await page.waitForSelector('text=6,412 rows')
      await page.waitForSelector('text=3 lines with faults')
      check((await page.locator('.faults li').allTextContents()).join('; ').includes('line 2,048'), 'no line is named')
      check((await page.locator('tbody tr').count()) === 12, 'no rows are shown')
      await audit()
      await page.fill('#p-data', '/etc/passwd')
      await page.waitForSelector('text=Choose it with the buttons')
      await page.click('[aria-label="Choose a folder for Data"]')
      await page.waitForSelector('figure img')
      await page.waitForSelector('text=No faults found.')
      await audit()
      await page.click('footer >> text=Continue')
      await page.waitForSelector('#p-epochs')
      check((await page.locator('#p-data').count()) === 0, 'the data is asked for twice')
      check(
        (await page.locator('.rail').textContent()).includes('1,797 rows'),
        await page.locator('.rail').textContent(),
      )
      await page.click('text=Start now')
      await page.waitForFunction(() => location.hash.startsWith('#/run/'))
      const [[request]] = await asked(page, 'start')
      check(request.params.data === '~/pictures/digits', JSON.stringify(request))
    },
  },
  {
    name: 'another preset leaves the data, the secret and what no preset is about as they were',
    run: async ({ page, open, check }) => {
      await open('tick=0', '#/new?template=lora-fine-tune')
      await page.click('[aria-label="Choose a file for Data"]')
      await page.click('footer >> text=Continue')
      await page.fill('#p-epochs', '7')
      await page.fill('#p-token', 'hf_secret')
      await page.fill('#p-learning_rate', '0.0003')
      await page.click('.preset:has-text("Best quality")')
      check((await page.inputValue('#p-epochs')) === '5', 'the preset sets nothing')
      await page.click('text=Start now')
      await page.waitForFunction(() => location.hash.startsWith('#/run/'))
      const [[{ params }]] = await asked(page, 'start')
      const kept = '{"data":"~/tone/support-chats.jsonl","learning_rate":0.0003,"token":"hf_secret"}'
      check(JSON.stringify(params) === kept, JSON.stringify(params))
    },
  },
  {
    name: 'data that is missing is asked for on its own page, whatever page one comes from',
    run: async ({ page, open, check }) => {
      await open('tick=0')
      await page.evaluate(() =>
        window.pretend.setDraft({ step: 'how', kind: 'template', template: 'lora-fine-tune', typed: { epochs: '99' } }),
      )
      await page.click('text=New run')
      await page.waitForSelector('footer >> text=1 setting to correct')
      await page.fill('#p-epochs', '4')
      await page.waitForSelector('footer >> text=to correct', { state: 'detached' })
      await page.click('footer >> text=Continue')
      await page.waitForSelector('text=What should it learn from?')
      check(!(await page.isVisible('footer >> text=to correct')), 'what nobody has chosen yet is called a mistake')
    },
  },
  {
    name: 'where no run is left to wait for, that is said, and what was chosen stays chosen',
    run: async ({ page, open, check }) => {
      await open('tick=0', '#/new?template=digits')
      await page.click('footer >> text=Continue')
      await page.check('input[value=after]')
      await page.selectOption('select[aria-label="After another run"]', '1285')
      const end = (all) =>
        page.evaluate(async (whole) => {
          const { runs } = await window.pretend.list({
            statuses: ['running', 'paused', 'queued'],
            limit: 300,
            offset: 0,
          })
          for (const { number } of runs)
            if (whole || number === 1285) await window.pretend.wish(number, { kind: 'cancel', args: {} })
        }, all)
      await end(false)
      await page.waitForFunction(
        () => document.querySelector('.opt select')?.selectedOptions[0]?.text === '#1285 has ended',
      )
      await page.selectOption('select[aria-label="After another run"]', { label: 'Choose a run' })
      await end(true)
      await page.waitForSelector('text=No run is left to wait for.')
      check(await page.isChecked('input[value=after]'), 'nothing is chosen')
      check(await page.isDisabled('footer >> text=Continue'), 'it goes on without a run')
      await page.check('input[value=now]')
      check(!(await page.isDisabled('footer >> text=Continue')), 'it does not go on')
    },
  },
  {
    name: 'the check shows the commands of what is started, however late an older answer comes',
    run: async ({ page, open, check }) => {
      await hold(page, 'check', 'checkSweep')
      await open('tick=0', '#/new?template=digits')
      const go = async () => {
        for (let i = 0; i < 2; i++) await page.click('footer >> text=Continue')
        await page.waitForSelector('h1 >> text=Looking at everything')
      }
      const back = async (value) => {
        await page.click('.rail >> text=How')
        await page.fill('#p-epochs', value)
      }
      const shows = async (value) => {
        const code = await page.waitForSelector('.code', { timeout: 5000 })
        check((await code.textContent()).includes(`--epochs ${value} `), await code.textContent())
      }
      await go()
      await back('7')
      await go()
      await release(page, 1)
      await shows('7')
      await release(page, 0)
      await shows('7')
      await back('8')
      await go()
      await back('5')
      await page.click('[role=radio] >> text=Sweep')
      await page.fill('#p-epochs', '5, 6')
      await page.waitForSelector('footer >> text=Start 2 runs')
      await go()
      await back('3, 4')
      await page.waitForSelector('text=2 values: 3, 4')
      await go()
      await release(page, 4)
      await shows('3')
      await release(page, 3)
      await release(page, 2, { code: 'storage', message: 'Too late.', hints: [] })
      await shows('3')
    },
  },
  {
    name: 'who leaves while it is being started stays where they went, and is told',
    run: async ({ page, open, check }) => {
      await hold(page, 'start', 'startSweep', 'addSchedule')
      const leave = async (n) => {
        await page.waitForFunction((i) => window.held.length > i, n)
        await page.evaluate(() => (location.hash = '#/machine'))
        await page.waitForSelector('h2 >> text=Queues')
        await release(page, n)
      }
      await open('tick=0', '#/new?template=digits')
      await page.click('text=Start now')
      await leave(0)
      await page.waitForSelector('.toast >> text=is queued')
      check((await at(page)) === '#/machine', `taken to ${await at(page)}`)
      await page.click('.toast >> text=Show')
      await page.waitForFunction(() => location.hash.startsWith('#/run/'))
      await page.goto(page.url().replace(/#.*/, '#/new?template=digits'))
      await page.click('[role=radio] >> text=Sweep')
      await page.fill('#p-epochs', '5, 6')
      await page.click('text=Start 2 runs')
      await leave(1)
      await page.waitForSelector('.toast >> text=Show')
      check((await at(page)) === '#/machine', `taken to ${await at(page)}`)
      const kept = await page.evaluate(() => window.pretend.draft())
      check(kept === null, `the draft of what was started is there still: ${JSON.stringify(kept)}`)
    },
  },
  {
    name: 'the same again with changes takes the parameters along',
    run: async ({ page, open, check }) => {
      await open('tick=0', '#/run/1292')
      await page.click('text=Change settings and retry')
      await page.waitForSelector('#p-batch_size')
      check((await page.inputValue('#p-batch_size')) === '16', 'no batch size')
    },
  },
  {
    name: 'the first screen comes with its runs in it, asked for once',
    run: async ({ page, open, check }) => {
      await page.addInitScript(() => {
        // What stands there when a frame is about to be painted.
        const look = () => {
          window.sawShape ||= document.querySelector('.sk') !== null
          requestAnimationFrame(look)
        }
        look()
      })
      await open('tick=0&slow=20')
      await page.waitForSelector('.ended:not(:has(.sk))')
      check(!(await page.evaluate(() => window.sawShape)), 'their shape was there first')
      const lists = await page.evaluate(() => window.pretend.asked.filter((a) => a.what === 'list').length)
      check(lists === 1, `asked for ${lists} times`)
    },
  },
  {
    name: 'a part of the page that comes late shows its shape until it is there',
    run: async ({ page, open }) => {
      const parts = [
        ['Run', '#/run/1285', '.rhead'],
        ['Overview', '#/run/1285', '.stages, svg'],
        ['Metrics', '#/run/1285/metrics', 'canvas'],
        ['Compare', '#/compare?runs=1293,1285', 'table'],
        ['Templates', '#/templates', '.page'],
        ['Schedules', '#/schedules', '.page'],
        ['Machine', '#/machine', 'h2'],
        ['Settings', '#/settings', '.scroll'],
      ]
      for (const [part, route, there] of parts) {
        let release
        const held = new Promise((done) => (release = done))
        await page.route(`**/assets/${part}-*.js`, async (asked) => {
          await held
          await asked.continue()
        })
        await page.goto('about:blank')
        await open('tick=0', route)
        await page.waitForSelector('.loading >> visible=true')
        release()
        await page.waitForSelector(`.view :is(${there})`)
        await page.waitForSelector('.loading', { state: 'detached' })
        await page.unroute(`**/assets/${part}-*.js`)
      }
    },
  },
]
