import { afterAll, beforeAll, expect, test } from 'bun:test'
import fc from 'fast-check'
import { Browser } from '../support/browser.ts'
import { type Client, startStowage, type TestStowage } from '../support/stowage.ts'

/*
 * Small worlds in which everything is thrown: who sees the owners, which packages are private, whom they name, what tokens are
 * limited to. Whatever shows packages, to whomever, must show those of which he may fetch a file, and count as many.
 */
const owners = ['alice', 'bert', 'acme', 'works'] as const
const names = ['tool-a', 'tool-b', 'lib'] as const
const all = owners.flatMap((owner) => names.map((name) => `${owner}/${name}`))
const people = ['alice', 'bert', 'carl', 'dora'] as const
const sorts = ['created', 'name', 'version', 'size', 'downloads']

/** Worlds; each takes seconds. */
const runs = Number(process.env.TEST_WORLDS ?? 3)

let stowage: TestStowage
const callers = new Map<string, Client>()
const browsers = new Map<string, Browser>()
/** Ids in the database, by name. */
const ids = new Map<string, number>()
const bytes = 'the same bytes of all'
const sha256 = new Bun.CryptoHasher('sha256').update(bytes).digest('hex')

beforeAll(async () => {
  stowage = await startStowage()
  const { admin } = stowage
  const made = async (answer: Promise<Response>) => {
    const response = await answer
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
    return (response.status === 204 ? {} : await response.json()) as { id: number; sha1: string }
  }
  const persons = new Map<string, Client>()
  for (const name of people) persons.set(name, await stowage.user(name))
  const [alice, bert, dora] = ['alice', 'bert', 'dora'].map((name) => persons.get(name) as Client)
  if (!alice || !bert || !dora) throw new Error('nobody is there')
  await made(alice.post('/api/v1/orgs', { username: 'acme' }))
  await made(bert.post('/api/v1/orgs', { username: 'works' }))
  for (const [owner, member] of [
    ['acme', 'dora'],
    ['works', 'carl'],
  ]) {
    const { id } = await made(admin.post(`/api/v1/orgs/${owner}/teams`, { name: 'some', permission: 'read' }))
    await made(admin.fetch(`/api/v1/teams/${id}/members/${member}`, { method: 'PUT' }))
    ids.set(`team of ${owner}`, id)
  }
  for (const at of all) {
    const [owner = '', name = ''] = at.split('/')
    expect((await admin.put({ owner, package: name }, bytes)).status).toBe(201)
  }
  await stowage.stowage.runJobs()
  callers.set('anonymous', stowage.anonymous)
  callers.set('admin', admin)
  const token = (secret: string) => stowage.anonymous.with({ Authorization: `token ${secret}` })
  for (const [name, person] of persons) {
    callers.set(name, person)
    for (const scopes of [['read:package'], ['all', 'public-only']]) {
      callers.set(`${name}, token ${scopes}`, await person.token(scopes))
    }
    const its = await person.token(['write:package'], { name: 'limited' })
    callers.set(`${name}, limited token`, its)
    const browser = new Browser(stowage)
    expect((await browser.signIn(name)).ok).toBe(true)
    browsers.set(name, browser)
  }
  callers.set('admin, limited token', await admin.token(['write:package'], { name: 'limited' }))
  callers.set('admin, public-only token', await admin.token(['all', 'public-only']))
  browsers.set('anonymous', new Browser(stowage))
  for (const owner of owners) {
    for (const scopes of [['read:package'], ['write:package'], ['read:package', 'public-only']]) {
      const name = `${scopes}`
      const its = await made(admin.post(`/api/v1/owners/${owner}/deploy-tokens`, { name, scopes }))
      callers.set(`deploy token of ${owner}, ${scopes}`, token(its.sha1))
      ids.set(`deploy token of ${owner}, ${scopes}`, its.id)
    }
  }
  for (const { name, id } of await stowage.change('select name, id from owners')) ids.set(String(name), Number(id))
  for (const { at, id } of await stowage.change(
    `select owners.name || '/' || packages.name as at, packages.id from packages join owners on owners.id = owner_id`,
  )) {
    ids.set(String(at), Number(id))
  }
})

afterAll(() => stowage[Symbol.asyncDispose]())

