// node tests/web/shot.mjs NAME 'QUERY' '#/route' [width] [height]: one picture of the demo, for looking at.
import { chromium } from 'playwright-core'
import { serve } from './serve.mjs'

const [name, query = '', hash = '', width = '1280', height = '800', wait = '700'] = process.argv.slice(2)
const site = await serve()
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] })
const page = await browser.newPage({ viewport: { width: Number(width), height: Number(height) } })
page.on('pageerror', (error) => console.log('PAGE ERROR', error.message.slice(0, 500)))
page.on('console', (message) => message.type() === 'error' && console.log('CONSOLE', message.text().slice(0, 300)))
await page.goto(`${site.url}/?${query}${hash}`)
await page.waitForTimeout(Number(wait))
await page.screenshot({ path: new URL(`../../shots/${name}.png`, import.meta.url).pathname })
await browser.close()
site.close()
