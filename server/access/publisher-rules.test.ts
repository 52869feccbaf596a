import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { Issuer } from '../lib/issuers.ts'
import { Problem } from '../problems.ts'
import { claimsFrom, isAbout, keptClaims, pinnedBy, readRule, type TokenClaims } from './publisher-rules.ts'

const github: Issuer = { url: 'https://token.actions.githubusercontent.com', kind: 'github' }
const gitlab: Issuer = { url: 'https://gitlab.com', kind: 'gitlab' }
const other: Issuer = { url: 'https://ci.example.com', kind: 'other' }

describe('a rule pins what nobody else can ever have', () => {
  const cases: [Issuer, Record<string, string>, string | RegExp][] = [
    [github, { repository_id: '74' }, 'repository_id=74'],
    [github, { repository_id: '74', ref: 'refs/tags/v*', environment: 'release' }, 'repository_id=74'],
    [gitlab, { project_id: '22' }, 'project_id=22'],
    [other, { sub: 'job:tool:main' }, 'sub=job:tool:main'],
    // Names are given up, and taken by others.
    [github, {}, /^claims\.repository_id: must be the number/],
    [github, { repository: 'octo/tool' }, /^claims\.repository_id: must be the number/],
    [github, { sub: 'repo:octo/tool:ref:refs/heads/main' }, /^claims\.repository_id: must be the number/],
    [github, { project_id: '22' }, /^claims\.repository_id: must be the number/],
    [gitlab, { repository_id: '74' }, /^claims\.project_id: must be the number/],
    [gitlab, { sub: 'project_path:octo/tool:ref_type:branch:ref:main' }, /^claims\.project_id: must be the number/],
    [other, { repository_id: '74' }, /^claims\.sub: must be the job's whole subject/],
    // No wildcards in it.
    [github, { repository_id: '*' }, /^claims\.repository_id: must be the number/],
    [github, { repository_id: '7*' }, /^claims\.repository_id: must be the number/],
    [github, { repository_id: '7?' }, /^claims\.repository_id: must be the number/],
    [github, { repository_id: ' 74' }, /^claims\.repository_id: must be the number/],
    [github, { repository_id: '074' }, /^claims\.repository_id: must be the number/],
    [github, { repository_id: '74\n' }, /^claims\.repository_id: must be the number/],
    [gitlab, { project_id: '2*' }, /^claims\.project_id: must be the number/],
    [other, { sub: 'job:*' }, /^claims\.sub: must be the job's whole subject/],
    [other, { sub: 'job:?' }, /^claims\.sub: must be the job's whole subject/],
    // Limits.
    [github, { repository_id: '74', aud: 'x' }, /^claims\.aud: is checked in any case/],
    [github, { repository_id: '74', iss: 'x' }, /^claims\.iss: is checked in any case/],
    [github, { repository_id: '74', ref: '' }, /^claims\.ref: must have 1 to 500/],
    [github, { repository_id: '74', ref: 'x'.repeat(501) }, /^claims\.ref: must have 1 to 500/],
    [github, { repository_id: '74', 'two words': 'x' }, /no claim has/],
    [github, JSON.parse('{"repository_id":"74","__proto__":"x"}'), /no claim has/],
    [
      github,
      Object.fromEntries(Array.from({ length: 21 }, (_, index) => [`a${index}`, 'x'])),
      /^claims: may be 20 at most/,
    ],
  ]
  test.each(cases)('%j %j', (issuer, claims, expected) => {
    if (typeof expected === 'string') expect(readRule(issuer, claims)).toBe(expected)
    else expect(refusal(() => readRule(issuer, claims))).toMatch(expected)
  })
})

function refusal(work: () => unknown): string {
  try {
    return `not refused: ${work()}`
  } catch (error) {
    return error instanceof Problem && error.code === 'bad-request' ? error.message : String(error)
  }
}

describe('whether a rule is about a token', () => {
  const job = { repository_id: '74', repository: 'octo/tool', ref: 'refs/tags/v1.2', event_name: 'push' }
  const cases: [wanted: Record<string, string>, token: TokenClaims, boolean][] = [
    [{ repository_id: '74' }, job, true],
    [{ repository_id: '74', ref: 'refs/tags/v1.2' }, job, true],
    [{ repository_id: '74', ref: 'refs/tags/v*' }, job, true],
    [{ repository_id: '74', ref: 'refs/heads/*' }, job, false],
    [{ repository_id: '74', ref: 'refs/tags/v1' }, job, false],
    [{ repository_id: '74', ref: 'REFS/tags/v*' }, job, false],
    // One that was renamed, and another repository that has its name now.
    [{ repository_id: '74' }, { ...job, repository: 'octo/renamed' }, true],
    [{ repository_id: '74', repository: 'octo/tool' }, { ...job, repository_id: '99' }, false],
    // What a token does not say, it does not say.
    [{ repository_id: '74', environment: '*' }, job, false],
    [{ repository_id: '74', toString: '*' }, job, false],
    // What strangers can set off, unless the rule names just that.
    [{ repository_id: '74' }, { ...job, event_name: 'pull_request_target' }, false],
    [{ repository_id: '74' }, { ...job, event_name: 'workflow_run' }, false],
    [{ repository_id: '74', event_name: '*' }, { ...job, event_name: 'workflow_run' }, false],
    [{ repository_id: '74', event_name: 'workflow_*' }, { ...job, event_name: 'workflow_run' }, false],
    [{ repository_id: '74', event_name: 'pull_request_target' }, { ...job, event_name: 'workflow_run' }, false],
    [{ repository_id: '74', event_name: 'workflow_run' }, { ...job, event_name: 'workflow_run' }, true],
    [{ repository_id: '74', event_name: 'pull_request_target' }, { ...job, event_name: 'pull_request_target' }, true],
    [{ repository_id: '74', event_name: 'workflow_run' }, job, false],
    [{ repository_id: '74', event_name: 'push' }, job, true],
    [{ repository_id: '74' }, { repository_id: '74', repository: 'octo/tool' }, false],
    // A rule without its pin, as nothing can have written it, is about nobody.
    [{}, job, false],
    [{ ref: 'refs/tags/v*' }, job, false],
  ]
  test.each(cases)('%j %j: %p', (wanted, token, expected) => {
    expect(isAbout(wanted, token, 'github')).toBe(expected)
  })

  test('a merge request, whose branch may be that of a fork, is none of a rule that does not name it', () => {
    const ofFork = { project_id: '22', ref: 'main', pipeline_source: 'merge_request_event' }
    expect(isAbout({ project_id: '22', ref: 'main' }, ofFork, 'gitlab')).toBe(false)
    expect(isAbout({ project_id: '22', pipeline_source: '*' }, ofFork, 'gitlab')).toBe(false)
    expect(isAbout({ project_id: '22', pipeline_source: 'merge_request_event' }, ofFork, 'gitlab')).toBe(true)
    expect(isAbout({ project_id: '22', ref: 'main' }, { ...ofFork, pipeline_source: 'push' }, 'gitlab')).toBe(true)
  })

  test('in the pin nothing is a wildcard, whatever was written down', () => {
    expect(isAbout({ repository_id: '*' }, job, 'github')).toBe(false)
    expect(isAbout({ sub: 'job:*' }, { sub: 'job:main' }, 'other')).toBe(false)
    expect(isAbout({ sub: 'job:main' }, { sub: 'job:main' }, 'other')).toBe(true)
  })

  test('a token is about a rule only where both have the same pin', () => {
    const ids = fc.constantFrom('1', '2', '12')
    const refs = fc.constantFrom('refs/heads/main', 'refs/heads/*', '*')
    fc.assert(
      fc.property(ids, ids, refs, fc.string(), (wanted, is, ref, value) => {
        const rule = { repository_id: wanted, ref }
        const token = { repository_id: is, ref: value, event_name: 'push' }
        if (isAbout(rule, token, 'github')) {
          expect(is).toBe(wanted)
          expect(pinnedBy(github, token)).toBe(readRule(github, rule))
        }
      }),
    )
  })
})

test('what cannot be compared is no claim', () => {
  expect(
    claimsFrom({ a: 'x', b: 7, c: true, d: null, e: ['x'], f: { g: 1 }, h: 1.5, i: 1e300, j: '\0', k: '\ud800' }),
  ).toEqual({ a: 'x', b: '7', c: 'true' })
  expect(Object.keys(claimsFrom(JSON.parse('{"__proto__":"x"}')))).toEqual([])
})

test('a pin that no rule can have leads to none', () => {
  expect(pinnedBy(github, {})).toBeUndefined()
  expect(pinnedBy(github, { repository_id: '*' })).toBeUndefined()
  expect(pinnedBy(github, { sub: 'x' })).toBeUndefined()
  expect(pinnedBy(other, { sub: 'x'.repeat(501) })).toBeUndefined()
})

test('what is kept says what a job was, and neither whose address it has nor when it ended', () => {
  const claims = {
    ...{ iss: 'i', aud: 'a', jti: 'j', exp: '1', user_email: 'ada@example.com', nonce: 'n', custom: 'c', other: 'o' },
    ...{ sub: 's', sha: 'x'.repeat(400) },
  }
  const wanted = { custom: '*', user_email: 'ada@example.com' }
  expect(keptClaims(claims, [wanted])).toEqual({ sub: 's', sha: `${'x'.repeat(299)}…`, custom: 'c' })
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.string({ unit: 'binary', maxLength: 400 })), (payload) => {
      const kept = keptClaims(claimsFrom(payload), [payload])
      for (const value of Object.values(kept)) {
        expect(value.length).toBeLessThanOrEqual(300)
        expect(value.isWellFormed()).toBe(true)
      }
    }),
  )
})
