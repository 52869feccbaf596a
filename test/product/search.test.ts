import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { onPostgres } from '../support/database.ts'
import { type Client, startStowage, type TestStowage } from '../support/stowage.ts'

let stowage: TestStowage
let ada: Client
let bob: Client

/** Status and JSON of an answer, and what its headers say about pages. */
async function answer(asked: Promise<Response>) {
  const response = await asked
  // biome-ignore lint/suspicious/noExplicitAny: what it must be is what the tests are about.
  const body = (await response.json()) as any
  return {
    status: response.status,
    body,
    total: response.headers.get('x-total-count'),
    link: response.headers.get('link') ?? '',
  }
}

type Query = Record<string, string | number>

const path = (query: Query) => `/api/v1/search/packages?${new URLSearchParams(query as Record<string, string>)}`
const search = (query: Query, client = stowage.anonymous) => answer(client.fetch(path(query)))

/** `owner/name version` of each entry, which must be as many as are counted. */
async function found(query: Query, client = stowage.anonymous): Promise<string[]> {
  const { status, body, total } = await search({ limit: 50, ...query }, client)
  expect(status).toBe(200)
  expect(total).toBe(String(body.length))
  return body.map((it: Shown) => `${it.owner.login}/${it.name} ${it.version}`)
}

interface Shown {
  owner: { login: string }
  name: string
  version: string
}

const digest = (algorithm: string, text: string) => createHash(algorithm).update(text).digest('hex')

async function publish(client: Client, name: string, version: string, bytes: string, file = 'tool.bin') {
  const { status } = await client.put({ package: name, version, file }, bytes)
  if (status !== 201) throw new Error(`${name} ${version}: ${status}`)
}

/** Ada has packages for everybody; Bob has one that nobody else may see. */
beforeAll(async () => {
  stowage = await startStowage()
  ada = await stowage.user('Ada')
  bob = await stowage.user('bob', { visibility: 'private' })
  await publish(ada, 'Web-Tool', '1.2', 'a')
  await publish(ada, 'Web-Tool', '1.10', 'bb')
  await publish(ada, 'Web-Tool', '1.10', 'same', 'two.bin')
  await publish(ada, 'web_tool', '9', 'same')
  await publish(ada, 'c++', '2.0-rc1', 'cccccccccc')
  await publish(ada, 'lib.z', '2.0', '')
  await publish(bob, 'web-secret', '1', 'same')
  await publish(ada, 'gone', '1', 'x')
  await ada.deleteVersion({ package: 'gone', version: '1' })
  await stowage.stowage.runJobs()
})
afterAll(() => stowage[Symbol.asyncDispose]())

