import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type TOTP, URI } from 'otpauth'
import { forgetSecrets } from '../../server/access/secret-key.ts'
import type { AroundStatement } from '../../server/catalogue/statement.ts'
import type { Catalogue } from '../../server/catalogue/transaction.ts'
import { transactions } from '../../server/transactions.ts'
import { SoftAuthenticator } from '../support/authenticator.ts'
import { Browser } from '../support/browser.ts'
import { CiIssuer, job } from '../support/ci-issuer.ts'
import { Issuer } from '../support/issuer.ts'
import { makeLink, sendTo } from '../support/links.ts'
import { addPasskey, signInByPasskey } from '../support/passkeys.ts'
import { Person } from '../support/single-sign-on.ts'
import { adminPassword, basic, type Client, startStowage, type TestStowage } from '../support/stowage.ts'

/*
 * Everything that somebody can do is done here once, with secrets that are known. Each transaction is watched: what it writes, and
 * whether the log says so. One that changes something and says nothing fails the test, and so does one that is done nowhere here,
 * unless it stands in this list, with the reason why there is nothing to say.
 */
const noDeeds: Record<string, string> = {
  'ask for deliveries': 'the job of what webhooks are told',
  'claim jobs': 'the job runner',
  'ensure recurring jobs': 'the job runner',
  'finish recurring job': 'the job runner',
  'give up job': 'the job runner',
  'mend times': 'the job runner',
  'postpone job': 'the job runner',
  'release jobs': 'the job runner',
  'strike mail': 'the job of a mail that was sent',
  'take lease': 'a process lives',
  'renew lease': 'a process lives',
  'expire leases': 'a process lives',
  'give up lease': 'a process ends',
  'drop lease': 'a process ended',
  'find upload': 'reads',
  'forget exchanges': 'computed: they had ended',
  reserve: 'an upload is under way; its publishing is said',
  'give back': 'an upload ended without',
  'store digests': 'computed',
  'doom unnamed': 'the sweeper',
  'strike doomed': 'the sweeper',
  'record sweep': 'the sweeper',
  'remember storage': 'a first start',
  'remember secret key': 'a first start',
  'remember uses': 'counted; what was done with a token is said where it is done',
  'remember downloads': 'counted',
  'recount some': 'counted',
  'remember recount': 'counted',
  'use code': 'a part of a sign-in, which is said',
  'claim identity check': 'asked of a provider, by a job',
  'keep refresh token': 'asked of a provider, by a job',
  'note vouched identity': 'counted; what the provider changed is said where it is done',
  'use sign-in state': 'a part of a sign-in, which is said',
  'use passkey': 'a part of a sign-in, which is said',
  'forget some': 'a part of the removal of an account, which is said at its end',
  'drop ended sessions': 'time passed',
  'drop expired links': 'time passed',
  'drop old audit events': 'time passed',
  'drop old deliveries': 'time passed',
  'drop surplus deliveries': 'time passed',
  'finish deliveries': 'a webhook is told of what was said',
  'keep request body': 'a webhook is told of what was said',
  'let others deliver': 'a webhook is told of what was said',
  'quiet webhook': 'a part of the removal of a webhook, which is said at its end',
  'record attempt': 'a webhook is told of what was said',
}

/** What a transaction did, by what was sent to the database. */
interface Seen {
  name: string
  wrote: boolean
  said: boolean
}

const statements: string[] = []
const seen: Seen[] = []

const around: AroundStatement = (sql, run) => {
  statements.push(sql)
  return run(sql)
}

/** Transactions come one after the other here: nothing runs in the background, and every request is waited for. */
function watched(catalogue: Catalogue): Catalogue {
  return new Proxy(catalogue, {
    get: (target, key) => {
      if (key !== 'transact') {
        const value = Reflect.get(target, key)
        return typeof value === 'function' ? value.bind(target) : value
      }
      return async (...args: Parameters<Catalogue['transact']>) => {
        const from = statements.length
        const result = await target.transact(...args)
        const its = statements.slice(from).filter((sql) => /^\s*(insert|update|delete|with)\b/i.test(sql))
        const writes = its.filter((sql) => /\b(insert into|update|delete from)\b/i.test(sql))
        const said = writes.some((sql) => /insert into "audit_events"/i.test(sql))
        seen.push({ name: args[0].name, wrote: writes.length > Number(said), said })
        return result
      }
    },
  })
}

