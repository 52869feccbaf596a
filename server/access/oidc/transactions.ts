import {
  deleteIdentity,
  type IdentityRow,
  identitiesOf,
  identityById,
  insertIdentity,
  lockIdentity,
  replaceRefreshToken,
  teamsNamed,
  updateIdentity,
} from '../../catalogue/identities.ts'
import { deleteResetLinks } from '../../catalogue/links.ts'
import { alone, lockAccounts, lockByName } from '../../catalogue/named-locks.ts'
import type { Tx } from '../../catalogue/schema.ts'
import { endSessions } from '../../catalogue/sessions.ts'
import { deleteTeamMember, insertTeamMember, isOnlyOwner } from '../../catalogue/teams.ts'
import { transaction } from '../../catalogue/transaction.ts'
import { useOnce } from '../../catalogue/used-once.ts'
import {
  anotherAdministrator,
  anyUser,
  isEmailTaken,
  type UserRow,
  updateUser,
  userById,
} from '../../catalogue/users.ts'
import { sha256 } from '../../lib/digests.ts'
import { Problem } from '../../problems.ts'
import { emailKey, putAccount } from '../accounts.ts'
import { type Actor, type AuditEvent, audit } from '../audit.ts'
import { maySignIn } from '../caller.ts'
import { administer, callerNow, type Standing } from '../grant.ts'
import { memberAdded, memberRemoved } from '../organisations.ts'
import type { GroupRules } from './vouched.ts'

/** Who somebody is, as it is stored. */
export interface NewIdentity {
  issuer: string
  subject: string
  label: string
  sealId: string
}

/** The answer to a challenge counts once, whoever brings it. */
export const useState = transaction(
  'use sign-in state',
  async (tx, args: { sha256: string; expiresAt: number }): Promise<boolean> =>
    useOnce(tx, { kind: 'oidc state', ...args }),
)

interface Register {
  identity: NewIdentity
  account: { name: string; email: string | undefined; fullName: string }
  nameKey: string
  provider: string
  address: string
  now: number
}

/** An account for somebody whom a provider vouches for, without a password; `unprocessable` where the name is taken or not allowed. */
export const registerIdentity = transaction('register identity', async (tx, args: Register): Promise<UserRow> => {
  const { account, nameKey, address, now } = args
  // Whoever is quicker than the first administrator would leave the site without one.
  if (!(await anyUser(tx))) throw new Problem('forbidden', 'This site has no administrator yet. Try again in a moment.')
  const key = account.email === undefined ? undefined : emailKey(account.email)
  const isFree = key !== undefined && !(await isEmailTaken(tx, key, 0))
  const wanted = { ...account, email: isFree ? account.email : undefined }
  const user = await putAccount(tx, { account: wanted, nameKey, passwordHash: null, now }, { address })
  const identity = await addIdentity(tx, user.id, args)
  if (!identity) throw new Problem('already-exists', 'You have an account here by now: sign in once more.')
  await audit(tx, { address }, now, linked(user, args))
  return user
})

interface Link {
  identity: NewIdentity
  standing: Standing
  provider: string
  now: number
}

/** Only for who has signed in to the account: `already-exists` where the identity is somebody else's. */
export const linkIdentity = transaction('link identity', async (tx, args: Link): Promise<IdentityRow> => {
  const { standing, now } = args
  await lockAccounts(tx, { alone: [standing.userId] })
  const caller = await callerNow(tx, standing, now)
  const added = await addIdentity(tx, caller.account.id, args)
  if (added) {
    await audit(tx, caller, now, linked(caller.account, args))
    return added
  }
  const own = await identitiesOf(tx, caller.account.id)
  const known = own.find(({ issuer, subject }) => issuer === args.identity.issuer && subject === args.identity.subject)
  if (known) return known
  throw new Problem('already-exists', 'This identity belongs to another account here.')
})

function linked(owner: { id: number; name: string }, { provider, identity }: Register | Link): AuditEvent {
  // Not what he is called there: that may be an e-mail address.
  return { action: 'identity.linked', owner, details: { provider, issuer: identity.issuer } }
}

