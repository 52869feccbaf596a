import { deployTokenAt, deployTokensPage } from '../catalogue/deploy-tokens.ts'
import { alone, lockByName } from '../catalogue/named-locks.ts'
import { isMember } from '../catalogue/organisations.ts'
import {
  accessHeld,
  countHolders,
  deleteGrant,
  type Holder,
  type HolderKind,
  holderKinds,
  holdersOf,
  insertGrant,
  type NamedHolder,
  updateGrant,
} from '../catalogue/package-grants.ts'
import {
  countBarePackages,
  deletePackageIfBare,
  ensurePackage,
  lockPackage,
  packageSetting,
  setVisibility,
} from '../catalogue/packages.ts'
import type { PackageVisibility, Tx } from '../catalogue/schema.ts'
import { teamById, teamsPage } from '../catalogue/teams.ts'
import { type Catalogue, transaction } from '../catalogue/transaction.ts'
import { userByNameKey } from '../catalogue/users.ts'
import { ownerKey, type PackageKey, type PackageName, packageName, possiblePackage } from '../names.ts'
import { Problem } from '../problems.ts'
import { audit } from './audit.ts'
import { maySee } from './grant.ts'
import { type OwnerClaim, type OwnerGrant, ownerClaim, ownerGrantNow } from './owner-grant.ts'

/** For those who may not import the catalogue. */
export { type HolderKind, holderKinds, type PackageVisibility }

/** Users, teams and tokens that one package may name. */
export const mostHolders = 200

/** Packages without a version that an owner may have before another one is made here: quotas count versions. */
export const mostBare = 10_000

/** What somebody may be named for. */
export type GivenAccess = 'read' | 'write'

/** Who sees a package, and whom it names, be it there or not. */
export interface PackageAccessView {
  /** As it is spelled, or as it was asked for. */
  name: string
  visibility: PackageVisibility
  holders: readonly ShownHolder[]
}

export interface ShownHolder {
  kind: HolderKind
  id: number
  name: string
  permission: GivenAccess
}

interface AtPackage {
  claim: OwnerClaim
  package: PackageName
  now: number
}

interface ChangeVisibility extends AtPackage {
  visibility: PackageVisibility
}

/** Takes something away where the package becomes private; then uploads by who is not meant any more end before this is answered. */
export const changePackageVisibility = transaction(
  'change package visibility',
  async (tx, args: ChangeVisibility): Promise<void> => {
    const { visibility, now } = args
    const { caller, owner } = await grantAndLock(tx, args, visibility === 'private')
    const before = await settingOf(tx, args)
    if ((before?.visibility ?? 'inherit') === visibility) return
    const its = before ?? (await make(tx, args))
    await audit(tx, caller, now, {
      action: 'package.visibility-changed',
      owner,
      package: { name: its.name, key: args.package.key },
      details: { visibility_before: before?.visibility ?? 'inherit', visibility },
    })
    await setVisibility(tx, its.id, visibility)
    if (visibility === 'inherit') await dropIfBare(tx, its.id)
  },
)

interface Name extends AtPackage {
  holder: Pick<Holder, 'kind'> & { id: string }
  permission: GivenAccess
}

/** Names somebody, or names him for something else. Who had more before loses it. */
export const nameHolder = transaction('name holder', async (tx, args: Name): Promise<void> => {
  const { permission, now } = args
  const grant = await grantAndLock(tx, args, permission === 'read')
  const holder = await mustBeNameable(tx, grant, args.holder)
  const access = permission === 'write' ? 2 : 1
  const its = (await settingOf(tx, args)) ?? (await make(tx, args))
  const before = await accessHeld(tx, its.id, holder)
  if (before === access) return
  if (before === undefined) {
    if ((await countHolders(tx, its.id)) >= mostHolders) {
      throw new Problem('unprocessable', `A package may name ${mostHolders} at most: put people into a team.`)
    }
    await insertGrant(tx, { ownerId: grant.owner.id, packageId: its.id, holder, access, now })
  } else await updateGrant(tx, its.id, holder, access)
  await tellAccess(tx, grant, { ...args, name: its.name }, holder, before, access)
})

interface Unname extends AtPackage {
  holder: Holder
}

/** Names somebody no more; the package goes with the last that is said of it where it has no version. */
export const unnameHolder = transaction('unname holder', async (tx, args: Unname): Promise<void> => {
  const grant = await grantAndLock(tx, args, true)
  const its = await settingOf(tx, args)
  const holder = its && (await holdersOf(tx, its.id)).find((one) => isSame(one, args.holder))
  if (!its || !holder) throw new Problem('not-found', 'Not found.')
  await deleteGrant(tx, its.id, holder)
  await tellAccess(tx, grant, { ...args, name: its.name }, holder, holder.access, undefined)
  if (its.visibility === 'inherit') await dropIfBare(tx, its.id)
})

/** The package's name is held alone, as whoever removes versions does: else the row could go between two looks at it. */
async function grantAndLock(tx: Tx, { claim, package: name, now }: AtPackage, loses: boolean) {
  const grant = await ownerGrantNow(tx, claim, now, { loses })
  await lockByName(tx, [alone(`package ${claim.ownerId} ${name.key}`)])
  return grant
}

function settingOf(tx: Tx, { claim, package: { key } }: AtPackage) {
  return packageSetting(tx, { ownerId: claim.ownerId, nameKey: key })
}

/** A package without a version: in no list, and private before its first file if that is what it becomes. */
async function make(tx: Tx, { claim, package: { text, key }, now }: AtPackage) {
  if ((await countBarePackages(tx, claim.ownerId)) >= mostBare) {
    throw new Problem('unprocessable', `There are ${mostBare} packages without a version already: delete some first.`)
  }
  return ensurePackage(tx, { ownerId: claim.ownerId, name: text, nameKey: key, now })
}

