import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { checkIdentities, identitiesJob } from '../../server/access/oidc/checks.ts'
import { ProviderClient } from '../../server/access/oidc/provider-client.ts'
import { SecretKey } from '../../server/lib/sealed.ts'
import { parseProviders } from '../../server/oidc-settings.ts'
import { Browser } from '../support/browser.ts'
import { Issuer } from '../support/issuer.ts'
import { Person, told } from '../support/single-sign-on.ts'
import { adminPassword, type Client, startStowage, type TestStowage } from '../support/stowage.ts'

const clock = { now: Date.now() }
const hour = 60 * 60_000
const secretKey = 'the secret key of a test that asks by itself'
const scopes = 'openid profile email groups offline_access'
let corp: Issuer
/** Gives no refresh tokens, and has everybody in who is known. */
let plain: Issuer
let stowage: TestStowage

beforeAll(async () => {
  corp = await Issuer.start()
  plain = await Issuer.start({ givesRefreshTokens: false })
  stowage = await startStowage({
    settings: {
      STOWAGE_SECRET_KEY: secretKey,
      ...corp.settings('CORP', {
        SCOPES: scopes,
        AUTO_REGISTER: 'true',
        ALLOWED_GROUPS: 'staff, guests',
        ADMIN_GROUP: 'operators',
        GROUP_TEAMS: 'release=acme/release, release 2=acme/release, owners=acme/Owners, nobody=nowhere/at all',
      }),
      ...plain.settings('PLAIN', { AUTO_REGISTER: 'true', ALLOWED_GROUPS: 'staff', SCOPES: 'openid profile groups' }),
    },
    replace: { now: () => clock.now, outgoing: { limits: { time: 1_500 } } },
  })
  await stowage.admin.post('/api/v1/orgs', { username: 'acme' })
  for (const name of ['release', 'other'])
    await stowage.admin.post('/api/v1/orgs/acme/teams', { name, permission: 'write' })
})
beforeEach(() => {
  corp.isDown = false
  corp.givesRefreshTokens = true
})
afterAll(async () => {
  await stowage[Symbol.asyncDispose]()
  await corp[Symbol.asyncDispose]()
  await plain[Symbol.asyncDispose]()
})

interface Member {
  name: string
  person: Person
  token: Client
}

/** Somebody in these groups, who has come in and made a token. */
async function member(name: string, groups: readonly string[] = ['staff'], issuer = corp): Promise<Member> {
  issuer.account(name, { groups })
  const person = new Person(stowage)
  expect(await told(await person.comeIn(issuer === corp ? 'corp' : 'plain', name))).toEqual([303, '/'])
  const fields = { name: 'ci', expires: 'never', scopes: 'all' }
  const made = await (await person.browser.submit('/user/settings/tokens', fields)).text()
  const secret = /[0-9a-f]{40}/.exec(made)?.[0] ?? ''
  return { name, person, token: stowage.anonymous.with({ Authorization: `token ${secret}` }).as(name) }
}

/** A day later, when everybody is asked about. */
async function nextDay(hours = 21): Promise<void> {
  clock.now += hours * hour
  await askAll(stowage)
}

async function askAll(server: TestStowage): Promise<void> {
  await server.change(`delete from jobs where kind = '${identitiesJob}'`)
  await server.change(`insert into jobs (kind, subject, due_at, created_at) values ('${identitiesJob}', '', 0, 0)`)
  expect(await server.stowage.runJobs(identitiesJob)).toBe(1)
}

const mayCall = async ({ token }: Member) => (await token.fetch('/api/v1/user')).status === 200
const teamsOf = async (name: string) => {
  const rows = await stowage.change(`select teams.name from team_members join teams on teams.id = team_members.team_id
    join owners on owners.id = team_members.user_id where owners.name = '${name}' order by teams.name`)
  return rows.map((row) => row.name)
}
const isAdmin = async (name: string) =>
  ((await (await stowage.admin.fetch(`/api/v1/users/${name}`)).json()) as { is_admin: boolean }).is_admin
const eventsOf = async (name: string) => {
  const listed = await stowage.admin.fetch(`/api/v1/admin/audit?owner=${name}&limit=50`)
  return ((await listed.json()) as { action: string }[]).map(({ action }) => action)
}
const identityOf = async (name: string) => {
  const listed = await stowage.admin.fetch(`/api/v1/admin/users/${name}/identities`)
  return ((await listed.json()) as { lapsed_at: string | null; checked_at: string; checked: boolean; id: number }[])[0]
}
const suspendedAt = async (name: string) => {
  const told = await stowage.admin.fetch(`/api/v1/admin/users/${name}/suspension`)
  return ((await told.json()) as { suspended_at: string | null }).suspended_at
}