async function addIdentity(tx: Tx, userId: number, { identity, now }: Register | Link) {
  const { issuer, subject, label, sealId } = identity
  return insertIdentity(tx, {
    user_id: userId,
    ...{ issuer, subject, label },
    seal_id: sealId,
    refresh_token: null,
    checked_at: now,
    lapsed_at: null,
    created_at: now,
    last_used_at: null,
  })
}

interface Unlink {
  standing: Standing
  userId: number
  id: number
  /** Whether an administrator does it for somebody. */
  asAdministrator: boolean
  takesPasswords: boolean
  /** What each provider decides by its groups, as of who is in none of them; and whether some of them must be had to come in. */
  providers: readonly { name: string; issuer: string; isChoosy: boolean; rules: GroupRules }[]
  now: number
}

/** Nobody takes his own last way in away. What the provider's groups gave goes with it: nobody would be asked about them any more. */
export const unlinkIdentity = transaction('unlink identity', async (tx, args: Unlink): Promise<IdentityRow> => {
  const { standing, userId, id, now } = args
  await lockAccounts(tx, { alone: [userId], shared: [standing.userId] })
  const caller = await callerNow(tx, standing, now)
  if (args.asAdministrator) administer(caller, 'write')
  else if (caller.account.id !== userId) throw new Problem('not-found', 'identity does not exist')
  const before = await identityById(tx, id)
  const provider = args.providers.find(({ issuer }) => issuer === before?.issuer)
  const at = { rules: provider?.rules ?? { isAdmin: null, teams: [] }, provider: provider?.name ?? '', now }
  const held = await hold(tx, { identityId: id, askedWith: undefined, ...at })
  const user = held?.user.id === userId ? held.user : undefined
  const gone = user && (await deleteIdentity(tx, { id, userId }))
  if (!user || !gone) throw new Problem('not-found', 'identity does not exist')
  const hasPassword = args.takesPasswords && user.password_hash !== null
  const others = await identitiesOf(tx, userId)
  // A passkey beside it does not count, nor a provider that lets everybody in: who leaves would go on by them.
  const isChoosy = (issuer: string) => args.providers.some((its) => its.issuer === issuer && its.isChoosy)
  const isVouchedFor = others.length > 0 && (!isChoosy(gone.issuer) || others.some(({ issuer }) => isChoosy(issuer)))
  if (!hasPassword && !isVouchedFor && !args.asAdministrator) {
    throw new Problem(
      'unprocessable',
      'Your account has no password, so this provider vouches for it: an administrator can unlink it.',
    )
  }
  await audit(tx, caller, now, {
    action: 'identity.unlinked',
    owner: user,
    details: { issuer: gone.issuer },
  })
  if (held && !others.some(({ issuer }) => issuer === gone.issuer)) await applyGroups(tx, held, at)
  return gone
})

/** What a provider's word has changed, and what it could not change. */
export interface Applied {
  userId: number
  name: string
  suspended: boolean
  reinstated: boolean
  /** Sentences for the log: nobody was asked, so nobody is told. */
  kept: readonly string[]
}

interface AtIdentity {
  identityId: number
  rules: GroupRules
  provider: string
  now: number
  /** The refresh token as it was when the provider was asked; undefined: it was asked by the person himself. */
  askedWith: string | undefined
}

/**
 * The provider vouches for somebody: what it has said of his groups holds from now on, and what it had suspended is lifted. Undefined
 * where the identity has gone, or was asked about anew meanwhile. `noteVouched` comes after it: who cannot be noted is asked about again.
 */
export const vouchForIdentity = transaction(
  'vouch for identity',
  async (tx, args: AtIdentity): Promise<Applied | undefined> => {
    const held = await hold(tx, args)
    if (!held) return undefined
    const { identity, user } = held
    const { now, provider } = args
    if (identity.lapsed_at !== null) await updateIdentity(tx, identity.id, { lapsed_at: null })
    const others = (await identitiesOf(tx, user.id)).filter(({ lapsed_at }) => lapsed_at !== null)
    const reinstated = user.suspended_at !== null && others.length === 0
    if (reinstated) {
      await updateUser(tx, user.id, { suspended_at: null })
      await audit(tx, 'server', now, { action: 'account.reinstated', owner: user, details: { provider } })
    }
    const kept = await applyGroups(tx, held, args)
    return { userId: user.id, name: user.name, suspended: false, reinstated, kept }
  },
)

