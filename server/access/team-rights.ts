import type { TeamPermission } from '../catalogue/schema.ts'

/** The kinds of things that clients of this protocol know; only packages are here. */
export const teamUnits = [
  'repo.code',
  'repo.issues',
  'repo.ext_issues',
  'repo.pulls',
  'repo.releases',
  'repo.wiki',
  'repo.ext_wiki',
  'repo.projects',
  'repo.packages',
  'repo.actions',
] as const

export type TeamUnit = (typeof teamUnits)[number]
/** What a team may be given: nobody is made an owner but by joining the team of the owners. */
export const givenPermissions = ['none', 'read', 'write', 'admin'] as const
export type GivenPermission = (typeof givenPermissions)[number]
export type UnitsMap = Partial<Record<TeamUnit, TeamPermission>>

export interface TeamRights {
  permission: TeamPermission
  /** Empty where the permission alone says it: for admin and owner, who have everything. */
  unitsMap: UnitsMap
}

/** What somebody asks for; undefined or empty is not asked for. */
export interface WantedRights {
  permission?: GivenPermission | undefined
  units?: readonly TeamUnit[] | undefined
  unitsMap?: Partial<Record<TeamUnit, GivenPermission>> | undefined
}

/** The rights of a team that is made like this, or changed like this from what it was. */
export function teamRights(wanted: WantedRights, before?: TeamRights): TeamRights {
  const permission = wanted.permission ?? before?.permission ?? 'read'
  if (permission === 'admin' || permission === 'owner') return { permission, unitsMap: {} }
  if (wanted.unitsMap && Object.keys(wanted.unitsMap).length > 0) {
    return { permission: lowest(wanted.unitsMap), unitsMap: wanted.unitsMap }
  }
  if (wanted.units?.length) return { permission, unitsMap: each(wanted.units, permission) }
  if (before && wanted.permission === undefined) return before
  // What the team could do is all brought to the new level: a unit that kept its old one would outlive its being lowered.
  return { permission, unitsMap: each(before ? unitsOf(before) : ['repo.packages'], permission) }
}

/** The least of what a map gives; none where it gives nothing. Of trackers and wikis elsewhere there is only reading. */
function lowest(unitsMap: UnitsMap): TeamPermission {
  const given = Object.entries(unitsMap).flatMap(([unit, held]) => (unit.startsWith('repo.ext_') ? [] : [held]))
  return givenPermissions.find((permission) => permission !== 'none' && given.includes(permission)) ?? 'none'
}

function each(units: readonly TeamUnit[], permission: TeamPermission): UnitsMap {
  return Object.fromEntries(units.map((unit) => [unit, permission]))
}

/** The units in which a team may do something. */
export function unitsOf({ permission, unitsMap }: TeamRights): TeamUnit[] {
  const hasAll = permission === 'admin' || permission === 'owner'
  return teamUnits.filter((unit) => hasAll || (unitsMap[unit] ?? 'none') !== 'none')
}

/** What the team may do with each unit, as clients are shown it. */
export function shownUnits(rights: TeamRights): UnitsMap {
  const { permission, unitsMap } = rights
  return permission === 'admin' || permission === 'owner' ? each(teamUnits, permission) : unitsMap
}

/** What follows for packages: 1 is a member, 2 may write, 3 owns the organisation. */
export function packageAccess({ permission, unitsMap }: TeamRights): 1 | 2 | 3 {
  if (permission === 'owner') return 3
  const unit = unitsMap['repo.packages']
  // Who says that a team gets no packages means it, whatever it may do with other things.
  if (unit === 'none') return 1
  return [permission, unit].some((held) => held === 'write' || held === 'admin') ? 2 : 1
}

/** The columns that hold the rights, and the other way round. */
export function storedRights(rights: TeamRights) {
  return {
    permission: rights.permission,
    units_map: JSON.stringify(rights.unitsMap),
    access: packageAccess(rights),
  }
}

export function rightsFrom(team: { permission: TeamPermission; units_map: string }): TeamRights {
  return { permission: team.permission, unitsMap: JSON.parse(team.units_map) as UnitsMap }
}
