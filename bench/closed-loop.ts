import { percentile } from './statistics.ts'

export interface Loop {
  readonly clients: number
  readonly seconds: number
  readonly mostRequests: number
}

/** What came of it; wrk's results have the same form. */
export interface Load {
  readonly requests: number
  readonly bytes: number
  readonly seconds: number
  /** Absent when no request was finished in time. */
  readonly p50Ms: number | undefined
  readonly p99Ms: number | undefined
}

/** Each client sends its next request when the last one is answered, until the time or the number of requests is used up. */
export async function closedLoop(loop: Loop, request: (client: number) => Promise<number>): Promise<Load> {
  const latenciesMs: number[] = []
  let started = 0
  let bytes = 0
  const begin = performance.now()
  const deadline = begin + loop.seconds * 1000
  await Promise.all(
    Array.from({ length: loop.clients }, async (_, client) => {
      while (started < loop.mostRequests && performance.now() < deadline) {
        started += 1
        const before = performance.now()
        bytes += await request(client)
        latenciesMs.push(performance.now() - before)
      }
    }),
  )
  return {
    requests: latenciesMs.length,
    bytes,
    seconds: (performance.now() - begin) / 1000,
    p50Ms: percentile(latenciesMs, 50),
    p99Ms: percentile(latenciesMs, 99),
  }
}