/** Texts that must be nowhere in the log. */
const secrets = new Map<string, string>()

let stowage: TestStowage
let issuer: Issuer
let ci: CiIssuer
let admin: Client

async function done(response: Response | Promise<Response>, ...statuses: number[]): Promise<unknown> {
  const { status, url } = await response
  const text = await (await response).text()
  const expected = statuses.length > 0 ? statuses : [200, 201, 202, 204]
  if (!expected.includes(status)) throw new Error(`${url}: ${status} ${text}`)
  return text ? JSON.parse(text) : undefined
}

const send = (client: Client, method: string, path: string, body?: object) =>
  done(client.fetch(`/api/v1${path}`, { method, ...(body ? { body: JSON.stringify(body) } : {}) }))

async function person(name: string, fields: object = {}): Promise<Client> {
  secrets.set(`${name}'s password`, `${name}-Pass-1234`)
  secrets.set(`${name}'s e-mail address`, `${name}@example.com`)
  return stowage.user(name, fields as Record<string, unknown>)
}

async function tokenOf(client: Client, name: string, scopes = ['all']): Promise<Client & { secret: string }> {
  const token = await client.token(scopes, { name })
  secrets.set(`the token ${name}`, token.secret)
  return token
}

async function everything(): Promise<void> {
  const ada = await person('ada')
  await person('bob')
  const eve = await person('eve')
  await accounts(ada)
  await browsers(ada)
  await secondFactor(await person('tom'))
  await passkeys(await person('pia'))
  await singleSignOn(await person('oda'))
  await tokens(ada)
  await organisation(ada)
  await links(ada)
  await packages(ada)
  await webhooks(ada)
  await trustedPublishing(ada)
  await site(eve)
  await failures()
  await stowage.stowage.flushSignIns(true)
  await operator()
}

async function accounts(ada: Client): Promise<void> {
  const change = { email: 'new@example.com', admin: true, active: true, restricted: true, password: 'given-Pass-1' }
  secrets.set('a given password', change.password).set('a new address', change.email)
  await send(admin, 'PATCH', '/admin/users/bob', change)
  await send(ada, 'PATCH', '/user/settings', { email: 'ada2@example.com', visibility: 'limited' })
  secrets.set('a second address', 'ada2@example.com')
  await send(admin, 'POST', '/admin/users/bob/rename', { new_username: 'robert' })
  await send(admin, 'DELETE', '/admin/reserved-names/bob')
  const robert = new Browser(stowage)
  await done(robert.post('/user/sign-up', { username: 'rita', email: 'rita@example.com', password: 'rita-Pass-1234' }))
  secrets.set('a password of who signed up', 'rita-Pass-1234').set('an address of who signed up', 'rita@example.com')
  await send(ada, 'POST', '/user/password', { old_password: 'ada-Pass-1234', new_password: 'second-Pass-1' })
  secrets.set('a changed password', 'second-Pass-1')
}

async function browsers(ada: Client): Promise<void> {
  const [one, two, three] = [new Browser(stowage), new Browser(stowage), new Browser(stowage)]
  for (const browser of [one, two, three]) {
    await done(browser.signIn('ada', 'second-Pass-1'))
    secrets.set(`a session of ${ada.name} ${secrets.size}`, browser.cookie?.split('=')[1] ?? '')
  }
  await done(one.delete('/user/sessions'))
  await done(one.post('/user/password', { old_password: 'second-Pass-1', new_password: 'ada-Pass-1234' }))
  await done(one.post('/user/logout'))
  await done(two.signIn('ada'))
  secrets.set('a later session', two.cookie?.split('=')[1] ?? '')
  await send(admin, 'DELETE', '/admin/users/ada/sessions')
}

