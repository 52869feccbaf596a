import type { Logger } from 'pino'
import type { Access } from '../access/access.ts'
import type { Accounts } from '../access/accounts.ts'
import type { Tokens } from '../access/tokens.ts'
import type { TrustedProxies } from '../lib/real-address.ts'
import type { RegistryParts } from '../registry/parts.ts'

/** What the HTTP layer works with; `compose.ts` puts it together. */
export interface HttpParts {
  access: Access
  accounts: Accounts
  tokens: Tokens
  registry: RegistryParts
  log: Logger
  version: string
  /** What links begin with, without a trailing slash; a function, because port 0 is known only once it listens. */
  publicUrl: () => string
  /** Segments of the public address's path, which requests may carry or not. */
  prefix: readonly string[]
  trustedProxies: TrustedProxies
  /** Whether `?token=` counts as a credential. */
  queryTokens: boolean
}
