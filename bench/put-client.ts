// Takes the place of wrk where that is not installed.
import { randomFillSync } from 'node:crypto'
import { doJob } from './clients.ts'
import { closedLoop } from './closed-loop.ts'
import type { PutTask } from './load.ts'

await doJob<PutTask>(async ({ origin, folder, headers, size, clients, seconds }) => {
  const bodies = Array.from({ length: clients }, () => randomFillSync(new Uint8Array(size)))
  let puts = 0
  return closedLoop({ clients, seconds, mostRequests: Infinity }, async (client) => {
    const body = bodies[client] ?? new Uint8Array()
    // A new beginning makes new content: a store that keeps equal content once would else have nothing to write.
    randomFillSync(body, 0, 16)
    puts += 1
    const url = `${origin}${folder}/${puts}/file.bin`
    const response = await fetch(url, { method: 'PUT', headers, body, signal: AbortSignal.timeout(120_000) })
    const text = await response.text()
    if (response.status !== 201) throw new Error(`PUT ${url}: ${response.status} ${text.slice(0, 500)}, not 201`)
    return body.length
  })
})
