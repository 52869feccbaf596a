interface NodeModules {
  'node:crypto': typeof import('node:crypto')
  'node:fs/promises': typeof import('node:fs/promises')
  'node:path': typeof import('node:path')
  'node:url': typeof import('node:url')
}

/**
 * A module of Node's, where the runtime has one: Node from 20.16 on, Bun and Deno answer here, and no bundler for browsers
 * takes this for an import.
 */
export function nodeModule<Name extends keyof NodeModules>(name: Name): NodeModules[Name] | undefined {
  return globalThis.process?.getBuiltinModule?.(name) as NodeModules[Name] | undefined
}

/** The same for what cannot be done without. */
export function neededModule<Name extends keyof NodeModules>(name: Name): NodeModules[Name] {
  const found = nodeModule(name)
  if (!found) throw new TypeError(`This runtime has no files: ${name} is missing`)
  return found
}
