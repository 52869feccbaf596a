/** Milliseconds that a speed is taken over: less jumps about, more is news of yesterday. */
const window = 6_000

/** How fast something goes, from how far it has come. Times in milliseconds. */
export class Pace {
  #samples: { at: number; bytes: number }[] = []

  /** `bytes` that were sent since the last time. */
  note(at: number, bytes: number): void {
    this.#samples.push({ at, bytes })
    this.#samples = this.#samples.filter((sample) => at - sample.at <= window)
  }

  /** Bytes a second; undefined as long as too little is known. */
  speed(now: number): number | undefined {
    const recent = this.#samples.filter(({ at }) => now - at <= window)
    const [first] = recent
    // What the first one sent took a time before it that nobody knows.
    const bytes = recent.slice(1).reduce((sum, sample) => sum + sample.bytes, 0)
    if (!first || now - first.at < 1_000) return undefined
    return bytes / ((now - first.at) / 1000)
  }
}

/** `about 2 minutes`: no more exact than anybody can know. */
export function duration(milliseconds: number): string {
  const seconds = Math.max(1, Math.round(milliseconds / 1000))
  if (seconds < 60) return counted(seconds < 10 ? seconds : Math.ceil(seconds / 5) * 5, 'second')
  const minutes = Math.round(seconds / 60)
  if (minutes < 60) return counted(minutes, 'minute')
  const hours = Math.round(minutes / 60)
  return hours < 48 ? counted(hours, 'hour') : counted(Math.round(hours / 24), 'day')
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** How long to wait before the next try, by how many have failed one after the other. Milliseconds. */
export function pauseBefore(tries: number, asked: number | undefined): number {
  const own = Math.min(1_000 * 2 ** (tries - 1), 30_000)
  return Math.min(Math.max(own, asked ?? 0), 120_000)
}
