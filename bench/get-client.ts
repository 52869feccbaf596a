// Takes the place of wrk where that is not installed. Reads a GetJob from standard input, prints a Load.
import { closedLoop, type Loop } from './closed-loop.ts'

export interface GetJob extends Loop {
  readonly url: string
  readonly size: number
}

const job: GetJob = await Bun.stdin.json()

async function get(): Promise<number> {
  const response = await fetch(job.url, { signal: AbortSignal.timeout(120_000) })
  if (response.status !== 200) throw new Error(`GET ${job.url}: ${response.status}, not 200`)
  let length = 0
  for await (const chunk of response.body ?? []) length += chunk.length
  if (length !== job.size) throw new Error(`GET ${job.url}: ${length} bytes, not ${job.size}`)
  return length
}

try {
  console.log(JSON.stringify(await closedLoop(job, get)))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}
