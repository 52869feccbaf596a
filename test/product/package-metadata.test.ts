import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { emptyParents } from '../support/inventory.ts'
import { type Client, startStowage, type TestStowage } from '../support/stowage.ts'

let stowage: TestStowage
let ada: Client
let eve: Client
const begin = Date.now()
/** What the clock has gone on since, in milliseconds: it stands still by itself. */
let ahead = 0
/** The packages of these names of which something is said. */
const toldOf = (...keys: string[]) =>
  stowage.change(
    `select package_id from package_texts join packages on packages.id = package_id
      where name_key in (${keys.map((key) => `'${key}'`).join()})`,
  )

beforeAll(async () => {
  stowage = await startStowage({ replace: { now: () => begin + ahead } })
  ada = await stowage.user('ada')
  eve = await stowage.user('eve')
})
afterAll(() => stowage[Symbol.asyncDispose]())

const at = (name: string, owner = 'ada') => `/api/v1/packages/${owner}/generic/${name}`

type Answer = { status: number; body: Record<string, unknown> & { created_at: string; updated_at: string } }

async function get(name: string, client = stowage.anonymous): Promise<Answer> {
  const response = await client.fetch(`${at(name)}/-/metadata`)
  return { status: response.status, body: (await response.json()) as Answer['body'] }
}

async function patch(name: string, change: unknown, client = ada): Promise<Answer> {
  const response = await client.fetch(`${at(name)}/-/metadata`, { method: 'PATCH', body: JSON.stringify(change) })
  return { status: response.status, body: (await response.json()) as Answer['body'] }
}

const remove = async (path: string, client = ada) => (await client.fetch(path, { method: 'DELETE' })).status

/** The rows that the audit log has of a package, as [action, details]. */
async function audited(name: string): Promise<[unknown, unknown][]> {
  const rows = await stowage.change(
    `select action, details from audit_events where package_key = '${name}' and action like 'package%' order by id`,
  )
  return rows.map(({ action, details }) => [action, JSON.parse(String(details ?? 'null'))])
}

const said = {
  description: 'Says hello',
  readme: '# Hello\n\n*World*',
  homepage: 'https://example.com',
  repository_url: 'http://example.com/code',
  labels: ['lang:c', 'v1.x', 'CLI'],
}
const nothingSaid = { description: '', readme: '', homepage: '', repository_url: '', labels: [] }

/** A header as curl sends it: the bytes of UTF-8. */
const described = (text: string) => ({ 'Stowage-Description': Buffer.from(text).toString('latin1') })

