import { join } from 'node:path'
import type { Load } from './closed-loop.ts'
import { Failure } from './failure.ts'
import type { GetJob } from './get-client.ts'
import type { PutJob, PutResult } from './put-client.ts'
import { parseWrkOutput } from './wrk-output.ts'

export interface GetTask {
  readonly url: string
  readonly size: number
  readonly clients: number
  /** Whole seconds: wrk knows no others. */
  readonly seconds: number
}

/** Makes the GETs: wrk, or a slower client of our own. */
export interface GetMaker {
  readonly name: string
  readonly isWrk: boolean
  get(task: GetTask, stop: AbortSignal): Promise<Load>
}

export async function findGetMaker(): Promise<GetMaker> {
  const program = Bun.which('wrk')
  if (!program) return { name: `the benchmark's own client on Bun ${Bun.version}`, isWrk: false, get: getWithBun }
  const { output } = await run([program, '-v'], new AbortController().signal)
  const version = /^wrk (\S+)/.exec(output)?.[1] ?? 'of unknown version'
  return { name: `wrk ${version}`, isWrk: true, get: (task, stop) => getWithWrk(program, task, stop) }
}

export async function put(job: PutJob, stop: AbortSignal): Promise<PutResult> {
  return JSON.parse(await runClient('put-client.ts', job, stop))
}

async function getWithBun({ url, size, clients, seconds }: GetTask, stop: AbortSignal): Promise<Load> {
  const job: GetJob = { url, size, clients, seconds, mostRequests: 1_000_000 }
  return JSON.parse(await runClient('get-client.ts', job, stop))
}

async function getWithWrk(program: string, task: GetTask, stop: AbortSignal): Promise<Load> {
  const { url, clients, seconds } = task
  // wrk calls an answer late after 2 s; sixteen large files at once may rightly take longer.
  const command = [program, '-t1', `-c${clients}`, `-d${seconds}s`, '--timeout', '120s', '--latency', url]
  const { output, exitCode } = await run(command, stop)
  if (exitCode !== 0) throw new Failure(`wrk failed on ${url}:\n${output.trim()}`)
  const result = parseWrkOutput(output)
  const [complaint] = result.complaints
  if (complaint) throw new Failure(`GET ${url}: ${complaint}`)
  checkLength(task, result)
  return result
}

/** wrk does not look at lengths, but it says how much it read: whole files, headers, and at the end a piece per client. */
function checkLength({ url, size, clients }: GetTask, { requests, bytes }: Load): void {
  const headers = 8192
  const rounding = 0.01
  const least = requests * size * (1 - rounding)
  const most = (requests + clients) * (size + headers) * (1 + rounding)
  if (bytes < least || bytes > most) {
    throw new Failure(`GET ${url}: about ${Math.round(bytes)} bytes in ${requests} answers, but the file has ${size}`)
  }
}

async function runClient(file: string, job: GetJob | PutJob, stop: AbortSignal): Promise<string> {
  const command = [process.execPath, join(import.meta.dir, file)]
  const { output, errors, exitCode } = await run(command, stop, JSON.stringify(job))
  if (exitCode !== 0) throw new Failure(errors.trim() || `${file} ended with ${exitCode}`)
  return output
}

async function run(command: string[], stop: AbortSignal, input = '') {
  stop.throwIfAborted()
  const child = Bun.spawn(command, { stdin: Buffer.from(input), stdout: 'pipe', stderr: 'pipe', signal: stop })
  const [output, errors, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  stop.throwIfAborted()
  return { output, errors, exitCode }
}
