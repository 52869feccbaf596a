import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { readFile } from 'node:fs/promises'
import { TOTP } from 'otpauth'
import type { Page } from 'playwright-core'
import { demandAccessible, desktop, openWindow, phone, type WindowOptions } from '../../support/chromium.ts'
import { startStowage, type TestStowage } from '../../support/stowage.ts'

const hour = 60 * 60_000
const clock = { now: Date.now() }
let stowage: TestStowage

beforeAll(async () => {
  stowage = await startStowage({ replace: { now: () => clock.now } })
})
afterAll(() => stowage[Symbol.asyncDispose]())

const windows: [string, WindowOptions][] = [
  ['desktop-light', { size: desktop, scheme: 'light' }],
  ['phone-dark', { size: phone, scheme: 'dark' }],
  ['phone-plain', { size: phone, javaScript: false }],
]
const refused = /status of 4\d\d/

const press = (page: Page, name: string | RegExp) => page.getByRole('button', { name }).click()
/** What stands in the first box to copy from. */
const textIn = async (page: Page) => (await page.locator('.command code').first().textContent()) ?? ''
const field = (page: Page, name: string) => page.getByRole('textbox', { name, exact: true })

describe.each(windows)('in a window that is %s', (kind, options) => {
  /** axe runs in the page, so it needs what a reader without scripts does not. */
  const look = async (page: Page) => {
    if (options.javaScript !== false) await demandAccessible(page)
  }

  test('somebody changes the profile, and mends what was wrong', async () => {
    const name = `profile-${kind}`
    await stowage.user(name)
    await using window = await openWindow(stowage, options)
    window.expectComplaint(refused)
    const { page } = window
    await window.signIn(name)
    await page.goto('/user/settings')
    await field(page, 'Full name').fill('Ada <b>Lovelace</b>')
    await field(page, 'About you').fill('x'.repeat(256))
    await page.getByRole('radio', { name: /^Private/ }).check()
    await press(page, 'Save profile')
    await page.getByText('May have 255 characters at most.').waitFor()
    expect(await field(page, 'Full name').inputValue()).toBe('Ada <b>Lovelace</b>')
    expect(await page.getByRole('radio', { name: /^Private/ }).isChecked()).toBe(true)
    await look(page)
    await field(page, 'About you').fill('Counts')
    await press(page, 'Save profile')
    await page.getByText('Your profile is changed.').waitFor()
    expect(await field(page, 'Full name').inputValue()).toBe('Ada <b>Lovelace</b>')
    await field(page, 'E-mail address').fill(`new-${kind}@example.com`)
    await page.getByLabel('Your password').fill('wrong')
    await press(page, 'Change address')
    await page.getByText('This is not your password.').waitFor()
    await look(page)
    expect(await page.getByLabel('Your password').inputValue()).toBe('')
    await page.getByLabel('Your password').fill(`${name}-Pass-1234`)
    await press(page, 'Change address')
    await page.getByText('Your e-mail address is changed.').waitFor()
  })

  test('somebody sets up a second factor, keeps the recovery codes, and turns it off', async () => {
    const name = `factor-${kind}`
    const password = `${name}-Pass-1234`
    await stowage.user(name)
    await using window = await openWindow(stowage, { ...options, context: { acceptDownloads: true } })
    window.expectComplaint(refused)
    const { page } = window
    await window.signIn(name)
    await page.goto('/user/settings/two-factor')
    await page.getByLabel('Your password').fill(password)
    await press(page, 'Set up')
    await page.getByRole('img', { name: 'QR code' }).waitFor()
    await look(page)
    // What a person would type from the page.
    const secret = (await textIn(page)).replaceAll(' ', '')
    const code = () => new TOTP({ secret }).generate({ timestamp: clock.now })
    await field(page, 'Code').fill('12 34')
    await press(page, 'Turn on')
    await page.getByText('This is not the code').waitFor()
    await look(page)
    await field(page, 'Code').fill(code())
    await press(page, 'Turn on')
    await page.getByText('Two-factor sign-in is on.').waitFor()
    await look(page)
    const codes = (await textIn(page)).split('\n')
    expect(codes).toHaveLength(10)
    const download = page.waitForEvent('download')
    await press(page, 'Download as a text file')
    const file = await download
    expect(file.suggestedFilename()).toBe('stowage-recovery-codes.txt')
    expect(await readFile(await file.path(), 'utf8')).toContain(codes.join('\n'))
    await page.getByRole('link', { name: 'I have kept them' }).click()
    await page.getByText('10 codes left').waitFor()
    await look(page)

    await page.getByRole('link', { name: 'New recovery codes' }).click()
    await page.getByLabel('Your password').fill(password)
    await field(page, 'Code').fill(codes[0] ?? '')
    await press(page, 'Make new codes')
    await page.getByText('The old ones count no more.').waitFor()
    await look(page)
    const renewed = (await textIn(page)).split('\n')
    await page.goto('/user/settings/two-factor')
    await page.getByRole('link', { name: 'Turn off' }).click()
    await page.getByLabel('Your password').fill(password)
    await field(page, 'Code').fill(codes[1] ?? '')
    await press(page, 'Turn off')
    await page.getByText('This code is not right').waitFor()
    await look(page)
    await page.getByLabel('Your password').fill(password)
    await field(page, 'Code').fill(renewed[0] ?? '')
    await press(page, 'Turn off')
    await page.getByText('Two-factor sign-in is off.').waitFor()
  })

  test('somebody makes a token, tries it and deletes it', async () => {
    const name = `token-${kind}`
    await stowage.user(name)
    await using window = await openWindow(stowage, options)
    window.expectComplaint(refused)
    const { page } = window
    await window.signIn(name)
    await page.goto('/user/settings/tokens')
    await page.getByText('You have no tokens.').waitFor()
    await look(page)
    await press(page, 'Make token')
    await page.getByText('Choose what it may do').waitFor()
    await look(page)
    await field(page, 'Name').fill(`${'n'.repeat(200)} <b>`)
    await page.getByRole('checkbox', { name: 'Publish and delete packages' }).check()
    expect(await page.getByLabel('Last day').isVisible()).toBe(false)
    await page.getByLabel('It ends after').selectOption('date')
    await page.getByLabel('Last day').fill('2020-02-29')
    await press(page, 'Make token')
    await page.getByText('Choose a day, today or later.').waitFor()
    expect(await page.getByRole('checkbox', { name: 'Publish and delete packages' }).isChecked()).toBe(true)
    await look(page)
    await page.getByLabel('It ends after').selectOption('90')
    await press(page, 'Make token')
    await page.getByText('Copy it now').waitFor()
    await look(page)
    const [secret = '', ask = ''] = await page.locator('.command code').allInnerTexts()
    const shell = Bun.spawn(['sh', '-c', `${ask} -sS`], { stdout: 'pipe' })
    expect(JSON.parse(await new Response(shell.stdout).text())).toMatchObject({ user: name, scopes: ['write:package'] })
    await page.getByRole('link', { name: 'I have copied it' }).click()
    await page.getByText(secret.slice(-8)).waitFor()
    expect(await page.getByText(secret).count()).toBe(0)
    await look(page)
    await page.getByRole('link', { name: /^Delete nnn/ }).click()
    await page.getByRole('heading', { name: 'Delete this token' }).waitFor()
    await look(page)
    await press(page, 'Delete token')
    await page.getByText('The token is deleted.').waitFor()
    await page.getByText('You have no tokens.').waitFor()
  })

  test('somebody ends the session of another browser, which is then led to sign in and back', async () => {
    const name = `session-${kind}`
    await stowage.user(name)
    await using here = await openWindow(stowage, options)
    await using there = await openWindow(stowage, options)
    there.expectComplaint(refused)
    await here.signIn(name)
    clock.now += hour
    await there.signIn(name)
    await there.page.goto('/user/settings')
    await here.page.goto('/user/settings/sessions')
    expect(await here.page.getByText('This browser', { exact: true }).count()).toBe(1)
    await look(here.page)
    await press(here.page, /^End\s*the session/)
    await here.page.getByText('The session has ended.').waitFor()
    await look(here.page)
    // What was being typed is refused; the next page asks to sign in, and then is the page that was wanted.
    await field(there.page, 'Full name').fill('Not saved')
    await press(there.page, 'Save profile')
    await there.page.getByRole('heading', { name: 'Your session has ended' }).waitFor()
    await look(there.page)
    await there.page.goto('/user/settings/sessions')
    await there.page.waitForURL(/\/user\/login\?next=/)
    await field(there.page, 'User name or e-mail').fill(name)
    await there.page.getByLabel('Password', { exact: true }).fill(`${name}-Pass-1234`)
    await press(there.page, 'Sign in')
    await there.page.waitForURL(/\/user\/settings\/sessions$/)
    await press(there.page, 'End all other sessions')
    await there.page.getByText('All your other sessions have ended.').waitFor()
    await here.page.goto('/user/settings')
    await here.page.waitForURL(/\/user\/login/)
  })
})

