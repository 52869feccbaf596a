import type { Context } from 'hono'
import { organisationGrant } from '../access/organisations.ts'
import { logFailure } from '../http/failures.ts'
import { withLocation } from '../http/moved.ts'
import type { HttpParts } from '../http/parts.ts'
import { isForPeople, problemResponse, tell } from '../http/problem-response.ts'
import { pathOf, searchOf } from '../lib/raw-path.ts'
import { possiblePackage } from '../names.ts'
import { Problem } from '../problems.ts'
import { ButtonLink } from './components/forms.tsx'
import { pathHere } from './links.ts'
import { goTo, linksOf, type Render } from './page.tsx'
import { useSite } from './site.ts'
import { type PageEnv, type Visit, visitOf } from './visit.ts'
import { shortened } from './words.ts'

const titles: Record<number, string> = {
  400: 'This cannot be read',
  401: 'Your session has ended',
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
  /** `request`: as it came, where it is not the one that the page is made for. */
  return async (c: Context<PageEnv>, error: unknown, request = c.req.raw): Promise<Response> => {
    const visit = visitOf(c)
    const { method } = request
    const isRead = method === 'GET' || method === 'HEAD'
    const isStranger = error instanceof Problem && error.code === 'credentials-missing' && !visit.visitor
    if (isStranger && isRead) return goTo(links().signIn(links().path(pathOf(c.req.url)) + searchOf(c.req.url)))
    const requestId = logFailure(parts.log, request, error)
    const told = withLocation(parts, c.req.raw, error)
    if (!isForPeople(request)) {
      const plain = problemResponse(told, request, requestId)
      plain.headers.delete('WWW-Authenticate')
      return plain
    }
    const { status, sentence, headers } = tell(told, requestId)
    if (headers.has('Location')) return new Response(null, { status, headers })
    // At this a browser would ask for a password itself.
    headers.delete('WWW-Authenticate')
    const title = titles[status] ?? titles[500] ?? ''
    return render(
      c,
      { title, status, headers: Object.fromEntries(headers) },
      <Failure
        {...{ status, title, sentence, requestId }}
        back={isRead ? undefined : refererOf(request)}
        ask={status === 403 ? await whomToAsk(parts, visit, c.req.path) : undefined}
        wanted={status === 404 ? nameIn(c.req.path) : undefined}
      />,
    )
  }
}

/** Names that are told of those who could help. */
const fewNames = 5

/** Who could do at an owner what the reader may not, as far as he may know who that is. */
async function whomToAsk(parts: HttpParts, visit: Visit, path: string): Promise<Helpers | undefined> {
  const [, name = '', mark] = path.split('/')
  if (!visit.visitor || mark !== '-' || name === '-') return undefined
  try {
    const { owner } = await visit.mayRead(decodeURIComponent(name))
    if (owner.id === visit.visitor.account.id) return undefined
    if (owner.kind === 'user') return { kind: 'user', names: [owner.name] }
    const leave = organisationGrant('reader', 'read', visit.caller, owner)
    return { kind: 'organisation', names: await parts.organisations.ownersOf(leave, fewNames) }
  } catch {
    // The page is about another failure already.
    return undefined
  }
}

interface Helpers {
  kind: 'user' | 'organisation'
  names: readonly string[]
}

/** The package that somebody may have looked for at an address at which nothing is. */
function nameIn(path: string): string | undefined {
  const [, owner = '', mark, packages, , name] = path.split('/')
  const wanted = mark === undefined ? owner : mark === '-' && packages === 'packages' ? name : undefined
  return wanted && wanted.length > 2 && possiblePackage(wanted) !== undefined ? wanted : undefined
}

/** The page whose form was sent, to come back to. */
function refererOf({ headers }: Request): string | undefined {
  const url = URL.parse(headers.get('referer') ?? '')
  return url ? pathHere(url.pathname + url.search, '') || undefined : undefined
}

interface FailureProps {
  status: number
  title: string
  sentence: string
  requestId: string
  /** Where to go on after signing in; undefined: here. */
  back: string | undefined
  ask: Helpers | undefined
  wanted: string | undefined
}

function Failure({ status, title, sentence, requestId, back, ask, wanted }: FailureProps) {
  const { links, visitor, here } = useSite()
  const maySignIn = status === 401 || (status === 404 && !visitor)
  return (
    <div class="prose-width mx-auto py-8 grid gap-4">
      <p class="quiet tabular">{status}</p>
      <h1>{title}</h1>
      <p class="breaks">
        {status === 404
          ? 'There is no such page, or it is not for you to see.'
          : status === 401
            ? 'You are not signed in any more, so nothing was done.'
            : sentence}{' '}
        {ask && <Ask {...ask} />}
      </p>
      {status === 404 && !visitor && <p>Some packages are shown only to those who have signed in.</p>}
      {status >= 500 && (
        <p>
          Nothing that was stored is lost. Try again in a moment; if it stays, tell who runs this site the request id
          below.
        </p>
      )}
      <div class="flex flex-wrap gap-3">
        {maySignIn && (
          <ButtonLink href={links.signIn(back ?? here)} look="primary" icon="signIn">
            Sign in
          </ButtonLink>
        )}
        {wanted && (
          <ButtonLink href={links.search({ q: wanted })} icon="search">
            Search for “{shortened(wanted, 12)}”
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

function Ask({ kind, names }: Helpers) {
  const { links } = useSite()
  return (
    <>
      Ask {kind === 'organisation' && 'one of its owners'}
      {kind === 'organisation' && names.length > 0 && ': '}
      {names.map((name, index) => (
        <>
          {index > 0 && ', '}
          <a href={links.owner(name)}>{name}</a>
        </>
      ))}
      .
    </>
  )
}
