import { sql } from 'kysely'
import { Problem } from '../problems.ts'
import { releaseClaims } from './jobs.ts'
import { killExpiredLeases, killPredecessors } from './leases.ts'
import { holdMigrations } from './migrate.ts'
import { copyFacts, type MoveFacts, markComplete, markGivenBack, moveFacts, ownFacts } from './move.ts'
import type { Db, Tx } from './schema.ts'
import { type Catalogue, transaction } from './transaction.ts'

/*
 * A SQLite catalogue is copied into an empty PostgreSQL one, table by table, each in the order of its key and a batch in a
 * transaction. Nobody writes to either meanwhile, and both compare text keys byte by byte. So what a table of the copy
 * holds is always the beginning of the original's, and its highest key says where to go on.
 */

/** Rows that are written together. */
const written = 1_000
/** Rows that are read together to be compared. */
const compared = 5_000

/** A table as both databases have it. */
export interface Table {
  name: string
  columns: readonly string[]
  /** Those columns that PostgreSQL does not make from others by itself. */
  given: readonly string[]
  /** The primary key. */
  key: readonly string[]
}

type Row = Record<string, string | number | null>

/** Every table of the schema but `site`, whose facts are not all the copy's; what others refer to comes before them. */
export async function tablesToCopy(source: Db, target: Db): Promise<Table[]> {
  mustBeAlike(await migrationsOf(source), await migrationsOf(target))
  const tables: Table[] = []
  for (const { name, columns, key } of await tablesOf(source)) {
    const { rows: theirs } = await sql<{ name: string; generated: boolean }>`
      select column_name as name, is_generated = 'ALWAYS' as generated from information_schema.columns
      where table_schema = current_schema() and table_name = ${name}`.execute(target)
    const names = theirs.map((column) => column.name)
    if (names.sort().join() !== [...columns].sort().join()) {
      throw new Error(`the table ${name} has other columns in PostgreSQL (${names}) than in SQLite (${columns})`)
    }
    const generated = new Set(theirs.filter((column) => column.generated).map((column) => column.name))
    tables.push({ name, columns, key, given: columns.filter((column) => !generated.has(column)) })
  }
  return tables
}

function mustBeAlike(ours: readonly string[], theirs: readonly string[]): void {
  if (ours.join() === theirs.join()) return
  throw new Problem(
    'storage-unavailable',
    'One of the two databases was changed by a newer release of Stowage than this one. Move the installation with that release.',
  )
}

export async function migrationsOf(db: Db | Tx): Promise<string[]> {
  const applied = db.withTables<{ kysely_migration: { name: string } }>().selectFrom('kysely_migration')
  return (await applied.select('name').orderBy('name').execute()).map(({ name }) => name)
}

async function tablesOf(sqlite: Db): Promise<Pick<Table, 'name' | 'columns' | 'key'>[]> {
  const { rows: columns } = await sql<{ table: string; column: string; key: number }>`
    select tables.name as "table", columns.name as "column", columns.pk as "key"
    from pragma_table_list as tables, pragma_table_xinfo(tables.name) as columns
    where tables.schema = 'main' and tables.type = 'table'
      and tables.name not like 'sqlite!_%' escape '!' and tables.name not like 'kysely!_%' escape '!'
      and tables.name <> 'site'
    order by tables.name, columns.cid`.execute(sqlite)
  const { rows: references } = await sql<{ table: string; parent: string }>`
    select tables.name as "table", parents."table" as parent
    from pragma_table_list as tables, pragma_foreign_key_list(tables.name) as parents
    where tables.schema = 'main' and tables.type = 'table' and parents."table" <> tables.name`.execute(sqlite)

  const left = new Map(Map.groupBy(columns, ({ table }) => table))
  const ordered: Pick<Table, 'name' | 'columns' | 'key'>[] = []
  while (left.size > 0) {
    const waits = (name: string) => references.some(({ table, parent }) => table === name && left.has(parent))
    const next = [...left].filter(([name]) => !waits(name))
    if (next.length === 0) throw new Error(`these tables refer to each other: ${[...left.keys()]}`)
    for (const [name, its] of next) {
      const key = its.filter(({ key }) => key > 0).sort((a, b) => a.key - b.key)
      if (key.length === 0) throw new Error(`the table ${name} has no primary key`)
      ordered.push({ name, columns: its.map(({ column }) => column), key: key.map(({ column }) => column) })
    }
    for (const [name] of next) left.delete(name)
  }
  return ordered
}

