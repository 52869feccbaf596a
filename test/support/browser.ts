import type { TestStowage } from './stowage.ts'

/** A browser at one of Stowage's own pages: keeps the cookie that it is given, and says where it sends from. */
export class Browser {
  readonly #base: string
  readonly #headers: Record<string, string>
  /** As a browser sends it: name and value. */
  cookie: string | undefined
  /** The last `Set-Cookie`, as it came. */
  setCookie: string | undefined

  constructor(stowage: Pick<TestStowage, 'url'>, headers: Record<string, string> = {}) {
    this.#base = stowage.url
    this.#headers = { 'Sec-Fetch-Site': 'same-origin', ...headers }
  }

  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const cookie: Record<string, string> = this.cookie === undefined ? {} : { Cookie: this.cookie }
    const headers = { ...this.#headers, ...cookie, ...(init.headers as Record<string, string>) }
    const response = await fetch(this.#base + path, { ...init, headers, redirect: 'manual' })
    const [set] = response.headers.getSetCookie()
    if (set !== undefined) {
      this.setCookie = set
      this.cookie = /Max-Age=0\b/.test(set) ? undefined : set.split(';')[0]
    }
    return response
  }

  post(path: string, body?: unknown): Promise<Response> {
    const text = typeof body === 'string' || body === undefined ? body : JSON.stringify(body)
    return this.fetch(path, { method: 'POST', ...(text === undefined ? {} : { body: text }) })
  }

  delete(path: string): Promise<Response> {
    return this.fetch(path, { method: 'DELETE' })
  }

  signIn(user: string, password = `${user}-Pass-1234`): Promise<Response> {
    return this.post('/user/login', { user, password })
  }

  /** What a call of `GET /user/session` is answered: the name, or the status of the refusal. */
  async whoAmI(): Promise<string | number> {
    const response = await this.fetch('/user/session')
    return response.status === 200 ? ((await response.json()) as { login: string }).login : response.status
  }
}
