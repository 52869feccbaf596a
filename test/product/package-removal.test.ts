import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { emptyParents } from '../support/inventory.ts'
import { nothing, stored } from '../support/stored.ts'
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

const base = (rest: string, owner = 'ada') => `/api/v1/packages/${owner}/generic/${rest}`

async function send(client: Client, method: string, path: string): Promise<[number, string]> {
  const response = await client.fetch(path, { method })
  const text = await response.text()
  return [response.status, text && (JSON.parse(text).message as string)]
}

const unknown: [number, string] = [404, 'package does not exist']

describe('DELETE of a version', () => {
  test('takes all its files, and the last version its package', async () => {
    for (const version of ['1', '2']) for (const file of ['a', 'b']) await ada.put({ version, file }, version + file)
    expect(await send(ada, 'DELETE', base('TOOL/1'))).toEqual([204, ''])
    expect((await ada.get({ version: '1', file: 'a' })).status).toBe(404)
    expect((await ada.get({ version: '2', file: 'b' })).status).toBe(200)
    expect(await send(ada, 'DELETE', base('tool/1'))).toEqual(unknown)
    expect(await send(ada, 'DELETE', base('tool/2'))).toEqual([204, ''])
    expect(await send(ada, 'GET', base('tool'))).toEqual(unknown)
    await stowage.stowage.sweep()
    expect(await stored(stowage)).toEqual(nothing)
  })
})

describe('DELETE of a package', () => {
  test('takes all its versions, more than one transaction does, and nothing else', async () => {
    await ada.put({ package: 'large' }, 'bytes')
    await ada.put({ package: 'other' }, 'other bytes')
    await stowage.change(`
      with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < 1300)
      insert into versions (package_id, version, version_key, creator_id, created_at)
      select (select id from packages where name = 'large'), '9.' || n, '9.' || n, null, n from numbers`)
    await stowage.change(`
      insert into files (version_id, name, name_key, blob_id, uploader_id, upload_id, created_at)
      select id, 'x', 'x', (select blob_id from files where version_id in
        (select id from versions where package_id = (select id from packages where name = 'large'))), null, 'x' || id, 0
      from versions where version like '9.%'`)
    const total = async () => (await ada.fetch('/api/v1/packages/ada?limit=1')).headers.get('x-total-count')
    expect(await total()).toBe('1302')
    expect(await send(ada, 'DELETE', base('Large'))).toEqual([204, ''])
    expect(await total()).toBe('1')
    expect(await send(ada, 'DELETE', base('large'))).toEqual(unknown)
    expect(await emptyParents(stowage.stowage.registry.catalogue.read)).toEqual([])
    expect(await stowage.stowage.sweep()).toMatchObject({ doomed: { blobs: 1 } })
    expect(await (await ada.get({ package: 'other' })).text()).toBe('other bytes')
    expect((await ada.delete({ package: 'other' })).status).toBe(204)
    await stowage.stowage.sweep()
  })

  test('is for who may write, and says what a token lacks', async () => {
    await ada.put({}, 'bytes')
    const token = await ada.token(['read:package'])
    for (const path of [base('tool'), base('tool/1.0')]) {
      expect((await send(stowage.anonymous, 'DELETE', path))[0]).toBe(401)
      expect((await send(eve, 'DELETE', path))[0]).toBe(403)
      expect(await send(token, 'DELETE', path)).toEqual([
        403,
        'token does not have at least one of required scope(s), required=[write:package], token scope=read:package',
      ])
      expect(await send(eve, 'DELETE', path.replace('ada', 'nobody'))).toEqual([404, 'Not found.'])
    }
    expect(await (await ada.get()).text()).toBe('bytes')
  })
})

describe('ties to repositories, of which there are none', () => {
  test('are refused in the order that clients know', async () => {
    await ada.put({ file: 'linked' }, 'bytes')
    expect(await send(ada, 'POST', base('none/-/link/repo'))).toEqual(unknown)
    expect((await send(eve, 'POST', base('none/-/link/repo')))[0]).toBe(404)
    expect((await send(eve, 'POST', base('tool/-/link/repo')))[0]).toBe(403)
    expect(await send(ada, 'POST', base('tool/-/link/repo'))).toEqual([404, 'repository does not exist'])
    expect(await send(ada, 'POST', base('none/-/unlink'))).toEqual(unknown)
    expect((await send(eve, 'POST', base('tool/-/unlink')))[0]).toBe(403)
    expect(await send(ada, 'POST', base('tool/-/unlink'))).toEqual([400, 'package is not linked'])
  })
})
