import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { Browser } from '../support/browser.ts'
import { type Client, startStowage, type TestStowage } from '../support/stowage.ts'

let stowage: TestStowage
/** Owner of `acme`; reads there; publishes there; nobody there; administers the site. */
let ada: Browser
let bob: Browser
let cora: Browser
let eve: Browser
let admin: Browser
const anybody = () => new Browser(stowage)
let adaCalls: Client
const teams: Record<string, number> = {}

beforeAll(async () => {
  stowage = await startStowage()
  adaCalls = await stowage.user('ada', { full_name: '<b>Ada</b> & Co' })
  for (const name of ['bob', 'cora', 'eve']) await stowage.user(name)
  await adaCalls.post('/api/v1/orgs', { username: 'acme', visibility: 'private' })
  const made = (name: string, permission: string, members: string[]) => makeTeam('acme', name, permission, members)
  await made('readers', 'read', ['bob', 'cora'])
  await made('writers', 'write', ['cora'])
  const owners = (await (await adaCalls.fetch('/api/v1/orgs/acme/teams')).json()) as { id: number; name: string }[]
  teams.Owners = owners.find(({ name }) => name === 'Owners')?.id ?? 0
  const browse = async (name: string) => {
    const browser = new Browser(stowage)
    expect((await browser.signIn(name)).status).toBeLessThan(400)
    return browser
  }
  ;[ada, bob, cora, eve, admin] = (await Promise.all(['ada', 'bob', 'cora', 'eve', 'admin'].map(browse))) as [
    Browser,
    Browser,
    Browser,
    Browser,
    Browser,
  ]
})
afterAll(() => stowage[Symbol.asyncDispose]())

async function makeTeam(org: string, name: string, permission: string, members: string[]): Promise<number> {
  const response = await adaCalls.post(`/api/v1/orgs/${org}/teams`, { name, permission })
  const { id } = (await response.json()) as { id: number }
  teams[name] = id
  for (const member of members) await adaCalls.fetch(`/api/v1/teams/${id}/members/${member}`, { method: 'PUT' })
  return id
}

async function page(browser: Browser, path: string, status = 200): Promise<string> {
  const response = await browser.fetch(path)
  const text = await response.text()
  expect([path, response.status]).toEqual([path, status])
  return text
}

async function status(browser: Browser, path: string): Promise<number> {
  return (await browser.fetch(path)).status
}

/** What a form was answered: the status, where it leads, and the page. */
async function sent(browser: Browser, path: string, fields: Record<string, string | string[]> = {}) {
  const response = await browser.submit(path, fields)
  return { status: response.status, to: response.headers.get('location'), text: await response.text() }
}

async function membersOf(team: string): Promise<string[]> {
  const response = await adaCalls.fetch(`/api/v1/teams/${teams[team]}/members`)
  return ((await response.json()) as { login: string }[]).map(({ login }) => login)
}

describe('who may', () => {
  test('members see members and teams; owners alone change them; to others the organisation is hidden', async () => {
    const team = `/acme/-/teams/${teams.readers}`
    for (const path of ['/acme/-/members', '/acme/-/teams', team]) {
      expect(await Promise.all([ada, admin, bob, eve].map((who) => status(who, path)))).toEqual([200, 200, 200, 404])
      const stranger = await anybody().fetch(path)
      expect([stranger.status, stranger.headers.get('location')]).toEqual([
        303,
        `/user/login?next=${encodeURIComponent(path)}`,
      ])
    }
    const ofOwners = ['/acme/-/invitations', '/acme/-/teams/new', '/acme/-/members/cora/remove']
    for (const path of [...ofOwners, `${team}/delete`, `${team}/members/cora/remove`]) {
      expect(await Promise.all([ada, admin, bob, eve].map((who) => status(who, path)))).toEqual([200, 200, 403, 404])
    }
  })

  test('who may not is refused the change itself, too', async () => {
    const team = `/acme/-/teams/${teams.readers}`
    const forms = [
      ['/acme/-/teams/new', { name: 'mine', rights: 'write' }],
      [team, { name: 'readers', rights: 'write' }],
      [`${team}/members`, { user: 'eve' }],
      [`${team}/members/cora/remove`, {}],
      [`${team}/delete`, { confirm: 'readers' }],
      ['/acme/-/members/cora/remove', {}],
      ['/acme/-/invitations', { team_id: String(teams.Owners), days: '7' }],
    ] as const
    for (const [path, fields] of forms) {
      expect([path, (await sent(bob, path, fields)).status]).toEqual([path, 403])
      expect([path, (await sent(eve, path, fields)).status]).toEqual([path, 404])
      expect([path, (await sent(anybody(), path, fields)).status]).toEqual([path, 401])
    }
    expect(await membersOf('readers')).toEqual(['bob', 'cora'])
  })

  test('a user has no members, and a team is found below its own organisation alone', async () => {
    expect(await status(ada, '/ada/-/members')).toBe(404)
    expect(await status(anybody(), '/ada/-/teams')).toBe(404)
    expect(await status(ada, '/ada/-/invitations')).toBe(404)
    await adaCalls.post('/api/v1/orgs', { username: 'other' })
    expect(await status(ada, `/other/-/teams/${teams.readers}`)).toBe(404)
    expect((await sent(ada, `/other/-/teams/${teams.readers}/delete`, { confirm: 'readers' })).status).toBe(404)
  })
})

