import { auditActions, auditCredentials } from '../../access/audit.ts'
import type { AuditQuery } from '../../access/audit-log.ts'
import { type Filter, queryFrom } from '../../http/api/audit.ts'
import { Problem } from '../../problems.ts'
import { Button, ButtonLink, type Choice, Select, TextField } from '../components/forms.tsx'
import { Icon } from '../components/icon.tsx'
import type { Faults } from '../forms.ts'
import { actionNames } from './sentences.tsx'

/** What the list can be narrowed by, each as it was typed. */
export type Typed = Partial<Record<Filter, string>>

export const usual = ['actor', 'action', 'credential', 'token_last_eight', 'since', 'until'] as const

/** What is typed into a filter that is empty says nothing; what belongs to no filter is left alone. */
export function typedIn(sent: URLSearchParams, allowed: readonly Filter[]): Typed {
  return Object.fromEntries(
    allowed.flatMap((filter) => {
      const value = sent.get(filter)?.trim()
      return value ? [[filter, value]] : []
    }),
  )
}

/** What is asked for, as the API has it; or what to say at which field. */
export function queryOf(typed: Typed, allowed: readonly Filter[]): { query: AuditQuery } | { faults: Faults } {
  const wanted = new URLSearchParams({
    ...typed,
    ...(typed.since ? { since: momentOf(typed.since) } : {}),
    ...(typed.until ? { until: momentOf(typed.until) } : {}),
  })
  try {
    return { query: queryFrom(wanted, allowed) }
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'unprocessable') throw error
    return { faults: faultsOf(error, allowed) }
  }
}

/** A refusal that names a filter, at its field. */
export function faultsOf({ message }: Problem, allowed: readonly Filter[]): Faults {
  const [field = '', ...rest] = message.split(': ')
  const text = rest.join(': ')
  if (!allowed.some((filter) => filter === field))
    return { status: 422, fields: {}, form: `${message.replace(/\.$/, '')}.` }
  const said = saidInstead[field] ?? `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
  return { status: 422, fields: { [field]: said } }
}

const saidInstead: Record<string, string> = {
  package: 'Say also who owns it.',
  since: 'Must be a day and a time.',
  until: 'Must be a day and a time.',
  token_last_eight: 'Must be the last eight characters of a token.',
}

/** `2026-05-01T10:00`, as browsers send it, is a moment of UTC; a day alone is its beginning. */
export function momentOf(text: string): string {
  if (/^\d{4}-\d\d-\d\d$/.test(text)) return `${text}T00:00:00Z`
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d$/.test(text)) return `${text}:00Z`
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?$/.test(text)) return `${text}Z`
  return text
}

/** The moment as the field of a browser holds it. */
function localOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const at = Date.parse(momentOf(text))
  return Number.isNaN(at) ? text : new Date(at).toISOString().slice(0, 16)
}

/** All actions, and before those of one kind all of them. */
const actionChoices: readonly Choice[] = [
  { value: '', label: 'Everything' },
  ...auditActions.flatMap((action, index) => {
    const [kind = ''] = action.split('.')
    const family = auditActions.filter((other) => other.startsWith(`${kind}.`))
    const isFirst = auditActions.findIndex((other) => other.startsWith(`${kind}.`)) === index
    return [
      ...(isFirst && family.length > 1 ? [{ value: `${kind}.`, label: `${familyName(kind)}: all` }] : []),
      { value: action, label: actionNames[action] },
    ]
  }),
]

function familyName(kind: string): string {
  const text = kind.replaceAll('-', ' ')
  return text.charAt(0).toUpperCase() + text.slice(1)
}

const credentialNames: Record<(typeof auditCredentials)[number], string> = {
  password: 'A password',
  'deploy-token': 'deploy token',
  token: 'A token',
  session: 'A browser that had signed in',
  passkey: 'A passkey',
  oidc: 'An OpenID provider',
  proxy: 'Single sign-on',
  link: 'A link',
  operator: 'The command line',
}

const credentialChoices: readonly Choice[] = [
  { value: '', label: 'Anything' },
  ...auditCredentials.map((value) => ({ value, label: credentialNames[value] })),
]

export function Filters(props: {
  path: string
  typed: Typed
  allowed: readonly Filter[]
  faults?: Faults | undefined
}) {
  const { path, typed, allowed, faults } = props
  const has = (filter: Filter) => allowed.includes(filter)
  const isNarrowed = Object.keys(typed).length > 0
  const field = (name: Filter) => ({ name, value: typed[name] ?? '', error: faults?.fields[name] })
  return (
    <details class="group mb-5" open={isNarrowed}>
      <summary class="btn btn-sm btn-outline border-base-300 list-none">
        <Icon name="search" /> Filter
        <Icon name="chevron" class="group-open:rotate-180" />
      </summary>
      <form method="get" action={path} class="panel p-4 mt-3">
        <div class="grid gap-x-5 sm:grid-cols-2 lg:grid-cols-3">
          <TextField {...field('actor')} label="Who" hint="A user name, also one of before" autocomplete="off" />
          <Select {...field('action')} label="What" choices={actionChoices} />
          <Select {...field('credential')} label="With" choices={credentialChoices} />
          {has('owner') && (
            <TextField {...field('owner')} label="Owner" hint="A user or an organisation" autocomplete="off" />
          )}
          {has('package') && (
            <TextField
              {...field('package')}
              label="Package"
              hint={has('owner') ? 'Together with its owner' : 'Also one that is gone'}
              autocomplete="off"
            />
          )}
          <TextField
            {...field('token_last_eight')}
            label="Token"
            hint="Its last eight characters"
            autocomplete="off"
            isMono
          />
          <TextField {...field('since')} value={localOf(typed.since)} label="From" hint="UTC" type="datetime-local" />
          <TextField {...field('until')} value={localOf(typed.until)} label="Until" hint="UTC" type="datetime-local" />
        </div>
        <div class="flex flex-wrap gap-3">
          <Button size="sm">Show these</Button>
          {isNarrowed && (
            <ButtonLink size="sm" href={path}>
              Show everything
            </ButtonLink>
          )}
        </div>
      </form>
    </details>
  )
}
