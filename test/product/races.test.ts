import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { Choreography, withoutLocks, withoutNamedLocks, withoutRowLocksOn } from '../support/choreography.ts'
import { CiIssuer, job } from '../support/ci-issuer.ts'
import { onPostgres } from '../support/database.ts'
import { blobFiles, emptyParents, rowCounts } from '../support/inventory.ts'
import { makeLink, sendTo } from '../support/links.ts'
import { seededBytes } from '../support/seeded.ts'
import { basic, type Client, startStowage, type TestStowage } from '../support/stowage.ts'
import { until } from '../support/until.ts'

/**
 * Each race runs twice: as it is, and with the lock taken away that decides it. The second run must go wrong in the way
 * that the lock is there for, or the first shows nothing. SQLite has one writer, so there these races cannot be run.
 */
const described = onPostgres ? describe : describe.skip

/** Whose jobs publish. */
let ci: CiIssuer | undefined
beforeAll(async () => {
  if (onPostgres) ci = await CiIssuer.start()
})
afterAll(() => ci?.[Symbol.asyncDispose]())

const body = seededBytes(20_000, 1)
const same = 'the same bytes'

async function start(choreography: Choreography): Promise<TestStowage> {
  return startStowage({
    settings: { STOWAGE_BLOB_GRACE: '0', ...(ci ? { STOWAGE_OIDC_PUBLISHERS: ci.url } : {}) },
    replace: { aroundStatement: choreography.around },
  })
}

/** Whether a transaction waits for another one's lock. */
async function someoneWaits(stowage: TestStowage): Promise<boolean> {
  const [row] = await stowage.change(`
    select count(*)::int as waiting from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`)
  return Number(row?.waiting) > 0
}

const read = (stowage: TestStowage) => stowage.stowage.registry.catalogue.read
const statuses = async (...answers: Promise<Response>[]) => (await Promise.all(answers)).map(({ status }) => status)

described('two deletes of the last two files of a version', () => {
  async function race(choreography: Choreography, ...changes: string[]): Promise<string[]> {
    await using stowage = await start(choreography)
    for (const change of changes) await stowage.change(change)
    expect(await statuses(stowage.admin.put({ file: 'a' }, 'a'))).toEqual([201])
    expect(await statuses(stowage.admin.put({ file: 'b' }, 'b'))).toEqual([201])
    // Each stands where it has looked whether there is another file.
    const looked = /^select "id" from "files" where "version_id" = \$1 limit/
    const first = choreography.stopAfter(looked)
    const second = choreography.stopAfter(looked)
    const one = stowage.admin.delete({ file: 'a' })
    await first.arrived
    const other = stowage.admin.delete({ file: 'b' })
    await until(async () => second.hasArrived() || (await someoneWaits(stowage)), 'the second waits, or is there too')
    first.goOn()
    second.goOn()
    expect(await statuses(one, other)).toEqual([204, 204])
    return await emptyParents(read(stowage))
  }

  test('leave no version behind', async () => {
    expect(await race(new Choreography())).toEqual([])
  })

  test('would leave an empty one if they did not lock it', async () => {
    const choreography = new Choreography()
    choreography.rewrite(withoutLocks)
    // What counts files down comes to lock the version's line too.
    expect(await race(choreography, 'drop trigger uncount_file on files')).toEqual(['version 1.0'])
  })
})

