import { randomBytes } from 'node:crypto'
import { callingDeployToken } from '../catalogue/callers.ts'
import { lockByName, shared } from '../catalogue/named-locks.ts'
import { ownerIdByKey } from '../catalogue/owners.ts'
import {
  deleteEndedTokensOfJobs,
  insertTokenOfJob,
  publishersPinning,
  touchPublisher,
} from '../catalogue/publishers.ts'
import { type Catalogue, transaction } from '../catalogue/transaction.ts'
import { forgetUsed, useOnce } from '../catalogue/used-once.ts'
import { Allowance } from '../lib/allowance.ts'
import { sha256 } from '../lib/digests.ts'
import type { IssuerKind } from '../lib/issuers.ts'
import { networkOf } from '../lib/real-address.ts'
import { ownerKey } from '../names.ts'
import { Problem } from '../problems.ts'
import { audit } from './audit.ts'
import { deployTokenCaller, maySignIn, type Origin } from './caller.ts'
import type { IdTokens } from './id-tokens.ts'
import { limitFrom, type PackagePattern, storedLimit } from './package-patterns.ts'
import { isAbout, keptClaims, pinnedBy, type TokenClaims, type WantedClaims } from './publisher-rules.ts'
import { mostPublishers, ruleFrom } from './publishers.ts'

/** Milliseconds that a job has to publish what it has built. */
export const tokenLives = 15 * 60_000

/** The only thing that such a token can do, and only with the packages of its rules. */
export const scopeOfJobs = 'write:package'

/** The job that forgets what nobody could use any more. */
export const endedExchangesJob = 'ended-exchanges'

/** Milliseconds for which what has expired is remembered still: a node whose clock is late would take it once more. */
const remembered = 60 * 60_000

/** Rules of all owners that are looked at where a job does not say whose it means. */
const mostLookedAt = 200

/** Tries of one network within a minute, good or bad. */
const triesAMinute = 120

interface Exchange {
  issuer: { url: string; kind: IssuerKind }
  pinned: string
  claims: TokenClaims
  ownerId: number
  idToken: { sha256: string; expiresAt: number }
  sha256: string
  lastEight: string
  /** Of the client. */
  address: string
  now: number
}

/** What a job gets for its ID token. */
export interface Exchanged {
  secret: string
  owner: string
  /** The rules that let it in. */
  rules: readonly string[]
  packages: readonly string[]
  /** Milliseconds. */
  livesFor: number
}

/** Decides anew what rules there are: whoever changes one holds the owner's tokens alone. */
export const exchangeIdToken = transaction(
  'exchange ID token',
  async (tx, args: Exchange): Promise<Omit<Exchanged, 'secret' | 'livesFor'>> => {
    const { issuer, pinned, claims, ownerId, now } = args
    await lockByName(tx, [shared(`account ${ownerId}`), shared(`owner ${ownerId}`)])
    const found = await publishersPinning(tx, { issuer: issuer.url, pinned }, { ownerId, limit: mostPublishers })
    const rows = found.filter((row) => isAbout(wantedBy(row), claims, issuer.kind))
    const [first] = rows
    if (!first) throw noRule(claims)
    const { sha256, expiresAt } = args.idToken
    if (!(await useOnce(tx, { kind: 'jti', sha256, expiresAt }))) throw usedBefore()
    const rules = rows.map(ruleFrom)
    const kept: Origin = {
      issuer: issuer.url,
      claims: keptClaims(
        claims,
        rules.map((rule) => rule.claims),
      ),
    }
    const packages = withoutTwins(rows.flatMap((row) => limitFrom(row.packages) ?? []))
    const id = await insertTokenOfJob(tx, {
      owner_id: ownerId,
      name: first.name,
      sha256: args.sha256,
      last_eight: args.lastEight,
      scopes: scopeOfJobs,
      packages: storedLimit(packages),
      created_by: null,
      created_at: now,
      expires_at: now + tokenLives,
      last_used_at: null,
      publisher_id: first.id,
      claims: JSON.stringify(kept),
    })
    // In their order, one by one: two exchanges by the same rules would else wait for each other.
    for (const row of rows) await touchPublisher(tx, row.id, now)
    const token = await callingDeployToken(tx, id)
    if (!token) throw new Error('a token went in the transaction that made it')
    if (token.account && !maySignIn(token.account)) throw noRule(claims)
    const caller = deployTokenCaller(token, false, args.address)
    const names = packages.map(({ name }) => name)
    await audit(tx, caller, now, {
      action: 'token.exchanged',
      owner: caller.owner,
      subject: first.name,
      details: { last_eight: args.lastEight, issuer: issuer.url, subject: kept.claims.sub ?? '', packages: names },
    })
    return { owner: caller.owner.name, rules: rules.map((rule) => rule.name), packages: names }
  },
)

export const forgetExchanges = transaction(
  'forget exchanges',
  async (tx, { before, limit }: { before: number; limit: number }): Promise<number> => {
    const tokens = await deleteEndedTokensOfJobs(tx, before, limit)
    const used = await forgetUsed(tx, before, limit)
    return Math.max(tokens, used)
  },
)

