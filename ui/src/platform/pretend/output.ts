/** Pretend logs and metrics. */
import type { FilesView, LogLine, LogPage, LogQuery, MetricSeries, RunView } from '../types'
import { iso, random } from './build'
import { SWEEP, sweepSeries } from './sweep'

const ESC = '\u001b'

export function logTotal(run: RunView, query: LogQuery, huge: boolean): number {
  if (huge) return 1_000_000
  if (!(run.stages ?? []).some((s) => s.attempts.length > 0)) return 0
  const base = run.name === 'voice-clone-6' ? 4122 : run.status === 'completed' ? 214 : 2881
  return query.mode === 'raw' ? base * 2 : base
}

export function logLine(run: RunView, query: LogQuery, n: number, total: number, now: number): LogLine {
  const plain = (text: string, more: Partial<LogLine> = {}): LogLine => ({
    n,
    at: iso(now - (total - n) * 2200),
    text,
    cut: 0,
    updates: 0,
    level: null,
    gap: null,
    ...more,
  })
  if (run.name === 'voice-clone-6' && n > total - 8) {
    const lines = [
      'Traceback (most recent call last):',
      '  File "/home/mira/voices/train.py", line 301, in <module>',
      '    trainer.fit(model, clips)',
      '  File "/home/mira/voices/train.py", line 214, in training_step',
      '    loss = self.decoder(mel, codes, mask).mean()',
      '  File "/home/mira/voices/decoder.py", line 88, in forward',
      '    attn = torch.softmax(q @ k.transpose(-2, -1) / self.scale, dim=-1)',
      'RuntimeError: MPS backend out of memory (MPS allocated: 44.18 GiB, other allocations: 2.31 GiB, max allowed: 47.74 GiB). Tried to allocate 1.50 GiB',
    ]
    const text = lines[n - (total - 7)] ?? ''
    return plain(text, { level: n === total ? 'error' : null })
  }
  if (run.name.startsWith('<') || run.name.length > 300) {
    const all = [run.name.slice(0, 8192), `${ESC}[31;1m${run.name.slice(0, 200)}${ESC}[0m`]
    return plain(all[n % 2] ?? '', {
      level: n === 3 ? 'error' : null,
      cut: run.name.length > 8192 ? run.name.length - 8192 : 0,
    })
  }
  if (n === total && run.status === 'running') {
    return plain(` 45%|${ESC}[34m█████████████▍${ESC}[0m                | 1340/3000 [1:38:16<2:01:44,  4.40s/it]`, {
      updates: query.mode === 'bars' ? 1340 : 0,
    })
  }
  const k = n % 29
  if (k === 5)
    return plain(
      `${ESC}[33mWARNING${ESC}[0m checkpoint dir has 3 entries, oldest will be removed (save_total_limit=3)`,
      { level: 'warning' },
    )
  if (k === 6) return plain(`${ESC}[36mINFO${ESC}[0m    saving model checkpoint to out/checkpoint-${n}`)
  if (k === 7) return plain(`${ESC}[36mINFO${ESC}[0m    checkpoint-${n}/adapter_model.safetensors  48.1 MB  ok`)
  if (k === 9) return plain('***** Running Evaluation *****')
  if (k === 10) return plain(`  Num examples = ${ESC}[35m640${ESC}[0m`)
  if (k === 12)
    return plain(`100%|${ESC}[32m██████████████████████████████${ESC}[0m| 80/80 [00:47<00:00,  1.69it/s]`, {
      updates: query.mode === 'bars' ? 80 : 0,
    })
  if (k === 15)
    return plain(`${ESC}[33mUserWarning: 样本 #${n} 超过 max_length=2048，已截断 (2,391 → 2,048 tokens)${ESC}[0m`, {
      level: 'warning',
    })
  if (n === total - 4 && run.status === 'running')
    return plain(`${ESC}[31mERROR${ESC}[0m   wandb: network unreachable, running offline`, { level: 'error' })
  const loss = (1.3 + 1.2 * Math.exp(-n / 900) + 0.02 * Math.sin(n)).toFixed(4)
  return plain(
    `{${ESC}[32m'loss'${ESC}[0m: ${loss}, ${ESC}[32m'grad_norm'${ESC}[0m: ${(0.4 + 0.03 * Math.cos(n)).toFixed(4)}, ${ESC}[32m'epoch'${ESC}[0m: ${(n / 2148).toFixed(2)}}`,
  )
}

/** Lines of pretend logs are of one length. */
export const LINE_BYTES = 143

export function page(run: RunView, query: LogQuery, from: number, count: number, now: number, huge: boolean): LogPage {
  const total = logTotal(run, query, huge)
  const at = query.at === undefined ? null : Math.floor(query.at / LINE_BYTES) + 1
  const first = at !== null ? Math.max(1, at + from) : from < 0 ? Math.max(1, total + from + 1) : Math.max(1, from)
  const lines: LogLine[] = []
  for (let n = first; n < Math.min(total + 1, first + count); n++) lines.push(logLine(run, query, n, total, now))
  const stages = run.stages ?? []
  const stage =
    query.stage ?? (stages.find((s) => s.status === 'running' || s.status === 'failed') ?? stages.at(-1))?.name ?? ''
  const error = run.error?.log_line ?? (run.status === 'running' ? total - 4 : null)
  return {
    stage,
    attempt: query.attempt ?? 1,
    lines,
    total,
    bytes: total * LINE_BYTES,
    ended: run.status !== 'running',
    last_at: iso(now - 3000),
    first_error: error,
    at,
  }
}

