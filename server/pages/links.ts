/** The addresses of the pages. Every name is escaped, and the public address's path stands before all. */
export class Links {
  readonly #base: string

  /** `base`: the path of the public address, without a trailing slash. */
  constructor(base: string) {
    this.#base = base
  }

  /** An address by its segments: `to('ada', '-', 'packages')`. None: the home page. */
  to(...segments: readonly string[]): string {
    return `${this.#base}/${segments.map(encodeURIComponent).join('/')}`
  }

  /** A path that is written down as it is: `/user/login`. */
  path(path: string): string {
    return this.#base + path
  }

  asset(name: string): string {
    return this.to('-', 'assets', name)
  }

  /** Search over all that the reader may see. */
  search(query: Record<string, string | undefined> = {}): string {
    return withQuery(this.to('-', 'search'), query)
  }

  owner(owner: string, ...more: readonly string[]): string {
    return more.length === 0 ? this.to(owner) : this.to(owner, '-', ...more)
  }

  package(owner: string, name: string, ...more: readonly string[]): string {
    return more.length === 0
      ? this.to(owner, '-', 'packages', 'generic', name)
      : this.to(owner, '-', 'packages', 'generic', name, '-', ...more)
  }

  versions(owner: string, name: string): string {
    return this.to(owner, '-', 'packages', 'generic', name, 'versions')
  }

  /** `more`: pages about the version, behind its own. */
  version(owner: string, name: string, version: string, ...more: readonly string[]): string {
    // What stands behind a version's address is told from a version by the place alone, so some versions need the longer one.
    const isPlain = version !== 'versions' && version !== '-'
    if (isPlain && more.length === 0) return this.to(owner, '-', 'packages', 'generic', name, version)
    return this.package(owner, name, 'version', version, ...more)
  }

  /** The bytes of a file, with the browser's session. */
  file(owner: string, name: string, version: string, id: number): string {
    return this.to(owner, '-', 'packages', 'generic', name, version, 'files', String(id))
  }

  /** Where a file is deleted: no segment more, or the address is deeper than the server's routes. */
  deleteFile(owner: string, name: string, version: string, id: number): string {
    return this.version(owner, name, version, 'delete', String(id))
  }

  /** Sign in, and come back. `from`: a path as the browser has it. */
  signIn(from?: string): string {
    return withQuery(this.path('/user/login'), { next: from })
  }
}

/** Adds what is not empty. */
export function withQuery(path: string, query: Record<string, string | number | undefined>): string {
  const pairs = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') pairs.set(name, String(value))
  }
  return pairs.size === 0 ? path : `${path}?${pairs}`
}

/**
 * The path to go on to after signing in; `otherwise` where it would lead away from this site. Browsers take `//`, `/\` and control
 * characters for the beginning of another host, also where dot segments stood before them.
 */
export function pathHere(sent: string | null | undefined, otherwise: string): string {
  if (!sent || !isPathHere(sent)) return otherwise
  const url = URL.parse(sent, 'http://here.invalid')
  const path = url?.origin === 'http://here.invalid' ? url.pathname + url.search : ''
  return isPathHere(path) ? path : otherwise
}

function isPathHere(path: string): boolean {
  return /^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/.test(path)
}
