/** What a pretend shell says of a run that is to be started. */
import type { CheckItem, CheckView, StartRequest } from '../types'
import { TEMPLATES } from './templates'

export function check(request: StartRequest): CheckView {
  const template = request.kind === 'template' ? TEMPLATES.find((t) => t.name === request.template) : undefined
  const definition = template?.definition
  const names = definition ? Object.keys(definition.stages) : ['run']
  const params: CheckView['params'] = []
  if (request.kind === 'template' && definition) {
    for (const [name, param] of Object.entries(definition.params ?? {})) {
      if (param && param.default === undefined && !request.params[name])
        params.push({ name, message: `${param.title ?? name} is missing.` })
    }
  }
  const items: CheckItem[] = [
    {
      id: 'program',
      state: 'ok',
      detail: request.kind === 'template' ? 'footplate-sample, in the app' : 'python 3.12 in ~/tone/.venv',
      hint: null,
    },
    {
      id: 'folder',
      state: 'ok',
      detail: request.kind === 'template' ? '~/.local/share/footplate' : '~/tone',
      hint: null,
    },
    { id: 'memory', state: 'ok', detail: 'It reserves 1 of 12 cores and no memory of 64.0 GB.', hint: null },
    { id: 'disk', state: 'note', detail: '8.4 GB are free.', hint: 'Checkpoints may need more.' },
    {
      id: 'queue',
      state: 'ok',
      detail: definition ? 'preprocessing, training, evaluation' : (request.queue ?? 'default'),
      hint: null,
    },
  ]
  if (params.length > 0)
    items.push({ id: 'params', state: 'bad', detail: 'Some values cannot be used.', hint: 'Mend them first.' })
  return {
    items,
    params,
    levels: names.map((name) => [name]),
    max_parallelism: 1,
    critical_path: names,
    expected_stage_s: { prepare: 1, train: 36, evaluate: 3 },
    expected_s: template?.expected_s ?? null,
    stages: definition
      ? Object.entries(definition.stages).map(([name, s]) => ({
          name,
          needs: s?.needs ?? [],
          queue: s?.queue ?? 'default',
        }))
      : [{ name: 'run', needs: [], queue: request.queue ?? 'default' }],
    commands:
      request.kind === 'template'
        ? [
            {
              stage: 'prepare',
              argv: [
                'footplate-sample',
                'prepare',
                '--out',
                '‹run folder›/data',
                '--seed',
                String(request.params['seed'] ?? 1),
              ],
              shell: false,
            },
            {
              stage: 'train',
              argv: [
                'footplate-sample',
                'train',
                '--data',
                '‹run folder›/data',
                '--epochs',
                String(request.params['epochs'] ?? 40),
                '--lr',
                String(request.params['learning_rate'] ?? 0.001),
              ],
              shell: false,
            },
            {
              stage: 'evaluate',
              argv: ['footplate-sample', 'evaluate', '--model', '‹run folder›/model.safetensors'],
              shell: false,
            },
          ]
        : [{ stage: 'run', argv: ['.venv/bin/python', 'train.py', ...request.args], shell: false }],
    cwd: request.kind === 'template' ? '~' : '~/tone',
    cli:
      request.kind === 'template'
        ? `footplate run ${request.template} -p epochs=${String(request.params['epochs'] ?? 40)}`
        : `footplate add --cwd ~/tone -- .venv/bin/python train.py ${request.args.join(' ')}`,
  }
}