describe('a search', () => {
  test('shows each package once, by its newest version, with what it has', async () => {
    const { body, total } = await search({ q: 'web-tool' })
    const shown = await answer(stowage.anonymous.fetch('/api/v1/packages/ada/generic/web-tool/1.10'))
    expect(body).toEqual([{ ...shown.body, versions: 2, files: 3, size: 7, downloads: 0 }])
    expect(total).toBe('1')
  })

  test('without anything shows all that the caller may read, newest first', async () => {
    const all = ['Ada/lib.z 2.0', 'Ada/c++ 2.0-rc1', 'Ada/web_tool 9', 'Ada/Web-Tool 1.10']
    expect(await found({})).toEqual(all)
    expect(await found({ q: '', owner: '' })).toEqual(all)
    expect(await found({}, bob)).toEqual(['bob/web-secret 1', ...all])
  })

  // A package whose versions are all gone is no match, whatever is looked for.
  test.each([
    ['WEB', ['web_tool', 'Web-Tool']],
    ['b-t', ['Web-Tool']],
    ['b_t', ['web_tool']],
    ['tool', ['web_tool', 'Web-Tool']],
    ['c++', ['c++']],
    ['.z', []],
    ['b.z', ['lib.z']],
    // With one or two characters: the beginning.
    ['w', ['web_tool', 'Web-Tool']],
    ['We', ['web_tool', 'Web-Tool']],
    ['eb', []],
    ['C+', ['c++']],
    ['gone', []],
    ['go', []],
    ['nothing', []],
    ['web-tool-2', []],
    // Not in any name.
    ['web tool', []],
    ['%', []],
    ['web%', []],
    ['*', []],
    ['"web"', []],
    ['wéb', []],
    ['\0', []],
  ])('for %p finds %p', async (q, names) => {
    const { status, body, total } = await search({ q })
    expect(status).toBe(200)
    expect(body.map(({ name }: Shown) => name)).toEqual(names)
    expect(total).toBe(String(names.length))
  })

  test.each([100, 255, 256, 5_000])('for %d characters finds nothing', async (length) => {
    for (const text of ['x', 'web-tool', 'abcdefghijklmnopqrstuvwxyz0123456789_-+.']) {
      expect(await found({ q: text.repeat(length).slice(0, length) })).toEqual([])
    }
  })

  test.each([
    ['created', 'desc', ['lib.z', 'c++', 'web_tool', 'Web-Tool']],
    ['name', 'asc', ['c++', 'lib.z', 'Web-Tool', 'web_tool']],
    ['version', 'desc', ['web_tool', 'lib.z', 'c++', 'Web-Tool']],
    ['size', 'desc', ['c++', 'Web-Tool', 'web_tool', 'lib.z']],
  ])('sorted by %s is %s, and the other way round where that is asked for', async (sort, order, names) => {
    const other = order === 'asc' ? 'desc' : 'asc'
    for (const query of [{ sort }, { sort, order }, { sort, order, q: '' }] as Query[]) {
      expect((await search(query)).body.map(({ name }: Shown) => name)).toEqual(names)
    }
    const backwards = await search({ sort, order: other })
    expect(backwards.body.map(({ name }: Shown) => name)).toEqual([...names].reverse())
    const pages = await Promise.all([1, 2, 3].map((page) => search({ sort, page, limit: 2 })))
    expect(pages.map(({ body }) => body.map(({ name }: Shown) => name))).toEqual([
      names.slice(0, 2),
      names.slice(2),
      [],
    ])
    expect(pages.map(({ total }) => total)).toEqual(['4', '4', '4'])
    expect(pages[0]?.link).toContain(`/api/v1/search/packages?sort=${sort}&page=2&limit=2>; rel="next"`)
  })

  test('of one owner shows his packages, and none where he is hidden', async () => {
    expect(await found({ owner: 'ADA', q: 'tool' })).toEqual(['Ada/web_tool 9', 'Ada/Web-Tool 1.10'])
    expect(await found({ owner: 'ada', q: 'w', sort: 'name' })).toEqual(['Ada/Web-Tool 1.10', 'Ada/web_tool 9'])
    expect(await found({ owner: 'ada', q: 'o' })).toEqual([])
    expect(await found({ owner: 'bob' }, bob)).toEqual(['bob/web-secret 1'])
    expect(await found({ owner: 'bob', q: 'tool' }, bob)).toEqual([])
    expect(await found({ owner: 'admin' })).toEqual([])
    for (const owner of ['bob', 'nobody', '%', 'a'.repeat(500)]) {
      for (const query of [{ owner }, { owner, q: 'web' }, { owner, sha256: digest('sha256', 'same') }] as Query[]) {
        expect(await search(query)).toMatchObject({ status: 404, body: { message: 'Not found.' } })
      }
    }
  })

  test('follows an owner to his new name', async () => {
    const carl = await stowage.user('carl', { visibility: 'private' })
    await publish(carl, 'mine', '1', 'm')
    await stowage.admin.post('/api/v1/admin/users/carl/rename', { new_username: 'Charles' })
    const asked = '/api/v1/search/packages?q=min&owner=carl&limit=2'
    const moved = await stowage.admin.fetch(asked, { redirect: 'manual' })
    expect([moved.status, moved.headers.get('location')]).toEqual([
      307,
      '/api/v1/search/packages?q=min&owner=Charles&limit=2',
    ])
    expect(await found({ owner: 'carl' }, stowage.admin)).toEqual(['Charles/mine 1'])
    expect((await search({ owner: 'carl' })).status).toBe(404)
  })

  test.each([
    [{ sort: 'rank' }, 'sort: must be created, name, version, size, downloads, or not be there'],
    [{ order: 'down' }, 'order: must be asc, desc, or not be there'],
    [{ sha256: 'abc' }, 'sha256: must be 64 hexadecimal digits'],
    [{ md5: 'z'.repeat(32) }, 'md5: must be 32 hexadecimal digits'],
    [{ sha1: 'a'.repeat(64) }, 'sha1: must be 40 hexadecimal digits'],
    [{ sha512: 'a'.repeat(64), q: 'tool' }, 'sha512: must be 128 hexadecimal digits'],
  ])('is refused with %j', async (query, message) => {
    expect(await search(query as Query)).toMatchObject({ status: 422, body: { message } })
  })
})

