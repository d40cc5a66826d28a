// What the page of a run says of it in each of its states.
import { at } from './pretend.mjs'

export const runview = [
  {
    name: 'a completed run begins with its result, and can be run again from its head',
    run: async ({ page, open, check }) => {
      await open('tick=0', '#/run/1293')
      const side = page.locator('.right')
      await side.locator('.big', { hasText: '0.9780' }).waitFor()
      const said = (await side.textContent()).replace(/\s+/g, ' ')
      for (const part of ['Result', 'val_accuracy · step 1,640', 'the best so far', 'Ran for', '41 s', 'loss'])
        check(said.includes(part), `no "${part}" in ${said}`)
      check(!said.includes('It printed no metrics'), said)
      await page.click('.rhead >> text=Run again with changes')
      check((await at(page)) === '#/new?like=1293', await at(page))
    },
  },
]
