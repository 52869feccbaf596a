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

/** What the log is narrowed to. */
export interface AuditFilter {
  ownerId?: number | undefined
  /** Of a package of that owner. */
  packageKey?: string | undefined
  actorId?: number | undefined
  /** Any of these. */
  actions?: readonly string[] | undefined
  credential?: string | undefined
  tokenLastEight?: string | undefined
  /** Milliseconds: from, and before. */
  since?: number | undefined
  until?: number | undefined
}

/** Events that are counted; where there are more, nobody is told how many. */
export const mostCounted = 10_000
/** Events that are looked through where no index has all that is asked for. */
const mostSearched = 20_000

type Column = 'owner_id' | 'package_key' | 'actor_id' | 'action' | 'credential' | 'token_last_eight'
type Values = Partial<Record<Column, string | number>>

/** A way to find events by an index that has them in the order of time: each of `branches` is one place in it. */
interface Way {
  columns: readonly Column[]
  branches: readonly Values[]
}

/** Each index that can be of use; without one of those the log itself, newest first. */
function waysTo({ ownerId, packageKey, actorId, actions }: AuditFilter): Way[] {
  const ways: Way[] = []
  if (ownerId !== undefined && packageKey !== undefined) {
    ways.push({
      columns: ['owner_id', 'package_key'],
      branches: [{ owner_id: ownerId, package_key: packageKey }],
    })
  } else if (ownerId !== undefined) {
    ways.push({ columns: ['owner_id'], branches: [{ owner_id: ownerId }] })
  }
  if (actorId !== undefined) ways.push({ columns: ['actor_id'], branches: [{ actor_id: actorId }] })
  if (actions !== undefined) ways.push({ columns: ['action'], branches: actions.map((action) => ({ action })) })
  return ways.length > 0 ? ways : [{ columns: [], branches: [{}] }]
}

/** The newest `howMany` of each branch. */
function newest(db: Db, way: Way, { since, until }: AuditFilter, howMany: number) {
  const found = way.branches.map((values) => {
    let branch = db.selectFrom('audit_events').selectAll()
    for (const [column, value] of Object.entries(values)) branch = branch.where(column as Column, '=', value)
    if (since !== undefined) branch = branch.where('created_at', '>=', since)
    if (until !== undefined) branch = branch.where('created_at', '<', until)
    const limited = branch.orderBy('created_at', 'desc').orderBy('id', 'desc').limit(howMany)
    return db.selectFrom(limited.as('branch')).selectAll()
  })
  const [first, ...others] = found
  if (!first) throw new Error('an audit log was asked for no action at all')
  return db.selectFrom(others.reduce((all, one) => all.unionAll(one), first).as('found'))
}

/** What no index of the way has looked at. */
function rest(filter: AuditFilter, { columns }: Way): [Column, readonly (string | number)[]][] {
  const wanted: [Column, readonly (string | number)[] | undefined][] = [
    ['owner_id', given(filter.ownerId)],
    ['package_key', given(filter.packageKey)],
    ['actor_id', given(filter.actorId)],
    ['action', filter.actions],
    ['credential', given(filter.credential)],
    ['token_last_eight', given(filter.tokenLastEight)],
  ]
  return wanted.flatMap(([column, values]) => (values && !columns.includes(column) ? [[column, values]] : []))
}

function given<Value>(value: Value | undefined): Value[] | undefined {
  return value === undefined ? undefined : [value]
}

async function count(query: ReturnType<typeof newest>): Promise<number> {
  const { total } = await query.select((it) => it.fn.countAll<number>().as('total')).executeTakeFirstOrThrow()
  return Number(total)
}

/** The way that has the fewest events, and how many those are. */
async function shortest(db: Db, filter: AuditFilter): Promise<{ way: Way; length: number }> {
  const ways = waysTo(filter)
  const lengths: number[] = []
  for (const way of ways) lengths.push(await count(newest(db, way, filter, mostSearched + 1)))
  const length = Math.min(...lengths)
  const way = ways[lengths.indexOf(length)]
  if (!way) throw new Error('there is always a way')
  return { way, length }
}

/**
 * One page of the log, newest first. Whatever is asked for, it looks at a bounded number of events: where the newest of the
 * best index do not fill the page and there are more, it is undefined, and has to be asked with a shorter time.
 */
export async function auditPage(
  db: Db,
  filter: AuditFilter,
  page: { offset: number; limit: number },
): Promise<{ events: AuditRow[]; total: number | undefined } | undefined> {
  const [only, ...others] = waysTo(filter)
  const isExact = only !== undefined && others.length === 0 && rest(filter, only).length === 0
  const { way, length } = isExact ? { way: only, length: 0 } : await shortest(db, filter)
  const search = (howMany: number) => {
    const found = newest(db, way, filter, howMany)
    return rest(filter, way).reduce((query, [column, values]) => query.where(column, 'in', values), found)
  }
  const events = await search(isExact ? page.offset + page.limit : mostSearched)
    .selectAll()
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .offset(page.offset)
    .limit(page.limit)
    .execute()
  if (length > mostSearched) return events.length < page.limit ? undefined : { events, total: undefined }
  const total = await count(search(isExact ? mostCounted + 1 : mostSearched))
  return { events, total: total > mostCounted ? undefined : total }
}

/** Whose name that was who is gone: of those that were deleted last. */
export async function goneOwner(db: Db, isNamed: (name: string) => boolean): Promise<number | undefined> {
  const way = { columns: ['action'] as const, branches: gone.map((action) => ({ action })) }
  const rows = await newest(db, way, {}, mostCounted)
    .select(['owner_id', 'owner_name'])
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .execute()
  return rows.find((row) => row.owner_name !== null && isNamed(row.owner_name))?.owner_id ?? undefined
}

const gone = ['account.deleted', 'organisation.deleted']

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
