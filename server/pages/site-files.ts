import { Hono } from 'hono'
import { Problem } from '../problems.ts'
import { assetResponse, assets } from './assets.ts'
import type { PageEnv } from './visit.ts'

/** What belongs to the pages, and is the same for everybody. */
export function siteFiles(): Hono<PageEnv> {
  return new Hono<PageEnv>()
    .get('/-/assets/:name', async (c) => {
      const response = await assetResponse(c.req.param('name'), c.req.header('accept-encoding') ?? '')
      return response ?? new Response('Not found.\n', { status: 404, headers: { 'Cache-Control': 'no-store' } })
    })
    .get('/favicon.ico', async () => {
      const response = await assetResponse((await assets()).mark, '')
      if (!response) throw new Problem('not-found', 'Not found.')
      response.headers.set('Cache-Control', 'public, max-age=86400')
      return response
    })
    .get('/robots.txt', () => {
      // Packages may be found, lists in every order and forms need not be.
      const text = 'User-agent: *\nDisallow: /-/\nDisallow: /user/\nDisallow: /api/\n'
      return new Response(text, { headers: { 'Content-Type': 'text/plain; charset=utf-8' } })
    })
}