describe('organisations of one’s own', () => {
  test('are listed with what one is there', async () => {
    const ofCora = await page(cora, '/user/organisations')
    expect(ofCora).toContain('>acme</a>')
    expect(ofCora).toMatch(/Publishes/)
    expect(ofCora).toContain('New organisation')
    expect(await page(bob, '/user/organisations')).toMatch(/Reads/)
    expect(await page(eve, '/user/organisations')).toContain('You are in no organisation')
    expect((await anybody().fetch('/user/organisations')).headers.get('location')).toStartWith('/user/login')
  })

  test('are made by a form that keeps what was typed', async () => {
    const typed = { name: 'no good', full_name: 'Fine <i>name</i>', description: 'D', visibility: 'limited' }
    const refused = await sent(eve, '/org/create', typed)
    expect(refused.status).toBe(422)
    expect(refused.text).toContain('id="error-name"')
    expect(refused.text).toContain('Fine &lt;i&gt;name&lt;/i&gt;')
    expect(refused.text).toMatch(/value="limited"[^>]*checked/)
    expect((await sent(eve, '/org/create', { ...typed, name: 'ACME' })).text).toContain('The name ACME is taken')
    expect((await sent(eve, '/org/create', { name: '' })).text).toContain('Type a name.')
    expect((await sent(eve, '/org/create', { ...typed, name: 'x', description: 'd'.repeat(256) })).text).toContain(
      'id="error-description"',
    )

    expect(await sent(eve, '/org/create', { ...typed, name: 'evening' })).toMatchObject({
      status: 303,
      to: '/evening/-/members',
    })
    const made = await page(eve, '/evening/-/members')
    expect(made).toContain('The organisation is made. You are its first owner.')
    expect(await page(eve, '/evening/-/members')).not.toContain('The organisation is made.')
    const organisation = await (await stowage.admin.fetch('/api/v1/orgs/evening')).json()
    expect(organisation).toMatchObject({ full_name: 'Fine <i>name</i>', description: 'D', visibility: 'limited' })
  })

  test('are not made by whoever may not', async () => {
    await stowage.user('rita', { restricted: true })
    const rita = anybody()
    await rita.signIn('rita')
    expect(await status(rita, '/org/create')).toBe(403)
    expect((await sent(rita, '/org/create', { name: 'rita-org' })).status).toBe(403)
    const own = await page(rita, '/user/organisations')
    expect(own).not.toContain('/org/create')
    expect(own).toContain('restricted')
  })
})

