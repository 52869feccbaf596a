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
  for (const name of ['bob', 'cora']) await stowage.user(name)
})
afterAll(() => stowage[Symbol.asyncDispose]())

const looks: [string, WindowOptions][] = [
  ['desktop-light', { size: desktop, scheme: 'light' }],
  ['phone-dark', { size: phone, scheme: 'dark' }],
]
const press = (window: Window, name: string) => window.page.getByRole('button', { name, exact: true }).click()
const go = (window: Window, name: string) => follow(window.page.getByRole('link', { name, exact: true }).first())
const says = (window: Window, text: string | RegExp) => window.page.getByText(text).first().waitFor()
/** Field by label, as people find them. */
async function type(window: Window, fields: Record<string, string>): Promise<void> {
  for (const [label, text] of Object.entries(fields)) await window.page.getByLabel(label, { exact: true }).fill(text)
}

test.each(looks)('an organisation, from its making to the last who leaves: %s', async (look, options) => {
  const owner = `owner-${look}`
  const org = `org-${look}`
  await stowage.user(owner)
  await using window = await openWindow(stowage, options)
  const { page } = window
  window.expectComplaint(/status of (404|422)/)
  await window.signIn(owner)

  await page.goto('/user/organisations')
  await says(window, 'You are in no organisation')
  await demandAccessible(page)
  await go(window, 'New organisation')
  await type(window, { Name: 'no-good-', 'Full name (optional)': 'Kept', 'Description (optional)': 'Anvils.' })
  await page.getByLabel('Private').check()
  await press(window, 'Make the organisation')
  await says(window, /a name must be 1 to 40/i)
  expect(await page.getByLabel('Full name').inputValue()).toBe('Kept')
  expect(await page.getByLabel('Private').isChecked()).toBe(true)
  expect(await page.getByLabel('Name', { exact: true }).getAttribute('aria-invalid')).toBe('true')
  await demandAccessible(page)
  await page.getByLabel('Name', { exact: true }).fill(org)
  await press(window, 'Make the organisation')
  await says(window, 'You are its first owner.')
  await says(window, '1 member')
  await demandAccessible(page)

  await go(window, 'Teams')
  await says(window, '1 team')
  await demandAccessible(page)
  await go(window, 'New team')
  await demandAccessible(page)
  await type(window, { Name: 'Release-Engineering' })
  await page.getByLabel('Publish').check()
  await press(window, 'Make the team')
  await says(window, 'Nobody is in this team')
  await type(window, { 'Add somebody who has an account': 'nobody-here' })
  await press(window, 'Add to the team')
  await says(window, 'There is no user nobody-here')
  await demandAccessible(page)
  await type(window, { 'Add somebody who has an account': 'bob' })
  await page.keyboard.press('Enter')
  await says(window, 'Added to the team.')
  await type(window, { 'Description (optional)': 'Who publishes' })
  await press(window, 'Save the team')
  await says(window, 'The team is changed.')
  await demandAccessible(page)

  // Who publishes there sees it, and others by their names only what they may.
  await using bobs = await openWindow(stowage, options)
  await bobs.signIn('bob')
  await bobs.page.goto(`/${org}/-/members`)
  await says(bobs, '2 members')
  expect(await bobs.page.getByRole('link', { name: 'Remove' }).count()).toBe(0)
  expect(await bobs.page.getByRole('link', { name: 'Invite somebody' }).count()).toBe(0)
  await demandAccessible(bobs.page)

  await page.goto(`/${org}/-/members`)
  await page.getByRole('link', { name: /^Remove bob/ }).click()
  await says(window, 'They cannot publish, change or delete packages there, nor can their tokens.')
  await demandAccessible(page)
  await press(window, 'Remove')
  await says(window, 'Taken out of the organisation.')
  bobs.expectComplaint(/status of 404/)
  await bobs.page.reload()
  await says(bobs, 'Nothing is here')

  await page.goto(`/${org}/-/teams`)
  await go(window, 'Release-Engineering')
  await go(window, 'Delete the team…')
  await says(window, 'Nobody is in this team.')
  await demandAccessible(page)
  await type(window, { 'Type Release-Engineering to confirm': 'release' })
  await press(window, 'Delete the team')
  await says(window, 'Type Release-Engineering to delete this team.')
  await demandAccessible(page)
  await type(window, { 'Type Release-Engineering to confirm': 'Release-Engineering' })
  await press(window, 'Delete the team')
  await says(window, 'The team is deleted.')

  await go(window, 'Members')
  await go(window, 'Leave…')
  await says(window, 'make somebody else an owner')
  await demandAccessible(page)
  expect(await page.getByRole('button', { name: 'Leave' }).count()).toBe(0)
})

test.each(looks)('an invitation, whose link is shown once, leads its guest in: %s', async (look, options) => {
  const host = `host-${look}`
  const client = await stowage.user(host)
  await client.post('/api/v1/orgs', { username: `inn-${look}`, visibility: 'private' })
  await client.post(`/api/v1/orgs/inn-${look}/teams`, { name: 'guests', permission: 'read' })
  await using window = await openWindow(stowage, options)
  const { page } = window
  window.expectComplaint(/status of 422/)
  await window.signIn(host)
  await page.goto(`/inn-${look}/-/invitations`)
  await says(window, 'Nobody has an invitation at the moment')
  await demandAccessible(page)
  await type(window, { 'Full name (optional)': 'Gus '.repeat(60).trim() })
  expect(await page.getByLabel('Team').locator('option:checked').textContent()).toBe('guests')
  await press(window, 'Make an invitation')
  await says(window, 'The invitation is made')
  await demandAccessible(page)
  const link = (await page.locator('pre code').textContent()) ?? ''
  await page.goto(`/inn-${look}/-/invitations`)
  expect(await page.getByText('user/invitation#').count()).toBe(0)
  await page.getByRole('cell', { name: 'Gus' }).first().waitFor()
  await demandAccessible(page)

  await using guest = await openWindow(stowage, options)
  await guest.signIn('cora')
  await guest.page.goto(link)
  await guest.page.getByRole('button', { name: /join|accept/i }).click()
  await guest.page.goto('/user/organisations')
  await guest.page.getByRole('link', { name: `inn-${look}`, exact: true }).waitFor()
  await demandAccessible(guest.page)
  await guest.page.getByRole('link', { name: 'guests' }).last().click()
  await go(guest, 'Leave…')
  await demandAccessible(guest.page)
  await press(guest, 'Leave')
  await says(guest, 'You have left the team.')

  await type(window, { 'Full name (optional)': 'Hal' })
  await press(window, 'Make an invitation')
  await says(window, 'The invitation is made')
  await press(window, 'Withdraw the invitation for Hal')
  await says(window, 'The invitation is withdrawn')
})

test('all of it is read, and sent, without scripts', async () => {
  const client = await stowage.user('plain')
  await client.post('/api/v1/orgs', { username: 'plain-org' })
  await using window = await openWindow(stowage, { javaScript: false, size: phone })
  const { page } = window
  await window.signIn('plain')
  for (const path of ['/user/organisations', '/org/create', '/plain-org/-/members', '/plain-org/-/teams']) {
    await page.goto(path)
    await page.getByRole('heading', { level: 1 }).waitFor()
  }
  await page.goto('/plain-org/-/teams/new')
  await type(window, { Name: 'scriptless' })
  await press(window, 'Make the team')
  await says(window, 'The team is made.')
  await page.goto('/plain-org/-/invitations')
  await press(window, 'Make an invitation')
  expect(await page.locator('pre code').textContent()).toContain('/user/invitation#')
})
