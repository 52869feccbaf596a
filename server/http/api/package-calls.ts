import type { Context } from 'hono'
import { ownerAt, type PackageGrant, packageToChange, packageToShow } from '../../access/grant.ts'
import { type OwnerGrant, ownerGrant } from '../../access/owner-grant.ts'
import type { Verb } from '../../access/rules.ts'
import { addressKeys } from '../../registry/download.ts'
import type { ApiEnv } from './app.ts'

/** Who calls, and what is at an address of an owner, or of a package below it: by the parameters `owner` and `name`. */
export function packageIn(c: Context<ApiEnv>) {
  const { owner = '', name = '' } = c.req.param() as Record<string, string>
  return c.env.resolve(addressKeys({ owner, package: name, version: '', file: '' }))
}

/** Leave to read the package at such an address. */
export async function packageToReadAt(c: Context<ApiEnv>): Promise<PackageGrant<'read'>> {
  return packageToShow(await packageIn(c))
}

/** Leave to change it. */
export async function packageToWriteAt(c: Context<ApiEnv>): Promise<PackageGrant<'write'>> {
  return packageToChange(await packageIn(c))
}

/** Leave to say who may do what with the packages of the owner at an address. */
export async function ownerToRunAt<V extends Verb>(c: Context<ApiEnv>, verb: V): Promise<OwnerGrant<V>> {
  const place = await packageIn(c)
  return ownerGrant(verb, place.caller, ownerAt(place))
}
