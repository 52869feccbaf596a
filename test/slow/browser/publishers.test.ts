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
  stowage = await startStowage({ settings: { STOWAGE_OIDC_PUBLISHERS: 'github, gitlab, https://ci.example.com' } })
})
afterAll(() => stowage[Symbol.asyncDispose]())

const looks: [string, WindowOptions][] = [
  ['desktop-light', { size: desktop, scheme: 'light' }],
  ['phone-dark', { size: phone, scheme: 'dark' }],
]
const press = (window: Window, name: string) => window.page.getByRole('button', { name, exact: true }).click()
const go = (window: Window, name: string | RegExp) => follow(window.page.getByRole('link', { name }).first())
const says = (window: Window, text: string | RegExp) => window.page.getByText(text).first().waitFor()

test.each(looks)('a trusted publisher from its making to its end: %s', async (look, options) => {
  const name = `ada-${look}`
  await stowage.user(name)
  await using window = await openWindow(stowage, options)
  const { page } = window
  const check = () => demandAccessible(page)
  window.expectComplaint(/status of 4\d\d/)
  await window.signIn(name)
  await page.goto(`/${name}/-/publishers`)
  await says(window, 'No job is trusted yet')
  await check()
  await go(window, 'New trusted publisher')
  await says(window, 'Where does the job run?')
  await check()
  await go(window, /GitHub Actions/)
  await page.getByLabel('Name').fill('octo/tool')
  await page.getByLabel('Repository ID').fill('octo/tool')
  await page.getByLabel('Branch or tag').fill('refs/tags/v*')
  await page.getByLabel('Packages', { exact: true }).fill('tool-*')
  await press(window, 'Trust these jobs')
  await says(window, 'Must be the number of one repository')
  expect(await page.getByLabel('Branch or tag').inputValue()).toBe('refs/tags/v*')
  await check()
  await page.getByLabel('Repository ID').fill('74')
  await press(window, 'Trust these jobs')
  await says(window, 'These jobs may publish from now on.')
  await says(window, /id-token: write/)
  await check()
  await page.getByRole('button', { name: 'Copy snippet' }).click()
  await says(window, 'Copied')

  await go(window, 'Change')
  await page.getByLabel('Packages', { exact: true }).fill('tool-*, lib')
  await check()
  await press(window, 'Save the publisher')
  await says(window, 'The trusted publisher is changed.')
  await go(window, 'Trusted publishers')
  await says(window, '1 trusted publisher')
  await check()
  await go(window, 'octo/tool')
  await go(window, 'Delete…')
  await press(window, 'Delete the publisher')
  await says(window, 'Type octo/tool to delete this publisher.')
  await check()
  await page.getByLabel('Type octo/tool to confirm').fill('octo/tool')
  await page.keyboard.press('Enter')
  await says(window, 'The trusted publisher is deleted.')
})
