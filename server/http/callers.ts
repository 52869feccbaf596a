import type { AddressKeys, Resolved } from '../access/access.ts'
import type { Caller } from '../access/caller.ts'
import { type Credentials, readCredentials } from '../access/credentials.ts'
import type { PasswordCaller } from '../access/grant.ts'
import type { Browser, Visitor } from '../access/sessions.ts'
import { searchOf } from '../lib/raw-path.ts'
import { isTrustedPeer, realAddress } from '../lib/real-address.ts'
import { Problem } from '../problems.ts'
import type { HttpServer } from './http-server.ts'
import type { HttpParts } from './parts.ts'
import { sentBy } from './same-origin.ts'
import { sessionSecret } from './sign-in/cookie.ts'

/** Who is calling, by the request's credentials and the client's real address; asked only once the route is known. */
export interface Calling {
  askCaller(): Promise<Caller>
  /** The same, and what is at the file's address, for one look-up. */
  resolve(address: AddressKeys): Promise<Resolved>
  /** Whether no credentials came with the request. */
  isAnonymous(): boolean
  /** What is at the address, for who brings none; undefined where that cannot be told at once. */
  resolveNow(address: AddressKeys): Resolved | undefined
  /** Whether it is the password that this caller came with, said once more. */
  isPasswordOf(caller: PasswordCaller, password: string): Promise<boolean>
  /** Who has signed in with this browser, or at the proxy before it; undefined where nobody has. Never for `/api`. */
  askSession(): Promise<Visitor | undefined>
  /** The same, also where he must set a new password before he may do anything else. */
  askVisitor(): Promise<Visitor | undefined>
  /** What is at an address, for the visitor; undefined: for nobody in particular. */
  resolveFor(visitor: Visitor | undefined, address: AddressKeys): Promise<Resolved>
  browser(): Browser
  /** The other end of the connection. */
  peer(): string
  /** The client's own address, as far as the proxies before us are trusted. */
  address(): string
}

export function callingOf(parts: HttpParts, request: Request, server: HttpServer): Calling {
  let known: string | undefined
  const remote = () => {
    known ??= addressOf(parts, request, server)
    return known
  }
  const byProxy = () => proxyCredentials(parts, request, server)
  const credentials = () => {
    const query = parts.queryTokens ? new URLSearchParams(searchOf(request.url)) : undefined
    const sent = readCredentials(request.headers, query)
    return mayBeSent(parts, request, sent.kind === 'none' ? byProxy() : sent)
  }
  const browser = () => ({
    address: remote(),
    agent: request.headers.get('user-agent') ?? '',
    secret: sessionSecret(request.headers.get('cookie'), parts.cookie),
  })
  // Worked out before anything is waited for, as a client that has gone has none; not at all for who brings nothing.
  const sentFrom = () => {
    const sent = credentials()
    if (sent.kind !== 'none') remote()
    return sent
  }
  const watched = <Result>(work: Promise<Result>): Promise<Result> =>
    work.catch((error) => parts.refusedSignIns.watch(remote(), Promise.reject(error)))
  const askVisitor = async () => {
    const { secret } = browser()
    const bySession = secret === undefined ? undefined : await parts.sessions.visitor(secret, remote())
    const sent = byProxy()
    if (sent.kind === 'none') return bySession
    // Where the proxy names somebody else by now, whoever had the browser before has gone.
    const named = await watched(visitorByProxy(parts, sent, remote()))
    return bySession && bySession.account.id === named?.account.id ? bySession : named
  }
  return {
    askCaller: async () => admitted(await watched(parts.access.caller(sentFrom(), remote))),
    resolve: async (address) => {
      const resolved = await watched(parts.access.resolve(sentFrom(), remote, address))
      return { ...resolved, caller: admitted(resolved.caller) }
    },
    isAnonymous: () => credentials().kind === 'none',
    resolveNow: (address) => {
      const resolved = parts.access.resolveNow(address)
      if (resolved) admitted(resolved.caller)
      return resolved
    },
    isPasswordOf: (caller, password) => watched(parts.access.isPasswordOf(caller, password, remote())),
    askSession: async () => settled(await askVisitor()),
    askVisitor,
    resolveFor: async (visitor, address) => {
      const resolved = await parts.access.resolveFor(visitor ?? parts.access.stranger, address)
      return { ...resolved, caller: admitted(resolved.caller) }
    },
    browser,
    peer: () => peerOf(request, server),
    address: remote,
  }
}

/** Where a site shows nobody anything before he has signed in, no route need think of it. */
function admitted(caller: Caller): Caller {
  if (caller.kind !== 'anonymous' || !caller.mustSignIn) return caller
  throw new Problem('credentials-missing', 'Sign in to use this site: send a token or a user name and password.')
}

function settled(visitor: Visitor | undefined): Visitor | undefined {
  if (visitor?.account.mustChangePassword) throw new Problem('forbidden', 'Set a new password first.')
  return visitor
}

/**
 * Who has signed in at a proxy. Only the other end of the connection itself is believed: whom it forwards for, anybody can say
 * who reaches the proxy. The name is looked up as if it had been typed, so several names, or half a line, are none.
 */
function proxyCredentials(parts: HttpParts, request: Request, server: HttpServer): Credentials {
  const { proxySignInHeader, trustedProxies } = parts
  const user = proxySignInHeader === undefined ? '' : (request.headers.get(proxySignInHeader) ?? '')
  return user && isTrustedPeer(peerOf(request, server), trustedProxies) ? { kind: 'proxy', user } : { kind: 'none' }
}

/**
 * A browser sends what its proxy adds from any page, and a password that it has once asked for: a change must come from a page
 * of ours, or from no browser.
 */
function mayBeSent(parts: HttpParts, { headers, method }: Request, credentials: Credentials): Credentials {
  const isBasic = credentials.kind === 'password' || (credentials.kind === 'token' && credentials.viaBasic)
  if (!isBasic && credentials.kind !== 'proxy') return credentials
  // Before all other changes a browser asks whether that page may, and a listed page sends a password of its own.
  if (isBasic && (method !== 'POST' || parts.corsOrigins.includes(headers.get('origin') ?? ''))) return credentials
  if (sentBy(headers, { origin: parts.origin, method }) === 'elsewhere')
    throw new Problem('forbidden', 'A page of another site may change nothing here in your name.')
  return credentials
}

async function visitorByProxy(
  parts: HttpParts,
  credentials: Credentials,
  remote: string,
): Promise<Visitor | undefined> {
  if (credentials.kind !== 'proxy') return undefined
  const caller = await parts.access.caller(credentials, () => remote)
  const user = caller.kind === 'user' ? await parts.accounts.byId(caller.account.id) : undefined
  return caller.kind === 'user' && user ? { ...caller, user } : undefined
}

/** The other end of the connection. */
export function peerOf(request: Request, server: HttpServer): string {
  return server.requestIP(request)?.address ?? ''
}

/** The client's own, as far as the proxies before us are trusted. */
export function addressOf(parts: HttpParts, request: Request, server: HttpServer): string {
  const peer = peerOf(request, server)
  const forwardedFor = request.headers.get('x-forwarded-for')
  return realAddress({ peer, forwardedFor, trusted: parts.trustedProxies })
}