describe('what is said of a package', () => {
  test('is changed field by field, and shown to who may read it', async () => {
    await ada.put({ package: 'Tool', file: 'a' }, 'abc')
    await ada.put({ package: 'tool', file: 'b' }, 'abc')
    const times = { created_at: expect.any(String), updated_at: expect.any(String) }
    const counts = { versions: 1, files: 2, size: 6, downloads: 0 }
    const open = { ...times, visibility: 'inherit' }
    const read = { name: 'Tool', ...nothingSaid, ...counts, ...open, can_write: false }
    expect(await get('TOOL')).toEqual({ status: 200, body: read })
    ahead = 60_000
    const all = await patch('tool', said)
    expect(all).toEqual({ status: 200, body: { name: 'Tool', ...said, ...counts, ...open, can_write: true } })
    expect(Date.parse(all.body.updated_at) - Date.parse(all.body.created_at)).toBeGreaterThanOrEqual(59_000)
    expect(await get('tool')).toEqual({ ...all, body: { ...all.body, can_write: false } })
    expect((await patch('tool', { labels: [], homepage: '', description: null })).body).toEqual({
      ...all.body,
      labels: [],
      homepage: '',
    })
    expect((await get('tool')).body).toMatchObject({ ...said, labels: [], homepage: '' })
    // What changes nothing is not written down.
    for (const same of [{}, { readme: said.readme }]) expect((await patch('tool', same)).status).toBe(200)
    expect(await audited('tool')).toEqual([
      ['package.changed', { fields: ['description', 'readme', 'homepage', 'repository_url', 'labels'] }],
      ['package.changed', { fields: ['homepage', 'labels'] }],
    ])
    expect(await remove(at('tool'))).toBe(204)
  })

  test('is changed by who may write, and asked for by nobody to whom the owner is hidden', async () => {
    await ada.put({ package: 'mine' }, 'abc')
    expect((await patch('mine', said, stowage.anonymous)).status).toBe(401)
    expect((await patch('mine', said, eve)).status).toBe(403)
    expect((await patch('mine', said, await ada.token(['read:package']))).status).toBe(403)
    expect((await patch('none', said)).status).toBe(404)
    expect((await patch('a%20b', said)).status).toBe(404)
    expect((await get('none')).body).toMatchObject({ message: 'package does not exist' })
    const hidden = await stowage.user('priscilla', { visibility: 'private' })
    await hidden.put({}, 'abc')
    for (const [client, status] of [
      [stowage.anonymous, 404],
      [eve, 404],
      [hidden, 200],
    ] as const) {
      expect((await client.fetch(`${at('tool', 'priscilla')}/-/metadata`)).status).toBe(status)
    }
    expect((await get('mine')).body).toMatchObject(nothingSaid)
    expect(await remove(at('mine'))).toBe(204)
  })

  const notALabel = 'must have 1 to 50 letters, digits, "-", "_", "." and ":"'

  test.each([
    ['too long', { description: 'x'.repeat(1_001) }, 'description: may have 1000 characters at most'],
    ['too long to read', { readme: 'x'.repeat(100_001) }, 'readme: may have 100000 characters at most'],
    ['NUL', { readme: 'a\0b' }, 'readme: may not hold NUL or half a character'],
    ['a script', { homepage: 'javascript:alert(1)' }, 'homepage: must be an http or https address'],
    ['a password', { homepage: 'https://ada:secret@example.com' }, 'homepage: may hold no user name and password'],
    ['no web address', { repository_url: 'ftp://example.com' }, 'repository_url: must be an http or https address'],
    ['one label', { labels: 'a' }, 'labels: must be a list of labels'],
    ['a number for a label', { labels: [1] }, 'labels.0: must be text'],
    ['a label of two words', { labels: ['ok', 'a b'] }, `labels.1: ${notALabel}`],
    ['an empty label', { labels: [''] }, `labels.0: ${notALabel}`],
    ['a long label', { labels: ['x'.repeat(51)] }, `labels.0: ${notALabel}`],
    ['a label twice', { labels: ['cli', 'CLI'] }, 'labels: may have no label twice, in whatever letter case'],
    ['many labels', { labels: Array.from({ length: 21 }, (_, n) => `l${n}`) }, 'labels: may be 20 at most'],
    ['another name', { name: 'other' }, 'unknown field: name'],
  ])('cannot be %s', async (_, change, message) => {
    expect(await patch('whatever', change)).toMatchObject({ status: 422, body: { message } })
  })

  test('takes as much as it may', async () => {
    await ada.put({ package: 'full' }, 'abc')
    const full = {
      description: 'ä'.repeat(1_000),
      readme: 'ß'.repeat(100_000),
      homepage: `https://example.com/${'x'.repeat(235)}`,
      labels: Array.from({ length: 20 }, (_, n) => `${String(n).padStart(2, '0')}${'x'.repeat(48)}`),
    }
    expect(await patch('full', full)).toMatchObject({ status: 200, body: full })
    expect((await get('full')).body).toMatchObject(full)
    expect(await remove(at('full'))).toBe(204)
  })
})

