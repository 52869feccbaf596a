import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Locator, Page } from 'playwright-core'
import {
  demandAccessible,
  desktop,
  openWindow,
  phone,
  type Window,
  type WindowOptions,
} from '../../support/chromium.ts'
import { HttpProxy } from '../../support/http-proxy.ts'
import { ownMemory } from '../../support/process-memory.ts'
import { seededBytes, sha256Of } from '../../support/seeded.ts'
import { stored } from '../../support/stored.ts'
import { type Client, startStowage, type TestStowage } from '../../support/stowage.ts'

const mebibyte = 1024 * 1024

let stowage: TestStowage
let ada: Client
let folder: string

beforeAll(async () => {
  stowage = await startStowage({ settings: { STOWAGE_LIMIT_FILE_SIZE: String(400 * mebibyte) } })
  ada = await stowage.user('ada')
  await ada.post('/api/v1/orgs', { username: 'acme' })
  folder = await mkdtemp(join(tmpdir(), 'stowage-upload-'))
})
afterAll(async () => {
  await stowage[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

/** At the upload page, signed in. */
async function uploadWindow(
  version: string,
  { at = stowage, ...options }: WindowOptions & { at?: { url: string } } = {},
): Promise<Window> {
  const window = await openWindow(at, options)
  await window.signIn('ada')
  await window.page.goto(`/ada/-/upload?package=tool&version=${version}`)
  await window.page.getByRole('button', { name: 'Choose files' }).waitFor()
  return window
}

const file = (name: string, content: string | Uint8Array) => ({
  name,
  mimeType: 'application/octet-stream',
  buffer: Buffer.from(content),
})

const choose = (page: Page, files: Parameters<Locator['setInputFiles']>[0], which: 'Files' | 'Folder' = 'Files') =>
  page.locator(`[aria-label="${which}"]`).setInputFiles(files)

const row = (page: Page, name: string) =>
  page.getByRole('listitem').filter({ has: page.getByText(name, { exact: true }) })
const start = (page: Page) => page.getByRole('button', { name: /^Upload \d/ }).click()
const told = (page: Page, name: string, text: string | RegExp) =>
  row(page, name).getByText(text).waitFor({ timeout: 60_000 })

const shown = (at: Page | Locator) => at.locator('dd').allTextContents()

/** The bytes that the registry has. */
async function bytesAt(version: string, name: string): Promise<Uint8Array> {
  const response = await ada.get({ version, file: name })
  expect(response.status).toBe(200)
  return new Uint8Array(await response.arrayBuffer())
}

const looks = [
  { name: 'desktop', size: desktop, scheme: 'light' },
  { name: 'phone', size: phone, scheme: 'dark' },
] as const

describe.each(looks)('on a $name', ({ name: look, size, scheme }) => {
  test('several files are published at once, with the digests of both sides', async () => {
    const version = `several-${look}`
    await using window = await uploadWindow(version, { size, scheme })
    const { page } = window
    await demandAccessible(page)
    const files = Array.from({ length: 5 }, (_, index) => file(`part-${index}.bin`, seededBytes(index * 70_000, index)))
    await choose(page, files)
    await demandAccessible(page)
    await start(page)
    await page.getByText('5 of 5 files published').waitFor()
    await demandAccessible(page)
    expect((await shown(page)).sort()).toEqual(files.map(({ buffer }) => sha256Of(buffer)).sort())
    for (const { name, buffer } of files) expect(sha256Of(await bytesAt(version, name))).toBe(sha256Of(buffer))
    const link = page.getByRole('link', { name: `Open tool ${version}` })
    expect(await link.getAttribute('href')).toBe(`/ada/-/packages/generic/tool/${version}`)
    await page.getByRole('status').getByText('All done: 5 files published.').waitFor()
  })

  test('every refusal says what is wrong, and what can be done', async () => {
    const version = `refused-${look}`
    await ada.put({ version, file: 'same.txt' }, 'the same')
    await ada.put({ version, file: 'other.txt' }, 'theirs')
    await using window = await uploadWindow(version, { size, scheme })
    window.expectComplaint(/409/)
    const { page } = window
    const big = join(folder, `big-${look}.bin`)
    await using handle = await open(big, 'w')
    await handle.truncate(401 * mebibyte)
    await choose(
      page,
      [file('same.txt', 'the same'), file('other.txt', 'mine'), file('größe?.txt', 'x')].map((it) => it),
    )
    await choose(page, big)
    await told(page, `big-${look}.bin`, 'This file has 420 MB; at most 419 MB can be published here.')
    await told(page, 'größe?.txt', /“ö”, “ß” and “\?” are not allowed in the name of a file\./)
    await demandAccessible(page)
    await start(page)
    await told(page, 'same.txt', 'Done: the same content is there already, as same.txt.')
    await told(page, 'other.txt', /Another content is stored under this name/)
    expect(await shown(row(page, 'other.txt'))).toEqual([
      sha256Of(Buffer.from('theirs')),
      sha256Of(Buffer.from('mine')),
    ])
    await demandAccessible(page)

    await row(page, 'größe?.txt').getByRole('button', { name: 'Use this name' }).click()
    await row(page, 'größe?.txt → grosse_.txt').waitFor()
    await start(page)
    await told(page, 'größe?.txt → grosse_.txt', /^Published/)
    // A version in which the name is free takes what the other one would not.
    await page.getByLabel('Version', { exact: true }).fill(`${version}-2`)
    await row(page, 'other.txt').getByRole('button', { name: 'Retry' }).click()
    await told(page, 'other.txt', /^Published/)
    expect(Buffer.from(await bytesAt(`${version}-2`, 'other.txt')).toString()).toBe('mine')
    expect(Buffer.from(await bytesAt(version, 'other.txt')).toString()).toBe('theirs')
  })
})

test('a name that is no package or version is said at the field, and nothing is sent', async () => {
  await using window = await uploadWindow('1.0')
  const { page } = window
  await choose(page, file('a.txt', 'a'))
  await page.getByLabel('Package', { exact: true }).fill('töol')
  await page.getByLabel('Version', { exact: true }).fill('')
  await start(page)
  await page.getByText('“ö” is not allowed in the name of a package.').waitFor()
  await page.getByText('Type a version.').waitFor()
  expect(await page.evaluate<string>('document.activeElement.name')).toBe('package')
  await demandAccessible(page)
})

describe('a folder', () => {
  beforeAll(async () => {
    await mkdir(join(folder, 'dist/linux'), { recursive: true })
    await writeFile(join(folder, 'dist/README'), 'read me')
    await writeFile(join(folder, 'dist/linux/README'), 'read me too')
    await writeFile(join(folder, 'dist/linux/tool'), 'tool')
    await writeFile(join(folder, 'dist/linux/.DS_Store'), 'x')
  })

  test('is flattened; two equal names are told apart, and what the system made is left out', async () => {
    await using window = await uploadWindow('folder')
    const { page } = window
    await choose(page, join(folder, 'dist'), 'Folder')
    await page.getByText('1 file that the system keeps in folders by itself was left out.').waitFor()
    await page.getByText(/A file of this name is in the list already: dist\//).waitFor()
    await page.getByRole('textbox', { name: 'Publish it as' }).fill('README.linux')
    await page.getByRole('button', { name: 'Use this name' }).click()
    await start(page)
    await page.getByText('3 of 3 files published').waitFor()
    const answer = await ada.fetch('/api/v1/packages/ada/generic/tool/folder/files')
    const names = ((await answer.json()) as { name: string }[]).map(({ name }) => name)
    expect(names).toEqual(['README', 'README.linux', 'tool'])
  })

  test('can be dropped anywhere on the page', async () => {
    await using window = await uploadWindow('dropped')
    const { page } = window
    await page.evaluate(`
      const transfer = new DataTransfer()
      transfer.items.add(new File(['dropped'], 'dropped.txt'))
      for (const type of ['dragover', 'drop']) {
        document.body.dispatchEvent(new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true }))
      }
    `)
    await start(page)
    await told(page, 'dropped.txt', /^Published/)
    expect(Buffer.from(await bytesAt('dropped', 'dropped.txt')).toString()).toBe('dropped')
  })
})

describe('in the middle', () => {
  /** A proxy that lets the first upload of a file come half way, and no further before `go`. */
  async function halfWay() {
    const proxy = await HttpProxy.start(stowage.url)
    const { promise, resolve } = Promise.withResolvers<void>()
    const plan = () => proxy.plan({ method: 'PUT', kind: 'wait', after: mebibyte, until: promise })
    return { proxy, plan, go: resolve, [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose]() }
  }

  // More than the buffers on the way hold, so that it is not all sent before anything has happened.
  const content = seededBytes(32 * mebibyte, 3)
  let path = ''
  beforeAll(async () => {
    path = join(folder, 'a.bin')
    await writeFile(path, content)
  })

  const hasBegun = (page: Page) =>
    row(page, 'a.bin')
      .getByText(/^[1-9]\S* [kM]B of 33\.6 MB$/)
      .waitFor()

  test('a file, or all of them, can be cancelled, and nothing is stored', async () => {
    await using at = await halfWay()
    await using window = await uploadWindow('cancelled', { at: at.proxy })
    const { page } = window
    const before = await stored(stowage)
    for (const button of ['Cancel a.bin', 'Cancel all']) {
      at.plan()
      await choose(page, path)
      await start(page)
      await hasBegun(page)
      await demandAccessible(page)
      await page.getByRole('button', { name: button }).click()
      await told(page, 'a.bin', 'Cancelled; nothing of it was stored.')
      await page.getByRole('button', { name: 'Remove from the list: a.bin' }).click()
      await row(page, 'a.bin').waitFor({ state: 'detached' })
    }
    at.go()
    expect(await stored(stowage)).toMatchObject({ files: before.files, versions: before.versions })
  })

  test('leaving the page is asked about; before and after it is not', async () => {
    await using at = await halfWay()
    await using window = await uploadWindow('left', { at: at.proxy })
    const { page } = window
    const asks = () => page.evaluate("!dispatchEvent(new Event('beforeunload', { cancelable: true }))")
    expect(await asks()).toBe(false)
    at.plan()
    await choose(page, path)
    await start(page)
    await hasBegun(page)
    expect(await asks()).toBe(true)
    at.go()
    await told(page, 'a.bin', /^Published/)
    expect(await asks()).toBe(false)
  })

  test('a session that is ended stops it; it goes on once the person has signed in again', async () => {
    await using at = await halfWay()
    await using window = await uploadWindow('ended', { at: at.proxy })
    window.expectComplaint(/401/)
    const { page } = window
    at.plan()
    await choose(page, path)
    await start(page)
    await hasBegun(page)
    await stowage.change('delete from sessions returning id')
    at.go()
    await told(page, 'a.bin', /Your session has ended/)
    expect((await ada.get({ version: 'ended', file: 'a.bin' })).status).toBe(404)
    await demandAccessible(page)
    const again = page.context().waitForEvent('page')
    await page.getByRole('link', { name: 'Sign in again in another tab' }).click()
    const tab = await again
    await tab.getByLabel('User name or e-mail').fill('ada')
    await tab.getByLabel('Password', { exact: true }).fill('ada-Pass-1234')
    await tab.getByRole('button', { name: 'Sign in' }).click()
    await tab.waitForURL((url) => !url.pathname.startsWith('/user/login'))
    await page.getByRole('button', { name: 'Go on' }).click()
    await told(page, 'a.bin', /^Published/)
    expect(sha256Of(await bytesAt('ended', 'a.bin'))).toBe(sha256Of(content))
  })

  test('a right that is lost stops it for good', async () => {
    const { id } = (await (
      await ada.post('/api/v1/orgs/acme/teams', { name: 'late', permission: 'write' })
    ).json()) as { id: number }
    await stowage.user('late')
    await ada.fetch(`/api/v1/teams/${id}/members/late`, { method: 'PUT' })
    await using at = await halfWay()
    await using window = await openWindow(at.proxy)
    window.expectComplaint(/403/)
    const { page } = window
    await window.signIn('late')
    await page.goto('/acme/-/upload?package=tool&version=1.0')
    at.plan()
    await choose(page, path)
    await start(page)
    await hasBegun(page)
    await ada.fetch(`/api/v1/teams/${id}/members/late`, { method: 'DELETE' })
    at.go()
    await told(page, 'a.bin', 'You may not publish this here, or not any more. Nothing of this file was stored.')
  })
})

test('a server that is busy is tried again when it said', async () => {
  await using proxy = await HttpProxy.start(stowage.url)
  await using window = await uploadWindow('busy', { at: proxy })
  window.expectComplaint(/503/)
  const { page } = window
  proxy.plan({ method: 'PUT', kind: 'answer', status: 503, headers: { 'Retry-After': '2' }, body: '' })
  await choose(page, file('a.txt', 'a'))
  await start(page)
  await told(page, 'a.txt', /The server cannot take it at the moment\. Trying again in [12] seconds? \(2 of 8\)\./)
  await told(page, 'a.txt', /^Published/)
})

test('an answer that is lost becomes "there already" at the next try, and that is as good', async () => {
  await using proxy = await HttpProxy.start(stowage.url)
  await using window = await uploadWindow('lost', { at: proxy })
  window.expectComplaint(/ERR_|409/)
  const { page } = window
  proxy.plan({ method: 'PUT', kind: 'lose answer' })
  await choose(page, file('a.txt', 'a'))
  await start(page)
  await told(page, 'a.txt', 'Done: the same content is there already, as a.txt.')
})

test('a digest that is not the one of the file is an error that says so', async () => {
  await using proxy = await HttpProxy.start(stowage.url)
  await using window = await uploadWindow('damaged', { at: proxy })
  const { page } = window
  const body = JSON.stringify({ sha256: '0'.repeat(64), size: 1, page: '/ada' })
  proxy.plan({ method: 'PUT', kind: 'answer', status: 201, body })
  await choose(page, file('a.txt', 'a'))
  await start(page)
  await told(page, 'a.txt', /The server has stored other bytes than this file has here\./)
  expect(await shown(page)).toEqual(['0'.repeat(64), sha256Of(Buffer.from('a'))])
  expect(await page.getByRole('link', { name: /^Open tool/ }).count()).toBe(0)
})

test('300 MiB whose connection is cut in the middle get there, and the browser never holds them', async () => {
  const path = join(folder, 'large.bin')
  const piece = seededBytes(50 * mebibyte, 7)
  const hasher = new Bun.CryptoHasher('sha256')
  await using handle = await open(path, 'w')
  for (let count = 0; count < 6; count++) {
    hasher.update(piece)
    await handle.write(piece)
  }
  await using proxy = await HttpProxy.start(stowage.url, { keepsConnections: false })
  await using window = await uploadWindow('large', { at: proxy })
  window.expectComplaint(/ERR_/)
  const { page } = window
  proxy.plan({ method: 'PUT', kind: 'cut request', after: 150 * mebibyte })
  await choose(page, path)
  // It stands there for a second or so, which nobody may be quick enough to see.
  await page.evaluate(`
    said = new Set()
    paces = new Set()
    new MutationObserver(() => paces.add(document.querySelector('[data-overall-pace]').textContent)).observe(
      document.querySelector('[data-overall]'), { subtree: true, childList: true, characterData: true },
    )
    new MutationObserver(() => said.add(document.querySelector('[data-told]').textContent)).observe(document.querySelector('[data-list]'), {
      subtree: true, childList: true, characterData: true,
    })
  `)
  const before = await memoryOfBrowser()
  let peak = before
  const watch = setInterval(async () => {
    peak = Math.max(peak, await memoryOfBrowser())
  }, 200)
  await start(page)
  await row(page, 'large.bin')
    .getByText(/^Published/)
    .waitFor({ timeout: 600_000 })
  clearInterval(watch)
  const said = await page.evaluate<string[]>('[...said]')
  expect(said.some((text) => /^The connection was lost\. Trying again in/.test(text))).toBe(true)
  const paces = (await page.evaluate<string[]>('[...paces]')).join('\n')
  expect(paces).toMatch(/ [kM]B a second\b/)
  const sha256 = hasher.digest('hex')
  expect(await shown(page)).toEqual([sha256])
  const puts = proxy.take().seen.filter(({ method }) => method === 'PUT')
  expect(puts).toHaveLength(2)
  const head = await ada.head({ version: 'large', file: 'large.bin' })
  expect(head.headers.get('x-checksum-sha256')).toBe(sha256)
  expect(head.headers.get('content-length')).toBe(String(300 * mebibyte))
  expect(peak - before).toBeLessThan(200)
})

/** MiB that all processes of the browser have for themselves. */
async function memoryOfBrowser(): Promise<number> {
  const parents = new Map<number, number>()
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const stat = await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => '')
    const [, parent] = /\) \S (\d+)/.exec(stat) ?? []
    if (parent) parents.set(Number(entry), Number(parent))
  }
  const isOurs = (pid: number): boolean => {
    const parent = parents.get(pid)
    return parent === process.pid || (parent !== undefined && parent > 1 && isOurs(parent))
  }
  const sizes = [...parents.keys()].filter(isOurs).map((pid) => {
    try {
      return ownMemory(pid) || 0
    } catch {
      return 0
    }
  })
  return sizes.reduce((sum, size) => sum + size, 0)
}

test('the keyboard alone chooses, renames, uploads, removes and opens the version', async () => {
  await using window = await uploadWindow('keys')
  const { page } = window
  const focused = () => page.evaluate<string>("document.activeElement?.textContent?.trim() ?? ''")
  const tabTo = async (text: RegExp, key = 'Tab') => {
    for (let presses = 0; presses < 40; presses++) {
      if (text.test(await focused())) return
      await page.keyboard.press(key)
    }
    throw new Error(`the keyboard does not get to ${text}`)
  }
  const chooser = page.waitForEvent('filechooser')
  await page.getByRole('button', { name: 'Choose files' }).waitFor()
  await page.getByLabel('Package', { exact: true }).focus()
  await tabTo(/^Choose files$/)
  await page.keyboard.press('Enter')
  await (await chooser).setFiles([file('a.txt', 'a'), file('ü.txt', 'u'), file('gone.txt', 'g')])
  expect(await focused()).toBe('Upload 2 files')
  await tabTo(/Remove from the list: gone\.txt/, 'Shift+Tab')
  await page.keyboard.press('Enter')
  await tabTo(/^Use this name$/, 'Shift+Tab')
  await page.keyboard.press('Enter')
  await tabTo(/^Upload 2 files$/)
  await page.keyboard.press('Enter')
  await page.getByText('2 of 2 files published').waitFor()
  await tabTo(/^Open tool keys$/)
  expect(sha256Of(await bytesAt('keys', 'u.txt'))).toBe(sha256Of(Buffer.from('u')))
})

test.each(looks)('without JavaScript one file is published in two steps ($name)', async ({ name, size, scheme }) => {
  await using window = await openWindow(stowage, { size, scheme, javaScript: false })
  const { page } = window
  await window.signIn('ada')
  await page.goto('/ada/-/upload')
  await page.getByLabel('Package', { exact: true }).fill('plain')
  await page.getByLabel('Version', { exact: true }).fill(name)
  await page.getByRole('button', { name: 'Go on to the file' }).click()
  window.expectComplaint(/422/)
  await page.getByRole('button', { name: 'Publish' }).click()
  await page.getByText('Choose a file.').waitFor()
  await page.getByLabel('File', { exact: true }).setInputFiles(file('by hand.txt', 'by hand'))
  await page.getByRole('button', { name: 'Publish' }).click()
  await page.waitForURL(`**/ada/-/packages/generic/plain/${name}`)
  const got = await ada.get({ package: 'plain', version: name, file: 'by hand.txt' })
  expect(await got.text()).toBe('by hand')
})
