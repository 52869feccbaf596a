import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { demandAccessible, follow, openWindow, phone } from '../support/chromium.ts'
import { sha256Of } from '../support/seeded.ts'
import { ServerProcess } from '../support/server-process.ts'
import { type Client, startStowage, type TestStowage } from '../support/stowage.ts'

test('whoever starts a server gets to a published and downloaded file in the browser', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'stowage-first-'))
  const server = await ServerProcess.start(folder, { STOWAGE_ADMIN_PASSWORD: '' })
  try {
    const printed = (await readFile(join(folder, 'first-admin-password'), 'utf8')).trim()
    await using window = await openWindow(server)
    const { page } = window

    await page.goto('/')
    await demandAccessible(page)
    await page.getByRole('main').getByRole('link', { name: 'Sign in' }).first().click()
    await page.getByLabel('User name or e-mail').fill('admin')
    await page.getByLabel('Password', { exact: true }).fill(printed)
    await page.getByRole('button', { name: 'Sign in' }).click()

    await page.getByRole('heading', { name: 'Choose a password' }).waitFor()
    await demandAccessible(page)
    await page.getByLabel('Present password').fill(printed)
    await page.getByLabel('New password', { exact: true }).fill('a-better-Pass-1')
    await page.getByLabel('New password, again').fill('a-better-Pass-1')
    await page.getByRole('button', { name: 'Set the password' }).click()

    await page
      .getByRole('main')
      .getByRole('link', { name: /upload/i })
      .first()
      .click()
    await page.getByLabel('Package', { exact: true }).fill('tool')
    await page.getByLabel('Version', { exact: true }).fill('1.0.0')
    await page
      .locator('[aria-label="Files"]')
      .setInputFiles({ name: 'a;rm -rf $HOME', mimeType: 'x/y', buffer: Buffer.from('the bytes') })
    await page.getByRole('button', { name: /^Upload/ }).click()
    await follow(page.getByRole('link', { name: 'Open tool 1.0.0' }))

    await page.getByRole('heading', { level: 1 }).waitFor()
    await demandAccessible(page)
    const download = page.waitForEvent('download')
    await page.getByRole('link', { name: 'a;rm -rf $HOME', exact: true }).first().click()
    expect(await readFile(await (await download).path(), 'utf8')).toBe('the bytes')
  } finally {
    await server.kill()
    await rm(folder, { recursive: true, force: true })
  }
})

let stowage: TestStowage
let ada: Client
beforeAll(async () => {
  stowage = await startStowage()
  ada = await stowage.user('ada')
})
afterAll(() => stowage[Symbol.asyncDispose]())

test('who has no script finds, reads and downloads the same, on a phone', async () => {
  await ada.put({ package: 'anchor', version: '1.0.0', file: 'a;rm -rf $HOME' }, 'the bytes')
  await using window = await openWindow(stowage, { size: phone, scheme: 'dark', javaScript: false })
  const { page } = window
  await page.goto('/')
  await page.getByRole('searchbox').fill('anch')
  await page.getByRole('searchbox').press('Enter')
  await page.getByRole('main').getByRole('link', { name: 'anchor' }).first().click()
  await page.getByRole('heading', { name: 'anchor', level: 1 }).waitFor()
  await page.getByRole('link', { name: '1.0.0', exact: true }).first().click()
  await page.waitForURL('**/anchor/1.0.0')
  const download = page.waitForEvent('download')
  await page.getByRole('link', { name: 'a;rm -rf $HOME', exact: true }).first().click()
  expect(await readFile(await (await download).path(), 'utf8')).toBe('the bytes')
})

test('a session that is revoked in the middle saves nothing, and leads to the sign-in and back', async () => {
  await using window = await openWindow(stowage)
  window.expectComplaint(/status of 4\d\d/)
  const { page } = window
  await window.signIn('ada')
  await page.goto('/user/settings')
  const ended = await stowage.admin.fetch('/api/v1/admin/users/ada/sessions', { method: 'DELETE' })
  expect(ended.status).toBe(204)
  const fullName = page.getByRole('textbox', { name: 'Full name', exact: true })
  await fullName.fill('Not saved')
  await page.getByRole('button', { name: 'Save profile' }).click()
  await page.getByRole('heading', { name: 'Your session has ended' }).waitFor()
  await follow(page.getByRole('main').getByRole('link', { name: 'Sign in' }))
  await page.getByLabel('User name or e-mail').fill('ada')
  await page.getByLabel('Password', { exact: true }).fill('ada-Pass-1234')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.waitForURL('**/user/settings')
  expect(await fullName.inputValue()).toBe('')
})

test('of two people who publish one name at once, one is told what is stored', async () => {
  await stowage.user('bob')
  await ada.post('/api/v1/orgs', { username: 'acme' })
  const team = (await (await ada.post('/api/v1/orgs/acme/teams', { name: 'crew', permission: 'write' })).json()) as {
    id: number
  }
  await ada.fetch(`/api/v1/teams/${team.id}/members/bob`, { method: 'PUT' })
  await using adas = await openWindow(stowage)
  await using bobs = await openWindow(stowage, { size: phone, scheme: 'dark' })
  const both = [
    { window: adas, name: 'ada', bytes: Buffer.from('of ada') },
    { window: bobs, name: 'bob', bytes: Buffer.from('of bob') },
  ]
  await Promise.all(
    both.map(async ({ window, name, bytes }) => {
      window.expectComplaint(/status of 409/)
      await window.signIn(name)
      await window.page.goto('/acme/-/upload?package=tool&version=1.0')
      await window.page.getByRole('button', { name: 'Choose files' }).waitFor()
      await window.page
        .getByLabel('Files', { exact: true })
        .setInputFiles({ name: 'tool.bin', mimeType: 'x/y', buffer: bytes })
    }),
  )
  await Promise.all(both.map(({ window }) => window.page.getByRole('button', { name: /^Upload \d/ }).click()))
  const told = await Promise.all(
    both.map(async ({ window: { page } }) => {
      const row = page.getByRole('listitem').filter({ has: page.getByText('tool.bin', { exact: true }) })
      await row.getByText(/^Published|Another content is stored under this name/).waitFor()
      return row.locator('dd').allTextContents()
    }),
  )
  const stored = sha256Of(
    new Uint8Array(await (await ada.get({ owner: 'acme', version: '1.0', file: 'tool.bin' })).arrayBuffer()),
  )
  // Whose bytes they are sees their digest; the other one sees that digest beside the one of his own file.
  for (const [index, { bytes }] of both.entries()) {
    const own = sha256Of(bytes)
    expect(told[index]).toEqual(own === stored ? [stored] : [stored, own])
  }
})