/** What must be known of a database before anything is copied to it. */
export interface Target extends MoveFacts {
  /** It holds nothing, not even the traces of a server that was started on it once. */
  isEmpty: boolean
}

/** Works before the first migration too. */
export async function lookAtTarget(db: Db | Tx): Promise<Target> {
  const { rows: found } = await sql`select 1 where to_regclass('site') is not null`.execute(db)
  if (found.length === 0) return { isEmpty: true }
  const facts = await moveFacts(db)
  const { rows: traces } =
    await sql`select 1 from owners union all select 1 from blobs union all select 1 from leases limit 1`.execute(db)
  return { ...facts, isEmpty: traces.length === 0 && facts.storageId === undefined }
}

/** Makes the original plain: no process runs on it, so none holds a lease or works on a job. */
export const settleSource = transaction('settle source', async (tx, { now }: { now: number }) => {
  await releaseClaims(tx, await killPredecessors(tx, { own: '', of: 'all', now }))
  await tx.updateTable('jobs').set({ claimed_by: null }).where('claimed_by', 'is not', null).execute()
})

/** The facts that an original and its copy share. */
export async function sharedFacts(db: Db): Promise<{ key: string; value: string }[]> {
  return db.selectFrom('site').selectAll().where('key', 'not in', ownFacts).orderBy('key').execute()
}

interface BeginCopy {
  /** The `storage-id` of the original. */
  from: string
  /** The copy's own. */
  storageId: string
  tables: readonly Table[]
  facts: { key: string; value: string }[]
}

/**
 * Empties the target, marks it as a copy of `from` that is not complete, and gives it the site's facts. False where it is
 * neither empty nor such a copy: nothing else is ever removed.
 */
export const beginCopy = transaction('begin copy', async (tx, { from, storageId, tables, facts }: BeginCopy) => {
  await lockLeases(tx)
  const { isEmpty, movingFrom } = await lookAtTarget(tx)
  if (!isEmpty && movingFrom !== from) return false
  const names = [...tables.map(({ name }) => sql.table(name)), sql.table('site')]
  // What triggers keep up to date is copied as it is. `session_replication_role` would need a superuser.
  for (const name of names) await sql`alter table ${name} disable trigger user`.execute(tx)
  await sql`truncate ${sql.join(names)} restart identity`.execute(tx)
  await tx
    .insertInto('site')
    .values([...facts, ...copyFacts(from, storageId)])
    .execute()
  return true
})

/** A server that starts at this moment takes its lease before, and is seen, or after, and sees the mark. */
export async function lockLeases(tx: Tx): Promise<void> {
  await sql`lock table leases in share row exclusive mode`.execute(tx)
}

/** What came of asking a copy to leave its place: `in use` by how many servers, and then nothing is changed. */
export type GivenBack = { kind: 'given back' } | { kind: 'another database' } | { kind: 'in use'; servers: number }

