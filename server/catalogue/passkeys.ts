import { type RawBuilder, type Selectable, sql } from 'kysely'
import type { Db, Flag, Schema, Tx } from './schema.ts'

export type PasskeyRow = Selectable<Schema['passkeys']>

/** Whether the account of that column has any. */
export function hasPasskeys(userId: string): RawBuilder<Flag> {
  return sql<Flag>`case when exists (select 1 from passkeys where passkeys.user_id = ${sql.ref(userId)}) then 1 else 0 end`
}

/** Oldest first. */
export async function passkeysOf(db: Db | Tx, userId: number): Promise<PasskeyRow[]> {
  return db.selectFrom('passkeys').selectAll().where('user_id', '=', userId).orderBy('id').execute()
}

export async function passkeyByCredential(db: Db | Tx, credentialId: string): Promise<PasskeyRow | undefined> {
  return db.selectFrom('passkeys').selectAll().where('credential_id', '=', credentialId).executeTakeFirst()
}

/** Whether that account still has it. */
export async function passkeyStands(tx: Tx, passkey: { id: number; userId: number }): Promise<boolean> {
  const row = await tx
    .selectFrom('passkeys')
    .select('id')
    .where('id', '=', passkey.id)
    .where('user_id', '=', passkey.userId)
    .executeTakeFirst()
  return row !== undefined
}

/** Undefined where somebody, perhaps the same one, has that credential already. */
export async function insertPasskey(tx: Tx, passkey: Omit<PasskeyRow, 'id'>): Promise<number | undefined> {
  const row = await tx
    .insertInto('passkeys')
    .values(passkey)
    .onConflict((conflict) => conflict.column('credential_id').doNothing())
    .returning('id')
    .executeTakeFirst()
  return row?.id
}

/** Notes a use, unless the counter has not risen: of two at once with one counter, the second one waits and finds that. */
export async function notePasskeyUse(
  tx: Tx,
  use: { id: number; userId: number; count: number; isBackedUp: boolean; now: number },
): Promise<boolean> {
  const row = await tx
    .updateTable('passkeys')
    .set({ sign_count: use.count, is_backed_up: use.isBackedUp ? 1 : 0, last_used_at: use.now })
    .where('id', '=', use.id)
    .where('user_id', '=', use.userId)
    // Web Authentication §6.1.1: a count that does not rise was written down by two authenticators, a copy of the key is about; those
    // that count nothing send 0 every time.
    .where((passkey) => (use.count === 0 ? passkey('sign_count', '=', 0) : passkey('sign_count', '<', use.count)))
    .returning('id')
    .executeTakeFirst()
  return row !== undefined
}

/** False where the account has no such passkey. */
export async function renamePasskeyRow(
  tx: Tx,
  passkey: { id: number; userId: number; name: string },
): Promise<boolean> {
  const row = await tx
    .updateTable('passkeys')
    .set({ name: passkey.name })
    .where('id', '=', passkey.id)
    .where('user_id', '=', passkey.userId)
    .returning('id')
    .executeTakeFirst()
  return row !== undefined
}

export async function deletePasskey(tx: Tx, passkey: { id: number; userId: number }): Promise<void> {
  await tx.deleteFrom('passkeys').where('id', '=', passkey.id).where('user_id', '=', passkey.userId).execute()
}

/** How many the account had. */
export async function deletePasskeysOf(tx: Tx, userId: number): Promise<number> {
  const { numDeletedRows } = await tx.deleteFrom('passkeys').where('user_id', '=', userId).executeTakeFirst()
  return Number(numDeletedRows)
}

/** Providers at which the account can sign in. */
export async function countIdentities(db: Db | Tx, userId: number): Promise<number> {
  const { total } = await db
    .selectFrom('identities')
    .select((select) => select.fn.countAll<number>().as('total'))
    .where('user_id', '=', userId)
    .where('lapsed_at', 'is', null)
    .executeTakeFirstOrThrow()
  return Number(total)
}
