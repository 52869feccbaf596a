import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { settingNames } from '../../server/config.ts'
import { Browser } from '../support/browser.ts'
import { adminPassword, type Client, startStowage, type TestStowage } from '../support/stowage.ts'

/* Running the site by its pages, without a script: forms as a browser sends them. */

const secrets = {
  STOWAGE_ADMIN_PASSWORD: 'secret-of-the-admin',
  STOWAGE_SECRET_KEY: 'secret-key-that-nobody-may-read-here',
  STOWAGE_SMTP_URL: 'smtp://secret-mail-user:secret-mail-pass@127.0.0.1:9',
  STOWAGE_METRICS_TOKEN: 'secret-metrics-token',
}

let stowage: TestStowage
let admin: Browser
let ada: Client
let adasBrowser: Browser

beforeAll(async () => {
  stowage = await startStowage({ settings: { ...secrets, STOWAGE_MAIL_FROM: 'packages@example.com' } })
  ada = await stowage.user('ada', { full_name: 'Ada <b>Lovelace</b>' })
  admin = new Browser(stowage)
  expect((await admin.signIn('admin', adminPassword)).status).toBe(200)
  adasBrowser = new Browser(stowage)
  expect((await adasBrowser.signIn('ada')).status).toBe(200)
})

afterAll(() => stowage[Symbol.asyncDispose]())

const form = { 'Content-Type': 'application/x-www-form-urlencoded' }

function send(path: string, fields: Record<string, string> = {}, browser = admin): Promise<Response> {
  return browser.fetch(path, { method: 'POST', headers: form, body: new URLSearchParams(fields).toString() })
}

async function look(path: string, browser = admin): Promise<string> {
  const response = await browser.fetch(path)
  expect(response.status).toBe(200)
  return response.text()
}

/** The form worked: where it led, and what is said there. */
async function done(response: Response): Promise<{ at: string; text: string }> {
  expect(response.status).toBe(303)
  const notice = response.headers.getSetCookie().find((cookie) => cookie.startsWith('stowage_notice='))
  const at = response.headers.get('location') ?? ''
  const page = await fetch(stowage.url + at, { headers: { Cookie: `${admin.cookie}; ${notice?.split(';')[0]}` } })
  expect(page.status).toBe(200)
  return { at, text: await page.text() }
}

/** The form came back. */
async function refused(response: Response): Promise<string> {
  expect(response.status).toBe(422)
  return response.text()
}

/** All that the form of a user's page sends when nothing is changed. */
const asHeIs = {
  email: '',
  full_name: '',
  visibility: 'public',
  description: '',
  website: '',
  location: '',
  active: 'on',
}

const pages = ['', '/users', '/users/new', '/users/ada', '/users/ada/delete', '/invitations', '/quotas', '/quotas/ada']
  .concat(['/storage', '/jobs', '/settings', '/names'])
  .map((path) => `/-/admin${path}`)

describe('these pages are for administrators', () => {
  test.each(pages)('%s', async (path) => {
    expect((await admin.fetch(path)).status).toBe(200)
    const refusal = await adasBrowser.fetch(path)
    expect(refusal.status).toBe(403)
    expect(await refusal.text()).toContain('ada is not an administrator of this site.')
    const stranger = await new Browser(stowage).fetch(path)
    expect(stranger.status).toBe(303)
    expect(stranger.headers.get('location')).toStartWith('/user/login')
  })

  test.each(['/users/new', '/users/ada', '/users/ada/delete', '/quotas', '/storage/sweep', '/recount', '/invitations'])(
    'also what %s does',
    async (path) => {
      expect((await send(`/-/admin${path}`, {}, adasBrowser)).status).toBe(403)
      expect((await send(`/-/admin${path}`, {}, new Browser(stowage))).status).toBe(401)
    },
  )
})