described('the last file with some bytes is deleted while they are published again', () => {
  async function race(choreography: Choreography): Promise<{ undone: number }> {
    await using stowage = await start(choreography)
    expect(await statuses(stowage.admin.put({ package: 'old' }, same))).toEqual([201])
    const published = choreography.stopAfter(/^insert into "files"/)
    const put = stowage.admin.put({ package: 'new' }, same)
    await published.arrived
    const undone = choreography.undone
    const deleted = stowage.admin.delete({ package: 'old' })
    await until(() => someoneWaits(stowage), 'the delete waits for the publish')
    published.goOn()
    expect(await statuses(put, deleted)).toEqual([201, 204])
    await stowage.stowage.sweep()
    expect(await (await stowage.admin.get({ package: 'new' })).text()).toBe(same)
    expect((await blobFiles(stowage.dataDir)).size).toBe(1)
    return { undone: choreography.undone - undone }
  }

  test('the blob stays, and nobody has to start again', async () => {
    expect(await race(new Choreography())).toEqual({ undone: 0 })
  })

  test('the foreign key alone would undo a transaction that the lock lets pass', async () => {
    const choreography = new Choreography()
    choreography.rewrite(withoutRowLocksOn('blobs'))
    const { undone } = await race(choreography)
    expect(undone).toBeGreaterThan(0)
  })

  test('the other way round: what is published while the blob goes has bytes of its own', async () => {
    const choreography = new Choreography()
    await using stowage = await start(choreography)
    expect(await statuses(stowage.admin.put({ package: 'old' }, same))).toEqual([201])
    const released = choreography.stopAfter(/^delete from "blobs"/)
    const deleted = stowage.admin.delete({ package: 'old' })
    await released.arrived
    const put = stowage.admin.put({ package: 'new' }, same)
    await until(() => someoneWaits(stowage), 'the publish waits for the delete')
    released.goOn()
    expect(await statuses(deleted, put)).toEqual([204, 201])
    expect(await stowage.stowage.sweep()).toMatchObject({ doomed: { blobs: 1 } })
    expect(await (await stowage.admin.get({ package: 'new' })).text()).toBe(same)
  })
})

described('two publishes of the first file of one version', () => {
  async function race(choreography: Choreography, files: [string, string]) {
    await using stowage = await start(choreography)
    const first = choreography.stopAfter(/^insert into "files"/)
    const one = stowage.admin.put({ file: files[0] }, 'one')
    await first.arrived
    const other = stowage.admin.put({ file: files[1] }, 'two')
    await until(() => someoneWaits(stowage), 'the second waits for the first')
    first.goOn()
    const answers = await statuses(one, other)
    await stowage.stowage.sweep()
    const { versions, files: rows } = await rowCounts(read(stowage))
    return {
      answers,
      versions,
      files: rows,
      onDisk: (await blobFiles(stowage.dataDir)).size,
      undone: choreography.undone,
    }
  }

  test('with two names: both are there, and neither had to start again', async () => {
    const { undone, ...rest } = await race(new Choreography(), ['a', 'b'])
    expect(rest).toEqual({ answers: [201, 201], versions: 1, files: 2, onDisk: 2 })
    expect(undone).toBe(0)
  })

  test('with two names, where a parent that is there aborts the transaction: it starts again, and both are there', async () => {
    const choreography = new Choreography()
    choreography.rewrite((sql) =>
      /^insert into "(packages|versions)"/.test(sql) && choreography.undone === 0
        ? sql.replace(/ on conflict .* do nothing/, '')
        : sql,
    )
    const { undone, ...rest } = await race(choreography, ['a', 'b'])
    expect(rest).toEqual({ answers: [201, 201], versions: 1, files: 2, onDisk: 2 })
    expect(undone).toBeGreaterThan(0)
  })

  test('with one name: one is there, the other one is told so, and its bytes are gone', async () => {
    const { undone, ...rest } = await race(new Choreography(), ['a', 'A'])
    expect(rest).toEqual({ answers: [201, 409], versions: 1, files: 1, onDisk: 1 })
    expect(undone).toBe(1)
  })
})

described('a file is published into a version while its last file is deleted', () => {
  test('the version outlives it', async () => {
    const choreography = new Choreography()
    await using stowage = await start(choreography)
    expect(await statuses(stowage.admin.put({ file: 'old' }, 'old'))).toEqual([201])
    const dropped = choreography.stopAfter(/^delete from "packages"/)
    const deleted = stowage.admin.delete({ file: 'old' })
    await dropped.arrived
    const put = stowage.admin.put({ file: 'new' }, body)
    await until(() => someoneWaits(stowage), 'the publish waits for the delete')
    dropped.goOn()
    expect(await statuses(deleted, put)).toEqual([204, 201])
    expect(await emptyParents(read(stowage))).toEqual([])
    expect(Buffer.compare(await (await stowage.admin.get({ file: 'new' })).bytes(), body)).toBe(0)
  })
})

