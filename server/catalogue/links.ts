import type { Insertable, Selectable } from 'kysely'
import type { Db, Schema, Tx } from './schema.ts'

/** A link, with who made it and where it leads. */
export type LinkRow = Selectable<Schema['links']> & {
  maker: string | null
  /** Of the account whose password it is. */
  user: string | null
  organisation_id: number | null
  organisation: string | null
  team: string | null
}

export type LinkKind = LinkRow['kind']

function links(db: Db | Tx) {
  return db
    .selectFrom('links')
    .leftJoin('owners as makers', 'makers.id', 'links.created_by')
    .leftJoin('owners as accounts', 'accounts.id', 'links.user_id')
    .leftJoin('teams', 'teams.id', 'links.team_id')
    .leftJoin('owners as organisations', 'organisations.id', 'teams.organisation_id')
    .selectAll('links')
    .select(['makers.name as maker', 'accounts.name as user'])
    .select(['teams.organisation_id', 'organisations.name as organisation', 'teams.name as team'])
}

export async function linkById(db: Db | Tx, id: number): Promise<LinkRow | undefined> {
  return links(db).where('links.id', '=', id).executeTakeFirst()
}

/** Expired or not. */
export async function linkByHash(
  db: Db | Tx,
  wanted: { kind: LinkKind; sha256: string },
): Promise<LinkRow | undefined> {
  return links(db).where('links.sha256', '=', wanted.sha256).where('links.kind', '=', wanted.kind).executeTakeFirst()
}

export async function insertLink(tx: Tx, link: Insertable<Schema['links']>): Promise<LinkRow> {
  const { id } = await tx.insertInto('links').values(link).returning('id').executeTakeFirstOrThrow()
  return links(tx).where('links.id', '=', id).executeTakeFirstOrThrow()
}

/** False where it is gone: of two that use it at once, one gets it. */
export async function deleteLink(tx: Tx, id: number): Promise<boolean> {
  return (await tx.deleteFrom('links').where('id', '=', id).returning('id').executeTakeFirst()) !== undefined
}

/** Voids the links by which an account's password can be set; `asked`: only those that were asked for without signing in. */
export async function deleteResetLinks(tx: Tx, userId: number, which: 'all' | 'asked' = 'all'): Promise<void> {
  await tx
    .deleteFrom('links')
    .where('kind', '=', 'password-reset')
    .where('user_id', '=', userId)
    .$if(which === 'asked', (query) => query.where('created_by', 'is', null))
    .execute()
}

/** Invitations that have not expired: all, or those into one organisation's teams. */
export interface OpenInvitations {
  organisationId: number | null
  now: number
}

export async function openInvitations(
  db: Db,
  { organisationId, now }: OpenInvitations,
  page: { offset: number; limit: number },
): Promise<{ invitations: LinkRow[]; total: number }> {
  const open = links(db)
    .where('links.kind', '=', 'invitation')
    .where('links.expires_at', '>', now)
    .$if(organisationId !== null, (query) => query.where('teams.organisation_id', '=', organisationId))
  const invitations = await open.orderBy('links.id').offset(page.offset).limit(page.limit).execute()
  const { total } = await db
    .selectFrom(open.as('open'))
    .select((select) => select.fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow()
  return { invitations, total: Number(total) }
}

export async function countInvitationsBy(tx: Tx, userId: number, now: number): Promise<number> {
  const { total } = await tx
    .selectFrom('links')
    .select((select) => select.fn.countAll<number>().as('total'))
    .where('kind', '=', 'invitation')
    .where('created_by', '=', userId)
    .where('expires_at', '>', now)
    .executeTakeFirstOrThrow()
  return Number(total)
}

export async function deleteExpiredLinks(tx: Tx, now: number): Promise<void> {
  await tx.deleteFrom('links').where('expires_at', '<=', now).execute()
}
