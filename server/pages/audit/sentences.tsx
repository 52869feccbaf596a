import type { Child } from 'hono/jsx'
import type { AuditAction } from '../../access/audit.ts'
import type { AuditRow } from '../../access/audit-log.ts'
import { counted } from '../words.ts'

type Details = Record<string, unknown>

/** What an event tells of, as pieces of a sentence: names lead on where they still can. */
export interface Told {
  event: AuditRow
  details: Details
  /** Who did it. */
  who: Child
  /** At whom: an account or an organisation. */
  owner: Child
  /** Whether he did it to himself. */
  isOwn: boolean
  package: Child
  version: Child
  file: Child
  subject: Child
}

/** Of each action, what was done. Names of people stand before it. */
export const sentences: Record<AuditAction, (told: Told) => Child> = {
  'sign-in': ({ who, owner, isOwn }) => (isOwn ? <>{who} signed in</> : <>Somebody signed in as {owner}</>),
  'sign-in.failed': ({ event, owner, details }) => (
    <>
      Somebody could not sign in{event.owner_name === null ? '' : <> as {owner}</>}
      {typeof details.times === 'number' ? `, ${counted(details.times, 'time')}` : ''}
      {reasonOf(details)}
    </>
  ),
  'sign-out': ({ who }) => <>{who} signed out</>,
  'session.ended': ({ who, owner, isOwn, details }) => (
    <>
      {who} ended {counted(numberIn(details.sessions, 1), 'session')}
      {isOwn ? '' : <> of {owner}</>}
    </>
  ),
  'account.created': ({ event, who, owner }) =>
    event.actor_id === null && event.address !== null ? (
      <>{owner} signed up</>
    ) : (
      <>
        {who} made the account {owner}
      </>
    ),
  'account.changed': ({ who, owner, isOwn, details }) =>
    isOwn ? (
      <>
        {who} changed their own account{fieldsOf(details)}
      </>
    ) : (
      <>
        {who} changed the account {owner}
        {fieldsOf(details)}
      </>
    ),
  'account.renamed': ({ who, details }) => (
    <>
      {who} renamed the user {name(details.from)} to {name(details.to)}
    </>
  ),
  'account.deleted': ({ who, owner, details }) => (
    <>
      {who} deleted the account {owner}
      {purged(details)}
    </>
  ),
  'password.changed': ({ who, owner, isOwn }) =>
    isOwn ? (
      <>{who} changed their password</>
    ) : (
      <>
        {who} set another password for {owner}
      </>
    ),
  'password.reset-asked': () => <>Somebody who has forgotten a password asked for a link</>,
  'password.reset-link': ({ who, owner, details }) => (
    <>
      {who} made a link for a new password for {owner}
      {mailed(details)}
    </>
  ),
  'password.reset': ({ owner }) => <>{owner} set a new password by a link</>,
  'second-factor.begun': ({ who }) => <>{who} began to set up two-factor sign-in</>,
  'second-factor.enabled': ({ who }) => <>{who} turned on two-factor sign-in</>,
  'second-factor.removed': ({ who, owner, isOwn }) =>
    isOwn ? (
      <>{who} turned off two-factor sign-in</>
    ) : (
      <>
        {who} turned off two-factor sign-in for {owner}
      </>
    ),
  'second-factor.recovery-codes': ({ who }) => <>{who} made new recovery codes</>,
  'account.suspended': ({ owner, details }) => (
    <>
      {owner} was suspended: the provider {name(details.provider)}{' '}
      {lapses[String(details.reason)] ?? 'does not vouch for him'}
    </>
  ),
  'account.reinstated': ({ who, owner, details }) =>
    typeof details.provider === 'string' ? (
      <>
        {owner} is not suspended any more: the provider {name(details.provider)} vouches for him
      </>
    ) : (
      <>
        {who} lifted the suspension of {owner}
      </>
    ),
  'identity.linked': ({ who, owner, isOwn, details }) => (
    <>
      {who} linked an identity at {name(details.provider)}
      {isOwn ? '' : <> to {owner}</>}
    </>
  ),
  'identity.unlinked': ({ who, owner, isOwn, details }) => (
    <>
      {who} unlinked an identity at {name(details.issuer)}
      {isOwn ? '' : <> of {owner}</>}
    </>
  ),
  'identity.lapsed': ({ owner, details }) => (
    <>
      {owner} lost an identity: the provider {name(details.provider)}{' '}
      {lapses[String(details.reason)] ?? 'does not vouch for him'}
      {details.kept ? '; nothing else came of it, as nobody else runs the site' : ''}
    </>
  ),
  'passkey.added': ({ who, subject }) => (
    <>
      {who} added the passkey {subject}
    </>
  ),
  'passkey.renamed': ({ who, subject }) => (
    <>
      {who} renamed the passkey {subject}
    </>
  ),
  'passkey.removed': ({ who, owner, isOwn, subject, event, details }) =>
    event.subject === null ? (
      <>
        {who} removed {counted(numberIn(details.passkeys, 1), 'passkey')}
        {isOwn ? '' : <> of {owner}</>}
      </>
    ) : (
      <>
        {who} removed the passkey {subject}
      </>
    ),
  'token.created': ({ who, owner, isOwn, subject }) => (
    <>
      {who} made the token {subject}
      {isOwn ? '' : <> for {owner}</>}
    </>
  ),
  'token.deleted': ({ who, owner, isOwn, subject }) => (
    <>
      {who} deleted the token {subject}
      {isOwn ? '' : <> of {owner}</>}
    </>
  ),
  'token.exchanged': ({ owner, subject }) => (
    <>
      {owner} gave a job a token, by the trusted publisher {subject}
    </>
  ),
  'deploy-token.created': ({ who, owner, isOwn, subject }) => (
    <>
      {who} made the deploy token {subject}
      {isOwn ? '' : <> of {owner}</>}
    </>
  ),
  'deploy-token.deleted': ({ who, owner, isOwn, subject }) => (
    <>
      {who} deleted the deploy token {subject}
      {isOwn ? '' : <> of {owner}</>}
    </>
  ),
  'publisher.created': ({ who, owner, isOwn, subject }) => (
    <>
      {who} made the trusted publisher {subject}
      {isOwn ? '' : <> of {owner}</>}
    </>
  ),
  'publisher.changed': ({ who, owner, isOwn, subject }) => (
    <>
      {who} changed the trusted publisher {subject}
      {isOwn ? '' : <> of {owner}</>}
    </>
  ),
  'publisher.deleted': ({ who, owner, isOwn, subject }) => (
    <>
      {who} deleted the trusted publisher {subject}
      {isOwn ? '' : <> of {owner}</>}
    </>
  ),
  'invitation.created': ({ event, who, owner, details }) => (
    <>
      {who} invited somebody{event.owner_name === null ? ' to this site' : <> to {owner}</>}
      {teamOf(details)}
      {mailed(details)}
    </>
  ),
  'invitation.withdrawn': ({ event, who, owner, details }) => (
    <>
      {who} withdrew an invitation{event.owner_name === null ? ' to this site' : <> to {owner}</>}
      {teamOf(details)}
    </>
  ),
  'invitation.accepted': ({ event, who, owner, details }) => (
    <>
      {who} accepted an invitation{event.owner_name === null ? '' : <> to {owner}</>}
      {teamOf(details)}
    </>
  ),
  'organisation.created': ({ who, owner }) => (
    <>
      {who} made the organisation {owner}
    </>
  ),
  'organisation.changed': ({ who, owner, details }) => (
    <>
      {who} changed the organisation {owner}
      {fieldsOf(details)}
    </>
  ),
  'organisation.renamed': ({ who, details }) => (
    <>
      {who} renamed the organisation {name(details.from)} to {name(details.to)}
    </>
  ),
  'organisation.deleted': ({ who, owner, details }) => (
    <>
      {who} deleted the organisation {owner}
      {purged(details)}
    </>
  ),
  'team.created': ({ who, subject, owner }) => (
    <>
      {who} made the team {subject} of {owner}
    </>
  ),
  'team.changed': ({ who, subject, owner, details }) => (
    <>
      {who} changed the team {subject} of {owner}
      {fieldsOf(details)}
    </>
  ),
  'team.deleted': ({ who, subject, owner }) => (
    <>
      {who} deleted the team {subject} of {owner}
    </>
  ),
  'member.added': ({ who, subject, owner, details }) => (
    <>
      {who} added {subject} to {typeof details.team === 'string' ? <>the team {name(details.team)} of </> : ''}
      {owner}
    </>
  ),
  'member.removed': ({ who, subject, owner, details }) => (
    <>
      {who} took {subject} out of {teamsOf(details)}
      {owner}
    </>
  ),
  'reserved-name.freed': ({ who, subject }) => (
    <>
      {who} freed the reserved name {subject}
    </>
  ),
  'quota.changed': ({ event, who, owner, details }) => (
    <>
      {who} changed the quota of {event.owner_name === null ? 'the site' : owner}
      {fieldsOf(details)}
    </>
  ),
  'webhook.created': ({ who, owner, details }) => (
    <>
      {who} added a webhook of {owner} to {name(details.url)}
    </>
  ),
  'webhook.changed': ({ who, owner, details }) => (
    <>
      {who} changed the webhook of {owner} to {name(details.url)}
    </>
  ),
  'webhook.deleted': ({ who, owner, details }) => (
    <>
      {who} deleted the webhook of {owner} to {name(details.url)}
    </>
  ),
  'webhook.replayed': ({ who, owner, details }) => (
    <>
      {who} sent a delivery of {owner} to {name(details.url)} again
    </>
  ),
  'job.retried': ({ who, subject, details }) => (
    <>
      {who} had job {subject}
      {kindOf(details)} tried again
    </>
  ),
  'job.deleted': ({ who, subject, details }) => (
    <>
      {who} deleted job {subject}
      {kindOf(details)}
    </>
  ),
  'storage.swept': ({ who }) => <>{who} asked for a sweep of the storage</>,
  'usage.recounted': ({ who }) => <>{who} had the usage counted again</>,
  'secrets.forgotten': ({ who }) => <>{who} had all secrets forgotten that the lost key had sealed</>,
  'file.published': (told) => (
    <>
      {told.who} published {told.file} in {told.package} {told.version}
    </>
  ),
  'file.deleted': (told) => (
    <>
      {told.who} deleted {told.file} from {told.package} {told.version}
    </>
  ),
  'version.deleted': ({ who, version, details, ...told }) => (
    <>
      {who} deleted {told.package} {version}
      {typeof details.files === 'number' && details.files > 0 ? ` with ${counted(details.files, 'file')}` : ''}
    </>
  ),
  'package.changed': ({ who, details, ...told }) => (
    <>
      {who} changed what is said of {told.package}
      {fieldsOf(details)}
    </>
  ),
  'package.visibility-changed': ({ who, details, ...told }) => (
    <>
      {who} made {told.package} {details.visibility === 'private' ? 'private' : 'as visible as its owner'}
    </>
  ),
  'package.access-changed': ({ who, subject, details, ...told }) => (
    <>
      {details.access === 'none' ? (
        <>
          {who} took the right on {told.package} from {holderOf(details)}
          {subject}
        </>
      ) : (
        <>
          {who} let {holderOf(details)}
          {subject} {details.access === 'write' ? 'read and write' : 'read'} {told.package}
        </>
      )}
    </>
  ),
  'package.deleted': ({ who, ...told }) => (
    <>
      {who} deleted the package {told.package}
    </>
  ),
}