/** Marks a copy as one that nobody may use any more, unless a server does. */
export const giveBack = transaction(
  'give back',
  async (tx, { storageId, now }: { storageId: string; now: number }): Promise<GivenBack> => {
    const isThere = async () => (await lookAtTarget(tx)).storageId === storageId
    // Before the lock too: another program's database may have no such table.
    if (!(await isThere())) return { kind: 'another database' }
    await lockLeases(tx)
    if (!(await isThere())) return { kind: 'another database' }
    // Should one of these processes wake up, its lease is dead, and it gets no other.
    await releaseClaims(tx, await killExpiredLeases(tx, '', now))
    const living = tx.selectFrom('leases').select('id').where('kind', '=', 'process').where('dead_since', 'is', null)
    const servers = (await living.execute()).length
    if (servers > 0) return { kind: 'in use', servers }
    const { movingFrom, givenBackAt } = await moveFacts(tx)
    // A copy that is not complete says so already, and may be completed later.
    if (movingFrom === undefined && givenBackAt === undefined) await markGivenBack(tx, now)
    return { kind: 'given back' }
  },
)

/** Copies what the target does not have yet of a table; tells after each batch how many rows it has of how many. */
export async function copyTable(
  source: Db,
  target: Catalogue,
  table: Table,
  progress: (rows: number, of: number) => void,
): Promise<void> {
  const of = await countRows(source, table)
  const last = await highestKey(target.read, table)
  let rows = last ? await countRows(source, table, last) : 0
  progress(rows, of)
  for (let batch = await rowsBehind(source, table, last, written); batch.length > 0; ) {
    // The next batch is read while this one is stored.
    const stored = target.transact(addRows, { table, rows: batch })
    const [next] = await Promise.all([rowsBehind(source, table, batch.at(-1), written), stored])
    rows += batch.length
    progress(rows, of)
    batch = next
  }
}

/** All of them as one parameter: to send a thousand rows of parameters takes longer than to store them. */
const addRows = transaction('add rows', async (tx, { table, rows }: { table: Table; rows: Row[] }) => {
  const json = JSON.stringify(rows)
  if (json.includes('\\u0000')) refuseNul(table, rows)
  const [name, columns] = [sql.table(table.name), columnList(table.given)]
  await sql`insert into ${name} (${columns}) overriding system value
    select ${columns} from json_populate_recordset(null::${name}, ${json}::json)
    on conflict do nothing`.execute(tx)
})

function refuseNul(table: Table, rows: readonly Row[]): void {
  const row = rows.find((row) => Object.values(row).some((value) => String(value).includes('\0')))
  if (!row) return
  throw new Problem(
    'storage-unavailable',
    `The row of ${table.name} with ${keyText(table, row)} holds a NUL character, which PostgreSQL cannot store. Remove it from the SQLite file, then run the command again.`,
  )
}

/** What one side has of a table: rows, and the SHA-256 of all of them in the order of the key. */
export interface Digest {
  rows: number
  sha256: string
}

export interface Comparison {
  source: Digest
  target: Digest
  /** The first row, by its key, that only one of them has like this; undefined where they are the same. */
  differsAt: string | undefined
}

export async function compareTable(source: Db, target: Db, table: Table): Promise<Comparison> {
  const [original, copy] = [new Reader(source, table), new Reader(target, table)]
  let differsAt: string | undefined
  while (true) {
    // The server works on its answer while SQLite, on this thread, gives its own.
    const [theirs, ours] = await Promise.all([copy.next(), original.next()])
    if (ours.length === 0 && theirs.length === 0) break
    differsAt ??= firstDifference(table, ours, theirs)
  }
  return { source: original.digest(), target: copy.digest(), differsAt }
}

interface Line {
  row: Row
  text: string
}

/** Reads a table from beginning to end; a row is the JSON of its values in the order of the columns, and a line feed. */
class Reader {
  readonly #db: Db
  readonly #table: Table
  readonly #hash = new Bun.CryptoHasher('sha256')
  #last: Row | undefined
  #rows = 0

  constructor(db: Db, table: Table) {
    this.#db = db
    this.#table = table
  }

