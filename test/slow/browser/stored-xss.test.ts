import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { Page } from 'playwright-core'
import { openWindow, type Window } from '../../support/chromium.ts'
import { type Receiver, startReceiver } from '../../support/receiver.ts'
import { adminPassword, type Client, startStowage, type TestStowage } from '../../support/stowage.ts'

/*
 * Every field that a person can fill holds what has broken other sites, and every page that shows it is opened in a browser whose
 * policy against scripts is off: only the pages' own escaping stands between it and the reader.
 */

const payloads = [
  '<script>hit()</script>',
  '"><script>hit()</script>',
  `'><img src=x onerror=hit()>`,
  '<svg onload=hit()>',
  '</title><script>hit()</script>',
  '</textarea><script>hit()</script>',
  '--><script>hit()</script>',
  ']]><script>hit()</script>',
  '<iframe srcdoc="<script>parent.hit()</script>">',
  '<a href="javascript:hit()">x</a>',
  '[x](javascript:hit())',
  '![x](x"onerror="hit())',
  '<details open ontoggle=hit()>',
  '<input autofocus onfocus=hit()>',
  '<math><mtext><table><mglyph><style><img src=x onerror=hit()>',
  '<noscript><p title="</noscript><img src=x onerror=hit()>">',
  '<form action="javascript:hit()"><button>x</button></form>',
  '<base href="https://evil.example/">',
  '<meta http-equiv="refresh" content="0;url=https://evil.example">',
  '<link rel=stylesheet href=https://evil.example/x.css>',
  '<style>@import "https://evil.example/x.css"</style>',
  '<b style="position:fixed">x</b>',
  '{{constructor.constructor("hit()")()}}',
  '$' + '{hit()}',
  '\u2028<script>hit()</script>',
  '<scr\u0000ipt>hit()</script>'.replace('\u0000', '\ufeff'),
  '&lt;script&gt;hit()&lt;/script&gt;',
  '&#x3c;script&#x3e;hit()&#x3c;/script&#x3e;',
  '" onmouseover="hit()" autofocus onfocus="hit()" x="',
  '` onerror=hit() `',
  '<object data="data:text/html,<script>parent.hit()</script>">',
  '<embed src="javascript:hit()">',
  '<video><source onerror=hit()></video>',
  '<xss id=x tabindex=1 onfocus=hit()></xss>',
]

/** Some at once, as long as a field may be. */
function joined(longest: number): string[] {
  const all: string[] = []
  for (const payload of payloads) {
    const last = all.at(-1)
    if (last !== undefined && last.length + payload.length + 1 <= longest) all[all.length - 1] = `${last} ${payload}`
    else all.push(payload)
  }
  return all
}

/** What no page of ours has, whoever wrote what stands on it. */
const foreign = [
  'script:not([src])',
  'iframe, object, embed, base, noscript, math, video, img, style, xss',
  'meta[http-equiv], link[href]:not([href^="/"]), link[href^="//"]',
  ...['action', 'formaction', 'src'].map((name) => `[${name}]:not([${name}^="/"]), [${name}^="//"]`),
  'a[href^="javascript" i], form[action^="javascript" i], a[href^="data" i]',
  '[onerror], [onload], [onfocus], [ontoggle], [onmouseover], [style], [srcdoc]',
].join(',')

let stowage: TestStowage
let receiver: Receiver

beforeAll(async () => {
  stowage = await startStowage({ settings: { STOWAGE_WEBHOOK_ALLOWED_HOSTS: '127.0.0.1' } })
  receiver = await startReceiver()
})

afterAll(async () => {
  await stowage[Symbol.asyncDispose]()
  await receiver[Symbol.asyncDispose]()
})

async function must(answer: Promise<Response>): Promise<unknown> {
  const response = await answer
  if (!response.ok) throw new Error(`${response.url}: ${response.status} ${await response.text()}`)
  return response.status === 204 ? undefined : response.json().catch(() => undefined)
}

const json = { 'Content-Type': 'application/json' }
const patch = (client: Client, path: string, body: unknown) =>
  must(client.fetch(path, { method: 'PATCH', body: JSON.stringify(body), headers: json }))

