import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { anything, assert, asyncProperty, dictionary, json, oneof, string, uint8Array } from 'fast-check'
import { TOTP } from 'otpauth'
import { type AskedOptions, SoftAuthenticator, type Twist } from '../support/authenticator.ts'
import { Browser } from '../support/browser.ts'
import { addPasskey, askedFor, askedForNew } from '../support/passkeys.ts'
import { basic, type Client, startStowage, type TestStowage } from '../support/stowage.ts'

const origin = 'https://packages.example.com'
const minute = 60_000
const clock = { now: Date.parse('2031-05-06T07:08:09Z') }
let stowage: TestStowage

beforeAll(async () => {
  stowage = await startStowage({
    settings: {
      STOWAGE_PUBLIC_URL: origin,
      STOWAGE_TRUSTED_PROXIES: 'loopback',
      STOWAGE_PROXY_SIGN_IN_HEADER: 'X-Remote-User',
    },
    replace: { now: () => clock.now },
  })
})
afterAll(() => stowage[Symbol.asyncDispose]())

const place = '/user/settings/passkeys'
const passwordOf = (name: string) => `${name}-Pass-1234`

/** Under https cookies have a prefix, which this browser keeps like any other. */
async function signedIn(name: string, at = stowage): Promise<Browser> {
  const browser = new Browser(at)
  const answer = await browser.signIn(name)
  expect([answer.status, answer.status === 200 ? '' : await answer.text()]).toEqual([200, ''])
  return browser
}

async function newcomer(name: string, at = stowage): Promise<{ browser: Browser; client: Client }> {
  const client = await at.user(name)
  return { browser: await signedIn(name, at), client }
}

const asked = askedFor

/** Adds a passkey, kept by a new authenticator unless there is one. */
async function add(
  browser: Browser,
  name: string,
  { authenticator = new SoftAuthenticator(origin), passkey = 'Phone' } = {},
): Promise<SoftAuthenticator> {
  return addPasskey(browser, { password: passwordOf(name), authenticator, name: passkey })
}

async function holder(name: string, at = stowage) {
  // Ten failures of a network within a minute are written one by one.
  clock.now += minute
  const { browser, client } = await newcomer(name, at)
  return { browser, client, authenticator: await add(browser, name) }
}

const signInWith = (browser: Browser, credential: string, more: Record<string, string> = {}) =>
  browser.submit('/user/login/passkey', { credential, ...more })

/** Signs in with that authenticator alone, in a browser of its own. */
async function alone(authenticator: SoftAuthenticator, twist: Twist = {}): Promise<Response> {
  const browser = new Browser(stowage)
  return signInWith(browser, authenticator.get(await asked(browser, 'sign-in'), twist))
}

/** The status, and what is said to be wrong. */
async function fault(response: Response): Promise<[status: number, said: string]> {
  const text = await response.text()
  return [response.status, /<div role="alert"[\s\S]*?<div[^>]*>([^<]+)</.exec(text)?.[1] ?? text.slice(0, 300)]
}

const passkeysOf = async (client: Client) =>
  (await (await client.fetch('/api/v1/user/passkeys')).json()) as {
    id: number
    name: string
    last_used_at: string | null
  }[]

async function failures(name: string): Promise<unknown[]> {
  await stowage.stowage.flushSignIns(true)
  const answer = await stowage.admin.fetch(`/api/v1/admin/audit?action=sign-in.failed&limit=50&owner=${name}`)
  return ((await answer.json()) as { details: { reason?: string } }[]).map(({ details }) => details.reason)
}

async function actions(name: string): Promise<unknown[]> {
  const answer = await stowage.admin.fetch(`/api/v1/admin/audit?action=passkey.&limit=50&owner=${name}`)
  return ((await answer.json()) as { action: string; subject: string }[]).map(({ action, subject }) => [
    action,
    subject,
  ])
}

