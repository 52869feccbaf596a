import { Database } from 'bun:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { cp, readFile, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { Client as PostgresClient } from 'pg'
import type { S3Place } from '../../server/blobs/s3-client.ts'
import { tablesToCopy } from '../../server/catalogue/copy.ts'
import { openPostgres } from '../../server/catalogue/postgres.ts'
import { openSqlite } from '../../server/catalogue/sqlite.ts'
import { readSettings } from '../../server/config.ts'
import { type MoveEvent, moveToPostgres, undoMove } from '../../server/move.ts'
import { moveFiles } from '../../server/move-files.ts'
import { freshDatabase, onPostgres, onServer } from '../support/database.ts'
import { blobFiles } from '../support/inventory.ts'
import { freePort, sharedPostgres } from '../support/postgres.ts'
import { bestS3Server } from '../support/s3.ts'
import { seededBytes } from '../support/seeded.ts'
import { environmentWithoutOurs, temporaryFolder } from '../support/server-process.ts'
import { s3Settings } from '../support/store.ts'
import { basic, Client, startStowage, type TestStowage } from '../support/stowage.ts'
import { until } from '../support/until.ts'

/** Both databases are at work in each: once is enough. */
const described = onPostgres ? describe.skip : describe

const root = new URL('../..', import.meta.url).pathname

/** An empty database that is gone when the test is over. */
async function emptyDatabase(): Promise<AsyncDisposable & { url: string }> {
  const url = await freshDatabase()
  return { url, [Symbol.asyncDispose]: async () => (await sharedPostgres()).dropDatabase(url) }
}

/** On SQLite, whatever other tests run on. */
const startOnSqlite = (dataDir: string) => startStowage({ dataDir, settings: { STOWAGE_DATABASE_URL: '' } })
const startOn = (dataDir: string, url: string) => startStowage({ dataDir, settings: { STOWAGE_DATABASE_URL: url } })

function onSqlite(dataDir: string, sql: string): Record<string, unknown>[] {
  const database = new Database(join(dataDir, 'stowage.db'))
  try {
    database.run('pragma foreign_keys = on')
    return database.query<Record<string, unknown>, []>(sql).all()
  } finally {
    database.close()
  }
}

const undo = (dataDir: string, url: string) => undoMove({ dataDir }, { url })
const undoBlindly = (dataDir: string) => undoMove({ dataDir }, 'gone')
const move = (dataDir: string, url: string, tell?: (event: MoveEvent) => void) => moveToPostgres({ dataDir }, url, tell)

/** Begins a move and breaks it off at the first event that `isThere` says; what was sent until then is done. */
async function brokenOff(dataDir: string, url: string, isThere: (event: MoveEvent) => boolean): Promise<void> {
  const brokenHere = new Error('broken off here')
  const result = await move(dataDir, url, (event) => {
    if (isThere(event)) throw brokenHere
  }).catch((error) => error)
  if (result !== brokenHere) throw new Error('it was not broken off', { cause: result })
}

/** What it tells from beginning to end. */
async function eventsOf(dataDir: string, url: string): Promise<MoveEvent[]> {
  const events: MoveEvent[] = []
  expect(await move(dataDir, url, (event) => events.push(event))).toEqual({ kind: 'moved' })
  return events
}

const howOf = (events: MoveEvent[]) => events.flatMap((event) => (event.kind === 'begun' ? [event.how] : []))[0]

/** `count_changes` is empty between two transactions, and SQLite has no need of it. */
const isOnOneSide = (table: string) => table.startsWith('kysely_') || table === 'count_changes'

/** Of every table its rows, as both databases say them, by a way that has nothing to do with how they are compared. */
async function everything(side: { dataDir: string } | { url: string }): Promise<Record<string, string[]>> {
  const ask = (sql: string) => ('url' in side ? onServer(side.url, sql) : onSqlite(side.dataDir, sql))
  const tables =
    'url' in side
      ? await ask("select tablename as name from pg_tables where schemaname = 'public'")
      : // Without the index of names, which is made of what is copied.
        await ask(
          "select name from pragma_table_list where schema = 'main' and type = 'table' and name not like 'sqlite_%'",
        )
  const contents: Record<string, string[]> = {}
  for (const name of tables.map((row) => String(row.name)).filter((name) => !isOnOneSide(name))) {
    const rows = await ask(`select * from "${name}"`)
    // `pg` says bigints as text.
    const texts = rows.map((row) =>
      JSON.stringify(Object.entries(row).map(([column, value]) => [column, value === null ? null : String(value)])),
    )
    contents[name] = texts.filter((text) => !/"(storage-id|moving-from|moving-to|moved-at)"/.test(text)).sort()
  }
  return contents
}

interface Ended {
  exitCode: number | null
  output: string
  errors: string
}

const command = (args: string[], settings: Record<string, string>) =>
  Bun.spawn([process.execPath, 'cli/stowage.ts', ...args], {
    cwd: root,
    env: { ...environmentWithoutOurs(), ...settings },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })

async function stowage(args: string[], settings: Record<string, string>): Promise<Ended> {
  const child = command(args, settings)
  const [output, errors] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  return { exitCode: await child.exited, output, errors }
}

const rowsOfMany = 2_500

