import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { Browser } from '../support/browser.ts'
import { blobFiles, emptyParents } from '../support/inventory.ts'
import { SlowUpload } from '../support/slow-upload.ts'
import { stored } from '../support/stored.ts'
import { startStowage, type TestStowage } from '../support/stowage.ts'
import { until } from '../support/until.ts'

let stowage: TestStowage
let ada: Browser
let mem: Browser
let eve: Browser
let admin: Browser
let writersOfAcme = 0

beforeAll(async () => {
  stowage = await startStowage({ settings: { STOWAGE_LIMIT_FILE_SIZE: '1000000' } })
  for (const name of ['ada', 'mem', 'reader', 'eve']) await stowage.user(name)
  const made = async (path: string, body: object) =>
    (await (await stowage.admin.post(path, body)).json()) as { id: number }
  for (const [org, visibility] of [
    ['acme', 'public'],
    ['secret', 'private'],
  ]) {
    await made('/api/v1/orgs', { username: org, visibility })
    const writers = await made(`/api/v1/orgs/${org}/teams`, { name: 'writers', permission: 'write' })
    const readers = await made(`/api/v1/orgs/${org}/teams`, { name: 'readers', permission: 'read' })
    await stowage.admin.fetch(`/api/v1/teams/${writers.id}/members/mem`, { method: 'PUT' })
    if (org === 'acme') writersOfAcme = writers.id
    await stowage.admin.fetch(`/api/v1/teams/${readers.id}/members/reader`, { method: 'PUT' })
  }
  ada = await signedIn('ada')
  mem = await signedIn('mem')
  eve = await signedIn('eve')
  admin = await signedIn('admin')
})
afterAll(() => stowage[Symbol.asyncDispose]())

