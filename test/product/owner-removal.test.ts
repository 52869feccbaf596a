import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { Catalogue } from '../../server/catalogue/transaction.ts'
import { emptyParents } from '../support/inventory.ts'
import { nothing, stored } from '../support/stored.ts'
import { type Client, startStowage, type TestStowage } from '../support/stowage.ts'

/** Something that a test does before a transaction of that name runs for the n-th time. */
type Before = (name: string, times: number) => Promise<void>

/** A server whose transactions can be watched. */
async function watched(): Promise<{ stowage: TestStowage; watch: (before: Before | undefined) => void }> {
  let before: Before | undefined
  let times = new Map<string, number>()
  const catalogue = (real: Catalogue): Catalogue => ({
    ...real,
    transact: async (work, args) => {
      times.set(work.name, (times.get(work.name) ?? 0) + 1)
      await before?.(work.name, times.get(work.name) ?? 0)
      return real.transact(work, args)
    },
  })
  const stowage = await startStowage({ settings: { STOWAGE_BLOB_GRACE: '0' }, replace: { catalogue } })
  const watch = (next: Before | undefined) => {
    before = next
    times = new Map()
  }
  return { stowage, watch }
}

let stowage: TestStowage
let watch: (before: Before | undefined) => void
let admin: Client

beforeAll(async () => {
  ;({ stowage, watch } = await watched())
  admin = stowage.admin
})
afterAll(() => stowage[Symbol.asyncDispose]())

const at = (name: string, query = '') => `/api/v1/admin/users/${name}${query}`

async function send(client: Client, method: string, path: string, body?: unknown) {
  const response = await client.fetch(path, { method, body: body === undefined ? null : JSON.stringify(body) })
  const text = await response.text()
  return { status: response.status, message: text ? (JSON.parse(text).message as string) : '', text }
}

const remove = (name: string, query = '', by = admin) => send(by, 'DELETE', at(name, query))

async function statusOf(name: string): Promise<number> {
  return (await admin.fetch(`/api/v1/users/${name}`)).status
}

async function versionsOf(name: string): Promise<number> {
  const list = await admin.fetch(`/api/v1/packages/${name}?limit=1`)
  return Number(list.headers.get('x-total-count'))
}

/** More versions of the file's package, each with one more file of the same bytes. */
async function addVersions(owner: string, count: number): Promise<void> {
  const package_ = `(select packages.id from packages join owners on owners.id = packages.owner_id where owners.name = '${owner}')`
  await stowage.change(`
    with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < ${count})
    insert into versions (package_id, version, version_key, creator_id, created_at)
    select ${package_}, '9.' || n, '9.' || n, null, n from numbers`)
  await stowage.change(`
    insert into files (version_id, name, name_key, blob_id, uploader_id, upload_id, created_at)
    select versions.id, 'x', 'x', (select min(id) from blobs), null, 'x' || versions.id, 0
    from versions where package_id = ${package_} and version like '9.%'`)
}

/** More files in the one version that an owner has. */
async function addFiles(owner: string, count: number): Promise<void> {
  await stowage.change(`
    with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < ${count})
    insert into files (version_id, name, name_key, blob_id, uploader_id, upload_id, created_at)
    select
      (select max(versions.id) from versions join packages on packages.id = package_id
        join owners on owners.id = owner_id where owners.name = '${owner}'),
      'f' || n, 'f' || n, (select min(id) from blobs), null, 'f' || n, 0 from numbers`)
}

/** An organisation with its owners, and other people who may publish there. */
async function organisation(name: string, [founder, ...owners]: string[], members: string[] = []): Promise<void> {
  const founded = await admin.post(`/api/v1/admin/users/${founder}/orgs`, { username: name })
  expect(founded.status).toBe(201)
  const teams = `/api/v1/orgs/${name}/teams`
  const [first] = (await (await admin.fetch(teams)).json()) as { id: number }[]
  const second = await admin.post(teams, {
    name: 'others',
    permission: 'write',
    units_map: { 'repo.packages': 'write' },
  })
  expect(second.status).toBe(201)
  const { id } = (await second.json()) as { id: number }
  for (const [team, users] of [
    [first?.id, owners],
    [id, members],
  ] as const) {
    for (const user of users) {
      expect((await send(admin, 'PUT', `/api/v1/teams/${team}/members/${user}`)).status).toBe(204)
    }
  }
}

