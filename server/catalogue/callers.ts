import { sql } from 'kysely'
import { type AddressKeys, type AddressRow, addresses, addressFrom, noStanding } from './files.ts'
import { hasIdentities } from './identities.ts'
import { accessOf } from './owners.ts'
import { namedAccess, namedAt } from './package-grants.ts'
import { hasPasskeys } from './passkeys.ts'
import { prepared } from './prepared.ts'
import type { Db, OwnerKind, Schema, Tx } from './schema.ts'
import type { TokenRow } from './tokens.ts'
import type { UserRow } from './users.ts'

/** What a request brings to say who is calling, as it is looked up; null where it brings no such thing. */
export interface CallerKeys {
  tokenSha256: string | null
  /** Folded; of the account that is meant where no token is found. */
  nameKey: string | null
  emailKey: string | null
}

/** What decides about a call by token. */
export type CallingToken = Pick<TokenRow, 'id' | 'user_id' | 'scopes' | 'expires_at' | 'last_eight' | 'packages'>

/** An owner's token, with what decides about it. */
export interface CallingDeployToken {
  id: number
  owner_id: number
  name: string
  last_eight: string
  scopes: string
  packages: string | null
  expires_at: number | null
  claims: string | null
  ownerName: string
  ownerKind: OwnerKind
  /** The account that the owner is, where he is a person. */
  account: Pick<UserRow, 'is_active' | 'prohibit_login' | 'suspended_at'> | undefined
}

/** An account, and the token that led to it if one did. */
export interface CallerRow {
  user: UserRow
  token: CallingToken | undefined
}

/** What the keys led to: at most one of the two, but that a name may have been sent beside an owner's token. */
export interface FoundCaller {
  caller: CallerRow | undefined
  deployToken: CallingDeployToken | undefined
}

const nobody: CallerKeys = { tokenSha256: null, nameKey: null, emailKey: null }

export async function findCaller(db: Db, keys: CallerKeys): Promise<FoundCaller> {
  const [row] = await selectCaller(db, { ...nobody, ...keys })
  return row ? foundFrom(row) : { caller: undefined, deployToken: undefined }
}

/** Who is calling and what is at the address, in one statement: a download costs no more, whoever asks. */
export async function findCallerAndAddress(
  db: Db,
  who: CallerKeys | undefined,
  address: AddressKeys,
): Promise<FoundCaller & { address: AddressRow | undefined }> {
  if (who === undefined) {
    const [row] = await selectAddress(db, address)
    return { caller: undefined, deployToken: undefined, address: row && addressFrom(row, address, noStanding) }
  }
  const [row] = await selectBoth(db, { ...nobody, ...who, ...address })
  if (!row) throw new Error('a look-up that always has a row had none')
  const { ownerId, access, named, isNamed, ...rest } = row
  return {
    ...foundFrom(rest),
    address:
      ownerId === null
        ? undefined
        : addressFrom({ ...rest, ownerId } as Parameters<typeof addressFrom>[0], address, { access, named, isNamed }),
  }
}

function foundFrom(row: { [Name in keyof (CallerColumns & DeployColumns)]: unknown }): FoundCaller {
  return {
    caller: row.callerId === null ? undefined : callerFrom(row as CallerColumns),
    deployToken: row.deployId === null ? undefined : deployTokenFrom(row as DeployColumns),
  }
}

/** What is at the address, for who brings no credential; undefined where that cannot be told at once. */
export function findAddressNow(db: Db, address: AddressKeys): { address: AddressRow | undefined } | undefined {
  const rows = selectAddress.now(db, address)
  return rows && { address: rows[0] && addressFrom(rows[0], address, noStanding) }
}

/** An account and its token as they are now, for a transaction that acts for them and holds the account's lock. */
export async function callingAccount(
  tx: Tx,
  who: { userId: number; tokenId: number | null },
): Promise<CallerRow | undefined> {
  const { userId, tokenId } = who
  const [row] = tokenId === null ? await selectUser(tx, { userId }) : await selectUserAndToken(tx, { userId, tokenId })
  return row && callerFrom(row)
}

/** An owner's token as it is now, as `callingAccount` has a person's. */
export async function callingDeployToken(tx: Tx, id: number): Promise<CallingDeployToken | undefined> {
  const [row] = await selectDeployToken(tx, { id })
  return row && deployTokenFrom(row)
}

/** The account's columns under names that no other table's columns have. */
const accountColumns = [
  'users.id as callerId',
  'users.email as callerEmail',
  'users.email_key as callerEmailKey',
  'users.full_name as callerFullName',
  'users.password_hash as callerPasswordHash',
  'users.is_admin as callerIsAdmin',
  'users.is_active as callerIsActive',
  'users.is_restricted as callerIsRestricted',
  'users.prohibit_login as callerProhibitLogin',
  'users.must_change_password as callerMustChangePassword',
  'users.last_login_at as callerLastLoginAt',
  'users.may_create_organisations as callerMayCreateOrganisations',
  'users.totp_secret as callerTotpSecret',
  'users.totp_last_step as callerTotpLastStep',
  'users.suspended_at as callerSuspendedAt',
  'accounts.name as callerName',
  'accounts.visibility as callerVisibility',
  'accounts.created_at as callerCreatedAt',
  'accounts.description as callerDescription',
  'accounts.website as callerWebsite',
  'accounts.location as callerLocation',
] as const

