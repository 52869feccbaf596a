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
const press = (window: Window, name: string) => window.page.getByRole('button', { name, exact: true }).click()
const says = (window: Window, text: string | RegExp) => window.page.getByText(text).first().waitFor()

test.each(looks)('a deploy token from its making to its end: %s', async (look, options) => {
  const name = `ada-${look}`
  const org = `acme-${look}`
  const ada = await stowage.user(name)
  await ada.post('/api/v1/orgs', { username: org })
  await using window = await openWindow(stowage, options)
  const { page } = window
  const check = async () => {
    if (options.javaScript !== false) await demandAccessible(page)
  }
  window.expectComplaint(/status of 422/)
  await window.signIn(name)
  await page.goto(`/${org}`)
  await follow(page.getByRole('link', { name: 'Deploy tokens' }))
  await says(window, 'There are no deploy tokens yet')
  await check()
  await follow(page.getByRole('link', { name: 'New deploy token' }).first())
  await check()
  await page.getByLabel('Name', { exact: true }).fill('release')
  await page.getByLabel('Packages (optional)').fill('tool-*\nelse/tool')
  await press(window, 'Make deploy token')
  await says(window, `is of another owner than ${org}`)
  expect(await page.getByLabel('Packages (optional)').inputValue()).toBe('tool-*\nelse/tool')
  await check()
  await page.getByLabel('Packages (optional)').fill('tool-*')
  await press(window, 'Make deploy token')
  await says(window, 'Copy it now')
  await check()
  const secret = (await page.getByText(/^[0-9a-f]{40}$/).textContent()) ?? ''
  const token = stowage.anonymous.as(org).with({ Authorization: `token ${secret}` })
  expect((await token.put({ package: 'tool-a' }, 'bytes')).status).toBe(201)
  await follow(page.getByRole('link', { name: 'I have copied it' }))
  await says(window, '1 deploy token')
  await says(window, 'tool-*')
  expect(await page.content()).not.toContain(secret)
  await check()
  await follow(page.getByRole('link', { name: 'Delete release' }))
  await check()
  await press(window, 'Delete deploy token')
  await says(window, 'The deploy token is deleted.')
  expect((await token.get({ package: 'tool-a' })).status).toBe(401)
})
