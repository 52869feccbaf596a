import type { Selectable } from 'kysely'
import type { Db, Schema, Tx } from './schema.ts'

export type SessionRow = Selectable<Schema['sessions']>

/** Whether that session of that user is still there and not past its end. */
export async function sessionLives(
  db: Db | Tx,
  session: { id: number; userId: number; now: number },
): Promise<boolean> {
  const row = await db
    .selectFrom('sessions')
    .select('id')
    .where('id', '=', session.id)
    .where('user_id', '=', session.userId)
    .where('expires_at', '>', session.now)
    .executeTakeFirst()
  return row !== undefined
}

/** Ends every session of a user, but for one. */
export async function endSessions(tx: Tx, userId: number, except: number | null = null): Promise<void> {
  await tx
    .deleteFrom('sessions')
    .where('user_id', '=', userId)
    .$if(except !== null, (query) => query.where('id', '<>', except))
    .execute()
}
