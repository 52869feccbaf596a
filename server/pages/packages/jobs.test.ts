import { expect, test } from 'bun:test'
import { jobAddress, jobsOf } from './jobs.ts'

test('a job is looked at where its CI system has it, and nowhere else', () => {
  const github = 'https://token.actions.githubusercontent.com'
  const gitlab = 'https://gitlab.com'
  const cases: [string, Record<string, string>, string | undefined][] = [
    [github, { repository: 'octo/tool', run_id: '7' }, 'https://github.com/octo/tool/actions/runs/7'],
    [github, { repository: 'octo/tool' }, undefined],
    [github, { repository: 'octo/tool?x', run_id: '7' }, undefined],
    [github, { repository: 'octo/tool', run_id: '7/..' }, undefined],
    [`${github}/acme`, { repository: 'octo/tool', run_id: '7' }, undefined],
    [gitlab, { project_path: 'a/b/tool', job_id: '9' }, 'https://gitlab.com/a/b/tool/-/jobs/9'],
    [gitlab, { repository: 'octo/tool', run_id: '7' }, undefined],
    ['https://gitlab.example.com', { project_path: 'a/tool', job_id: '9' }, undefined],
  ]
  for (const [issuer, claims, address] of cases) expect(jobAddress(issuer, claims)).toBe(address)
})

test('files of one job are one job', () => {
  const file = { file: 'a', issuer: 'i', claims: { sha: '1' }, createdAt: 0 }
  expect(jobsOf([file, { ...file, file: 'b' }, { ...file, claims: { sha: '2' } }])).toEqual([
    { issuer: 'i', claims: { sha: '1' }, files: 2 },
    { issuer: 'i', claims: { sha: '2' }, files: 1 },
  ])
})
