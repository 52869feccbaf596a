import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import {
  demandAccessible,
  desktop,
  openWindow,
  phone,
  type Window,
  type WindowOptions,
} from '../../support/chromium.ts'
import { Issuer } from '../../support/issuer.ts'
import { startStowage, type TestStowage } from '../../support/stowage.ts'

let corp: Issuer
let partner: Issuer
let stowage: TestStowage

beforeAll(async () => {
  // Names of their own: cookies do not know ports, and two issuers on one host would share theirs.
  corp = await Issuer.start({ host: 'localhost', isStrict: true })
  partner = await Issuer.start({ host: '127.0.0.2' })
  stowage = await startStowage({
    settings: {
      ...corp.settings('CORP', { AUTO_REGISTER: 'true', SCOPES: 'openid profile email offline_access' }),
      ...partner.settings('PARTNER'),
    },
    replace: { outgoing: { limits: { time: 1_500 } } },
  })
})
beforeEach(() => {
  corp.isDown = false
  corp.forge = undefined
})
afterAll(async () => {
  await stowage[Symbol.asyncDispose]()
  await corp[Symbol.asyncDispose]()
  await partner[Symbol.asyncDispose]()
})

const looks: [string, WindowOptions][] = [
  ['desktop, light', { size: desktop, scheme: 'light' }],
  ['phone, dark, without scripts', { size: phone, scheme: 'dark', javaScript: false }],
]
const press = (window: Window, name: string | RegExp) => window.page.getByRole('button', { name }).click()
const go = (window: Window, name: string) => window.page.getByRole('link', { name, exact: true }).click()
const says = (window: Window, text: string | RegExp) => window.page.getByText(text).first().waitFor()
const comesTo = (window: Window, path: string) =>
  window.page.waitForURL((url) => url.href.startsWith(stowage.url) && url.pathname === path)

/** At the issuer, as a person does it there. */
async function signInThere({ page }: Window, issuer: Issuer, login: string): Promise<void> {
  await page.waitForURL((url) => url.href.startsWith(issuer.url))
  await page.getByPlaceholder('Enter any login').fill(login)
  await page.getByPlaceholder('and password').fill('any')
  await page.getByRole('button', { name: 'Sign-in' }).click()
}

const agree = async (window: Window) => press(window, 'Continue')

