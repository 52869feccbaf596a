import type { JWTPayload, ProtectedHeaderParameters } from 'jose'
import { sha256 } from '../lib/digests.ts'
import type { Issuer } from '../lib/issuers.ts'
import { Problem } from '../problems.ts'
import type { IssuerKeys } from './issuer-keys.ts'
import { claimsFrom, type TokenClaims } from './publisher-rules.ts'

/** What an issuer vouches for, to us and now. */
export interface VerifiedToken {
  issuer: Issuer
  claims: TokenClaims
  /** By which it is known when it comes again. */
  sha256: string
  /** When nobody takes it any more, milliseconds since 1970. */
  expiresAt: number
}

/** Characters of a token; what GitHub and GitLab send has some 2,000. */
const longestToken = 16 * 1024

/** Signatures whose keys can be known to everybody: with any other, what everybody knows could sign. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']

/** Seconds by which clocks may differ. */
const tolerance = 30
/** Seconds for which a token may still be good: for as long is remembered that it was used. */
const farthest = 24 * 60 * 60

/** ID tokens (OpenID Connect Core §3.1.3.7) of the issuers that an administrator trusts. */
export class IdTokens {
  readonly #issuers: readonly Issuer[]
  readonly #keys: IssuerKeys
  readonly #audience: () => string
  readonly #now: () => number

  constructor(parts: { issuers: readonly Issuer[]; keys: IssuerKeys; audience: () => string; now: () => number }) {
    this.#issuers = parts.issuers
    this.#keys = parts.keys
    this.#audience = parts.audience
    this.#now = parts.now
  }

  /** `bad-request`, with the reason, where the token is not good; `issuer-unavailable` where nobody can tell. */
  async verify(token: string): Promise<VerifiedToken> {
    if (token.length > longestToken) throw refused(`has more than ${longestToken} characters`)
    const { decodeJwt, decodeProtectedHeader, errors, jwtVerify } = await import('jose')
    let header: ProtectedHeaderParameters
    let said: JWTPayload
    try {
      header = decodeProtectedHeader(token)
      said = decodeJwt(token)
    } catch {
      throw refused('is no signed JWT')
    }
    // All that can be told without asking anybody comes first.
    const issuer = this.#issuers.find(({ url }) => url === said.iss)
    if (!issuer) throw refused(`is of an issuer that is not trusted here (STOWAGE_OIDC_PUBLISHERS): ${shown(said.iss)}`)
    const { kid, alg, typ } = header
    if (typeof alg !== 'string' || !algorithms.includes(alg)) {
      throw refused(`is signed by ${shown(alg)}; what is taken is ${algorithms.join(', ')}`)
    }
    if (typ !== undefined && !/^jwt$/i.test(String(typ))) throw refused(`is no ID token, but ${shown(typ)}`)
    if (typeof kid !== 'string' || kid === '') throw refused('does not say by which key it is signed (kid)')
    const wrong = claimsFault(said, { audience: this.#audience(), now: this.#now() })
    if (wrong) throw refused(wrong)

    const keys = await this.#keys.of(issuer, kid)
    if (!keys.ids.has(kid)) throw refused('is signed by a key that its issuer does not have')
    const options = { issuer: issuer.url, algorithms, clockTolerance: tolerance, currentDate: new Date(this.#now()) }
    const { payload } = await jwtVerify(token, keys.find, options).catch((error) => {
      // Of a key with which nothing can be checked the library says only that: one that is too short, or no point of its curve.
      throw refused(signatureFault(error instanceof errors.JOSEError ? error.code : ''))
    })
    return {
      issuer,
      claims: claimsFrom(payload),
      sha256: sha256(JSON.stringify([issuer.url, payload.jti])),
      // Some have fractions of a second.
      expiresAt: Math.ceil(((payload.exp ?? 0) + tolerance) * 1000),
    }
  }
}

/** What is wrong with the claims that every ID token has; undefined where nothing is. Seconds in the token, milliseconds in `now`. */
export function claimsFault(
  { aud, exp, nbf, iat, jti, sub }: JWTPayload,
  { audience, now }: { audience: string; now: number },
): string | undefined {
  const seconds = Math.floor(now / 1000)
  const [only, ...others] = Array.isArray(aud) ? aud : [aud]
  if (only !== audience || others.length > 0) return `is for ${shown(aud)}: its audience must be ${audience} alone`
  if (typeof sub !== 'string' || sub === '') return 'does not say of whom it is (sub)'
  if (!isTime(exp)) return 'does not say when it ends (exp)'
  if (!isTime(iat)) return 'does not say when it was made (iat)'
  if (nbf !== undefined && !isTime(nbf)) return 'says when it begins (nbf), but not as a time'
  if (exp <= seconds - tolerance) return `has expired, at ${timeOf(exp)}`
  if (exp > seconds + farthest) return `is good until ${timeOf(exp)}, and 24 hours are the most that is taken`
  if (iat > seconds + tolerance) return `was made in the future, at ${timeOf(iat)}; one of the two clocks is wrong`
  if (nbf !== undefined && nbf > seconds + tolerance) return `is good from ${timeOf(nbf)} on only`
  if (typeof jti !== 'string' || jti === '') return 'has no number of its own (jti), so it could be used twice'
  return undefined
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 && value < 253_402_300_800
}

function timeOf(seconds: number): string {
  return new Date(Math.floor(seconds) * 1000).toISOString()
}

function signatureFault(code: string): string {
  switch (code) {
    case 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED':
      return 'has a wrong signature'
    case 'ERR_JWT_EXPIRED':
      return 'has expired'
    case 'ERR_JWKS_NO_MATCHING_KEY':
      return 'is signed in another way than the key is for'
    default:
      return 'is not signed as it should be'
  }
}

/** What a token says, in a sentence. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 200 ? `${text.slice(0, 199)}…` : text
}

function refused(why: string): Problem {
  return new Problem('bad-request', `The ID token ${why}.`)
}
