import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { TOTP } from 'otpauth'
import { Browser } from '../support/browser.ts'
import { codeIn, makeLink } from '../support/links.ts'
import { type MailServer, startMailServer } from '../support/mail-server.ts'
import { adminPassword, startStowage, type TestStowage } from '../support/stowage.ts'

const minute = 60_000
const clock = { now: Date.parse('2031-05-06T07:08:09Z') }

let stowage: TestStowage
let mails: MailServer

beforeAll(async () => {
  mails = await startMailServer()
  stowage = await startStowage({
    settings: {
      STOWAGE_SIGN_UP: 'true',
      STOWAGE_SMTP_URL: mails.url,
      STOWAGE_MAIL_FROM: 'packages@example.com',
      STOWAGE_TRUSTED_PROXIES: 'loopback',
      STOWAGE_PROXY_SIGN_IN_HEADER: 'X-Remote-User',
    },
    replace: { now: () => clock.now },
  })
  // The first page of a process makes the style sheet, which takes a while on a busy machine.
  await stowage.anonymous.fetch('/user/login')
}, 60_000)
afterAll(async () => {
  await stowage[Symbol.asyncDispose]()
  await mails.stop()
})

let addresses = 0

/** Each from another network, so that no test uses up the tries of another. */
function newBrowser(headers: Record<string, string> = {}, at: Pick<TestStowage, 'url'> = stowage): Browser {
  addresses += 1
  return new Browser(at, { 'X-Forwarded-For': `10.2.${addresses}.1`, ...headers })
}

const passwordOf = (name: string) => `${name}-Pass-1234`

function typeIn(browser: Browser, user: string, password = passwordOf(user), more: Record<string, string> = {}) {
  return browser.submit('/user/login', { user, password, ...more })
}

async function read(browser: Browser, path: string): Promise<string> {
  const response = await browser.fetch(path)
  expect([path, response.status]).toEqual([path, 200])
  return response.text()
}

/** Where an answer leads. */
function leads(response: Response): [number, string | null] {
  return [response.status, response.headers.get('location')]
}

/** What a page says is wrong: at which field, or above all of them. */
async function faulty(response: Response) {
  const text = await response.text()
  const errors = [...text.matchAll(/id="error-([a-z_]+)"[\s\S]*?<span>([^<]*)<\/span>/g)].map(([, at, said]) => [
    at,
    said,
  ])
  const [, above] = /role="alert"[\s\S]*?breaks">([^<]*)</.exec(text) ?? []
  return { status: response.status, errors: { ...Object.fromEntries(errors), ...(above ? { above } : {}) }, text }
}

/** Somebody with a second factor, whose password no browser has sent yet. */
async function enrolled(name: string) {
  const person = await stowage.user(name)
  const begun = (await (await person.post('/api/v1/user/totp', {})).json()) as { secret: string }
  const code = (steps = 0) => new TOTP({ secret: begun.secret }).generate({ timestamp: clock.now + steps * 30_000 })
  const confirmed = await person.post('/api/v1/user/totp/confirm', { code: code() })
  const { recovery_codes } = (await confirmed.json()) as { recovery_codes: string[] }
  clock.now += 2 * minute
  const wrong = () => ['000000', '111111', '222222', '333333'].find((one) => ![-1, 0, 1].map(code).includes(one)) ?? ''
  return { person, code, wrong, recovery: recovery_codes }
}

