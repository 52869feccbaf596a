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

/** Ends every session of a user, but for one; how many that were. */
export async function endSessions(tx: Tx, userId: number, except: number | null = null): Promise<number> {
  const { numDeletedRows } = await tx
    .deleteFrom('sessions')
    .where('user_id', '=', userId)
    .$if(except !== null, (query) => query.where('id', '<>', except))
    .executeTakeFirst()
  return Number(numDeletedRows)
}

export async function insertSession(tx: Tx, session: Omit<SessionRow, 'id'>): Promise<number> {
  const { id } = await tx.insertInto('sessions').values(session).returning('id').executeTakeFirstOrThrow()
  return id
}

/** Whose session that is, ended or not. */
export async function holderOfSession(
  db: Db | Tx,
  sha256: string,
): Promise<{ id: number; userId: number } | undefined> {
  return db.selectFrom('sessions').select(['id', 'user_id as userId']).where('sha256', '=', sha256).executeTakeFirst()
}

/** Those of a user that have not ended, newest first. */
export async function sessionsOf(
  db: Db | Tx,
  { userId, now, idleSince }: { userId: number; now: number; idleSince: number },
): Promise<SessionRow[]> {
  return db
    .selectFrom('sessions')
    .selectAll()
    .where('user_id', '=', userId)
    .where('expires_at', '>', now)
    .where('last_used_at', '>', idleSince)
    .orderBy('id', 'desc')
    .execute()
}

/** False where the user has no such session. */
export async function deleteSession(tx: Tx, { userId, id }: { userId: number; id: number }): Promise<boolean> {
  const row = await tx
    .deleteFrom('sessions')
    .where('id', '=', id)
    .where('user_id', '=', userId)
    .returning('id')
    .executeTakeFirst()
  return row !== undefined
}

/** Leaves a user the newest ones. */
export async function keepNewestSessions(tx: Tx, userId: number, howMany: number): Promise<void> {
  await tx
    .deleteFrom('sessions')
    .where('user_id', '=', userId)
    .where('id', 'not in', (sessions) =>
      sessions.selectFrom('sessions').select('id').where('user_id', '=', userId).orderBy('id', 'desc').limit(howMany),
    )
    .execute()
}

export async function deleteEndedSessions(
  tx: Tx,
  { now, idleSince }: { now: number; idleSince: number },
): Promise<void> {
  await tx
    .deleteFrom('sessions')
    .where((session) => session.or([session('expires_at', '<=', now), session('last_used_at', '<=', idleSince)]))
    .execute()
}
