import { type Kysely, sql } from 'kysely'
import { columnTypes } from './column-types.ts'

/**
 * Jobs that one process of many claims, that are asked for again while they run, and that are given up; whose leases are
 * whose; the oldest release that may run.
 */
export async function up(db: Kysely<{ site: { key: string; value: string } }>): Promise<void> {
  const { text } = columnTypes(db as Kysely<unknown>)
  const jobs = db.schema.alterTable('jobs')
  await jobs.addColumn('claimed_by', text).execute()
  await jobs.addColumn('asks', 'integer', (column) => column.notNull().defaultTo(1)).execute()
  await jobs.addColumn('given_up_at', 'bigint').execute()
  await db.schema.alterTable('leases').addColumn('holder', text).execute()
  await db.schema.dropIndex('jobs_due').execute()
  await db.schema
    .createIndex('jobs_claimable')
    .on('jobs')
    .columns(['kind', 'due_at', 'id'])
    .where(sql.ref('claimed_by'), 'is', null)
    .where(sql.ref('given_up_at'), 'is', null)
    .execute()
  await db.schema
    .createIndex('jobs_claimed')
    .on('jobs')
    .column('claimed_by')
    .where('claimed_by', 'is not', null)
    .execute()
  await db.insertInto('site').values({ key: 'oldest-release', value: '0.1.0' }).execute()
}