describe('the sign-in', () => {
  test('asks for name and password, signs in and leads on', async () => {
    await stowage.user('ada')
    const ada = newBrowser()
    const page = await ada.fetch('/user/login?next=/ada/-/packages')
    expect(page.headers.get('cache-control')).toBe('no-store')
    const html = await page.text()
    expect(html).toMatch(/<label for="field-user"[^>]*>User name or e-mail<\/label>/)
    expect(html).toMatch(/<label for="field-password"[^>]*>Password<\/label>/)
    for (const word of ['username', 'current-password']) expect(html).toContain(`autocomplete="${word}"`)
    expect(html).toContain('name="next" value="/ada/-/packages"')

    const response = await typeIn(ada, 'ada', undefined, { next: '/ada/-/packages' })
    expect(leads(response)).toEqual([303, '/ada/-/packages'])
    expect(ada.setCookie).toMatch(/^stowage_session=[\w-]{43}; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax$/)
    expect(await ada.whoAmI()).toBe('ada')
    // Whoever is in has nothing to do here.
    expect(leads(await ada.fetch('/user/login?next=/-/search?q=x'))).toEqual([303, '/-/search?q=x'])
  })

  test('takes the e-mail address too, with a space that slipped in', async () => {
    await stowage.user('abe')
    const abe = newBrowser()
    expect(leads(await typeIn(abe, ' Abe@Example.com ', passwordOf('abe')))).toEqual([303, '/'])
    expect(await abe.whoAmI()).toBe('abe')
  })

  test('replaces the session that the browser had', async () => {
    for (const name of ['amy', 'ann']) await stowage.user(name)
    const browser = newBrowser()
    await typeIn(browser, 'amy')
    const before = browser.cookie
    await typeIn(browser, 'ann')
    expect(await browser.whoAmI()).toBe('ann')
    browser.cookie = before
    expect(await browser.whoAmI()).toBe(401)
  })

  test('says the same of a wrong password, of nobody, and of who may not come in', async () => {
    await stowage.user('bea')
    await stowage.user('ben')
    const barred = { method: 'PATCH', body: '{"prohibit_login":true}' }
    expect((await stowage.admin.fetch('/api/v1/admin/users/ben', barred)).status).toBe(200)
    const browser = newBrowser()
    for (const [user, password] of [
      ['bea', 'wrong'],
      ['nobody', 'wrong'],
      ['ben', passwordOf('ben')],
    ] as const) {
      const { status, errors, text } = await faulty(await typeIn(browser, user, password, { next: '/bea' }))
      expect([status, errors]).toEqual([401, { above: 'User name or password is not right.' }])
      // What was typed is there again, but for the password.
      expect(text).toContain(`value="${user}"`)
      expect(text).toContain('name="next" value="/bea"')
      expect(text).not.toContain(`"${password}"`)
      expect(browser.setCookie).toBeUndefined()
    }
    await stowage.stowage.flushSignIns()
    const audit = await (await stowage.admin.fetch('/api/v1/admin/audit?action=sign-in.failed')).json()
    const reasons = (audit as { details: { reason: string } }[]).map(({ details }) => details.reason)
    expect(reasons).toEqual(expect.arrayContaining(['wrong-password', 'unknown-account', 'prohibited']))
  })

  test('says at each field what is missing', async () => {
    const { status, errors } = await faulty(await newBrowser().submit('/user/login'))
    expect(status).toBe(422)
    expect(errors).toEqual({ user: 'Type your user name or e-mail address.', password: 'Type your password.' })
    const long = await faulty(await typeIn(newBrowser(), 'x'.repeat(1025), 'x'))
    expect(long.errors).toEqual({ user: 'Is too long.' })
  })

  test('refuses who guesses, and says for how long', async () => {
    await stowage.user('cy')
    const thief = newBrowser()
    for (let count = 0; count < 10; count++) expect((await typeIn(thief, 'cy', `guess ${count}`)).status).toBe(401)
    const { status, errors } = await faulty(await typeIn(thief, 'cy'))
    expect([status, errors]).toEqual([429, { above: 'Too many wrong passwords. Try again in 10 minutes.' }])
    expect(leads(await typeIn(newBrowser(), 'cy'))).toEqual([303, '/'])
    clock.now += 10 * minute
    expect(leads(await typeIn(thief, 'cy'))).toEqual([303, '/'])
  })

  test.each([
    ['//evil.example', '/'],
    ['https://evil.example/', '/'],
    ['/.//evil.example', '/'],
    ['/\\evil.example', '/'],
    ['javascript:alert(1)', '/'],
    ['/user/login?next=/x', '/'],
    ['/user/login/code', '/'],
    ['/user/logout', '/'],
    ['/a"><script>alert(1)</script>', '/a%22%3E%3Cscript%3Ealert(1)%3C/script%3E'],
    ['/ada?page=2', '/ada?page=2'],
  ])('leads nowhere else: %s', async (next, to) => {
    await stowage.user(`d${addresses}`)
    const name = `d${addresses}`
    const browser = newBrowser()
    const html = await read(browser, `/user/login?${new URLSearchParams({ next })}`)
    expect(html).toContain(`name="next" value="${to}"`)
    expect(html).not.toContain('<script>')
    expect(leads(await typeIn(browser, name, undefined, { next }))).toEqual([303, to])
    expect(leads(await browser.fetch(`/user/login?${new URLSearchParams({ next })}`))).toEqual([303, to])
  })

  test('what is typed is text', async () => {
    const nasty = '"><img src=x onerror=alert(1)>'
    const { text } = await faulty(await typeIn(newBrowser(), nasty, 'x'))
    expect(text).not.toContain('<img')
    expect(text).toContain('&quot;&gt;&lt;img')
  })

  test('takes nothing from a page of another site', async () => {
    const elsewhere = newBrowser({ 'Sec-Fetch-Site': 'cross-site' })
    for (const path of [
      '/user/login',
      '/user/login/code',
      '/user/logout',
      '/user/sign-up',
      '/user/settings/password',
    ]) {
      expect([path, (await elsewhere.submit(path, { user: 'ada', password: passwordOf('ada') })).status]).toEqual([
        path,
        403,
      ])
    }
    expect(elsewhere.setCookie).toBeUndefined()
  })

  test('leaves alone whom a proxy has signed in', async () => {
    for (const name of ['pip', 'pat']) await stowage.user(name)
    const pip = newBrowser({ 'X-Remote-User': 'pip' })
    expect(leads(await pip.fetch('/user/login?next=/pip'))).toEqual([303, '/pip'])
    expect(leads(await typeIn(pip, 'pat', undefined, { next: '/pip' }))).toEqual([303, '/pip'])
    expect(pip.setCookie).toBeUndefined()
    expect(await read(pip, '/user/settings/password')).toContain('there is no password to change here')
    const change = { old: passwordOf('pip'), password: 'another-Pass-1', again: 'another-Pass-1' }
    expect((await pip.submit('/user/settings/password', change)).status).toBe(403)
  })
})

