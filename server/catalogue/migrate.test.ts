import type { Database } from 'bun:sqlite'
import { describe, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { sharedPostgres } from '../../test/support/postgres.ts'
import { until } from '../../test/support/until.ts'
import { startProblem } from '../database.ts'
import { Problem } from '../problems.ts'
import { isOlder, migrate } from './migrate.ts'
import { migrations as ours } from './migrations/index.ts'
import { migratePostgres } from './postgres.ts'
import { writingDialect } from './postgres-dialect.ts'
import { ConnectionPool } from './postgres-pool.ts'
import type { Schema } from './schema.ts'
import { migrateSqlite, openForWriting } from './sqlite.ts'
import { sqliteDialect } from './sqlite-dialect.ts'
import { straight } from './statement.ts'

const release = '0.1.0'

/** An empty database, and as many ways into it as are asked for; all are closed at the end. */
interface Empty extends AsyncDisposable {
  connect(): Kysely<Schema>
  /** As a server does it that starts. */
  migrateAsServer(release: string): Promise<unknown>
}

async function emptyFile(): Promise<Empty> {
  const folder = await mkdtemp(join(tmpdir(), 'stowage-test-'))
  const file = join(folder, 'stowage.db')
  const open: Database[] = []
  return {
    connect: () => {
      const database = openForWriting(file)
      open.push(database)
      return new Kysely<Schema>({ dialect: sqliteDialect(database) })
    },
    migrateAsServer: (version) => migrateSqlite(file, version),
    [Symbol.asyncDispose]: async () => {
      for (const database of open) database.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function emptyOnServer(): Promise<Empty> {
  const server = await sharedPostgres()
  const url = await server.createDatabase()
  const open: ConnectionPool[] = []
  return {
    connect: () => {
      const pool = new ConnectionPool(url, 1, { unlimitedTime: true })
      open.push(pool)
      return new Kysely<Schema>({ dialect: writingDialect(pool, straight) })
    },
    migrateAsServer: (version) => migratePostgres(url, version),
    [Symbol.asyncDispose]: async () => {
      for (const pool of open) await pool.close()
      await server.dropDatabase(url)
    },
  }
}

const databases = [
  { name: 'SQLite', empty: emptyFile, columns: sqliteColumns },
  { name: 'PostgreSQL', empty: emptyOnServer, columns: postgresColumns },
] as const

/** `table.column`, with a question mark where it may be empty. */
type Columns = (db: Kysely<Schema>) => Promise<string[]>

async function sqliteColumns(db: Kysely<Schema>): Promise<string[]> {
  // A primary key is never empty here, but SQLite does not say so of its own accord.
  const { rows } = await sql<{ name: string }>`
    select m.name || '.' || c.name || case when c."notnull" or c.pk then '' else '?' end as name
    from sqlite_master m, pragma_table_info(m.name) c
    where m.type = 'table' and m.name not like 'sqlite_%'`.execute(db)
  return rows.map(({ name }) => name).toSorted()
}

async function postgresColumns(db: Kysely<Schema>): Promise<string[]> {
  return db.transaction().execute(async (tx) => {
    const { rows } = await sql<{ name: string }>`
      select table_name || '.' || column_name || case is_nullable when 'YES' then '?' else '' end as name
      from information_schema.columns where table_schema = 'public'`.execute(tx)
    return rows.map(({ name }) => name).toSorted()
  })
}

async function rowsOf(db: Kysely<Schema>, table: string): Promise<Record<string, unknown>[]> {
  return db.transaction().execute(async (tx) => {
    const { rows } = await sql<Record<string, unknown>>`select * from ${sql.table(table)}`.execute(tx)
    return rows
  })
}

/** Every table with its columns and rows. */
async function everything(db: Kysely<Schema>, columns: Columns) {
  const shape = await columns(db)
  const tables = [...new Set(shape.map((name) => name.slice(0, name.indexOf('.'))))]
  const contents: Record<string, unknown> = {}
  for (const table of tables) contents[table] = await rowsOf(db, table)
  return { shape, contents }
}

const run = (db: Kysely<Schema>, ...statements: string[]) =>
  db.transaction().execute(async (tx) => {
    for (const statement of statements) await sql.raw(statement).execute(tx)
  })

async function refusalOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  return error instanceof Problem ? error.message : `no problem, but ${error}`
}

/** Writes down that it ran. */
const counted: Record<string, Migration> = {
  ...ours,
  '9000-counted': {
    up: async (db) => {
      await db.schema.createTable('runs').ifNotExists().addColumn('at', 'integer').execute()
      await sql`insert into runs values (1)`.execute(db)
    },
  },
}

/** Whatever a migration may do, and then one that does as much and fails. */
const failing: Record<string, Migration> = {
  ...ours,
  '9001-works': {
    up: async (db) => {
      await db.schema.createTable('early').addColumn('id', 'integer').execute()
      await sql`update site set value = 'changed' where key = 'storage-id'`.execute(db)
    },
  },
  '9002-fails': {
    up: async (db) => {
      await db.schema.alterTable('site').addColumn('late', 'integer').execute()
      await db.schema.alterTable('leases').renameTo('rents').execute()
      await sql`insert into site (key, value) values ('late', 'late')`.execute(db)
      throw new Error('half-way')
    },
  },
}

describe.each([...databases])('migrations on $name', ({ empty, columns }) => {
  test('begin with nothing, and change nothing the second time', async () => {
    await using database = await empty()
    await database.migrateAsServer(release)
    const db = database.connect()
    const before = await everything(db, columns)
    expect((await rowsOf(db, 'kysely_migration')).map(({ name }) => name)).toEqual(Object.keys(ours))
    await database.migrateAsServer(release)
    expect(await everything(db, columns)).toEqual(before)
  })

  test('run once, one start after the other', async () => {
    await using database = await empty()
    for (let start = 0; start < 3; start += 1) await migrate(database.connect(), release, counted)
    expect(await rowsOf(database.connect(), 'runs')).toEqual([{ at: 1 }])
  })

  test('are all or nothing: where the last one fails, tables and rows are what they were', async () => {
    await using database = await empty()
    const db = database.connect()
    await migrate(db, release)
    await run(db, "insert into site (key, value) values ('storage-id', 'as it was')")
    const before = await everything(db, columns)
    await expect(migrate(db, release, failing)).rejects.toThrow('half-way')
    expect(await everything(db, columns)).toEqual(before)

    await migrate(db, release)
    const mended = { ...failing, '9002-fails': { up: async () => {} } }
    await migrate(db, release, mended)
    expect(await rowsOf(db, 'early')).toEqual([])
    expect(await rowsOf(db, 'site')).toContainEqual({ key: 'storage-id', value: 'changed' })
  })

  test('take along what was there: lists and counts of earlier versions, people and tokens as they were', async () => {
    await using database = await empty()
    const db = database.connect()
    const before = Object.fromEntries(Object.entries(ours).filter(([name]) => name < '0003'))
    await migrate(db, release, before)
    const version = (id: number, package_: number, at: number) =>
      `insert into versions (id, package_id, version, version_key, created_at) values (${id}, ${package_}, '${id}', '${id}', ${at})`
    const blob = (id: number, size: number) =>
      `insert into blobs (id, scope, sha256, size, location, state, created_at) values (${id}, '', 'sha${id}', ${size}, 'l/0/${id}', 'live', 1)`
    const file = (id: number, version: number, of: number) =>
      `insert into files (id, version_id, name, name_key, blob_id, upload_id, created_at) values (${id}, ${version}, 'f${id}', 'f${id}', ${of}, 'u${id}', 1)`
    const account = `id, full_name, is_admin, is_active, is_restricted, prohibit_login, must_change_password`
    await run(
      db,
      "insert into owners (id, kind, name, name_key, visibility, created_at) values (1, 'user', 'ada', 'ada', 'public', 1)",
      `insert into users (${account}) values (1, '', 1, 1, 0, 0, 0)`,
      "insert into tokens (id, user_id, name, sha256, last_eight, scopes, created_at) values (1, 1, 'ci', 'x', 'y', 'all', 1)",
      "insert into packages (id, owner_id, name, name_key, created_at) values (1, 1, 'a', 'a', 1), (2, 1, 'b', 'b', 1)",
      version(1, 1, 30),
      version(2, 1, 20),
      version(3, 2, 10),
      blob(1, 100),
      blob(2, 11),
      file(1, 1, 1),
      file(2, 1, 2),
      file(3, 3, 1),
    )
    await migrate(db, release)
    // Kept from here on by triggers.
    await run(db, version(10, 2, 40), file(4, 10, 2))

    const listed = (await rowsOf(db, 'listings')).map(
      ({ owner_id, package_id, version_id, name_key, version_order, size }) =>
        [owner_id, package_id, version_id, name_key, version_order, size].join(' '),
    )
    expect(listed.sort()).toEqual(['1 1 1 a 11% 111', '1 1 2 a 12% 0', '1 2 10 b 10 11', '1 2 3 b 13% 100'])
    const rows = await rowsOf(db, 'package_counts')
    expect(rows.map(({ owner_id }) => owner_id)).toEqual([1, 1])
    expect(rows.sort((a, b) => Number(a.package_id) - Number(b.package_id))).toMatchObject([
      { package_id: 1, versions: 2, files: 2, bytes: 111, downloads: 0, newest_at: 30, newest_order: '11%' },
      { package_id: 2, versions: 2, files: 2, bytes: 111, downloads: 0, newest_at: 40, newest_order: '10' },
    ])
    expect(await rowsOf(db, 'owner_counts')).toEqual([{ owner_id: 1, versions: 4, packages: 2, files: 4, bytes: 222 }])
    expect(await rowsOf(db, 'users')).toMatchObject([{ id: 1, may_create_organisations: 1, totp_secret: null }])
    expect(await rowsOf(db, 'owners')).toMatchObject([{ id: 1, description: '', website: '', location: '' }])
    expect(await rowsOf(db, 'tokens')).toMatchObject([{ id: 1, scopes: 'all', parent_id: null }])
  })

  test('leave nothing behind in an empty database, where one fails', async () => {
    await using database = await empty()
    const db = database.connect()
    await expect(migrate(db, release, failing)).rejects.toThrow('half-way')
    expect(await columns(db)).toEqual([])
    await database.migrateAsServer(release)
  })
})

describe.each([...databases])('a database on $name that a newer release has changed', ({ empty, columns }) => {
  async function changedByNewer(database: Empty, oldestRelease: string): Promise<Kysely<Schema>> {
    const db = database.connect()
    await migrate(db, '0.3.0', counted)
    await run(db, `update site set value = '${oldestRelease}' where key = 'oldest-release'`)
    return db
  }

  test.each(['0.1.0', '0.0.9'])('is served as it is, where it needs %s', async (needed) => {
    await using database = await empty()
    const db = await changedByNewer(database, needed)
    const before = await everything(db, columns)
    await database.migrateAsServer(release)
    expect(await everything(db, columns)).toEqual(before)
  })

  test('is refused where it needs a newer release, and both are named', async () => {
    await using database = await empty()
    const db = await changedByNewer(database, '0.2.0')
    const before = await everything(db, columns)
    const sentence = await refusalOf(database.migrateAsServer(release))
    expect(sentence).toContain('This is Stowage 0.1.0')
    expect(sentence).toContain('needs 0.2.0 or newer')
    expect(await everything(db, columns)).toEqual(before)
    await database.migrateAsServer('0.2.0')
  })

  test('is refused too where this release knows every migration', async () => {
    await using database = await empty()
    const db = database.connect()
    await database.migrateAsServer(release)
    await run(db, "update site set value = '0.10.0' where key = 'oldest-release'")
    expect(await refusalOf(database.migrateAsServer('0.9.0'))).toContain('needs 0.10.0 or newer')
  })
})

describe('nodes that start together on PostgreSQL', () => {
  const ten = Array.from({ length: 10 }, (_, index) => index)

  test('migrate once', async () => {
    await using database = await emptyOnServer()
    await Promise.all(ten.map(() => migrate(database.connect(), release, counted)))
    const db = database.connect()
    expect(await rowsOf(db, 'runs')).toEqual([{ at: 1 }])
    expect((await rowsOf(db, 'kysely_migration')).map(({ name }) => name)).toEqual(Object.keys(counted))
  })

  test('as servers do, all find the newest schema', async () => {
    await using database = await emptyOnServer()
    await Promise.all(ten.map(() => database.migrateAsServer(release)))
    expect((await rowsOf(database.connect(), 'kysely_migration')).map(({ name }) => name)).toEqual(Object.keys(ours))
  })

  test('and fail together, where the migration fails: nothing is half done', async () => {
    await using database = await emptyOnServer()
    const outcomes = await Promise.allSettled(ten.map(() => migrate(database.connect(), release, failing)))
    expect(outcomes.map(({ status }) => status)).toEqual(ten.map(() => 'rejected'))
    expect(await postgresColumns(database.connect())).toEqual([])
  })

  test('serve what a node of a newer release is just changing', async () => {
    await using database = await emptyOnServer()
    await database.migrateAsServer(release)
    await Promise.all([
      migrate(database.connect(), '0.3.0', counted),
      ...ten.map(() => database.migrateAsServer(release)),
    ])
    expect(await rowsOf(database.connect(), 'runs')).toEqual([{ at: 1 }])
  })
})

test.each([
  ['people', '0004', 'users', 'owners, tokens'],
  ['the JSON API', '0005', 'versions', 'listings, files, blobs'],
])('the one of %s waits for a request of the release before, and lets it end', async (_, name, held, wanted) => {
  await using database = await emptyOnServer()
  const before = Object.entries(ours).filter((migration) => migration[0] < name)
  await migrate(database.connect(), release, Object.fromEntries(before))
  const outcome = Promise.withResolvers<unknown>()
  const observer = database.connect()
  const someoneWaits = () =>
    observer.transaction().execute(async (tx) => {
      const { rows } = await sql`select 1 from pg_locks where locktype = 'relation' and not granted`.execute(tx)
      return rows.length > 0
    })
  await database
    .connect()
    .transaction()
    .execute(async (tx) => {
      await sql`select 1 from ${sql.table(held)}`.execute(tx)
      database.migrateAsServer(release).then(() => outcome.resolve('migrated'), outcome.resolve)
      await until(someoneWaits, 'the migration waits')
      await sql`select 1 from ${sql.raw(wanted)}`.execute(tx)
    })
  expect(await outcome.promise).toBe('migrated')
})

test('who may not make the extension of the search is told what to do', async () => {
  const server = await sharedPostgres()
  const url = new URL(await server.createDatabase())
  const pool = new ConnectionPool(url.href, 1)
  const db = new Kysely<Schema>({ dialect: writingDialect(pool, straight) })
  await run(db, "create role extends_nothing login password 'x'", 'grant create on schema public to extends_nothing')
  try {
    const asRole = Object.assign(new URL(url), { username: 'extends_nothing', password: 'x' }).href
    const refused = migratePostgres(asRole, release).catch(startProblem)
    expect(await refused).toMatchObject({ message: expect.stringContaining('run CREATE EXTENSION pg_trgm') })
    await run(db, 'create extension pg_trgm')
    await migratePostgres(asRole, release)
  } finally {
    await run(db, 'drop owned by extends_nothing', 'drop role extends_nothing')
    await pool.close()
  }
})

test('all migrations leave the same tables and columns on both databases', async () => {
  const [onSqlite, onPostgres] = await Promise.all(
    databases.map(async ({ empty, columns }) => {
      await using database = await empty()
      await database.migrateAsServer(release)
      return await columns(database.connect())
    }),
  )
  // What only one of them has: an index of names that is a table, and what is counted at the commit.
  const ofOurs = (names: string[] | undefined) =>
    names?.filter((name) => !/^(kysely_|package_names|count_changes\.)/.test(name))
  expect(ofOurs(onSqlite)).toEqual(ofOurs(onPostgres))
  expect(ofOurs(onSqlite)).toContain('files.blob_id')
})

/** Rows as a release with nothing but the first migration wrote them, in the words that it used. */
function firstRelease(of: { number: number; job: string }): Record<string, string> {
  const { number, job } = of
  return {
    owners: `insert into owners (id, kind, name, name_key, visibility, created_at)
      values (${number}, 'user', 'Ada${number}', 'ada${number}', 'public', 1700000000000)`,
    users: `insert into users (id, email, email_key, full_name, password_hash, is_admin, is_active, is_restricted,
        prohibit_login, must_change_password, last_login_at)
      values (${number}, null, null, 'Ada', '$argon2id$', 1, 1, 0, 0, 0, null)`,
    tokens: `insert into tokens (user_id, name, sha256, last_eight, scopes, created_at, expires_at, last_used_at)
      values (${number}, 'ci', 'hash${number}', '12345678', 'all', 1700000000000, null, null)`,
    packages: `insert into packages (id, owner_id, name, name_key, created_at)
      values (${number}, ${number}, 'Tool', 'tool', 1700000000000)`,
    versions: `insert into versions (id, package_id, version, version_key, creator_id, created_at)
      values (${number}, ${number}, '1.0', '1.0', ${number}, 1700000000000)`,
    blobs: `insert into blobs (id, scope, sha256, size, location, md5, sha1, sha512, state, created_at)
      values (${number}, '', 'sha${number}', 5000000000, 'lease/0/${number}', null, null, null, 'live', 1700000000000)`,
    files: `insert into files (version_id, name, name_key, blob_id, uploader_id, upload_id, created_at)
      values (${number}, 'A', 'a', ${number}, ${number}, 'upload${number}', 1700000000000)`,
    doomed: `insert into doomed (location, since) values ('lease/0/gone${number}', 1700000000000)`,
    holds: "insert into holds (reason, created_at) values ('backup', 1700000000000)",
    leases: `insert into leases (id, kind, expires_at, dead_since)
      values ('lease${number}', 'process', 1700000000000, null)`,
    jobs: `insert into jobs (kind, subject, due_at, created_at) values ('digests', '${job}', 0, 1700000000000)`,
    site: `insert into site (key, value) values ('fact${number}', 'value')`,
  }
}

describe.each([...databases])('what the first release wrote on $name', ({ empty }) => {
  const before: Record<string, Migration> = Object.fromEntries(Object.entries(ours).slice(0, 1))
  const first = firstRelease({ number: 1, job: '1' })

  test('is all there after the later migrations, each row with what it had', async () => {
    await using database = await empty()
    const db = database.connect()
    await migrate(db, release, before)
    await run(db, ...Object.values(first))
    const tables = Object.keys(first)
    const written = new Map<string, Record<string, unknown>[]>()
    for (const table of tables) written.set(table, await rowsOf(db, table))
    await migrate(db, release)
    for (const table of tables) {
      const rows = await rowsOf(db, table)
      for (const row of written.get(table) ?? []) expect(rows).toContainEqual(expect.objectContaining(row))
    }
    expect(await rowsOf(db, 'jobs')).toMatchObject([{ attempts: 0, claimed_by: null, asks: 1, given_up_at: null }])
    expect(await rowsOf(db, 'leases')).toMatchObject([{ holder: null, dead_since: null }])
  })

  test('can still be written by it, and read, beside what the next release writes', async () => {
    await using database = await empty()
    const db = database.connect()
    await migrate(db, release, before)
    await run(db, ...Object.values(first))
    await migrate(db, release)
    await run(db, ...Object.values(firstRelease({ number: 2, job: '2' })))
    for (const table of Object.keys(first)) {
      expect({ table, rows: (await rowsOf(db, table)).length }).toEqual({ table, rows: table === 'site' ? 3 : 2 })
    }
    // How it asked for a job twice, had one fail, and was done with one.
    await run(
      db,
      `insert into jobs (kind, subject, due_at, created_at) values ('digests', '2', 5, 5)
        on conflict (kind, subject) do nothing`,
      "update jobs set attempts = 1, due_at = 9, last_error = 'no' where kind = 'digests' and subject = '2'",
      "delete from jobs where kind = 'digests' and subject = '1'",
      "update leases set expires_at = 7 where id = 'lease2' and dead_since is null",
      "update leases set dead_since = 8 where id <> 'lease2' and kind = 'process' and dead_since is null",
    )
    expect(await rowsOf(db, 'jobs')).toMatchObject([{ subject: '2', attempts: 1, due_at: 9, claimed_by: null }])
    expect(await rowsOf(db, 'leases')).toContainEqual(expect.objectContaining({ id: 'lease1', dead_since: 8 }))
  })
})

test.each([
  ['0.1.0', '0.1.0', false],
  ['0.1.0', '0.1.1', true],
  ['0.1.1', '0.1.0', false],
  ['0.9.0', '0.10.0', true],
  ['0.10.0', '0.9.0', false],
  ['0.9.9', '1.0.0', true],
  ['1.0.0', '0.9.9', false],
  ['2.0.0', '10.0.0', true],
  ['10.0.0', '2.9.9', false],
  ['1.2.10', '1.2.9', false],
  ['1.2.9', '1.2.10', true],
  ['0.1.0-rc.1', '0.1.0', false],
  ['0.1.0', '0.1.0-rc.1', false],
  ['0.1.0-rc.1', '0.2.0', true],
  ['0.2.0-rc.1', '0.1.9', false],
])('release %s is older than %s: %p', (one, other, older) => {
  expect(isOlder(one, other)).toBe(older)
})
