import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { blobFiles } from '../support/inventory.ts'
import { run, testWith } from '../support/programs.ts'
import { temporaryFolder } from '../support/server-process.ts'
import { SlowUpload } from '../support/slow-upload.ts'
import { stored } from '../support/stored.ts'
import { type Client, startStowage, type TestStowage } from '../support/stowage.ts'
import { until } from '../support/until.ts'

let stowage: TestStowage
let admin: Client

beforeAll(async () => {
  stowage = await startStowage({ settings: { STOWAGE_PUBLIC_URL: 'https://example.com/stowage' } })
  admin = stowage.admin
})
afterAll(() => stowage[Symbol.asyncDispose]())

async function send(client: Client, method: string, path: string, body?: unknown) {
  const sent = typeof body === 'string' ? body : JSON.stringify(body)
  const response = await client.fetch(path, { method, body: body === undefined ? null : sent, redirect: 'manual' })
  const text = await response.text()
  const parsed = text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : text
  return { status: response.status, location: response.headers.get('location'), body: parsed }
}

const rename = (name: string, to: unknown, by = admin) =>
  send(by, 'POST', `/api/v1/admin/users/${name}/rename`, { new_username: to })
const free = (name: string) => send(admin, 'DELETE', `/api/v1/admin/reserved-names/${name}`)

/** A new user who has had another name before; with a file. */
async function renamed(before: string, now: string, fields = {}): Promise<Client> {
  const user = await stowage.user(before, fields)
  const token = await user.token(['all'])
  expect((await token.put({}, 'bytes')).status).toBe(201)
  expect(await rename(before, now)).toMatchObject({ status: 204, body: '' })
  return token.as(now)
}

describe('a user who is renamed', () => {
  test('is called that from then on, and signs in by that name alone', async () => {
    const ada = await stowage.user('ada')
    const token = await ada.token(['all'])
    expect((await rename('ADA', 'Lovelace')).status).toBe(204)
    expect((await ada.fetch('/api/v1/user')).status).toBe(401)
    expect((await send(token, 'GET', '/api/v1/user')).body).toMatchObject({ login: 'Lovelace', id: expect.any(Number) })
    expect((await send(admin, 'GET', '/api/v1/users/lovelace')).body).toMatchObject({ login: 'Lovelace' })
    // What is changed for good is named as it is.
    expect((await rename('ada', 'other')).status).toBe(404)
    expect((await send(admin, 'PATCH', '/api/v1/admin/users/ada', {})).status).toBe(404)
    expect((await send(admin, 'DELETE', '/api/v1/admin/users/ada')).status).toBe(404)
  })

  test('is found by his old name where his tokens are made and seen', async () => {
    const liv = await stowage.user('liv')
    expect((await rename('liv', 'liv2')).status).toBe(204)
    for (const [method, rest] of [
      ['GET', '?limit=1'],
      ['POST', ''],
      ['DELETE', '/ci'],
    ] as const) {
      expect(await send(admin, method, `/api/v1/users/liv/tokens${rest}`)).toMatchObject({
        status: 307,
        location: `/stowage/api/v1/users/liv2/tokens${rest}`,
      })
    }
    expect((await send(liv, 'GET', '/api/v1/users/liv/tokens')).status).toBe(401)
    expect((await send(stowage.anonymous, 'GET', '/api/v1/users/liv/tokens')).status).toBe(401)
    expect((await rename('liv2', 'liv3')).status).toBe(204)
    expect((await send(admin, 'PATCH', '/api/v1/admin/users/liv3', { visibility: 'private' })).status).toBe(200)
    const eva = await stowage.user('eva')
    expect((await send(eva, 'GET', '/api/v1/users/liv/tokens')).status).toBe(404)
  })

  test('only in upper and lower case leaves no name behind', async () => {
    await stowage.user('grace')
    expect((await rename('grace', 'GRACE')).status).toBe(204)
    expect((await send(admin, 'GET', '/api/v1/users/grace')).body).toMatchObject({ login: 'GRACE' })
    expect((await free('grace')).status).toBe(404)
  })

  test('may have each of his names again, and all of them lead to him', async () => {
    const mia = await renamed('mia', 'mia2')
    expect((await rename('mia2', 'mia3')).status).toBe(204)
    for (const name of ['mia', 'mia2']) {
      expect(await send(mia, 'GET', mia.path({ owner: name }))).toMatchObject({
        status: 307,
        location: `/stowage${mia.path({ owner: 'mia3' })}`,
      })
    }
    expect((await rename('mia3', 'Mia')).status).toBe(204)
    expect((await mia.get({ owner: 'mia' })).status).toBe(200)
    expect((await send(mia, 'GET', mia.path({ owner: 'mia3' }))).location).toBe(`/stowage${mia.path({ owner: 'Mia' })}`)
    expect((await free('mia')).status).toBe(404)
  })
})