  async next(): Promise<Line[]> {
    const rows = await rowsBehind(this.#db, this.#table, this.#last, compared)
    this.#last = rows.at(-1) ?? this.#last
    this.#rows += rows.length
    return rows.map((row) => {
      const text = `${JSON.stringify(this.#table.columns.map((column) => comparable(row[column])))}\n`
      this.#hash.update(text)
      return { row, text }
    })
  }

  digest(): Digest {
    return { rows: this.#rows, sha256: this.#hash.copy().digest('hex') }
  }
}

/** The schema has nothing else; what would look different on either side must not be taken for the same, or for a difference. */
function comparable(value: unknown): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'number') return value
  throw new Error(`a value that cannot be compared: ${typeof value}`)
}

function firstDifference(table: Table, ours: readonly Line[], theirs: readonly Line[]): string | undefined {
  const length = Math.max(ours.length, theirs.length)
  for (let index = 0; index < length; index += 1) {
    const line = ours[index] ?? theirs[index]
    if (line && ours[index]?.text !== theirs[index]?.text) return keyText(table, line.row)
  }
  return undefined
}

interface CompleteCopy {
  tables: readonly Table[]
  ids: Record<string, number>
  /** The original's: see `migrationsOf`. */
  migrations: readonly string[]
}

/**
 * Ends a copy that was found to be the same: ids go on behind every one that the original ever gave away, triggers work
 * again, and servers may start.
 */
export const completeCopy = transaction('complete copy', async (tx, { tables, ids, migrations }: CompleteCopy) => {
  // A server that looked before the copy was begun may have changed what was compared.
  await holdMigrations(tx)
  mustBeAlike(migrations, await migrationsOf(tx))
  for (const { name, key } of tables) {
    const id = ids[name]
    if (id !== undefined) {
      await sql`select setval(pg_get_serial_sequence(quote_ident(${name}), ${key[0]}), ${id}::bigint)`.execute(tx)
    }
    await sql`alter table ${sql.table(name)} enable trigger user`.execute(tx)
    // Or the first requests would be planned as if there were nothing in it.
    await sql`analyze ${sql.table(name)}`.execute(tx)
  }
  await sql`alter table site enable trigger user`.execute(tx)
  await markComplete(tx)
})

/** The highest id that each table which numbers its rows has ever given away. */
export async function highestIds(source: Db): Promise<Record<string, number>> {
  const { rows } = await sql<{ name: string; seq: number }>`select name, seq from sqlite_sequence`.execute(source)
  return Object.fromEntries(rows.filter(({ seq }) => seq > 0).map(({ name, seq }) => [name, seq]))
}

async function countRows(db: Db, table: Table, upTo?: Row): Promise<number> {
  const within = upTo ? sql`where (${columnList(table.key)}) <= (${keyValues(table, upTo)})` : sql``
  const { rows } = await sql<{ total: number }>`
    select count(*) as total from ${sql.table(table.name)} ${within}`.execute(db)
  return rows[0]?.total ?? 0
}

async function highestKey(db: Db, { name, key }: Table): Promise<Row | undefined> {
  const { rows } = await sql<Row>`
    select ${columnList(key)} from ${sql.table(name)} order by ${columnList(key, sql` desc`)} limit 1`.execute(db)
  return rows[0]
}

async function rowsBehind(db: Db, table: Table, last: Row | undefined, limit: number): Promise<Row[]> {
  const behind = last ? sql`where (${columnList(table.key)}) > (${keyValues(table, last)})` : sql``
  const { rows } = await sql<Row>`
    select ${columnList(table.columns)} from ${sql.table(table.name)} ${behind}
    order by ${columnList(table.key)} limit ${sql.lit(limit)}`.execute(db)
  return rows
}

function columnList(names: readonly string[], behindEach = sql``) {
  return sql.join(names.map((name) => sql`${sql.ref(name)}${behindEach}`))
}

function keyValues({ key }: Table, row: Row) {
  return sql.join(key.map((column) => row[column]))
}

function keyText({ key }: Table, row: Row): string {
  return key.map((column) => `${column} ${JSON.stringify(row[column])}`).join(', ')
}
