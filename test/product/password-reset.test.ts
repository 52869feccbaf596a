import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { Browser } from '../support/browser.ts'
import { codeIn, makeLink, sendTo, told } from '../support/links.ts'
import { type MailServer, startMailServer } from '../support/mail-server.ts'
import { SlowUpload } from '../support/slow-upload.ts'
import { basic, type Client, startStowage, type TestStowage } from '../support/stowage.ts'
import { until } from '../support/until.ts'

const hour = 60 * 60_000
const noLonger =
  '404 This link is not valid, or not any more: it works once and for a limited time. Ask for another one.'
const password = 'another-Horse-1'

const clock = { now: Date.now() }
let stowage: TestStowage
let mails: MailServer

beforeAll(async () => {
  mails = await startMailServer()
  stowage = await startStowage({
    settings: {
      STOWAGE_SMTP_URL: mails.url,
      STOWAGE_MAIL_FROM: 'packages@example.com',
      STOWAGE_TRUSTED_PROXIES: '127.0.0.1',
    },
    replace: { now: () => clock.now },
  })
})
afterAll(async () => {
  await stowage[Symbol.asyncDispose]()
  await mails.stop()
})

const resetFor = (name: string, body: object = {}, by = stowage.admin) =>
  makeLink(by, `/admin/users/${name}/password-reset`, body)
const use = (code: string, fields: object = {}) => sendTo(stowage, 'password-reset', { code, password, ...fields })
const forgot = (email: unknown, from?: string) => sendTo(stowage, 'forgot-password', { email }, from)
const sentence = async (response: Response | Promise<Response>) => (await told(response)).join(' ')
const withNew = (client: Client) => client.with({ Authorization: basic(client.name, password) })
const signsIn = async (client: Client) => (await client.fetch('/api/v1/user')).status === 200
const change = async (name: string, body: object) => {
  const init = { method: 'PATCH', body: JSON.stringify(body) }
  expect((await stowage.admin.fetch(`/api/v1/admin/users/${name}`, init)).status).toBe(200)
}

/** Does what is asked for, and answers the mails that were sent by it. */
async function mailed() {
  const before = mails.mails.length
  await stowage.stowage.runJobs('forgotten-password')
  await stowage.stowage.runJobs('mail')
  return mails.mails.slice(before)
}

