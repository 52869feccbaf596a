import { randomBytes } from 'node:crypto'
import { type IdentityRow, identityBySubject } from '../../catalogue/identities.ts'
import type { Catalogue } from '../../catalogue/transaction.ts'
import { userById } from '../../catalogue/users.ts'
import { Allowance } from '../../lib/allowance.ts'
import { sha256 } from '../../lib/digests.ts'
import type { OidcProvider } from '../../lib/oidc-provider.ts'
import { networkOf } from '../../lib/real-address.ts'
import type { Sealer } from '../../lib/sealed.ts'
import { ownerName } from '../../names.ts'
import { Problem } from '../../problems.ts'
import { accountFrom, maySignIn, type SignedIn } from '../caller.ts'
import { standingOf } from '../grant.ts'
import type { Visitor } from '../sessions.ts'
import type { SignIns } from '../sign-ins.ts'
import { type Challenge, type Granted, type ProviderClient, ProviderFailed } from './provider-client.ts'
import {
  type Applied,
  lapseIdentity,
  linkIdentity,
  type NewIdentity,
  noteVouched,
  registerIdentity,
  useState,
  vouchForIdentity,
} from './transactions.ts'
import { groupRules, mayComeIn, proposedName, type Vouched } from './vouched.ts'

/** How long somebody may take at his provider, or to choose a name. Milliseconds. */
export const signInLasts = 10 * 60_000
/** Answers of one network within ten minutes: each asks the provider something. */
const mostAnswers = 200
/** What browsers keep of a cookie, with room for its name. */
const longestCookie = 3_800
/** Signs of the address to go on to: a cookie has to hold it. */
const longestNext = 1_000

/** Why nobody came in by a provider, in words for him. */
export type RefusalKind = 'begin-again' | 'not-allowed' | 'unreachable' | 'no-account' | 'too-many'

export class SignInRefused extends Error {
  override name = 'SignInRefused'
  readonly kind: RefusalKind
  /** For the log. */
  readonly reason: string

  constructor(kind: RefusalKind, sentence: string, reason = sentence) {
    super(sentence)
    this.kind = kind
    this.reason = reason
  }
}

/** What a browser keeps while somebody is at his provider: nobody else's browser can end what this one has begun. */
interface Kept extends Omit<Challenge, 'redirectUri'> {
  provider: string
  next: string
  /** The session that an identity is to be linked to; undefined: somebody signs in. */
  linkTo?: { userId: number; session: number } | undefined
  /** Whether he was sent once more for a refresh token. */
  hasConsented: boolean
  until: number
}

/** Who has shown who he is and has no account yet. */
interface Newcomer {
  provider: string
  subject: string
  label: string
  email: string | undefined
  fullName: string
  username: string
  next: string
  until: number
}

export interface SentAway {
  /** At the provider. */
  url: string
  /** For the browser to keep, sealed. */
  kept: string
}

export type Outcome =
  | { kind: 'signed-in'; caller: SignedIn; next: string }
  | { kind: 'linked'; next: string }
  | { kind: 'newcomer'; kept: string }
  | ({ kind: 'sent-again' } & SentAway)

export interface ProviderSignInParts {
  catalogue: Catalogue
  clients: readonly ProviderClient[]
  sealer: Sealer
  /** Of what is stored. */
  refreshTokens: Sealer
  signIns: SignIns
  publicUrl: () => string
  now: () => number
  /** Told what a provider's word could not change. */
  noticed: (sentence: string) => void
}

/** Coming in by an OpenID provider. */
export class ProviderSignIns {
  readonly #parts: ProviderSignInParts
  readonly #answers: Allowance

  constructor(parts: ProviderSignInParts) {
    this.#parts = parts
    this.#answers = new Allowance({ times: mostAnswers, within: 10 * 60_000, now: parts.now })
  }

  get providers(): readonly Pick<OidcProvider, 'name' | 'title' | 'issuer'>[] {
    return this.#parts.clients.map(({ provider }) => provider)
  }

  /** `not-found` where there is no provider of that name. */
  provider(name: string): Pick<OidcProvider, 'name' | 'title' | 'issuer'> {
    return this.#client(name).provider
  }

