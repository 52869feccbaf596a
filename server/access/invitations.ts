import { askForJob } from '../catalogue/jobs.ts'
import {
  countInvitationsBy,
  deleteLink,
  insertLink,
  type LinkRow,
  linkById,
  openInvitations,
} from '../catalogue/links.ts'
import { lockByName, shared } from '../catalogue/named-locks.ts'
import { type OrganisationRow, organisationById } from '../catalogue/organisations.ts'
import { ownerById } from '../catalogue/owners.ts'
import type { Tx } from '../catalogue/schema.ts'
import { insertTeamMember, type TeamRow, teamById, teamsById } from '../catalogue/teams.ts'
import { type Catalogue, transaction } from '../catalogue/transaction.ts'
import { type UserRow, userById } from '../catalogue/users.ts'
import { networkOf } from '../lib/real-address.ts'
import type { SecretKey } from '../lib/sealed.ts'
import { ownerName } from '../names.ts'
import { Problem } from '../problems.ts'
import { type NewAccount, putAccount } from './accounts.ts'
import { type AuditEvent, audit } from './audit.ts'
import { accountFrom, type SignedIn } from './caller.ts'
import { type AdminGrant, administer, callerNow, mustBeInReach, type Standing, signedIn, standingOf } from './grant.ts'
import { mailJob } from './link-mail.ts'
import {
  CodeAttempts,
  codeHash,
  goodCode,
  linkAddress,
  mustTakePasswords,
  newCode,
  noSuchLink,
  useLink,
} from './links.ts'
import { memberAdded, type OrganisationGrant, organisationGrantNow } from './organisations.ts'
import type { Passwords } from './passwords.ts'

const day = 24 * 60 * 60
/** Seconds. */
export const usualInvitation = 7 * day
export const longestInvitation = 30 * day
/** Invitations of one person that wait to be accepted. */
const mostOpen = 100

/** Leave to invite people: into the whole site, or into the teams of an organisation that one owns. */
export type InvitationLeave = AdminGrant | OrganisationGrant<'owner'>

/** The leave as plain values. */
interface InvitationClaim {
  standing: Standing
  /** Null: the whole site. */
  organisationId: number | null
}

function claimOf(leave: InvitationLeave): InvitationClaim {
  return { standing: standingOf(leave.caller), organisationId: organisationOf(leave) }
}

function organisationOf(leave: InvitationLeave): number | null {
  return 'organisation' in leave ? leave.organisation.id : null
}

/** Who invites; throws unless the leave would be given again now. */
async function mustStillInvite(tx: Tx, { standing, organisationId }: InvitationClaim, now: number): Promise<SignedIn> {
  if (organisationId === null) return administer(await callerNow(tx, standing, now), 'write').caller
  await lockByName(tx, [shared(`account ${standing.userId}`), shared(`owner ${organisationId}`)])
  return (await organisationGrantNow(tx, 'owner', { standing, organisationId, now })).caller
}

/** What the log says of an invitation: by its number, since whoever has it may not have been meant. */
function invitationEvent(
  action: Extract<AuditEvent['action'], `invitation.${string}`>,
  { id, organisation_id, organisation, team }: LinkRow,
  details: AuditEvent['details'] = {},
): AuditEvent {
  const owner =
    organisation_id !== null && organisation !== null ? { id: organisation_id, name: organisation } : undefined
  return { action, owner, subject: String(id), details: { team, ...details } }
}

interface AddInvitation {
  claim: InvitationClaim
  nonce: string
  sha256: string
  email: string | null
  fullName: string
  teamId: number | null
  isMailed: boolean
  now: number
  expiresAt: number
}

export const addInvitation = transaction('add invitation', async (tx, args: AddInvitation): Promise<LinkRow> => {
  const { claim, teamId, now } = args
  const caller = await mustStillInvite(tx, claim, now)
  if (teamId !== null) await mustBeTeamOf(tx, teamId, claim.organisationId)
  if ((await countInvitationsBy(tx, claim.standing.userId, now)) >= mostOpen) {
    throw new Problem(
      'unprocessable',
      `You have ${mostOpen} invitations that nobody has accepted yet. Withdraw some of them first.`,
    )
  }
  const link = await insertLink(tx, {
    kind: 'invitation',
    nonce: args.nonce,
    sha256: args.sha256,
    user_id: null,
    team_id: teamId,
    email: args.email,
    full_name: args.fullName,
    created_by: claim.standing.userId,
    created_at: now,
    expires_at: args.expiresAt,
    mailed: args.isMailed ? 1 : 0,
  })
  if (args.isMailed) await askForJob(tx, mailJob, String(link.id), now)
  await audit(tx, caller, now, invitationEvent('invitation.created', link, { mailed: args.isMailed }))
  return link
})

