/** What a request brings to say who is calling, as sent: nothing here has been checked. */
export type Credentials =
  | { kind: 'none' }
  | { kind: 'malformed' }
  | { kind: 'token'; token: string; viaBasic: boolean }
  /** Basic: the password may be a token, under any user name. */
  | { kind: 'password'; user: string; password: string; code: string | undefined }
  /** What a trusted proxy says of who has signed in there. */
  | { kind: 'proxy'; user: string }

/** Headers that carry the code of a second factor beside a password. */
const codeHeaders = ['x-gitea-otp', 'x-stowage-otp']

/** Headers that carry a token and nothing else, in the order in which they count. */
export const tokenHeaders = ['x-nuget-apikey', 'job-token', 'private-token']

/**
 * Reads credentials from the places where clients put them; the first that is present decides, even when it is wrong.
 * `query` is given only where tokens in addresses are turned on.
 */
export function readCredentials(headers: Pick<Headers, 'get'>, query?: URLSearchParams): Credentials {
  const inQuery = query?.get('token') || query?.get('access_token')
  if (inQuery) return { kind: 'token', token: inQuery, viaBasic: false }

  const authorization = headers.get('authorization')?.trim()
  if (authorization) {
    const code = codeHeaders.map((name) => headers.get(name)?.trim()).find(Boolean)
    return readAuthorization(authorization, code)
  }

  for (const name of tokenHeaders) {
    const token = headers.get(name)?.trim()
    if (token) return { kind: 'token', token, viaBasic: false }
  }
  return { kind: 'none' }
}

/** RFC 9110 §11.6.2; Basic is RFC 7617, Bearer RFC 6750, `token` is what Git forges invented. */
function readAuthorization(header: string, code: string | undefined): Credentials {
  const [, scheme = '', value = ''] = /^(\S+)(?: +(\S+))?$/.exec(header) ?? []
  switch (scheme.toLowerCase()) {
    case 'token':
    case 'bearer':
      return value ? { kind: 'token', token: value, viaBasic: false } : { kind: 'malformed' }
    case 'basic':
      return readBasic(value, code)
    default:
      return { kind: 'malformed' }
  }
}

function readBasic(encoded: string, code: string | undefined): Credentials {
  const wellFormed = encoded.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(encoded)
  const text = wellFormed ? decodeText(Buffer.from(encoded, 'base64')) : ''
  const colon = text.indexOf(':')
  if (colon < 0) return { kind: 'malformed' }
  const user = text.slice(0, colon)
  const password = text.slice(colon + 1)
  if (password === '' || password === 'x-oauth-basic') {
    return user ? { kind: 'token', token: user, viaBasic: true } : { kind: 'malformed' }
  }
  return { kind: 'password', user, password, code }
}

function decodeText(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return bytes.toString('latin1')
  }
}
