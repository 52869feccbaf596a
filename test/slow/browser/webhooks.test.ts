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
import { type Receiver, startReceiver } from '../../support/receiver.ts'
import { type Client, startStowage, type TestStowage } from '../../support/stowage.ts'

let stowage: TestStowage
let receiver: Receiver

beforeAll(async () => {
  receiver = await startReceiver()
  stowage = await startStowage({ settings: { STOWAGE_WEBHOOK_ALLOWED_HOSTS: '127.0.0.1' } })
})
afterAll(async () => {
  await stowage[Symbol.asyncDispose]()
  await receiver[Symbol.asyncDispose]()
})

const looks: [string, WindowOptions][] = [
  ['desktop-light', { size: desktop, scheme: 'light' }],
  ['phone-dark', { size: phone, scheme: 'dark' }],
]
const press = (window: Window, name: string) => window.page.getByRole('button', { name, exact: true }).click()
const go = (window: Window, name: string) => follow(window.page.getByRole('link', { name, exact: true }).first())
const says = (window: Window, text: string | RegExp) => window.page.getByText(text).first().waitFor()

async function publish(client: Client, owner: string, version: string): Promise<void> {
  expect((await client.put({ owner, version }, version)).status).toBe(201)
  await stowage.stowage.runJobs()
  await stowage.stowage.runJobs('deliveries')
}

/** The owner whose webhooks they are, and where they are; undefined: somebody's own. */
const places = [
  ['an organisation', 'org'],
  ['a user', 'own'],
  ['the site', 'site'],
] as const

for (const [look, options] of looks) {
  test.each(places)(`a webhook of %s from its making to its end: ${look}`, async (_, place) => {
    const name = place === 'site' ? 'admin' : `${place}-${look}`
    const client = place === 'site' ? stowage.admin : await stowage.user(name)
    const org = `hooked-${look}`
    if (place === 'org') await client.post('/api/v1/orgs', { username: org })
    const owner = place === 'org' ? org : name
    const path = `/${place}-${look}`
    await using window = await openWindow(stowage, options)
    const { page } = window
    // Of the others these are the same pages, and each as it is first is in test/screenshots/pages.ts.
    const check = async () => {
      if (place === 'org') await demandAccessible(page)
    }
    window.expectComplaint(/status of (404|422)/)
    await window.signIn(name)
    await page.goto(place === 'site' ? '/-/admin/webhooks' : `/${owner}/-/webhooks`)
    await says(window, 'Nobody is told yet')
    await check()
    await go(window, 'New webhook')
    await page.getByLabel('Address').fill('http://10.0.0.1/inside')
    await page.getByLabel('Secret').fill('top-secret')
    await press(window, 'Make the webhook')
    await says(window, 'STOWAGE_WEBHOOK_ALLOWED_HOSTS')
    expect(await page.getByLabel('Address').inputValue()).toBe('http://10.0.0.1/inside')
    expect(await page.getByLabel('Secret').inputValue()).toBe('')
    await check()
    await page.getByLabel('Address').fill(receiver.url + path)
    await page.getByLabel('Secret').fill('top-secret')
    await page.getByLabel('Files added').check()
    await press(window, 'Make the webhook')
    await says(window, 'The webhook is made.')
    await says(window, 'Nothing was sent yet')
    await check()
    const webhook = page.url()

    receiver.answers((response) => response.writeHead(500).end(`<script>alert(1)</script> ${'long '.repeat(400)}`))
    await publish(client, owner, `1-${look}`)
    await page.reload()
    await says(window, 'Failed, tries again')
    await check()
    await page.getByRole('table').getByRole('link').last().click()
    await says(window, 'It answered 500.')
    await says(window, '<script>alert(1)</script>')
    await check()
    await press(window, 'Send once more')
    await says(window, 'The same is sent once more.')

    receiver.answers((response) => response.writeHead(204).end())
    await page.goto(webhook)
    await go(window, 'Change')
    await says(window, 'There is one, which is never shown.')
    await check()
    await page.getByLabel('Versions').uncheck()
    await press(window, 'Save the webhook')
    await says(window, 'The webhook is changed.')
    await stowage.stowage.runJobs('deliveries')
    await go(window, 'Delivered')
    await page.getByRole('cell', { name: 'Delivered (204)' }).first().waitFor()
    await check()
    await go(window, 'Webhooks')
    await says(window, '1 webhook')
    await check()

    await page.goto(webhook)
    await go(window, 'Delete…')
    const { host } = new URL(receiver.url)
    await press(window, 'Delete the webhook')
    await says(window, `Type ${host} to delete this webhook.`)
    await check()
    await page.getByLabel(`Type ${host} to confirm`).fill(host)
    await page.keyboard.press('Enter')
    await says(window, 'The webhook is deleted')
    await says(window, 'Nobody is told yet')
  })
}

test('the log is read, and sent once more, without scripts', async () => {
  const client = await stowage.user('plain')
  const made = await client.post('/api/v1/user/hooks', {
    type: 'stowage',
    active: true,
    config: { url: `${receiver.url}/plain` },
  })
  const { id } = (await made.json()) as { id: number }
  await publish(client, 'plain', '1.0')
  await using window = await openWindow(stowage, { javaScript: false, size: phone })
  const { page } = window
  await window.signIn('plain')
  await page.goto(`/plain/-/webhooks/${id}`)
  await go(window, 'Version made')
  await says(window, 'Body of the request')
  await press(window, 'Send once more')
  await says(window, 'The same is sent once more.')
})
