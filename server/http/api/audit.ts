import { Hono } from 'hono'
import { z } from 'zod'
import {
  type AuditAction,
  actionsBeginning,
  auditActions,
  auditCredentials,
  isAuditAction,
} from '../../access/audit.ts'
import type { AuditQuery, AuditRow } from '../../access/audit-log.ts'
import { administer, signedIn } from '../../access/grant.ts'
import { Problem } from '../../problems.ts'
import type { HttpParts } from '../parts.ts'
import { jsonPage, pageOf, publicAddress } from './answers.ts'
import type { ApiEnv } from './app.ts'
import { documented } from './documented.ts'
import { organisationAt } from './organisations.ts'
import { packageToWriteAt } from './package-calls.ts'
import { auditEvent } from './schemas.ts'
import { auditEventShape } from './shapes.ts'

const moment = z.iso.datetime({ offset: true })

/** Names of accounts, organisations and packages are no longer than this. */
const name = z.string().min(1).max(255)

/** What every list of events can be narrowed by. */
const filters = {
  actor: { description: 'Who did it: a user name, also of before or of who is gone.', schema: name },
  action: {
    description: 'What was done: one action, or with a `.` at its end all that begin so, such as `token.`',
    schema: z.string().max(64),
  },
  credential: { description: 'What it was done with.', schema: z.enum(auditCredentials) },
  token_last_eight: {
    description: 'By which token: its last eight characters.',
    schema: z.string().regex(/^[0-9a-f]{8}$/),
  },
  since: { description: 'From this moment on (RFC 3339).', schema: moment },
  until: { description: 'Before this moment (RFC 3339).', schema: moment },
}

const packageFilter = { package: { description: 'At this package, be it there or gone.', schema: name } }
const ownerFilter = { owner: { description: 'At this user or organisation, or about it.', schema: name } }

export type Filter = keyof typeof filters | 'package' | 'owner'

/** What may stand beside filters in a query. */
const elsewhere = new Set(['page', 'limit', 'token', 'access_token'])

const description =
  'Newest first. Events are added in the same transaction as what they tell of, and never changed. Combined filters look at the newest 20,000 ' +
  'events of the narrowest one; where that does not do, they are refused with 422: ask with `since` and `until`. So are pages ' +
  'beyond 10,000 events.'

/** Who did what: in the whole site, at an organisation, at a package, and about one's own account. */
export function audit(parts: HttpParts): Hono<ApiEnv> {
  const listed = async (
    request: Request,
    allowed: readonly Filter[],
    find: (
      query: AuditQuery,
      page: { offset: number; limit: number },
    ) => Promise<{
      events: AuditRow[]
      total: number | undefined
    }>,
  ): Promise<Response> => {
    const url = new URL(request.url)
    const page = pageOf(url)
    const { events, total } = await find(queryFrom(url.searchParams, allowed), page)
    return jsonPage(events.map(auditEventShape), total, page, publicAddress(parts.publicUrl(), request))
  }
  const usual = Object.keys(filters) as (keyof typeof filters)[]

  return new Hono<ApiEnv>()
    .get(
      '/admin/audit',
      documented({
        tag: 'audit',
        id: 'listAudit',
        summary: 'Who did what in the whole site',
        description,
        query: { ...filters, ...ownerFilter, ...packageFilter },
        page: auditEvent,
      }),
      async (c) => {
        const grant = administer(await c.env.askCaller(), 'read')
        const allowed = [...usual, 'owner', 'package'] as const
        return listed(c.req.raw, allowed, (query, page) => parts.auditLog.ofSite(grant, query, page))
      },
    )
    .get(
      '/orgs/:org/audit',
      documented({
        tag: 'audit',
        id: 'listOrganizationAudit',
        summary: 'Who did what at an organisation',
        description: `For its owners, who see who did it and from which address. ${description}`,
        query: { ...filters, ...packageFilter },
        page: auditEvent,
      }),
      async (c) => {
        const grant = await organisationAt(c, 'owner', 'read')
        const allowed = [...usual, 'package'] as const
        return listed(c.req.raw, allowed, (query, page) => parts.auditLog.ofOrganisation(grant, query, page))
      },
    )
    .get(
      '/user/audit',
      documented({
        tag: 'audit',
        id: 'listOwnAudit',
        summary: 'Who did what about the calling account and its packages',
        description,
        query: { ...filters, ...packageFilter },
        page: auditEvent,
      }),
      async (c) => {
        const caller = signedIn(await c.env.askCaller(), 'read:user')
        const allowed = [...usual, 'package'] as const
        return listed(c.req.raw, allowed, (query, page) => parts.auditLog.ofCaller(caller, query, page))
      },
    )
    .get(
      '/packages/:owner/generic/:name/-/audit',
      documented({
        tag: 'audit',
        id: 'listPackageAudit',
        summary: 'Who did what at a package',
        callers: 'signed in',
        scope: 'write:package',
        description: `For who may write there, and also of a package that is gone. ${description}`,
        query: filters,
        page: auditEvent,
      }),
      async (c) => {
        const grant = await packageToWriteAt(c)
        return listed(c.req.raw, usual, (query, page) => parts.auditLog.ofPackage(grant, query, page))
      },
    )
}

/** What is asked for; whatever cannot be read, or is no filter here, is refused: without it the list would say something else. */
export function queryFrom(sent: URLSearchParams, allowed: readonly Filter[]): AuditQuery {
  const unknown = [...sent.keys()].find((key) => !elsewhere.has(key) && !allowed.some((filter) => filter === key))
  if (unknown !== undefined) {
    throw new Problem('unprocessable', `unknown filter: ${unknown.slice(0, 40)}; there are ${allowed.join(', ')}`)
  }
  const all = { ...filters, ...packageFilter, ...ownerFilter }
  const read = (filter: Filter, expected: string): string | undefined => {
    const [value, ...others] = sent.getAll(filter)
    if (value === undefined) return undefined
    const isGood = others.length === 0 && all[filter].schema.safeParse(value).success && !value.includes('\0')
    if (!isGood) throw new Problem('unprocessable', `${filter}: must be ${expected}, once, or not be there`)
    return value
  }
  const time = (filter: 'since' | 'until') => {
    const text = read(filter, 'a moment such as 2026-05-01T00:00:00Z')
    return text === undefined ? undefined : Date.parse(text)
  }
  const action = read('action', 'an action')
  return {
    actor: read('actor', 'a user name'),
    owner: read('owner', 'the name of a user or an organisation'),
    package: read('package', 'the name of a package'),
    credential: read('credential', auditCredentials.join(', ')),
    tokenLastEight: read('token_last_eight', 'the last eight characters of a token'),
    since: time('since'),
    until: time('until'),
    actions: action === undefined ? undefined : actionsFrom(action),
  }
}

function actionsFrom(text: string): readonly AuditAction[] {
  const actions = isAuditAction(text) ? [text] : text.endsWith('.') ? actionsBeginning(text) : []
  if (actions.length > 0) return actions
  throw new Problem(
    'unprocessable',
    `action: must be one of ${auditActions.join(', ')}, or the part before a dot with that dot`,
  )
}
