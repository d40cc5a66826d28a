// What people do with runs, and what then happens.
import { writeFileSync } from 'node:fs'

import { asked, at } from './pretend.mjs'

export const behaviours = [
  {
    name: 'stop and pause are asked for, and the card follows',
    run: async ({ page, open, check }) => {
      await open('tick=0')
      await page.click('article >> nth=0 >> [aria-label=Pause]')
      await page.waitForSelector('article >> nth=0 >> [aria-label=Continue]')
      await page.click('article >> nth=1 >> [aria-label=Stop]')
      await page.waitForFunction(() => document.querySelectorAll('article').length === 1)
      await page.waitForSelector('.toast')
      const wishes = await asked(page, 'wish')
      check(wishes.map((w) => w[1].kind).join() === 'pause,cancel', JSON.stringify(wishes))
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
      await page.waitForSelector('text=No ended run is like that.')
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
    name: 'the failure card opens the log at the line it names',
    run: async ({ page, open }) => {
      await open('tick=0', '#/run/1292')
      await page.click('text=Open the log there')
      await page.waitForSelector('.l.cur >> text=4,122')
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
        check((await page.title()) === 'Footplate', `a script ran at ${route}`)
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
