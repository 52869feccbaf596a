import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { demandAccessible, desktop, openWindow, phone, type WindowOptions } from '../../support/chromium.ts'
import { adminPassword, type Client, startStowage, type TestStowage } from '../../support/stowage.ts'

let stowage: TestStowage
let ada: Client

const longName = 'x'.repeat(255)
const longVersion = 'v'.repeat(255)

beforeAll(async () => {
  stowage = await startStowage()
  ada = await stowage.user('ada', { full_name: 'Ada Lovelace' })
  await stowage.user('eve')
  await ada.post('/api/v1/orgs', { username: 'acme', full_name: 'Acme', website: 'https://acme.example.com' })
  await ada.post('/api/v1/orgs', { username: 'bare' })
  for (let n = 0; n < 40; n++) await put('acme', `part-${n}`, '1.0', 'part.bin')
  await put('acme', longName, longVersion, 'f.bin')
  await put('acme', 'anvil', '2.0.0-שלום.😀', 'a;rm -rf $HOME')
  await ada.fetch('/api/v1/packages/acme/generic/anvil/-/metadata', {
    method: 'PATCH',
    body: JSON.stringify({ description: 'A solid anvil. '.repeat(60), labels: ['steel', 'heavy', 'l'.repeat(50)] }),
  })
  await stowage.stowage.runJobs()
})
afterAll(() => stowage[Symbol.asyncDispose]())

async function put(owner: string, name: string, version: string, file: string): Promise<void> {
  const path = `/api/packages/${owner}/generic/${name}/${encodeURIComponent(version)}/${encodeURIComponent(file)}`
  const response = await ada.fetch(path, { method: 'PUT', body: `${name} ${version}` })
  if (response.status !== 201) throw new Error(`${path}: ${response.status}`)
}

const looks: [string, WindowOptions][] = [
  ['desktop, light', { size: desktop, scheme: 'light' }],
  ['phone, dark', { size: phone, scheme: 'dark' }],
]

describe.each(looks)('%s', (_, look) => {
  test('the welcome leads to the sign-in, and from there to an upload', async () => {
    await using fresh = await startStowage()
    await using window = await openWindow(fresh, look)
    const { page } = window
    await page.goto('/')
    await demandAccessible(page)
    await page.getByRole('main').getByRole('link', { name: 'Sign in' }).click()
    await page.waitForURL('**/user/login*')
    await window.signIn('admin', adminPassword)
    await page.goto('/')
    await page.getByRole('heading', { name: 'Upload your first file' }).waitFor()
    await demandAccessible(page)
    await page.getByRole('main').getByRole('link', { name: 'Upload' }).click()
    await page.waitForURL('**/admin/-/upload')
  })

  test('from the first page to a search, to an owner and his packages', async () => {
    await using window = await openWindow(stowage, look)
    const { page } = window
    await page.goto('/')
    await demandAccessible(page)
    await page.getByRole('searchbox').fill('anvil')
    await page.getByRole('searchbox').press('Enter')
    await page.getByRole('heading', { name: '1 package', exact: true }).waitFor()
    expect(await page.getByRole('searchbox').inputValue()).toBe('anvil')
    await demandAccessible(page)

    await page.getByRole('searchbox').fill('no such thing')
    await page.getByRole('button', { name: 'Search' }).click()
    await page.getByText('Nothing found').waitFor()
    await demandAccessible(page)
    await page.getByRole('link', { name: 'All packages' }).click()
    await page.getByRole('heading', { name: '42 packages' }).waitFor()
    await page.getByRole('link', { name: 'Name', exact: true }).click()
    await page.waitForURL('**/-/search?sort=name')
    await page.getByRole('link', { name: 'Next' }).click()
    await page.getByText('31 to 42 of 42').waitFor()
    await demandAccessible(page)

    await page.goto('/acme')
    await demandAccessible(page)
    await page.getByRole('searchbox', { name: 'Filter the packages of acme' }).fill('xxx')
    await page.getByRole('button', { name: 'Filter' }).click()
    await page.getByRole('link', { name: longName }).waitFor()
    await demandAccessible(page)
  })

  test('what is one’s own is a click away', async () => {
    await using window = await openWindow(stowage, look)
    const { page } = window
    await window.signIn('ada')
    await page.goto('/')
    await demandAccessible(page)
    await page.getByRole('main').getByRole('link', { name: 'acme', exact: true }).click()
    await page.waitForURL('**/acme')
    await demandAccessible(page)
    const places = page.getByRole('navigation', { name: 'Pages of acme' })
    expect(await places.getByRole('link').allInnerTexts()).toEqual([
      'Packages',
      'Upload',
      'Members',
      'Teams',
      'Invitations',
      'Usage',
      'Deploy tokens',
      'Publishers',
      'Webhooks',
      'Audit',
      'Settings',
    ])
    expect(await places.locator('[aria-current=page]').textContent()).toBe('Packages')
    await page.goto('/bare')
    await page.getByText('Nothing is published here yet').waitFor()
    await demandAccessible(page)
    await page.goto(`/-/search?q=${new Bun.CryptoHasher('sha256').update('part-3 1.0').digest('hex')}`)
    await page.getByRole('heading', { name: '1 version with this file' }).waitFor()
    await demandAccessible(page)
  })

  test('failures say what to do', async () => {
    await using window = await openWindow(stowage, look)
    window.expectComplaint(/status of 4\d\d/)
    const { page } = window
    await page.goto('/anvil')
    await demandAccessible(page)
    await page.getByRole('link', { name: 'Search for “anvil”' }).click()
    await page.getByRole('heading', { name: '1 package', exact: true }).waitFor()
    await page.goto('/a%zz')
    await page.getByText('This cannot be read').waitFor()
    await demandAccessible(page)
    await window.signIn('eve')
    await page.goto('/acme/-/upload')
    await page.getByText('You cannot publish to acme').waitFor()
    await demandAccessible(page)
  })
})

test('all of it is read without a script', async () => {
  await using window = await openWindow(stowage, { javaScript: false })
  const { page } = window
  await page.goto('/')
  await page.getByRole('searchbox').fill('part-1')
  await page.getByRole('button', { name: 'Search' }).click()
  await page.getByRole('heading', { name: '11 packages' }).waitFor()
  await page.getByRole('link', { name: 'Downloads' }).click()
  await page.waitForURL('**/-/search?q=part-1&sort=downloads')
  await page.goto('/acme')
  await page.getByRole('link', { name: 'Size' }).click()
  await page.waitForURL('**/acme?sort=size')
})

test('a command is copied whole, and the keyboard gets there', async () => {
  await using window = await openWindow(stowage, {
    context: { permissions: ['clipboard-read', 'clipboard-write'] },
  })
  const { page } = window
  await page.goto('/')
  await page.getByRole('button', { name: 'Copy command' }).focus()
  await page.keyboard.press('Enter')
  await page.getByText('Copied').waitFor()
  const copied = (await page.evaluate('navigator.clipboard.readText()')) as string
  expect(copied).toStartWith(`curl -fo 'a;rm -rf $HOME' ${stowage.url}/api/packages/acme/generic/anvil/`)
  const curl = Bun.spawn(['sh', '-c', copied.replace("-fo 'a;rm -rf $HOME'", '-sf')], { stdout: 'pipe' })
  expect(await new Response(curl.stdout).text()).toBe('anvil 2.0.0-שלום.😀')
})
