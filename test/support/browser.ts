import type { TestStowage } from './stowage.ts'

/** A browser at one of Stowage's own pages: keeps the cookie that it is given, and says where it sends from. */
export class Browser {
  readonly #base: string
  readonly #headers: Record<string, string>
  /** As a browser sends it: name and value. */
  cookie: string | undefined
  /** The last `Set-Cookie` of a session, as it came. */
  setCookie: string | undefined
  /** What pages remember beside the session: name and value. */
  readonly #others = new Map<string, string>()

  constructor(stowage: Pick<TestStowage, 'url'>, headers: Record<string, string> = {}) {
    this.#base = stowage.url
    this.#headers = { 'Sec-Fetch-Site': 'same-origin', ...headers }
  }

  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const kept = [this.cookie, ...this.#others.values()].filter((pair) => pair !== undefined)
    const cookie: Record<string, string> = kept.length === 0 ? {} : { Cookie: kept.join('; ') }
    const headers = { ...this.#headers, ...cookie, ...(init.headers as Record<string, string>) }
    const response = await fetch(this.#base + path, { ...init, headers, redirect: 'manual' })
    for (const set of response.headers.getSetCookie()) this.#keep(set)
    return response
  }

  #keep(set: string): void {
    const [pair = ''] = set.split(';')
    const [name = ''] = pair.split('=')
    const isOver = /Max-Age=0\b/.test(set)
    if (name.endsWith('stowage_session')) {
      this.setCookie = set
      this.cookie = isOver ? undefined : pair
    } else if (isOver) this.#others.delete(name)
    else this.#others.set(name, pair)
  }

  /** Sends a form as a browser does without a script. */
  submit(path: string, fields: Record<string, string | readonly string[]> = {}): Promise<Response> {
    const pairs = new URLSearchParams()
    for (const [name, values] of Object.entries(fields)) for (const value of [values].flat()) pairs.append(name, value)
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
    return this.fetch(path, { method: 'POST', headers, body: String(pairs) })
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