const tokenColumns = [
  'tokens.id as tokenId',
  'tokens.scopes as tokenScopes',
  'tokens.expires_at as tokenExpiresAt',
  'tokens.last_eight as tokenLastEight',
  'tokens.packages as tokenPackages',
] as const

function accounts(db: Db | Tx) {
  return db
    .selectFrom('users')
    .innerJoin('owners as accounts', 'accounts.id', 'users.id')
    .select(accountColumns)
    .select([hasPasskeys('users.id').as('callerHasPasskeys'), hasIdentities('users.id').as('callerHasIdentities')])
}

/** The account of the token or, where there is no such token, the one of that name or e-mail address. */
function callers(db: Db | Tx, keys: CallerKeys) {
  const userId = sql<number>`coalesce(
    (select user_id from tokens where sha256 = ${keys.tokenSha256}),
    (select id from owners where name_key = ${keys.nameKey}),
    (select id from users where email_key = ${keys.emailKey}))`
  return accounts(db)
    .leftJoin('tokens', (join) =>
      join.onRef('tokens.user_id', '=', 'users.id').on('tokens.sha256', '=', keys.tokenSha256 as string),
    )
    .select(tokenColumns)
    .where('users.id', '=', userId)
}

/** An owner's tokens, with the account that the owner is where he is a person. */
function deployTokens(db: Db | Tx) {
  return db
    .selectFrom('deploy_tokens')
    .innerJoin('owners as holders', 'holders.id', 'deploy_tokens.owner_id')
    .leftJoin('users as holding', 'holding.id', 'deploy_tokens.owner_id')
    .select([
      'deploy_tokens.id as deployId',
      'deploy_tokens.owner_id as deployOwnerId',
      'deploy_tokens.name as deployName',
      'deploy_tokens.last_eight as deployLastEight',
      'deploy_tokens.scopes as deployScopes',
      'deploy_tokens.packages as deployPackages',
      'deploy_tokens.expires_at as deployExpiresAt',
      'deploy_tokens.claims as deployClaims',
      'holders.name as deployOwnerName',
      'holders.kind as deployOwnerKind',
      'holding.is_active as deployIsActive',
      'holding.prohibit_login as deployProhibitLogin',
      'holding.suspended_at as deploySuspendedAt',
    ])
}

const selectDeployToken = prepared(['id'], (tx, { id }: { id: number }) =>
  deployTokens(tx).where('deploy_tokens.id', '=', id),
)

const callerKeyNames = ['tokenSha256', 'nameKey', 'emailKey'] as const
/** What every request asks. */
const byKey = { plannedOnce: true }
const addressKeyNames = ['owner', 'package', 'version', 'file'] as const

/** Whoever the keys lead to, in one row that is always there. */
function request(db: Db | Tx, keys: CallerKeys) {
  return db
    .selectFrom(db.selectNoFrom(sql<number>`1`.as('one')).as('request'))
    .leftJoin(callers(db, keys).as('caller'), (join) => join.onTrue())
    .leftJoin(
      deployTokens(db)
        .where('deploy_tokens.sha256', '=', keys.tokenSha256 as string)
        .as('deploy'),
      (join) => join.onTrue(),
    )
}

const selectCaller = prepared(
  callerKeyNames,
  (db, keys: CallerKeys) => request(db, keys).selectAll(['caller', 'deploy']),
  byKey,
)
const selectAddress = prepared(addressKeyNames, (db, keys: AddressKeys) => addresses(db, keys), byKey)
const selectBoth = prepared(
  [...callerKeyNames, ...addressKeyNames],
  (db, keys: CallerKeys & AddressKeys) =>
    request(db, keys)
      .leftJoin(addresses(db, keys).as('address'), (join) => join.onTrue())
      .selectAll(['caller', 'deploy', 'address'])
      .select(accessOf(sql.ref('caller.callerId'), sql.ref('address.ownerId')).as('access'))
      .select(namedAccess(asWhom, sql.ref('address.packageId')).as('named'))
      .select(namedAt(asWhom, sql.ref('address.ownerId')).as('isNamed')),
  byKey,
)

/** A name that was sent beside an owner's token says nothing. */
const asWhom = {
  userId: sql<number | null>`case when ${sql.ref('deploy.deployId')} is null then ${sql.ref('caller.callerId')} end`,
  deployTokenId: sql.ref<number | null>('deploy.deployId'),
}

/** The account of a browser's session, unless the session has ended. */
export async function accountOfSession(
  db: Db | Tx,
  wanted: { sha256: string; now: number; idleSince: number },
): Promise<{ user: UserRow; sessionId: number } | undefined> {
  const row = await accounts(db)
    .innerJoin('sessions', 'sessions.user_id', 'users.id')
    .select('sessions.id as sessionId')
    .where('sessions.sha256', '=', wanted.sha256)
    .where('sessions.expires_at', '>', wanted.now)
    .where('sessions.last_used_at', '>', wanted.idleSince)
    .executeTakeFirst()
  return row && { user: userFrom(row), sessionId: row.sessionId }
}

