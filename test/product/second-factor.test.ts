import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { Secret, type TOTP, URI } from 'otpauth'
import { Choreography } from '../support/choreography.ts'
import { onPostgres, wholeDatabase } from '../support/database.ts'
import { basic, type Client, startStowage, type TestStowage } from '../support/stowage.ts'
import { until } from '../support/until.ts'

const step = 30_000
const wrongCredentials: [number, string] = [401, 'Failed to authenticate user']

/** One server, whose clock stands until a test moves it. */
let house: TestStowage
let clock = 1_800_000_000_000
const choreography = new Choreography()

beforeAll(async () => {
  const settings = { STOWAGE_TRUSTED_PROXIES: '127.0.0.1' }
  house = await startStowage({ settings, replace: { now: () => clock, aroundStatement: choreography.around } })
})
afterAll(() => house[Symbol.asyncDispose]())

/** For races of two transactions: SQLite has one writer. */
const testOnPostgres = onPostgres ? test : test.skip

/** Whether a transaction waits for another one's lock. */
async function someoneWaits(): Promise<boolean> {
  const waiting = await house.change(
    "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
  )
  return waiting.length > 0
}

/** Somebody's telephone. */
class Phone {
  readonly #totp: TOTP

  constructor(address: string) {
    this.#totp = URI.parse(address) as TOTP
  }

  /** What it shows now, or some steps before or after. */
  code(steps = 0): string {
    return this.#totp.generate({ timestamp: clock + steps * step })
  }

  /** What it shows at none of the steps that count. */
  wrongCode(): string {
    const right = [-1, 0, 1].map((steps) => this.code(steps))
    return ['000000', '111111', '222222', '333333'].find((code) => !right.includes(code)) ?? ''
  }
}

const message = async (response: Response) => ((await response.json()) as { message: string }).message
const answer = async (response: Response): Promise<[number, string]> => [response.status, await message(response)]
const withCode = (person: Client, code: string, header = 'X-Gitea-OTP') =>
  person.with({ Authorization: passwordOf(person), [header]: code })
const passwordOf = ({ name }: Client) => basic(name, `${name}-Pass-1234`)

interface Enrolled {
  person: Client
  phone: Phone
  recoveryCodes: string[]
  secret: string
}

async function begin(person: Client): Promise<{ secret: string; url: string; qr_svg: string }> {
  const begun = await person.post('/api/v1/user/totp', {})
  expect(begun.status).toBe(201)
  return (await begun.json()) as { secret: string; url: string; qr_svg: string }
}

/** Somebody new who has set up a second factor; the clock goes on, so that the code that confirmed it is past. */
async function enrolled(name: string, fields: Record<string, unknown> = {}): Promise<Enrolled> {
  const person = await house.user(name, fields)
  const { secret, url } = await begin(person)
  const phone = new Phone(url)
  const confirmed = await person.post('/api/v1/user/totp/confirm', { code: phone.code() })
  expect(confirmed.status).toBe(200)
  const { recovery_codes } = (await confirmed.json()) as { recovery_codes: string[] }
  clock += 3 * step
  return { person, phone, recoveryCodes: recovery_codes, secret }
}

const whoAmI = (person: Client) => person.fetch('/api/v1/user')
const statusOf = async (person: Client) => (await person.fetch('/api/v1/user/totp')).json()