describe('users', () => {
  test('are found by a part of name or address', async () => {
    const page = await look('/-/admin/users?q=ADA%40ex')
    expect(page).toContain('href="/-/admin/users/ada"')
    expect(page).toContain('Ada &lt;b&gt;Lovelace&lt;/b&gt;')
    expect(page).not.toContain('href="/-/admin/users/admin"')
    expect(await look('/-/admin/users?q=a_a')).toContain('No user has such a name')
    expect(await look('/-/admin/users?q=%25')).toContain('No user has such a name')
  })

  test('are added with a first password that they must change', async () => {
    const fields = { username: 'grace', email: 'grace@example.com', full_name: '', visibility: 'limited' }
    const short = await refused(
      await send('/-/admin/users/new', { ...fields, password: 'short', must_change_password: 'on' }),
    )
    expect(short).toContain('Must have at least 8 characters.')
    expect(short).toContain('value="grace@example.com"')
    expect(short).not.toContain('value="short"')
    const { at, text } = await done(
      await send('/-/admin/users/new', { ...fields, password: 'grace-Pass-1234', must_change_password: 'on' }),
    )
    expect(at).toBe('/-/admin/users/grace')
    expect(text).toContain('The user is added.')
    expect(text).toContain('New password due')
    const taken = await refused(await send('/-/admin/users/new', { ...fields, email: '', password: 'another-one' }))
    expect(taken).toContain('User already exists')
    expect(taken).toMatch(/id="error-username"/)
  })

  test('keep what the form does not change', async () => {
    await stowage.user('joan', { restricted: true })
    const fields = { ...asHeIs, email: 'joan@example.com', restricted: 'on', may_create_organisations: 'on' }
    await done(await send('/-/admin/users/joan', { ...fields, full_name: 'Joan', website: 'https://joan.example' }))
    const { events } = await lastEvent()
    expect(events[0]).toMatchObject({ action: 'account.changed', details: { fields: ['full_name', 'website'] } })
    expect(await look('/-/admin/users/joan')).toContain('value="Joan"')
  })

  test('are told at the field what is wrong', async () => {
    await stowage.user('kate')
    const page = await refused(
      await send('/-/admin/users/kate', {
        ...asHeIs,
        email: 'ada@example.com',
        location: '"><script>',
        prohibit_login: 'on',
      }),
    )
    expect(page).toMatch(/id="error-email"[\s\S]*E-mail already in use/)
    expect(page).toContain('value="&quot;&gt;&lt;script&gt;"')
    expect(page).toMatch(/name="prohibit_login"[^>]*checked/)
    const bad = await refused(await send('/-/admin/users/kate', { ...asHeIs, website: 'javascript:alert(1)' }))
    expect(bad).toMatch(/id="error-website"/)
    expect(await refused(await send('/-/admin/users/kate'))).toContain('Must be public, limited or private.')
    expect((await send('/-/admin/users/nobody-there', asHeIs)).status).toBe(404)
  })

  test.each([
    [{ active: 'on' }, 'admin'],
    [{ admin: 'on' }, 'active'],
    [{ admin: 'on', active: 'on', prohibit_login: 'on' }, 'prohibit_login'],
  ])('do not lose their last administrator by %p', async (fields, field) => {
    const { active: _, ...others } = asHeIs
    const rights: Record<string, string> = { may_create_organisations: 'on', ...fields } as Record<string, string>
    const page = await refused(await send('/-/admin/users/admin', { ...others, ...rights }))
    const [label = ''] = page.split('<label').filter((part) => part.includes(`name="${field}"`))
    expect(label).toContain('This is the last administrator who can sign in')
    expect(await admin.whoAmI()).toBe('admin')
  })

  test('get a new password, and are signed out', async () => {
    await stowage.user('linus')
    const his = new Browser(stowage)
    await his.signIn('linus')
    expect(await refused(await send('/-/admin/users/linus/password', { password: 'short' }))).toContain(
      'error-password',
    )
    const { text } = await done(
      await send('/-/admin/users/linus/password', { password: 'linus-New-1234', must_change_password: 'on' }),
    )
    expect(text).toContain('New password due')
    expect(await his.whoAmI()).toBe(401)
    expect((await new Browser(stowage).signIn('linus', 'linus-New-1234')).status).toBe(200)
  })

  test('get a link by which they set one themselves, shown once and mailed', async () => {
    const response = await send('/-/admin/users/ada/password-reset')
    expect(response.status).toBe(200)
    expect(response.headers.get('cache-control')).toBe('no-store')
    const page = await response.text()
    expect(page).toContain(`${stowage.url}/user/password-reset#`)
    expect(page).toContain('It is also mailed to ada@example.com.')
    expect(await look('/-/admin/users/ada')).not.toContain('password-reset#')
  })

  test('are signed out everywhere', async () => {
    await stowage.user('mary')
    const hers = new Browser(stowage)
    await hers.signIn('mary')
    expect((await send('/-/admin/users/mary/end-sessions')).status).toBe(422)
    expect(await hers.whoAmI()).toBe('mary')
    await done(await send('/-/admin/users/mary/end-sessions', { end: 'yes' }))
    expect(await hers.whoAmI()).toBe(401)
  })

  test('lose a second factor only where they have one', async () => {
    expect(await look('/-/admin/users/ada')).not.toContain('remove-second-factor')
    const path = '/-/admin/users/ada/remove-second-factor'
    expect((await send(path)).status).toBe(422)
    expect((await send(path, { remove: 'yes' })).status).toBe(404)
    await stowage.user('rosa')
    await stowage.change(
      `update users set totp_secret = 'x' where id = (select id from owners where name_key = 'rosa')`,
    )
    expect(await look('/-/admin/users/rosa')).toContain('remove-second-factor')
    const { text } = await done(await send('/-/admin/users/rosa/remove-second-factor', { remove: 'yes' }))
    expect(text).not.toContain('remove-second-factor')
    // One's own is not removed by whoever finds the browser open.
    expect((await send('/-/admin/users/admin/remove-second-factor', { remove: 'yes' })).status).toBe(403)
  })

  test('get another name, and the old one is kept until it is freed', async () => {
    await stowage.user('nina')
    expect(await refused(await send('/-/admin/users/nina/rename', { new_name: 'ada' }))).toContain('error-new_name')
    const { at } = await done(await send('/-/admin/users/nina/rename', { new_name: 'nina-2' }))
    expect(at).toBe('/-/admin/users/nina-2')
    expect(await look('/-/admin/names')).toContain('action="/-/admin/names/nina/free"')
    const { text } = await done(await send('/-/admin/names/nina/free'))
    expect(text).toContain('The name is free')
    expect(text).toContain('No name is reserved')
    expect((await send('/-/admin/names/nina/free')).status).toBe(404)
  })

  test('are deleted by who types the name and says what becomes of the packages', async () => {
    const olga = await stowage.user('olga')
    await olga.put({}, 'one')
    const path = '/-/admin/users/olga/delete'
    expect(await look(path)).toContain('1 package, 1 version, 1 file')
    const wrong = await refused(await send(path, { confirm: 'olgo', purge: 'on' }))
    expect(wrong).toContain('Type olga.')
    expect(wrong).toMatch(/name="purge"[^>]*checked/)
    expect(await refused(await send(path, { confirm: 'olga' }))).toContain('Tick this')
    expect((await done(await send(path, { confirm: 'olga', purge: 'on' }))).text).toContain('The user is deleted.')
    expect((await admin.fetch('/-/admin/users/olga')).status).toBe(404)
  })

  test('cannot delete themselves', async () => {
    expect(await look('/-/admin/users/admin/delete')).not.toContain('name="confirm"')
    const page = await refused(await send('/-/admin/users/admin/delete', { confirm: 'admin' }))
    expect(page).toContain('Nobody can delete himself')
  })
})

