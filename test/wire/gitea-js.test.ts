import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { Api, type HttpResponse, type Package } from 'gitea-js'
import { type CheckedClient, checkedClient, demandFit } from '../support/checked-client.ts'
import { adminPassword, Client, startStowage, type TestStowage } from '../support/stowage.ts'

// Every answer here has been held against the client's own types before a test sees it.

const content = 'five!'
const hex = (algorithm: string) => createHash(algorithm).update(content).digest('hex')

let stowage: TestStowage
let admin: CheckedClient

beforeAll(async () => {
  // Answers with digests wait for the job that computes them.
  stowage = await startStowage({ replace: { background: 'on' } })
  admin = checkedClient(stowage.url, { user: 'admin', password: adminPassword })
})
afterAll(() => stowage[Symbol.asyncDispose]())

/** Somebody whom the administrator has added, calling by password. */
async function person(username: string, fields: { visibility?: string; full_name?: string } = {}) {
  const password = `${username}-Pass-1234`
  await admin.admin.adminCreateUser({ username, password, email: `${username}@example.com`, ...fields })
  return checkedClient(stowage.url, { user: username, password })
}

/** A token of somebody's, as a client that calls with it, and one that publishes with it as `curl` would. */
async function withToken(owner: CheckedClient, username: string, scopes: string[]) {
  const { sha1 } = await owner.users.userCreateToken(username, { name: `for ${scopes.join(' ')}`, scopes })
  const files = new Client(stowage.url, username, { Authorization: `token ${sha1}` })
  return { client: checkedClient(stowage.url, { token: sha1 }), files }
}

describe('an administrator', () => {
  test('adds users', async () => {
    const body = { username: 'grace', password: 'grace-Pass-1234', email: 'grace@example.com', full_name: 'Grace H.' }
    const made = await admin.admin.adminCreateUser({ ...body, visibility: 'limited', must_change_password: false })
    expect(made).toMatchObject({
      login: 'grace',
      email: 'grace@example.com',
      full_name: 'Grace H.',
      visibility: 'limited',
      is_admin: false,
      active: true,
    })
    expect(made.id).toBeGreaterThan(0)
    await expect(admin.admin.adminCreateUser(body)).rejects.toMatchObject({ name: 'Refused', status: 422 })
  })

  test('changes, renames and deletes them', async () => {
    const gus = await person('gus')
    // The client's types want the first two.
    const body = { source_id: 0, login_name: 'gus', restricted: true, location: 'Here', max_repo_creation: -1 }
    const changed = await admin.admin.adminEditUser('gus', {
      ...body,
      allow_create_organization: false,
      visibility: 'limited',
    })
    expect(changed).toMatchObject({ login: 'gus', restricted: true, location: 'Here', visibility: 'limited' })
    await expect(gus.orgs.orgCreate({ username: 'guses' })).rejects.toMatchObject({ status: 403 })
    expect(await admin.admin.adminSearchUsers({ limit: 50 })).toContainEqual(changed)

    await admin.admin.adminRenameUser('gus', { new_username: 'gustav' })
    const renamed = { ...changed, login: 'gustav', username: 'gustav', html_url: `${stowage.url}/gustav` }
    // The client goes where the old name leads.
    for (const name of ['gustav', 'gus']) expect(await admin.users.userGet(name)).toEqual(renamed)

    await stowage.admin.as('gustav').put({}, content)
    await expect(admin.admin.adminDeleteUser('gustav')).rejects.toMatchObject({ status: 422 })
    await admin.admin.adminDeleteUser('gustav', { purge: true })
    await expect(admin.users.userGet('gustav')).rejects.toMatchObject({ status: 404 })
  })

  test('is the only one who does', async () => {
    const mallory = await person('mallory')
    const body = { username: 'friend', password: 'friend-Pass-1234', email: 'friend@example.com' }
    await expect(mallory.admin.adminCreateUser(body)).rejects.toMatchObject({ name: 'Refused', status: 403 })
    const nobody = checkedClient(stowage.url)
    await expect(nobody.admin.adminCreateUser(body)).rejects.toMatchObject({ name: 'Refused', status: 401 })
  })
})

