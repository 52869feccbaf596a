import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { Browser } from '../support/browser.ts'
import { type Client, startStowage, type TestStowage } from '../support/stowage.ts'

/*
 * Who sees a package and whom it names, by forms without a script; and what pages tell somebody whom a package of a private owner
 * names. Ada owns the public acme and the private vault; bob and eve are nobody there.
 */
let stowage: TestStowage
let ada: Client
const browsers = new Map<string, Browser>()

async function browserOf(name: string): Promise<Browser> {
  const known = browsers.get(name)
  if (known) return known
  const browser = new Browser(stowage, { 'Accept-Encoding': 'identity' })
  if (name !== 'stranger') expect((await browser.signIn(name)).ok).toBe(true)
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

/** What is to be read on a page, without its marks. */
const told = (html: string) =>
  html
    .replace(/<(script|style|head)[\s\S]*?<\/\1>/g, '')
    .replaceAll(/<[^>]+>/g, ' ')
    .replaceAll(/\s+/g, ' ')

const pageOf = (owner: string, name: string) => `/${owner}/-/packages/generic/${name}`
const accessOf = (owner: string, name: string) => `${pageOf(owner, name)}/-/access`
const stated = async (owner: string, name: string) =>
  (await ada.fetch(`/api/v1/packages/${owner}/generic/${name}/-/access`)).json()
const change = (path: string, method: string, body: unknown) =>
  ada.fetch(`/api/v1${path}`, { method, body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } })

beforeAll(async () => {
  stowage = await startStowage()
  ada = await stowage.user('ada')
  await Promise.all([stowage.user('bob'), stowage.user('eve')])
  await ada.post('/api/v1/orgs', { username: 'acme' })
  await ada.post('/api/v1/orgs', { username: 'vault', visibility: 'private' })
  await change('/orgs/vault', 'PATCH', {
    ...{ full_name: 'Vault Corporation', description: 'Anvils', website: 'https://anvils.example.com' },
    ...{ location: 'Arizona', email: 'hello@anvils.example.com' },
  })
  for (const owner of ['acme', 'vault', 'ada']) {
    for (const name of ['tool', owner === 'vault' ? 'strongbox' : 'besides'])
      await ada.put({ owner, package: name }, `${owner} ${name}`)
  }
  await change('/packages/vault/generic/tool/-/access/users/bob', 'PUT', { permission: 'write' })
})

afterAll(() => stowage[Symbol.asyncDispose]())

describe('the page of who may', () => {
  test('makes a package private, and lets some in', async () => {
    const path = accessOf('acme', 'tool')
    expect(await see('ada', pageOf('acme', 'tool'))).toContain(`href="${path}"`)
    expect(await see('ada', path)).toContain('Nobody is named.')
    const team = (await (
      await ada.post('/api/v1/orgs/acme/teams', { name: 'readers', permission: 'read' })
    ).json()) as {
      id: number
    }
    expect((await send('ada', path, { visibility: 'private' })).headers.get('location')).toBe(path)
    expect((await send('ada', `${path}/give`, { kind: 'user', id: 'bob', permission: 'write' })).status).toBe(303)
    await send('ada', `${path}/give`, { kind: 'team', id: String(team.id), permission: 'read' })
    const shown = await see('ada', path)
    expect(shown).toContain('The right on the package is given.')
    expect(told(shown)).toMatch(/bob User Read and write Remove bob readers Team Read Remove readers/)
    expect(await stated('acme', 'tool')).toMatchObject({
      visibility: 'private',
      users: [{ name: 'bob', permission: 'write' }],
      teams: [{ name: 'readers', permission: 'read' }],
    })
    expect((await send('ada', `${path}/take`, { kind: 'user', id: 'bob' })).status).toBe(303)
    // Twice is once.
    expect((await send('ada', `${path}/take`, { kind: 'user', id: 'bob' })).status).toBe(303)
    expect(await stated('acme', 'tool')).toMatchObject({ users: [] })
  })

  test('says at the field what is wrong', async () => {
    const path = accessOf('acme', 'besides')
    const wrong = async (fields: Record<string, string>, where = `${path}/give`) =>
      bodyOf(await send('ada', where, fields), 422)
    expect(await wrong({ kind: 'user', id: 'nobody', permission: 'read' })).toContain(
      'There is no user nobody, or not for you to see.',
    )
    expect(await wrong({ kind: 'user', id: '', permission: 'write' })).toContain('Type the name of a user.')
    expect(await wrong({ visibility: 'public' }, path)).toContain('Choose one of these.')
    expect(await wrong({ kind: 'user', id: 'no<b>dy', permission: 'write' })).toContain('value="no&lt;b&gt;dy"')
    await bodyOf(await send('ada', `${path}/give`, { kind: 'robot', id: '1', permission: 'read' }), 400)
    expect(await stated('acme', 'besides')).toMatchObject({ visibility: 'inherit', users: [] })
  })

  test('is for a package that is to come, too', async () => {
    const path = accessOf('acme', 'to-come')
    expect(await see('ada', path)).toContain('Access to to-come')
    await send('ada', path, { visibility: 'private' })
    expect(await see('ada', '/acme')).not.toContain('to-come')
    expect((await ada.put({ owner: 'acme', package: 'to-come' }, 'x')).status).toBe(201)
    expect(await see('ada', '/acme')).toContain('to-come')
    expect(await see('bob', '/acme')).not.toContain('to-come')
  })

  test('is for those who run the owner', async () => {
    for (const path of [accessOf('acme', 'besides'), accessOf('ada', 'tool')]) {
      await see('bob', path, 403)
      expect((await send('bob', path, { visibility: 'private' })).status).toBe(403)
      expect((await (await browserOf('stranger')).fetch(path)).status).toBe(303)
    }
    await see('bob', accessOf('vault', 'tool'), 404)
    await see('eve', accessOf('vault', 'tool'), 404)
    expect(await see('bob', pageOf('acme', 'besides'))).not.toContain('/-/access')
  })
})

