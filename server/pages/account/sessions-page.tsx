import type { SessionRow } from '../../access/sessions.ts'
import { Button } from '../components/forms.tsx'
import { Empty, Pager, type Paging, State } from '../components/parts.tsx'
import { actions, TableHead } from '../components/table-head.tsx'
import { Ago } from '../components/values.tsx'
import { useSite } from '../site.ts'
import { browserName } from './browser-name.ts'
import { AccountPage } from './frame.tsx'

interface Props {
  sessions: SessionRow[]
  /** Of the browser that asks; undefined where it has none. */
  here: number | undefined
  paging: Paging
}

export function SessionsPage({ sessions, here, paging }: Props) {
  const { links } = useSite()
  const path = links.path('/user/settings/sessions')
  const others = (paging.total ?? 0) - (here === undefined ? 0 : 1)
  return (
    <AccountPage here="sessions">
      <div class="flex flex-wrap items-start justify-between gap-x-6 gap-y-3 mb-4">
        <div class="prose-width grid gap-1">
          <h2>Browsers that have signed in</h2>
          <p class="quiet">
            One that you do not know? End its session, then set a new password. Tokens are not browsers: they stay.
          </p>
        </div>
        {others > 0 && (
          <form method="post" action={path}>
            <Button look="danger" name="end" value="others">
              {here === undefined ? 'End all sessions' : 'End all other sessions'}
            </Button>
          </form>
        )}
      </div>
      {here === undefined && (
        <p class="prose-width mb-4">
          This browser has no session: the proxy before this site says with each request who you are, so you sign out
          there.
        </p>
      )}
      {paging.total === 0 ? (
        <Empty title="No browser has signed in with your password." />
      ) : (
        <table class="list-table">
          <TableHead columns={['Browser', 'Address', 'Signed in', 'Last seen', actions]} />
          <tbody>
            {sessions.map((session) => (
              <Row session={session} isHere={session.id === here} path={path} />
            ))}
          </tbody>
        </table>
      )}
      <Pager paging={paging} path={path} />
    </AccountPage>
  )
}

function Row({ session, isHere, path }: { session: SessionRow; isHere: boolean; path: string }) {
  const name = browserName(session.agent)
  return (
    <tr>
      <td>
        <span title={session.agent}>{name}</span>
      </td>
      <td data-label="Address" class="breaks">
        {session.address}
      </td>
      <td data-label="Signed in">
        <Ago at={session.created_at} />
      </td>
      <td data-label="Last seen">
        <Ago at={session.last_used_at} />
      </td>
      <td class="number">
        {isHere ? (
          <State tone="success">This browser</State>
        ) : (
          <form method="post" action={path}>
            <Button size="xs" name="end" value={String(session.id)}>
              End<span class="sr-only"> the session of {name}</span>
            </Button>
          </form>
        )}
      </td>
    </tr>
  )
}
