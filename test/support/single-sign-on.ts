import { Browser } from './browser.ts'
import { IssuerVisitor } from './issuer.ts'
import type { TestStowage } from './stowage.ts'

/** Somebody with a browser, who is known to issuers. */
export class Person {
  readonly browser: Browser
  readonly #at = new IssuerVisitor()

  constructor(stowage: TestStowage) {
    this.browser = new Browser(stowage)
    this.#url = stowage.url
  }

  readonly #url: string

  /** Where the issuer sends this browser back to, with what it says of `login`; begun by the button on the sign-in page. */
  async answerOf(provider: string, login: string, next = ''): Promise<string> {
    const begun = await this.browser.fetch(`/user/oidc/${provider}${next && `?next=${encodeURIComponent(next)}`}`)
    if (begun.status !== 303) throw new Error(`/user/oidc/${provider}: ${begun.status} ${saidIn(await begun.text())}`)
    return this.goOn(begun.headers.get('location') ?? '', login)
  }

  /** From an address at the issuer to the path here to which it sends back. */
  async goOn(url: string, login: string): Promise<string> {
    const back = await this.#at.visit(url, login)
    return back.slice(this.#url.length)
  }

  /** All the way; the last answer, which leads on where that went well. */
  async comeIn(provider: string, login: string, next = ''): Promise<Response> {
    let answer = await this.browser.fetch(await this.answerOf(provider, login, next))
    // Once more for a refresh token.
    const again = answer.headers.get('location')
    if (again?.startsWith('http')) answer = await this.browser.fetch(await this.goOn(again, login))
    return answer
  }

  /** Links an identity to the account that has signed in with this browser. */
  async link(provider: string, login: string, password?: string): Promise<Response> {
    const fields = { link: provider, ...(password ? { password } : {}) }
    const begun = await this.browser.submit('/user/settings/identities', fields)
    const url = /^0; url=(.*)$/.exec(begun.headers.get('refresh') ?? '')?.[1]
    if (!url) return begun
    return this.browser.fetch(await this.goOn(url, login))
  }
}

/** What a page says is wrong, in plain text. */
export function saidIn(page: string): string {
  const [, said = ''] = /<div class="text-base-content breaks">([\s\S]*?)<\/div>/.exec(page) ?? []
  const fields = [...page.matchAll(/id="error-[a-z_]+"[\s\S]*?<span>([^<]*)<\/span>/g)].map(([, text]) => text)
  return [said, ...fields].filter(Boolean).join(' ').trim()
}

/** Status of an answer, and where it leads or what it says. */
export async function told(answer: Response): Promise<[number, string]> {
  const text = await answer.text()
  return [answer.status, answer.headers.get('location') ?? saidIn(text)]
}
