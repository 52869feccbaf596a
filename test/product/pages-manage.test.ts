import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { Browser } from '../support/browser.ts'
import { type Client, startStowage, type TestStowage } from '../support/stowage.ts'

/*
 * What those who may write change at a package, and what owners change at an owner: by forms, as a browser sends them without a script.
 */
let stowage: TestStowage
let ada: Client
const browsers = new Map<string, Browser>()

async function browserOf(name: string): Promise<Browser> {
  const known = browsers.get(name)
  if (known) return known
  const browser = new Browser(stowage)
  if (name !== 'stranger') await browser.signIn(name)
  browsers.set(name, browser)
  return browser
}

async function bodyOf(response: Response, status = 200): Promise<string> {
  const text = await response.text()
  if (response.status !== status) throw new Error(`${response.status} instead of ${status}: ${text.slice(0, 3_000)}`)
  return text
}

const see = async (name: string, path: string, status = 200) =>
  bodyOf(await (await browserOf(name)).fetch(path), status)
const send = async (name: string, path: string, fields: Record<string, string>) =>
  (await browserOf(name)).submit(path, fields)

/** Where a form led, and what is said there. */
async function ledTo(response: Response): Promise<string> {
  await bodyOf(response, 303)
  return response.headers.get('location') ?? ''
}

function hidden(html: string, name: string): string {
  return new RegExp(`<input type="hidden" name="${name}" value="([^"]*)"`).exec(html)?.[1] ?? ''
}

const at = (owner: string, name: string) => `/${owner}/-/packages/generic/${name}/-`
const metadata = async (owner: string, name: string) =>
  (await (await ada.fetch(`/api/v1/packages/${owner}/generic/${name}/-/metadata`)).json()) as Record<string, unknown>
/** Of the file that was published last under that name. */
const fileId = async (name: string): Promise<string> => {
  const [row] = await stowage.change(`select max(id) as id from files where name = '${name}'`)
  return String(row?.id)
}

beforeAll(async () => {
  stowage = await startStowage()
  ada = await stowage.user('ada')
  const [eva] = await Promise.all([stowage.user('eva'), stowage.user('mona')])
  await ada.post('/api/v1/orgs', { username: 'acme', full_name: 'Acme Works' })
  const team = { name: 'readers', permission: 'read', units: ['repo.packages'] }
  const { id } = (await (await ada.post('/api/v1/orgs/acme/teams', team)).json()) as { id: number }
  await ada.fetch(`/api/v1/teams/${id}/members/mona`, { method: 'PUT' })
  await ada.put({ owner: 'acme', package: 'anvil' }, 'anvil')
  await ada.put({}, 'one')
  await eva.fetch('/api/v1/user/settings', {
    method: 'PATCH',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ visibility: 'private' }),
  })
  await eva.put({ package: 'secret' }, 'secret')
})
afterAll(() => stowage[Symbol.asyncDispose]())