test('an invitation is shown once, waits, and is withdrawn', async () => {
  expect(await refused(await send('/-/admin/invitations', { email: 'nobody', full_name: '', days: '7' }))).toContain(
    'error-email',
  )
  const response = await send('/-/admin/invitations', { email: 'new@example.com', full_name: '', days: '30' })
  const page = await response.text()
  expect(page).toContain(`${stowage.url}/user/invitation#`)
  const list = await look('/-/admin/invitations')
  expect(list).toContain('new@example.com')
  expect(list).not.toContain('/user/invitation#')
  const [, id] = /invitations\/(\d+)\/withdraw/.exec(list) ?? []
  const { text } = await done(await send(`/-/admin/invitations/${id}/withdraw`))
  expect(text).toContain('No invitation waits')
})

describe('quotas', () => {
  test('are led to from a name that an owner had before', async () => {
    await stowage.user('olga')
    await stowage.admin.post('/api/v1/admin/users/olga/rename', { new_username: 'olga-2' })
    const response = await admin.fetch('/-/admin/quotas/olga?x=1')
    expect([response.status, response.headers.get('location')]).toEqual([307, '/-/admin/quotas/olga-2?x=1'])
  })

  test('of the site are set as people say them', async () => {
    const fields = { site_bytes: '10 GB', site_versions: '1,000', site_file_size: '', owners_bytes: '1.5 GiB' }
    const { text } = await done(await send('/-/admin/quotas', fields))
    expect(text).toContain('of 10 GB')
    expect(text).toContain('value="1,000"')
    expect(text).toContain('value="1.5 GiB"')
    const wrong = await refused(await send('/-/admin/quotas', { site_bytes: '10 apples', owners_bytes: '7 GB' }))
    expect(wrong).toContain('value="10 apples"')
    expect(wrong).toContain('value="7 GB"')
    expect(wrong).toMatch(/id="error-site_bytes"[\s\S]*such as 10 GB/)
    // What was not sent stays, and nothing of a form that came back is done.
    await done(await send('/-/admin/quotas', { site_versions: '' }))
    expect(await look('/-/admin/quotas')).toContain('value="10 GB"')
    await done(await send('/-/admin/quotas', { site_bytes: '', owners_bytes: '' }))
  })

  test('of an owner are set and removed', async () => {
    expect((await admin.fetch('/-/admin/quotas?owner=ADA')).headers.get('location')).toBe('/-/admin/quotas/ada')
    const missing = await admin.fetch('/-/admin/quotas?owner=%3Cb%3E')
    expect(missing.status).toBe(404)
    expect(await missing.text()).toContain('value="&lt;b&gt;"')
    const fields = { bytes: '5 MB', versions: 'unlimited', file_size: '' }
    const { text } = await done(await send('/-/admin/quotas/ada', fields))
    expect(text).toContain('of 5 MB')
    expect(text).toContain('value="unlimited"')
    expect(await look('/-/admin/quotas')).toContain('href="/-/admin/quotas/ada"')
    expect(await refused(await send('/-/admin/quotas/ada', { ...fields, versions: 'many' }))).toContain('value="many"')
    expect((await done(await send('/-/admin/quotas/ada/remove'))).text).toContain('what all owners have')
    expect(await look('/-/admin/quotas')).toContain('No owner has numbers of its own')
    expect((await send('/-/admin/quotas/nobody-there', fields)).status).toBe(404)
  })

  test('rest on counts that are checked', async () => {
    expect((await done(await send('/-/admin/recount'))).text).toContain('Everything is being counted.')
    await stowage.stowage.runJobs('recount')
    expect(await look('/-/admin/quotas')).toContain('All was right')
  })
})