describe('groups', () => {
  test('decide who comes in', async () => {
    corp.account('ada', { groups: ['others', 'staff2', 'STAFF'] })
    const person = new Person(stowage)
    expect(await told(await person.comeIn('corp', 'ada'))).toEqual([
      403,
      'Corp knows you, but you are in none of the groups that may come in here. Ask an administrator of this site.',
    ])
    expect((await stowage.admin.fetch('/api/v1/users/ada')).status).toBe(404)
    for (const groups of [undefined, null, 7, { staff: true }, []]) {
      corp.account('ada', { groups })
      expect((await told(await person.comeIn('corp', 'ada')))[0]).toBe(403)
    }
    corp.account('ada', { groups: 'guests' })
    expect(await told(await person.comeIn('corp', 'ada'))).toEqual([303, '/'])
  })

  test('are in teams, and leave alone what they do not decide', async () => {
    await member('bea', ['staff', 'release 2', 'unknown'])
    expect(await teamsOf('bea')).toEqual(['release'])
    const teams = (await (await stowage.admin.fetch('/api/v1/orgs/acme/teams')).json()) as {
      id: number
      name: string
    }[]
    const other = teams.find(({ name }) => name === 'other')?.id
    expect((await stowage.admin.fetch(`/api/v1/teams/${other}/members/bea`, { method: 'PUT' })).status).toBe(204)

    corp.account('bea', { groups: ['staff', 'owners'] })
    await nextDay()
    expect(await teamsOf('bea')).toEqual(['Owners', 'other'])
    corp.account('bea', { groups: ['staff'] })
    await new Person(stowage).comeIn('corp', 'bea')
    expect(await teamsOf('bea')).toEqual(['other'])
  })

  test('never take the last owner of an organisation away', async () => {
    await member('cy', ['staff', 'owners'])
    const teams = (await (await stowage.admin.fetch('/api/v1/orgs/acme/teams')).json()) as {
      id: number
      name: string
    }[]
    const owners = teams.find(({ name }) => name === 'Owners')?.id
    expect((await stowage.admin.fetch(`/api/v1/teams/${owners}/members/admin`, { method: 'DELETE' })).status).toBe(204)
    corp.account('cy', { groups: ['staff'] })
    await nextDay()
    expect(await teamsOf('cy')).toEqual(['Owners'])
    await stowage.admin.fetch(`/api/v1/teams/${owners}/members/admin`, { method: 'PUT' })
    await nextDay()
    expect(await teamsOf('cy')).toEqual([])
  })

  test('make and unmake administrators, of their own people', async () => {
    await member('dan', ['staff', 'operators'])
    expect(await isAdmin('dan')).toBe(true)
    corp.account('dan', { groups: ['staff'] })
    await nextDay()
    expect([await isAdmin('dan'), await isAdmin('admin')]).toEqual([false, true])
    expect(await eventsOf('dan')).toContain('account.changed')
  })
})

