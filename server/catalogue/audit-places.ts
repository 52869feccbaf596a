import { sql } from 'kysely'
import { accessOf, membershipFrom, type OwnerRow } from './owners.ts'
import type { Db } from './schema.ts'

/** Those of the owners who are still there, as that user stands to them. */
export async function ownersAmong(db: Db, ids: readonly number[], userId: number): Promise<OwnerRow[]> {
  if (ids.length === 0) return []
  const rows = await db
    .selectFrom('owners')
    .select(['id', 'kind', 'name', 'visibility'])
    .select(accessOf(sql`${userId}`, sql.ref('owners.id')).as('access'))
    .where('id', 'in', ids)
    .execute()
  return rows.map(({ access, ...owner }) => ({ ...owner, membership: membershipFrom(access) }))
}

/** A package, or a version of it, that somebody may want to go to; keys as they are compared. */
export interface PlaceKeys {
  ownerId: number
  packageKey: string
  versionKey: string | undefined
}

/** Those of the packages and versions that are still there; a package without its version where only that one is gone. */
export async function placesAmong(
  db: Db,
  keys: readonly PlaceKeys[],
): Promise<{ ownerId: number; packageKey: string; name: string; versionKey: string | null; version: string | null }[]> {
  if (keys.length === 0) return []
  const versionKeys = [...new Set(keys.map(({ versionKey }) => versionKey ?? ''))]
  return db
    .selectFrom('packages')
    .leftJoin('versions', (join) =>
      join.onRef('versions.package_id', '=', 'packages.id').on('versions.version_key', 'in', versionKeys),
    )
    .select(['packages.owner_id as ownerId', 'packages.name_key as packageKey', 'packages.name'])
    .select(['versions.version_key as versionKey', 'versions.version'])
    .where('packages.owner_id', 'in', [...new Set(keys.map(({ ownerId }) => ownerId))])
    .where('packages.name_key', 'in', [...new Set(keys.map(({ packageKey }) => packageKey))])
    .execute()
}