describe('who may', () => {
  /** Statuses of stranger, another user, a reader of acme, owner and administrator. */
  const pages: [path: string, statuses: number[]][] = [
    ['/acme/-/packages/generic/anvil/-/edit', [303, 403, 403, 200, 200]],
    ['/acme/-/packages/generic/anvil/-/delete', [303, 403, 403, 200, 200]],
    ['/acme/-/packages/generic/anvil/-/version/1.0/delete', [303, 403, 403, 200, 200]],
    ['/acme/-/packages/generic/anvil/-/delete-versions', [303, 403, 403, 200, 200]],
    ['/acme/-/settings', [303, 403, 403, 200, 200]],
    ['/acme/-/settings/rename', [303, 403, 403, 200, 200]],
    ['/acme/-/settings/delete', [303, 403, 403, 200, 200]],
    ['/acme/-/usage', [200, 200, 200, 200, 200]],
    ['/ada/-/settings', [303, 403, 403, 200, 200]],
    ['/ada/-/settings/rename', [303, 403, 403, 403, 200]],
    ['/ada/-/settings/delete', [303, 403, 403, 403, 200]],
    ['/eva/-/packages/generic/secret/-/edit', [404, 200, 404, 404, 200]],
    ['/eva/-/settings', [404, 200, 404, 404, 200]],
    ['/eva/-/usage', [404, 200, 404, 404, 200]],
  ]
  test.each(pages)('%s', async (path, statuses) => {
    const people = ['stranger', 'eva', 'mona', 'ada', 'admin']
    const seen: number[] = []
    for (const name of people) seen.push((await (await browserOf(name)).fetch(path)).status)
    expect(seen).toEqual(statuses)
  })

  test('a form is refused to the same people', async () => {
    const forms = pages.filter(([path]) => !/usage|edit$|settings$/.test(path)).map(([path]) => path)
    for (const path of [...forms, '/acme/-/settings', '/acme/-/settings/visibility', `${at('acme', 'anvil')}/edit`]) {
      for (const name of ['stranger', 'eva', 'mona']) {
        const fields = { confirm: 'anvil', visibility: 'private', sure: 'yes', description: 'mine', seen: '' }
        const { status } = await send(name, path, fields)
        expect([path, name, [401, 403, 404].includes(status)]).toEqual([path, name, true])
      }
    }
    expect(await metadata('acme', 'anvil')).toMatchObject({ versions: 1, description: '' })
  })

  test('what another site sends is refused', async () => {
    const { cookie = '' } = await browserOf('ada')
    const response = await fetch(`${stowage.url}${at('ada', 'tool')}/delete`, {
      method: 'POST',
      headers: { Cookie: cookie, 'Sec-Fetch-Site': 'cross-site', 'Content-Type': 'application/x-www-form-urlencoded' },
      body: 'confirm=tool',
    })
    expect(response.status).toBe(403)
    expect(await metadata('ada', 'tool')).toMatchObject({ versions: 1 })
  })
})

describe('what is said of a package', () => {
  const path = `${at('ada', 'said')}/edit`
  beforeAll(() => ada.put({ package: 'said' }, 'said'))

  test('is typed, saved and shown again', async () => {
    const form = await see('ada', path)
    const texts = {
      description: ' <b>Cuts</b> wood ',
      homepage: 'https://example.com/?a=1&b=2',
      repository_url: '',
      labels: 'cli, wood,, ',
      readme: '\n# "Tool"\r\n</textarea><script>alert(1)</script>',
    }
    const response = await send('ada', path, { ...texts, seen: hidden(form, 'seen') })
    expect(await ledTo(response)).toBe('/ada/-/packages/generic/said')
    expect(await metadata('ada', 'said')).toMatchObject({
      description: '<b>Cuts</b> wood',
      homepage: 'https://example.com/?a=1&b=2',
      labels: ['cli', 'wood'],
      readme: '\n# "Tool"\n</textarea><script>alert(1)</script>',
    })
    const shown = await see('ada', path)
    expect(shown).toContain('value="&lt;b&gt;Cuts&lt;/b&gt; wood"')
    expect(shown).toContain('value="cli, wood"')
    expect(shown).not.toContain('<script>alert')
    expect(shown).toContain('&lt;/textarea&gt;&lt;script&gt;alert(1)&lt;/script&gt;')
  })

  test('a preview shows the README and saves nothing', async () => {
    const before = await metadata('ada', 'said')
    const fields = {
      preview: '1',
      readme: '# Heading\n\n<img src=x onerror=alert(1)>',
      labels: 'a b',
      seen: 'whatever',
    }
    const shown = await bodyOf(await send('ada', path, fields))
    expect(shown).toMatch(/<h\d[^>]*>Heading<\/h\d>/)
    expect(shown).not.toContain('<img src=x')
    expect(shown).toContain('value="a b"')
    expect(hidden(shown, 'seen')).toBe('whatever')
    expect(await metadata('ada', 'said')).toEqual(before)
  })

  test('a README that is too long is previewed as little as it is saved', async () => {
    const shown = await bodyOf(await send('ada', path, { preview: '1', readme: `# Heading\n\n${'['.repeat(100_000)}` }))
    expect(shown).toContain('id="error-readme"')
    expect(shown).not.toContain('id="preview"')
    expect(shown).toContain('# Heading')
  })

  test('what is wrong is said at its field, and what was typed stays', async () => {
    const before = await metadata('ada', 'said')
    const seen = hidden(await see('ada', path), 'seen')
    const fields = {
      description: 'kept',
      homepage: 'javascript:alert(1)',
      labels: 'fine, not fine',
      readme: 'kept too',
    }
    const shown = await bodyOf(await send('ada', path, { ...fields, seen }), 422)
    expect(shown).toContain('id="error-homepage"')
    expect(shown).toContain('id="error-labels"')
    expect(shown).toContain('value="javascript:alert(1)"')
    expect(shown).toContain('kept too')
    expect(hidden(shown, 'seen')).toBe(seen)
    expect(await metadata('ada', 'said')).toEqual(before)
  })

  test('of two at once the second sees what the first has made of it, and may save over it', async () => {
    const seen = hidden(await see('ada', path), 'seen')
    const first = { description: 'the first', readme: 'of the first', labels: 'one', seen }
    const second = { description: 'the second', readme: 'of the second', labels: 'two', seen }
    const answers = await Promise.all([send('ada', path, first), send('admin', path, second)])
    const statuses = answers.map(({ status }) => status)
    expect(statuses.toSorted()).toEqual([303, 409])
    const [winner, loser] = statuses[0] === 303 ? (['first', 'second'] as const) : (['second', 'first'] as const)
    const shown = await bodyOf(answers[statuses.indexOf(409)] as Response, 409)
    expect(await metadata('ada', 'said')).toMatchObject({ description: `the ${winner}` })
    expect(shown).toContain('Somebody else has changed this package')
    expect(shown).toContain(`<dd dir="auto">the ${winner}</dd>`)
    expect(shown).toContain(`value="the ${loser}"`)
    expect(shown).toContain(`of the ${winner}`)
    const again = { description: `the ${loser}`, readme: '', labels: '', seen: hidden(shown, 'seen') }
    await ledTo(await send('ada', path, again))
    expect(await metadata('ada', 'said')).toMatchObject({ description: `the ${loser}`, labels: [] })
  })
})

