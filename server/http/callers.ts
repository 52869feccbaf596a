import type { Server } from 'bun'
import type { Caller } from '../access/caller.ts'
import { readCredentials } from '../access/credentials.ts'
import { searchOf } from '../lib/raw-path.ts'
import { realAddress } from '../lib/real-address.ts'
import type { HttpParts } from './parts.ts'

/** Who is calling, by the request's credentials and the client's real address. */
export async function callerOf(parts: HttpParts, request: Request, server: Server<unknown>): Promise<Caller> {
  const query = parts.queryTokens ? new URLSearchParams(searchOf(request.url)) : undefined
  return parts.access.caller(readCredentials(request.headers, query), addressOf(parts, request, server))
}

function addressOf(parts: HttpParts, request: Request, server: Server<unknown>): string {
  const peer = server.requestIP(request)?.address ?? ''
  const forwardedFor = request.headers.get('x-forwarded-for')
  return realAddress({ peer, forwardedFor, trusted: parts.trustedProxies })
}
