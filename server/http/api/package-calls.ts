import type { Context } from 'hono'
import { type Grant, grantToChange, grantToShow, ownerAt } from '../../access/grant.ts'
import { addressKeys } from '../../registry/download.ts'
import type { ApiEnv } from './app.ts'

async function ownerIn(c: Context<ApiEnv>) {
  const owner = c.req.param('owner') ?? ''
  const resolved = await c.env.resolve(addressKeys({ owner, package: '', version: '', file: '' }))
  return [resolved.caller, ownerAt(resolved)] as const
}

/** Leave to read at the owner of an address below `/packages/:owner`. */
export async function grantToReadAt(c: Context<ApiEnv>): Promise<Grant<'read'>> {
  return grantToShow(...(await ownerIn(c)))
}

/** Leave to change what is there. */
export async function grantToWriteAt(c: Context<ApiEnv>): Promise<Grant<'write'>> {
  return grantToChange(...(await ownerIn(c)))
}