describe('deleting', () => {
  test('a file: what is lost and freed, its name, and only then', async () => {
    await ada.put({ package: 'gone', file: 'own.bin' }, 'o'.repeat(2_000))
    await ada.put({ package: 'keeper', file: 'shared.bin' }, 's'.repeat(3_000))
    await ada.put({ package: 'gone', file: 'shared.bin' }, 's'.repeat(3_000))
    const own = `${at('ada', 'gone')}/version/1.0/delete/${await fileId('own.bin')}`
    const shared = `${at('ada', 'gone')}/version/1.0/delete/${await fileId('shared.bin')}`
    expect(await see('ada', own)).toMatch(/2 kB<\/span> will be freed/)
    expect(await see('ada', shared)).toContain('Nothing will be freed')

    const refused = await bodyOf(await send('ada', own, { confirm: 'other.bin' }), 422)
    expect(refused).toContain('This is not the name.')
    expect(refused).toContain('value="other.bin"')
    expect((await ada.get({ package: 'gone', file: 'own.bin' })).status).toBe(200)

    expect(await ledTo(await send('ada', own, { confirm: ' own.bin ' }))).toBe('/ada/-/packages/generic/gone/1.0')
    expect((await ada.get({ package: 'gone', file: 'own.bin' })).status).toBe(404)
    await see('ada', own, 404)

    expect(await see('ada', shared)).toContain('the version goes with it')
    expect(await ledTo(await send('ada', shared, { confirm: 'shared.bin' }))).toBe('/ada')
    expect((await ada.get({ package: 'keeper', file: 'shared.bin' })).status).toBe(200)
  })

  test('a version, whatever it is called', async () => {
    const versions = ['versions', '-', '1 2+"<b>', '%2F..']
    for (const version of versions) await ada.put({ package: 'odd', version }, version)
    for (const version of versions) {
      const path = `${at('ada', 'odd')}/version/${encodeURIComponent(version)}/delete`
      const shown = await see('ada', path)
      expect(shown).not.toContain('<b>')
      expect(shown).toContain(`action="${path}"`)
      await bodyOf(await send('ada', path, {}), 422)
      const place = version === versions.at(-1) ? '/ada' : '/ada/-/packages/generic/odd'
      expect(await ledTo(await send('ada', path, { confirm: version }))).toBe(place)
      await see('ada', path, 404)
    }
  })

  test('a version leaves its package where something is said of it', async () => {
    await ada.put({ package: 'kept' }, 'kept')
    const edit = `${at('ada', 'kept')}/edit`
    await send('ada', edit, { description: 'stays', seen: hidden(await see('ada', edit), 'seen') })
    const path = `${at('ada', 'kept')}/version/1.0/delete`
    expect(await ledTo(await send('ada', path, { confirm: '1.0' }))).toBe('/ada/-/packages/generic/kept')
  })

  test('a package says how much goes', async () => {
    for (const version of ['1', '2', '3']) await ada.put({ package: 'big', version }, version.repeat(10_000))
    await ada.get({ package: 'big', version: '1' })
    const path = `${at('ada', 'big')}/delete`
    const shown = await see('ada', path)
    expect(shown).toMatch(/<dt>Versions<\/dt><dd class="tabular">3</)
    expect(shown).toMatch(/30 kB<\/span> will be freed/)
    await bodyOf(await send('ada', path, { confirm: 'BIG' }), 422)
    expect(await ledTo(await send('ada', path, { confirm: 'big' }))).toBe('/ada')
    await see('ada', path, 404)
  })

  test('many versions: a look first, and nothing where others are like that by then', async () => {
    for (const version of ['1.0', '1.1', '2.0']) await ada.put({ package: 'many', version }, version)
    const path = `${at('ada', 'many')}/delete-versions`
    expect(await see('ada', `${path}?pattern=`, 422)).toContain('Type a pattern')
    expect(await see('ada', `${path}?pattern=9.*`)).toContain('No version is like that.')
    const shown = await see('ada', `${path}?pattern=1.*`)
    expect(hidden(shown, 'total')).toBe('2')
    await ada.put({ package: 'many', version: '1.2' }, 'late')
    const fields = { pattern: '1.*', total: '2', confirm: 'many' }
    const refused = await bodyOf(await send('ada', path, fields), 409)
    expect(await metadata('ada', 'many')).toMatchObject({ versions: 4 })
    await bodyOf(await send('ada', path, { ...fields, total: hidden(refused, 'total'), confirm: 'no' }), 422)
    await ledTo(await send('ada', path, { ...fields, total: hidden(refused, 'total') }))
    expect(await metadata('ada', 'many')).toMatchObject({ versions: 1 })
  })
})

