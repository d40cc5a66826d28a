/** A store in which everything is called what an attacker would call it. */
import type { CheckView, Definition, LogLine, Platform, RunView, ScriptView, TemplateView } from '../types'
import { attempt, failure, iso, ran, run, stage } from './build'

/** What is used where a test brings no texts of its own. */
export const NASTY = [
  '<script>document.title="pwned"</script><img src=x onerror="document.title=\'pwned\'">',
  '\u202Egnp.exe\u202C \u2066left\u2069 \u05E9\u05DC\u05D5\u05DD \u0645\u0631\u062D\u0628\u0627',
  'x'.repeat(10_000),
  '👩‍👩‍👧‍👦🏳️‍🌈🔥'.repeat(40),
  'Z\u0351\u036B\u0343\u036A\u0302\u036B\u033D\u034F\u0334\u0319\u0324a\u0335\u0341\u0306l\u0334\u0302\u0301g\u0334\u0310o\u0338\u0308 {{constructor}} ${alert(1)} javascript:alert(1)',
]

/** Each text as a failed, a running and a queued run; last one run that has them all inside. */
export function hostileRuns(now: number, first: number, texts = NASTY): RunView[] {
  const out: RunView[] = []
  for (const [i, text] of texts.entries()) {
    const error = failure('exit_code', text, text, [text, text], 3)
    const metrics = { [text.slice(0, 128)]: 1 }
    const named = { pipeline: text, experiment: text, tags: [text, text], created_at: iso(now - 60_000) }
    out.push(
      run(first + out.length, text, 'failed', {
        ...named,
        started_at: iso(now - 50_000),
        finished_at: iso(now - i * 1000),
        error,
        cwd: text,
        params: { [text.slice(0, 90)]: text },
        notes: [{ time: iso(now), stage: text, text }],
        stages: [ran(text.slice(0, 128), now - 50_000, 40, { status: 'failed', message: text, metrics, error })],
      }),
    )
    out.push(
      run(first + out.length, text, 'running', {
        ...named,
        progress: 0.5,
        eta_s: 100,
        message: text,
        started_at: iso(now - 50_000),
        params: {},
        stages: [
          stage(text.slice(0, 128), 'running', {
            progress: 0.5,
            message: text,
            metrics,
            started_at: iso(now - 50_000),
            attempts: [attempt({ status: 'running', started_at: iso(now - 50_000) })],
          }),
        ],
      }),
    )
    out.push(
      run(first + out.length, text, 'queued', {
        ...named,
        queue: text,
        waiting: { reason: 'after', detail: text },
        created_at: iso(now),
        stages: [],
      }),
    )
  }
  const names = texts.map((text, i) => `${i} ${text}`.slice(0, 128))
  out.push(
    run(first + out.length, 'all of it', 'failed', {
      created_at: iso(now - 90_000),
      started_at: iso(now - 80_000),
      finished_at: iso(now - 70_000),
      tags: texts,
      params: Object.fromEntries(texts.map((text) => [text.slice(0, 90), text])),
      notes: texts.map((text) => ({ time: iso(now), stage: text, text })),
      error: failure('exit_code', texts[0] ?? '', texts[0] ?? '', texts, 2),
      stages: names.map((name, i) =>
        ran(name, now - 80_000 + i * 100, 5, {
          needs: i % 3 === 0 || i === 0 ? [] : [names[i - 1]!],
          queue: texts[i]!,
          command: [texts[i]!, texts[i]!],
          message: texts[i]!,
          metrics: Object.fromEntries(texts.map((text, n) => [text.slice(0, 128), n])),
          outputs: { [texts[i]!.slice(0, 128)]: texts[i]! },
          ...(i === texts.length - 1 ? { status: 'failed' as const } : {}),
        }),
      ),
    }),
  )
  return out
}

const ESC = '\u001b'

function lines(texts: string[]): LogLine[] {
  const line = (text: string, n: number): LogLine => ({
    n,
    at: iso(0),
    text: text.slice(0, 8192),
    cut: Math.max(0, text.length - 8192),
    updates: n % 5,
    level: n % 7 === 2 ? 'error' : n % 7 === 4 ? 'warning' : null,
    gap: null,
  })
  return texts.flatMap((text) => [text, `${ESC}[31;1m${text}${ESC}[0m`]).map((text, i) => line(text, i + 1))
}

function template(text: string, i: number): TemplateView {
  const definition: Definition = {
    format: 1,
    name: `hostile-${i}`,
    title: text,
    description: text,
    params: {
      given: { type: 'dataset', default: text, title: text, help: text },
      words: { type: 'string', default: text, title: text, help: text, group: text },
      which: { type: 'choice', default: text, choices: [text, `${text} 2`], title: text, help: text },
      many: { type: 'integer', default: 1, minimum: 1, maximum: 3, title: text, help: text, advanced: true },
    },
    presets: { [`p${i}`]: { title: text, words: text } },
    stages: { [text.slice(0, 60)]: { command: [text] } },
  }
  return { name: `hostile-${i}`, source: 'own', definition, expected_s: null, trust: 'allowed' }
}