/** Rows of the tables that nothing above fills, as nobody would write them. */
const people = [
  `insert into owners (id, kind, name, name_key, visibility, created_at) values (900, 'organisation', 'Mill', 'mill', 'limited', 1)`,
  `insert into organisations (id, full_name, email, repo_admin_change_team_access) values (900, 'Müller & Söhne 🔑', null, 1)`,
  ...[901, 902].map(
    (id) => `insert into teams (id, organisation_id, name, name_key, description, permission, units_map, access,
      includes_all_repositories, can_create_org_repo)
      values (${id}, 900, 'Team ${id}', 'team ${id}', '…', 'write', '{"repo.packages":"write"}', 2, 1, 0)`,
  ),
  `insert into team_members (team_id, user_id, organisation_id) select 902, id, 900 from users order by id desc`,
  `insert into team_members (team_id, user_id, organisation_id) select 901, min(id), 900 from users`,
  `insert into former_names (name_key, name, owner_id, created_at) values ('moulin', 'Moulin', 900, 2), ('gone', 'Gone', null, 3)`,
  `insert into tokens (user_id, name, sha256, last_eight, scopes, created_at, parent_id)
    select user_id, 'child', 'a sha256', 'abcdefgh', scopes, 5, id from tokens where id = (select min(id) from tokens)`,
  `update users set totp_secret = 'v1.sealed', totp_last_step = 59000000 where id = (select max(id) from users)`,
  `insert into totp_enrolments (user_id, secret, created_at) select max(id), 'v1.begun', 4 from users`,
  `insert into recovery_codes (user_id, sha256) select id, 'ff' from users union all select id, '0a' from users`,
  `insert into sessions (user_id, sha256, created_at, last_used_at, expires_at, address, agent)
    select id, 'of ' || id, 1, 2, 3, '::1', 'Browser (漢字)' from users`,
  `insert into links (kind, sha256, user_id, team_id, email, full_name, created_by, created_at, expires_at,
    nonce, mailed)
    select 'invitation', 'a link', null, 902, 'c@example.com', 'Cy', min(id), 1, 2, 'a nonce', 1 from users`,
  `insert into quotas (owner_id, versions, bytes, file_size) select id, 9000000000000, null, -1 from owners`,
  `insert into reservations (upload_id, lease_id, owner_id, package_key, version_key, bytes, created_at)
    values ('an upload', 'a dead lease', 900, 'tool 漢字', '1', 9000000000000, 1)`,
  `insert into package_texts (package_id, description, readme, homepage, repository_url, labels, updated_at)
    select id, 'Łovely 🔑', '# "\\u0000" \\ 漢字', 'https://example.com/?a=1&b=ß', '', '["a","ß"]', 9 from packages`,
  `insert into package_downloads (package_id, day, downloads) select id, 20000, 3 from packages`,
  `insert into version_downloads (version_id, day, downloads) select id, 20000, 2 from versions
    union all select id, 19999, 9000000000000 from versions`,
  `insert into file_downloads (file_id, day, downloads) select id, 20000, 1 from files`,
  `insert into webhooks (owner_id, type, url, seal_id, secret, authorization_header, events, is_active, created_at, updated_at)
    select id, 'stowage', 'https://example.com/ß?q=🔑', 'seal ' || id, 'v1.sealed', null, 'package,file_added', 1, 1, 2 from owners
    union all select null, 'gitea', 'https://example.com', 'seal', null, 'v1.sealed', 'package', 0, 1, 2`,
  `insert into deliveries (webhook_id, uuid, action, change, state, attempts, created_at, attempted_at, duration, request_origin,
      request_headers, request_body, response_status, response_headers, response_body, error)
    select id, 'delivered ' || id, 'created', '{"漢字":"🔑"}', 'delivered', 2, 1, 2, 3, 'https://example.com',
      '{}', '{"a":"\\u0000"}', 200, '{"a":"b"}', '<p>ß \\ "' || char(10), null from webhooks
    union all select id, 'waits ' || id, 'deleted', '{}', 'waiting', 0, 1, null, null, null, null, null, null, null, null, null
      from webhooks`,
  // Nobody's who signs in with a password here.
  `insert into identities (user_id, issuer, subject, label, seal_id, refresh_token, checked_at, lapsed_at, created_at)
    select max(id), 'https://id.example.com', 'ß 🔑', 'Łukasz', 'a seal', 'v1.sealed', 9000000000000, null, 2 from users`,
  `insert into passkeys (user_id, credential_id, public_key, user_handle, sign_count, transports, is_backed_up, name, created_at)
    select max(id), 'a-credential', 'cose', 'a-handle', 4294967295, 'usb,nfc', 1, 'Schlüssel 🔑', 2 from users`,
  `insert into used_once (kind, sha256, expires_at) values ('jti', 'ff', 9000000000000)`,
  `insert into publishers (id, owner_id, name, issuer, pinned, claims, packages, created_by, created_at)
    select 910, 900, 'müller/tool', 'https://ci.example.com', '74', '{"sub":"ß"}', '[]', max(id), 2 from users`,
  `insert into deploy_tokens (id, owner_id, name, sha256, last_eight, scopes, packages, created_at, publisher_id, claims)
    values (911, 900, 'ci 🔑', 'fe', '01234567', 'write:package', null, 2, null, null),
      (912, 900, '', 'fd', '01234567', 'write:package', '[{"ownerId":900,"name":"tool-*"}]', 2, 910, '{"issuer":"x","claims":{}}')`,
  `insert into package_grants (owner_id, package_id, user_id, team_id, deploy_token_id, access, created_at)
    select owner_id, id, null, 902, null, 2, 3 from packages
    union all select owner_id, id, null, null, 911, 1, 3 from packages`,
  `insert into file_origins (file_id, issuer, claims) select id, 'https://ci.example.com', '{"ref":"ß"}' from files`,
]

/** An installation with something of everything,/** An installation with something of everything, made once over HTTP, and copied for each test. */
interface Installation {
  path: string
  tokenOfAda: string
  files: Map<string, Uint8Array>
}

let made: (Installation & AsyncDisposable) | undefined

