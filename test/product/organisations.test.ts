import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { demandFit } from '../support/checked-client.ts'
import { type Client, startStowage, type TestStowage } from '../support/stowage.ts'

let stowage: TestStowage
beforeAll(async () => {
  stowage = await startStowage()
})
afterAll(() => stowage[Symbol.asyncDispose]())

type Json = Record<string, unknown>

/** Status and body of an answer. */
async function told(response: Response | Promise<Response>): Promise<{ status: number; body: Json }> {
  const { status } = await response
  const text = await (await response).text()
  return { status, body: text ? (JSON.parse(text) as Json) : {} }
}

async function status(response: Promise<Response>): Promise<number> {
  return (await response).status
}

async function message(response: Promise<Response>): Promise<string> {
  const { status, body } = await told(response)
  return `${status} ${body.message}`
}

const send = (client: Client, method: string, path: string, body?: unknown) =>
  client.fetch(`/api/v1${path}`, {
    method,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
const get = (client: Client, path: string) => send(client, 'GET', path)

/** Names and the total of a list of users, organisations or teams. */
async function list(client: Client, path: string): Promise<{ names: string[]; total: number }> {
  const response = await get(client, path)
  expect(response.status).toBe(200)
  const items = (await response.json()) as { name?: string; login?: string }[]
  const total = Number(response.headers.get('x-total-count'))
  return { names: items.map(({ name, login }) => name ?? login ?? ''), total }
}

const names = async (client: Client, path: string) => (await list(client, path)).names

/** An organisation that its client owns. */
async function organisation(
  owner: Client,
  username: string,
  fields: Json = {},
): Promise<{ id: number; owners: number }> {
  const { status, body } = await told(send(owner, 'POST', '/orgs', { username, ...fields }))
  expect(status).toBe(201)
  return { id: Number(body.id), owners: await teamId(owner, username, 'Owners') }
}

async function teamId(client: Client, organisation: string, name: string): Promise<number> {
  const teams = (await (await get(client, `/orgs/${organisation}/teams`)).json()) as { id: number; name: string }[]
  return teams.find((team) => team.name === name)?.id ?? 0
}

/** A team, and its members, who are added by its owner. */
async function team(owner: Client, organisation: string, fields: Json, ...members: Client[]): Promise<number> {
  const { status, body } = await told(send(owner, 'POST', `/orgs/${organisation}/teams`, fields))
  expect(status).toBe(201)
  for (const member of members) await join(owner, Number(body.id), member)
  return Number(body.id)
}

async function join(owner: Client, id: number, member: Client): Promise<void> {
  expect(await status(send(owner, 'PUT', `/teams/${id}/members/${member.name}`))).toBe(204)
}

const sentences = {
  unknown: '404 Not found.',
  signIn: '401 Sign in: send a token or a user name and password.',
}

describe('an organisation', () => {
  test('is made by a user, who owns it, and people of its teams publish', async () => {
    const [olga, paul, rita] = [await stowage.user('olga'), await stowage.user('paul'), await stowage.user('rita')]
    const fields = { full_name: 'Tools, Inc.', email: 'tools@example.com', description: 'Tools', location: 'Rome' }
    const wanted = { ...fields, website: 'https://example.com/', repo_admin_change_team_access: true }
    const made = await told(send(olga, 'POST', '/orgs', { username: 'Tools', ...wanted }))
    const shown = { ...wanted, name: 'Tools', username: 'Tools', visibility: 'public', avatar_url: '' }
    expect(made).toEqual({ status: 201, body: { id: expect.any(Number), ...shown } })
    demandFit('an organisation', 'Organization', made.body)
    expect(await told(get(stowage.anonymous, '/orgs/tools'))).toEqual({ status: 200, body: made.body })

    await team(olga, 'tools', { name: 'publishers', permission: 'write' }, paul)
    await team(olga, 'Tools', { name: 'readers' }, rita)
    expect(await status(olga.as('tools').put({ file: 'by-owner' }, 'x'))).toBe(201)
    expect(await status(paul.as('Tools').put({ file: 'by-publisher' }, 'x'))).toBe(201)
    expect(await status(rita.as('tools').put({ file: 'by-reader' }, 'x'))).toBe(403)
    expect(await status(rita.as('tools').get({ file: 'by-publisher' }))).toBe(200)
    const [listed] = (await (await get(rita, '/packages/tools')).json()) as { owner: Json; creator: Json }[]
    expect(listed).toMatchObject({ owner: { login: 'Tools', full_name: 'Tools, Inc.' }, creator: { login: 'olga' } })
  })

  test('begins with the team of its owners, which has all rights', async () => {
    const ines = await stowage.user('ines')
    const { owners, id } = await organisation(ines, 'ines-inc')
    const { body } = await told(get(ines, `/teams/${owners}`))
    demandFit('a team', 'Team', body)
    expect(body).toMatchObject({ name: 'Owners', permission: 'owner', organization: { id, name: 'ines-inc' } })
    expect(body.units).toContain('repo.packages')
    expect(body.units_map).toMatchObject({ 'repo.packages': 'owner' })
    expect(await list(ines, `/teams/${owners}/members`)).toEqual({ names: ['ines'], total: 1 })
    expect(await list(ines, '/orgs/ines-inc/members')).toEqual({ names: ['ines'], total: 1 })
  })

  test('is made by an administrator for somebody', async () => {
    const [hugo, rob] = [await stowage.user('hugo'), await stowage.user('rob', { restricted: true })]
    for (const owner of [hugo, rob]) {
      const username = `${owner.name}s`
      expect(await status(send(stowage.admin, 'POST', `/admin/users/${owner.name}/orgs`, { username }))).toBe(201)
      expect(await names(owner, '/user/orgs')).toEqual([username])
      expect(await names(owner, `/orgs/${username}/members`)).toEqual([owner.name])
    }
    const wanted = { username: 'none' }
    expect(await message(send(stowage.admin, 'POST', '/admin/users/nobody/orgs', wanted))).toBe(sentences.unknown)
    expect(await message(send(stowage.admin, 'POST', '/admin/users/hugos/orgs', wanted))).toBe(sentences.unknown)
    expect(await status(send(hugo, 'POST', '/admin/users/hugo/orgs', wanted))).toBe(403)
    expect(await status(send(stowage.anonymous, 'POST', '/admin/users/hugo/orgs', wanted))).toBe(401)
    const token = await stowage.admin.token(['write:organization'])
    expect(await message(send(token, 'POST', '/admin/users/hugo/orgs', wanted))).toContain('required=[write:admin]')
  })

  test('is made by whoever may', async () => {
    const [ada, curb] = [await stowage.user('ada'), await stowage.user('curb', { restricted: true })]
    const free = await stowage.user('freeless')
    await stowage.change(
      "update users set may_create_organisations = 0 where email = 'freeless@example.com' returning id",
    )
    const make = (client: Client, fields: Json = {}) => send(client, 'POST', '/orgs', { username: 'made', ...fields })
    expect(await message(make(stowage.anonymous))).toBe(sentences.signIn)
    expect(await message(make(curb))).toBe('403 curb is restricted, and so makes no organisation.')
    expect(await message(make(free))).toBe('403 freeless may not make organisations.')
    expect(await message(make(await ada.token(['read:organization', 'write:user'])))).toContain('[write:organization]')
    const publicOnly = await ada.token(['write:organization', 'public-only'])
    expect(await message(make(publicOnly, { visibility: 'limited' }))).toBe(
      '403 This token is for what is public only, and made is not public.',
    )
    expect(await status(make(publicOnly))).toBe(201)
  })

  test('has a name that nobody has, and nobody had', async () => {
    const nina = await stowage.user('Nina')
    await organisation(nina, 'nina-inc')
    await stowage.change(`
      insert into former_names (name_key, name, owner_id, created_at)
      select 'nina-before', 'Nina-Before', id, 0 from owners where name = 'Nina' returning name`)
    const make = (username: string) => send(nina, 'POST', '/orgs', { username })
    for (const username of ['nina', 'NINA', 'Nina-Inc']) {
      expect(await message(make(username))).toBe(`422 user already exists [name: ${username}]`)
    }
    for (const username of [
      'nina-before',
      'orgs',
      'a.keys',
      '-a',
      'a--b',
      '',
      ' ',
      'a/b',
      'ä',
      'a\0',
      'a'.repeat(41),
    ]) {
      expect({ username, status: await status(make(username)) }).toEqual({ username, status: 422 })
    }
    expect(
      await status(stowage.admin.post('/api/v1/admin/users', { username: 'NINA-inc', password: 'x'.repeat(9) })),
    ).toBe(422)
    expect(await names(nina, '/user/orgs')).toEqual(['nina-inc'])
  })

  test('gets a name of which many want it at once, once', async () => {
    const max = await stowage.user('max')
    const wanted = Array.from({ length: 8 }, (_, index) => ({ username: index % 2 ? 'maxs' : 'MAXS' }))
    const answers = await Promise.all(wanted.map((fields) => status(send(max, 'POST', '/orgs', fields))))
    expect(answers.sort()).toEqual([201, ...Array.from({ length: 7 }, () => 422)])
  })

  test('is changed by its owners, field by field', async () => {
    const [cleo, carl] = [await stowage.user('cleo'), await stowage.user('carl')]
    await organisation(cleo, 'cleos', { full_name: 'Before', email: 'cleos@example.com' })
    await team(cleo, 'cleos', { name: 'all', permission: 'admin' }, carl)
    const change = (client: Client, fields: unknown) => send(client, 'PATCH', '/orgs/cleos', fields)
    const { status: changed, body } = await told(change(cleo, { full_name: 'After', visibility: 'limited' }))
    expect(changed).toBe(200)
    expect(body).toMatchObject({
      full_name: 'After',
      visibility: 'limited',
      email: 'cleos@example.com',
      description: '',
    })
    expect(await told(get(cleo, '/orgs/cleos'))).toEqual({ status: 200, body })
    expect(await told(change(cleo, {}))).toEqual({ status: 200, body })
    expect((await told(change(cleo, { email: '', location: 'Oslo' }))).body).toMatchObject({
      email: '',
      location: 'Oslo',
    })
    expect(await message(change(carl, { full_name: 'x' }))).toBe('403 carl is not an owner of cleos.')
    expect(await status(change(stowage.admin, { visibility: 'public' }))).toBe(200)
    expect(await message(change(stowage.anonymous, {}))).toBe(sentences.signIn)
    const token = await cleo.token(['write:organization', 'public-only'])
    const sentence = '403 This token is for what is public only, and cleos is not public.'
    expect(await message(change(token, { visibility: 'private' }))).toBe(sentence)
    expect(await status(change(token, { full_name: 'Public' }))).toBe(200)
    expect(await status(change(cleo, { visibility: 'private' }))).toBe(200)
    expect(await message(change(token, { full_name: 'x' }))).toBe(sentence)
    expect(await message(get(token, '/orgs/cleos'))).toBe(sentence)
  })
})

describe('what is hidden', () => {
  let owner: Client
  let member: Client
  let people: Record<string, Client>
  const kinds = ['public', 'limited', 'private']

  beforeAll(async () => {
    owner = await stowage.user('hide-owner')
    member = await stowage.user('hide-member', { restricted: true })
    const stranger = await stowage.user('hide-stranger')
    const restricted = await stowage.user('hide-restricted', { restricted: true })
    for (const visibility of kinds) {
      await organisation(owner, `hide-${visibility}`, { visibility })
      await team(owner, `hide-${visibility}`, { name: 'readers' }, member)
    }
    const { admin, anonymous } = stowage
    const publicOnly = await owner.token(['all', 'public-only'])
    people = { owner, member, stranger, restricted, admin, anonymous, publicOnly }
  })

  test('is in no list, and what is in a list can be read', async () => {
    const seen: Record<string, string[]> = {}
    for (const [person, client] of Object.entries(people)) {
      const { names: listed, total } = await all(client, '/orgs')
      expect({ person, total }).toEqual({ person, total: listed.length })
      seen[person] = kinds.filter((kind) => listed.includes(`hide-${kind}`))
      const readable: string[] = []
      for (const kind of kinds) if ((await get(client, `/orgs/hide-${kind}`)).ok) readable.push(kind)
      expect({ person, readable }).toEqual({ person, readable: seen[person] })
    }
    expect(seen).toEqual({
      owner: kinds,
      member: kinds,
      stranger: ['public', 'limited'],
      restricted: ['public'],
      admin: kinds,
      anonymous: ['public'],
      publicOnly: ['public'],
    })
  })

  test('is answered as what does not exist', async () => {
    const hidden = await teamId(owner, 'hide-private', 'readers')
    for (const path of ['', '/members', '/members/hide-owner', '/teams']) {
      const answer = await told(get(people.stranger as Client, `/orgs/hide-private${path}`))
      expect(answer).toEqual(await told(get(people.stranger as Client, `/orgs/nothing${path}`)))
      expect(answer.status).toBe(404)
    }
    for (const [method, path] of [
      ['PATCH', '/orgs/hide-private'],
      ['POST', '/orgs/hide-private/teams'],
      ['DELETE', '/orgs/hide-private/members/hide-owner'],
      ...['GET', 'PATCH', 'DELETE'].map((method) => [method, `/teams/${hidden}`]),
      ['GET', `/teams/${hidden}/members`],
      ...['GET', 'PUT', 'DELETE'].map((method) => [method, `/teams/${hidden}/members/hide-owner`]),
    ] as [string, string][]) {
      const ask = (address: string) => message(send(people.stranger as Client, method, address))
      expect({ method, path, answer: await ask(path) }).toEqual({ method, path, answer: sentences.unknown })
      const absent = path.replace('hide-private', 'nothing').replace(String(hidden), '999999999')
      expect({ absent, answer: await ask(absent) }).toEqual({ absent, answer: sentences.unknown })
    }
    expect(await message(get(stowage.anonymous, '/orgs/hide-private'))).toBe(sentences.unknown)
    // A user is no organisation.
    expect(await message(get(owner, '/orgs/hide-owner'))).toBe(sentences.unknown)
  })

  test('is who is a member, from whoever is none', async () => {
    for (const person of ['stranger', 'restricted', 'anonymous']) {
      const client = people[person] as Client
      expect(await list(client, '/orgs/hide-public/members')).toEqual({ names: [], total: 0 })
      expect(await message(get(client, '/orgs/hide-public/members/hide-owner'))).toBe(sentences.unknown)
      expect(await list(client, '/users/hide-owner/orgs')).toEqual({ names: [], total: 0 })
    }
    for (const person of ['owner', 'member', 'admin', 'publicOnly']) {
      const client = people[person] as Client
      const members = ['hide-member', 'hide-owner']
      expect(await list(client, '/orgs/hide-public/members')).toEqual({ names: members, total: 2 })
      expect(await status(get(client, '/orgs/hide-public/members/HIDE-owner'))).toBe(204)
      expect(await message(get(client, '/orgs/hide-public/members/hide-stranger'))).toBe(sentences.unknown)
      expect(await message(get(client, '/orgs/hide-public/members/nobody'))).toBe(sentences.unknown)
    }
    const both = ['hide-limited', 'hide-private', 'hide-public']
    expect(await names(owner, '/users/hide-owner/orgs')).toEqual(both)
    expect(await names(stowage.admin, '/users/hide-owner/orgs')).toEqual(both)
    expect(await names(people.publicOnly as Client, '/users/hide-member/orgs')).toEqual(['hide-public'])
    expect(await names(people.publicOnly as Client, '/user/orgs')).toEqual(['hide-public'])
    expect(await names(stowage.admin, '/user/orgs')).toEqual([])
    await organisation(people.stranger as Client, 'strange')
    await team(people.stranger as Client, 'strange', { name: 'guests' }, member)
    expect(await names(people.stranger as Client, '/users/hide-member/orgs')).toEqual(['strange'])
    expect(await names(owner, '/users/hide-member/orgs')).toEqual(both)
    expect(await message(get(owner, '/users/nobody/orgs'))).toBe(sentences.unknown)
    expect(await message(get(owner, '/users/strange/orgs'))).toBe(sentences.unknown)
    expect(await message(get(stowage.anonymous, '/user/orgs'))).toBe(sentences.signIn)
  })

  test('are its teams, and where the organisation is not, that is said', async () => {
    const id = await teamId(owner, 'hide-public', 'readers')
    const sentence = '403 hide-stranger is not a member of hide-public.'
    for (const path of ['/orgs/hide-public/teams', `/teams/${id}`, `/teams/${id}/members`]) {
      expect(await message(get(people.stranger as Client, path))).toBe(sentence)
      expect(await message(get(stowage.anonymous, path))).toBe(sentences.signIn)
      expect(await status(get(member, path))).toBe(200)
      expect(await status(get(stowage.admin, path))).toBe(200)
    }
    const outside = await owner.token(['all', 'public-only'])
    const hidden = await teamId(owner, 'hide-private', 'readers')
    expect(await message(get(outside, `/teams/${hidden}`))).toContain('403 This token is for what is public only')
  })

  test('takes a token that reads organisations, and one that writes them', async () => {
    const id = await teamId(owner, 'hide-public', 'readers')
    const [other, reading] = [
      await owner.token(['write:package', 'write:user']),
      await owner.token(['read:organization']),
    ]
    for (const path of [
      '/orgs',
      '/orgs/hide-public',
      '/user/orgs',
      '/users/hide-owner/orgs',
      '/orgs/hide-public/teams',
      `/teams/${id}`,
    ]) {
      expect(await message(get(other, path))).toContain('required=[read:organization]')
      expect(await status(get(reading, path))).toBe(200)
    }
    for (const [method, path] of [
      ['POST', '/orgs'],
      ['PATCH', '/orgs/hide-public'],
      ['POST', '/orgs/hide-public/teams'],
      ['DELETE', '/orgs/hide-public/members/hide-member'],
      ['PATCH', `/teams/${id}`],
      ['DELETE', `/teams/${id}`],
      ['PUT', `/teams/${id}/members/hide-stranger`],
      ['DELETE', `/teams/${id}/members/hide-member`],
    ] as const) {
      expect(await message(send(reading, method, path))).toContain('required=[write:organization]')
    }
  })

  test('a list goes on from page to page', async () => {
    const pages = await all(owner, '/user/orgs', 2)
    expect(pages).toEqual({ names: ['hide-limited', 'hide-private', 'hide-public'], total: 3 })
    const response = await get(owner, '/user/orgs?limit=2')
    expect(response.headers.get('link')).toContain(`${stowage.url}/api/v1/user/orgs?limit=2&page=2`)
    expect(await names(owner, '/orgs/hide-public/members?limit=1&page=2')).toEqual(['hide-owner'])
    expect(await names(owner, '/orgs/hide-public/teams?limit=1')).toEqual(['Owners'])
    expect(await names(owner, '/orgs/hide-public/teams?limit=1&page=2')).toEqual(['readers'])
  })

  /** Every page of a list. */
  async function all(client: Client, path: string, limit = 50): Promise<{ names: string[]; total: number }> {
    const found: string[] = []
    for (let page = 1; ; page++) {
      const { names, total } = await list(client, `${path}?limit=${limit}&page=${page}`)
      found.push(...names)
      if (names.length < limit) return { names: found, total }
    }
  }
})

describe('a member who is a private person', () => {
  test('is named to the others, and no more is told', async () => {
    const [boss, shy] = [
      await stowage.user('boss'),
      await stowage.user('shy', { visibility: 'private', full_name: 'Shy' }),
    ]
    await organisation(boss, 'bosses')
    const id = await team(boss, 'bosses', { name: 'shy-ones' })
    // Hidden from the owner, and so unknown; an administrator knows him.
    expect(await message(send(boss, 'PUT', `/teams/${id}/members/shy`))).toBe(sentences.unknown)
    await join(stowage.admin, id, shy)
    const shown = await told(get(boss, `/teams/${id}/members/shy`))
    demandFit('a member', 'User', shown.body)
    expect(shown.body).toMatchObject({ login: 'shy', full_name: '', email: 'shy@noreply.localhost' })
    expect((await told(get(shy, `/teams/${id}/members/shy`))).body).toMatchObject({ full_name: 'Shy' })
    // Who is inside is known there.
    await join(boss, await team(boss, 'bosses', { name: 'others' }), shy)
  })
})

describe('a team', () => {
  let olaf: Client
  let mia: Client
  let owners: number
  beforeAll(async () => {
    olaf = await stowage.user('olaf')
    mia = await stowage.user('mia')
    owners = (await organisation(olaf, 'olafs')).owners
  })

  test('is made, shown, changed and deleted by owners', async () => {
    const wanted = { name: 'builders', description: 'They build', units_map: { 'repo.packages': 'write' } }
    const more = { includes_all_repositories: true, can_create_org_repo: true }
    const { body } = await told(send(olaf, 'POST', '/orgs/olafs/teams', { ...wanted, ...more }))
    expect(body).toMatchObject({ ...wanted, ...more, permission: 'write', units: ['repo.packages'] })
    demandFit('a team', 'Team', body)
    const id = Number(body.id)
    await join(olaf, id, mia)
    expect(await told(get(mia, `/teams/${id}`))).toEqual({ status: 200, body })
    expect(await names(mia, '/orgs/olafs/teams')).toEqual(['Owners', 'builders'])

    const changed = await told(send(olaf, 'PATCH', `/teams/${id}`, { name: 'makers' }))
    expect(changed).toEqual({ status: 200, body: { ...body, name: 'makers' } })
    const other = { description: '', includes_all_repositories: false, can_create_org_repo: false }
    const again = await told(send(olaf, 'PATCH', `/teams/${id}`, { name: 'Makers', ...other }))
    expect(again.body).toEqual({ ...body, name: 'Makers', ...other })

    for (const [method, path, fields] of [
      ['POST', '/orgs/olafs/teams', { name: 'x' }],
      ['PATCH', `/teams/${id}`, { name: 'x' }],
      ['DELETE', `/teams/${id}`, undefined],
      ['PUT', `/teams/${id}/members/mia`, undefined],
    ] as const) {
      expect(await message(send(mia, method, path, fields))).toBe('403 mia is not an owner of olafs.')
    }
    expect(await status(send(olaf, 'DELETE', `/teams/${id}`))).toBe(204)
    expect(await message(get(olaf, `/teams/${id}`))).toBe(sentences.unknown)
    expect(await message(get(mia, '/orgs/olafs/teams'))).toBe('403 mia is not a member of olafs.')
  })

  test('has a name that no other team of the organisation has', async () => {
    const id = await team(olaf, 'olafs', { name: 'Only' })
    for (const name of ['only', 'ONLY', 'owners']) {
      expect(await message(send(olaf, 'POST', '/orgs/olafs/teams', { name }))).toBe(
        `422 team already exists [name: ${name}]`,
      )
    }
    const second = await team(olaf, 'olafs', { name: 'second' })
    expect(await message(send(olaf, 'PATCH', `/teams/${second}`, { name: 'only' }))).toContain(
      '422 team already exists',
    )
    expect(await status(send(olaf, 'PATCH', `/teams/${id}`, { name: 'ONLY' }))).toBe(200)
    await organisation(mia, 'mias')
    await team(mia, 'mias', { name: 'only' })
  })

  test('gives and takes what its permission says, from the next request on', async () => {
    const pia = await stowage.user('pia')
    const id = await team(olaf, 'olafs', { name: 'levels' }, pia)
    let file = 0
    const publishes = async () => status(pia.as('olafs').put({ file: `level-${file++}` }, 'x'))
    const steps: [Json, string, number][] = [
      [{ permission: 'write' }, 'write', 201],
      [{ permission: 'read' }, 'read', 403],
      [{ permission: 'admin' }, 'admin', 201],
      [{ permission: 'read' }, 'read', 403],
      [{ units_map: { 'repo.code': 'read', 'repo.packages': 'write' } }, 'read', 201],
      [{ units_map: { 'repo.code': 'write', 'repo.packages': 'none' } }, 'write', 403],
      [{ units_map: { 'repo.code': 'read', 'repo.packages': 'none' } }, 'read', 403],
      [{ permission: 'none', units_map: { 'repo.packages': 'write' } }, 'write', 201],
      [{ permission: '', units_map: null }, 'write', 201],
      [{ units: ['repo.packages', 'repo.code'], permission: 'read' }, 'read', 403],
    ]
    for (const [fields, permission, answer] of steps) {
      const { body } = await told(send(olaf, 'PATCH', `/teams/${id}`, fields))
      expect({ fields, permission: body.permission, publishes: await publishes() }).toEqual({
        fields,
        permission,
        publishes: answer,
      })
    }
  })

  test('has members who are users, once each', async () => {
    const id = await team(olaf, 'olafs', { name: 'once' }, mia, mia)
    expect(await list(olaf, `/teams/${id}/members`)).toEqual({ names: ['mia'], total: 1 })
    expect((await told(get(mia, `/teams/${id}/members/MIA`))).body).toMatchObject({ login: 'mia' })
    for (const name of ['nobody', 'olafs', '%00', '%ff', 'a%2Fb', '-', 'x'.repeat(300)]) {
      for (const method of ['GET', 'PUT', 'DELETE']) {
        const { status } = await send(olaf, method, `/teams/${id}/members/${name}`)
        expect({ name, method, status }).toEqual({ name, method, status: 404 })
      }
    }
    expect(await message(get(olaf, `/teams/${id}/members/olaf`))).toBe(sentences.unknown)
    expect(await status(send(olaf, 'DELETE', `/teams/${id}/members/mia`))).toBe(204)
    expect(await message(send(olaf, 'DELETE', `/teams/${id}/members/mia`))).toBe(sentences.unknown)
  })

  test('is left by whoever wants to, and so is the organisation', async () => {
    const [leo, lisa] = [await stowage.user('leo'), await stowage.user('lisa')]
    const first = await team(olaf, 'olafs', { name: 'leave-1', permission: 'write' }, leo, lisa)
    const second = await team(olaf, 'olafs', { name: 'leave-2' }, leo, lisa)
    expect(await message(send(leo, 'DELETE', `/teams/${first}/members/lisa`))).toBe('403 leo is not an owner of olafs.')
    expect(await message(send(leo, 'DELETE', '/orgs/olafs/members/lisa'))).toBe('403 leo is not an owner of olafs.')
    expect(await status(send(leo, 'DELETE', `/teams/${first}/members/leo`))).toBe(204)
    expect(await status(leo.as('olafs').put({ file: 'left' }, 'x'))).toBe(403)
    expect(await status(get(leo, '/orgs/olafs/members/leo'))).toBe(204)
    expect(await status(send(lisa, 'DELETE', '/orgs/olafs/members/lisa'))).toBe(204)
    expect(await status(lisa.as('olafs').put({ file: 'left' }, 'x'))).toBe(403)
    expect(await names(olaf, `/teams/${first}/members`)).toEqual([])
    expect(await names(olaf, `/teams/${second}/members`)).toEqual(['leo'])
    expect(await status(send(olaf, 'DELETE', '/orgs/olafs/members/leo'))).toBe(204)
    expect(await message(send(olaf, 'DELETE', '/orgs/olafs/members/leo'))).toBe(sentences.unknown)
    expect(await message(send(leo, 'DELETE', '/orgs/olafs/members/leo'))).toBe('403 leo is not a member of olafs.')
  })

  test('Owners never loses its last member, its name or its rights', async () => {
    const ruth = await stowage.user('ruth')
    const sentence =
      '422 The last member of the team Owners cannot leave it: make somebody else an owner of olafs first.'
    for (const client of [olaf, stowage.admin]) {
      expect(await message(send(client, 'DELETE', `/teams/${owners}/members/olaf`))).toBe(sentence)
      expect(await message(send(client, 'DELETE', '/orgs/olafs/members/olaf'))).toBe(sentence)
      expect(await message(send(client, 'DELETE', `/teams/${owners}`))).toBe(
        '422 The team Owners cannot be deleted: an organisation always has owners.',
      )
      expect(await message(send(client, 'PATCH', `/teams/${owners}`, { name: 'x' }))).toBe(
        '422 The team Owners keeps its name.',
      )
      for (const fields of [
        { permission: 'admin' },
        { units: ['repo.code'] },
        { units_map: { 'repo.code': 'none' } },
      ]) {
        expect(await message(send(client, 'PATCH', `/teams/${owners}`, fields))).toBe(
          '422 The team Owners always has all rights: its permission cannot be changed.',
        )
      }
    }
    const described = await told(send(olaf, 'PATCH', `/teams/${owners}`, { name: 'Owners', description: 'We own' }))
    expect(described.body).toMatchObject({ name: 'Owners', description: 'We own', permission: 'owner' })

    // An ordinary member of it may always leave, and a former owner owns nothing.
    await join(olaf, owners, ruth)
    expect(await status(send(ruth, 'DELETE', `/teams/${owners}/members/olaf`))).toBe(204)
    expect(await message(send(ruth, 'DELETE', `/teams/${owners}/members/ruth`))).toBe(sentence)
    expect(await status(send(olaf, 'PATCH', '/orgs/olafs', {}))).toBe(403)
    await join(ruth, owners, olaf)
  })
})

describe('bad input', () => {
  let bea: Client
  let id: number
  beforeAll(async () => {
    bea = await stowage.user('bea')
    await organisation(bea, 'beas')
    id = await team(bea, 'beas', { name: 'base' })
  })

  const long = 'x'.repeat(256)
  const ofOrganisation: Json[] = [
    ...['full_name', 'description', 'location'].flatMap((field) =>
      [long, 7, ['x'], 'a\0', '\ud800'].map((value) => ({ [field]: value })),
    ),
    ...['ftp://example.com', 'javascript:alert(1)', 'example.com', `https://${long}`, 7].map((website) => ({
      website,
    })),
    ...['x', 'a b@c', `${long}@example.com`, 'a\0@b', 7].map((email) => ({ email })),
    ...['secret', 7, true].map((visibility) => ({ visibility })),
    ...['yes', 1].map((value) => ({ repo_admin_change_team_access: value })),
    { color: 'red' },
  ]
  const ofTeam: Json[] = [
    ...['', 'a b', 'ä', 'a/b', 'a\0', '\ud800', long, 7, ['x']].map((name) => ({ name })),
    ...[long, 7, 'a\0', '\udc00'].map((description) => ({ description })),
    ...['owner', 'WRITE', 7, ['read']].map((permission) => ({ permission })),
    ...['repo.packages', ['repo.nothing'], [7], { a: 1 }].map((units) => ({ units })),
    ...[['x'], { 'repo.nothing': 'read' }, { 'repo.packages': 'owner' }, { 'repo.packages': 7 }, 'read'].map(
      (value) => ({
        units_map: value,
      }),
    ),
    ...['yes', 1].map((value) => ({ includes_all_repositories: value })),
    ...['yes', 1].map((value) => ({ can_create_org_repo: value })),
    { color: 'red' },
  ]

  test.each([
    ['POST', '/orgs', { username: 'bad' }, [...ofOrganisation, { username: 7 }, { username: undefined }]],
    ['POST', '/admin/users/bea/orgs', { username: 'bad' }, [...ofOrganisation, { username: undefined }]],
    ['PATCH', '/orgs/beas', {}, [...ofOrganisation, { username: 'x' }, { name: 'x' }]],
    ['POST', '/orgs/beas/teams', { name: 'bad' }, [...ofTeam, { name: undefined }]],
    ['PATCH', '/teams/{id}', {}, ofTeam],
  ] as [string, string, Json, Json[]][])(
    'in the body of %s %s is a 4xx that names the field',
    async (method, address, good, bad) => {
      const path = address.replace('{id}', String(id))
      const client = path.startsWith('/admin') ? stowage.admin : bea
      for (const fields of bad) {
        const answer = await message(send(client, method, path, { ...good, ...fields }))
        expect({ fields, answer }).toEqual({ fields, answer: expect.stringMatching(/^422 /) })
        expect(answer).toContain(Object.keys(fields)[0] ?? '')
      }
      for (const text of ['', '{', 'a=b', '\0', '{"a":1}x']) {
        expect({ text, status: await status(send(client, method, path, text)) }).toEqual({ text, status: 400 })
      }
      for (const text of ['[]', 'null', '7', '"x"', 'true']) {
        expect({ text, status: await status(send(client, method, path, text)) }).toEqual({ text, status: 422 })
      }
      const many = await message(send(client, method, path, { ...good, description: 7, color: 1, form: 2 }))
      expect(many).toContain('description: must be text')
      expect(many).toContain('unknown field: color, form')
    },
  )

  test('in an address is a 404', async () => {
    const ids = [
      '0',
      '-1',
      '1.5',
      'NaN',
      '1e3',
      '99999999999999999999',
      '9007199254740993',
      'x',
      '%00',
      '%ff',
      '+1',
      '%201',
    ]
    for (const wrong of ids) {
      for (const [method, path] of [
        ['GET', ''],
        ['PATCH', ''],
        ['DELETE', ''],
        ['GET', '/members'],
        ['GET', '/members/bea'],
        ['PUT', '/members/bea'],
        ['DELETE', '/members/bea'],
      ] as const) {
        const answer = await status(send(bea, method, `/teams/${wrong}${path}`, method === 'PATCH' ? {} : undefined))
        expect({ wrong, method, path, answer }).toEqual({ wrong, method, path, answer: 404 })
      }
    }
    for (const wrong of ['nothing', '%00', '%ff', '%ed%a0%80', '-', 'x'.repeat(300), 'a%2Fb']) {
      for (const path of ['', '/members', '/members/bea', '/teams']) {
        expect({ wrong, path, status: await status(get(bea, `/orgs/${wrong}${path}`)) }).toMatchObject({ status: 404 })
      }
      expect({ wrong, status: await status(get(bea, `/users/${wrong}/orgs`)) }).toMatchObject({ status: 404 })
      expect({ wrong, status: await status(get(bea, `/orgs/beas/members/${wrong}`)) }).toMatchObject({ status: 404 })
    }
  })

  test('in another method is a 405, and HEAD works where GET does', async () => {
    const answer = await send(bea, 'PUT', '/orgs')
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST'])
    const member = await send(bea, 'POST', `/teams/${id}/members/bea`)
    expect([member.status, member.headers.get('allow')]).toEqual([405, 'GET, HEAD, PUT, DELETE'])
    for (const path of [
      '/orgs',
      '/orgs/beas',
      '/orgs/beas/members',
      '/orgs/beas/teams',
      `/teams/${id}`,
      '/user/orgs',
    ]) {
      expect(await status(send(bea, 'HEAD', path))).toBe(200)
    }
  })

  test('leaves nothing behind', async () => {
    expect(await names(bea, '/user/orgs')).toEqual(['beas'])
    expect(await names(bea, '/orgs/beas/teams')).toEqual(['Owners', 'base'])
  })
})

test('an organisation that was renamed is found under its name of before', async () => {
  const uma = await stowage.user('uma')
  const { id } = await organisation(uma, 'umas-new')
  await stowage.change(
    `insert into former_names (name_key, name, owner_id, created_at) values ('umas-old', 'umas-old', ${id}, 0) returning name`,
  )
  for (const path of ['', '/members', '/members/uma', '/teams']) {
    const answer = await uma.fetch(`/api/v1/orgs/umas-old${path}`, { redirect: 'manual' })
    expect([answer.status, answer.headers.get('location')]).toEqual([307, `/api/v1/orgs/umas-new${path}`])
  }
})

test('where everybody must sign in, nothing of all this is shown to nobody', async () => {
  await using closed = await startStowage({ settings: { STOWAGE_REQUIRE_SIGN_IN: 'true' } })
  await organisation(closed.admin, 'seen')
  for (const path of ['/orgs', '/orgs/seen', '/orgs/nothing', '/orgs/seen/members', '/users/admin/orgs']) {
    expect({ path, status: await status(get(closed.anonymous, path)) }).toEqual({ path, status: 401 })
    if (path !== '/orgs/nothing') expect(await status(get(closed.admin, path))).toBe(200)
  }
})