describe('a second factor', () => {
  test('is set up with a telephone, asked for beside the password, and taken off again', async () => {
    const ada = await house.user('ada')
    const token = await ada.token(['all'])
    expect(await statusOf(ada)).toEqual({ enabled: false, recovery_codes_left: 0 })

    const { secret, url, qr_svg } = await begin(ada)
    const read = URI.parse(url)
    expect(read).toMatchObject({ issuer: 'Stowage', label: 'ada@127.0.0.1', algorithm: 'SHA1', digits: 6, period: 30 })
    expect(read.secret.base32).toBe(secret)
    expect(qr_svg).toStartWith('<svg ')
    // Nothing is asked for before a code has shown that the telephone has it.
    expect((await whoAmI(ada)).status).toBe(200)
    expect(await statusOf(ada)).toEqual({ enabled: false, recovery_codes_left: 0 })

    const phone = new Phone(url)
    const wrong = await ada.post('/api/v1/user/totp/confirm', { code: phone.wrongCode() })
    expect(wrong.status).toBe(422)
    const confirmed = await ada.post('/api/v1/user/totp/confirm', { code: phone.code() })
    expect(confirmed.status).toBe(200)
    expect(confirmed.headers.get('cache-control')).toBe('no-store')
    const { recovery_codes } = (await confirmed.json()) as { recovery_codes: string[] }
    expect(recovery_codes).toHaveLength(10)

    // The password alone is refused, for files too; with the wrong password nobody learns why.
    const [status, sentence] = await answer(await whoAmI(ada))
    expect(status).toBe(401)
    expect(sentence).toContain('X-Gitea-OTP')
    expect(sentence).toContain('token')
    expect((await ada.put({}, 'x')).status).toBe(401)
    const guess = ada.with({ Authorization: basic('ada', 'no-Pass-1234'), 'X-Gitea-OTP': phone.code(1) })
    expect(await answer(await whoAmI(guess))).toEqual(wrongCredentials)
    const guessWithout = ada.with({ Authorization: basic('ada', 'no-Pass-1234') })
    expect(await answer(await whoAmI(guessWithout))).toEqual(wrongCredentials)
    // The code that confirmed was used by that.
    expect(await answer(await whoAmI(withCode(ada, phone.code())))).toEqual(wrongCredentials)

    clock += step
    expect((await whoAmI(withCode(ada, phone.code()))).status).toBe(200)
    clock += step
    expect((await withCode(ada, phone.code(), 'X-Stowage-OTP').put({}, 'by code')).status).toBe(201)
    // A token needs none, and what is beside it is not looked at.
    expect(await (await token.get()).text()).toBe('by code')
    const besides = [`token ${token.secret}`, basic('ada', token.secret), basic(token.secret, '')]
    for (const Authorization of besides) {
      expect((await whoAmI(ada.with({ Authorization, 'X-Gitea-OTP': '000000' }))).status).toBe(200)
    }

    clock += step
    expect((await withCode(ada, phone.code()).fetch('/api/v1/user/totp', { method: 'DELETE' })).status).toBe(204)
    expect((await whoAmI(ada)).status).toBe(200)
    expect(await statusOf(ada)).toEqual({ enabled: false, recovery_codes_left: 0 })
    // An account without one: the header means nothing.
    expect((await whoAmI(withCode(ada, '000000'))).status).toBe(200)
  })

  test('of two requests with one code at once, one is let in', async () => {
    const { person, phone } = await enrolled('bea')
    const caller = withCode(person, phone.code())
    const answers = await Promise.all([whoAmI(caller), whoAmI(caller), whoAmI(caller)])
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401])
  })

  testOnPostgres('of two that both found the code unused, the database lets one in', async () => {
    const { person, phone } = await enrolled('bert')
    const caller = withCode(person, phone.code())
    // Both have looked the account up by the time that the first one has written the step down.
    const writing = choreography.stopAfter(/^update "users" set "totp_last_step"/)
    const first = whoAmI(caller)
    await writing.arrived
    const second = whoAmI(caller)
    await until(someoneWaits, 'the second one writes, too')
    writing.goOn()
    expect([(await first).status, (await second).status]).toEqual([200, 401])
  })

  // The clock of the telephone, or how slowly somebody types, in steps.
  test.each([
    [-2, 401],
    [-1, 200],
    [0, 200],
    [1, 200],
    [2, 401],
  ])('a code that is %d steps off is answered with %d', async (off, status) => {
    const { person, phone } = await enrolled(`off${off + 2}`)
    expect((await whoAmI(withCode(person, phone.code(off)))).status).toBe(status)
  })

  test('a code that is earlier than one that was used is used, too', async () => {
    const { person, phone } = await enrolled('cleo')
    expect((await whoAmI(withCode(person, phone.code(1)))).status).toBe(200)
    expect((await whoAmI(withCode(person, phone.code(0)))).status).toBe(401)
    expect((await whoAmI(withCode(person, phone.code(1)))).status).toBe(401)
    clock += 2 * step
    expect((await whoAmI(withCode(person, phone.code(0)))).status).toBe(200)
  })

  test('is asked for although the password is remembered', async () => {
    const { person, phone } = await enrolled('dora')
    expect((await whoAmI(withCode(person, phone.code()))).status).toBe(200)
    const before = house.stowage.passwords.computations
    expect((await whoAmI(person)).status).toBe(401)
    expect((await whoAmI(withCode(person, phone.code()))).status).toBe(401)
    expect(house.stowage.passwords.computations).toBe(before)
  })

  test('ends an upload that the password alone had begun', async () => {
    const person = await house.user('emil')
    const { url } = await begin(person)
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
    const writer = writable.getWriter()
    const upload = person.put({}, readable as unknown as ReadableStream)
    await writer.write(Buffer.from('half'))
    const confirmed = await person.post('/api/v1/user/totp/confirm', { code: new Phone(url).code() })
    expect(confirmed.status).toBe(200)
    await writer.write(Buffer.from('the rest'))
    await writer.close()
    expect((await upload).status).toBe(401)
  })
})