interface NoteVouched extends Pick<AtIdentity, 'identityId' | 'askedWith' | 'now'> {
  label: string
  /** Sealed; undefined: it stays as it is. */
  refreshToken: string | undefined
}

/** When the provider was asked, and what it said beside. */
export const noteVouched = transaction('note vouched identity', async (tx, args: NoteVouched): Promise<void> => {
  const { identityId, askedWith, label, refreshToken, now } = args
  const identity = await lockIdentity(tx, identityId)
  if (!identity || (askedWith !== undefined && identity.refresh_token !== askedWith)) return
  await updateIdentity(tx, identityId, {
    checked_at: now,
    label,
    ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
    ...(askedWith === undefined ? { last_used_at: now } : {}),
  })
})

/** Why a provider does not vouch for somebody any more. */
export type Lapse = 'group' | 'refused' | 'unreachable'

interface Lapsed extends AtIdentity {
  reason: Lapse
}

/**
 * The provider does not vouch for somebody any more: he loses what his groups gave him, and nothing of his is a credential. Only when that
 * begins: an administrator who lifts it knows better, until the provider has vouched for him once more. The last administrator stays.
 */
export const lapseIdentity = transaction('lapse identity', async (tx, args: Lapsed): Promise<Applied | undefined> => {
  const held = await hold(tx, args)
  if (!held) return undefined
  const { identity, user } = held
  const { now, reason, provider } = args
  const wasAsked = reason !== 'unreachable'
  if (wasAsked) await updateIdentity(tx, identity.id, { checked_at: now })
  const kept = reason === 'unreachable' ? [] : await applyGroups(tx, held, args)
  const applied = { userId: user.id, name: user.name, reinstated: false }
  if (identity.lapsed_at !== null) {
    if (reason === 'refused') await updateIdentity(tx, identity.id, { refresh_token: null })
    return { ...applied, suspended: false, kept }
  }
  const row = (await userById(tx, user.id)) ?? user
  if (row.is_admin === 1 && maySignIn(row)) {
    await lockByName(tx, [alone('administrators')])
    if (!(await anotherAdministrator(tx, user.id))) {
      // Asked about again until there is another one: so nothing else is noted, and nothing where that is each quarter of an hour.
      if (wasAsked) await audit(tx, 'server', now, lapsed(user, args, 'last administrator'))
      const sentence = `${user.name} is the last administrator, and was not suspended`
      return { ...applied, suspended: false, kept: [...kept, sentence] }
    }
  }
  await updateIdentity(tx, identity.id, {
    lapsed_at: now,
    ...(reason === 'refused' ? { refresh_token: null } : {}),
  })
  const suspended = user.suspended_at === null
  await audit(tx, 'server', now, lapsed(user, args, null))
  if (suspended) {
    await updateUser(tx, user.id, { suspended_at: now })
    await endSessions(tx, user.id)
    await deleteResetLinks(tx, user.id)
    await audit(tx, 'server', now, { action: 'account.suspended', owner: user, details: { provider, reason } })
  }
  return { ...applied, suspended, kept }
})

function lapsed(owner: UserRow, { provider, reason }: Lapsed, kept: string | null): AuditEvent {
  return { action: 'identity.lapsed', owner, details: { provider, reason, ...(kept ? { kept } : {}) } }
}

interface Held {
  identity: IdentityRow
  user: UserRow
  teams: Awaited<ReturnType<typeof teamsNamed>>
}

/** Takes all locks that are needed, in their order, and reads what they are about. */
async function hold(
  tx: Tx,
  { identityId, rules, askedWith }: Pick<AtIdentity, 'identityId' | 'rules' | 'askedWith'>,
): Promise<Held | undefined> {
  const before = await identityById(tx, identityId)
  if (!before) return undefined
  await lockAccounts(tx, { alone: [before.user_id] })
  const organisations = new Set((await teamsNamed(tx, rules.teams)).map(({ organisation_id }) => organisation_id))
  await lockByName(
    tx,
    [...organisations].sort((a, b) => a - b).map((id) => alone(`owner ${id}`)),
  )
  if (rules.isAdmin !== null) await lockByName(tx, [alone('administrators')])
  const identity = await lockIdentity(tx, identityId)
  const user = identity && (await userById(tx, identity.user_id))
  if (!identity || !user || identity.user_id !== before.user_id) return undefined
  if (askedWith !== undefined && identity.refresh_token !== askedWith) return undefined
  const teams = (await teamsNamed(tx, rules.teams)).filter((team) => organisations.has(team.organisation_id))
  return { identity, user, teams }
}

