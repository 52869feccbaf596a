import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createHmac } from 'node:crypto'
import { Browser } from '../support/browser.ts'
import { type Receiver, startReceiver } from '../support/receiver.ts'
import { type Client, startStowage, type TestStowage } from '../support/stowage.ts'

let stowage: TestStowage
let receiver: Receiver
/** Owner of `acme`; member of it, who publishes; administers the site. */
let ada: Browser
let bob: Browser
let admin: Browser
let adaCalls: Client

beforeAll(async () => {
  receiver = await startReceiver()
  stowage = await startStowage({ settings: { STOWAGE_WEBHOOK_ALLOWED_HOSTS: '127.0.0.1' } })
  adaCalls = await stowage.user('ada')
  await stowage.user('bob')
  await stowage.user('hidden', { visibility: 'private' })
  await adaCalls.post('/api/v1/orgs', { username: 'acme' })
  const team = await adaCalls.post('/api/v1/orgs/acme/teams', { name: 'writers', permission: 'write' })
  const { id } = (await team.json()) as { id: number }
  await adaCalls.fetch(`/api/v1/teams/${id}/members/bob`, { method: 'PUT' })
  const browse = async (name: string) => {
    const browser = new Browser(stowage)
    await browser.signIn(name)
    return browser
  }
  ada = await browse('ada')
  bob = await browse('bob')
  admin = await browse('admin')
})
afterAll(async () => {
  await stowage[Symbol.asyncDispose]()
  await receiver[Symbol.asyncDispose]()
})

async function page(browser: Browser, path: string, status = 200): Promise<string> {
  const response = await browser.fetch(path)
  const text = await response.text()
  expect([path, response.status]).toEqual([path, status])
  return text
}

async function sent(browser: Browser, path: string, fields: Record<string, string | string[]> = {}) {
  const response = await browser.submit(path, fields)
  return { status: response.status, to: response.headers.get('location') ?? '', text: await response.text() }
}

