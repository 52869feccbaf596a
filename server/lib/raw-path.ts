import type { BunRequest } from 'bun'

/** Every address, or those without an empty segment before the last: a hundredth of the patterns, which a server compiles when it starts. */
export type Addresses = 'every' | 'plain'

type Handler = (request: BunRequest) => Response | Promise<Response>

/**
 * `Request.url` is normalised before any handler runs: dot segments are gone and `\\` has become `/`. The route patterns
 * of `Bun.serve` match the target as it was sent, and hand over each segment decoded once; but a parameter does not match
 * an empty segment, and a wildcard hands over nothing. So there is one pattern for every sequence of filled and empty
 * segments up to `depth`, and beyond it for the shapes that sloppy joining makes: every slash doubled or tripled, and many
 * slashes at the beginning or the end. Every target that matches arrives with its own segments.
 *
 * The number of patterns doubles with each level of depth, and the runtime does not survive more than some 16,000.
 */
export function rawPathRoutes(
  depth: number,
  handle: (request: Request, segments: string[]) => Response | Promise<Response>,
  addresses: Addresses = 'every',
): Record<string, Handler> {
  const routes: Record<string, Handler> = {}
  for (const shape of shapes(depth, addresses)) {
    const names: string[] = []
    const pattern = shape
      .map((isFilled) => {
        if (!isFilled) return '/'
        names.push(`s${names.length}`)
        return `/:${names.at(-1)}`
      })
      .join('')
    routes[pattern] = (request) => {
      const parameters = request.params as Record<string, string>
      return handle(
        request,
        names.map((name) => parameters[name] ?? ''),
      )
    }
  }
  return routes
}

/**
 * The same where the target itself is at hand: its filled segments, each decoded once; undefined where no pattern matches. Segments of
 * `prefix` do not count against the depth.
 */
export function rawSegments(
  depth: number,
  prefix: readonly string[],
  addresses: Addresses,
): (target: string) => string[] | undefined {
  const known = new Set(shapes(depth, addresses).map(String))
  return (target) => {
    // A target has no fragment (RFC 9112 §3.2): `#` stands for itself.
    const [path = ''] = target.split('?', 1)
    const [before, ...all] = path.split('/')
    if (before !== '') return undefined
    const segments = all.map(decoded)
    const shape = segments.map(Boolean)
    const isBelow = prefix.every((segment, index) => segment === segments[index])
    const isKnown = known.has(String(shape)) || (isBelow && known.has(String(shape.slice(prefix.length))))
    return isKnown ? segments.filter(Boolean) : undefined
  }
}

/** As the runtime decodes: what is no UTF-8, or no escape, becomes U+FFFD. */
function decoded(segment: string): string {
  const bytes = segment.replace(/%([0-9A-Fa-f]{2})?/g, (_, hex = 'ff') => String.fromCharCode(Number.parseInt(hex, 16)))
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(Buffer.from(bytes, 'latin1'))
}

function shapes(depth: number, addresses: Addresses): Shape[] {
  return addresses === 'plain' ? plain(depth) : [...shallow(depth), ...sloppy(depth)]
}

/** Which segments of a path are filled. */
type Shape = boolean[]

function plain(depth: number): Shape[] {
  const filled = Array.from({ length: depth }, (_, index) => Array<boolean>(index + 1).fill(true))
  return [[false], ...filled, ...filled.slice(0, -1).map((shape) => [...shape, false])]
}

function shallow(depth: number): Shape[] {
  const shapes: Shape[] = []
  let level: Shape[] = [[]]
  for (let length = 1; length <= depth; length++) {
    level = level.flatMap((shape) => [
      [...shape, true],
      [...shape, false],
    ])
    shapes.push(...level)
  }
  return shapes
}

/** Slashes in a row that are still taken for one where they stand at the beginning or at the end. */
const longestRun = 16

function sloppy(depth: number): Shape[] {
  const shapes: Shape[] = []
  for (let filled = 1; filled < depth; filled++) {
    const segments = Array<boolean>(filled).fill(true)
    for (const extra of [1, 2]) {
      const empty = Array<boolean>(extra).fill(false)
      const spread = segments.flatMap(() => [...empty, true])
      // With as many slashes at the end, or one, or none; and with a single one at the beginning.
      for (const end of [[], [false], [...empty, false]])
        shapes.push([...spread, ...end], [...spread.slice(extra), ...end])
    }
    for (let run = 1; run <= longestRun; run++) {
      const slashes = Array<boolean>(run).fill(false)
      shapes.push([...slashes, ...segments], [...segments, ...slashes])
    }
  }
  return shapes.filter((shape) => shape.length > depth)
}

/** A segment that would lead elsewhere if anybody resolved it. */
export function leadsElsewhere(segment: string): boolean {
  return segment === '.' || segment === '..' || segment.includes('\\')
}

/** Whether the path has a `%` that is not followed by two hexadecimal digits. Undecodable escapes arrive as U+FFFD. */
export function hasBadEscape(url: string, segments: readonly string[]): boolean {
  if (!segments.some((segment) => segment.includes('\uFFFD'))) return false
  // As in a target, `#` stands for itself.
  const [path = ''] = url.split('?', 1)
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