describe('a user who is deleted', () => {
  test('is gone with account and tokens; his name is free, and what he made elsewhere is by Ghost', async () => {
    const ada = await stowage.user('ada')
    const token = await ada.token(['all'])
    await stowage.change(`update users set is_admin = 1 where id = (select id from owners where name = 'ada')`)
    await stowage.user('shop')
    expect((await ada.put({ owner: 'shop' }, 'bytes')).status).toBe(201)
    expect(await remove('ADA')).toMatchObject({ status: 204, text: '' })
    expect([(await ada.fetch('/api/v1/user')).status, (await token.fetch('/api/v1/user')).status]).toEqual([401, 401])
    expect(await statusOf('ada')).toBe(404)
    const shown = await admin.fetch('/api/v1/packages/shop/generic/tool/1.0')
    expect(await shown.json()).toMatchObject({ creator: { login: 'Ghost', id: -1 } })
    const again = await stowage.user('ada')
    expect((await again.fetch('/api/v1/user')).status).toBe(200)
    expect(await remove('ada')).toMatchObject({ status: 204 })
    expect(await remove('ada')).toMatchObject({ status: 404 })
    expect(await remove('shop', '?purge=1')).toMatchObject({ status: 204 })
  })

  test('stays while he owns packages, unless they go with him', async () => {
    const bo = await stowage.user('bo')
    await bo.put({ package: 'a' }, 'bytes')
    await bo.put({ package: 'b' }, 'bytes')
    for (const query of ['', '?purge=false', '?purge=']) {
      const message = 'bo still owns packages: delete them first, or all at once with purge=true.'
      expect(await remove('bo', query)).toMatchObject({ status: 422, message })
    }
    const unclear = await remove('bo', '?purge=yes')
    expect(unclear).toMatchObject({ status: 422, message: 'purge: must be true or false, or not be there' })
    const token = await admin.token(['write:admin'])
    expect(await remove('bo', '?purge=true', token)).toMatchObject({
      status: 403,
      message:
        'token does not have at least one of required scope(s), required=[write:package], token scope=write:admin',
    })
    expect(await versionsOf('bo')).toBe(2)
    const wider = await admin.token(['write:admin', 'write:package'])
    expect(await remove('bo', '?purge=true', wider)).toMatchObject({ status: 204 })
    expect((await admin.get({ owner: 'bo', package: 'a' })).status).toBe(404)
  })

  test('leaves no organisation without an owner', async () => {
    for (const name of ['olga', 'otto', 'mia']) await stowage.user(name)
    await organisation('acme', ['olga', 'otto'], ['mia'])
    await organisation('tools', ['olga'], ['otto', 'mia'])
    for (const query of ['', '?purge=true']) {
      const message = 'olga is the last owner of tools: give them another one first.'
      expect(await remove('olga', query)).toMatchObject({ status: 422, message })
    }
    expect([(await remove('mia')).status, (await remove('otto')).status]).toEqual([204, 204])
    expect(await remove('olga')).toMatchObject({
      status: 422,
      message: 'olga is the last owner of acme, tools: give them another one first.',
    })
    for (const name of ['acme', 'tools']) {
      expect(await send(admin, 'DELETE', `/api/v1/orgs/${name}`)).toMatchObject({ status: 204 })
    }
    expect((await remove('olga')).status).toBe(204)
  })
})

describe('an organisation', () => {
  test('is renamed and deleted by its owners, and by nobody else', async () => {
    const [olga, mia, eve] = await Promise.all(['olga', 'mia', 'eve'].map((name) => stowage.user(name)))
    if (!olga || !mia || !eve) throw new Error('no users')
    await organisation('acme', ['olga'], ['mia'])
    const mine = await olga.token(['write:package', 'write:admin', 'read:organization'])
    for (const [client, status] of [
      [stowage.anonymous, 401],
      [eve, 403],
      [mia, 403],
      [mine, 403],
    ] as const) {
      expect((await send(client, 'DELETE', '/api/v1/orgs/acme')).status).toBe(status)
      expect((await send(client, 'POST', '/api/v1/orgs/acme/rename', { new_name: 'other' })).status).toBe(status)
    }
    await stowage.change("update owners set visibility = 'private' where name = 'acme'")
    expect((await send(eve, 'DELETE', '/api/v1/orgs/acme')).status).toBe(404)
    expect((await send(mia, 'DELETE', '/api/v1/orgs/acme')).status).toBe(403)
    const publicOnly = await olga.token(['all', 'public-only'])
    expect((await send(publicOnly, 'DELETE', '/api/v1/orgs/acme')).status).toBe(403)
    for (const name of ['eve', 'nobody', 'not%20a%20name', 'a%00b']) {
      expect((await send(olga, 'DELETE', `/api/v1/orgs/${name}`)).status).toBe(404)
      expect((await send(olga, 'POST', `/api/v1/orgs/${name}/rename`, { new_name: 'x' })).status).toBe(404)
    }

    const token = await olga.token(['write:organization'])
    expect((await send(token, 'POST', '/api/v1/orgs/acme/rename', { new_name: 'Apex' })).status).toBe(204)
    expect((await olga.put({ owner: 'Apex' }, 'bytes')).status).toBe(201)
    expect((await send(token, 'DELETE', '/api/v1/orgs/apex')).status).toBe(422)
    expect((await send(token, 'DELETE', '/api/v1/orgs/apex?purge=true')).status).toBe(403)
    expect((await send(olga, 'DELETE', '/api/v1/orgs/apex?purge=true')).status).toBe(204)
    expect((await olga.get({ owner: 'Apex' })).status).toBe(404)
    for (const name of ['olga', 'mia', 'eve']) expect((await remove(name)).status).toBe(204)
  })
})