describe('a name', () => {
  const reserved = (name: string) =>
    `the name "${name}" is reserved for whoever had it before, until an administrator frees it`

  test('of before is kept from everybody else, in any case, until an administrator frees it', async () => {
    await renamed('olaf', 'olaf2')
    await stowage.user('eve')
    const create = (username: string) =>
      send(admin, 'POST', '/api/v1/admin/users', { username, password: 'some-Pass-1234' })
    expect(await create('Olaf')).toMatchObject({ status: 422, body: { message: reserved('Olaf') } })
    expect(await rename('eve', 'OLAF')).toMatchObject({ status: 422, body: { message: reserved('OLAF') } })
    expect(await rename('eve', 'olaf2')).toMatchObject({
      status: 422,
      body: { message: 'user already exists [name: olaf2]' },
    })
    expect((await free('OLAF')).status).toBe(204)
    expect((await admin.get({ owner: 'olaf' })).status).toBe(404)
    expect((await rename('eve', 'olaf')).status).toBe(204)
    expect((await free('olaf')).status).toBe(404)
  })

  test('of before stays kept when its owner is deleted; the last one is free at once', async () => {
    await renamed('pia', 'pia2')
    expect((await send(admin, 'DELETE', '/api/v1/admin/users/pia2?purge=true')).status).toBe(204)
    expect((await admin.get({ owner: 'pia' })).status).toBe(404)
    await stowage.user('pia2')
    expect(await rename('pia2', 'pia')).toMatchObject({ status: 422, body: { message: reserved('pia') } })
    expect((await free('pia')).status).toBe(204)
    expect((await rename('pia2', 'pia')).status).toBe(204)
  })

  test('that is kept is in a list, with whom it is kept for and since when', async () => {
    await using other = await startStowage({ replace: { now: () => Date.parse('2031-05-06T07:08:09Z') } })
    for (const name of ['zoe', 'Kim', 'amy']) {
      await other.user(name)
      const path = `/api/v1/admin/users/${name}/rename`
      expect((await send(other.admin, 'POST', path, { new_username: `${name}2` })).status).toBe(204)
    }
    await send(other.admin, 'DELETE', '/api/v1/admin/users/amy2')
    const since = '2031-05-06T07:08:09Z'
    expect((await send(other.admin, 'GET', '/api/v1/admin/reserved-names')).body).toEqual([
      { name: 'amy', owner: null, since },
      { name: 'Kim', owner: 'Kim2', since },
      { name: 'zoe', owner: 'zoe2', since },
    ])
    const page = await other.admin.fetch('/api/v1/admin/reserved-names?limit=2&page=2')
    expect([page.headers.get('x-total-count'), await page.json()]).toEqual([
      '3',
      [{ name: 'zoe', owner: 'zoe2', since }],
    ])
  })

  test.each([
    [{}, 'new_username: is missing'],
    [{ new_username: 7 }, 'new_username: is missing'],
    [{ new_username: 'x', other: 1 }, 'unknown field: other'],
    [{ new_username: '' }, 'a name must be 1 to 40 letters and digits'],
    [{ new_username: 'a--b' }, 'a name must be 1 to 40 letters and digits'],
    [{ new_username: 'ä' }, 'a name must be 1 to 40 letters and digits'],
    [{ new_username: 'a\0' }, 'a name must be 1 to 40 letters and digits'],
    [{ new_username: 'x'.repeat(41) }, 'a name must be 1 to 40 letters and digits'],
    [{ new_username: 'API' }, 'the name "api" is reserved'],
    [{ new_username: 'me.png' }, 'names ending in ".png" are reserved'],
    [[], 'The body must be a JSON object.'],
    ['{', 'The body must be JSON.'],
  ] as [unknown, string][])('is not given by %j', async (body, message) => {
    const { status, body: told } = await send(admin, 'POST', '/api/v1/admin/users/admin/rename', body)
    expect({ isRefused: [400, 422].includes(status), status }).toEqual({ isRefused: true, status })
    expect(told.message).toStartWith(message)
  })

  test('that nobody had cannot be freed', async () => {
    for (const name of ['nobody', 'admin', 'not%20a%20name', 'a%00', 'x'.repeat(300)]) {
      expect({ name, status: (await free(name)).status }).toEqual({ name, status: 404 })
    }
  })
})