describe('a passkey', () => {
  test('signs in alone, and is named, used and removed', async () => {
    const { browser, client } = await newcomer('ada')
    const token = await client.token(['read:user'])
    const phone = await add(browser, 'ada')
    const laptop = await add(browser, 'ada', { passkey: '  The laptop\n ' })
    const before = await passkeysOf(token)
    expect(before).toMatchObject([
      { name: 'Phone', last_used_at: null, backed_up: false },
      { name: 'The laptop', last_used_at: null },
    ] as object[])

    const fresh = new Browser(stowage)
    const options = await asked(fresh, 'sign-in')
    expect(options).toMatchObject({ rpId: 'packages.example.com', userVerification: 'required' } as object)
    expect(options.allowCredentials ?? []).toEqual([])
    const answer = await signInWith(fresh, laptop.get(options), { next: place })
    expect([answer.status, answer.headers.get('location')]).toEqual([303, place])
    expect(await fresh.whoAmI()).toBe('ada')
    expect((await passkeysOf(token))[1]?.last_used_at).toBe('2031-05-06T07:08:09Z')

    const [first, second] = before.map(({ id }) => id)
    expect((await fresh.submit(`${place}/${first}`, { name: 'Old phone' })).status).toBe(303)
    expect((await passkeysOf(token))[0]?.name).toBe('Old phone')
    expect((await browser.submit(`${place}/${first}/delete`, { password: passwordOf('ada') })).status).toBe(303)
    expect(await fresh.whoAmI()).toBe(401)
    expect((await alone(phone)).status).toBe(401)
    expect((await alone(laptop)).status).toBe(303)
    expect((await browser.submit(`${place}/${second}/delete`, { password: 'wrong' })).status).toBe(403)
    expect((await browser.submit(`${place}/${second}/delete`, {})).status).toBe(422)
    expect((await alone(laptop)).status).toBe(303)
    expect((await browser.submit(`${place}/${second}/delete`, { password: passwordOf('ada') })).status).toBe(303)
    expect((await alone(laptop)).status).toBe(401)
    expect(await passkeysOf(client)).toEqual([])
    expect(await actions('ada')).toEqual([
      ['passkey.removed', 'The laptop'],
      ['passkey.removed', 'Old phone'],
      ['passkey.renamed', 'Old phone'],
      ['passkey.added', 'The laptop'],
      ['passkey.added', 'Phone'],
    ])
  })

  test('says in the audit log that it signed in', async () => {
    const { authenticator } = await holder('aud')
    expect((await alone(authenticator)).status).toBe(303)
    const answer = await stowage.admin.fetch('/api/v1/admin/audit?action=sign-in&limit=1&owner=aud')
    expect(await answer.json()).toMatchObject([{ action: 'sign-in', credential: 'passkey', actor: { name: 'aud' } }])
  })

  test('keeps the password alone out from then on, and other sessions end', async () => {
    const { browser, client } = await newcomer('bob')
    const token = await client.token(['read:user', 'write:package'])
    const elsewhere = await signedIn('bob')
    await add(browser, 'bob')
    expect(await elsewhere.whoAmI()).toBe(401)
    expect(await browser.whoAmI()).toBe('bob')
    const refused = await client.fetch('/api/v1/user')
    expect([refused.status, ((await refused.json()) as { message: string }).message]).toEqual([
      401,
      expect.stringContaining('send a token in the place of the password'),
    ])
    expect((await client.put({}, 'x')).status).toBe(401)
    expect((await token.put({}, 'x')).status).toBe(201)
    expect((await token.with({ Authorization: basic('bob', token.secret) }).fetch('/api/v1/user')).status).toBe(200)
    // The same as ever to who does not know the password.
    const stranger = client.with({ Authorization: basic('bob', 'wrong') })
    expect(await (await stranger.fetch('/api/v1/user')).text()).not.toContain('passkey')
    const bySession = await new Browser(stowage).signIn('bob')
    expect([bySession.status, await bySession.json()]).toMatchObject([401, { passkey: true }])
    // A second one ends nothing.
    const again = new Browser(stowage)
    await second(again, 'bob', await add(browser, 'bob', { passkey: 'Another' }))
    await add(browser, 'bob', { passkey: 'A third' })
    expect(await again.whoAmI()).toBe('bob')
  })

  test('ends an upload that began with the password', async () => {
    const { browser, client } = await newcomer('slow')
    const { promise, resolve: goOn } = Promise.withResolvers<void>()
    const { promise: begun, resolve: hasBegun } = Promise.withResolvers<void>()
    const body = new ReadableStream({
      start: (sent) => sent.enqueue(new TextEncoder().encode('one')),
      pull: async (sent) => {
        hasBegun()
        await promise
        sent.close()
      },
    })
    const upload = client.put({}, body)
    await begun
    await add(browser, 'slow')
    goOn()
    expect((await upload).status).toBe(401)
  })
})

test('a download that was answered by the password a moment ago is not answered any more', async () => {
  const { browser, client } = await newcomer('hot')
  await client.fetch('/api/v1/user/settings', { method: 'PATCH', body: '{"visibility":"private"}' })
  expect((await client.put({}, 'x')).status).toBe(201)
  for (let time = 0; time < 3; time += 1) expect((await client.get()).status).toBe(200)
  await add(browser, 'hot')
  expect((await client.get()).status).toBe(401)
})

/** Name and password, then the passkey. */
async function second(browser: Browser, name: string, authenticator: SoftAuthenticator, twist: Twist = {}) {
  const begun = await browser.submit('/user/login', { user: name, password: passwordOf(name) })
  expect([begun.status, begun.headers.get('location')]).toEqual([303, '/user/login/code'])
  const options = await asked(browser, 'second-factor')
  return signInWith(browser, authenticator.get(options, twist), { second: 'yes' })
}

