import { randomInt, timingSafeEqual } from 'node:crypto'
import { HOTP, Secret, TOTP } from 'otpauth'
import { sha256 } from '../lib/digests.ts'

/** What every authenticator can do: RFC 6238 with SHA-1, six digits, 30 seconds. */
const kind = { algorithm: 'SHA1', digits: 6 }
const period = 30

/** Steps before and after the present one whose codes count, for clocks that differ and people who type slowly. */
const tolerance = 1

/** A new secret of 160 bits (RFC 4226 §4), in base32. */
export function newTotpSecret(): string {
  return new Secret({ size: 20 }).base32
}

/** What an authenticator reads from a QR code. */
export function totpAddress(of: { secret: string; account: string; issuer: string }): string {
  // Neither may hold a colon, not even an escaped one: it stands between the two.
  const [issuer, label] = [of.issuer, of.account].map((text) => text.replaceAll(':', ' '))
  return new TOTP({ ...kind, period, secret: Secret.fromBase32(of.secret), issuer, label }).toString()
}

/**
 * The time step to which a code belongs, if it is right, near `now` and later than `lastStep`, the step of the last code
 * that was taken: each code works once (RFC 6238 §5.2).
 */
export function totpStep(secret: string, code: string, now: number, lastStep: number | null): number | undefined {
  const typed = code.replace(/\s/g, '')
  if (!/^[0-9]{6}$/.test(typed)) return undefined
  const key = Secret.fromBase32(secret)
  const present = Math.floor(now / (period * 1000))
  const steps = Array.from({ length: 2 * tolerance + 1 }, (_, index) => present - tolerance + index)
  // All are compared, and the last match counts: of two steps with the same code, the earlier one would leave it usable.
  return steps.filter((step) => isCodeOf(key, step, typed) && step > (lastStep ?? -1)).at(-1)
}

function isCodeOf(secret: Secret, step: number, typed: string): boolean {
  return timingSafeEqual(Buffer.from(HOTP.generate({ ...kind, secret, counter: step })), Buffer.from(typed))
}

/** Crockford's base32: without letters that look like another sign. */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'
const recoveryCodeCount = 10
const groups = 3
const groupLength = 5
const recoveryCode = new RegExp(`^[${alphabet}]{${groups * groupLength}}$`)

/** Codes for somebody whose authenticator is gone; 75 bits each, because a plain hash of each is kept. */
export function newRecoveryCodes(): string[] {
  return Array.from({ length: recoveryCodeCount }, () =>
    Array.from({ length: groups }, () => randomSigns(groupLength)).join('-'),
  )
}

function randomSigns(count: number): string {
  return Array.from({ length: count }, () => alphabet[randomInt(alphabet.length)]).join('')
}

/** The SHA-256 under which a recovery code is kept, however it was typed; `undefined` for what can be none. */
export function recoveryKey(code: string): string | undefined {
  const folded = code
    .replace(/[\s\p{Dash_Punctuation}]/gu, '')
    .toLowerCase()
    .replace(/o/g, '0')
    .replace(/[il]/g, '1')
  return recoveryCode.test(folded) ? sha256(folded) : undefined
}
