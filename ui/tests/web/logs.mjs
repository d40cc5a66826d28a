// Logs: a million lines, their order, their end, and the line that a failure names.

export const logs = [
  {
    name: 'a log of 1,000,000 lines opens at its end, jumps, and finds',
    alone: true,
    run: async ({ page, open, check }) => {
      await open('tick=0&hugelog', '#/run/1285')
      await page.waitForSelector('[role=tab]')
      const began = Date.now()
      await page.click('[role=tab] >> text=Log')
      await page.waitForFunction(() =>
        [...document.querySelectorAll('.l i')].some((e) => e.textContent === '1,000,000'),
      )
      console.log(`     opened in ${Date.now() - began} ms`)
      // Its end is asked for again and again; of the rest, nothing that is not in sight there.
      const asked = await page.evaluate(() =>
        window.pretend.asked.filter((a) => a.what === 'log' && a.args[1] > 0).map((a) => a.args[1]),
      )
      check(
        asked.length > 0 && asked.every((from) => from > 999_000),
        `asked for lines from ${asked.join(', ')} on the way to its end`,
      )
      await page.click('text=First error')
      await page.waitForSelector('.l.cur.err')
      // Who scrolls right after a jump is where they scrolled to: nothing of the jump comes later and undoes it.
      await page.evaluate(async () => {
        const log = document.querySelector('.log')
        const jump = [...document.querySelectorAll('button')].find((b) => b.textContent.includes('First error'))
        jump.click()
        await new Promise((done) => setTimeout(done))
        log.scrollTop = log.scrollHeight / 2
        for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame)
      })
      await page.waitForFunction(() => [...document.querySelectorAll('.l .pick')].length > 20)
      const n = Number((await page.locator('.l i').first().textContent()).replaceAll(',', ''))
      check(n > 400_000 && n < 600_000, `line ${n}`)
      await page.fill('.find input', 'Running Evaluation')
      await page.waitForSelector('mark')
      check((await page.locator('.l').count()) < 120, 'too many lines')
    },
  },
  {
    name: 'a log does not wait for its run, and nothing moves when that comes',
    run: async ({ page, open, check }) => {
      for (const language of ['en', 'zh-CN']) {
        await open(`tick=0&lang=${language}`)
        await page.waitForSelector('.ended')
        await page.evaluate(() => {
          const show = window.pretend.show
          window.pretend.show = (number) => new Promise((done) => (window.letGo = () => done(show(number))))
          location.hash = '#/run/1292/log'
        })
        await page.waitForSelector('.log .l')
        check((await page.locator('.rhead').count()) === 0, 'the run is there already')
        const parts = ['[role=tablist]', '.logbar', '.log']
        const places = () =>
          page.evaluate((all) => all.map((one) => document.querySelector(one).getBoundingClientRect().top), parts)
        const before = await places()
        await page.evaluate(() => window.letGo())
        await page.waitForSelector('.rhead')
        const after = await places()
        check(before.join() === after.join(), `${language}: ${before} became ${after}`)
      }
    },
  },
  {
    name: 'the lines of a log stand in their order and hold their own text, however one scrolls',
    run: async ({ page, open, check }) => {
      await open('tick=0&hugelog', '#/run/1285/log')
      await page.waitForFunction(() =>
        [...document.querySelectorAll('.l i')].some((e) => e.textContent === '1,000,000'),
      )
      const wrong = await page.evaluate(async () => {
        const log = document.querySelector('.log')
        const frame = () => new Promise(requestAnimationFrame)
        const asked = (n) => window.pretend.log({ number: 1285, stage: null, attempt: null, mode: 'bars' }, n, 1)
        let jumps = 0
        for (const step of [-20, -20, -60, -500, -7, 30, -5000, 41, -400_000, -20, 20, 100, 900_000, -1]) {
          log.scrollTop += step
          await frame()
          const rows = [...document.querySelectorAll('.l')]
          const numbers = rows.map((row) => Number(row.querySelector('i').textContent.replaceAll(',', '')))
          if (numbers.some((n, at) => at > 0 && n !== numbers[at - 1] + 1)) return `after ${step}: ${numbers}`
          const edge = log.getBoundingClientRect()
          const seen = rows.filter((row) => row.getBoundingClientRect().bottom > edge.top)
          if (seen[0].getBoundingClientRect().top > edge.top + 7) return `after ${step}: nothing at the upper edge`
          if (seen.at(-1).getBoundingClientRect().bottom < edge.bottom - 12)
            return `after ${step}: nothing at the lower`
          for (const at of [0, Math.floor(rows.length / 2), rows.length - 1]) {
            while (!rows[at].querySelector('.pick')) await frame()
            const { lines } = await asked(numbers[at])
            const text = rows[at].querySelector('.pick').textContent
            const wanted = lines[0].text.replace(/\u001b\[[\d;]*m/g, '')
            if (text !== wanted) return `line ${numbers[at]} says ${text} for ${wanted}`
            jumps++
          }
        }
        return jumps === 42 ? null : `${jumps} looks`
      })
      check(wrong === null, wrong)
    },
  },
  {
    name: 'a log follows its end, lets go when one scrolls up, and takes hold again',
    run: async ({ page, open, check }) => {
      await open('tick=0', '#/run/1285/log')
      await page.waitForFunction(() => [...document.querySelectorAll('.l i')].some((e) => e.textContent === '2,881'))
      const follow = page.locator('[role=switch]').nth(1)
      check((await follow.getAttribute('aria-checked')) === 'true', 'does not follow')
      await page.mouse.move(700, 500)
      await page.mouse.wheel(0, -900)
      await page.waitForFunction(
        () => document.querySelectorAll('[role=switch]')[1].getAttribute('aria-checked') === 'false',
      )
      await follow.click()
      await page.waitForFunction(() => [...document.querySelectorAll('.l i')].some((e) => e.textContent === '2,881'))
      await page.click('text=Raw')
      await page.waitForFunction(() => [...document.querySelectorAll('.l i')].some((e) => e.textContent === '5,762'))
    },
  },
  {
    name: 'what is looked for in a log is looked for in its other form, too',
    run: async ({ page, open, check }) => {
      await open('tick=0', '#/run/1285/log')
      const hits = page.locator('.hits')
      await page.fill('input[type=search]', 'loss')
      await page.waitForFunction(() => /^([\d,]+) of \1$/.test(document.querySelector('.hits')?.textContent))
      const before = await hits.textContent()
      await page.click('text=Raw')
      await page.waitForFunction(
        (b) =>
          / of /.test(document.querySelector('.hits').textContent) && document.querySelector('.hits').textContent !== b,
        before,
        { timeout: 8000 },
      )
      check((await page.locator('.l.cur').count()) === 1, 'no line is shown')
    },
  },
  {
    name: 'the failure card opens the log at the line it names',
    run: async ({ page, open }) => {
      await open('tick=0', '#/run/1292')
      await page.click('text=Open the log there')
      await page.waitForSelector('.l.cur >> text=4,122')
    },
  },
]
