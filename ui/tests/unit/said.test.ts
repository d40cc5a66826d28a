import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { setLanguage } from '../../src/i18n/index.svelte'
import { said } from '../../src/i18n/said'
import chinese from '../../../words/sentences.zh-CN.json'

/** Where the engine's sentences stand. */
const SOURCES = [
  '../src-tauri/src/handover.rs',
  '../src-tauri/src/picked.rs',
  'core/src/alert.rs',
  'core/src/gpu.rs',
  'core/src/quantity.rs',
  'core/src/schedule/why.rs',
  'core/src/state/settle.rs',
  'core/src/timetable/parse.rs',
  'core/src/timetable/zone.rs',
  'engine/src/archive/mod.rs',
  'engine/src/archive/names.rs',
  'engine/src/archive/pack.rs',
  'engine/src/archive/tree.rs',
  'engine/src/archive/unpack.rs',
  'engine/src/client/check.rs',
  'engine/src/client/explain/mod.rs',
  'engine/src/client/explain/program.rs',
  'engine/src/client/checkpoint.rs',
  'engine/src/client/schedule_edit.rs',
  'engine/src/client/schedules.rs',
  'engine/src/client/submit.rs',
  'engine/src/client/webhook.rs',
  'engine/src/data/mod.rs',
  'engine/src/data/rows.rs',
  'engine/src/data/sounds.rs',
  'engine/src/diagnose/words.rs',
  'engine/src/disk.rs',
  'engine/src/owner/alerts.rs',
  'engine/src/owner/after.rs',
  'engine/src/owner/changes.rs',
  'engine/src/owner/ends.rs',
  'engine/src/owner/guard.rs',
  'engine/src/owner/gpus.rs',
  'engine/src/owner/keeping.rs',
  'engine/src/owner/launch.rs',
  'engine/src/owner/machine.rs',
  'engine/src/owner/handed.rs',
  'engine/src/owner/order.rs',
  'engine/src/owner/outputs.rs',
  'engine/src/owner/reading.rs',
  'engine/src/owner/resume.rs',
  'engine/src/owner/schedules.rs',
  'engine/src/owner/wishes.rs',
  'engine/src/ready.rs',
  'engine/src/rescue/folders.rs',
  'engine/src/rescue/mark.rs',
  'engine/src/rescue/mod.rs',
  'engine/src/rescue/rebuild.rs',
  'engine/src/schedules/made.rs',
  'engine/src/start/again.rs',
  'engine/src/start/items.rs',
  'engine/src/start/mod.rs',
  'engine/src/start/sweep.rs',
  'engine/src/templates/consent.rs',
  'engine/src/templates/from_run.rs',
  'engine/src/templates/mod.rs',
  'engine/src/templates/names.rs',
  'engine/src/templates/own.rs',
  'engine/src/webhook/address.rs',
  'engine/src/webhook/mod.rs',
  'engine/src/webhook/send.rs',
  'spec/src/check.rs',
  'spec/src/check/guards.rs',
  'spec/src/check/params.rs',
  'spec/src/check/stage.rs',
  'spec/src/expression.rs',
  'spec/src/load.rs',
  'spec/src/params.rs',
  'spec/src/problem.rs',
  'spec/src/read.rs',
  'spec/src/read/guards.rs',
  'spec/src/render.rs',
  'spec/src/source.rs',
  'spec/src/sweep/axis.rs',
  'spec/src/sweep/draw.rs',
  'spec/src/sweep/mod.rs',
]

