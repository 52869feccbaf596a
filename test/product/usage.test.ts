import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { onPostgres } from '../support/database.ts'
import { seededBytes } from '../support/seeded.ts'
import { type Client, startStowage, type TestStowage } from '../support/stowage.ts'

let stowage: TestStowage
beforeAll(async () => {
  stowage = await startStowage()
})
afterAll(() => stowage[Symbol.asyncDispose]())

// biome-ignore lint/suspicious/noExplicitAny: an answer of the API.
async function json(answer: Promise<Response>): Promise<any> {
  return (await answer).json()
}

const none = { versions: null, bytes: null, file_size: null }

describe('usage', () => {
  test('says what an owner and each of its packages have', async () => {
    const ada = await stowage.user('ada')
    const empty = { owner: 'ada', versions: 0, packages: 0, files: 0, size: 0 }
    const bounds = { reserved_versions: 0, reserved_size: 0, quota: none }
    expect(await json(ada.fetch('/api/v1/usage/ada'))).toEqual({ ...empty, ...bounds })
    for (const [name, version, file, size] of [
      ['Tool', '1', 'a', 10],
      ['Tool', '1', 'b', 20],
      ['Tool', '2', 'a', 30],
      ['big', '1', 'a', 500],
      ['a-small-one', '1', 'a', 1],
    ] as const) {
      expect((await ada.put({ package: name, version, file }, seededBytes(size, size))).status).toBe(201)
    }
    expect(await json(ada.fetch('/api/v1/usage/ADA'))).toEqual({
      ...{ owner: 'ada', versions: 4, packages: 3, files: 5, size: 561 },
      ...bounds,
    })
    const bySize = await ada.fetch('/api/v1/usage/ada/packages')
    expect(bySize.headers.get('x-total-count')).toBe('3')
    expect(await bySize.json()).toEqual([
      { name: 'big', versions: 1, files: 1, size: 500, downloads: 0 },
      { name: 'Tool', versions: 2, files: 3, size: 60, downloads: 0 },
      { name: 'a-small-one', versions: 1, files: 1, size: 1, downloads: 0 },
    ])
    const names = async (rest: string) =>
      (await json(ada.fetch(`/api/v1/usage/ada/packages${rest}`))).map(({ name }: { name: string }) => name)
    expect(await names('?sort=name')).toEqual(['a-small-one', 'big', 'Tool'])
    expect(await names('?sort=size&limit=1&page=2')).toEqual(['Tool'])
    expect(await names('?sort=name&limit=2&page=2')).toEqual(['Tool'])
    expect((await ada.fetch('/api/v1/usage/ada/packages?sort=age')).status).toBe(422)
  })

  test('is told to whoever may read there, without what is only for those who write', async () => {
    const anonymous = await json(stowage.anonymous.fetch('/api/v1/usage/ada'))
    expect(anonymous).toMatchObject({ size: 561, reserved_versions: null, reserved_size: null, quota: null })
    const bob = await stowage.user('bob', { visibility: 'private' })
    expect((await bob.put({}, 'x')).status).toBe(201)
    const eve = await stowage.user('eve')
    for (const path of ['/api/v1/usage/bob', '/api/v1/usage/bob/packages', '/api/v1/usage/nobody']) {
      expect((await eve.fetch(path)).status).toBe(404)
      expect((await stowage.anonymous.fetch(path)).status).toBe(404)
    }
    expect(await json(eve.fetch('/api/v1/usage/ada'))).toMatchObject({ quota: null })
    expect(await json(stowage.admin.fetch('/api/v1/usage/bob'))).toMatchObject({ size: 1, quota: none })
    // A token that may only read says what its person may see.
    expect(await json((await bob.token(['read:package'])).fetch('/api/v1/usage/bob'))).toMatchObject({ quota: none })
    expect((await (await bob.token(['read:user'])).fetch('/api/v1/usage/bob')).status).toBe(403)
  })
})

const checkPath = '/api/v1/admin/usage-check'

async function recounted() {
  expect((await stowage.admin.fetch(checkPath, { method: 'POST' })).status).toBe(202)
  expect(await stowage.stowage.runJobs('recount')).toBeGreaterThan(0)
  return (await json(stowage.admin.fetch(checkPath))).last
}