describe('a user', () => {
  test('sees himself, by password and by token', async () => {
    const ada = await person('ada', { full_name: 'Ada L.' })
    const seen = await ada.user.userGetCurrent()
    expect(seen).toMatchObject({ login: 'ada', email: 'ada@example.com', full_name: 'Ada L.', active: true })
    const { client } = await withToken(ada, 'ada', ['read:user'])
    expect(await client.user.userGetCurrent()).toEqual({ ...seen, last_login: expect.any(String) })
    await expect(checkedClient(stowage.url).user.userGetCurrent()).rejects.toMatchObject({ status: 401 })
  })

  test('makes tokens, lists them and deletes them, by id and by name', async () => {
    const tess = await person('tess')
    const make = (name: string) => tess.users.userCreateToken('tess', { name, scopes: ['write:package'] })
    const [first, second] = [await make('first'), await make('second')]
    expect(first).toMatchObject({ name: 'first', scopes: ['write:package'], token_last_eight: first.sha1.slice(-8) })
    await expect(make('first')).rejects.toMatchObject({ status: 400 })

    const listed = await tess.users.userGetTokens('tess')
    const shown = ({ id, name, token_last_eight }: typeof first) => ({ id, name, token_last_eight, sha1: '' })
    const byId = (a: { id: number }, b: { id: number }) => a.id - b.id
    expect(listed.toSorted(byId)).toMatchObject([shown(first), shown(second)])
    expect(await tess.users.userGetTokens('tess', { page: 2, limit: 1 })).toHaveLength(1)

    await tess.users.userDeleteAccessToken('tess', String(first.id))
    await tess.users.userDeleteAccessToken('tess', 'second')
    expect(await tess.users.userGetTokens('tess')).toEqual([])
    await expect(tess.users.userDeleteAccessToken('tess', 'second')).rejects.toMatchObject({ status: 404 })
    const revoked = checkedClient(stowage.url, { token: first.sha1 })
    await expect(revoked.packages.listPackages('tess')).rejects.toMatchObject({ status: 401 })
  })

  test('sees and changes what he says of himself', async () => {
    const said = { full_name: 'Sam S.', website: 'https://example.com', location: 'There', description: 'Tests' }
    const sam = await person('sam')
    const ignored = { theme: 'dark', language: 'de', diff_view_style: 'split', hide_email: true, hide_activity: true }
    expect(await sam.user.updateUserSettings({ ...said, ...ignored })).toMatchObject(said)
    expect(await sam.user.getUserSettings()).toMatchObject(said)
    expect(await sam.user.userGetCurrent()).toMatchObject(said)
  })

  test('finds what he has published with a token', async () => {
    const paula = await person('paula')
    const { client, files } = await withToken(paula, 'paula', ['write:package'])
    for (const version of ['1.0', '2.0 beta']) {
      expect((await files.put({ package: 'tool', version, file: 'tool.bin' }, content)).status).toBe(201)
    }
    const listed = await client.packages.listPackages('paula', { type: 'generic', q: 'TOO' })
    expect(listed.map(({ name, version }) => [name, version])).toEqual([
      ['tool', '2.0 beta'],
      ['tool', '1.0'],
    ])
    const shown = await client.packages.getPackage('paula', 'generic', 'tool', encodeURIComponent('2.0 beta'))
    expect(shown).toEqual(listed[0] as typeof shown)
    expect(shown).toMatchObject({ type: 'generic', owner: { login: 'paula' }, creator: { login: 'paula' } })

    expect(await client.packages.listPackageFiles('paula', 'generic', 'tool', '1.0')).toMatchObject([
      {
        name: 'tool.bin',
        size: content.length,
        md5: hex('md5'),
        sha1: hex('sha1'),
        sha256: hex('sha256'),
        sha512: hex('sha512'),
      } as object,
    ])
    const unknown = client.packages.getPackage('paula', 'generic', 'tool', '3.0')
    await expect(unknown).rejects.toMatchObject({ status: 404, message: 'package does not exist' })
  })
})

