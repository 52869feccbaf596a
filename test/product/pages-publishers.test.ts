import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { Browser } from '../support/browser.ts'
import { CiIssuer, job } from '../support/ci-issuer.ts'
import { temporaryFolder } from '../support/server-process.ts'
import { type Client, startStowage, type TestStowage } from '../support/stowage.ts'

let stowage: TestStowage
let ci: CiIssuer
let gitlab: CiIssuer
let other: CiIssuer
/** Owner of `acme`; a stranger; administers the site. */
let ada: Browser
let eve: Browser
let admin: Browser
let adaCalls: Client

beforeAll(async () => {
  ci = await CiIssuer.start()
  gitlab = await CiIssuer.start()
  other = await CiIssuer.start()
  stowage = await startStowage({
    settings: { STOWAGE_OIDC_PUBLISHERS: `github=${ci.url}, gitlab=${gitlab.url}, ${other.url}` },
  })
  adaCalls = await stowage.user('ada')
  await stowage.user('eve')
  await adaCalls.post('/api/v1/orgs', { username: 'acme' })
  const browse = async (name: string) => {
    const browser = new Browser(stowage)
    await browser.signIn(name)
    return browser
  }
  ada = await browse('ada')
  eve = await browse('eve')
  admin = await browse('admin')
})
afterAll(async () => {
  await stowage[Symbol.asyncDispose]()
  for (const issuer of [ci, gitlab, other]) await issuer[Symbol.asyncDispose]()
})

const base = '/acme/-/publishers'

async function page(browser: Browser, path: string, status = 200): Promise<string> {
  const response = await browser.fetch(path)
  expect([path, response.status]).toEqual([path, status])
  return response.text()
}

async function sent(browser: Browser, path: string, fields: Record<string, string>) {
  const response = await browser.submit(path, fields)
  return { status: response.status, to: response.headers.get('location') ?? '', text: await response.text() }
}

/** What is said at a field of a form that was not taken. */
function faultAt(text: string, field: string): string {
  const [, said = ''] = text.match(new RegExp(`id="error-${field}".*?<span>(.*?)</span>`, 's')) ?? []
  return said.replaceAll('&quot;', '"')
}

