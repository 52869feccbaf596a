import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { TOTP } from 'otpauth'
import { Browser } from '../support/browser.ts'
import { basic, startStowage, type TestStowage } from '../support/stowage.ts'
import { until } from '../support/until.ts'

const clock = { now: Date.parse('2031-05-06T07:08:09Z') }
const hour = 60 * 60_000
const day = 24 * hour

let stowage: TestStowage

beforeAll(async () => {
  stowage = await startStowage({
    settings: { STOWAGE_TRUSTED_PROXIES: 'loopback', STOWAGE_PROXY_SIGN_IN_HEADER: 'X-Remote-User' },
    replace: { now: () => clock.now },
  })
})
afterAll(() => stowage[Symbol.asyncDispose]())

/** A browser in which that person has signed in. */
async function signedIn(name: string, headers: Record<string, string> = {}): Promise<Browser> {
  const browser = new Browser(stowage, headers)
  expect((await browser.signIn(name)).status).toBe(200)
  return browser
}

async function newcomer(name: string): Promise<Browser> {
  await stowage.user(name)
  return signedIn(name)
}

async function read(browser: Browser, path: string): Promise<string> {
  const response = await browser.fetch(path)
  expect(response.status).toBe(200)
  return response.text()
}

/** Where a form leads, and what is said there. */
async function followed(browser: Browser, response: Response) {
  expect([response.status, response.status === 303 ? '' : await response.text()]).toEqual([303, ''])
  const to = response.headers.get('location') ?? ''
  return { to, text: await read(browser, to) }
}

/** The status of a form's answer and what it says is wrong at each field. */
async function faulty(response: Response) {
  const text = await response.text()
  const errors = [...text.matchAll(/id="error-([a-z_]+)"[\s\S]*?<span>([^<]*)<\/span>/g)]
  return { status: response.status, errors: Object.fromEntries(errors.map(([, at, said]) => [at, said])), text }
}

const settings = '/user/settings'
const mine = { full_name: 'Ada', description: '', website: '', location: '', visibility: 'public' }

describe('a form that arrives slowly', () => {
  const asForm = { 'Content-Type': 'application/x-www-form-urlencoded' }

  test.each([
    ['/user/settings/email', 'email=other%40example.com&password='],
    ['/user/settings/password', 'password=quite-Another-1&again=quite-Another-1&old='],
  ])('%s does nothing for a session that has ended meanwhile, whatever is typed', async (path, fields) => {
    const name = `slow-${path.split('/').at(-1)}`
    const browser = await newcomer(name)
    const { promise, resolve: goOn } = Promise.withResolvers<void>()
    const body = new ReadableStream({
      start: (sent) => sent.enqueue(new TextEncoder().encode(fields)),
      pull: async (sent) => {
        await promise
        sent.enqueue(new TextEncoder().encode(`${name}-Pass-1234`))
        sent.close()
      },
    })
    clock.now += 1_000
    const answer = browser.fetch(path, { method: 'POST', headers: asForm, body })
    // Once its use is noted, the session has been looked up, and the form is waited for.
    await until(async () => {
      await stowage.stowage.flushUses()
      const used = `select last_used_at from sessions join owners on owners.id = user_id where name = '${name}'`
      return (await stowage.change(used)).some((session) => Number(session.last_used_at) === clock.now)
    }, 'the session is looked up')
    const ended = await stowage.admin.fetch(`/api/v1/admin/users/${name}/sessions`, { method: 'DELETE' })
    expect(ended.status).toBe(204)
    goOn()
    expect((await answer).status).toBe(401)
    const user = await stowage.admin.fetch(`/api/v1/users/${name}`)
    expect(await user.json()).toMatchObject({ email: `${name}@example.com` })
    await signedIn(name)
  })
})