describe('beside the password', () => {
  test('a passkey is asked for, and one of the account alone will do', async () => {
    const { authenticator } = await holder('carl')
    const { authenticator: foreign } = await holder('carla')
    const browser = new Browser(stowage)
    expect((await second(browser, 'carl', foreign)).status).toBe(401)
    expect(await browser.whoAmI()).toBe(401)
    const page = await (await browser.fetch('/user/login/code')).text()
    expect(page).toContain('Now show one of your passkeys.')
    expect(page).not.toContain('name="code"')
    // There is no code that could stand for it.
    for (const code of ['000000', 'AAAA-BBBB-CCCC-DDDD']) {
      expect((await browser.submit('/user/login/code', { code })).status).toBe(401)
    }
    expect(await browser.whoAmI()).toBe(401)
    const options = await asked(browser, 'second-factor')
    expect(options.allowCredentials?.map(({ id }) => id)).toEqual([authenticator.kept[0]?.id ?? ''])
    // Some authenticators leave out whose it is where they were told.
    const answer = authenticator.get(options, { userHandle: null })
    expect((await signInWith(browser, answer, { second: 'yes' })).status).toBe(303)
    expect(await browser.whoAmI()).toBe('carl')
  })

  test('a code of the other second factor will do as well, in a browser and not in a call', async () => {
    const { browser, client } = await newcomer('dora')
    const { secret } = (await (await client.fetch('/api/v1/user/totp', { method: 'POST' })).json()) as {
      secret: string
    }
    const code = () => new TOTP({ secret }).generate({ timestamp: clock.now })
    const confirmed = await client.post('/api/v1/user/totp/confirm', { code: code() })
    const { recovery_codes: recovery } = (await confirmed.json()) as { recovery_codes: string[] }
    const withCode = new Browser(stowage)
    clock.now += minute
    expect(
      (await withCode.post('/user/login', { user: 'dora', password: passwordOf('dora'), code: code() })).status,
    ).toBe(200)
    const authenticator = await add(withCode, 'dora')
    expect(await browser.whoAmI()).toBe(401)

    clock.now += minute
    const byCall = client.with({ Authorization: basic('dora', passwordOf('dora')), 'X-Gitea-OTP': code() })
    expect((await byCall.fetch('/api/v1/user')).status).toBe(401)
    const inBrowser = new Browser(stowage)
    expect(
      (await inBrowser.post('/user/login', { user: 'dora', password: passwordOf('dora'), code: code() })).status,
    ).toBe(200)
    expect(await inBrowser.whoAmI()).toBe('dora')
    const byForm = new Browser(stowage)
    await byForm.submit('/user/login', { user: 'dora', password: passwordOf('dora') })
    expect(await (await byForm.fetch('/user/login/code')).text()).toContain(
      'Now show a passkey, or type the six digits',
    )
    // Who has lost them all has the recovery codes.
    expect((await byForm.submit('/user/login/code', { code: recovery[0] ?? '' })).status).toBe(303)
    expect(await byForm.whoAmI()).toBe('dora')
    const byPasskey = new Browser(stowage)
    expect((await second(byPasskey, 'dora', authenticator)).status).toBe(303)
  })

  test('nothing is asked for without a password that was right', async () => {
    const { authenticator } = await holder('erin')
    const browser = new Browser(stowage)
    expect((await browser.post('/user/passkey-options', { for: 'second-factor' })).status).toBe(401)
    const options = await asked(browser, 'sign-in')
    const answer = await signInWith(browser, authenticator.get(options), { second: 'yes' })
    expect(answer.status).toBe(401)
    expect(await browser.whoAmI()).toBe(401)
  })

  test('it is as late after five minutes as a code is', async () => {
    const { authenticator } = await holder('late')
    const browser = new Browser(stowage)
    await browser.submit('/user/login', { user: 'late', password: passwordOf('late') })
    const options = await asked(browser, 'second-factor')
    clock.now += 5 * minute
    expect((await signInWith(browser, authenticator.get(options), { second: 'yes' })).status).toBe(401)
    expect(await browser.whoAmI()).toBe(401)
  })
})

