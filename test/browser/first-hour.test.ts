import { expect, test } from 'bun:test'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { demandAccessible, openWindow, phone } from '../support/chromium.ts'
import { ServerProcess } from '../support/server-process.ts'

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
    await page.getByLabel('Package').fill('tool')
    await page.getByLabel('Version').fill('1.0.0')
    await page
      .getByLabel('Files')
      .setInputFiles({ name: 'a;rm -rf $HOME', mimeType: 'x/y', buffer: Buffer.from('the bytes') })
    await page.getByRole('button', { name: /^Upload/ }).click()
    await page.getByRole('link', { name: 'Open tool 1.0.0' }).click()

    await page.getByRole('heading', { level: 1 }).waitFor()
    await demandAccessible(page)
    const download = page.waitForEvent('download')
    await page.getByRole('link', { name: 'a;rm -rf $HOME', exact: true }).first().click()
    expect(await readFile(await (await download).path(), 'utf8')).toBe('the bytes')

    // Who has no script reads the same, on a phone.
    await using plain = await openWindow(server, { size: phone, scheme: 'dark', javaScript: false })
    await plain.page.goto('/admin/-/packages/generic/tool')
    await plain.page.getByRole('heading', { name: 'tool', level: 1 }).waitFor()
    await plain.page.getByRole('link', { name: '1.0.0', exact: true }).first().click()
    await plain.page.getByText('a;rm -rf $HOME').first().waitFor()
  } finally {
    await server.kill()
    await rm(folder, { recursive: true, force: true })
  }
})
