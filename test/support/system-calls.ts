import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Subprocess } from 'bun'
import { Log } from './server-process.ts'
import { until } from './until.ts'

/** A system call as `strace -y` writes it: file descriptors have their path or kind in angle brackets behind them. */
export interface SystemCall {
  name: string
  args: string
  /** What it answered; -1 where it failed, NaN where it had not answered by the end. */
  result: number
}

type Strace = Subprocess<'ignore', 'ignore', 'pipe'>

/** Watches every system call of a process and its threads, by `strace`. Its user must be allowed to attach to it. */
export class SystemCallWatch implements AsyncDisposable {
  readonly #strace: Strace
  readonly #folder: string
  readonly #log: Log

  private constructor(strace: Strace, folder: string, log: Log) {
    this.#strace = strace
    this.#folder = folder
    this.#log = log
  }

  /** Resolves when nothing is missed any more. `options` are `strace`'s. Throws with what it says when it may not attach. */
  static async begin(pid: number, options: string[] = []): Promise<SystemCallWatch> {
    const folder = await mkdtemp(join(tmpdir(), 'stowage-strace-'))
    const strace = Bun.spawn(
      ['strace', '-f', '-y', '-s', '0', '-o', join(folder, 'calls'), ...options, '-p', String(pid)],
      { stdin: 'ignore', stdout: 'ignore', stderr: 'pipe' },
    )
    // It tells of each new thread there, and would end where nobody reads that.
    const log = new Log(strace.stderr)
    const isAttached = () => /^strace: Process .* attached/m.test(log.text)
    await until(() => isAttached() || strace.exitCode !== null, 'strace is attached')
    if (isAttached()) return new SystemCallWatch(strace, folder, log)
    await log.whole
    await rm(folder, { recursive: true, force: true })
    throw new Error(`strace ended with ${strace.exitCode}: ${log.text}`)
  }

  /** Ends it; the process goes on. */
  async end(): Promise<SystemCall[]> {
    if (this.#strace.exitCode !== null) throw new Error(`strace has ended by itself: ${this.#log.text}`)
    await this.#end()
    return systemCalls(await Bun.file(join(this.#folder, 'calls')).text())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#strace.exitCode === null) await this.#end()
    await rm(this.#folder, { recursive: true, force: true })
  }

  async #end(): Promise<void> {
    this.#strace.kill('SIGINT')
    await this.#strace.exited
  }
}

/** Why no process can be watched here; undefined where one can. */
export async function whyNoWatch(): Promise<string | undefined> {
  if (!Bun.which('strace')) return 'it needs strace (apt-get install strace)'
  const child = Bun.spawn(['cat'], { stdin: 'pipe', stdout: 'ignore' })
  try {
    await using _ = await SystemCallWatch.begin(child.pid)
    return undefined
  } catch (error) {
    return String(error)
  } finally {
    await child.stdin.end()
    await child.exited
  }
}

/** Reads what `strace -f` wrote. A call during which another thread had its turn stands in two lines. */
export function systemCalls(written: string): SystemCall[] {
  const calls: SystemCall[] = []
  const begun = new Map<string, SystemCall>()
  for (const line of written.split('\n')) {
    const [, thread = '', text = ''] = /^(\d+) +(.*)$/.exec(line) ?? []
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(text)
    const call = resumed ? begun.get(thread) : undefined
    if (resumed) {
      if (call) finish(call, resumed[1] ?? '')
      begun.delete(thread)
      continue
    }
    const [, name, rest = ''] = /^(\w+)\((.*)$/.exec(text) ?? []
    if (!name) continue
    const next: SystemCall = { name, args: '', result: Number.NaN }
    calls.push(next)
    const cut = / *<(?:unfinished \.\.\.|detached \.\.\.)>$/.exec(rest)
    if (cut) {
      next.args = rest.slice(0, cut.index)
      begun.set(thread, next)
    } else finish(next, rest)
  }
  return calls
}

function finish(call: SystemCall, rest: string): void {
  const [, args = rest, result] = /^(.*)\) += (-?\w+)/.exec(rest) ?? []
  call.args += args
  call.result = result === undefined ? Number.NaN : Number(result)
}
