import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { Browser } from '../support/browser.ts'
import { type Client, startStowage, type TestStowage } from '../support/stowage.ts'

let stowage: TestStowage
let ada: Client
const browsers: Record<string, Browser> = {}

beforeAll(async () => {
  stowage = await startStowage()
  ada = await stowage.user('ada')
  await stowage.user('eve')
  await stowage.user('mel')
  await ada.post('/api/v1/orgs', { username: 'acme', full_name: 'Acme <b>Tools</b>' })
  await ada.post('/api/v1/orgs', { username: 'lab', visibility: 'private' })
  await ada.post('/api/v1/orgs', { username: 'bare' })
  const team = await ada.post('/api/v1/orgs/acme/teams', { name: 'readers', permission: 'read' })
  const { id } = (await team.json()) as { id: number }
  await ada.fetch(`/api/v1/teams/${id}/members/mel`, { method: 'PUT' })
  for (let n = 0; n < 32; n++) await put('acme', `part-${String(n).padStart(2, '0')}`, '1.0', 'x'.repeat(n + 1))
  await put('acme', 'anvil', '2.0', 'y'.repeat(500))
  await put('ada', 'x'.repeat(255), 'v'.repeat(255), 'long')
  for (const name of ['ada', 'eve', 'mel']) {
    browsers[name] = new Browser(stowage)
    await browsers[name].signIn(name)
  }
  browsers.nobody = new Browser(stowage)
}, 20_000)
afterAll(() => stowage[Symbol.asyncDispose]())

async function put(owner: string, name: string, version: string, content: string): Promise<void> {
  const path = `/api/packages/${owner}/generic/${name}/${version}/file.bin`
  const response = await ada.fetch(path, { method: 'PUT', body: content })
  if (response.status !== 201) throw new Error(`${path}: ${response.status}`)
}

async function page(path: string, who = 'nobody'): Promise<string> {
  const response = await (browsers[who] as Browser).fetch(path)
  expect([path, response.status]).toEqual([path, 200])
  return response.text()
}

/** The packages of the list, in its order. */
function listed(html: string): string[] {
  return [...html.matchAll(/<td class="breaks">[\s\S]*?<a href="[^"]+\/generic\/([^"]+)"/g)].map(
    ([, name = '']) => name,
  )
}

/** What the owner's pages are called to which this one leads. */
function places(html: string): string[] {
  const nav = /<nav aria-label="Pages of [^"]+"[\s\S]*?<\/nav>/.exec(html)?.[0] ?? ''
  return [...nav.matchAll(/<\/svg>([^<]+)<\/a>/g)].map(([, text = '']) => text)
}

describe('the packages of an owner', () => {
  test('stand at two addresses, newest first, thirty at once', async () => {
    for (const path of ['/acme', '/acme/-/packages', '/ACME', '/acme/']) {
      const html = await page(path)
      expect(listed(html).slice(0, 2)).toEqual(['anvil', 'part-31'])
      expect(listed(html)).toHaveLength(30)
      expect(html).toContain('1 to 30 of 33')
    }
    const second = await page('/acme?page=2')
    expect(listed(second)).toEqual(['part-02', 'part-01', 'part-00'])
    expect(second).toContain('31 to 33 of 33')
  })

  test('are sorted as asked', async () => {
    expect(listed(await page('/acme?sort=name')).slice(0, 2)).toEqual(['anvil', 'part-00'])
    expect(listed(await page('/acme?sort=name&order=desc'))[0]).toBe('part-31')
    expect(listed(await page('/acme?sort=size')).slice(0, 2)).toEqual(['anvil', 'part-31'])
    expect(listed(await page('/acme?sort=size&order=asc'))[0]).toBe('part-00')
    // The order it is in turns round; the others begin as people want them.
    const html = await page('/acme?sort=size&q=part')
    expect(html).toContain('href="/acme?q=part&amp;sort=size&amp;order=asc"')
    expect(html).toContain('href="/acme?q=part&amp;sort=name"')
    expect(html).toContain('href="/acme?q=part&amp;sort=size&amp;page=2"')
  })

  test('are those whose names hold what is typed', async () => {
    expect(listed(await page('/acme?q=T-'))).toHaveLength(0)
    expect(listed(await page('/acme?q=T-1'))).toHaveLength(10)
    const none = await page(`/acme?q=${encodeURIComponent('"><script>alert(1)</script>')}`)
    expect(none).toContain('Nothing found')
    expect(none).not.toContain('<script>alert')
    expect(none).toContain('value="&quot;&gt;&lt;script&gt;')
  })

  test('of the longest names are listed too', async () => {
    const html = await page('/ada')
    expect(listed(html)).toEqual(['x'.repeat(255)])
    expect(html).toContain(`href="/ada/-/packages/generic/${'x'.repeat(255)}/${'v'.repeat(255)}"`)
  })
})

