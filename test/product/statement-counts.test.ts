import { describe, expect, test } from 'bun:test'
import type { AroundStatement } from '../../server/catalogue/statement.ts'
import { onPostgres } from '../support/database.ts'
import { type Client, startStowage } from '../support/stowage.ts'

interface Request {
  name: string
  /** Statements, as [SQLite, PostgreSQL]: each one is a round trip on the latter. */
  costs: [number, number]
  prepare?: (ada: Client) => Promise<unknown>
  send: (ada: Client, token: Client, anonymous: Client) => Promise<Response>
  status: number
}

const two = async (ada: Client) => {
  await ada.put({ file: 'a' }, 'a')
  await ada.put({ file: 'b' }, 'b')
}

/** A file whose digests are all known, so that nobody waits for them. */
const digested = (ada: Client) => {
  const hex = (algorithm: 'md5' | 'sha1' | 'sha512') => new Bun.CryptoHasher(algorithm).update('a').digest('hex')
  return ada.put({}, 'a', {
    'X-Checksum-Md5': hex('md5'),
    'X-Checksum-Sha1': hex('sha1'),
    'X-Checksum-Sha512': hex('sha512'),
  })
}

/** What each kind of request costs. A number that rises is a regression; one that falls is written down here. */
const requests: Request[] = [
  { name: 'GET by anybody', costs: [1, 1], prepare: two, send: (_, __, it) => it.get({ file: 'a' }), status: 200 },
  { name: 'GET by token', costs: [1, 1], prepare: two, send: (_, it) => it.get({ file: 'a' }), status: 200 },
  { name: 'GET by password', costs: [1, 1], prepare: two, send: (it) => it.get({ file: 'a' }), status: 200 },
  { name: 'HEAD by anybody', costs: [1, 1], prepare: two, send: (_, __, it) => it.head({ file: 'a' }), status: 200 },
  { name: 'GET of no file', costs: [1, 1], send: (_, __, it) => it.get({ file: 'none' }), status: 404 },
  { name: 'GET at no owner', costs: [1, 1], send: (it) => it.get({ owner: 'nobody' }), status: 404 },
  { name: 'GET by a wrong token', costs: [1, 1], send: (it) => wrong(it).get({ file: 'a' }), status: 401 },
  {
    name: 'PUT of a new package',
    costs: [16, 14],
    prepare: (it) => it.put({ package: 'other' }, 'x'),
    send: (_, it) => it.put({}, 'new'),
    status: 201,
  },
  { name: 'PUT of one more file', costs: [16, 14], prepare: two, send: (_, it) => it.put({}, 'new'), status: 201 },
  { name: 'PUT of bytes that are there', costs: [17, 15], prepare: two, send: (_, it) => it.put({}, 'a'), status: 201 },
  { name: 'PUT of a name that is taken', costs: [1, 1], prepare: two, send: taken, status: 409 },
  {
    name: 'DELETE of one file of two',
    costs: [15, 14],
    prepare: two,
    send: (it) => it.delete({ file: 'a' }),
    status: 204,
  },
  {
    name: 'DELETE of the last file',
    costs: [17, 16],
    prepare: (it) => it.put({}, 'a'),
    send: (it) => it.delete(),
    status: 204,
  },
  { name: 'DELETE of a version', costs: [16, 15], prepare: two, send: (it) => it.deleteVersion(), status: 204 },
  { name: 'GET /api/v1/user', costs: [2, 2], send: (it) => it.fetch('/api/v1/user'), status: 200 },
  { name: 'a list of tokens', costs: [4, 4], send: (it) => it.fetch('/api/v1/users/ada/tokens'), status: 200 },
  // Who is calling and at which owner; the owner, with how many versions he has; the package with the same; what is shown.
  { name: 'versions of an owner', costs: [3, 3], prepare: two, send: (_, __, it) => list(it, ''), status: 200 },
  { name: 'versions of an owner, by token', costs: [3, 3], prepare: two, send: (_, it) => list(it, ''), status: 200 },
  { name: 'a search', costs: [4, 4], prepare: two, send: (it) => list(it, '?q=tool'), status: 200 },
  { name: 'a search for what no name holds', costs: [2, 2], send: (it) => list(it, '?q=%25'), status: 200 },
  { name: 'versions of a package', costs: [4, 4], prepare: two, send: (it) => list(it, '/generic/tool'), status: 200 },
  { name: 'a version', costs: [4, 4], prepare: two, send: (it) => list(it, '/generic/tool/1.0'), status: 200 },
  { name: 'the latest', costs: [4, 4], prepare: two, send: (it) => list(it, '/generic/tool/-/latest'), status: 200 },
  { name: 'files', costs: [2, 2], prepare: digested, send: (it) => list(it, '/generic/tool/1.0/files'), status: 200 },
  { name: 'a list at a hidden owner', costs: [1, 1], send: (it) => list(it.as('nobody'), ''), status: 404 },
  {
    name: 'making a token',
    costs: [9, 8],
    send: (it) => it.post('/api/v1/users/ada/tokens', { name: 'x', scopes: ['all'] }),
    status: 201,
  },
  {
    name: 'deleting a token',
    costs: [10, 10],
    prepare: (it) => it.token(['all'], { name: 'x' }),
    send: (it) => it.fetch('/api/v1/users/ada/tokens/x', { method: 'DELETE' }),
    status: 204,
  },
  { name: '/readyz', costs: [6, 4], send: (it) => it.fetch('/readyz'), status: 200 },
  { name: '/healthz', costs: [0, 0], send: (it) => it.fetch('/healthz'), status: 200 },
]

const list = (client: Client, rest: string) => client.fetch(`/api/v1/packages/${client.name}${rest}`)

const wrong = (client: Client) => client.with({ Authorization: `token ${'0'.repeat(40)}` })

function taken(_: Client, token: Client): Promise<Response> {
  return token.put({ file: 'a' }, 'other')
}

describe('statements of a request', () => {
  test.each(requests)('$name: $costs', async ({ costs, prepare, send, status }) => {
    const seen: string[] = []
    const around: AroundStatement = (sql, run) => {
      seen.push(sql)
      return run(sql)
    }
    await using stowage = await startStowage({ replace: { aroundStatement: around } })
    const ada = await stowage.user('ada')
    const token = await ada.token(['all'])
    await prepare?.(ada)
    // The password is remembered from here on, as it is for whoever has called before.
    await ada.get()
    seen.length = 0
    const answer = await send(ada, token, stowage.anonymous.as('ada'))
    await answer.bytes()
    expect(answer.status).toBe(status)
    const [sqlite, postgres] = costs
    if (seen.length !== (onPostgres ? postgres : sqlite)) console.error(seen.join('\n'))
    expect(seen).toHaveLength(onPostgres ? postgres : sqlite)
  })
})
