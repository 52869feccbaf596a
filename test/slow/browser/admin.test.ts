import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { Page } from 'playwright-core'
import { Browser } from '../../support/browser.ts'
import { demandAccessible, desktop, openWindow, phone, type WindowOptions } from '../../support/chromium.ts'
import { adminPassword, startStowage, type TestStowage } from '../../support/stowage.ts'

let stowage: TestStowage

beforeAll(async () => {
  stowage = await startStowage()
  const ada = await stowage.user('ada')
  await ada.put({}, 'x'.repeat(5000))
})
afterAll(() => stowage[Symbol.asyncDispose]())

const windows: [string, WindowOptions][] = [
  ['desktop-light', { size: desktop, scheme: 'light' }],
  ['phone-dark', { size: phone, scheme: 'dark' }],
  ['phone-plain', { size: phone, javaScript: false }],
]
const refused = /status of 4\d\d/
const press = (page: Page, name: string | RegExp) => page.getByRole('button', { name }).click()
const field = (page: Page, name: string) => page.getByRole('textbox', { name, exact: true })
const box = (page: Page, name: string) => page.getByRole('checkbox', { name })
const told = (page: Page, text: string) => page.getByText(text).first().waitFor()

describe.each(windows)('in a window that is %s', (kind, options) => {
  /** axe runs in the page, so it needs what a reader without scripts does not. */
  const look = async (page: Page) => {
    if (options.javaScript !== false) await demandAccessible(page)
  }
  const openAsAdmin = async () => {
    const window = await openWindow(stowage, options)
    window.expectComplaint(refused)
    await window.signIn('admin', adminPassword)
    return window
  }

  test('a user is added, changed, shut out, renamed and deleted', async () => {
    const name = `user-${kind}`
    await using window = await openAsAdmin()
    const { page } = window
    await page.goto('/-/admin/users')
    await page.getByRole('link', { name: 'Add a user' }).click()
    await field(page, 'User name').fill('ada')
    await field(page, 'E-mail address').fill(`${name}@example.com`)
    await page.getByLabel('Password', { exact: true }).fill('a-first-password')
    expect(await box(page, 'A new password must be set').isChecked()).toBe(true)
    await press(page, 'Add this user')
    await told(page, 'User already exists')
    expect(await field(page, 'E-mail address').inputValue()).toBe(`${name}@example.com`)
    await look(page)
    await field(page, 'User name').fill(name)
    await page.getByLabel('Password', { exact: true }).fill('a-first-password')
    await press(page, 'Add this user')
    await told(page, 'The user is added.')
    await told(page, 'New password due')

    const his = new Browser(stowage)
    expect((await his.signIn(name, 'a-first-password')).status).toBe(200)
    await field(page, 'Full name').fill('Somebody <b>else</b>')
    await field(page, 'Website').fill('no address')
    await press(page, 'Save')
    await told(page, 'Must be an http or https address.')
    await look(page)
    await field(page, 'Website').fill('')
    await box(page, 'Must set a new password').uncheck()
    await box(page, 'Sign-in prohibited').check()
    await press(page, 'Save')
    await told(page, 'The user is changed.')
    expect(await field(page, 'Full name').inputValue()).toBe('Somebody <b>else</b>')
    expect(await his.whoAmI()).toBe(401)
    await page.goto('/-/admin/users')
    await told(page, 'Sign-in prohibited')
    await look(page)
    await page.getByRole('link', { name, exact: true }).click()

    await press(page, 'Make a reset link')
    await told(page, `${stowage.url}/user/password-reset#`)
    await look(page)
    await page.getByRole('link', { name: `Back to ${name}` }).click()
    await field(page, 'New name').fill('ada')
    await press(page, 'Rename')
    await told(page, 'User already exists')
    await field(page, 'New name').fill(`${name}-2`)
    await press(page, 'Rename')
    await told(page, 'The user is renamed.')

    await page.getByRole('link', { name: 'Delete this user' }).click()
    await field(page, `Type ${name}-2 to confirm`).fill(name)
    await press(page, 'Delete this user')
    await told(page, `Type ${name}-2.`)
    await look(page)
    await field(page, `Type ${name}-2 to confirm`).fill(`${name}-2`)
    await press(page, 'Delete this user')
    await told(page, 'The user is deleted.')

    await page.getByRole('link', { name: 'Names' }).click()
    await press(page, `Free the name ${name}`)
    await told(page, 'The name is free')
    await look(page)
  })

  test('the last administrator stays one, and is told so at the box', async () => {
    await using window = await openAsAdmin()
    const { page } = window
    await page.goto('/-/admin/users/admin')
    await box(page, 'Administrator').uncheck()
    await press(page, 'Save')
    await told(page, 'This is the last administrator who can sign in')
    await look(page)
    await page.goto('/-/admin')
    await told(page, 'Nothing here needs you.')
  })

  test('somebody is invited', async () => {
    await using window = await openAsAdmin()
    const { page } = window
    await page.goto('/-/admin/users')
    await page.getByRole('link', { name: 'Invite' }).click()
    await field(page, 'E-mail address (optional)').fill(`invited-${kind}@example.com`)
    await press(page, 'Make a link')
    await told(page, `${stowage.url}/user/invitation#`)
    await look(page)
    await page.getByRole('link', { name: 'To the invitations' }).click()
    await told(page, `invited-${kind}@example.com`)
    await look(page)
    await press(page, 'Withdraw')
    await told(page, 'No invitation waits')
  })

  test('quotas are set, refused where they are none, and removed', async () => {
    await using window = await openAsAdmin()
    const { page } = window
    await page.goto('/-/admin/quotas')
    await field(page, 'Size of all files').first().fill('10 apples')
    await press(page, 'Save')
    await told(page, 'This must be a size')
    await look(page)
    await field(page, 'Size of all files').first().fill('6 KB')
    await press(page, 'Save')
    await told(page, 'The quotas are changed.')
    await told(page, '5 kB of 6 kB')
    await field(page, 'Set one for').fill('nobody')
    await press(page, 'Go on')
    await told(page, 'There is no user or organisation of this name.')
    await look(page)
    await field(page, 'Set one for').fill('ada')
    await press(page, 'Go on')
    await field(page, 'Size of all files').fill('5 kB')
    await press(page, 'Save')
    await told(page, '(full)')
    await look(page)
    await page.getByRole('link', { name: 'Quotas' }).first().click()
    await told(page, '5 kB of 5 kB (full)')
    await look(page)
    await page.getByRole('link', { name: 'Change the quota of ada' }).click()
    await press(page, 'Remove this quota')
    await told(page, 'This owner has what all owners have.')
    await page.goto('/-/admin/quotas')
    await field(page, 'Size of all files').first().fill('')
    await press(page, 'Save')
    await told(page, '5 kB, no limit')
  })

  test('a sweep is asked for, and a job that was given up is seen to', async () => {
    const now = Date.now()
    await stowage.change(
      `insert into jobs (kind, subject, due_at, created_at, attempts, last_error, given_up_at)
       values ('digests', '${kind}', ${now}, ${now}, 7, '${'EIO'.repeat(60)}', ${now})`,
    )
    await using window = await openAsAdmin()
    const { page } = window
    await page.goto('/-/admin/storage')
    await press(page, 'Sweep now')
    await told(page, 'A sweep is asked for.')
    await look(page)
    await stowage.stowage.sweep()
    await page.goto('/-/admin/storage')
    await told(page, 'there was nothing to remove')

    await page.goto('/-/admin')
    await told(page, '1 job was given up.')
    await look(page)
    await page.getByRole('link', { name: 'Look' }).click()
    await told(page, 'EIOEIO')
    await look(page)
    await press(page, 'Forget')
    await told(page, 'The job is forgotten.')
    await page.getByRole('link', { name: 'Given up' }).click()
    await told(page, 'No job was given up')
    await look(page)
  })
})

test('whoever is no administrator is told so, and what leads there is not shown', async () => {
  await using window = await openWindow(stowage)
  window.expectComplaint(refused)
  await window.signIn('ada')
  await window.page.goto('/-/admin/users')
  await told(window.page, 'ada is not an administrator of this site.')
  await demandAccessible(window.page)
})
