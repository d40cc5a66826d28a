// Messages: the address goes in, is tried, and is never shown again; what is told has its switches.
import { asked } from './pretend.mjs'

export const webhook = [
  {
    name: 'webhook: an address is tried before it is kept, its form is known by its name, and the server alone is shown',
    run: async ({ page, open, check, audit }) => {
      await open('tick=0', '#/settings')
      const field = page.getByLabel('Address', { exact: true })
      await field.fill('https://dead.example.com/canary')
      await page.click('button:text-is("Send a test message")')
      await page.waitForSelector('text=dead.example.com answered with 404')
      check((await asked(page, 'setWebhook')).length === 0, 'kept before it was asked for')
      await field.fill('hooks.slack.com/canary')
      await page.click('button:text-is("Save")')
      await page.waitForSelector('text=does not begin with https://')
      await field.fill(' https://hooks.slack.com/services/canary ')
      await page.click('button:text-is("Send a test message")')
      await page.waitForSelector('text=hooks.slack.com has taken the message.')
      await audit()
      await page.keyboard.press('Tab')
      await field.press('Enter')
      await page.waitForSelector('.host:text-is("hooks.slack.com")')
      check((await page.content()).includes('canary') === false, 'the address is still on the page')
      check(await page.getByRole('radio', { name: 'Slack' }).isChecked(), 'not its form')
      check(
        JSON.stringify((await asked(page, 'setWebhook')).at(-1)) ===
          '[{"address":"https://hooks.slack.com/services/canary"}]',
        'not asked so',
      )
      await audit()
    },
  },
  {
    name: 'webhook: each kind has its switch, the last one stays, and what is removed tells nothing more',
    run: async ({ page, open, check }) => {
      await open('tick=0&webhook', '#/settings')
      const group = page.getByRole('group', { name: 'Send when' })
      await page.waitForSelector('text=The last message was taken')
      for (const kind of ['A run failed', 'A run was interrupted', 'A run prints nothing', 'A metric raises an alert'])
        await group.getByRole('switch', { name: kind }).click()
      const wanted = async () => JSON.stringify((await asked(page, 'setWebhook')).at(-1))
      check((await wanted()) === '[{"on":["disk"]}]', await wanted())
      await group.getByRole('switch', { name: 'The disk is nearly full' }).click()
      await page.waitForSelector('text=One at least')
      await page.getByRole('radio', { name: 'ntfy' }).click()
      check((await wanted()) === '[{"form":"ntfy"}]', await wanted())
      await page.click('button:text-is("Remove")')
      await page.waitForSelector('text=No more messages are sent to hooks.slack.com.')
      await page.getByLabel('Address', { exact: true }).waitFor()
      check((await asked(page, 'removeWebhook')).length === 1, 'not removed')
    },
  },
]