test('the storage tells what lies there, and is swept', async () => {
  await ada.put({ version: 'swept' }, 'swept')
  await ada.deleteVersion({ version: 'swept' })
  expect(await look('/-/admin/storage')).toContain('it stays for 1 hour')
  const { at, text } = await done(await send('/-/admin/storage/sweep'))
  expect(at).toBe('/-/admin/storage#sweeps')
  expect(text).toContain('due now')
  await stowage.stowage.sweep()
  expect(await look('/-/admin/storage')).toContain('there was nothing to remove')
})

test('a job that was given up is told of, tried again, and forgotten', async () => {
  const now = Date.now()
  await stowage.change(
    `insert into jobs (kind, subject, due_at, created_at, attempts, last_error, given_up_at)
     values ('nothing', '<i>', ${now}, ${now}, 7, 'EIO <script>', ${now})`,
  )
  expect(await look('/-/admin')).toContain('1 job was given up.')
  const list = await look('/-/admin/jobs?state=given-up')
  expect(list).toContain('EIO &lt;script&gt;')
  expect(list).toContain('&lt;i&gt;')
  const [, id] = /jobs\/(\d+)\/delete/.exec(list) ?? []
  await done(await send(`/-/admin/jobs/${id}/retry`))
  expect(await look('/-/admin/jobs?state=given-up')).toContain('No job was given up')
  expect((await send(`/-/admin/jobs/${id}/delete`)).status).toBe(422)
  await stowage.change(`update jobs set given_up_at = ${now} where id = ${id}`)
  expect((await done(await send(`/-/admin/jobs/${id}/delete`))).text).toContain('The job is forgotten.')
  expect(await look('/-/admin')).toContain('Nothing here needs you.')
})

test('the overview tells the health', async () => {
  const page = await look('/-/admin')
  expect(page.match(/can be written/g)).toHaveLength(2)
  expect(page).toContain('1 alive')
  expect(page).toContain(`Stowage ${(await import('../../package.json')).version}`)
})

test('the settings in force hold no secret', async () => {
  const page = await look('/-/admin/settings')
  for (const name of settingNames) expect(page).toContain(name)
  for (const secret of Object.values(secrets)) expect(page).not.toContain(secret)
  expect(page).not.toContain('secret-mail')
  expect(page).toContain('packages@example.com')
  // Of a database no more than where it is.
  expect(page).not.toMatch(/postgres:\/\/(?!stowage:password@db\.example\.com)/)
})

async function lastEvent() {
  const response = await stowage.admin.fetch('/api/v1/admin/audit?limit=1')
  return { events: (await response.json()) as Record<string, unknown>[] }
}