describe('setting it up', () => {
  test('can be begun anew, and only the last secret counts', async () => {
    const person = await house.user('finn')
    const first = new Phone((await begin(person)).url)
    const second = new Phone((await begin(person)).url)
    expect((await person.post('/api/v1/user/totp/confirm', { code: first.code() })).status).toBe(422)
    expect((await person.post('/api/v1/user/totp/confirm', { code: second.code() })).status).toBe(200)
    clock += 2 * step
    expect((await whoAmI(withCode(person, first.code()))).status).toBe(401)
    expect((await whoAmI(withCode(person, second.code()))).status).toBe(200)
  })

  testOnPostgres(
    'is not confirmed by a code of the secret before, also when it is begun anew at the same moment',
    async () => {
      const person = await house.user('fred')
      const phone = new Phone((await begin(person)).url)
      const anew = choreography.stopAfter(/^insert into "totp_enrolments"/)
      const beginning = begin(person)
      await anew.arrived
      // It has read the secret of before, and waits for the account.
      const confirming = person.post('/api/v1/user/totp/confirm', { code: phone.code() })
      await until(someoneWaits, 'the confirmation waits')
      anew.goOn()
      await beginning
      expect((await confirming).status).toBe(422)
      expect((await whoAmI(person)).status).toBe(200)
    },
  )

  test('waits an hour for its first code, and no longer', async () => {
    const person = await house.user('greta')
    const inTime = new Phone((await begin(person)).url)
    clock += 60 * 60_000
    expect(await answer(await person.post('/api/v1/user/totp/confirm', { code: inTime.code() }))).toEqual([
      422,
      'There is nothing to confirm, or it is older than an hour: begin anew.',
    ])
    const again = new Phone((await begin(person)).url)
    clock += 60 * 60_000 - 1
    expect((await person.post('/api/v1/user/totp/confirm', { code: again.code() })).status).toBe(200)
  })

  test('is confirmed once, also by two requests at once', async () => {
    const person = await house.user('hugo')
    const phone = new Phone((await begin(person)).url)
    const confirm = () => person.post('/api/v1/user/totp/confirm', { code: phone.code() })
    const statuses = (await Promise.all([confirm(), confirm()])).map(({ status }) => status)
    expect(statuses.filter((status) => status === 200)).toHaveLength(1)
    // The other one came too late, or the password alone was nothing any more.
    expect(statuses.every((status) => [200, 401, 422].includes(status))).toBe(true)
  })

  test('is not begun where there is one: that one is removed first', async () => {
    const { person, phone } = await enrolled('ida')
    const [status, sentence] = await answer(await withCode(person, phone.code()).post('/api/v1/user/totp', {}))
    expect(status).toBe(422)
    expect(sentence).toContain('remove')
    clock += step
    const confirm = { code: phone.code(1) }
    const confirmed = await withCode(person, phone.code()).post('/api/v1/user/totp/confirm', confirm)
    expect(confirmed.status).toBe(422)
  })

  test('ends what browsers have signed in', async () => {
    const person = await house.user('jon')
    const [{ id } = {}] = await house.change(`select id from owners where name_key = 'jon'`)
    await addSession(Number(id))
    const phone = new Phone((await begin(person)).url)
    expect(await sessionsOf(Number(id))).toBe(1)
    expect((await person.post('/api/v1/user/totp/confirm', { code: phone.code() })).status).toBe(200)
    expect(await sessionsOf(Number(id))).toBe(0)
    await addSession(Number(id))
    clock += step
    expect((await withCode(person, phone.code()).fetch('/api/v1/user/totp', { method: 'DELETE' })).status).toBe(204)
    expect(await sessionsOf(Number(id))).toBe(0)
  })
})

