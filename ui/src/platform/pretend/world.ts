/** Pretend stores: what the views are shown with in tests and in the demo. */
import type { QueueView, RunStatus, RunView, Spot } from '../types'
import { attempt, failure, iso, ran, random, run, stage } from './build'
import { hostileRuns } from './hostile'
import { LINE_BYTES } from './output'
import { sweep } from './sweep'

export type WorldName = 'full' | 'empty' | 'hostile' | 'huge' | 'sweep'

export interface World {
  runs: Map<number, RunView>
  /** Numbers in the order in which they start. */
  order: number[]
  queues: QueueView[]
  next: number
}

/** As the engine says it. */
const restarted = failure(
  'rebooted',
  'Interrupted by a restart',
  'The machine was restarted while it ran.',
  ['Go on from the newest checkpoint: footplate resume 1291', 'Try again: footplate retry 1291 --failed'],
  null,
)

const queue = (name: string, priority: number, limit: number, paused = false): QueueView => ({
  name,
  priority,
  limit,
  paused,
  queued: 0,
  running: 0,
})

/** The order with a run at another place, which is among those of its own queue and priority. */
export function moved(from: World, run: RunView, spot: Spot): number[] {
  const order = from.order.filter((number) => number !== run.number)
  const own = order.filter((number) => {
    const other = from.runs.get(number)
    return other?.queue === run.queue && other.priority === run.priority
  })
  const behind = 'to' in spot ? own[spot.to - 1] : 'before' in spot ? spot.before : undefined
  const at =
    behind !== undefined ? order.indexOf(behind) : 'after' in spot ? order.indexOf(spot.after) + 1 : order.length
  order.splice(at, 0, run.number)
  return order
}

export function world(name: WorldName, now: number, texts?: string[]): World {
  const made: World = {
    runs: new Map(),
    order: [],
    queues: [
      queue('training', 10, 1),
      queue('evaluation', 7, 12),
      queue('default', 5, 1),
      queue('preprocessing', 3, 12),
      queue('maintenance', 1, 12, true),
    ],
    next: 1,
  }
  if (name === 'empty') return made
  ended(made, now, name === 'huge' ? 100_000 : 1284)
  active(made, now)
  waiting(made, now)
  telling(made, now)
  if (name === 'sweep') sweep(now, made.next).forEach((item) => add(made, item))
  if (name === 'hostile') hostileRuns(now, made.next, texts).forEach((item) => add(made, item))
  return made
}

function add(made: World, item: RunView): void {
  made.runs.set(item.number, item)
  made.next = Math.max(made.next, item.number + 1)
  if (item.status === 'queued') made.order.push(item.number)
}

function ended(made: World, now: number, count: number): void {
  const rand = random(7)
  const kinds: [string, string, string, number][] = [
    ['digits', 'digits', 'training', 41],
    ['support-tone', 'lora-fine-tune', 'training', 13_860],
    ['calls-prepare', 'prepare-audio', 'preprocessing', 240],
    ['churn', 'xgboost', 'default', 720],
    ['voice', 'voice-clone', 'training', 4800],
  ]
  for (let n = 1; n <= count; n++) {
    const [name, pipeline, on, typical] = kinds[Math.floor(rand() * kinds.length)] ?? kinds[0]!
    const dice = rand()
    const status: RunStatus = dice < 0.9 ? 'completed' : dice < 0.95 ? 'cancelled' : 'failed'
    const took = typical * (0.8 + rand() * 0.5)
    const end = now - (count - n + 4) * (count > 5000 ? 40_000 : 2_400_000) - rand() * 900_000
    add(
      made,
      run(n, `${name}-${n}`, status, {
        pipeline,
        ...(pipeline === 'prepare-audio' ? { cwd: '/home/mira/calls' } : {}),
        queue: on,
        experiment: { churn: 'churn-depth', voice: 'voice-clone', 'support-tone': 'support-tone' }[name] ?? null,
        tags: n % 40 === 0 ? ['keep'] : [],
        created_at: iso(end - took * 1000 - 60_000),
        started_at: iso(end - took * 1000),
        finished_at: iso(end),
        result: status,
        result_at: iso(end),
        message:
          status === 'completed'
            ? pipeline === 'digits'
              ? `val_accuracy ${(0.96 + rand() * 0.02).toFixed(3)}`
              : `val loss ${(1.3 + rand() * 0.2).toFixed(3)}`
            : status === 'cancelled'
              ? null
              : 'epoch 2 of 3',
        error:
          status === 'failed'
            ? failure('exit_code', 'It ended with code 1', 'The program said no more.', [], null)
            : null,
      }),
    )
  }
}

