import type { Insertable, Selectable, Updateable } from 'kysely'
import { prepared } from './prepared.ts'
import type { Db, Schema, Tx } from './schema.ts'

/** An account with its owner's half: a user is an owner too. */
export type UserRow = Selectable<Schema['users']> &
  Pick<Selectable<Schema['owners']>, 'name' | 'visibility' | 'created_at' | 'description' | 'website' | 'location'>

function users(db: Db | Tx) {
  return db
    .selectFrom('users')
    .innerJoin('owners', 'owners.id', 'users.id')
    .selectAll('users')
    .select(['owners.name', 'owners.visibility', 'owners.created_at'])
    .select(['owners.description', 'owners.website', 'owners.location'])
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

export async function anyUser(db: Db | Tx): Promise<boolean> {
  return (await db.selectFrom('users').select('id').limit(1).executeTakeFirst()) !== undefined
}

export async function administrators(db: Db | Tx): Promise<UserRow[]> {
  return users(db).where('users.is_admin', '=', 1).orderBy('users.id').execute()
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

export async function updateUser(tx: Tx, id: number, change: Omit<Updateable<Schema['users']>, 'id'>): Promise<void> {
  await tx.updateTable('users').set(change).where('id', '=', id).execute()
}
