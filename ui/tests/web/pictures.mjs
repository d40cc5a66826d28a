// Each view in each state, light and dark, in both languages: looked at by axe, and kept as a picture.
const VIEWS = [
  ['queue', '', '#/queue'],
  ['empty', 'world=empty', '#/queue'],
  ['run', '', '#/run/1285'],
  ['run-alert', '', '#/run/1286'],
  ['run-failed', '', '#/run/1292'],
  ['run-interrupted', '', '#/run/1291'],
  ['run-queued', '', '#/run/1290'],
  ['run-completed', '', '#/run/1293'],
  ['metrics', '', '#/run/1285/metrics'],
  ['log', '', '#/run/1285/log'],
  ['timeline', '', '#/run/1292/timeline'],
  ['files', '', '#/run/1285/files'],
  ['details', '', '#/run/1293/details'],
  ['compare', '', '#/compare?runs=1293,1285'],
  ['compare-sweep', 'world=sweep', '#/compare?experiment=digits-sweep-1'],
  ['wizard-what', '', '#/new'],
  ['wizard-how', '', '#/new?template=digits'],
  ['templates', '', '#/templates'],
  ['templates-none', 'world=empty', '#/templates'],
  ['templates-broken', 'broken', '#/templates'],
  ['consent', '', '#/consent/whisper-tune'],
  ['consent-given', '', '#/consent/lora-fine-tune'],
  ['archive-refused', '', '#/open/bad'],
  ['schedules', '', '#/schedules'],
  ['schedules-none', 'world=empty', '#/schedules'],
  ['machine', '', '#/machine'],
  ['machine-fulldisk', 'fulldisk', '#/machine'],
  ['machine-two-gpus', 'gpus=two', '#/machine'],
  ['machine-no-gpu', 'gpus=none', '#/machine'],
  ['settings', '', '#/settings'],
  ['settings-webhook', 'webhook', '#/settings'],
]

/** The same in dark differs by its colours, and in another language by the room that words take. */
const rules = (name) => (/-zh$/.test(name) ? 'none' : /-dark\b/.test(name) ? 'colours' : 'all')

const picture = (name, query, route, more = {}) => ({
  name: `picture ${name}`,
  picture: true,
  size: more.size,
  run: async ({ page, open, audit, still, shots }) => {
    await open(`tick=0&${query}`, route)
    await still()
    if (more.then) await more.then(page).then(still)
    await page.screenshot({ path: `${shots}${name}.png` })
    await audit(rules(name))
  },
})

