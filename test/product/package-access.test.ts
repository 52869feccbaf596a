import { describe, expect, test } from 'bun:test'
import { blobFiles } from '../support/inventory.ts'
import { seededBytes } from '../support/seeded.ts'
import { SlowUpload } from '../support/slow-upload.ts'
import { basic, type Client, startStowage, type TestStowage } from '../support/stowage.ts'
import { until } from '../support/until.ts'

const access = (owner: string, name = 'tool', ...more: (string | number)[]) =>
  `/api/v1/packages/${[owner, 'generic', name, '-', 'access', ...more].join('/')}`

const send = (client: Client, method: string, path: string, body?: unknown) =>
  client.fetch(path, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
  })

const hide = async (client: Client, owner: string, name = 'tool') =>
  expect((await send(client, 'PATCH', access(owner, name), { visibility: 'private' })).status).toBe(200)

const give = async (client: Client, owner: string, name: string, to: (string | number)[], permission = 'read') =>
  expect((await send(client, 'PUT', access(owner, name, ...to), { permission })).status).toBe(204)

async function must(answer: Promise<Response>) {
  const response = await answer
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
  return response.status === 204
    ? { id: 0 }
    : ((await response.json()) as { id: number; token?: string; sha1?: string })
}

/** Ada owns acme; bob and eve are nobody there. */
async function world(stowage: TestStowage, visibility = 'public') {
  const [ada, bob, eve] = [await stowage.user('ada'), await stowage.user('bob'), await stowage.user('eve')]
  await must(ada.post('/api/v1/orgs', { username: 'acme', visibility }))
  for (const name of ['tool', 'other']) {
    expect((await ada.put({ owner: 'acme', package: name }, name)).status).toBe(201)
  }
  await stowage.stowage.runJobs()
  return { ada, bob, eve }
}

const deployToken = async (stowage: TestStowage, maker: Client, owner: string, scopes: string[]) => {
  const made = await must(maker.post(`/api/v1/owners/${owner}/deploy-tokens`, { name: `ci-${Math.random()}`, scopes }))
  return { id: made.id, client: stowage.anonymous.with({ Authorization: `token ${made.token ?? made.sha1}` }) }
}

/** All that an answer says, but for its time and its own number. */
async function whole(response: Response) {
  const headers = Object.fromEntries([...response.headers].filter(([name]) => !['date', 'x-request-id'].includes(name)))
  return { status: response.status, headers, body: await response.text() }
}