describe('the second factor', () => {
  test('is asked for in a second step, which knows the password no more', async () => {
    const { code } = await enrolled('eve')
    const eve = newBrowser()
    const first = await typeIn(eve, 'eve', undefined, { next: '/eve' })
    expect(leads(first)).toEqual([303, '/user/login/code?next=%2Feve'])
    const [kept = ''] = first.headers.getSetCookie()
    expect(kept).toMatch(/^stowage_awaited_code=v1\.[\w-]+; Path=\/; Max-Age=300; HttpOnly; SameSite=Lax$/)
    expect(await eve.whoAmI()).toBe(401)

    const html = await read(eve, '/user/login/code?next=/eve')
    expect(html).toContain('autocomplete="one-time-code"')
    expect(html).not.toContain(passwordOf('eve'))
    const second = await eve.submit('/user/login/code', { code: ` ${code()} `, next: '/eve' })
    expect(leads(second)).toEqual([303, '/eve'])
    expect(second.headers.getSetCookie()).toContain('stowage_awaited_code=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax')
    expect(await eve.whoAmI()).toBe('eve')
  })

  test('or a recovery code, which works once', async () => {
    const { recovery } = await enrolled('fay')
    const [code = ''] = recovery
    const sign = async () => {
      const browser = newBrowser()
      await typeIn(browser, 'fay')
      return browser.submit('/user/login/code', { code: code.toUpperCase() })
    }
    expect(leads(await sign())).toEqual([303, '/'])
    expect(await faulty(await sign())).toMatchObject({
      status: 401,
      errors: { code: 'This code is not right, or was used already. Wait for the next one.' },
    })
  })

  test('can be tried again, and not for ever', async () => {
    const { code, wrong } = await enrolled('gus')
    const thief = newBrowser()
    await typeIn(thief, 'gus')
    expect(await faulty(await thief.submit('/user/login/code'))).toMatchObject({
      status: 422,
      errors: { code: 'Type the code.' },
    })
    for (let count = 0; count < 10; count++) {
      expect((await thief.submit('/user/login/code', { code: wrong() })).status).toBe(401)
    }
    // By another address and another password step it is the same account.
    const other = newBrowser()
    await typeIn(other, 'gus')
    const { status, errors } = await faulty(await other.submit('/user/login/code', { code: code() }))
    expect([status, errors]).toEqual([
      429,
      { above: 'Too many wrong codes for this account. Try again in 10 minutes.' },
    ])
    clock.now += 10 * minute
  })

  test('is waited for five minutes', async () => {
    const { code } = await enrolled('hal')
    const hal = newBrowser()
    await typeIn(hal, 'hal')
    clock.now += 5 * minute - 1
    await read(hal, '/user/login/code')
    clock.now += 1
    const { status, errors, text } = await faulty(await hal.submit('/user/login/code', { code: code(), next: '/hal' }))
    expect(status).toBe(401)
    expect(errors).toEqual({ above: 'That took too long, or your account was changed. Type your password again.' })
    expect(text).toContain('name="next" value="/hal"')
    expect(leads(await hal.fetch('/user/login/code?next=/hal'))).toEqual([303, '/user/login?next=%2Fhal'])
    expect(await hal.whoAmI()).toBe(401)
  })

  test.each<[string, (name: string) => Promise<unknown>]>([
    ['another password', (name) => patch(name, { password: 'another-Pass-12' })],
    [
      'no second factor any more',
      (name) => stowage.admin.fetch(`/api/v1/admin/users/${name}/totp`, { method: 'DELETE' }),
    ],
  ])('counts for the account as it is by then: %s', async (_, change) => {
    const name = `ida${addresses}`
    const { code } = await enrolled(name)
    const browser = newBrowser()
    await typeIn(browser, name)
    await change(name)
    const answer = await browser.submit('/user/login/code', { code: code() })
    expect(answer.status).toBe(401)
    expect(await answer.text()).toContain('Type your password again.')
    expect(await browser.whoAmI()).toBe(401)
  })

  test('lets nobody in who is shut out between the steps', async () => {
    const { code } = await enrolled('joe')
    const joe = newBrowser()
    await typeIn(joe, 'joe')
    await patch('joe', { prohibit_login: true })
    const { status, errors } = await faulty(await joe.submit('/user/login/code', { code: code() }))
    // As to any code that is not right.
    expect([status, Object.keys(errors)]).toEqual([401, ['code']])
    expect(await joe.whoAmI()).toBe(401)
  })

  test('is of one account: what was kept for another one, or made up, is nothing', async () => {
    const kit = await enrolled('kit')
    const lee = await enrolled('lee')
    const browser = newBrowser()
    const [kept = ''] = (await typeIn(browser, 'lee')).headers.getSetCookie()
    expect((await browser.submit('/user/login/code', { code: kit.code() })).status).toBe(401)
    const [pair = ''] = kept.split(';')
    for (const cookie of [`${pair}A`, pair.replace('v1.', 'v1.A'), 'stowage_awaited_code=v1.', `${pair}; ${pair}x`]) {
      const init = { method: 'POST', headers: { Cookie: cookie, 'Content-Type': 'application/x-www-form-urlencoded' } }
      const answer = await newBrowser().fetch('/user/login/code', { ...init, body: `code=${lee.code()}` })
      expect([cookie, answer.status, await answer.text()]).toEqual([cookie, 401, expect.stringContaining('too long')])
    }
    expect(leads(await browser.submit('/user/login/code', { code: lee.code() }))).toEqual([303, '/'])
  })
})

