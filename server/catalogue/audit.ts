import type { Insertable, Selectable } from 'kysely'
import { prepared } from './prepared.ts'
import type { Db, Schema, Tx } from './schema.ts'

export type AuditRow = Selectable<Schema['audit_events']>
export type NewAuditRow = Omit<Insertable<Schema['audit_events']>, 'id'>

/** Rows that one statement adds: a statement has a limit of values. */
const batch = 500

export async function insertAuditEvents(tx: Tx, rows: readonly NewAuditRow[]): Promise<void> {
  const [only, ...others] = rows
  if (!only) return
  if (others.length === 0) {
    await insertOne(tx, { ...empty, ...only })
    return
  }
  for (let from = 0; from < rows.length; from += batch) {
    const some = rows.slice(from, from + batch).map((row) => ({ ...empty, ...row }))
    await tx.insertInto('audit_events').values(some).execute()
  }
}

const empty = {
  actor_id: null,
  actor_name: null,
  credential: null,
  token_last_eight: null,
  address: null,
  owner_id: null,
  owner_name: null,
  package_name: null,
  package_key: null,
  version: null,
  file: null,
  subject: null,
  details: null,
}

const insertOne = prepared(
  ['created_at', 'action', ...(Object.keys(empty) as (keyof typeof empty)[])],
  (tx, row: Required<NewAuditRow>) => tx.insertInto('audit_events').values(row),
)

/** What a page of the log is narrowed to. */
export interface AuditFilter {
  ownerId?: number | undefined
  packageKey?: string | undefined
  actorId?: number | undefined
  /** A whole action, or with a `.` at its end all that begin so. */
  action?: string | undefined
  /** Milliseconds: from, and before. */
  since?: number | undefined
  until?: number | undefined
}

function filtered(db: Db | Tx, filter: AuditFilter) {
  let query = db.selectFrom('audit_events')
  if (filter.ownerId !== undefined) query = query.where('owner_id', '=', filter.ownerId)
  if (filter.packageKey !== undefined) query = query.where('package_key', '=', filter.packageKey)
  if (filter.actorId !== undefined) query = query.where('actor_id', '=', filter.actorId)
  if (filter.since !== undefined) query = query.where('created_at', '>=', filter.since)
  if (filter.until !== undefined) query = query.where('created_at', '<', filter.until)
  const { action } = filter
  if (action?.endsWith('.')) query = query.where('action', '>=', action).where('action', '<', `${action.slice(0, -1)}/`)
  else if (action !== undefined) query = query.where('action', '=', action)
  return query
}

/** Events that are counted; where there are more, nobody is told how many. */
const mostCounted = 10_000

/** One page of the log, newest first. */
export async function auditPage(
  db: Db,
  filter: AuditFilter,
  page: { offset: number; limit: number },
): Promise<{ events: AuditRow[]; total: number | undefined }> {
  const events = await filtered(db, filter)
    .selectAll()
    .orderBy('id', 'desc')
    .offset(page.offset)
    .limit(page.limit)
    .execute()
  const counted = filtered(db, filter)
    .select('id')
    .limit(mostCounted + 1)
  const { total } = await db
    .selectFrom(counted.as('counted'))
    .select((select) => select.fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow()
  return { events, total: Number(total) > mostCounted ? undefined : Number(total) }
}

/** Removes some of those before a moment; how many that were. */
export async function deleteAuditEventsBefore(tx: Tx, before: number, limit: number): Promise<number> {
  const { numDeletedRows } = await tx
    .deleteFrom('audit_events')
    .where('id', 'in', (of) =>
      of
        .selectFrom('audit_events')
        .select('id')
        .where('created_at', '<', before)
        .orderBy('created_at')
        .orderBy('id')
        .limit(limit),
    )
    .executeTakeFirst()
  return Number(numDeletedRows)
}
