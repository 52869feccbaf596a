import type { FileOrigin } from '../../registry/origins.ts'

type Claims = FileOrigin['claims']

/** A job, and how many of the files it published. */
export interface PublishingJob {
  issuer: string
  claims: Claims
  files: number
}

/** The jobs that published some files, each once. */
export function jobsOf(origins: readonly FileOrigin[]): PublishingJob[] {
  const jobs = new Map<string, PublishingJob>()
  for (const { issuer, claims } of origins) {
    const key = JSON.stringify([issuer, claims])
    const job = jobs.get(key) ?? { issuer, claims, files: 0 }
    jobs.set(key, { ...job, files: job.files + 1 })
  }
  return [...jobs.values()]
}

const projectPath = /^[\w.-]+(\/[\w.-]+)+$/

/** Where a job can be looked at, for the two CI systems whose addresses are known. */
export function jobAddress(issuer: string, claims: Claims): string | undefined {
  const { repository = '', run_id = '', project_path = '', job_id = '' } = claims
  if (issuer === 'https://token.actions.githubusercontent.com') {
    const isOne = projectPath.test(repository) && /^\d+$/.test(run_id)
    return isOne ? `https://github.com/${repository}/actions/runs/${run_id}` : undefined
  }
  const isOne = issuer === 'https://gitlab.com' && projectPath.test(project_path) && /^\d+$/.test(job_id)
  return isOne ? `https://gitlab.com/${project_path}/-/jobs/${job_id}` : undefined
}