describe('the profile', () => {
  test('is what one says of oneself, and is changed', async () => {
    const ada = await newcomer('ada')
    expect(await read(ada, settings)).toContain('value="ada@example.com"')
    const typed = {
      full_name: 'Ada "the" <b>Countess</b>',
      description: 'one\r\ntwo',
      website: ' https://ada.example/?a=1&b=2 ',
      location: 'London & Ockham',
      visibility: 'limited',
    }
    const { to, text } = await followed(ada, await ada.submit(settings, typed))
    expect(to).toBe(settings)
    expect(text).toContain('Your profile is changed.')
    expect(text).toContain('value="Ada &quot;the&quot; &lt;b&gt;Countess&lt;/b&gt;"')
    expect(text).toContain('value="https://ada.example/?a=1&amp;b=2"')
    expect(text).not.toContain('<b>')
    expect(text).toMatch(/value="limited"[^>]*checked/)
    const [row] = await stowage.change(
      "select full_name, description, website, location, visibility from users join owners on owners.id = users.id where name = 'ada'",
    )
    expect(row).toEqual({ ...typed, description: 'one\ntwo', website: 'https://ada.example/?a=1&b=2' })
  })

  test('keeps what was typed where something is wrong, and says so at the field', async () => {
    const bob = await newcomer('bob')
    const typed = { ...mine, full_name: 'Kept <i>', description: 'd'.repeat(256), website: 'javascript:alert(1)' }
    const { status, errors, text } = await faulty(await bob.submit(settings, typed))
    expect(status).toBe(422)
    expect(errors).toEqual({
      description: 'May have 255 characters at most.',
      website: 'Must be an http or https address.',
    })
    expect(text).toContain('value="Kept &lt;i&gt;"')
    expect(text).toContain('value="javascript:alert(1)"')
    expect(text).not.toContain('href="javascript:')
    expect((await stowage.change("select website from owners where name = 'bob'"))[0]).toEqual({ website: '' })
  })

  test('has the e-mail address, which takes the password', async () => {
    const cleo = await newcomer('cleo')
    const send = (email: string, password: string) => cleo.submit(`${settings}/email`, { email, password })
    const wrong = await faulty(await send('new@example.com', 'wrong'))
    expect(wrong).toMatchObject({ status: 403, errors: { password: 'This is not your password.' } })
    expect(wrong.text).toContain('value="new@example.com"')
    expect(wrong.text).not.toContain('wrong"')
    expect(await faulty(await send('new@example.com', ''))).toMatchObject({
      status: 422,
      errors: { password: 'Type your password.' },
    })
    expect(await faulty(await send('nothing', 'cleo-Pass-1234'))).toMatchObject({
      status: 422,
      errors: { email: 'Must be an e-mail address.' },
    })
    await stowage.user('rival')
    expect(await faulty(await send('Rival@example.com', 'cleo-Pass-1234'))).toMatchObject({
      status: 422,
      errors: { email: 'Another account has this address.' },
    })
    expect(await stowage.change("select email from users where email like 'cleo%'")).toHaveLength(1)
    const { text } = await followed(cleo, await send('new@example.com', 'cleo-Pass-1234'))
    expect(text).toContain('Your e-mail address is changed.')
    expect(text).toContain('value="new@example.com"')
  })

  test('says who deletes accounts, and leads an administrator there', async () => {
    const admin = new Browser(stowage)
    await admin.signIn('admin')
    expect(await read(admin, settings)).toContain('href="/-/admin/users/admin"')
    expect(await read(await newcomer('dora'), settings)).toContain('Accounts are deleted by the administrators')
  })
})