async function addSession(userId: number): Promise<void> {
  await house.change(`insert into sessions (user_id, sha256, created_at, last_used_at, expires_at, address, agent)
    values (${userId}, 'of ${userId}', 1, 2, 9999999999999, '::1', '')`)
}

async function sessionsOf(userId: number): Promise<number> {
  return (await house.change(`select id from sessions where user_id = ${userId}`)).length
}

describe('a recovery code', () => {
  test('stands for a code, once, however it is typed', async () => {
    const { person, phone, recoveryCodes } = await enrolled('karl')
    const [first = '', second = ''] = recoveryCodes
    expect((await whoAmI(withCode(person, first))).status).toBe(200)
    expect(await answer(await whoAmI(withCode(person, first)))).toEqual(wrongCredentials)
    expect((await whoAmI(withCode(person, second.toUpperCase().replaceAll('-', ' ')))).status).toBe(200)
    const status = await withCode(person, phone.code()).fetch('/api/v1/user/totp')
    expect(await status.json()).toEqual({ enabled: true, recovery_codes_left: 8 })
  })

  test('is let in once when it is sent twice at once', async () => {
    const { person, recoveryCodes } = await enrolled('lena')
    const caller = withCode(person, recoveryCodes[0] ?? '')
    const statuses = (await Promise.all([whoAmI(caller), whoAmI(caller)])).map(({ status }) => status)
    expect(statuses.sort()).toEqual([200, 401])
  })

  test("opens nobody else's account", async () => {
    const { recoveryCodes } = await enrolled('mona')
    const { person } = await enrolled('nils')
    expect((await whoAmI(withCode(person, recoveryCodes[0] ?? ''))).status).toBe(401)
  })

  test('is replaced with all the others, by new ones', async () => {
    const { person, phone, recoveryCodes } = await enrolled('olga')
    const renewed = await withCode(person, phone.code()).post('/api/v1/user/totp/recovery-codes', {})
    expect(renewed.status).toBe(201)
    const { recovery_codes } = (await renewed.json()) as { recovery_codes: string[] }
    expect(recovery_codes).toHaveLength(10)
    expect((await whoAmI(withCode(person, recoveryCodes[0] ?? ''))).status).toBe(401)
    expect((await whoAmI(withCode(person, recovery_codes[9] ?? ''))).status).toBe(200)
  })
})