/** Somebody who has put `text` wherever he can; the pages that show it to him, and to an administrator. */
async function vandal(name: string, text: string) {
  const user = await stowage.user(name)
  const short = text.slice(0, 100)
  const org = `${name}-org`
  const website = `https://example.com/?${encodeURI(short)}#'`
  const said = { full_name: short, description: text, location: short, website }
  await patch(user, '/api/v1/user/settings', said)
  await must(user.post('/api/v1/orgs', { username: org, ...said }))
  const team = (await must(
    user.post(`/api/v1/orgs/${org}/teams`, { name: 'crew', permission: 'read', description: text }),
  )) as { id: number }
  const version = text.replaceAll(/[/\\\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '').trim()
  const odd = "a;rm -rf $HOME & (x) {y} ~'".replace("'", '')
  await must(user.put({ owner: org, package: 'tool', version, file: odd }, 'bytes'))
  await patch(user, `/api/v1/packages/${org}/generic/tool/-/metadata`, {
    description: text,
    readme: `${text}\n\n${payloads.join('\n\n')}`,
    homepage: website,
    repository_url: website,
  })
  await user.token(['read:package'], { name: text })
  const hook = (await must(
    user.post(`/api/v1/orgs/${org}/hooks`, {
      type: 'gitea',
      active: true,
      events: ['package'],
      config: {
        url: `${receiver.url}/?${encodeURIComponent(text)}`,
        content_type: 'json',
        secret: 'long-enough-secret',
      },
    }),
  )) as { id: number }
  // Whoever is told answers with it, in every place that is kept.
  receiver.answers((response) => {
    const headers = { 'Content-Type': 'text/html', 'X-Said': text.replaceAll(/[^\x20-\x7e]/g, '') }
    response.writeHead(500, headers).end(`${text}${payloads.join('\n')}`)
  })
  await must(user.put({ owner: org, package: 'told', version, file: odd }, 'bytes'))
  await stowage.stowage.runJobs('deliveries')
  const deliveries = (await must(user.fetch(`/api/v1/orgs/${org}/hooks/${hook.id}/deliveries`))) as { id: number }[]
  expect(deliveries).not.toEqual([])
  await stowage.change(
    `insert into jobs (kind, subject, due_at, created_at, attempts, last_error, given_up_at)
     values ('digests', '${name} ${text.replaceAll("'", "''")}', 1, 1, 7, '${text.replaceAll("'", "''")}', 1)`,
  )
  const tool = `/${org}/-/packages/generic/tool`
  const typed = encodeURIComponent(text)
  const paths = [
    '/',
    `/-/search?q=${typed}`,
    `/${name}`,
    `/${org}`,
    `/${org}?q=${typed}`,
    tool,
    `${tool}/versions`,
    `${tool}/versions?q=${typed}`,
    `${tool}/${encodeURIComponent(version)}`,
    `${tool}/-/edit`,
    `${tool}/-/delete`,
    `${tool}/-/version/${encodeURIComponent(version)}/delete`,
    `${tool}/-/audit`,
    `/${org}/-/upload?package=${typed}&version=${typed}`,
    `/${org}/-/settings`,
    `/${org}/-/usage`,
    `/${org}/-/audit`,
    `/${org}/-/audit?text=${typed}&actor=${typed}&action=${typed}`,
    `/${org}/-/webhooks`,
    `/${org}/-/webhooks/${hook.id}`,
    `/${org}/-/webhooks/${hook.id}/edit`,
    `/${org}/-/webhooks/${hook.id}/delete`,
    ...deliveries.map(({ id }) => `/${org}/-/webhooks/${hook.id}/deliveries/${id}`),
    `/${org}/-/members`,
    `/${org}/-/teams`,
    `/${org}/-/teams/${team.id}`,
    `/${org}/-/invitations`,
    '/user/organisations',
    '/user/settings',
    '/user/settings/tokens',
    '/user/settings/sessions',
    '/user/settings/audit',
    `/user/login?next=${typed}`,
    `/${typed.replaceAll('%', '')}/${typed.slice(0, 60).replace(/%.?$/, '')}`,
  ]
  const adminPaths = [
    '/-/admin',
    '/-/admin/users',
    `/-/admin/users?q=${typed}`,
    `/-/admin/users/${name}`,
    `/-/admin/users/${name}/delete`,
    `/-/admin/users/${typed}`,
    '/-/admin/invitations',
    '/-/admin/quotas',
    `/-/admin/quotas/${org}`,
    `/-/admin/quotas/${typed}`,
    '/-/admin/storage',
    '/-/admin/jobs',
    '/-/admin/settings',
    '/-/admin/names',
    '/-/admin/audit',
    `/-/admin/audit?text=${typed}&actor=${typed}&action=${typed}`,
    '/-/admin/webhooks',
    `/${org}/-/settings`,
    `/${org}/-/audit`,
    `/${org}/-/webhooks/${hook.id}`,
  ]
  return { paths, adminPaths, forms: formsAt(name, org), adminForms: formsOfTheSite(name, org) }
}

/** Pages whose first form is sent with it in every field, and shows again what was typed. */
const formsAt = (name: string, org: string) => [
  `/${org}/-/packages/generic/tool/-/edit`,
  `/${org}/-/packages/generic/tool/-/delete`,
  `/${org}/-/packages/generic/tool/-/delete-versions`,
  `/${org}/-/settings`,
  `/${org}/-/settings/rename`,
  `/${org}/-/webhooks/new`,
  `/${org}/-/teams/new`,
  `/${org}/-/invitations`,
  `/${name}/-/upload`,
  '/org/create',
  '/user/settings',
  '/user/settings/tokens',
  '/user/settings/two-factor',
]

const formsOfTheSite = (name: string, org: string) => [
  '/-/admin/users/new',
  `/-/admin/users/${name}`,
  `/-/admin/users/${name}/delete`,
  '/-/admin/invitations',
  '/-/admin/quotas',
  `/-/admin/quotas/${org}`,
  '/-/admin/webhooks/new',
]

/** As by a browser that checks nothing of it. */
async function demandCleanAnswer(page: Page, path: string, text: string): Promise<void> {
  await page.goto(path)
  const answered = page.waitForEvent('load')
  const fill = `(() => {
    const fields = 'textarea, input:not([type=hidden], [type=checkbox], [type=radio], [type=file])'
    const form = document.querySelector('main form:has(textarea, input)')
    for (const field of form.querySelectorAll(fields)) {
      field.type = field.type === 'textarea' ? field.type : 'text'
      field.value = ${JSON.stringify(text)}
    }
    HTMLFormElement.prototype.submit.call(form)
  })()`
  await Promise.all([answered, page.evaluate(fill)])
  await demandCleanHere(page, `${path}, sent`)
}

async function demandClean(page: Page, path: string): Promise<void> {
  await page.goto(path)
  await demandCleanHere(page, path)
}

async function demandCleanHere(page: Page, path = page.url()): Promise<void> {
  const found = await page.evaluate(
    `({ hit: window.wasHit === true, elements: [...document.querySelectorAll(${JSON.stringify(foreign)})].map((one) => one.outerHTML.slice(0, 200)) })`,
  )
  expect({ path, ...(found as object) }).toEqual({ path, hit: false, elements: [] } as never)
}

async function vandalised(text: string): Promise<Window> {
  const window = await openWindow(stowage, {
    context: { bypassCSP: true, userAgent: text.replaceAll(/[^\x20-\x7e]/g, '') },
  })
  await window.page.addInitScript('window.hit = () => { window.wasHit = true }')
  window.page.on('dialog', (dialog) => {
    window.complaints.push(`a dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  window.expectComplaint(/Failed to load resource.*4(0[034]|22)/)
  return window
}

const texts = joined(250)

test.each(texts.map((text, index) => [index, text] as const))(
  'nothing that a person writes becomes more than text: %i',
  async (index, text) => {
    const name = `mallory-${index}`
    const { paths, adminPaths, forms, adminForms } = await vandal(name, text)
    await using window = await vandalised(text)
    await window.signIn(name)
    for (const path of paths) await demandClean(window.page, path)
    for (const path of forms) await demandCleanAnswer(window.page, path, text)
    // A folder of his own machine may hold names that the registry does not take: they are told, and nothing else.
    const chosen = text.replaceAll(/[/\\\p{C}]/gu, '').slice(0, 120)
    await window.page.goto(`/${name}/-/upload?package=tool&version=1.0`)
    await window.page
      .locator('[aria-label="Files"]')
      .setInputFiles({ name: chosen, mimeType: 'text/html', buffer: Buffer.from('<script>hit()</script>') })
    await window.page
      .getByText('html')
      .or(window.page.getByText(chosen.slice(0, 20)))
      .first()
      .waitFor()
    await demandCleanHere(window.page)

    await using admins = await vandalised(text)
    await admins.signIn('admin', adminPassword)
    for (const path of adminPaths) await demandClean(admins.page, path)
    for (const path of adminForms) await demandCleanAnswer(admins.page, path, text)
  },
)

test('the check itself sees what gets through', async () => {
  await using window = await vandalised('x')
  await window.page.goto('/')
  await window.page.evaluate(`document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=hit()>')`)
  const found = await window.page.evaluate(`document.querySelectorAll(${JSON.stringify(foreign)}).length`)
  expect(found).toBe(1)
  window.expectComplaint(/Failed to load/)
})
