import { join } from 'node:path'
import { runClient, runProgram } from './clients.ts'
import type { Load } from './closed-loop.ts'
import { Failure } from './failure.ts'
import type { GetJob } from './get-client.ts'
import { parseWrkOutput } from './wrk-output.ts'

export interface GetTask {
  readonly origin: string
  /** What is asked for, or a file that holds such paths, one a line. */
  readonly path: string | { readonly in: string }
  readonly headers: Record<string, string>
  readonly size: number
  readonly clients: number
  /** Whole seconds: wrk knows no others. */
  readonly seconds: number
}

export interface PutTask {
  readonly origin: string
  /** Path of a package; every PUT makes a new version below it. */
  readonly folder: string
  readonly headers: Record<string, string>
  readonly size: number
  readonly clients: number
  readonly seconds: number
}

/** Makes the small requests: wrk, or a slower client of our own. */
export interface LoadMaker {
  readonly name: string
  readonly isWrk: boolean
  get(task: GetTask, stop: AbortSignal): Promise<Load>
  /** Asks for each path in the file once. */
  getEach(task: Omit<GetTask, 'seconds'> & { path: { in: string } }, stop: AbortSignal): Promise<void>
  put(task: PutTask, stop: AbortSignal): Promise<Load>
}

export async function findLoadMaker(): Promise<LoadMaker> {
  const program = Bun.which('wrk')
  if (!program) return { name: `the benchmark's own client on Bun ${Bun.version}`, isWrk: false, ...own }
  const { output } = await runProgram([program, '-v'], new AbortController().signal)
  return { name: `wrk ${/^wrk (\S+)/.exec(output)?.[1] ?? 'of unknown version'}`, isWrk: true, ...wrk(program) }
}

type Making = Pick<LoadMaker, 'get' | 'getEach' | 'put'>

const own: Making = {
  get: async (task, stop) =>
    JSON.parse(await runClient('get-client.ts', { ...task, once: false } satisfies GetJob, stop)),
  getEach: async (task, stop) => {
    await runClient('get-client.ts', { ...task, seconds: passSeconds, once: true } satisfies GetJob, stop)
  },
  put: async (task, stop) => JSON.parse(await runClient('put-client.ts', task satisfies PutTask, stop)),
}

/** More than a pass over a million files takes anywhere. */
const passSeconds = 1_800

function wrk(program: string): Making {
  const run = async (
    { origin, headers, clients, seconds }: Omit<PutTask, 'folder' | 'size'>,
    stop: AbortSignal,
    rest: string[],
  ) => {
    const headed = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
    // wrk calls an answer late after 2 s; sixteen large files at once may rightly take longer.
    const options = ['-t1', `-c${clients}`, `-d${seconds}s`, '--timeout', '120s', '--latency', ...headed]
    const { output, errors, exitCode } = await runProgram([program, ...options, ...rest], stop)
    if (exitCode !== 0) throw new Failure(`wrk failed on ${origin}:\n${output.trim()}\n${errors.trim()}`)
    return output
  }
  const script = (name: string, origin: string, ...args: string[]) => [
    '-s',
    join(import.meta.dir, name),
    origin,
    '--',
    ...args,
  ]
  const checked = (origin: string, output: string) => {
    const result = parseWrkOutput(output)
    const [complaint] = result.complaints
    if (complaint) throw new Failure(`${origin}: ${complaint}`)
    return result
  }
  return {
    get: async (task, stop) => {
      const { origin, path } = task
      const what = typeof path === 'string' ? [origin + path] : script('paths.lua', origin, path.in)
      const load = checked(origin, await run(task, stop, what))
      checkLength(task, load)
      return load
    },
    getEach: async (task, stop) => {
      const what = script('paths.lua', task.origin, task.path.in, 'once')
      const output = await run({ ...task, seconds: passSeconds }, stop, what)
      if (/requests in/.test(output)) throw new Failure(`The pass over all files of ${task.origin} took too long`)
    },
    put: async (task, stop) =>
      checked(task.origin, await run(task, stop, script('puts.lua', task.origin, task.folder, String(task.size)))),
  }
}

/** wrk does not look at lengths, but it says how much it read: whole files, headers, and at the end a piece per client. */
function checkLength({ origin, size, clients }: GetTask, { requests, bytes }: Load): void {
  const headers = 8192
  const rounding = 0.01
  const least = requests * size * (1 - rounding)
  const most = (requests + clients) * (size + headers) * (1 + rounding)
  if (bytes < least || bytes > most) {
    throw new Failure(`GET ${origin}: about ${Math.round(bytes)} bytes in ${requests} answers, but a file has ${size}`)
  }
}