describe('who is not vouched for any more', () => {
  test('loses account, token and session with the last group, and gets them back with it', async () => {
    const eve = await member('eve', ['staff', 'release'])
    expect([await mayCall(eve), await eve.person.browser.whoAmI()]).toEqual([true, 'eve'])
    corp.account('eve', { groups: ['release'] })
    expect(await mayCall(eve)).toBe(true)
    await nextDay()
    const refused = await eve.token.fetch('/api/v1/user')
    expect([refused.status, await eve.person.browser.whoAmI()]).toEqual([401, 401])
    expect(await eventsOf('eve')).toEqual(expect.arrayContaining(['identity.lapsed', 'account.suspended']))
    expect((await told(await new Person(stowage).comeIn('corp', 'eve')))[0]).toBe(403)
    expect(await mayCall(eve)).toBe(false)

    corp.account('eve', { groups: ['staff'] })
    await nextDay()
    expect([await mayCall(eve), await suspendedAt('eve')]).toEqual([true, null])
    expect(await eventsOf('eve')).toContain('account.reinstated')
    // The session ended for good.
    expect(await eve.person.browser.whoAmI()).toBe(401)
  })

  test('loses all of it when the provider refuses, and comes back by signing in', async () => {
    const fay = await member('fay', ['staff', 'release'])
    corp.accounts.delete('fay')
    await nextDay(19)
    expect(await mayCall(fay)).toBe(true)
    await nextDay(2)
    expect([await mayCall(fay), await teamsOf('fay')]).toEqual([false, []])
    expect(await identityOf('fay')).toMatchObject({ checked: false })
    corp.account('fay', { groups: ['staff'] })
    await nextDay()
    expect(await mayCall(fay)).toBe(false)
    expect(await told(await new Person(stowage).comeIn('corp', 'fay'))).toEqual([303, '/'])
    expect(await mayCall(fay)).toBe(true)
    expect(await identityOf('fay')).toMatchObject({ checked: true, lapsed_at: null })
  })

  test('stays while the provider is down, for three days', async () => {
    const gus = await member('gus')
    corp.isDown = true
    for (const hours of [21, 24, 24]) {
      await nextDay(hours)
      expect(await mayCall(gus)).toBe(true)
    }
    await nextDay(4)
    expect(await mayCall(gus)).toBe(false)
    corp.isDown = false
    await nextDay(1)
    expect(await mayCall(gus)).toBe(true)
  })

  test('is found out at the next sign-in where there is no refresh token', async () => {
    const hal = await member('hal', ['staff'], plain)
    expect(await identityOf('hal')).toMatchObject({ checked: false })
    plain.account('hal', { groups: [] })
    for (let day = 0; day < 5; day += 1) await nextDay(24)
    expect(await mayCall(hal)).toBe(true)
    expect((await told(await new Person(stowage).comeIn('plain', 'hal')))[0]).toBe(403)
    expect([await mayCall(hal), await hal.person.browser.whoAmI()]).toEqual([false, 401])
    plain.account('hal', { groups: ['staff'] })
    expect((await told(await new Person(stowage).comeIn('plain', 'hal')))[0]).toBe(303)
    expect(await mayCall(hal)).toBe(true)
  })

  test('is let in again by an administrator, until the provider has vouched once more', async () => {
    const ivy = await member('ivy')
    corp.account('ivy', { groups: [] })
    await nextDay()
    expect(await mayCall(ivy)).toBe(false)
    expect(await suspendedAt('ivy')).not.toBeNull()
    const lift = await stowage.admin.fetch('/api/v1/admin/users/ivy/suspension', { method: 'DELETE' })
    expect([lift.status, await mayCall(ivy)]).toEqual([204, true])
    await nextDay()
    expect(await mayCall(ivy)).toBe(true)
    corp.account('ivy', { groups: ['staff'] })
    await nextDay()
    corp.account('ivy', { groups: [] })
    await nextDay()
    expect(await mayCall(ivy)).toBe(false)
  })

  test('is shown to administrators, who lift it by a button', async () => {
    const joy = await member('joy')
    corp.account('joy', { groups: [] })
    await nextDay()
    const admin = new Browser(stowage)
    await admin.signIn('admin', adminPassword)
    const page = async () => (await admin.fetch('/-/admin/users/joy')).text()
    expect(await page()).toContain('Lift the suspension')
    expect(await page()).toContain('not vouched for any more')
    expect(await (await admin.fetch('/-/admin/users?q=joy')).text()).toContain('Suspended')
    expect((await admin.submit('/-/admin/users/joy/reinstate', {})).status).toBe(422)
    expect((await admin.submit('/-/admin/users/joy/reinstate', { lift: 'yes' })).status).toBe(303)
    expect(await page()).not.toContain('Lift the suspension')
    expect(await mayCall(joy)).toBe(true)
    const log = await (await admin.fetch('/-/admin/audit')).text()
    for (const told of ['was suspended', 'lifted the suspension of', 'linked an identity']) expect(log).toContain(told)
  })

  test('is never brought back by a provider where an administrator has shut him out', async () => {
    const jim = await member('jim')
    const body = JSON.stringify({ active: false })
    const headers = { 'Content-Type': 'application/json' }
    await stowage.admin.fetch('/api/v1/admin/users/jim', { method: 'PATCH', headers, body })
    await nextDay()
    expect(await mayCall(jim)).toBe(false)
    expect((await told(await new Person(stowage).comeIn('corp', 'jim')))[0]).toBe(403)
    expect(await mayCall(jim)).toBe(false)
  })
})