describe('guessing', () => {
  test('ten wrong codes in ten minutes are enough, from wherever; the right one waits too, and tokens do not', async () => {
    const { person, phone, recoveryCodes } = await enrolled('paul')
    const token = await withCode(person, phone.code()).token(['all'])
    clock += step
    for (let guess = 0; guess < 10; guess += 1) {
      const from = { 'X-Forwarded-For': `192.0.2.${guess}` }
      const wrong = guess % 2 ? phone.wrongCode() : 'not-even-a-code'
      expect((await withCode(person, wrong).fetch('/api/v1/user', { headers: from })).status).toBe(401)
    }
    for (const code of [phone.wrongCode(), phone.code(), recoveryCodes[0] ?? '']) {
      const refused = await whoAmI(withCode(person, code))
      expect(refused.status).toBe(429)
      expect(Number(refused.headers.get('retry-after'))).toBe(600)
    }
    expect((await whoAmI(token)).status).toBe(200)
    // Without a code it is said what is missing, as before.
    expect((await whoAmI(person)).status).toBe(401)
    // Somebody else is not kept out.
    const { person: other, phone: otherPhone } = await enrolled('quin')
    expect((await whoAmI(withCode(other, otherPhone.code()))).status).toBe(200)

    clock += 10 * 60_000
    expect((await whoAmI(withCode(person, phone.code()))).status).toBe(200)
  })

  test('a right code in between gives a thief no further guesses', async () => {
    const { person, phone } = await enrolled('rosa')
    const guess = async () => (await whoAmI(withCode(person, phone.wrongCode()))).status
    for (let count = 0; count < 9; count += 1) expect(await guess()).toBe(401)
    expect((await whoAmI(withCode(person, phone.code()))).status).toBe(200)
    expect(await guess()).toBe(401)
    expect(await guess()).toBe(429)
  })

  test('a code that was used is no guess: jobs that share one do not lock their owner out', async () => {
    const { person, phone } = await enrolled('sven')
    const shared = withCode(person, phone.code())
    const statuses: number[] = []
    for (let job = 0; job < 12; job += 1) statuses.push((await whoAmI(shared)).status)
    expect(statuses).toEqual([200, ...Array(11).fill(401)])
    clock += step
    expect((await whoAmI(withCode(person, phone.code()))).status).toBe(200)
  })

  test('whether there is such an account, and whether it has a second factor, costs and tells the same', async () => {
    const { person } = await enrolled('tom')
    const costs: number[] = []
    for (const name of [person.name, 'admin', 'nobody-there']) {
      const before = house.stowage.passwords.computations
      const caller = person.with({ Authorization: basic(name, 'no-Pass-9999'), 'X-Gitea-OTP': '123456' })
      expect(await answer(await whoAmI(caller))).toEqual(wrongCredentials)
      costs.push(house.stowage.passwords.computations - before)
    }
    expect(costs).toEqual([1, 1, 1])
  })
})

