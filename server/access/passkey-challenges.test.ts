import { expect, test } from 'bun:test'
import { assert, property, string } from 'fast-check'
import { SecretKey } from '../lib/sealed.ts'
import { challengeLasts, PasskeyChallenges } from './passkey-challenges.ts'

const clock = { now: 1_000 }
const sealer = new SecretKey('a secret key of this test and of no other').sealer('passkeys')
const challenges = new PasskeyChallenges({ sealer, now: () => clock.now })
const wanted = { purpose: 'proof', userId: 7, session: 8, userHandle: null } as const

test('a challenge comes back as it was made, until its time is over', () => {
  const { challenge, sealed } = challenges.make(wanted)
  expect(Buffer.from(challenge, 'base64url')).toHaveLength(32)
  expect(challenges.open(sealed)).toEqual({ ...wanted, challenge, until: 1_000 + challengeLasts })
  expect(challenges.make(wanted).challenge).not.toBe(challenge)
  clock.now += challengeLasts - 1
  expect(challenges.open(sealed)?.challenge).toBe(challenge)
  clock.now += 1
  expect(challenges.open(sealed)).toBeUndefined()
})

test('what we did not make is none', () => {
  expect(challenges.open(undefined)).toBeUndefined()
  expect(challenges.open(sealer.seal('{}', 'awaited code'))).toBeUndefined()
  assert(property(string({ maxLength: 400 }), (text) => challenges.open(text) === undefined))
})
