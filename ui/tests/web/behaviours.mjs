// What people do with runs, and what then happens.
import { writeFileSync } from 'node:fs'

import { answer, asked, at, hold, release } from './pretend.mjs'

export const behaviours = [
  {
    name: 'stop and pause are asked for, and the card follows',
    run: async ({ page, open, check }) => {
      await open('tick=0')
      await page.click('article >> nth=0 >> [aria-label=Pause]')
      await page.waitForSelector('article >> nth=0 >> [aria-label=Continue]')
      await page.click('article >> nth=1 >> [aria-label=Stop]')
      await page.click('[role=dialog] >> button:text-is("Stop")')
      await page.waitForFunction(() => document.querySelectorAll('article').length === 1)
      await page.waitForSelector('.toast')
      const wishes = await asked(page, 'wish')
      check(wishes.map((w) => w[1].kind).join() === 'pause,cancel', JSON.stringify(wishes))
    },
  },
  {
    name: 'stop asks where hours would be lost; Escape keeps them, and what has just begun is stopped at once',
    run: async ({ page, open, check, audit }) => {
      for (const [route, stop] of [
        ['#/queue', 'article >> nth=0 >> .stop > .btn'],
        ['#/run/1285', '.rhead .stop > .btn'],
      ]) {
        await open('tick=0', route)
        await page.locator(stop).focus()
        await page.keyboard.press('Enter')
        await page.waitForSelector('[role=dialog] >> text=/Stop support-tone-4. It has run 1\\sh\\s4\\d\\sm\\./')
        await page.waitForFunction(() => document.activeElement?.textContent === 'Keep running')
        await audit('colours')
        await page.keyboard.press('Escape')
        await page.waitForSelector('[role=dialog]', { state: 'detached' })
        check(await page.locator(stop).evaluate((e) => e === document.activeElement), 'focus lost')
        check((await asked(page, 'wish')).length === 0, 'it was stopped all the same')
        check((await at(page)) === route, 'Escape left the page')
      }
      await open('tick=0&world=empty')
      await page.evaluate(() =>
        window.pretend.start({ kind: 'template', template: 'digits', params: {}, name: null, not_before: null }),
      )
      await page.click('article >> [aria-label=Stop]')
      await page.waitForSelector('article', { state: 'detached' })
      check((await asked(page, 'wish'))[0][1].kind === 'cancel', 'not asked so')
    },
  },
  {
    name: 'what was stopped goes on from its checkpoint: by the notice once it has ended, and by its own page',
    run: async ({ page, open, check }) => {
      await open('tick=0&stubborn', '#/run/1285')
      await page.click('.rhead .stop > .btn')
      await page.click('[role=dialog] >> button:text-is("Stop")')
      await page.click('.toast >> text=Resume')
      await page.waitForSelector('.toast >> text=Resume', { state: 'detached' })
      check((await asked(page, 'wish')).length === 1, 'asked while it still ran')
      await page.evaluate(() => window.pretend.step())
      await page.waitForSelector('.rhead >> text=Queued')
      const kinds = (await asked(page, 'wish')).map((w) => w[1].kind).join()
      check(kinds === 'cancel,resume', kinds)
      await open('tick=0')
      await page.evaluate(() => window.pretend.wish(1285, { kind: 'cancel', args: {} }))
      await page.click('.ended >> text=support-tone-4')
      await page.waitForSelector('.rhead >> text=Resume')
    },
  },
  {
    name: 'delete waits for a change of mind',
    run: async ({ page, open, check }) => {
      await open('tick=0')
      const first = page.locator('.ended').first()
      const name = await first.locator('.c-name').textContent()
      await first.hover()
      await first.locator('[aria-label=More]').click()
      await page.click('[role=menuitem] >> text=Delete')
      await page.waitForSelector('.toast')
      check((await page.locator('.ended .c-name', { hasText: name }).count()) === 0, 'still in the list')
      await page.click('.toast >> text=Undo')
      await page.waitForFunction(
        (n) => [...document.querySelectorAll('.ended .c-name')].some((e) => e.textContent === n),
        name,
      )
      check((await asked(page, 'wish')).length === 0, 'it was removed all the same')
    },
  },
  {
    name: 'next up is reordered by button, by keys and by drag',
    run: async ({ page, open, check }) => {
      await open('tick=0')
      const order = () => page.locator('.next .c-name').allTextContents()
      await page.locator('.next .c-name').nth(3).focus()
      for (let i = 0; i < 3; i++) {
        await page.keyboard.press('Alt+ArrowUp')
        await page.waitForTimeout(120)
      }
      check((await order())[0] === 'qwen-7b-notes', (await order()).join())
      await page.locator('.next .li').nth(1).hover()
      const grip = await page.locator('.next .li .grip').nth(1).boundingBox()
      await page.mouse.move(grip.x + 6, grip.y + 6)
      await page.mouse.down()
      await page.mouse.move(grip.x + 6, grip.y - 60, { steps: 6 })
      await page.mouse.up()
      await page.waitForTimeout(200)
      check((await order())[0] === 'voice-clone-7', (await order()).join())
    },
  },
  {
    name: 'what is seen of the queue is moved beside its like, whatever else waits there',
    run: async ({ page, open, check }) => {
      await open('tick=0')
      await page.waitForSelector('.next .li')
      // Two of the four are tagged; before and between them others of their queue wait, and the first of all is urgent.
      await page.evaluate(async () => {
        const waiting = [...document.querySelectorAll('.next .li')].map((one) => Number(one.dataset.run))
        for (const [i, run] of waiting.entries()) {
          const tags = i % 2 === 1 ? ['all', 'seen'] : ['all']
          await window.pretend.wish(run, { kind: 'tag', args: { add: tags } })
          await window.pretend.wish(run, { kind: 'set', args: { queue: 'training', priority: i === 0 ? 5 : 0 } })
        }
      })
      await page.evaluate(() => (location.hash = '#/queue?tag=seen'))
      await page.waitForFunction(() => document.querySelectorAll('.next .li').length === 2)
      const numbers = () => page.locator('.next .li').evaluateAll((all) => all.map((one) => Number(one.dataset.run)))
      const [one, two] = await numbers()
      const sent = async () => (await asked(page, 'wish')).at(-1)[1].args
      await page.locator('.next .c-name').nth(1).focus()
      await page.keyboard.press('Alt+ArrowUp')
      await page.waitForFunction((n) => Number(document.querySelector('.next .li').dataset.run) === n, two)
      check((await sent()).before === one, JSON.stringify(await sent()))
      await page.click('.toast >> text=Undo')
      await page.waitForFunction((n) => Number(document.querySelector('.next .li').dataset.run) === n, one)
      check((await sent()).after === one, JSON.stringify(await sent()))
      // The urgent one is another line: the first of the others cannot go before it, and says so.
      await page.evaluate(() => (location.hash = '#/queue?tag=all'))
      await page.waitForFunction(() => document.querySelectorAll('.next .li').length === 4)
      const up = page.locator('.next .li').nth(1).locator('[aria-label="Move up"]')
      check(await up.isDisabled(), 'it could be moved into another priority')
    },
  },
  {
    name: 'a row that is moved by keys keeps the focus, beyond the first few, too',
    run: async ({ page, open, check }) => {
      await open('tick=0')
      await page.waitForSelector('.next .c-name')
      const request = { kind: 'template', template: 'digits', params: {}, queue: 'training', not_before: null }
      await page.evaluate(async (wanted) => {
        for (let i = 0; i < 8; i++) await window.pretend.start({ ...wanted, name: `later-${i}` })
      }, request)
      await page.waitForFunction(() => document.querySelectorAll('.next .c-name').length === 8)
      const place = (name) =>
        page.evaluate(
          (n) => [...document.querySelectorAll('.next .c-name')].findIndex((e) => e.textContent === n),
          name,
        )
      await page.locator('.next .c-name').first().focus()
      const name = await page.locator('.next .c-name').first().textContent()
      for (let i = 0, before = 0; i < 7; i++, before = await place(name)) {
        await page.keyboard.press('Alt+ArrowDown')
        await page.waitForFunction(
          ([n, at]) => [...document.querySelectorAll('.next .c-name')].findIndex((e) => e.textContent === n) > at,
          [name, before],
        )
        const focused = await page.evaluate(() => document.activeElement.textContent)
        check(focused === name, `the focus is on ${focused}`)
      }
      check((await place(name)) > 8, 'it did not get beyond the first few')
    },
  },
  {
    name: 'ended runs are filtered by status, queue and text, and say so when none is like that',
    run: async ({ page, open, check }) => {
      await open('tick=0')
      await page.click('[role=radio] >> text=Failed')
      await page.waitForTimeout(250)
      const words = await page.locator('.ended .status').allTextContents()
      check(words.length > 3 && words.every((w) => w.trim() === 'Failed'), words.join())
      await page.fill('.find input', 'voice-clone-6')
      await page.waitForFunction(() => document.querySelectorAll('.ended').length === 1)
      await page.fill('.find input', 'nothing is called this')
      await page.waitForSelector('text=No run matches.')
      await page.click('text=Show all')
      await page.waitForSelector('.ended')
      await page.click('nav >> text=evaluation')
      await page.waitForSelector('.chip >> text=Queue evaluation')
    },
  },
  {
    name: '100,000 ended runs scroll, and only those in sight exist',
    alone: true,
    run: async ({ page, open, check }) => {
      await open('tick=0&world=huge')
      await page.waitForSelector('.ended')
      await page.evaluate(() => document.querySelector('.body').scrollTo(0, 1_800_000))
      await page.waitForFunction(() => document.querySelectorAll('.ended').length > 10, undefined, { timeout: 4000 })
      const rows = await page.locator('.ended').count()
      check(rows < 80, `${rows} rows`)
      await page.evaluate(() => document.querySelector('.body').scrollTo(0, 9e9))
      await page.waitForSelector('.ended >> text=/-1$/')
      const slow = await page.evaluate(async () => {
        const body = document.querySelector('.body')
        const gaps = []
        let last = performance.now()
        for (let i = 0; i < 60; i++) {
          body.scrollTo(0, 400_000 + i * 900)
          await new Promise(requestAnimationFrame)
          const now = performance.now()
          gaps.push(now - last)
          last = now
        }
        gaps.sort((a, b) => a - b)
        return { median: gaps[30], p95: gaps[57] }
      })
      console.log(`     frames while scrolling: median ${slow.median.toFixed(1)} ms, p95 ${slow.p95.toFixed(1)} ms`)
    },
  },
  {
    name: 'the language and the theme change while everything stays where it is',
    run: async ({ page, open, check }) => {
      await open('tick=0', '#/settings')
      await page.click('text=简体中文')
      await page.waitForSelector('h1 >> text=设置')
      check((await page.evaluate(() => document.documentElement.lang)) === 'zh-CN', 'lang')
      await page.click('[role=radio] >> text=深色')
      const dark = await page.evaluate(() => getComputedStyle(document.body).backgroundColor)
      check(dark === 'rgb(26, 25, 24)', dark)
      const text = await page.locator('body').innerText()
      check(
        !/[A-Za-z]{3,} [A-Za-z]{3,}/.test(text.replace(/Footplate [\d.]+/, '')),
        text.match(/[A-Za-z]{3,} [A-Za-z]{3,}/)?.[0] ?? '',
      )
    },
  },
  {
    name: 'in a small window nothing of the queue is wrapped or printed over, and one finds the box to find in',
    size: [760, 600],
    run: async ({ page, open, check }) => {
      await open('tick=0&lang=zh-CN')
      await page.locator('.ended').nth(1).hover()
      const seen = await page.evaluate(() => {
        const box = (e) => e.getBoundingClientRect()
        const row = document.querySelectorAll('.ended')[1]
        const quick = box(row.querySelector('.quick'))
        const over = [...row.children]
          .filter((e) => !e.matches('.quick') && box(e).width > 0)
          .filter((e) => box(e).right > quick.left + 1 && box(e).left < quick.right - 1)
        return {
          headings: [...document.querySelectorAll('h2')].map((e) => box(e).height),
          find: box(document.querySelector('.find')).width,
          over: over.map((e) => e.className),
          empty: box(document.querySelectorAll('.ended .act')[0]).width,
        }
      })
      check(seen.headings.every((height) => height < 24) && seen.find >= 124, JSON.stringify(seen))
      check(seen.over.length === 0 && seen.empty === 0, JSON.stringify(seen))
    },
  },
  {
    name: 'cards that run share a wide window, and their lines stand at one height',
    size: [1920, 1080],
    run: async ({ page, open, check }) => {
      await open('tick=0')
      const lines = await page
        .locator('article .stage')
        .evaluateAll((all) => all.map((e) => e.getBoundingClientRect().top))
      check(lines.length === 2 && lines[0] === lines[1], lines.join())
      const [cards, last] = await page.evaluate(() =>
        ['.cards', 'article:last-child'].map((e) => document.querySelector(e).getBoundingClientRect().right),
      )
      check(Math.abs(cards - last) < 1, `${last} of ${cards}`)
    },
  },
  {
    name: 'what went wrong comes with what helps: back to the queue, or another file',
    run: async ({ page, open, check }) => {
      await open('tick=0', '#/run/99999')
      await page.waitForSelector('.trouble >> text=There is no run #99999')
      check(!(await page.locator('.trouble').innerText()).includes('footplate '), 'a command of the terminal')
      await page.click('.trouble >> text=To the queue')
      await page.waitForSelector('.ended')
      await open('tick=0', '#/open/bad')
      await page.click('.trouble >> text=Choose another file')
      await page.waitForFunction(() => window.pretend.asked.some((one) => one.what === 'importTemplate'))
    },
  },
  {
    name: 'a queue that is looked at says how it stands, and is turned on there',
    run: async ({ page, open, check }) => {
      await open('tick=0', '#/queue?queue=maintenance')
      await page.waitForSelector('text=maintenance: paused, 0 of 12 busy')
      await page.waitForSelector('text=Nothing has run in this queue yet.')
      check((await page.locator('.seg em').count()) === 0, 'what needs a look elsewhere is counted')
      await page.click('text=Turn on')
      await page.waitForSelector('text=maintenance: 0 of 12 busy')
    },
  },
  {
    name: 'a time is seen whole where it is set, also where clocks have am and pm',
    run: async ({ page, open, check }) => {
      const clipped = () =>
        page.locator('input[type=time]').evaluateAll((all) =>
          all.map((e) => {
            const had = e.offsetWidth
            e.style.cssText = 'flex: none; width: max-content'
            return [had, e.offsetWidth]
          }),
        )
      await open('tick=0', '#/settings')
      await page.click('#quiet')
      await page.waitForSelector('input[type=time]')
      const times = await clipped()
      check(times.length === 2 && times.every(([had, wants]) => had >= wants + 16), JSON.stringify(times))
    },
  },
  {
    name: 'a menu keeps what takes away apart and last; what asks more says so',
    run: async ({ page, open, check }) => {
      await open('tick=0')
      await page.locator('.ended').first().hover()
      await page.locator('.ended').first().locator('[aria-label=More]').click()
      const items = page.locator('[role=menuitem]')
      await items.filter({ hasText: 'Make a template…' }).waitFor()
      const tops = await items.evaluateAll((all) => all.map((e) => e.getBoundingClientRect().top))
      const steps = tops.slice(1).map((top, i) => top - tops[i])
      check((await items.last().textContent()) === 'Delete', 'it is not last')
      check(steps.at(-1) > 34 && steps.slice(0, -1).every((step) => step < 30), steps.join())
    },
  },
  {
    name: 'figures are as wide as each other where they stand in columns or change, and hyphens in names are not',
    run: async ({ page, open, check }) => {
      const figures = (selector) =>
        page
          .locator(selector)
          .evaluateAll((all) => all.map((e) => getComputedStyle(e).fontVariantNumeric))
          .then((all) => [...new Set(all)].join())
      await open('tick=0')
      await page.waitForSelector('.ended')
      for (const name of ['.c-name', 'h3', '.btn', '.c-kind']) check((await figures(name)) === 'normal', name)
      for (const number of ['.c-took', '.c-at', '.sec .n', '.gauge b', '.left b', '.dial text', '.stage .tn'])
        check((await figures(number)) === 'tabular-nums', `${number}: ${await figures(number)}`)
      await open('tick=0', '#/run/1285')
      await page.waitForSelector('.dl dd')
      check((await figures('h1')) === 'normal', 'h1')
      for (const number of ['.fact b', '.dl dd']) check((await figures(number)) === 'tabular-nums', number)
    },
  },
  {
    name: 'the palette finds a run by name and goes there; Escape gives the focus back',
    run: async ({ page, open, check }) => {
      await open('tick=0')
      await page.locator('.next .c-name').first().focus()
      await page.keyboard.press('Control+k')
      await page.keyboard.type('whisper')
      await page.waitForSelector('[role=option] >> text=whisper-zh-3')
      await page.keyboard.press('Escape')
      check(await page.evaluate(() => document.activeElement?.classList.contains('c-name')), 'the focus is lost')
      await page.keyboard.press('Control+k')
      await page.keyboard.type('#1291')
      await page.waitForTimeout(250)
      await page.keyboard.press('Enter')
      await page.waitForFunction(() => location.hash === '#/run/1291')
    },
  },
  {
    name: 'g and a letter, digits for tabs, and ? for all of them',
    run: async ({ page, open, check }) => {
      await open('tick=0')
      await page.keyboard.press('g')
      await page.keyboard.press('m')
      await page.waitForFunction(() => location.hash === '#/machine')
      await open('tick=0', '#/run/1285')
      await page.waitForSelector('[role=tab]')
      await page.keyboard.press('2')
      await page.waitForSelector('text=Smoothing')
      check((await at(page)).endsWith('/metrics'), await at(page))
      await page.keyboard.press('?')
      await page.waitForSelector('[role=dialog]')
    },
  },
  {
    name: 'the limit and the switch of a queue are wishes',
    run: async ({ page, open, check }) => {
      await open('tick=0', '#/machine')
      await page.click('[aria-label="More: training"]')
      await page.click('[aria-label="Queue default starts stages"]')
      const wishes = (await asked(page, 'wish')).map((w) => w[1].args)
      check(
        JSON.stringify(wishes) === '[{"name":"training","limit":2},{"name":"default","paused":true}]',
        JSON.stringify(wishes),
      )
    },
  },
  {
    name: 'two clicks on a limit count twice, however late the first is answered, and one that is refused comes back',
    run: async ({ page, open, check }) => {
      await hold(page, 'wish')
      await open('tick=0', '#/machine')
      const shown = (n) =>
        page.waitForFunction(
          (limit) =>
            document.querySelector('[aria-label="More: training"]')?.previousElementSibling.textContent === limit,
          n,
        )
      await page.dblclick('[aria-label="More: training"]')
      await shown('3')
      await release(page, 0)
      await release(page, 1)
      const wishes = (await asked(page, 'wish')).map((w) => w[1].args.limit)
      check(wishes.join() === '2,3', wishes.join())
      await shown('3')
      await page.click('[aria-label="More: training"]')
      await shown('4')
      await answer(page, 2, { done: false, code: 'conflict', message: 'No.' })
      await shown('3')
    },
  },
  {
    name: 'where the system names no language the curves are there all the same',
    run: async ({ page, open, check }) => {
      // WebKit under LANG=C.
      await page.addInitScript(() =>
        Object.defineProperty(Navigator.prototype, 'language', { get: () => 'C', configurable: true }),
      )
      await open('tick=0', '#/run/1285/metrics')
      await page.waitForSelector('.charts canvas')
      const [said, wide] = await page.evaluate(() => [navigator.language, document.querySelector('canvas').width])
      check(said === 'en-US' && wide > 200, `${said}, ${wide} wide`)
    },
  },
  {
    name: 'the curves are saved as a picture of what is seen, and as the values behind it',
    run: async ({ page, open, check, shots }) => {
      await open('tick=0', '#/run/1285/metrics')
      await page.waitForSelector('.charts canvas')
      await page.click('text=Save PNG')
      await page.waitForSelector('.toast')
      const [[name, png]] = await asked(page, 'savePicture')
      check(name === 'run-1285-metrics.png', name)
      writeFileSync(`${shots}saved-metrics.png`, Buffer.from(png))
      // What was written is a picture of four curves: it has their colours, and more than one.
      const seen = await page.evaluate(async (bytes) => {
        const picture = await createImageBitmap(new Blob([new Uint8Array(bytes)], { type: 'image/png' }))
        const sheet = new OffscreenCanvas(picture.width, picture.height)
        const pen = sheet.getContext('2d')
        pen.drawImage(picture, 0, 0)
        const ember = (x, y, w, h) => {
          const { data } = pen.getImageData(x, y, w, h)
          let found = 0
          for (let i = 0; i < data.length; i += 4) if (data[i] > 150 && data[i + 1] < 110 && data[i + 2] < 60) found++
          return found
        }
        const [w, h] = [picture.width / 2, picture.height / 2]
        return {
          width: picture.width,
          parts: [ember(0, 0, w, h), ember(w, 0, w, h), ember(0, h, w, h), ember(w, h, w, h)],
        }
      }, png)
      check(seen.width > 900 && seen.parts.every((n) => n > 300), JSON.stringify(seen))
      await page.fill('.find input', 'loss')
      await page.waitForFunction(() => document.querySelectorAll('.charts canvas').length === 1)
      await page.click('text=Export CSV')
      await page.waitForFunction(() => window.pretend.asked.some((a) => a.what === 'saveText'))
    },
  },
  {
    name: 'experiments and tags lead to their runs, and the chips let go of them again',
    run: async ({ page, open, check }) => {
      await open('tick=0')
      await page.click('nav >> text=churn-depth')
      await page.waitForSelector('.chip >> text=Experiment churn-depth')
      await page.waitForFunction(() => {
        const names = [...document.querySelectorAll('.ended .c-name')].map((one) => one.textContent)
        return names.length > 5 && names.every((name) => name.startsWith('churn'))
      })
      check((await page.locator('article').count()) === 0, 'a run of another experiment is shown')
      await page.click('[aria-label="Not only churn-depth"]')
      await page.waitForSelector('article')
      await open('tick=0', '#/run/1293/details')
      await page.click('.tags >> text=baseline')
      await page.waitForFunction(() => document.querySelectorAll('.ended').length === 1)
      check((await page.locator('.ended .c-name').textContent()) === 'digits-12', 'another run')
    },
  },
  {
    name: 'hostile text is text: nothing runs, nothing is broken',
    run: async ({ page, open, check, audit }) => {
      for (const route of [
        '#/queue',
        '#/run/1294',
        '#/run/1295',
        '#/run/1296',
        '#/run/1297',
        '#/run/1300',
        '#/run/1303',
        '#/run/1306/log',
        '#/run/1300/timeline',
        '#/run/1300/files',
        '#/run/1303/details',
      ]) {
        await open('tick=0&world=hostile', route)
        await page.waitForTimeout(250)
        check((await page.title()).endsWith(' – Footplate'), `a script ran at ${route}`)
        check((await page.locator('main img[src=x], main script').count()) === 0, `markup at ${route}`)
        await audit().catch((error) => {
          throw new Error(`${route}: ${error.message}`)
        })
      }
    },
  },
  {
    name: 'a live run is asked about calmly, however often it changes',
    alone: true,
    run: async ({ page, open, check }) => {
      // Questions a second, at most, while the run changes 25 times a second; each place in a window of its own.
      const places = [
        ['#/queue', { list: 0.5, metrics: 2 }],
        ['#/run/1285', { metrics: 1.3, files: 0.6, log: 0.6, show: 0.3 }],
        ['#/run/1285/log', { log: 2.5, show: 0.3 }],
        ['#/run/1285/metrics', { metrics: 1.3, show: 0.3, usage: 0.4 }],
        ['#/run/1291', { show: 1.3, log: 0.3 }],
      ]
      await open('tick=40')
      const calm = async ([route, most]) => {
        const window = await page.context().newPage()
        await window.goto(page.url().replace(/#.*/, route))
        await window.waitForSelector('#main')
        await window.waitForTimeout(1500)
        const count = () =>
          window.evaluate(() => ({ at: performance.now(), asked: window.pretend.asked.map((a) => a.what) }))
        const before = await count()
        await window.waitForTimeout(3000)
        const after = await count()
        check(after.asked.length > before.asked.length, `${route}: nothing was asked`)
        for (const [what, rate] of Object.entries(most)) {
          const times = after.asked.slice(before.asked.length).filter((name) => name === what).length
          // One more than that falls into a stretch by where it begins and ends.
          const found = Math.max(0, times - 1) / ((after.at - before.at) / 1000)
          check(found <= rate, `${route}: ${what} ${found.toFixed(1)} times a second`)
        }
      }
      await Promise.all(places.map(calm))
    },
  },
  {
    name: 'what comes in while one looks moves nothing else',
    alone: true,
    run: async ({ page, open, check }) => {
      await open('tick=50')
      await page.waitForSelector('.ended')
      const places = () =>
        page.evaluate(() =>
          [...document.querySelectorAll('article, .next .li, h2')]
            .map((e) => Math.round(e.getBoundingClientRect().top))
            .join(),
        )
      await page.waitForTimeout(600)
      const before = await places()
      await page.waitForTimeout(1500)
      check(before === (await places()), `${before}\n${await places()}`)
    },
  },
]