describe('an answer that is not right signs nobody in', () => {
  const twists: [string, Twist][] = [
    ['of another origin', { origin: 'https://packages.example.net' }],
    ['of another port', { origin: `${origin}:8443` }],
    ['of plain http', { origin: 'http://packages.example.com' }],
    ['of another relying party', { rpId: 'example.com' }],
    ['to another challenge', { challenge: Buffer.alloc(32).toString('base64url') }],
    ['of another ceremony', { type: 'webauthn.create' }],
    ['where nobody was there', { isPresent: false }],
    ['where nobody was asked who he is', { isVerified: false }],
    ['of another key', { forged: true }],
    ['of another account', { userHandle: Buffer.alloc(32).toString('base64url') }],
    ['of no account', { userHandle: null }],
  ]
  test.each(twists)('%s', async (what, twist) => {
    const name = `wrong${twists.findIndex(([it]) => it === what)}`
    const { authenticator } = await holder(name)
    const [status, said] = await fault(await alone(authenticator, twist))
    expect([status, said]).toEqual([401, expect.stringContaining('This passkey is not one of an account here')])
    expect(await failures(name)).toEqual(['wrong-passkey'])
    expect((await alone(authenticator)).status).toBe(303)
  })

  test('of a passkey that is nobody’s', async () => {
    const { authenticator } = await holder('known')
    const browser = new Browser(stowage)
    const options = await asked(browser, 'sign-in')
    const stranger = new SoftAuthenticator(origin)
    stranger.create({ ...options, rp: { id: 'packages.example.com' }, user: { id: 'AAAA' } })
    expect((await signInWith(browser, stranger.get(options))).status).toBe(401)
    expect((await signInWith(browser, authenticator.get(options))).status).toBe(303)
  })

  test('a second time', async () => {
    const { authenticator } = await holder('twice')
    const browser = new Browser(stowage)
    const options = await asked(browser, 'sign-in')
    const answer = authenticator.get(options, { count: 0 })
    const kept = await browser.fetch('/user/login')
    expect(kept.status).toBe(200)
    const thief = new Browser(stowage)
    // The thief has the challenge's cookie too: he was given it, as he asked for it himself.
    const again = await asked(thief, 'sign-in')
    expect(again.challenge).not.toBe(options.challenge)
    expect((await signInWith(thief, answer)).status).toBe(401)
    expect((await signInWith(browser, answer)).status).toBe(303)
    expect((await signInWith(thief, answer)).status).toBe(401)
  })

  test('with the same challenge, also where the browser kept it, at once or one after the other', async () => {
    const { authenticator } = await holder('same')
    const asking = new Browser(stowage)
    const response = await asking.post('/user/passkey-options', { for: 'sign-in' })
    const [cookie = ''] = (response.headers.get('set-cookie') ?? '').split(';')
    const answer = authenticator.get((await response.json()) as AskedOptions, { count: 0 })
    const send = () => {
      const browser = new Browser(stowage, { Cookie: cookie })
      return signInWith(browser, answer).then(({ status }) => status)
    }
    expect((await Promise.all([send(), send(), send()])).sort()).toEqual([303, 401, 401])
    expect(await send()).toBe(401)
    expect(await stowage.change("select kind from used_once where kind = 'passkey challenge'")).not.toEqual([])
  })

  test('later than ten minutes', async () => {
    const { authenticator } = await holder('older')
    const browser = new Browser(stowage)
    const options = await asked(browser, 'sign-in')
    clock.now += 10 * minute
    expect((await signInWith(browser, authenticator.get(options))).status).toBe(401)
  })

  test('to a challenge for something else', async () => {
    const { browser, authenticator } = await holder('other')
    const proof = await asked(browser, 'proof')
    expect((await signInWith(browser, authenticator.get(proof))).status).toBe(401)
    const signIn = await asked(browser, 'sign-in')
    const [own] = await stowage.change(
      "select passkeys.id from passkeys join owners on owners.id = user_id where owners.name = 'other'",
    )
    const removed = await browser.submit(`${place}/${own?.id}/delete`, { credential: authenticator.get(signIn) })
    expect(removed.status).toBe(403)
    const options = await askedForNew(browser, { password: passwordOf('other') })
    expect((await signInWith(browser, authenticator.get(options))).status).toBe(401)
    const forNew = await askedForNew(browser, { password: passwordOf('other') })
    const byNew = await browser.submit(`${place}/${own?.id}/delete`, { credential: authenticator.get(forNew) })
    expect(byNew.status).toBe(403)
    // His password was right, and he has a session too: still each is for its own.
    await browser.submit('/user/login', { user: 'other', password: passwordOf('other') })
    const again = await asked(browser, 'proof')
    expect((await signInWith(browser, authenticator.get(again), { second: 'yes' })).status).toBe(401)
    // What was asked in one session is not answered in another.
    const elsewhere = new Browser(stowage)
    await second(elsewhere, 'other', authenticator)
    const answer = await browser.post('/user/passkey-options', { for: 'proof' })
    const [cookie = ''] = (answer.headers.get('set-cookie') ?? '').split(';')
    const credential = authenticator.get((await answer.json()) as AskedOptions)
    const carried = await elsewhere.fetch(`${place}/${own?.id}/delete`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', Cookie: `${elsewhere.cookie}; ${cookie}` },
      body: String(new URLSearchParams({ credential })),
    })
    expect(carried.status).toBe(403)
    expect((await alone(authenticator)).status).toBe(303)
  })

  test('with a counter that has not risen: a copy of the key is about', async () => {
    const { authenticator } = await holder('copy')
    expect((await alone(authenticator, { count: 5 })).status).toBe(303)
    expect((await alone(authenticator, { count: 5 })).status).toBe(401)
    expect((await alone(authenticator, { count: 4 })).status).toBe(401)
    expect((await alone(authenticator, { count: 0 })).status).toBe(401)
    expect(await failures('copy')).toEqual(['passkey-counter', 'passkey-counter', 'passkey-counter'])
    expect((await alone(authenticator, { count: 6 })).status).toBe(303)
    expect((await alone(authenticator, { count: 2 ** 32 - 1 })).status).toBe(303)
  })

  test.each([
    [0, 0, 303],
    [0, 1, 303],
    [1, 2, 303],
    [1, 9, 303],
    [1, 1, 401],
    [2, 1, 401],
    [1, 0, 401],
  ])('where %i was counted and %i comes: %i', async (known, count, status) => {
    const name = `count-${known}-${count}`
    const { authenticator } = await holder(name)
    await stowage.change(
      `update passkeys set sign_count = ${known} where user_id = (select id from owners where name = '${name}')`,
    )
    expect((await alone(authenticator, { count })).status).toBe(status)
  })

  test('of who may not sign in, and is not told why', async () => {
    const { authenticator, browser } = await holder('gone')
    await stowage.admin.fetch('/api/v1/admin/users/gone', {
      method: 'PATCH',
      body: '{"prohibit_login":true}',
      headers: { 'Content-Type': 'application/json' },
    })
    expect((await alone(authenticator)).status).toBe(401)
    expect(await failures('gone')).toEqual(['prohibited'])
    expect(await browser.whoAmI()).toBe(401)
    await stowage.change(
      "update users set prohibit_login = 0, suspended_at = 1 where id = (select id from owners where name = 'gone')",
    )
    expect((await alone(authenticator)).status).toBe(401)
  })

  test('after ten wrong ones from one network, for ten minutes', async () => {
    const { authenticator } = await holder('guess')
    for (let time = 0; time < 10; time += 1) expect((await alone(authenticator, { forged: true })).status).toBe(401)
    expect(await fault(await alone(authenticator))).toEqual([429, expect.stringContaining('Too many wrong passkeys')])
    clock.now += 10 * minute
    expect((await alone(authenticator)).status).toBe(303)
  })

  test('that is none at all', async () => {
    const names = ['id', 'rawId', 'type', 'response', 'clientDataJSON', 'authenticatorData', 'signature', 'userHandle']
    const { authenticator } = await holder('garbage')
    const browser = new Browser(stowage)
    const good = JSON.parse(authenticator.get(await asked(browser, 'sign-in'))) as { response: Record<string, unknown> }
    const spoilt = oneof(
      string(),
      json(),
      dictionary(oneof(string(), ...names.map((name) => uint8Array().map(() => name))), anything()).map(
        (value) => JSON.stringify(value) ?? '',
      ),
      dictionary(string(), anything()).map((value) => JSON.stringify({ ...good, response: value })),
      uint8Array().map((bytes) =>
        JSON.stringify({
          ...good,
          response: { ...good.response, authenticatorData: Buffer.from(bytes).toString('base64url') },
        }),
      ),
      uint8Array().map((bytes) =>
        JSON.stringify({
          ...good,
          response: { ...good.response, signature: Buffer.from(bytes).toString('base64url') },
        }),
      ),
    )
    await assert(
      asyncProperty(spoilt, async (credential) => {
        // Wrong ones count, and so many would be refused unread.
        clock.now += 10 * minute
        const other = new Browser(stowage)
        await asked(other, 'sign-in')
        expect([401, 422]).toContain((await signInWith(other, credential)).status)
      }),
      { numRuns: 60 },
    )
  })
})