describe('a search by digest', () => {
  const same = { sha256: digest('sha256', 'same') }

  test('shows the versions that hold such a file, with that file', async () => {
    const { body } = await search(same)
    const shown = await answer(stowage.anonymous.fetch('/api/v1/packages/ada/generic/web_tool/9'))
    const files = await answer(stowage.anonymous.fetch('/api/v1/packages/ada/generic/web_tool/9/files'))
    expect(body[0]).toEqual({ ...shown.body, files: files.body })
    expect(body[1]).toMatchObject({ name: 'Web-Tool', version: '1.10', files: [{ name: 'two.bin', size: 4 }] })
    expect(body[1].files).toHaveLength(1)
    expect(await found(same)).toEqual(['Ada/web_tool 9', 'Ada/Web-Tool 1.10'])
    expect(await found(same, bob)).toEqual(['bob/web-secret 1', 'Ada/web_tool 9', 'Ada/Web-Tool 1.10'])
  })

  test.each(['md5', 'sha1', 'sha256', 'sha512'])('takes %s, in either case', async (algorithm) => {
    const text = digest(algorithm, 'bb')
    expect(await found({ [algorithm]: text })).toEqual(['Ada/Web-Tool 1.10'])
    expect(await found({ [algorithm]: text.toUpperCase() })).toEqual(['Ada/Web-Tool 1.10'])
    expect(await found({ [algorithm]: digest(algorithm, 'never published') })).toEqual([])
  })

  test('takes several, which must be those of one file', async () => {
    expect(await found({ ...same, md5: digest('md5', 'same') })).toHaveLength(2)
    expect(await found({ ...same, md5: digest('md5', 'bb') })).toEqual([])
  })

  test('goes together with owner, name, order and pages', async () => {
    expect(await found({ ...same, owner: 'ada', q: 'b_t' })).toEqual(['Ada/web_tool 9'])
    expect(await found({ ...same, q: 'WE' })).toHaveLength(2)
    expect(await found({ ...same, q: 'eb' })).toEqual([])
    expect(await found({ ...same, q: '%' })).toEqual([])
    expect(await found({ ...same, owner: 'bob' }, bob)).toEqual(['bob/web-secret 1'])
    expect(await found({ ...same, sort: 'name' })).toEqual(['Ada/Web-Tool 1.10', 'Ada/web_tool 9'])
    expect(await found({ ...same, sort: 'size', order: 'asc' })).toEqual(['Ada/web_tool 9', 'Ada/Web-Tool 1.10'])
    expect(await found({ ...same, sort: 'version' })).toEqual(['Ada/web_tool 9', 'Ada/Web-Tool 1.10'])
    const second = await search({ ...same, limit: 1, page: 2 })
    expect(second).toMatchObject({ total: '2', body: [{ name: 'Web-Tool' }] })
  })

  test('shows a hundred files of a version that has the same bytes under more names', async () => {
    await publish(ada, 'copies', '1', 'copied', '000')
    await stowage.change(`
      with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < 120)
      insert into files (version_id, name, name_key, blob_id, uploader_id, upload_id, created_at)
      select version_id, ${padded}, ${padded}, blob_id, uploader_id, 'copy ' || cast(n as text), created_at
      from files cross join numbers where name = '000' returning id`)
    const { body, total } = await search({ sha256: digest('sha256', 'copied') })
    expect([total, body.length, body[0].files.length]).toEqual(['1', 1, 100])
    await ada.deleteVersion({ package: 'copies', version: '1' })
    expect(await found({ sha256: digest('sha256', 'copied') })).toEqual([])
  })

  const padded = onPostgres ? "lpad(n::text, 3, '0')" : "printf('%03d', n)"
})

describe('who searches', () => {
  test('must sign in where everybody must', async () => {
    await using closed = await startStowage({ settings: { STOWAGE_REQUIRE_SIGN_IN: 'true' } })
    await closed.admin.put({}, 'x')
    for (const query of ['', '?q=tool', `?sha256=${digest('sha256', 'x')}`, '?owner=admin', '?owner=nobody']) {
      expect((await closed.anonymous.fetch(`/api/v1/search/packages${query}`)).status).toBe(401)
    }
    const eve = await closed.user('eve')
    expect((await answer(eve.fetch('/api/v1/search/packages'))).body).toHaveLength(1)
  })

  test('by a token needs one that may read packages, and sees no more than it is for', async () => {
    const reader = await bob.token(['read:package'])
    expect(await found({ q: 'web-' }, reader)).toEqual(['bob/web-secret 1', 'Ada/Web-Tool 1.10'])
    const open = await bob.token(['read:package', 'public-only'])
    expect(await found({ q: 'web-' }, open)).toEqual(['Ada/Web-Tool 1.10'])
    expect((await search({ owner: 'bob' }, open)).status).toBe(403)
    const other = await bob.token(['write:user'])
    for (const query of [{}, { owner: 'ada' }, { sha256: digest('sha256', 'a') }] as Query[]) {
      expect(await search(query, other)).toMatchObject({
        status: 403,
        body: { message: expect.stringContaining('read:package') },
      })
    }
    expect((await search({}, stowage.anonymous.with({ Authorization: 'token 0123' }))).status).toBe(401)
  })
})