  /** Sends somebody to a provider, who then goes on to `next`. */
  async begin(name: string, next: string, visitor?: Visitor): Promise<SentAway> {
    const client = this.#client(name)
    const { credential, account } = visitor ?? {}
    if (visitor && credential?.kind !== 'session')
      throw new Problem('forbidden', 'An identity is linked by who has signed in with this browser.')
    return this.#send(client, {
      next: next.length <= longestNext ? next : '',
      linkTo: account && credential?.kind === 'session' ? { userId: account.id, session: credential.id } : undefined,
      hasConsented: false,
    })
  }

  /**
   * Somebody has come back from a provider. `search` as it was sent, `kept` as the browser has it; `visitor`: who has signed in with it.
   * Throws `SignInRefused`.
   */
  async finish(
    name: string,
    {
      search,
      kept,
      visitor,
      address,
    }: { search: string; kept: string | undefined; visitor: Visitor | undefined; address: string },
  ): Promise<Outcome> {
    const client = this.#client(name)
    try {
      const begun = await this.#begun(client, search, kept, address)
      const granted = await this.#exchange(client, search, begun)
      const { linkTo } = begun
      if (linkTo) return await this.#link(client, granted, begun, linkTo, visitor)
      return await this.#enter(client, granted, begun, address)
    } catch (error) {
      throw this.#refusal(client, error, address)
    }
  }

  /** Who chooses a name: what he may be called, to begin with; undefined where it took too long, or another browser has begun. */
  newcomer(name: string, kept: string | undefined): { proposal: string; label: string } | undefined {
    const newcomer = this.#open<Newcomer>(kept, newcomerContext)
    if (newcomer?.provider !== name) return undefined
    return { proposal: proposedName(newcomer.username).name, label: newcomer.label }
  }

  /** Makes the account. He is known at his provider, so he is only sent there once more to sign in; answers where he goes on to then. */
  async register(
    name: string,
    kept: string | undefined,
    wanted: string,
    address: string,
  ): Promise<{ user: string; next: string }> {
    const client = this.#client(name)
    const newcomer = this.#open<Newcomer>(kept, newcomerContext)
    if (newcomer?.provider !== name) throw beginAgain()
    const user = await this.#add(client, newcomer, wanted, address)
    return { user: user.name, next: newcomer.next }
  }

  #client(name: string): ProviderClient {
    const client = this.#parts.clients.find(({ provider }) => provider.name === name)
    if (!client) throw new Problem('not-found', 'Not found.')
    return client
  }

  async #send(
    client: ProviderClient,
    { next, linkTo, hasConsented }: Pick<Kept, 'next' | 'linkTo' | 'hasConsented'>,
  ): Promise<SentAway> {
    const random = () => randomBytes(32).toString('base64url')
    const challenge = { state: random(), nonce: random(), verifier: random() }
    const kept: Kept = {
      ...{ ...challenge, next, linkTo, hasConsented },
      provider: client.provider.name,
      until: this.#parts.now() + signInLasts,
    }
    try {
      const redirectUri = this.#redirectUri(client)
      const url = await client.authorizationUrl({ ...challenge, redirectUri }, hasConsented)
      return { url, kept: this.#parts.sealer.seal(JSON.stringify(kept), challengeContext) }
    } catch (error) {
      throw this.#refusal(client, error, undefined)
    }
  }

  #redirectUri({ provider }: ProviderClient): string {
    return `${this.#parts.publicUrl()}/user/oidc/${provider.name}/callback`
  }

  /** What this browser has begun, whose answer this is; it counts once. */
  async #begun(client: ProviderClient, search: string, sealed: string | undefined, address: string): Promise<Kept> {
    const begun = this.#open<Kept>(sealed, challengeContext)
    const state = new URLSearchParams(search).get('state')
    if (!begun || begun.provider !== client.provider.name || state !== begun.state) throw beginAgain()
    const used = this.#answers.take(networkOf(address))
    if (used)
      throw new SignInRefused('too-many', `Too many sign-ins from this address. Try again in ${used.wait} seconds.`)
    const isNew = await this.#parts.catalogue.transact(useState, {
      sha256: sha256(begun.state),
      expiresAt: begun.until,
    })
    if (!isNew) throw beginAgain()
    return begun
  }

  async #exchange(client: ProviderClient, search: string, begun: Kept): Promise<Granted> {
    const redirectUri = this.#redirectUri(client)
    return client.exchange(new URL(redirectUri + search), { ...begun, redirectUri })
  }

  async #link(
    client: ProviderClient,
    { vouched, refreshToken }: Granted,
    begun: Kept,
    linkTo: NonNullable<Kept['linkTo']>,
    visitor: Visitor | undefined,
  ): Promise<Outcome> {
    const isSame =
      visitor?.credential.kind === 'session' &&
      visitor.credential.id === linkTo.session &&
      visitor.account.id === linkTo.userId
    if (!isSame)
      throw new SignInRefused(
        'begin-again',
        'You are not signed in here any more as who began this. Sign in, and link it again.',
      )
    if (!mayComeIn(client.provider, vouched.groups)) throw inNoGroup(client)
    const { catalogue, now } = this.#parts
    const identity = await catalogue.transact(linkIdentity, {
      identity: newIdentity(vouched),
      standing: standingOf(visitor),
      provider: client.provider.name,
      now: now(),
    })
    await this.#vouch(client, identity, vouched, refreshToken)
    return { kind: 'linked', next: begun.next }
  }

  async #enter(client: ProviderClient, granted: Granted, begun: Kept, address: string): Promise<Outcome> {
    const { vouched, refreshToken } = granted
    const { catalogue, signIns } = this.#parts
    const { provider } = client
    const known = await identityBySubject(catalogue.read, vouched)
    if (!mayComeIn(provider, vouched.groups)) {
      const user = known && (await userById(catalogue.read, known.user_id))
      signIns.failed('provider-refused', address, user)
      if (known) this.#notice(await this.#lapse(client, known, vouched))
      throw inNoGroup(client)
    }
    const identity = known ?? (await this.#registerAtOnce(client, vouched, address))
    if (!identity) return { kind: 'newcomer', kept: this.#sealNewcomer(client, vouched, begun) }
    if (!refreshToken && identity.refresh_token === null && client.shouldAskForRefreshToken) {
      if (!begun.hasConsented) {
        const again = await this.#send(client, { ...begun, hasConsented: true })
        return { kind: 'sent-again', ...again }
      }
      client.gaveNoRefreshToken()
    }
    await this.#vouch(client, identity, vouched, refreshToken)
    const user = await userById(catalogue.read, identity.user_id)
    if (!user || !maySignIn(user)) {
      signIns.failed('prohibited', address, user)
      throw new SignInRefused(
        'not-allowed',
        'Your account here is not to be used at the moment. Ask an administrator of this site.',
      )
    }
    const credential = { kind: 'oidc', identity: identity.id } as const
    const caller = { kind: 'user', account: accountFrom(user), credential, address } as const
    return { kind: 'signed-in', caller, next: begun.next }
  }

  /** The new identity of who may have an account, under the name that his provider says; undefined where he must choose one. */
  async #registerAtOnce(client: ProviderClient, vouched: Vouched, address: string): Promise<IdentityRow | undefined> {
    if (!client.provider.autoRegister) {
      throw new SignInRefused(
        'no-account',
        `${client.provider.title} knows you, but nobody has an account here by that identity. If you have an account, sign in with it ` +
          'and link the identity there; else ask an administrator of this site.',
      )
    }
    const { name, isExact } = proposedName(vouched.username)
    if (!isExact) return undefined
    try {
      await this.#add(client, vouched, name, address)
    } catch (error) {
      // The name may be taken by himself, who came in twice at once.
      if (!(error instanceof Problem && /^(unprocessable|invalid-name|already-exists)$/.test(error.code))) throw error
    }
    return identityBySubject(this.#parts.catalogue.read, vouched)
  }

  async #add(
    { provider }: ProviderClient,
    who: Pick<Vouched, 'subject' | 'label' | 'email' | 'fullName'>,
    wanted: string,
    address: string,
  ) {
    const { catalogue, now } = this.#parts
    const { text: name, key: nameKey } = ownerName(wanted)
    return catalogue.transact(registerIdentity, {
      identity: newIdentity({ ...who, issuer: provider.issuer }),
      account: { name, email: who.email, fullName: who.fullName },
      ...{ nameKey, provider: provider.name, address, now: now() },
    })
  }

  async #vouch(
    { provider }: ProviderClient,
    identity: IdentityRow,
    vouched: Vouched,
    refreshToken: string | undefined,
  ): Promise<void> {
    const { catalogue, refreshTokens, now } = this.#parts
    const at = { identityId: identity.id, askedWith: undefined, now: now() }
    const rules = groupRules(provider, vouched.groups)
    this.#notice(await catalogue.transact(vouchForIdentity, { ...at, rules, provider: provider.name }))
    const sealed = refreshToken && refreshTokens.seal(refreshToken, refreshTokenContext(identity))
    await catalogue.transact(noteVouched, { ...at, label: vouched.label, refreshToken: sealed })
  }

  #lapse({ provider }: ProviderClient, identity: IdentityRow, { groups }: Vouched): Promise<Applied | undefined> {
    return this.#parts.catalogue.transact(lapseIdentity, {
      identityId: identity.id,
      rules: groupRules(provider, groups),
      ...{ provider: provider.name, reason: 'group', askedWith: undefined, now: this.#parts.now() },
    })
  }

  #notice(applied: Applied | undefined): void {
    for (const sentence of applied?.kept ?? []) this.#parts.noticed(sentence)
  }

  #sealNewcomer({ provider }: ProviderClient, vouched: Vouched, { next }: Kept): string {
    const { subject, label, email, fullName, username } = vouched
    const until = this.#parts.now() + signInLasts
    const newcomer: Newcomer = { provider: provider.name, subject, label, email, fullName, username, next, until }
    const sealed = this.#parts.sealer.seal(JSON.stringify(newcomer), newcomerContext)
    if (sealed.length <= longestCookie) return sealed
    const short = { ...newcomer, label: subject, email: undefined, fullName: '', username: '', next: '' }
    return this.#parts.sealer.seal(JSON.stringify(short), newcomerContext)
  }

  /** Undefined for what is not ours, or too old. */
  #open<T extends { until: number }>(sealed: string | undefined, context: string): T | undefined {
    if (sealed === undefined) return undefined
    try {
      const opened = JSON.parse(this.#parts.sealer.open(sealed, context)) as T
      return opened.until > this.#parts.now() ? opened : undefined
    } catch {
      return undefined
    }
  }

  #refusal({ provider }: ProviderClient, error: unknown, address: string | undefined): unknown {
    if (error instanceof Problem && error.code === 'already-exists')
      return new SignInRefused('not-allowed', error.message)
    if (!(error instanceof ProviderFailed)) return error
    if (address !== undefined && error.kind !== 'unreachable') this.#parts.signIns.failed('provider-refused', address)
    const reason = `${provider.name}: ${error.message}`
    switch (error.kind) {
      case 'unreachable':
        return new SignInRefused(
          'unreachable',
          `${provider.title} does not answer as it should. Try again in a few minutes.`,
          reason,
        )
      case 'declined':
        return new SignInRefused('begin-again', `${provider.title} did not let you in.`, reason)
      case 'wrong':
        return new SignInRefused(
          'begin-again',
          `What ${provider.title} sent could not be trusted, so you are not signed in.`,
          reason,
        )
    }
  }
}

const challengeContext = 'oidc challenge'
const newcomerContext = 'oidc newcomer'

/** Where a refresh token belongs: it opens for no other identity. */
export function refreshTokenContext({ seal_id }: Pick<IdentityRow, 'seal_id'>): string {
  return `refresh token ${seal_id}`
}

function newIdentity({ issuer, subject, label }: Pick<Vouched, 'issuer' | 'subject' | 'label'>): NewIdentity {
  return { issuer, subject, label, sealId: randomBytes(16).toString('base64url') }
}

function beginAgain(): SignInRefused {
  return new SignInRefused(
    'begin-again',
    'This sign-in was begun in another browser, is over already, or took longer than ten minutes.',
  )
}

function inNoGroup({ provider }: ProviderClient): SignInRefused {
  return new SignInRefused(
    'not-allowed',
    `${provider.title} knows you, but you are in none of the groups that may come in here. Ask an administrator of this site.`,
  )
}