describe('settings of an owner', () => {
  const settings = '/acme/-/settings'

  test('an organisation says something else of itself', async () => {
    const fields = {
      full_name: 'A & Co <i>',
      description: 'Anvils',
      website: 'ftp://example.com',
      location: '',
      email: '',
    }
    const refused = await bodyOf(await send('ada', settings, fields), 422)
    expect(refused).toContain('id="error-website"')
    expect(refused).toContain('value="A &amp; Co &lt;i&gt;"')
    await ledTo(await send('ada', settings, { ...fields, website: 'https://example.com' }))
    expect(await (await ada.fetch('/api/v1/orgs/acme')).json()).toMatchObject({
      full_name: 'A & Co <i>',
      description: 'Anvils',
      website: 'https://example.com',
    })
    expect((await send('ada', '/ada/-/settings', fields)).status).toBe(404)
  })

  test('visibility: what it comes to is said before anything changes', async () => {
    const path = `${settings}/visibility`
    const asked = await bodyOf(await send('ada', path, { visibility: 'private' }))
    expect(asked).toContain('will be able to read 1 package')
    expect((await stowage.anonymous.get({ owner: 'acme', package: 'anvil' })).status).toBe(200)
    await ledTo(await send('ada', path, { visibility: 'private', sure: 'yes' }))
    expect((await stowage.anonymous.get({ owner: 'acme', package: 'anvil' })).status).toBe(401)
    expect(await bodyOf(await send('ada', path, { visibility: 'public' }))).toContain(
      'Everybody with or without an account',
    )
    await ledTo(await send('ada', path, { visibility: 'public', sure: 'yes' }))
    await bodyOf(await send('ada', path, { visibility: 'secret' }), 422)
    await bodyOf(await send('ada', path, {}), 422)
  })

  test('a user hides his own packages, and an administrator those of another', async () => {
    const path = '/mona/-/settings/visibility'
    await ledTo(await send('mona', path, { visibility: 'private', sure: 'yes' }))
    expect((await stowage.anonymous.fetch('/api/v1/users/mona')).status).toBe(404)
    await ledTo(await send('admin', path, { visibility: 'public', sure: 'yes' }))
    expect((await stowage.anonymous.fetch('/api/v1/users/mona')).status).toBe(200)
  })

  test('a new name: the old one leads on', async () => {
    await ada.post('/api/v1/orgs', { username: 'before' })
    const path = '/before/-/settings/rename'
    expect(await bodyOf(await send('ada', path, { new_name: 'after', confirm: '' }), 422)).toContain('error-confirm')
    const taken = await bodyOf(await send('ada', path, { new_name: 'acme', confirm: 'before' }), 422)
    expect(taken).toContain('error-new_name')
    expect(taken).toContain('value="acme"')
    expect(await ledTo(await send('ada', path, { new_name: 'after', confirm: 'before' }))).toBe('/after/-/settings')
    const old = await (await browserOf('ada')).fetch('/before/-/settings')
    expect([old.status, old.headers.get('location')]).toEqual([307, '/after/-/settings'])
  })

  test('an organisation goes with its packages where that is typed', async () => {
    await ada.post('/api/v1/orgs', { username: 'doomed' })
    const path = '/doomed/-/settings/delete'
    const empty = await see('ada', path)
    expect(hidden(empty, 'purge')).toBe('')
    await ada.put({ owner: 'doomed' }, 'late')
    // As the page that was shown before the upload.
    const refused = await bodyOf(await send('ada', path, { confirm: 'doomed' }), 409)
    expect(hidden(refused, 'purge')).toBe('yes')
    await bodyOf(await send('ada', path, { confirm: 'acme', purge: 'yes' }), 422)
    expect((await ada.get({ owner: 'doomed' })).status).toBe(200)
    expect(await ledTo(await send('ada', path, { confirm: 'doomed', purge: 'yes' }))).toBe('/')
    expect((await ada.fetch('/api/v1/orgs/doomed')).status).toBe(404)
  })

  test('a user goes by an administrator, unless he is the last owner of something', async () => {
    const ida = await stowage.user('ida')
    await ida.post('/api/v1/orgs', { username: 'idas' })
    const path = '/ida/-/settings/delete'
    expect(await bodyOf(await send('admin', path, { confirm: 'ida' }), 422)).toContain('idas')
    await ledTo(await send('admin', '/idas/-/settings/delete', { confirm: 'idas' }))
    await ledTo(await send('admin', path, { confirm: 'ida' }))
    expect((await stowage.admin.fetch('/api/v1/users/ida')).status).toBe(404)
    await see('admin', '/admin/-/settings/delete', 422)
  })
})

describe('usage', () => {
  test('numbers for everybody, limits for those who may write', async () => {
    const quota = await stowage.admin.fetch('/api/v1/admin/quotas/owners/acme', {
      method: 'PATCH',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ versions: 4, bytes: 1_000_000 }),
    })
    expect(quota.status).toBeLessThan(300)
    const own = await see('ada', '/acme/-/usage')
    expect(own).toContain('1 of 4')
    expect(own).toContain('5 B of 1 MB')
    expect(own).toContain('href="/acme/-/packages/generic/anvil"')
    const stranger = await see('stranger', '/acme/-/usage')
    expect(stranger).toContain('1 package, 1 version, 1 file, 5 B')
    expect(stranger).not.toContain('1 of 4')
  })
})