function wantedBy(row: { claims: string }): WantedClaims {
  return JSON.parse(row.claims) as WantedClaims
}

function withoutTwins(patterns: readonly PackagePattern[]): PackagePattern[] {
  return [...new Map(patterns.map((pattern) => [pattern.name, pattern])).values()]
}

/** The exchange of a job's ID token for one that publishes (RFC 8693). */
export class TokenExchange {
  readonly #catalogue: Catalogue
  /** Undefined where no issuer is trusted. */
  readonly #idTokens: IdTokens | undefined
  readonly #tries: Allowance
  readonly #now: () => number

  constructor(parts: { catalogue: Catalogue; idTokens: IdTokens | undefined; now: () => number }) {
    this.#catalogue = parts.catalogue
    this.#idTokens = parts.idTokens
    this.#now = parts.now
    this.#tries = new Allowance({ times: triesAMinute, within: 60_000, now: parts.now })
  }

  /**
   * A token for what the rules say that are about a job; of the owner of that name, where one is said. It is shown this once.
   *
   * Throws `bad-request` with a sentence that says why not, `too-many-attempts`, or `issuer-unavailable`.
   */
  async exchange(
    { idToken, owner }: { idToken: string; owner: string | undefined },
    address: string,
  ): Promise<Exchanged> {
    if (!this.#idTokens) throw nobodyTrusted()
    const tooMany = this.#tries.take(networkOf(address))
    if (tooMany) {
      const sentence = `Too many ID tokens from this network. Try again in ${tooMany.wait} seconds.`
      throw new Problem('too-many-attempts', sentence, { retry_after: tooMany.wait })
    }
    const { issuer, claims, ...verified } = await this.#idTokens.verify(idToken)
    const pinned = pinnedBy(issuer, claims)
    const ownerId = pinned && (await this.#ownerIdFor({ issuer, pinned, claims, owner }))
    if (!pinned || ownerId === undefined || ownerId === '') throw noRule(claims)
    const now = this.#now()
    const secret = randomBytes(20).toString('hex')
    const made = await this.#catalogue.transact(exchangeIdToken, {
      ...{ issuer, pinned, claims, ownerId, address, now },
      idToken: verified,
      sha256: sha256(secret),
      lastEight: secret.slice(-8),
    })
    return { ...made, secret, livesFor: tokenLives }
  }

  /** Removes tokens of jobs that have ended, and the memory of ID tokens that have expired. */
  async forget(signal: AbortSignal): Promise<void> {
    const limit = 500
    let forgotten = limit
    while (forgotten === limit && !signal.aborted) {
      forgotten = await this.#catalogue.transact(forgetExchanges, { before: this.#now() - remembered, limit })
    }
  }

  /** Whose rules are meant. What is not there and what is not about the job is told alike: nobody learns whose rules there are. */
  async #ownerIdFor(job: {
    issuer: Exchange['issuer']
    pinned: string
    claims: TokenClaims
    owner: string | undefined
  }): Promise<number | undefined> {
    const { issuer, pinned, claims, owner } = job
    if (owner !== undefined) {
      const key = ownerKey(owner)
      return key && (await ownerIdByKey(this.#catalogue.read, key))
    }
    const where = { issuer: issuer.url, pinned }
    const rows = await publishersPinning(this.#catalogue.read, where, { ownerId: undefined, limit: mostLookedAt })
    const about = rows.filter((row) => isAbout(wantedBy(row), claims, issuer.kind))
    const [id, ...others] = new Set(about.map((row) => row.owner_id))
    // Everybody may make rules about every repository: those of strangers must not decide where its job publishes, nor by being many.
    if (others.length > 0 || rows.length === mostLookedAt) throw severalOwners()
    return id
  }
}

/** What a token says that is no rule's, in the order in which people look for the mistake. */
const told = [
  ...['repository_id', 'project_id', 'sub', 'repository', 'project_path', 'ref', 'environment', 'event_name'],
  ...['workflow_ref', 'job_workflow_ref', 'pipeline_source'],
]

/** Says what the token says, and nothing of any rule. */
function noRule(claims: TokenClaims): Problem {
  const said = told.flatMap((name) => {
    const value = Object.hasOwn(claims, name) ? claims[name] : undefined
    return value === undefined ? [] : [`${name}=${value.length > 200 ? `${value.slice(0, 199)}…` : value}`]
  })
  return new Problem('bad-request', `No rule lets this job publish. Its ID token says ${said.join(', ') || 'nothing'}.`)
}

function usedBefore(): Problem {
  return new Problem(
    'bad-request',
    'The ID token has been used before: each one is good for one exchange. Ask for another, or run the job again.',
  )
}

function severalOwners(): Problem {
  return new Problem(
    'bad-request',
    'Rules of several owners are about this job: say whose are meant, with resource= and the address of his packages.',
    { error: 'invalid_target' },
  )
}

function nobodyTrusted(): Problem {
  return new Problem(
    'bad-request',
    'No issuer of ID tokens is trusted here: whoever runs this server names some in STOWAGE_OIDC_PUBLISHERS.',
    { error: 'unsupported_grant_type' },
  )
}