beforeAll(async () => {
  if (onPostgres) return
  const folder = await temporaryFolder()
  await using server = await startOnSqlite(folder.path)
  const ada = await server.user('Ada', { full_name: 'Ada Łovelace 漢字 🔑 "\\u0000"', visibility: 'private' })
  await server.user('bo', { restricted: true, must_change_password: true, email: 'BÖ@example.com' })
  const { secret } = await ada.token(['write:package'], { name: 'ci 🔑', expires_at: '2099-01-01T00:00:00Z' })
  await server.admin.token(['all'])
  const files = new Map<string, Uint8Array>()
  for (const [index, version] of ['1.0', '1.0-ß漢字🔑', 'Ａ', '2.0 rc'].entries()) {
    for (const file of ['tool.bin', 'notes.txt', 'tool (copy).bin']) {
      const bytes = seededBytes(1_000 + index, index)
      const address = { package: 'Tool', version, file }
      const response = await ada.with({ Authorization: `token ${secret}` }).put(address, bytes)
      if (response.status !== 201) throw new Error(await response.text())
      files.set(ada.path(address), bytes)
    }
  }
  await ada.put({ package: 'gone', file: 'a' }, 'deleted a moment ago')
  await ada.put({ package: 'gone', file: 'b' }, 'deleted, too')
  await ada.deleteVersion({ package: 'gone' })
  await server.stop()

  const digest = (index: number) => new Bun.CryptoHasher('sha256').update(String(index)).digest('hex')
  const database = new Database(join(folder.path, 'stowage.db'))
  database.transaction(() => {
    database.run(`insert into holds (reason, created_at) values ('a backup — läuft', 1)`)
    database.run(`insert into leases (id, kind, holder, expires_at) values ('alive', 'process', 'here', 9999999999999)`)
    database.run(`insert into jobs (kind, subject, due_at, attempts, last_error, created_at, asks, given_up_at)
      values ('digests', '4711', 5, 36, 'Error: "kaputt" \\u0000 …', 4, 2, 6)`)
    database.run(`insert into jobs (kind, subject, due_at, created_at, claimed_by)
      values ('digests', '4712', 5, 4, 'alive')`)
    for (const statement of people) database.run(statement)
    const version = (database.query('select min(id) as id from versions').get() as { id: number }).id
    for (let index = 0; index < rowsOfMany; index += 1) {
      const { id } = database
        .query(`insert into blobs (scope, sha256, size, location, state, created_at)
          values ('many', ?, ?, ?, 'live', 7) returning id`)
        .get(digest(index), index, `many/${index}`) as { id: number }
      database.run(
        `insert into files (version_id, name, name_key, blob_id, upload_id, created_at) values (?, ?, ?, ?, ?, 8)`,
        [version, `many-${index}`, `many-${index}`, id, `many-${index}`],
      )
      database.run('insert into doomed (location, since) values (?, ?)', [`${digest(index)}/🔑`, index])
    }
  })()
  database.close()
  made = Object.assign(folder, { tokenOfAda: secret, files })
})

afterAll(async () => made?.[Symbol.asyncDispose]())

/** A copy of the installation, stopped. */
async function installation(): Promise<Installation & AsyncDisposable> {
  if (!made) throw new Error('the installation was not made')
  const folder = await temporaryFolder()
  await cp(made.path, folder.path, { recursive: true })
  return Object.assign(folder, { tokenOfAda: made.tokenOfAda, files: made.files })
}

async function mustServe(server: TestStowage, { tokenOfAda, files }: Installation): Promise<void> {
  const byToken = new Client(server.url, 'Ada', { Authorization: `token ${tokenOfAda}` })
  const byPassword = new Client(server.url, 'Ada', { Authorization: basic('ada', 'Ada-Pass-1234') })
  for (const [path, bytes] of files) {
    for (const client of [byToken, byPassword]) {
      const response = await client.fetch(path)
      expect(response.status).toBe(200)
      expect(Buffer.compare(await response.bytes(), bytes)).toBe(0)
    }
  }
}

const sentenceOf = (attempt: Promise<unknown>): Promise<string> =>
  attempt.then(
    () => 'it worked',
    (error) => (error instanceof Error ? error.message : String(error)),
  )

const serverIsRefused = async (start: Promise<TestStowage>): Promise<string> => {
  const server = await start.catch((error: Error) => error)
  if (server instanceof Error) return server.message
  await server[Symbol.asyncDispose]()
  return 'it started'
}