describe('two-factor sign-in', () => {
  const path = `${settings}/two-factor`
  const secretIn = (text: string) => /name="secret" value="([A-Z2-7]{32})"/.exec(text)?.[1] ?? ''
  const codesIn = (text: string) => [...text.matchAll(/name="recovery" value="([^"]+)"/g)].map(([, code]) => code ?? '')
  const shown = (secret: string) => new TOTP({ secret }).generate({ timestamp: clock.now })
  const wrongCode = (secret: string) => {
    const totp = new TOTP({ secret })
    const right = [-1, 0, 1].map((steps) => totp.generate({ timestamp: clock.now + steps * 30_000 }))
    return ['000000', '111111', '222222', '333333'].find((code) => !right.includes(code)) ?? ''
  }

  test('is set up with the password and a code, and shows the recovery codes once', async () => {
    const eve = await newcomer('eve')
    const other = await signedIn('eve')
    expect(await read(eve, path)).toMatch(/Off<\/span>/)
    expect(await faulty(await eve.submit(path, { password: 'wrong' }))).toMatchObject({
      status: 403,
      errors: { password: 'This is not your password.' },
    })
    const begun = await eve.submit(path, { password: 'eve-Pass-1234' })
    expect([begun.status, begun.headers.get('cache-control')]).toEqual([200, 'no-store'])
    const text = await begun.text()
    const secret = secretIn(text)
    expect(text).toContain('<svg xmlns="http://www.w3.org/2000/svg"')
    expect(text).toContain(secret.replace(/(.{4})(?=.)/g, '$1 '))
    expect(text).toContain(`otpauth://totp/Stowage:eve%40127.0.0.1?`)

    const mistyped = await faulty(await eve.submit(`${path}/confirm`, { secret, code: wrongCode(secret) }))
    expect(mistyped.status).toBe(422)
    expect(mistyped.errors.code).toStartWith('This is not the code that your authenticator shows now.')
    expect(secretIn(mistyped.text)).toBe(secret)
    expect(mistyped.text).toContain('<svg xmlns')

    const done = await eve.submit(`${path}/confirm`, {
      secret,
      code: ` ${shown(secret).slice(0, 3)} ${shown(secret).slice(3)} `,
    })
    expect(done.status).toBe(200)
    const codes = codesIn(await done.text())
    expect(new Set(codes).size).toBe(10)
    // This browser goes on, the other one does not: its session is older than the second factor.
    expect(await read(eve, path)).toContain('10 codes left')
    expect((await other.fetch(path)).headers.get('location')).toStartWith('/user/login')

    const file = await eve.submit(`${path}/recovery-codes.txt`, { recovery: codes })
    expect(file.headers.get('content-disposition')).toBe('attachment; filename="stowage-recovery-codes.txt"')
    expect(file.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect(await file.text()).toContain(`\n\n${codes.join('\n')}\n\n`)

    clock.now += 30_000
    const signIn = { user: 'eve', password: 'eve-Pass-1234' }
    const another = new Browser(stowage)
    expect((await another.post('/user/login', signIn)).status).toBe(401)
    expect((await another.post('/user/login', { ...signIn, code: codes[0] })).status).toBe(200)
    expect(await read(eve, path)).toContain('9 codes left')

    const both = { password: 'eve-Pass-1234', code: shown(secret) }
    expect(await faulty(await eve.submit(`${path}/recovery-codes`, { code: both.code }))).toMatchObject({
      status: 422,
      errors: { password: 'Type your password.' },
    })
    expect(await faulty(await eve.submit(`${path}/recovery-codes`, { password: both.password }))).toMatchObject({
      status: 422,
      errors: { code: 'Type the code.' },
    })
    const renewed = codesIn(await (await eve.submit(`${path}/recovery-codes`, both)).text())
    expect(renewed).toHaveLength(10)
    expect(renewed.filter((code) => codes.includes(code))).toEqual([])
    // Each code works once.
    expect(await faulty(await eve.submit(`${path}/off`, both))).toMatchObject({
      status: 401,
      errors: { code: expect.stringContaining('not right') },
    })
    expect(
      await faulty(await eve.submit(`${path}/off`, { ...both, password: 'wrong', code: renewed[0] ?? '' })),
    ).toMatchObject({
      status: 403,
    })
    const { to, text: off } = await followed(eve, await eve.submit(`${path}/off`, { ...both, code: renewed[0] ?? '' }))
    expect(to).toBe(path)
    expect(off).toContain('Two-factor sign-in is off.')
    expect(await another.whoAmI()).toBe(401)
    const actions = await stowage.change(
      "select action, credential from audit_events where owner_name = 'eve' and action like 'second-factor%' order by id",
    )
    expect(actions).toEqual(
      ['begun', 'enabled', 'recovery-codes', 'removed'].map((what) => ({
        action: `second-factor.${what}`,
        credential: 'session',
      })),
    )
  })

  test('has no pages for codes where it is off, and none for another one where it is on', async () => {
    const finn = await newcomer('finn')
    for (const more of ['recovery-codes', 'off']) {
      expect((await finn.fetch(`${path}/${more}`)).headers.get('location')).toBe(path)
    }
    const password = 'finn-Pass-1234'
    const secret = secretIn(await (await finn.submit(path, { password })).text())
    const later = await faulty(await finn.submit(`${path}/confirm`, { secret, code: '' }))
    expect(later).toMatchObject({ status: 422, errors: { code: expect.stringContaining('six digits') } })
    clock.now += hour
    const late = await faulty(await finn.submit(`${path}/confirm`, { secret, code: shown(secret) }))
    expect(late.status).toBe(422)
    expect(late.text).toContain('older than an hour')
    const again = secretIn(await (await finn.submit(path, { password })).text())
    expect((await finn.submit(`${path}/confirm`, { secret: again, code: shown(again) })).status).toBe(200)
    const twice = await faulty(await finn.submit(path, { password }))
    expect(twice.status).toBe(422)
    expect(twice.text).toContain('remove that one before you begin another')
  })

  test('gives as a file nothing but recovery codes', async () => {
    const gus = await newcomer('gus')
    for (const recovery of [[], ['<script>'], ['not a code'], Array.from({ length: 21 }, () => '00000-00000-00000')]) {
      expect((await gus.submit(`${path}/recovery-codes.txt`, { recovery })).status).toBe(422)
    }
  })
})

describe('tokens', () => {
  const path = `${settings}/tokens`
  const ask = { name: 'ci', scopes: ['write:package'], expires: '90', on: '' }
  const secretIn = (text: string) => /<code>([0-9a-f]{40})<\/code>/.exec(text)?.[1] ?? ''

  test('are made, shown once, listed in words and deleted', async () => {
    const hal = await newcomer('hal')
    expect(await read(hal, path)).toContain('You have no tokens.')
    const made = await hal.submit(path, {
      ...ask,
      name: ' ci <b>',
      scopes: ['read:user', 'write:package'],
      public_only: 'on',
    })
    expect([made.status, made.headers.get('cache-control'), made.headers.get('content-encoding')]).toEqual([
      200,
      'no-store',
      null,
    ])
    const text = await made.text()
    const secret = secretIn(text)
    expect(text).toContain(`curl -H &quot;Authorization: token ${secret}&quot; ${stowage.url}/api/v1/token`)
    expect(text).toContain(`--upload-file tool.zip ${stowage.url}/api/packages/hal/generic/tool/1.0.0/tool.zip`)
    const asked = await fetch(`${stowage.url}/api/v1/token`, { headers: { Authorization: `token ${secret}` } })
    expect(await asked.json()).toMatchObject({
      user: 'hal',
      name: 'ci <b>',
      scopes: ['read:user', 'write:package', 'public-only'],
      expires_at: new Date(clock.now + 90 * day).toISOString().replace('.000', ''),
    })
    const list = await read(hal, path)
    expect(list).not.toContain(secret)
    expect(list).toContain(`<code>${secret.slice(-8)}</code>`)
    expect(list).toContain('ci &lt;b&gt;')
    expect(list).toContain('See your account, publish and delete packages')
    expect(list).toContain('(public owners only)')
    expect(list).toContain('in 3 months')

    const [row] = await stowage.change("select id from tokens where name = 'ci <b>'")
    const remove = `${path}/${row?.id}/delete`
    // Those that it made go too, and are named before.
    const child = await fetch(`${stowage.url}/api/v1/users/hal/tokens`, {
      method: 'POST',
      headers: { Authorization: basic('hal', 'hal-Pass-1234'), 'Content-Type': 'application/json' },
      body: JSON.stringify({ name: 'parent', scopes: ['write:user'] }),
    })
    const parent = (await child.json()) as { id: number; sha1: string }
    await fetch(`${stowage.url}/api/v1/users/hal/tokens`, {
      method: 'POST',
      headers: { Authorization: basic('hal', parent.sha1), 'Content-Type': 'application/json' },
      body: JSON.stringify({ name: 'child', scopes: ['read:user'] }),
    })
    expect(await read(hal, `${path}/${parent.id}/delete`)).toMatch(/1 token that came of it[\s\S]*child/)
    expect((await hal.submit(remove)).status).toBe(422)
    expect((await followed(hal, await hal.submit(remove, { delete: 'yes' }))).text).toContain('The token is deleted.')
    expect((await hal.submit(remove, { delete: 'yes' })).status).toBe(404)
    expect((await fetch(`${stowage.url}/api/v1/token`, { headers: { Authorization: `token ${secret}` } })).status).toBe(
      401,
    )
  })

  test('keep what was typed where something is wrong', async () => {
    const ida = await newcomer('ida')
    const { status, errors, text } = await faulty(
      await ida.submit(path, {
        name: '',
        scopes: ['write:user'],
        public_only: 'on',
        expires: 'date',
        on: '2031-05-05',
      }),
    )
    expect(status).toBe(422)
    expect(errors).toEqual({ name: 'Type what the token is for.' })
    expect(text).toMatch(/value="write:user" checked/)
    expect(text).toMatch(/name="public_only" value="on" checked/)
    expect(text).toMatch(/<option value="date" selected/)
    expect(text).toContain('value="2031-05-05"')
    expect((await faulty(await ida.submit(path, { ...ask, expires: 'date', on: '2031-05-05' }))).errors).toEqual({
      on: 'Choose a day, today or later.',
    })
    expect((await faulty(await ida.submit(path, { ...ask, scopes: [] }))).errors).toEqual({
      scopes: 'Choose what it may do, one thing at least.',
    })
    expect((await faulty(await ida.submit(path, { ...ask, scopes: ['write:admin'] }))).errors).toHaveProperty('scopes')
    expect((await ida.submit(path, ask)).status).toBe(200)
    const again = await faulty(await ida.submit(path, ask))
    expect(again).toMatchObject({ status: 400, errors: { name: 'You have a token of this name already.' } })
    expect(
      await stowage.change("select 1 from tokens join owners on owners.id = user_id where owners.name = 'ida'"),
    ).toHaveLength(1)
  })

  test('end on the day that was chosen, or never, and are marked when they have', async () => {
    const jo = await newcomer('jo')
    await jo.submit(path, {
      ...ask,
      name: 'today',
      expires: 'date',
      on: new Date(clock.now).toISOString().slice(0, 10),
    })
    await jo.submit(path, { ...ask, name: 'forever', expires: 'never' })
    const rows = await stowage.change("select expires_at from tokens where name in ('today', 'forever') order by id")
    const midnight = Math.ceil(clock.now / day) * day
    expect(rows.map((row) => (row.expires_at === null ? null : Number(row.expires_at)))).toEqual([midnight, null])
    expect(await read(jo, path)).not.toContain('Expired')
    clock.now = midnight
    const late = await read(jo, path)
    expect(late.match(/Expired/g)).toHaveLength(1)
    expect(late).toContain('>Never<')
  })

  test('take the password again where the session is old', async () => {
    const kim = await newcomer('kim')
    clock.now += 12 * hour
    expect(await read(kim, path)).not.toContain('name="password"')
    clock.now += 1_000
    expect(await read(kim, path)).toContain('name="password"')
    const without = await faulty(await kim.submit(path, ask))
    expect(without).toMatchObject({ status: 422, errors: { password: 'Type your password.' } })
    expect(await faulty(await kim.submit(path, { ...ask, password: 'wrong' }))).toMatchObject({ status: 403 })
    expect((await kim.submit(path, { ...ask, password: 'kim-Pass-1234' })).status).toBe(200)
  })

  test('are nobody else’s to see or delete', async () => {
    const lea = await newcomer('lea')
    await lea.submit(path, { ...ask, name: 'of lea' })
    const [row] = await stowage.change("select id from tokens where name = 'of lea'")
    const admin = new Browser(stowage)
    await admin.signIn('admin')
    for (const other of [await newcomer('mia'), admin]) {
      expect(await read(other, path)).not.toContain('of lea')
      expect((await other.fetch(`${path}/${row?.id}/delete`)).status).toBe(404)
      expect((await other.submit(`${path}/${row?.id}/delete`, { delete: 'yes' })).status).toBe(404)
    }
    for (const id of ['0', '-1', 'of%20lea', '1e3', '9'.repeat(16)]) {
      expect((await lea.fetch(`${path}/${id}/delete`)).status).toBe(404)
    }
    expect(await read(lea, path)).toContain('of lea')
  })

  test('are paged', async () => {
    await stowage.user('nan')
    const [owner] = await stowage.change("select id from owners where name = 'nan'")
    const values = Array.from(
      { length: 31 },
      (_, index) => `(${owner?.id}, 'number ${index}.', 'digest of ${index}', '0000000${index % 10}', 'all', 1)`,
    )
    await stowage.change(
      `insert into tokens (user_id, name, sha256, last_eight, scopes, created_at) values ${values.join(', ')}`,
    )
    const nan = await signedIn('nan')
    const first = await read(nan, path)
    expect(first).toContain('1 to 30 of 31')
    expect(first).not.toContain('number 30.')
    expect(await read(nan, `${path}?page=2`)).toContain('number 30.')
    expect(await read(nan, `${path}?page=77`)).toContain('Nothing on this page')
  })
})

describe('sessions', () => {
  const path = `${settings}/sessions`
  const agent = (system: string) => ({ 'User-Agent': `Mozilla/5.0 (${system}) Gecko/20100101 Firefox/145.0` })

  test('are listed, and one is ended: its next request leads to the sign-in', async () => {
    await stowage.user('oda')
    const here = await signedIn('oda', agent('X11; Linux x86_64'))
    const there = await signedIn('oda', agent('Windows NT 10.0'))
    const text = await read(here, path)
    expect(text).toContain('Firefox on Windows')
    expect(text).toMatch(/Firefox on Linux[\s\S]*This browser/)
    const ids = [...text.matchAll(/name="end" value="(\d+)"/g)].map(([, id]) => id ?? '')
    expect(ids).toHaveLength(1)
    expect(await read(there, `${settings}?x=1`)).toContain('Save profile')
    expect((await followed(here, await here.submit(path, { end: ids[0] ?? '' }))).text).toContain(
      'The session has ended.',
    )
    const led = await there.fetch(`${settings}?x=1`)
    expect([led.status, led.headers.get('location')]).toEqual([
      303,
      `/user/login?next=${encodeURIComponent(`${settings}?x=1`)}`,
    ])
    const refused = await there.submit(settings, { ...mine, full_name: 'From the dead' })
    expect(refused.status).toBe(401)
    expect(await read(here, settings)).not.toContain('From the dead')
    // A list that is older than the end is no reason to complain.
    expect((await here.submit(path, { end: ids[0] ?? '' })).status).toBe(303)
  })

  test('are all ended but this one', async () => {
    await stowage.user('pia')
    const [here, second, third] = [await signedIn('pia'), await signedIn('pia'), await signedIn('pia')]
    const { text } = await followed(here, await here.submit(path, { end: 'others' }))
    expect(text).toContain('All your other sessions have ended.')
    expect(text).not.toContain('name="end"')
    expect([await here.whoAmI(), await second.whoAmI(), await third.whoAmI()]).toEqual(['pia', 401, 401])
  })

  test('are one’s own to end', async () => {
    await newcomer('quin')
    const [row] = await stowage.change(
      "select sessions.id from sessions join owners on owners.id = user_id where name = 'quin'",
    )
    const ray = await newcomer('ray')
    await ray.submit(path, { end: String(row?.id) })
    const kept = await stowage.change(`select 1 from sessions where id = ${row?.id}`)
    expect(kept).toHaveLength(1)
    for (const end of ['', '0', 'all', '1e3', '9'.repeat(16)])
      expect((await ray.submit(path, { end })).status).toBe(422)
    expect(await ray.whoAmI()).toBe('ray')
  })

  test('show text that a browser sends as text', async () => {
    await stowage.user('sam')
    const sam = await signedIn('sam', { 'User-Agent': '"><img src=x onerror=alert(1)>' })
    const text = await read(sam, path)
    expect(text).toContain('An unknown browser')
    expect(text).not.toContain('<img')
  })
})

test('a token for some packages says which, and what is wrong with them stands beside the field', async () => {
  const path = `${settings}/tokens`
  const ask = { name: 'ci', scopes: ['write:package'], expires: '90', on: '' }
  const vic = await newcomer('vic')
  await stowage.user('unseen', { visibility: 'private' })
  for (const [packages, sentence] of [
    ['vic/tool-*\nunseen/x', 'There is no owner unseen that you may see.'],
    ['vic/tool-*\nnobody-at-all/x', 'There is no owner nobody-at-all that you may see.'],
    ['tool', '&quot;tool&quot; names no owner: write acme/tool, or */tool for every owner.'],
  ] as const) {
    const refused = await vic.submit(path, { ...ask, packages })
    const text = await refused.text()
    expect([refused.status, /id="error-packages".*?<span>(.*?)<\/span>/s.exec(text)?.[1]]).toEqual([422, sentence])
    expect(text).toContain(`${packages}</textarea>`)
  }
  const tooMuch = await vic.submit(path, { ...ask, scopes: ['all'], packages: 'vic/*' })
  expect(/id="error-scopes".*?<span>(.*?)<\/span>/s.exec(await tooMuch.text())?.[1]).toStartWith('A token for some')

  const made = await (await vic.submit(path, { ...ask, packages: 'Vic/Tool-*\r\n*/lib' })).text()
  expect(made).toContain(`${stowage.url}/api/packages/vic/generic/tool-example/1.0.0/tool.zip`)
  const list = await read(vic, path)
  for (const pattern of ['vic/tool-*', '*/lib']) expect(list).toContain(`<code class="breaks">${pattern}</code>`)
})

describe('who comes by a proxy', () => {
  const proxied = (name: string) => new Browser(stowage, { 'X-Remote-User': name })

  test('is told what takes a password, and does the rest', async () => {
    await stowage.user('tom')
    const tom = proxied('tom')
    expect(await read(tom, settings)).toContain('You were signed in by a proxy before this site')
    expect((await followed(tom, await tom.submit(settings, { ...mine, full_name: 'Tom' }))).text).toContain(
      'value="Tom"',
    )
    const email = { email: 'tom@elsewhere.example', password: 'tom-Pass-1234' }
    expect((await tom.submit(`${settings}/email`, email)).status).toBe(403)
    expect(await read(tom, `${settings}/two-factor`)).toContain('nothing for a code to stand beside')
    for (const more of ['', '/confirm', '/recovery-codes', '/off']) {
      expect(
        (await tom.submit(`${settings}/two-factor${more}`, { password: 'tom-Pass-1234', code: '123456' })).status,
      ).toBe(403)
    }
    const made = await tom.submit(`${settings}/tokens`, { name: 'ci', scopes: 'read:package', expires: '7' })
    expect(made.status).toBe(200)
    const browser = await signedIn('tom')
    expect(await read(tom, `${settings}/sessions`)).toContain('This browser has no session')
    expect((await tom.submit(`${settings}/sessions`, { end: 'others' })).status).toBe(303)
    expect(await browser.whoAmI()).toBe(401)
    expect(await read(tom, `${settings}/sessions`)).toContain('No browser has signed in with your password.')
  })

  test('is not asked for a password that the account does not have', async () => {
    const uma = await newcomer('uma')
    await stowage.change("update users set password_hash = null where email = 'uma@example.com'")
    clock.now += 13 * hour
    expect(await read(uma, `${settings}/tokens`)).not.toContain('name="password"')
    expect(await read(uma, `${settings}/two-factor`)).toContain('Your account has no password, so')
    expect(await read(uma, settings)).toContain('An administrator of this site can change it for you')
    expect((await uma.submit(`${settings}/tokens`, { name: 'ci', scopes: 'all', expires: '7' })).status).toBe(200)
  })
})

describe('a stranger', () => {
  test.each([
    '',
    '/two-factor',
    '/two-factor/off',
    '/two-factor/recovery-codes',
    '/tokens',
    '/tokens/1/delete',
    '/sessions',
  ])('is led to sign in from /user/settings%s', async (more) => {
    const response = await new Browser(stowage).fetch(settings + more)
    expect([response.status, response.headers.get('location')]).toEqual([
      303,
      `/user/login?next=${encodeURIComponent(settings + more)}`,
    ])
  })
})
