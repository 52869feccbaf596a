import type { Server } from 'bun'
import type { AddressKeys, Resolved } from '../access/access.ts'
import type { Caller } from '../access/caller.ts'
import { readCredentials } from '../access/credentials.ts'
import { searchOf } from '../lib/raw-path.ts'
import { realAddress } from '../lib/real-address.ts'
import type { HttpParts } from './parts.ts'

/** Who is calling, by the request's credentials and the client's real address; asked only once the route is known. */
export interface Calling {
  askCaller(): Promise<Caller>
  /** The same, and what is at the file's address, for one look-up. */
  resolve(address: AddressKeys): Promise<Resolved>
}

export function callingOf(parts: HttpParts, request: Request, server: Server<unknown>): Calling {
  const credentials = () =>
    readCredentials(request.headers, parts.queryTokens ? new URLSearchParams(searchOf(request.url)) : undefined)
  const remote = () => addressOf(parts, request, server)
  return {
    askCaller: () => parts.access.caller(credentials(), remote()),
    resolve: (address) => parts.access.resolve(credentials(), remote(), address),
  }
}

function addressOf(parts: HttpParts, request: Request, server: Server<unknown>): string {
  const peer = server.requestIP(request)?.address ?? ''
  const forwardedFor = request.headers.get('x-forwarded-for')
  return realAddress({ peer, forwardedFor, trusted: parts.trustedProxies })
}