described('a move', () => {
  test('takes everything along, and everything goes on', async () => {
    await using from = await installation()
    await using to = await emptyDatabase()
    const events = await eventsOf(from.path, to.url)
    expect(howOf(events)).toBe('from the beginning')
    const compared = events.flatMap((event) => (event.kind === 'compared' ? [event] : []))
    for (const { comparison } of compared) {
      expect(comparison.differsAt).toBeUndefined()
      expect(comparison.source).toEqual(comparison.target)
    }
    expect(compared.find(({ table }) => table === 'files')?.comparison.source.rows).toBe(rowsOfMany + from.files.size)

    const copy = await everything(to)
    expect(copy).toEqual(await everything({ dataDir: from.path }))
    expect(Object.keys(copy).filter((table) => copy[table]?.length === 0)).toEqual([])
    expect(copy.leases?.every((row) => !row.includes('["dead_since",null]'))).toBe(true)
    expect(copy.jobs?.every((row) => row.includes('["claimed_by",null]'))).toBe(true)
    expect(copy.doomed?.length).toBe(rowsOfMany + 2)

    const bytesBefore = await blobFiles(from.path)
    await using server = await startOn(from.path, to.url)
    await mustServe(server, from)
    const ada = new Client(server.url, 'Ada', { Authorization: basic('ada', 'Ada-Pass-1234') })
    expect((await ada.put({ package: 'Tool', version: '1.0', file: 'new' }, 'new')).status).toBe(201)
    expect((await ada.put({ package: 'Tool', version: '1.0', file: 'tool.bin' }, 'again')).status).toBe(409)
    expect((await ada.put({ package: 'other', version: '3.0' }, 'new, too')).status).toBe(201)
    expect(await (await ada.get({ package: 'other', version: '3.0' })).text()).toBe('new, too')
    expect((await ada.delete({ package: 'Tool', version: '1.0', file: 'notes.txt' })).status).toBe(204)
    expect((await ada.token(['write:package'])).secret).toHaveLength(40)
    expect((await server.user('cy')).name).toBe('cy')
    const bytesAfter = await blobFiles(from.path)
    expect([...bytesBefore.keys()].filter((path) => !bytesAfter.has(path))).toEqual([])
  })

  test('takes an installation along whose files are in a bucket, there and back', async () => {
    await using from = await installation()
    await using to = await emptyDatabase()
    await using s3 = await bestS3Server().start()
    const settings = readSettings({ STOWAGE_DATA_DIR: from.path, ...s3Settings(s3.place()) })
    const bucket = s3Settings(settings.s3 as S3Place)
    // These were never on the disk.
    onSqlite(from.path, `delete from files where name like 'many-%'`)
    onSqlite(from.path, `delete from blobs where scope = 'many'`)
    onSqlite(from.path, `delete from doomed where location like '%🔑'`)
    const files = await moveFiles({ ...settings, s3: settings.s3 as S3Place })
    expect(files).toMatchObject({ kind: 'moved' })
    expect(await sentenceOf(move(from.path, to.url))).toMatch(
      /moved to an S3 bucket at .* the blob folder is not that one/,
    )
    expect(await moveToPostgres(settings, to.url)).toEqual({ kind: 'moved' })

    const onSqliteAgain = () => startStowage({ dataDir: from.path, settings: { STOWAGE_DATABASE_URL: '', ...bucket } })
    expect(await serverIsRefused(onSqliteAgain())).toContain('was moved to PostgreSQL')
    expect(await serverIsRefused(startOn(from.path, to.url))).toContain('were moved to an S3 bucket')
    {
      await using server = await startStowage({
        dataDir: from.path,
        settings: { STOWAGE_DATABASE_URL: to.url, ...bucket },
      })
      await mustServe(server, from)
      await server.stop()
    }
    await undoMove(settings, { url: to.url })
    await using server = await onSqliteAgain()
    await mustServe(server, from)
  })

  test('an id that was given away is not given away again', async () => {
    await using from = await installation()
    await using to = await emptyDatabase()
    const [last] = onSqlite(from.path, 'select max(id) as id from packages')
    onSqlite(from.path, `insert into packages (id, owner_id, name, name_key, created_at) values (9000, 1, 'x', 'x', 1)`)
    onSqlite(from.path, 'delete from packages where id = 9000')
    expect(Number(last?.id)).toBeLessThan(9000)
    await move(from.path, to.url)
    await using server = await startOn(from.path, to.url)
    expect((await server.admin.put({ package: 'next' }, 'x')).status).toBe(201)
    expect(await onServer(to.url, `select id from packages where name = 'next'`)).toEqual([{ id: '9001' }])
  })

  test('what triggers count is what it was, and goes on being counted', async () => {
    await using from = await installation()
    await using to = await emptyDatabase()
    await move(from.path, to.url)
    const counted =
      'select sum(versions)::int as versions, sum(files)::int as files, sum(bytes)::int as bytes from owner_counts'
    const [before] = await onServer(to.url, counted)
    const there = `select (select count(*) from versions) as versions, count(*) as files, sum(size) as bytes
      from files join blobs on blobs.id = blob_id`
    expect(before).toEqual(onSqlite(from.path, there)[0])
    await using server = await startOn(from.path, to.url)
    expect((await server.admin.put({ package: 'next' }, 'xyz')).status).toBe(201)
    const [versions, files, bytes] = [
      Number(before?.versions) + 1,
      Number(before?.files) + 1,
      Number(before?.bytes) + 3,
    ]
    expect(await onServer(to.url, counted)).toEqual([{ versions, files, bytes }])
    expect(await onServer(to.url, 'select * from count_changes')).toEqual([])
    const found = await server.admin.fetch('/api/v1/search/packages?q=nex')
    expect(await found.json()).toMatchObject([{ name: 'next' }])
    await expect(onServer(to.url, "update audit_events set action = 'x'")).rejects.toThrow('append only')
    const off = await onServer(to.url, "select tgname from pg_trigger where not tgisinternal and tgenabled <> 'O'")
    expect(off).toEqual([])
  })

  test('knows every table of the schema on both sides', async () => {
    await using from = await installation()
    await using to = await emptyDatabase()
    const [source, target] = [openSqlite(join(from.path, 'stowage.db')), openPostgres({ url: to.url, connections: 2 })]
    try {
      const names = (await tablesToCopy(source.read, target.read)).map(({ name }) => name)
      const tables = await onServer(to.url, "select tablename from pg_tables where schemaname = 'public'")
      const theirs = tables.map(({ tablename }) => String(tablename)).filter((name) => !isOnOneSide(name))
      expect([...names, 'site'].sort()).toEqual(theirs.sort())
      for (const [child, parent] of [
        ['users', 'owners'],
        ['tokens', 'users'],
        ['versions', 'packages'],
        ['files', 'versions'],
        ['files', 'blobs'],
      ] as const) {
        expect(names.indexOf(child)).toBeGreaterThan(names.indexOf(parent))
      }
    } finally {
      await Promise.all([source.close(), target.close()])
    }
  })
})