/** Parts of sentences and lines for a shell, which are not said alone. */
const PARTS = new Set([
  'a program',
  ' or more',
  'every ',
  'pip install {package}',
  'at least ',
  ' in {}',
  ', {at_least}{}{of}',
  '; {faults}, the first: line {} {}',
  '‹run name›',
  'footplate template 1\\n',
  'was changed since you allowed it',
  'came from elsewhere, and you have not allowed it',
  'The template {name} {why}: it may not run.',
  'is no template of your own',
  'is no file, no folder with footplate.toml, and no template',
  'is no template',
  '{text} {why}',
  ' ({name})',
  '{} {hint}',
  'Did you mean',
  'Its name holds a space',
  'It belongs to Footplate',
  'chmod +x {shown}',
  "sed -i 's/\\r$//' {shown}",
  '{HOLDS_A_SPACE}: a program and its arguments are separate words, footplate add -- {shown}',
  '{OURS}: keep all its executables in one folder.',
  '{reader} {shown}',
  ' (os error',
  'with its files',
  'its run folder stays',
  '#{number} is removed, {text}',
  ', paused',
  '{name}: limit {}, priority {}{state}',
  'priority {priority}',
  'queue {queue}',
  'timeout {}',
  'cannot be used: {e}',
  'is not a folder',
  'does not exist',
  'The {what} {shown} {why}.',
  'stage "{name}"',
  'Argument {index} ({})',
  'The value of the variable {variable}',
  'The working folder {}',
  'no GPU',
  '{}; this machine has {}',
  '{} of memory; this machine has {}',
  ', and for ',
  'Run #{} is',
  '{} runs are',
  '{which} written down, but nothing starts: {}',
  'attempt {}.{} of run #{}',
  '#{}: {text}',
  '{name}: {error}',
  '{named}, and {more} more',
  '; could not be removed: {}',
  '500ms, 30s, 10m, 1h30m, 24h, 7d',
  'a duration: 500ms, 30s, 10m, 1h30m, 24h, 7d',
  'a size: 512MB, 2GB, 1GiB',
  'error: ',
  'write env = {{ {} = "{{{{ {written} }}}}" }} and read it there',
  '"{root}" here',
  'there is no {kind} "{name}"',
  'a {}number{}',
  'whole ',
  '{message}: {}',
  ' from {least} to {most}',
  ' of at least {least}',
  ' of at most {most}',
  '{text}\\n  hint: {hint}',
  'metric = "loss"',
  'when = "nan"',
  'duplicate key',
  'recursion limit',
  ' at line ',
  'an object or an array',
  '{} {what}',
  'parameter "{}": {} {why}',
  'begins above its end',
  'has no steps to make a grid of',
  'has no logarithm: it must begin above 0',
  'does not end at whole numbers',
  'does not end at {high}',
  'has the step {}; a whole number from 1 is needed',
  'has the step {}; a number above 0, or log, is needed',
  'this grid has {all} runs',
  '{what}; the limit is {MOST_RUNS}',
  '{runs} random runs are asked for',
  '{runs} random runs are asked for, and these values make {there}',
  'hardly more than {} that differ',
  // For the owner's log.
  'the store is restored: {why}',
  'the backup {} cannot be used: {error}',
])

/** What the store finds wrong with itself, where that stands among SQL; and what SQLite says, whose sentences are not ours. */
const STORE: Record<string, string[]> = {
  'store/src/connection.rs': ['the file is empty'],
  'store/src/examine.rs': ['a row of {} without its {}', 'half of it is gone'],
  'store/src/migrate.rs': ['its format is said to be {version}', 'its format is said to be 0, and it has runs'],
}
const FOUND_WRONG = [
  'the file is empty',
  'a row of {} without its {}',
  'its format is said to be {}',
  'its format is said to be 0, and it has runs',
  'run #{}: the store is damaged: half of it is gone',
  'run #{}: the store is damaged: its {}: {}',
  'run #{}: {}',
  'the queues: {}',
  'the wishes: {}',
  'the live attempts: {}',
  'the events: {}',
  'the schedules: {}',
  'the settings: {}',
  'database disk image is malformed',
  'file is not a database',
  '*** in database main ***\n{fault}',
  'Tree {} page {}: {}',
  'Tree {} page {} cell {}: {}',
  'Page {}: never used',
  'row {} missing from index {}',
  'wrong # of entries in index {}',
]