/** Of each action, what the filter calls it; in the groups in which they are chosen. */
export const actionNames: Record<AuditAction, string> = {
  'sign-in': 'Signed in',
  'sign-in.failed': 'Could not sign in',
  'sign-out': 'Signed out',
  'session.ended': 'Session ended',
  'account.created': 'Account made',
  'account.changed': 'Account changed',
  'account.renamed': 'Account renamed',
  'account.deleted': 'Account deleted',
  'password.changed': 'Password changed',
  'password.reset-asked': 'Password link asked for',
  'password.reset-link': 'Password link made',
  'password.reset': 'Password set by a link',
  'second-factor.begun': 'Two-factor begun',
  'second-factor.enabled': 'Two-factor turned on',
  'second-factor.removed': 'Two-factor turned off',
  'second-factor.recovery-codes': 'Recovery codes made',
  'account.suspended': 'Account suspended by its provider',
  'account.reinstated': 'Account not suspended any more',
  'identity.linked': 'Identity linked',
  'identity.unlinked': 'Identity unlinked',
  'identity.lapsed': 'Provider no longer vouches',
  'passkey.added': 'Passkey added',
  'passkey.renamed': 'Passkey renamed',
  'passkey.removed': 'Passkey removed',
  'token.created': 'Token made',
  'token.deleted': 'Token deleted',
  'token.exchanged': 'Token given for an ID token',
  'deploy-token.created': 'Deploy token made',
  'deploy-token.deleted': 'Deploy token deleted',
  'publisher.created': 'Trusted publisher made',
  'publisher.changed': 'Trusted publisher changed',
  'publisher.deleted': 'Trusted publisher deleted',
  'invitation.created': 'Invitation made',
  'invitation.withdrawn': 'Invitation withdrawn',
  'invitation.accepted': 'Invitation accepted',
  'organisation.created': 'Organisation made',
  'organisation.changed': 'Organisation changed',
  'organisation.renamed': 'Organisation renamed',
  'organisation.deleted': 'Organisation deleted',
  'team.created': 'Team made',
  'team.changed': 'Team changed',
  'team.deleted': 'Team deleted',
  'member.added': 'Member added',
  'member.removed': 'Member removed',
  'reserved-name.freed': 'Reserved name freed',
  'quota.changed': 'Quota changed',
  'webhook.created': 'Webhook added',
  'webhook.changed': 'Webhook changed',
  'webhook.deleted': 'Webhook deleted',
  'webhook.replayed': 'Webhook delivery sent again',
  'job.retried': 'Job tried again',
  'job.deleted': 'Job deleted',
  'storage.swept': 'Storage sweep asked for',
  'usage.recounted': 'Usage counted again',
  'secrets.forgotten': 'Secrets forgotten',
  'file.published': 'File published',
  'file.deleted': 'File deleted',
  'version.deleted': 'Version deleted',
  'package.changed': 'Package texts changed',
  'package.visibility-changed': 'Package visibility changed',
  'package.access-changed': 'Package rights changed',
  'package.deleted': 'Package deleted',
}