async function secondFactor(tom: Client): Promise<void> {
  const begun = (await send(tom, 'POST', '/user/totp')) as { secret: string; url: string }
  secrets.set('the secret of a second factor', begun.secret)
  const phone = URI.parse(begun.url) as TOTP
  const at = (steps: number) => phone.generate({ timestamp: Date.now() + steps * 30_000 })
  const confirmed = await send(tom, 'POST', '/user/totp/confirm', { code: at(0) })
  const codes = (confirmed as { recovery_codes: string[] }).recovery_codes
  const byCode = (code: string) => tom.with({ Authorization: basic('tom', 'tom-Pass-1234'), 'X-Gitea-OTP': code })
  await done(tom.fetch('/api/v1/user'), 401)
  await done(byCode('000000').fetch('/api/v1/user'), 401)
  const renewed = await send(byCode(at(1)), 'POST', '/user/totp/recovery-codes')
  const newer = (renewed as { recovery_codes: string[] }).recovery_codes
  for (const [index, code] of [...codes, ...newer].entries()) secrets.set(`recovery code ${index}`, code)
  await send(byCode(newer[0] ?? ''), 'DELETE', '/user/totp')
  const again = (await send(tom, 'POST', '/user/totp')) as { url: string }
  await send(tom, 'POST', '/user/totp/confirm', { code: (URI.parse(again.url) as TOTP).generate() })
  await send(admin, 'DELETE', '/admin/users/tom/totp')
}

async function passkeys(pia: Client): Promise<void> {
  const authenticator = new SoftAuthenticator(stowage.url)
  const browser = new Browser(stowage)
  await done(browser.signIn('pia'))
  for (const name of ['Phone', 'Key']) await addPasskey(browser, { password: 'pia-Pass-1234', authenticator, name })
  await done(pia.fetch('/api/v1/user'), 401)
  secrets.set('a session by password', browser.cookie?.split('=')[1] ?? '')
  await done(browser.submit('/user/settings/passkeys/1', { name: 'Old phone' }), 303)
  await done(browser.submit('/user/settings/passkeys/1/delete', { password: 'pia-Pass-1234' }), 303)
  const other = new Browser(stowage)
  await done(signInByPasskey(other, authenticator), 303)
  secrets.set('a session by passkey', other.cookie?.split('=')[1] ?? '')
  for (const [index, { id, userHandle }] of authenticator.kept.entries()) {
    secrets.set(`the credential of passkey ${index}`, id).set(`whose passkey ${index} is`, userHandle)
  }
  await send(admin, 'DELETE', '/admin/users/pia/passkeys')
}

/** Somebody with a password links an identity; somebody else comes by his provider, and is not vouched for any more. */
async function singleSignOn(oda: Client): Promise<void> {
  issuer.account('oda', { email: 'oda@id.example.com', groups: ['staff'] })
  issuer.account('nia', { email: 'nia@id.example.com', groups: ['staff', 'owners', 'operators'] })
  secrets.set('what a provider says', 'oda@id.example.com').set('what it says of another', 'nia@id.example.com')
  await send(oda, 'POST', '/orgs', { username: 'oda-org' })
  // A linked account's password is for its browser alone.
  const byToken = await oda.token(['write:user'])
  secrets.set('the token of who links', byToken.secret)
  const known = new Person(stowage)
  await done(known.browser.signIn('oda'))
  await done(known.link('corp', 'oda', 'oda-Pass-1234'), 303)
  const [identity] = (await send(byToken, 'GET', '/user/identities')) as { id: number }[]
  await send(byToken, 'DELETE', `/user/identities/${identity?.id}`)
  await done(new Person(stowage).comeIn('corp', 'nia'), 303)
  for (const groups of [['staff'], []]) {
    issuer.account('nia', { groups })
    expect((await new Person(stowage).comeIn('corp', 'nia')).status).toBe(groups.length > 0 ? 303 : 403)
  }
  await send(admin, 'DELETE', '/admin/users/nia/suspension')
}

