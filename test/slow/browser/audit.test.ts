import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { Page } from 'playwright-core'
import { demandAccessible, desktop, openWindow, phone, type WindowOptions } from '../../support/chromium.ts'
import { type Client, startStowage, type TestStowage } from '../../support/stowage.ts'

let stowage: TestStowage
let ada: Client

beforeAll(async () => {
  stowage = await startStowage()
  ada = await stowage.user('ada')
  await stowage.user('eva')
  await ada.post('/api/v1/orgs', { username: 'acme' })
  await ada.put({ owner: 'acme', package: 'anvil' }, 'anvil')
  await ada.put({ package: 'a-long-name-'.repeat(20), version: 'v'.repeat(255), file: `${'f'.repeat(250)}.bin` }, 'x')
  for (let version = 0; version < 32; version += 1) await ada.put({ version: `${version}` }, 'x')
  await ada.post('/api/v1/users/ada/tokens', { name: 'ci', scopes: ['write:package'] })
})
afterAll(() => stowage[Symbol.asyncDispose]())

const windows: [string, WindowOptions][] = [
  ['desktop, light', { size: desktop, scheme: 'light' }],
  ['phone, dark', { size: phone, scheme: 'dark' }],
  ['phone, without scripts', { size: phone, javaScript: false }],
]

describe.each(windows)('in a window that is %s', (_, options) => {
  /** axe runs in the page, so it needs what a reader without scripts does not. */
  const look = async (page: Page) => {
    if (options.javaScript !== false) await demandAccessible(page)
  }

  test('somebody reads what was done, opens the details, turns the page and narrows the list', async () => {
    await using window = await openWindow(stowage, options)
    window.expectComplaint(/status of 422/)
    const { page } = window
    await window.signIn('ada')
    await page.goto('/user/settings/audit')
    await page.getByText('ada made the token ci').waitFor()
    await look(page)
    await page
      .getByRole('row', { name: /made the token/ })
      .getByText('Details')
      .click()
    await page.getByText('token.created').first().waitFor()
    await look(page)
    await page.getByRole('link', { name: 'Next' }).click()
    await page.getByText('admin made the account ada').waitFor()
    await look(page)

    await page.getByText('Filter', { exact: true }).click()
    await page.getByLabel('What').selectOption('token.')
    await page.getByLabel('From', { exact: true }).fill('2001-02-03T04:05')
    await page.getByRole('button', { name: 'Show these' }).click()
    await page.getByText('ada made the token ci').waitFor()
    expect(await page.locator('tbody tr').count()).toBe(1)
    expect(await page.getByLabel('From', { exact: true }).inputValue()).toBe('2001-02-03T04:05')
    await look(page)
    await page.getByLabel('Token', { exact: true }).fill('nonsense')
    await page.getByRole('button', { name: 'Show these' }).click()
    await page.getByText('Must be the last eight characters of a token.').waitFor()
    await look(page)
    await page.getByRole('link', { name: 'Show everything' }).click()
    await page.getByText('1 to 30 of').waitFor()
  })

  test('an organisation, a package and the site', async () => {
    await using window = await openWindow(stowage, options)
    const { page } = window
    await window.signIn('admin')
    await page.goto('/acme/-/audit')
    await page.getByText('ada made the organisation acme').waitFor()
    await look(page)
    await page.goto('/acme/-/packages/generic/anvil/-/audit')
    await page.getByRole('link', { name: '1.0' }).waitFor()
    await look(page)
    await page.goto('/-/admin/audit?owner=ada&action=file.')
    await page.getByText('in a-long-name-').or(page.getByText('Next')).first().waitFor()
    await look(page)
    await page.goto('/-/admin/audit?actor=nobody')
    await page.getByText('Nothing of that kind was done.').waitFor()
    await look(page)
  })
})