describe('an owner of an organisation', () => {
  test('makes it, and sees and changes it', async () => {
    const orla = await person('orla')
    const made = await orla.orgs.orgCreate({ username: 'orlas', full_name: 'Orla and others', visibility: 'limited' })
    expect(made).toMatchObject({ name: 'orlas', username: 'orlas', visibility: 'limited' })
    expect(await orla.orgs.orgGet('orlas')).toEqual(made)
    const changed = await orla.orgs.orgEdit('orlas', { description: 'Tools', website: 'https://example.com' })
    expect(changed).toEqual({ ...made, description: 'Tools', website: 'https://example.com' })
    for (const listed of [
      await orla.user.orgListCurrentUserOrgs(),
      await orla.users.orgListUserOrgs('orla'),
      (await orla.orgs.orgGetAll()).filter(({ name }) => name === 'orlas'),
    ]) {
      expect(listed).toEqual([changed])
    }
    await expect(checkedClient(stowage.url).orgs.orgGet('orlas')).rejects.toMatchObject({ status: 404 })
    await expect(orla.orgs.orgCreate({ username: 'ORLAS' })).rejects.toMatchObject({ status: 422 })
  })

  test('makes teams, and people come and go', async () => {
    const tina = await person('tina')
    const ted = await person('ted')
    const organization = await admin.admin.adminCreateOrg('tina', { username: 'tinas' })
    const body = { name: 'publishers', units_map: { 'repo.packages': 'write' }, permission: 'read' as const }
    const team = await tina.orgs.orgCreateTeam('tinas', body)
    expect(team).toMatchObject({ name: 'publishers', permission: 'write', units: ['repo.packages'], organization })
    expect(await tina.teams.orgGetTeam(team.id)).toEqual(team)
    expect((await tina.orgs.orgListTeams('tinas')).map(({ name }) => name)).toEqual(['Owners', 'publishers'])

    await tina.teams.orgAddTeamMember(team.id, 'ted')
    expect((await tina.teams.orgListTeamMembers(team.id)).map(({ login }) => login)).toEqual(['ted'])
    expect(await tina.teams.orgListTeamMember(team.id, 'ted')).toMatchObject({ login: 'ted' })
    expect((await ted.orgs.orgListMembers('tinas')).map(({ login }) => login)).toEqual(['ted', 'tina'])
    await ted.orgs.orgIsMember('tinas', 'tina')
    const { files } = await withToken(ted, 'ted', ['write:package'])
    expect((await files.as('tinas').put({}, content)).status).toBe(201)

    const lowered = await tina.teams.orgEditTeam(team.id, { name: 'readers', permission: 'read' })
    expect(lowered).toEqual({ ...team, name: 'readers', permission: 'read', units_map: { 'repo.packages': 'read' } })
    expect((await files.as('tinas').put({ file: 'other' }, content)).status).toBe(403)
    await tina.teams.orgRemoveTeamMember(team.id, 'ted')
    await expect(ted.teams.orgGetTeam(team.id)).rejects.toMatchObject({ status: 403 })
    await tina.teams.orgAddTeamMember(team.id, 'ted')
    await tina.orgs.orgDeleteMember('tinas', 'ted')
    await expect(tina.orgs.orgIsMember('tinas', 'ted')).rejects.toMatchObject({ status: 404 })
    await tina.teams.orgDeleteTeam(team.id)
    await expect(tina.teams.orgGetTeam(team.id)).rejects.toMatchObject({ status: 404 })
    await expect(tina.orgs.orgDelete('tinas')).rejects.toMatchObject({ status: 422 })
    await tina.packages.deletePackage('tinas', 'generic', 'tool', '1.0')
    await tina.orgs.orgDelete('tinas')
    await expect(tina.orgs.orgGet('tinas')).rejects.toMatchObject({ status: 404 })
  })
})