const patch = async (name: string, body: object) => {
  const init = { method: 'PATCH', body: JSON.stringify(body) }
  expect((await stowage.admin.fetch(`/api/v1/admin/users/${name}`, init)).status).toBe(200)
}

describe('a session', () => {
  test('ends by signing out', async () => {
    await stowage.user('mia')
    const mia = newBrowser()
    await typeIn(mia, 'mia')
    const { cookie } = mia
    expect(leads(await mia.submit('/user/logout'))).toEqual([303, '/'])
    expect(mia.cookie).toBeUndefined()
    expect(await read(mia, '/')).toContain('You have signed out.')
    mia.cookie = cookie
    expect(await mia.whoAmI()).toBe(401)
    // Once more, or by nobody, is no mistake.
    expect(leads(await newBrowser().submit('/user/logout'))).toEqual([303, '/'])
    expect((await mia.fetch('/user/logout')).status).toBe(405)
  })

  test('that was ended elsewhere leads to the sign-in, says so, and back', async () => {
    await stowage.user('ned')
    const ned = newBrowser()
    await typeIn(ned, 'ned')
    expect((await stowage.admin.fetch('/api/v1/admin/users/ned/sessions', { method: 'DELETE' })).status).toBe(204)
    const [, to] = leads(await ned.fetch('/user/settings/password?x=1'))
    expect(to).toBe('/user/login?next=%2Fuser%2Fsettings%2Fpassword%3Fx%3D1')
    const html = await read(ned, String(to))
    expect(html).toContain('Your session has ended. Sign in again.')
    expect(html).toContain('name="next" value="/user/settings/password?x=1"')
    // A form is lost, but not the way back to it.
    const sent = await ned.fetch('/user/settings/password', {
      method: 'POST',
      headers: {
        'Content-Type': 'application/x-www-form-urlencoded',
        Referer: `${stowage.url}/user/settings/password`,
      },
      body: '',
    })
    const answer = await sent.text()
    expect([sent.status, answer]).toEqual([401, expect.stringContaining('Your session has ended')])
    expect(answer).toContain('href="/user/login?next=%2Fuser%2Fsettings%2Fpassword"')
    expect(leads(await typeIn(ned, 'ned', undefined, { next: '/ned' }))).toEqual([303, '/ned'])
    expect(
      await newBrowser()
        .fetch('/user/login')
        .then((page) => page.text()),
    ).not.toContain('has ended')
  })
})

