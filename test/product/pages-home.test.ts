import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { Browser } from '../support/browser.ts'
import { adminPassword, type Client, startStowage, type TestStowage } from '../support/stowage.ts'

let stowage: TestStowage
let ada: Client
let stranger: Browser
const browsers: Record<string, Browser> = {}

beforeAll(async () => {
  stowage = await startStowage()
  stranger = new Browser(stowage)
  ada = await stowage.user('ada')
  await stowage.user('eve')
  await ada.post('/api/v1/orgs', { username: 'acme' })
  await ada.post('/api/v1/orgs', { username: 'lab', visibility: 'private' })
  await put('ada', 'engine', '1.0', 'engine.tar.gz', 'an engine')
  await put('ada', 'engine', '2.0', 'a;rm -rf $HOME', 'a newer engine')
  await put('lab', 'secret-engine', '0.1', 'plan.txt', 'a plan')
  await put('acme', 'anvil', '1.0', 'anvil.bin', 'an anvil')
  const described = await ada.fetch('/api/v1/packages/acme/generic/anvil/-/metadata', {
    method: 'PATCH',
    body: JSON.stringify({ description: '<img src=x onerror=alert(1)>', labels: ['steel', 'heavy'] }),
  })
  expect(described.status).toBe(200)
  await stowage.stowage.runJobs()
  for (const name of ['ada', 'eve']) {
    browsers[name] = new Browser(stowage)
    await browsers[name].signIn(name)
  }
})
afterAll(() => stowage[Symbol.asyncDispose]())

async function put(owner: string, name: string, version: string, file: string, content: string): Promise<void> {
  const path = `/api/packages/${owner}/generic/${name}/${version}/${encodeURIComponent(file)}`
  const response = await ada.fetch(path, { method: 'PUT', body: content })
  if (response.status !== 201) throw new Error(`${path}: ${response.status}`)
}

async function page(path: string, browser: Browser | undefined = stranger): Promise<string> {
  const response = await browser.fetch(path)
  expect([path, response.status]).toEqual([path, 200])
  return response.text()
}

/** What a person reads, without the marks. */
function words(html: string): string {
  return html
    .replace(/^[\s\S]*<main[^>]*>/, '')
    .replace(/<\/main>[\s\S]*$/, '')
    .replace(/<\/?(?:a|b|code|bdi|span)(?: [^>]*)?>/g, '')
    .replace(/<[^>]+>/g, ' ')
    .replaceAll('&#39;', "'")
    .replaceAll('&quot;', '"')
    .replace(/\s+/g, ' ')
}

