/** What a pretend shell finds behind a path. */
import type { DataView } from '../types'

const picture = (i: number) => {
  const colour = ['#c2410c', '#0f6e79', '#6d3fc0', '#1f7a4d'][i % 4] ?? '#888'
  const drawing = `<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><rect width="64" height="64" fill="${colour}" opacity=".25"/><circle cx="${20 + (i % 5) * 6}" cy="${24 + (i % 3) * 8}" r="${10 + (i % 4) * 3}" fill="${colour}"/></svg>`
  return `data:image/svg+xml;base64,${btoa(drawing)}`
}

export function data(path: string): DataView {
  const name = path.split('/').at(-1) ?? path
  if (!name.includes('.')) {
    return {
      name,
      folder: true,
      files: 1798,
      size: 18_400_000,
      counted: true,
      others: 2,
      kinds: [
        { ending: 'png', files: 1797, size: 18_300_000 },
        { ending: 'csv', files: 1, size: 100_000 },
      ],
      content: {
        name: 'labels.csv',
        format: 'csv',
        rows: 1797,
        whole: true,
        columns: ['file', 'digit'],
        preview: Array.from({ length: 12 }, (_, i) => [`${String(i).padStart(4, '0')}.png`, String((i * 7) % 10)]),
        faults: [],
        faults_total: 0,
      },
      pictures: Array.from({ length: 12 }, (_, i) => ({
        name: `${String(i).padStart(4, '0')}.png`,
        address: picture(i),
      })),
    }
  }
  const asked = [
    'How do I reset my password?',
    'Where is my invoice?',
    'The app does not start.',
    '怎么修改绑定的手机号？',
  ]
  return {
    name,
    folder: false,
    files: 1,
    size: 18_400_000,
    counted: true,
    others: 0,
    kinds: [{ ending: 'jsonl', files: 1, size: 18_400_000 }],
    content: {
      name,
      format: 'jsonl',
      rows: 6412,
      whole: true,
      columns: ['prompt', 'answer'],
      preview: Array.from({ length: 12 }, (_, i) => [
        asked[i % 4] ?? '',
        'Open Settings, then Account; the third entry is what you want. Tell us if it is not there.',
      ]),
      faults: [
        { line: 17, what: 'not_json' },
        { line: 2048, what: 'not_utf8' },
        { line: 6001, what: 'not_json' },
      ],
      faults_total: 3,
    },
    pictures: [],
  }
}
