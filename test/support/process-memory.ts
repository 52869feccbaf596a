import { readFileSync } from 'node:fs'

/** MiB of memory that a process has for itself: no page cache, no program text. */
export function ownMemory(pid: number): number {
  return Number(/^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
}

/** Watches a process's own memory until it is disposed. */
export class MemoryWatch implements Disposable {
  /** The most that was seen, in MiB. */
  peak = 0
  readonly #timer: Timer

  constructor(pid: number) {
    this.#timer = setInterval(() => {
      // One that has just ended has none.
      this.peak = Math.max(this.peak, ownMemory(pid) || 0)
    }, 20)
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }
}