/** Forms that the sources put together from those parts, and words that fill places of others. */
const COMPOSED = [
  '1 fault',
  '1 file',
  '1 row',
  'at least 1 row',
  'at least {} rows',
  '{name}, {rows}',
  '{name}, {rows} in {of}',
  '{name}, {rows} in {of}; {faults}, the first: line {line} {wrong}',
  '{name}, {rows}; {faults}, the first: line {line} {wrong}',
  '{} faults',
  '{} files',
  '{} files or more',
  '{} rows',
  'The template {name} came from elsewhere, and you have not allowed it: it may not run.',
  'The template {name} was changed since you allowed it: it may not run.',
  '{text} is no file, no folder with footplate.toml, and no template',
  '{text} is no template',
  '{text} is no template of your own',
  '#{number} is removed, its run folder stays',
  '#{number} is removed, with its files',
  'a FIFO',
  '1 GPU',
  '1 core',
  'It belongs to Footplate: keep all its executables in one folder.',
  'Its name holds a space: a program and its arguments are separate words, footplate add -- {shown}',
  'Run #{} is written down, but nothing starts: {}',
  'The {what} {shown} cannot be used: {e}.',
  'The {what} {shown} does not exist.',
  'The {what} {shown} is not a folder.',
  'experiment',
  'name',
  'pipeline folder',
  'tag',
  '{name}: limit {}, priority {}',
  '{name}: limit {}, priority {}, paused',
  '{} GPUs',
  '{} cores',
  '{} runs are written down, but nothing starts: {}',
  'write env = { {} = "{{ {written} }}" } and read it there',
  'there is no "{root}" here',
  'there is no filter "{name}"',
  'there is no test "{name}"',
  'parameter "{name}" does not fit the pattern {}: {}',
  'a whole number',
  'a whole number of at least {least}',
  'a whole number of at most {most}',
  'a number from {least} to {most}',
  'a number of at least {least}',
  'a number of at most {most}',
  'stage',
  'parameter',
  'output',
  'preset',
  'text',
  'duration',
  'size',
  'an output',
  'a preset',
  'parameter "{name}": {quoted} begins above its end',
  'parameter "{name}": {quoted} has no steps to make a grid of',
  'parameter "{name}": {quoted} has no logarithm: it must begin above 0',
  'parameter "{name}": {quoted} does not end at whole numbers',
  'parameter "{name}": {quoted} does not end at {high}',
  'parameter "{name}": {quoted} has the step {}; a whole number from 1 is needed',
  'parameter "{name}": {quoted} has the step {}; a number above 0, or log, is needed',
  'this grid has {all} runs; the limit is {MOST_RUNS}',
  '{runs} random runs are asked for; the limit is {MOST_RUNS}',
  '{runs} random runs are asked for, and these values make {all}',
  '{runs} random runs are asked for, and these values make hardly more than {} that differ',
  // What the parsers of others say.
  'unclosed table, expected `]`',
  'unclosed array, expected `]`',
  'invalid basic string, expected `"`',
  'key with no value, expected `=`',
  'string values must be quoted, expected literal string',
  'EOF while parsing a value',
  'EOF while parsing an object',
  'EOF while parsing a list',
  'EOF while parsing a string',
  'trailing characters',
  'trailing comma',
  'expected value',
  'expected `,` or `}`',
  'expected `,` or `]`',
  'key must be a string',
  'unclosed group',
  'unclosed character class',
  'unexpected end of input, expected expression',
  'unexpected end of input, expected end of variable block',
  'unexpected end of variable block',
  'unknown statement {}',
]

