import { randomBytes } from 'node:crypto'
import { type TOTP, URI } from 'otpauth'
import { SoftAuthenticator } from '../support/authenticator.ts'
import { Browser } from '../support/browser.ts'
import { Issuer } from '../support/issuer.ts'
import { addPasskey } from '../support/passkeys.ts'
import { startReceiver } from '../support/receiver.ts'
import { Person } from '../support/single-sign-on.ts'
import { type Client, startStowage, type TestStowage } from '../support/stowage.ts'

/*
 * A small company's registry as it looks after a few weeks, made by real requests at a clock that is moved on: what pictures of pages
 * show, and what a newcomer may look at.
 */

const day = 24 * 60 * 60_000

const readme = `# anchor

Keeps long transfers where they are when the line goes down.

## Use

\`\`\`sh
anchor hold backup.tar --until "$HOME/.line-is-up"
\`\`\`

| flag | meaning |
|---|---|
| \`--until\` | a file that says when to go on |
| \`--tries\` | how often it looks, 10 by default |

- Written for slow lines
- Tested on [three systems](https://example.com/anchor/systems)

> Needs no configuration.
`

export interface Site extends AsyncDisposable {
  stowage: TestStowage
  ada: Client
  /** What the authenticator of Grace shows, each time the next one. */
  code(): string
}

