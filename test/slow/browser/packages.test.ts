import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { demandAccessible, desktop, follow, openWindow, phone, type WindowOptions } from '../../support/chromium.ts'
import { type Client, startStowage, type TestStowage } from '../../support/stowage.ts'

let stowage: TestStowage
let ada: Client

const rtl = 'إصدار-1'
const base = '/ada/-/packages/generic'
const readme = [
  '# Rigging',
  '[![build](https://img.example/x.svg)](https://ci.example/) ![shot](https://example.com/s.png)',
  'Text with `code`, and [a place](#install) below.',
  '## Install',
  `\`\`\`sh\n${'a-very-long-word-'.repeat(30)}\n\`\`\``,
  `| ${'Column | '.repeat(12)}\n|${'---|'.repeat(12)}\n| ${'value | '.repeat(12)}`,
  '<details><summary>More</summary>Hidden</details>',
  '<script>document.title = "taken"</script><svg onload=alert(1)><form action=https://evil.example><input></form>',
].join('\n\n')

beforeAll(async () => {
  stowage = await startStowage()
  ada = await stowage.user('ada')
  for (let index = 0; index < 35; index++)
    await ada.put({ package: 'rigging', version: `1.${index}` }, 'x'.repeat(index))
  for (const file of ['a;rm -rf $HOME', 'rigging.zip', 'f'.repeat(255)]) {
    await ada.put({ package: 'rigging', version: '2.0', file }, `bytes of ${file}`)
  }
  await ada.put({ package: 'n'.repeat(255), version: '9'.repeat(255) }, 'x')
  await ada.put({ package: 'rigging', version: rtl }, 'x')
  await ada.put({ package: 'rigging', version: 'versions' }, 'x')
  await ada.put({ package: 'rigging', version: '2.1', file: 'rigging.zip' }, 'bytes of rigging.zip')
  await ada.get({ package: 'rigging', version: '2.1', file: 'rigging.zip' })
  await stowage.stowage.flushDownloads()
  await ada.fetch('/api/v1/packages/ada/generic/rigging/-/metadata', {
    method: 'PATCH',
    body: JSON.stringify({
      readme,
      description: 'Ropes',
      homepage: 'https://example.com/docs',
      labels: ['rope', 'boats'],
    }),
  })
})
afterAll(() => stowage[Symbol.asyncDispose]())

const windows: [string, WindowOptions][] = [
  ['desktop, light', { size: desktop, scheme: 'light' }],
  ['phone, dark', { size: phone, scheme: 'dark' }],
]

