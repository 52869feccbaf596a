import { describe, expect, test } from 'bun:test'
import { basic, type Client, startStowage, type TestStowage } from '../support/stowage.ts'

const github = 'https://token.actions.githubusercontent.com'
const gitlab = 'https://gitlab.com'
const other = 'https://ci.example.com'

const trusting = () =>
  startStowage({ settings: { STOWAGE_OIDC_PUBLISHERS: `github, gitlab, ${other}`, STOWAGE_REQUIRE_SIGN_IN: 'false' } })

const rule = { name: 'octo/tool', issuer: github, claims: { repository_id: '74' }, packages: ['tool-*'] }

const at = (owner: string, ...more: (string | number)[]) => `/api/v1/owners/${[owner, 'publishers', ...more].join('/')}`

async function made(who: Client, owner: string, fields: object = {}): Promise<{ id: number; name: string }> {
  const response = await who.post(at(owner), { ...rule, ...fields })
  expect(response.status).toBe(201)
  return (await response.json()) as { id: number; name: string }
}

const patch = (who: Client, path: string, body: object) =>
  who.fetch(path, { method: 'PATCH', body: JSON.stringify(body) })

async function messageOf(response: Response): Promise<string> {
  return `${response.status} ${((await response.json()) as { message: string }).message}`
}

test('an owner makes rules, sees them, changes them and deletes them', async () => {
  await using stowage = await trusting()
  const ada = await stowage.user('ada')
  const first = await made(ada, 'ada', {
    claims: { repository_id: '74', ref: 'refs/tags/v*' },
    packages: ['Tool-**', 'tool-*', 'lib'],
  })
  expect(first).toEqual({
    ...{ id: first.id, name: 'octo/tool', issuer: github, claims: { repository_id: '74', ref: 'refs/tags/v*' } },
    ...{ packages: ['tool-*', 'lib'], created_by: 'ada', created_at: expect.any(String), last_used_at: null },
  } as never)
  const second = await made(ada, 'ada', {
    name: 'of GitLab',
    issuer: gitlab,
    claims: { project_id: '22' },
    packages: ['*'],
  })

  const list = await ada.fetch(at('ADA'))
  expect(list.headers.get('x-total-count')).toBe('2')
  expect(await list.json()).toEqual([first, second])
  expect(await (await ada.fetch(`${at('ada')}?limit=1&page=2`)).json()).toEqual([second])
  expect(await (await ada.fetch(at('ada', first.id))).json()).toEqual(first)

  expect(await (await patch(ada, at('ada', first.id), { packages: ['else'] })).json()).toEqual({
    ...first,
    packages: ['else'],
  })
  const moved = { name: 'moved', issuer: other, claims: { sub: 'job:tool' } }
  expect(await (await patch(ada, at('ada', first.id), moved)).json()).toEqual({
    ...first,
    ...moved,
    packages: ['else'],
  })
  expect((await patch(ada, at('ada', first.id), {})).status).toBe(200)
  expect((await ada.fetch(at('ada', first.id), { method: 'DELETE' })).status).toBe(204)
  expect((await ada.fetch(at('ada', first.id))).status).toBe(404)
  expect((await ada.fetch(at('ada', first.id), { method: 'DELETE' })).status).toBe(404)

  const events = (await (await ada.fetch('/api/v1/user/audit?action=publisher.')).json()) as object[]
  expect(events).toMatchObject([
    { action: 'publisher.deleted', subject: 'moved' },
    { action: 'publisher.changed', subject: 'moved', details: { issuer: other, claims: ['sub=job:tool'] } },
    { action: 'publisher.changed', subject: 'octo/tool', details: { packages: ['else'] } },
    { action: 'publisher.created', subject: 'of GitLab' },
    {
      action: 'publisher.created',
      subject: 'octo/tool',
      details: { claims: ['repository_id=74', 'ref=refs/tags/v*'] },
    },
  ])
})

