import { type RawBuilder, sql } from 'kysely'
import type { PackageVisibility } from './schema.ts'

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

/** The most that a package names somebody for; null where it does not. */
export function namedAccess(
  { userId, deployTokenId }: Named,
  packageId: RawBuilder<unknown>,
): RawBuilder<number | null> {
  return sql<number | null>`(select max(access) from (
    select access from package_grants where package_id = ${packageId} and user_id = ${userId}
    union all
    select access from package_grants where package_id = ${packageId} and deploy_token_id = ${deployTokenId}
    union all
    select access from team_members join package_grants on package_grants.team_id = team_members.team_id
    where team_members.user_id = ${userId} and package_grants.package_id = ${packageId}) as named)`
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
