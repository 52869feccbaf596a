import { describe, expect, test } from 'bun:test'
import { bytesForJob, digestsLater } from '../support/bytes-for-job.ts'
import { onPostgres } from '../support/database.ts'
import { type Client, startStowage, type TestStowage } from '../support/stowage.ts'

interface Shown {
  id: number
  name: string
  version: string
  creator: { id: number; login: string; email: string; full_name: string }
}

const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/
const base = (owner: string) => `/api/v1/packages/${owner}`

/** Status and JSON of an answer, and what its headers say about pages. */
async function answer(asked: Promise<Response>) {
  const response = await asked
  const links = Object.fromEntries(
    [...(response.headers.get('link') ?? '').matchAll(/<([^>]+)>; rel="(\w+)"/g)].map(([, url, relation]) => [
      relation,
      url,
    ]),
  )
  // biome-ignore lint/suspicious/noExplicitAny: what it must be is what the tests are about.
  const body = (await response.json()) as any
  return { status: response.status, body, total: response.headers.get('x-total-count'), links }
}

/** `name version` of each entry of a list. */
async function entries(client: Client, path: string): Promise<string[]> {
  const { status, body } = await answer(client.fetch(path))
  expect(status).toBe(200)
  return (body as Shown[]).map(({ name, version }) => `${name} ${version}`)
}

async function publish(client: Client, ...packages: [name: string, ...versions: string[]][]): Promise<void> {
  for (const [name, ...versions] of packages) {
    for (const version of versions) {
      const { status } = await client.put({ package: name, version }, `${name} ${version}`)
      if (status !== 201) throw new Error(`${name} ${version}: ${status}`)
    }
  }
}

/** Owners and packages whose kept counts or listings are not what their versions say. */
async function wrongCounts(stowage: TestStowage): Promise<unknown[]> {
  const owners = await stowage.change(`
    select owners.name, coalesce(kept.versions, 0) as kept, count(versions.id) as actual from owners
    left join owner_counts as kept on kept.owner_id = owners.id
    left join packages on packages.owner_id = owners.id left join versions on versions.package_id = packages.id
    group by owners.id, owners.name, kept.versions having coalesce(kept.versions, 0) <> count(versions.id)`)
  const packages = await stowage.change(`
    select packages.name, kept.versions as kept, count(versions.id) as actual from packages
    left join package_counts as kept on kept.package_id = packages.id
    left join versions on versions.package_id = packages.id
    group by packages.id, packages.name, kept.versions having coalesce(kept.versions, -1) <> count(versions.id)`)
  const listings = await stowage.change(`
    select versions.id, listings.version_id from versions
    full join listings on listings.version_id = versions.id and listings.package_id = versions.package_id
      and listings.created_at = versions.created_at
    where versions.id is null or listings.version_id is null`)
  const strays = await stowage.change(`
    select package_id from package_counts where package_id not in (select id from packages)`)
  return [...owners, ...packages, ...listings, ...strays]
}

