import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { Page } from 'playwright-core'
import { openWindow, type Window } from '../../support/chromium.ts'
import { type Client, startStowage, type TestStowage } from '../../support/stowage.ts'

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
  'meta[http-equiv], link[href*="evil"], [action*="evil"], [src*="evil"]',
  'a[href^="javascript" i], form[action^="javascript" i], a[href^="data" i]',
  '[onerror], [onload], [onfocus], [ontoggle], [onmouseover], [style], [srcdoc]',
].join(',')

let stowage: TestStowage

beforeAll(async () => {
  stowage = await startStowage()
})

afterAll(async () => {
  await stowage[Symbol.asyncDispose]()
})

async function must(answer: Promise<Response>): Promise<unknown> {
  const response = await answer
  if (!response.ok) throw new Error(`${response.url}: ${response.status} ${await response.text()}`)
  return response.status === 204 ? undefined : response.json().catch(() => undefined)
}

const json = { 'Content-Type': 'application/json' }
const patch = (client: Client, path: string, body: unknown) =>
  must(client.fetch(path, { method: 'PATCH', body: JSON.stringify(body), headers: json }))

/** Somebody who has put `text` wherever he can; the pages that show it. */
async function vandal(name: string, text: string): Promise<{ paths: string[]; user: Client }> {
  const user = await stowage.user(name)
  const short = text.slice(0, 100)
  const org = `${name}-org`
  await patch(user, '/api/v1/user/settings', { full_name: short, description: text, location: short })
  await must(user.post('/api/v1/orgs', { username: org, full_name: short, description: text, location: short }))
  const team = (await must(
    user.post(`/api/v1/orgs/${org}/teams`, { name: 'crew', permission: 'read', description: text }),
  )) as { id: number }
  const version = text.replaceAll(/[/\\\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '').trim()
  const odd = "a;rm -rf $HOME & (x) {y} ~'".replace("'", '')
  await must(user.put({ owner: org, package: 'tool', version, file: odd }, 'bytes'))
  await patch(user, `/api/v1/packages/${org}/generic/tool/-/metadata`, {
    description: text,
    readme: `${text}\n\n${payloads.join('\n\n')}`,
    homepage: `https://example.com/?${encodeURI(short)}`,
  })
  await user.token(['read:package'], { name: text })
  const hook = (await must(
    user.post(`/api/v1/orgs/${org}/hooks`, {
      type: 'gitea',
      active: true,
      events: ['package'],
      config: {
        url: `https://example.com/?${encodeURIComponent(text)}`,
        content_type: 'json',
        secret: 'long-enough-secret',
      },
    }),
  )) as { id: number }
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
  return { paths, user }
}

async function demandClean(page: Page, path: string): Promise<void> {
  await page.goto(path)
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
  window.expectComplaint(/Failed to load resource.*40[034]/)
  return window
}

const texts = joined(250)

test.each(texts.map((text, index) => [index, text] as const))(
  'nothing that a person writes becomes more than text: %i',
  async (index, text) => {
    const name = `mallory-${index}`
    const { paths } = await vandal(name, text)
    await using window = await vandalised(text)
    await window.signIn(name)
    for (const path of paths) await demandClean(window.page, path)
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