/** The texts of a source that people read, without how numbers are to be written. */
function texts(path: string): string[] {
  const source = readFileSync(join(process.cwd(), '../crates', path), 'utf8')
    .replace(/#\[cfg\(test\)\]\s*mod \w+;/g, '')
    .split('#[cfg(test)]')[0]!
    .replace(/^\s*\/\/.*$/gm, '')
    .replace(/#\[[^\]]*\]/g, '')
    .replace(/\\\n\s*/g, '')
    .replace(/'(?:\\.|[^'\\])'/g, "' '")
  return [...source.matchAll(/"((?:[^"\\]|\\.)*)"/g)]
    .map((found) => found[1]!.replace(/\\(["\\])/g, '$1').replace(/\{(\w*):[^}]*\}/g, '{$1}'))
    .filter((text) => text.includes(' ') && /[a-z]{2}/.test(text))
}

/** Without what stands in quotes, brackets or code, which is somebody's own text. */
function bare(text: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*"|'[^']*'|\{.*\}|\[.*\]|`[^`]*`|[\w.]+ = \S+/g, '')
}

const known = Object.keys(chinese)

describe("the engine's sentences", () => {
  beforeEach(() => setLanguage('zh-CN'))
  afterEach(() => setLanguage('en'))

  it('each one has its form in Chinese, and no form is left from before', () => {
    const found = new Set(SOURCES.flatMap(texts))
    expect([...found].filter((text) => !PARTS.has(text) && !known.includes(text))).toEqual([])
    const words = ['working folder', 'captured environment', ...COMPOSED, ...FOUND_WRONG]
    expect(known.filter((text) => !found.has(text) && !words.includes(text))).toEqual([])
    expect([...PARTS].filter((part) => !found.has(part))).toEqual([])
    expect([...COMPOSED, ...FOUND_WRONG].filter((text) => !known.includes(text))).toEqual([])
  })

  it('what was wrong with a store that was restored is told in Chinese', () => {
    for (const [path, sentences] of Object.entries(STORE)) {
      const source = texts(path)
      expect(sentences.filter((text) => !source.includes(text))).toEqual([])
    }
    expect(said('state.db was gone')).toBe('state.db 不见了')
    expect(
      said('its newest changes are missing: it ends with run #3 and change 40, and had come to run #7 and change 91'),
    ).toBe('缺少最新的改动：它止于任务 #3、第 40 次改动，而此前已到任务 #7、第 91 次改动')
    expect(said('*** in database main ***\nTree 5 page 9: btreeInitPage() returns error code 11')).toBe(
      '数据库检查结果：树 5 的第 9 页：btreeInitPage() returns error code 11',
    )
    expect(said('run #12: the store is damaged: its definition: expected value at line 1 column 1')).toBe(
      '任务 #12：definition 无法读取：expected value at line 1 column 1',
    )
    expect(said('a row of stage without its run')).toBe('stage 中有一行缺少对应的 run')
  })

  it('every fault that a pipeline file can have is told in Chinese, with its place', () => {
    const answers = ['toml.txt', 'json.txt'].map((name) =>
      readFileSync(join(process.cwd(), '../crates/spec/tests/bad', name), 'utf8'),
    )
    const lines = answers.flatMap((text) => text.split('\n'))
    const faults = lines.filter((line) => /^(footplate\.toml|pipeline\.json):\d+:\d+: /.test(line))
    const told = faults.map((line) => line.replace(/^\S+ /, ''))
    const tips = lines.filter((line) => line.startsWith('  hint: ')).map((line) => line.replace('  hint: ', ''))
    expect(told.length).toBeGreaterThan(150)
    expect(tips.length).toBeGreaterThan(50)
    const foreign = (text: string) => said(text) === text || /[a-z]{2,} [a-z]{2,}/.test(bare(said(text)))
    expect([...told, ...tips].filter(foreign)).toEqual([])
    expect(said(`${faults[0]}\n${faults[1]}`)).toBe(
      `footplate.toml:1:1: ${said(told[0]!)}\nfootplate.toml:1:1: ${said(told[1]!)}`,
    )
    expect(said('stages.a.retries.max must be a whole number from 0 to 100, not the number 1.5')).toBe(
      'stages.a.retries.max 必须是 0 到 100 的整数，不能是数字 1.5',
    )
    expect(said('name must be text, not null')).toBe('name 必须是文字，不能是 null')
    expect(said('preset "q": parameter "b" must be one of a, b, not "c: d"')).toBe(
      '预设“q”：参数“b”必须是 a, b 之一，不能是 "c: d"',
    )
    expect(said('in "{{ a: b | uper }}": there is no filter "uper"')).toBe('"{{ a: b | uper }}" 中：没有过滤器“uper”')
  })

  it('the Chinese has the same places as the English', () => {
    for (const [english, text] of Object.entries(chinese)) {
      let unnamed = 0
      const places = [...english.matchAll(/\{(\w*)\}/g)].map((found) => found[1] || String(++unnamed))
      const used = [...text.matchAll(/\{(\w+)\}/g)].map((found) => found[1]!)
      expect([...new Set(used)].sort(), english).toEqual([...new Set(places)].sort())
    }
  })

  it('what varies is put in its place, and is not translated itself', () => {
    expect(said('It ended with exit code 3.')).toBe('程序以退出码 3 结束。')
    expect(
      said('It was killed by signal 9 (SIGKILL), not by Footplate. The system does so when memory runs out.'),
    ).toBe('程序被信号 9 (SIGKILL) 杀死，不是 Footplate 所为。内存耗尽时系统会这样做。')
    expect(said('wants 2 cores; 1 of 4 cores free')).toBe('需要 2 个核心；可用 1（共 4 个核心）')
    expect(said('The working folder "/data/name" does not exist.')).toBe('工作文件夹 "/data/name" 不存在。')
    expect(said('12 files or more, at least 7 rows in a, b.csv; 1 fault, the first: line 3 is not UTF-8')).toBe(
      '至少 12 个文件，至少 7 行（a, b.csv）；1 处问题，第一处在第 3 行：不是 UTF-8',
    )
    expect(said('python, bash')).toBe('python, bash')
    expect(said('needs name, tag')).toBe('等待 name, tag')
    expect(said('There is no queue "$& {1}".')).toBe('没有队列 "$& {1}"。')
  })

  it('what is wrong with the values of a sweep', () => {
    const wrong = [
      'parameter "lr": "0.1..0.5" has no steps to make a grid of',
      'parameter "n": "9..1" begins above its end',
      'parameter "n": "1..9:0" has the step "0"; a whole number from 1 is needed',
      'parameter "n" has the value 5 twice',
      'this grid has 20000 runs; the limit is 10000',
      '30 random runs are asked for, and these values make 12',
    ]
    expect(wrong.map(said)).toEqual([
      '参数“lr”："0.1..0.5" 没有步长，列不出全部组合；可写上步长，或改为随机抽取',
      '参数“n”："9..1" 的起点大于终点',
      '参数“n”："1..9:0" 的步长是 "0"，而步长必须是不小于 1 的整数',
      '参数“n”中 5 写了两次',
      '全部组合共有 20000 个任务，上限为 10000',
      '要抽取 30 个任务，但这些取值只有 12 种组合',
    ])
  })

  it('why a GPU is waited for', () => {
    const why =
      'wants 1 GPU; 0 of 2 GPUs free; GPU 0 is used by python3 (pid 4312), 14.2GB; GPU 1 does not answer its driver'
    expect(said(why)).toBe(
      '需要 1 个 GPU；可用 0（共 2 个 GPU）；GPU 0 正被 python3（pid 4312）占用 14.2GB；GPU 1 的驱动没有响应',
    )
  })

  it('a phrase made into a sentence, and several sentences, are understood', () => {
    expect(said('Its working folder /a b is not there.')).toBe('工作文件夹 /a b 不存在。')
    expect(said('There is no queue "x". Choose another one.')).toBe('没有队列 "x"。请另选一个。')
    const missing = 'Cannot start: "trian.py" not found. Searched: /bin, /usr/bin. Did you mean "train.py"?'
    expect(said(missing)).toBe('无法启动：找不到“trian.py”。已搜索：/bin, /usr/bin。是否指“train.py”？')
  })

  it("a cause is told whole, and a program's own words stay as they are", () => {
    expect(said('Metal had no room for 147.24 MB more. Your code was at train.py, line 77, in fit.')).toBe(
      'Metal 已无法再分配 147.24 MB。你的代码执行到 train.py 第 77 行的 fit。',
    )
    expect(said('Its message: Bad shape. Try again: not "this" {file}. Your code was at a b.py, line 3.')).toBe(
      '错误信息：Bad shape. Try again: not "this" {file}。你的代码执行到 a b.py 第 3 行。',
    )
    expect(said('Install it for the Python that ran: /opt/venv/bin/python3 -m pip install pillow')).toBe(
      '为运行它的 Python 安装：/opt/venv/bin/python3 -m pip install pillow',
    )
  })

  it('what is not known stays whole, and English stays English', () => {
    expect(said('Something new happened. Choose another one.')).toBe('Something new happened. Choose another one.')
    const long = 'a; '.repeat(100_000)
    expect(said(long)).toBe(long)
    setLanguage('en')
    expect(said('It ended with exit code 3.')).toBe('It ended with exit code 3.')
  })
})