async function tokens(ada: Client): Promise<void> {
  const ci = await tokenOf(ada, 'ci')
  await send(await tokenOf(ada, 'given up'), 'DELETE', '/token')
  await tokenOf(ada.with({ Authorization: basic('ada', ci.secret) }), 'child')
  await send(ada, 'DELETE', '/users/ada/tokens/ci')
  for (const name of ['deployed', 'given up']) {
    const body = { name, scopes: ['write:package'], packages: ['tool-*'] }
    const { id, sha1 } = (await send(ada, 'POST', '/owners/ada/deploy-tokens', body)) as { id: number; sha1: string }
    secrets.set(`the deploy token ${name}`, sha1)
    const token = stowage.anonymous.with({ Authorization: `token ${sha1}` })
    if (name === 'deployed') await send(ada, 'DELETE', `/owners/ada/deploy-tokens/${id}`)
    else await send(token, 'DELETE', '/token')
  }
}

async function organisation(ada: Client): Promise<void> {
  await send(ada, 'POST', '/orgs', { username: 'acme', email: 'acme@example.com' })
  secrets.set('the address of an organisation', 'acme@example.com')
  await send(ada, 'PATCH', '/orgs/acme', { visibility: 'private', email: 'inc@example.com' })
  secrets.set('another address of it', 'inc@example.com')
  const { id } = (await send(ada, 'POST', '/orgs/acme/teams', { name: 'release', permission: 'write' })) as {
    id: number
  }
  await send(ada, 'PATCH', `/teams/${id}`, { permission: 'read' })
  await send(admin, 'PUT', `/teams/${id}/members/eve`)
  await send(ada, 'DELETE', `/teams/${id}/members/eve`)
  await send(admin, 'PUT', `/teams/${id}/members/eve`)
  await send(ada, 'DELETE', '/orgs/acme/members/eve')
  await send(ada, 'DELETE', `/teams/${id}`)
  await send(ada, 'POST', '/orgs/acme/rename', { new_name: 'acme-inc' })
  await send(ada, 'DELETE', '/orgs/acme-inc')
}

async function links(ada: Client): Promise<void> {
  const link = async (maker: Client, path: string, body: object = {}) => {
    const made = await makeLink(maker, path, body)
    secrets.set(`the link ${made.id} of ${path}`, made.code)
    return made
  }
  await send(ada, 'POST', '/orgs', { username: 'team-work' })
  const { id } = (await send(ada, 'POST', '/orgs/team-work/teams', { name: 'all' })) as { id: number }
  const withdrawn = await link(admin, '/admin/invitations', { email: 'invited@example.com' })
  secrets.set('the address of who is invited', 'invited@example.com')
  await send(admin, 'DELETE', `/admin/invitations/${withdrawn.id}`)
  const joined = await link(ada, '/orgs/team-work/invitations', { team_id: id })
  const newcomer = { username: 'neo', email: 'neo@example.com', password: 'neo-Pass-1234' }
  secrets.set('the password of a newcomer', newcomer.password).set('his address', newcomer.email)
  await done(sendTo(stowage, 'invitation', { code: joined.code, ...newcomer }))
  const member = await link(ada, '/orgs/team-work/invitations', { team_id: id })
  await send(admin, 'POST', '/user/invitations', { code: member.code })
  const reset = await link(admin, '/admin/users/neo/password-reset')
  await done(sendTo(stowage, 'password-reset', { code: reset.code, password: 'reset-Pass-1' }))
  secrets.set('a password by a link', 'reset-Pass-1')
  await done(sendTo(stowage, 'forgot-password', { email: 'neo@example.com' }))
  expect(await stowage.stowage.runJobs('forgotten-password')).toBe(1)
}

