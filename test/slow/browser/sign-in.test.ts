import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TOTP } from 'otpauth'
import {
  demandAccessible,
  desktop,
  openWindow,
  phone,
  type Window,
  type WindowOptions,
} from '../../support/chromium.ts'
import { codeIn, makeLink } from '../../support/links.ts'
import { type MailServer, startMailServer } from '../../support/mail-server.ts'
import { ServerProcess } from '../../support/server-process.ts'
import { type Client, startStowage, type TestStowage } from '../../support/stowage.ts'

const clock = { now: Date.now() }
let stowage: TestStowage
let mails: MailServer

beforeAll(async () => {
  mails = await startMailServer()
  stowage = await startStowage({
    settings: {
      STOWAGE_SIGN_UP: 'true',
      STOWAGE_SMTP_URL: mails.url,
      STOWAGE_MAIL_FROM: 'packages@example.com',
    },
    replace: { now: () => clock.now },
  })
  for (const name of ['ada', 'bea', 'cy', 'dan', 'eve', 'fay', 'gus']) await stowage.user(name)
})
afterAll(async () => {
  await stowage[Symbol.asyncDispose]()
  await mails.stop()
})

const looks: [string, WindowOptions][] = [
  ['desktop, light', { size: desktop, scheme: 'light' }],
  ['phone, dark', { size: phone, scheme: 'dark' }],
]
/** Of answers that are a refusal, which the console tells. */
const refused = /status of 4\d\d/

const passwordOf = (name: string) => `${name}-Pass-1234`
const press = (window: Window, name: string) => window.page.getByRole('button', { name, exact: true }).click()
const says = (window: Window, text: string | RegExp) => window.page.getByText(text).first().waitFor()
const pathOf = (window: Window) => {
  const { pathname, search, hash } = new URL(window.page.url())
  return pathname + search + hash
}
const at = (window: Window, path: string) =>
  window.page.waitForURL((url) => url.pathname + url.search + url.hash === path)

async function fill(window: Window, fields: Record<string, string>): Promise<void> {
  for (const [label, value] of Object.entries(fields)) {
    await window.page.getByLabel(label, { exact: true }).fill(value)
  }
}

/** Every address that the browser asked for, and what it said of where it came from. */
function addressesOf({ page }: Window): string[] {
  const seen: string[] = []
  page.on('request', (request) => seen.push(request.url(), request.headers().referer ?? ''))
  return seen
}

async function enrol(person: Client) {
  const { secret } = (await (await person.post('/api/v1/user/totp', {})).json()) as { secret: string }
  const code = () => new TOTP({ secret }).generate({ timestamp: clock.now })
  const confirmed = await person.post('/api/v1/user/totp/confirm', { code: code() })
  const { recovery_codes } = (await confirmed.json()) as { recovery_codes: string[] }
  clock.now += 90_000
  return { code, recovery: recovery_codes }
}

describe.each(looks)('every page is for everybody: %s', (_, look) => {
  test('of a stranger, also where something is wrong', async () => {
    await using window = await openWindow(stowage, look)
    window.expectComplaint(refused)
    const { page } = window
    const twice = { Password: 'x'.repeat(8), 'Password, again': 'y' }
    for (const [path, fields, button] of [
      ['/user/login', { 'User name or e-mail': 'a'.repeat(255), Password: 'wrong' }, 'Sign in'],
      ['/user/sign-up', { 'User name': 'admin', 'E-mail': 'a@example.com', ...twice }, 'Make the account'],
      ['/user/invitation', { Link: 'x'.repeat(255), 'User name': 'zoe', ...twice }, 'Accept the invitation'],
      [
        '/user/password-reset',
        { Link: 'nothing', 'New password': 'x'.repeat(8), 'New password, again': 'y' },
        'Set the password',
      ],
      ['/user/forgot-password', { 'E-mail': 'a@b' }, 'Send the link'],
    ] as const) {
      await page.goto(path)
      await fill(window, fields)
      await press(window, button)
      if (path !== '/user/forgot-password') await page.locator('[role=alert], [aria-invalid=true]').first().waitFor()
      await demandAccessible(page)
    }
  })

  test('of somebody who has signed in', async () => {
    await using window = await openWindow(stowage, look)
    window.expectComplaint(refused)
    const { page } = window
    await window.signIn('ada')
    await page.goto('/user/settings/password')
    await fill(window, {
      'Present password': 'wrong',
      'New password': 'x'.repeat(8),
      'New password, again': 'x'.repeat(8),
    })
    await press(window, 'Change the password')
    await says(window, 'This is not the password that you have now.')
    await demandAccessible(page)
    await page.goto('/user/invitation')
    await demandAccessible(page)
  })
})

