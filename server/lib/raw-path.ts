import type { BunRequest } from 'bun'

/**
 * `Request.url` is normalised before any handler runs: dot segments are gone and `\` has become `/`. The route patterns
 * of `Bun.serve` match the target as it was sent, and hand over each segment decoded once; but a parameter does not match
 * an empty segment, and a wildcard hands over nothing. So there is one pattern for every sequence of filled and empty
 * segments up to a depth, and every target within it arrives with its own segments.
 */
export function rawPathRoutes(
  depth: number,
  handle: (request: Request, segments: string[]) => Response | Promise<Response>,
): Record<string, (request: BunRequest) => Response | Promise<Response>> {
  const routes: Record<string, (request: BunRequest) => Response | Promise<Response>> = {}
  const add = (pattern: string, length: number, names: readonly string[]) => {
    if (length > 0) {
      routes[pattern] = (request) => {
        const parameters = request.params as Record<string, string>
        return handle(
          request,
          names.map((name) => parameters[name] ?? ''),
        )
      }
    }
    if (length === depth) return
    const name = `s${names.length}`
    add(`${pattern}/`, length + 1, names)
    add(`${pattern}/:${name}`, length + 1, [...names, name])
  }
  add('', 0, [])
  return routes
}

/** A segment that would lead elsewhere if anybody resolved it. */
export function leadsElsewhere(segment: string): boolean {
  return segment === '.' || segment === '..' || segment.includes('\\')
}

/** Whether the path has a `%` that is not followed by two hexadecimal digits. Undecodable escapes arrive as U+FFFD. */
export function hasBadEscape(url: string, segments: readonly string[]): boolean {
  if (!segments.some((segment) => segment.includes('\uFFFD'))) return false
  const [path = ''] = url.split(/[?#]/, 1)
  return /%(?![0-9A-Fa-f]{2})/.test(path)
}

/**
 * The path of a request, without its query. Not every `Request.url` is a URL: with a `Host` that no URL can have it is the
 * target alone, and a CONNECT carries a host, or whatever its client sent.
 */
export function pathOf(url: string): string {
  return URL.parse(url)?.pathname ?? url.split(/[?#]/, 1)[0] ?? ''
}

/** The query of a request with its `?`, or nothing. */
export function searchOf(url: string): string {
  return /\?[^#]*/.exec(url)?.[0] ?? ''
}