describe('who makes himself an account', () => {
  const olga = { user: 'olga', email: 'olga@example.com', password: 'olga-Pass-1234', again: 'olga-Pass-1234' }

  test('is signed in with it', async () => {
    const browser = newBrowser()
    const html = await read(browser, '/user/sign-up')
    expect(html.match(/autocomplete="new-password"/g)).toHaveLength(2)
    expect(leads(await browser.submit('/user/sign-up', olga))).toEqual([303, '/'])
    expect(await browser.whoAmI()).toBe('olga')
    expect(await read(browser, '/')).toContain('Your account is made, and you are signed in.')
    expect(leads(await browser.fetch('/user/sign-up'))).toEqual([303, '/'])
  })

  test.each<[string, object, Record<string, string>]>([
    ['a name that is taken', { user: 'admin' }, { user: 'Somebody has this name already. Choose another one.' }],
    ['a name that is none', { user: 'a b' }, { user: expect.stringMatching(/^A name must be 1 to 40 letters/) }],
    ['a reserved name', { user: 'api' }, { user: 'The name "api" is reserved.'.replaceAll('"', '&quot;') }],
    ['no name', { user: '' }, { user: 'Choose a name.' }],
    ['an address that is taken', { email: 'ADA@example.com' }, { email: 'An account has this address already.' }],
    ['no address', { email: 'x' }, { email: 'Type an e-mail address, such as you@example.com.' }],
    ['a short password', { password: 'short', again: 'short' }, { password: 'Must have at least 8 characters.' }],
    ['two passwords', { again: 'other' }, { again: 'Is not the same as the password above.' }],
  ])('is told of %s, and keeps what he typed', async (_, wrong, expected) => {
    const typed = { ...olga, user: `new${addresses}`, email: 'new@example.com', ...wrong }
    const { status, errors, text } = await faulty(await newBrowser().submit('/user/sign-up', typed))
    expect([status, errors]).toEqual([422, expected])
    for (const kept of [typed.user, typed.email]) expect(text).toContain(`value="${kept}"`)
    expect(text).not.toContain(typed.password)
  })

  test('may do so only where the site is open', async () => {
    await using closed = await startStowage()
    const browser = newBrowser({}, closed)
    for (const answer of [await browser.fetch('/user/sign-up'), await browser.submit('/user/sign-up', olga)]) {
      expect([answer.status, await answer.text()]).toEqual([
        403,
        expect.stringContaining('Only administrators add users here.'),
      ])
    }
    expect(await read(browser, '/user/login')).not.toContain('/user/sign-up')
    // Nor is mail sent there.
    expect(await read(browser, '/user/forgot-password')).toContain('This site sends no mail.')
    expect((await browser.submit('/user/forgot-password', { email: 'a@example.com' })).status).toBe(404)
  })
})

