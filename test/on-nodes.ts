import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { notRun } from './support/not-run.ts'

/*
 * Runs the tests of the given files with three nodes on PostgreSQL and S3 in the place of each server, behind a proxy that sends
 * every request to the next node. What `one-node.txt` names is left out, and named at the end with the reason; with `--left-out`
 * that alone is run, with one server on PostgreSQL and a disk, but for the files that `npm test` runs so (`on-postgres.txt`).
 */

interface LeftOut {
  reason: string
  file: string
  /** Part of the names of its tests; undefined: all of them. */
  test: string | undefined
}

const root = new URL('..', import.meta.url).pathname
const wantsLeftOut = process.argv.includes('--left-out')
const files = process.argv.slice(2).filter((argument) => argument !== '--left-out')
const text = (file: string) => readFileSync(join(root, file), 'utf8')
const leftOut = readList(text('test/one-node.txt')).filter(({ file }) => files.includes(file))
const whole = new Set(leftOut.filter(({ test }) => test === undefined).map(({ file }) => file))
const others = files.filter((file) => !whole.has(file))
const names = leftOut.flatMap(({ file, test }) => (test === undefined ? [] : [{ file, test }]))
mustBeUnmistakable()
const anyName = names.map(({ test }) => RegExp.escape(test)).join('|') || '^$'

if (wantsLeftOut) {
  const settings = { TEST_DATABASE: 'postgres' }
  const known = new Set(text('test/on-postgres.txt').split('\n'))
  const isLeft = (file: string) => !known.has(file)
  const wholeFiles = await runTests([...whole].filter(isLeft), settings)
  const others = new Set(names.map(({ file }) => file).filter(isLeft))
  process.exit((await runTests([...others], settings, anyName)) || wholeFiles)
}

const settings = { TEST_DATABASE: 'postgres', TEST_STORE: 's3', TEST_NODES: '3' }
const status = await runTests(others, settings, `^(?!.*(?:${anyName}))`)
if (leftOut.length > 0) {
  const named = [count(whole.size, 'file'), count(names.length, 'test')].filter(Boolean).join(' and ')
  notRun(`on three nodes, ${named} that cannot be (test/one-node.txt)`)
}
for (const [reason, its] of Map.groupBy(leftOut, ({ reason }) => reason)) {
  console.warn(`Left out, as it ${reason}:`)
  for (const { file, test } of its) console.warn(`  ${file}${test === undefined ? '' : `: ${test}`}`)
}
process.exit(status)

/** The exit code; 0 where there is no file, as the runner would take all of them then. */
async function runTests(of: readonly string[], settings: Record<string, string>, pattern?: string): Promise<number> {
  if (of.length === 0) return 0
  const named = pattern === undefined ? [] : ['--test-name-pattern', pattern]
  const tests = Bun.spawn([process.execPath, 'test', '--timeout', '60000', ...named, ...of], {
    cwd: root,
    env: { ...process.env, ...settings },
    stdio: ['inherit', 'inherit', 'inherit'],
  })
  return tests.exited
}

/** A pattern is for all files of a run: what it names must stand in one of them, and in that one only. */
function mustBeUnmistakable(): void {
  /** What a file holds beside the names that are left out. */
  const kept = (file: string) =>
    names.reduce((left, name) => (name.file === file ? left.replaceAll(name.test, '') : left), text(file))
  for (const { file, test } of names) {
    if (!text(file).includes(test)) throw new Error(`one-node.txt: ${file} has no test ${JSON.stringify(test)}`)
    const places = others.filter((other) => kept(other).includes(test))
    if (places.length > 0)
      throw new Error(`one-node.txt: ${JSON.stringify(test)} stands in ${places.join(' and ')} too`)
  }
}

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
