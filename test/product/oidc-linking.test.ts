import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { Browser } from '../support/browser.ts'
import { Issuer } from '../support/issuer.ts'
import { Person, saidIn, told } from '../support/single-sign-on.ts'
import { startStowage, type TestStowage } from '../support/stowage.ts'

let corp: Issuer
let partner: Issuer
let stowage: TestStowage

beforeAll(async () => {
  corp = await Issuer.start()
  partner = await Issuer.start()
  stowage = await startStowage({
    settings: {
      ...corp.settings('CORP', { AUTO_REGISTER: 'true', ALLOWED_GROUPS: 'staff', SCOPES: 'openid profile groups' }),
      ...partner.settings('PARTNER'),
    },
  })
})
afterAll(async () => {
  await stowage[Symbol.asyncDispose]()
  await corp[Symbol.asyncDispose]()
  await partner[Symbol.asyncDispose]()
})

const path = '/user/settings/identities'
const linked: [number, string] = [303, path]

/** Somebody with a password, who has signed in with it. */
async function withPassword(name: string): Promise<Person> {
  await stowage.user(name)
  const person = new Person(stowage)
  expect((await person.browser.signIn(name)).status).toBe(200)
  return person
}

const passwordOf = (name: string) => `${name}-Pass-1234`
const identitiesOf = async (name: string) =>
  (await (await stowage.admin.fetch(`/api/v1/admin/users/${name}/identities`)).json()) as {
    id: number
    label: string
  }[]

describe('an identity is linked', () => {
  test('by who has signed in, with his password; then it is enough to come in', async () => {
    const ada = await withPassword('ada')
    partner.account('ada-elsewhere')
    expect(await told(await ada.link('partner', 'ada-elsewhere'))).toEqual([422, 'Type your password.'])
    expect(await told(await ada.link('partner', 'ada-elsewhere', 'a guess'))).toEqual([
      403,
      'This is not your password.',
    ])
    expect(await told(await ada.link('partner', 'ada-elsewhere', passwordOf('ada')))).toEqual(linked)
    const page = await (await ada.browser.fetch(path)).text()
    expect(page).toContain('ada-elsewhere')

    const again = new Person(stowage)
    expect(await told(await again.comeIn('partner', 'ada-elsewhere'))).toEqual([303, '/'])
    expect(await again.browser.whoAmI()).toBe('ada')
    // Twice is once.
    expect(await told(await ada.link('partner', 'ada-elsewhere', passwordOf('ada')))).toEqual(linked)
    expect(await identitiesOf('ada')).toHaveLength(1)
  })

  test('to one account only', async () => {
    const bea = await withPassword('bea')
    const cy = await withPassword('cy')
    partner.account('shared')
    expect(await told(await bea.link('partner', 'shared', passwordOf('bea')))).toEqual(linked)
    expect(await told(await cy.link('partner', 'shared', passwordOf('cy')))).toEqual([
      403,
      'This identity belongs to another account here.',
    ])
    expect(await identitiesOf('cy')).toEqual([])
  })

  test('only where its provider lets it in', async () => {
    const dan = await withPassword('dan')
    corp.account('dan', { groups: [] })
    expect((await told(await dan.link('corp', 'dan', passwordOf('dan'))))[0]).toBe(403)
    expect(await identitiesOf('dan')).toEqual([])
  })

  test('never by a page of another site', async () => {
    const eve = await withPassword('eve')
    const fields = new URLSearchParams({ link: 'partner', password: passwordOf('eve') })
    const sent = await eve.browser.fetch(path, {
      method: 'POST',
      headers: { 'Sec-Fetch-Site': 'cross-site', 'Content-Type': 'application/x-www-form-urlencoded' },
      body: String(fields),
    })
    expect(sent.status).toBe(403)
    expect(sent.headers.get('refresh')).toBeNull()
  })

  test('only in the session that began it: nobody is slipped the identity of somebody else', async () => {
    partner.account('mallory')
    const mallory = await withPassword('mallory')
    const fields = { link: 'partner', password: passwordOf('mallory') }
    const begun = await mallory.browser.submit(path, fields)
    const url = (begun.headers.get('refresh') ?? '').replace('0; url=', '')
    const answer = await mallory.goOn(url, 'mallory')
    // Without what Mallory's browser keeps, and with it in a browser that somebody else signs in with.
    const fay = await withPassword('fay')
    expect((await told(await fay.browser.fetch(answer)))[0]).toBe(400)
    await mallory.browser.post('/user/logout')
    await mallory.browser.signIn('fay')
    expect(await told(await mallory.browser.fetch(answer))).toEqual([
      400,
      'You are not signed in here any more as who began this. Sign in, and link it again.',
    ])
    expect(await identitiesOf('fay')).toEqual([])
    expect(await identitiesOf('mallory')).toEqual([])
  })

  test('a sign-in links nothing to who has signed in already', async () => {
    const gus = await withPassword('gus')
    partner.account('gus')
    const begun = await gus.browser.fetch('/user/oidc/partner')
    expect([begun.status, begun.headers.get('location')]).toEqual([303, '/'])
    // Begun before he signed in with his password.
    const early = new Person(stowage)
    const answer = await early.answerOf('partner', 'gus')
    await early.browser.signIn('gus')
    expect((await told(await early.browser.fetch(answer)))[0]).toBe(403)
    expect(await identitiesOf('gus')).toEqual([])
  })

  test('not to what there is not', async () => {
    const hal = await withPassword('hal')
    expect((await hal.link('nobody', 'hal', passwordOf('hal'))).status).toBe(404)
    expect((await new Browser(stowage).submit(path, { link: 'partner' })).status).toBe(401)
  })
})

