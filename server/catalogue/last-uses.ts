import { sql } from 'kysely'
import { isPostgres } from './dialect.ts'
import type { Tx } from './schema.ts'

/** What is used to call, and has a row that says when that was last. */
export type Used = 'tokens' | 'sessions' | 'deploy_tokens'

export interface Use {
  id: number
  /** Milliseconds since 1970. */
  at: number
}

/** Writes down when these were last used. What is gone stays gone, and a later time stays as it is: another node may have been first. */
export async function setLastUses(tx: Tx, used: Used, uses: readonly Use[]): Promise<void> {
  const [table, id] = [sql.table(used), sql.ref(`${used}.id`)]
  // An update locks its rows in any order, and two nodes would wait for each other.
  if (isPostgres(tx)) {
    const ids = sql.join(uses.map((use) => use.id))
    await sql`select id from ${table} where id in (${ids}) order by id for update`.execute(tx)
  }
  const values = sql.join(uses.map((use) => sql`(cast(${use.id} as bigint), cast(${use.at} as bigint))`))
  await sql`
    with used (id, at) as (values ${values})
    update ${table} set last_used_at = used.at from used
    where ${id} = used.id and (last_used_at is null or last_used_at < used.at)`.execute(tx)
}