described('broken off', () => {
  const copying = (table: string, atLeast: number) => (event: MoveEvent) =>
    event.kind === 'copied' && event.table === table && event.rows >= atLeast

  const whileCopying: [string, (event: MoveEvent) => boolean][] = [
    ['before the first row', (event) => event.kind === 'begun'],
    ['after the first batch', copying('blobs', 1_000)],
    ['within a table by text keys', copying('doomed', 1_000)],
    ['while comparing', (event) => event.kind === 'compared' && event.table === 'files'],
  ]
  test.each(whileCopying)('%s, nothing starts on the copy, and it goes on from there', async (place, isThere) => {
    await using from = await installation()
    await using to = await emptyDatabase()
    await brokenOff(from.path, to.url, isThere)
    const wasMarked = place !== 'before the first row'
    if (wasMarked) {
      expect(await serverIsRefused(startOn(from.path, to.url))).toContain('Run stowage migrate again')
    }
    const [had] = await onServer(to.url, 'select count(*)::int as rows from blobs')
    const events = await eventsOf(from.path, to.url)
    expect(howOf(events)).toBe(wasMarked ? 'resumed' : 'from the beginning')
    const first = events.find((event) => event.kind === 'copied' && event.table === 'blobs')
    expect(first).toMatchObject({ rows: Number(had?.rows) })
    expect(await everything(to)).toEqual(await everything({ dataDir: from.path }))
    await using server = await startOn(from.path, to.url)
    await mustServe(server, from)
  })

  test('again and again, after every batch', async () => {
    await using from = await installation()
    await using to = await emptyDatabase()
    let breaks = 0
    for (let isDone = false; !isDone; ) {
      let batches = 0
      await move(from.path, to.url, (event) => {
        if (event.kind === 'copied') batches = event.rows > 0 && event.rows % 1_000 === 0 ? batches + 1 : batches
        if (batches === 2) throw new Error('broken off')
      }).then(
        () => {
          isDone = true
        },
        (error) => {
          expect(error.message).toBe('broken off')
          breaks += 1
        },
      )
      if (breaks > 100) throw new Error('it does not get on')
    }
    expect(breaks).toBeGreaterThan(3)
    expect(await everything(to)).toEqual(await everything({ dataDir: from.path }))
  })

  test.each(['source marked', 'blobs handed over'] as const)(
    'at the very end (%s), neither starts, and the same command completes it',
    async (kind) => {
      await using from = await installation()
      await using to = await emptyDatabase()
      await brokenOff(from.path, to.url, (event) => event.kind === kind)
      expect(await serverIsRefused(startOnSqlite(from.path))).toContain('was moved to PostgreSQL')
      expect(await serverIsRefused(startOn(from.path, to.url))).toContain('Run stowage migrate again')
      expect(howOf(await eventsOf(from.path, to.url))).toBe('resumed')
      await using server = await startOn(from.path, to.url)
      await mustServe(server, from)
    },
  )

  test.each(['source marked', 'blobs handed over'] as const)(
    'at the very end (%s), it can be undone, and begun once more',
    async (kind) => {
      await using from = await installation()
      await using to = await emptyDatabase()
      await brokenOff(from.path, to.url, (event) => event.kind === kind)
      await undo(from.path, to.url)
      expect(await serverIsRefused(startOn(from.path, to.url))).toContain('Run stowage migrate again')
      {
        await using server = await startOnSqlite(from.path)
        await mustServe(server, from)
      }
      expect(howOf(await eventsOf(from.path, to.url))).toBe('anew')
      await using server = await startOn(from.path, to.url)
      await mustServe(server, from)
    },
  )

  test('SQLite may be used meanwhile: then it is copied anew', async () => {
    await using from = await installation()
    await using to = await emptyDatabase()
    await brokenOff(from.path, to.url, copying('files', 1_000))
    {
      await using server = await startOnSqlite(from.path)
      await mustServe(server, from)
      const ada = new Client(server.url, 'Ada', { Authorization: basic('ada', 'Ada-Pass-1234') })
      expect((await ada.delete({ package: 'Tool', version: '2.0 rc', file: 'notes.txt' })).status).toBe(204)
      expect((await ada.put({ package: 'Tool', version: '2.0 rc', file: 'later' }, 'later')).status).toBe(201)
    }
    expect(howOf(await eventsOf(from.path, to.url))).toBe('anew')
    expect(await everything(to)).toEqual(await everything({ dataDir: from.path }))
    await using server = await startOn(from.path, to.url)
    const ada = new Client(server.url, 'Ada', { Authorization: basic('ada', 'Ada-Pass-1234') })
    expect((await ada.get({ package: 'Tool', version: '2.0 rc', file: 'notes.txt' })).status).toBe(404)
    expect(await (await ada.get({ package: 'Tool', version: '2.0 rc', file: 'later' })).text()).toBe('later')
  })

  test('so does a command that may change something', async () => {
    await using from = await installation()
    await using to = await emptyDatabase()
    await brokenOff(from.path, to.url, (event) => event.kind === 'comparing')
    expect((await stowage(['reset-admin'], { STOWAGE_DATA_DIR: from.path })).exitCode).toBe(0)
    expect(howOf(await eventsOf(from.path, to.url))).toBe('anew')
    expect(await everything(to)).toEqual(await everything({ dataDir: from.path }))
  })

  test('the process is killed in the middle of a table', async () => {
    await using from = await installation()
    await using to = await emptyDatabase()
    const settings = { STOWAGE_DATA_DIR: from.path, STOWAGE_DATABASE_URL: to.url }
    const lock = new PostgresClient({ connectionString: to.url })
    await lock.connect()
    try {
      const child = command(['migrate'], settings)
      const some = async () => (await onServer(to.url, 'select 1 from blobs limit 1')).length > 0
      await until(async () => child.exitCode !== null || (await some()), 'the first batch is there')
      // From here on it waits for this lock.
      await lock.query('begin; lock table files in share mode')
      const [{ rows } = {}] = await onServer(to.url, 'select count(*)::int as rows from files')
      expect(Number(rows)).toBeLessThan(rowsOfMany)
      const waits = `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
      await until(async () => (await onServer(to.url, waits)).length > 0, 'it waits in the middle of the copy')
      child.kill('SIGKILL')
      await child.exited
    } finally {
      await lock.end()
    }
    expect(await serverIsRefused(startOn(from.path, to.url))).toContain('Run stowage migrate again')
    expect((await stowage(['reset-admin'], settings)).errors).toContain('not complete')
    const { exitCode, output, errors } = await stowage(['migrate'], settings)
    expect({ exitCode, errors }).toEqual({ exitCode: 0, errors: '' })
    expect(output).toContain('going on where it stopped')
    expect(output).toMatch(/files +2,512 {2}[0-9a-f]{64}\n/)
    expect(output).not.toContain('\r')
    expect(await everything(to)).toEqual(await everything({ dataDir: from.path }))
    await using server = await startOn(from.path, to.url)
    await mustServe(server, from)
  })
})

described('the comparison finds', () => {
  const tampered: [what: string, table: string, sql: string][] = [
    ['a value', 'files', `update files set name = name || 'x' where id = (select max(id) - 70 from files)`],
    ['one null', 'users', 'update users set email = null where id = 2'],
    ['a row too few', 'doomed', `delete from doomed where since = 1234 and location like '%🔑'`],
    ['a row too many', 'holds', `insert into holds (id, reason, created_at) values (99, 'no backup', 1)`],
    ['a fact of the site', 'site', `update site set value = '0.0.1' where key = 'oldest-release'`],
  ]
  test.each(tampered)('%s in %s: nothing is moved, and it is copied anew', async (_, table, sql) => {
    await using from = await installation()
    await using to = await emptyDatabase()
    await brokenOff(from.path, to.url, (event) => event.kind === 'compared')
    await onServer(to.url, sql)
    expect(await sentenceOf(move(from.path, to.url))).toContain(`not the same as the original in ${table}`)
    expect(await serverIsRefused(startOn(from.path, to.url))).toContain('Run stowage migrate again')
    expect(howOf(await eventsOf(from.path, to.url))).toBe('anew')
    expect(await everything(to)).toEqual(await everything({ dataDir: from.path }))
  })

  test('a difference even when the original was marked already: it is in use again', async () => {
    await using from = await installation()
    await using to = await emptyDatabase()
    await brokenOff(from.path, to.url, (event) => event.kind === 'blobs handed over')
    await onServer(to.url, `update packages set name = 'x' where id = 1`)
    const { exitCode, output, errors } = await stowage(['migrate'], {
      STOWAGE_DATA_DIR: from.path,
      STOWAGE_DATABASE_URL: to.url,
    })
    expect(exitCode).toBe(1)
    expect(errors).toContain('packages (from id 1)')
    expect(output).toContain('DIFFERENT')
    expect(await serverIsRefused(startOn(from.path, to.url))).toContain('Run stowage migrate again')
    await using server = await startOnSqlite(from.path)
    await mustServe(server, from)
  })
})

described('nothing is migrated', () => {
  const dropLast = 'delete from kysely_migration where name = (select max(name) from kysely_migration)'

  test('by a server that may not use the database', async () => {
    await using from = await installation()
    await using to = await emptyDatabase()
    await brokenOff(from.path, to.url, (event) => event.kind === 'source marked')
    onSqlite(from.path, dropLast)
    await onServer(to.url, dropLast)
    expect(await serverIsRefused(startOnSqlite(from.path))).toContain('was moved to PostgreSQL')
    expect(await serverIsRefused(startOn(from.path, to.url))).toContain('Run stowage migrate again')
  })

  test('while it is copied, or the copy is not released', async () => {
    await using from = await installation()
    await using to = await emptyDatabase()
    const newer = `insert into kysely_migration (name, timestamp) values ('9999-newer', 'now')`
    let isThere: Promise<unknown> | undefined
    const late = move(from.path, to.url, (event) => {
      if (event.kind === 'comparing') isThere = onServer(to.url, newer)
    })
    expect(await sentenceOf(late)).toContain('was changed by a newer release')
    await isThere
    expect(await serverIsRefused(startOn(from.path, to.url))).toContain('Run stowage migrate again')
  })
})

described('refused', () => {
  test('while a server runs', async () => {
    await using from = await installation()
    await using to = await emptyDatabase()
    await using server = await startOnSqlite(from.path)
    expect(await sentenceOf(move(from.path, to.url))).toContain('A Stowage server is using')
    expect(await sentenceOf(undo(from.path, to.url))).toContain('A Stowage server is using')
    await mustServe(server, from)
    expect(await onServer(to.url, 'select key from site')).toEqual([{ key: 'oldest-release' }])
  })

  test('a database that somebody else has, which stays as it is', async () => {
    await using from = await installation()
    await using other = await temporaryFolder()
    await using to = await emptyDatabase()
    {
      await using server = await startOn(other.path, to.url)
      expect((await server.admin.put({}, 'theirs')).status).toBe(201)
    }
    const before = await everything(to)
    expect(await sentenceOf(move(from.path, to.url))).toContain('holds a Stowage installation already')
    expect(await everything(to)).toEqual(before)
    await using server = await startOnSqlite(from.path)
    await mustServe(server, from)
  })

  test('a database on which a server was only started', async () => {
    await using from = await installation()
    await using to = await emptyDatabase()
    await onServer(to.url, `insert into leases (id, kind, expires_at) values ('a', 'process', 1)`)
    expect(await sentenceOf(move(from.path, to.url))).toContain('holds a Stowage installation already')
  })

  test('a database with tables of another program', async () => {
    await using from = await installation()
    await using to = await emptyDatabase()
    await onServer(to.url, 'drop schema public cascade; create schema public; create table users (id int)')
    expect(await sentenceOf(move(from.path, to.url))).toContain('holds something else')
    expect(await onServer(to.url, "select tablename from pg_tables where schemaname = 'public'")).toHaveLength(1)
  })

  test('the copy of another installation', async () => {
    await using from = await installation()
    await using other = await temporaryFolder()
    await using to = await emptyDatabase()
    await (await startOnSqlite(other.path)).stop()
    await brokenOff(from.path, to.url, (event) => event.kind === 'comparing')
    const before = await everything(to)
    expect(await sentenceOf(move(other.path, to.url))).toContain('copy of another installation')
    expect(await everything(to)).toEqual(before)
  })

  test('another blob folder than its own', async () => {
    await using from = await installation()
    await using to = await emptyDatabase()
    await Bun.write(join(from.path, 'blobs', 'storage-id'), 'another\n')
    expect(await sentenceOf(move(from.path, to.url))).toContain('blob folder')
    expect(await onServer(to.url, 'select key from site')).toEqual([{ key: 'oldest-release' }])
  })

  test('what PostgreSQL cannot hold, by the name of its row; mended, it goes on', async () => {
    await using from = await installation()
    await using to = await emptyDatabase()
    onSqlite(from.path, `insert into holds (id, reason, created_at) values (7, 'a' || char(0) || 'b', 1)`)
    expect(await sentenceOf(move(from.path, to.url))).toContain('The row of holds with id 7 holds a NUL character')
    onSqlite(from.path, `update holds set reason = 'ab' where id = 7`)
    expect(howOf(await eventsOf(from.path, to.url))).toBe('resumed')
  })

  test('a server that looked just before the copy was begun takes no lease', async () => {
    await using other = await temporaryFolder()
    await using to = await emptyDatabase()
    const start = startStowage({
      dataDir: other.path,
      settings: { STOWAGE_DATABASE_URL: to.url },
      replace: {
        catalogue: (catalogue) => ({
          ...catalogue,
          transact: async (work, args) => {
            if (work.name === 'take lease') await onServer(to.url, "insert into site values ('moving-from', 'x')")
            return catalogue.transact(work, args)
          },
        }),
      },
    })
    expect(await serverIsRefused(start)).toContain('not complete')
    expect(await onServer(to.url, 'select id from leases')).toEqual([])
  })
})

described('after a move', () => {
  test('SQLite refuses, also commands; once more there is nothing to do; --undo goes back', async () => {
    await using from = await installation()
    await using to = await emptyDatabase()
    await using another = await emptyDatabase()
    const sqlite = { STOWAGE_DATA_DIR: from.path }
    const first = await stowage(['migrate', '--to', to.url], sqlite)
    expect({ exitCode: first.exitCode, errors: first.errors }).toEqual({ exitCode: 0, errors: '' })
    expect(first.output).toContain('Moved.')

    const refusal = await serverIsRefused(startOnSqlite(from.path))
    expect(refusal).toContain('STOWAGE_DATABASE_URL')
    expect(refusal).toContain('stowage migrate --undo')
    const reset = await stowage(['reset-admin'], sqlite)
    expect(reset.exitCode).toBe(1)
    expect(reset.errors).toContain('was moved to PostgreSQL')
    expect((await stowage(['migrate', '--to', to.url], sqlite)).output).toContain('nothing left to do')
    expect(await sentenceOf(move(from.path, another.url))).toContain('--undo')

    await using onPostgres = await startOn(from.path, to.url)
    expect(await sentenceOf(undo(from.path, to.url))).toContain('A Stowage server is using')
    await onPostgres.stop()
    const undone = await stowage(['migrate', '--undo'], { ...sqlite, STOWAGE_DATABASE_URL: to.url })
    expect({ exitCode: undone.exitCode, errors: undone.errors }).toEqual({ exitCode: 0, errors: '' })
    expect(await serverIsRefused(startOn(from.path, to.url))).toContain('Start the server without STOWAGE_DATABASE_URL')
    {
      await using server = await startOnSqlite(from.path)
      await mustServe(server, from)
    }
    expect(await sentenceOf(undo(from.path, to.url))).toContain('nothing to undo')
    expect(await sentenceOf(undoBlindly(from.path))).toContain('nothing to undo')
    expect(await sentenceOf(move(from.path, to.url))).toContain('holds a Stowage installation already')
    expect(howOf(await eventsOf(from.path, another.url))).toBe('from the beginning')
  })

  test('who has the original and no copy cannot take the blobs: they change hands by their id', async () => {
    await using from = await installation()
    await using to = await emptyDatabase()
    await move(from.path, to.url)
    const id = (await readFile(join(from.path, 'blobs', 'storage-id'), 'utf8')).trim()
    expect(await onServer(to.url, "select value from site where key = 'storage-id'")).toEqual([{ value: id }])
    await undo(from.path, to.url)
    const back = (await readFile(join(from.path, 'blobs', 'storage-id'), 'utf8')).trim()
    expect(back).not.toBe(id)
    expect(onSqlite(from.path, "select value from site where key = 'storage-id'")).toEqual([{ value: back }])
  })
})

described('the way back', () => {
  const shared = async (from: Installation) => {
    const folder = await temporaryFolder()
    await symlink(join(from.path, 'blobs'), join(folder.path, 'blobs'))
    await cp(join(from.path, 'secret-key'), join(folder.path, 'secret-key'))
    return folder
  }

  test('is refused while a server elsewhere runs on the copy, which then goes on as before', async () => {
    await using from = await installation()
    await using to = await emptyDatabase()
    await move(from.path, to.url)
    await using elsewhere = await shared(from)
    await using another = await shared(from)
    await using server = await startOn(elsewhere.path, to.url)
    {
      await using _ = await startOn(another.path, to.url)
      expect(await sentenceOf(undo(from.path, to.url))).toContain('2 servers')
    }
    const refusal = await stowage(['migrate', '--undo', '--to', to.url], { STOWAGE_DATA_DIR: from.path })
    expect({ exitCode: refusal.exitCode, output: refusal.output }).toEqual({ exitCode: 1, output: '' })
    expect(refusal.errors).toMatch(/^stowage migrate: 1 server .*Stop .*\n$/)
    await mustServe(server, from)
    expect((await server.admin.put({ package: 'goes-on' }, 'x')).status).toBe(201)
    expect(await serverIsRefused(startOnSqlite(from.path))).toContain('was moved to PostgreSQL')

    await server.stop()
    await undo(from.path, to.url)
    expect(await serverIsRefused(startOn(elsewhere.path, to.url))).toContain('Start the server without')
    expect((await stowage(['reset-admin'], { STOWAGE_DATABASE_URL: to.url })).errors).toContain(
      'Start the server without',
    )
    await using back = await startOnSqlite(from.path)
    await mustServe(back, from)
  })

  test('does not wait for a server that died: it changes nothing any more should it wake up', async () => {
    await using from = await installation()
    await using to = await emptyDatabase()
    await move(from.path, to.url)
    await using elsewhere = await shared(from)
    await using server = await startOn(elsewhere.path, to.url)
    await onServer(to.url, 'update leases set expires_at = 1')
    await undo(from.path, to.url)
    expect((await server.admin.put({ package: 'late' }, 'x')).status).toBe(503)
    expect((await fetch(`${server.url}/readyz`)).status).toBe(503)
    expect(await sentenceOf(server.stowage.registry.lease.renew())).toContain('Start the server without')
  })

  test('broken off at any point, at most one side starts, and the same command completes it', async () => {
    await using from = await installation()
    await using to = await emptyDatabase()
    await move(from.path, to.url)
    for (const place of ['copy marked', 'blobs handed back'] as const) {
      const brokenHere = new Error('broken off here')
      const result = await undoMove({ dataDir: from.path }, { url: to.url }, (step) => {
        if (step === place) throw brokenHere
      }).catch((error) => error)
      expect(result).toBe(brokenHere)
      expect(await serverIsRefused(startOnSqlite(from.path))).toContain('stowage migrate --undo')
      expect(await serverIsRefused(startOn(from.path, to.url))).toContain('Start the server without')
      expect(await sentenceOf(move(from.path, to.url))).toContain('Run stowage migrate --undo again')
    }
    await undo(from.path, to.url)
    await using server = await startOnSqlite(from.path)
    await mustServe(server, from)
  })

  test('needs the database that it was moved to, or to be told that it is gone', async () => {
    await using from = await installation()
    await using to = await emptyDatabase()
    await using another = await emptyDatabase()
    await move(from.path, to.url)
    const nobody = `postgres://me:x@127.0.0.1:${freePort()}/stowage`
    expect(await sentenceOf(undo(from.path, another.url))).toContain('not the one that this installation was moved to')
    expect(await sentenceOf(undo(from.path, nobody))).toMatch(/does not answer at .*--undo --force/)
    expect(await onServer(another.url, 'select key from site')).toEqual([{ key: 'oldest-release' }])
    expect(await serverIsRefused(startOnSqlite(from.path))).toContain('was moved to PostgreSQL')

    const forced = await stowage(['migrate', '--undo', '--force'], {
      STOWAGE_DATA_DIR: from.path,
      STOWAGE_DATABASE_URL: nobody,
    })
    expect({ exitCode: forced.exitCode, errors: forced.errors }).toEqual({ exitCode: 0, errors: '' })
    expect(await serverIsRefused(startOn(from.path, to.url))).toContain('blob folder')
    await using server = await startOnSqlite(from.path)
    await mustServe(server, from)
  })
})

described('the command', () => {
  const secret = 'very-Secret-5678'

  test('explains itself', async () => {
    const { exitCode, output } = await stowage(['migrate', '--help'], {})
    expect(exitCode).toBe(0)
    for (const words of ['--to', '--undo', '--force', 'STOWAGE_DATABASE_URL', 'PGPASSWORD', 'Stop the server']) {
      expect(output).toContain(words)
    }
    expect((await stowage(['--help'], {})).output).toContain('migrate')
  })

  test('used wrongly ends with 2, and does not repeat an address', async () => {
    const wrong = [
      [],
      ['--to'],
      ['--undo'],
      ['--force'],
      ['--force', '--to', 'postgres://a/b'],
      ['--undo', '--force', '--to', 'postgres://a/b'],
      ['--nonsense'],
      [`postgres://me:${secret}@a/b`],
      [`postgres://a/b?password=${secret}`],
    ]
    const ends = wrong.map((args) => stowage(['migrate', ...args], { STOWAGE_DATA_DIR: '/nowhere' }))
    for (const { exitCode, output, errors } of await Promise.all(ends)) {
      expect(exitCode).toBe(2)
      expect(errors).toContain('stowage migrate --help')
      expect(output + errors).not.toContain(secret)
    }
  })

  test('fails with one line and 1', async () => {
    await using from = await installation()
    const settings = { STOWAGE_DATA_DIR: from.path }
    const wrongPassword = new URL((await sharedPostgres()).url())
    wrongPassword.password = secret
    const undone = await stowage(['migrate', '--undo', '--to', 'mysql://a/b'], settings)
    expect(undone).toMatchObject({ exitCode: 1, errors: expect.stringMatching(/must be the address of a database/) })
    const attempts = [
      ['mysql://a/b', /must be the address of a database/],
      [`postgres:${secret}`, /must be the address of a database/],
      [wrongPassword.href, /does not let this user in .*PGPASSWORD/],
    ] as const
    for (const [to, sentence] of attempts) {
      const { exitCode, output, errors } = await stowage(['migrate', '--to', to], settings)
      expect(errors).toMatch(sentence)
      expect(errors.trim()).not.toContain('\n')
      expect({ exitCode, output }).toEqual({ exitCode: 1, output: '' })
      expect(errors).not.toContain(secret)
    }
  })

  test('says why a database cannot be used and what to do, and never the password', async () => {
    await using from = await installation()
    const server = await sharedPostgres()
    const url = new URL(server.url('postgres'))
    const changed = (parts: Partial<URL>) => Object.assign(new URL(url), parts).href
    await onServer(server.url(), 'drop database if exists not_utf8')
    const provider = Number.parseInt(server.version, 10) >= 15 ? 'locale_provider libc' : ''
    await onServer(
      server.url(),
      `create database not_utf8 encoding 'SQL_ASCII' ${provider} lc_collate 'C' lc_ctype 'C' template template0`,
    )
    const attempts: [url: string, sentence: RegExp][] = [
      [
        `postgres://me:${secret}@127.0.0.1:${freePort()}/stowage`,
        /does not answer at 127\.0\.0\.1:\d+ \(ECONNREFUSED\)/,
      ],
      [`postgres://me:${secret}@nowhere.invalid/stowage`, /does not answer at nowhere\.invalid/],
      [changed({ pathname: '/nothing' }), /no such database .*create database/],
      [changed({ pathname: '/not_utf8' }), /encoding is SQL_ASCII; Stowage needs UTF8/],
    ]
    for (const [to, sentence] of attempts) {
      const said = await sentenceOf(move(from.path, to))
      expect(said).toMatch(sentence)
      for (const password of [secret, url.password]) expect(said).not.toContain(password)
    }
    // In processes of their own: the driver leaves these connections half open, and PostgreSQL would wait a minute for them
    // when it drops a database.
    for (const [to, sentence] of [
      [changed({ search: '?ssl=true' }), /cannot be used \(.*SSL/],
      [changed({ password: '' }), /does not let this user in .*PGPASSWORD/],
    ] as const) {
      const { errors } = await stowage(['migrate', '--to', to], { STOWAGE_DATA_DIR: from.path })
      expect(errors).toMatch(sentence)
      expect(errors).not.toContain(url.password)
    }
    await using back = await startOnSqlite(from.path)
    await mustServe(back, from)
  })

  test('takes the password from PGPASSWORD', async () => {
    await using from = await installation()
    await using to = await emptyDatabase()
    const url = new URL(to.url)
    const PGPASSWORD = url.password
    url.password = ''
    const { exitCode, errors } = await stowage(['migrate', '--to', url.href], {
      STOWAGE_DATA_DIR: from.path,
      PGPASSWORD,
    })
    expect({ exitCode, errors }).toEqual({ exitCode: 0, errors: '' })
  })

  test('without data it is a sentence, and nothing is made', async () => {
    await using folder = await temporaryFolder()
    const none = join(folder.path, 'none')
    const { exitCode, errors } = await stowage(['migrate', '--to', 'postgres://a/b'], { STOWAGE_DATA_DIR: none })
    expect(exitCode).toBe(1)
    expect(errors).toContain('There is no Stowage data')
    expect(await Bun.file(join(none, 'lock.db')).exists()).toBe(false)
  })
})