describe('anybody', () => {
  test('reads the version', async () => {
    const { version } = await checkedClient(stowage.url).version.getVersion()
    expect(version).not.toBe('')
  })

  test('sees the packages of an owner who is public, whoever he is', async () => {
    const olga = await person('olga')
    const stranger = await person('stranger')
    const { files } = await withToken(olga, 'olga', ['write:package'])
    await files.put({}, content)
    await stowage.admin.as('olga').put({ version: '1.1' }, content)
    for (const client of [checkedClient(stowage.url), stranger, olga, admin]) {
      const listed = await client.packages.listPackages('olga')
      expect(listed.map(({ creator }) => creator.login)).toEqual(['admin', 'olga'])
      expect(await client.packages.getPackage('olga', 'generic', 'tool', '1.0')).toEqual(listed[1] as never)
      expect(await client.packages.listPackageFiles('olga', 'generic', 'tool', '1.0')).toHaveLength(1)
    }
  })

  test('sees a creator who is hidden from him, or gone, as a user all the same', async () => {
    const henry = await person('henry')
    await person('hidden', { visibility: 'private' })
    const { files } = await withToken(henry, 'henry', ['write:package'])
    for (const version of ['1', '2']) await files.put({ version }, content)
    const change = (version: string, creator: string) =>
      stowage.change(`update versions set creator_id = ${creator} where version = '${version}' returning id`)
    await change('1', "(select id from owners where name = 'hidden')")
    await change('2', 'null')
    const listed = await checkedClient(stowage.url).packages.listPackages('henry')
    expect(listed.map(({ creator }) => creator.login)).toEqual(['Ghost', 'hidden'])
  })

  test('turns the pages of a list by what the headers of each say', async () => {
    const paul = await person('paul')
    const { client, files } = await withToken(paul, 'paul', ['write:package'])
    const versions = ['1', '2', '3', '4', '5']
    for (const version of versions) await files.put({ version }, content)
    const api = new Api({ baseUrl: `${stowage.url}/api/v1`, baseApiParams: { format: 'json' } })
    const seen: (string | undefined)[] = []
    const turned: (string | null)[] = []
    for (let page: number | undefined = 1; page !== undefined; ) {
      const { data, headers }: HttpResponse<Package[]> = await api.packages.listPackages('paul', { page, limit: 2 })
      seen.push(...data.map(({ version }) => version))
      turned.push(headers.get('X-Total-Count'))
      const next: string | undefined = /<([^>]+)>; rel="next"/.exec(headers.get('Link') ?? '')?.[1]
      page = next === undefined ? undefined : Number(new URL(next).searchParams.get('page'))
    }
    expect({ seen, turned }).toEqual({ seen: versions.toReversed(), turned: ['5', '5', '5'] })

    await client.packages.deletePackage('paul', 'generic', 'tool', '3')
    const { headers } = await api.packages.listPackages('paul')
    expect(headers.get('X-Total-Count')).toBe('4')
    // The client has no method for a whole package.
    expect((await files.fetch('/api/v1/packages/paul/generic/tool', { method: 'DELETE' })).status).toBe(204)
    expect(await client.packages.listPackages('paul')).toEqual([])
  })

  // The client has no methods for these two.
  test('is given a package by the lists of one package, and as the latest', async () => {
    const vera = await person('vera')
    const { files } = await withToken(vera, 'vera', ['write:package'])
    for (const version of ['1', '2']) await files.put({ version }, content)
    const anybody = stowage.anonymous
    const versions = (await (await anybody.fetch('/api/v1/packages/vera/generic/tool')).json()) as unknown[]
    demandFit('the versions of a package', 'Package[]', versions)
    expect(versions).toMatchObject([{ version: '2' }, { version: '1' }])
    const latest = await (await anybody.fetch('/api/v1/packages/vera/generic/tool/-/latest')).json()
    demandFit('the latest version', 'Package', latest)
    expect(latest).toEqual(versions[0])
  })
})
