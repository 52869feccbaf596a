import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { CDPSession, Page } from 'playwright-core'
import { demandAccessible, desktop, openWindow, phone, type WindowOptions } from '../../support/chromium.ts'
import { startStowage, type TestStowage } from '../../support/stowage.ts'

// A name, as passkeys belong to one; browsers trust this one without TLS.
const settings = { STOWAGE_LISTEN: 'localhost:0' }
let stowage: TestStowage

beforeAll(async () => {
  stowage = await startStowage({ settings })
})
afterAll(() => stowage[Symbol.asyncDispose]())

const place = '/user/settings/passkeys'
const refused = /status of 4\d\d/
const press = (page: Page, name: string | RegExp) => page.getByRole('main').getByRole('button', { name }).click()
const says = (page: Page, text: string | RegExp) => page.getByText(text).first().waitFor()

/** Chromium's own authenticator in software, in the place of a device that somebody unlocks. */
class Device {
  readonly #session: CDPSession
  #id = ''

  private constructor(session: CDPSession) {
    this.#session = session
  }

  static async beside(page: Page): Promise<Device> {
    const device = new Device(await page.context().newCDPSession(page))
    await device.#session.send('WebAuthn.enable')
    await device.another()
    return device
  }

  /** Another device in the place of this one; answers what the former one had. */
  async another(credentials: readonly Credential[] = []): Promise<readonly Credential[]> {
    const before = this.#id === '' ? [] : await this.#credentials()
    if (this.#id !== '') await this.#session.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId: this.#id })
    const { authenticatorId } = await this.#session.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    })
    this.#id = authenticatorId
    for (const credential of credentials) {
      await this.#session.send('WebAuthn.addCredential', { authenticatorId, credential })
    }
    return before
  }

  /** Whether the person unlocks it, or says no. */
  async isUnlocked(isUserVerified: boolean): Promise<void> {
    await this.#session.send('WebAuthn.setUserVerified', { authenticatorId: this.#id, isUserVerified })
  }

  async #credentials(): Promise<Credential[]> {
    return (await this.#session.send('WebAuthn.getCredentials', { authenticatorId: this.#id })).credentials
  }
}

type Credential = Awaited<ReturnType<typeof credentialsOf>>[number]
declare function credentialsOf(): Promise<
  {
    credentialId: string
    isResidentCredential: boolean
    rpId?: string
    privateKey: string
    userHandle?: string
    signCount: number
  }[]
>

const windows: [string, WindowOptions][] = [
  ['desktop-light', { size: desktop, scheme: 'light' }],
  ['phone-dark', { size: phone, scheme: 'dark' }],
]

describe.each(windows)('in a window that is %s', (kind, options) => {
  test('somebody adds two passkeys, signs in with them alone and beside the password, and removes one', async () => {
    const name = `keys-${kind}`
    const password = `${name}-Pass-1234`
    await stowage.user(name)
    await using window = await openWindow(stowage, options)
    window.expectComplaint(refused)
    const { page } = window
    const device = await Device.beside(page)
    await window.signIn(name)
    await page.goto(place)
    await says(page, 'You have no passkeys.')
    await demandAccessible(page)
    await page.getByLabel('Your password').fill('wrong')
    await press(page, 'Go on')
    await says(page, 'This is not your password.')
    await page.getByLabel('Your password').fill(password)
    await press(page, 'Go on')
    await page.getByRole('heading', { name: 'Add a passkey' }).waitFor()
    await demandAccessible(page)

    // Somebody thinks better of it, and then does it.
    await device.isUnlocked(false)
    await page.getByLabel('Name').fill('Phone <b>')
    await press(page, 'Make the passkey')
    await says(page, /^No passkey was made/)
    await demandAccessible(page)
    await device.isUnlocked(true)
    await press(page, 'Make the passkey')
    await says(page, 'The passkey is added.')
    await says(page, 'Phone <b>')
    await demandAccessible(page)

    await page.getByLabel('Your password').fill(password)
    await press(page, 'Go on')
    await press(page, 'Make the passkey')
    await says(page, 'This device has a passkey of your account already.')
    const phone = await device.another()
    await page.getByLabel('Name').fill('Laptop')
    await press(page, 'Make the passkey')
    await says(page, 'The passkey is added.')
    expect(await page.getByRole('row').count()).toBe(3)

    await page.context().clearCookies()
    await page.goto('/user/login')
    await demandAccessible(page)
    await device.isUnlocked(false)
    await press(page, 'Sign in with a passkey')
    await says(page, /^No passkey was shown/)
    await device.isUnlocked(true)
    await press(page, 'Sign in with a passkey')
    await page.waitForURL((url) => url.pathname === '/')
    await page.getByText(name).first().waitFor()

    const laptop = await device.another(phone)
    await page.context().clearCookies()
    await page.goto('/user/login')
    await page.getByLabel('User name or e-mail').fill(name)
    await page.getByLabel('Password', { exact: true }).fill(password)
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await says(page, 'Now show one of your passkeys.')
    await demandAccessible(page)
    await press(page, 'Show a passkey')
    await page.waitForURL((url) => url.pathname === '/')

    await page.goto(place)
    await page.getByRole('link', { name: 'Change Phone <b>' }).click()
    await page.getByLabel('Name').fill('Old phone')
    await press(page, 'Rename')
    await says(page, 'The passkey is renamed.')
    await page.getByRole('link', { name: 'Change Old phone' }).click()
    await demandAccessible(page)
    // The other proof than the password.
    await press(page, 'Show a passkey and remove')
    await says(page, 'The passkey is removed.')
    expect(await page.getByRole('row').count()).toBe(2)
    await page.context().clearCookies()
    await page.goto('/user/login')
    await press(page, 'Sign in with a passkey')
    await says(page, 'This passkey is not one of an account here')
    await device.another(laptop)
    await press(page, 'Sign in with a passkey')
    await page.waitForURL((url) => url.pathname === '/')
  })
})

test('without scripts it is said that they are needed', async () => {
  await stowage.user('plain')
  await using window = await openWindow(stowage, { size: phone, javaScript: false })
  const { page } = window
  await page.goto('/user/login')
  await says(page, /Sign in with a passkey: only a script can/)
  expect(await page.getByRole('button', { name: 'Sign in with a passkey' }).isVisible()).toBe(false)
  await window.signIn('plain')
  await page.goto(place)
  await page.getByLabel('Your password').fill('plain-Pass-1234')
  await press(page, 'Go on')
  await says(page, /Make the passkey: only a script can/)
})

test('at another address than its own, a page says which that is', async () => {
  const { port } = new URL(stowage.url)
  await using window = await openWindow({ url: `http://127.0.0.1:${port}` })
  const { page } = window
  await page.goto('/user/login')
  await says(page, `Passkeys of this site belong to ${stowage.url}: open it by that address.`)
  expect(await page.getByRole('button', { name: 'Sign in with a passkey' }).isVisible()).toBe(false)
})

test('at an IP address there are none, and the page says why', async () => {
  await using other = await startStowage()
  await other.user('ada')
  await using window = await openWindow(other, { size: phone })
  const { page } = window
  await window.signIn('ada')
  await page.goto(place)
  await says(page, /each belongs to the name of a site, and this one is at an IP address/)
  await demandAccessible(page)
})