export async function makeSite(): Promise<Site> {
  let now = Date.now() - 30 * day
  const [corp, partner] = [await Issuer.start(), await Issuer.start()]
  // Called as somebody who is there already.
  corp.account('joan')
  const stowage = await startStowage({
    replace: { now: () => now },
    // A name: passkeys belong to one.
    settings: {
      STOWAGE_LISTEN: 'localhost:0',
      ...corp.settings('CORP', { AUTO_REGISTER: 'true' }),
      ...partner.settings('PARTNER'),
      STOWAGE_OIDC_PUBLISHERS: 'github, gitlab',
      STOWAGE_WEBHOOK_ALLOWED_HOSTS: '127.0.0.1',
      STOWAGE_AUDIT_RETENTION: '365d',
    },
  })
  const { admin } = stowage
  const receiver = await startReceiver()
  receiver.answers((response) => response.writeHead(200, { 'Content-Type': 'text/plain' }).end('The build is started.'))
  const ada = await stowage.user('ada', { full_name: 'Ada Lovelace' })
  const grace = await stowage.user('grace', { full_name: 'Grace Hopper' })
  await stowage.user('joan')
  const must = async (answer: Promise<Response>) => {
    const response = await answer
    if (!response.ok) throw new Error(`${response.url}: ${response.status} ${await response.text()}`)
    return response
  }
  const patch = (client: Client, path: string, body: unknown) =>
    must(
      client.fetch(path, {
        method: 'PATCH',
        body: JSON.stringify(body),
        headers: { 'Content-Type': 'application/json' },
      }),
    )
  await must(
    ada.post('/api/v1/orgs', {
      username: 'acme',
      full_name: 'Acme Shipping',
      description: 'Tools for slow lines',
      website: 'https://example.com',
    }),
  )
  const team = (await (
    await must(
      ada.post('/api/v1/orgs/acme/teams', {
        name: 'release',
        permission: 'write',
        description: 'Publishes what is released',
      }),
    )
  ).json()) as { id: number }
  await must(ada.fetch(`/api/v1/teams/${team.id}/members/grace`, { method: 'PUT' }))
  await must(ada.post('/api/v1/orgs', { username: 'harbour', visibility: 'private' }))
  await patch(admin, '/api/v1/admin/quotas/owners/acme', { bytes: 8_000_000, versions: 40 })

  const put = async (client: Client, name: string, version: string, files: Record<string, number>) => {
    for (const [file, size] of Object.entries(files)) {
      await must(client.put({ owner: 'acme', package: name, version, file }, randomBytes(size)))
    }
  }
  for (let week = 0; week < 5; week++) {
    for (let i = 0; i < 6; i++) {
      now += day
      const version = `1.${week}.${i}`
      if (i % 3 === 0) {
        await put(grace, 'anchor', version, {
          [`anchor-${version}-linux-x64.tar.gz`]: 140_000 + 9_000 * i,
          [`anchor-${version}-darwin-arm64.tar.gz`]: 150_000,
          'SHA256SUMS.txt': 210,
        })
      }
      if (i === 1) await put(ada, 'capstan', `0.${week}.0`, { 'capstan.jar': 60_000, 'capstan.pom': 2_400 })
      for (let times = 0; times < 2 + ((i * 7 + week * 3) % 9); times++) {
        await must(
          stowage.anonymous.get({ owner: 'acme', package: 'anchor', version: '1.0.0', file: 'SHA256SUMS.txt' }),
        )
      }
      await stowage.stowage.flushDownloads()
    }
  }
  await patch(ada, '/api/v1/packages/acme/generic/anchor/-/metadata', {
    description: 'Keeps long transfers where they are when the line goes down',
    readme,
    homepage: 'https://example.com/anchor',
    repository_url: 'https://example.com/acme/anchor',
    labels: ['network', 'cli', 'stable'],
  })
  await patch(ada, '/api/v1/packages/acme/generic/capstan/-/metadata', {
    description: 'Winds things up',
    labels: ['jvm'],
  })
  await must(ada.put({ package: 'notes', version: '2026-11', file: 'a;rm -rf $HOME' }, 'nothing bad'))
  await must(ada.put({ package: 'notes', version: '🚢 v2 “final”', file: 'notes.txt' }, 'text'))
  await must(
    ada.post('/api/v1/orgs/acme/hooks', {
      type: 'gitea',
      active: true,
      events: ['package'],
      config: { url: `${receiver.url}/hook`, content_type: 'json', secret: 'a-secret-of-the-hook' },
    }),
  )
  await must(
    admin.post('/api/v1/admin/hooks', {
      type: 'stowage',
      active: true,
      events: ['package'],
      config: { url: 'http://127.0.0.1:9/all', content_type: 'json' },
    }),
  )
  await ada.token(['write:package'], { name: 'ci of anchor', packages: ['acme/anchor', 'acme/anchor-*'] })
  await ada.token(['read:package'], { name: 'laptop' })
  await must(
    ada.post('/api/v1/owners/acme/publishers', {
      name: 'acme/anchor',
      issuer: 'https://token.actions.githubusercontent.com',
      claims: { repository_id: '74', ref: 'refs/tags/v*', environment: 'release' },
      packages: ['anchor', 'anchor-*'],
    }),
  )
  const deploy = '/api/v1/owners/acme/deploy-tokens'
  await ada.post(deploy, { name: 'release of anchor', scopes: ['write:package'], packages: ['anchor', 'anchor-*'] })
  await ada.post(deploy, { name: 'mirror', scopes: ['read:package', 'public-only'] })
  now += 3 * 60 * 60_000
  await put(grace, 'anchor', '1.5.0', {
    'anchor-1.5.0-linux-x64.tar.gz': 210_000,
    'anchor-1.5.0-windows-x64.zip': 230_000,
    'SHA256SUMS.txt': 210,
  })
  const enrolled = (await (await must(grace.post('/api/v1/user/totp', {}))).json()) as { url: string }
  const authenticator = URI.parse(enrolled.url) as TOTP
  const code = () => {
    // Each is taken once.
    now += 30_000
    return authenticator.generate({ timestamp: now })
  }
  await must(grace.post('/api/v1/user/totp/confirm', { code: code() }))
  const browser = new Browser(stowage)
  await must(browser.post('/user/login', { user: 'grace', password: 'grace-Pass-1234', code: code() }))
  const keeper = new SoftAuthenticator(stowage.url)
  for (const name of ['Phone', 'Security key in the drawer']) {
    await addPasskey(browser, { password: 'grace-Pass-1234', authenticator: keeper, name })
  }
  now += 2 * 60 * 60_000
  await stowage.stowage.runJobs()
  // One of the two is told; where the other one is, nobody answers.
  await stowage.stowage.runJobs('deliveries')
  await stowage.stowage.flushDownloads()
  await stowage.stowage.flushUses()
  await stowage.stowage.flushSignIns(true)
  const herself = new Person(stowage)
  await must(herself.browser.signIn('ada'))
  partner.account('ada.lovelace')
  await herself.link('partner', 'ada.lovelace', 'ada-Pass-1234')
  await must(herself.browser.post('/user/logout'))
  return {
    stowage,
    ada,
    code,
    [Symbol.asyncDispose]: async () => {
      await stowage[Symbol.asyncDispose]()
      await receiver[Symbol.asyncDispose]()
      await corp[Symbol.asyncDispose]()
      await partner[Symbol.asyncDispose]()
    },
  }
}
