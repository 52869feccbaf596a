import { type Context, Hono } from 'hono'
import { z } from 'zod'
import type { Resolved } from '../../access/access.ts'
import { leaveForOrganisation, leaveForUser, type OwnerLeave } from '../../access/owner-leave.ts'
import { leaveToRemove } from '../../access/removal.ts'
import { Problem } from '../../problems.ts'
import { addressKeys } from '../../registry/download.ts'
import { removeOwner } from '../../registry/purge.ts'
import type { HttpParts } from '../parts.ts'
import { bodyOf, jsonBody } from './answers.ts'
import type { ApiEnv } from './app.ts'
import { documented } from './documented.ts'

const newUserName = bodyOf({ new_username: z.string('is missing') }).meta({ id: 'RenameUserOption' })
const newOrganisationName = bodyOf({ new_name: z.string('is missing') }).meta({ id: 'RenameOrgOption' })

const purge = {
  description: 'Whether packages go too; else an owner who still has some is not deleted (422).',
  schema: z.enum(['true', 'false']),
}

/** Who is calling, and the user or organisation that the address names. */
export function ownerIn(c: Context<ApiEnv>): Promise<Resolved> {
  return c.env.resolve(
    addressKeys({ owner: c.req.param('name') ?? c.req.param('org') ?? '', package: '', version: '', file: '' }),
  )
}

/** Users and organisations get another name, or are deleted. */
export function ownerChanges(parts: HttpParts): Hono<ApiEnv> {
  const rename = async (leave: OwnerLeave, wanted: string) => {
    const name = await parts.ownerNames.rename(leave, wanted)
    const { owner, caller } = leave
    log(parts, leave, `${caller.account.name} renamed ${owner.name} to ${name}`)
    return new Response(null, { status: 204 })
  }
  const remove = async (c: Context<ApiEnv>, leave: OwnerLeave) => {
    await removeOwner(parts.registry, leaveToRemove(leave, isPurge(c.req.query('purge'))))
    log(parts, leave, `${leave.caller.account.name} deleted ${leave.owner.name}`)
    return new Response(null, { status: 204 })
  }

  return new Hono<ApiEnv>()
    .post(
      '/admin/users/:name/rename',
      documented({
        tag: 'admin',
        id: 'renameUser',
        summary: 'Give a user another name',
        body: newUserName,
        answers: { 204: { description: 'The old name leads to the new one.' } },
      }),
      async (c) => {
        const leave = leaveForUser(await ownerIn(c))
        return rename(leave, (await jsonBody(c.req.raw, newUserName)).new_username)
      },
    )
    .post(
      '/orgs/:org/rename',
      documented({
        tag: 'organizations',
        id: 'renameOrganization',
        summary: 'Give an organisation another name',
        description: 'For its owners.',
        body: newOrganisationName,
        answers: { 204: { description: 'The old name leads to the new one.' } },
      }),
      async (c) => {
        const leave = leaveForOrganisation(await ownerIn(c))
        return rename(leave, (await jsonBody(c.req.raw, newOrganisationName)).new_name)
      },
    )
    .delete(
      '/admin/users/:name',
      documented({
        tag: 'admin',
        id: 'deleteUser',
        summary: 'Delete a user',
        query: { purge },
        answers: { 204: { description: 'He is gone.' } },
      }),
      async (c) => remove(c, leaveForUser(await ownerIn(c))),
    )
    .delete(
      '/orgs/:org',
      documented({
        tag: 'organizations',
        id: 'deleteOrganization',
        summary: 'Delete an organisation',
        description: 'For its owners.',
        query: { purge },
        answers: { 204: { description: 'It is gone.' } },
      }),
      async (c) => remove(c, leaveForOrganisation(await ownerIn(c))),
    )
}

/** What cannot be read must not be taken for no: somebody might believe that the packages are gone. */
function isPurge(text = ''): boolean {
  if (['true', '1'].includes(text)) return true
  if (['false', '0', ''].includes(text)) return false
  throw new Problem('unprocessable', 'purge: must be true or false, or not be there')
}

function log(parts: HttpParts, { owner, caller }: OwnerLeave, sentence: string): void {
  parts.log.info({ 'owner.name': owner.name, 'user.name': caller.account.name }, sentence)
}
