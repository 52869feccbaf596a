import { expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { type Client, startStowage } from '../support/stowage.ts'

type Query = Record<string, string | number>

async function search(client: Client, query: Query) {
  const response = await client.fetch(`/api/v1/search/packages?${new URLSearchParams(query as Record<string, string>)}`)
  return {
    status: response.status,
    // biome-ignore lint/suspicious/noExplicitAny: what it must be is what the test is about.
    body: (await response.json()) as any,
    total: response.headers.get('x-total-count'),
    link: response.headers.get('link') ?? '',
  }
}

/** A few more than are counted. */
const count = 10_051

test('where very many match, they are not counted, and the first of them are shown', async () => {
  await using stowage = await startStowage()
  const many = await stowage.user('many')
  await many.put({ package: 'bulk-0', version: '1' }, 'bulk')
  const sha256 = createHash('sha256').update('bulk').digest('hex')
  const { anonymous } = stowage
  // In parts: PostgreSQL's counts take longer the more of one owner is counted in a transaction.
  for (let from = 1; from < count; from += 500) {
    const numbers = `with recursive numbers(n) as (select ${from} union all select n + 1 from numbers where n < ${Math.min(from + 499, count - 1)})`
    await stowage.change(`${numbers}
      insert into packages (owner_id, name, name_key, created_at)
      select owner_id, 'bulk-' || cast(n as text), 'bulk-' || cast(n as text), 0 from packages, numbers
      where name_key = 'bulk-0' returning id`)
    await stowage.change(`
      insert into versions (package_id, version, version_key, version_order, creator_id, created_at)
      select id, '1', '1', '11%', null, id from packages
      where id not in (select package_id from versions) returning id`)
    await stowage.change(`
      insert into files (version_id, name, name_key, blob_id, uploader_id, upload_id, created_at)
      select id, 'f', 'f', (select max(id) from blobs), null, 'bulk ' || cast(id as text), 0 from versions
      where id not in (select version_id from files) returning id`)
  }

  const queries: Query[] = [{ q: 'bulk' }, { q: 'bu' }, { owner: 'many' }, { sha256 }]
  for (const query of queries) {
    for (const sort of ['created', 'name', 'version', 'size', 'downloads']) {
      const { status, body, total, link } = await search(anonymous, { ...query, sort, order: 'asc', limit: 2 })
      expect({ query, sort, status, length: body.length, total }).toEqual({
        query,
        sort,
        status: 200,
        length: 2,
        total: null,
      })
      expect(link).not.toContain('last')
    }
    const last = await search(anonymous, { ...query, limit: 50, page: 201 })
    expect([query, last.status, last.total]).toEqual([query, 200, null])
    const beyond = await search(anonymous, { ...query, limit: 50, page: 202 })
    expect(beyond).toMatchObject({ status: 422, body: { message: expect.stringContaining('10000') } })
  }
  const byName = async (page: number) =>
    (await search(anonymous, { q: 'bulk', sort: 'name', page, limit: 50 })).body.map(
      ({ name }: { name: string }) => name,
    )
  const names = Array.from({ length: count }, (_, number) => `bulk-${number}`).sort()
  expect(await byName(1)).toEqual(names.slice(0, 50))
  expect(await byName(150)).toEqual(names.slice(149 * 50, 150 * 50))
  expect(await byName(201)).toEqual(names.slice(10_000, 10_050))
  // Not counted by anybody who may not know of them.
  await stowage.change("update owners set visibility = 'private' where name = 'many' returning id")
  for (const query of [{ q: 'bulk' }, { q: 'bu' }, { sha256 }] as Query[]) {
    expect(await search(anonymous, query)).toMatchObject({ status: 200, total: '0', body: [] })
  }
  expect((await search(anonymous, {})).total).toBe('0')
  expect(await search(many, { q: 'bulk-10050' })).toMatchObject({ total: '1', body: [{ name: 'bulk-10050' }] })
}, 600_000)