describe('an invitation', () => {
  const person = (user: string) => ({ user, email: '', password: passwordOf(user), again: passwordOf(user) })

  async function teamOf(org: string): Promise<number> {
    expect((await stowage.admin.post('/api/v1/orgs', { username: org })).status).toBe(201)
    const made = await stowage.admin.post(`/api/v1/orgs/${org}/teams`, { name: 'dev', permission: 'write' })
    return ((await made.json()) as { id: number }).id
  }

  test('makes the account, puts it into its team and signs it in', async () => {
    const team_id = await teamOf('acme')
    const { url, code } = await makeLink(stowage.admin, '/orgs/acme/invitations', { team_id })
    const browser = newBrowser()
    // As it is pasted without a script: the whole link.
    const answer = await browser.submit('/user/invitation', { ...person('quin'), code: url })
    expect(leads(answer)).toEqual([303, '/acme'])
    expect(await browser.whoAmI()).toBe('quin')
    expect((await stowage.admin.fetch('/api/v1/orgs/acme/members/quin')).status).toBe(204)
    const again = await faulty(await newBrowser().submit('/user/invitation', { ...person('rita'), code }))
    expect([again.status, again.errors]).toEqual([
      422,
      {
        code: 'This invitation is not valid, or not any more: it works once and for a limited time. Ask for another one.',
      },
    ])
  })

  test('keeps the code while something else is mended', async () => {
    const { code } = await makeLink(stowage.admin, '/admin/invitations')
    const browser = newBrowser()
    const { errors, text } = await faulty(await browser.submit('/user/invitation', { ...person('admin'), code }))
    expect(errors).toEqual({ user: 'Somebody has this name already. Choose another one.' })
    expect(text).toContain(`<input type="hidden" name="code" value="${code}"`)
    expect(leads(await browser.submit('/user/invitation', { ...person('ruth'), code }))).toEqual([303, '/'])
  })

  test('lets who has an account into its team', async () => {
    const team_id = await teamOf('umbra')
    await stowage.user('sam')
    const sam = newBrowser()
    await typeIn(sam, 'sam')
    expect(await read(sam, '/user/invitation')).toContain('Join the team')
    const { code } = await makeLink(stowage.admin, '/orgs/umbra/invitations', { team_id })
    expect(leads(await sam.submit('/user/invitation', { code }))).toEqual([303, '/umbra'])
    expect((await stowage.admin.fetch('/api/v1/orgs/umbra/members/sam')).status).toBe(204)

    const site = await makeLink(stowage.admin, '/admin/invitations')
    const { status, errors } = await faulty(await sam.submit('/user/invitation', { code: site.code }))
    expect([status, errors]).toEqual([
      422,
      { code: 'This invitation is for a new account and leads into no team: you have one.' },
    ])
    expect((await faulty(await sam.submit('/user/invitation'))).errors).toHaveProperty('code')
  })
})

