import { type Context, Hono } from 'hono'
import type { Child } from 'hono/jsx'
import type { AuditQuery, AuditRow, StillThere } from '../../access/audit-log.ts'
import { ownerAt } from '../../access/grant.ts'
import { organisationGrant } from '../../access/organisations.ts'
import { permission } from '../../access/rules.ts'
import type { Filter } from '../../http/api/audit.ts'
import type { HttpParts } from '../../http/parts.ts'
import { Problem } from '../../problems.ts'
import { showOwner } from '../../registry/lists.ts'
import { Alert, Empty, Pager, type Paging, Trail } from '../components/parts.tsx'
import { AccountPlaces, AdminPlaces, OwnerHead, ownerStanding } from '../components/places.tsx'
import type { Faults } from '../forms.ts'
import { withQuery } from '../links.ts'
import { goTo, linksOf, type Render } from '../page.tsx'
import { type PageEnv, visitOf } from '../visit.ts'
import { Events } from './events.tsx'
import { Filters, faultsOf, queryOf, type Typed, typedIn, usual } from './filters.tsx'

const perPage = 30

/** A stretch of the log, and whatever stands around it. */
interface Log {
  title: string
  /** Its own address. */
  path: string
  head: Child
  allowed: readonly Filter[]
  find: (
    query: AuditQuery,
    page: { offset: number; limit: number },
  ) => Promise<{ events: AuditRow[]; total: number | undefined }>
}

/** Who did what, at a package, at an owner, by an account and on the site. */
export function auditPages(parts: HttpParts, render: Render): Hono<PageEnv> {
  const links = linksOf(parts)

  const show = async (c: Context<PageEnv>, log: Log): Promise<Response> => {
    const sent = new URL(c.req.url).searchParams
    const typed = typedIn(sent, log.allowed)
    const page = pageIn(sent)
    const found = await look(log, typed, page)
    const events = found.faults ? [] : found.events
    const there = await parts.auditLog.stillThere(visitOf(c).caller, events)
    const paging: Paging = {
      page,
      limit: perPage,
      total: found.faults ? 0 : found.total,
      shown: events.length,
    }
    const status = found.faults?.status ?? 200
    return render(
      c,
      { title: log.title, status },
      <LogPage log={log} typed={typed} faults={found.faults} events={events} there={there} paging={paging} />,
    )
  }

  return new Hono<PageEnv>()
    .get('/-/admin/audit', async (c) => {
      const grant = visitOf(c).administers('read')
      return show(c, {
        title: 'Audit',
        path: links().to('-', 'admin', 'audit'),
        head: (
          <>
            <h1 class="mb-3">Site</h1>
            <AdminPlaces here="audit" />
          </>
        ),
        allowed: [...usual, 'owner', 'package'],
        find: (query, page) => parts.auditLog.ofSite(grant, query, page),
      })
    })
    .get('/user/settings/audit', async (c) => {
      const visitor = visitOf(c).signedIn()
      return show(c, {
        title: 'Audit',
        path: links().path('/user/settings/audit'),
        head: (
          <>
            <h1 class="mb-3">Account</h1>
            <AccountPlaces here="audit" />
          </>
        ),
        allowed: [...usual, 'package'],
        find: (query, page) => parts.auditLog.ofCaller(visitor, query, page),
      })
    })
    .get('/:owner/-/audit', async (c) => {
      const visit = visitOf(c)
      const { caller } = visit
      const resolved = await visit.resolve({ owner: c.req.param('owner'), package: '', version: '', file: '' })
      const owner = ownerAt(resolved)
      // What was done at an account is its own to see, at the account's page, and the administrators', at the site's.
      if (owner?.kind === 'user' && permission(caller, owner) !== 'none') {
        const visitor = visit.signedIn()
        if (owner.id === visitor.account.id) return goTo(links().path('/user/settings/audit'))
        visit.administers('read')
        return goTo(withQuery(links().to('-', 'admin', 'audit'), { owner: owner.name }))
      }
      const grant = organisationGrant('owner', 'read', caller, owner)
      const { organisation } = grant
      return show(c, {
        title: `Audit · ${organisation.name}`,
        path: links().owner(organisation.name, 'audit'),
        head: (
          <OwnerHead
            owner={await showOwner(parts.registry, organisation)}
            {...ownerStanding(caller, organisation)}
            here="audit"
          />
        ),
        allowed: [...usual, 'package'],
        find: (query, page) => parts.auditLog.ofOrganisation(grant, query, page),
      })
    })
    .get('/:owner/-/packages/generic/:name/-/audit', async (c) => {
      const name = c.req.param('name')
      const grant = await visitOf(c).mayWritePackage(c.req.param('owner'), name)
      const owner = grant.owner.name
      return show(c, {
        title: `Audit · ${owner}/${name}`,
        path: links().package(owner, name, 'audit'),
        head: (
          <>
            <Trail
              steps={[
                { text: owner, href: links().owner(owner) },
                { text: name, href: links().package(owner, name) },
                { text: 'Audit' },
              ]}
            />
            <h1 class="mb-5">Audit of {name}</h1>
          </>
        ),
        allowed: usual,
        find: (query, page) => parts.auditLog.ofPackage(grant, query, page),
      })
    })
}

type Found = { events: AuditRow[]; total: number | undefined; faults?: undefined } | { faults: Faults }

/** What was asked for; or what is wrong with it, to be told where it was typed. */
async function look({ allowed, find }: Log, typed: Typed, page: number): Promise<Found> {
  const asked = queryOf(typed, allowed)
  if ('faults' in asked) return asked
  try {
    return await find(asked.query, { offset: (page - 1) * perPage, limit: perPage })
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'unprocessable') throw error
    return { faults: faultsFrom(error, allowed) }
  }
}

function faultsFrom(problem: Problem, allowed: readonly Filter[]): Faults {
  if (!problem.message.startsWith('page: ')) return faultsOf(problem, allowed)
  return {
    status: 422,
    fields: {},
    form: 'Only the newest 10,000 events are shown in pages. Choose an earlier “Until”.',
  }
}

/** From 1; whatever is no number is the first. */
export function pageIn(sent: URLSearchParams): number {
  const page = Number(sent.get('page') ?? 1)
  return Number.isSafeInteger(page) && page >= 1 && page <= 1_000_000 ? page : 1
}

function LogPage(props: {
  log: Log
  typed: Typed
  faults: Faults | undefined
  events: AuditRow[]
  there: StillThere
  paging: Paging
}) {
  const { log, typed, faults, events, there, paging } = props
  const isNarrowed = Object.keys(typed).length > 0
  return (
    <>
      {log.head}
      {faults?.form && <Alert tone="error">{faults.form}</Alert>}
      <Filters path={log.path} typed={typed} allowed={log.allowed} faults={faults} />
      {events.length > 0 ? (
        <Events events={events} there={there} />
      ) : (
        !faults && (
          <Empty title={isNarrowed ? 'Nothing of that kind was done.' : 'Nothing has been done here yet.'}>
            <p class="quiet">
              {isNarrowed
                ? 'Choose fewer filters or a longer time.'
                : 'What is published, changed or deleted will be listed here, with who did it and from where.'}
            </p>
          </Empty>
        )
      )}
      {!faults && <Pager paging={paging} path={log.path} query={typed} />}
    </>
  )
}
