import { desktop, openWindow, phone } from '/work/main/test/support/chromium.ts'
import { startStowage } from '/work/main/test/support/stowage.ts'
await using stowage = await startStowage()
const ada = await stowage.user('ada'); const bob = await stowage.user('bob'); await stowage.user('grace')
await ada.post('/api/v1/orgs', { username: 'acme' })
await ada.post('/api/v1/orgs', { username: 'vault', visibility: 'private', full_name: 'Secret' })
const long = 'a-very-long-name-'.repeat(14)
for (const owner of ['acme','vault']) for (const n of ['tool', 'other', long]) await ada.put({ owner, package: n }, 'x')
const t = await (await ada.post('/api/v1/orgs/acme/teams', { name: 'testers', permission: 'read' })).json() as any
const d = await (await ada.post('/api/v1/owners/acme/deploy-tokens', { name: 'nightly builds', scopes: ['read:package'] })).json() as any
const send = (m: string, p: string, b: unknown) => ada.fetch('/api/v1/packages/' + p, { method: m, body: JSON.stringify(b) })
for (const n of ['tool', long]) {
  await send('PATCH', `acme/generic/${n}/-/access`, { visibility: 'private' })
  await send('PUT', `acme/generic/${n}/-/access/users/bob`, { permission: 'write' })
  await send('PUT', `acme/generic/${n}/-/access/users/grace`, { permission: 'read' })
  await send('PUT', `acme/generic/${n}/-/access/teams/${t.id}`, { permission: 'read' })
  await send('PUT', `acme/generic/${n}/-/access/deploy-tokens/${d.id}`, { permission: 'read' })
  await send('PUT', `vault/generic/${n}/-/access/users/bob`, { permission: 'write' })
}
const g = (o: string, n: string) => `/${o}/-/packages/generic/${n}`
const pages: [string, string, string][] = [['access','ada',g('acme','tool')+'/-/access'],['access-long','ada',g('acme',long)+'/-/access'],['access-empty','ada',g('acme','to-come')+'/-/access'],['package','ada',g('acme','tool')],['version','ada',g('acme','tool')+'/1.0'],['owner','ada','/acme'],['named-owner','bob','/vault'],['named-package','bob',g('vault','tool')],['named-usage','bob','/vault/-/usage'],['named-upload','bob','/vault/-/upload?package=tool'],['named-search','bob','/-/search'],['audit','ada','/acme/-/audit']]
for (const [look, options] of [['wl', { size: { width: 1280, height: 800 }, scheme: 'light' }], ['wd', { size: { width: 1280, height: 800 }, scheme: 'dark' }], ['nl', { size: { width: 390, height: 844 }, scheme: 'light' }], ['nd', { size: { width: 390, height: 844 }, scheme: 'dark' }]] as const) {
  for (const who of ['ada','bob']) {
    await using window = await openWindow(stowage, options as never)
    await window.signIn(who)
    for (const [name, by, path] of pages) if (by === who) { await window.page.goto(path); await window.page.screenshot({ path: `/tmp/pshots/${name}-${look}.png`, fullPage: true }) }
    if (who === 'ada' && look === 'nl') { window.expectComplaint(/422/); await window.page.goto(pages[0][2]); await window.page.locator('form', { has: window.page.getByRole('heading', { name: 'User', exact: true }) }).getByRole('button').click(); await window.page.getByText('Type the name').waitFor(); await window.page.screenshot({ path: `/tmp/pshots/error-${look}.png`, fullPage: true }) }
  }
}