describe.each(looks)('somebody who signs in: %s', (_, look) => {
  test('does so with the keyboard alone, after a mistake, and is where he wanted to go', async () => {
    await using window = await openWindow(stowage, look)
    window.expectComplaint(refused)
    const { page } = window
    await page.goto('/user/settings/password')
    await at(window, '/user/login?next=%2Fuser%2Fsettings%2Fpassword')
    const typed = async (password: string) => {
      await page.locator('input[type=password]:focus').waitFor()
      await page.keyboard.type(password)
      await page.keyboard.press('Enter')
    }
    await page.locator('input:focus').waitFor()
    await page.keyboard.type('bea')
    await page.keyboard.press('Tab')
    await typed('wrong')
    await says(window, 'User name or password is not right.')
    expect(await page.getByLabel('User name or e-mail').inputValue()).toBe('bea')
    expect(await page.getByLabel('Password', { exact: true }).inputValue()).toBe('')
    // The field for it has the focus.
    await typed(passwordOf('bea'))
    await at(window, '/user/settings/password')
  })

  test('brings a code of his authenticator, or a recovery code', async () => {
    const name = `totp${look.size?.width}`
    const { code, recovery } = await enrol(await stowage.user(name))
    await using window = await openWindow(stowage, look)
    window.expectComplaint(refused)
    const seen = addressesOf(window)
    const { page } = window
    const password = async () => {
      await page.goto(`/user/login?next=/${name}`)
      await fill(window, { 'User name or e-mail': name, Password: passwordOf(name) })
      await press(window, 'Sign in')
      await says(window, 'Your second factor')
    }
    await password()
    expect(await page.content()).not.toContain(passwordOf(name))
    await demandAccessible(page)
    // Loaded anew, it asks for the code still, and for no form to be sent again.
    await page.reload()
    await page.locator('input:focus').waitFor()
    await page.keyboard.type('12345')
    await page.keyboard.press('Enter')
    await says(window, 'This code is not right, or was used already.')
    await demandAccessible(page)
    await fill(window, { Code: code() })
    await press(window, 'Sign in')
    await at(window, `/${name}`)

    await page.context().clearCookies()
    await password()
    await fill(window, { Code: recovery[3] ?? '' })
    await press(window, 'Sign in')
    await at(window, `/${name}`)
    for (const secret of [passwordOf(name), recovery[3] ?? '']) expect(seen.join(' ')).not.toContain(secret)
  })

  test('and is signed out elsewhere meanwhile: the next click leads to the sign-in, says why, and back', async () => {
    const name = look.size === phone ? 'cy' : 'dan'
    await using window = await openWindow(stowage, look)
    window.expectComplaint(refused)
    const { page } = window
    await window.signIn(name)
    await page.goto('/user/settings/password')
    const sessions = `/api/v1/admin/users/${name}/sessions`
    const endAll = async () => expect((await stowage.admin.fetch(sessions, { method: 'DELETE' })).status).toBe(204)
    await endAll()
    await page.getByRole('navigation', { name: 'Your account' }).getByRole('link', { name: 'Password' }).click()
    await at(window, '/user/login?next=%2Fuser%2Fsettings%2Fpassword')
    await says(window, 'Your session has ended. Sign in again.')
    await demandAccessible(page)
    await fill(window, { 'User name or e-mail': name, Password: passwordOf(name) })
    await press(window, 'Sign in')
    await at(window, '/user/settings/password')

    // The same when he sends a form.
    await endAll()
    await fill(window, {
      'Present password': passwordOf(name),
      'New password': 'x'.repeat(8),
      'New password, again': 'x'.repeat(8),
    })
    await press(window, 'Change the password')
    await says(window, 'Your session has ended')
    await demandAccessible(page)
    await page.getByRole('main').getByRole('link', { name: 'Sign in' }).click()
    await fill(window, { 'User name or e-mail': name, Password: passwordOf(name) })
    await press(window, 'Sign in')
    await at(window, '/user/settings/password')
  })

  test('signs out', async () => {
    await using window = await openWindow(stowage, look)
    await window.signIn('eve')
    await window.page.getByText('eve', { exact: true }).first().click()
    await press(window, 'Sign out')
    await says(window, 'You have signed out.')
    await window.page.goto('/user/settings/password')
    await at(window, '/user/login?next=%2Fuser%2Fsettings%2Fpassword')
    // He ended it himself.
    expect(await window.page.getByText('Your session has ended').count()).toBe(0)
  })
})