const selectUser = prepared(['userId'], (tx, { userId }: { userId: number }) =>
  accounts(tx)
    .select([
      sql<null>`null`.as('tokenId'),
      sql<null>`null`.as('tokenScopes'),
      sql<null>`null`.as('tokenExpiresAt'),
      sql<null>`null`.as('tokenLastEight'),
      sql<null>`null`.as('tokenPackages'),
    ])
    .where('users.id', '=', userId),
)

const selectUserAndToken = prepared(['userId', 'tokenId'], (tx, who: { userId: number; tokenId: number }) =>
  accounts(tx)
    .innerJoin('tokens', 'tokens.user_id', 'users.id')
    .select(tokenColumns)
    .where('users.id', '=', who.userId)
    .where('tokens.id', '=', who.tokenId),
)

interface CallerColumns {
  callerId: number
  callerEmail: string | null
  callerEmailKey: string | null
  callerFullName: string
  callerPasswordHash: string | null
  callerIsAdmin: Schema['users']['is_admin']
  callerIsActive: Schema['users']['is_active']
  callerIsRestricted: Schema['users']['is_restricted']
  callerProhibitLogin: Schema['users']['prohibit_login']
  callerMustChangePassword: Schema['users']['must_change_password']
  callerLastLoginAt: number | null
  callerMayCreateOrganisations: UserRow['may_create_organisations']
  callerTotpSecret: string | null
  callerTotpLastStep: number | null
  callerSuspendedAt: number | null
  callerHasPasskeys: UserRow['has_passkeys']
  callerHasIdentities: UserRow['has_identities']
  callerName: string
  callerVisibility: Schema['owners']['visibility']
  callerCreatedAt: number
  callerDescription: string
  callerWebsite: string
  callerLocation: string
  tokenId: number | null
  tokenScopes: string | null
  tokenExpiresAt: number | null
  tokenLastEight: string | null
  tokenPackages: string | null
}

interface DeployColumns {
  deployId: number
  deployOwnerId: number
  deployName: string
  deployLastEight: string
  deployScopes: string
  deployPackages: string | null
  deployExpiresAt: number | null
  deployClaims: string | null
  deployOwnerName: string
  deployOwnerKind: OwnerKind
  deployIsActive: UserRow['is_active'] | null
  deployProhibitLogin: UserRow['prohibit_login'] | null
  deploySuspendedAt: number | null
}

function deployTokenFrom(row: DeployColumns): CallingDeployToken {
  const { deployIsActive, deployProhibitLogin } = row
  const isPerson = deployIsActive !== null && deployProhibitLogin !== null
  return {
    id: row.deployId,
    owner_id: row.deployOwnerId,
    name: row.deployName,
    last_eight: row.deployLastEight,
    scopes: row.deployScopes,
    packages: row.deployPackages,
    expires_at: row.deployExpiresAt,
    claims: row.deployClaims,
    ownerName: row.deployOwnerName,
    ownerKind: row.deployOwnerKind,
    account: isPerson
      ? { is_active: deployIsActive, prohibit_login: deployProhibitLogin, suspended_at: row.deploySuspendedAt }
      : undefined,
  }
}

function userFrom(row: Omit<CallerColumns, `token${string}`>): UserRow {
  return {
    id: row.callerId,
    email: row.callerEmail,
    email_key: row.callerEmailKey,
    full_name: row.callerFullName,
    password_hash: row.callerPasswordHash,
    is_admin: row.callerIsAdmin,
    is_active: row.callerIsActive,
    is_restricted: row.callerIsRestricted,
    prohibit_login: row.callerProhibitLogin,
    must_change_password: row.callerMustChangePassword,
    last_login_at: row.callerLastLoginAt,
    may_create_organisations: row.callerMayCreateOrganisations,
    totp_secret: row.callerTotpSecret,
    totp_last_step: row.callerTotpLastStep,
    suspended_at: row.callerSuspendedAt,
    has_passkeys: row.callerHasPasskeys,
    has_identities: row.callerHasIdentities,
    name: row.callerName,
    visibility: row.callerVisibility,
    created_at: row.callerCreatedAt,
    description: row.callerDescription,
    website: row.callerWebsite,
    location: row.callerLocation,
  }
}

function callerFrom(row: CallerColumns): CallerRow {
  const user = userFrom(row)
  const { tokenId, tokenScopes, tokenExpiresAt, tokenLastEight } = row
  const token =
    tokenId !== null && tokenScopes !== null && tokenLastEight !== null
      ? {
          id: tokenId,
          user_id: user.id,
          scopes: tokenScopes,
          expires_at: tokenExpiresAt,
          last_eight: tokenLastEight,
          packages: row.tokenPackages,
        }
      : undefined
  return { user, token }
}