describe('a link of an administrator', () => {
  test('sets a new password, once, and signs nobody in', async () => {
    const ada = await stowage.user('ada', { email: null, must_change_password: true })
    const { code, ...made } = await resetFor('ada')
    const created = clock.now - (clock.now % 1000)
    expect(made).toEqual({
      id: made.id,
      kind: 'password-reset',
      user: 'ada',
      created_by: 'admin',
      created_at: new Date(created).toISOString().replace('.000Z', 'Z'),
      expires_at: new Date(created + 24 * hour).toISOString().replace('.000Z', 'Z'),
      mailed: false,
      url: `${stowage.url}/user/password-reset#${code}`,
    })
    const response = await use(code)
    expect(response.status).toBe(204)
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(response.headers.get('set-cookie')).toBeNull()
    expect(await signsIn(ada)).toBe(false)
    // He has chosen it himself, so he need not choose again.
    expect(await signsIn(withNew(ada))).toBe(true)
    expect(await sentence(use(code))).toBe(noLonger)
  })

  test('ends every session, and leaves tokens and the second factor', async () => {
    const bea = await stowage.user('bea')
    const token = await bea.token(['read:user'])
    const browser = new Browser(stowage)
    expect((await browser.signIn('bea')).status).toBe(200)
    const { code } = await resetFor('bea')
    await stowage.change("update users set totp_last_step = 7 where email = 'bea@example.com'")
    expect(await browser.whoAmI()).toBe('bea')
    expect((await use(code)).status).toBe(204)
    expect(await browser.whoAmI()).toBe(401)
    expect(await signsIn(token)).toBe(true)
    const [row] = await stowage.change("select totp_last_step from users where email = 'bea@example.com'")
    expect(Number(row?.totp_last_step)).toBe(7)
  })

  test('refuses an upload by the old password at its end', async () => {
    const cleo = await stowage.user('cleo')
    expect(await signsIn(cleo)).toBe(true)
    const { code } = await resetFor('cleo')
    const { blobs } = stowage.stowage.registry
    const stage = blobs.stage.bind(blobs)
    const begun = Promise.withResolvers<void>()
    blobs.stage = async (...question) => {
      begun.resolve()
      return stage(...question)
    }
    const headers = { Authorization: basic('cleo', 'cleo-Pass-1234') }
    using upload = await SlowUpload.begin(stowage.port, cleo.path(), headers, 4)
    await upload.send('ab')
    await begun.promise.finally(() => {
      blobs.stage = stage
    })
    expect((await use(code)).status).toBe(204)
    await upload.send('cd')
    expect((await upload.answer()).status).toBe(401)
    expect((await withNew(cleo).get()).status).toBe(404)
    expect((await withNew(cleo).put({}, 'abcd')).status).toBe(201)
  })

  test('voids the ones before it, and is void after a change of password or address', async () => {
    await stowage.user('dora')
    const [first, second] = [await resetFor('dora'), await resetFor('dora')]
    expect(await sentence(use(first.code))).toBe(noLonger)
    expect((await use(second.code)).status).toBe(204)
    const changes = [{ password: 'third-Horse-12' }, { email: 'dora@new.example' }]
    for (const body of changes) {
      const { code } = await resetFor('dora')
      await change('dora', body)
      expect(await sentence(use(code))).toBe(noLonger)
    }
    const { code } = await resetFor('dora')
    await change('dora', { full_name: 'Dora' })
    expect((await use(code)).status).toBe(204)
  })

  test('works once for two who use it at once', async () => {
    await stowage.user('emil')
    for (let round = 0; round < 3; round++) {
      const { code } = await resetFor('emil')
      const answers = await Promise.all([use(code), use(code, { password: 'yet-Another-12' })])
      expect(answers.map(({ status }) => status).sort()).toEqual([204, 404])
    }
  })

  test('expires, to the second', async () => {
    await stowage.user('finn')
    const { code } = await resetFor('finn', { expires_in: 60 })
    clock.now += 60_000 - 1
    expect((await use('x'.repeat(43))).status).toBe(404)
    const again = await resetFor('finn', { expires_in: 60 })
    expect(await sentence(use(code))).toBe(noLonger)
    clock.now += 60_000
    expect(await sentence(use(again.code))).toBe(noLonger)
  })

  test.each([
    ['whose maker is no administrator any more', 'maker', { admin: false }, { admin: true }],
    ['whose maker is not active', 'maker', { active: false }, { active: true }],
    ['whose account is not active', 'guest', { active: false }, undefined],
  ])('%s is void', async (name, whose, lost, back) => {
    const key = name.split(' ').at(-1)
    const [maker, guest] = [await stowage.user(`maker-${whose}-${key}`), await stowage.user(`guest-${whose}-${key}`)]
    await change(maker.name, { admin: true })
    const { code } = await resetFor(guest.name, {}, maker)
    await change(whose === 'maker' ? maker.name : guest.name, lost)
    expect(await sentence(use(code))).toBe(noLonger)
    if (!back) return
    await change(maker.name, back)
    expect((await use(code)).status).toBe(204)
  })

  test('is mailed where the account has an address', async () => {
    await stowage.user('gina')
    const made = await resetFor('gina', { expires_in: 3600 })
    expect(made.mailed).toBe(true)
    const [mail, ...others] = await mailed()
    expect(others).toEqual([])
    expect(mail).toMatchObject({ to: ['gina@example.com'], subject: `A new password for ${new URL(stowage.url).host}` })
    expect(mail?.text.split('\n')).toEqual([
      'Hello gina,',
      '',
      'admin, an administrator, lets you set a new password at',
      stowage.url,
      '',
      'To set one, open this link:',
      made.url,
      '',
      expect.stringMatching(/^It works once, until \d+ \w+ \d{4}, \d\d:\d\d UTC\./),
    ])
    expect((await use(codeIn(mail?.text ?? ''))).status).toBe(204)
  })

  test('is for administrators only', async () => {
    const path = '/api/v1/admin/users/hal/password-reset'
    const hal = await stowage.user('hal')
    expect((await stowage.anonymous.post(path, {})).status).toBe(401)
    expect((await hal.post(path, {})).status).toBe(403)
    expect((await (await stowage.admin.token(['read:admin', 'write:user'])).post(path, {})).status).toBe(403)
    expect((await (await stowage.admin.token(['write:admin'])).post(path, {})).status).toBe(201)
    expect((await stowage.admin.post('/api/v1/admin/users/nobody/password-reset', {})).status).toBe(404)
  })

  test('who is not public is out of reach of a token that is for public owners', async () => {
    await stowage.user('hidden', { visibility: 'private' })
    await stowage.user('shown')
    const token = await stowage.admin.token(['all', 'public-only'])
    const statuses = async (name: string) => {
      const user = `/api/v1/admin/users/${name}`
      const reset = await token.post(`${user}/password-reset`, {})
      const deleted = ['sessions', 'totp'].map((what) => token.fetch(`${user}/${what}`, { method: 'DELETE' }))
      return [reset, ...(await Promise.all(deleted))].map(({ status }) => status)
    }
    expect(await statuses('hidden')).toEqual([403, 403, 403])
    expect(await statuses('shown')).toEqual([201, 204, 404])
  })
})

