import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { emptyParents } from '../support/inventory.ts'
import { type Client, startStowage, type TestStowage } from '../support/stowage.ts'

let stowage: TestStowage
let ada: Client
let eve: Client

beforeAll(async () => {
  stowage = await startStowage({ settings: { STOWAGE_BLOB_GRACE: '0' } })
  ada = await stowage.user('ada')
  eve = await stowage.user('eve')
})
afterAll(() => stowage[Symbol.asyncDispose]())

const at = (name: string) => `/api/v1/packages/ada/generic/${name}`

interface Deleted {
  dry_run: boolean
  versions: { version: string; files: number; size: number }[]
  total_versions: number
  files: number
  size: number
  unknown: string[]
}

async function ask(
  name: string,
  body: unknown,
  client = ada,
): Promise<{ status: number; body: Deleted & { message?: string } }> {
  const response = await client.post(`${at(name)}/-/delete-versions`, body)
  return { status: response.status, body: (await response.json()) as Deleted }
}

const names = ({ body }: { body: Deleted }) => body.versions.map(({ version }) => version)

async function left(name: string): Promise<string[]> {
  const response = await ada.fetch(`${at(name)}?limit=50`)
  if (response.status === 404) return []
  return ((await response.json()) as { version: string }[]).map(({ version }) => version).sort()
}

const remove = async (name: string) => (await ada.fetch(at(name), { method: 'DELETE' })).status

/** More versions, `9.1` and so on, each with files of bytes that are there. */
async function addVersions(name: string, count: number, filesOfEach = 1): Promise<void> {
  // A few at a time: the triggers that count take longer with each row of a transaction.
  for (let from = 1; from <= count; from += 250) {
    const to = Math.min(from + 249, count)
    await stowage.change(`
      with recursive numbers(n) as (select ${from} union all select n + 1 from numbers where n < ${to})
      insert into versions (package_id, version, version_key, creator_id, created_at)
      select (select id from packages where name = '${name}'), '9.' || n, '9.' || n, null, n from numbers`)
    await stowage.change(`
      with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < ${filesOfEach})
      insert into files (version_id, name, name_key, blob_id, uploader_id, upload_id, created_at)
      select versions.id, 'x' || n, 'x' || n, (select max(id) from blobs), null, 'x' || versions.id || ' ' || n, 0
      from versions, numbers
      where version like '9.%' and created_at between ${from} and ${to}
        and package_id = (select id from packages where name = '${name}')`)
  }
}

