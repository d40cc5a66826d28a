import svelte from 'eslint-plugin-svelte'
import globals from 'globals'
import ts from 'typescript-eslint'

import svelteConfig from './svelte.config.js'

// The rooms: kit <- domain <- views. What each may import from `src`.
const rooms = {
  model: ['bindings', 'model', 'platform/types'],
  i18n: ['i18n', 'bindings'],
  kit: ['kit'],
  app: ['app', 'bindings', 'i18n', 'model', 'platform/types'],
  domain: ['domain', 'kit', 'app', 'bindings', 'i18n', 'model', 'platform/types'],
  views: ['views', 'domain', 'kit', 'app', 'bindings', 'i18n', 'model', 'platform/types'],
}

const noHtml = [
  { selector: "MemberExpression[property.name='innerHTML']", message: 'Text goes into text nodes only.' },
  { selector: "MemberExpression[property.name='outerHTML']", message: 'Text goes into text nodes only.' },
  { selector: "CallExpression[callee.property.name='insertAdjacentHTML']", message: 'Text goes into text nodes only.' },
  { selector: "CallExpression[callee.object.name='document'][callee.property.name='write']", message: 'No.' },
]

const tauriOnly = {
  patterns: [{ group: ['@tauri-apps/*'], message: 'Only platform/tauri.ts knows Tauri.' }],
}

export default ts.config(
  { ignores: ['dist', 'dist-demo', 'shots', 'src/bindings', 'src/i18n/words.gen.ts'] },
  ...ts.configs.recommended,
  ...svelte.configs.recommended,
  {
    languageOptions: { globals: { ...globals.browser, ...globals.node } },
    rules: {
      'no-restricted-syntax': ['error', ...noHtml],
      'no-restricted-imports': ['error', tauriOnly],
      'no-eval': 'error',
      'no-implied-eval': 'error',
      eqeqeq: 'error',
    },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser, svelteConfig } },
    rules: {
      'svelte/no-at-html-tags': 'error',
      // The hash is the router; there is no base path to resolve.
      'svelte/no-navigation-without-resolve': 'off',
      // Maps and sets in state are raw and replaced whole; dates are made to be formatted.
      'svelte/prefer-svelte-reactivity': 'off',
    },
  },
  { files: ['src/platform/tauri.ts'], rules: { 'no-restricted-imports': 'off' } },
  ...Object.entries(rooms).map(([room, may]) => ({
    files: [`src/${room}/**/*.{ts,svelte}`],
    ignores: ['**/*.test.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            ...tauriOnly.patterns,
            {
              regex: `^(\\.\\./)+(?!(\\.\\./)*(${may.join('|')})(/|$))(bindings|model|platform|i18n|kit|app|domain|views)(/|$)`,
              message: `${room} may import: ${may.join(', ')}.`,
            },
          ],
        },
      ],
    },
  })),
)