describe('the address with a name of before', () => {
  test('leads to the same place under the new name, for every method, with the query', async () => {
    const uma = await renamed('uma', 'Uma2')
    const cases: [string, string, string?][] = [
      ['GET', '/api/packages/uma/generic/tool/1.0/tool.bin?a=%2F&b='],
      ['HEAD', '/api/packages/UMA/generic/tool/1.0/tool.bin'],
      ['DELETE', '/api/packages/uma/generic/tool/1.0/tool.bin'],
      ['DELETE', '/api/packages/uma/generic/tool/1.0'],
      ['PUT', '/api/packages/uma/generic/tool/1.0/new%20file%23.bin', 'other bytes'],
      ['GET', '/api/v1/packages/uma?q=to%26ol&page=1'],
      ['GET', '/api/v1/packages/uma/generic/tool/1.0/files'],
      ['GET', '/api/v1/users/uma'],
    ]
    const before = await stored(stowage)
    for (const [method, path, body] of cases) {
      const location = `/stowage${path.replace(/uma/i, 'Uma2')}`
      expect({ method, path, ...(await send(uma, method, path, body)) }).toMatchObject({ status: 307, location })
    }
    expect(await stored(stowage)).toEqual(before)
  })

  test('is unknown to whoever may not see who has it now', async () => {
    await renamed('shy', 'shy2', { visibility: 'private' })
    const [rob, publicOnly] = [await stowage.user('rob'), await admin.token(['all', 'public-only'])]
    for (const client of [rob, publicOnly]) {
      const hidden = await send(client, 'GET', client.path({ owner: 'shy' }))
      expect(hidden).toEqual(await send(client, 'GET', client.path({ owner: 'nobody' })))
      expect(hidden.status).toBe(404)
      expect((await send(client, 'GET', '/api/v1/packages/shy')).status).toBe(404)
      expect((await send(client, 'PUT', client.path({ owner: 'shy' }), 'x')).status).toBe(404)
    }
    for (const path of ['/api/packages/shy/generic/tool/1.0/tool.bin', '/api/v1/packages/shy']) {
      expect((await send(stowage.anonymous, 'GET', path)).status).toBe(404)
    }
    expect((await send(admin, 'GET', '/api/v1/packages/shy')).status).toBe(307)
  })

  test('asks for a sign-in where nobody sees anything without one', async () => {
    await using closed = await startStowage({ settings: { STOWAGE_REQUIRE_SIGN_IN: 'true' } })
    const eve = await closed.user('eve')
    await send(closed.admin, 'POST', '/api/v1/admin/users/eve/rename', { new_username: 'eve2' })
    for (const path of [eve.path({ owner: 'eve' }), '/api/v1/packages/eve']) {
      expect((await send(closed.anonymous, 'GET', path)).status).toBe(401)
      expect((await send(closed.admin, 'GET', path)).location).toBe(path.replace('/eve', '/eve2'))
    }
  })

  test('of an organisation leads there too, and its owners may rename it again', async () => {
    const owner = await stowage.user('owner')
    expect((await send(owner, 'POST', '/api/v1/orgs', { username: 'acme', visibility: 'private' })).status).toBe(201)
    const renameTo = (name: string, to: string) => send(owner, 'POST', `/api/v1/orgs/${name}/rename`, { new_name: to })
    expect((await owner.put({ owner: 'acme' }, 'bytes')).status).toBe(201)
    expect((await renameTo('acme', 'apex')).status).toBe(204)
    expect(await renameTo('acme', 'zenith')).toMatchObject({
      status: 307,
      location: '/stowage/api/v1/orgs/apex/rename',
    })
    expect(await send(owner, 'DELETE', '/api/v1/orgs/acme?purge=true')).toMatchObject({
      status: 307,
      location: '/stowage/api/v1/orgs/apex?purge=true',
    })
    for (const [method, path] of [
      ['GET', '/acme'],
      ['PATCH', '/acme'],
      ['GET', '/acme/teams'],
      ['GET', '/acme/members'],
    ] as const) {
      const body = method === 'PATCH' ? {} : undefined
      const location = `/stowage/api/v1/orgs${path.replace('acme', 'apex')}`
      expect({ path, ...(await send(owner, method, `/api/v1/orgs${path}`, body)) }).toMatchObject({
        status: 307,
        location,
      })
    }
    expect((await send(owner, 'GET', owner.path({ owner: 'acme' }))).status).toBe(307)
    expect((await send(await stowage.user('stranger'), 'GET', owner.path({ owner: 'acme' }))).status).toBe(404)
    expect((await renameTo('apex', 'owner')).status).toBe(422)
    expect((await renameTo('apex', 'Acme')).status).toBe(204)
    expect((await send(admin, 'POST', '/api/v1/orgs/acme/rename', { new_name: 'a b' })).status).toBe(422)
    expect((await send(admin, 'POST', '/api/v1/orgs/acme/rename', { new_username: 'x' })).status).toBe(422)
  })
})