async function mustBeTeamOf(tx: Tx, teamId: number, organisationId: number | null): Promise<void> {
  const team = await teamById(tx, teamId)
  if (team && (organisationId === null || team.organisation_id === organisationId)) return
  throw new Problem('unprocessable', `team_id: there is no team ${teamId}${organisationId === null ? '' : ' there'}`)
}

interface WithdrawInvitation {
  claim: InvitationClaim
  id: number
  now: number
}

export const withdrawInvitation = transaction('withdraw invitation', async (tx, args: WithdrawInvitation) => {
  const { organisationId } = args.claim
  const caller = await mustStillInvite(tx, args.claim, args.now)
  const link = await linkById(tx, args.id)
  const isTheirs = organisationId === null || link?.organisation_id === organisationId
  if (link?.kind !== 'invitation' || !isTheirs || !(await deleteLink(tx, link.id))) throw noSuchInvitation()
  await audit(tx, caller, args.now, invitationEvent('invitation.withdrawn', link))
})

interface AcceptInvitation {
  sha256: string
  name: string
  nameKey: string
  passwordHash: string
  /** Null: the one that was invited. */
  email: string | null
  /** Where the link was used. */
  address: string
  now: number
}

/** Makes the account, puts it into its team and uses the link up: all of it or nothing. */
export const acceptInvitation = transaction(
  'accept invitation',
  async (tx, args: AcceptInvitation): Promise<{ user: UserRow; link: LinkRow }> => {
    const { nameKey, passwordHash, now } = args
    const link = await useLink(tx, { kind: 'invitation', sha256: args.sha256, others: [], now })
    const named = { name: args.name, email: args.email ?? link.email ?? undefined, fullName: link.full_name }
    const account = { ...named, ...(await limitsOfMaker(tx, link)) }
    const actor = { address: args.address, credential: 'link' } as const
    const user = await putAccount(tx, { account, nameKey, passwordHash, now }, actor)
    const joined = link.team_id === null ? [] : await join(tx, link, link.team_id, user)
    const accepted = invitationEvent('invitation.accepted', link, { by: user.name })
    await audit(tx, actor, now, { ...accepted, owner: accepted.owner ?? user }, ...joined)
    return { user, link }
  },
)

/** What holds for who invites holds for who comes: else he would invite himself and be rid of it. */
async function limitsOfMaker(tx: Tx, { created_by }: LinkRow): Promise<Partial<NewAccount>> {
  const maker = created_by === null ? undefined : await userById(tx, created_by)
  if (!maker || maker.is_admin === 1) return {}
  return { isRestricted: maker.is_restricted === 1, mayCreateOrganisations: maker.may_create_organisations === 1 }
}

interface JoinByInvitation {
  standing: Standing
  sha256: string
  now: number
}

/** The same for somebody who has an account. */
export const joinByInvitation = transaction(
  'join by invitation',
  async (tx, args: JoinByInvitation): Promise<LinkRow> => {
    const { standing, now } = args
    const link = await useLink(tx, { kind: 'invitation', sha256: args.sha256, others: [standing.userId], now })
    const caller = signedIn(await callerNow(tx, standing, now), 'write:organization')
    const { team_id, organisation_id } = link
    if (team_id === null || organisation_id === null) {
      throw new Problem('unprocessable', 'This invitation is for a new account and leads into no team: you have one.')
    }
    const organisation = await ownerById(tx, { id: organisation_id, userId: standing.userId })
    if (!organisation) throw noSuchLink('invitation')
    mustBeInReach(caller, organisation)
    const joined = await join(tx, link, team_id, caller.account)
    const accepted = invitationEvent('invitation.accepted', link, { by: caller.account.name })
    await audit(tx, caller, now, accepted, ...joined)
    return link
  },
)

/** Puts the user into the link's team; what the log says of it, which is nothing where he was there already. */
async function join(
  tx: Tx,
  { organisation_id, organisation }: LinkRow,
  teamId: number,
  user: { id: number; name: string },
): Promise<AuditEvent[]> {
  const team = await teamById(tx, teamId)
  if (!team || organisation_id === null || organisation === null) throw noSuchLink('invitation')
  const isNew = await insertTeamMember(tx, team, user.id)
  return isNew ? [memberAdded({ id: organisation_id, name: organisation }, team, user)] : []
}

function noSuchInvitation(): Problem {
  return new Problem('not-found', 'There is no such invitation.')
}

/** Whom somebody invites. */
export interface NewInvitation {
  email: string | undefined
  fullName: string | undefined
  teamId: number | undefined
  /** Seconds. */
  expiresIn: number | undefined
}