test('searches of very many at once are refused, and hold up nothing else', async () => {
  const { searches } = stowage.stowage.registry
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  const never = new AbortController().signal
  const all = Array.from({ length: 103 }, () => searches.take(() => ended, never))
  const refused = await stowage.anonymous.fetch(path({ q: 'tool' }))
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '5'])
  expect((await stowage.anonymous.fetch('/api/v1/packages/ada?q=tool')).status).toBe(429)
  expect((await stowage.anonymous.fetch('/api/v1/packages/ada')).status).toBe(200)
  end()
  await Promise.all(all)
  expect((await stowage.anonymous.fetch(path({ q: 'tool' }))).status).toBe(200)
})

describe('lists of an owner', () => {
  const names = async (below: string, query: Query) => {
    const response = stowage.anonymous.fetch(
      `/api/v1/packages/ada${below}?${new URLSearchParams(query as Record<string, string>)}`,
    )
    const { status, body, total } = await answer(response)
    expect([status, total]).toEqual([200, String(body.length)])
    return body.map(({ name, version }: Shown) => `${name} ${version}`)
  }
  const tools = ['Web-Tool 1.2', 'Web-Tool 1.10', 'web_tool 9']

  test.each([
    ['created', 'desc', ['lib.z 2.0', 'c++ 2.0-rc1', 'web_tool 9', 'Web-Tool 1.10', 'Web-Tool 1.2']],
    ['name', 'asc', ['c++ 2.0-rc1', 'lib.z 2.0', ...tools]],
    ['version', 'desc', ['web_tool 9', 'lib.z 2.0', 'c++ 2.0-rc1', 'Web-Tool 1.10', 'Web-Tool 1.2']],
    ['size', 'desc', ['c++ 2.0-rc1', 'Web-Tool 1.10', 'web_tool 9', 'Web-Tool 1.2', 'lib.z 2.0']],
  ])('are sorted by %s', async (sort, order, wanted) => {
    const other = order === 'asc' ? 'desc' : 'asc'
    expect(await names('', { sort })).toEqual(wanted)
    expect(await names('', { sort, order: other })).toEqual([...wanted].reverse())
    const ofTools = wanted.filter((it) => tools.includes(it))
    expect(await names('', { sort, q: 'OO' })).toEqual(ofTools)
    expect(await names('', { sort, order: other, q: 'tool' })).toEqual([...ofTools].reverse())
  })

  test('of one package are sorted too, where its name says nothing by its version', async () => {
    const below = '/generic/web-tool'
    const [older, newer] = ['Web-Tool 1.2', 'Web-Tool 1.10']
    for (const sort of ['created', 'version', 'size']) {
      expect(await names(below, { sort })).toEqual([newer, older])
      expect(await names(below, { sort, order: 'asc' })).toEqual([older, newer])
    }
    expect(await names(below, { sort: 'name' })).toEqual([older, newer])
    expect(await names(below, { sort: 'name', order: 'desc' })).toEqual([newer, older])
  })

  test('and searches know which was downloaded most', async () => {
    await stowage.change(
      `update listings set downloads = version_id * (7 - version_id) + 100 where name_key <> 'x' returning version_id`,
    )
    await stowage.change(`
      update package_counts set downloads = (
        select sum(downloads) from listings where listings.package_id = package_counts.package_id)
      where versions > 0 returning package_id`)
    const most = await stowage.change(
      `select name_key, version_order, downloads from listings
       where owner_id = (select id from owners where name = 'Ada') order by downloads desc, version_id desc`,
    )
    const list = await answer(stowage.anonymous.fetch('/api/v1/packages/ada?sort=downloads'))
    expect(list.body.map(({ name }: Shown) => name.toLowerCase())).toEqual(most.map((row) => row.name_key))
    const { body } = await search({ sort: 'downloads' })
    const counts = body.map(({ downloads }: { downloads: number }) => downloads)
    expect(counts).toEqual([...counts].sort((a, b) => b - a))
    expect(body[0].name).toBe('Web-Tool')
  })

  test.each(['', '/generic/web-tool'])('refuse another order: %p', async (below) => {
    for (const query of ['sort=rank', 'order=up', 'type=npm&sort=rank']) {
      expect((await stowage.anonymous.fetch(`/api/v1/packages/ada${below}?${query}`)).status).toBe(422)
    }
  })
})
