import { expect, test } from 'bun:test'
import fc from 'fast-check'
import type { PublisherRule } from '../../access/publishers.ts'
import { claimsTyped, issuerAt, patternsTyped, valuesOf, whoseJobs } from './words.ts'

const rule: PublisherRule = {
  ...{ id: 1, name: 'octo/tool', issuer: 'https://ci.example.com', maker: null, createdAt: 0, lastUsedAt: null },
  ...{ claims: { repository_id: '74' }, packages: ['tool-*', 'lib'] },
}

test('an issuer is called as people call it', () => {
  const issuers = [{ url: 'https://gitlab.example.com', kind: 'gitlab' as const }]
  expect(issuerAt(issuers, 'https://gitlab.example.com')).toEqual({
    ...{ name: 'GitLab at gitlab.example.com', kind: 'gitlab', isTrusted: true },
  })
  expect(issuerAt([], 'https://token.actions.githubusercontent.com')).toMatchObject({ name: 'GitHub Actions' })
  expect(issuerAt(issuers, 'https://gone.example.com')).toMatchObject({ name: 'gone.example.com', isTrusted: false })
  expect(whoseJobs('github', { repository_id: '74' })).toBe('repository 74')
  expect(whoseJobs('gitlab', { project_id: '22' })).toBe('project 22')
  expect(whoseJobs('other', { sub: 'job:tool' })).toBe('job:tool')
})

test('what a form says twice, or not at all, is told', () => {
  const values = valuesOf('github', rule)
  for (const others of ['nonsense', '=x', 'actor=', 'repository_id=75', 'actor=a\nactor=b', 'a b=c']) {
    expect(claimsTyped('github', { ...values, others }).wrong).toBeDefined()
  }
  expect(claimsTyped('github', { ...values, others: ' actor = octo cat \n\n' })).toEqual({
    claims: { repository_id: '74', actor: 'octo cat' },
  })
})

test('a rule comes out of its form as it went in', () => {
  const name = fc.constantFrom('ref', 'environment', 'workflow_ref', 'actor', 'sub', 'custom:claim')
  const value = fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/)
  fc.assert(
    fc.property(fc.constantFrom('github', 'gitlab', 'other'), fc.dictionary(name, value), (kind, others) => {
      const pin = { github: 'repository_id', gitlab: 'project_id', other: 'sub' }[kind]
      const claims = { ...others, [pin]: '74' }
      const values = valuesOf(kind, { ...rule, claims })
      expect(claimsTyped(kind, values)).toEqual({ claims })
      expect(patternsTyped(values.packages)).toEqual([...rule.packages])
    }),
  )
})