export function series(run: RunView, now: number, ticks: number): MetricSeries[] {
  const stage = (run.stages ?? []).find((s) => s.name === 'train') ?? run.stages?.[0]
  if (!stage || stage.attempts.length === 0 || run.pipeline === 'prepare-audio') return []
  if (run.experiment === SWEEP) return sweepSeries(run, now)
  const rand = random(run.number)
  const make = (name: string, points: number, every: number, f: (x: number) => number): MetricSeries => ({
    stage: stage.name,
    attempt: 1,
    name,
    step: Array.from({ length: points }, (_, i) => (i + 1) * every),
    epoch: Array.from({ length: points }, (_, i) => ((i + 1) * every) / 1000),
    time_ms: Array.from({ length: points }, (_, i) => now - (points - i) * every * 4400),
    value: Array.from({ length: points }, (_, i) => f(((i + 1) * every) / 1340)),
    total: points,
  })
  if (run.pipeline === 'xgboost')
    return [make('val_auc', 103, 4, (x) => 0.78 + 0.134 * (1 - Math.exp(-5 * x)) + rand() * 0.003)]
  if (run.name === 'voice-clone-6') {
    return [
      make('train_loss', 212, 1, (x) => 2 + 1.4 * Math.exp(-12 * x) + (rand() - 0.5) * 0.12),
      make('gpu_memory_gb', 106, 2, (x) => (x > 0.155 ? 46.5 : 32 + 9.6 * (1 - Math.exp(-30 * x)) + rand())),
    ]
  }
  if (run.name === 'digits-12') {
    return [
      make('loss', 328, 5, (x) => 0.039 + 2 * Math.exp(-9 * x) + rand() * 0.02),
      make('val_accuracy', 40, 41, (x) => 0.978 - 0.8 * Math.exp(-8 * x)),
    ]
  }
  const decay = (x: number) => 1.26 + 1.3 * Math.exp(-4.2 * x)
  const n = 268 + ticks
  return [
    make('train_loss', n, 5, (x) => decay(x) + (rand() - 0.5) * 0.16),
    make('val_loss', 6, 200, (x) => decay(x) + 0.06),
    make('learning_rate', n, 5, (x) => (x < 0.1 ? 0.002 * x : 0.0002 * Math.cos(((x - 0.1) * Math.PI) / 3.6))),
    make('grad_norm', n, 5, (x) => 0.4 + 0.8 * Math.exp(-8 * x) + rand() * 0.08),
    make('tokens_per_s', n, 5, () => 1830 + rand() * 70),
  ]
}

export function files(run: RunView, began: number, cleaned: boolean, pinned: (id: string) => boolean): FilesView {
  const all = allFiles(run, began)
  for (const file of all.files) {
    if (file.keeping && pinned(file.id)) file.keeping = { ...file.keeping, fate: 'pinned' }
  }
  return cleaned ? { ...all, files: all.files.filter((file) => file.keeping?.fate !== 'goes') } : all
}

function allFiles(run: RunView, began: number): FilesView {
  const at = iso(began - 300_000)
  const begun = (run.stages ?? []).some((s) => s.attempts.length > 0)
  if (!begun) return { folder: `~/.local/share/footplate/runs/${run.name.slice(0, 40)}`, size: 0, more: 0, files: [] }
  return {
    folder: `~/.local/share/footplate/runs/${run.name.slice(0, 40)}`,
    size: 1_204_000_000,
    more: 0,
    files: [
      // It was being written when its program ended.
      ...(run.status === 'failed' || run.status === 'interrupted'
        ? [
            {
              id: 'c4',
              kind: 'checkpoint' as const,
              stage: 'train',
              name: 'ckpt/step-1400.safetensors',
              size: 12_600_000,
              modified_at: at,
              exists: true,
              whole: false,
              checkpoint: null,
              keeping: null,
            },
          ]
        : []),
      {
        id: 'c3',
        kind: 'checkpoint' as const,
        stage: 'train',
        name: 'ckpt/step-1200.safetensors',
        size: 48_100_000,
        modified_at: at,
        exists: true,
        whole: true,
        checkpoint: { step: 1200, epoch: 1.2, metrics: { val_loss: 1.361 } },
        keeping: { fate: 'newest', rank: 1, value: 1.361 },
      },
      {
        id: 'c2',
        kind: 'checkpoint' as const,
        stage: 'train',
        name: 'ckpt/step-1000.safetensors',
        size: 48_100_000,
        modified_at: iso(began - 900_000),
        exists: true,
        whole: true,
        checkpoint: { step: 1000, epoch: 1.0, metrics: { val_loss: 1.402 } },
        keeping: { fate: 'goes', rank: 3, value: 1.402 },
      },
      {
        id: 'c1',
        kind: 'checkpoint' as const,
        stage: 'train',
        name: 'ckpt/step-800.safetensors',
        size: 48_100_000,
        modified_at: iso(began - 1_700_000),
        exists: true,
        whole: true,
        checkpoint: { step: 800, epoch: 0.8, metrics: { val_loss: 1.377 } },
        keeping: { fate: 'best', rank: 2, value: 1.377 },
      },
      {
        id: 'o1',
        kind: 'output' as const,
        stage: 'prepare',
        name: 'data',
        size: 18_400_000,
        modified_at: iso(began - 5_900_000),
        exists: true,
        whole: true,
        checkpoint: null,
        keeping: null,
      },
      {
        id: 'f1',
        kind: 'file' as const,
        stage: null,
        name: 'config.json',
        size: 812,
        modified_at: iso(began - 6_000_000),
        exists: true,
        whole: true,
        checkpoint: null,
        keeping: null,
      },
    ],
  }
}