describe.each(windows)('in a window: %s', (_, options) => {
  test('somebody comes from the package to a file that is downloaded', async () => {
    await using window = await openWindow(stowage, options)
    const { page } = window
    await page.goto(`${base}/rigging`)
    await demandAccessible(page)
    expect(await page.title()).toStartWith('rigging')
    expect(await page.locator('main img, main svg[onload], main form, main script').count()).toBe(0)
    await page.getByText('Numbers of each day').click()
    await page.getByRole('rowheader').first().waitFor()
    await demandAccessible(page)
    await page.getByRole('link', { name: /^All \d+ versions$/ }).click()
    await page.getByRole('heading', { name: 'Versions of rigging' }).waitFor()
    await demandAccessible(page)
    await page.getByRole('searchbox', { name: 'Part of a version' }).fill('2.')
    await page.keyboard.press('Enter')
    await page.getByText('2 of 39 versions with').waitFor()
    await follow(page.getByRole('link', { name: 'Version', exact: true }))
    expect(await page.getByRole('table').getByRole('link').allTextContents()).toEqual(['2.1', '2.0'])
    await follow(page.getByRole('link', { name: '2.0' }))
    await demandAccessible(page)
    await page.getByText('Checksums and commands of rigging.zip').click()
    await page.getByText(new Bun.CryptoHasher('sha256').update('bytes of rigging.zip').digest('hex')).waitFor()
    await demandAccessible(page)
    const download = page.waitForEvent('download')
    await page.getByRole('link', { name: 'rigging.zip', exact: true }).click()
    const fetched = await download
    expect(fetched.suggestedFilename()).toBe('rigging.zip')
    expect(await Bun.file((await fetched.path()) ?? '').text()).toBe('bytes of rigging.zip')
  })

  test('the arrow keys choose a tool', async () => {
    await using window = await openWindow(stowage, options)
    const { page } = window
    await page.goto(`${base}/rigging/2.0`)
    const tools = page.getByRole('group', { name: 'Download with' })
    await tools.getByText(/^curl -fL/).waitFor()
    await tools.getByRole('radio', { name: 'curl' }).focus()
    for (const [tool, text] of [
      ['wget', /^wget -O/],
      ['PowerShell', /^Invoke-WebRequest/],
      ['GitHub Actions', /^- name: Download/],
      ['Gitea Actions', /^- name: Download/],
    ] as const) {
      await page.keyboard.press('ArrowRight')
      expect(await tools.getByRole('radio', { name: tool }).isChecked()).toBe(true)
      await tools.getByText(text).filter({ visible: true }).first().waitFor()
    }
    await demandAccessible(page)
    await page.getByRole('group', { name: 'Publish with' }).getByText('GoReleaser', { exact: true }).click()
    await page.getByText('uploads:').waitFor()
    await demandAccessible(page)
  })

  test('long and foreign names, and pages of nothing, keep their places', async () => {
    await using window = await openWindow(stowage, options)
    window.expectComplaint(/404/)
    const { page } = window
    const name = 'n'.repeat(255)
    for (const path of [
      `${base}/${name}`,
      `${base}/${name}/versions`,
      `${base}/${name}/${'9'.repeat(255)}`,
      `${base}/rigging/${encodeURIComponent(rtl)}`,
      `${base}/rigging/-/version/versions`,
      `${base}/rigging/versions?q=nothing-of-it`,
      `${base}/rigging/versions?page=99`,
      `${base}/none`,
      `${base}/rigging/none`,
    ]) {
      await page.goto(path)
      await page.getByRole('heading', { level: 1 }).waitFor()
      await demandAccessible(page)
    }
  })

  test('who may write finds what to do next', async () => {
    await using window = await openWindow(stowage, options)
    const { page } = window
    await window.signIn('ada')
    await page.goto(`${base}/rigging`)
    for (const name of ['Upload', 'Edit', 'Delete'])
      await page.locator('main').getByRole('link', { name }).first().waitFor()
    await demandAccessible(page)
    await page.goto(`${base}/rigging/2.0`)
    await page.getByText('Checksums and more of rigging.zip').click()
    await page.getByRole('link', { name: 'Delete this file' }).waitFor()
    await demandAccessible(page)
  })
})

test('everything is read without JavaScript', async () => {
  await using window = await openWindow(stowage, { javaScript: false, size: phone })
  const { page } = window
  await page.goto(`${base}/rigging`)
  await page.getByText('Numbers of each day').click()
  await page.getByRole('rowheader').first().waitFor()
  await page.getByRole('link', { name: '2.0', exact: true }).click()
  await page.getByText('Checksums and commands of rigging.zip').click()
  await page.getByText(new Bun.CryptoHasher('sha256').update('bytes of rigging.zip').digest('hex')).waitFor()
  await page.getByRole('group', { name: 'Download with' }).getByText('wget', { exact: true }).click()
  await page.getByText(/^wget -O/).waitFor()
  // Nothing that would need a script is shown.
  expect(await page.getByRole('button', { name: /^Copy/ }).count()).toBe(0)
})

test('what is copied is the command', async () => {
  await using window = await openWindow(stowage, { context: { permissions: ['clipboard-read', 'clipboard-write'] } })
  const { page } = window
  await page.goto(`${base}/rigging/2.0?file=0`)
  const command = page.getByRole('group', { name: 'Download with' }).locator('.command').first()
  await command.getByRole('button', { name: 'Copy command' }).click()
  await command.getByText('Copied').waitFor()
  expect(await page.evaluate('navigator.clipboard.readText()')).toBe(await command.locator('code').textContent())
})
