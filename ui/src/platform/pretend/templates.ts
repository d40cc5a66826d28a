/** Pretend templates; `digits` is as the built-in one. */
import type { BrokenTemplate, Definition, Stage, TemplateContent, TemplateView } from '../types'

const digits: Definition = {
  format: 1,
  name: 'digits',
  title: 'Handwritten digits',
  description:
    'Trains a small network to read 1,797 scanned handwritten digits, and tells how well it reads those it has never seen. Offline, in well under a minute.',
  params: {
    epochs: {
      type: 'integer',
      default: 40,
      minimum: 1,
      maximum: 10000,
      title: 'Epochs',
      group: 'Training',
      help: 'One epoch is one pass over the training digits, each shifted and turned a little anew.',
    },
    learning_rate: {
      type: 'number',
      default: 0.001,
      minimum: 0.000001,
      maximum: 1,
      title: 'Learning rate',
      group: 'Training',
      help: 'How far each step goes at the beginning; it falls towards the end. Too high, and the loss becomes nan.',
    },
    hidden: {
      type: 'integer',
      default: 512,
      minimum: 1,
      maximum: 4096,
      title: 'Hidden units',
      group: 'Training',
      advanced: true,
      help: 'Units in each of the two hidden layers. More are slower and can learn more.',
    },
    seed: {
      type: 'integer',
      default: 1,
      minimum: 0,
      maximum: 1000000,
      title: 'Seed',
      group: 'Training',
      advanced: true,
      help: 'Decides which digits are held out, the first weights and the order. The same seed gives the same model, bit for bit.',
    },
    evaluate: {
      type: 'boolean',
      default: true,
      title: 'Evaluate',
      group: 'Evaluation',
      help: 'Read the held-out fifth of the digits with the trained network, and draw its confusion matrix.',
    },
  },
  presets: { quick: { title: 'Quick look', epochs: 4, hidden: 256 }, thorough: { title: 'Thorough', epochs: 100 } },
  stages: {
    prepare: {
      command: ['footplate-sample', 'prepare', '--out', '{{ run.dir }}/data', '--seed', '{{ params.seed }}'],
      queue: 'preprocessing',
    },
    train: {
      needs: ['prepare'],
      command: ['footplate-sample', 'train', '--epochs', '{{ params.epochs }}'],
      queue: 'training',
      resume: ['--resume', '{{ checkpoint.path }}'],
    },
    evaluate: { needs: ['train'], command: ['footplate-sample', 'evaluate'], queue: 'evaluation' },
  },
}

const lora: Definition = {
  format: 1,
  name: 'lora-fine-tune',
  title: 'LoRA fine-tune',
  description:
    'Teaches a language model your texts, on top of one you have. Keeps the best checkpoint by validation loss.',
  params: {
    base_model: {
      type: 'choice',
      default: 'Llama 3.2 3B',
      choices: ['Llama 3.2 1B', 'Llama 3.2 3B', 'Qwen 2.5 7B'],
      title: 'Base model',
      help: 'Downloaded once, then reused.',
    },
    data: { type: 'dataset', title: 'Data', help: 'One JSON object a line, with "prompt" and "answer".' },
    epochs: { type: 'integer', default: 3, minimum: 1, maximum: 20, title: 'Epochs', help: 'Passes over the data.' },
    learning_rate: {
      type: 'number',
      default: 0.0002,
      minimum: 0.000001,
      maximum: 0.01,
      title: 'Learning rate',
      help: 'LoRA often diverges above 3e-4.',
    },
    token: {
      type: 'secret',
      title: 'Hub token',
      help: 'Only for models behind a licence. Never stored with the run.',
      default: '',
    },
    system_prompt: {
      type: 'string',
      default: '',
      title: 'System prompt',
      help: 'Put before every text.',
      advanced: true,
    },
  },
  presets: {
    quick: { title: 'Quick look', epochs: 1 },
    balanced: { title: 'Balanced', epochs: 3 },
    best: { title: 'Best quality', epochs: 5 },
  },
  stages: {
    prepare: { command: ['python', 'prepare.py'], queue: 'preprocessing' },
    train: { needs: ['prepare'], command: ['python', 'train.py'], queue: 'training', resume: ['--resume'] },
    merge: { needs: ['train'], command: ['python', 'merge.py'], queue: 'default' },
    evaluate: { needs: ['train'], command: ['python', 'evaluate.py'], queue: 'evaluation' },
  },
}

