// A sweep in the wizard: several values are typed, their runs are counted, shown, started, and then seen together.
const asked = (page, what) =>
  page.evaluate((name) => window.pretend.asked.filter((one) => one.what === name).map((one) => one.args), what)
const total = (page, text) => page.waitForSelector(`.total >> text=${text}`)

export const sweeps = [
  {
    name: 'sweeps: values and ranges are counted as they are typed, looked at, started and seen together',
    run: async ({ page, open, check, audit }) => {
      await open('tick=0', '#/new?template=digits')
      await page.click('[role=radio]:has-text("Sweep")')
      await page.waitForSelector('text=No setting has several values yet.')
      check(await page.locator('footer .pri').isDisabled(), 'one run alone was taken for a sweep')
      await page.fill('#p-learning_rate', '1e-4, 3e-4')
      await page.fill('#p-epochs', '5..20:5')
      await total(page, '8 runs')
      await page.waitForSelector('.help >> text=4 values: 5, 10, 15, 20')
      check((await page.textContent('footer .pri')).includes('Start 8 runs'), await page.textContent('footer .pri'))
      // Which of two switches: both.
      await page.getByRole('group', { name: 'Evaluate' }).getByText('off').click()
      await total(page, '16 runs')
      await page.getByRole('group', { name: 'Evaluate' }).getByText('off').click()
      await total(page, '8 runs')
      await audit()
      await page.click('footer >> text=Continue')
      for (const kind of ['after', 'repeat'])
        check((await page.locator(`input[value=${kind}]`).count()) === 0, `a sweep can be started "${kind}"`)
      check((await page.getAttribute('#w-experiment', 'placeholder')) === 'digits-sweep-1', 'no name for it')
      await page.fill('#w-experiment', 'rates')
      await page.click('footer >> text=Continue')
      await page.waitForSelector('table')
      const rows = await page.locator('tbody tr').allTextContents()
      check(rows.length === 5 && rows[1].includes('0.0003'), JSON.stringify(rows))
      await page.waitForSelector('text=and 3 more')
      const first = await page.textContent('.code')
      check(first.includes('--epochs 5') && first.includes('0.0001'), first)
      await audit()
      await page.click('footer >> text=Start 8 runs')
      await page.waitForSelector('.chip >> text=rates')
      const [[request]] = await asked(page, 'startSweep')
      const wanted = { learning_rate: '1e-4, 3e-4', epochs: '5..20:5' }
      check(
        Object.entries(wanted).every(([name, text]) => request.varied[name] === text) && request.experiment === 'rates',
        JSON.stringify(request),
      )
      check((await page.locator('section.next .li').count()) === 8, 'they are not all there')
      check(
        (await page.locator('section.next').textContent()).includes('epochs=20,learning_rate=0.0003'),
        'no such run',
      )
      await page.click('.chipline a')
      await page.waitForURL(/#\/compare\?experiment=rates/)
    },
  },
  {
    name: 'sweeps: what is wrong stands beside its setting, and limits are told in words, in Chinese as well',
    run: async ({ page, open, check, audit }) => {
      await open('tick=0&lang=zh-CN', '#/new?template=digits')
      await page.click('[role=radio]:has-text("参数搜索")')
      await page.fill('#p-learning_rate', '0.1..0.5')
      await page.waitForSelector('.help.bad >> text="0.1..0.5" 没有步长')
      check(await page.locator('footer .pri').isDisabled(), 'it can be started')
      await audit()
      await page.click('[role=radio]:has-text("随机抽取")')
      await page.getByLabel('任务数', { exact: true }).fill('30')
      await total(page, '30 个任务')
      await page.waitForSelector('.help >> text=每个任务各抽一个值。')
      await page.getByLabel('任务数', { exact: true }).fill('0')
      await page.waitForSelector('.total >> text=范围 1 到')
      await page.getByLabel('任务数', { exact: true }).fill('30')
      await page.fill('#p-learning_rate', '0.001,0.002')
      await page.waitForSelector('.total >> text=要抽取 30 个任务，但这些取值只有 2 种组合')
      await page.click('[role=radio]:has-text("全部组合")')
      await total(page, '2 个任务')
      await page.fill('#p-epochs', '1..9000')
      await page.waitForSelector('.total >> text=全部组合共有 18000 个任务，上限为 10000')
      await page.fill('#p-epochs', '1..90')
      // More than a hundred: shown before they are started.
      await page.click('footer >> text=启动 180 个任务')
      await page.waitForSelector('table')
      check((await asked(page, 'startSweep')).length === 0, 'they were started without a look')
    },
  },
  {
    name: 'sweeps: random ones are drawn again on demand, those that were seen are started, and one run keeps what is one',
    run: async ({ page, open, check }) => {
      await open('tick=0', '#/new?template=digits')
      await page.fill('#p-epochs', '12')
      await page.click('[role=radio]:has-text("Sweep")')
      check((await page.inputValue('#p-epochs')) === '12', 'what was typed is gone')
      await page.click('[role=radio]:has-text("At random")')
      await page.fill('#p-learning_rate', '1e-5..1e-2:log')
      await total(page, '20 runs')
      const newest = () =>
        page.evaluate(() => window.pretend.asked.findLast((one) => one.what === 'lookAtSweep').args[0])
      await page.waitForFunction(
        () => window.pretend.asked.findLast((one) => one.what === 'lookAtSweep').args[0].seed === 4711,
      )
      await page.click('text=Draw others')
      await page.waitForFunction(
        () => window.pretend.asked.findLast((one) => one.what === 'lookAtSweep').args[0].seed !== 4711,
      )
      const { seed } = await newest()
      await page.click('footer >> text=Start 20 runs')
      await page.waitForSelector('.chip >> text=digits-sweep-1')
      const [[started]] = await asked(page, 'startSweep')
      check(started.seed === seed && started.random === 20, JSON.stringify(started))
      await page.goto(page.url().replace(/#.*/, '#/new?template=digits'))
      await page.click('[role=radio]:has-text("Sweep")')
      await page.fill('#p-epochs', '12,13')
      await page.fill('#p-learning_rate', '0.5')
      await total(page, '2 runs')
      await page.click('[role=radio]:has-text("One run")')
      check((await page.inputValue('#p-epochs')) === '40', 'two values were taken for one')
      check((await page.inputValue('#p-learning_rate')) === '0.5', 'one value was taken back')
    },
  },
]