/** Everybody who may be named at an owner's package. */
const holders = [
  ...people.map((name) => ({ column: 'user_id', name, at: undefined })),
  ...['acme', 'works'].map((at) => ({ column: 'team_id', name: `team of ${at}`, at })),
  ...owners.flatMap((at) =>
    ['read:package', 'write:package', 'read:package,public-only'].map((scopes) => ({
      ...{ column: 'deploy_token_id', name: `deploy token of ${at}, ${scopes}`, at },
    })),
  ),
]

const pattern = fc.constantFrom('tool-*', 'lib', '*', 'tool-a', '*b', 'none')
const limit = fc.option(
  fc.array(fc.record({ owner: fc.option(fc.constantFrom(...owners)), name: pattern }), { maxLength: 2 }),
)
const worlds = fc.record({
  owners: fc.tuple(...owners.map(() => fc.constantFrom('public', 'limited', 'private', 'private'))),
  // Where none is private, other ways are taken.
  packages: fc.oneof(
    fc.constant(all.map(() => 'inherit')),
    fc.tuple(...all.map(() => fc.constantFrom('inherit', 'inherit', 'private'))),
  ),
  named: fc.array(
    fc.record({
      at: fc.constantFrom(...all),
      holder: fc.oneof(fc.constantFrom(...holders.slice(0, people.length)), fc.constantFrom(...holders)),
      access: fc.constantFrom(1, 2),
    }),
    { minLength: 4, maxLength: 10 },
  ),
  teams: fc.tuple(fc.constantFrom(1, 2), fc.constantFrom(1, 2)),
  restricted: fc.subarray([...people]),
  limits: fc.tuple(limit, limit, limit, limit, limit),
  deployLimit: limit,
  sort: fc.constantFrom(...sorts),
})
type World = typeof worlds extends fc.Arbitrary<infer Value> ? Value : never

/** Makes it so, behind the server's back. */
async function lay(world: World): Promise<void> {
  const kept = (value: { owner: string | null; name: string }[] | null) =>
    value === null
      ? 'null'
      : `'${JSON.stringify(value.map(({ owner, name }) => ({ ownerId: owner === null ? null : ids.get(owner), name })))}'`
  const list = (values: string[]) => values.map((value) => `'${value}'`).join()
  const grants = new Map(
    world.named
      .filter(({ at, holder }) => holder.at === undefined || at.startsWith(`${holder.at}/`))
      .map(({ at, holder, access }) => [`${at} ${holder.name}`, { at, holder, access }]),
  )
  const statements = [
    ...owners.map((owner, i) => `update owners set visibility = '${world.owners[i]}' where name = '${owner}'`),
    ...all.map((at, i) => `update packages set visibility = '${world.packages[i]}' where id = ${ids.get(at)}`),
    'delete from package_grants',
    ...[...grants.values()].map(
      ({
        at,
        holder,
        access,
      }) => `insert into package_grants (owner_id, package_id, ${holder.column}, access, created_at)
        select owner_id, id, ${ids.get(holder.name)}, ${access}, 0 from packages where id = ${ids.get(at)}`,
    ),
    ...['acme', 'works'].map(
      (at, i) => `update teams set access = ${world.teams[i]} where id = ${ids.get(`team of ${at}`)}`,
    ),
    `update users set is_restricted = case when id in (select id from owners where name in (${list(world.restricted) || "''"})) then 1 else 0 end`,
    ...[...people, 'admin'].map(
      (name, i) =>
        `update tokens set packages = ${kept(world.limits[i] ?? null)} where name = 'limited' and user_id = ${ids.get(name)}`,
    ),
    `update deploy_tokens set packages = ${kept(world.deployLimit)} where scopes like '%write%'`,
  ]
  // SQLite takes one at a time.
  for (const statement of statements) await stowage.change(statement)
}

type Shown = { owner?: { login: string }; name: string }

/** What a list shows, page by page, and that its total says so. Refused is nothing. */
async function listed(client: Client, path: string, owner?: string): Promise<string[]> {
  const found: string[] = []
  const join = path.includes('?') ? '&' : '?'
  for (let page = 1; ; page += 1) {
    const response = await client.fetch(`${path}${join}limit=4&page=${page}`)
    if (!response.ok) {
      await response.body?.cancel()
      return []
    }
    const shown = (await response.json()) as Shown[]
    found.push(...shown.map(({ name, owner: its }) => `${its?.login ?? owner}/${name}`))
    if (shown.length > 0) continue
    expect({ path, total: response.headers.get('x-total-count') }).toEqual({ path, total: String(found.length) })
    return found.sort()
  }
}

