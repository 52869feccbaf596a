import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { accountOf, callers, credentials, makeWorld, owners, proxied, read, rights } from '../support/access-world.ts'
import { dropDatabaseOf } from '../support/database.ts'
import { startStowage, type TestStowage } from '../support/stowage.ts'

/*
 * What every list shows to whom: lists, searches, counts and `latest` never tell of what the caller may not read. Each owner
 * has a letter, small for users and large for organisations.
 */
const letters: Record<string, string> = {
  p: 'public-user',
  l: 'limited-user',
  v: 'private-user',
  P: 'public-org',
  L: 'limited-org',
  V: 'private-org',
  E: 'elsewhere',
}

/**
 * profile: whose `/users/{name}` is shown. packages: whose versions, whether listed, searched, counted, latest, or by file.
 * orgs: `/orgs`. mine: `/user/orgs`. theirs: the organisations of somebody who owns P, L and V. members, teams: whose lists hold
 * anything. site: the lists of the site's administrators. tokens: those of the public user, and his trusted publishers and deploy tokens.
 */
const table = `
  caller                      | profile | packages | orgs | mine | theirs | members | teams | tokens | site
  anonymous                   | p       | pP       | P    | 401  | –      | –       | 401   | 401    | 401
  stranger                    | pl      | plPL     | PL   | –    | –      | –       | –     | 403    | 403
  restricted stranger         | p       | pP       | P    | –    | –      | –       | –     | 403    | 403
  member of another org       | pl      | plPL     | PLE  | E    | –      | E       | E     | 403    | 403
  the user itself             | pl      | plPL     | PL   | –    | –      | –       | –     | 200    | 403
  the user itself, restricted | p       | pP       | P    | –    | –      | –       | –     | 403    | 403
  member: no unit             | pl      | plPLV    | PLV  | PLV  | PLV    | PLV     | PLV   | 403    | 403
  member: read                | pl      | plPLV    | PLV  | PLV  | PLV    | PLV     | PLV   | 403    | 403
  restricted member: read     | p       | pPLV     | PLV  | PLV  | PLV    | PLV     | PLV   | 403    | 403
  member: unit write          | pl      | plPLV    | PLV  | PLV  | PLV    | PLV     | PLV   | 403    | 403
  member: write               | pl      | plPLV    | PLV  | PLV  | PLV    | PLV     | PLV   | 403    | 403
  restricted member: write    | p       | pPLV     | PLV  | PLV  | PLV    | PLV     | PLV   | 403    | 403
  member: admin               | pl      | plPLV    | PLV  | PLV  | PLV    | PLV     | PLV   | 403    | 403
  member: owner               | pl      | plPLV    | PLV  | PLV  | PLV    | PLV     | PLV   | 403    | 403
  member: prohibited          | 401     | 401      | 401  | 401  | 401    | 401     | 401   | 401    | 401
  inactive                    | 401     | 401      | 401  | 401  | 401    | 401     | 401   | 401    | 401
  prohibited                  | 401     | 401      | 401  | 401  | 401    | 401     | 401   | 401    | 401
  site admin                  | plv     | plvPLV   | PLVE | –    | PLV    | PLVE    | PLVE  | 200    | 200
  restricted site admin       | plv     | plvPLV   | PLVE | –    | PLV    | PLVE    | PLVE  | 200    | 200
  inactive site admin         | 401     | 401      | 401  | 401  | 401    | 401     | 401   | 401    | 401
`

const dataDir = await mkdtemp(join(tmpdir(), 'stowage-lists-'))
let stowage: TestStowage
let tokens = new Map<string, string>()

beforeAll(async () => {
  tokens = await makeWorld(dataDir)
  stowage = await startStowage({ dataDir, settings: proxied })
}, 120_000)

afterAll(async () => {
  await stowage.stop()
  await rm(dataDir, { recursive: true, force: true })
  await dropDatabaseOf(dataDir)
})

interface Answer {
  status: number
  // biome-ignore lint/suspicious/noExplicitAny: the answers of a dozen routes.
  body: any
  total: string | null
}

