import { IdTokens } from './access/id-tokens.ts'
import { IssuerKeys, issuerLimits } from './access/issuer-keys.ts'
import { Publishers } from './access/publishers.ts'
import { endedExchangesJob, TokenExchange } from './access/token-exchange.ts'
import type { Catalogue } from './catalogue/transaction.ts'
import type { Replacements } from './compose.ts'
import type { JobKind } from './jobs/runner.ts'
import type { Issuer } from './lib/issuers.ts'
import { hostsOf, outgoingFetch } from './lib/outgoing-fetch.ts'

export interface PublishingParts {
  catalogue: Catalogue
  issuers: readonly Issuer[]
  publicUrl: () => string
  now: () => number
  outgoing: Replacements['outgoing']
  /** An issuer does not tell its keys. */
  failed: (issuer: Issuer, error: unknown) => void
}

/** Everything that lets jobs of a CI system publish without a stored secret. */
export function composePublishing({ catalogue, issuers, publicUrl, now, outgoing, failed }: PublishingParts) {
  const limits = { ...issuerLimits, ...outgoing?.limits }
  // Each its own: none may have us ask in the network of another.
  const fetchOf = ({ url }: Issuer) => outgoingFetch({ ...outgoing, allowed: hostsOf([url]), limits })
  const keys = new IssuerKeys({ fetchOf, now, failed })
  const idTokens = issuers.length > 0 ? new IdTokens({ issuers, keys, audience: publicUrl, now }) : undefined
  const tokenExchange = new TokenExchange({ catalogue, idTokens, now })
  const jobs: JobKind[] = [
    { kind: endedExchangesJob, every: 60 * 60_000, run: (_, signal) => tokenExchange.forget(signal) },
  ]
  return { publishers: new Publishers({ catalogue, issuers, now }), tokenExchange, jobs }
}
