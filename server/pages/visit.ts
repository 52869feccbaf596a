import type { Context } from 'hono'
import type { Caller, SignedIn } from '../access/caller.ts'
import {
  type AdminGrant,
  administer,
  type Grant,
  grantToChange,
  grantToShow,
  ownerAt,
  ownerOfPackage,
  type PackageGrant,
  packageToChange,
  packageToShow,
} from '../access/grant.ts'
import type { Visitor } from '../access/sessions.ts'
import type { Calling } from '../http/callers.ts'
import type { HttpParts } from '../http/parts.ts'
import { Problem } from '../problems.ts'
import { addressKeys } from '../registry/download.ts'
import { isNotice, type Notice } from './notices.ts'
import { type Theme, themes } from './site.ts'

/** What a page's handler finds in its context. */
export interface PageEnv {
  Bindings: Calling
  Variables: { visit: Visit }
}

/** Nobody looks at pages with an owner's token. */
type ByPerson<Leave> = Leave & { readonly caller: SignedIn }

/** One request of a browser: who looks, and what his browser remembers. */
export class Visit {
  readonly #parts: HttpParts
  readonly #calling: Calling
  /** Undefined: nobody has signed in. */
  readonly visitor: Visitor | undefined
  readonly theme: Theme
  /** What is told once, of the change that led here. */
  readonly notice: Notice | undefined
  /** Milliseconds. */
  readonly now: number

  constructor(parts: HttpParts, calling: Calling, request: Request, visitor: Visitor | undefined) {
    const cookies = cookiesOf(request.headers.get('cookie') ?? '')
    const theme = cookies.get('stowage_theme')
    const notice = cookies.get('stowage_notice')
    this.#parts = parts
    this.#calling = calling
    this.visitor = visitor
    this.theme = themes.find((known) => known === theme) ?? 'system'
    this.notice = isNotice(notice) ? notice : undefined
    this.now = parts.registry.now()
  }

  get caller(): Caller {
    return this.visitor ?? this.#parts.access.stranger
  }

  /** The visitor; who has not signed in is led to do so. */
  signedIn(): Visitor {
    if (!this.visitor) throw new Problem('credentials-missing', 'Sign in to see this page.')
    return this.visitor
  }

  /** Leave to run the site. */
  administers(verb: 'read' | 'write'): AdminGrant {
    return administer(this.signedIn(), verb)
  }

  /** Leave to read at an owner; hidden ones are not found. */
  async mayRead(owner: string): Promise<Grant<'read'>> {
    return grantToShow(this.caller, await this.#ownerAt(owner))
  }

  /** Leave to publish and delete at an owner. */
  async mayWrite(owner: string): Promise<ByPerson<Grant<'write'>>> {
    const found = await this.#ownerAt(owner)
    const { owner: known } = grantToShow(this.caller, found)
    return this.#toChange(known.name, () => grantToChange(this.caller, found))
  }

  /** Leave to read a package; hidden ones are not found. */
  async mayReadPackage(owner: string, name: string): Promise<PackageGrant<'read'>> {
    return packageToShow(await this.resolve({ owner, package: name, version: '', file: '' }))
  }

  /** Leave to publish a package, and to delete it. */
  async mayWritePackage(owner: string, name: string): Promise<ByPerson<PackageGrant<'write'>>> {
    const place = await this.resolve({ owner, package: name, version: '', file: '' })
    const known = ownerOfPackage(place)
    return this.#toChange(known.name, () => packageToChange(place))
  }

  #toChange<Leave extends Grant<'write'>>(owner: string, leave: () => Leave): ByPerson<Leave> {
    const visitor = this.signedIn()
    try {
      return { ...leave(), caller: visitor }
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'forbidden') throw error
      throw new Problem('forbidden', `You cannot publish to ${owner}, or delete there.`)
    }
  }

  /** The owner at an address, for what decides by itself who may; undefined where there is none. */
  async #ownerAt(owner: string) {
    return ownerAt(await this.resolve({ owner, package: '', version: '', file: '' }))
  }

  /** Who looks, and what is at an address: one look-up. */
  resolve(address: Parameters<typeof addressKeys>[0]) {
    return this.#calling.resolveFor(this.visitor, addressKeys(address))
  }
}

export function visitOf(c: Context<PageEnv>): Visit {
  return c.get('visit')
}

function cookiesOf(header: string): Map<string, string> {
  const pairs = header.split(';').map((pair) => pair.trim().split('='))
  return new Map(pairs.map(([name = '', value = '']) => [name, value]))
}