described('a version is published into a package while its only other version is deleted', () => {
  async function race(choreography: Choreography, bytes: string) {
    await using stowage = await start(choreography)
    expect(await statuses(stowage.admin.put({ version: 'old' }, same))).toEqual([201])
    const published = choreography.stopAfter(/^insert into "files"/)
    const put = stowage.admin.put({ version: 'new' }, bytes)
    await published.arrived
    const undone = choreography.undone
    const deleted = stowage.admin.deleteVersion({ version: 'old' })
    await until(() => someoneWaits(stowage), 'the delete waits for the publish')
    published.goOn()
    expect(await statuses(put, deleted)).toEqual([201, 204])
    expect(await emptyParents(read(stowage))).toEqual([])
    expect(await (await stowage.admin.get({ version: 'new' })).text()).toBe(bytes)
    return choreography.undone - undone
  }

  test.each([
    ['the same', same],
    ['other', 'other bytes'],
  ])('with %s bytes: the package stays, and nobody has to start again', async (_, bytes) => {
    expect(await race(new Choreography(), bytes)).toBe(0)
  })

  test('would be a deadlock if the delete did not begin with the package', async () => {
    const choreography = new Choreography()
    choreography.rewrite(withoutRowLocksOn('packages'))
    expect(await race(choreography, 'other bytes')).toBeGreaterThan(0)
  })
})

described('a package is deleted right after an upload has looked at its rights', () => {
  test('who is let in there alone does not make it anew, and nobody opens a private one', async () => {
    const choreography = new Choreography()
    await using stowage = await start(choreography)
    const bob = (await stowage.user('bob')).as('admin')
    const at = (rest: string) => `/api/v1/packages/admin/generic/tool${rest}`
    const send = (method: string, rest: string, body: object) =>
      stowage.admin.fetch(at(rest), { method, body: JSON.stringify(body) })
    for (const [client, status] of [
      [bob, 403],
      [stowage.admin, 404],
    ] as const) {
      expect(await statuses(stowage.admin.put({ version: '1.0' }, same))).toEqual([201])
      const named = send('PUT', '/-/access/users/bob', { permission: 'write' })
      const hidden = send('PATCH', '/-/access', { visibility: 'private' })
      expect(await statuses(named, hidden)).toEqual([204, 200])
      const looked = choreography.stopAfter(/^select "owners"."id".*"packageVisibility"/)
      const put = client.put({ version: '2.0' }, 'other bytes')
      await looked.arrived
      expect(await statuses(stowage.admin.fetch(at(''), { method: 'DELETE' }))).toEqual([204])
      looked.goOn()
      expect(await statuses(put)).toEqual([status])
      expect(await stowage.change('select id from packages')).toEqual([])
    }
  })
})

described('a token is deleted while an upload by it commits', () => {
  async function race(choreography: Choreography) {
    await using stowage = await start(choreography)
    const token = await stowage.admin.token(['write:package'], { name: 'ci' })
    const checked = choreography.stopAfter(/^insert into "files"/)
    const put = token.put({}, body)
    await checked.arrived
    let isDeleted = false
    const deleted = stowage.admin.fetch('/api/v1/users/admin/tokens/ci', { method: 'DELETE' }).then((answer) => {
      isDeleted = true
      return answer
    })
    await until(async () => isDeleted || (await someoneWaits(stowage)), 'the delete waits, or has been answered')
    const answeredBeforeTheUpload = isDeleted
    checked.goOn()
    expect(await statuses(put, deleted)).toEqual([201, 204])
    expect(await statuses(token.put({ file: 'later' }, body))).toEqual([401])
    return answeredBeforeTheUpload
  }

  test('its deletion is answered only when no upload by it can commit any more', async () => {
    expect(await race(new Choreography())).toBe(false)
  })

  test('would be answered before, if the upload did not lock it', async () => {
    const choreography = new Choreography()
    choreography.rewrite(withoutNamedLocks)
    expect(await race(choreography)).toBe(true)
  })
})