describe('an upload', () => {
  testWith('curl')('to the name of before arrives at the new one, where the client follows', async () => {
    await using plain = await startStowage()
    const vera = await plain.user('vera')
    const { secret } = await vera.token(['write:package'])
    await send(plain.admin, 'POST', '/api/v1/admin/users/vera/rename', { new_username: 'vera2' })
    await using folder = await temporaryFolder()
    await Bun.write(join(folder.path, 'tool.bin'), 'x'.repeat(100_000))
    const address = plain.url + vera.path()
    const options = ['-sS', '-w', '%{http_code}', '-T', 'tool.bin', '-H', `Authorization: token ${secret}`]
    const { output } = await run(folder.path, 'curl', ...options, '--location-trusted', address)
    expect(output).toBe('201')
    expect((await (await plain.anonymous.get({ owner: 'vera2' })).text()).length).toBe(100_000)
    expect((await stored(plain)).filesOnDisk).toBe(1)
  })

  test('that is under way when its owner is renamed goes on', async () => {
    const wim = await stowage.user('wim')
    const { secret } = await wim.token(['write:package'])
    const before = (await blobFiles(stowage.dataDir)).size
    using upload = await SlowUpload.begin(stowage.port, wim.path(), { Authorization: `token ${secret}` }, 10)
    await upload.send('12345')
    await until(async () => (await blobFiles(stowage.dataDir)).size > before, 'the upload is under way')
    expect((await rename('wim', 'wim2')).status).toBe(204)
    await upload.send('67890')
    expect((await upload.answer()).status).toBe(201)
    expect(await (await admin.get({ owner: 'wim2' })).text()).toBe('1234567890')
  })
})
