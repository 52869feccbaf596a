import { Hono } from 'hono'
import { z } from 'zod'
import type { SignedIn } from '../../access/caller.ts'
import { pageOf } from '../../http/api/answers.ts'
import { shortText, visibility } from '../../http/api/profile-fields.ts'
import type { HttpParts } from '../../http/parts.ts'
import { Problem } from '../../problems.ts'
import { attempt, checked, Form } from '../forms.ts'
import { goTo, linksOf, type Render } from '../page.tsx'
import { type PageEnv, visitOf } from '../visit.ts'
import { Mine, NewOrganisation } from './mine.tsx'

const typed = z.object({
  name: z.string().min(1, 'type a name'),
  full_name: shortText,
  description: shortText,
  visibility,
})

/** The organisations that the reader is in, and a new one. */
export function ownOrganisationPages(parts: HttpParts, render: Render): Hono<PageEnv> {
  const links = linksOf(parts)
  return new Hono<PageEnv>()
    .get('/user/organisations', async (c) => {
      const visitor = visitOf(c).signedIn()
      const page = pageOf(new URL(c.req.url))
      const { organisations, total } = await parts.organisations.listOf(visitor.account, visitor, page)
      const teams = await parts.teams.ofCaller(visitor, organisations)
      const mayNot = await refusalFor(parts, visitor)
      return render(
        c,
        { title: 'Your organisations' },
        <Mine organisations={organisations} teams={teams} total={total} page={page} mayNot={mayNot} />,
      )
    })
    .get('/org/create', async (c) => {
      await parts.organisations.founder(visitOf(c).signedIn())
      const values = { name: '', full_name: '', description: '', visibility: 'public' }
      return render(c, { title: 'New organisation' }, <NewOrganisation values={values} faults={undefined} />)
    })
    .post('/org/create', async (c) => {
      const grant = await parts.organisations.founder(visitOf(c).signedIn())
      const form = await Form.of(c.req.raw)
      const values = {
        name: form.text('name').trim(),
        full_name: form.text('full_name').trim(),
        description: form.text('description').trim(),
        visibility: form.text('visibility'),
      }
      const { data, faults: wrong } = checked(typed, values)
      const { done: made, faults } = data
        ? await attempt(
            () =>
              parts.organisations.create(grant, data.name, {
                fullName: data.full_name ?? undefined,
                description: data.description ?? undefined,
                visibility: data.visibility,
              }),
            ({ code }) => (code === 'unprocessable' ? 'name' : undefined),
          )
        : { faults: wrong }
      if (faults) {
        const page = <NewOrganisation values={values} faults={readable(faults, values.name)} />
        return render(c, { title: 'New organisation', status: faults.status }, page)
      }
      parts.log.info(
        { 'organisation.name': made.name, 'user.name': grant.caller.account.name },
        `Made the organisation ${made.name}`,
      )
      return goTo(links().owner(made.name, 'members'), 'organisation-made')
    })
}

/** What clients of the JSON API read by its shape is told to people in words. */
function readable<F extends { fields: Record<string, string> }>(faults: F, name: string): F {
  if (!faults.fields.name?.startsWith('User already exists')) return faults
  return { ...faults, fields: { ...faults.fields, name: `The name ${name} is taken. Choose another one.` } }
}

/** Why somebody makes no organisation; undefined where he may. */
async function refusalFor(parts: HttpParts, visitor: SignedIn): Promise<string | undefined> {
  try {
    await parts.organisations.founder(visitor)
    return undefined
  } catch (error) {
    if (error instanceof Problem && error.code === 'forbidden') return error.message
    throw error
  }
}
