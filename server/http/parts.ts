import type { Logger } from 'pino'
import type { Access } from '../access/access.ts'
import type { Accounts } from '../access/accounts.ts'
import type { Administration } from '../access/administration.ts'
import type { AuditLog } from '../access/audit-log.ts'
import type { DeployTokens } from '../access/deploy-tokens.ts'
import type { Invitations } from '../access/invitations.ts'
import type { Identities } from '../access/oidc/identities.ts'
import type { ProviderSignIns } from '../access/oidc/sign-in.ts'
import type { Organisations } from '../access/organisations.ts'
import type { OwnAccount } from '../access/own-account.ts'
import type { OwnerNames } from '../access/owner-names.ts'
import type { PackageAccess } from '../access/package-access.ts'
import type { Passkeys } from '../access/passkeys.ts'
import type { PasswordResets } from '../access/password-resets.ts'
import type { Publishers } from '../access/publishers.ts'
import type { SecondFactors } from '../access/second-factor.ts'
import type { Sessions } from '../access/sessions.ts'
import type { SignUp } from '../access/sign-up.ts'
import type { Teams } from '../access/teams.ts'
import type { TokenExchange } from '../access/token-exchange.ts'
import type { Tokens } from '../access/tokens.ts'
import type { TrustedProxies } from '../lib/real-address.ts'
import type { RegistryParts } from '../registry/parts.ts'
import type { Webhooks } from '../registry/webhooks.ts'
import type { Metrics } from './metrics.ts'
import type { RefusedSignIns } from './refused-sign-ins.ts'
import type { SessionCookie } from './sign-in/cookie.ts'

/** What the HTTP layer works with; `compose.ts` puts it together. */
export interface HttpParts {
  access: Access
  accounts: Accounts
  ownAccount: OwnAccount
  administration: Administration
  auditLog: AuditLog
  ownerNames: OwnerNames
  organisations: Organisations
  teams: Teams
  tokens: Tokens
  secondFactors: SecondFactors
  passkeys: Passkeys
  providerSignIns: ProviderSignIns
  identities: Identities
  sessions: Sessions
  signUp: SignUp
  invitations: Invitations
  passwordResets: PasswordResets
  packageAccess: PackageAccess
  deployTokens: DeployTokens
  publishers: Publishers
  tokenExchange: TokenExchange
  registry: RegistryParts
  webhooks: Webhooks
  log: Logger
  refusedSignIns: RefusedSignIns
  /** Undefined where nobody may see them: then nothing is counted. */
  metrics: Metrics | undefined
  version: string
  /** What links begin with, without a trailing slash; a function, because port 0 is known only once it listens. */
  publicUrl: () => string
  /** Segments of the public address's path, which requests may carry or not. */
  prefix: readonly string[]
  trustedProxies: TrustedProxies
  /** The header, in lower case, in which a trusted proxy says who has signed in there. */
  proxySignInHeader: string | undefined
  cookie: SessionCookie
  /** Of the configured public address; undefined where there is none. */
  origin: string | undefined
  /** Whether `?token=` counts as a credential. */
  queryTokens: boolean
  /** See `Catalogue.changes`; undefined where nothing is kept in memory of what the database says. */
  changes: (() => number) | undefined
  /** Whose pages may read answers below `/api`. */
  corsOrigins: readonly string[]
  /** Whether invitations and links are mailed. */
  sendsMail: boolean
  /** Milliseconds: when this server began. */
  startedAt: number
  /** What is in force, without secrets. */
  settings: readonly ShownSetting[]
}

/** One variable, what it is and what it does. */
export interface ShownSetting {
  name: string
  value: string
  isSet: boolean
  isSecret: boolean
  meaning: string
}