describe('a rule is refused', () => {
  const cases: [string, object, string][] = [
    ['without a pin', { claims: { repository: 'octo/tool' } }, '400 claims.repository_id: must be the number of one'],
    [
      'with a wildcard in it',
      { claims: { repository_id: '7*' } },
      '400 claims.repository_id: must be the number of one',
    ],
    ['with the pin of others', { claims: { project_id: '7' } }, '400 claims.repository_id: must be the number of one'],
    [
      'of GitLab by a path',
      { issuer: gitlab, claims: { project_path: 'octo/tool' } },
      '400 claims.project_id: must be',
    ],
    ['of others by a pattern', { issuer: other, claims: { sub: 'job:*' } }, "400 claims.sub: must be the job's whole"],
    ['about what is checked anyhow', { claims: { repository_id: '7', aud: '*' } }, '400 claims.aud: is checked in any'],
    ['about nobody', { claims: {} }, '400 claims.repository_id: must be the number of one'],
    ['of an issuer that is not trusted', { issuer: 'https://evil.example.com' }, '400 issuer: must be one of those'],
    ['of one in other letters', { issuer: `${github}/` }, '400 issuer: must be one of those'],
    ['for no packages', { packages: [] }, '422 packages: name one at least, or * for all'],
    ['for what is no pattern', { packages: ['acme/tool'] }, '400 packages: "acme/tool" is no pattern'],
    [
      'for too many',
      { packages: Array.from({ length: 51 }, (_, n) => `tool-${n}`) },
      '422 packages: may be 50 at most',
    ],
    ['without a name', { name: ' ' }, '422 name: is missing'],
    ['with a claim that is no text', { claims: { repository_id: 74 } }, '422 claims.repository_id: must be a text'],
    ['with a field that is none', { colour: 'red' }, '422 unknown field: colour'],
  ]
  test('that pins nothing, or says what is nothing', async () => {
    await using stowage = await trusting()
    const ada = await stowage.user('ada')
    const { id } = await made(ada, 'ada', { name: 'good' })
    for (const [what, fields, told] of cases) {
      const created = await messageOf(await ada.post(at('ada'), { ...rule, ...fields }))
      expect({ what, told: created.slice(0, told.length) }).toEqual({ what, told })
      const changed = await messageOf(await patch(ada, at('ada', id), fields))
      expect({ what, told: changed.slice(0, told.length) }).toEqual({ what, told })
    }
    expect(await (await ada.fetch(at('ada'))).json()).toMatchObject([{ ...rule, name: 'good' }])
  })

  test('where the name is used', async () => {
    await using stowage = await trusting()
    const ada = await stowage.user('ada')
    const bob = await stowage.user('bob')
    await made(ada, 'ada')
    const { id } = await made(ada, 'ada', { name: 'another' })
    await made(bob, 'bob')
    const taken = '422 name: is used for another trusted publisher of this owner'
    expect(await messageOf(await ada.post(at('ada'), rule))).toBe(taken)
    expect(await messageOf(await patch(ada, at('ada', id), { name: rule.name }))).toBe(taken)
    expect((await patch(ada, at('ada', id), { name: 'another' })).status).toBe(200)
  })

  test('as the hundred and first', async () => {
    await using stowage = await trusting()
    const ada = await stowage.user('ada')
    await made(ada, 'ada')
    const [first] = await stowage.change('select owner_id from publishers')
    await stowage.change(`
      insert into publishers (owner_id, name, issuer, pinned, claims, packages, created_at)
      select ${first?.owner_id}, 'rule ' || id, '${github}', 'repository_id=1', '{}', '[]', 0 from
        (with recursive numbers (id) as (select 1 union all select id + 1 from numbers where id < 99) select id from numbers) as many`)
    expect(await messageOf(await ada.post(at('ada'), { ...rule, name: 'more' }))).toMatch(/^422 There are 100 trusted/)
  })

  test('where no issuer is trusted', async () => {
    await using stowage = await startStowage()
    const ada = await stowage.user('ada')
    expect(await messageOf(await ada.post(at('ada'), rule))).toMatch(/^400 issuer: none is trusted here/)
    expect(await (await ada.fetch(at('ada'))).json()).toEqual([])
  })
})