describe('the owner', () => {
  test('is hidden from whom he is hidden', async () => {
    for (const who of ['nobody', 'eve']) {
      const hidden = await (browsers[who] as Browser).fetch('/lab')
      const unknown = await (browsers[who] as Browser).fetch('/no-such-owner')
      expect([who, hidden.status, unknown.status]).toEqual([who, 404, 404])
      const text = async (response: Response) =>
        (await response.text()).replaceAll(/[0-9a-f-]{36}|lab|no-such-owner/g, '')
      expect(await text(hidden)).toBe(await text(unknown))
    }
    expect(await page('/lab', 'ada')).toContain('Private')
  })

  test('shows each the pages that he may open', async () => {
    expect(places(await page('/acme'))).toEqual([])
    expect(places(await page('/acme', 'eve'))).toEqual([])
    expect(places(await page('/acme', 'mel'))).toEqual(['Packages', 'Members', 'Teams'])
    expect(places(await page('/ada', 'eve'))).toEqual([])
    const run = ['Usage', 'Deploy tokens', 'Publishers', 'Webhooks', 'Audit', 'Settings']
    expect(places(await page('/ada', 'ada'))).toEqual(['Packages', 'Upload', ...run])
    const all = ['Packages', 'Upload', 'Members', 'Teams', 'Invitations', ...run]
    expect(places(await page('/acme', 'ada'))).toEqual(all)
  })

  test('tells how many are in an organisation to who is in it', async () => {
    expect(await page('/acme', 'mel')).toMatch(/<dt>Members<\/dt><dd[^>]*><a href="\/acme\/-\/members">2<\/a>/)
    for (const who of ['nobody', 'eve']) expect(await page('/acme', who)).not.toContain('<dt>Members')
  })

  test('says of himself what he likes, as text', async () => {
    expect(await page('/acme')).toContain('Acme &lt;b&gt;Tools&lt;/b&gt;')
    const say = (fields: Record<string, string>) =>
      ada.fetch('/api/v1/user/settings', { method: 'PATCH', body: JSON.stringify(fields) })
    const fields = { description: '<i>d</i>', location: '<i>l</i>', website: 'https://ada.example.com/?a=1&b="' }
    expect((await say(fields)).status).toBe(200)
    const html = await page('/ada')
    for (const text of ['&lt;i&gt;d&lt;/i&gt;', '&lt;i&gt;l&lt;/i&gt;']) expect(html).toContain(text)
    expect(html).toContain('<a href="https://ada.example.com/?a=1&amp;b=%22" rel="noopener nofollow"')
    // However it came there.
    await stowage.change("update owners set website = 'javascript:alert(1)' where name = 'ada'")
    const bad = await page('/ada')
    expect(bad).not.toContain('href="javascript:')
    expect(bad).toContain('<span class="breaks">javascript:alert(1)</span>')
  })

  test('leads on from a name that he had before', async () => {
    const nan = await stowage.user('nan')
    expect((await stowage.admin.post('/api/v1/admin/users/nan/rename', { new_username: 'ann' })).status).toBe(204)
    expect(nan.name).toBe('nan')
    const response = await (browsers.nobody as Browser).fetch('/nan?q=x')
    expect([response.status, response.headers.get('location')]).toEqual([307, '/ann?q=x'])
  })

  test('may be called what every object has', async () => {
    const made = await ada.post('/api/v1/orgs', { username: 'constructor' })
    expect(made.status).toBe(201)
    await put('constructor', 'part', '1.0', 'x')
    expect(listed(await page('/constructor'))).toEqual(['part'])
    for (const path of ['/__proto__', '/toString/-/packages', '/hasOwnProperty'])
      expect([path, (await (browsers.nobody as Browser).fetch(path)).status]).toEqual([path, 404])
  })
})

describe('an owner who has nothing', () => {
  test('is told how to publish, if he may', async () => {
    const html = await page('/bare', 'ada')
    expect(html).toContain('<a href="/bare/-/upload" class="btn btn-primary')
    expect(html).toContain(`curl -u ada -T hello.txt ${stowage.url}/api/packages/bare/generic/hello/1.0/hello.txt`)
    for (const who of ['nobody', 'eve']) {
      const others = await page('/bare', who)
      expect(others).toContain('Nothing is published here yet')
      expect(others).not.toContain('curl')
    }
  })
})