async function dropIfBare(tx: Tx, id: number): Promise<void> {
  await lockPackage(tx, id)
  await deletePackageIfBare(tx, id)
}

async function tellAccess(
  tx: Tx,
  { caller, owner }: OwnerGrant<'write'>,
  { name, package: { key }, now }: AtPackage & { name: string },
  { kind, name: subject }: Pick<NamedHolder, 'kind' | 'name'>,
  before: 1 | 2 | undefined,
  after: 1 | 2 | undefined,
): Promise<void> {
  await audit(tx, caller, now, {
    action: 'package.access-changed',
    owner,
    package: { name, key },
    subject,
    details: { kind, access_before: wordOf(before) ?? 'none', access: wordOf(after) ?? 'none' },
  })
}

function wordOf(access: 1 | 2 | undefined): GivenAccess | undefined {
  return access === undefined ? undefined : access === 2 ? 'write' : 'read'
}

function isSame(one: Holder, other: Holder): boolean {
  return one.kind === other.kind && one.id === other.id
}

/** Whoever is hidden from the caller is unknown to him, unless he is in the organisation already. */
async function mustBeNameable(
  tx: Tx,
  { caller, owner }: OwnerGrant<'write'>,
  { kind, id }: Name['holder'],
): Promise<Holder & { name: string }> {
  if (kind === 'user') {
    const key = ownerKey(id)
    const user = key === undefined ? undefined : await userByNameKey(tx, key)
    const isKnown =
      user &&
      (maySee(caller, { ...user, kind: 'user' }) ||
        (owner.kind === 'organisation' && (await isMember(tx, { organisationId: owner.id, userId: user.id }))))
    if (isKnown) return { kind, id: user.id, name: user.name }
  } else if (kind === 'team') {
    const team = await teamById(tx, numberFrom(id))
    if (team?.organisation_id === owner.id) return { kind, id: team.id, name: team.name }
  } else {
    const token = await deployTokenAt(tx, owner.id, numberFrom(id))
    if (token) return { kind, id: token.id, name: token.name }
  }
  throw new Problem('not-found', 'There is no such user, team or deploy token here, or not for you to see.')
}

/** Teams and tokens that a page offers. */
const mostOffered = 200

/** Rights on one package, beside those that somebody has by its owner. */
export class PackageAccess {
  readonly #catalogue: Catalogue
  readonly #now: () => number

  constructor(parts: { catalogue: Catalogue; now: () => number }) {
    this.#catalogue = parts.catalogue
    this.#now = parts.now
  }

  /** As it would be also where it is not there yet; `not-found` where no package can have the name. */
  async show({ owner }: OwnerGrant, name: string): Promise<PackageAccessView> {
    const nameKey = mustBePossible(name)
    const { read } = this.#catalogue
    const its = await packageSetting(read, { ownerId: owner.id, nameKey })
    const holders = its ? await holdersOf(read, its.id) : []
    return {
      name: its?.name ?? name,
      visibility: its?.visibility ?? 'inherit',
      holders: holders.map(({ access, ...one }) => ({ ...one, permission: access === 2 ? 'write' : 'read' })),
    }
  }

  async setVisibility(grant: OwnerGrant<'write'>, name: string, visibility: PackageVisibility): Promise<void> {
    await this.#catalogue.transact(changePackageVisibility, { ...this.#at(grant, packageName(name)), visibility })
  }

  /** `id` is a user's name, or the number of a team or a deploy token. */
  async name(
    grant: OwnerGrant<'write'>,
    name: string,
    holder: { kind: HolderKind; id: string },
    permission: GivenAccess,
  ): Promise<void> {
    await this.#catalogue.transact(nameHolder, { ...this.#at(grant, packageName(name)), holder, permission })
  }

  async unname(grant: OwnerGrant<'write'>, name: string, holder: { kind: HolderKind; id: string }): Promise<void> {
    const key = mustBePossible(name)
    const { holders } = await this.show(grant, name)
    const sent = holder.kind === 'user' ? ownerKey(holder.id) : undefined
    const found = holders.find(
      (one) =>
        one.kind === holder.kind &&
        (holder.kind === 'user' ? ownerKey(one.name) === sent : one.id === numberFrom(holder.id)),
    )
    if (!found) throw new Problem('not-found', 'Not found.')
    const { kind, id } = found
    await this.#catalogue.transact(unnameHolder, { ...this.#at(grant, { text: name, key }), holder: { kind, id } })
  }

  /** The teams and tokens of the owner, which a package may name. */
  async nameable({ owner }: OwnerGrant): Promise<Record<'teams' | 'tokens', { id: number; name: string }[]>> {
    const { read } = this.#catalogue
    const window = { offset: 0, limit: mostOffered }
    const teams = owner.kind === 'organisation' ? (await teamsPage(read, owner.id, window)).teams : []
    return { teams, tokens: (await deployTokensPage(read, owner.id, window)).tokens }
  }

  #at(grant: OwnerGrant<'write'>, name: PackageName): AtPackage {
    return { claim: ownerClaim(grant), package: name, now: this.#now() }
  }
}

function mustBePossible(name: string): PackageKey {
  const key = possiblePackage(name)
  if (key === undefined) throw new Problem('not-found', 'package does not exist')
  return key
}

/** What can be no id is something that does not exist. */
function numberFrom(text: string): number {
  return /^[1-9]\d{0,14}$/.test(text) ? Number(text) : 0
}
