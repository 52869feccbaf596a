import type { JSONWebKeySet, LocalJWKSet } from 'jose'
import { discoveryAddress, type Issuer, isOnThisMachine } from '../lib/issuers.ts'
import { OutgoingError } from '../lib/outgoing.ts'
import type { OutgoingFetch } from '../lib/outgoing-fetch.ts'
import { Problem } from '../problems.ts'

/** The public keys of an issuer, as they were when it was asked last. */
export interface KnownKeys {
  find: LocalJWKSet
  ids: ReadonlySet<string>
  /** Milliseconds since 1970. */
  since: number
}

/** Milliseconds until an issuer is asked again, though nothing says that its keys are others. */
const freshFor = 10 * 60_000
/** For how long its keys count while it does not answer. */
const usableFor = 60 * 60_000
/** Between two questions: whoever invents tokens must not make us ask an issuer as often as he likes. */
const pause = 30_000
/** Keys that an issuer may have at once: one that is being replaced, and some. */
const mostKeys = 100

/** What is asked of an answer, bytes and milliseconds; an issuer that is slow must not hold up those who wait for it. */
export const issuerLimits = { time: 5_000, body: 256 * 1024, head: 16 * 1024 }

interface Asked {
  known: KnownKeys | undefined
  triedAt: number
  asking: Promise<void> | undefined
}

/** The public keys of issuers: found by their description (OpenID Connect Discovery), and kept in memory. */
export class IssuerKeys {
  readonly #fetchOf: (issuer: Issuer) => OutgoingFetch
  readonly #now: () => number
  readonly #failed: (issuer: Issuer, error: unknown) => void
  /** By address: no more than there are issuers in the settings. */
  readonly #asked = new Map<string, Asked>()

  constructor(parts: {
    fetchOf: (issuer: Issuer) => OutgoingFetch
    now: () => number
    failed: (issuer: Issuer, error: unknown) => void
  }) {
    this.#fetchOf = parts.fetchOf
    this.#now = parts.now
    this.#failed = parts.failed
  }

  /** The issuer's keys; those that it has now where it had none with that id before. `issuer-unavailable` where nobody knows them. */
  async of(issuer: Issuer, keyId: string): Promise<KnownKeys> {
    const asked = this.#asked.get(issuer.url) ?? { known: undefined, triedAt: -Infinity, asking: undefined }
    this.#asked.set(issuer.url, asked)
    const isKnown = asked.known?.ids.has(keyId) && this.#now() - asked.known.since < freshFor
    if (!isKnown) await this.#ask(issuer, asked)
    const { known } = asked
    if (known && this.#now() - known.since < usableFor) return known
    const wait = Math.max(1, Math.ceil((asked.triedAt + pause - this.#now()) / 1000))
    throw new Problem('issuer-unavailable', `${issuer.url} does not tell its keys at the moment. Try again.`, {
      retry_after: wait,
    })
  }

  async #ask(issuer: Issuer, asked: Asked): Promise<void> {
    // Together: whoever comes meanwhile waits for the same answer.
    if (asked.asking) return asked.asking
    if (this.#now() - asked.triedAt < pause) return
    asked.triedAt = this.#now()
    asked.asking = this.#load(issuer)
      .then(
        (known) => {
          asked.known = known
        },
        (error) => this.#failed(issuer, error),
      )
      .finally(() => {
        asked.asking = undefined
      })
    await asked.asking
  }

  async #load(issuer: Issuer): Promise<KnownKeys> {
    const since = this.#now()
    const fetch = this.#fetchOf(issuer)
    const description = await jsonAt(fetch, discoveryAddress(issuer))
    // Or a server that describes another issuer could have its keys taken for this one's.
    if (description.issuer !== issuer.url) throw new OutgoingError('It describes another issuer.')
    const { jwks_uri: address } = description
    if (typeof address !== 'string' || !isAsSafe(address, issuer)) {
      throw new OutgoingError('It names no address of its keys.')
    }
    const keySet = keySetFrom(await jsonAt(fetch, address))
    const { createLocalJWKSet } = await import('jose')
    const ids = new Set(keySet.keys.flatMap(({ kid }) => kid ?? []))
    return { find: createLocalJWKSet(keySet), ids, since }
  }
}

async function jsonAt(fetch: OutgoingFetch, address: string): Promise<Record<string, unknown>> {
  const answer = await fetch(address, { headers: { accept: 'application/json' } })
  if (answer.status !== 200) throw new OutgoingError(`It answers ${answer.status}.`)
  const read: unknown = await answer.json().catch(() => undefined)
  if (typeof read !== 'object' || read === null) throw new OutgoingError('What it answers is no JSON object.')
  return read as Record<string, unknown>
}

/** Keys come on no less safe a way than what names them. */
function isAsSafe(address: string, issuer: Issuer): boolean {
  const url = URL.parse(address)
  if (url?.protocol === 'https:') return true
  return url?.protocol === 'http:' && issuer.url.startsWith('http:') && isOnThisMachine(url)
}

/** Keys with an id that sign, and that everybody may know. */
function keySetFrom({ keys }: Record<string, unknown>): JSONWebKeySet {
  if (!Array.isArray(keys)) throw new OutgoingError('What it answers is no set of keys.')
  if (keys.length > mostKeys) throw new OutgoingError(`It has more than ${mostKeys} keys.`)
  return { keys: keys.filter(isPublicKey) }
}

function isPublicKey(key: unknown): key is JSONWebKeySet['keys'][number] {
  if (typeof key !== 'object' || key === null) return false
  const { kid, kty, use } = key as Record<string, unknown>
  return typeof kid === 'string' && /^(RSA|EC|OKP)$/.test(String(kty)) && use !== 'enc'
}