describe('who has forgotten his password', () => {
  test('gets a link by mail, and a new password by it', async () => {
    await stowage.user('tea')
    const old = newBrowser()
    await typeIn(old, 'tea')
    const browser = newBrowser()
    for (const email of ['tea@example.com', 'nobody@example.com']) {
      expect(leads(await browser.submit('/user/forgot-password', { email }))).toEqual([303, '/user/login'])
      expect(await read(browser, '/user/login')).toContain('If an account has this address, a mail with a link')
    }
    const before = mails.mails.length
    await stowage.stowage.runJobs('forgotten-password')
    await stowage.stowage.runJobs('mail')
    expect(mails.mails.length).toBe(before + 1)
    const code = codeIn(mails.mails.at(-1)?.text ?? '')

    const chosen = { password: 'quite-Another-1', again: 'quite-Another-1' }
    const typo = await faulty(await browser.submit('/user/password-reset', { code, ...chosen, again: 'x' }))
    expect(typo.errors).toEqual({ again: 'Is not the same as the password above.' })
    expect(typo.text).not.toContain(chosen.password)
    expect(leads(await browser.submit('/user/password-reset', { code, ...chosen }))).toEqual([303, '/user/login'])
    expect(await read(browser, '/user/login')).toContain('Your new password is set. Sign in with it.')
    expect(await old.whoAmI()).toBe(401)
    expect(leads(await typeIn(browser, 'tea', chosen.password))).toEqual([303, '/'])
    expect(await faulty(await browser.submit('/user/password-reset', { code, ...chosen }))).toMatchObject({
      status: 422,
      errors: { code: expect.stringContaining('This link is not valid, or not any more') },
    })
  })

  test('is told of what is no address, and not to ask on and on', async () => {
    const browser = newBrowser()
    expect((await faulty(await browser.submit('/user/forgot-password', { email: 'x' }))).errors).toEqual({
      email: 'Type an e-mail address, such as you@example.com.',
    })
    for (let count = 0; count < 5; count++) {
      expect((await browser.submit('/user/forgot-password', { email: `n${count}@example.com` })).status).toBe(303)
    }
    const { status, errors } = await faulty(await browser.submit('/user/forgot-password', { email: 'm@example.com' }))
    expect([status, errors]).toEqual([
      429,
      { above: expect.stringMatching(/^That was asked for too often\. .* or try again in \d+ minutes\.$/) },
    ])
  })
})

