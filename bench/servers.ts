import { closeSync, openSync, readFileSync } from 'node:fs'
import { Failure } from './failure.ts'
import { withChildren } from './process-cost.ts'

/** A server that this benchmark started and ends; both sides of a comparison look like this. */
export interface Server extends AsyncDisposable {
  readonly name: string
  readonly origin: string
  readonly pid: number
  /** Its last words, to be shown when something fails. */
  lastLines(): string
  /** Makes a file readable under `path` before anything is measured. */
  fill(path: string, content: Uint8Array): Promise<void>
  /** How to PUT, absent when it cannot. */
  readonly put: PutRules | undefined
}

export interface PutRules {
  readonly headers: Record<string, string>
  /** Set when the server answers before the bytes are on disk: the folder where the client finds and syncs them. */
  readonly syncIn: string | undefined
}

export interface Launch {
  readonly name: string
  readonly command: readonly string[]
  readonly folder: string
  readonly env?: Record<string, string | undefined>
  readonly logFile: string
  /** Asked again and again until it knows the address at which the server answers. */
  findOrigin(log: string): Promise<string | undefined>
  readonly stop: AbortSignal
}

export interface Launched extends AsyncDisposable {
  readonly origin: string
  readonly pid: number
  /** From the start of the process until it could be reached. */
  readonly startSeconds: number
  lastLines(): string
}

const startTimeoutMs = 30_000
const endTimeoutMs = 40_000

export async function launch({ name, command, folder, env, logFile, findOrigin, stop }: Launch): Promise<Launched> {
  stop.throwIfAborted()
  const log = openSync(logFile, 'w')
  const begin = performance.now()
  const child = Bun.spawn([...command], { cwd: folder, env, stdin: 'ignore', stdout: log, stderr: log })
  closeSync(log)
  const lastLines = () => readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-15).join('\n')
  try {
    for (;;) {
      const origin = await findOrigin(readFileSync(logFile, 'utf8'))
      const startSeconds = (performance.now() - begin) / 1000
      if (origin) return { origin, pid: child.pid, startSeconds, lastLines, [Symbol.asyncDispose]: () => end(child) }
      stop.throwIfAborted()
      if (child.exitCode !== null) throw new Failure(`${name} ended at once:\n${lastLines()}`)
      if (startSeconds * 1000 > startTimeoutMs) throw new Failure(`${name} did not start in time:\n${lastLines()}`)
      await Bun.sleep(2)
    }
  } catch (error) {
    await end(child)
    throw error
  }
}

async function end(child: Bun.Subprocess): Promise<void> {
  child.kill('SIGTERM')
  const patience = setTimeout(() => {
    for (const pid of withChildren(child.pid)) process.kill(pid, 'SIGKILL')
  }, endTimeoutMs)
  await child.exited
  clearTimeout(patience)
}