function active(made: World, now: number): void {
  const start = now - 6_020_000
  const n = made.next
  add(
    made,
    run(n, 'support-tone-4', 'running', {
      pipeline: 'lora-fine-tune',
      experiment: 'support-tone',
      progress: 0.43,
      eta_s: 7800,
      message: 'epoch 2 of 3 · step 1340 of 3000',
      created_at: iso(start - 60_000),
      started_at: iso(start),
      params: { base_model: 'Llama 3.2 3B', data: '~/tone/support-chats.jsonl', epochs: 3, learning_rate: 0.0002 },
      stages: [
        stage('base-model', 'cached', {
          queue: 'preprocessing',
          progress: 1,
          outputs: { model: '~/models/llama-3.2-3b' },
        }),
        ran('prepare', start, 124, { queue: 'preprocessing', outputs: { data: 'out/clean.jsonl', rows: 6412 } }),
        stage('train', 'running', {
          needs: ['base-model', 'prepare'],
          command: ['python', 'train.py', '--lr', '{{ params.learning_rate }}'],
          progress: 0.45,
          eta_s: 7300,
          message: 'epoch 2 of 3 · step 1340 of 3000',
          metrics: {
            step: 1340,
            epoch: 1.34,
            train_loss: 1.284,
            val_loss: 1.341,
            learning_rate: 0.000126,
            grad_norm: 0.413,
            tokens_per_s: 1862,
          },
          queued_at: iso(start + 124_000),
          started_at: iso(start + 125_000),
          attempts: [
            attempt({
              status: 'running',
              command: ['python', 'train.py', '--lr', '0.0002'],
              pid: 4242,
              started_at: iso(start + 125_000),
            }),
          ],
        }),
        stage('merge', 'waiting', {
          needs: ['train'],
          command: ['python', 'merge.py', '--into', '{{ run.dir }}/merged'],
          queue: 'default',
          waiting: { reason: 'dependency', detail: 'after train' },
        }),
        stage('evaluate', 'waiting', {
          needs: ['train'],
          queue: 'evaluation',
          waiting: { reason: 'dependency', detail: 'after train' },
        }),
        stage('report', 'waiting', {
          needs: ['merge', 'evaluate'],
          queue: 'default',
          waiting: { reason: 'dependency', detail: 'after merge, evaluate' },
        }),
      ],
    }),
  )
  const from = now - 2_900_000
  add(
    made,
    run(n + 1, 'churn-xgb', 'running', {
      pipeline: 'xgboost',
      queue: 'default',
      progress: 0.61,
      eta_s: 2880,
      message: 'round 412 of 800',
      created_at: iso(from - 5000),
      started_at: iso(from),
      params: { max_depth: 8, eta: 0.05 },
      alerts: [
        {
          id: 3,
          stage: 'fit',
          attempt: 1,
          facts: {
            kind: 'no_improvement',
            action: 'notify',
            metric: 'val_auc',
            value: 0.9132,
            bound: 0.9147,
            points: 40,
            step: 412,
          },
          detail: 'val_auc has not improved on 0.9147 for 40 points',
          since: iso(now - 540_000),
          raised_at: iso(now - 60_000),
          ended_at: null,
          dismissed_at: null,
        },
      ],
      stages: [
        stage('fit', 'running', {
          queue: 'default',
          progress: 0.61,
          eta_s: 2880,
          message: 'round 412 of 800',
          metrics: { step: 412, val_auc: 0.9132 },
          queued_at: iso(from - 400),
          started_at: iso(from),
          attempts: [attempt({ status: 'running', pid: 5150, started_at: iso(from) })],
        }),
      ],
    }),
  )
}