describe.each(looks)('a link: %s', (_, look) => {
  const wide = look.size?.width

  test.each([true, false])('to join, with scripts: %p', async (javaScript) => {
    const name = `new${wide}${javaScript}`
    const { url, code } = await makeLink(stowage.admin, '/admin/invitations')
    await using window = await openWindow(stowage, { ...look, javaScript })
    window.expectComplaint(refused)
    const seen = addressesOf(window)
    const { page } = window
    await page.goto(url)
    if (javaScript) {
      // The code is in the form, and nowhere that a look over the shoulder or the history would find it.
      await page.getByLabel('Link').waitFor({ state: 'hidden' })
      expect(pathOf(window)).toBe('/user/invitation')
    } else await fill(window, { Link: url })
    const person = { 'User name': 'admin', Password: passwordOf(name), 'Password, again': passwordOf(name) }
    await fill(window, person)
    await press(window, 'Accept the invitation')
    await says(window, 'Somebody has this name already. Choose another one.')
    if (javaScript) await demandAccessible(page)
    await fill(window, { ...person, 'User name': name })
    await press(window, 'Accept the invitation')
    await says(window, 'Welcome. Your account is made, and you are signed in.')
    expect(seen.filter((address) => address.includes(code) && !address.startsWith(url))).toEqual([])
    expect(seen.filter((address) => address.includes(passwordOf(name)))).toEqual([])
  })

  test('to a new password, by mail', async () => {
    const name = look.size === phone ? 'fay' : 'gus'
    await using window = await openWindow(stowage, look)
    const { page } = window
    // One address may ask a few times an hour, and all of these windows have the same.
    clock.now += 60 * 60_000
    await page.goto('/user/login')
    await page.getByRole('link', { name: 'Forgot your password?' }).click()
    await fill(window, { 'E-mail': `${name}@example.com` })
    await press(window, 'Send the link')
    await says(window, 'If an account has this address, a mail with a link is on its way.')
    await stowage.stowage.runJobs('forgotten-password')
    await stowage.stowage.runJobs('mail')
    const code = codeIn(mails.mails.at(-1)?.text ?? '')
    await page.goto(`/user/password-reset#${code}`)
    await page.getByLabel('Link').waitFor({ state: 'hidden' })
    await demandAccessible(page)
    await fill(window, { 'New password': 'quite-Another-1', 'New password, again': 'quite-Another-1' })
    await press(window, 'Set the password')
    await says(window, 'Your new password is set. Sign in with it.')
    await fill(window, { 'User name or e-mail': name, Password: 'quite-Another-1' })
    await press(window, 'Sign in')
    await at(window, '/')
  })
})

describe('the first start', () => {
  test.each(looks)('leads from the printed password to one of one’s own, and logs neither: %s', async (_, look) => {
    const folder = await mkdtemp(join(tmpdir(), 'stowage-first-'))
    const server = await ServerProcess.start(folder, { STOWAGE_ADMIN_PASSWORD: '', STOWAGE_LOG_LEVEL: 'debug' })
    try {
      const printed = (await readFile(join(folder, 'first-admin-password'), 'utf8')).trim()
      const [, address = ''] = /Begin in a browser:\n\s*(\S+)/.exec(server.banner) ?? []
      await using window = await openWindow(server, look)
      const { page } = window
      await page.goto(address)
      await fill(window, { 'User name or e-mail': 'admin', Password: printed })
      await press(window, 'Sign in')
      await at(window, '/user/settings/password')
      expect(await page.locator('[aria-current=step]').textContent()).toContain('Choose a password')
      await demandAccessible(page)
      // There is no way around it.
      await page.goto('/admin')
      await at(window, '/user/settings/password')
      await fill(window, {
        'Present password': printed,
        'New password': 'my-Own-Pass-1',
        'New password, again': 'my-Own-Pass-1',
      })
      await press(window, 'Set the password')
      await at(window, '/')
      await says(window, 'Your new password is set.')
      await demandAccessible(page)
      for (const secret of [printed, 'my-Own-Pass-1']) expect(server.errors).not.toContain(secret)
    } finally {
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    }
  })
})