describe('a private package', () => {
  test('is to others as one that is not there, to the byte', async () => {
    await using stowage = await startStowage()
    const { ada, bob } = await world(stowage)
    await hide(ada, 'acme')
    const paths = [
      (name: string) => `/api/packages/acme/generic/${name}/1.0/tool.bin`,
      (name: string) => `/api/v1/packages/acme/generic/${name}`,
      (name: string) => `/api/v1/packages/acme/generic/${name}/1.0`,
      (name: string) => `/api/v1/packages/acme/generic/${name}/1.0/files`,
      (name: string) => `/api/v1/packages/acme/generic/${name}/1.0/origins`,
      (name: string) => `/api/v1/packages/acme/generic/${name}/-/latest`,
      (name: string) => `/api/v1/packages/acme/generic/${name}/-/metadata`,
      (name: string) => `/api/v1/packages/acme/generic/${name}/-/downloads`,
      (name: string) => access('acme', name),
      (name: string) => `/api/v1/packages/acme/generic/${name}/-/audit`,
    ]
    const limited = await bob.token(['write:package'])
    const reading = await bob.token(['read:package', 'public-only'])
    for (const caller of [stowage.anonymous, bob, limited, reading]) {
      for (const path of paths) {
        for (const method of ['GET', 'HEAD']) {
          const [hidden, missing] = [await send(caller, method, path('tool')), await send(caller, method, path('none'))]
          const [one, other] = [await whole(hidden), await whole(missing)]
          const alike = (text: string) => text.replaceAll(/none|tool(?!\.bin)/g, '…').replaceAll(/[0-9a-f-]{36}/g, 'id')
          expect({
            path: path(''),
            ...one,
            body: alike(one.body),
            headers: alike(JSON.stringify(one.headers)),
          }).toEqual({
            ...{ path: path(''), ...other, body: alike(other.body), headers: alike(JSON.stringify(other.headers)) },
          })
        }
      }
      const changes: [string, (name: string) => string, unknown?][] = [
        ['PUT', (name) => `/api/packages/acme/generic/${name}/1.0/tool.bin`, 'x'],
        ['PUT', (name) => `/api/packages/acme/generic/${name}/1.0/a,b`, 'x'],
        ['DELETE', (name) => `/api/packages/acme/generic/${name}/1.0/tool.bin`],
        ['DELETE', (name) => `/api/packages/acme/generic/${name}/1.0`],
        ['DELETE', (name) => `/api/v1/packages/acme/generic/${name}`],
        ['DELETE', (name) => `/api/v1/packages/acme/generic/${name}/1.0`],
        ['PATCH', (name) => `/api/v1/packages/acme/generic/${name}/-/metadata`, { description: 'x' }],
        ['POST', (name) => `/api/v1/packages/acme/generic/${name}/-/delete-versions`, { pattern: '*' }],
        ['POST', (name) => `/api/v1/packages/acme/generic/${name}/-/link/repo`, {}],
        ['POST', (name) => `/api/v1/packages/acme/generic/${name}/-/unlink`, {}],
        ['PATCH', (name) => access('acme', name), { visibility: 'inherit' }],
        ['PUT', (name) => access('acme', name, 'users', 'bob'), { permission: 'read' }],
        ['DELETE', (name) => access('acme', name, 'users', 'bob')],
      ]
      for (const [method, path, body] of changes) {
        const ask = async (name: string) => ({
          path: path(''),
          ...(await whole(await send(caller, method, path(name), body))),
        })
        expect(await ask('tool')).toEqual(await ask('none'))
      }
    }
    expect((await ada.get({ owner: 'acme' })).status).toBe(200)
    expect((await stowage.anonymous.get({ owner: 'acme', package: 'other' })).status).toBe(200)
  })

  test('is hidden from the next request on, however hot its file is', async () => {
    await using stowage = await startStowage()
    const { ada, bob } = await world(stowage)
    const anonymous = async () => (await stowage.anonymous.get({ owner: 'acme' })).status
    for (let time = 0; time < 3; time++) expect(await anonymous()).toBe(200)
    await hide(ada, 'acme')
    expect(await anonymous()).toBe(404)
    await give(ada, 'acme', 'tool', ['users', 'bob'])
    expect((await bob.get({ owner: 'acme' })).status).toBe(200)
    expect((await send(ada, 'DELETE', access('acme', 'tool', 'users', 'bob'))).status).toBe(204)
    expect((await bob.get({ owner: 'acme' })).status).toBe(404)
    expect((await send(ada, 'PATCH', access('acme'), { visibility: 'inherit' })).status).toBe(200)
    expect(await anonymous()).toBe(200)
  })

  test('is private before its first file, and after its last', async () => {
    await using stowage = await startStowage()
    const { ada, bob } = await world(stowage)
    await hide(ada, 'acme', 'secret')
    const listed = async (client: Client) =>
      ((await (await client.fetch('/api/v1/search/packages?owner=acme')).json()) as { name: string }[])
        .map(({ name }) => name)
        .sort()
    expect(await listed(ada)).toEqual(['other', 'tool'])
    expect((await ada.put({ owner: 'acme', package: 'Secret' }, 'x')).status).toBe(201)
    expect(await listed(ada)).toEqual(['other', 'secret', 'tool'])
    expect(await listed(bob)).toEqual(['other', 'tool'])
    expect((await ada.delete({ owner: 'acme', package: 'secret' })).status).toBe(204)
    expect((await ada.put({ owner: 'acme', package: 'secret' }, 'y')).status).toBe(201)
    expect((await bob.get({ owner: 'acme', package: 'secret' })).status).toBe(404)
    expect((await ada.delete({ owner: 'acme', package: 'secret' })).status).toBe(204)
    // With the last that is said of it, it goes.
    const rows = () => stowage.change(`select id from packages where name_key = 'secret'`)
    await give(ada, 'acme', 'secret', ['users', 'bob'])
    await send(ada, 'PATCH', access('acme', 'secret'), { visibility: 'inherit' })
    expect(await rows()).toHaveLength(1)
    await send(ada, 'DELETE', access('acme', 'secret', 'users', 'bob'))
    expect(await rows()).toHaveLength(0)
  })
})

