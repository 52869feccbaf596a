import { type IdentityRow, identitiesToCheck } from '../../catalogue/identities.ts'
import type { Catalogue } from '../../catalogue/transaction.ts'
import type { Sealer } from '../../lib/sealed.ts'
import { type ProviderClient, ProviderFailed } from './provider-client.ts'
import { refreshTokenContext } from './sign-in.ts'
import {
  type Applied,
  claimCheck,
  keepRefreshToken,
  type Lapse,
  lapseIdentity,
  noteVouched,
  vouchForIdentity,
} from './transactions.ts'
import { groupRules, mayComeIn } from './vouched.ts'

/** The job that asks providers whether they still vouch for those who came in by them. */
export const identitiesJob = 'identities'

const hour = 60 * 60_000
/** After which somebody is asked about again: what fails is tried anew before a day is over. */
export const askedEvery = 20 * hour
/** For how long somebody stays whose provider does not answer. */
export const believedFor = 72 * hour
/** Milliseconds between two looks. */
export const looksEvery = 15 * 60_000

const batch = 100
/** Milliseconds within which nobody is asked about twice, whoever asks. */
const claimedFor = 5 * 60_000
/** People who are asked about at the same time. */
const atOnce = 4
/** Failures in a row after which a provider is left alone until the next look. */
const mostFailures = 3

export interface ChecksParts {
  catalogue: Catalogue
  clients: readonly ProviderClient[]
  refreshTokens: Sealer
  now: () => number
  /** Told what came of it, for the log. */
  noticed: (sentence: string, fields: Record<string, string | number>) => void
}

export interface Checked {
  vouched: number
  lapsed: number
  unanswered: number
}

/** Asks about everybody of whom it is time. */
export async function checkIdentities(parts: ChecksParts, signal?: AbortSignal): Promise<Checked> {
  const { catalogue, now } = parts
  const before = now() - askedEvery
  const failures = new Map<string, number>()
  const checked: Checked = { vouched: 0, lapsed: 0, unanswered: 0 }
  let after: { checkedAt: number; id: number } | undefined
  for (;;) {
    const some = await identitiesToCheck(catalogue.read, { before, after, limit: batch })
    const waiting = [...some]
    const work = async () => {
      for (let one = waiting.shift(); one && !signal?.aborted; one = waiting.shift()) {
        checked[await checkIdentity(parts, one, failures)] += 1
      }
    }
    await Promise.all(Array.from({ length: atOnce }, work))
    const last = some.at(-1)
    if (!last || some.length < batch || signal?.aborted) return checked
    after = { checkedAt: last.checked_at, id: last.id }
  }
}

async function checkIdentity(
  parts: ChecksParts,
  identity: IdentityRow,
  failures: Map<string, number>,
): Promise<keyof Checked> {
  const { catalogue, clients, now } = parts
  const client = clients.find(({ provider }) => provider.issuer === identity.issuer)
  const askedWith = identity.refresh_token
  const failed = failures.get(identity.issuer) ?? 0
  if (askedWith === null) return 'vouched'
  if (!client || failed >= mostFailures) return unanswered(parts, identity, client, askedWith)
  const { provider } = client
  const refreshToken = openToken(parts, identity, askedWith)
  if (refreshToken === undefined) {
    const fields = { 'oidc.provider': provider.name, 'user.id': identity.user_id }
    parts.noticed(`${provider.title} could not be asked about an account: its refresh token cannot be read`, fields)
    return unanswered(parts, identity, client, askedWith)
  }
  // With the next one: two nodes may ask on either side of its beginning.
  const moment = Math.floor(now() / claimedFor)
  const moments = [String(moment), String(moment + 1)]
  const claim = { id: identity.id, askedWith, moments, expiresAt: now() + 2 * claimedFor }
  if (!(await catalogue.transact(claimCheck, claim))) return 'unanswered'
  let current = askedWith
  try {
    const vouched = await client.refresh({ refreshToken, subject: identity.subject }, async (next) => {
      const sealed = parts.refreshTokens.seal(next, refreshTokenContext(identity))
      if (await catalogue.transact(keepRefreshToken, { id: identity.id, before: current, after: sealed }))
        current = sealed
    })
    failures.delete(identity.issuer)
    const rules = groupRules(provider, vouched.groups)
    const at = { identityId: identity.id, rules, provider: provider.name, askedWith: current, now: now() }
    if (!mayComeIn(provider, vouched.groups)) {
      tell(parts, provider.name, 'group', await catalogue.transact(lapseIdentity, { ...at, reason: 'group' }))
      return 'lapsed'
    }
    tell(parts, provider.name, undefined, await catalogue.transact(vouchForIdentity, at))
    await catalogue.transact(noteVouched, { ...at, label: vouched.label, refreshToken: undefined })
    return 'vouched'
  } catch (error) {
    if (!(error instanceof ProviderFailed)) throw error
    const fields = { 'oidc.provider': provider.name, 'user.id': identity.user_id }
    if (error.kind !== 'declined') {
      // What it sends of one person alone keeps nobody else waiting.
      if (error.kind === 'unreachable') failures.set(identity.issuer, failed + 1)
      parts.noticed(`${provider.title} could not be asked about an account: ${error.message}`, fields)
      return unanswered(parts, identity, client, current)
    }
    const at = { identityId: identity.id, rules: groupRules(provider, []), provider: provider.name, askedWith: current }
    tell(
      parts,
      provider.name,
      'refused',
      await catalogue.transact(lapseIdentity, { ...at, reason: 'refused', now: now() }),
    )
    return 'lapsed'
  }
}

/** Whoever cannot be asked about stays for a while. A provider that was taken out of the settings is one that does not answer. */
async function unanswered(
  parts: ChecksParts,
  identity: IdentityRow,
  client: ProviderClient | undefined,
  askedWith: string,
): Promise<keyof Checked> {
  const now = parts.now()
  if (identity.lapsed_at !== null || identity.checked_at > now - believedFor) return 'unanswered'
  const provider = client?.provider.name ?? identity.issuer
  const applied = await parts.catalogue.transact(lapseIdentity, {
    ...{ identityId: identity.id, rules: { isAdmin: null, teams: [] }, provider, askedWith, now },
    reason: 'unreachable',
  })
  tell(parts, provider, 'unreachable', applied)
  return 'lapsed'
}

/** Undefined where it was sealed with another secret key. */
function openToken({ refreshTokens }: ChecksParts, identity: IdentityRow, sealed: string): string | undefined {
  try {
    return refreshTokens.open(sealed, refreshTokenContext(identity))
  } catch {
    return undefined
  }
}

const why: Record<Lapse, string> = {
  group: 'is in none of the groups that may come in',
  refused: 'is not vouched for any more',
  unreachable: 'could not be asked about for three days',
}

function tell(
  { noticed }: ChecksParts,
  provider: string,
  reason: Lapse | undefined,
  applied: Applied | undefined,
): void {
  if (!applied) return
  const { name, suspended, reinstated, kept } = applied
  const fields = { 'user.name': name, 'oidc.provider': provider }
  if (suspended && reason) noticed(`Suspended ${name}, who ${why[reason]} by ${provider}`, fields)
  if (reinstated) noticed(`${provider} vouches for ${name} again: the account is not suspended any more`, fields)
  for (const sentence of kept) noticed(sentence, fields)
}
