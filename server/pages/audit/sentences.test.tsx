import { describe, expect, test } from 'bun:test'
import { auditActions } from '../../access/audit.ts'
import { actionNames, sentences, type Told } from './sentences.tsx'

const event = {
  id: 1,
  created_at: 0,
  action: '',
  actor_id: 1,
  actor_name: 'ada',
  credential: 'session',
  token_last_eight: null,
  address: '192.0.2.1',
  owner_id: 2,
  owner_name: 'acme',
  package_name: 'tool',
  package_key: 'tool',
  version: '1.0',
  file: 'tool.bin',
  subject: 'eva',
  details: null,
} satisfies Told['event']

const names: Omit<Told, 'event' | 'details'> = {
  who: 'ada',
  owner: 'acme',
  isOwn: false,
  package: 'tool',
  version: '1.0',
  file: 'tool.bin',
  subject: 'eva',
}

function told(action: keyof typeof sentences, more: Partial<Told> = {}): string {
  const sentence = sentences[action]({ event, details: {}, ...names, ...more })
  return String(sentence).replace(/<[^>]+>/g, '')
}

describe('an event as a sentence', () => {
  test('every action has one, and a name of its own in the filter', () => {
    expect(Object.keys(sentences).toSorted()).toEqual([...auditActions].toSorted())
    expect(Object.keys(actionNames).toSorted()).toEqual([...auditActions].toSorted())
    expect(new Set(Object.values(actionNames)).size).toBe(auditActions.length)
    const all = auditActions.map((action) => told(action))
    expect(new Set(all).size).toBe(auditActions.length)
    for (const sentence of all) expect(sentence).toMatch(/^(ada|acme|Somebody) [a-z][^{}[\]]+$/)
    expect(all.filter((sentence) => /undefined|null|NaN|object/.test(sentence))).toEqual([])
  })

  test.each([
    ['file.published', {}, 'ada published tool.bin in tool 1.0'],
    ['version.deleted', { details: { files: 3 } }, 'ada deleted tool 1.0 with 3 files'],
    [
      'package.changed',
      { details: { fields: ['repository_url', 'labels'] } },
      'ada changed what is said of tool: repository, labels',
    ],
    ['sign-in.failed', { details: { reason: 'wrong-password' } }, 'Somebody could not sign in as acme: wrong password'],
    [
      'sign-in.failed',
      { event: { ...event, owner_name: null }, details: { times: 12 } },
      'Somebody could not sign in, 12 times',
    ],
    ['sign-in.failed', { details: { reason: 'new-reason' } }, 'Somebody could not sign in as acme: new-reason'],
    ['password.changed', { isOwn: true }, 'ada changed their password'],
    ['password.changed', {}, 'ada set another password for acme'],
    ['account.created', { event: { ...event, actor_id: null, actor_name: null } }, 'acme signed up'],
    ['account.created', {}, 'ada made the account acme'],
    ['account.renamed', { details: { from: 'eve', to: 'eva' } }, 'ada renamed the user eve to eva'],
    ['member.added', { details: { team: 'Owners' } }, 'ada added eva to the team Owners of acme'],
    ['member.removed', { details: { teams: ['a', 'b'] } }, 'ada took eva out of the teams a, b of acme'],
    [
      'invitation.created',
      { details: { team: 'a', mailed: true } },
      'ada invited somebody to acme, into the team a, by e-mail',
    ],
    ['organisation.deleted', { details: { purge: true } }, 'ada deleted the organisation acme with all packages'],
    ['quota.changed', { event: { ...event, owner_name: null } }, 'ada changed the quota of the site'],
    ['webhook.replayed', { details: { url: 'https://x.test' } }, 'ada sent a delivery of acme to https://x.test again'],
    ['job.retried', { subject: '7', details: { kind: 'sweep' } }, 'ada had job 7 (sweep) tried again'],
    ['session.ended', { isOwn: true, details: { sessions: 2 } }, 'ada ended 2 sessions'],
  ] as const)('%s %j', (action, more, sentence) => {
    expect(told(action, more)).toBe(sentence)
  })
})