describe('to add one', () => {
  test('takes the password once more, and what the page asked for', async () => {
    const { browser } = await newcomer('fay')
    expect((await browser.submit(place, { password: 'wrong' })).status).toBe(403)
    expect((await browser.submit(place, {})).status).toBe(422)
    const authenticator = new SoftAuthenticator(origin)
    // Nothing was asked for yet.
    const made = authenticator.create({ challenge: 'AAAA', rp: { id: 'packages.example.com' }, user: { id: 'AAAA' } })
    expect((await browser.submit(`${place}/add`, { credential: made, name: 'x' })).status).toBe(422)
    expect((await browser.submit(`${place}/add`, { name: 'x' })).status).toBe(422)
    const options = await askedForNew(browser, { password: passwordOf('fay') })
    expect(options).toMatchObject({
      rp: { id: 'packages.example.com', name: 'Stowage' },
      user: { name: 'fay' },
      attestation: 'none',
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    } as object)
    expect(Buffer.from(options.user?.id ?? '', 'base64url')).toHaveLength(32)
    const other = await newcomer('fred')
    await other.browser.submit(place, { password: passwordOf('fred') })
    const elsewhere = await other.browser.submit(`${place}/add`, {
      credential: authenticator.create(options),
      name: 'x',
    })
    expect(elsewhere.status).toBe(422)
    const answer = authenticator.create(options)
    expect((await browser.submit(`${place}/add`, { credential: answer, name: '' })).status).toBe(303)
    expect((await browser.submit(`${place}/add`, { credential: answer, name: 'again' })).status).toBe(422)
    expect(await (await browser.fetch(place)).text()).toContain('Passkey\n'.trim())
    // The next one is of the same account, and of another authenticator.
    const next = await askedForNew(browser, { password: passwordOf('fay') })
    expect(next.user?.id).toBe(options.user?.id ?? '')
    expect(next.excludeCredentials?.map(({ id }) => id)).toEqual([authenticator.kept.at(-1)?.id ?? ''])
    expect((await askedForNew(other.browser, { password: passwordOf('fred') })).user?.id).not.toBe(
      options.user?.id ?? '',
    )
  })

  test.each<[string, Twist]>([
    ['origin', { origin: 'https://packages.example.net' }],
    ['relying party', { rpId: 'example.com' }],
    ['challenge', { challenge: Buffer.alloc(32).toString('base64url') }],
    ['ceremony', { type: 'webauthn.get' }],
    ['presence', { isPresent: false }],
    ['verification', { isVerified: false }],
  ])('with another %s is refused', async (what, twist) => {
    const name = `new-${what.replace(' ', '-')}`
    const { browser, client } = await newcomer(name)
    const options = await askedForNew(browser, { password: passwordOf(name) })
    const credential = new SoftAuthenticator(origin).create(options, twist)
    const [status] = await fault(await browser.submit(`${place}/add`, { credential, name: 'x' }))
    expect(status).toBe(422)
    expect(await passkeysOf(client)).toEqual([])
  })

  test('what the maker of an authenticator says of it does not matter', async () => {
    const { browser } = await newcomer('maker')
    const options = await askedForNew(browser, { password: passwordOf('maker') })
    const authenticator = new SoftAuthenticator(origin)
    const credential = authenticator.create(options, { format: 'packed' })
    expect((await browser.submit(`${place}/add`, { credential, name: 'Key' })).status).toBe(303)
    expect((await alone(authenticator)).status).toBe(303)
  })

  test('one that is somebody’s already is refused, whosever', async () => {
    const { browser, authenticator } = await holder('gus')
    const other = await newcomer('gert')
    const [kept] = authenticator.kept
    if (!kept) throw new Error('no passkey was kept')
    for (const [who, name] of [
      [other.browser, 'gert'],
      [browser, 'gus'],
    ] as const) {
      const options = await askedForNew(who, { password: passwordOf(name) })
      const credential = authenticator.createAgain(kept, options)
      expect(await fault(await who.submit(`${place}/add`, { credential, name: 'x' }))).toEqual([
        422,
        'This passkey is in use already: make another one.',
      ])
    }
    const signed = new Browser(stowage)
    await signInWith(signed, authenticator.get(await asked(signed, 'sign-in')))
    expect(await signed.whoAmI()).toBe('gus')
  })

  test('garbage is refused', async () => {
    const { browser } = await newcomer('trash')
    const options = await askedForNew(browser, { password: passwordOf('trash') })
    const good = JSON.parse(new SoftAuthenticator(origin).create(options)) as { response: Record<string, unknown> }
    const whole = Buffer.from(String(good.response.attestationObject), 'base64url')
    const spoilt = oneof(
      string(),
      json(),
      uint8Array().map((bytes) => Buffer.from(bytes)),
      uint8Array({ maxLength: whole.byteLength - 1 }).map((bytes) => whole.subarray(0, bytes.length)),
      uint8Array({ minLength: 1, maxLength: 40 }).map((bytes) => Buffer.concat([whole.subarray(0, 60), bytes])),
    ).map((it) =>
      typeof it === 'string'
        ? it
        : JSON.stringify({ ...good, response: { ...good.response, attestationObject: it.toString('base64url') } }),
    )
    await assert(
      asyncProperty(spoilt, async (credential) => {
        expect((await browser.submit(`${place}/add`, { credential, name: 'x' })).status).toBe(422)
      }),
      { numRuns: 60 },
    )
    const huge = JSON.stringify({ ...good, padding: 'x'.repeat(16 * 1024) })
    expect((await browser.submit(`${place}/add`, { credential: huge, name: 'x' })).status).toBe(422)
  })

  test('there is room for twenty, and two at once do not become two accounts', async () => {
    const { browser, client } = await newcomer('many')
    const token = await client.token(['read:user'])
    const windows = [await signedIn('many'), await signedIn('many')]
    const begun = await Promise.all(windows.map((one) => askedForNew(one, { password: passwordOf('many') })))
    const statuses: number[] = []
    for (const [index, one] of windows.entries()) {
      const credential = new SoftAuthenticator(origin).create(begun[index] as AskedOptions)
      statuses.push((await one.submit(`${place}/add`, { credential, name: 'x' })).status)
    }
    // The second one's session has ended with the first passkey.
    expect(statuses).toEqual([303, 401])
    expect(await browser.whoAmI()).toBe(401)
    const [left] = windows
    if (!left) throw new Error('no window')
    for (let more = 0; more < 17; more += 1) await add(left, 'many')
    const right = new Browser(stowage)
    await second(right, 'many', await add(left, 'many', { authenticator: new SoftAuthenticator(origin) }))
    const options = await askedForNew(right, { password: passwordOf('many') })
    await add(left, 'many')
    const late = new SoftAuthenticator(origin).create(options)
    const [status, said] = await fault(await right.submit(`${place}/add`, { credential: late, name: 'x' }))
    expect([status, said]).toEqual([422, expect.stringContaining('may have 20 passkeys')])
    expect((await left.submit(place, { password: passwordOf('many') })).status).toBe(422)
    expect(await passkeysOf(token)).toHaveLength(20)
    expect(await (await left.fetch(place)).text()).toContain('as many as an account may have')
  })

  test('names are mended with a new one, and refused where they are changed', async () => {
    const { browser, client } = await newcomer('names')
    const token = await client.token(['read:user'])
    await add(browser, 'names', { passkey: `<b>\u0000${'é'.repeat(200)}` })
    const [one] = await passkeysOf(token)
    expect(one?.name).toBe(`<b> ${'é'.repeat(96)}`)
    expect(await (await browser.fetch(place)).text()).not.toContain('<b>')
    for (const name of ['', '  ', 'x'.repeat(101), 'a\u0000b']) {
      expect((await browser.submit(`${place}/${one?.id}`, { name })).status).toBe(422)
    }
    expect((await browser.submit(`${place}/999999`, { name: 'x' })).status).toBe(404)
    expect((await browser.submit(`${place}/0x1`, { name: 'x' })).status).toBe(404)
  })
})