describe('a version', () => {
  test('is shown with every field of a package', async () => {
    await using stowage = await startStowage()
    const ada = await stowage.user('Ada', { full_name: 'Ada Lovelace' })
    await publish(ada, ['Tool', '1.0 rc'])
    const { body } = await answer(ada.fetch(`${base('ada')}/generic/tool/1.0%20rc`))
    const user = (await answer(ada.fetch('/api/v1/user'))).body
    expect(body).toEqual({
      id: expect.any(Number),
      owner: user,
      repository: null,
      creator: user,
      type: 'generic',
      name: 'Tool',
      version: '1.0 rc',
      html_url: `${stowage.url}/Ada/-/packages/generic/Tool/1.0%20rc`,
      created_at: expect.stringMatching(rfc3339),
    })
    expect((await answer(ada.fetch(base('ada')))).body).toEqual([body])
    expect((await answer(ada.fetch(`${base('ada')}/generic/TOOL`))).body).toEqual([body])
    expect((await answer(ada.fetch(`${base('ada')}/generic/tool/-/latest`))).body).toEqual(body)
    const head = await ada.fetch(`${base('ada')}/generic/tool/1.0%20RC`, { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
    expect(head.headers.get('content-type')).toBe('application/json; charset=utf-8')
  })

  test('has the id of none of its files, and its own page where it is called as the page of all', async () => {
    await using stowage = await startStowage()
    await publish(stowage.admin, ['tool', 'Versions'])
    const { body } = await answer(stowage.anonymous.fetch(`${base('admin')}/generic/tool/versions`))
    expect(body.html_url).toBe(`${stowage.url}/admin/-/packages/generic/tool/-/version/Versions`)
  })

  test('is found whatever it is called', async () => {
    await using stowage = await startStowage({ replace: { background: 'on' } })
    const versions = ['50%', '%41', 'ü ?#&', '-', 'files', 'latest', 'e\u0301', 'a;b', '+1', '"']
    await publish(stowage.admin, ['tool', ...versions])
    for (const version of versions) {
      const path = `${base('admin')}/generic/tool/${encodeURIComponent(version)}`
      const { status, body } = await answer(stowage.anonymous.fetch(path))
      expect({ status, version: body.version }).toEqual({ status: 200, version })
      expect((await answer(stowage.admin.fetch(`${path}/files`))).status).toBe(200)
    }
    expect((await answer(stowage.anonymous.fetch(`${base('admin')}/generic/tool/%C3%89`))).body.version).toBe('e\u0301')
  })

  test('names its creator, a ghost where he is gone, and no more than a name where he is hidden', async () => {
    await using stowage = await startStowage()
    const ada = await stowage.user('ada')
    const priscilla = await stowage.user('priscilla', {
      visibility: 'private',
      full_name: 'Priscilla P.',
      email: 'p@p.com',
    })
    await publish(stowage.admin.as('ada'), ['tool', 'by admin'])
    await publish(ada, ['tool', 'by priscilla', 'by nobody'])
    await stowage.change(
      "update versions set creator_id = (select id from owners where name = 'priscilla') where version = 'by priscilla' returning id",
    )
    await stowage.change("update versions set creator_id = null where version = 'by nobody' returning id")
    const creators = async (client: Client) =>
      ((await answer(client.fetch(base('ada')))).body as Shown[]).map(({ creator }) => creator)
    const [ghost, hidden, admin] = await creators(ada)
    expect(ghost).toMatchObject({ id: -1, login: 'Ghost', username: 'Ghost', created: '0001-01-01T00:00:00Z' })
    expect(hidden).toMatchObject({ login: 'priscilla', full_name: '', email: 'priscilla@noreply.localhost' })
    expect(admin).toMatchObject({ login: 'admin', is_admin: false })
    const [, seen] = await creators(priscilla)
    expect(seen).toMatchObject({ full_name: 'Priscilla P.', email: 'p@p.com', visibility: 'private' })
    for (const { email } of await creators(stowage.anonymous)) expect(email).toEndWith('@noreply.localhost')
  })

  test('of an organisation shows the organisation as a user', async () => {
    await using stowage = await startStowage()
    await stowage.change(`
      insert into owners (kind, name, name_key, visibility, created_at)
      values ('organisation', 'Acme', 'acme', 'public', 0) returning id`)
    await publish(stowage.admin.as('acme'), ['tool', '1'])
    const { body } = await answer(stowage.anonymous.fetch(`${base('ACME')}/generic/tool/1`))
    const user = (await answer(stowage.admin.fetch('/api/v1/user'))).body
    expect(Object.keys(body.owner)).toEqual(Object.keys(user))
    expect(body.owner).toMatchObject({
      login: 'Acme',
      full_name: '',
      visibility: 'public',
      created: '1970-01-01T00:00:00Z',
    })
    expect(body.creator.login).toBe('admin')
  })
})

describe('files', () => {
  test('are shown by lower-case name, with all digests', async () => {
    await using stowage = await startStowage({ replace: { background: 'on' } })
    for (const file of ['b', 'C', 'a']) await stowage.admin.put({ file }, file)
    const { body } = await answer(stowage.anonymous.fetch(`${base('admin')}/generic/tool/1.0/files`))
    const digest = (algorithm: Bun.SupportedCryptoAlgorithms, text: string) =>
      new Bun.CryptoHasher(algorithm).update(text).digest('hex')
    expect(body).toEqual(
      ['a', 'b', 'C'].map((name) => ({
        id: expect.any(Number),
        size: 1,
        name,
        md5: digest('md5', name),
        sha1: digest('sha1', name),
        sha256: digest('sha256', name),
        sha512: digest('sha512', name),
        downloads: 0,
      })),
    )
  })

  test('are waited for while digests are computed, and shown without them after five seconds', async () => {
    await using stowage = await startStowage({ replace: { blobs: digestsLater } })
    await stowage.admin.put({}, bytesForJob(1), {
      'X-Checksum-Md5': new Bun.CryptoHasher('md5').update(bytesForJob(1)).digest('hex'),
    })
    let woken = 0
    stowage.stowage.registry.wake = () => {
      woken += 1
      if (woken === 2) void stowage.stowage.runJobs()
    }
    const path = `${base('admin')}/generic/tool/1.0/files`
    expect((await answer(stowage.anonymous.fetch(path))).body).toMatchObject([{ sha512: expect.any(String) }])
    expect(woken).toBeGreaterThan(1)

    await stowage.admin.put({ version: '2' }, bytesForJob(2))
    const begin = performance.now()
    const { body } = await answer(stowage.anonymous.fetch(path.replace('1.0', '2')))
    expect(body).toMatchObject([{ md5: null, sha1: null, sha256: expect.any(String), sha512: null }])
    expect(performance.now() - begin).toBeGreaterThan(4_900)
  }, 20_000)
})

describe('lists', () => {
  test('show the newest first, in pages with their headers', async () => {
    await using stowage = await startStowage()
    const { anonymous } = stowage
    await publish(stowage.admin, ['b', '1', '2'], ['a', '1'], ['b', '3'], ['c', '1'])
    expect(await entries(anonymous, base('admin'))).toEqual(['c 1', 'b 3', 'a 1', 'b 2', 'b 1'])
    expect(await entries(anonymous, `${base('admin')}/generic/b`)).toEqual(['b 3', 'b 2', 'b 1'])

    const second = await answer(anonymous.fetch(`${base('admin')}?limit=2&page=2&type=generic`))
    expect(second).toMatchObject({ total: '5', body: [{ version: '1' }, { version: '2' }] })
    const page = (number: number) => `${stowage.url}${base('admin')}?limit=2&page=${number}&type=generic`
    expect(second.links).toEqual({ next: page(3), last: page(3), first: page(1), prev: page(1) })
    const beyond = await answer(anonymous.fetch(`${base('admin')}/generic/b?limit=2&page=9`))
    expect(beyond).toMatchObject({ status: 200, body: [], total: '3' })
    expect(beyond.links.prev).toEndWith('/generic/b?limit=2&page=2')
    for (const query of ['page=999999999&limit=50', 'page=0&limit=0', 'page=x&limit=-1']) {
      expect((await anonymous.fetch(`${base('admin')}?${query}`)).status).toBe(200)
    }
    const head = await anonymous.fetch(`${base('admin')}?limit=2`, { method: 'HEAD' })
    expect([head.headers.get('x-total-count'), await head.text()]).toEqual(['5', ''])
    expect(head.headers.get('access-control-expose-headers')).toBe('Link, X-Total-Count')
  })

  test('are in the order of creation, also where two versions came in the same moment', async () => {
    let now = 1_800_000_000_000
    await using stowage = await startStowage({ replace: { now: () => now } })
    await publish(stowage.admin, ['a', '1', '2'])
    now -= 60_000
    await publish(stowage.admin, ['a', '0'])
    expect(await entries(stowage.anonymous, base('admin'))).toEqual(['a 2', 'a 1', 'a 0'])
    expect((await answer(stowage.anonymous.fetch(`${base('admin')}/generic/a/-/latest`))).body.version).toBe('2')
  })

  test('show nothing of other types, and are empty where nothing is', async () => {
    await using stowage = await startStowage()
    await publish(stowage.admin, ['a', '1'])
    for (const type of ['', 'all', 'generic']) {
      expect(await entries(stowage.anonymous, `${base('admin')}?type=${type}`)).toEqual(['a 1'])
    }
    const none = await answer(stowage.anonymous.fetch(`${base('admin')}?type=npm`))
    expect(none).toMatchObject({ status: 200, body: [], total: '0', links: {} })
    await stowage.user('ada')
    expect(await answer(stowage.anonymous.fetch(base('ada')))).toMatchObject({ status: 200, body: [], total: '0' })
  })

  test('take q as it stands, in any letter case', async () => {
    await using stowage = await startStowage()
    await publish(stowage.admin, ['Tool_x', '1', '2'], ['toolax', '1'], ['other', '1'], ['a.b', '1'])
    const found = (q: string) => entries(stowage.anonymous, `${base('admin')}?q=${encodeURIComponent(q)}`)
    expect(await found('tool')).toEqual(['toolax 1', 'Tool_x 2', 'Tool_x 1'])
    expect(await found('OOL_')).toEqual(['Tool_x 2', 'Tool_x 1'])
    expect(await found('.')).toEqual(['a.b 1'])
    for (const q of ['%', 'ool%', '\\', '\\_', '*', "'", 'ü', '\u212A', '\0', ' ', 'x'.repeat(300)]) {
      expect({ q, found: await found(q) }).toEqual({ q, found: [] })
    }
    expect(await found('')).toHaveLength(5)
    const paged = await answer(stowage.anonymous.fetch(`${base('admin')}?q=tool&limit=2`))
    expect(paged).toMatchObject({ total: '3', body: [{ name: 'toolax' }, { name: 'Tool_x' }] })
    expect(paged.links.last).toContain('q=tool')
  })

  test('do not count more than ten thousand matches', async () => {
    await using stowage = await startStowage()
    await publish(stowage.admin, ['many', '0'], ['other', '1'])
    const numbers = onPostgres
      ? 'select n from generate_series(1, 10000) as n'
      : 'with recursive r(n) as (select 1 union all select n + 1 from r where n < 10000) select n from r'
    await stowage.change(`
      insert into versions (package_id, version, version_key, creator_id, created_at)
      select packages.id, cast(n as text), cast(n as text), null, n from packages cross join (${numbers}) as numbers
      where packages.name = 'many' returning id`)
    const many = await answer(stowage.anonymous.fetch(`${base('admin')}?q=man&limit=2&page=2`))
    expect(many).toMatchObject({ total: null, body: [{ version: '9999' }, { version: '9998' }] })
    expect(Object.keys(many.links)).toEqual(['next', 'first', 'prev'])
    const last = await answer(stowage.anonymous.fetch(`${base('admin')}?q=man&limit=50&page=201`))
    expect(last).toMatchObject({ total: null, body: [expect.anything()] })
    expect(Object.keys(last.links)).toEqual(['first', 'prev'])
    expect((await answer(stowage.anonymous.fetch(`${base('admin')}?q=oth`))).total).toBe('1')
    expect((await answer(stowage.anonymous.fetch(`${base('admin')}/generic/many`))).total).toBe('10001')
    await stowage.admin.deleteVersion({ package: 'many', version: '0' })
    expect(await answer(stowage.anonymous.fetch(`${base('admin')}?q=man&page=999999999&limit=50`))).toMatchObject({
      status: 200,
      total: '10000',
    })
    expect(await wrongCounts(stowage)).toEqual([])
  }, 60_000)
})

describe('what is not there', () => {
  test('is 404: names that nothing has, and names that nothing can have', async () => {
    await using stowage = await startStowage()
    await publish(stowage.admin, ['tool', '1'])
    const unknown = 'package does not exist'
    const cases: [path: string, message: string][] = [
      ['/generic/none', unknown],
      ['/generic/none/1', unknown],
      ['/generic/none/-/latest', unknown],
      ['/generic/tool/2', unknown],
      ['/generic/tool/2/files', unknown],
      ['/generic/%C3%BC', unknown],
      ['/generic/%00', unknown],
      ['/generic/tool/%00/files', unknown],
      ['/generic/tool/%FF', unknown],
      [`/generic/${'x'.repeat(300)}`, unknown],
      ['/npm/tool', 'Not found.'],
      ['/generic', 'Not found.'],
      ['/generic/tool/1/files/1', 'Not found.'],
    ]
    for (const [path, message] of cases) {
      const { status, body } = await answer(stowage.anonymous.fetch(base('admin') + path))
      expect({ path, status, ...body }).toEqual({ path, status: 404, message, url: `${stowage.url}/api/swagger` })
    }
    for (const owner of ['nobody', '%C3%BC', '%00', 'a'.repeat(50)]) {
      expect((await answer(stowage.anonymous.fetch(base(owner)))).body.message).toBe('Not found.')
    }
  })

  test('is 405 where the address is there and the method is not', async () => {
    await using stowage = await startStowage()
    const removable = ['/generic/tool', '/generic/tool/1']
    for (const path of ['', ...removable, '/generic/tool/1/files', '/generic/tool/-/latest']) {
      const allow = removable.includes(path) ? 'GET, HEAD, DELETE' : 'GET, HEAD'
      for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'].filter((it) => !allow.includes(it))) {
        const response = await stowage.admin.fetch(base('admin') + path, { method })
        expect([method, path, response.status, response.headers.get('allow')]).toEqual([method, path, 405, allow])
      }
    }
  })
})

describe('who may see what', () => {
  const paths = ['', '?q=tool', '/generic/tool', '/generic/tool/1', '/generic/tool/1/files', '/generic/tool/-/latest']

  test('restricted, limited and private, by everybody and every token', async () => {
    await using stowage = await startStowage()
    const owners = {
      public: await stowage.user('paula'),
      limited: await stowage.user('lea', { visibility: 'limited' }),
      private: await stowage.user('priscilla', { visibility: 'private' }),
    }
    const stranger = await stowage.user('stranger')
    const restricted = await stowage.user('restricted', { restricted: true })
    const own = (scopes: string[]) => async (owner: Client) => owner.token(scopes)
    const as = (client: Client) => async () => client
    const callers: [who: string, client: (owner: Client) => Promise<Client>, statuses: [number, number, number]][] = [
      ['anybody', as(stowage.anonymous), [200, 404, 404]],
      ['a stranger', as(stranger), [200, 200, 404]],
      ['a restricted account', as(restricted), [200, 404, 404]],
      ['the owner', async (owner) => owner, [200, 200, 200]],
      ['an administrator', as(stowage.admin), [200, 200, 200]],
      ["the owner's token to read packages", own(['read:package']), [200, 200, 200]],
      ["the owner's token to write packages", own(['write:package']), [200, 200, 200]],
      ["the owner's token for something else", own(['write:user']), [403, 403, 403]],
      ["the owner's token for what is public", own(['all', 'public-only']), [200, 403, 403]],
      ["a stranger's token", as(await stranger.token(['all'])), [200, 200, 404]],
      ["a stranger's token for something else", as(await stranger.token(['read:user'])), [403, 403, 404]],
      ["a stranger's token for what is public", as(await stranger.token(['all', 'public-only'])), [200, 403, 404]],
      ["an administrator's token", as(await stowage.admin.token(['read:package'])), [200, 200, 200]],
    ]
    for (const owner of Object.values(owners)) {
      const digests = { 'X-Checksum-Md5': '', 'X-Checksum-Sha1': '', 'X-Checksum-Sha512': '' }
      for (const name of ['Md5', 'Sha1', 'Sha512'] as const) {
        const hasher = new Bun.CryptoHasher(name.toLowerCase() as 'md5')
        digests[`X-Checksum-${name}`] = hasher.update('x').digest('hex')
      }
      expect((await owner.put({ version: '1' }, 'x', digests)).status).toBe(201)
    }
    for (const [who, client, statuses] of callers) {
      for (const [index, owner] of Object.values(owners).entries()) {
        const caller = await client(owner)
        for (const path of paths) {
          const { status, body } = await answer(caller.fetch(base(owner.name) + path))
          expect({ who, owner: owner.name, path, status }).toEqual({
            who,
            owner: owner.name,
            path,
            status: statuses[index] as number,
          })
          if (status === 404) expect(body.message).toBe('Not found.')
        }
      }
    }
    const lacking = await answer((await stranger.token(['read:user'])).fetch(base('paula')))
    expect(lacking.body.message).toBe(
      'token does not have at least one of required scope(s), required=[read:package], token scope=read:user',
    )
    const wrong = await answer(stranger.with({ Authorization: `token ${'0'.repeat(40)}` }).fetch(base('paula')))
    expect([wrong.status, wrong.body.message]).toEqual([401, 'Failed to authenticate user'])
  }, 60_000)
})

describe('counts and the latest version', () => {
  test('follow what is published and deleted', async () => {
    await using stowage = await startStowage()
    const { admin } = stowage
    await publish(admin, ['tool', '1', '2', '3'], ['other', '1'])
    await admin.put({ version: '3', file: 'second' }, 'second')
    const latest = async () => (await answer(admin.fetch(`${base('admin')}/generic/tool/-/latest`))).body.version
    const totals = async () => [
      (await answer(admin.fetch(base('admin')))).total,
      (await answer(admin.fetch(`${base('admin')}/generic/tool`))).total,
    ]
    expect([await latest(), ...(await totals())]).toEqual(['3', '4', '3'])
    await admin.delete({ version: '3', file: 'second' })
    expect([await latest(), ...(await totals())]).toEqual(['3', '4', '3'])
    await admin.delete({ version: '3' })
    expect([await latest(), ...(await totals())]).toEqual(['2', '3', '2'])
    await admin.deleteVersion({ version: '1' })
    await admin.deleteVersion({ version: '2' })
    expect(await totals()).toEqual(['1', null])
    expect(await latest()).toBeUndefined()
    await publish(admin, ['tool', '4'])
    expect([await latest(), ...(await totals())]).toEqual(['4', '2', '1'])
    expect(await wrongCounts(stowage)).toEqual([])
  })

  test('are right after publishes and deletes that raced', async () => {
    await using stowage = await startStowage()
    const people = [stowage.admin, await stowage.user('ada')]
    const turns = Array.from({ length: 30 }, (_, index) => index)
    const work = people.flatMap((person) =>
      turns.map(async (index) => {
        const file = { package: `p${index % 3}`, version: `${index % 5}`, file: `${index % 2}` }
        const answers = [await person.put(file, `${index}`), await person.delete(file)]
        if (index % 4 === 0) answers.push(await person.deleteVersion(file))
        if (index % 3 === 0) answers.push(await person.put(file, 'again'))
        return answers.map(({ status }) => status)
      }),
    )
    for (const statuses of await Promise.all(work)) {
      for (const status of statuses) expect([201, 204, 404, 409]).toContain(status)
    }
    expect(await wrongCounts(stowage)).toEqual([])
    for (const person of people) {
      const { body, total } = await answer(stowage.anonymous.fetch(base(person.name)))
      expect(Number(total)).toBe(body.length)
    }
  }, 60_000)
})
