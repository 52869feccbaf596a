import { basic, Client, startStowage } from './stowage.ts'

/*
 * One world for the tables about who may do what: every kind of owner, every kind of caller, and a token of each for every
 * set of scopes. Each owner has one package, `tool`.
 */

export const owners = [
  'public user',
  'limited user',
  'private user',
  'public org',
  'limited org',
  'private org',
] as const
export type OwnerKind = (typeof owners)[number]

/** R reads, RW reads and writes, – sees nothing, x is refused whatever he asks for. Blank: there is no such caller. */
const table = `
  caller                      | public user | limited user | private user | public org | limited org | private org
  anonymous                   | R           | –            | –            | R          | –           | –
  stranger                    | R           | R            | –            | R          | R           | –
  restricted stranger         | R           | –            | –            | R          | –           | –
  member of another org       | R           | R            | –            | R          | R           | –
  the user itself             | RW          | RW           | RW           |            |             |
  the user itself, restricted | RW          | RW           | RW           |            |             |
  member: no unit             | R           | R            | –            | R          | R           | R
  member: read                | R           | R            | –            | R          | R           | R
  restricted member: read     | R           | –            | –            | R          | R           | R
  member: unit write          | R           | R            | –            | RW         | RW          | RW
  member: write               | R           | R            | –            | RW         | RW          | RW
  restricted member: write    | R           | –            | –            | RW         | RW          | RW
  member: admin               | R           | R            | –            | RW         | RW          | RW
  member: owner               | R           | R            | –            | RW         | RW          | RW
  member: prohibited          | x           | x            | x            | x          | x           | x
  inactive                    | x           | x            | x            | x          | x           | x
  prohibited                  | x           | x            | x            | x          | x           | x
  site admin                  | RW          | RW           | RW           | RW         | RW          | RW
  restricted site admin       | RW          | RW           | RW           | RW         | RW          | RW
  inactive site admin         | x           | x            | x            | x          | x           | x
`

export const password = 'correct-horse-9'

interface Credential {
  scopes?: string[]
  headers: (name: string, token: string) => Record<string, string>
}

/** How a person says who he is. Tokens that differ in their scopes are sent in one way, and one token in every way. */
export const credentials: Record<string, Credential> = {
  password: { headers: (name) => ({ Authorization: basic(name, password) }) },
  'password, by e-mail': {
    headers: (name) => ({ Authorization: basic(`${name}@example.com`, password) }),
  },
  'a trusted proxy': { headers: (name) => ({ 'X-Remote-User': name }) },
  'token: all': { scopes: ['all'], headers: byToken },
  'token: read:package': { scopes: ['read:package'], headers: byToken },
  'token: write:package': { scopes: ['write:package'], headers: byToken },
  'token: write:user, write:organization': { scopes: ['write:user', 'write:organization'], headers: byToken },
  'token: write:admin': { scopes: ['write:admin'], headers: byToken },
  'token: all, public-only': { scopes: ['all', 'public-only'], headers: byToken },
  'token: read:package, public-only': { scopes: ['read:package', 'public-only'], headers: byToken },
  'Bearer token': { scopes: ['all'], headers: (_, token) => ({ Authorization: `Bearer ${token}` }) },
  'token as Basic password': {
    scopes: ['all'],
    headers: (name, token) => ({ Authorization: basic(name, token) }),
  },
  'token as Basic user': {
    scopes: ['all'],
    headers: (_, token) => ({ Authorization: basic(token, '') }),
  },
  'Private-Token': { scopes: ['all'], headers: (_, token) => ({ 'Private-Token': token }) },
  'Job-Token': { scopes: ['all'], headers: (_, token) => ({ 'Job-Token': token }) },
  'X-NuGet-ApiKey': { scopes: ['all'], headers: (_, token) => ({ 'X-NuGet-ApiKey': token }) },
}

function byToken(_: string, token: string): Record<string, string> {
  return { Authorization: `token ${token}` }
}

/** The rows of a table, by the text of their first column; cells by the heading of theirs. */
export function read(text: string): Map<string, Record<string, string>> {
  const [head = [], ...rows] = text
    .trim()
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()))
  return new Map(
    rows.map(([name = '', ...cells]) => [name, Object.fromEntries(cells.map((cell, i) => [head[i + 1] ?? '', cell]))]),
  )
}

export const rights = read(table)
/** Everybody who signs in. */
export const callers = [...rights.keys()].filter((caller) => caller !== 'anonymous')

