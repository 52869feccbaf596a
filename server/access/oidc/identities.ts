import { type IdentityRow, identitiesOf } from '../../catalogue/identities.ts'
import type { Catalogue } from '../../catalogue/transaction.ts'
import type { OidcProvider } from '../../lib/oidc-provider.ts'
import { Problem } from '../../problems.ts'
import type { SignedIn } from '../caller.ts'
import { type AdminGrant, standingOf } from '../grant.ts'
import { liftSuspension, unlinkIdentity } from './transactions.ts'
import { groupRules } from './vouched.ts'

/** An identity as it is shown. */
export interface Identity {
  id: number
  /** The provider's name; null where it is not set any more. */
  provider: string | null
  title: string
  issuer: string
  subject: string
  label: string
  created_at: number
  last_used_at: number | null
  checked_at: number
  lapsed_at: number | null
  /** Whether the provider is asked again while he is away. */
  isChecked: boolean
}

/** By whom people are known elsewhere. */
export class Identities {
  readonly #parts: {
    catalogue: Catalogue
    providers: readonly OidcProvider[]
    takesPasswords: boolean
    now: () => number
  }

  constructor(parts: {
    catalogue: Catalogue
    providers: readonly OidcProvider[]
    takesPasswords: boolean
    now: () => number
  }) {
    this.#parts = parts
  }

  /** One's own, oldest first. */
  list({ account }: SignedIn): Promise<Identity[]> {
    return this.#of(account.id)
  }

  listOf(_: AdminGrant, userId: number): Promise<Identity[]> {
    return this.#of(userId)
  }

  /** `unprocessable` where there would be no way in any more. */
  async unlink(caller: SignedIn, id: string): Promise<Identity> {
    return this.#unlink(caller, caller.account.id, id, false)
  }

  async unlinkOf({ caller }: AdminGrant, userId: number, id: string): Promise<Identity> {
    return this.#unlink(caller, userId, id, true)
  }

  /** Lets somebody in again whose provider does not vouch for him. */
  async reinstate({ caller }: AdminGrant, userId: number): Promise<void> {
    await this.#parts.catalogue.transact(liftSuspension, {
      standing: standingOf(caller),
      userId,
      now: this.#parts.now(),
    })
  }

  async #of(userId: number): Promise<Identity[]> {
    return (await identitiesOf(this.#parts.catalogue.read, userId)).map((row) => this.#shown(row))
  }

  async #unlink(caller: SignedIn, userId: number, id: string, asAdministrator: boolean): Promise<Identity> {
    if (!/^[1-9]\d{0,14}$/.test(id)) throw new Problem('not-found', 'identity does not exist')
    const { catalogue, takesPasswords, now } = this.#parts
    const providers = this.#parts.providers.map((provider) => ({
      ...{ name: provider.name, issuer: provider.issuer, isChoosy: provider.allowedGroups !== undefined },
      rules: groupRules(provider, []),
    }))
    const gone = await catalogue.transact(unlinkIdentity, {
      standing: standingOf(caller),
      ...{ userId, id: Number(id), asAdministrator, takesPasswords, providers, now: now() },
    })
    return this.#shown(gone)
  }

  #shown({ refresh_token, user_id, seal_id, ...row }: IdentityRow): Identity {
    const provider = this.#parts.providers.find(({ issuer }) => issuer === row.issuer)
    return {
      ...row,
      provider: provider?.name ?? null,
      title: provider?.title ?? new URL(row.issuer).host,
      isChecked: refresh_token !== null,
    }
  }
}
