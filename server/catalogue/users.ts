import { type Insertable, type Selectable, sql, type Updateable } from 'kysely'
import { locked } from './dialect.ts'
import { hasIdentities } from './identities.ts'
import { hasPasskeys } from './passkeys.ts'
import { prepared } from './prepared.ts'
import type { Db, Flag, Schema, Tx } from './schema.ts'

/** An account with its owner's half: a user is an owner too. */
export type UserRow = Selectable<Schema['users']> &
  Pick<Selectable<Schema['owners']>, 'name' | 'visibility' | 'created_at' | 'description' | 'website' | 'location'> & {
    has_passkeys: Flag
    /** Whether he signs in through a provider. */
    has_identities: Flag
  }

export function users(db: Db | Tx) {
  return db
    .selectFrom('users')
    .innerJoin('owners', 'owners.id', 'users.id')
    .selectAll('users')
    .select(['owners.name', 'owners.visibility', 'owners.created_at'])
    .select(['owners.description', 'owners.website', 'owners.location'])
    .select([hasPasskeys('users.id').as('has_passkeys'), hasIdentities('users.id').as('has_identities')])
}

export async function userById(db: Db | Tx, id: number): Promise<UserRow | undefined> {
  const [row] = await selectUserById(db, { id })
  return row
}

const selectUserById = prepared(['id'], (db, { id }: { id: number }) => users(db).where('users.id', '=', id))

export async function userByNameKey(db: Db | Tx, key: string): Promise<UserRow | undefined> {
  const [row] = await selectUserByNameKey(db, { key })
  return row
}

const selectUserByNameKey = prepared(['key'], (db, { key }: { key: string }) =>
  users(db).where('owners.name_key', '=', key),
)

/** Whether this owner is a user. */
export async function isUser(db: Db | Tx, id: number): Promise<boolean> {
  return (await db.selectFrom('users').select('id').where('id', '=', id).executeTakeFirst()) !== undefined
}

export async function userByEmailKey(db: Db | Tx, key: string): Promise<UserRow | undefined> {
  return users(db).where('users.email_key', '=', key).executeTakeFirst()
}

export async function anyUser(db: Db | Tx): Promise<boolean> {
  return (await db.selectFrom('users').select('id').limit(1).executeTakeFirst()) !== undefined
}

export async function administrators(db: Db | Tx): Promise<UserRow[]> {
  return users(db).where('users.is_admin', '=', 1).orderBy('users.id').execute()
}

/** Nobody puts the user into a team meanwhile. */
export async function lockUser(tx: Tx, id: number): Promise<void> {
  await tx.selectFrom('users').select('id').where('id', '=', id).$call(locked(tx, 'for update')).execute()
}

/** One page of all users, oldest first, and how many there are; `text` in lower case: only whose name or e-mail address holds it. */
export async function usersPage(
  db: Db,
  page: { offset: number; limit: number },
  text = '',
): Promise<{ users: UserRow[]; total: number }> {
  let some = users(db)
  if (text !== '')
    some = some.where(sql<boolean>`(${holds('owners.name_key', text)} or ${holds('users.email_key', text)})`)
  const found = await some.orderBy('users.id').offset(page.offset).limit(page.limit).execute()
  const { total } =
    text === ''
      ? await db
          .selectFrom('users')
          .select((select) => select.fn.countAll<number>().as('total'))
          .executeTakeFirstOrThrow()
      : await some
          .clearSelect()
          .select((select) => select.fn.countAll<number>().as('total'))
          .executeTakeFirstOrThrow()
  return { users: found, total: Number(total) }
}

function holds(column: string, text: string) {
  return sql<boolean>`${sql.ref(column)} like ${`%${text.replaceAll(/[!%_]/g, '!$&')}%`} escape '!'`
}

/** Whether somebody else may run the site. Stays so until the transaction has ended where it holds `administrators` alone. */
export async function anotherAdministrator(tx: Tx, beside: number): Promise<boolean> {
  const row = await tx
    .selectFrom('users')
    .select('id')
    .where('is_admin', '=', 1)
    .where('is_active', '=', 1)
    .where('prohibit_login', '=', 0)
    .where('suspended_at', 'is', null)
    .where('id', '<>', beside)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/** Whether somebody else has the e-mail address. Who takes it at the same moment is stopped by its key. */
export async function isEmailTaken(tx: Tx, key: string, beside: number): Promise<boolean> {
  const row = await tx.selectFrom('users').select('id').where('email_key', '=', key).executeTakeFirst()
  return row !== undefined && row.id !== beside
}

/** False when the e-mail address is taken. */
export async function insertUser(tx: Tx, user: Insertable<Schema['users']>): Promise<boolean> {
  const row = await tx
    .insertInto('users')
    .values(user)
    .onConflict((conflict) => conflict.column('email_key').doNothing())
    .returning('id')
    .executeTakeFirst()
  return row !== undefined
}

/** Changes what is not undefined. */
export async function updateUser(tx: Tx, id: number, change: Omit<Updateable<Schema['users']>, 'id'>): Promise<void> {
  if (Object.values(change).every((value) => value === undefined)) return
  await tx.updateTable('users').set(change).where('id', '=', id).execute()
}