describe('members', () => {
  test('are listed with their teams, whatever they are called', async () => {
    const text = await page(ada, '/acme/-/members')
    expect(text).toContain('&lt;b&gt;Ada&lt;/b&gt; &amp; Co')
    expect(text).not.toContain('<b>Ada')
    expect(text).toContain('3 members')
    expect(text.match(/Owners<\/a>/g)?.length).toBe(1)
    expect(text.match(/readers<\/a>/g)?.length).toBe(2)
    expect(text).toContain('/acme/-/members/bob/remove')
    const ofBob = await page(bob, '/acme/-/members')
    expect(ofBob).toContain('/acme/-/members/bob/remove')
    expect(ofBob).not.toContain('/acme/-/members/cora/remove')
  })

  test('are taken out after being told what goes with it', async () => {
    await stowage.user('dan')
    await makeTeam('acme', 'dans', 'write', ['dan'])
    const asked = await page(ada, '/acme/-/members/dan/remove')
    expect(asked).toContain('They cannot publish, change or delete packages there, nor can their tokens.')
    expect(asked).toContain('They cannot see the organisation or download its packages.')
    expect(await membersOf('dans')).toEqual(['dan'])
    expect(await sent(ada, '/acme/-/members/dan/remove')).toMatchObject({ status: 303, to: '/acme/-/members' })
    expect(await membersOf('dans')).toEqual([])
    expect(await page(ada, '/acme/-/members')).toContain('Taken out of the organisation.')
    expect(await status(ada, '/acme/-/members/dan/remove')).toBe(404)
  })

  test('may leave, all but the last owner', async () => {
    const team = await makeTeam('acme', 'leavers', 'read', ['eve'])
    expect(await page(eve, '/acme/-/members/eve/remove')).toContain('Leave acme')
    expect(await sent(eve, '/acme/-/members/eve/remove')).toMatchObject({ status: 303, to: '/user/organisations' })
    expect(await status(eve, `/acme/-/teams/${team}`)).toBe(404)

    const asked = await page(ada, '/acme/-/members/ada/remove')
    expect(asked).toContain('make somebody else an owner of acme first')
    expect(asked).not.toMatch(/<button[^>]*>[^<]*Leave/)
    for (const path of ['/acme/-/members/ada/remove', `/acme/-/teams/${teams.Owners}/members/ada/remove`]) {
      const refused = await sent(ada, path)
      expect(refused.status).toBe(422)
      expect(refused.text).toContain('make somebody else an owner of acme first')
    }
    expect(await membersOf('Owners')).toEqual(['ada'])
  })
})

describe('teams', () => {
  test('are made, changed and deleted', async () => {
    const wrong = await sent(ada, '/acme/-/teams/new', { name: 'a b', description: '<u>x</u>', rights: 'write' })
    expect(wrong.status).toBe(422)
    expect(wrong.text).toContain('id="error-name"')
    expect(wrong.text).toContain('&lt;u&gt;x&lt;/u&gt;')
    expect(wrong.text).toMatch(/value="write"[^>]*checked/)
    expect((await sent(ada, '/acme/-/teams/new', { name: 'READERS', rights: 'read' })).text).toContain(
      'There is a team READERS already.',
    )
    expect((await sent(ada, '/acme/-/teams/new', { name: 'x', rights: 'owner' })).status).toBe(422)

    const made = await sent(ada, '/acme/-/teams/new', {
      name: 'night',
      description: 'The <u>shift</u>',
      rights: 'read',
    })
    expect(made.status).toBe(303)
    const path = made.to ?? ''
    const text = await page(ada, path)
    expect(text).toContain('The team is made.')
    expect(text).toContain('The &lt;u&gt;shift&lt;/u&gt;')
    const told = async () => (await adaCalls.fetch(`/api/v1/teams/${path.split('/').at(-1)}`)).json()
    expect(await told()).toMatchObject({ permission: 'read', units_map: { 'repo.packages': 'read' } })

    expect((await sent(ada, path, { name: 'readers', description: '', rights: 'read' })).text).toContain(
      'There is a team readers already.',
    )
    expect((await sent(ada, path, { name: 'nights', description: '', rights: 'write' })).status).toBe(303)
    expect(await told()).toMatchObject({ name: 'nights', description: '', permission: 'write' })

    const kept = await sent(ada, `${path}/delete`, { confirm: 'night' })
    expect([kept.status, kept.text.includes('Type nights to delete this team.')]).toEqual([422, true])
    expect(await sent(ada, `${path}/delete`, { confirm: 'nights' })).toMatchObject({ status: 303, to: '/acme/-/teams' })
    expect(await status(ada, path)).toBe(404)
  })

  test('keep rights that another client gave in more detail, until others are chosen', async () => {
    const response = await adaCalls.post('/api/v1/orgs/acme/teams', {
      name: 'detail',
      permission: 'admin',
    })
    const { id } = (await response.json()) as { id: number }
    const told = async () => (await (await adaCalls.fetch(`/api/v1/teams/${id}`)).json()) as { permission: string }
    await sent(ada, `/acme/-/teams/${id}`, { name: 'detail', description: 'new', rights: 'write' })
    expect((await told()).permission).toBe('admin')
    await sent(ada, `/acme/-/teams/${id}`, { name: 'detail', description: 'new', rights: 'read' })
    expect((await told()).permission).toBe('read')
  })

  test('of the owners keep name and rights', async () => {
    const path = `/acme/-/teams/${teams.Owners}`
    expect(await page(ada, path)).not.toContain('name="rights"')
    expect((await sent(ada, path, { name: 'Owners', description: 'The bosses' })).status).toBe(303)
    expect(await page(ada, path)).toContain('The bosses')
    const renamed = await sent(ada, path, { name: 'Bosses', description: '' })
    expect([renamed.status, renamed.text.includes('The team Owners keeps its name.')]).toEqual([422, true])
    expect((await sent(ada, path, {})).status).toBe(422)
    expect(await status(ada, `${path}/delete`)).toBe(422)
  })

  test('take people in by name, and let them go', async () => {
    const path = `/acme/-/teams/${teams.writers}`
    const unknown = await sent(ada, `${path}/members`, { user: 'no<b>body' })
    expect(unknown.status).toBe(422)
    expect(unknown.text).toContain('There is no user no&lt;b&gt;body')
    expect(unknown.text).toContain('value="no&lt;b&gt;body"')
    expect((await sent(ada, `${path}/members`, {})).text).toContain('Type a user name.')
    expect(await sent(ada, `${path}/members`, { user: ' BOB ' })).toMatchObject({ status: 303, to: path })
    expect(await membersOf('writers')).toEqual(['bob', 'cora'])

    const asked = await page(bob, `${path}/members/bob/remove`)
    expect(asked).toContain('You cannot publish, change or delete packages there, nor can your tokens.')
    expect(asked).not.toContain('You cannot see the organisation')
    expect((await sent(bob, `${path}/members/bob/remove`)).status).toBe(303)
    expect(await membersOf('writers')).toEqual(['cora'])
  })

  test('are listed a page at a time', async () => {
    await adaCalls.post('/api/v1/orgs', { username: 'wide' })
    for (let n = 10; n < 45; n++) await makeTeam('wide', `team-${n}`, 'read', [])
    const first = await page(ada, '/wide/-/teams')
    expect(first).toContain('1 to 30 of 36')
    expect(first).toContain('href="/wide/-/teams?page=2"')
    const second = await page(ada, '/wide/-/teams?page=2')
    expect(second).toContain('31 to 36 of 36')
    expect(second).toContain('team-44')
  })
})