describe('who has forgotten his password', () => {
  test('gets a link by mail that works for an hour', async () => {
    await mailed()
    const ida = await stowage.user('ida')
    expect((await forgot('IDA@example.com')).status).toBe(202)
    const [mail, ...others] = await mailed()
    expect(others).toEqual([])
    expect(mail).toMatchObject({ to: ['ida@example.com'] })
    expect(mail?.text).toContain(`Somebody, probably you, asked for a new password at\n${stowage.url}\n`)
    clock.now += hour - 1
    expect((await use(codeIn(mail?.text ?? ''))).status).toBe(204)
    expect(await signsIn(withNew(ida))).toBe(true)

    await forgot('ida@example.com')
    const [late] = await mailed()
    clock.now += hour
    expect(await sentence(use(codeIn(late?.text ?? '')))).toBe(noLonger)
  })

  test('is answered as anybody else, after the same work', async () => {
    await stowage.user('jan')
    const { passwords, registry } = stowage.stowage
    const transact = registry.catalogue.transact.bind(registry.catalogue)
    const work: string[] = []
    registry.catalogue.transact = (transaction, args) => {
      work.push(transaction.name)
      return transact(transaction, args)
    }
    const answers: unknown[] = []
    const before = passwords.computations
    for (const email of ['jan@example.com', 'nobody@example.com']) {
      const response = await forgot(email)
      const headers = Object.fromEntries(response.headers)
      answers.push([response.status, await response.text(), { ...headers, date: '' }, work.splice(0)])
    }
    registry.catalogue.transact = transact
    expect(answers[0]).toEqual(answers[1])
    expect(answers[0]).toMatchObject([202, expect.any(String), {}, ['ask for password reset']])
    expect(passwords.computations).toBe(before)
    expect((await mailed()).map(({ to }) => to)).toEqual([['jan@example.com']])
    expect(await stowage.change("select id from jobs where kind = 'forgotten-password'")).toEqual([])
  })

  test('gets nothing where he may not sign in', async () => {
    await stowage.user('kim')
    await stowage.user('lea')
    await change('kim', { active: false })
    await change('lea', { prohibit_login: true })
    for (const name of ['kim', 'lea']) expect((await forgot(`${name}@example.com`)).status).toBe(202)
    expect(await mailed()).toEqual([])
  })

  test('gets nothing at an address that he has given up meanwhile', async () => {
    await stowage.user('mia')
    await forgot('mia@example.com')
    await stowage.stowage.runJobs('forgotten-password')
    await change('mia', { email: 'mia@new.example' })
    expect(await mailed()).toEqual([])
  })

  test('voids his own link before, and not an administrator’s', async () => {
    await stowage.user('nora')
    const byAdmin = await resetFor('nora')
    await mailed()
    await forgot('nora@example.com')
    const [first] = await mailed()
    await forgot('nora@example.com')
    const [second] = await mailed()
    expect(await sentence(use(codeIn(first?.text ?? '')))).toBe(noLonger)
    expect((await use(byAdmin.code)).status).toBe(204)
    // What sets a password voids all that would set another one.
    expect(await sentence(use(codeIn(second?.text ?? '')))).toBe(noLonger)
  })

  test('asks five times an hour, from one address and for one mailbox', async () => {
    const statuses = async (ask: (count: number) => Promise<Response>) => {
      const found: number[] = []
      for (let count = 0; count < 6; count++) found.push((await ask(count)).status)
      return found
    }
    const limited = [202, 202, 202, 202, 202, 429]
    for (const name of ['admin', 'nobody-here']) {
      expect(await statuses(() => forgot(`${name}@limited.example`))).toEqual(limited)
      expect(await statuses((count) => forgot(`${name}-${count}@limited.example`, `10.8.0.${name.length}`))).toEqual(
        limited,
      )
    }
    const refused = await forgot('nobody-here@limited.example')
    expect(refused.headers.get('retry-after')).toBe('3600')
    clock.now += hour
    expect((await forgot('nobody-here@limited.example')).status).toBe(202)
    await mailed()
  })

  test('asks an administrator where no mail is sent', async () => {
    await using stowage = await startStowage()
    const refused = '404 This site sends no mail: ask an administrator for a link to set a new password.'
    for (const body of [{ email: 'admin@example.com' }, {}]) {
      expect(await sentence(sendTo(stowage, 'forgot-password', body))).toBe(refused)
    }
    expect((await makeLink(stowage.admin, '/admin/users/admin/password-reset')).mailed).toBe(false)
  })
})