async function signedIn(name: string): Promise<Browser> {
  const browser = new Browser(stowage)
  expect((await browser.signIn(name)).status).toBe(200)
  return browser
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

const put = (browser: Browser, path: string, body: string | Uint8Array<ArrayBuffer>, headers = {}) =>
  browser.fetch(path, { method: 'PUT', body, headers: { 'Content-Type': 'application/octet-stream', ...headers } })

/** As a browser sends a form with one file. */
function form(file: File | undefined, ...fields: [string, string][]): FormData {
  const data = new FormData()
  for (const [name, value] of fields) data.append(name, value)
  data.append('file', file ?? new File([], ''))
  return data
}

const post = (browser: Browser, path: string, body: FormData) => browser.fetch(path, { method: 'POST', body })

const json = async (answer: Promise<Response> | Response) => (await (await answer).json()) as Record<string, unknown>

describe('the page', () => {
  test('is for those who may publish there', async () => {
    const reader = await signedIn('reader')
    const stranger = new Browser(stowage)
    const statuses = async (owner: string) =>
      Promise.all(
        [stranger, eve, reader, mem, admin].map(async (who) => (await who.fetch(`/${owner}/-/upload`)).status),
      )
    expect(await statuses('acme')).toEqual([303, 403, 403, 200, 200])
    expect(await statuses('secret')).toEqual([404, 404, 403, 200, 200])
    expect(await statuses('nobody')).toEqual([404, 404, 404, 404, 404])
    expect((await stranger.fetch('/acme/-/upload?package=x')).headers.get('location')).toBe(
      '/user/login?next=%2Facme%2F-%2Fupload%3Fpackage%3Dx',
    )
  })

  test('leads to the other owners at whom the reader may publish, and to no others', async () => {
    const text = await (await mem.fetch('/acme/-/upload?package=tool')).text()
    expect(text).toContain('href="/mem/-/upload?package=tool"')
    expect(text).toContain('href="/secret/-/upload?package=tool"')
    expect(text).not.toContain('href="/acme/-/upload?package=tool"')
    const reader = await signedIn('reader')
    expect(await (await reader.fetch('/reader/-/upload')).text()).not.toContain('/-/upload?')
  })

  test('has a command of which nothing runs but curl, by whatever name the server was reached', async () => {
    for (const host of ['x$(id).example.com', 'x;id;.example.com', 'x`id`']) {
      const text = await (await ada.fetch('/ada/-/upload', { headers: { Host: host } })).text()
      expect(text).toContain(`  &#39;http://${host}/api/packages/ada/generic/PACKAGE/VERSION/&#39;</code>`)
    }
  })

  test('asks for package and version, then for a file, and keeps what was typed', async () => {
    const first = await (await ada.fetch('/ada/-/upload?package=tool')).text()
    expect(first).toContain('value="tool"')
    expect(first).not.toContain('enctype=')
    const second = await (await ada.fetch('/ada/-/upload?package=tool&version=1.0%20beta')).text()
    expect(second).toContain('enctype="multipart/form-data"')
    expect(second).toContain('action="/ada/-/upload?package=tool&amp;version=1.0+beta"')
    const wrong = await ada.fetch('/ada/-/upload?package=%3Cb%3Et%C3%B6ol&version=')
    const text = await wrong.text()
    expect(wrong.status).toBe(422)
    expect(text).toContain('value="&lt;b&gt;töol"')
    expect(text).toContain('“&lt;”, “&gt;” and “ö” are not allowed in the name of a package.')
    expect(text).toContain('Type a version.')
    expect(text).not.toContain('enctype=')
  })
})

describe('a file that a script puts', () => {
  test('is published as by any PUT, and its digest comes back', async () => {
    const answer = await put(ada, '/ada/-/upload/put/1.0%25%20%C3%BC/a%20b.txt', 'hello')
    expect(answer.status).toBe(201)
    expect(await answer.json()).toEqual({
      sha256: sha256('hello'),
      size: 5,
      page: '/ada/-/packages/generic/put/1.0%25%20%C3%BC',
    })
    const got = await stowage.anonymous.as('ada').get({ package: 'put', version: '1.0% ü', file: 'a b.txt' })
    expect(await got.text()).toBe('hello')
    const events = await (await stowage.admin.fetch('/api/v1/admin/audit?action=file.published')).text()
    expect(events).toContain('"a b.txt"')
  })

  test('that is taken already is refused with what is stored, before a byte and with all of them', async () => {
    const path = '/ada/-/upload/taken/1.0/a.txt'
    expect((await put(ada, path, 'one')).status).toBe(201)
    const refusals = [await put(ada, path, 'two'), await ada.fetch(`${path}?size=3`)]
    for (const refusal of refusals) {
      expect(refusal.status).toBe(409)
      expect(refusal.headers.get('content-type')).toStartWith('application/json')
      expect(await refusal.json()).toMatchObject({
        code: 'already-exists',
        message: 'A file of this name is stored there already, and a published file never changes.',
        sha256: sha256('one'),
        size: 3,
        page: '/ada/-/packages/generic/taken/1.0',
      })
    }
    expect(await (await stowage.anonymous.as('ada').get({ package: 'taken', file: 'a.txt' })).text()).toBe('one')
  })

  test('is asked for before it is sent, and nothing is stored by that', async () => {
    const before = await stored(stowage)
    const answer = await ada.fetch('/ada/-/upload/ask/1.0/a.txt?size=1000000')
    expect([answer.status, await answer.json()]).toEqual([200, { offset: 0 }])
    expect(await stored(stowage)).toEqual(before)
  })

  test('that is too large is refused, told or not', async () => {
    const path = '/ada/-/upload/large/1.0/a.bin'
    const [asked, sent] = [await ada.fetch(`${path}?size=1000001`), await put(ada, path, new Uint8Array(1_000_001))]
    for (const refusal of [asked, sent]) {
      expect(refusal.status).toBe(403)
      expect(await refusal.json()).toMatchObject({ code: 'too-large' })
    }
    expect(await (await ada.fetch('/ada/-/upload')).text()).toContain('data-largest="1000000"')
  })

  test('that the quota has no room for is refused', async () => {
    await stowage.user('quinn')
    const quinn = await signedIn('quinn')
    const limits = JSON.stringify({ bytes: 10, file_size: 500 })
    await stowage.admin.fetch('/api/v1/admin/quotas/owners/quinn', { method: 'PATCH', body: limits })
    const path = '/quinn/-/upload/tool/1.0/a.txt'
    for (const refusal of [await quinn.fetch(`${path}?size=11`), await put(quinn, path, 'more than 10')]) {
      expect(refusal.status).toBe(403)
      expect(await refusal.json()).toEqual({
        code: 'quota-exceeded',
        message: 'The quota of this owner has no room for this file, or none for another version.',
      })
    }
    expect((await quinn.fetch(`${path}?size=10`)).status).toBe(200)
    expect(await (await quinn.fetch('/quinn/-/upload')).text()).toContain('data-largest="500"')
  })

  test.each([
    ['/ada/-/upload/t%C3%B6ol/1.0/a.txt', 400, 'invalid-name'],
    ['/ada/-/upload/tool/1.0/a%2Fb.txt', 400, 'invalid-name'],
    ['/nobody/-/upload/tool/1.0/a.txt', 404, 'not-found'],
  ])('%s is refused in JSON', async (path, status, code) => {
    for (const refusal of [await ada.fetch(path), await put(ada, path, 'x')]) {
      expect(refusal.status).toBe(status)
      expect(await json(refusal)).toMatchObject({ code })
    }
  })

  test('of who may not is refused, and who has not signed in is told so and asked for no password', async () => {
    const path = '/acme/-/upload/tool/1.0/a.txt'
    for (const ask of [(who: Browser) => who.fetch(path), (who: Browser) => put(who, path, 'x')]) {
      const answers = [await ask(new Browser(stowage)), await ask(eve)]
      expect(answers.map(({ status }) => status)).toEqual([401, 403])
      expect(answers[0]?.headers.get('www-authenticate')).toBeNull()
      expect(await json(answers[0] as Response)).toMatchObject({ code: 'credentials-missing' })
      expect(await json(answers[1] as Response)).toMatchObject({ code: 'forbidden' })
    }
  })

  test('that another site had a browser send is refused, and so is what comes from no page', async () => {
    const path = '/ada/-/upload/foreign/1.0/a.txt'
    for (const headers of [{ 'Sec-Fetch-Site': 'cross-site' }, { 'Sec-Fetch-Site': 'same-site' }]) {
      expect((await put(ada, path, 'x', headers)).status).toBe(403)
      const init = { method: 'POST', body: form(new File(['x'], 'a.txt')), headers }
      expect((await ada.fetch('/ada/-/upload?package=foreign&version=1.0', init)).status).toBe(403)
    }
    expect((await ada.fetch(`${path}?size=1`)).status).toBe(200)
    const options = { method: 'PUT', body: 'x', headers: { Cookie: ada.cookie ?? '' } }
    expect((await fetch(stowage.url + path, options)).status).toBe(403)
  })
})

describe('in the middle of an upload', () => {
  const losses: [string, number, string, (name: string) => Promise<Response>][] = [
    ['its session is ended', 401, 'credentials-wrong', async (name) => (await signedIn(name)).delete('/user/sessions')],
    [
      'its sender is taken out of the team',
      403,
      'forbidden',
      async (name) => {
        return stowage.admin.fetch(`/api/v1/teams/${writersOfAcme}/members/${name}`, { method: 'DELETE' })
      },
    ],
  ]

  test.each(losses)('%s: it is refused, and nothing is left', async (_, status, code, lose) => {
    const name = `late-${status}`
    await stowage.user(name)
    await stowage.admin.fetch(`/api/v1/teams/${writersOfAcme}/members/${name}`, { method: 'PUT' })
    const browser = await signedIn(name)
    const before = await stored(stowage)
    const sizes = async () => [...(await blobFiles(stowage.dataDir)).values()]
    const body = Buffer.alloc(100_000, 'x')
    const headers = { Cookie: browser.cookie ?? '', 'Sec-Fetch-Site': 'same-origin' }
    using upload = await SlowUpload.begin(stowage.port, `/acme/-/upload/late/1.0/${name}.bin`, headers, body.length)
    await upload.send(body.subarray(0, 60_000))
    await until(async () => (await sizes()).length > before.filesOnDisk, 'the first bytes are on the disk')
    expect((await lose(name)).ok).toBe(true)
    await upload.send(body.subarray(60_000))
    const answer = await upload.answer()
    expect(answer.status).toBe(status)
    expect(JSON.parse(answer.body.toString())).toMatchObject({ code })
    expect(await stored(stowage)).toEqual(before)
    expect(await emptyParents(stowage.stowage.registry.catalogue.read)).toEqual([])
  })
})

describe('a form with one file', () => {
  test('publishes it by its own name and leads to the version', async () => {
    const file = new File(['by form'], 'a b (1).txt')
    const answer = await post(ada, '/ada/-/upload?package=formed&version=1.0', form(file, ['note', 'before it']))
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/ada/-/packages/generic/formed/1.0'])
    expect(answer.headers.get('set-cookie')).toContain('stowage_notice=published')
    const got = await stowage.anonymous.as('ada').get({ package: 'formed', file: 'a b (1).txt' })
    expect(await got.text()).toBe('by form')
  })

  test.each([
    ['without a file', undefined, 422, 'Choose a file.'],
    ['with a name that no file may have', new File(['x'], 'größe?.txt'), 422, '“ö”, “ß” and “?” are not allowed'],
    ['with a file that is there', new File(['x'], 'there.txt'), 409, 'is stored there already'],
    ['with a file that is too large', new File([new Uint8Array(1_000_001)], 'l.bin'), 403, 'larger than a file may be'],
  ])('%s is shown again with what is wrong, and stores nothing', async (_, file, status, text) => {
    await put(ada, '/ada/-/upload/formed/2.0/there.txt', 'y')
    const before = await stored(stowage)
    const answer = await post(ada, '/ada/-/upload?package=formed&version=2.0', form(file))
    const page = await answer.text()
    expect(answer.status).toBe(status)
    expect(page).toContain(text)
    expect(page).toContain('value="formed"')
    expect(page).toContain('value="2.0"')
    expect(await stored(stowage)).toEqual(before)
  })

  test('is refused where its address or its kind is wrong', async () => {
    const file = form(new File(['x'], 'a.txt'))
    expect((await post(ada, '/ada/-/upload?package=formed', file)).status).toBe(422)
    expect((await post(eve, '/acme/-/upload?package=tool&version=1', file)).status).toBe(403)
    const typed = { method: 'POST', headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body: 'file=x' }
    expect((await ada.fetch('/ada/-/upload?package=formed&version=3', typed)).status).toBe(400)
    const broken = { method: 'POST', headers: { 'Content-Type': 'multipart/form-data; boundary=b' }, body: '--b\r\n' }
    const answer = await ada.fetch('/ada/-/upload?package=formed&version=3', broken)
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining('it ends early')])
  })
})
