import { afterAll, beforeAll, expect, test } from 'bun:test'
import { readFile } from 'node:fs/promises'
import { read } from '../support/access-world.ts'
import { type Client, startStowage, type TestStowage } from '../support/stowage.ts'

/*
 * Who may do what with one package, as the manual's chapter on access has it: that table is read here, each of its cells is laid, and
 * everything is asked that reads, lists or changes a package. The first four columns are at a public organisation, the others at a
 * private one.
 */
const manual = new URL('../../docs/access.md', import.meta.url)

/** What the columns are called here; of each, how the package is and what it names the caller for. */
const columns = {
  open: { visibility: 'inherit', named: undefined },
  hidden: { visibility: 'private', named: undefined },
  reader: { visibility: 'private', named: 'read' },
  writer: { visibility: 'private', named: 'write' },
} as const
type Column = keyof typeof columns

const owners = { public: 'acme', private: 'vault' } as const

let stowage: TestStowage
let rows: Map<string, Record<string, string>>
/** Who each row is, at an owner; and how a package names him. */
const callers: Record<string, (owner: string) => { client: Client; holder?: [string, string | number] }> = {}

beforeAll(async () => {
  const text = await readFile(manual, 'utf8')
  const table = /## Permission on a package[\s\S]*?\n(\| caller [\s\S]*?)\n\n/.exec(text)?.[1] ?? ''
  const [, , ...lines] = table.split('\n').map((line) => line.replaceAll('`', '').replace(/^\| | \|$/g, ''))
  const head = ['caller', ...['public', 'private'].flatMap((at) => Object.keys(columns).map((it) => `${at} ${it}`))]
  rows = read([head.join(' | '), ...lines].join('\n'))

  stowage = await startStowage()
  const { admin } = stowage
  const made = async (answer: Promise<Response>) => {
    const response = await answer
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
    return (response.status === 204 ? {} : await response.json()) as { id: number; sha1: string }
  }
  const person = (name: string, fields: Record<string, unknown> = {}) => stowage.user(name, fields)
  const [stranger, restricted, mate, member, writer] = [
    await person('stranger'),
    await person('restricted', { restricted: true }),
    await person('mate'),
    await person('member'),
    await person('writer'),
  ]
  const teams: Record<string, number> = {}
  const deploy: Record<string, { client: Client; id: number }> = {}
  for (const [visibility, owner] of Object.entries(owners)) {
    await made(admin.post('/api/v1/orgs', { username: owner, visibility }))
    for (const [team, permission, name] of [
      ['mates', 'read', 'mate'],
      ['members', 'read', 'member'],
      ['writers', 'write', 'writer'],
    ]) {
      const { id } = await made(admin.post(`/api/v1/orgs/${owner}/teams`, { name: team, permission }))
      await made(admin.fetch(`/api/v1/teams/${id}/members/${name}`, { method: 'PUT' }))
      teams[`${owner} ${team}`] = id
    }
    for (const scopes of [['read:package'], ['write:package']]) {
      const { id, sha1 } = await made(
        admin.post(`/api/v1/owners/${owner}/deploy-tokens`, { name: `${scopes}`, scopes }),
      )
      deploy[`${owner} ${scopes}`] = { id, client: stowage.anonymous.with({ Authorization: `token ${sha1}` }) }
    }
    for (const column of Object.keys(columns)) {
      expect((await admin.put({ owner, package: `tool-${owner}-${column}` }, column)).status).toBe(201)
    }
  }
  await stowage.stowage.runJobs()
  const reading = await stranger.token(['read:package'])
  const others = await stranger.token(['write:package'], { packages: ['acme/other-*', '*/other-*'] })
  const within = await stranger.token(['write:package'], { packages: ['*/tool-*'] })
  const publicOnly = await stranger.token(['write:package', 'public-only'])
  const users = (name: string): [string, string] => ['users', name]
  Object.assign(callers, {
    anybody: () => ({ client: stowage.anonymous }),
    'signed in': () => ({ client: stranger, holder: users('stranger') }),
    'signed in, restricted account': () => ({ client: restricted, holder: users('restricted') }),
    'member of the organisation': () => ({ client: member, holder: users('member') }),
    'member, named by a team': (owner: string) => ({ client: mate, holder: ['teams', teams[`${owner} mates`]] }),
    'who may write to the owner': () => ({ client: writer, holder: users('writer') }),
    'administrator of the site': () => ({ client: admin, holder: users('admin') }),
    'deploy token, read:package': (owner: string) => {
      const its = deploy[`${owner} read:package`]
      return { client: its?.client, holder: ['deploy-tokens', its?.id] }
    },
    'deploy token, write:package': (owner: string) => {
      const its = deploy[`${owner} write:package`]
      return { client: its?.client, holder: ['deploy-tokens', its?.id] }
    },
    'signed in, by a token with read:package': () => ({ client: reading, holder: users('stranger') }),
    'signed in, by a token whose patterns it is like': () => ({ client: within, holder: users('stranger') }),
    'signed in, by a token for other packages': () => ({ client: others, holder: users('stranger') }),
    'signed in, by a public-only token': () => ({ client: publicOnly, holder: users('stranger') }),
  } satisfies Record<string, unknown>)
})