/** The platform with every answer made of these texts. */
export function hostile<P extends Platform>(base: P, texts = NASTY): P {
  const script: ScriptView = {
    handle: 's1',
    name: texts[0] ?? '',
    path: texts[1] ?? '',
    folder: texts[2] ?? '',
    interpreters: texts.map((label, i) => ({ id: `i${i}`, label })),
  }
  const check: CheckView = {
    items: texts.map((text, i) => ({
      id: i % 2 ? text : 'program',
      state: (['ok', 'note', 'bad'] as const)[i % 3]!,
      detail: `${i} ${text}`,
      hint: text,
    })),
    params: [],
    levels: [texts],
    max_parallelism: texts.length,
    critical_path: texts,
    expected_stage_s: {},
    expected_s: null,
    stages: texts.map((text, i) => ({ name: `${i} ${text}`.slice(0, 128), needs: [], queue: text })),
    commands: texts.map((text, i) => ({ stage: `${i} ${text}`, argv: [text, `--${text}`], shell: i % 2 === 0 })),
    cwd: texts[0] ?? '',
    cli: texts[0] ?? '',
  }
  return {
    ...base,
    log: async (query, from, count) => {
      const all = lines(texts)
      const start = from < 0 ? Math.max(0, all.length + from) : from - 1
      return {
        stage: query.stage ?? texts[0] ?? '',
        attempt: query.attempt ?? 1,
        lines: all.slice(start, start + count),
        total: all.length,
        bytes: 9_000,
        ended: true,
        last_at: iso(0),
        first_error: 2,
        at: null,
      }
    },
    logSearch: async () => ({ lines: lines(texts).map((line) => line.n), total: texts.length * 2 }),
    metrics: async () =>
      texts.map((text, i) => ({
        stage: text,
        attempt: 1 + (i % 2),
        name: text,
        step: [1, 2, 3],
        epoch: [null, null, null],
        time_ms: [1, 2, 3],
        value: [3, null, 1e300],
        total: 3,
      })),
    compare: async () => ({
      runs: [0, 1, 2].map((i) => ({
        id: '0198a7c2-0000-7000-8000-000000000000',
        number: i + 1,
        name: texts[i % texts.length] ?? '',
        pipeline: texts[0] ?? '',
        experiment: texts[0] ?? '',
        tags: texts,
        status: 'completed' as const,
        created_at: iso(0),
        started_at: iso(0),
        finished_at: iso(9),
        took_s: 9,
        command: texts[i % texts.length] ?? '',
      })),
      left_out: 7,
      params: texts.map((text, i) => ({
        name: `${i} ${text}`,
        values: [text, text, `${text} 2`],
        differs: i % 2 === 0,
      })),
      metrics: texts.map((text, i) => ({
        stage: text,
        name: `${i} ${text}`,
        better: i % 2 === 0 ? ('min' as const) : null,
        declared: false,
        values: [
          { value: 1e300, step: i, last: null, points: 1 },
          null,
          { value: -1e-300, step: null, last: 1, points: 2 },
        ],
        best: [2],
      })),
      outputs: texts.map((text, i) => ({ name: `${i} ${text}`, values: [text, null, 1], differs: true })),
    }),
    files: async () => ({
      folder: texts[0] ?? '',
      size: 1e15,
      more: 3,
      files: texts.map((text, i) => ({
        id: `f${i}`,
        kind: (['checkpoint', 'output', 'file'] as const)[i % 3]!,
        stage: text,
        name: text,
        size: 1e12,
        modified_at: iso(0),
        exists: i % 4 !== 0,
        whole: i % 4 > 1,
        checkpoint: i % 3 === 0 ? { step: i, epoch: null, metrics: { [text]: i, loss: null } } : null,
      })),
    }),
    origin: async () => ({ definition: template(texts[0] ?? '', 0).definition, template: null }),
    templates: async () => ({
      templates: texts.map(template),
      broken: texts.map((text, i) => ({
        name: `broken-${i}`,
        file: text,
        faults: texts.slice(i, i + 3).map((message) => ({ line: i, column: 1, message, hint: text })),
      })),
    }),
    pickScript: async () => script,
    script: async () => script,
    check: async () => check,
    data: async () => ({
      name: texts[0] ?? '',
      folder: true,
      files: 1e9,
      size: 1e15,
      counted: false,
      others: 3,
      kinds: texts.slice(0, 8).map((ending) => ({ ending, files: 3, size: 1e9 })),
      content: {
        name: texts[1] ?? '',
        format: 'csv',
        rows: 1e9,
        whole: false,
        columns: texts.slice(0, 12),
        preview: texts.map((text, i) => (i % 3 === 0 ? [text] : texts.slice(0, 12))),
        faults: texts.map((_, line) => ({ line, what: 'columns' as const, found: 1e9, expected: line })),
        faults_total: 1e9,
      },
      pictures: texts.map((name) => ({ name, address: 'data:image/gif;base64,R0lGODlhAQABAAAAACw=' })),
      sounds: texts.map((name) => ({
        id: name,
        name,
        size: 1e6,
        seconds: 1e5,
        rate: 1e6,
        channels: 255,
        playable: true,
      })),
    }),
    machine: async (closely) => ({
      ...(await base.machine(closely)),
      gpus: texts.slice(0, 8).map((name, index) => ({
        index,
        id: name,
        name,
        driver: name,
        busy: 0.5,
        memory_total: 1e10,
        memory_used: 1e9,
        temperature: 40,
        silent: false,
        users: [{ pid: 7, name, memory: 2e9, run: null }],
        run: null,
      })),
      store_folder: texts[0] ?? '',
      version: texts[1] ?? '',
    }),
  }
}