test('a server sends its mails by itself', async () => {
  const settings = { STOWAGE_SMTP_URL: mails.url, STOWAGE_MAIL_FROM: 'packages@example.com' }
  await using other = await startStowage({ settings, replace: { background: 'on' } })
  await other.user('otto')
  const before = mails.mails.length
  expect((await sendTo(other, 'forgot-password', { email: 'otto@example.com' })).status).toBe(202)
  await until(() => mails.mails.length > before, 'the mail is there')
  const code = codeIn(mails.mails.at(-1)?.text ?? '')
  expect((await sendTo(other, 'password-reset', { code, password })).status).toBe(204)
})

describe('bad input', () => {
  const seconds = 'must be a number of seconds, from 1 to 604800'
  test.each<[string, unknown, string]>([
    ['no JSON', 'x', '400 The body must be JSON.'],
    ['no object', 1, '422 The body must be a JSON object.'],
    ['an unknown field', { email: 'x' }, '422 unknown field: email'],
    ['no time', { expires_in: 0 }, `422 expires_in: ${seconds}`],
    ['a long time', { expires_in: 604_801 }, `422 expires_in: ${seconds}`],
    ['text', { expires_in: '1' }, `422 expires_in: ${seconds}`],
  ])('to make a link: %s', async (_, body, refused) => {
    expect(await sentence(stowage.admin.post('/api/v1/admin/users/admin/password-reset', body))).toBe(refused)
  })

  test.each<[string, unknown, string]>([
    ['no JSON', '', '400 The body must be JSON.'],
    ['nothing', {}, '422 code: is missing: the part of the link behind the #; password: is missing'],
    ['a short password', { code: 'x', password: 'short' }, '422 password: must have at least 8 characters'],
    ['a long password', { code: 'x', password: 'x'.repeat(257) }, '422 password: may have 256 characters at most'],
    ['a name', { code: 'x', password, username: 'admin' }, '422 unknown field: username'],
  ])('to use it: %s', async (_, body, refused) => {
    expect(await sentence(sendTo(stowage, 'password-reset', body))).toBe(refused)
  })

  test.each<[string, unknown, string]>([
    ['nothing', {}, '422 email: is missing'],
    ['a number', { email: 1 }, '422 email: is missing'],
    ['a name', { email: 'admin' }, '422 email: must be an e-mail address'],
    ['two addresses', { email: 'a@b.c, d@e.f' }, '422 email: must be an e-mail address'],
    ['half a character', '{"email":"\\ud800@b.c"}', '422 email: may not hold NUL or half a character'],
    ['more', { email: 'a@b.c', username: 'x' }, '422 unknown field: username'],
  ])('to have forgotten: %s', async (_, body, refused) => {
    expect(await sentence(sendTo(stowage, 'forgot-password', body))).toBe(refused)
  })

  test('an invitation sets no password, and wrong codes are counted by address', async () => {
    const { code } = await makeLink(stowage.admin, '/admin/invitations')
    expect(await sentence(use(code))).toBe(noLonger)
    await stowage.user('pam')
    const reset = await resetFor('pam')
    const guess = (sent: string) => sendTo(stowage, 'password-reset', { code: sent, password }, '10.9.9.9')
    for (let count = 0; count < 10; count++) expect((await guess('x')).status).toBe(404)
    expect((await guess(reset.code)).status).toBe(429)
    expect((await use(reset.code)).status).toBe(204)
  })
})

test('at the link stands a page, and a script sends JSON there', async () => {
  const response = await fetch(`${stowage.url}/user/password-reset`)
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
  expect(response.headers.get('cache-control')).toBe('no-store')
  await stowage.user('quin')
  const { code } = await resetFor('quin')
  // As curl -d does, which calls everything a form and says nothing of a page.
  const init = {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: JSON.stringify({ code, password }),
  }
  const curl = stowage.anonymous.with({ 'X-Forwarded-For': '10.8.8.8' })
  expect((await curl.fetch('/user/password-reset', init)).status).toBe(204)
  const foreign = stowage.anonymous.with({ Origin: 'https://evil.example' })
  for (const path of ['password-reset', 'forgot-password']) {
    expect((await foreign.post(`/user/${path}`, { code, password })).status).toBe(403)
  }
})