function waiting(made: World, now: number): void {
  const n = made.next
  const first = (
    name: string,
    on: string,
    status: 'queued' | 'held' | 'waiting',
    why: { reason: string; detail: string },
  ) => [stage(name, status, { queue: on, waiting: why })]
  const rows: [string, string, string, { reason: string; detail: string }][] = [
    ['voice-clone-7', 'voice-clone', 'training', { reason: 'queue_limit', detail: '1 of 1 training stages running' }],
    ['digits-nightly', 'digits', 'default', { reason: 'not_before', detail: `not before ${iso(now + 14_400_000)}` }],
    ['voice-clone-7-listen', 'evaluate-voice', 'evaluation', { reason: 'after', detail: `comes after #${n}` }],
    [
      'qwen-7b-notes',
      'lora-fine-tune',
      'training',
      {
        reason: 'held',
        detail: 'the secret HF_TOKEN is not there: it was not in the environment that submitted the run',
      },
    ],
  ]
  rows.forEach(([name, pipeline, on, why], i) =>
    add(
      made,
      run(n + i, name, 'queued', {
        pipeline,
        queue: on,
        waiting: why,
        created_at: iso(now - (i + 1) * 1_260_000),
        params: { epochs: 3 },
        stages: first('train', on, why.reason === 'held' ? 'held' : 'queued', why),
      }),
    ),
  )
}

function telling(made: World, now: number): void {
  const n = made.next
  // As the engine tells it where the log is too long for its lines to be counted then.
  const oom = failure(
    'exit_code',
    'Out of GPU memory',
    'Metal had no room for 1.50 GiB more. Your code was at decoder.py, line 88, in forward.',
    [
      'Use a smaller batch, and make up for it with gradient accumulation.',
      "Close other programs: the GPU shares the machine's memory.",
    ],
    null,
    {
      code: 'mps_out_of_memory',
      args: { wanted: '1.50 GiB', at_file: 'decoder.py', at_line: '88', at_function: 'forward' },
      log_offset: 4121 * LINE_BYTES,
    },
  )
  const t0 = now - 3_900_000
  add(
    made,
    run(n, 'whisper-zh-3', 'interrupted', {
      pipeline: 'speech-zh',
      message: 'step 1,200 is saved',
      created_at: iso(t0 - 12_000_000),
      started_at: iso(t0 - 11_100_000),
      finished_at: iso(t0 - 3_000_000),
      progress: 0.58,
      error: restarted,
      params: { epochs: 8 },
      stages: [
        ran('train', t0 - 11_100_000, 8100, {
          status: 'interrupted',
          progress: 0.58,
          metrics: { step: 1223, train_loss: 0.42 },
          error: restarted,
        }),
      ],
    }),
  )
  add(
    made,
    run(n + 1, 'voice-clone-6', 'failed', {
      pipeline: 'voice-clone',
      progress: 0.13,
      created_at: iso(t0 - 900_000),
      started_at: iso(t0 - 776_000),
      finished_at: iso(t0),
      error: oom,
      params: { batch_size: 16, gradient_checkpointing: false, epochs: 8 },
      stages: [
        stage('base-voice', 'cached', { queue: 'preprocessing', progress: 1 }),
        ran('slice', t0 - 776_000, 48, { queue: 'preprocessing', outputs: { clips: 412 } }),
        ran('train', t0 - 728_000, 728, {
          status: 'failed',
          needs: ['base-voice', 'slice'],
          progress: 0.13,
          metrics: { step: 212, train_loss: 2.1, gpu_memory_gb: 46.5 },
          error: oom,
        }),
        stage('export', 'skipped', { needs: ['train'], queue: 'default' }),
      ],
    }),
  )
  const d0 = now - 1_620_000
  add(
    made,
    run(n + 2, 'digits-12', 'completed', {
      message: 'val_accuracy 0.978, the best so far',
      created_at: iso(d0 - 43_000),
      started_at: iso(d0 - 41_000),
      finished_at: iso(d0),
      result: 'completed',
      result_at: iso(d0),
      experiment: 'digits-width',
      tags: ['keep', 'baseline'],
      params: { epochs: 40, learning_rate: 0.001, hidden: 512, seed: 1, evaluate: true },
      cwd: '/home/mira',
      notes: [
        {
          time: iso(d0 - 20_000),
          stage: 'train',
          text: 'progress went back from 0.52 to 0.48; the greater one is shown',
        },
      ],
      stages: [
        ran('prepare', d0 - 41_000, 1.2, { queue: 'preprocessing', outputs: { data: '/data/digits' } }),
        ran('train', d0 - 39_700, 36.5, {
          needs: ['prepare'],
          metrics: { step: 1640, epoch: 40, loss: 0.0391, val_accuracy: 0.978 },
          outputs: { model: 'model.safetensors', val_accuracy: 0.978 },
        }),
        ran('evaluate', d0 - 3000, 2.8, {
          needs: ['train'],
          queue: 'evaluation',
          outputs: { confusion: 'confusion.png' },
        }),
      ],
    }),
  )
}