async function get(headers: Record<string, string>, path: string): Promise<Answer> {
  const response = await fetch(`${stowage.url}/api/v1${path}`, { headers })
  return { status: response.status, body: await response.json(), total: response.headers.get('x-total-count') }
}

/** A list as names, which must be as many as its total says, on a page of one too. */
async function list(headers: Record<string, string>, path: string): Promise<string[] | number> {
  const all = await get(headers, `${path}${path.includes('?') ? '&' : '?'}limit=50`)
  const one = await get(headers, `${path}${path.includes('?') ? '&' : '?'}limit=1`)
  expect(one.status).toBe(all.status)
  if (all.status !== 200) return all.status
  const names = all.body.map((it: Record<string, string>) => it.login ?? it.username ?? it.name)
  expect({ path, total: all.total, ofOne: one.total }).toEqual({
    path,
    total: String(names.length),
    ofOne: String(names.length),
  })
  expect(one.body).toHaveLength(Math.min(1, names.length))
  return names
}

const sorted = (found: string) => [...found].filter((it) => it !== '–').sort()

/** Which owners' addresses answer, in letters; the others must be answered as an owner who does not exist. */
async function shown(names: string, ask: (owner: string) => Promise<Answer | string[] | number>): Promise<string> {
  let found = ''
  for (const letter of names) {
    const answer = await ask(letters[letter] as string)
    const status = typeof answer === 'number' ? answer : 'status' in answer ? answer.status : 200
    if (status === 401) return '401'
    if (status === 200 && !(Array.isArray(answer) && answer.length === 0)) found += letter
  }
  return found
}

function lettersOf(names: string[] | number): string {
  if (typeof names === 'number') return String(names)
  const byName = Object.fromEntries(Object.entries(letters).map(([letter, name]) => [name, letter]))
  return names.map((name) => byName[name] ?? name).join('')
}

const everyUser = 'plv'
const everyOrganisation = 'PLVE'
const publishers = 'plvPLV'

/** What the package of everybody in the world holds. */
const bytes = new Bun.CryptoHasher('sha256').update('bytes').digest('hex')

/**
 * Whose packages a search shows, in letters, as many as its total says, on a page of one too. The users that are there only for
 * restricted callers are `…-r`: each is seen where the user without it is, and by himself.
 */
async function searched(headers: Record<string, string>, path: string): Promise<string> {
  const all = await get(headers, `${path}${path.includes('?') ? '&' : '?'}limit=50`)
  const one = await get(headers, `${path}${path.includes('?') ? '&' : '?'}limit=1`)
  if (all.status !== 200) return String(all.status)
  const names: string[] = all.body.map(({ owner }: { owner: { login: string } }) => owner.login)
  const many = String(names.length)
  expect({ path, total: all.total, ofOne: one.total }).toEqual({ path, total: many, ofOne: many })
  expect(one.body).toHaveLength(Math.min(1, names.length))
  return lettersOf(names.filter((name) => !name.endsWith('-r')))
}

