import type { Logger } from 'pino'
import { checkIdentities, identitiesJob, looksEvery } from './access/oidc/checks.ts'
import { Identities } from './access/oidc/identities.ts'
import { ProviderClient } from './access/oidc/provider-client.ts'
import { ProviderSignIns } from './access/oidc/sign-in.ts'
import type { SignIns } from './access/sign-ins.ts'
import type { Catalogue } from './catalogue/transaction.ts'
import type { Replacements } from './compose.ts'
import type { Settings } from './config.ts'
import type { JobKind } from './jobs/runner.ts'
import type { SecretKey } from './lib/sealed.ts'

export interface SingleSignOnParts {
  catalogue: Catalogue
  settings: Settings
  secrets: SecretKey
  signIns: SignIns
  now: () => number
  publicUrl: () => string
  outgoing: Replacements['outgoing']
  log: Logger
}

/** Everything that has to do with OpenID providers by which people sign in. */
export function composeSingleSignOn(parts: SingleSignOnParts) {
  const { catalogue, settings, secrets, signIns, now, publicUrl, outgoing = {}, log } = parts
  const { oidcProviders: providers, passwordLogin } = settings
  const clients = providers.map((provider) => new ProviderClient({ provider, outgoing, now }))
  const refreshTokens = secrets.sealer('refresh token')
  const checks = {
    ...{ catalogue, clients, refreshTokens, now },
    noticed: (sentence: string, fields: Record<string, string | number>) => log.warn(fields, sentence),
  }
  const jobs: JobKind[] = [
    { kind: identitiesJob, every: looksEvery, run: (_, signal) => checkIdentities(checks, signal) },
  ]
  return {
    providerSignIns: new ProviderSignIns({
      ...{ catalogue, clients, refreshTokens, signIns, publicUrl, now },
      sealer: secrets.sealer('oidc'),
      noticed: (sentence) => log.warn(sentence),
    }),
    identities: new Identities({ catalogue, providers, takesPasswords: passwordLogin, now }),
    jobs,
  }
}