describe('whose telephone is lost', () => {
  test('has the second factor taken off by an administrator, and the sessions with it', async () => {
    const { person } = await enrolled('una')
    const [{ id } = {}] = await house.change(`select id from owners where name_key = 'una'`)
    await addSession(Number(id))
    const remove = (caller: Client, name = 'una') =>
      caller.fetch(`/api/v1/admin/users/${name}/totp`, { method: 'DELETE' })
    const stranger = await house.user('uwe')
    expect((await remove(stranger)).status).toBe(403)
    expect((await remove(house.anonymous)).status).toBe(401)
    expect((await remove(await house.admin.token(['read:admin']))).status).toBe(403)
    expect((await remove(house.admin, 'nobody-there')).status).toBe(404)
    expect((await whoAmI(person)).status).toBe(401)

    expect((await remove(await house.admin.token(['write:admin']))).status).toBe(204)
    expect((await whoAmI(person)).status).toBe(200)
    expect(await sessionsOf(Number(id))).toBe(0)
    expect(await house.change(`select * from recovery_codes where user_id = ${id}`)).toEqual([])
    expect((await remove(house.admin)).status).toBe(404)
  })

  test('and is an administrator: by password alone, since a token must not become more than it is', async () => {
    const { person } = await enrolled('ulf')
    const token = await house.admin.token(['write:admin'])
    const change = (client: Client, body: unknown) =>
      client.fetch('/api/v1/admin/users/ulf', { method: 'PATCH', body: JSON.stringify(body) })
    expect((await change(house.admin, { admin: true })).status).toBe(200)
    const remove = (caller: Client) => caller.fetch('/api/v1/admin/users/ulf/totp', { method: 'DELETE' })
    expect((await remove(token)).status).toBe(403)
    expect((await whoAmI(person)).status).toBe(401)
    expect((await remove(house.admin)).status).toBe(204)
    expect((await change(house.admin, { admin: false })).status).toBe(200)
  })

  test('and is the administrator himself: reset-admin takes it off', async () => {
    const { person } = await enrolled('vera')
    const [{ id } = {}] = await house.change(`select id from owners where name_key = 'vera'`)
    await house.change(`update users set is_admin = 1 where id = ${id}`)
    await addSession(Number(id))
    const reset = await house.stowage.accounts.resetAdministrator('vera', 'another-Pass-1')
    expect(reset).toEqual({ name: 'vera', lostSecondFactor: true, lostPasskeys: false })
    expect((await whoAmI(person.with({ Authorization: basic('vera', 'another-Pass-1') }))).status).toBe(200)
    expect(await sessionsOf(Number(id))).toBe(0)
    await house.change(`update users set is_admin = 0 where id = ${id}`)
  })
})

describe('what is stored', () => {
  test('a secret that cannot be read lets nobody in, says so, and is no bypass', async () => {
    const { person, phone, recoveryCodes } = await enrolled('walt')
    const { secret } = await enrolled('xena')
    const damaged: [string, string][] = [
      ['nothing sealed', "'JBSWY3DPEHPK3PXP'"],
      ['the secret as it is', `'${secret}'`],
      ["somebody else's", "(select totp_secret from users where id = (select id from owners where name_key = 'xena'))"],
      ['empty', "''"],
    ]
    for (const [, value] of damaged) {
      await house.change(
        `update users set totp_secret = ${value} where id = (select id from owners where name_key = 'walt')`,
      )
      const refused = await whoAmI(withCode(person, phone.code()))
      expect(refused.status).toBe(503)
      expect(await message(refused)).toContain('cannot be read')
      expect((await whoAmI(person)).status).toBe(401)
      expect((await whoAmI(withCode(person, ''))).status).toBe(401)
    }
    // A recovery code needs no secret: with it the owner helps himself.
    const helped = withCode(person, recoveryCodes[0] ?? '')
    expect((await helped.fetch('/api/v1/user/totp', { method: 'DELETE' })).status).toBe(204)
    expect((await whoAmI(person)).status).toBe(200)
  })

  test('no secret and no recovery code can be read from the database, nor from any later answer', async () => {
    const { person, phone, recoveryCodes, secret } = await enrolled('yves')
    const begun = await begin(await house.user('zoe'))
    const later: Response[] = []
    for (const path of ['/api/v1/user/totp', '/api/v1/user', '/api/v1/users/yves']) {
      clock += step
      later.push(await withCode(person, phone.code()).fetch(path))
    }
    expect(later.map(({ status }) => status)).toEqual([200, 200, 200])
    const shown = (await Promise.all(later.map((response) => response.text()))).join()
    const lying = (await wholeDatabase(house.dataDir)).toString('latin1')
    const forms = [secret, begun.secret].flatMap((text) => {
      const bytes = Buffer.from(Secret.fromBase32(text).buffer)
      return [text, bytes.toString('hex'), bytes.toString('base64').slice(0, -2), bytes.toString('latin1')]
    })
    for (const hidden of [...forms, ...recoveryCodes, ...recoveryCodes.map((code) => code.replaceAll('-', ''))]) {
      expect(lying.includes(hidden)).toBe(false)
      expect(shown.includes(hidden)).toBe(false)
    }
    expect(shown).not.toContain('v1.')
    // All of it was looked at: what stands for them is there.
    const [{ totp_secret } = {}] = await house.change(
      `select totp_secret from users where id = (select id from owners where name_key = 'yves')`,
    )
    expect(String(totp_secret)).toStartWith('v1.')
    expect(lying).toContain(String(totp_secret))
  })
})