export const pictures = [
  ...VIEWS.flatMap(([name, query, route]) =>
    ['light', 'dark'].flatMap((theme) =>
      ['en', 'zh-CN'].map((lang) =>
        picture(`${name}-${theme}${lang === 'en' ? '' : '-zh'}`, `${query}&theme=${theme}&lang=${lang}`, route),
      ),
    ),
  ),
  ...['light', 'dark'].flatMap((theme) => [
    ...VIEWS.filter(([name]) => !['empty', 'run-interrupted', 'run-completed'].includes(name)).map(
      ([name, query, route]) =>
        picture(`${name}-narrow-${theme}`, `${query}&theme=${theme}`, route, { size: [900, 600] }),
    ),
    ...['#/queue', '#/run/1285', '#/templates', '#/schedules', '#/machine'].flatMap((route) => [
      picture(`loading-${route.replace(/\W+/g, '')}-${theme}`, `hanging&theme=${theme}`, route),
      picture(`error-${route.replace(/\W+/g, '')}-${theme}`, `failing&theme=${theme}`, route),
    ]),
    ...['#/queue', '#/run/1294', '#/run/1294/log', '#/run/1297/metrics', '#/run/1297/details', '#/run/1300'].map(
      (route) => picture(`hostile-${route.replace(/\W+/g, '')}-${theme}`, `world=hostile&theme=${theme}`, route),
    ),
    picture(`away-${theme}`, `recovered&theme=${theme}`, '#/queue'),
    picture(`store-moved-${theme}`, `moved&theme=${theme}`, '#/queue'),
    picture(`store-restored-${theme}`, `restored&theme=${theme}`, '#/queue', {
      then: async (page) => page.click('summary'),
    }),
    picture(`keep-run-${theme}`, `theme=${theme}`, '#/run/1293', {
      then: async (page) => {
        await page.click('.acts [aria-haspopup=menu]')
        await page.click('[role=menuitem]:has-text("Make a template")')
      },
    }),
    picture(`files-pinned-${theme}`, `theme=${theme}`, '#/run/1285/files', {
      then: async (page) => {
        await page.click('[aria-pressed=false] >> nth=1')
        await page.waitForSelector('.pinned')
      },
    }),
    picture(`schedule-open-${theme}`, `theme=${theme}`, '#/schedules', {
      then: (page) => page.click('.warn >> nth=0'),
    }),
    ...['en', 'zh-CN'].map((lang) =>
      picture(`schedule-edit-${theme}${lang === 'en' ? '' : '-zh'}`, `theme=${theme}&lang=${lang}`, '#/schedules', {
        then: async (page) => {
          await page.click('article [aria-haspopup=menu] >> nth=0')
          await page.click('[role=menuitem] >> nth=0')
          await page.waitForSelector('#p-epochs')
        },
      }),
    ),
    picture(`repeat-run-${theme}`, `theme=${theme}&lang=zh-CN`, '#/run/1293', {
      then: async (page) => {
        await page.click('.acts [aria-haspopup=menu]')
        await page.click('[role=menuitem]:has-text("设为计划")')
      },
    }),
    picture(`wizard-repeat-${theme}`, `theme=${theme}`, '#/new?template=digits', {
      then: async (page) => {
        await page.click('text=Continue')
        await page.check('input[value=repeat]')
        await page.selectOption('[aria-label="How often"]', 'cron')
        await page.fill('.fields input', '77 * * * *')
      },
    }),
    picture(`template-menu-${theme}`, `theme=${theme}&lang=zh-CN`, '#/templates', {
      then: async (page) => page.click('.more button >> nth=1'),
    }),
    picture(`wizard-faults-${theme}`, `theme=${theme}`, '#/new?template=digits', {
      then: async (page) => {
        await page.fill('#p-epochs', '0')
        await page.fill('#p-learning_rate', '0.0006')
      },
    }),
    picture(`wizard-when-${theme}`, `theme=${theme}`, '#/new?template=digits', {
      then: async (page) => {
        await page.click('text=Continue')
        await page.check('input[value=at]')
      },
    }),
    ...['en', 'zh-CN'].map((lang) =>
      picture(
        `wizard-check-${theme}${lang === 'en' ? '' : '-zh'}`,
        `theme=${theme}&lang=${lang}`,
        '#/new?template=digits',
        {
          then: async (page) => {
            await page.keyboard.press('Control+Enter')
            await page.keyboard.press('Control+Enter')
            await page.waitForSelector('.code')
          },
        },
      ),
    ),
    ...['en', 'zh-CN'].flatMap((lang) =>
      ['how', 'check'].map((step) =>
        picture(
          `wizard-sweep-${step}-${theme}${lang === 'en' ? '' : '-zh'}`,
          `theme=${theme}&lang=${lang}`,
          '#/new?template=digits',
          {
            then: async (page) => {
              await page.click('.settings [role=radio] >> nth=1')
              await page.fill('#p-learning_rate', '1e-4, 3e-4, 1e-3')
              await page.fill('#p-epochs', '5..20:5')
              await page.waitForSelector('.total b')
              if (step === 'how') return
              await page.keyboard.press('Control+Enter')
              await page.keyboard.press('Control+Enter')
              await page.waitForSelector('table')
            },
          },
        ),
      ),
    ),
    ...['file', 'folder'].flatMap((what) =>
      ['en', 'zh-CN'].map((lang) =>
        picture(
          `wizard-data-${what}-${theme}${lang === 'en' ? '' : '-zh'}`,
          `theme=${theme}&lang=${lang}`,
          '#/new?template=lora-fine-tune',
          {
            then: async (page) => {
              await page.click(`.browse:nth-of-type(${what === 'file' ? 1 : 2})`)
              await page.waitForSelector('tbody tr')
            },
          },
        ),
      ),
    ),
    picture(`queue-experiment-${theme}`, `theme=${theme}`, '#/queue?experiment=churn-depth&tag=keep'),
    picture(`wizard-script-${theme}`, `theme=${theme}`, '#/new?kind=script'),
    picture(`palette-${theme}`, `theme=${theme}`, '#/queue', {
      then: async (page) => {
        await page.keyboard.press('Control+k')
        await page.keyboard.type('voice')
        await page.waitForTimeout(250)
      },
    }),
    picture(`shortcuts-${theme}`, `theme=${theme}`, '#/queue', { then: (page) => page.keyboard.press('?') }),
    picture(`log-search-${theme}`, `theme=${theme}`, '#/run/1285/log', {
      then: async (page) => {
        await page.fill('.find input', 'checkpoint')
        await page.waitForTimeout(500)
      },
    }),
    picture(`menu-${theme}`, `theme=${theme}`, '#/run/1292', { then: (page) => page.click('[aria-label=More]') }),
    picture(`undo-${theme}`, `theme=${theme}`, '#/queue', {
      then: async (page) => {
        await page.hover('.ended')
        await page.click('.ended [aria-label=More]')
        await page.click('text=Delete')
      },
    }),
  ]),
]
