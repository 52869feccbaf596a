import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { Browser } from '../support/browser.ts'
import { type Client, startStowage, type TestStowage } from '../support/stowage.ts'

/** Who did what, as people read it: at a package, at an organisation, about oneself, on the whole site. */
let stowage: TestStowage
let ada: Client
const browsers = new Map<string, Browser>()

async function look(name: string, path: string): Promise<Response> {
  const browser = browsers.get(name) ?? new Browser(stowage)
  if (!browsers.has(name) && name !== 'stranger') await browser.signIn(name)
  browsers.set(name, browser)
  return browser.fetch(path)
}

async function see(name: string, path: string, status = 200): Promise<string> {
  const response = await look(name, path)
  const text = await response.text()
  if (response.status !== status) throw new Error(`${response.status} instead of ${status}: ${text.slice(-3_000)}`)
  return text
}

/** The sentences of a page, without what leads on. */
function sentences(html: string): string[] {
  return [...html.matchAll(/<tr><td class="breaks">(.*?)<details/g)].map(([, cell = '']) =>
    cell.replace(/<[^>]+>/g, '').replaceAll('&#39;', "'"),
  )
}

beforeAll(async () => {
  stowage = await startStowage()
  ada = await stowage.user('ada')
  await Promise.all([stowage.user('eva'), stowage.user('mona')])
  await ada.post('/api/v1/orgs', { username: 'acme' })
  const team = { name: 'readers', permission: 'read', units: ['repo.packages'] }
  const { id } = (await (await ada.post('/api/v1/orgs/acme/teams', team)).json()) as { id: number }
  await ada.fetch(`/api/v1/teams/${id}/members/mona`, { method: 'PUT' })
  await ada.put({ owner: 'acme', package: 'anvil', version: '1.0', file: 'anvil.bin' }, 'anvil')
  await ada.put({ package: 'tool', version: '1.0' }, 'tool')
  await ada.put({ package: 'tool', version: '2.0' }, 'tool')
  await ada.put({ package: 'tool', version: 'v<b>"1"' }, 'tool')
  await ada.deleteVersion({ package: 'tool', version: '2.0' })
  await ada.post('/api/v1/users/ada/tokens', { name: '<i>ci</i>', scopes: ['write:package'] })
})
afterAll(() => stowage[Symbol.asyncDispose]())

describe('who may', () => {
  /** Stranger, another user, a member of acme, its owner, an administrator. */
  const pages: [path: string, statuses: number[]][] = [
    ['/acme/-/audit', [303, 403, 403, 200, 200]],
    ['/acme/-/packages/generic/anvil/-/audit', [303, 403, 403, 200, 200]],
    ['/ada/-/packages/generic/tool/-/audit', [303, 403, 403, 200, 200]],
    ['/ada/-/packages/generic/never-there/-/audit', [303, 403, 403, 200, 200]],
    ['/user/settings/audit', [303, 200, 200, 200, 200]],
    ['/-/admin/audit', [303, 403, 403, 403, 200]],
    ['/nobody/-/audit', [303, 404, 404, 404, 404]],
  ]
  test.each(pages)('%s', async (path, statuses) => {
    const seen: number[] = []
    for (const name of ['stranger', 'eva', 'mona', 'ada', 'admin']) seen.push((await look(name, path)).status)
    expect(seen).toEqual(statuses)
  })

  test('what was done at a user is with his account, and with the site', async () => {
    const where = async (name: string) => {
      const { status, headers } = await look(name, '/ada/-/audit')
      return [status, headers.get('location')]
    }
    expect(await where('ada')).toEqual([303, '/user/settings/audit'])
    expect(await where('admin')).toEqual([303, '/-/admin/audit?owner=ada'])
    expect(await where('eva')).toEqual([403, null])
  })
})

describe('what is read', () => {
  test('sentences, with what is still there to go to', async () => {
    const html = await see('ada', '/ada/-/packages/generic/tool/-/audit')
    expect(sentences(html)).toEqual([
      'ada deleted tool 2.0 with 1 file',
      'ada published tool.bin in tool v&lt;b&gt;&quot;1&quot;',
      'ada published tool.bin in tool 2.0',
      'ada published tool.bin in tool 1.0',
    ])
    expect(html).toContain('href="/ada/-/packages/generic/tool/1.0"')
    expect(html).toContain('href="/ada/-/packages/generic/tool/v%3Cb%3E%221%22"')
    expect(html).not.toContain('href="/ada/-/packages/generic/tool/2.0"')
    expect(html).not.toContain('<b>"')
    expect(html).toMatch(/<dt>Action<\/dt><dd dir="auto"><code>version.deleted<\/code>/)
  })

  test('who is gone, or hidden, is a name that leads nowhere', async () => {
    await stowage.user('gone')
    const acme = await see('ada', '/acme/-/audit')
    expect(acme).toContain('href="/ada"')
    await stowage.admin.fetch('/api/v1/admin/users/gone', { method: 'DELETE' })
    const site = await see('admin', '/-/admin/audit')
    expect(sentences(site)[0]).toBe('admin deleted the account gone')
    expect(site).not.toContain('href="/gone"')
  })

  test('of an organisation what was done there, of oneself what was done about the account', async () => {
    expect(sentences(await see('ada', '/acme/-/audit'))).toEqual([
      'ada published anvil.bin in anvil 1.0',
      'ada added mona to the team readers of acme',
      'ada made the team readers of acme',
      'ada added ada to the team Owners of acme',
      'ada made the organisation acme',
    ])
    const own = await see('ada', '/user/settings/audit')
    expect(sentences(own)).toContain('ada made the token &lt;i&gt;ci&lt;/i&gt;')
    expect(sentences(own)).toContain('admin made the account ada')
    expect(own).not.toContain('anvil')
  })
})

describe('filters', () => {
  test('narrow the list, and stay in their fields', async () => {
    const html = await see('admin', '/-/admin/audit?owner=ada&package=tool&action=version.deleted&actor=')
    expect(sentences(html)).toEqual(['ada deleted tool 2.0 with 1 file'])
    expect(html).toContain('name="owner" type="text" value="ada"')
    expect(html).toMatch(/<option value="version.deleted" selected/)
    expect(sentences(await see('ada', '/user/settings/audit?action=token.'))).toHaveLength(1)
    expect(await see('ada', '/user/settings/audit?actor=eva')).toContain('Nothing of that kind was done.')
    expect(await see('ada', '/user/settings/audit?until=2001-01-01T00:00')).toContain('Nothing of that kind was done.')
  })

  test('what cannot be read is said at its field', async () => {
    const html = await see('admin', `/-/admin/audit?since=${encodeURIComponent('"><script>')}`, 422)
    expect(html).toContain('id="error-since"')
    expect(html).not.toContain('"><script>')
    expect(await see('admin', '/-/admin/audit?package=tool', 422)).toContain('id="error-package"')
  })

  test('pages, as many as the API has', async () => {
    for (let version = 0; version < 31; version++) await ada.put({ package: 'paged', version: `${version}` }, 'x')
    const path = '/ada/-/packages/generic/paged/-/audit?action=file.published'
    const first = await see('ada', path)
    expect(sentences(first)).toHaveLength(30)
    expect(first).toContain('1 to 30 of 31')
    expect(first).toContain('action=file.published&amp;page=2')
    expect(sentences(await see('ada', `${path}&page=2`))).toEqual(['ada published tool.bin in paged 0'])
    expect(await see('ada', `${path}&page=400`, 422)).toContain('Only the newest 10,000 events')
    expect(sentences(await see('ada', `${path}&page=none`))).toHaveLength(30)
  })
})
