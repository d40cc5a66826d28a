/** What a pretend shell finds behind a path. */
import type { DataView } from '../types'

const DataView_ = globalThis.DataView

const picture = (i: number) => {
  const colour = ['#c2410c', '#0f6e79', '#6d3fc0', '#1f7a4d'][i % 4] ?? '#888'
  const drawing = `<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><rect width="64" height="64" fill="${colour}" opacity=".25"/><circle cx="${20 + (i % 5) * 6}" cy="${24 + (i % 3) * 8}" r="${10 + (i % 4) * 3}" fill="${colour}"/></svg>`
  return `data:image/svg+xml;base64,${btoa(drawing)}`
}

/** A tone that fades, as a WAV file of 8 bits. */
export function sound(seconds: number): ArrayBuffer {
  const rate = 8000
  const length = Math.round(rate * seconds)
  const file = new DataView_(new ArrayBuffer(44 + length))
  const text = (at: number, word: string) => [...word].forEach((c, i) => file.setUint8(at + i, c.charCodeAt(0)))
  text(0, 'RIFF')
  file.setUint32(4, 36 + length, true)
  text(8, 'WAVEfmt ')
  file.setUint32(16, 16, true)
  file.setUint16(20, 1, true)
  file.setUint16(22, 1, true)
  file.setUint32(24, rate, true)
  file.setUint32(28, rate, true)
  file.setUint16(32, 1, true)
  file.setUint16(34, 8, true)
  text(36, 'data')
  file.setUint32(40, length, true)
  for (let i = 0; i < length; i++) file.setUint8(44 + i, 128 + 60 * Math.sin(i / 4) * (1 - i / length))
  return file.buffer
}

export function data(path: string): DataView {
  const name = path.split('/').at(-1) ?? path
  if (name === 'clips')
    return {
      name,
      folder: true,
      files: 412,
      size: 214_000_000,
      counted: true,
      others: 0,
      kinds: [
        { ending: 'wav', files: 410, size: 213_000_000 },
        { ending: 'flac', files: 2, size: 1_000_000 },
      ],
      content: null,
      pictures: [],
      sounds: Array.from({ length: 12 }, (_, i) => ({
        id: `mira/clip-${String(i + 1).padStart(3, '0')}.${i === 9 ? 'flac' : 'wav'}`,
        name: `mira/clip-${String(i + 1).padStart(3, '0')}.${i === 9 ? 'flac' : 'wav'}`,
        size: i === 10 ? 48_000_000 : 24_044 + i * 8000,
        seconds: i === 11 ? null : i === 10 ? 540 : 3 + i,
        rate: i === 11 ? null : 8000,
        channels: i === 11 ? null : i === 9 ? 2 : 1,
        playable: i < 10,
      })),
    }
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
      sounds: [],
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
    sounds: [],
  }
}