describe('a password', () => {
  test('is changed by the old one, which ends every other session', async () => {
    await stowage.user('uma')
    const [here, there] = [newBrowser(), newBrowser()]
    for (const browser of [here, there]) await typeIn(browser, 'uma')
    const path = '/user/settings/password'
    const change = { old: passwordOf('uma'), password: 'quite-Another-1', again: 'quite-Another-1' }
    for (const [wrong, expected] of [
      [{ old: 'wrong' }, { old: 'This is not the password that you have now.' }],
      [{ old: '' }, { old: 'Type the password that you have now.' }],
      [{ again: 'x' }, { again: 'Is not the same as the password above.' }],
      [{ password: 'short', again: 'short' }, { password: 'Must have at least 8 characters.' }],
      [
        { password: change.old, again: change.old },
        { password: 'Is the one that you have already: choose another one.' },
      ],
    ] as const) {
      const { errors, text } = await faulty(await here.submit(path, { ...change, ...wrong }))
      expect(errors).toEqual(expected)
      for (const secret of [change.old, change.password]) expect(text).not.toContain(secret)
    }
    expect(await there.whoAmI()).toBe('uma')
    expect(leads(await here.submit(path, change))).toEqual([303, path])
    expect(await read(here, path)).toContain('Your new password is set.')
    expect(await there.whoAmI()).toBe(401)
    expect(leads(await typeIn(there, 'uma', change.password))).toEqual([303, '/'])
  })

  test('is guessed by nobody who found a browser open', async () => {
    await stowage.user('ulf')
    const browser = newBrowser()
    await typeIn(browser, 'ulf')
    const guess = { old: 'guess', password: 'quite-Another-1', again: 'quite-Another-1' }
    for (let count = 0; count < 10; count++) {
      expect((await browser.submit('/user/settings/password', { ...guess, old: `guess ${count}` })).status).toBe(403)
    }
    expect((await browser.submit('/user/settings/password', guess)).status).toBe(429)
  })

  test('that must be changed is changed before anything else', async () => {
    await stowage.user('vic', { must_change_password: true })
    const vic = newBrowser()
    const first = await typeIn(vic, 'vic', undefined, { next: '/-/search?q=x' })
    expect(leads(first)).toEqual([303, '/user/settings/password?next=%2F-%2Fsearch%3Fq%3Dx'])
    expect(leads(await vic.fetch('/vic'))).toEqual([303, '/user/settings/password'])
    const html = await read(vic, '/user/settings/password?next=/-/search?q=x')
    expect(html).toContain('Choose one that only you know')
    expect(html).not.toContain('First steps')
    expect(html).not.toContain('/user/settings/tokens')
    const change = { old: passwordOf('vic'), password: 'quite-Another-1', again: 'quite-Another-1' }
    const answer = await vic.submit('/user/settings/password', { ...change, next: '/-/search?q=x' })
    expect(leads(answer)).toEqual([303, '/-/search?q=x'])
    expect((await vic.fetch('/vic')).status).not.toBe(303)
  })

  test('that was printed at the first start is the second of three steps', async () => {
    await using fresh = await startStowage()
    await fresh.change(
      "update users set must_change_password = 1 where id = (select id from owners where name_key = 'admin')",
    )
    const admin = newBrowser({}, fresh)
    expect(leads(await typeIn(admin, 'admin', adminPassword))).toEqual([303, '/user/settings/password'])
    const html = await read(admin, '/user/settings/password')
    expect(html).toContain('aria-label="First steps"')
    expect(html.replace(/\s+/g, ' ')).toMatch(/aria-current="step"[^>]*><span[^>]*>Choose a password</)
    const change = { old: adminPassword, password: 'quite-Another-1', again: 'quite-Another-1' }
    expect(leads(await admin.submit('/user/settings/password', change))).toEqual([303, '/'])
  })
})

test('where passwords are turned off, the page says so and takes none', async () => {
  await using stowage = await startStowage({ settings: { STOWAGE_PASSWORD_LOGIN: 'false' } })
  const browser = newBrowser({}, stowage)
  const html = await read(browser, '/user/login')
  expect(html).toContain('Passwords are turned off on this site.')
  expect(html).not.toContain('type="password"')
  const answer = await typeIn(browser, 'admin', adminPassword)
  expect([answer.status, await answer.text()]).toEqual([
    403,
    expect.stringContaining('Passwords are turned off on this site.'),
  ])
  expect((await browser.submit('/user/login/code', { code: '1' })).status).toBe(401)
  expect(await read(browser, '/user/forgot-password')).toContain('there is none to forget')
  expect(browser.cookie).toBeUndefined()
})

test('below a path, all of it stays there', async () => {
  await using stowage = await startStowage({ settings: { STOWAGE_PUBLIC_URL: 'https://example.com/packages' } })
  const browser = newBrowser({}, stowage)
  const html = await read(browser, '/packages/user/login?next=/packages/ada')
  expect(html).toContain('action="/packages/user/login"')
  for (const [next, to] of [
    ['/packages/ada', '/packages/ada'],
    ['/elsewhere', '/packages/'],
    ['/packages/user/login', '/packages/'],
  ] as const) {
    expect(
      leads(await browser.submit('/packages/user/login', { user: 'admin', password: adminPassword, next })),
    ).toEqual([303, to])
  }
  expect(browser.setCookie).toMatch(/^__Host-stowage_session=.*; Secure$/)
})