async function packages(ada: Client): Promise<void> {
  for (const version of ['1', '2', '3', '4', '5']) {
    await done(ada.put({ version, file: 'a' }, 'a'))
    await done(ada.put({ version, file: 'b' }, 'b'))
  }
  await done(ada.put({ package: 'other' }, 'x'))
  await send(ada, 'PATCH', '/packages/ada/generic/tool/-/metadata', { description: 'A tool.' })
  await done(ada.delete({ version: '1', file: 'a' }))
  await done(ada.deleteVersion({ version: '2' }))
  await send(ada, 'POST', '/packages/ada/generic/tool/-/delete-versions', { versions: ['3'] })
  await send(ada, 'PATCH', '/packages/ada/generic/tool/-/access', { visibility: 'private' })
  await send(ada, 'PUT', '/packages/ada/generic/tool/-/access/users/admin', { permission: 'read' })
  await send(ada, 'DELETE', '/packages/ada/generic/tool/-/access/users/admin')
  await send(ada, 'DELETE', '/packages/ada/generic/other')
}

async function webhooks(ada: Client): Promise<void> {
  const config = { url: 'https://hooks.example.com/in/path-secret?key=query-secret', secret: 'signing-secret' }
  secrets.set('the secret of a webhook', config.secret)
  secrets.set('a secret in its address', 'path-secret').set('another there', 'query-secret')
  secrets.set('what a webhook sends to be let in', 'Bearer hook-credential')
  const body = { type: 'gitea', config, active: true, authorization_header: 'Bearer hook-credential' }
  const { id } = (await send(ada, 'POST', '/user/hooks', body)) as { id: number }
  await done(ada.put({ version: '9' }, 'x'))
  await send(ada, 'PATCH', `/user/hooks/${id}`, { active: false })
  await stowage.change(`update deliveries set state = 'given-up'`)
  const [delivery] = (await send(ada, 'GET', `/user/hooks/${id}/deliveries`)) as { id: number }[]
  await send(ada, 'POST', `/user/hooks/${id}/deliveries/${delivery?.id}/replay`)
  await send(ada, 'DELETE', `/user/hooks/${id}`)
}

async function trustedPublishing(ada: Client): Promise<void> {
  const rule = { name: 'ci', issuer: ci.url, claims: { sub: job.sub }, packages: ['built'] }
  const { id } = (await send(ada, 'POST', '/owners/ada/publishers', rule)) as { id: number }
  const idToken = await ci.sign(stowage.url)
  secrets.set('an ID token', idToken)
  const exchange = stowage.anonymous.post('/api/v1/oidc/token', {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: idToken,
    subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
  })
  const { access_token } = (await done(exchange)) as { access_token: string }
  secrets.set('the token of a job', access_token)
  const its = stowage.anonymous.with({ Authorization: `Bearer ${access_token}` })
  await done(its.put({ owner: 'ada', package: 'built' }, 'by a job'))
  await send(ada, 'PATCH', `/owners/ada/publishers/${id}`, { packages: ['other'] })
  await send(ada, 'DELETE', `/owners/ada/publishers/${id}`)
}

async function site(eve: Client): Promise<void> {
  // A package of which something is said stays without its versions.
  await done(eve.put({}, 'x'))
  await send(eve, 'PATCH', '/packages/eve/generic/tool/-/metadata', { description: 'Described.' })
  await done(eve.deleteVersion())
  await tokenOf(eve, 'goes with its account')
  await send(admin, 'DELETE', '/admin/users/eve')
  for (const id of [901, 902]) {
    await stowage.change(`
      insert into jobs (id, kind, subject, due_at, attempts, last_error, given_up_at, created_at)
      values (${id}, 'digests', '${id} private@example.com', 0, 1, 'private-reason', 1, 0)`)
  }
  secrets.set('the subject of a job', 'private@example.com').set('why a job failed', 'private-reason')
  await send(admin, 'POST', '/admin/jobs/901/retry')
  await send(admin, 'DELETE', '/admin/jobs/902')
  await send(admin, 'POST', '/admin/storage/sweep')
  await send(admin, 'PATCH', '/admin/quotas', { owners: { versions: 100 } })
  await send(admin, 'PATCH', '/admin/quotas/owners/ada', { bytes: 1_000_000 })
  await send(admin, 'POST', '/admin/usage-check')
}

