import type { HttpParts } from './parts.ts'

/** What a browser shows at the root until there are pages. */
export function welcome(parts: HttpParts): Response {
  const base = `${parts.publicUrl()}/api/packages/{owner}/generic/{package}/{version}/{file}`
  const text = [
    `Stowage ${parts.version}: a registry for generic packages.`,
    '',
    `publish    curl -u NAME -T FILE ${base}`,
    `download   curl -O ${base}`,
    '',
  ].join('\n')
  return new Response(text, {
    headers: {
      'Content-Type': 'text/plain; charset=utf-8',
      'X-Content-Type-Options': 'nosniff',
      'Content-Security-Policy': "default-src 'none'; sandbox",
    },
  })
}