/** The routes that make a column: all of them must say the same. */
const columns: Record<string, ((headers: Record<string, string>) => Promise<string>)[]> = {
  profile: [(who) => shown(everyUser, (owner) => get(who, `/users/${owner}`))],
  packages: [
    (who) => shown(publishers, (owner) => list(who, `/packages/${owner}`)),
    (who) => shown(publishers, (owner) => list(who, `/packages/${owner}?q=TOO`)),
    (who) => shown(publishers, (owner) => list(who, `/packages/${owner}?type=generic`)),
    (who) => shown(publishers, (owner) => list(who, `/packages/${owner}/generic/tool`)),
    (who) => shown(publishers, (owner) => get(who, `/packages/${owner}/generic/tool/-/latest`)),
    (who) => shown(publishers, (owner) => list(who, `/search/packages?owner=${owner}`)),
    (who) => shown(publishers, (owner) => list(who, `/search/packages?owner=${owner}&q=ool&sha256=${bytes}`)),
    (who) => searched(who, '/search/packages'),
    (who) => searched(who, '/search/packages?sort=name'),
    (who) => searched(who, '/search/packages?q=TOO'),
    (who) => searched(who, '/search/packages?q=t&sort=downloads&order=asc'),
    (who) => searched(who, `/search/packages?sha256=${bytes}`),
    (who) => searched(who, `/search/packages?sha256=${bytes}&q=ool&sort=size`),
    (who) => shown(publishers, (owner) => get(who, `/packages/${owner}/generic/tool/1.0`)),
    (who) => shown(publishers, (owner) => get(who, `/packages/${owner}/generic/tool/1.0/files`)),
    (who) => shown(publishers, (owner) => get(who, `/packages/${owner}/generic/tool/1.0/origins`)),
    (who) => shown(publishers, (owner) => get(who, `/packages/${owner}/generic/tool/-/metadata`)),
    (who) => shown(publishers, (owner) => get(who, `/packages/${owner}/generic/tool/-/downloads?version=1.0`)),
    (who) => shown(publishers, (owner) => list(who, `/usage/${owner}/packages`)),
    (who) => shown(publishers, (owner) => get(who, `/usage/${owner}`)),
  ],
  orgs: [
    async (who) => lettersOf(await list(who, '/orgs')),
    (who) => shown(everyOrganisation, (owner) => get(who, `/orgs/${owner}`)),
  ],
  mine: [async (who) => lettersOf(await list(who, '/user/orgs'))],
  theirs: [async (who) => lettersOf(await list(who, '/users/member-owner/orgs'))],
  members: [
    (who) => shown(everyOrganisation, (owner) => list(who, `/orgs/${owner}/members`)),
    (who) =>
      shown('PLV', async (owner) => {
        const answer = await fetch(`${stowage.url}/api/v1/orgs/${owner}/members/member-owner`, { headers: who })
        return answer.status === 204 ? ['member-owner'] : answer.status
      }),
  ],
  teams: [(who) => shown(everyOrganisation, (owner) => list(who, `/orgs/${owner}/teams`))],
  tokens: ['/users/public-user/tokens', '/owners/public-user/publishers', '/owners/public-user/deploy-tokens'].map(
    (path) => async (who: Record<string, string>) => String((await get(who, path)).status),
  ),
  site: [
    '/admin/users',
    '/admin/jobs',
    '/admin/audit',
    '/admin/reserved-names',
    '/admin/invitations',
    '/admin/hooks',
    '/admin/quotas',
    '/admin/quotas/owners',
    '/admin/usage-check',
  ].map((path) => async (who: Record<string, string>) => String((await get(who, path)).status)),
}

describe('every list, by everybody', () => {
  test.each(['anonymous', ...callers])('%s', async (caller) => {
    const name = accountOf(caller, owners[0])
    const headers = caller === 'anonymous' ? {} : credentials.password?.headers(name, '')
    const row = read(table).get(caller) ?? {}
    expect(Object.keys(row)).toEqual(Object.keys(columns))
    const found: Record<string, string[][]> = {}
    const wanted: Record<string, string[][]> = {}
    for (const [column, routes] of Object.entries(columns)) {
      const cell = sorted(row[column] ?? '')
      found[column] = await Promise.all(routes.map(async (route) => sorted(await route(headers ?? {}))))
      // The second route of members is asked at P, L and V alone.
      wanted[column] = routes.map((_, index) =>
        column === 'members' && index === 1 ? cell.filter((it) => it !== 'E') : cell,
      )
    }
    expect(found).toEqual(wanted)
  })
})

describe('a token for what is public only', () => {
  test('shows its user nothing else, not even what is his', async () => {
    for (const caller of ['the user itself', 'member: owner', 'site admin']) {
      const visible = new Set<string>()
      for (const owner of owners) {
        if (!rights.get(caller)?.[owner]) continue
        const name = accountOf(caller, owner)
        const headers = { Authorization: `token ${tokens.get(`${name} all,public-only`)}` }
        const organisations = await list(headers, '/orgs')
        for (const organisation of organisations as string[]) visible.add(organisation)
        for (const letter of publishers) {
          const answer = await list(headers, `/packages/${letters[letter]}`)
          if (Array.isArray(answer)) visible.add(letters[letter] as string)
        }
      }
      expect([...visible].sort()).toEqual(['public-org', 'public-user'])
    }
  })
})

test('the table has everybody', () => {
  expect([...read(table).keys()]).toEqual(['anonymous', ...callers])
})