/** Adds to and removes from the mapped teams, and no others; makes and unmakes administrators. Answers what must stay. */
async function applyGroups(
  tx: Tx,
  { user, teams }: Pick<Held, 'user' | 'teams'>,
  { rules, provider, now }: Pick<AtIdentity, 'rules' | 'provider' | 'now'>,
): Promise<string[]> {
  const kept: string[] = []
  for (const team of teams) {
    const owner = { id: team.organisation_id, name: team.organisation }
    const { organisationKey, organisation, ...row } = team
    const rule = rules.teams.find((one) => one.organisationKey === organisationKey && one.teamKey === row.name_key)
    if (!rule) continue
    if (rule.isIn) {
      if (await insertTeamMember(tx, row, user.id)) await told(memberAdded(owner, row, user))
      continue
    }
    if (row.permission === 'owner' && (await isOnlyOwner(tx, { organisationId: owner.id, userId: user.id }))) {
      kept.push(`${user.name} is the last owner of ${organisation}, and stays in the team ${row.name}`)
      continue
    }
    if (await deleteTeamMember(tx, row.id, user.id)) await told(await memberRemoved(tx, owner, user.id, [row]))
  }
  const isAdmin = rules.isAdmin === null ? user.is_admin : rules.isAdmin ? 1 : 0
  if (isAdmin === user.is_admin) return kept
  if (isAdmin === 0 && maySignIn(user) && !(await anotherAdministrator(tx, user.id))) {
    return [...kept, `${user.name} is the last administrator, and stays one`]
  }
  await updateUser(tx, user.id, { is_admin: isAdmin })
  await told({
    action: 'account.changed',
    owner: user,
    details: { admin_before: user.is_admin === 1, admin: isAdmin === 1 },
  })
  return kept

  function told(event: AuditEvent): Promise<void> {
    const actor: Actor = 'server'
    return audit(tx, actor, now, { ...event, details: { ...event.details, provider } })
  }
}

interface ClaimCheck {
  id: number
  askedWith: string
  /** The present one and the next one, the same for all that may come at the same moment. */
  moments: readonly string[]
  expiresAt: number
}

/**
 * Leave to ask a provider with that refresh token: false where somebody else has it at this moment, or the token is another one by now. A token
 * that is used twice may be taken for a stolen one, and cost the one that has come in its place.
 */
export const claimCheck = transaction('claim identity check', async (tx, args: ClaimCheck): Promise<boolean> => {
  const { id, askedWith, moments, expiresAt } = args
  const identity = await lockIdentity(tx, id)
  if (identity?.refresh_token !== askedWith) return false
  for (const moment of moments) {
    const isFree = await useOnce(tx, {
      kind: 'identity check',
      sha256: sha256(`${askedWith} ${moment}`),
      expiresAt,
    })
    if (!isFree) return false
  }
  return true
})

/** False where the identity has another one by now. */
export const keepRefreshToken = transaction(
  'keep refresh token',
  async (tx, args: { id: number; before: string; after: string }): Promise<boolean> => replaceRefreshToken(tx, args),
)

/** An administrator knows better than the provider. */
export const liftSuspension = transaction(
  'lift suspension',
  async (tx, args: { standing: Standing; userId: number; now: number }): Promise<void> => {
    await lockAccounts(tx, { alone: [args.userId], shared: [args.standing.userId] })
    const { caller } = administer(await callerNow(tx, args.standing, args.now), 'write')
    const user = await userById(tx, args.userId)
    if (!user) throw new Problem('not-found', 'Not found.')
    if (user.suspended_at === null) return
    await updateUser(tx, user.id, { suspended_at: null })
    await audit(tx, caller, args.now, { action: 'account.reinstated', owner: user })
  },
)