describe('an identity is unlinked', () => {
  test('by whose it is, and lets nobody in from then on', async () => {
    const ivy = await withPassword('ivy')
    partner.account('ivy')
    await ivy.link('partner', 'ivy', passwordOf('ivy'))
    const [identity] = await identitiesOf('ivy')
    const jim = await withPassword('jim')
    expect((await jim.browser.submit(path, { unlink: String(identity?.id) })).status).toBe(404)
    for (const wrong of ['', '0', 'x', '99999999999999999999']) {
      expect((await ivy.browser.submit(path, { unlink: wrong })).status).toBe(422)
    }
    const gone = await ivy.browser.submit(path, { unlink: String(identity?.id) })
    expect([gone.status, gone.headers.get('location')]).toEqual([303, path])
    expect((await told(await new Person(stowage).comeIn('partner', 'ivy')))[0]).toBe(403)
  })

  test('not where it is the only way in, but by an administrator', async () => {
    corp.account('kim', { groups: ['staff'] })
    const kim = new Person(stowage)
    expect((await told(await kim.comeIn('corp', 'kim')))[0]).toBe(303)
    const [identity] = await identitiesOf('kim')
    const refused = await kim.browser.submit(path, { unlink: String(identity?.id) })
    expect([refused.status, saidIn(await refused.text())]).toEqual([
      422,
      'Your account has no password, so this provider vouches for it: an administrator can unlink it.',
    ])
    partner.account('kim')
    expect(await told(await kim.link('partner', 'kim'))).toEqual(linked)
    // The partner lets everybody in: who left the corporation would go on by it.
    expect((await kim.browser.submit(path, { unlink: String(identity?.id) })).status).toBe(422)
    const [, open] = await identitiesOf('kim')
    expect((await kim.browser.submit(path, { unlink: String(open?.id) })).status).toBe(303)
    const [other] = await identitiesOf('kim')
    const page = '/-/admin/users/kim'
    const admin = new Browser(stowage)
    await admin.signIn('admin', 'admin-Pass-1234')
    expect(await (await admin.fetch(page)).text()).toContain('Unlink')
    expect((await admin.submit(`${page}/unlink`, { unlink: String(other?.id) })).status).toBe(303)
    expect(await identitiesOf('kim')).toEqual([])
  })

  test('over the API', async () => {
    const lea = await withPassword('lea')
    const byPassword = stowage.anonymous.with({ Authorization: `Basic ${btoa(`lea:${passwordOf('lea')}`)}` })
    const { secret } = await byPassword.as('lea').token(['write:user'])
    partner.account('lea')
    await lea.link('partner', 'lea', passwordOf('lea'))
    // From now on her password is for her browser alone, and for nothing that runs.
    const refused = await byPassword.fetch('/api/v1/user')
    expect([refused.status, await refused.text()]).toEqual([
      401,
      expect.stringContaining('signs in through a provider, so its password does not count here: send a token'),
    ])
    const owner = stowage.anonymous.with({ Authorization: `token ${secret}` })
    const [identity] = (await (await owner.fetch('/api/v1/user/identities')).json()) as { id: number }[]
    expect(identity).toMatchObject({ provider: 'partner', issuer: partner.url, subject: 'lea', label: 'lea' })
    const remove = (id: unknown) => owner.fetch(`/api/v1/user/identities/${id}`, { method: 'DELETE' })
    expect((await remove(Number(identity?.id) + 1)).status).toBe(404)
    expect((await remove(identity?.id)).status).toBe(204)
    expect((await remove(identity?.id)).status).toBe(404)
    expect((await byPassword.fetch('/api/v1/user')).status).toBe(200)
    expect((await owner.fetch('/api/v1/admin/users/lea/identities')).status).toBe(403)
    expect((await owner.fetch('/api/v1/admin/users/lea/suspension', { method: 'DELETE' })).status).toBe(403)
    expect((await stowage.admin.fetch('/api/v1/admin/users/nobody/identities')).status).toBe(404)
  })
})