/** What somebody's upload is taken away by, and how it is answered afterwards. */
const takings: [
  string,
  (stowage: TestStowage) => Promise<{ by: Client; take: () => Promise<Response>; later: number }>,
][] = [
  [
    'a token is deleted, with which the one in another account was made',
    async (stowage) => {
      const { secret } = await stowage.admin.token(['all'], { name: 'parent' })
      const child = await (await stowage.user('ada'))
        .with({ Authorization: basic('admin', secret) })
        .token(['write:package'])
      const take = () => stowage.admin.fetch('/api/v1/users/admin/tokens/parent', { method: 'DELETE' })
      return { by: child, take, later: 401 }
    },
  ],
  [
    'a token gives itself up',
    async ({ admin }) => {
      const token = await admin.token(['write:package'])
      return { by: token, take: () => token.fetch('/api/v1/token', { method: 'DELETE' }), later: 401 }
    },
  ],
  [
    'a deploy token is deleted',
    async (stowage) => {
      expect(await statuses(stowage.admin.post('/api/v1/orgs', { username: 'tools' }))).toEqual([201])
      const { by, remove } = await deployToken(stowage, stowage.admin, 'tools')
      return { by, take: remove, later: 401 }
    },
  ],
  ['the rule is deleted by which a job publishes', jobWhose({ method: 'DELETE' })],
  ['the rule is changed by which a job publishes', jobWhose({ method: 'PATCH', body: '{"packages":["other"]}' })],
  [
    'a deploy token gives itself up',
    async (stowage) => {
      const { by } = await deployToken(stowage, await stowage.user('ada'), 'ada')
      return { by, take: () => by.fetch('/api/v1/token', { method: 'DELETE' }), later: 401 }
    },
  ],
  [
    'the account to which a deploy token belongs is made inactive',
    async (stowage) => {
      const { by } = await deployToken(stowage, await stowage.user('ada'), 'ada')
      return { by, take: () => administer(stowage.admin, 'PATCH', 'ada', { active: false }), later: 401 }
    },
  ],
  [
    'the password is changed',
    async (stowage) => {
      const ada = await stowage.user('ada')
      const body = { old_password: 'ada-Pass-1234', new_password: 'another-Pass-1' }
      return { by: ada, take: () => ada.post('/api/v1/user/password', body), later: 401 }
    },
  ],
  [
    'a new password is set by a link',
    async (stowage) => {
      const ada = await stowage.user('ada')
      const { code } = await makeLink(stowage.admin, '/admin/users/ada/password-reset')
      const body = { code, password: 'another-Pass-1' }
      return { by: ada, take: () => sendTo(stowage, 'password-reset', body), later: 401 }
    },
  ],
  [
    'the account is made private, for a public-only token',
    async (stowage) => {
      const ada = await stowage.user('ada')
      const token = await ada.token(['write:package', 'public-only'])
      const settings = { method: 'PATCH', body: '{"visibility":"private"}' }
      return { by: token, take: () => ada.fetch('/api/v1/user/settings', settings), later: 403 }
    },
  ],
  [
    'the account is made inactive',
    async (stowage) => {
      const token = await (await stowage.user('ada')).token(['write:package'])
      return { by: token, take: () => administer(stowage.admin, 'PATCH', 'ada', { active: false }), later: 401 }
    },
  ],
  [
    'an administrator is deleted, with whose token the one in another account was made',
    async (stowage) => {
      const { secret } = await (await secondAdministrator(stowage, 'grace')).token(['all'])
      const child = await (await stowage.user('ada'))
        .with({ Authorization: basic('grace', secret) })
        .token(['write:package'])
      return { by: child, take: () => administer(stowage.admin, 'DELETE', 'grace'), later: 401 }
    },
  ],
  ['its sender is taken out of the team', publisherWho(({ change, team }) => change('DELETE', `${team}/members/paul`))],
  ['its sender leaves the organisation', publisherWho(({ leave }) => leave('/api/v1/orgs/tools/members/paul'))],
  [
    'the team may only read from now on',
    publisherWho(({ change, team }) => change('PATCH', team, { permission: 'read' })),
  ],
  ['the team is deleted', publisherWho(({ change, team }) => change('DELETE', team))],
  [
    'the organisation is made private, for a public-only token',
    publisherWho(({ change }) => change('PATCH', '/api/v1/orgs/tools', { visibility: 'private' }), ['public-only']),
  ],
  [
    'the package is made private, for a public-only token',
    async (stowage) => {
      const makePrivate = ({ change }: Loss) => change('PATCH', access, { visibility: 'private' })
      const prepared = await publisherWho(makePrivate, ['public-only'])(stowage)
      expect(await statuses(stowage.admin.put({ owner: 'tools', version: '0.9' }, 'x'))).toEqual([201])
      return prepared
    },
  ],
  ['the package names its sender no more', namedWho(({ change }) => change('DELETE', `${access}/users/paul`), 'users')],
  [
    'the package names its sender to read from now on',
    namedWho(({ change }) => change('PUT', `${access}/users/paul`, { permission: 'read' }), 'users'),
  ],
  [
    'its sender is taken out of the team that the package names',
    namedWho(({ change, team }) => change('DELETE', `${team}/members/paul`), 'teams'),
  ],
  ['the team that the package names is deleted', namedWho(({ change, team }) => change('DELETE', team), 'teams')],
]