test('rules are for the user, owners of the organisation and administrators, and for no token that is limited', async () => {
  await using stowage = await trusting()
  const ada = await stowage.user('ada', { visibility: 'limited' })
  const bob = await stowage.user('bob')
  expect((await ada.post('/api/v1/orgs', { username: 'acme', visibility: 'private' })).status).toBe(201)
  const team = { name: 'writers', permission: 'write' }
  const { id: writers } = (await (await ada.post('/api/v1/orgs/acme/teams', team)).json()) as { id: number }
  expect((await ada.fetch(`/api/v1/teams/${writers}/members/bob`, { method: 'PUT' })).status).toBe(204)
  const eve = await stowage.user('eve')
  const its = await made(ada, 'acme')

  const tokens = {
    user: await ada.token(['write:user']),
    organisation: await ada.token(['write:organization']),
    packages: await ada.token(['write:package']),
    reads: await ada.token(['read:user', 'read:organization']),
    publicOnly: await ada.token(['all', 'public-only']),
  }
  const cases: [string, Client, own: number, acme: number][] = [
    ['nobody', stowage.anonymous, 401, 401],
    ['a stranger', eve, 403, 404],
    ['who may write', bob, 403, 403],
    ['the owner', ada, 201, 201],
    ['an administrator', stowage.admin, 201, 201],
    ['a token for accounts', tokens.user, 201, 403],
    ['a token for organisations', tokens.organisation, 403, 201],
    ['a token for packages', tokens.packages, 403, 403],
    ['a token that reads', tokens.reads, 403, 403],
    ['a token for what is public', tokens.publicOnly, 403, 403],
  ]
  for (const [who, client, own, acme] of cases) {
    const status = async (owner: string) => (await client.post(at(owner), { ...rule, name: who })).status
    expect({ who, own: await status('ada'), acme: await status('acme') }).toEqual({ who, own, acme })
    const change = async (method: string) =>
      (await client.fetch(at('acme', its.id), { method, ...(method === 'PATCH' ? { body: '{}' } : {}) })).status
    expect({ who, acme: await change('PATCH') }).toEqual({ who, acme: acme === 201 ? 200 : acme })
    if (acme !== 201) expect({ who, acme: await change('DELETE') }).toEqual({ who, acme })
  }
  expect((await tokens.reads.fetch(at('acme'))).status).toBe(200)
  expect((await eve.fetch(at('acme'))).status).toBe(404)
  expect((await bob.fetch(at('acme'))).status).toBe(403)
  // One owner's are nothing at another one.
  expect((await ada.fetch(at('ada', its.id))).status).toBe(404)
  expect((await ada.fetch(at('ada', its.id), { method: 'DELETE' })).status).toBe(404)
  expect((await patch(ada, at('ada', its.id), { name: 'mine' })).status).toBe(404)
})

test('where a file came from is shown to who may read it', async () => {
  await using stowage = await trusting()
  const ada = await stowage.user('ada', { visibility: 'private' })
  const eve = await stowage.user('eve')
  expect((await ada.put({}, 'x')).status).toBe(201)
  await withOrigin(stowage)
  const path = '/api/v1/packages/ada/generic/tool/1.0/origins'
  expect(await (await ada.fetch(path)).json()).toMatchObject([
    { file: 'tool.bin', issuer: github, claims: { repository: 'octo/tool' } },
  ])
  expect((await eve.fetch(path)).status).toBe(404)
  expect((await stowage.anonymous.fetch(path)).status).toBe(404)
  expect((await ada.fetch('/api/v1/packages/ada/generic/tool/2.0/origins')).status).toBe(404)
  expect((await ada.deleteVersion()).status).toBe(204)
  expect(await stowage.change('select * from file_origins')).toEqual([])
})

async function withOrigin(stowage: TestStowage): Promise<void> {
  await stowage.change(
    `insert into file_origins (file_id, issuer, claims) select id, '${github}', '{"repository":"octo/tool"}' from files`,
  )
}

test('a token in the place of a password may as much as the token', async () => {
  await using stowage = await trusting()
  const ada = await stowage.user('ada')
  const { secret } = await ada.token(['write:package'])
  const by = stowage.anonymous.with({ Authorization: basic('ada', secret) })
  expect((await by.post(at('ada'), rule)).status).toBe(403)
})