describe('another’s', () => {
  test('is neither seen, renamed nor removed', async () => {
    const { client: heidi, browser: hers } = await newcomer('heidi')
    const token = await heidi.token(['read:user'])
    await add(hers, 'heidi')
    const { browser, client } = await newcomer('ivan')
    const [one] = await passkeysOf(token)
    for (const path of [`${place}/${one?.id}`, `${place}/${one?.id}/delete`]) {
      expect((await browser.submit(path, { name: 'mine', password: passwordOf('ivan') })).status).toBe(404)
    }
    expect((await browser.fetch(`${place}/${one?.id}`)).status).toBe(404)
    expect((await client.fetch(`/api/v1/user/passkeys/${one?.id}`, { method: 'DELETE' })).status).toBe(404)
    expect(await passkeysOf(client)).toEqual([])
  })
})

describe('by the API', () => {
  test('one is removed with a token, but not the last one', async () => {
    const { browser, client } = await newcomer('judy')
    const reads = await client.token(['read:user'])
    const token = await client.token(['write:user'])
    const foreign = await client.token(['write:package'])
    await add(browser, 'judy')
    await add(browser, 'judy', { passkey: 'Key' })
    const [phone, key] = await passkeysOf(token)
    const remove = (who: Client, id = 0) => who.fetch(`/api/v1/user/passkeys/${id}`, { method: 'DELETE' })
    expect((await remove(reads, phone?.id)).status).toBe(403)
    expect((await remove(foreign, phone?.id)).status).toBe(403)
    expect((await foreign.fetch('/api/v1/user/passkeys')).status).toBe(403)
    expect((await remove(stowage.anonymous, phone?.id)).status).toBe(401)
    expect((await remove(token, phone?.id)).status).toBe(204)
    expect((await remove(token, phone?.id)).status).toBe(404)
    expect(await browser.whoAmI()).toBe(401)
    const last = await remove(token, key?.id)
    expect([last.status, await last.text()]).toEqual([403, expect.stringContaining('last passkey')])
    expect(await passkeysOf(token)).toHaveLength(1)
  })

  test('neither seen nor removed with a token that is for what is public, where the account is not', async () => {
    const { browser, client } = await newcomer('tess')
    const token = await client.token(['write:user'])
    const limited = await client.token(['write:user', 'public-only'])
    await add(browser, 'tess')
    await add(browser, 'tess', { passkey: 'Key' })
    const [one] = await passkeysOf(limited)
    await token.fetch('/api/v1/user/settings', { method: 'PATCH', body: '{"visibility":"private"}' })
    expect((await limited.fetch('/api/v1/user/passkeys')).status).toBe(403)
    expect((await limited.fetch(`/api/v1/user/passkeys/${one?.id}`, { method: 'DELETE' })).status).toBe(403)
    expect(await passkeysOf(token)).toHaveLength(2)
  })

  test('an administrator removes all of somebody, and not with a token those of another administrator', async () => {
    const { browser, client, authenticator } = await holder('kate')
    const route = '/api/v1/admin/users/kate/passkeys'
    expect((await client.fetch(route, { method: 'DELETE' })).status).toBe(401)
    const admin = await stowage.admin.token(['write:admin'])
    expect((await admin.fetch(route, { method: 'DELETE' })).status).toBe(204)
    expect((await admin.fetch(route, { method: 'DELETE' })).status).toBe(404)
    expect((await admin.fetch('/api/v1/admin/users/nobody/passkeys', { method: 'DELETE' })).status).toBe(404)
    expect(await browser.whoAmI()).toBe(401)
    expect((await alone(authenticator)).status).toBe(401)
    expect((await client.fetch('/api/v1/user')).status).toBe(200)

    const { client: boss } = await newcomer('boss')
    await stowage.change("update users set is_admin = 1 where id = (select id from owners where name = 'boss')")
    await add(await signedIn('boss'), 'boss')
    const theirs = '/api/v1/admin/users/boss/passkeys'
    expect((await admin.fetch(theirs, { method: 'DELETE' })).status).toBe(403)
    const page = new Browser(stowage)
    await page.signIn('admin', 'admin-Pass-1234')
    expect(await (await page.fetch('/-/admin/users/boss')).text()).toContain('Remove the passkeys')
    expect((await page.submit('/-/admin/users/boss/remove-passkeys', { remove: 'yes' })).status).toBe(303)
    expect((await boss.fetch('/api/v1/user')).status).toBe(200)
    // One's own are not removed by whoever finds the browser open.
    await stowage.change("update users set is_admin = 1 where id = (select id from owners where name = 'lost')")
    expect((await page.submit('/-/admin/users/admin/remove-passkeys', { remove: 'yes' })).status).toBe(403)
  })
})

