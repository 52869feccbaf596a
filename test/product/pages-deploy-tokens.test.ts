import { afterAll, beforeAll, expect, test } from 'bun:test'
import { Browser } from '../support/browser.ts'
import { type Client, startStowage, type TestStowage } from '../support/stowage.ts'

const clock = { now: Date.parse('2031-05-06T07:08:09Z') }
const hour = 60 * 60_000

let stowage: TestStowage
/** Owner of `acme`; member of it, who publishes; administers the site. */
let ada: Browser
let bob: Browser
let admin: Browser
let adaCalls: Client

async function browse(name: string): Promise<Browser> {
  const browser = new Browser(stowage)
  await browser.signIn(name, name === 'admin' ? undefined : `${name}-Pass-1234`)
  return browser
}

beforeAll(async () => {
  stowage = await startStowage({ replace: { now: () => clock.now } })
  adaCalls = await stowage.user('ada')
  await stowage.user('bob')
  await adaCalls.post('/api/v1/orgs', { username: 'acme' })
  const team = await adaCalls.post('/api/v1/orgs/acme/teams', { name: 'writers', permission: 'write' })
  const { id } = (await team.json()) as { id: number }
  await adaCalls.fetch(`/api/v1/teams/${id}/members/bob`, { method: 'PUT' })
  ada = await browse('ada')
  bob = await browse('bob')
  admin = await browse('admin')
})
afterAll(() => stowage[Symbol.asyncDispose]())

const path = '/acme/-/deploy-tokens'
const ask = { name: 'ci', scopes: 'write:package', packages: '', expires: '90', on: '' }

async function page(browser: Browser, at: string, status = 200): Promise<string> {
  const response = await browser.fetch(at)
  const text = await response.text()
  expect([at, response.status]).toEqual([at, status])
  return text
}

/** What stands at the fields of a form that was refused. */
async function faults(browser: Browser, fields: object, at = `${path}/new`): Promise<Record<string, string>> {
  const response = await browser.submit(at, { ...ask, ...fields } as Record<string, string>)
  const text = await response.text()
  expect([response.status, text.match(/[0-9a-f]{40}/)?.[0]]).toEqual([response.status, undefined])
  expect(response.status).toBeGreaterThanOrEqual(400)
  const found = [...text.matchAll(/id="error-(\w+)".*?<span>(.*?)<\/span>/gs)]
  return Object.fromEntries(found.map(([, name = '', sentence = '']) => [name, sentence]))
}

test('a deploy token is made, shown once, used, listed and deleted', async () => {
  expect(await page(ada, path)).toContain('There are no deploy tokens yet')
  expect(await page(ada, `${path}/new`)).toContain('New deploy token of acme')
  const fields = { ...ask, name: ' ci <b>', packages: 'Tool-*\r\n acme/lib \r\n' }
  const made = await ada.submit(`${path}/new`, fields)
  expect([made.status, made.headers.get('cache-control')]).toEqual([200, 'no-store'])
  const text = await made.text()
  const secret = /<code>([0-9a-f]{40})<\/code>/.exec(text)?.[1] ?? ''
  const command = 'curl --fail-with-body -H &quot;Authorization: token $STOWAGE_TOKEN&quot;'
  expect(text).toContain(`${command} ${stowage.url}/api/v1/token`)
  expect(text).toContain(`-T tool.zip ${stowage.url}/api/packages/acme/generic/tool-example/1.0.0/tool.zip`)
  const asked = await fetch(`${stowage.url}/api/v1/token`, { headers: { Authorization: `token ${secret}` } })
  expect(await asked.json()).toMatchObject({
    ...{ owner: 'acme', name: 'ci <b>', scopes: ['write:package'], packages: ['tool-*', 'lib'] },
    expires_at: new Date(clock.now + 90 * 24 * hour).toISOString().replace('.000', ''),
  })

  const list = await page(ada, path)
  expect(list).not.toContain(secret)
  for (const shown of ['1 deploy token', 'ci &lt;b&gt;', secret.slice(-8), 'tool-*', 'by ada', 'in 3 months']) {
    expect(list).toContain(shown)
  }
  // It is told beside what it did.
  await fetch(`${stowage.url}/api/packages/acme/generic/lib/1/x`, {
    ...{ method: 'PUT', body: 'x', headers: { Authorization: `token ${secret}` } },
  })
  expect(await page(ada, '/acme/-/packages/generic/lib')).toMatch(/href="\/acme" class="line">\s*acme/)
  expect(await page(ada, '/acme/-/audit')).toContain('made the deploy token')
  expect(await page(ada, '/acme/-/audit?credential=deploy-token')).toContain('published')

  const [row] = await stowage.change("select id from deploy_tokens where name = 'ci <b>'")
  const remove = `${path}/${row?.id}/delete`
  await stowage.change(`insert into package_grants (owner_id, package_id, deploy_token_id, access, created_at)
    select owner_id, id, ${row?.id}, 1, 0 from packages`)
  expect(await page(ada, remove)).toContain('1 package that gave it a right of its own will forget it.')
  expect((await ada.submit(remove)).status).toBe(422)
  expect(await page(ada, path)).toContain('1 deploy token')
  const gone = await ada.submit(remove, { delete: 'yes' })
  expect([gone.status, gone.headers.get('location')]).toEqual([303, path])
  const after = await page(ada, path)
  expect(after).toContain('The deploy token is deleted.')
  expect(after).toContain('There are no deploy tokens yet')
  await page(ada, remove, 404)
})