describe('a refresh token', () => {
  test('is sealed, works once, and the next one is kept', async () => {
    const kim = await member('kim')
    const stored = async () =>
      (await stowage.change(`select refresh_token from identities where label = 'kim'`))[0]?.refresh_token as string
    const first = await stored()
    expect(first).toStartWith('v1.')
    for (let day = 0; day < 3; day += 1) {
      await nextDay()
      expect(await mayCall(kim)).toBe(true)
    }
    expect(await stored()).not.toBe(first)
    expect(await identityOf('kim')).toMatchObject({ checked: true, lapsed_at: null })
  })

  test('is used once also where two processes ask at the same moment', async () => {
    const mel = await member('mel')
    const due = `update identities set checked_at = 0 where label = 'mel'`
    await stowage.change(due)
    const { providers } = parseProviders(corp.settings('CORP', { SCOPES: scopes }))
    const now = () => clock.now
    const parts = {
      catalogue: stowage.stowage.registry.catalogue,
      clients: providers.map((provider) => new ProviderClient({ provider, outgoing: {}, now })),
      refreshTokens: new SecretKey(secretKey).sealer('refresh token'),
      now,
      noticed: () => {},
    }
    const both = await Promise.all([checkIdentities(parts), checkIdentities(parts)])
    expect(both.map(({ lapsed }) => lapsed)).toEqual([0, 0])
    // A provider that sees a token twice takes it for a stolen one, and refuses what came in its place.
    await nextDay()
    expect(await mayCall(mel)).toBe(true)
  })

  test('is used once a day', async () => {
    await member('lea')
    await nextDay()
    const asked = corp.asked.filter((path) => path === '/token').length
    await nextDay(1)
    await nextDay(10)
    expect(corp.asked.filter((path) => path === '/token').length).toBe(asked)
  })

  test('is asked for with consent where a strict provider gives none otherwise, once', async () => {
    await using strict = await Issuer.start({ isStrict: true })
    await using other = await startStowage({
      settings: strict.settings('STRICT', { SCOPES: 'openid profile offline_access', AUTO_REGISTER: 'true' }),
    })
    strict.account('mia')
    const person = new Person(other)
    const first = await person.browser.fetch(await person.answerOf('strict', 'mia'))
    const again = first.headers.get('location') ?? ''
    expect(new URL(again).searchParams.get('prompt')).toBe('consent')
    expect(await told(await person.browser.fetch(await person.goOn(again, 'mia')))).toEqual([303, '/'])
    const [row] = await other.change('select refresh_token from identities')
    expect(row?.refresh_token).toStartWith('v1.')
    // From then on he is looked after, and need not be asked.
    const next = new Person(other)
    expect(await told(await next.browser.fetch(await next.answerOf('strict', 'mia')))).toEqual([303, '/'])
  })
})

test('the last administrator is not shut out', async () => {
  await using issuer = await Issuer.start()
  const later = { now: Date.now() }
  await using other = await startStowage({
    settings: issuer.settings('CORP', { SCOPES: scopes, ADMIN_GROUP: 'operators', AUTO_REGISTER: 'true' }),
    replace: { now: () => later.now },
  })
  issuer.account('ada', { groups: ['operators'] })
  const person = new Person(other)
  expect((await told(await person.comeIn('corp', 'ada')))[0]).toBe(303)
  const off = JSON.stringify({ prohibit_login: true })
  const { browser } = person
  const admin = await (
    await browser.submit('/user/settings/tokens', { name: 'a', expires: 'never', scopes: 'all' })
  ).text()
  const token = other.anonymous.with({ Authorization: `token ${/[0-9a-f]{40}/.exec(admin)?.[0]}` })
  const headers = { 'Content-Type': 'application/json' }
  expect((await token.fetch('/api/v1/admin/users/admin', { method: 'PATCH', headers, body: off })).status).toBe(200)

  issuer.account('ada', { groups: [] })
  later.now += 21 * hour
  await askAll(other)
  expect((await token.fetch('/api/v1/admin/users')).status).toBe(200)
  issuer.accounts.delete('ada')
  later.now += 21 * hour
  await askAll(other)
  expect((await token.fetch('/api/v1/admin/users')).status).toBe(200)

  const on = JSON.stringify({ prohibit_login: false })
  await token.fetch('/api/v1/admin/users/admin', { method: 'PATCH', headers, body: on })
  later.now += 21 * hour
  await askAll(other)
  expect((await token.fetch('/api/v1/admin/users')).status).toBe(401)
})
