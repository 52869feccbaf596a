import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { checkIdentities } from '../../server/access/oidc/checks.ts'
import { ProviderClient } from '../../server/access/oidc/provider-client.ts'
import { SecretKey } from '../../server/lib/sealed.ts'
import { parseProviders } from '../../server/oidc-settings.ts'
import { Issuer } from '../support/issuer.ts'
import { Person, told } from '../support/single-sign-on.ts'
import { type Client, startStowage, type TestStowage } from '../support/stowage.ts'

const clock = { now: Date.now() }
const minute = 60_000
const hour = 60 * minute
const secretKey = 'the secret key of a test that asks by itself'
let corp: Issuer
let settings: Record<string, string>
let stowage: TestStowage

beforeAll(async () => {
  corp = await Issuer.start()
  settings = corp.settings('CORP', {
    SCOPES: 'openid profile email groups offline_access',
    AUTO_REGISTER: 'true',
    ALLOWED_GROUPS: 'staff',
    ADMIN_GROUP: 'operators',
    GROUP_TEAMS: 'release=acme/release, owners=acme/Owners',
  })
  stowage = await startStowage({
    settings: { STOWAGE_SECRET_KEY: secretKey, ...settings },
    replace: { now: () => clock.now },
  })
  await stowage.admin.post('/api/v1/orgs', { username: 'acme' })
  await stowage.admin.post('/api/v1/orgs/acme/teams', { name: 'release', permission: 'write' })
})
beforeEach(() => {
  corp.isDown = false
  corp.delay = 0
})
afterAll(async () => {
  await stowage[Symbol.asyncDispose]()
  await corp[Symbol.asyncDispose]()
})

async function member(name: string, groups: readonly string[] = ['staff']): Promise<{ person: Person; token: Client }> {
  corp.account(name, { groups })
  const person = new Person(stowage)
  expect(await told(await person.comeIn('corp', name))).toEqual([303, '/'])
  const fields = { name: 'ci', expires: 'never', scopes: 'all' }
  const made = await (await person.browser.submit('/user/settings/tokens', fields)).text()
  const secret = /[0-9a-f]{40}/.exec(made)?.[0] ?? ''
  return { person, token: stowage.anonymous.with({ Authorization: `token ${secret}` }).as(name) }
}

/** What one node has that asks. */
function node(now = () => clock.now, changed: Record<string, string> = {}) {
  const { providers } = parseProviders({ ...settings, ...changed })
  return {
    catalogue: stowage.stowage.registry.catalogue,
    clients: providers.map((provider) => new ProviderClient({ provider, outgoing: {}, now })),
    refreshTokens: new SecretKey(secretKey).sealer('refresh token'),
    now,
    noticed: () => {},
  }
}

const mayCall = async ({ token }: { token: Client }) => (await token.fetch('/api/v1/user')).status === 200
const teamsOf = async (name: string) => {
  const rows = await stowage.change(`select teams.name from team_members join teams on teams.id = team_members.team_id
    join owners on owners.id = team_members.user_id where owners.name = '${name}' order by teams.name`)
  return rows.map((row) => row.name)
}

describe('coming in', () => {
  test('in two tabs at once ends in one of them', async () => {
    corp.account('ada', { groups: ['staff'] })
    const person = new Person(stowage)
    const first = await person.answerOf('corp', 'ada')
    const second = await person.answerOf('corp', 'ada')
    expect((await told(await person.browser.fetch(first)))[0]).toBe(400)
    expect(await told(await person.browser.fetch(second))).toEqual([303, '/'])
  })

  test('for the first time, twice at the same moment, makes one account', async () => {
    corp.account('bea', { groups: ['staff'] })
    const both = [new Person(stowage), new Person(stowage)]
    const answers = await Promise.all(both.map((person) => person.answerOf('corp', 'bea')))
    const came = await Promise.all(both.map(async ({ browser }, at) => told(await browser.fetch(answers[at] ?? ''))))
    expect(came).toEqual([
      [303, '/'],
      [303, '/'],
    ])
  })
})