describe('the recount', () => {
  test('finds nothing wrong where nothing is', async () => {
    const { corrected, drift, versions, packages, owners, at } = await recounted()
    expect({ corrected, drift }).toEqual({ corrected: 0, drift: [] })
    expect(Math.min(versions, packages, owners)).toBeGreaterThan(2)
    expect(Date.parse(at)).toBeGreaterThan(Date.now() - 60_000)
  })

  test('says which numbers had drifted, and puts them right', async () => {
    const carol = await stowage.user('carol')
    expect((await carol.put({}, 'x'.repeat(100))).status).toBe(201)
    expect((await carol.put({ package: 'lost' }, 'x'.repeat(7))).status).toBe(201)
    const id = "(select id from owners where name = 'carol')"
    const its = (name: string) => `(select id from packages where owner_id = ${id} and name = '${name}')`
    await stowage.change(`update owner_counts set bytes = bytes + 5, files = 0 where owner_id = ${id}`)
    await stowage.change(`update package_counts set versions = 9, bytes = 1 where package_id = ${its('tool')}`)
    await stowage.change(`delete from package_counts where package_id = ${its('lost')}`)
    await stowage.change(`update listings set size = 3 where package_id = ${its('tool')}`)
    const { drift, corrected } = await recounted()
    const line = (of: string, name: string, number: string, kept: number, counted: number) => {
      return { of, name, number, kept, counted }
    }
    expect(drift).toEqual([
      line('version', 'carol/tool/1.0', 'bytes', 3, 100),
      line('package', 'carol/tool', 'versions', 9, 1),
      line('package', 'carol/tool', 'bytes', 1, 100),
      line('package', 'carol/lost', 'versions', 0, 1),
      line('package', 'carol/lost', 'files', 0, 1),
      line('package', 'carol/lost', 'bytes', 0, 7),
      line('owner', 'carol', 'files', 0, 2),
      line('owner', 'carol', 'bytes', 112, 107),
    ])
    expect(corrected).toBe(8)
    expect(await json(carol.fetch('/api/v1/usage/carol'))).toMatchObject({ versions: 2, files: 2, size: 107 })
    expect(await drifted(stowage)).toEqual([])
    expect(await recounted()).toMatchObject({ corrected: 0 })
  })

  test('takes away what is kept of what is gone, and tells 20 of many', async () => {
    await stowage.change('update listings set size = size + 1')
    await stowage.change('update package_counts set files = files + 2, bytes = bytes + 3')
    await stowage.change('update owner_counts set versions = versions + 1, packages = packages + 1, bytes = bytes + 1')
    const { drift, corrected } = await recounted()
    expect(drift).toHaveLength(20)
    expect(corrected).toBeGreaterThan(20)
    expect(await drifted(stowage)).toEqual([])
  })

  test('is asked for by administrators, which the audit log tells', async () => {
    const ada = stowage.anonymous
    expect((await ada.fetch(checkPath)).status).toBe(401)
    expect((await ada.fetch(checkPath, { method: 'POST' })).status).toBe(401)
    const rows = await stowage.change("select actor_name from audit_events where action = 'usage.recounted'")
    expect(rows.length).toBeGreaterThan(0)
    expect(rows[0]).toEqual({ actor_name: 'admin' })
  })
})

/** What differs between what is kept and what is there, counted from the files up; empty when all is right. */
async function drifted(at: TestStowage): Promise<Record<string, unknown>[]> {
  const text = onPostgres ? '::text' : ''
  return at.change(`
    with sums as (
      select packages.owner_id, packages.id as package_id, versions.id as version_id,
        (select count(*) from files where files.version_id = versions.id) as files,
        (select coalesce(sum(size), 0) from files join blobs on blobs.id = blob_id where files.version_id = versions.id) as bytes
      from packages join versions on versions.package_id = packages.id
    ), kept as (
      select 'version ' || version_id${text} as what, 1 as versions, 1 as packages, 0 as files, size as bytes from listings
      union all select 'package ' || package_id${text}, versions, 1, files, bytes from package_counts where versions <> 0 or files <> 0 or bytes <> 0
      union all select 'owner ' || owner_id${text}, versions, packages, files, bytes from owner_counts where versions <> 0 or packages <> 0 or files <> 0 or bytes <> 0
    ), counted as (
      select 'version ' || version_id${text} as what, 1 as versions, 1 as packages, 0 as files, bytes from sums
      union all select 'package ' || package_id${text}, count(*), 1, sum(files), sum(bytes) from sums group by package_id
      union all select 'owner ' || owner_id${text}, count(*), count(distinct package_id), sum(files), sum(bytes) from sums group by owner_id
    )
    select * from (select * from kept except select * from counted) as more
    union all select * from (select * from counted except select * from kept) as less`)
}

