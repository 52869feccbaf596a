import type { Child } from 'hono/jsx'
import { type AuditAction, isAuditAction } from '../../access/audit.ts'
import type { AuditRow, StillThere } from '../../access/audit-log.ts'
import { Icon } from '../components/icon.tsx'
import { TableHead } from '../components/table-head.tsx'
import { Ago } from '../components/values.tsx'
import { useSite } from '../site.ts'
import { bytes, exactly } from '../words.ts'
import { inWords, sentences, type Told } from './sentences.tsx'

/** A page of the log: on a phone each event is a card. */
export function Events({ events, there }: { events: readonly AuditRow[]; there: StillThere }) {
  return (
    <table class="list-table">
      <TableHead columns={['What', 'From', { text: 'When', isNumber: true }]} />
      <tbody>
        {events.map((event) => (
          <Event event={event} there={there} />
        ))}
      </tbody>
    </table>
  )
}

function Event({ event, there }: { event: AuditRow; there: StillThere }) {
  const details = detailsOf(event)
  return (
    <tr>
      <td class="breaks">
        <Sentence event={event} details={details} there={there} />
        <details class="group mt-1 text-sm">
          <summary class="quiet inline-flex items-center gap-1 list-none">
            Details
            <Icon name="chevron" class="group-open:rotate-180" />
          </summary>
          <Facts event={event} details={details} />
        </details>
      </td>
      <td data-label="From" class="breaks md:w-56">
        {fromOf(event)}
      </td>
      <td data-label="When" class="number">
        <Ago at={event.created_at} />
      </td>
    </tr>
  )
}

const credentials: Record<string, string> = {
  password: 'password',
  token: 'token',
  session: 'browser',
  proxy: 'single sign-on',
  link: 'link',
}

/** From where, and with what: empty of what the server did. */
function fromOf({ address, credential, token_last_eight }: AuditRow): Child {
  const how = credential === null ? undefined : credentials[credential]
  if (!address && !how) return ''
  return (
    <>
      {address}
      {how && (
        <span class="quiet">
          {address ? ', ' : ''}
          {how}
          {token_last_eight && (
            <>
              {' '}
              <code>…{token_last_eight}</code>
            </>
          )}
        </span>
      )}
    </>
  )
}

/** What was done, for people. */
export function Sentence(props: { event: AuditRow; details: Record<string, unknown>; there: StillThere }) {
  const { event, details, there } = props
  const { links } = useSite()
  const { action, actor_id, actor_name, owner_id, owner_name } = event
  // Of a release to come, whose log is read by this one.
  if (!isAuditAction(action)) return <>{action}</>
  const named = (id: number | null, name: string | null): Child => {
    const today = id === null ? undefined : there.owners.get(id)
    return <Name text={name} href={today === undefined ? undefined : links.owner(today)} />
  }
  const owner = owner_id === null ? undefined : there.owners.get(owner_id)
  const its = there.package(event)
  const version = there.version(event)
  const packageHref = owner !== undefined && its !== undefined ? links.package(owner, its) : undefined
  const versionHref =
    owner !== undefined && its !== undefined && version !== undefined ? links.version(owner, its, version) : undefined
  const told: Told = {
    event,
    details,
    who: actor_name === null ? nobodyIn(event) : named(actor_id, actor_name),
    owner: named(owner_id, owner_name),
    isOwn: actor_id !== null && actor_id === owner_id,
    package: <Name text={event.package_name} href={packageHref} />,
    version: <Name text={event.version} href={versionHref} isMono />,
    file: <Name text={event.file} isMono />,
    subject: <Name text={event.subject} />,
  }
  return sentences[action as AuditAction](told)
}

/** Whoever has no name. */
function nobodyIn({ credential, address }: AuditRow): string {
  if (credential === 'operator') return 'The command line'
  if (credential === 'link') return 'The holder of a link'
  return address === null ? 'The server' : 'Somebody'
}

function Name({ text, href, isMono }: { text: string | null; href?: string | undefined; isMono?: boolean }) {
  const look = `breaks ${isMono ? 'font-mono text-sm' : 'font-medium'}`
  return href === undefined ? (
    <bdi class={look}>{text ?? ''}</bdi>
  ) : (
    <a href={href} class={`line ${look}`}>
      <bdi>{text ?? ''}</bdi>
    </a>
  )
}

/** Exactly what the log holds. */
function Facts({ event, details }: { event: AuditRow; details: Record<string, unknown> }) {
  const facts: [string, Child][] = [
    ['When', exactly(event.created_at)],
    ['Action', <code>{event.action}</code>],
    ['Number', String(event.id)],
    ['By', event.actor_name ?? nobodyIn(event)],
    ['With', event.credential],
    ['Token', event.token_last_eight && <code>…{event.token_last_eight}</code>],
    ['Address', event.address],
    ['At', event.owner_name],
    ['Package', event.package_name],
    ['Version', event.version],
    ['File', event.file],
    ['Subject', event.subject],
    ...Object.entries(details).map(([key, value]): [string, Child] => [capital(inWords(key)), shown(key, value)]),
  ]
  return (
    <dl class="facts text-sm mt-2 mb-2">
      {facts
        .filter(([, value]) => value !== null && value !== '')
        .map(([term, value]) => (
          <>
            <dt>{term}</dt>
            <dd dir="auto">{value}</dd>
          </>
        ))}
    </dl>
  )
}

function shown(key: string, value: unknown): Child {
  if (value === null) return 'none'
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (Array.isArray(value)) return value.map(inWords).join(', ') || 'none'
  if (typeof value === 'number') return /(^|_)(size|bytes)(_before)?$/.test(key) ? bytes(value) : String(value)
  return /sha256|last_eight/.test(key) ? <code class="breaks">{String(value)}</code> : String(value)
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

function detailsOf({ details }: AuditRow): Record<string, unknown> {
  return details === null ? {} : JSON.parse(details)
}
