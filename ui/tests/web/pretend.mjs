// What the pretend store was asked, and where the page is.

/** The arguments of each time that it was asked for this. */
export const asked = (page, what) =>
  page.evaluate((w) => window.pretend.asked.filter((one) => one.what === w).map((one) => one.args), what)
export const at = (page) => page.evaluate(() => location.hash)

/** From the next page on, answers to these come only where a test lets go of them. */
export const hold = (page, ...whats) =>
  page.addInitScript((names) => {
    let made
    window.held = []
    const held = (answer) => (args) =>
      new Promise((done, fail) => window.held.push({ done, answer: () => done(answer(...args)), fail }))
    Object.defineProperty(window, 'pretend', {
      get: () => made,
      set: (pretend) => {
        made = pretend
        for (const name of names) {
          const wait = held(pretend[name])
          pretend[name] = (...args) => wait(args)
        }
      },
    })
  }, whats)
/** The nth answer that was held, from 0; or it fails with this. */
export const release = async (page, n, fault) => {
  await page.waitForFunction((i) => window.held.length > i, n)
  await page.evaluate(([i, why]) => (why ? window.held[i].fail(why) : window.held[i].answer()), [n, fault])
}
/** In its place: this answer. */
export const answer = async (page, n, what) => {
  await page.waitForFunction((i) => window.held.length > i, n)
  await page.evaluate(([i, value]) => window.held[i].done(value), [n, what])
}