/** What a provider has done that does not vouch for somebody any more. */
const lapses: Record<string, string> = {
  group: 'has him in none of the groups that may come in',
  refused: 'does not vouch for him any more',
  unreachable: 'could not be asked about him for three days',
}

/** Why somebody was not let in; what is not here is told as it is. */
const reasons: Record<string, string> = {
  malformed: 'what was sent could not be read',
  'unknown-account': 'there is no such account',
  'wrong-password': 'wrong password',
  'passwords-off': 'passwords are turned off here',
  'code-missing': 'the second factor was missing',
  'wrong-code': 'wrong code',
  'passkey-missing': 'a passkey was missing',
  'provider-only': 'the account signs in through a provider',
  'unknown-passkey': 'a passkey that is nobody’s here',
  'wrong-passkey': 'a passkey’s answer that was not right',
  'passkey-counter': 'a passkey of which there may be a copy',
  'wrong-token': 'wrong token',
  'expired-token': 'the token had expired',
  'provider-refused': 'a provider did not vouch',
  prohibited: 'the account may not sign in',
  'too-many-attempts': 'too many attempts',
}

function reasonOf({ reason }: Details): string {
  return typeof reason === 'string' ? `: ${reasons[reason] ?? reason}` : ''
}

/** Names as they are written in the log, that lead nowhere. */
function name(value: unknown): Child {
  return (
    <b class="font-medium breaks" dir="auto">
      {String(value ?? '')}
    </b>
  )
}