describe('what is kept of versions, files and bytes', () => {
  interface Step {
    what: 'put' | 'file' | 'version' | 'versions' | 'package' | 'fail'
    package: string
    version: string
    file: string
    size: number
  }

  const steps = fc.array(
    fc.record<Step>({
      what: fc.constantFrom('put', 'put', 'put', 'put', 'file', 'version', 'versions', 'package', 'fail'),
      package: fc.constantFrom('p', 'q'),
      version: fc.constantFrom('1', '2', '3'),
      file: fc.constantFrom('a', 'b', 'c'),
      size: fc.integer({ min: 0, max: 40 }),
    }),
    { minLength: 5, maxLength: 30 },
  )

  function run(by: Client, { what, size, ...address }: Step): Promise<Response> {
    switch (what) {
      case 'put':
        return by.put(address, seededBytes(size, size))
      case 'fail':
        return by.put(address, 'x', { 'X-Checksum-Sha256': '0'.repeat(64) })
      case 'file':
        return by.delete(address)
      case 'version':
        return by.deleteVersion(address)
      case 'versions':
        return by.post(`/api/v1/packages/${by.name}/generic/${address.package}/-/delete-versions`, { pattern: '*' })
      case 'package':
        return by.fetch(`/api/v1/packages/${by.name}/generic/${address.package}`, { method: 'DELETE' })
    }
  }

  const unforeseen = (status: number) => status >= 500
  let number = 0

  /** A user whom nothing is left of but what was done here. */
  async function somebody(): Promise<Client> {
    number += 1
    return stowage.user(`somebody${number}`)
  }

  test('is what is there after whatever was published and deleted, one after the other', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (steps) => {
        const by = await somebody()
        for (const step of steps) expect((await run(by, step)).status).toSatisfy((status) => !unforeseen(status))
        expect(await drifted(stowage)).toEqual([])
      }),
      { numRuns: 6 },
    )
  })

  test('and all at the same time', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (steps) => {
        const by = await somebody()
        const answers = await Promise.all(steps.map((step) => run(by, step)))
        expect(answers.map(({ status }) => status).filter(unforeseen)).toEqual([])
        expect(await drifted(stowage)).toEqual([])
      }),
      { numRuns: 8 },
    )
  })

  // SQLite's triggers count each row by itself.
  const testOnPostgres = onPostgres ? test : test.skip
  testOnPostgres('and when one transaction deletes versions one by one, and their package', async () => {
    const by = await somebody()
    for (const version of ['1', '2', '3']) expect((await by.put({ version }, 'x')).status).toBe(201)
    const its = `(select id from packages where owner_id = (select id from owners where name = '${by.name}'))`
    const version = (name: string) => `delete from versions where package_id = ${its} and version = '${name}'`
    await stowage.change(`
      begin; delete from files where version_id in (select id from versions where package_id = ${its});
      ${version('1')}; ${version('2')}; ${version('3')}; delete from packages where id = ${its}; commit`)
    expect(await drifted(stowage)).toEqual([])
    expect(await json(by.fetch(`/api/v1/usage/${by.name}`))).toMatchObject({
      versions: 0,
      packages: 0,
      files: 0,
      size: 0,
    })
  })

  test('and when the owner goes with all that is there', async () => {
    const by = await somebody()
    await Promise.all([1, 2, 3, 4].map((file) => by.put({ package: `p${file % 2}`, file: `${file}` }, 'x')))
    const gone = await stowage.admin.fetch(`/api/v1/admin/users/${by.name}?purge=true`, { method: 'DELETE' })
    expect(gone.status).toBe(204)
    expect(await drifted(stowage)).toEqual([])
  })

  test('is also right while it is recounted and people publish', async () => {
    const by = await somebody()
    await stowage.change('update package_counts set bytes = bytes + 11')
    const publishing = Array.from({ length: 30 }, (_, index) =>
      by.put({ package: `p${index % 3}`, version: `${index % 5}`, file: `${index}` }, seededBytes(index, index)),
    )
    const [check, ...answers] = await Promise.all([recounted(), ...publishing])
    expect(answers.map(({ status }) => status).filter((status) => status !== 201)).toEqual([])
    expect(check.corrected).toBeGreaterThan(0)
    expect(await drifted(stowage)).toEqual([])
  })
})