afterAll(() => stowage[Symbol.asyncDispose]())

/** Lays the columns for one caller. */
async function lay(owner: string, holder: [string, string | number] | undefined): Promise<void> {
  const send = async (method: string, path: string, body: unknown) => {
    const response = await stowage.admin.fetch(path, { method, body: JSON.stringify(body) })
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
  }
  await stowage.change('delete from package_grants')
  for (const [column, { visibility, named }] of Object.entries(columns)) {
    const path = `/api/v1/packages/${owner}/generic/tool-${owner}-${column}/-/access`
    await send('PATCH', path, { visibility })
    if (named && holder) await send('PUT', `${path}/${holder.join('/')}`, { permission: named })
  }
}

let unique = 0

/** What somebody holds, by each of the ways that there are to a package. */
async function held(client: Client, owner: string, column: Column): Promise<Record<string, string>> {
  const name = `tool-${owner}-${column}`
  const api = `/api/v1/packages/${owner}/generic/${name}`
  const status = async (answer: Promise<Response>) => {
    const response = await answer
    await response.body?.cancel()
    return response.status
  }
  const shows = async (path: string) => {
    const response = await client.fetch(path)
    const text = await response.text()
    return response.ok && text.includes(`"${name}"`) ? 200 : 404
  }
  const reads = {
    file: await status(client.get({ owner, package: name })),
    head: await status(client.head({ owner, package: name })),
    versions: await status(client.fetch(api)),
    latest: await status(client.fetch(`${api}/-/latest`)),
    files: await status(client.fetch(`${api}/1.0/files`)),
    metadata: await status(client.fetch(`${api}/-/metadata`)),
    downloads: await status(client.fetch(`${api}/-/downloads`)),
    list: await shows(`/api/v1/packages/${owner}`),
    search: await shows('/api/v1/search/packages?limit=50'),
    'search of it': await shows(`/api/v1/search/packages?q=${name}`),
    'search at the owner': await shows(`/api/v1/search/packages?owner=${owner}`),
    usage: await shows(`/api/v1/usage/${owner}/packages`),
  }
  unique += 1
  const writes = {
    PUT: await status(client.put({ owner, package: name, file: `${unique}` }, 'x')),
    DELETE: await status(client.delete({ owner, package: name, file: `${unique}` })),
    PATCH: await status(client.fetch(`${api}/-/metadata`, { method: 'PATCH', body: '{}' })),
  }
  const isDone = (code: number) => code >= 200 && code < 300
  return {
    ...Object.fromEntries(Object.entries(reads).map(([way, code]) => [way, isDone(code) ? 'read' : '–'])),
    ...Object.fromEntries(Object.entries(writes).map(([way, code]) => [way, isDone(code) ? 'read, write' : '–'])),
  }
}

test('the table has everybody', () => {
  expect([...rows.keys()]).toEqual(Object.keys(callers))
})

test.each(Object.entries(owners))('everybody at a %s organisation', async (visibility, owner) => {
  const wrong: string[] = []
  for (const [name, cells] of rows) {
    const caller = callers[name]?.(owner)
    if (!caller) throw new Error(`nobody is ${name}`)
    await lay(owner, caller.holder)
    for (const column of Object.keys(columns) as Column[]) {
      const cell = cells[`${visibility} ${column}`] ?? ''
      // Nobody in particular can be named.
      if (cell === '') {
        expect({ name, isNameable: caller.holder !== undefined }).toEqual({ name, isNameable: false })
        continue
      }
      for (const [way, found] of Object.entries(await held(caller.client, owner, column))) {
        const isWrite = ['PUT', 'DELETE', 'PATCH'].includes(way)
        const wanted = isWrite ? (cell === 'read, write' ? cell : '–') : cell === '–' ? cell : 'read'
        if (found !== wanted) wrong.push(`${way} ${column} by ${name}: ${found}, not ${wanted}`)
      }
    }
  }
  expect(wrong).toEqual([])
})
