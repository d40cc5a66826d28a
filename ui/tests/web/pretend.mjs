// What the pretend store was asked, and where the page is.

/** The arguments of each time that it was asked for this. */
export const asked = (page, what) =>
  page.evaluate((w) => window.pretend.asked.filter((one) => one.what === w).map((one) => one.args), what)
export const at = (page) => page.evaluate(() => location.hash)