describe('who may', () => {
  const routes: [string, string, unknown][] = [
    ['GET', '/api/v1/user/totp', undefined],
    ['POST', '/api/v1/user/totp', {}],
    ['POST', '/api/v1/user/totp/confirm', { code: '123456' }],
    ['POST', '/api/v1/user/totp/recovery-codes', {}],
    ['DELETE', '/api/v1/user/totp', undefined],
  ]
  let person: Client
  let token: Client & { secret: string }
  beforeAll(async () => {
    person = await house.user('anna')
    token = await person.token(['all'])
  })
  const send = (caller: Client, [method, path, body]: [string, string, unknown]) =>
    caller.fetch(path, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })

  test.each(routes)('%s %s is for who gives the password, and for no token in any form', async (method, path, body) => {
    const route: [string, string, unknown] = [method, path, body]
    const forms = [
      `token ${token.secret}`,
      `Bearer ${token.secret}`,
      basic('anna', token.secret),
      basic(token.secret, ''),
    ]
    for (const Authorization of forms) {
      const refused = await send(person.with({ Authorization }), route)
      expect(refused.status).toBe(403)
      expect(await message(refused)).toContain('password')
    }
    expect((await send(await person.token(['read:package']), route)).status).toBe(403)
    expect((await send(house.anonymous, route)).status).toBe(401)
  })

  test('without a second factor there is nothing to take off and nothing to recover', async () => {
    expect((await person.fetch('/api/v1/user/totp', { method: 'DELETE' })).status).toBe(404)
    expect((await person.post('/api/v1/user/totp/recovery-codes', {})).status).toBe(404)
    expect((await person.post('/api/v1/user/totp/confirm', { code: '123456' })).status).toBe(422)
  })

  test('what was begun and not confirmed can be taken back', async () => {
    const phone = new Phone((await begin(person)).url)
    expect((await person.fetch('/api/v1/user/totp', { method: 'DELETE' })).status).toBe(204)
    expect((await person.post('/api/v1/user/totp/confirm', { code: phone.code() })).status).toBe(422)
  })

  test.each([
    ['nothing', '', 400],
    ['no JSON', '{', 400],
    ['a list', '[]', 422],
    ['no code', '{}', 422],
    ['null', '{"code":null}', 422],
    ['a number', '{"code":123456}', 422],
    ['NUL', '{"code":"12345\\u0000"}', 422],
    ['half a character', '{"code":"\\ud800"}', 422],
    ['letters', '{"code":"abcdef"}', 422],
    ['full-width digits', '{"code":"１２３４５６"}', 422],
    ['seven digits', '{"code":"1234567"}', 422],
    ['a long text', JSON.stringify({ code: '1'.repeat(100_000) }), 422],
    ['an unknown field', '{"code":"123456","password":"x"}', 422],
  ])('confirming with %s is %d', async (_, body, status) => {
    await begin(person)
    const refused = await person.post('/api/v1/user/totp/confirm', body)
    expect(refused.status).toBe(status)
    expect(await message(refused)).not.toBe('')
  })

  test.each(['', ' ', '12345', '1234567', '１２３４５６', '-1', '1e5', '"', 'ÿ', 'a'.repeat(4_000)])(
    'a code of %p is not right, and nothing worse',
    async (code) => {
      const { person } = await enrolled(`odd${clock}`)
      const headers = { Authorization: passwordOf(person), 'X-Gitea-OTP': Buffer.from(code).toString('latin1') }
      expect((await whoAmI(person.with(headers))).status).toBe(401)
    },
  )
})
