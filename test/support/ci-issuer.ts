import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import Provider from 'oidc-provider'

type Claims = Record<string, unknown>

/** A job as a CI system tells it in its ID tokens. */
export const job = {
  sub: 'repo:octo/tool:ref:refs/heads/main',
  repository: 'octo/tool',
  repository_id: '74',
  ref: 'refs/heads/main',
  sha: 'c0ffee0000000000000000000000000000000000',
  event_name: 'push',
  run_id: '4711',
}

/**
 * A CI system that signs ID tokens for its jobs: `oidc-provider`, listening on a free port of this machine. Its audience is whatever
 * the job asks for, as at GitHub and GitLab.
 */
export class CiIssuer {
  readonly url: string
  readonly #server: Server
  #provider: Provider
  #key: JWK
  /** What its addresses were asked for. */
  readonly asked: string[] = []
  /** What answers in its place. */
  answer: ((request: IncomingMessage, response: ServerResponse) => void) | undefined

  private constructor(url: string, server: Server, key: JWK) {
    this.url = url
    this.#server = server
    this.#key = key
    this.#provider = providerOf(url, [key])
    server.on('request', (request, response) => {
      this.asked.push(request.url ?? '')
      if (this.answer) this.answer(request, response)
      else this.#provider.callback()(request, response)
    })
  }

  static async start(): Promise<CiIssuer> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    return new CiIssuer(`http://127.0.0.1:${port}`, server, await newKey())
  }

  get key(): JWK {
    return this.#key
  }

  /** An ID token of a job, signed by the provider itself. */
  async sign(audience: string, claims: Claims = job, { expiresAt }: { expiresAt?: number } = {}): Promise<string> {
    const client = await this.#provider.Client.find(audience)
    if (!client) throw new Error('there is no such audience')
    // The typings leave out what the library has for every flow that ends in an ID token.
    const IdToken = (this.#provider as unknown as { IdToken: IdTokenModel }).IdToken
    const token = new IdToken({ sub: String(claims.sub) }, { client })
    for (const [name, value] of Object.entries({ jti: randomUUID(), ...claims })) token.set(name, value)
    return token.issue({ use: 'idtoken', ...(expiresAt === undefined ? {} : { expiresAt }) })
  }

  /** A token that the provider would not sign, by its key or another one. */
  async forge(
    audience: unknown,
    {
      claims = {},
      header = {},
      key = this.#key,
    }: { claims?: Claims; header?: Record<string, unknown>; key?: JWK | Uint8Array } = {},
  ): Promise<string> {
    const now = Math.floor(Date.now() / 1000)
    const usual = { iss: this.url, aud: audience, exp: now + 300, iat: now, nbf: now, jti: randomUUID(), ...job }
    const payload = Object.fromEntries(
      Object.entries({ ...usual, ...claims }).filter(([, value]) => value !== undefined),
    )
    return new SignJWT(payload)
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: this.#key.kid, ...header } as never)
      .sign(key as JWK)
  }

  /** Signs with a new key from now on, and publishes it alone. */
  async rotate(): Promise<void> {
    this.#key = await newKey()
    this.#provider = providerOf(this.url, [this.#key])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

type IdTokenModel = new (
  available: Claims,
  of: { client: unknown },
) => { set(name: string, value: unknown): void; issue(how: { use: 'idtoken'; expiresAt?: number }): Promise<string> }

function providerOf(url: string, keys: readonly JWK[]): Provider {
  return new Provider(url, {
    jwks: { keys: [...keys] as never },
    cookies: { keys: ['of no use here'] },
    ttl: { IdToken: 300 },
    features: { devInteractions: { enabled: false } },
    // Whatever a job names as its audience is a client.
    adapter: class {
      readonly #model: string
      constructor(model: string) {
        this.#model = model
      }
      async find(id: string) {
        if (this.#model !== 'Client') return undefined
        return { client_id: id, client_secret: 'of no use here', redirect_uris: ['https://ci.example.com/back'] }
      }
      async upsert() {}
      async consume() {}
      async destroy() {}
      async revokeByGrantId() {}
      async findByUid() {
        return undefined
      }
      async findByUserCode() {
        return undefined
      }
    } as never,
  })
}

export async function newKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true })
  return { ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig', kid: randomUUID() }
}
