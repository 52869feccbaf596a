import { readdirSync, readFileSync } from 'node:fs'

// The kernel reports CPU time to programs in hundredths of a second on every machine that Bun runs on.
const microsecondsPerTick = 10_000

/** CPU time spent so far, user and system, by a process with all its threads and its child processes; Linux only. */
export function cpuMicroseconds(pid: number): number | undefined {
  if (process.platform !== 'linux') return undefined
  return withChildren(pid).reduce((sum, each) => sum + ticks(each), 0) * microsecondsPerTick
}

/** Memory of a process that no file stands behind: heaps and buffers, not the page cache nor its program; Linux only. */
export function anonymousBytes(pid: number): number | undefined {
  const [, kilobytes] = /^RssAnon:\s+(\d+) kB$/m.exec(readProc(pid, 'status')) ?? []
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024
}

export function withChildren(pid: number): number[] {
  const children = threads(pid).flatMap((thread) => readProc(pid, `task/${thread}/children`).split(' ').filter(Boolean))
  return [pid, ...children.flatMap((child) => withChildren(Number(child)))]
}

/**
 * Waits until the server rests: work that follows an answer (hashing, a clean-up) belongs to the measurement that caused
 * it and must not slow the other side's turn.
 */
export async function untilQuiet(pid: number, stop: AbortSignal): Promise<void> {
  const stepMs = 100
  for (let waited = 0, calm = 0; calm < 2 && waited < 120_000; waited += stepMs) {
    const before = cpuMicroseconds(pid) ?? 0
    await Bun.sleep(stepMs)
    stop.throwIfAborted()
    const busy = (cpuMicroseconds(pid) ?? 0) - before > microsecondsPerTick
    calm = busy ? 0 : calm + 1
  }
}

export function parentOf(pid: number): number {
  return Number(fieldsOf(pid)[1])
}

function ticks(pid: number): number {
  // User and system time, and that of children that have ended.
  return fieldsOf(pid)
    .slice(11, 15)
    .reduce((sum, field) => sum + Number(field), 0)
}

/** Those of `stat` from the third on: the second is the program's name in brackets and may hold spaces. */
function fieldsOf(pid: number): string[] {
  const stat = readProc(pid, 'stat')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

function threads(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
  } catch {
    return []
  }
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return '' // It ended; who asks finds out from its answers.
  }
}
