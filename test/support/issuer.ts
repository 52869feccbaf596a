import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type CryptoKey, calculateJwkThumbprint, decodeJwt, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import { Provider } from 'oidc-provider'

/*
 * A real issuer (oidc-provider) on this machine: signs people in with whatever password, and ID tokens of any content. What a test changes
 * of it holds from the next request on.
 */

export interface IssuerOptions {
  clientId?: string
  clientSecret?: string
  /** As the specification has it, a refresh token takes `prompt=consent`; else whoever asks for `offline_access` gets one. */
  isStrict?: boolean
  /** Whether a refresh token works once, and the answer to it brings the next one. */
  rotatesRefreshTokens?: boolean
  /** Whether anybody gets a refresh token. */
  givesRefreshTokens?: boolean
  /** Of this machine; undefined: a free one. */
  port?: number
  host?: string
}

interface Key {
  key: CryptoKey
  jwk: JWK
}

/** What of an ID token a test makes different. */
export interface Forgery {
  claims?: Record<string, unknown>
  header?: Record<string, unknown>
  /** Signed with another key than its own. */
  key?: CryptoKey | Uint8Array
}

export class Issuer {
  readonly clientId: string
  readonly clientSecret: string
  readonly url: string
  /** Claims of those who may sign in, by their names there, which are their subjects. */
  readonly accounts = new Map<string, Record<string, unknown>>()
  /** Makes other ID tokens of those that are right; answers what is changed. */
  forge: ((claims: Record<string, unknown>) => Forgery) | undefined
  /** Milliseconds before anything is answered, and before what a server asks about a code is. */
  delay = 0
  tokenDelay = 0
  isDown = false
  givesRefreshTokens: boolean
  /** Requests that came, by path. */
  readonly asked: string[] = []
  readonly #server: Server
  readonly #options: IssuerOptions
  #key: Key
  #provider: Provider