test('a private package says so to those who see it, and is to others as one that is not there', async () => {
  await change('/packages/acme/generic/hush/-/access', 'PATCH', { visibility: 'private' })
  await ada.put({ owner: 'acme', package: 'hush' }, 'x')
  for (const path of [pageOf('acme', 'hush'), `${pageOf('acme', 'hush')}/1.0`]) {
    expect(told(await see('ada', path))).toMatch(/hush (1\.0 )?Private/)
  }
  for (const path of ['/acme', '/', '/-/search?q=hush']) {
    expect(told(await see('ada', path))).toMatch(/hush Private/)
    for (const other of ['bob', 'stranger']) {
      expect(await see(other, path.replace('?q=hush', ''))).not.toContain('hush')
    }
  }
  const pages = [
    ...['', '/1.0', '/versions', '/-/audit', '/-/edit', '/-/delete', '/-/delete-versions', '/-/version/1.0/delete'],
    ...['/1.0/files/1', '/-/access'],
  ].map((rest) => (name: string) => pageOf('acme', name) + rest)
  for (const page of [...pages, (name: string) => `/acme/-/upload?package=${name}`]) {
    for (const caller of ['bob', 'stranger']) {
      const ask = async (name: string) => {
        const response = await (await browserOf(caller)).fetch(page(name))
        const headers = Object.fromEntries(
          [...response.headers].filter(([it]) => !['date', 'x-request-id'].includes(it)),
        )
        const body = (await response.text()).replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'id')
        return JSON.stringify({ status: response.status, headers, body }).replaceAll(name, '…')
      }
      expect(await ask('hush')).toBe(await ask('zxqv'))
    }
  }
})

describe('somebody whom a package of a private owner names', () => {
  const leaks = /Vault Corporation|Anvils|anvils|Arizona|strongbox|Here since|Members/

  test('sees the name of the owner, and what names him', async () => {
    const paths = [
      ...['/vault', '/vault/-/packages', '/vault/-/usage', '/vault/-/upload?package=tool', pageOf('vault', 'tool')],
      ...[`${pageOf('vault', 'tool')}/1.0`, `${pageOf('vault', 'tool')}/versions`, '/-/search?q=too', '/-/search', '/'],
      ...[`${pageOf('vault', 'tool')}/-/edit`, `${pageOf('vault', 'tool')}/-/delete`],
    ]
    for (const path of paths) {
      const html = await see('bob', path)
      expect(html).toContain('vault')
      expect({
        path,
        leak: leaks.exec(html)?.[0],
      }).toEqual({
        ...{ path, leak: undefined },
      })
    }
    expect(told(await see('bob', '/vault'))).toMatch(/Packages 1 Versions 1/)
    expect(told(await see('bob', '/vault/-/usage'))).not.toMatch(/quota|of at most/i)
  })

  test('finds nothing else there', async () => {
    const unseen = [
      ...['members', 'teams', 'invitations', 'webhooks', 'audit', 'settings', 'publishers'].map(
        (it) => `/vault/-/${it}`,
      ),
      ...[pageOf('vault', 'strongbox'), accessOf('vault', 'tool')],
    ]
    for (const path of unseen) {
      const html = await see('bob', path, 404)
      expect(html).not.toMatch(/Vault Corporation|Anvils/)
    }
    // Where somebody may not what others may, nobody is told who could help.
    for (const path of ['/vault/-/upload', `${pageOf('vault', 'tool')}/-/audit`, '/vault/-/upload?package=strongbox']) {
      expect(await see('bob', path, 403)).not.toMatch(/\bada\b/)
    }
  })

  test('publishes there, and nowhere else', async () => {
    const sent = (name: string) => {
      const form = new FormData()
      form.append('file', new Blob(['bytes']), 'new.bin')
      return browserOf('bob').then((bob) =>
        bob.fetch(`/vault/-/upload?package=${name}&version=2.0`, { method: 'POST', body: form }),
      )
    }
    expect((await sent('tool')).headers.get('location')).toBe(`${pageOf('vault', 'tool')}/2.0`)
    expect((await sent('strongbox')).status).toBe(403)
    expect((await sent('more')).status).toBe(403)
  })

  test('is nobody to those whom nothing names', async () => {
    for (const path of ['/vault', pageOf('vault', 'tool'), '/vault/-/upload?package=tool', '/vault/-/usage']) {
      await see('eve', path, 404)
    }
  })
})
