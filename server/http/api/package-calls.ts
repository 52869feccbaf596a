import type { Context } from 'hono'
import { type PackageGrant, packageToChange, packageToShow } from '../../access/grant.ts'
import { addressKeys } from '../../registry/download.ts'
import type { ApiEnv } from './app.ts'

/** Who calls, and what is at an address below `/packages/:owner/generic/:name`. */
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