async function deployToken(stowage: TestStowage, maker: Client, owner: string) {
  const tokens = `/api/v1/owners/${owner}/deploy-tokens`
  const made = await maker.post(tokens, { name: 'ci', scopes: ['write:package'] })
  const { id, sha1 } = (await made.json()) as { id: number; sha1: string }
  const by = stowage.anonymous.as(owner).with({ Authorization: `token ${sha1}` })
  return { by, remove: () => maker.fetch(`${tokens}/${id}`, { method: 'DELETE' }) }
}

interface Loss {
  change: (method: string, path: string, body?: object) => Promise<Response>
  leave: (path: string) => Promise<Response>
  team: string
}

const access = '/api/v1/packages/tools/generic/tool/-/access'

/** Somebody whom a private package lets write, by himself or by a team that may write to nothing else; and how that ends. */
function namedWho(lose: (loss: Loss) => Promise<Response>, as: 'users' | 'teams'): (typeof takings)[number][1] {
  return async (stowage) => {
    const prepared = await publisherWho(lose)(stowage)
    const send = (method: string, path: string, sent: object) =>
      stowage.admin.fetch(path, { method, body: JSON.stringify(sent) })
    const teams = (await (await stowage.admin.fetch('/api/v1/orgs/tools/teams')).json()) as {
      id: number
      name: string
    }[]
    const team = teams.find(({ name }) => name === 'publishers')?.id
    expect(await statuses(send('PATCH', `/api/v1/teams/${team}`, { permission: 'read' }))).toEqual([200])
    expect(await statuses(send('PATCH', access, { visibility: 'private' }))).toEqual([200])
    const holder = as === 'users' ? 'users/paul' : `teams/${team}`
    expect(await statuses(send('PUT', `${access}/${holder}`, { permission: 'write' }))).toEqual([204])
    return prepared
  }
}

/** A job that publishes by a rule of an organisation, and what is done to the rule. */
function jobWhose(change: RequestInit): (typeof takings)[number][1] {
  return async (stowage) => {
    const { admin, anonymous } = stowage
    expect(await statuses(admin.post('/api/v1/orgs', { username: 'tools' }))).toEqual([201])
    const rule = { name: 'ci', issuer: ci?.url, claims: { sub: job.sub }, packages: ['tool'] }
    const made = await admin.post('/api/v1/owners/tools/publishers', rule)
    const { id } = (await made.json()) as { id: number }
    const exchanged = await anonymous.post('/api/v1/oidc/token', {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: await ci?.sign(stowage.url),
      subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
    })
    const { access_token } = (await exchanged.json()) as { access_token: string }
    const by = anonymous.with({ Authorization: `Bearer ${access_token}` }).as('tools')
    return { by, take: () => admin.fetch(`/api/v1/owners/tools/publishers/${id}`, change), later: 401 }
  }
}

/** A member of a team that publishes, and how that ends. */
function publisherWho(
  lose: (loss: Loss) => Promise<Response>,
  restrictions: string[] = [],
): (typeof takings)[number][1] {
  return async (stowage) => {
    const { admin } = stowage
    const change = (method: string, path: string, body?: object) =>
      admin.fetch(path, { method, ...(body ? { body: JSON.stringify(body) } : {}) })
    const paul = await stowage.user('paul')
    const by = (await paul.token(['write:package', ...restrictions])).as('tools')
    expect(await statuses(admin.post('/api/v1/orgs', { username: 'tools' }))).toEqual([201])
    const made = await admin.post('/api/v1/orgs/tools/teams', { name: 'publishers', permission: 'write' })
    const team = `/api/v1/teams/${((await made.json()) as { id: number }).id}`
    expect(await statuses(change('PUT', `${team}/members/paul`))).toEqual([204])
    const leave = (path: string) => paul.fetch(path, { method: 'DELETE' })
    return { by, take: () => lose({ change, leave, team }), later: 403 }
  }
}