/** An invitation, and where it leads. */
export interface Invitation {
  link: LinkRow
  team: TeamRow | undefined
  organisation: OrganisationRow | undefined
}

/** Links by which people join. */
export class Invitations {
  readonly #parts: InvitationParts
  readonly #attempts: CodeAttempts

  constructor(parts: InvitationParts) {
    this.#parts = parts
    this.#attempts = new CodeAttempts(parts.now)
  }

  /** A new invitation; its address is shown this once and not stored. It is mailed where that can be. */
  async create(leave: InvitationLeave, wanted: NewInvitation): Promise<Invitation & { url: string }> {
    mustTakePasswords(this.#parts.passwordLogin)
    const { catalogue, secrets, publicUrl, mails } = this.#parts
    const now = this.#parts.now()
    const { code, nonce, sha256 } = newCode(secrets, 'invitation')
    const link = await catalogue.transact(addInvitation, {
      claim: claimOf(leave),
      nonce,
      sha256,
      email: wanted.email ?? null,
      fullName: wanted.fullName ?? '',
      teamId: wanted.teamId ?? null,
      isMailed: mails !== undefined && wanted.email !== undefined,
      now,
      expiresAt: now + (wanted.expiresIn ?? usualInvitation) * 1000,
    })
    if (link.mailed) mails?.wake()
    const [invitation = { link, team: undefined, organisation: undefined }] = await this.#withTeams([link])
    return { ...invitation, url: linkAddress(publicUrl(), 'invitation', code) }
  }

  /** Those that can still be accepted, oldest first. */
  async list(
    leave: InvitationLeave,
    page: { offset: number; limit: number },
  ): Promise<{ invitations: Invitation[]; total: number }> {
    const { catalogue, now } = this.#parts
    const found = await openInvitations(catalogue.read, { organisationId: organisationOf(leave), now: now() }, page)
    return { invitations: await this.#withTeams(found.invitations), total: found.total }
  }

  /** Voids it. */
  async withdraw(leave: InvitationLeave, id: string): Promise<void> {
    if (!/^[1-9]\d{0,14}$/.test(id)) throw noSuchInvitation()
    const { catalogue, now } = this.#parts
    await catalogue.transact(withdrawInvitation, { claim: claimOf(leave), id: Number(id), now: now() })
  }

  /** The new account of whoever was invited; `not-found` where the code is not, or no longer, good. */
  async accept(
    code: string,
    wanted: { name: string; password: string; email: string | undefined },
    address: string,
  ): Promise<{ caller: SignedIn; user: UserRow; link: LinkRow }> {
    mustTakePasswords(this.#parts.passwordLogin)
    return this.#attempts.counted(networkOf(address), async () => {
      const { catalogue, passwords, now } = this.#parts
      const sha256 = await goodCode(catalogue.read, 'invitation', code, now())
      const { text: name, key: nameKey } = ownerName(wanted.name)
      const passwordHash = await passwords.hash(wanted.password)
      const email = wanted.email ?? null
      const args = { sha256, name, nameKey, passwordHash, email, address, now: now() }
      const accepted = await catalogue.transact(acceptInvitation, args)
      const credential = { kind: 'password', hash: passwordHash, secondFactor: null } as const
      return { caller: { kind: 'user', account: accountFrom(accepted.user), credential, address }, ...accepted }
    })
  }

  /** Puts somebody who has an account into the invitation's team. */
  async join(caller: SignedIn, code: string): Promise<LinkRow> {
    return this.#attempts.counted(`account ${caller.account.id}`, async () => {
      const { catalogue, now } = this.#parts
      const args = { standing: standingOf(caller), sha256: codeHash('invitation', code), now: now() }
      return catalogue.transact(joinByInvitation, args)
    })
  }

  async #withTeams(links: LinkRow[]): Promise<Invitation[]> {
    const { read } = this.#parts.catalogue
    const teams = await teamsById(read, ids(links, 'team_id'))
    const organisations = await Promise.all(ids(links, 'organisation_id').map((id) => organisationById(read, id)))
    return links.map((link) => ({
      link,
      team: teams.find(({ id }) => id === link.team_id),
      organisation: organisations.find((organisation) => organisation?.id === link.organisation_id),
    }))
  }
}

/** Each one once. */
function ids(links: LinkRow[], column: 'team_id' | 'organisation_id'): number[] {
  return [...new Set(links.flatMap(({ [column]: id }) => (id === null ? [] : [id])))]
}

export interface InvitationParts {
  catalogue: Catalogue
  passwords: Passwords
  secrets: SecretKey
  now: () => number
  publicUrl: () => string
  passwordLogin: boolean
  /** Undefined where no mail is sent. */
  mails: { wake: () => void } | undefined
}
