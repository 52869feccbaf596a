import { type RawBuilder, sql } from 'kysely'
import type { Db, PackageVisibility, Tx } from './schema.ts'

/** What somebody is named for at a package. */
export type NamedAccess = 'none' | 'read' | 'write'

/** A package as an address means it, be it there or not, and as it is for who asks. */
export interface PackageStanding {
  /** Its folded name; '' where the address names none. */
  key: string
  visibility: PackageVisibility
  /** What the package itself gives who asks, beside what he has by its owner. */
  named: NamedAccess
}

/** As whom somebody may be named; null where he is none such. */
export interface Named {
  userId: RawBuilder<number | null>
  deployTokenId: RawBuilder<number | null>
}

const levels: readonly NamedAccess[] = ['none', 'read', 'write']

/** Of the number that `namedAccess` finds. */
export function namedFrom(access: number | null): NamedAccess {
  return levels[access ?? 0] ?? 'none'
}

/**
 * The most that a package names somebody for; null where it does not. One look at the few whom it names: PostgreSQL plans it anew in
 * each transaction, which takes longer than the look.
 */
export function namedAccess(
  { userId, deployTokenId }: Named,
  packageId: RawBuilder<unknown>,
): RawBuilder<number | null> {
  return sql<number | null>`(select max(access) from package_grants where package_id = ${packageId} and (
    user_id = ${userId} or deploy_token_id = ${deployTokenId}
    or team_id in (select team_id from team_members where user_id = ${userId})))`
}

/** The packages that name somebody. */
export function packagesNaming({ userId, deployTokenId }: Named): RawBuilder<number> {
  return sql<number>`(
    select package_id from package_grants where user_id = ${userId}
    union all
    select package_id from package_grants where deploy_token_id = ${deployTokenId}
    union all
    select package_id from team_members join package_grants on package_grants.team_id = team_members.team_id
    where team_members.user_id = ${userId})`
}

/** 1 where some package of an owner names somebody, else 0. */
export function namedAt({ userId, deployTokenId }: Named, ownerId: RawBuilder<unknown>): RawBuilder<0 | 1> {
  return sql<0 | 1>`(case when exists (
      select 1 from package_grants where user_id = ${userId} and owner_id = ${ownerId}
    ) or exists (
      select 1 from package_grants where deploy_token_id = ${deployTokenId} and owner_id = ${ownerId}
    ) or exists (
      select 1 from team_members join package_grants on package_grants.team_id = team_members.team_id
      where team_members.user_id = ${userId} and package_grants.owner_id = ${ownerId}
    ) then 1 else 0 end)`
}

/** Whom a package can name: a user, a team of its owner, or one of its owner's deploy tokens. */
export interface Holder {
  kind: HolderKind
  id: number
}

export const holderKinds = ['user', 'team', 'deploy-token'] as const
export type HolderKind = (typeof holderKinds)[number]

/** Somebody whom a package names, as he is called now. */
export interface NamedHolder extends Holder {
  name: string
  access: 1 | 2
}

const columnOf = { user: 'user_id', team: 'team_id', 'deploy-token': 'deploy_token_id' } as const

/** Everybody whom a package names, by kind and name. */
export async function holdersOf(db: Db | Tx, packageId: number): Promise<NamedHolder[]> {
  const rows = await db
    .selectFrom('package_grants')
    .leftJoin('owners', 'owners.id', 'package_grants.user_id')
    .leftJoin('teams', 'teams.id', 'package_grants.team_id')
    .leftJoin('deploy_tokens', 'deploy_tokens.id', 'package_grants.deploy_token_id')
    .select(['package_grants.user_id', 'package_grants.team_id', 'package_grants.deploy_token_id'])
    .select(['package_grants.access', 'owners.name as user', 'teams.name as team', 'deploy_tokens.name as token'])
    .where('package_grants.package_id', '=', packageId)
    .orderBy((it) =>
      it.case().when('user_id', 'is not', null).then(0).when('team_id', 'is not', null).then(1).else(2).end(),
    )
    .orderBy((it) => it.fn.coalesce('owners.name_key', 'teams.name_key', 'deploy_tokens.name'))
    .execute()
  return rows.flatMap(({ user_id, team_id, deploy_token_id, access, ...names }): NamedHolder[] => {
    if (user_id !== null) return [{ kind: 'user', id: user_id, name: names.user ?? '', access }]
    if (team_id !== null) return [{ kind: 'team', id: team_id, name: names.team ?? '', access }]
    return deploy_token_id === null
      ? []
      : [{ kind: 'deploy-token', id: deploy_token_id, name: names.token ?? '', access }]
  })
}

/** How many a package names. */
export async function countHolders(tx: Tx, packageId: number): Promise<number> {
  const { total } = await tx
    .selectFrom('package_grants')
    .select(({ fn }) => fn.countAll<number>().as('total'))
    .where('package_id', '=', packageId)
    .executeTakeFirstOrThrow()
  return Number(total)
}

/** What a package names somebody for; undefined where it does not. */
export async function accessHeld(tx: Tx, packageId: number, { kind, id }: Holder): Promise<1 | 2 | undefined> {
  const row = await tx
    .selectFrom('package_grants')
    .select('access')
    .where('package_id', '=', packageId)
    .where(columnOf[kind], '=', id)
    .executeTakeFirst()
  return row?.access
}

/** Names somebody whom the package does not name yet. */
export async function insertGrant(
  tx: Tx,
  wanted: { ownerId: number; packageId: number; holder: Holder; access: 1 | 2; now: number },
): Promise<void> {
  const { ownerId, packageId, holder, access, now } = wanted
  await tx
    .insertInto('package_grants')
    .values({
      ...{ owner_id: ownerId, package_id: packageId, access, created_at: now },
      ...{ user_id: null, team_id: null, deploy_token_id: null },
      [columnOf[holder.kind]]: holder.id,
    })
    .execute()
}

export async function updateGrant(tx: Tx, packageId: number, { kind, id }: Holder, access: 1 | 2): Promise<void> {
  await tx
    .updateTable('package_grants')
    .set({ access })
    .where('package_id', '=', packageId)
    .where(columnOf[kind], '=', id)
    .execute()
}

export async function deleteGrant(tx: Tx, packageId: number, { kind, id }: Holder): Promise<void> {
  await tx.deleteFrom('package_grants').where('package_id', '=', packageId).where(columnOf[kind], '=', id).execute()
}