/** The packages of a list, in its order. */
function listed(html: string): string[] {
  const rows = [...html.matchAll(/<td class="breaks">[\s\S]*?<a href="([^"]+)"/g)]
  return rows.map(([, href = '']) => href.replace(/^\/([^/]+)\/-\/packages\/generic\//, '$1/'))
}

describe('the first page', () => {
  test('tells a stranger what this is, and a command that works', async () => {
    await using alone = await startStowage()
    const owner = await alone.user('grace')
    const path = '/api/packages/grace/generic/tool/1.0/tool.bin'
    expect((await owner.fetch(path, { method: 'PUT', body: 'tool' })).status).toBe(201)
    const html = await page('/', new Browser(alone))
    expect(words(html)).toContain('a registry for generic packages')
    const command = /<code>(curl [^<]+)<\/code>/.exec(html)?.[1]
    expect(command).toBe(`curl -fO ${alone.url}${path}`)
  })

  test('shows each what he may read, newest first', async () => {
    expect(listed(await page('/'))).toEqual(['acme/anvil', 'ada/engine'])
    expect(listed(await page('/', browsers.eve))).toEqual(['acme/anvil', 'ada/engine'])
    expect(listed(await page('/', browsers.ada))).toEqual(['acme/anvil', 'lab/secret-engine', 'ada/engine'])
  })

  test('leads whoever has signed in to his own', async () => {
    const html = await page('/', browsers.ada)
    for (const href of ['/ada', '/acme', '/lab', '/ada/-/upload']) expect(html).toContain(`<a href="${href}"`)
    const others = await page('/', browsers.eve)
    expect(others).not.toContain('href="/lab')
    expect(others).toContain('<a href="/org/create"')
  })

  test('has what people say of packages as text', async () => {
    const html = await page('/')
    expect(words(html)).toContain('&lt;img src=x onerror=alert(1)&gt;')
    expect(words(html)).toContain('steel heavy')
    expect(html).not.toContain('<img')
  })
})

describe('the welcome', () => {
  test('leads from the printed password to a first file, and then is gone', async () => {
    await using fresh = await startStowage()
    const nobody = new Browser(fresh)
    const first = await page('/', nobody)
    expect(words(first)).toContain('Sign in as the administrator')
    expect(/<li[^>]*aria-current="step"[^>]*>[\s\S]*?<\/li>/.exec(first)?.[0]).toContain('Sign in')

    const admin = new Browser(fresh)
    await admin.signIn('admin', adminPassword)
    const third = await page('/', admin)
    expect(/<li[^>]*aria-current="step"[^>]*>[\s\S]*?<\/li>/.exec(third)?.[0]).toContain('Upload a file')
    expect(third).toContain('<a href="/admin/-/upload"')
    const target = `${fresh.url}/api/packages/admin/generic/hello/1.0/hello.txt`
    expect(words(third)).toContain(`curl -u admin -T hello.txt ${target}`)

    // Also where it is not for everybody to see.
    expect((await fresh.admin.post('/api/v1/orgs', { username: 'lab', visibility: 'private' })).status).toBe(201)
    const path = '/api/packages/lab/generic/hello/1.0/hello.txt'
    expect((await fresh.admin.fetch(path, { method: 'PUT', body: 'hello' })).status).toBe(201)
    expect(words(await page('/', nobody))).toContain('Nothing is public here')
    expect(words(await page('/', admin))).not.toContain('Welcome')
  })

  test('where nobody sees anything before he has signed in, a stranger is told no more than that', async () => {
    await using shut = await startStowage({ settings: { STOWAGE_REQUIRE_SIGN_IN: 'true' } })
    const nobody = new Browser(shut)
    expect(words(await page('/', nobody))).toContain('Welcome')
    const path = '/api/packages/admin/generic/hello/1.0/hello.txt'
    expect((await shut.admin.fetch(path, { method: 'PUT', body: 'hello' })).status).toBe(201)
    const html = words(await page('/', nobody))
    expect(html).toContain('This site is for those who have an account.')
    expect(html).not.toContain('hello')
    for (const hidden of ['/-/search?q=hello', '/admin', '/nobody']) {
      const response = await nobody.fetch(hidden)
      expect([hidden, response.status]).toEqual([hidden, 303])
      expect(response.headers.get('location')).toBe(`/user/login?next=${encodeURIComponent(hidden)}`)
    }
  })
})

describe('search', () => {
  test('finds what the reader may see', async () => {
    expect(listed(await page('/-/search?q=ENGINE'))).toEqual(['ada/engine'])
    expect(listed(await page('/-/search?q=engine', browsers.ada))).toEqual(['lab/secret-engine', 'ada/engine'])
    expect(listed(await page('/-/search?q=engine', browsers.eve))).toEqual(['ada/engine'])
  })

  test('shows all of it to who asks for nothing, in every order', async () => {
    expect(listed(await page('/-/search'))).toEqual(['acme/anvil', 'ada/engine'])
    expect(listed(await page('/-/search?sort=name'))).toEqual(['acme/anvil', 'ada/engine'])
    expect(listed(await page('/-/search?sort=name&order=desc'))).toEqual(['ada/engine', 'acme/anvil'])
    expect(listed(await page('/-/search?sort=size'))).toEqual(['ada/engine', 'acme/anvil'])
    // What is no order at all is the usual one.
    expect(listed(await page('/-/search?sort=constructor&order=x&page=-1'))).toEqual(['acme/anvil', 'ada/engine'])
  })

  test.each(['md5', 'sha1', 'sha256', 'sha512'] as const)('finds a file by its %s', async (algorithm) => {
    const digest = new Bun.CryptoHasher(algorithm).update('an engine').digest('hex')
    const html = await page(`/-/search?q=${digest.toUpperCase()}`)
    expect(words(html)).toContain('1 version with this file')
    expect(html).toContain('href="/ada/-/packages/generic/engine/1.0"')
    const hidden = new Bun.CryptoHasher(algorithm).update('a plan').digest('hex')
    expect(words(await page(`/-/search?q=${hidden}`))).toContain('Nothing found')
  })

  test('takes what looks like a digest for a name too', async () => {
    const name = 'abcdef0123456789abcdef0123456789'
    await put('acme', name, '1.0', 'f', 'x')
    expect(listed(await page(`/-/search?q=${name}`))).toEqual([`acme/${name}`])
    await ada.fetch(`/api/packages/acme/generic/${name}/1.0`, { method: 'DELETE' })
  })

  test('says what to type next where it finds nothing', async () => {
    const html = await page('/-/search?q=%3Cscript%3Ealert(3)%3C%2Fscript%3E')
    expect(html).not.toContain('<script>alert')
    expect(words(html)).toContain('&lt;script&gt;alert(3)&lt;/script&gt; in its name')
    expect(html).toContain('value="&lt;script&gt;')
    expect(words(await page('/-/search?q=zq'))).toContain('type a third to look anywhere')
    expect(words(await page('/-/search?q=zqz'))).toContain('Type a shorter part')
  })
})

describe('a failure', () => {
  const curl = (path: string, headers: Record<string, string> = {}) => fetch(stowage.url + path, { headers })
  /** As it is, without a client that tidies it up. */
  const browserHeaders = { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }

  test.each([
    ['/nobody', 404],
    ['/nobody/nothing', 404],
    ['/-/nothing', 404],
    ['/a%zz', 400],
    ['/x/%2e%2e%5c/y', 404],
    [`/${'a/'.repeat(12)}a`, 404],
  ])('at %s is a page for a person, and a sentence for a program', async (path, status) => {
    const shown = await curl(path, browserHeaders)
    expect(shown.status).toBe(status)
    expect(shown.headers.get('content-type')).toBe('text/html; charset=utf-8')
    const text = await shown.text()
    expect(text.match(/<h1/g)).toHaveLength(1)
    expect(text).toContain(shown.headers.get('x-request-id') ?? 'none')
    expect(shown.headers.get('content-security-policy')).toStartWith("default-src 'none'; ")

    const told = await curl(path)
    expect(told.status).toBe(status)
    expect(told.headers.get('content-type')).toBe('text/plain; charset=utf-8')
  })

  test('below /api it is what it was, also for a browser', async () => {
    for (const path of ['/api/nothing', '/api/packages/nobody/generic/a/1/b', '/api/v1/nothing', '/api/a%zz']) {
      const response = await curl(path, browserHeaders)
      expect([path, response.headers.get('content-type')]).not.toEqual([path, 'text/html; charset=utf-8'])
    }
  })

  test('offers to look for a package of that name', async () => {
    const html = await (await stranger.fetch('/engine')).text()
    expect(html).toContain('<a href="/-/search?q=engine"')
    expect(html).toContain('<a href="/user/login?next=%2Fengine"')
  })

  test('who may not publish is told whom to ask, by name only where he may know', async () => {
    expect((await ada.post('/api/v1/orgs/acme/teams', { name: 'readers', permission: 'read' })).status).toBe(201)
    const refused = async (path: string) => {
      const response = await browsers.eve?.fetch(path)
      expect(response?.status).toBe(403)
      return response?.text() ?? ''
    }
    const asked = async () => words(await refused('/acme/-/upload'))
    expect(await asked()).toContain('You cannot publish to acme, or delete there. Ask one of its owners.')
    const teams = (await (await ada.fetch('/api/v1/orgs/acme/teams')).json()) as { id: number; name: string }[]
    const id = teams.find(({ name }) => name === 'readers')?.id
    expect((await ada.fetch(`/api/v1/teams/${id}/members/eve`, { method: 'PUT' })).status).toBe(204)
    expect(await asked()).toContain('You cannot publish to acme, or delete there. Ask one of its owners: ada.')
    expect(words(await refused('/ada/-/upload'))).toContain('Ask ada.')
  })
})

describe('behind a public path', () => {
  test.each(['stowage', 'api', 'user', 'files/packages'])('%s: with it, and without', async (prefix) => {
    await using behind = await startStowage({ settings: { STOWAGE_PUBLIC_URL: `https://example.com/${prefix}/` } })
    const path = '/api/packages/admin/generic/tool/1.0/tool.bin'
    expect((await behind.admin.fetch(path, { method: 'PUT', body: 'tool' })).status).toBe(201)
    expect((await behind.admin.fetch(`/${prefix}${path}`)).status).toBe(200)
    const nobody = new Browser(behind)
    for (const begin of ['', `/${prefix}`]) {
      const html = await page(`${begin}/`, nobody)
      expect(html).toContain(`href="/${prefix}/admin/-/packages/generic/tool"`)
      expect(html).toContain(`<form action="/${prefix}/-/search"`)
      expect(html).toContain(`curl -fO https://example.com/${prefix}${path}`)
      expect(listed((await page(`${begin}/-/search?q=tool`, nobody)).replaceAll(`"/${prefix}/`, '"/'))).toEqual([
        'admin/tool',
      ])
      expect(words(await page(`${begin}/admin`, nobody))).toContain('tool')
      expect((await nobody.fetch(`${begin}/user/login`)).status).toBe(200)
      const asset = /href="([^"]+style\.[^"]+\.css)"/.exec(html)?.[1]?.slice(prefix.length + 1)
      expect((await nobody.fetch(`${begin}${asset}`)).status).toBe(200)
      const led = await nobody.fetch(`${begin}/admin/-/upload`)
      expect(led.headers.get('location')).toBe(
        `/${prefix}/user/login?next=${encodeURIComponent(`/${prefix}/admin/-/upload`)}`,
      )
    }
  })
})