const voice: Definition = {
  format: 1,
  name: 'voice-clone',
  title: 'Voice clone',
  description: 'Learns to speak like a voice from an hour of clips. Slices and cleans them first.',
  params: {
    clips: { type: 'dataset', title: 'Clips', default: '~/voices/mira', help: 'A folder of WAV or FLAC files.' },
    batch_size: {
      type: 'integer',
      title: 'Batch size',
      default: 16,
      minimum: 1,
      maximum: 64,
      help: 'More is quicker and needs more memory.',
    },
    gradient_checkpointing: {
      type: 'boolean',
      title: 'Gradient checkpointing',
      default: false,
      help: 'Less memory, about 20% slower.',
    },
    epochs: { type: 'integer', title: 'Epochs', default: 8, minimum: 1, maximum: 100 },
  },
  stages: {
    'base-voice': { command: ['python', 'base.py'], queue: 'preprocessing' },
    slice: { command: ['python', 'slice.py'], queue: 'preprocessing' },
    train: {
      needs: ['base-voice', 'slice'],
      command: ['python', 'train.py'],
      queue: 'training',
      resume: ['--resume', '{{ checkpoint.path }}'],
    },
    export: { needs: ['train'], command: ['python', 'export.py'] },
  },
}

const stranger: Definition = {
  format: 1,
  name: 'whisper-tune',
  title: 'Whisper fine-tune',
  description: 'Teaches speech recognition the words of your field, from recordings with their texts.',
  params: {
    recordings: { type: 'dataset', title: 'Recordings', default: '~/recordings', help: 'WAV files, each with a text.' },
    epochs: { type: 'integer', title: 'Epochs', default: 4, minimum: 1, maximum: 50 },
  },
  stages: {
    prepare: { command: ['python', '{{ pipeline.dir }}/prepare.py', '{{ params.recordings }}'] },
    train: {
      needs: ['prepare'],
      command: ['python', '{{ pipeline.dir }}/train.py', '--epochs', '{{ params.epochs }}'],
    },
    report: { needs: ['train'], shell: 'cat results/*.json | python3 {{ pipeline.dir }}/report.py > report.html' },
  },
}

/** What `whisper-tune` would run, as the shell tells it. */
export function contentOf(template: TemplateView): TemplateContent {
  const written = (stage: Stage) => (stage.shell ? ['/bin/sh', '-c', stage.shell] : (stage.command ?? []))
  const filled = (text: string) =>
    text.replace(/\{\{ params\.(\w+) \}\}/g, (_, name: string) =>
      String(template.definition.params?.[name]?.default ?? `‹${name}›`),
    )
  const own = template.source === 'own'
  const files = own
    ? [
        { path: 'README.md', size: 2_214, executable: false },
        { path: 'footplate.toml', size: 1_108, executable: false },
        { path: 'prepare.py', size: 4_840, executable: false },
        { path: 'report.py', size: 3_105, executable: false },
        { path: 'train.py', size: 18_902, executable: true },
        { path: 'words/medical.txt', size: 1_204_118, executable: false },
      ]
    : []
  return {
    name: template.name,
    title: template.definition.title ?? null,
    description: template.definition.description ?? null,
    trust: template.trust,
    hash: own ? '429b5cd28436b37e084fca4de1a944cd490892408cf540563799f282e6f89c6c' : '',
    folder: own ? `~/.local/share/footplate/templates/${template.name}` : null,
    stages: Object.entries(template.definition.stages).map(([name, stage]) => ({
      stage: name,
      argv: written(stage).map(filled),
      written: written(stage),
      resume: stage.resume ?? [],
      shell: stage.shell !== undefined,
      cwd: name === 'train' ? '{{ pipeline.dir }}' : null,
      env: name === 'train' ? ['OMP_NUM_THREADS', 'HF_TOKEN'] : [],
    })),
    paths: Object.entries(template.definition.params ?? {})
      .filter(([, param]) => param.type === 'dataset' || param.type === 'path')
      .map(([name]) => name),
    files,
    size: files.reduce((sum, file) => sum + file.size, 0),
  }
}

export const STRANGER: TemplateView = {
  name: 'whisper-tune',
  source: 'own',
  trust: 'asks',
  definition: stranger,
  expected_s: null,
}

export const TEMPLATES: TemplateView[] = [
  { name: 'digits', source: 'built-in', trust: 'allowed', definition: digits, expected_s: 41 },
  { name: 'lora-fine-tune', source: 'own', trust: 'allowed', definition: lora, expected_s: 13_800 },
  { name: 'voice-clone', source: 'own', trust: 'allowed', definition: voice, expected_s: 4800 },
  STRANGER,
]

export const BROKEN: BrokenTemplate[] = [
  {
    name: 'nightly-eval',
    file: '~/.local/share/footplate/templates/nightly-eval/footplate.toml',
    faults: [
      { line: 12, column: 1, message: 'a stage has no key "comand"', hint: 'did you mean "command"?' },
      {
        line: 19,
        column: 10,
        message: 'stage "report" needs "evaluat", and there is no such stage',
        hint: 'did you mean "evaluate"?',
      },
    ],
  },
]

/** What becomes of it when it is mended. */
export const MENDED: TemplateView = {
  name: 'nightly-eval',
  source: 'own',
  trust: 'allowed',
  definition: { format: 1, name: 'nightly-eval', stages: { evaluate: { command: ['python', 'evaluate.py'] } } },
  expected_s: null,
}