describe('who has no password', () => {
  const withoutPassword = (name: string) =>
    stowage.change(`update users set password_hash = null where id = (select id from owners where name = '${name}')`)

  test('shows a passkey to add and remove one, and keeps the only way in', async () => {
    const { browser, authenticator } = await holder('leo')
    await withoutPassword('leo')
    expect((await browser.submit(place, { password: passwordOf('leo') })).status).toBe(422)
    const options = await askedForNew(browser, { credential: authenticator.get(await asked(browser, 'proof')) })
    const key = new SoftAuthenticator(origin)
    expect((await browser.submit(`${place}/add`, { credential: key.create(options), name: 'Key' })).status).toBe(303)
    const ids = await stowage.change(
      "select passkeys.id from passkeys join owners on owners.id = user_id where owners.name = 'leo' order by passkeys.id",
    )
    const remove = async (id: unknown, by: SoftAuthenticator, twist: Twist = {}) =>
      browser.submit(`${place}/${id}/delete`, { credential: by.get(await asked(browser, 'proof'), twist) })
    const { authenticator: foreign } = await holder('lea')
    expect((await remove(ids[0]?.id, foreign)).status).toBe(403)
    expect((await remove(ids[0]?.id, key, { isVerified: false })).status).toBe(403)
    expect((await remove(ids[0]?.id, key)).status).toBe(303)
    expect(await fault(await remove(ids[1]?.id, key))).toEqual([
      422,
      expect.stringContaining('the only way into your account'),
    ])
    // Another way in: somebody who vouches for him.
    const [leo] = await stowage.change("select id from owners where name = 'leo'")
    await stowage.change(
      `insert into identities (user_id, issuer, subject, label, seal_id, checked_at, created_at) values (${leo?.id}, 'https://issuer.example.com', 'leo', 'leo', 'x', 1, 1)`,
    )
    expect((await remove(ids[1]?.id, key)).status).toBe(303)
  })

  test('and no passkey either adds one soon after signing in', async () => {
    const { browser } = await newcomer('mia')
    await withoutPassword('mia')
    clock.now += 15 * minute + 1
    expect(await fault(await browser.submit(place))).toEqual([
      422,
      expect.stringContaining('You signed in too long ago'),
    ])
    clock.now -= 2
    await askedForNew(browser, {})
  })

  test('nor a session adds none: a proxy says who he is', async () => {
    await stowage.user('ned')
    const browser = new Browser(stowage, { 'X-Remote-User': 'ned' })
    expect(await (await browser.fetch(place)).text()).toContain('You were signed in by a proxy before this site')
    expect((await browser.submit(place)).status).toBe(403)
  })
})

test('a new password by a link leaves the passkeys', async () => {
  const { authenticator } = await holder('olga')
  const made = await stowage.admin.post('/api/v1/admin/users/olga/password-reset', {})
  const { url } = (await made.json()) as { url: string }
  const [, code = ''] = url.split('#')
  const reset = await stowage.anonymous.post('/user/password-reset', { code, password: 'quite-Another-1' })
  expect(reset.status).toBe(204)
  const browser = new Browser(stowage)
  const begun = await browser.submit('/user/login', { user: 'olga', password: 'quite-Another-1' })
  expect(begun.headers.get('location')).toBe('/user/login/code')
  expect(await browser.whoAmI()).toBe(401)
  const options = await asked(browser, 'second-factor')
  expect((await signInWith(browser, authenticator.get(options), { second: 'yes' })).status).toBe(303)
})

test('the command for who is locked out takes passkeys away', async () => {
  const { client } = await newcomer('root')
  await stowage.change("update users set is_admin = 1 where id = (select id from owners where name = 'root')")
  await add(await signedIn('root'), 'root')
  // Nor does it matter that his provider is gone.
  await stowage.change("update users set suspended_at = 1 where id = (select id from owners where name = 'root')")
  const reset = await stowage.stowage.accounts.resetAdministrator('root', 'quite-Another-1')
  expect(reset).toEqual({ name: 'root', lostSecondFactor: false, lostPasskeys: true })
  const again = client.with({ Authorization: basic('root', 'quite-Another-1') })
  expect((await again.fetch('/api/v1/user')).status).toBe(200)
  const told = await stowage.admin.fetch('/api/v1/admin/audit?action=account.reinstated&owner=root')
  expect(await told.json()).toMatchObject([{ action: 'account.reinstated' }])
})

