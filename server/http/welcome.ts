import type { HttpParts } from './parts.ts'

/** What a browser shows at the root until there are pages. */
export function welcome(parts: HttpParts): Response {
  const base = `${parts.publicUrl()}/api/packages/{owner}/generic/{package}/{version}/{file}`
  return plainPage([
    `Stowage ${parts.version}: a registry for generic packages.`,
    '',
    `publish    curl -u NAME -T FILE ${base}`,
    `download   curl -O ${base}`,
    '',
  ])
}

/** Text for people, at an address at which there will be a page. */
export function plainPage(lines: readonly string[], headers: Record<string, string> = {}): Response {
  return new Response(lines.join('\n'), {
    headers: {
      'Content-Type': 'text/plain; charset=utf-8',
      'X-Content-Type-Options': 'nosniff',
      'Content-Security-Policy': "default-src 'none'; sandbox",
      ...headers,
    },
  })
}