test('the keyboard alone makes a token', async () => {
  await stowage.user('keys')
  await using window = await openWindow(stowage)
  const { page } = window
  await window.signIn('keys')
  await page.goto('/user/settings/tokens')
  await field(page, 'Name').focus()
  await page.keyboard.type('typed')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Space')
  expect(await page.getByRole('checkbox', { name: 'Read packages' }).isChecked()).toBe(true)
  for (let steps = 0; steps < 9; steps++) await page.keyboard.press('Tab')
  expect(await page.evaluate('document.activeElement.name')).toBe('expires')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await page.getByText('Copy it now').waitFor()
})

test('a token is copied', async () => {
  await stowage.user('copy')
  await using window = await openWindow(stowage, { context: { permissions: ['clipboard-read', 'clipboard-write'] } })
  const { page } = window
  await window.signIn('copy')
  await page.goto('/user/settings/tokens')
  await field(page, 'Name').fill('to copy')
  await page.getByRole('checkbox', { name: 'Everything' }).check()
  await press(page, 'Make token')
  await press(page, 'Copy token')
  await page.getByText('Copied', { exact: true }).waitFor()
  const copied = await page.evaluate('navigator.clipboard.readText()')
  expect(await textIn(page)).toBe(String(copied))
})

test('an old session is asked for the password before it makes a token', async () => {
  await stowage.user('old')
  await using window = await openWindow(stowage)
  window.expectComplaint(refused)
  const { page } = window
  await window.signIn('old')
  clock.now += 13 * hour
  await page.goto('/user/settings/tokens')
  await field(page, 'Name').fill('late')
  await page.getByRole('checkbox', { name: 'Everything' }).check()
  await press(page, 'Make token')
  await page.getByText('Type your password.').waitFor()
  await demandAccessible(page)
  await page.getByLabel('Your password').fill('old-Pass-1234')
  await press(page, 'Make token')
  await page.getByText('Copy it now').waitFor()
})