/** Makes one by the form; answers where it is. */
async function made(fields: Record<string, string>): Promise<string> {
  const { status, to, text } = await sent(ada, `${base}/new`, { packages: 'tool-*', ...fields })
  expect([status, text.match(/id="error-.*?<\/p>/s)?.[0]]).toEqual([303, undefined])
  return to
}

test('a trusted publisher from its making to its end, without a script', async () => {
  expect(await page(ada, base)).toContain('No job is trusted yet')
  const choices = await page(ada, `${base}/new`)
  for (const { url } of [ci, gitlab, other]) expect(choices).toContain(`issuer=${encodeURIComponent(url)}`)
  const form = await page(ada, `${base}/new?issuer=${encodeURIComponent(ci.url)}`)
  expect(form).toContain('Repository ID')
  expect(form).toContain('https://api.github.com/repos/OWNER/REPO')

  const typed = {
    issuer: ci.url,
    name: 'octo/tool',
    pin: 'octo/tool',
    ref: 'refs/tags/v*',
    others: 'actor=octo',
    packages: 'tool-*, lib',
  }
  const refused = await sent(ada, `${base}/new`, typed)
  expect(refused.status).toBe(400)
  expect(faultAt(refused.text, 'pin')).toMatch(/^Must be the number of one repository/)
  for (const value of ['refs/tags/v*', 'actor=octo', 'tool-*, lib']) expect(refused.text).toContain(value)
  const at = await made({ ...typed, pin: '74' })
  expect(at).toMatch(/^\/acme\/-\/publishers\/\d+$/)

  const shown = await page(ada, at)
  expect(shown).toContain('These jobs may publish from now on.')
  expect(shown).toContain('id-token: write')
  expect(shown).toContain('resource=$STOWAGE/api/packages/acme')
  expect(await page(ada, base)).toContain('1 trusted publisher')
  const edit = await page(ada, `${at}/edit`)
  for (const value of ['value="74"', 'value="refs/tags/v*"', 'actor=octo', 'value="tool-*, lib"']) {
    expect(edit).toContain(value)
  }
  const changed = await sent(ada, `${at}/edit`, { ...typed, pin: '75', ref: '', others: '', packages: 'lib' })
  expect([changed.status, changed.to]).toEqual([303, at])
  const id = at.split('/').at(-1)
  expect(await (await adaCalls.fetch(`/api/v1/owners/acme/publishers/${id}`)).json()).toMatchObject({
    ...{ name: 'octo/tool', claims: { repository_id: '75' }, packages: ['lib'] },
  })

  expect(await page(ada, `${at}/delete`)).toContain('Type octo/tool to confirm')
  const unsure = await sent(ada, `${at}/delete`, { confirm: 'octo' })
  expect([unsure.status, faultAt(unsure.text, 'confirm')]).toEqual([422, 'Type octo/tool to delete this publisher.'])
  const gone = await sent(ada, `${at}/delete`, { confirm: ' octo/tool ' })
  expect([gone.status, gone.to]).toEqual([303, base])
  await page(ada, at, 404)
})

describe('what is wrong stands at its field', () => {
  const good = { name: 'x', pin: '74', packages: 'tool-*' }
  const cases: [Record<string, string>, field: string, said: RegExp][] = [
    [{ name: ' ' }, 'name', /^Is missing/],
    [{ pin: '' }, 'pin', /^Must be the number/],
    [{ pin: '7*' }, 'pin', /^Must be the number/],
    [{ packages: '' }, 'packages', /^Name one at least/],
    [{ packages: 'tool/x' }, 'packages', /^"tool\/x" is no pattern/],
    [{ others: 'nonsense' }, 'others', /^"nonsense" says nothing/],
    [{ others: 'repository_id=75' }, 'others', /^"repository_id=75" says nothing/],
    [{ others: 'aud=x' }, 'others', /^Aud is checked in any case/],
    [{ ref: 'x'.repeat(501) }, 'ref', /^Must have 1 to 500 characters/],
  ]
  test.each(cases)('%j', async (fields, field, said) => {
    const { status, text } = await sent(ada, `${base}/new`, { issuer: ci.url, ...good, ...fields })
    expect(status).toBeOneOf([400, 422])
    expect(faultAt(text, field)).toMatch(said)
  })

  test('and an issuer that nobody trusts is no form', async () => {
    const { status } = await sent(ada, `${base}/new`, { issuer: 'https://evil.example.com', ...good })
    expect(status).toBe(422)
    expect(await page(ada, `${base}/new?issuer=https://evil.example.com`)).toContain('Where does the job run?')
  })
})

test('the pages are for owners and administrators', async () => {
  const at = await made({ issuer: ci.url, name: 'for whom', pin: '1' })
  for (const path of [base, `${base}/new`, at, `${at}/edit`, `${at}/delete`]) {
    await page(ada, path)
    await page(admin, path)
    await page(eve, path, 403)
    expect((await new Browser(stowage).fetch(path)).headers.get('location')).toMatch(/^\/user\/login/)
  }
  await page(eve, '/ada/-/publishers', 403)
  await page(ada, '/ada/-/publishers')
})

/** Runs what a page shows as a CI system runs it, in a folder of its own. */
async function run(script: string, env: Record<string, string>): Promise<{ code: number; text: string }> {
  await using folder = await temporaryFolder()
  await Bun.write(`${folder.path}/README.md`, 'what was built')
  const shell = Bun.spawn(['bash', '-e', '-c', script], {
    ...{ cwd: folder.path, stdout: 'pipe', stderr: 'pipe' },
    env: { PATH: process.env.PATH ?? '', ...env },
  })
  const [out, err, code] = await Promise.all([
    new Response(shell.stdout).text(),
    new Response(shell.stderr).text(),
    shell.exited,
  ])
  return { code, text: out + err }
}

/** The snippet of a rule's page. */
async function snippetOf(at: string): Promise<string> {
  const [, text = ''] = (await page(ada, at)).match(/<pre[^>]*><code>(.*?)<\/code>/s) ?? []
  return text
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&gt;', '>')
    .replaceAll('&lt;', '<')
    .replaceAll('&amp;', '&')
}

/** The lines below one that ends in `|`, without what stands before them. */
function blockIn(yaml: string): string {
  const [, block = ''] = yaml.match(/\|\n((?:[ ]+.*\n?)+)$/) ?? []
  const [margin = ''] = block.match(/^ */) ?? []
  return block.replaceAll(new RegExp(`^${margin}`, 'gm'), '')
}

describe('what the page gives to a job does publish', () => {
  const build = 'tar -czf tool.tar.gz README.md\n'

  test('at GitHub', async () => {
    const at = await made({ issuer: ci.url, name: 'snippet', pin: '740', packages: 'by-github-*' })
    const yaml = await snippetOf(at)
    expect(yaml).toContain(build)
    // Where a runner gets the ID token of its job.
    await using runner = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch: async (request) => {
        if (request.headers.get('authorization') !== 'Bearer of the runner') return new Response('no', { status: 401 })
        const audience = new URL(request.url).searchParams.get('audience') ?? ''
        return Response.json({ count: 1, value: await ci.sign(audience, { ...job, repository_id: '740' }) })
      },
    })
    const env = {
      STOWAGE: stowage.url,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'of the runner',
      ACTIONS_ID_TOKEN_REQUEST_URL: `http://127.0.0.1:${runner.port}/token?api-version=2.0`,
      GITHUB_REF_NAME: 'v1.2',
    }
    expect(yaml).toContain(`STOWAGE: ${stowage.url}\n`)
    const { code, text } = await run(build + blockIn(yaml), env)
    expect({ code, text }).toEqual({ code: 0, text: expect.stringMatching(/^::add-mask::[0-9a-f]{40}\n$/) })
    const address = { owner: 'acme', package: 'by-github-example', version: 'v1.2', file: 'tool.tar.gz' }
    expect((await stowage.anonymous.get(address)).status).toBe(200)
    // What is wrong is said, and fails the job.
    const again = await run(build + blockIn(yaml), env)
    expect(again.code).not.toBe(0)
    expect(again.text).toContain('package file already exists')
    const refused = await run(build + blockIn(yaml), { ...env, STOWAGE: `${stowage.url}/` })
    expect(refused.code).not.toBe(0)
    const noRule = await run(build + blockIn(yaml.replace('packages/acme"', 'packages/ada"')), env)
    expect(noRule.code).not.toBe(0)
    expect(noRule.text).toContain('No rule lets this job publish')
  })

  test('at GitLab', async () => {
    const at = await made({ issuer: gitlab.url, name: 'snippet of GitLab', pin: '22', packages: 'by-gitlab' })
    const yaml = await snippetOf(at)
    expect(yaml).toContain(build)
    const [, aud = ''] = yaml.match(/aud: (.*)\n/) ?? []
    const ID_TOKEN = await gitlab.sign(aud, { sub: 'project_path:octo/tool', project_id: '22' })
    const { code, text } = await run(build + blockIn(yaml), { STOWAGE: aud, ID_TOKEN, CI_COMMIT_TAG: '2.0' })
    expect({ code, text }).toEqual({ code: 0, text: '' })
    const address = { owner: 'acme', package: 'by-gitlab', version: '2.0', file: 'tool.tar.gz' }
    expect((await stowage.anonymous.get(address)).status).toBe(200)
  })

  test('elsewhere', async () => {
    const at = await made({ issuer: other.url, name: 'snippet of others', pin: 'job:tool', packages: '*' })
    const commands = await snippetOf(at)
    const ID_TOKEN = await other.sign(stowage.url, { sub: 'job:tool' })
    const { code, text } = await run(build + commands, { ID_TOKEN })
    expect({ code, text }).toEqual({ code: 0, text: '' })
    const address = { owner: 'acme', package: 'example', version: '1.0.0', file: 'tool.tar.gz' }
    expect((await stowage.anonymous.get(address)).status).toBe(200)
    const shown = await page(ada, '/acme/-/packages/generic/example/1.0.0')
    expect(shown).toContain('Published by a job')
    expect(shown).toContain('job:tool')
  })
})

test('a rule whose issuer is trusted no more says so, and can only be deleted', async () => {
  const at = await made({ issuer: other.url, name: 'left over', pin: 'job:left', packages: 'left' })
  await stowage.change(`update publishers set issuer = 'https://gone.example.com' where name = 'left over'`)
  expect(await page(ada, at)).toContain('is not trusted here any more')
  expect(await page(ada, base)).toContain('No longer trusted here')
  await page(ada, `${at}/edit`, 403)
  expect((await sent(ada, `${at}/delete`, { confirm: 'left over' })).status).toBe(303)
})

test('a site that trusts no issuer says so', async () => {
  await using bare = await startStowage()
  await bare.user('ada')
  const browser = new Browser(bare)
  await browser.signIn('ada')
  expect(await page(browser, '/ada/-/publishers')).toContain('STOWAGE_OIDC_PUBLISHERS')
  expect((await browser.fetch('/ada/-/publishers/new')).headers.get('location')).toBe('/ada/-/publishers')
})