describe('purging', () => {
  const many = 1_100

  test('removes any number of versions and files, and their bytes after it', async () => {
    const cy = await stowage.user('cy')
    await cy.put({}, 'one')
    // The last of all, so that many files are left when no other version is.
    await cy.put({ version: 'z', file: 'other' }, 'two')
    await addFiles('cy', 3_000)
    await addVersions('cy', many)
    await cy.put({ package: 'small' }, 'three')
    expect(await versionsOf('cy')).toBe(many + 3)
    const seen: string[] = []
    watch(async (name) => void seen.push(name))
    expect(await remove('cy', '?purge=true')).toMatchObject({ status: 204 })
    watch(undefined)
    // Never more than 500 files at a time.
    expect(seen.filter((name) => name === 'purge some').length).toBeGreaterThanOrEqual(9)
    await stowage.stowage.sweep()
    expect(await stored(stowage)).toEqual(nothing)
    expect(await stowage.change('select * from owner_counts where versions <> 0')).toEqual([])
    expect(await stowage.change('select * from listings')).toEqual([])
  })

  test('that is broken off leaves what can be shown, and the same call goes on', async () => {
    const cy = await stowage.user('cy')
    await cy.put({}, 'one')
    await addVersions('cy', many)
    watch(async (name, times) => {
      if (name === 'purge some' && times === 2) throw new Error('broken off')
    })
    expect((await remove('cy', '?purge=true')).status).toBe(500)
    watch(undefined)
    const { versions } = await stored(stowage)
    expect(versions).toBeLessThan(many)
    expect(await versionsOf('cy')).toBe(versions)
    expect(await emptyParents(stowage.stowage.registry.catalogue.read)).toEqual([])
    expect((await remove('cy', '?purge=true')).status).toBe(204)
    await stowage.stowage.sweep()
    expect(await stored(stowage)).toEqual(nothing)
  })

  test('ends where its administrator is one no longer', async () => {
    const [cy, grace] = [await stowage.user('cy'), await stowage.user('grace')]
    await send(admin, 'PATCH', at('grace'), { admin: true })
    await cy.put({}, 'one')
    await addVersions('cy', many)
    watch(async (name, times) => {
      if (name === 'purge some' && times === 2) await send(admin, 'PATCH', at('grace'), { admin: false })
    })
    expect((await remove('cy', '?purge=true', grace)).status).toBe(403)
    watch(undefined)
    expect(await versionsOf('cy')).toBe(many + 1 - 500)
    expect([(await remove('cy', '?purge=true')).status, (await remove('grace')).status]).toEqual([204, 204])
  })

  test('takes along what is published meanwhile', async () => {
    const cy = await stowage.user('cy')
    await cy.put({}, 'one')
    const statuses: number[] = []
    watch(async (name, times) => {
      if (name === 'purge some' && times === 1) statuses.push((await cy.put({ version: '2.0' }, 'two')).status)
      if (name === 'remove owner' && times === 1) statuses.push((await cy.put({ package: 'b' }, 'three')).status)
    })
    expect((await remove('cy', '?purge=true')).status).toBe(204)
    watch(undefined)
    expect([...statuses, (await cy.put({}, 'late')).status, (await admin.put({ owner: 'cy' }, 'late')).status]).toEqual(
      [201, 201, 401, 404],
    )
    await stowage.stowage.sweep()
    expect(await stored(stowage)).toEqual(nothing)
  })

  test('gives up where somebody goes on publishing, and takes nothing half away', async () => {
    const cy = await stowage.user('cy')
    watch(async (name, times) => {
      if (name === 'remove owner') await cy.put({ version: `${times}` }, 'more')
    })
    const { status, message } = await remove('cy', '?purge=true')
    watch(undefined)
    expect({ status, message }).toEqual({
      status: 422,
      message: 'Somebody goes on publishing at cy. Stop that first, then try again.',
    })
    expect((await cy.get({ version: '5' })).status).toBe(200)
    expect((await remove('cy', '?purge=true')).status).toBe(204)
  })
})
