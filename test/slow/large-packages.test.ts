import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { emptyParents } from '../support/inventory.ts'
import { type Client, startStowage, type TestStowage } from '../support/stowage.ts'

const versions = 13_000
const path = '/api/v1/packages/ada/generic/large'

let stowage: TestStowage
let ada: Client

beforeAll(async () => {
  stowage = await startStowage({ settings: { STOWAGE_BLOB_GRACE: '0' }, thread: true })
  ada = await stowage.user('ada')
})
afterAll(() => stowage[Symbol.asyncDispose]())

/** A package with many versions, of a file each, and another one. */
beforeEach(async () => {
  for (const name of ['large', 'other']) expect((await ada.put({ package: name }, 'bytes')).status).toBe(201)
  // A few at a time: the triggers that count take longer with each row of a transaction.
  for (let from = 1; from < versions; from += 500) {
    const to = Math.min(from + 499, versions - 1)
    await stowage.change(`
      with recursive numbers(n) as (select ${from} union all select n + 1 from numbers where n < ${to})
      insert into versions (package_id, version, version_key, creator_id, created_at)
      select (select id from packages where name = 'large'), '9.' || n, '9.' || n, null, n from numbers`)
    await stowage.change(`
      insert into files (version_id, name, name_key, blob_id, uploader_id, upload_id, created_at)
      select versions.id, 'x', 'x', (select max(id) from blobs), null, 'x' || versions.id, 0
      from versions where version like '9.%' and created_at between ${from} and ${to}`)
  }
  expect(await counts()).toEqual({
    versions: versions + 1,
    packages: 2,
    files: versions + 1,
    bytes: 5 * (versions + 1),
  })
}, 600_000)

async function counts() {
  const [row] = await stowage.change('select versions, packages, files, bytes from owner_counts')
  return Object.fromEntries(Object.entries(row ?? {}).map(([name, value]) => [name, Number(value)]))
}

async function mustBeGone(): Promise<void> {
  expect(await counts()).toEqual({ versions: 1, packages: 1, files: 1, bytes: 5 })
  expect((await ada.fetch('/api/v1/packages/ada')).headers.get('x-total-count')).toBe('1')
  expect((await ada.fetch(path)).status).toBe(404)
  expect(await emptyParents(stowage.stowage.registry.catalogue.read)).toEqual([])
  expect(await stowage.change('select version_id from listings')).toHaveLength(1)
  const [{ deleted } = {}] = await stowage.change(
    "select count(*) as deleted from audit_events where action = 'version.deleted'",
  )
  expect(Number(deleted)).toBe(versions)
  expect((await ada.fetch(path.replace('large', 'other'), { method: 'DELETE' })).status).toBe(204)
  await stowage.change('delete from audit_events')
}

/** That others are answered meanwhile, and how long the slowest of them waited, in milliseconds. */
async function slowestOther(work: Promise<Response>): Promise<{ response: Response; slowest: number }> {
  let slowest = 0
  let isOver = false
  const done = work.finally(() => {
    isOver = true
  })
  while (!isOver) {
    const began = performance.now()
    const others = await Promise.all([
      ada.get({ package: 'other' }),
      ada.put({ package: 'small', version: String(began) }, String(began)),
    ])
    expect(others.map(({ status }) => status)).toEqual([200, 201])
    slowest = Math.max(slowest, performance.now() - began)
  }
  expect((await ada.fetch(path.replace('large', 'small'), { method: 'DELETE' })).status).toBe(204)
  await stowage.change("delete from audit_events where package_key = 'small'")
  return { response: await done, slowest }
}

describe(`a package with ${versions} versions`, () => {
  test('is deleted in one call, while others are answered', async () => {
    const { response, slowest } = await slowestOther(ada.fetch(path, { method: 'DELETE' }))
    expect(response.status).toBe(204)
    expect(slowest).toBeLessThan(5_000)
    await mustBeGone()
  }, 600_000)

  test('loses all of its versions that are like a pattern, after it was told which these are', async () => {
    const pattern = (text: string, dry_run: boolean) =>
      ada.post(`${path}/-/delete-versions`, { pattern: text, dry_run })
    const dry = await pattern('9.*', true)
    expect(await dry.json()).toMatchObject({ total_versions: versions - 1, files: versions - 1 })
    const { response, slowest } = await slowestOther(pattern('*', false))
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({ total_versions: versions, files: versions, size: 5 * versions })
    expect(slowest).toBeLessThan(5_000)
    await mustBeGone()
  }, 600_000)
})