describe.each(looks)('%s', (look, options) => {
  const suffix = look.split(',')[0] ?? ''
  /** Without a script nothing can be looked at by one. */
  const check = async ({ page }: Window) => {
    if (options.javaScript !== false) await demandAccessible(page)
  }

  test('somebody comes in by his provider, goes, and comes again', async () => {
    const login = `ada-${suffix}`
    corp.account(login)
    await using window = await openWindow(stowage, options)
    const { page } = window
    await page.goto('/user/settings')
    await comesTo(window, '/user/login')
    await check(window)
    await go(window, 'Sign in with Corp')
    await signInThere(window, corp, login)
    // It gives a refresh token to whoever agrees.
    await agree(window)
    await comesTo(window, '/user/settings')
    await says(window, login)
    await page.goto('/user/settings/identities')
    await says(window, 'Corp')
    await check(window)
    await press(window, `Unlink ${login} at Corp`)
    await says(window, 'Your account has no password, so this provider vouches for it')

    await page.context().clearCookies({ name: 'stowage_session' })
    await page.goto('/user/login')
    await go(window, 'Sign in with Corp')
    await comesTo(window, '/')
    await page.goto('/user/settings')
    await says(window, login)
    window.expectComplaint(/status of 422/)
  })

  test('a name that is taken: he chooses another one', async () => {
    const login = `bea-${suffix}`
    corp.account(login)
    await stowage.user(login)
    await using window = await openWindow(stowage, options)
    window.expectComplaint(/status of 422/)
    await window.page.goto('/user/login')
    await go(window, 'Sign in with Corp')
    await signInThere(window, corp, login)
    await comesTo(window, '/user/oidc/corp/name')
    await check(window)
    await press(window, 'Make the account')
    await says(window, 'Somebody has this name already')
    await window.page.getByLabel('User name').fill(`${login}-2`)
    await press(window, 'Make the account')
    await agree(window)
    await comesTo(window, '/')
    await window.page.goto('/user/settings')
    await says(window, `${login}-2`)
  })

  test('who has an account links what he is elsewhere, and unlinks it', async () => {
    const name = `cy-${suffix}`
    partner.account(`${name}.elsewhere`)
    await stowage.user(name)
    await using window = await openWindow(stowage, options)
    window.expectComplaint(/status of 4\d\d/)
    const { page } = window
    await window.signIn(name)
    await page.goto('/user/settings/identities')
    await check(window)
    await page.getByLabel('Your password').fill('a guess')
    await press(window, 'Link Partner')
    await says(window, 'This is not your password.')
    await page.getByLabel('Your password').fill(`${name}-Pass-1234`)
    await press(window, 'Link Partner')
    await signInThere(window, partner, `${name}.elsewhere`)
    await comesTo(window, '/user/settings/identities')
    await says(window, 'The identity is linked')
    await check(window)
    await press(window, /^Unlink /)
    await says(window, 'No identity is linked')
  })

  test('a provider that is down, one that knows nobody, and one that lies', async () => {
    const login = `dan-${suffix}`
    partner.account(login)
    corp.account(login)
    await using window = await openWindow(stowage, options)
    window.expectComplaint(/status of (4\d\d|503)/)
    const { page } = window
    await page.goto('/user/login')
    await go(window, 'Sign in with Partner')
    await signInThere(window, partner, login)
    await says(window, 'nobody has an account here by that identity')
    await check(window)

    await go(window, 'Other ways to sign in')
    await go(window, 'Sign in with Corp')
    await page.waitForURL((url) => url.href.startsWith(corp.url))
    corp.forge = () => ({ claims: { nonce: 'of somebody else' } })
    await signInThere(window, corp, login)
    await says(window, 'could not be trusted')
    const lies = [{ aud: 'somebody-else' }, { iss: partner.url }, { exp: Math.floor(Date.now() / 1000) - 60 }]
    for (const claims of lies) {
      corp.forge = () => ({ claims })
      await page.goto('/user/login')
      await go(window, 'Sign in with Corp')
      await says(window, 'could not be trusted')
    }
    await page.goto('/user/settings')
    await comesTo(window, '/user/login')

    corp.isDown = true
    await go(window, 'Sign in with Corp')
    await says(window, 'Corp does not answer as it should')
    corp.isDown = false
    corp.forge = undefined
    await go(window, 'Begin again')
    await agree(window)
    await comesTo(window, '/')
  })

  test('a provider with new keys lets people in as before, and one that is slow is not waited for without end', async () => {
    const login = `fay-${suffix}`
    corp.account(login)
    await corp.rotateKeys()
    await using window = await openWindow(stowage, options)
    window.expectComplaint(/status of 503/)
    await window.page.goto('/user/login')
    await go(window, 'Sign in with Corp')
    await signInThere(window, corp, login)
    await agree(window)
    await comesTo(window, '/')

    await window.page.context().clearCookies({ name: 'stowage_session' })
    await window.page.goto('/user/login')
    corp.tokenDelay = 30_000
    try {
      await go(window, 'Sign in with Corp')
      await says(window, 'Corp does not answer as it should')
    } finally {
      corp.tokenDelay = 0
    }
  })
})

test('an answer that is brought twice, or by another browser, lets nobody in', async () => {
  corp.account('eve')
  await using window = await openWindow(stowage)
  await using other = await openWindow(stowage)
  for (const one of [window, other]) one.expectComplaint(/status of 400/)
  const answers: string[] = []
  window.page.on('request', (request) => {
    if (request.url().includes('/callback?')) answers.push(request.url())
  })
  await window.page.goto('/user/login')
  await go(window, 'Sign in with Corp')
  await signInThere(window, corp, 'eve')
  await agree(window)
  await comesTo(window, '/')
  const answer = answers.at(-1) ?? ''
  expect(answer).toStartWith(`${stowage.url}/user/oidc/corp/callback?`)
  for (const one of [window, other]) {
    await one.page.goto(answer)
    await says(one, 'This sign-in was begun in another browser, is over already')
  }
  await other.page.goto('/user/settings')
  await comesTo(other, '/user/login')
})