describe('who is named', () => {
  test.each(['public', 'private'])('reads or writes that package, at a %s organisation', async (visibility) => {
    await using stowage = await startStowage()
    const { ada, bob, eve } = await world(stowage, visibility)
    await hide(ada, 'acme')
    const team = await must(ada.post('/api/v1/orgs/acme/teams', { name: 'readers', permission: 'read' }))
    await must(ada.fetch(`/api/v1/teams/${team.id}/members/eve`, { method: 'PUT' }))
    expect((await eve.get({ owner: 'acme' })).status).toBe(404)
    await give(ada, 'acme', 'tool', ['users', 'BOB'])
    await give(ada, 'acme', 'tool', ['teams', team.id], 'write')
    const { id, client: ci } = await deployToken(stowage, ada, 'acme', ['read:package'])
    expect((await ci.get({ owner: 'acme' })).status).toBe(404)
    await give(ada, 'acme', 'tool', ['deploy-tokens', id])
    for (const reader of [bob, eve, ci]) expect((await reader.get({ owner: 'acme' })).status).toBe(200)
    expect((await bob.put({ owner: 'acme', version: '2.0' }, 'x')).status).toBe(403)
    expect((await ci.put({ owner: 'acme', version: '2.0' }, 'x')).status).toBe(403)
    expect((await eve.put({ owner: 'acme', version: '2.0' }, 'x')).status).toBe(201)
    expect((await eve.put({ owner: 'acme', package: 'new', version: '2.0' }, 'x')).status).toBe(403)
    expect((await bob.get({ owner: 'acme', package: 'other' })).status).toBe(visibility === 'public' ? 200 : 404)
    const shown = await (await ada.fetch(access('acme'))).json()
    expect(shown).toEqual({
      visibility: 'private',
      users: [{ id: expect.any(Number), name: 'bob', permission: 'read' }],
      teams: [{ id: team.id, name: 'readers', permission: 'write' }],
      deploy_tokens: [{ id, name: expect.stringMatching(/^ci-/), permission: 'read' }],
    })
    expect(await (await bob.fetch('/api/v1/packages/acme/generic/tool/-/metadata')).json()).toMatchObject({
      visibility: 'private',
      can_write: false,
    })
    // What goes takes its rights along.
    expect((await send(ada, 'DELETE', `/api/v1/teams/${team.id}`)).status).toBe(204)
    expect((await send(ada, 'DELETE', `/api/v1/owners/acme/deploy-tokens/${id}`)).status).toBe(204)
    expect((await send(stowage.admin, 'DELETE', '/api/v1/admin/users/bob')).status).toBe(204)
    expect(await (await ada.fetch(access('acme'))).json()).toEqual({
      ...{ visibility: 'private', users: [], teams: [], deploy_tokens: [] },
    })
  })

  test('sees of a private owner the name, and no more', async () => {
    await using stowage = await startStowage()
    const { ada, bob, eve } = await world(stowage, 'private')
    await must(
      send(ada, 'PATCH', '/api/v1/orgs/acme', {
        ...{ full_name: 'Acme Corporation', description: 'Anvils', website: 'https://anvils.example.com' },
        ...{ location: 'Arizona', email: 'hello@anvils.example.com' },
      }),
    )
    // It is not even private: that it names somebody is all there is.
    await give(ada, 'acme', 'tool', ['users', 'bob'], 'write')
    const hidden = /Acme Corporation|Anvils|anvils|Arizona|other|limited/
    const paths = [
      '/api/v1/packages/acme',
      '/api/v1/packages/acme/generic/tool',
      '/api/v1/packages/acme/generic/tool/1.0',
      '/api/v1/packages/acme/generic/tool/-/latest',
      '/api/v1/search/packages',
      '/api/v1/search/packages?q=too',
      '/api/v1/search/packages?owner=acme',
      `/api/v1/search/packages?sha256=${new Bun.CryptoHasher('sha256').update('tool').digest('hex')}`,
    ]
    for (const path of paths) {
      const response = await bob.fetch(path)
      const text = await response.text()
      expect({ path, status: response.status }).toEqual({ path, status: 200 })
      const parsed = JSON.parse(text)
      const found = Array.isArray(parsed) ? parsed : [parsed]
      expect(found.map(({ name }: { name: string }) => name)).toEqual(['tool'])
      expect(found[0].owner).toMatchObject({
        ...{ login: 'acme', full_name: '', description: '', website: '', location: '' },
        ...{ email: 'acme@noreply.localhost', visibility: 'private', created: '0001-01-01T00:00:00Z' },
      })
      if (Array.isArray(parsed)) expect(response.headers.get('x-total-count')).toBe('1')
      expect(text).not.toMatch(hidden)
    }
    expect(await (await bob.fetch('/api/v1/usage/acme')).json()).toMatchObject({
      ...{ versions: 1, packages: 1, files: 1, size: 4, reserved_versions: null, quota: null },
    })
    expect(await (await bob.fetch('/api/v1/usage/acme/packages')).json()).toMatchObject([{ name: 'tool' }])
    const unseen = [
      ...['/api/v1/orgs/acme', '/api/v1/users/acme', '/api/v1/orgs/acme/members', '/api/v1/orgs/acme/teams'],
      ...['/api/v1/owners/acme/deploy-tokens', '/api/v1/owners/acme/publishers', '/api/v1/orgs/acme/hooks'],
      ...[access('acme'), '/api/v1/packages/acme/generic/other', '/api/v1/users/acme/orgs'],
    ]
    for (const path of unseen) expect({ path, status: (await bob.fetch(path)).status }).toEqual({ path, status: 404 })
    expect(await (await bob.fetch('/api/v1/orgs')).json()).toEqual([])
    // Eve, whom nothing names, hears of nothing.
    for (const path of paths.slice(0, 4)) expect((await eve.fetch(path)).status).toBe(404)
    expect(await (await eve.fetch('/api/v1/search/packages')).json()).toEqual([])
    // The log says by whom and from where things were done: that is the owner's.
    expect((await bob.fetch('/api/v1/packages/acme/generic/tool/-/audit')).status).toBe(403)
  })

  test('is led from an old name to the new one, and others are not', async () => {
    await using stowage = await startStowage()
    const { ada, bob, eve } = await world(stowage, 'private')
    await give(ada, 'acme', 'tool', ['users', 'bob'])
    expect((await ada.post('/api/v1/orgs/acme/rename', { new_name: 'acme-tools' })).status).toBe(204)
    const status = async (client: Client) =>
      (await client.fetch(client.path({ owner: 'acme' }), { redirect: 'manual' })).status
    expect(await status(bob)).toBe(307)
    expect(await status(eve)).toBe(404)
    expect(await status(await bob.token(['all', 'public-only']))).toBe(404)
  })
})