describe('versions', () => {
  const published = ['1.0', '1.1', '1.1-RC1', '1.2-rc2', '1.2-rc10', '2.0-rc1', 'Übung']

  async function publish(name: string): Promise<void> {
    for (const version of published) await ada.put({ package: name, version, file: 'a' }, version)
    await ada.put({ package: name, version: '1.1', file: 'b' }, 'more')
  }

  test('are deleted by name, in whatever letter case, and those that are not there are told', async () => {
    await publish('named')
    const wanted = { versions: ['1.1', '7.0', '1.1-rc1', '1.1', 'u\u0308bung', '', 'a/b', '1.1-RC1', '..'] }
    const expected = {
      versions: [
        { version: '1.1', files: 2, size: 7 },
        { version: '1.1-RC1', files: 1, size: 7 },
        { version: 'Übung', files: 1, size: 6 },
      ],
      total_versions: 3,
      files: 4,
      size: 20,
      unknown: ['', 'a/b', '..', '7.0'],
    }
    expect(await ask('Named', { ...wanted, dry_run: true })).toEqual({
      status: 200,
      body: { dry_run: true, ...expected },
    })
    expect(await left('named')).toEqual([...published].sort())
    expect(await ask('Named', wanted)).toEqual({ status: 200, body: { dry_run: false, ...expected } })
    expect(await left('named')).toEqual(['1.0', '1.2-rc10', '1.2-rc2', '2.0-rc1'])
    // The same once more finds nothing to do.
    expect((await ask('named', wanted)).body).toMatchObject({ versions: [], total_versions: 0, files: 0, size: 0 })
    expect((await ada.get({ package: 'named', version: '1.1', file: 'a' })).status).toBe(404)
    expect((await ada.get({ package: 'named', version: '1.0', file: 'a' })).status).toBe(200)
    expect(await remove('named')).toBe(204)
  })

  test('are deleted by a pattern, which can be tried before', async () => {
    await publish('like')
    const patterns: [pattern: string, like: string[]][] = [
      ['1.*-rc?', ['1.1-RC1', '1.2-rc2']],
      ['1.?', ['1.0', '1.1']],
      ['U\u0308?ung', ['Übung']],
      ['[0-9]*', []],
      ['*', published],
      ['*-RC*', ['1.1-RC1', '1.2-rc10', '1.2-rc2', '2.0-rc1']],
    ]
    for (const [pattern, like] of patterns) {
      const dry = await ask('like', { pattern, dry_run: true })
      expect([pattern, names(dry).sort(), dry.body.total_versions]).toEqual([pattern, [...like].sort(), like.length])
    }
    const dry = await ask('like', { pattern: '*-RC*', dry_run: true })
    expect(await left('like')).toEqual([...published].sort())
    expect((await ask('like', { pattern: '*-RC*' })).body).toEqual({ ...dry.body, dry_run: false, unknown: [] })
    expect(await left('like')).toEqual(['1.0', '1.1', 'Übung'])
    expect((await ask('like', { pattern: '*' })).body).toMatchObject({ total_versions: 3, files: 4 })
    expect(await left('like')).toEqual([])
    expect(await emptyParents(stowage.stowage.registry.catalogue.read)).toEqual([])
  })

  test('are written down and told to webhooks like others that are deleted', async () => {
    await publish('told')
    await stowage.change(`
      insert into webhooks (owner_id, type, url, seal_id, events, is_active, created_at, updated_at)
      select id, 'gitea', 'http://127.0.0.1:1/', 'x', 'package,file_deleted', 1, 0, 0 from owners where name = 'ada'`)
    expect((await ask('told', { versions: ['1.0', '1.1'] })).status).toBe(200)
    const deliveries = await stowage.change('select action, change from deliveries order by id')
    const told = deliveries.map(({ action, change }) => {
      const { version, files } = JSON.parse(String(change)) as { version: { version: string }; files: unknown[] }
      return [action, version.version, files.length]
    })
    expect(told).toEqual([
      ['file_deleted', '1.0', 1],
      ['deleted', '1.0', 1],
      ['file_deleted', '1.1', 2],
      ['deleted', '1.1', 2],
    ])
    await stowage.change('delete from webhooks')
    expect((await ask('told', { pattern: '*' })).status).toBe(200)
    const events = await stowage.change(
      "select action, version, actor_name from audit_events where package_key = 'told' and action <> 'file.published' order by id",
    )
    expect(
      events
        .filter(({ action }) => action === 'version.deleted')
        .map(({ version }) => String(version))
        .sort(),
    ).toEqual([...published].sort())
    expect(events.at(-1)).toEqual({ action: 'package.deleted', version: null, actor_name: 'ada' })
  })

  test('take their package with them, unless something is said of it', async () => {
    await ada.put({ package: 'kept' }, 'a')
    const said = { method: 'PATCH', body: '{"description":"stays"}' }
    expect((await ada.fetch(`${at('kept')}/-/metadata`, said)).status).toBe(200)
    expect((await ask('kept', { pattern: '*' })).body.total_versions).toBe(1)
    expect(await (await ada.fetch(`${at('kept')}/-/metadata`)).json()).toMatchObject({
      description: 'stays',
      versions: 0,
    })
    expect((await ask('kept', { pattern: '*' })).status).toBe(404)
    expect(await remove('kept')).toBe(204)
  })

  test('and files may be more than one transaction deletes', async () => {
    await ada.put({ package: 'large' }, 'bytes')
    await ada.put({ package: 'large', version: '0' }, 'bytes')
    await addVersions('large', 1_050)
    const dry = await ask('large', { pattern: '9.*', dry_run: true })
    expect(dry.body).toMatchObject({ total_versions: 1_050, files: 1_050, size: 5_250 })
    expect(dry.body.versions).toHaveLength(1_000)
    expect((await ask('large', { pattern: '9.*' })).body).toEqual({ ...dry.body, dry_run: false })
    expect(await left('large')).toEqual(['0', '1.0'])
    await addVersions('large', 3, 600)
    expect((await ask('large', { versions: ['9.1', '9.3'] })).body).toMatchObject({ total_versions: 2, files: 1_200 })
    expect(await left('large')).toEqual(['0', '1.0', '9.2'])
    expect((await ask('large', { pattern: '*' })).body).toMatchObject({ total_versions: 3, files: 602 })
    await stowage.stowage.sweep()
    expect(await emptyParents(stowage.stowage.registry.catalogue.read)).toEqual([])
    expect(await stowage.change('select * from package_counts')).toEqual([])
    const [counts] = await stowage.change('select versions, packages, files, bytes from owner_counts')
    expect(Object.values(counts ?? {}).map(Number)).toEqual([0, 0, 0, 0])
  })
})

describe('the call', () => {
  test('is for who may write, and for a package that is there', async () => {
    await ada.put({ package: 'mine' }, 'a')
    for (const dry_run of [true, false]) {
      const body = { pattern: '*', dry_run }
      expect((await ask('mine', body, stowage.anonymous)).status).toBe(401)
      expect((await ask('mine', body, eve)).status).toBe(403)
      expect((await ask('mine', body, await ada.token(['read:package']))).status).toBe(403)
      expect(await ask('none', body)).toMatchObject({ status: 404, body: { message: 'package does not exist' } })
    }
    expect(await left('mine')).toEqual(['1.0'])
    expect(await remove('mine')).toBe(204)
  })

  test.each([
    ['nothing', {}, 'Send either versions or a pattern.'],
    ['both', { versions: ['1'], pattern: '*' }, 'Send either versions or a pattern.'],
    ['no version', { versions: [] }, 'versions: must name a version'],
    ['many versions', { versions: Array.from({ length: 1_001 }, String) }, 'versions: may be 1000 at most'],
    ['a number', { versions: [1] }, 'versions.0: must be text'],
    ['an empty pattern', { pattern: '' }, 'pattern: must not be empty'],
    ['a long pattern', { pattern: '*'.repeat(256) }, 'pattern: may have 255 characters at most'],
    ['an unclear dry run', { pattern: '*', dry_run: 'yes' }, 'dry_run: must be true or false'],
    ['a misspelt field', { pattern: '*', dryrun: true }, 'unknown field: dryrun'],
  ])('takes not %s', async (_, body, message) => {
    expect(await ask('whatever', body)).toMatchObject({ status: 422, body: { message } })
  })
})
