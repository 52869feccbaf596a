import { afterAll, beforeAll, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from './server-process.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
beforeAll(async () => {
  folder = await temporaryFolder()
})
afterAll(() => folder[Symbol.asyncDispose]())

const tests = `
  import { expect } from 'bun:test'
  import { testWith } from ${JSON.stringify(join(import.meta.dir, 'programs.ts'))}
  testWith('curl')('one', () => expect(1).toBe(1))
  testWith('curl', 'wget')('two', () => expect(1).toBe(1))
  testWith('curl')('three', () => expect(1).toBe(1))
`

/** The line, and how many tests have passed, after tests that need programs were run where there are none. */
function runWithout(environment: Record<string, string>): { line: string; passed: number } {
  const [file, list] = [join(folder.path, 'any.test.ts'), join(folder.path, 'list')]
  writeFileSync(file, tests)
  writeFileSync(list, '')
  const { CI, ...usual } = process.env
  const env = { ...usual, PATH: folder.path, TEST_NOT_RUN: list, ...environment }
  const { stderr } = Bun.spawnSync([process.execPath, 'test', file], { env, stdout: 'ignore', stderr: 'pipe' })
  const script = join(import.meta.dir, '../not-run.sh')
  const line = Bun.spawnSync(['/bin/sh', script, list]).stdout.toString()
  return { line, passed: Number(/(\d+) pass$/m.exec(stderr.toString())?.[1]) }
}

test('what needs a program that is not there is named once, on one line', () => {
  const line =
    'Not run: a test needs curl (apt-get install curl); a test needs curl, wget (apt-get install curl wget)\n'
  expect(runWithout({})).toEqual({ line, passed: 0 })
})

test('in CI it is run all the same', () => {
  expect(runWithout({ CI: 'true' })).toEqual({ line: 'Not run: nothing\n', passed: 3 })
})
