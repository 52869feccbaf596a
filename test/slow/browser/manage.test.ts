import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { Page } from 'playwright-core'
import { demandAccessible, desktop, follow, openWindow, phone, type WindowOptions } from '../../support/chromium.ts'
import { type Client, startStowage, type TestStowage } from '../../support/stowage.ts'

let stowage: TestStowage
beforeAll(async () => {
  stowage = await startStowage()
})
afterAll(() => stowage[Symbol.asyncDispose]())

const windows: [string, WindowOptions][] = [
  ['desktop-light', { size: desktop, scheme: 'light' }],
  ['phone-dark', { size: phone, scheme: 'dark' }],
  ['phone-plain', { size: phone, javaScript: false }],
]
const refused = /status of 4\d\d/

const press = (page: Page, name: string | RegExp) => page.getByRole('button', { name }).click()
const go = (page: Page, name: string | RegExp) => follow(page.getByRole('main').getByRole('link', { name }))
const field = (page: Page, name: string) => page.getByRole('textbox', { name, exact: true })
const says = (page: Page, text: string) => page.getByText(text).first().waitFor()

describe.each(windows)('in a window that is %s', (kind, options) => {
  /** axe runs in the page, so it needs what a reader without scripts does not. */
  const look = async (page: Page) => {
    if (options.javaScript !== false) await demandAccessible(page)
  }
  let owner: Client
  const name = `ada-${kind}`
  beforeAll(async () => {
    owner = await stowage.user(name)
  })

  test('somebody writes a README, looks at it first, and mends what was wrong', async () => {
    await owner.put({ package: 'tool' }, 'one')
    await using window = await openWindow(stowage, options)
    window.expectComplaint(refused)
    const { page } = window
    await window.signIn(name)
    await page.goto(`/${name}/-/packages/generic/tool/-/edit`)
    await field(page, 'Description').fill('Cuts wood')
    await field(page, 'Labels').fill('cli, not fine')
    await field(page, 'README').fill('# How to cut\n\n- measure\n- cut\n\n<script>alert(1)</script>')
    await press(page, 'Preview')
    await page.getByRole('heading', { name: 'How to cut' }).waitFor()
    await look(page)
    expect(await field(page, 'Description').inputValue()).toBe('Cuts wood')
    await press(page, 'Save')
    await says(page, 'Must have 1 to 50 letters')
    await look(page)
    await field(page, 'Labels').fill('cli, wood')
    await press(page, 'Save')
    await says(page, 'The package is changed.')
    await page.getByRole('heading', { name: 'How to cut' }).waitFor()
    await says(page, 'Cuts wood')
  })

  test('of two people at once the second sees what the first has made of it', async () => {
    await owner.put({ package: 'shared' }, 'one')
    const path = `/${name}/-/packages/generic/shared/-/edit`
    await using first = await openWindow(stowage, options)
    await using second = await openWindow(stowage, options)
    second.expectComplaint(refused)
    await Promise.all([first.signIn(name), second.signIn('admin')])
    await Promise.all([first.page.goto(path), second.page.goto(path)])
    await field(first.page, 'Description').fill('of the first')
    await press(first.page, 'Save')
    await says(first.page, 'The package is changed.')
    await field(second.page, 'Description').fill('of the second')
    await press(second.page, 'Save')
    await says(second.page, 'Somebody else has changed this package')
    await says(second.page, 'of the first')
    expect(await field(second.page, 'Description').inputValue()).toBe('of the second')
    await look(second.page)
    await press(second.page, 'Save mine over it')
    await says(second.page, 'The package is changed.')
    await says(second.page, 'of the second')
  })

  test('a file, a version, many versions and the package go, each by its name', async () => {
    for (const version of ['1.0', '1.1', '1.2', '2.0']) await owner.put({ package: 'gone', version }, version)
    await owner.put({ package: 'gone', version: '2.0', file: 'notes.txt' }, 'notes')
    await using window = await openWindow(stowage, options)
    window.expectComplaint(refused)
    const { page } = window
    await window.signIn(name)
    const package_ = `/${name}/-/packages/generic/gone`
    const [row] = await stowage.change(`select max(id) as id from files where name = 'notes.txt'`)
    await page.goto(`${package_}/-/version/2.0/delete/${row?.id}`)
    await says(page, 'You will lose')
    await look(page)
    await press(page, 'Delete the file')
    await says(page, 'Type the name, so that nothing is deleted by accident.')
    await look(page)
    await field(page, 'Type notes.txt to confirm').fill('notes.txt')
    // The keyboard alone: the button comes after the field.
    await page.keyboard.press('Enter')
    await says(page, 'The file is deleted.')

    await page.goto(`${package_}/-/version/2.0/delete`)
    await field(page, 'Type 2.0 to confirm').fill('2.0')
    await press(page, 'Delete the version')
    await says(page, 'The version is deleted.')

    await page.goto(`${package_}/-/edit`)
    await go(page, 'Delete many versions')
    await field(page, 'Versions like').fill('1.0*')
    await press(page, 'Show which')
    await says(page, 'You will lose 1 version')
    await look(page)
    await field(page, 'Type gone to confirm').fill('gone')
    await press(page, 'Delete 1 version')
    await says(page, 'The versions are deleted.')

    await page.goto(`${package_}/-/edit`)
    await go(page, 'Delete the package')
    await look(page)
    await field(page, 'Type gone to confirm').fill('gone')
    await press(page, 'Delete the package')
    await says(page, 'The package is deleted.')
    expect((await owner.get({ package: 'gone', version: '1.1' })).status).toBe(404)
  })

  test('an organisation is described, hidden, renamed and deleted', async () => {
    const acme = `acme-${kind}`
    await owner.post('/api/v1/orgs', { username: acme })
    await owner.put({ owner: acme, package: 'anvil' }, 'anvil')
    await using window = await openWindow(stowage, options)
    window.expectComplaint(refused)
    const { page } = window
    await window.signIn(name)
    await page.goto(`/${acme}/-/settings`)
    await field(page, 'Full name').fill('Acme Works')
    await field(page, 'Website').fill('javascript:alert(1)')
    await press(page, 'Save')
    await says(page, 'Must be an http or https address.')
    await look(page)
    await field(page, 'Website').fill('https://example.com')
    await press(page, 'Save')
    await says(page, 'The organisation is changed.')

    await page.getByRole('radio', { name: /^Private/ }).check()
    await press(page, 'Change visibility')
    await says(page, 'will be able to read 1 package')
    await look(page)
    await press(page, 'Make it private')
    await says(page, 'The visibility is changed.')
    expect((await stowage.anonymous.get({ owner: acme, package: 'anvil' })).status).toBe(401)

    await go(page, 'Rename')
    await look(page)
    await field(page, 'New name').fill('-')
    await field(page, `Type ${acme} to confirm`).fill(acme)
    await press(page, 'Rename')
    await says(page, 'A name must be')
    await look(page)
    await field(page, 'New name').fill(`${acme}-new`)
    await press(page, 'Rename')
    await says(page, 'The old name leads here from now on.')
    await page.goto(`/${acme}/-/settings`)
    expect(new URL(page.url()).pathname).toBe(`/${acme}-new/-/settings`)

    await go(page, 'Delete the organisation')
    await says(page, 'All its packages go too')
    await look(page)
    await field(page, `Type ${acme}-new to confirm`).fill(`${acme}-new`)
    await press(page, 'Delete with 1 package')
    await says(page, 'Deleted.')
  })

  test('usage is read, also on a narrow page', async () => {
    await owner.put({ package: 'used', version: 'v'.repeat(255), file: `${'f'.repeat(250)}.bin` }, 'x')
    const quota = { versions: 9, bytes: 1_000_000 }
    await stowage.admin.fetch(`/api/v1/admin/quotas/owners/${name}`, {
      method: 'PATCH',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(quota),
    })
    await using window = await openWindow(stowage, options)
    await window.signIn(name)
    await window.page.goto(`/${name}/-/usage`)
    await says(window.page, 'of 1 MB')
    await look(window.page)
    await go(window.page, 'By name')
    await look(window.page)
  })
})
