import { afterAll, beforeAll, expect, test } from 'bun:test'
import {
  demandAccessible,
  desktop,
  follow,
  openWindow,
  phone,
  type Window,
  type WindowOptions,
} from '../../support/chromium.ts'
import { startStowage, type TestStowage } from '../../support/stowage.ts'

let stowage: TestStowage
beforeAll(async () => {
  stowage = await startStowage()
})
afterAll(() => stowage[Symbol.asyncDispose]())

const looks: [string, WindowOptions][] = [
  ['desktop-light', { size: desktop, scheme: 'light' }],
  ['phone-dark', { size: phone, scheme: 'dark' }],
  ['without-scripts', { size: desktop, scheme: 'light', javaScript: false }],
]
const says = (window: Window, text: string | RegExp) => window.page.getByText(text).first().waitFor()

test.each(looks)('a package becomes private, and lets somebody in: %s', async (look, options) => {
  const [name, friend, org] = [`ada-${look}`, `bob-${look}`, `acme-${look}`]
  const ada = await stowage.user(name)
  const bob = (await stowage.user(friend)).as(org)
  await ada.post('/api/v1/orgs', { username: org })
  await ada.post(`/api/v1/orgs/${org}/teams`, { name: 'testers', permission: 'read' })
  expect((await ada.put({ owner: org }, 'bytes')).status).toBe(201)
  await using window = await openWindow(stowage, options)
  const { page } = window
  const check = async () => {
    if (options.javaScript !== false) await demandAccessible(page)
  }
  window.expectComplaint(/status of 422/)
  await window.signIn(name)
  await page.goto(`/${org}/-/packages/generic/tool`)
  await follow(page.getByRole('link', { name: 'Who can read and write it' }))
  await says(window, 'Nobody is named.')
  await check()
  await page.getByLabel('Private').check()
  await page.getByRole('button', { name: 'Save' }).click()
  await says(window, 'Who sees the package is changed.')
  expect((await bob.get()).status).toBe(404)
  const form = (heading: string) =>
    page.locator('form', { has: page.getByRole('heading', { name: heading, exact: true }) })
  await form('User').getByLabel('Name').fill('nobody-here')
  await form('User').getByRole('button', { name: 'Add' }).click()
  await says(window, 'There is no user nobody-here')
  await check()
  await form('User').getByLabel('Name').fill(friend)
  await form('User').getByRole('button', { name: 'Add' }).click()
  await says(window, 'The right on the package is given.')
  expect((await bob.get()).status).toBe(200)
  await form('Team').getByLabel('Team').selectOption('testers')
  await form('Team').getByLabel('Can').selectOption('Read and write')
  await form('Team').getByRole('button', { name: 'Add' }).click()
  await page.getByRole('cell', { name: 'testers', exact: true }).waitFor()
  await check()
  await page.getByRole('button', { name: `Remove ${friend}` }).click()
  await says(window, 'The right on the package is taken away.')
  expect((await bob.get()).status).toBe(404)
  await page.goto(`/${org}`)
  await says(window, 'Private')
  await check()
})
