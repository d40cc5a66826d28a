// Runs side by side: from the list and from an experiment to the comparison, and what it tells.
import { asked } from './pretend.mjs'

export const compare = [
  {
    name: 'compare: the run and the heads stay in sight, and no name says again what the columns say',
    size: [760, 600],
    run: async ({ page, open, check }) => {
      await open('tick=0&world=sweep', '#/compare?experiment=digits-sweep-1')
      await page.waitForSelector('tbody tr')
      const seen = await page.evaluate(() => {
        const wide = document.querySelector('.wide.scroll')
        wide.scrollTo(400, 300)
        const box = (e) => e.getBoundingClientRect()
        const rows = [...wide.querySelectorAll('tbody th')]
        return {
          moved: wide.scrollLeft > 0 && wide.scrollTop > 50,
          left: box(rows[20]).left - box(wide).left,
          top: box(wide.querySelector('thead th')).top - box(wide).top,
          names: rows.map((e) => e.textContent.trim()),
          titles: rows.map((e) => e.querySelector('a').title),
          empty: [...wide.querySelectorAll('tbody td')].filter((e) => e.textContent.trim() === '').length,
        }
      })
      check(seen.moved && Math.abs(seen.left) < 1 && Math.abs(seen.top) < 1, JSON.stringify({ ...seen, titles: [] }))
      check(
        seen.names.every((name) => /^#\d+$/.test(name)),
        seen.names.join(),
      )
      check(seen.titles.every((name) => name.startsWith('lr=')) && seen.empty === 0, seen.titles.join())
    },
  },
  {
    name: 'compare: ended runs are chosen by the keyboard and compared',
    run: async ({ page, open, check, audit }) => {
      await open('tick=0', '#/queue')
      const boxes = page.locator('.ended input[type=checkbox]')
      await boxes.first().focus()
      await page.keyboard.press('Space')
      check((await page.textContent('p.chosen')).includes('1 run chosen'), 'one is chosen')
      check((await page.locator('p.chosen a').count()) === 0, 'one alone is not compared')
      await boxes.nth(1).focus()
      await page.keyboard.press('Space')
      await audit()
      await page.locator('p.chosen a').focus()
      await page.keyboard.press('Enter')
      await page.waitForSelector('h2:has-text("Parameters and results")')
      const [[what]] = await asked(page, 'compare')
      check(what.runs.length === 2, JSON.stringify(what))
      await audit()
      await page.goto(page.url().replace(/#.*/, '#/queue'))
      await page.click('text=Choose none')
      check((await page.locator('.ended.chosen').count()) === 0, 'still chosen')
    },
  },
  {
    name: 'compare: an experiment is sorted by a metric, its best is marked, and it is saved as CSV',
    run: async ({ page, open, check, audit }) => {
      await open('tick=0&world=sweep', '#/queue?experiment=digits-sweep-1')
      await page.click('.chipline >> text=Compare')
      await page.waitForSelector('tbody tr')
      check((await page.locator('tbody tr').count()) === 30, 'a line for each run')
      const column = (name) =>
        page.evaluate((head) => {
          const heads = [...document.querySelectorAll('thead th')].map((one) => one.textContent.trim())
          const at = heads.findIndex((one) => one.startsWith(head))
          return [...document.querySelectorAll('tbody tr')].map((row) => row.children[at].textContent.trim())
        }, name)
      const losses = await column('val_loss')
      check(losses[0].endsWith('(best)'), losses[0])
      const numbers = losses.map(parseFloat)
      check(
        numbers.every((value, i) => i === 0 || value >= numbers[i - 1]),
        losses.join(' '),
      )
      await page.locator('select').nth(1).selectOption({ label: 'val_accuracy' })
      await page.waitForFunction(() => document.querySelector('tbody .best')?.closest('tr').matches(':first-child'))
      const accuracies = (await column('val_accuracy')).map(parseFloat)
      check(accuracies[0] === Math.max(...accuracies), accuracies.join(' '))
      check(
        (await column('dropout')).length === 30 && !(await page.textContent('thead')).includes('seed'),
        'what differs',
      )
      await page.click('text=Show')
      check((await page.textContent('thead')).includes('seed'), 'what is equal is shown when it is asked for')
      check((await page.locator('svg .run').count()) === 30, 'a line through the parameters for each run')
      await page.click('text=Export CSV')
      await page.waitForSelector('text=Saved')
      const [[name]] = await asked(page, 'saveText')
      check(name === 'compare-digits-sweep-1.csv', name)
      await audit()
    },
  },
  {
    name: 'compare: without metrics, of an unknown experiment and of nothing it says so',
    run: async ({ page, open, check, audit }) => {
      await open('tick=0', '#/compare')
      await page.waitForSelector('text=Choose what to compare')
      await audit()
      await page.evaluate(() => (location.hash = '#/compare?experiment=digits-width'))
      await page.waitForSelector('[role=alert]')
      check((await page.textContent('[role=alert]')).includes('2 to 100'), 'too few')
      const numbers = await page.evaluate(async () => {
        const query = { queue: null, experiment: null, tag: null, search: 'calls-prepare', limit: 2, offset: 0 }
        return (await window.pretend.list({ statuses: [], ...query })).runs.map((run) => run.number)
      })
      await page.evaluate((runs) => (location.hash = `#/compare?runs=${runs.join(',')}`), numbers)
      await page.waitForFunction(() => !document.querySelector('[role=alert]'))
      await page.waitForSelector('h2:has-text("Parameters and results")')
      check((await page.textContent('main')).includes('None of these runs printed a metric.'), 'no metrics')
    },
  },
]