describe('a package without a version', () => {
  const isListed = async (name: string) => {
    const list = (await (await ada.fetch('/api/v1/packages/ada?limit=50')).json()) as { name: string }[]
    return list.some((version) => version.name === name)
  }

  test('outlives its last version while something is said of it, and is in no list', async () => {
    await ada.put({ package: 'Kept', version: '1' }, 'abc')
    await ada.put({ package: 'Kept', version: '2' }, 'abc')
    await patch('kept', { description: 'stays' })
    expect(await remove(at('kept/1'))).toBe(204)
    expect((await ada.delete({ package: 'kept', version: '2' })).status).toBe(204)
    expect(await get('kept')).toMatchObject({
      status: 200,
      body: { name: 'Kept', description: 'stays', versions: 0, files: 0, size: 0 },
    })
    expect(await isListed('Kept')).toBe(false)
    for (const path of [at('kept'), `${at('kept')}/-/latest`, `${at('kept')}/-/downloads`]) {
      expect((await ada.fetch(path)).status).toBe(404)
    }
    expect((await patch('kept', { labels: ['old'] })).status).toBe(200)
    // Whoever publishes there again finds what was said, and its spelling.
    await ada.put({ package: 'KEPT', version: '3' }, 'abc', described('not the first'))
    expect((await get('kept')).body).toMatchObject({
      name: 'Kept',
      description: 'stays',
      labels: ['old'],
      versions: 1,
    })
    expect(await isListed('Kept')).toBe(true)
    expect(await remove(at('kept/3'))).toBe(204)
    expect(await remove(at('kept'), eve)).toBe(403)
    expect(await remove(at('kept'))).toBe(204)
    expect([(await get('kept')).status, await remove(at('kept'))]).toEqual([404, 404])
    expect((await audited('kept')).at(-1)).toEqual(['package.deleted', null])
  })

  test('goes once nothing is said of it any more', async () => {
    await ada.put({ package: 'bare' }, 'abc')
    await patch('bare', said)
    expect(await remove(at('bare/1.0'))).toBe(204)
    expect(await patch('bare', nothingSaid)).toMatchObject({ status: 200, body: { ...nothingSaid, versions: 0 } })
    expect((await get('bare')).status).toBe(404)
    expect(await emptyParents(stowage.stowage.registry.catalogue.read)).toEqual([])
  })

  test('goes with its last version where nothing is said of it any more', async () => {
    await ada.put({ package: 'bare' }, 'abc')
    await patch('bare', said)
    await patch('bare', nothingSaid)
    expect((await get('bare')).body).toMatchObject({ ...nothingSaid, versions: 1 })
    expect(await remove(at('bare/1.0'))).toBe(204)
    expect((await get('bare')).status).toBe(404)
  })

  test.each(['', '?purge=true'])('does not keep its owner from being deleted: %p', async (query) => {
    const bo = await stowage.user('bo')
    for (const name of ['a', 'b', 'c']) {
      await bo.put({ package: name }, 'abc')
      await bo.fetch(`${at(name, 'bo')}/-/metadata`, { method: 'PATCH', body: JSON.stringify(said) })
    }
    for (const name of ['a', 'b']) expect(await remove(at(`${name}/1.0`, 'bo'), bo)).toBe(204)
    const owner = '/api/v1/admin/users/bo'
    expect(await remove(owner, stowage.admin)).toBe(422)
    if (query === '') expect(await remove(at('c/1.0', 'bo'), bo)).toBe(204)
    expect(await remove(owner + query, stowage.admin)).toBe(204)
    expect(await toldOf('a', 'b', 'c')).toEqual([])
  })
})

describe('Stowage-Description', () => {
  test('is what is said of a package by the upload that makes it, and by no other', async () => {
    expect((await ada.put({ package: 'told', file: 'a' }, 'a', described('  Größe 🙂  '))).status).toBe(201)
    expect((await get('told')).body).toMatchObject({ ...nothingSaid, description: 'Größe 🙂' })
    expect((await ada.put({ package: 'told', file: 'b' }, 'b', described('other'))).status).toBe(201)
    expect((await ada.put({ package: 'told', version: '2' }, 'b', described('other'))).status).toBe(201)
    expect((await get('told')).body).toMatchObject({ description: 'Größe 🙂' })
    expect(await audited('told')).toEqual([])
    expect((await ada.put({ package: 'untold' }, 'b', described(''))).status).toBe(201)
    expect(await toldOf('told', 'untold')).toHaveLength(1)
    for (const name of ['told', 'untold']) expect(await remove(at(name))).toBe(204)
  })

  test('is taken from a form too, and as long as it may be', async () => {
    const form = new FormData()
    form.append('file', new Blob(['abc']), 'x')
    const text = 'x'.repeat(1_000)
    expect((await ada.put({ package: 'form' }, form, described(text))).status).toBe(201)
    expect((await get('form')).body).toMatchObject({ description: text })
    expect(await remove(at('form'))).toBe(204)
  })

  test.each([
    ['too long', described('x'.repeat(1_001)), 'Stowage-Description may have 1000 characters at most'],
    ['not UTF-8', { 'Stowage-Description': 'Gr\u00f6\u00dfe' }, 'Stowage-Description must be UTF-8'],
    ['with a tab', described('a\tb'), 'Stowage-Description may have no control characters'],
    ['with another line', described('a\u2028b'), 'Stowage-Description may have no control characters'],
    ['with a C1 control', described('a\u009bb'), 'Stowage-Description may have no control characters'],
  ])('%s is refused', async (_, headers, message) => {
    const response = await ada.put({ package: 'refused' }, 'abc', headers)
    expect([response.status, (await response.text()).trim()]).toEqual([400, message])
    expect((await get('refused')).status).toBe(404)
  })
})