async function failures(): Promise<void> {
  const typed = ['typed-Password-1', 'a name that is a secret', 'f'.repeat(40)]
  for (const [index, text] of typed.entries()) secrets.set(`what was typed ${index}`, text)
  const call = (authorization: string) =>
    done(stowage.anonymous.fetch('/api/v1/user', { headers: { Authorization: authorization } }), 401)
  await call(basic('ada', typed[0] ?? ''))
  await call(basic(typed[1] ?? '', 'x'))
  await call(`token ${typed[2]}`)
  await call(basic('ada', typed[2] ?? ''))
}

async function operator(): Promise<void> {
  await stowage.stowage.accounts.resetAdministrator('admin', adminPassword)
  // As if every server had ended.
  await stowage.change('update leases set expires_at = 0')
  await stowage.stowage.registry.catalogue.transact(forgetSecrets, { check: 'another key', now: Date.now() })
}

beforeAll(async () => {
  issuer = await Issuer.start()
  secrets.set("the administrator's password", adminPassword)
  ci = await CiIssuer.start()
  stowage = await startStowage({
    settings: {
      ...issuer.settings('CORP', {
        ...{ SCOPES: 'openid profile email groups', AUTO_REGISTER: 'true', ALLOWED_GROUPS: 'staff' },
        ...{ ADMIN_GROUP: 'operators', GROUP_TEAMS: 'owners=oda-org/Owners' },
      }),
      // A name: passkeys belong to one.
      STOWAGE_LISTEN: 'localhost:0',
      STOWAGE_OIDC_PUBLISHERS: ci.url,
      STOWAGE_SIGN_UP: 'true',
      STOWAGE_SMTP_URL: 'smtp://127.0.0.1:1',
      STOWAGE_MAIL_FROM: 'stowage@example.com',
      STOWAGE_TRUSTED_PROXIES: 'loopback',
      STOWAGE_WEBHOOK_ALLOWED_HOSTS: 'hooks.example.com',
    },
    replace: { aroundStatement: around, catalogue: watched },
  })
  admin = stowage.admin
  await everything()
}, 60_000)

afterAll(async () => {
  await stowage[Symbol.asyncDispose]()
  await issuer[Symbol.asyncDispose]()
  await ci[Symbol.asyncDispose]()
})

describe('every transaction', () => {
  const names = transactions.map(({ name }) => name)

  test('that changes what somebody asked for says so in the log', () => {
    const silent = seen.filter(({ name, wrote, said }) => wrote && !said && !(name in noDeeds)).map(({ name }) => name)
    expect([...new Set(silent)]).toEqual([])
  })

  test('is done here, or has a reason why it is nothing that somebody did', () => {
    const told = new Set(seen.filter(({ said }) => said).map(({ name }) => name))
    expect(names.filter((name) => !told.has(name) && !(name in noDeeds))).toEqual([])
  })

  test('that has such a reason is there, and says nothing', () => {
    expect(Object.keys(noDeeds).filter((name) => !names.includes(name))).toEqual([])
    expect(seen.filter(({ name, said }) => said && name in noDeeds)).toEqual([])
  })
})

describe('the log', () => {
  test('holds no secret, no e-mail address and nothing that was typed in the place of one', async () => {
    const rows = await stowage.change('select * from audit_events')
    expect(rows.length).toBeGreaterThan(60)
    const text = JSON.stringify(rows)
    const found = [...secrets].filter(([, secret]) => secret === '' || text.includes(secret)).map(([what]) => what)
    expect(found).toEqual([])
    // That it would have been found.
    expect(text).toContain('hooks.example.com')
  })

  test('knows of each event who did it, or from where', async () => {
    const rows = await stowage.change(`
      select distinct action from audit_events
      where actor_id is null and address is null and coalesce(credential, '') <> 'operator'
        and coalesce(details, '') not like '%"provider":"corp"%'`)
    // By the job that answers who forgot his password. What a provider's word has changed has the provider in its details.
    expect(rows).toEqual([{ action: 'password.reset-link' }])
  })
})