test('what is wrong stands beside its field, and what was typed stays', async () => {
  const typed = { name: 'of the build', packages: 'tool-*\nelse/tool' }
  const response = await ada.submit(`${path}/new`, { ...ask, ...typed })
  expect(response.status).toBe(422)
  const text = await response.text()
  expect(text).toContain('value="of the build"')
  expect(text).toContain('tool-*\nelse/tool</textarea>')
  expect(await faults(ada, typed)).toEqual({ packages: '&quot;else/tool&quot; is of another owner than acme.' })
  expect(await faults(ada, { packages: 'a?' })).toEqual({
    packages: expect.stringMatching(/^&quot;a\?&quot; is no pattern: /) as unknown as string,
  })
  expect(await faults(ada, { name: ' ' })).toEqual({ name: 'Type what the token is for.' })
  expect(await faults(ada, { expires: 'date', on: '2031-05-05' })).toEqual({ on: 'Choose a day, today or later.' })
  for (const scopes of ['all', 'write:user', '']) {
    expect((await ada.submit(`${path}/new`, { ...ask, scopes })).status).toBe(422)
  }
  expect((await ada.submit(`${path}/new`, { ...ask, name: 'twice' })).status).toBe(200)
  expect(await faults(ada, { name: 'twice' })).toEqual({ name: 'Is used for another deploy token of this owner.' })
})

test('the pages are for who runs the owner, and lead to each other', async () => {
  for (const [at, status] of [
    [path, 403],
    [`${path}/new`, 403],
    ['/ada/-/deploy-tokens', 403],
  ] as const) {
    await page(bob, at, status)
  }
  expect((await bob.submit(`${path}/new`, ask)).status).toBe(403)
  expect((await new Browser(stowage).fetch(path)).headers.get('location')).toContain('/user/login')
  expect(await page(bob, '/acme')).not.toContain(path)
  for (const browser of [ada, admin]) expect(await page(browser, '/acme')).toContain(`href="${path}"`)
  expect(await page(bob, '/bob/-/deploy-tokens')).toContain('belongs to bob')
  expect(await page(bob, '/user/settings/tokens')).toContain('href="/bob/-/deploy-tokens"')
  await page(admin, '/bob/-/deploy-tokens')
  await page(ada, '/nobody/-/deploy-tokens', 404)
  // From another site nothing is made.
  const elsewhere = new Browser(stowage, { 'Sec-Fetch-Site': 'cross-site' })
  elsewhere.cookie = ada.cookie
  expect((await elsewhere.submit(`${path}/new`, { ...ask, name: 'elsewhere' })).status).toBe(403)
})

test('the password is asked for where the browser may have been left alone', async () => {
  await stowage.user('cleo')
  const cleo = await browse('cleo')
  const own = '/cleo/-/deploy-tokens/new'
  expect(await page(cleo, own)).not.toContain('name="password"')
  clock.now += 13 * hour
  expect(await page(cleo, own)).toContain('name="password"')
  expect(await faults(cleo, {}, own)).toEqual({ password: 'Type your password.' })
  expect(await faults(cleo, { password: 'wrong' }, own)).toEqual({ password: 'This is not your password.' })
  expect((await cleo.submit(own, { ...ask, password: 'cleo-Pass-1234' })).status).toBe(200)
})