described.each(takings)('while an upload commits, %s', (_, prepare) => {
  async function race(choreography: Choreography) {
    await using stowage = await start(choreography)
    const { by, take, later } = await prepare(stowage)
    const checked = choreography.stopAfter(/^insert into "files"/)
    const put = by.put({}, body)
    await checked.arrived
    let isTaken = false
    const taken = take().then((answer) => {
      isTaken = true
      return answer
    })
    await until(async () => isTaken || (await someoneWaits(stowage)), 'the change waits, or has been answered')
    const answeredBeforeTheUpload = isTaken
    checked.goOn()
    const [uploaded, changed = 0] = await statuses(put, taken)
    expect({ uploaded, isChanged: changed < 300 }).toEqual({ uploaded: 201, isChanged: true })
    expect(await statuses(by.put({ file: 'later' }, body))).toEqual([later])
    return answeredBeforeTheUpload
  }

  test('which is answered only when the upload has ended', async () => {
    expect(await race(new Choreography())).toBe(false)
  })

  test('which would be answered before without the locks', async () => {
    const choreography = new Choreography()
    choreography.rewrite(withoutNamedLocks)
    expect(await race(choreography)).toBe(true)
  })
})

described('while an invitation is accepted, its maker loses his rights', () => {
  async function race(choreography: Choreography) {
    await using stowage = await start(choreography)
    const { code } = await makeLink(await secondAdministrator(stowage, 'grace'), '/admin/invitations')
    const added = choreography.stopAfter(/^insert into "users"/)
    const accepted = sendTo(stowage, 'invitation', { code, username: 'ada', password: 'ada-Pass-1234' })
    await added.arrived
    let isTaken = false
    const taken = administer(stowage.admin, 'PATCH', 'grace', { admin: false }).then((answer) => {
      isTaken = true
      return answer
    })
    await until(async () => isTaken || (await someoneWaits(stowage)), 'the change waits, or has been answered')
    const answeredBefore = isTaken
    added.goOn()
    expect(await statuses(accepted, taken)).toEqual([201, 200])
    return answeredBefore
  }

  test('which is answered only when the account is there', async () => {
    expect(await race(new Choreography())).toBe(false)
  })

  test('which would be answered before without the locks', async () => {
    const choreography = new Choreography()
    choreography.rewrite(withoutNamedLocks)
    expect(await race(choreography)).toBe(true)
  })
})

described('two administrators who delete tokens of each other', () => {
  test('come one after the other, and neither has to start again', async () => {
    const choreography = new Choreography()
    await using stowage = await start(choreography)
    const { admin } = stowage
    const grace = await stowage.user('grace')
    await stowage.change("update users set is_admin = 1 where id = (select id from owners where name = 'grace')")
    await admin.token(['all'], { name: 'ci' })
    await grace.token(['all'], { name: 'ci' })
    const locked = choreography.stopAfter(/^select pg_advisory_xact_lock/)
    const one = admin.fetch('/api/v1/users/grace/tokens/ci', { method: 'DELETE' })
    await locked.arrived
    const other = grace.fetch('/api/v1/users/admin/tokens/ci', { method: 'DELETE' })
    await until(() => someoneWaits(stowage), 'the second waits for the first')
    locked.goOn()
    expect(await statuses(one, other)).toEqual([204, 204])
    expect(choreography.undone).toBe(0)
  })
})

const administer = (client: Client, method: string, path: string, body?: unknown) =>
  client.fetch(`/api/v1/admin/users/${path}`, { method, body: body === undefined ? null : JSON.stringify(body) })

async function administratorCount(stowage: TestStowage): Promise<number> {
  return (await stowage.change('select id from users where is_admin = 1')).length
}

async function secondAdministrator(stowage: TestStowage, name: string): Promise<Client> {
  const client = await stowage.user(name)
  expect((await administer(stowage.admin, 'PATCH', name, { admin: true })).status).toBe(200)
  return client
}

