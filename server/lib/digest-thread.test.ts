import { describe, expect, test } from 'bun:test'
import { randomUUID } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import { getPriority, tmpdir } from 'node:os'
import { join } from 'node:path'
import { notRun } from '../../test/support/not-run.ts'
import { testWith } from '../../test/support/programs.ts'
import { whyNoWatch } from '../../test/support/system-calls.ts'
import { DigestThread } from './digest-thread.ts'

const md5OfAbc = '900150983cd24fb0d6963f7d28e17f72'

async function fileOf(text: string) {
  const path = join(tmpdir(), `stowage-digest-${randomUUID()}`)
  await writeFile(path, text)
  return { path, [Symbol.asyncDispose]: () => rm(path, { force: true }) }
}

function threadThat(...scripts: string[]) {
  let started = 0
  const thread = new DigestThread(() => {
    const script = scripts[Math.min(started, scripts.length - 1)] as string
    started += 1
    return new Worker(URL.createObjectURL(new Blob([script])))
  })
  return { thread, started: () => started }
}

/** `expect(…).rejects` holds this thread until the promise settles, and the other thread's answer may never get in. */
function failureOf(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => Promise.reject(new Error('It did not fail.')),
    (error) => error,
  )
}

const whyNot = await whyNoWatch()
if (whyNot && !process.env.CI) notRun(`a digest where priorities are forbidden: ${whyNot}`)

const answers = `self.onmessage = ({ data }) => self.postMessage({ digests: { md5: data.path } })`

test('files are digested one after the other', async () => {
  await using abc = await fileOf('abc')
  await using empty = await fileOf('')
  const thread = new DigestThread()
  const found = await Promise.all([
    thread.digest(abc.path, ['md5']),
    thread.digest(empty.path, ['sha1', 'md5']),
    thread.digest(abc.path, ['md5']),
  ])
  expect(found).toEqual([
    { md5: md5OfAbc },
    { md5: 'd41d8cd98f00b204e9800998ecf8427e', sha1: 'da39a3ee5e6b4b0d3255bfef95601890afd80709' },
    { md5: md5OfAbc },
  ])
  thread.close()
})

test('a file that cannot be read fails alone', async () => {
  await using abc = await fileOf('abc')
  const thread = new DigestThread()
  const missing = thread.digest(`${abc.path}-missing`, ['md5'])
  const found = thread.digest(abc.path, ['md5'])
  expect(await failureOf(missing)).toMatchObject({ code: 'ENOENT' })
  expect(await found).toEqual({ md5: md5OfAbc })
  expect(await failureOf(thread.digest(tmpdir(), ['md5']))).toMatchObject({ code: 'EISDIR' })
  await thread.digest(abc.path, ['md5'])
  thread.close()
})

test('the thread starts when it is needed, and once', async () => {
  const { thread, started } = threadThat(answers)
  expect(started()).toBe(0)
  await thread.digest('a', ['md5'])
  await thread.digest('b', ['md5'])
  expect(started()).toBe(1)
  thread.close()
})

test.each([
  ['throws', `self.onmessage = () => { throw new Error('crash') }`],
  ['ends', `self.onmessage = () => process.exit(3)`],
])('when the thread %s, all who wait fail and the next one starts a new thread', async (_, crashes) => {
  const { thread, started } = threadThat(crashes, answers)
  const outcomes = await Promise.allSettled([thread.digest('a', ['md5']), thread.digest('b', ['md5'])])
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(await thread.digest('c', ['md5'])).toEqual({ md5: 'c' })
  expect(started()).toBe(2)
  thread.close()
})

test('closing rejects what waits and what comes later', async () => {
  const { thread, started } = threadThat('self.onmessage = () => {}')
  const waiting = Promise.allSettled([thread.digest('a', ['md5']), thread.digest('b', ['md5'])])
  thread.close()
  expect((await waiting).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect((await failureOf(thread.digest('c', ['md5']))).message).toContain('closed')
  expect(started()).toBe(1)
})

test('the process waits for an answer, but not for a thread that has nothing to do', async () => {
  await using abc = await fileOf('abc')
  const script = `
    import { DigestThread } from ${JSON.stringify(join(import.meta.dir, 'digest-thread.ts'))}
    console.log(JSON.stringify(await new DigestThread().digest(${JSON.stringify(abc.path)}, ['md5'])))
  `
  expect(JSON.parse(await outputOf([process.execPath, '-e', script]))).toEqual({ md5: md5OfAbc })
})

async function outputOf(command: string[]): Promise<string> {
  const child = Bun.spawn(command, { stdout: 'pipe', stderr: 'inherit' })
  const output = await new Response(child.stdout).text()
  expect(await child.exited).toBe(0)
  return output
}

describe.skipIf(process.platform !== 'linux')('the thread gives way to others', () => {
  /** What the thread of a process that is started by this command answers, and how nice the threads of that process are. */
  async function answerBy(...command: string[]): Promise<{ md5: string; niceness: number[] }> {
    await using abc = await fileOf('abc')
    const script = `
      import { readdirSync, readFileSync } from 'node:fs'
      import { DigestThread } from ${JSON.stringify(join(import.meta.dir, 'digest-thread.ts'))}
      const { md5 } = await new DigestThread().digest(${JSON.stringify(abc.path)}, ['md5'])
      // The seventeenth behind the name, which may hold spaces.
      const nicenessOf = (thread) =>
        Number(readFileSync('/proc/self/task/' + thread + '/stat', 'latin1').replace(/.*\\) /, '').split(' ')[16])
      const niceness = [...new Set(readdirSync('/proc/self/task').map(nicenessOf))].sort()
      console.log(JSON.stringify({ md5, niceness }))
    `
    return JSON.parse(await outputOf([...command, process.execPath, '-e', script]))
  }
  const ours = getPriority()

  test('where they are as important', async () => {
    expect(await answerBy()).toEqual({ md5: md5OfAbc, niceness: ours < 5 ? [ours, 5] : [ours] })
  })

  testWith('nice')('unless the whole process has given way already', async () => {
    expect(await answerBy('nice', '-n', '10')).toEqual({ md5: md5OfAbc, niceness: [Math.min(ours + 10, 19)] })
  })

  test.skipIf(Boolean(whyNot) && !process.env.CI)('unless that is forbidden', async () => {
    const forbidden = [
      'strace',
      '-f',
      '-o',
      '/dev/null',
      '-e',
      'trace=setpriority',
      '-e',
      'inject=setpriority:error=EPERM',
    ]
    expect(await answerBy(...forbidden)).toEqual({ md5: md5OfAbc, niceness: [ours] })
  })
})
