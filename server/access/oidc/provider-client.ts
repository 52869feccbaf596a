import type * as OpenIdClient from 'openid-client'
import type { OidcProvider } from '../../lib/oidc-provider.ts'
import { OutgoingError, type OutgoingParts } from '../../lib/outgoing.ts'
import { hostsOf, outgoingFetch } from '../../lib/outgoing-fetch.ts'
import { type Vouched, vouchedFrom } from './vouched.ts'

/**
 * Why a provider has vouched for nobody. `unreachable`: it does not answer as one does, so nothing is known. `declined`: it has been asked,
 * and says no. `wrong`: what came is not what it may send.
 */
export type FailureKind = 'unreachable' | 'declined' | 'wrong'

export class ProviderFailed extends Error {
  override name = 'ProviderFailed'
  readonly kind: FailureKind

  /** `reason` is for the log: it may hold what the provider has said, and no token. */
  constructor(kind: FailureKind, reason: string, cause?: unknown) {
    super(reason, cause === undefined ? undefined : { cause })
    this.kind = kind
  }
}

export interface ProviderParts {
  provider: OidcProvider
  outgoing: Partial<Pick<OutgoingParts, 'resolve' | 'ca'>> & { limits?: Partial<OutgoingParts['limits']> }
  now: () => number
}

/** What one asks of a provider may take: bytes of an answer, and milliseconds for all of them together. */
const limits = { time: 10_000, body: 512 * 1024, head: 32 * 1024 }
/** For how long its description is believed. */
const describedFor = 60 * 60_000

/** What a browser is sent to a provider with, and comes back to be checked against. */
export interface Challenge {
  redirectUri: string
  state: string
  nonce: string
  verifier: string
}

export interface Granted {
  vouched: Vouched
  /** Undefined where the provider gave none. */
  refreshToken: string | undefined
}

/** One provider, as this process knows it. Everything goes by the guard for outgoing requests. */
export class ProviderClient {
  readonly provider: OidcProvider
  readonly #outgoing: OutgoingParts
  readonly #now: () => number
  #described: { metadata: OpenIdClient.ServerMetadata; until: number } | undefined
  #describing: Promise<OpenIdClient.ServerMetadata> | undefined
  /** Until when it need not be asked for a refresh token once more: it gave none. */
  #givesNoneUntil = 0

  constructor({ provider, outgoing, now }: ProviderParts) {
    this.provider = provider
    this.#now = now
    // Its own host may be a private one; what it names beside that may not.
    this.#outgoing = { ...outgoing, limits: { ...limits, ...outgoing.limits }, allowed: hostsOf([provider.issuer]) }
  }

