import { type Kysely, sql } from 'kysely'

/** Milliseconds; PostgreSQL looks after a second whether somebody waits for somebody who waits for him. */
const lockPatience = 60
const lockAttempts = 500
const lockNotAvailable = '55P03'

/**
 * Takes all locks at once, before anything is changed. Who reads several tables at this moment comes to them in an order of his
 * own, and the two could wait for each other: then this one stands back before the other is broken off, and begins anew.
 */
export async function lockTables(db: Kysely<unknown>, lock: () => Promise<void>): Promise<void> {
  for (let attempt = 1; attempt < lockAttempts; attempt += 1) {
    await sql`savepoint locks`.execute(db)
    try {
      await sql`set local lock_timeout = ${sql.lit(lockPatience)}`.execute(db)
      await lock()
      await sql`set local lock_timeout = 0`.execute(db)
      return
    } catch (error) {
      if ((error as { code?: string }).code !== lockNotAvailable) throw error
      await sql`rollback to savepoint locks`.execute(db)
      await Bun.sleep(Math.random() * 2 * lockPatience)
    }
  }
  // In a crowd that lets nobody through, somebody is broken off.
  await lock()
}
