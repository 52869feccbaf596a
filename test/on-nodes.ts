import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { notRun } from './support/not-run.ts'

/*
 * Runs the tests of the given files with three nodes on PostgreSQL and S3 in the place of each server, behind a proxy that sends
 * every request to the next node. What `one-node.txt` names is left out, and named at the end with the reason.
 */

interface LeftOut {
  reason: string
  file: string
  /** Part of the names of its tests; undefined: all of them. */
  test: string | undefined
}

const root = new URL('..', import.meta.url).pathname
/** `--core`: what the rest of the suite does there is left to another run. */
const isCore = process.argv.includes('--core')
const files = process.argv.slice(2).filter((argument) => argument !== '--core')
const text = (file: string) => readFileSync(join(root, file), 'utf8')
const leftOut = readList(text('test/one-node.txt')).filter(({ file }) => files.includes(file))
const whole = new Set(leftOut.filter(({ test }) => test === undefined).map(({ file }) => file))
const run = files.filter((file) => !whole.has(file))
const names = leftOut.flatMap(({ file, test }) => (test === undefined ? [] : [{ file, test }]))
/** What a file holds beside the names that are left out. */
const kept = (file: string) =>
  names.reduce((left, name) => (name.file === file ? left.replaceAll(name.test, '') : left), text(file))
for (const { file, test } of names) {
  if (!text(file).includes(test)) throw new Error(`one-node.txt: ${file} has no test ${JSON.stringify(test)}`)
  const others = run.filter((other) => kept(other).includes(test))
  if (others.length > 0) throw new Error(`one-node.txt: ${JSON.stringify(test)} stands in ${others.join(' and ')} too`)
}

const settings = { TEST_DATABASE: 'postgres', TEST_STORE: 's3', TEST_NODES: '3' }
const pattern = `^(?!.*(?:${names.map(({ test }) => RegExp.escape(test)).join('|') || '^$'}))`
const command = [process.execPath, 'test', '--timeout', '60000', '--test-name-pattern', pattern, ...run]
const tests = Bun.spawn(command, {
  cwd: root,
  env: { ...process.env, ...settings },
  stdio: ['inherit', 'inherit', 'inherit'],
})
const status = await tests.exited

if (isCore) notRun('on three nodes, all but the core of the suite (npm run test:nodes runs it)')
if (leftOut.length > 0) {
  const named = [count(whole.size, 'file'), count(names.length, 'test')].filter(Boolean).join(' and ')
  notRun(`on three nodes, ${named} that cannot be (test/one-node.txt)`)
}
for (const [reason, its] of Map.groupBy(leftOut, ({ reason }) => reason)) {
  console.warn(`Left out, as it ${reason}:`)
  for (const { file, test } of its) console.warn(`  ${file}${test === undefined ? '' : `: ${test}`}`)
}
process.exit(status)

function count(number: number, what: string): string {
  return number === 0 ? '' : `${number} ${what}${number === 1 ? '' : 's'}`
}

/** A reason, and below it files and parts of names. */
function readList(list: string): LeftOut[] {
  let reason = ''
  return list.split('\n').flatMap((line) => {
    if (line.startsWith('# ')) reason = line.slice(2)
    const [, file, test] = /^(\.\/[^:]+)(?:: (.+))?$/.exec(line) ?? []
    return file === undefined ? [] : [{ reason, file, test }]
  })
}
