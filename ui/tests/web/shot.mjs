// node tests/web/shot.mjs 'NAME|QUERY|#/route|WIDTH|HEIGHT' ..: pictures of the demo, for looking at. Build it first.
import { mkdirSync } from 'node:fs'
import { chromium } from 'playwright-core'
import { serve } from './serve.mjs'

const shots = new URL('../../shots/', import.meta.url).pathname
mkdirSync(shots, { recursive: true })
const site = await serve()
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
})
for (const one of process.argv.slice(2)) {
  const [name, query = 'tick=0', hash = '', width = '1280', height = '800'] = one.split('|')
  const page = await browser.newPage({ viewport: { width: Number(width), height: Number(height) } })
  page.on('pageerror', (error) => console.log(name, 'PAGE ERROR', error.message.slice(0, 500)))
  page.on(
    'console',
    (message) => message.type() === 'error' && console.log(name, 'CONSOLE', message.text().slice(0, 300)),
  )
  await page.goto(`${site.url}/?${query}${hash}`)
  await page.waitForTimeout(700)
  await page.screenshot({ path: `${shots}${name}.png` })
  await page.close()
}
await browser.close()
site.close()