described('two administrators at once', () => {
  /** `other` comes while `one` has changed something and has not ended. */
  async function race(choreography: Choreography, names: [string, string]) {
    await using stowage = await start(choreography)
    const grace = await secondAdministrator(stowage, 'grace')
    const first = choreography.stopAfter(/^update "users"/)
    const second = choreography.stopAfter(/^update "users"/)
    const one = administer(stowage.admin, 'PATCH', names[0], { admin: false })
    await first.arrived
    const other = administer(grace, 'PATCH', names[1], { admin: false })
    await until(async () => second.hasArrived() || (await someoneWaits(stowage)), 'the second waits, or is there too')
    first.goOn()
    second.goOn()
    return { answers: await statuses(one, other), left: await administratorCount(stowage) }
  }

  test('who both give it up: one of them stays', async () => {
    expect(await race(new Choreography(), ['admin', 'grace'])).toEqual({ answers: [200, 422], left: 1 })
  })

  test('who take it from each other: the second has no right to any more', async () => {
    expect(await race(new Choreography(), ['grace', 'admin'])).toEqual({ answers: [200, 403], left: 1 })
  })

  test.each([
    ['give it up', ['admin', 'grace']],
    ['take it from each other', ['grace', 'admin']],
  ] as [string, [string, string]][])('who both %s: none would be left without the lock', async (_, names) => {
    const choreography = new Choreography()
    choreography.rewrite(withoutNamedLocks)
    expect(await race(choreography, names)).toEqual({ answers: [200, 200], left: 0 })
  })
})

described('a name is taken while its owner gives it up', () => {
  async function race(choreography: Choreography) {
    await using stowage = await start(choreography)
    await stowage.user('ada')
    const given = choreography.stopAfter(/^update "owners"/)
    const renamed = administer(stowage.admin, 'POST', 'ada/rename', { new_username: 'ada2' })
    await given.arrived
    const created = administer(stowage.admin, 'POST', '', { username: 'ada', password: 'other-Pass-1' })
    await until(() => someoneWaits(stowage), 'the second waits for the first')
    given.goOn()
    return await statuses(renamed, created)
  }

  test('it is kept for whoever had it', async () => {
    expect(await race(new Choreography())).toEqual([204, 422])
  })
})

described('the two owners of an organisation are deleted at once', () => {
  async function race(choreography: Choreography) {
    await using stowage = await start(choreography)
    await Promise.all([stowage.user('olga'), stowage.user('otto')])
    const founded = await stowage.admin.post('/api/v1/admin/users/olga/orgs', { username: 'acme' })
    expect(founded.status).toBe(201)
    const [team] = (await (await stowage.admin.fetch('/api/v1/orgs/acme/teams')).json()) as { id: number }[]
    expect(await statuses(stowage.admin.fetch(`/api/v1/teams/${team?.id}/members/otto`, { method: 'PUT' }))).toEqual([
      204,
    ])
    const first = choreography.stopAfter(/^delete from "owners"/)
    const second = choreography.stopAfter(/^delete from "owners"/)
    const one = administer(stowage.admin, 'DELETE', 'olga')
    await first.arrived
    const other = administer(stowage.admin, 'DELETE', 'otto')
    await until(async () => second.hasArrived() || (await someoneWaits(stowage)), 'the second waits, or is there too')
    first.goOn()
    second.goOn()
    return await statuses(one, other)
  }

  test('one of them stays', async () => {
    expect(await race(new Choreography())).toEqual([204, 422])
  })

  test('it would have none without the lock', async () => {
    const choreography = new Choreography()
    choreography.rewrite(withoutNamedLocks)
    expect(await race(choreography)).toEqual([204, 204])
  })
})