describe('rights on a package are given', () => {
  test('by who runs its owner, with a token that may', async () => {
    await using stowage = await startStowage()
    const { ada, bob, eve } = await world(stowage)
    const team = await must(ada.post('/api/v1/orgs/acme/teams', { name: 'writers', permission: 'write' }))
    await must(ada.fetch(`/api/v1/teams/${team.id}/members/bob`, { method: 'PUT' }))
    await give(ada, 'acme', 'tool', ['users', 'eve'], 'write')
    for (const nobody of [bob, eve]) {
      expect((await nobody.fetch(access('acme'))).status).toBe(403)
      expect((await send(nobody, 'PATCH', access('acme'), { visibility: 'private' })).status).toBe(403)
      expect((await send(nobody, 'DELETE', access('acme', 'tool', 'users', 'eve'))).status).toBe(403)
    }
    expect((await stowage.anonymous.fetch(access('acme'))).status).toBe(401)
    const packages = await ada.token(['write:package'])
    expect((await packages.fetch(access('acme'))).status).toBe(403)
    const reading = await ada.token(['read:organization'])
    expect((await reading.fetch(access('acme'))).status).toBe(200)
    expect((await send(reading, 'PATCH', access('acme'), { visibility: 'private' })).status).toBe(403)
    const all = await ada.token(['write:organization'])
    expect((await send(all, 'PATCH', access('acme'), { visibility: 'private' })).status).toBe(200)
    expect((await send(stowage.admin, 'PATCH', access('acme'), { visibility: 'inherit' })).status).toBe(200)
    // One's own.
    expect((await ada.put({}, 'x')).status).toBe(201)
    await give(ada, 'ada', 'tool', ['users', 'eve'])
    expect((await bob.fetch(access('ada'))).status).toBe(403)
  })

  test('to whom the caller may see, to teams and tokens of the owner', async () => {
    await using stowage = await startStowage()
    const { ada, bob } = await world(stowage)
    await stowage.user('hidden', { visibility: 'private' })
    await must(bob.post('/api/v1/orgs', { username: 'other' }))
    const team = await must(bob.post('/api/v1/orgs/other/teams', { name: 'theirs', permission: 'read' }))
    const { id } = await deployToken(stowage, bob, 'other', ['read:package'])
    const refused = async (...to: (string | number)[]) =>
      whole(await send(ada, 'PUT', access('acme', 'tool', ...to), { permission: 'read' }))
    expect((await refused('users', 'hidden')).status).toBe(404)
    expect(await refused('users', 'hidden')).toEqual(await refused('users', 'nobody'))
    expect(await refused('teams', team.id)).toEqual(await refused('teams', 99_999))
    expect(await refused('deploy-tokens', id)).toEqual(await refused('deploy-tokens', 99_999))
    expect((await refused('teams', 'x')).status).toBe(404)
    expect((await refused('users', 'acme')).status).toBe(404)
    expect((await send(ada, 'DELETE', access('acme', 'tool', 'users', 'bob'))).status).toBe(404)
    expect((await send(ada, 'PUT', access('acme', 'a,b', 'users', 'bob'), { permission: 'read' })).status).toBe(400)
    expect((await send(ada, 'PUT', access('acme', 'tool', 'users', 'bob'), { permission: 'admin' })).status).toBe(422)
    expect((await send(ada, 'PATCH', access('acme'), { visibility: 'public' })).status).toBe(422)
    // Who may already may be named, and a member though he is hidden.
    await give(ada, 'acme', 'tool', ['users', 'ada'])
    const writers = await must(ada.post('/api/v1/orgs/acme/teams', { name: 'writers', permission: 'read' }))
    await must(stowage.admin.fetch(`/api/v1/teams/${writers.id}/members/hidden`, { method: 'PUT' }))
    await give(ada, 'acme', 'tool', ['users', 'hidden'])
  })

  test('before the first file of 10,000 packages at most', async () => {
    await using stowage = await startStowage()
    const { ada } = await world(stowage)
    await stowage.change(`
      with recursive numbers(number) as (select 1 union all select number + 1 from numbers where number < 9999)
      insert into packages (owner_id, name, name_key, created_at)
      select owners.id, 'bare-' || number, 'bare-' || number, 0 from owners cross join numbers where name_key = 'acme'`)
    await hide(ada, 'acme', 'last')
    const refused = await send(ada, 'PATCH', access('acme', 'more'), { visibility: 'private' })
    expect({ status: refused.status, text: await refused.text() }).toEqual({
      status: 422,
      text: expect.stringContaining('10000 packages without a version'),
    })
    await give(ada, 'acme', 'tool', ['users', 'bob'])
  })

  test('to 200 at most', async () => {
    await using stowage = await startStowage()
    const { ada } = await world(stowage)
    await give(ada, 'acme', 'tool', ['users', 'bob'])
    const numbers = Array.from({ length: 199 }, (_, i) => i + 1)
    await stowage.change(`insert into teams (organisation_id, name, name_key, description, permission, units_map, access,
      includes_all_repositories, can_create_org_repo) select owners.id, 'team-' || n, 'team-' || n, '', 'read', '{}', 1, 0, 0
      from owners, (${numbers.map((n) => `select ${n} as n`).join(' union all ')}) as numbers where owners.name = 'acme'`)
    await stowage.change(`insert into package_grants (owner_id, package_id, team_id, access, created_at)
      select owner_id, packages.id, teams.id, 1, 0 from packages join teams on teams.organisation_id = owner_id
      where packages.name = 'tool' and teams.name like 'team-%'`)
    expect((await send(ada, 'PUT', access('acme', 'tool', 'users', 'eve'), { permission: 'read' })).status).toBe(422)
    await give(ada, 'acme', 'tool', ['users', 'bob'], 'write')
  })

  test('and written down', async () => {
    await using stowage = await startStowage()
    const { ada } = await world(stowage)
    await hide(ada, 'acme')
    await hide(ada, 'acme')
    await give(ada, 'acme', 'tool', ['users', 'bob'])
    await give(ada, 'acme', 'tool', ['users', 'bob'], 'write')
    await give(ada, 'acme', 'tool', ['users', 'bob'], 'write')
    await send(ada, 'DELETE', access('acme', 'tool', 'users', 'bob'))
    const events = (await (await ada.fetch('/api/v1/orgs/acme/audit?action=package.')).json()) as Record<
      string,
      unknown
    >[]
    expect(events.map(({ action, package: name, subject, details }) => ({ action, name, subject, details }))).toEqual([
      {
        ...{ action: 'package.access-changed', name: 'tool', subject: 'bob' },
        details: { kind: 'user', access_before: 'write', access: 'none' },
      },
      {
        ...{ action: 'package.access-changed', name: 'tool', subject: 'bob' },
        details: { kind: 'user', access_before: 'read', access: 'write' },
      },
      {
        ...{ action: 'package.access-changed', name: 'tool', subject: 'bob' },
        details: { kind: 'user', access_before: 'none', access: 'read' },
      },
      {
        ...{ action: 'package.visibility-changed', name: 'tool', subject: null },
        details: { visibility_before: 'inherit', visibility: 'private' },
      },
    ])
  })
})

