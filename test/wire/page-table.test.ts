import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { HttpParts } from '../../server/http/parts.ts'
import { pageRoutes } from '../../server/pages/app.ts'
import { makeWorld, password } from '../support/access-world.ts'
import { Browser } from '../support/browser.ts'
import { dropDatabaseOf } from '../support/database.ts'
import { startStowage, type TestStowage } from '../support/stowage.ts'

/*
 * Every page and every form, and who is let in. Forms are sent empty, so that nothing is changed by who is let in: 422 is somebody who
 * may, and typed nothing.
 *
 * anon: nobody; 303 leads to the sign-in. eve: a stranger. mem: member of a team of the organisation that may write. own: its owner.
 * self: the user in the address. adm: a site administrator. must: who must set a new password first, and is led there. `org` in an
 * address is a public organisation, `user` a public user, `hid` a private organisation in which `mem` and `own` are what they are.
 */
const table = `
  TABLE
`

interface Row {
  method: string
  path: string
  cells: Record<string, string>
}

function rowsOf(text: string): Row[] {
  const [head = [], ...rows] = text
    .trim()
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()))
  return rows.map(([route = '', ...cells]) => {
    const [method = '', path = ''] = route.split(' ')
    return { method, path, cells: Object.fromEntries(cells.map((cell, index) => [head[index + 1] ?? '', cell])) }
  })
}

const people = {
  anon: undefined,
  eve: 'stranger',
  mem: 'member-write',
  own: 'member-owner',
  self: 'public-user',
  adm: 'site-admin',
  must: 'must',
} as const

const dataDir = await mkdtemp(join(tmpdir(), 'stowage-pages-'))
let stowage: TestStowage
const browsers = new Map<string, Browser>()
let fileId = ''
let teamId = ''

beforeAll(async () => {
  await makeWorld(dataDir)
  stowage = await startStowage({ dataDir })
  await stowage.user('must', { password, must_change_password: true })
  const files = await stowage.admin.fetch('/api/v1/packages/public-org/generic/tool/1.0/files')
  fileId = String(((await files.json()) as { id: number }[])[0]?.id)
  const teams = await stowage.admin.fetch('/api/v1/orgs/public-org/teams')
  teamId = String(((await teams.json()) as { id: number; name: string }[]).find(({ name }) => name === 'Owners')?.id)
  for (const [who, name] of Object.entries(people)) {
    const browser = new Browser(stowage)
    if (name !== undefined) expect((await browser.signIn(name, password)).status).toBe(200)
    browsers.set(who, browser)
  }
}, 120_000)

afterAll(async () => {
  await stowage.stop()
  await rm(dataDir, { recursive: true, force: true })
  await dropDatabaseOf(dataDir)
})

/** `:owner` is the organisation where the column is about organisations, which is said by the row. */
function address(path: string): string {
  return path.replaceAll(/:(\w+)/g, (_, name: string) => {
    if (path.startsWith('/-/admin')) return name === 'name' || name === 'owner' ? 'public-user' : '999'
    switch (name) {
      case 'owner':
      case 'org':
        return 'public-org'
      case 'name':
      case 'package':
        return 'tool'
      case 'version':
        return '1.0'
      case 'file':
        return 'new.bin'
      case 'id':
        return path.includes('/files/') ? fileId : path.includes('/teams/') ? teamId : '999'
      default:
        return '999'
    }
  })
}

/** The status, and for what leads on, where to: `login`, `password`, or nothing more. */
async function send({ method, path }: Pick<Row, 'method' | 'path'>, who: string, headers: Record<string, string> = {}) {
  const isForm = method === 'POST'
  const kept = browsers.get(who)
  if (!kept) throw new Error(who)
  // Who signs out here is not signed out for what comes after.
  const browser = new Browser(stowage)
  browser.cookie = path === '/user/logout' ? undefined : kept.cookie
  const response = await browser.fetch(address(path), {
    method,
    headers: { ...(isForm ? { 'Content-Type': 'application/x-www-form-urlencoded' } : {}), ...headers },
    ...(isForm ? { body: '' } : method === 'PUT' ? { body: '', headers } : {}),
  })
  const text = response.headers.get('content-type')?.startsWith('text/html') ? await response.text() : ''
  const to = response.headers.get('location') ?? ''
  const where = to.startsWith('/user/login') ? ' login' : to === '/user/settings/password' ? ' password' : ''
  return { status: `${response.status}${where}`, text, response }
}