described('a version is published while its owner is deleted with all that he owns', () => {
  test('nothing is left, whoever comes first', async () => {
    const choreography = new Choreography()
    await using stowage = await start(choreography)
    const ada = await stowage.user('ada')
    expect(await statuses(ada.put({ version: 'old' }, same))).toEqual([201])
    const published = choreography.stopAfter(/^insert into "files"/)
    const put = ada.put({ version: 'new' }, 'other')
    await published.arrived
    const undone = choreography.undone
    const deleted = administer(stowage.admin, 'DELETE', 'ada?purge=true')
    await until(() => someoneWaits(stowage), 'the delete waits for the publish')
    published.goOn()
    expect(await statuses(put, deleted)).toEqual([201, 204])
    expect(choreography.undone).toBe(undone)
    const gone = choreography.stopAfter(/^delete from "owners"/)
    const eve = await stowage.user('eve')
    const removed = administer(stowage.admin, 'DELETE', 'eve')
    await gone.arrived
    const late = eve.put({}, body)
    await until(() => someoneWaits(stowage), 'the publish waits for the delete')
    gone.goOn()
    expect(await statuses(removed, late)).toEqual([204, 401])
    await stowage.stowage.sweep()
    expect(await rowCounts(read(stowage))).toMatchObject({ packages: 0, versions: 0, files: 0, blobs: 0 })
    expect((await blobFiles(stowage.dataDir)).size).toBe(0)
  })
})

described('the two members of a team of owners leave at the same time', () => {
  async function race(choreography: Choreography, leave: (team: string, name: string) => string) {
    await using stowage = await start(choreography)
    const [ada, eve] = [await stowage.user('ada'), await stowage.user('eve')]
    expect(await statuses(ada.post('/api/v1/orgs', { username: 'tools' }))).toEqual([201])
    const [owners] = await stowage.change('select id from teams')
    const team = `/api/v1/teams/${owners?.id}`
    expect(await statuses(ada.fetch(`${team}/members/eve`, { method: 'PUT' }))).toEqual([204])
    const first = choreography.stopAfter(/^delete from "team_members"/)
    const second = choreography.stopAfter(/^delete from "team_members"/)
    const one = ada.fetch(leave(team, 'ada'), { method: 'DELETE' })
    await first.arrived
    const other = eve.fetch(leave(team, 'eve'), { method: 'DELETE' })
    await until(async () => second.hasArrived() || (await someoneWaits(stowage)), 'the second waits, or is there too')
    first.goOn()
    second.goOn()
    const answers = await statuses(one, other)
    const [left] = await stowage.change('select count(*)::int as members from team_members')
    return { answers, members: left?.members, undone: choreography.undone }
  }

  const ways: [string, (team: string, name: string) => string][] = [
    ['the team', (team, name) => `${team}/members/${name}`],
    ['the organisation', (_, name) => `/api/v1/orgs/tools/members/${name}`],
  ]

  test.each(ways)('%s: one stays', async (_, leave) => {
    // The one who is refused is undone.
    expect(await race(new Choreography(), leave)).toEqual({ answers: [204, 422], members: 1, undone: 1 })
  })

  test.each(ways)('%s: without the locks nobody would own it', async (_, leave) => {
    const choreography = new Choreography()
    choreography.rewrite(withoutNamedLocks)
    expect(await race(choreography, leave)).toMatchObject({ answers: [204, 204], members: 0 })
  })
})

described('two people who say something of a package at once', () => {
  async function race(choreography: Choreography): Promise<unknown> {
    await using stowage = await start(choreography)
    expect(await statuses(stowage.admin.put({}, 'a'))).toEqual([201])
    const path = '/api/v1/packages/admin/generic/tool/-/metadata'
    const say = (said: object) => stowage.admin.fetch(path, { method: 'PATCH', body: JSON.stringify(said) })
    const first = choreography.stopAfter(/left join "package_texts"/)
    const second = choreography.stopAfter(/left join "package_texts"/)
    const one = say({ description: 'one' })
    await first.arrived
    const other = say({ readme: 'other' })
    await until(async () => second.hasArrived() || (await someoneWaits(stowage)), 'the second waits, or is there too')
    first.goOn()
    second.goOn()
    expect(await statuses(one, other)).toEqual([200, 200])
    const { description, readme } = (await (await stowage.admin.fetch(path)).json()) as Record<string, string>
    return [description, readme]
  }

  test('are both heard', async () => {
    expect(await race(new Choreography())).toEqual(['one', 'other'])
  })

  test('would talk over each other without the lock of the package', async () => {
    const choreography = new Choreography()
    choreography.rewrite(withoutNamedLocks)
    expect(await race(choreography)).not.toEqual(['one', 'other'])
  })
})
