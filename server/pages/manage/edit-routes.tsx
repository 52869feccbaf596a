import { Hono } from 'hono'
import { changedMetadata } from '../../http/api/package-metadata.ts'
import type { HttpParts } from '../../http/parts.ts'
import { Problem } from '../../problems.ts'
import { changePackage, type DescribedPackage, markOf, showPackage } from '../../registry/package-text.ts'
import { attempt, checked, type Faults, Form } from '../forms.ts'
import { goTo, linksOf, type Render } from '../page.tsx'
import { type PageEnv, visitOf } from '../visit.ts'
import { EditPage, labelsFrom, typedAs, typedFrom } from './edit.tsx'

const address = '/:owner/-/packages/generic/:name/-/edit'

/** What those who may write there say of a package. */
export function editRoutes(parts: HttpParts, render: Render): Hono<PageEnv> {
  const links = linksOf(parts)
  return new Hono<PageEnv>()
    .get(address, async (c) => {
      const { owner, name } = c.req.param()
      const visit = visitOf(c)
      const grant = await visit.mayWritePackage(owner, name)
      const its = await showPackage(parts.registry, await visit.mayReadPackage(owner, name))
      const page = <EditPage owner={grant.owner.name} its={its} typed={typedAs(its)} seen={markOf(its)} />
      return render(c, { title: `Edit ${its.name}` }, page)
    })
    .post(address, async (c) => {
      const { owner, name } = c.req.param()
      const visit = visitOf(c)
      const grant = await visit.mayWritePackage(owner, name)
      const mayRead = await visit.mayReadPackage(owner, name)
      const form = await Form.of(c.req.raw)
      const typed = typedFrom(form)
      const again = async (status: number, more: { faults?: Faults; isPreview?: boolean; isOvertaken?: boolean }) => {
        const its = await showPackage(parts.registry, mayRead)
        // Who has been shown what somebody else made of it may save over that, and over nothing later.
        const seen = more.isOvertaken ? markOf(its) : form.text('seen')
        const page = <EditPage owner={grant.owner.name} its={its} typed={typed} seen={seen} {...more} />
        return render(c, { title: `Edit ${its.name}`, status }, page)
      }
      const { data, faults } = checked(changedMetadata, { ...typed, labels: labelsFrom(typed.labels) })
      if (form.has('preview')) return again(200, { isPreview: true, ...(faults ? { faults } : {}) })
      if (faults) return again(faults.status, { faults })
      const saved = await unlessOvertaken(() =>
        attempt(() => changePackage(parts.registry, grant, textsOf(data), form.text('seen'))),
      )
      if (saved === undefined) return again(409, { isOvertaken: true })
      if (saved.faults) return again(saved.faults.status, { faults: saved.faults })
      const changed = saved.done
      parts.log.info(
        {
          'package.owner': grant.owner.name,
          'package.name': changed.name,
          'user.name': grant.caller.account.name,
        },
        `Changed what is said of ${grant.owner.name}/${changed.name}`,
      )
      return goTo(placeOf(grant.owner.name, changed), 'package-changed')
    })

  /** A package without a version goes with the last that is said of it. */
  function placeOf(owner: string, { name, versions, ...texts }: DescribedPackage): string {
    const isSaid = labelsFrom(typedAs(texts).labels).length > 0 || Object.values(typedAs(texts)).some(Boolean)
    return versions > 0 || isSaid ? links().package(owner, name) : links().owner(owner)
  }
}

function textsOf(data: ReturnType<typeof changedMetadata.parse>) {
  return {
    description: data.description ?? undefined,
    readme: data.readme ?? undefined,
    homepage: data.homepage ?? undefined,
    repository_url: data.repository_url ?? undefined,
    labels: data.labels ?? undefined,
  }
}

/** Undefined where somebody else was first. */
async function unlessOvertaken<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Problem && error.code === 'precondition-failed') return undefined
    throw error
  }
}