/** Makes a webhook by the form; answers where it is. */
async function made(browser: Browser, base: string, fields: Record<string, string | string[]> = {}): Promise<string> {
  const typed = { url: `${receiver.url}${base}`, events: 'package', active: 'on', ...fields }
  const { status, to, text } = await sent(browser, `${base}/new`, typed)
  expect([status, text.match(/id="error-.*?<\/p>/s)?.[0]]).toEqual([303, undefined])
  return to
}

async function deliver(): Promise<void> {
  await stowage.stowage.runJobs()
  await stowage.stowage.runJobs('deliveries')
}

async function publish(client: Client, owner: string, version: string): Promise<void> {
  expect((await client.put({ owner, version }, version)).status).toBe(201)
}

/** Addresses of the deliveries that a webhook's page lists, newest first. */
function deliveriesIn(text: string): string[] {
  return [...text.matchAll(/href="([^"]+\/deliveries\/\d+)"/g)].map(([, path = '']) => path)
}

describe('who may', () => {
  test.each(['', '/new', '/1', '/1/edit', '/1/delete', '/1/deliveries/1'])('see …/webhooks%s', async (below) => {
    const status = async (browser: Browser, path: string) => (await browser.fetch(path + below)).status
    // Of an organisation its owners; of a user himself; of the site its administrators. There is none of that number yet.
    const there = below === '' || below === '/new' ? 200 : 404
    expect(await Promise.all([ada, admin, bob].map((who) => status(who, '/acme/-/webhooks')))).toEqual([
      there,
      there,
      403,
    ])
    expect(await Promise.all([ada, admin, bob].map((who) => status(who, '/ada/-/webhooks')))).toEqual([there, 403, 403])
    expect(await Promise.all([ada, admin].map((who) => status(who, '/-/admin/webhooks')))).toEqual([403, there])
    expect(await Promise.all([ada, bob].map((who) => status(who, '/hidden/-/webhooks')))).toEqual([404, 404])
    expect(await status(ada, '/nobody/-/webhooks')).toBe(404)
    for (const path of ['/acme/-/webhooks', '/ada/-/webhooks', '/-/admin/webhooks', '/hidden/-/webhooks']) {
      const response = await new Browser(stowage).fetch(path + below)
      expect([response.status, response.headers.get('location')]).toEqual([
        303,
        `/user/login?next=${encodeURIComponent(path + below)}`,
      ])
    }
  })

  test('change them', async () => {
    const webhook = await made(ada, '/acme/-/webhooks')
    const own = await made(ada, '/ada/-/webhooks')
    const fields = { url: 'https://evil.example.com/', events: 'package', confirm: new URL(receiver.url).host }
    for (const [who, of, status] of [
      [bob, webhook, 403],
      [bob, own, 403],
      [admin, own, 403],
      [new Browser(stowage), webhook, 401],
    ] as const) {
      for (const form of ['/edit', '/delete', '/deliveries/1/replay']) {
        expect([form, (await sent(who, of + form, fields)).status]).toEqual([form, status])
      }
    }
    expect((await sent(bob, '/acme/-/webhooks/new', fields)).status).toBe(403)
    expect((await sent(ada, '/-/admin/webhooks/new', fields)).status).toBe(403)
    // Each is found below its own place alone.
    const id = webhook.split('/').at(-1)
    expect((await ada.fetch(`/ada/-/webhooks/${id}`)).status).toBe(404)
    expect((await admin.fetch(`/-/admin/webhooks/${id}`)).status).toBe(404)
    expect((await sent(ada, `/ada/-/webhooks/${id}/delete`, fields)).status).toBe(404)
    expect(await page(ada, webhook)).toContain(`${receiver.url}/acme/-/webhooks`)
  })
})

test('a webhook of an organisation is made, tells, is looked into, replayed and deleted', async () => {
  const webhook = await made(ada, '/acme/-/webhooks', {
    url: `${receiver.url}/story`,
    events: ['package', 'file_added'],
    secret: 'very-secret',
    authorization_header: 'Bearer very-hidden',
  })
  const fresh = await page(ada, webhook)
  expect(fresh).toContain('The webhook is made.')
  expect(fresh).toContain('Nothing was sent yet')
  expect(fresh).toContain('Versions, Files added')
  expect(await page(ada, '/acme/-/webhooks')).toContain('None yet')

  receiver.answers((response) =>
    response.writeHead(201, { 'x-said': '<i>hi</i>' }).end('<script>alert(1)</script> very-secret'),
  )
  await publish(adaCalls, 'acme', '1.0<b>')
  await deliver()
  const log = await page(ada, webhook)
  const [delivery = ''] = deliveriesIn(log)
  expect(deliveriesIn(log)).toHaveLength(2)
  expect(log).toMatch(/Delivered.*\(201\)/s)
  expect(await page(ada, '/acme/-/webhooks')).toContain('Delivered')
  expect(deliveriesIn(await page(ada, `${webhook}?state=delivered`))).toHaveLength(2)
  expect(await page(ada, `${webhook}?state=given-up`)).toContain('No delivery is in this state at the moment.')

  const shown = await page(ada, delivery)
  expect(shown).toContain('acme/tool 1.0&lt;b&gt;')
  expect(shown).toContain('X-Stowage-Signature: [secret]')
  expect(shown).toContain('&quot;action&quot;: &quot;')
  expect(shown).toContain('&lt;script&gt;alert(1)&lt;/script&gt; [secret]')
  expect(shown).toContain('x-said: &lt;i&gt;hi&lt;/i&gt;')
  for (const text of [fresh, log, shown]) expect(text).not.toMatch(/very-secret|very-hidden|<script>|<i>/)

  const replayed = await sent(ada, `${delivery}/replay`)
  expect(replayed.status).toBe(303)
  expect(replayed.to).not.toBe(delivery)
  expect(await page(ada, replayed.to)).toContain('The same is sent once more.')
  await deliver()
  const got = receiver.at('/story')
  expect(got).toHaveLength(3)
  expect(got[2]?.headers['x-stowage-signature']).toBe(
    createHmac('sha256', 'very-secret')
      .update(got[2]?.body ?? '')
      .digest('hex'),
  )
  expect(got[2]?.headers.authorization).toBe('Bearer very-hidden')

  const { host } = new URL(receiver.url)
  expect(await page(ada, `${webhook}/delete`)).toContain('3 deliveries in its log')
  const kept = await sent(ada, `${webhook}/delete`, { confirm: '' })
  expect([kept.status, kept.text.includes(`Type ${host} to delete this webhook.`)]).toEqual([422, true])
  expect(await sent(ada, `${webhook}/delete`, { confirm: host })).toMatchObject({ status: 303, to: '/acme/-/webhooks' })
  await page(ada, webhook, 404)
})

test('the form keeps what was typed, but no secret, and says what is wrong where', async () => {
  const form = await page(ada, '/ada/-/webhooks/new')
  expect(form).toMatch(/name="events" value="package"[^>]*checked/)
  const refused = await sent(ada, '/ada/-/webhooks/new', {
    url: 'ftp://"><b>x',
    secret: 'not-to-be-shown',
    authorization_header: ' bad ',
    events: 'file_deleted',
  })
  expect(refused.status).toBe(422)
  for (const field of ['url', 'authorization_header']) expect(refused.text).toContain(`id="error-${field}"`)
  expect(refused.text).toContain('value="ftp://&quot;&gt;&lt;b&gt;x"')
  expect(refused.text).not.toContain('not-to-be-shown')
  expect(refused.text).toMatch(/value="file_deleted"[^>]*checked/)
  expect(refused.text).not.toMatch(/value="package"[^>]*checked/)
  expect(refused.text).not.toMatch(/name="active"[^>]*checked/)

  const empty = await sent(ada, '/ada/-/webhooks/new')
  expect([empty.status, empty.text.includes('id="error-events"')]).toEqual([422, true])
  const unknown = await sent(ada, '/ada/-/webhooks/new', { url: receiver.url, events: ['package', 'moon'] })
  expect([unknown.status, unknown.text.includes('id="error-events"')]).toEqual([422, true])
  const inside = await sent(ada, '/ada/-/webhooks/new', { url: 'http://10.0.0.1/', events: 'package' })
  expect(inside.status).toBe(422)
  expect(inside.text).toMatch(/id="error-url".*STOWAGE_WEBHOOK_ALLOWED_HOSTS/s)
  expect(inside.text).not.toContain('config.url')
})

test('secret and header stay unless they are typed anew or taken away, and no header goes to another host', async () => {
  const url = `${receiver.url}/kept`
  const webhook = await made(ada, '/ada/-/webhooks', { url, secret: 'first-one', authorization_header: 'Bearer first' })
  const edit = `${webhook}/edit`
  const form = await page(ada, edit)
  expect(form).not.toMatch(/first-one|Bearer first/)
  expect(form).toContain('There is one, which is never shown.')
  let version = 0
  const told = async () => {
    version += 1
    await publish(adaCalls, 'ada', `kept-${version}`)
    await deliver()
    return receiver.at('/kept').at(-1)?.headers ?? {}
  }
  const same = { url, events: 'package', active: 'on' }
  expect(await sent(ada, edit, same)).toMatchObject({ status: 303, to: webhook })
  expect(await told()).toMatchObject({ authorization: 'Bearer first', 'x-stowage-signature': expect.any(String) })

  const elsewhere = await sent(ada, edit, { ...same, url: 'https://elsewhere.example.com/' })
  expect(elsewhere.status).toBe(422)
  expect(elsewhere.text).toMatch(/id="error-authorization_header".*meant for the host before/s)

  await sent(ada, edit, { ...same, drop_header: 'on', drop_secret: 'on' })
  expect(Object.keys(await told())).not.toContain('authorization')
  expect(Object.keys(await told())).not.toContain('x-stowage-signature')

  await sent(ada, edit, { url, events: 'package' })
  expect(await page(ada, webhook)).toMatch(/<dt>State<\/dt><dd>.*?Off/s)
  const before = receiver.at('/kept').length
  await told()
  expect(receiver.at('/kept').length).toBe(before)
})

test('of the site, and what fails, is told with its reason', async () => {
  const webhook = await made(admin, '/-/admin/webhooks', { url: `${receiver.url}/site` })
  receiver.answers((response) => response.writeHead(503).end('x'.repeat(30_000)))
  await publish(adaCalls, 'ada', 'site-1')
  await deliver()
  const log = await page(admin, webhook)
  expect(log).toContain('Failed, tries again')
  const [delivery = ''] = deliveriesIn(log)
  const shown = await page(admin, delivery)
  expect(shown).toContain('It answered 503.')
  expect(shown).toContain('Next attempt')
  expect(shown).toContain('Cut here: 10,000 more characters.')
  expect(await page(admin, '/-/admin/webhooks')).toContain('Failed, tries again')
  await page(admin, `${webhook}/deliveries/999999`, 404)
  expect((await sent(admin, `${webhook}/deliveries/999999/replay`)).status).toBe(404)
})