test('where passwords are turned off, passkeys work', async () => {
  await using other = await startStowage({
    settings: { STOWAGE_PUBLIC_URL: origin, STOWAGE_PASSWORD_LOGIN: 'false' },
    replace: { now: () => clock.now },
  })
  // As if it had been made before they were turned off.
  const authenticator = new SoftAuthenticator(origin)
  authenticator.create({
    challenge: '',
    rp: { id: 'packages.example.com' },
    user: { id: Buffer.alloc(32).toString('base64url') },
  })
  const [kept] = authenticator.kept
  if (!kept) throw new Error('no passkey was kept')
  const cose = Buffer.concat([Buffer.from('a5010203262001215820', 'hex'), kept.x, Buffer.from('225820', 'hex'), kept.y])
  const [admin] = await other.change("select id from owners where name = 'admin'")
  await other.change(
    `insert into passkeys (user_id, credential_id, public_key, user_handle, sign_count, transports, is_backed_up, name, created_at)
     values (${admin?.id}, '${kept.id}', '${cose.toString('base64url')}', '${kept.userHandle}', 0, '', 0, 'Key', 1)`,
  )
  const browser = new Browser(other)
  expect(await (await browser.fetch('/user/login')).text()).toContain('Sign in with a passkey')
  const options = await asked(browser, 'sign-in')
  expect((await signInWith(browser, authenticator.get(options))).status).toBe(303)
  expect(await browser.whoAmI()).toBe('admin')
  expect(
    await fault(
      await browser.submit(`${place}/1/delete`, { credential: authenticator.get(await asked(browser, 'proof')) }),
    ),
  ).toEqual([422, expect.stringContaining('the only way into your account')])
})

describe('where a browser gives none', () => {
  test.each([
    ['http://127.0.0.1:3000', 'at an IP address'],
    ['https://192.0.2.7', 'at an IP address'],
    ['http://packages.example.com', 'only to pages that come by https'],
  ])('at %s the page says why', async (url, why) => {
    await using other = await startStowage({ settings: { STOWAGE_PUBLIC_URL: url } })
    await other.user('pam')
    const browser = await signedIn('pam', other)
    const page = await (await browser.fetch(place)).text()
    expect(page).toContain(why)
    expect(page).toContain('STOWAGE_PUBLIC_URL')
    expect((await browser.submit(place, { password: passwordOf('pam') })).status).toBe(403)
    expect((await browser.post('/user/passkey-options', { for: 'sign-in' })).status).toBe(403)
    expect(await (await new Browser(other).fetch('/user/login')).text()).not.toContain('passkey')
  })
})

test('below a path, behind another port, and where nobody sees anything before he has signed in', async () => {
  await using other = await startStowage({
    settings: { STOWAGE_PUBLIC_URL: 'https://packages.example.com:8443/sub/', STOWAGE_REQUIRE_SIGN_IN: 'true' },
    replace: { now: () => clock.now },
  })
  const { browser } = await newcomer('quin', other)
  const refused = new SoftAuthenticator(origin)
  const options = await askedForNew(browser, { password: passwordOf('quin') })
  expect((await browser.submit(`${place}/add`, { credential: refused.create(options), name: 'x' })).status).toBe(422)
  const authenticator = await add(browser, 'quin', {
    authenticator: new SoftAuthenticator('https://packages.example.com:8443'),
  })
  const fresh = new Browser(other)
  const page = await (await fresh.fetch('/user/login')).text()
  expect(page).toContain('data-options-at="/sub/user/passkey-options"')
  expect((await signInWith(fresh, authenticator.get(await asked(fresh, 'sign-in')))).status).toBe(303)
  expect(await fresh.whoAmI()).toBe('quin')
})

test('at an address that has none any more, who has no password is told why he cannot remove one', async () => {
  await using other = await startStowage({ settings: { STOWAGE_PUBLIC_URL: 'http://127.0.0.1:3000' } })
  await other.user('rosa')
  const browser = await signedIn('rosa', other)
  await other.change(
    `insert into passkeys (user_id, credential_id, public_key, user_handle, sign_count, transports, is_backed_up, name, created_at)
     select id, 'AAAA', 'AAAA', 'AAAA', 0, '', 0, 'Phone', 1 from owners where name = 'rosa'`,
  )
  const [one] = await other.change('select id from passkeys')
  const page = async () => (await browser.fetch(`${place}/${one?.id}`)).text()
  expect(await page()).toContain('Your password')
  await other.change("update users set password_hash = null where id = (select id from owners where name = 'rosa')")
  expect(await page()).toContain('It takes one of your passkeys, and none can be shown at this address.')
  expect((await browser.submit(`${place}/${one?.id}/delete`, { credential: 'x' })).status).toBe(403)
})

test('nothing is asked for by a page of another site', async () => {
  const foreign = new Browser(stowage, { 'Sec-Fetch-Site': 'cross-site' })
  expect((await foreign.post('/user/passkey-options', { for: 'sign-in' })).status).toBe(403)
  expect((await foreign.submit('/user/login/passkey', { credential: 'x' })).status).toBe(403)
  expect((await new Browser(stowage).post('/user/passkey-options', { for: 'proof' })).status).toBe(401)
  expect((await new Browser(stowage).post('/user/passkey-options', { for: 'registration' })).status).toBe(422)
})
