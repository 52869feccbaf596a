export interface Route {
  method: string
  /** From the root, with `:name` for what varies. */
  path: string
}

/** The routes of a router, each once: the description of one stands before its handler as a handler of its own. */
export function routesOf({ routes }: { routes: readonly Route[] }): Route[] {
  const known = new Map(routes.map(({ method, path }) => [`${method} ${path}`, { method, path }]))
  return [...known.values()]
}