describe('an upload that runs is refused at its end', () => {
  /** Half of a file is sent, something is done, and the rest follows. */
  async function duringAnUpload(stowage: TestStowage, name: string, meanwhile: () => Promise<Response>) {
    const body = seededBytes(120_000, 1)
    const before = (await blobFiles(stowage.dataDir)).size
    const target = stowage.anonymous.path({ owner: 'acme', version: '2.0' })
    const headers = { Authorization: basic(name, `${name}-Pass-1234`) }
    using upload = await SlowUpload.begin(stowage.port, target, headers, body.length)
    await upload.send(body.subarray(0, 60_000))
    await until(async () => (await blobFiles(stowage.dataDir)).size > before, 'the upload is let in')
    expect((await meanwhile()).ok).toBe(true)
    await upload.send(body.subarray(60_000))
    return await upload.answer()
  }

  test.each<[string, number, (ada: Client) => Promise<Response>]>([
    ['when its sender is named no more', 404, (ada) => send(ada, 'DELETE', access('acme', 'tool', 'users', 'bob'))],
    [
      'when its sender may only read any more',
      403,
      (ada) => send(ada, 'PUT', access('acme', 'tool', 'users', 'bob'), { permission: 'read' }),
    ],
  ])('%s', async (_, status, takeAway) => {
    await using stowage = await startStowage()
    const { ada } = await world(stowage, 'private')
    await hide(ada, 'acme')
    await give(ada, 'acme', 'tool', ['users', 'bob'], 'write')
    const answer = await duringAnUpload(stowage, 'bob', () => takeAway(ada))
    expect(answer.status).toBe(status)
    expect((await ada.get({ owner: 'acme', version: '2.0' })).status).toBe(404)
  })

  test('when its private package is deleted, as it would be open then', async () => {
    await using stowage = await startStowage()
    const { ada } = await world(stowage)
    await hide(ada, 'acme')
    const remove = () => ada.fetch('/api/v1/packages/acme/generic/tool', { method: 'DELETE' })
    const answer = await duringAnUpload(stowage, 'ada', remove)
    expect([answer.status, String(answer.body)]).toEqual([404, expect.stringContaining('was deleted while this came')])
    expect((await ada.get({ owner: 'acme', version: '2.0' })).status).toBe(404)
  })

  test('but not when it becomes private to others', async () => {
    await using stowage = await startStowage()
    const { ada } = await world(stowage)
    await give(ada, 'acme', 'tool', ['users', 'bob'], 'write')
    const makePrivate = () => send(ada, 'PATCH', access('acme'), { visibility: 'private' })
    expect((await duringAnUpload(stowage, 'bob', makePrivate)).status).toBe(201)
  })
})
