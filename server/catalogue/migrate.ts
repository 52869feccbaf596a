import type { Kysely } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import { Problem } from '../problems.ts'
import { migrations as ours } from './migrations/index.ts'
import type { Schema, Tx } from './schema.ts'

/**
 * Brings the database to the newest schema, all or nothing, once however many nodes start together.
 *
 * A database that a newer release has changed is left as it is, and is served as long as it says that this release
 * may: so a node of the previous release can go on, and start again, while the others are being replaced.
 *
 * `ask` throws where this database must not be changed; it is called where there are tables, before anything is.
 */
export async function migrate(
  db: Kysely<Schema>,
  release: string,
  migrations: Record<string, Migration> = ours,
  ask: MayMigrate = async () => undefined,
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    // Before anything is looked at. The migrator takes it once more, which costs nothing.
    await holdMigrations(tx)
    const applied = await appliedMigrations(tx)
    if (applied.length > 0) await ask(tx)
    const isNewer = applied.some((name) => !(name in migrations))
    const isComplete = Object.keys(migrations).every((name) => applied.includes(name))
    if (!isNewer && !isComplete) {
      const provider = { getMigrations: async () => migrations }
      const { error } = await new Migrator({ db: tx, provider }).migrateToLatest()
      if (error) throw error
    }
    await mustServe(tx, release)
  })
}

export type MayMigrate = (tx: Tx) => Promise<void>

/** Nobody else migrates until this transaction has ended. */
export async function holdMigrations(tx: Tx): Promise<void> {
  const { adapter } = tx.getExecutor()
  await adapter.acquireMigrationLock(tx, { lockTable: 'kysely_migration_lock', lockRowId: 'migration_lock' })
}

async function appliedMigrations(tx: Kysely<Schema>): Promise<string[]> {
  const tables = await tx.introspection.getTables({ withInternalKyselyTables: true })
  if (!tables.some(({ name }) => name === 'kysely_migration')) return []
  const rows = await tx
    .withTables<{ kysely_migration: { name: string } }>()
    .selectFrom('kysely_migration')
    .select('name')
    .execute()
  return rows.map(({ name }) => name)
}

/** Throws where the schema no longer serves this release. */
async function mustServe(tx: Kysely<Schema>, release: string): Promise<void> {
  const row = await tx.selectFrom('site').select('value').where('key', '=', 'oldest-release').executeTakeFirst()
  if (!row || !isOlder(release, row.value)) return
  throw new Problem(
    'storage-unavailable',
    `This is Stowage ${release}, but the database was changed by a newer release and needs ${row.value} or newer. Start that release, or restore a backup from before the upgrade.`,
  )
}

/** Whether one release came before another; both are `major.minor.patch`, with nothing behind that counts. */
export function isOlder(release: string, than: string): boolean {
  const [a, b] = [release, than].map((text) => text.split('-')[0]?.split('.').map(Number) ?? [])
  for (let index = 0; index < 3; index += 1) {
    const difference = (a?.[index] ?? 0) - (b?.[index] ?? 0)
    if (difference !== 0) return difference < 0
  }
  return false
}
