// Takes the place of wrk where that is not installed.
import { readFileSync } from 'node:fs'
import { doJob } from './clients.ts'
import { closedLoop } from './closed-loop.ts'
import type { GetTask } from './load.ts'

export interface GetJob extends GetTask {
  /** Ends with the last path. */
  readonly once: boolean
}

await doJob<GetJob>(async ({ origin, path, headers, size, clients, seconds, once }) => {
  const paths = typeof path === 'string' ? [path] : readFileSync(path.in, 'utf8').trimEnd().split('\n')
  let next = 0
  const mostRequests = once ? paths.length : Infinity
  return closedLoop({ clients, seconds, mostRequests }, async () => {
    const url = origin + paths[next++ % paths.length]
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(120_000) })
    if (response.status !== 200) throw new Error(`GET ${url}: ${response.status}, not 200`)
    let length = 0
    for await (const chunk of response.body ?? []) length += chunk.length
    if (length !== size) throw new Error(`GET ${url}: ${length} bytes, not ${size}`)
    return length
  })
})
