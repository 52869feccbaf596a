import type { Context } from 'hono'
import { logFailure } from '../http/failures.ts'
import type { HttpParts } from '../http/parts.ts'
import { tell } from '../http/problem-response.ts'
import { Problem } from '../problems.ts'
import { ButtonLink } from './components/forms.tsx'
import { linksOf, type Render } from './page.tsx'
import { useSite } from './site.ts'
import { type PageEnv, visitOf } from './visit.ts'

const titles: Record<number, string> = {
  400: 'This cannot be read',
  403: 'This is not yours to do',
  404: 'Nothing is here',
  405: 'This page takes no such request',
  409: 'This is there already',
  413: 'This is too long',
  422: 'Something is not right',
  429: 'Too much at once',
  500: 'Something went wrong here',
  503: 'Not possible at the moment',
  507: 'The server is full',
}

/** A failure as a page: what happened, what to do, and the id to ask about. */
export function failurePages(parts: HttpParts, render: Render) {
  const links = linksOf(parts)
  return async (c: Context<PageEnv>, error: unknown): Promise<Response> => {
    const visit = visitOf(c)
    const { method } = c.req
    const isRead = method === 'GET' || method === 'HEAD'
    const isStranger = error instanceof Problem && error.code === 'credentials-missing' && !visit.visitor
    if (isStranger && isRead) {
      const { pathname, search } = new URL(c.req.url)
      return Response.redirect(links().signIn(links().path(pathname) + search), 303)
    }
    if (error instanceof Problem && error.code === 'moved') {
      const { pathname, search } = new URL(c.req.url)
      const [, , ...rest] = pathname.split('/')
      const moved = `${links().to(String(error.facts.name))}${rest.length > 0 ? `/${rest.join('/')}` : ''}${search}`
      return new Response(null, {
        status: isRead ? 302 : 307,
        headers: { Location: moved, 'Cache-Control': 'no-store' },
      })
    }
    const requestId = logFailure(parts.log, c.req.raw, error)
    const { status, sentence, headers } = tell(error, requestId)
    // At this a browser would ask for a password itself.
    headers.delete('WWW-Authenticate')
    headers.delete('Content-Type')
    const title = titles[status] ?? titles[500] ?? ''
    return render(
      c,
      { title, status, headers: Object.fromEntries(headers) },
      <Failure status={status} title={title} sentence={sentence} requestId={requestId} />,
    )
  }
}

function Failure(props: { status: number; title: string; sentence: string; requestId: string }) {
  const { status, title, sentence, requestId } = props
  const { links, visitor, here } = useSite()
  const isHidden = status === 404 && !visitor
  return (
    <div class="prose-width mx-auto py-8 grid gap-4">
      <p class="quiet tabular">{status}</p>
      <h1>{title}</h1>
      <p>{status === 404 ? 'There is no such page, or it is not for you to see.' : sentence}</p>
      {isHidden && <p>Some packages are shown only to those who have signed in.</p>}
      {status >= 500 && (
        <p>
          Nothing that was stored is lost. Try again in a moment; if it stays, tell who runs this site the request id
          below.
        </p>
      )}
      <div class="flex flex-wrap gap-3">
        {isHidden && (
          <ButtonLink href={links.signIn(here)} look="primary" icon="signIn">
            Sign in
          </ButtonLink>
        )}
        <ButtonLink href={links.to()}>To the first page</ButtonLink>
      </div>
      <p class="quiet text-sm">
        Request id: <code class="breaks">{requestId}</code>
      </p>
    </div>
  )
}