describe('invitations', () => {
  test('into a team show their link once, and lead in', async () => {
    const wrong = await sent(ada, '/acme/-/invitations', {
      email: 'no address',
      full_name: 'Fay',
      days: '8',
      team_id: '',
    })
    expect(wrong.status).toBe(422)
    for (const field of ['email', 'days', 'team_id']) expect(wrong.text).toContain(`id="error-${field}"`)
    expect(wrong.text).toContain('value="Fay"')
    const elsewhere = await sent(ada, '/acme/-/invitations', { days: '7', team_id: '999999' })
    expect([elsewhere.status, elsewhere.text.includes('id="error-team_id"')]).toEqual([422, true])

    const fields = { email: '', full_name: '<b>Fay</b>', days: '1', team_id: String(teams.readers) }
    const made = await sent(ada, '/acme/-/invitations', fields)
    expect(made.status).toBe(201)
    const [, code = ''] = made.text.match(/\/user\/invitation#([A-Za-z0-9_-]{43})/) ?? []
    expect(code).not.toBe('')
    const list = await page(ada, '/acme/-/invitations')
    expect(list).toContain('&lt;b&gt;Fay&lt;/b&gt;')
    expect(list).not.toContain(code)
    const joined = await (await userNamed('joe')).post('/api/v1/user/invitations', { code })
    expect(joined.status).toBe(204)
    expect(await membersOf('readers')).toContain('joe')
    expect(await page(ada, '/acme/-/invitations')).toContain('Nobody has an invitation at the moment')
  })

  test('are withdrawn', async () => {
    await sent(ada, '/acme/-/invitations', { full_name: 'Gus', days: '7', team_id: String(teams.readers) })
    const list = await page(ada, '/acme/-/invitations')
    const [, withdraw = ''] = list.match(/action="([^"]+\/withdraw)"/) ?? []
    expect((await sent(bob, withdraw)).status).toBe(403)
    expect(await sent(ada, withdraw)).toMatchObject({ status: 303, to: '/acme/-/invitations' })
    expect(await page(ada, '/acme/-/invitations')).toContain('The invitation is withdrawn')
    expect((await sent(ada, withdraw)).status).toBe(404)
  })
})

function userNamed(name: string): Promise<Client> {
  return stowage.user(name)
}
