import type { Selectable } from 'kysely'
import type { Db, Schema, Tx } from './schema.ts'

export type EnrolmentRow = Selectable<Schema['totp_enrolments']>

export async function enrolmentOf(db: Db | Tx, userId: number): Promise<EnrolmentRow | undefined> {
  return db.selectFrom('totp_enrolments').selectAll().where('user_id', '=', userId).executeTakeFirst()
}

/** In the place of an earlier one. */
export async function putEnrolment(tx: Tx, enrolment: EnrolmentRow): Promise<void> {
  const { user_id, ...values } = enrolment
  await tx
    .insertInto('totp_enrolments')
    .values({ user_id, ...values })
    .onConflict((conflict) => conflict.column('user_id').doUpdateSet(values))
    .execute()
}

export async function deleteEnrolment(tx: Tx, userId: number): Promise<boolean> {
  const { numDeletedRows } = await tx.deleteFrom('totp_enrolments').where('user_id', '=', userId).executeTakeFirst()
  return numDeletedRows > 0
}

/** Takes a code's step, unless that one or a later one was taken: of two at once, the second one waits and finds it gone. */
export async function takeStep(tx: Tx, use: { userId: number; secret: string; step: number }): Promise<boolean> {
  const row = await tx
    .updateTable('users')
    .set({ totp_last_step: use.step })
    .where('id', '=', use.userId)
    .where('totp_secret', '=', use.secret)
    .where((user) => user.or([user('totp_last_step', 'is', null), user('totp_last_step', '<', use.step)]))
    .returning('id')
    .executeTakeFirst()
  return row !== undefined
}

/** False where there is no such code, or it was used. */
export async function takeRecoveryCode(tx: Tx, code: { userId: number; sha256: string }): Promise<boolean> {
  const row = await tx
    .deleteFrom('recovery_codes')
    .where('user_id', '=', code.userId)
    .where('sha256', '=', code.sha256)
    .returning('user_id')
    .executeTakeFirst()
  return row !== undefined
}

export async function countRecoveryCodes(db: Db | Tx, userId: number): Promise<number> {
  const { total } = await db
    .selectFrom('recovery_codes')
    .select((select) => select.fn.countAll<number>().as('total'))
    .where('user_id', '=', userId)
    .executeTakeFirstOrThrow()
  return total
}

/** In the place of all earlier ones. */
export async function putRecoveryCodes(tx: Tx, userId: number, sha256s: readonly string[]): Promise<void> {
  await tx.deleteFrom('recovery_codes').where('user_id', '=', userId).execute()
  await tx
    .insertInto('recovery_codes')
    .values(sha256s.map((sha256) => ({ user_id: userId, sha256 })))
    .execute()
}

/** Removes an account's second factor, confirmed or not; false where there was none of either. */
export async function deleteSecondFactor(tx: Tx, userId: number): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('users')
    .set({ totp_secret: null, totp_last_step: null })
    .where('id', '=', userId)
    .where('totp_secret', 'is not', null)
    .executeTakeFirst()
  await tx.deleteFrom('recovery_codes').where('user_id', '=', userId).execute()
  const hadEnrolment = await deleteEnrolment(tx, userId)
  return numUpdatedRows > 0 || hadEnrolment
}

/**
 * Removes every account's second factor, every link, every session and what webhooks are signed with; answers how many of each
 * there were. Those webhooks are turned off: nothing goes out without its signature.
 */
export async function deleteAllSecrets(tx: Tx) {
  const { numUpdatedRows } = await tx
    .updateTable('users')
    .set({ totp_secret: null, totp_last_step: null })
    .where('totp_secret', 'is not', null)
    .executeTakeFirst()
  await tx.deleteFrom('recovery_codes').execute()
  // Whose provider cannot be asked any more is asked for anew when he signs in.
  await tx.updateTable('identities').set({ refresh_token: null }).where('refresh_token', 'is not', null).execute()
  const enrolments = await tx.deleteFrom('totp_enrolments').executeTakeFirst()
  const links = await tx.deleteFrom('links').executeTakeFirst()
  const sessions = await tx.deleteFrom('sessions').executeTakeFirst()
  const webhooks = await tx
    .updateTable('webhooks')
    .set({ secret: null, authorization_header: null, is_active: 0 })
    .where((row) => row.or([row('secret', 'is not', null), row('authorization_header', 'is not', null)]))
    .executeTakeFirst()
  return {
    secondFactors: Number(numUpdatedRows),
    enrolments: Number(enrolments.numDeletedRows),
    links: Number(links.numDeletedRows),
    sessions: Number(sessions.numDeletedRows),
    webhooks: Number(webhooks.numUpdatedRows),
  }
}

/** What `deleteAllSecrets` would remove. */
export async function countSecrets(db: Db | Tx) {
  const { fn } = db
  const row = await db
    .selectNoFrom([
      db
        .selectFrom('users')
        .select(fn.countAll<number>().as('n'))
        .where('totp_secret', 'is not', null)
        .as('secondFactors'),
      db.selectFrom('totp_enrolments').select(fn.countAll<number>().as('n')).as('enrolments'),
      db.selectFrom('links').select(fn.countAll<number>().as('n')).as('links'),
      db.selectFrom('sessions').select(fn.countAll<number>().as('n')).as('sessions'),
      db
        .selectFrom('webhooks')
        .select(fn.countAll<number>().as('n'))
        .where((row) => row.or([row('secret', 'is not', null), row('authorization_header', 'is not', null)]))
        .as('webhooks'),
    ])
    .executeTakeFirstOrThrow()
  return row as { secondFactors: number; enrolments: number; links: number; sessions: number; webhooks: number }
}