/** The packages that a page leads to. */
async function linked(browser: Browser, path: string): Promise<string[]> {
  const html = await (await browser.fetch(path)).text()
  const links = [...html.matchAll(/href="\/([^/"]+)\/-\/packages\/generic\/([^/"]+)"/g)]
  return [...new Set(links.map(([, owner, name]) => `${owner}/${name}`))].sort()
}

async function fetched(get: (path: string) => Promise<Response>, path: (at: [string, string]) => string) {
  const answers = await Promise.all(
    all.map(async (at) => {
      const response = await get(path(at.split('/') as [string, string]))
      await response.body?.cancel()
      return response.ok ? [at] : []
    }),
  )
  return answers.flat().sort()
}

async function differences(name: string, client: Client, { sort }: World): Promise<unknown[]> {
  const wrong: unknown[] = []
  const get = (path: string) => client.fetch(path)
  const may = await fetched(get, ([owner, name]) => `/api/packages/${owner}/generic/${name}/1.0/tool.bin`)
  const compare = (what: string, found: string[], wanted = may) => {
    if (found.join() !== wanted.join()) wrong.push({ name, what, found, wanted })
  }
  const of = (owner: string) => may.filter((at) => at.startsWith(`${owner}/`))
  const api = (at: string[], rest: string) => `/api/v1/packages/${at[0]}/generic/${at[1]}${rest}`
  for (const rest of ['', '/1.0', '/1.0/files', '/1.0/origins', '/-/latest', '/-/metadata', '/-/downloads']) {
    compare(rest, await fetched(get, (at) => api(at, rest)))
  }
  compare('search', await listed(client, `/api/v1/search/packages?sort=${sort}`))
  compare(
    'search by a part',
    await listed(client, `/api/v1/search/packages?q=ool&sort=${sort}`),
    may.filter((at) => at.includes('tool')),
  )
  compare(
    'search by a beginning',
    await listed(client, '/api/v1/search/packages?q=l'),
    may.filter((at) => at.endsWith('lib')),
  )
  compare('search by digest', await listed(client, `/api/v1/search/packages?sha256=${sha256}&sort=${sort}`))
  for (const owner of owners) {
    compare(`list of ${owner}`, await listed(client, `/api/v1/packages/${owner}`), of(owner))
    compare(
      `part at ${owner}`,
      await listed(client, `/api/v1/packages/${owner}?q=tool`),
      of(owner).filter((at) => at.includes('tool')),
    )
    compare(
      `search at ${owner}`,
      await listed(client, `/api/v1/search/packages?owner=${owner}&sort=${sort}`),
      of(owner),
    )
    compare(
      `digest at ${owner}`,
      await listed(client, `/api/v1/search/packages?owner=${owner}&sha256=${sha256}`),
      of(owner),
    )
    for (const order of ['size', 'name']) {
      compare(
        `usage by ${order} at ${owner}`,
        await listed(client, `/api/v1/usage/${owner}/packages?sort=${order}`, owner),
        of(owner),
      )
    }
    const usage = await client.fetch(`/api/v1/usage/${owner}`)
    const {
      versions = 0,
      packages = 0,
      files = 0,
      size = 0,
    } = usage.ok ? ((await usage.json()) as Record<string, number>) : {}
    const n = of(owner).length
    compare(
      `counts of ${owner}`,
      [versions, packages, files, size].map(String),
      [n, n, n, n * bytes.length].map(String),
    )
  }
  const browser = browsers.get(name)
  if (browser) {
    compare('search page', await linked(browser, '/-/search'))
    compare(
      'home page',
      await linked(browser, '/'),
      (await linked(browser, '/')).filter((at) => may.includes(at)),
    )
    for (const owner of owners) {
      compare(`page of ${owner}`, await linked(browser, `/${owner}`), of(owner))
      compare(`usage page of ${owner}`, await linked(browser, `/${owner}/-/usage`), of(owner))
    }
    compare(
      'pages',
      await fetched(
        (path) => browser.fetch(path),
        (at) => `/${at[0]}/-/packages/generic/${at[1]}`,
      ),
    )
  }
  return wrong
}

test('whatever shows packages shows each caller those that he may fetch', async () => {
  let seen = 0
  await fc.assert(
    fc.asyncProperty(worlds, async (world) => {
      await lay(world)
      for (const [name, client] of callers) {
        expect(await differences(name, client, world)).toEqual([])
        seen += 1
      }
    }),
    { numRuns: runs, endOnFailure: true },
  )
  expect(seen).toBeGreaterThanOrEqual(runs * callers.size)
}, 240_000)
