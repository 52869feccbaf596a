import { countJobs, type JobCount } from '../catalogue/jobs.ts'
import { liveProcesses } from '../catalogue/leases.ts'
import { type LastSweeps, lastSweeps } from './last-sweep.ts'
import type { RegistryParts } from './parts.ts'
import { doomedBytes, othersFirst } from './storage.ts'
import type { Freed } from './sweep.ts'

/** What whoever watches over the installation wants to see of all nodes together. */
export interface Figures {
  /** Processes that hold a lease. */
  processes: number
  /** Of 100,000 jobs at most. */
  jobs: JobCount[]
  doomed: Freed
  sweeps: LastSweeps | undefined
}

export async function siteFigures(parts: RegistryParts): Promise<Figures> {
  const { read } = parts.catalogue
  return {
    processes: await liveProcesses(read, parts.now()),
    jobs: await jobCounts(parts),
    doomed: await doomedBytes(parts),
    sweeps: await lastSweeps(read),
  }
}

const batch = 2_000
const mostCounted = 100_000

async function jobCounts({ catalogue }: RegistryParts): Promise<JobCount[]> {
  const sums = new Map<string, JobCount>()
  let counted = 0
  for (let after: number | null = 0; after !== null && counted < mostCounted; ) {
    const { counts, last } = await countJobs(catalogue.read, after, batch)
    for (const { kind, state, jobs } of counts) {
      const before = sums.get(`${kind} ${state}`)?.jobs ?? 0
      sums.set(`${kind} ${state}`, { kind, state, jobs: before + jobs })
      counted += jobs
    }
    after = last
    await othersFirst()
  }
  return [...sums.values()]
}