describe('being asked about', () => {
  test('happens to everybody where nothing can be told of some', async () => {
    // More than are asked about at once, as often as a provider may fail.
    for (let count = 0; count < 16; count += 1) await member(`cy-${count}`)
    await stowage.change(`update identities set refresh_token = 'v1.' || label, checked_at = 0 where label like 'cy-%'`)
    const dan = await member('dan')
    corp.account('dan', { groups: [] })
    clock.now += 21 * hour
    await checkIdentities(node())
    expect(await mayCall(dan)).toBe(false)
    await stowage.change(`delete from identities where label like 'cy-%'`)
  })

  test('shuts nobody out where the provider has another secret of this server by now', async () => {
    const dora = await member('dora')
    clock.now += 21 * hour
    const { lapsed, vouched } = await checkIdentities(node(undefined, { STOWAGE_OIDC_CORP_CLIENT_SECRET: 'wrong' }))
    expect([lapsed, vouched, await mayCall(dora)]).toEqual([0, 0, true])
    clock.now += 15 * minute
    await checkIdentities(node())
    const [row] = await stowage.change(`select checked_at from identities where label = 'dora'`)
    expect([Number(row?.checked_at), await mayCall(dora)]).toEqual([clock.now, true])
  })

  test('is not done twice by two nodes between which a moment ends', async () => {
    const eve = await member('eve')
    await stowage.change(`update identities set checked_at = 0 where label = 'eve'`)
    const end = Math.ceil(clock.now / (5 * minute)) * 5 * minute
    const asked = () => corp.asked.filter((path) => path === '/token').length
    const before = asked()
    corp.delay = 300
    await Promise.all([checkIdentities(node(() => end - 1)), checkIdentities(node(() => end + 1))])
    corp.delay = 0
    expect(asked() - before).toBe(1)
    clock.now += 21 * hour
    await checkIdentities(node())
    expect(await mayCall(eve)).toBe(true)
  })
})

describe('who unlinks his identity', () => {
  test('keeps nothing that the groups there gave him', async () => {
    await stowage.user('fay')
    const fay = new Person(stowage)
    await fay.browser.signIn('fay')
    corp.account('fay', { groups: ['staff', 'release', 'operators'] })
    expect((await told(await fay.link('corp', 'fay', 'fay-Pass-1234')))[0]).toBe(303)
    const isAdmin = async () =>
      ((await (await stowage.admin.fetch('/api/v1/users/fay')).json()) as { is_admin: boolean }).is_admin
    expect([await teamsOf('fay'), await isAdmin()]).toEqual([['release'], true])
    const listed = await stowage.admin.fetch('/api/v1/admin/users/fay/identities')
    const [identity] = (await listed.json()) as { id: number }[]
    const gone = await fay.browser.submit('/user/settings/identities', { unlink: String(identity?.id) })
    expect(gone.status).toBe(303)
    expect([await teamsOf('fay'), await isAdmin()]).toEqual([[], false])
  })
})

test('a site without anonymous visitors has its providers', async () => {
  await using closed = await startStowage({ settings: { ...settings, STOWAGE_REQUIRE_SIGN_IN: 'true' } })
  corp.account('gus', { groups: ['staff'] })
  const person = new Person(closed)
  expect(await told(await person.comeIn('corp', 'gus'))).toEqual([303, '/'])
})

test('the last administrator whose provider is away fills no log of what happened', async () => {
  await member('hal', ['staff', 'operators'])
  await stowage.change(
    `update users set is_active = 0 where id <> (select user_id from identities where label = 'hal')`,
  )
  corp.isDown = true
  clock.now += 80 * hour
  for (let look = 0; look < 3; look += 1) {
    await checkIdentities(node())
    clock.now += 15 * minute
  }
  const rows = await stowage.change(`select count(*) as times from audit_events where action = 'identity.lapsed'
    and owner_id = (select user_id from identities where label = 'hal')`)
  expect(Number(rows[0]?.times)).toBeLessThanOrEqual(1)
})
