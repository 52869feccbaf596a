import type { Context } from 'hono'
import type { Child } from 'hono/jsx'
import type { HttpParts } from '../http/parts.ts'
import { pathOf, searchOf } from '../lib/raw-path.ts'
import { assets, type ScriptName } from './assets.ts'
import { Layout } from './layout.tsx'
import { Links } from './links.ts'
import type { Notice } from './notices.ts'
import { type Site, SiteContext } from './site.ts'
import { type PageEnv, visitOf } from './visit.ts'

export interface PageOptions {
  /** Of the browser's window: what the page is about. */
  title: string
  status?: number
  /** Beside the one that every page has. */
  scripts?: ScriptName[]
  headers?: Record<string, string>
  /** Whether the page has a search field of its own, so that the top line needs none. */
  hasSearch?: boolean
}

/** Nothing but our own files, nothing inline, no frame around, no form that leads elsewhere. */
const policy = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "worker-src 'self'",
  "font-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

export type Render = (c: Context<PageEnv>, options: PageOptions, content: Child) => Promise<Response>

/** Makes pages: the content in the frame that all of them have. */
export function renderer(parts: HttpParts): Render {
  const links = linksOf(parts)
  return async (c, options, content) => {
    const visit = visitOf(c)
    const site: Site = {
      links: links(),
      assets: await assets(),
      address: addressFor(parts, c.req.raw),
      now: visit.now,
      visitor: visit.visitor,
      here: links().path(pathOf(c.req.url)) + searchOf(c.req.url),
      theme: visit.theme,
      version: parts.version,
      providers: parts.providerSignIns.providers,
      signUpIsOpen: parts.signUp.isOpen,
    }
    const html = (
      <SiteContext.Provider value={site}>
        <Layout {...options} notice={visit.notice}>
          {content}
        </Layout>
      </SiteContext.Provider>
    )
    return pageResponse(c, options, `<!doctype html>${await html.toString()}`)
  }
}

function pageResponse(c: Context<PageEnv>, { status = 200, headers = {} }: PageOptions, html: string): Response {
  const visit = visitOf(c)
  const answer = new Headers({
    'Content-Type': 'text/html; charset=utf-8',
    // Whoever signs out leaves nothing in the browser that its next user could turn back to.
    'Cache-Control': visit.visitor ? 'no-store' : 'private, no-cache',
    'Content-Security-Policy': policy,
    'Referrer-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    Vary: 'Accept-Encoding, Cookie',
  })
  for (const [name, value] of Object.entries(headers)) answer.set(name, value)
  if (visit.notice) answer.append('Set-Cookie', 'stowage_notice=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax')
  // Pages that answer a form may show a secret; how well those compress tells nobody anything if they are not compressed.
  const isCompressed = /^(GET|HEAD)$/.test(c.req.method) && /\bgzip\b/.test(c.req.header('accept-encoding') ?? '')
  const bytes = new TextEncoder().encode(html)
  const body = isCompressed ? Bun.gzipSync(bytes, { level: 5 }) : bytes
  if (isCompressed) answer.set('Content-Encoding', 'gzip')
  answer.set('Content-Length', String(body.byteLength))
  return new Response(body, { status, headers: answer })
}

/** The public address is known once the server listens. */
export function linksOf(parts: HttpParts): () => Links {
  let links: Links | undefined
  return () => {
    links ??= new Links(new URL(parts.publicUrl()).pathname.replace(/\/$/, ''))
    return links
  }
}

/** As the reader reaches the server: by the configured address or, where there is none, by the one that he has typed. */
function addressFor(parts: HttpParts, { headers }: Request): string {
  if (parts.origin !== undefined) return parts.publicUrl()
  const scheme = parts.cookie.isSecure ? 'https' : 'http'
  const typed = URL.parse(`${scheme}://${headers.get('host') ?? ''}`)
  return typed && typed.pathname === '/' && typed.username === '' ? typed.origin : parts.publicUrl()
}

/** Leads on after a form has done its work, and says there what was done. */
export function goTo(path: string, notice?: Notice, headers: Record<string, string> = {}): Response {
  const answer = new Headers({ Location: path, 'Cache-Control': 'no-store', ...headers })
  if (notice) answer.append('Set-Cookie', `stowage_notice=${notice}; Path=/; Max-Age=60; HttpOnly; SameSite=Lax`)
  return new Response(null, { status: 303, headers: answer })
}
