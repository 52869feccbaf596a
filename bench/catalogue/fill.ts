import { Database } from 'bun:sqlite'
import { Client } from 'pg'
import { contentOf, type Known, type Rows } from './content.ts'
import { type KnownVersions, manyVersions } from './many-versions.ts'

/** Fills an empty SQLite file that has the newest schema. Its own triggers make the listings and the counts. */
export async function fillSqlite(file: string, files: number): Promise<Known> {
  const database = new Database(file)
  try {
    // Nothing here need survive a crash, and parents come before their children.
    for (const pragma of ['synchronous = off', 'journal_mode = memory', 'foreign_keys = off', 'cache_size = -500000']) {
      database.run(`pragma ${pragma}`)
    }
    database.run('begin')
    const content = contentOf(files)
    let next = content.next()
    for (; !next.done; next = content.next()) insert(database, next.value)
    database.run('commit')
    database.run('begin')
    for (const statement of summed) database.run(statement)
    database.run('commit')
    database.run('analyze')
    database.run('pragma journal_mode = wal')
    return next.value
  } finally {
    database.close()
  }
}

/** The same with versions alone. Triggers and indexes come afterwards, which takes a fifth of the time. */
export function fillSqliteVersions(file: string, versions: number): KnownVersions {
  const database = new Database(file)
  try {
    for (const pragma of ['synchronous = off', 'journal_mode = memory', 'foreign_keys = off', 'cache_size = -500000']) {
      database.run(`pragma ${pragma}`)
    }
    const { statements, known } = manyVersions(versions)
    const aside = database
      .query<{ type: string; name: string; sql: string }, []>(
        `select type, name, sql from sqlite_schema where sql is not null and (type = 'trigger'
          or type = 'index' and tbl_name in ('listings', 'package_counts', 'packages'))`,
      )
      .all()
    database.run('begin')
    for (const { type, name } of aside) database.run(`drop ${type} ${name}`)
    for (const statement of statements) database.run(statement)
    for (const { sql } of aside) database.run(sql)
    database.run("insert into package_names (package_names) values ('rebuild')")
    database.run('commit')
    database.run('pragma journal_mode = wal')
    return known
  } finally {
    database.close()
  }
}

function insert(database: Database, { table, rows }: Rows): void {
  const columns = Object.keys(rows[0] ?? {})
  const statement = database.prepare(
    `insert into ${table} (${columns.join(', ')}) values (${columns.map(() => '?').join(', ')})`,
  )
  for (const row of rows) statement.run(...columns.map((column) => row[column] ?? null))
  statement.finalize()
}

const numbered = [
  ...['owners', 'tokens', 'teams', 'packages', 'versions', 'blobs', 'files', 'jobs'],
  ...['webhooks', 'deliveries', 'audit_events', 'passkeys', 'identities', 'deploy_tokens', 'package_grants'],
]

/** What is written down together with the downloads of a day. */
const summed = [
  `update listings set downloads = sums.downloads
    from version_downloads as sums where sums.version_id = listings.version_id`,
  `update package_counts set downloads = sums.downloads
    from package_downloads as sums where sums.package_id = package_counts.package_id`,
]

/** Fills an empty PostgreSQL database that has the newest schema. */
export async function fillPostgres(url: string, files: number): Promise<Known> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query('set synchronous_commit = off')
    // A superuser does without triggers and foreign keys, in half the time.
    await client.query('set session_replication_role = replica').catch(() => {})
    const restore = await withoutIndexes(client, ['files', 'blobs'])
    const content = contentOf(files)
    let next = content.next()
    for (; !next.done; next = content.next()) await copy(client, next.value)
    for (const statement of restore) await client.query(statement)
    // What is not in the log yet cannot be marked as visible to all, and index-only scans would look each row up.
    await client.query('set synchronous_commit = on')
    await client.query(derived)
    for (const statement of summed) await client.query(statement)
    await client.query('set session_replication_role = origin').catch(() => {})
    for (const table of numbered) {
      await client.query(
        `select setval(pg_get_serial_sequence('${table}', 'id'), (select coalesce(max(id), 1) from ${table}))`,
      )
    }
    // As autovacuum does it after a while.
    await client.query('vacuum analyze')
    await client.query('checkpoint').catch(() => {})
    return next.value
  } finally {
    await client.end()
  }
}

/** The same with versions alone; as a superuser. */
export async function fillPostgresVersions(url: string, versions: number): Promise<KnownVersions> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query('set session_replication_role = replica')
    const { statements, known } = manyVersions(versions)
    const restore = await withoutIndexes(client, ['versions', 'listings', 'package_counts', 'packages'])
    for (const statement of [...statements, ...restore]) await client.query(statement)
    await client.query('vacuum analyze')
    await client.query('checkpoint')
    return known
  } finally {
    await client.end()
  }
}

/** Takes the indexes of these tables away, since they are made sooner afterwards; returns what makes them again. */
async function withoutIndexes(client: Client, tables: readonly string[]): Promise<string[]> {
  const names = tables.map((table) => `'${table}'`)
  await client.query("set maintenance_work_mem = '256MB'")
  const { rows } = await client.query<{ gone: string; again: string }>(`
    select format('alter table %s drop constraint %I', conrelid::regclass, conname) as gone,
      format('alter table %s add constraint %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) as again
    from pg_constraint where contype = 'u' and conrelid::regclass::text in (${names})
    union all
    select format('drop index %I', indexname), indexdef from pg_indexes
    where schemaname = 'public' and tablename in (${names}) and not exists (
      select from pg_constraint where conindid = format('%I', indexname)::regclass)`)
  for (const { gone } of rows) await client.query(gone)
  return rows.map(({ again }) => again)
}

async function copy(client: Client, { table, rows }: Rows): Promise<void> {
  const columns = Object.keys(rows[0] ?? {}).join(', ')
  await client.query({
    text: `insert into ${table} (${columns}) select ${columns} from json_populate_recordset(null::${table}, $1)`,
    values: [JSON.stringify(rows)],
  })
}

/** What the triggers would have made. */
const derived = `
  truncate listings, package_counts, owner_counts, count_changes;
  insert into listings (version_id, owner_id, package_id, created_at, name_key, version_order, size)
    select versions.id, packages.owner_id, versions.package_id, versions.created_at, packages.name_key,
      versions.version_order, coalesce(sizes.bytes, 0)
    from versions join packages on packages.id = versions.package_id
    left join (
      select files.version_id, sum(blobs.size) as bytes from files join blobs on blobs.id = files.blob_id group by 1
    ) as sizes on sizes.version_id = versions.id
    order by versions.id;
  insert into package_counts (package_id, owner_id, versions, bytes, newest_at, newest_order, files)
    select package_id, min(owner_id), count(*), sum(size), max(created_at),
      (array_agg(version_order order by created_at desc, version_id desc))[1], coalesce(min(sums.files), 0)
    from listings left join (
      select versions.package_id, count(*) as files from files join versions on versions.id = files.version_id group by 1
    ) as sums using (package_id)
    group by package_id;
  insert into owner_counts (owner_id, versions, packages, files, bytes)
    select packages.owner_id, sum(versions), count(*), sum(files), sum(bytes)
    from package_counts join packages on packages.id = package_counts.package_id group by 1`
