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