/** Files, which are the same for everybody. */
const files = ['/-/assets/:name', '/favicon.ico', '/robots.txt']

function routes(): Pick<Row, 'method' | 'path'>[] {
  const known = pageRoutes({ access: {} } as HttpParts).routes.filter(
    ({ path }) => path !== '/*' && !files.includes(path),
  )
  const texts = new Set(known.map(({ method, path }) => `${method} ${path}`))
  return [...texts].sort().map((text) => {
    const [method = '', path = ''] = text.split(' ')
    return { method, path }
  })
}

if (process.env.UPDATE_PAGE_TABLE) {
  test('writes the table anew, to be read line by line', async () => {
    const names = Object.keys(people)
    const lines = [['route', ...names]]
    for (const route of routes()) {
      const cells: string[] = []
      for (const who of names) cells.push((await send(route, who)).status)
      lines.push([`${route.method} ${route.path}`, ...cells])
    }
    const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0))) ?? []
    console.log(
      lines.map((line) => `  ${line.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')}`.trimEnd()).join('\n'),
    )
  }, 120_000)
}

describe('who is let in', () => {
  test.each(rowsOf(table).map((row) => [`${row.method} ${row.path}`, row] as const))('%s', async (_, row) => {
    const found: Record<string, string> = {}
    for (const who of Object.keys(row.cells)) found[who] = (await send(row, who)).status
    expect(found).toEqual(row.cells)
  })

  test('is in the table for every page', () => {
    expect(rowsOf(table).map(({ method, path }) => `${method} ${path}`)).toEqual(
      routes().map(({ method, path }) => `${method} ${path}`),
    )
  })
})

describe('every page', () => {
  const pages = rowsOf(table).filter(({ method }) => method === 'GET')

  test.each(pages.map(({ path }) => path))('%s is one that a strict policy lets through', async (path) => {
    for (const who of ['anon', 'self', 'own', 'adm']) {
      const { text, response } = await send({ method: 'GET', path }, who)
      if (text === '') continue
      const told = `${who} at ${path}`
      expect([
        told,
        text.match(/\sstyle=|<style|\son[a-z]+=|javascript:|<script(?![^>]*\ssrc=)|<iframe|<object|<embed/i),
      ]).toEqual([told, null])
      expect([told, text.match(/<h1[\s>]/g)?.length]).toEqual([told, 1])
      expect([told, /<title>[^<]+ · Stowage<\/title>|<title>Stowage<\/title>/.test(text)]).toEqual([told, true])
      const policy = response.headers.get('content-security-policy') ?? ''
      expect(policy).toStartWith("default-src 'none'; ")
      expect(policy).not.toMatch(/unsafe|data:|https?:|\*/)
      expect(response.headers.get('x-content-type-options')).toBe('nosniff')
      expect(response.headers.get('cache-control')).toBe(who === 'anon' ? 'private, no-cache' : 'no-store')
    }
  })
})

describe('every form', () => {
  const forms = rowsOf(table).filter(({ method }) => method !== 'GET')

  test.each(forms.map((row) => [`${row.method} ${row.path}`, row] as const))(
    '%s takes nothing from a page of another site, nor from no page',
    async (_, row) => {
      for (const headers of [{ 'Sec-Fetch-Site': 'cross-site' }, { 'Sec-Fetch-Site': 'same-site' }]) {
        expect((await send(row, 'adm', headers)).status).toBe('403')
      }
    },
  )

  test.each(forms.filter(({ method }) => method === 'POST').map((row) => [row.path, row] as const))(
    '%s refuses clearly what cannot be read',
    async (path) => {
      const browser = browsers.get('adm')
      if (!browser || path === '/user/logout' || path === '/-/theme') return
      const bodies = [
        'a=%ff%00&name=%00&confirm=%00&username=%00&password=%00&email=%00&description=%00&url=%00&text=%ff',
        `name=${'x'.repeat(70_000)}&username=${'x'.repeat(70_000)}&email=${'x'.repeat(70_000)}&page=1e9`,
        'name[]=1&name=2&name=3&id=-1&limit=NaN&version=..%2f..&expires=32.13.2026&files=x&bytes=1e400',
      ]
      for (const body of bodies) {
        const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
        const { status } = await browser.fetch(address(path), { method: 'POST', headers, body })
        expect([path, body.slice(0, 20), status >= 400 && status < 500]).toEqual([path, body.slice(0, 20), true])
      }
    },
  )
})