  private constructor(server: Server, url: string, key: Key, options: IssuerOptions) {
    this.#server = server
    this.url = url
    this.#key = key
    this.#options = options
    this.clientId = options.clientId ?? 'stowage'
    this.clientSecret = options.clientSecret ?? 'a secret of nobody'.replaceAll(' ', '-')
    this.givesRefreshTokens = options.givesRefreshTokens ?? true
    this.#provider = this.#make()
    server.on('request', (request, response) => void this.#answer(request, response))
  }

  static async start(options: IssuerOptions = {}): Promise<Issuer> {
    const server = createServer()
    const { host = '127.0.0.1', port = 0 } = options
    await new Promise<void>((listens) => server.listen(port, host, () => listens()))
    const url = `http://${host}:${(server.address() as AddressInfo).port}`
    return new Issuer(server, url, await newKey(), options)
  }

  /** The variables of a server that lets people in by it. */
  settings(name: string, more: Record<string, string> = {}): Record<string, string> {
    const all = { ISSUER: this.url, CLIENT_ID: this.clientId, CLIENT_SECRET: this.clientSecret, ...more }
    return Object.fromEntries(Object.entries(all).map(([key, value]) => [`STOWAGE_OIDC_${name}_${key}`, value]))
  }

  /** Somebody who may sign in there. */
  account(name: string, claims: Record<string, unknown> = {}): void {
    const usual = {
      preferred_username: name,
      name: `${name} of the issuer`,
      email: `${name}@id.example.com`,
      email_verified: true,
    }
    this.accounts.set(name, { ...usual, ...claims })
  }

  /** Signs with another key from now on, and has forgotten the one before. */
  async rotateKeys(): Promise<void> {
    this.#key = await newKey()
    this.#provider = this.#make()
  }

  /** A token of any content. */
  async sign(
    claims: Record<string, unknown>,
    { header = {}, key = this.#key.key }: Omit<Forgery, 'claims'> = {},
  ): Promise<string> {
    const usual = { alg: 'RS256', kid: this.#key.jwk.kid, typ: 'JWT' }
    return new SignJWT(claims).setProtectedHeader({ ...usual, ...header } as { alg: string }).sign(key)
  }

  get publicKey(): JWK {
    const { kty, n, e, kid, alg, use } = this.#key.jwk
    return { kty, n, e, kid, alg, use } as JWK
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise<void>((closed) => this.#server.close(() => closed()))
  }

  #make(): Provider {
    const { isStrict = false, rotatesRefreshTokens = true } = this.#options
    const provider = new Provider(this.url, {
      clients: [
        {
          client_id: this.clientId,
          client_secret: this.clientSecret,
          redirect_uris: ['http://127.0.0.1/callback'],
          grant_types: ['authorization_code', 'refresh_token'],
        },
      ],
      jwks: { keys: [this.#key.jwk] },
      cookies: { keys: ['a key of nobody'] },
      claims: {
        openid: ['sub'],
        profile: ['name', 'preferred_username'],
        email: ['email', 'email_verified'],
        groups: ['groups'],
      },
      scopes: ['openid', 'offline_access'],
      findAccount: (_, id) => {
        const claims = this.accounts.get(id)
        return claims && { accountId: id, claims: () => ({ ...claims, sub: id }) }
      },
      // Its people have agreed once and for all, unless they are asked.
      loadExistingGrant: async (ctx) => {
        const { provider: here, client, session, result } = ctx.oidc
        const known = result?.consent?.grantId ?? (client && session?.grantIdFor(client.clientId))
        if (known) return here.Grant.find(known)
        const grant = new here.Grant({ clientId: client?.clientId ?? '', accountId: session?.accountId ?? '' })
        grant.addOIDCScope('openid profile email groups offline_access')
        await grant.save()
        return grant
      },
      issueRefreshToken: (_, client, code) =>
        this.givesRefreshTokens &&
        client.grantTypeAllowed('refresh_token') &&
        (isStrict ? code.scopes.has('offline_access') : true),
      rotateRefreshToken: () => rotatesRefreshTokens,
      features: { devInteractions: { enabled: true } },
      ttl: {
        AccessToken: 600,
        AuthorizationCode: 60,
        Grant: 86_400,
        IdToken: 600,
        Interaction: 600,
        RefreshToken: 86_400,
        Session: 86_400,
      },
    })
    // Servers of tests listen wherever there is room.
    provider.Client.prototype.redirectUriAllowed = (uri: string) => /^http:\/\/(127\.0\.0\.1|localhost)[:/]/.test(uri)
    provider.on('server_error', (_, error) => console.error('the issuer of a test failed:', error))
    return provider
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '').split('?')[0] ?? ''
    this.asked.push(path)
    if (this.isDown) {
      request.socket.destroy()
      return
    }
    const delay = path === '/token' ? Math.max(this.delay, this.tokenDelay) : this.delay
    if (delay > 0) await Bun.sleep(delay)
    if (path === '/token' && this.forge) this.#forgeIn(response, this.forge)
    // Its pages ask for a font on the internet.
    if (path.startsWith('/interaction/'))
      changeBody(response, async (text) => text.replaceAll(/@import url\([^)]*\);/g, ''))
    this.#provider.callback()(request, response)
  }

  /** Puts another ID token into the answer that is about to be sent. */
  #forgeIn(response: ServerResponse, forge: NonNullable<Issuer['forge']>): void {
    changeBody(response, async (text) => {
      const answer = text.startsWith('{') ? (JSON.parse(text) as { id_token?: string }) : {}
      if (!answer.id_token) return text
      const claims = decodeJwt(answer.id_token) as Record<string, unknown>
      const { claims: others = {}, ...signing } = forge(claims)
      return JSON.stringify({ ...answer, id_token: await this.sign({ ...claims, ...others }, signing) })
    })
  }
}

/** Has another body sent than the one that was made. */
function changeBody(response: ServerResponse, change: (text: string) => Promise<string>): void {
  const end = response.end.bind(response)
  response.end = ((body?: string | Buffer) => {
    void change(String(body ?? '')).then((changed) => {
      if (changed !== '') response.setHeader('Content-Length', String(Buffer.byteLength(changed)))
      end(changed)
    })
    return response
  }) as typeof response.end
}

async function newKey(): Promise<Key> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true })
  const jwk = await exportJWK(privateKey)
  return { key: privateKey, jwk: { ...jwk, kid: await calculateJwkThumbprint(jwk), alg: 'RS256', use: 'sig' } }
}

/** Somebody's browser at an issuer, without a script: signs in there, agrees to everything, and tells where he is sent back to. */
export class IssuerVisitor {
  readonly #cookies = new Map<string, string>()

  /** From the address that Stowage sends to, to the one that the issuer sends back to. */
  async visit(url: string, login: string): Promise<string> {
    let next: { url: string; form?: URLSearchParams } = { url }
    const { origin } = new URL(url)
    for (let step = 0; step < 20; step += 1) {
      const response = await this.#fetch(next.url, next.form)
      const location = response.headers.get('location')
      if (location) {
        const to = new URL(location, next.url).href
        if (new URL(to).origin !== origin) return to
        next = { url: to }
        continue
      }
      const page = await response.text()
      const { action, prompt } =
        /action="(?<action>[^"]+)"[\s\S]*?name="prompt" value="(?<prompt>[a-z]+)"/.exec(page)?.groups ?? {}
      if (!action) throw new Error(`${next.url} has no form: ${response.status} ${page.slice(0, 500)}`)
      next = {
        url: new URL(action, next.url).href,
        form: new URLSearchParams({ prompt: prompt ?? '', login, password: 'any' }),
      }
    }
    throw new Error(`${url} leads nowhere`)
  }

  async #fetch(url: string, form?: URLSearchParams): Promise<Response> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { cookie, ...(form ? { 'content-type': 'application/x-www-form-urlencoded' } : {}) },
      ...(form ? { method: 'POST', body: String(form) } : {}),
    })
    for (const set of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? []
      if (value && !/expires=Thu, 01 Jan 1970/i.test(set)) this.#cookies.set(name, value)
      else this.#cookies.delete(name)
    }
    return response
  }
}