function fieldsOf({ fields }: Details): string {
  return Array.isArray(fields) && fields.length > 0 ? `: ${fields.map(inWords).join(', ')}` : ''
}

const named: Record<string, string> = { readme: 'README', repository_url: 'repository', email: 'e-mail address' }

/** `full_name` → `full name` */
export function inWords(field: unknown): string {
  return named[String(field)] ?? String(field).replaceAll('_', ' ')
}

function purged({ purge }: Details): string {
  return purge === true ? ' with all packages' : ''
}

function mailed({ mailed: isMailed }: Details): string {
  return isMailed === true ? ', by e-mail' : ''
}

function teamOf({ team }: Details): Child {
  return typeof team === 'string' ? <>, into the team {name(team)}</> : ''
}

function teamsOf({ teams }: Details): Child {
  if (!Array.isArray(teams) || teams.length === 0) return ''
  return (
    <>
      {teams.length === 1 ? 'the team ' : 'the teams '}
      {teams.map((team, index) => (
        <>
          {index > 0 ? ', ' : ''}
          {name(team)}
        </>
      ))}
      {' of '}
    </>
  )
}

function kindOf({ kind }: Details): string {
  return typeof kind === 'string' ? ` (${kind})` : ''
}

function holderOf({ kind }: Details): string {
  return kind === 'team' ? 'the team ' : kind === 'deploy-token' ? 'the deploy token ' : ''
}

function numberIn(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise
}
