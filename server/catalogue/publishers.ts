import type { Insertable, Selectable, Updateable } from 'kysely'
import type { Db, Schema, Tx } from './schema.ts'

/** A rule about which jobs may publish at an owner. */
export type PublisherRow = Selectable<Schema['publishers']> & {
  /** Who made it; null where he is gone. */
  maker: string | null
}

function publishers(db: Db | Tx) {
  return db
    .selectFrom('publishers')
    .leftJoin('owners as makers', 'makers.id', 'publishers.created_by')
    .selectAll('publishers')
    .select('makers.name as maker')
}

/** One page of an owner's, oldest first, and how many there are. */
export async function publishersPage(
  db: Db,
  ownerId: number,
  page: { offset: number; limit: number },
): Promise<{ publishers: PublisherRow[]; total: number }> {
  const its = publishers(db).where('publishers.owner_id', '=', ownerId)
  const rows = await its.orderBy('publishers.id').offset(page.offset).limit(page.limit).execute()
  return { publishers: rows, total: await countPublishers(db, ownerId) }
}

export async function countPublishers(db: Db | Tx, ownerId: number): Promise<number> {
  const { total } = await db
    .selectFrom('publishers')
    .select((select) => select.fn.countAll<number>().as('total'))
    .where('owner_id', '=', ownerId)
    .executeTakeFirstOrThrow()
  return Number(total)
}

export async function publisherAt(db: Db | Tx, ownerId: number, id: number): Promise<PublisherRow | undefined> {
  return publishers(db).where('publishers.owner_id', '=', ownerId).where('publishers.id', '=', id).executeTakeFirst()
}

/** The new row's id, or undefined where the owner has one of that name. */
export async function insertPublisher(
  tx: Tx,
  publisher: Insertable<Schema['publishers']>,
): Promise<number | undefined> {
  const row = await tx
    .insertInto('publishers')
    .values(publisher)
    .onConflict((conflict) => conflict.columns(['owner_id', 'name']).doNothing())
    .returning('id')
    .executeTakeFirst()
  return row?.id
}

/** Whether another one of the owner's has that name. */
export async function hasPublisherNamed(
  tx: Tx,
  { ownerId, name, beside }: { ownerId: number; name: string; beside: number },
): Promise<boolean> {
  const other = await tx
    .selectFrom('publishers')
    .select('id')
    .where('owner_id', '=', ownerId)
    .where('name', '=', name)
    .where('id', '!=', beside)
    .executeTakeFirst()
  return other !== undefined
}

export async function updatePublisher(tx: Tx, id: number, changes: Updateable<Schema['publishers']>): Promise<void> {
  await tx.updateTable('publishers').set(changes).where('id', '=', id).execute()
}

export async function deletePublisher(tx: Tx, id: number): Promise<void> {
  await tx.deleteFrom('publishers').where('id', '=', id).execute()
}

/** By what rules are found that may be about a token. */
export interface Pinned {
  issuer: string
  pinned: string
}

/** Rules that may be about a token, oldest first; of one owner, where there is one. No more than `limit`. */
export async function publishersPinning(
  db: Db | Tx,
  { issuer, pinned }: Pinned,
  { ownerId, limit }: { ownerId: number | undefined; limit: number },
): Promise<Selectable<Schema['publishers']>[]> {
  return db
    .selectFrom('publishers')
    .selectAll()
    .where('issuer', '=', issuer)
    .where('pinned', '=', pinned)
    .$if(ownerId !== undefined, (query) => query.where('owner_id', '=', ownerId as number))
    .orderBy('id')
    .limit(limit)
    .execute()
}

/** Ends the tokens that jobs got by an owner's rules with that pin: each may be of several of them. How many those were. */
export async function deleteTokensByPin(tx: Tx, ownerId: number, { issuer, pinned }: Pinned): Promise<number> {
  const { numDeletedRows } = await tx
    .deleteFrom('deploy_tokens')
    .where('publisher_id', 'in', (of) =>
      of
        .selectFrom('publishers')
        .select('id')
        .where('owner_id', '=', ownerId)
        .where('issuer', '=', issuer)
        .where('pinned', '=', pinned),
    )
    .executeTakeFirst()
  return Number(numDeletedRows)
}

/** A token for a job; its id. */
export async function insertTokenOfJob(
  tx: Tx,
  token: Omit<Insertable<Schema['deploy_tokens']>, 'publisher_id' | 'expires_at'> & {
    publisher_id: number
    expires_at: number
  },
): Promise<number> {
  const { id } = await tx.insertInto('deploy_tokens').values(token).returning('id').executeTakeFirstOrThrow()
  return id
}

/** Notes when a rule has let a job in. */
export async function touchPublisher(tx: Tx, id: number, at: number): Promise<void> {
  await tx.updateTable('publishers').set({ last_used_at: at }).where('id', '=', id).execute()
}

/** Removes some of the tokens of jobs that ended before that time; how many that were. */
export async function deleteEndedTokensOfJobs(tx: Tx, before: number, limit: number): Promise<number> {
  const { numDeletedRows } = await tx
    .deleteFrom('deploy_tokens')
    .where('id', 'in', (of) =>
      of
        .selectFrom('deploy_tokens')
        .select('id')
        .where('expires_at', '<', before)
        .where('publisher_id', 'is not', null)
        .orderBy('expires_at')
        .limit(limit),
    )
    .executeTakeFirst()
  return Number(numDeletedRows)
}

/** What an ID token said of the job that published a file. */
export async function insertFileOrigin(tx: Tx, origin: Schema['file_origins']): Promise<void> {
  await tx.insertInto('file_origins').values(origin).execute()
}

/** A file of a version that a job published, and what is known of the job. */
export interface FileOriginRow {
  file: string
  issuer: string
  /** JSON. */
  claims: string
  created_at: number
}

/** One page of them, by their files' names, and how many there are. */
export async function fileOrigins(
  db: Db,
  versionId: number,
  page: { offset: number; limit: number },
): Promise<{ origins: FileOriginRow[]; total: number }> {
  const its = db
    .selectFrom('files')
    .innerJoin('file_origins', 'file_origins.file_id', 'files.id')
    .where('files.version_id', '=', versionId)
  const origins = await its
    .select(['files.name as file', 'file_origins.issuer', 'file_origins.claims', 'files.created_at'])
    .orderBy('files.name_key')
    .offset(page.offset)
    .limit(page.limit)
    .execute()
  // Most versions have few or none: then this was all.
  const isAll = origins.length < page.limit && (origins.length > 0 || page.offset === 0)
  if (isAll) return { origins, total: page.offset + origins.length }
  const { total } = await its.select((select) => select.fn.countAll<number>().as('total')).executeTakeFirstOrThrow()
  return { origins, total: Number(total) }
}