/** A name in an address: `site-admin` is the site admin, `private-org` the private organisation. */
export const named = (what: string) => what.replaceAll(/[^a-z]+/g, '-')
/** The account that calls: the user itself is another one at each owner. */
export const accountOf = (caller: string, owner: OwnerKind) =>
  caller.startsWith('the user itself') ? ownerOf(caller, owner) : named(caller)
export const ownerOf = (caller: string, owner: OwnerKind) =>
  caller === 'the user itself, restricted' ? `${named(owner)}-r` : named(owner)

/** Settings under which every form of credential is one. */
export const proxied = { STOWAGE_TRUSTED_PROXIES: '127.0.0.1', STOWAGE_PROXY_SIGN_IN_HEADER: 'X-Remote-User' }

/** Fills a data directory with all of them; the tokens by account and scopes. */
export async function makeWorld(dataDir: string): Promise<Map<string, string>> {
  const tokens = new Map<string, string>()
  await using stowage = await startStowage({ dataDir, settings: proxied })
  const { admin } = stowage
  const must = async (answer: Promise<Response>) => {
    const response = await answer
    if (!response.ok) throw new Error(`${response.status} ${response.url}: ${await response.text()}`)
    return response.status === 204 ? undefined : ((await response.json().catch(() => undefined)) as { id: number })
  }
  const patch = (path: string, body: unknown) =>
    must(admin.fetch(`/api/v1${path}`, { method: 'PATCH', body: JSON.stringify(body) }))
  const user = (name: string, fields: Record<string, unknown> = {}) =>
    stowage.user(name, { password, email: `${name}@example.com`, ...fields })
  const publish = (owner: string) => must(admin.put({ owner }, 'bytes'))

  for (const owner of owners) {
    const [visibility, kind] = owner.split(' ')
    if (kind === 'org') await must(admin.post('/api/v1/orgs', { username: named(owner), visibility }))
    else {
      await user(named(owner), { visibility })
      await user(`${named(owner)}-r`, { visibility, restricted: true })
      await publish(`${named(owner)}-r`)
    }
    await publish(named(owner))
  }
  // Lists of files wait for digests.
  await stowage.stowage.runJobs()
  await must(admin.post('/api/v1/orgs', { username: 'elsewhere', visibility: 'private' }))

  const teams: Record<string, unknown> = {
    'no unit': { permission: 'read', units_map: { 'repo.code': 'write', 'repo.packages': 'none' } },
    read: { permission: 'read' },
    'unit write': { permission: 'read', units_map: { 'repo.code': 'read', 'repo.packages': 'write' } },
    write: { permission: 'write' },
    admin: { permission: 'admin' },
  }
  const join = async (org: string, team: string, name: string) => {
    const all = (await (await admin.fetch(`/api/v1/orgs/${org}/teams?limit=50`)).json()) as {
      id: number
      name: string
    }[]
    const wanted = team === 'owner' ? 'Owners' : named(team)
    const id =
      all.find((it) => it.name === wanted)?.id ??
      (await must(admin.post(`/api/v1/orgs/${org}/teams`, { name: wanted, ...(teams[team] as object) })))?.id
    await must(admin.fetch(`/api/v1/teams/${id}/members/${name}`, { method: 'PUT' }))
  }
  for (const caller of callers.filter((it) => !it.startsWith('the user itself'))) {
    await user(named(caller), { restricted: caller.includes('restricted') })
    const [, team = 'write'] = caller.split(': ')
    if (caller === 'member of another org') await join('elsewhere', 'write', named(caller))
    else if (caller.includes('member'))
      for (const org of ['public-org', 'limited-org', 'private-org']) {
        await join(org, team === 'prohibited' ? 'write' : team, named(caller))
      }
    if (caller.endsWith('site admin')) await patch(`/admin/users/${named(caller)}`, { admin: true })
  }
  const accounts = callers.flatMap((caller) => owners.map((owner) => accountOf(caller, owner)))
  for (const name of new Set(accounts.filter((it) => !it.includes('org') || it === 'member-of-another-org'))) {
    const client = new Client(stowage.url, name, { Authorization: basic(name, password) })
    for (const scopes of new Set(Object.values(credentials).flatMap((it) => (it.scopes ? [it.scopes.join()] : [])))) {
      tokens.set(`${name} ${scopes}`, (await client.token(scopes.split(','))).secret)
    }
  }
  for (const caller of callers) {
    if (caller.includes('inactive')) await patch(`/admin/users/${named(caller)}`, { active: false })
    if (caller.includes('prohibited')) await patch(`/admin/users/${named(caller)}`, { prohibit_login: true })
  }
  return tokens
}