  /** Where the browser goes. `consent`: asks him even where he need not be asked, as some give no refresh token otherwise. */
  authorizationUrl({ redirectUri, state, nonce, verifier }: Challenge, consent = false): Promise<string> {
    return this.#asking(async (library, configuration) => {
      const url = library.buildAuthorizationUrl(configuration, {
        redirect_uri: redirectUri,
        scope: this.provider.scopes,
        state,
        nonce,
        code_challenge: await library.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        ...(consent ? { prompt: 'consent' } : {}),
      })
      const isFine = url.protocol === 'https:' || (url.protocol === 'http:' && this.#isPlain)
      if (!isFine) throw new ProviderFailed('unreachable', 'its authorization endpoint is no https address')
      return url.href
    })
  }

  /** Who has come back; `answer` is the address that the browser was sent to, with its query. */
  exchange(answer: URL, { state, nonce, verifier }: Challenge): Promise<Granted> {
    return this.#asking(async (library, configuration) => {
      const tokens = await library.authorizationCodeGrant(configuration, answer, {
        pkceCodeVerifier: verifier,
        expectedState: state,
        expectedNonce: nonce,
        idTokenExpected: true,
      })
      const claims = tokens.claims()
      if (!claims) throw new ProviderFailed('wrong', 'it sent no ID token')
      const all = await this.#allClaims(library, configuration, tokens.access_token, claims)
      const { refresh_token: refreshToken } = tokens
      if (refreshToken) this.#givesNoneUntil = 0
      return { vouched: vouchedFrom(this.provider, all), refreshToken }
    })
  }

  /**
   * Whether it still vouches for somebody, and what it says of him. `kept` gets a new refresh token before anything else is done:
   * the one before it is void by then.
   */
  refresh(
    { refreshToken, subject }: { refreshToken: string; subject: string },
    kept: (refreshToken: string) => Promise<void>,
  ): Promise<Vouched> {
    return this.#asking(async (library, configuration) => {
      const tokens = await library.refreshTokenGrant(configuration, refreshToken)
      const { refresh_token: next } = tokens
      if (next && next !== refreshToken) await kept(next)
      const claims = tokens.claims() ?? { sub: subject }
      if (claims.sub !== subject) throw new ProviderFailed('wrong', 'it sent an ID token of somebody else')
      return vouchedFrom(this.provider, await this.#allClaims(library, configuration, tokens.access_token, claims))
    })
  }

  /** Whether somebody is to be sent once more, so that he is asked for his consent to be looked after while he is away. */
  get shouldAskForRefreshToken(): boolean {
    return this.#wantsRefreshToken && this.#givesNoneUntil <= this.#now()
  }

  /** It was asked in every way, and gave no refresh token. */
  gaveNoRefreshToken(): void {
    this.#givesNoneUntil = this.#now() + 24 * 60 * 60_000
  }

  get #wantsRefreshToken(): boolean {
    return this.provider.scopes.split(' ').includes('offline_access')
  }

  get #isPlain(): boolean {
    return this.provider.issuer.startsWith('http:')
  }

  /** Some put groups and names into the ID token, some tell them only when they are asked. What is signed counts first. */
  async #allClaims(
    library: typeof OpenIdClient,
    configuration: OpenIdClient.Configuration,
    accessToken: string,
    claims: OpenIdClient.IDToken | { sub: string },
  ): Promise<Record<string, unknown>> {
    // OpenID Connect Core §2; what is stored as a key has a bound.
    if (!/^[ -~]{1,255}$/.test(claims.sub)) throw new ProviderFailed('wrong', 'its subject is none')
    if (!configuration.serverMetadata().userinfo_endpoint) return { ...claims }
    return { ...(await library.fetchUserInfo(configuration, accessToken, claims.sub)), ...claims }
  }

  async #asking<T>(
    ask: (library: typeof OpenIdClient, configuration: OpenIdClient.Configuration) => Promise<T>,
  ): Promise<T> {
    const library = await import('openid-client')
    const fetch = this.#fetch()
    try {
      const metadata = await this.#metadata(library)
      // A new one each time, so that keys are asked for each time: nobody waits for a provider that has just changed them.
      const configuration = new library.Configuration(
        metadata,
        this.provider.clientId,
        undefined,
        this.#authentication(library, metadata),
      )
      this.#prepare(library, configuration, fetch)
      return await ask(library, configuration)
    } catch (error) {
      const failed = failureOf(error)
      if (failed.kind !== 'declined') this.#described = undefined
      throw failed
    }
  }

  async #metadata(library: typeof OpenIdClient): Promise<OpenIdClient.ServerMetadata> {
    if (this.#described && this.#described.until > this.#now()) return this.#described.metadata
    this.#describing ??= this.#describe(library).finally(() => {
      this.#describing = undefined
    })
    return this.#describing
  }

  async #describe(library: typeof OpenIdClient): Promise<OpenIdClient.ServerMetadata> {
    const { issuer, clientId } = this.provider
    try {
      const configuration = await library.discovery(new URL(issuer), clientId, undefined, library.None(), {
        [library.customFetch]: this.#fetch(),
        execute: this.#isPlain ? [library.allowInsecureRequests] : [],
      })
      const metadata = configuration.serverMetadata()
      if (metadata.issuer !== issuer)
        throw new ProviderFailed('unreachable', `it calls itself ${JSON.stringify(metadata.issuer.slice(0, 200))}`)
      this.#described = { metadata, until: this.#now() + describedFor }
      return metadata
    } catch (error) {
      throw new ProviderFailed('unreachable', `its description: ${failureOf(error).message}`, error)
    }
  }

  /** As RFC 6749 §2.3.1 has it first, unless the provider says that it takes it in the body alone. */
  #authentication(library: typeof OpenIdClient, metadata: OpenIdClient.ServerMetadata): OpenIdClient.ClientAuth {
    const { clientSecret } = this.provider
    if (clientSecret === undefined) return library.None()
    const taken = metadata.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
    return taken.includes('client_secret_basic') || !taken.includes('client_secret_post')
      ? library.ClientSecretBasic(clientSecret)
      : library.ClientSecretPost(clientSecret)
  }

  #prepare(library: typeof OpenIdClient, configuration: OpenIdClient.Configuration, fetch: OpenIdClient.CustomFetch) {
    configuration[library.customFetch] = fetch
    library.enableNonRepudiationChecks(configuration)
    if (this.#isPlain) library.allowInsecureRequests(configuration)
  }

  /** For one question: all its requests have one time together. */
  #fetch(): OpenIdClient.CustomFetch {
    const ask = outgoingFetch(this.#outgoing)
    const { time } = this.#outgoing.limits
    const tooLate = AbortSignal.timeout(time)
    return async (url, init) => {
      const { signal } = init as { signal?: AbortSignal }
      try {
        const response = await ask(url, {
          method: init.method,
          headers: init.headers,
          body: init.body,
          signal: signal ? AbortSignal.any([signal, tooLate]) : tooLate,
        })
        if (response.status >= 500 || response.status === 429)
          throw new OutgoingError(`${new URL(url).host} answered ${response.status}.`)
        return response
      } catch (error) {
        if (tooLate.aborted) throw new OutgoingError(`No complete answer within ${time / 1000} seconds.`)
        throw error
      }
    }
  }
}

/** What the library throws, by what it means here. */
function failureOf(error: unknown): ProviderFailed {
  for (let cause: unknown = error, depth = 0; cause instanceof Error && depth < 8; cause = cause.cause, depth += 1) {
    if (cause instanceof ProviderFailed) return cause
    if (cause instanceof OutgoingError) return new ProviderFailed('unreachable', cause.message, error)
  }
  const {
    error: code,
    code: kind,
    message = String(error),
  } = error as { error?: unknown; code?: string; message?: string }
  const said = typeof code === 'string' ? code.replaceAll(/[^!-~]/g, '').slice(0, 100) : ''
  if (kind === 'OAUTH_AUTHORIZATION_RESPONSE_ERROR') {
    const isBusy = said === 'server_error' || said === 'temporarily_unavailable'
    return new ProviderFailed(isBusy ? 'unreachable' : 'declined', `it answered ${said}`, error)
  }
  if (said === 'invalid_grant') return new ProviderFailed('declined', `it answered ${said}`, error)
  // That this server is not known there says nothing about anybody.
  if (said) return new ProviderFailed('unreachable', `it answered ${said}`, error)
  if (kind === 'OAUTH_WWW_AUTHENTICATE_CHALLENGE')
    return new ProviderFailed('unreachable', 'it takes none of what this server shows it', error)
  return new ProviderFailed('wrong', `${message}${kind ? ` (${kind})` : ''}`, error)
}
