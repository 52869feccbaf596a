import type { Identity } from '../../access/oidc/identities.ts'
import { Button, TextField } from '../components/forms.tsx'
import { Empty, Section, State } from '../components/parts.tsx'
import { actions, TableHead } from '../components/table-head.tsx'
import { Ago } from '../components/values.tsx'
import type { Faults } from '../forms.ts'
import { useSite } from '../site.ts'
import { AccountPage } from './frame.tsx'

interface Props {
  identities: readonly Identity[]
  /** Whether the password is to be said once more before something is linked. */
  asksPassword: boolean
  faults?: Faults | undefined
}

export function IdentitiesPage({ identities, asksPassword, faults }: Props) {
  const { links, providers } = useSite()
  const path = links.path('/user/settings/identities')
  return (
    <AccountPage here="identities" faults={faults}>
      <div class="prose-width grid gap-1 mb-4">
        <h2>Linked identities</h2>
        <p class="quiet">
          Whoever is vouched for as one of these comes in to your account. One that you do not know? Unlink it, then end
          the other sessions.
        </p>
      </div>
      {identities.length === 0 ? (
        <Empty title="No identity is linked to your account." />
      ) : (
        <table class="list-table">
          <TableHead columns={['Provider', 'Known there as', 'Linked', 'Last sign-in', actions]} />
          <tbody>
            {identities.map((identity) => (
              <Row identity={identity} path={path} />
            ))}
          </tbody>
        </table>
      )}
      {providers.length > 0 && (
        <Section title="Link another one" id="link">
          <p class="mb-4 prose-width">
            You sign in there, and come back to this page. Some providers decide, by their groups, in which teams you
            are and whether you run this site, and an account whose provider does not vouch for it any more is
            suspended.
          </p>
          <form method="post" action={path} class="max-w-sm">
            {asksPassword && (
              <TextField
                name="password"
                type="password"
                label="Your password"
                error={faults?.fields.password}
                autocomplete="current-password"
                required
              />
            )}
            <div class="flex flex-wrap gap-3">
              {providers.map(({ name, title }) => (
                <Button icon="add" name="link" value={name}>
                  Link {title}
                </Button>
              ))}
            </div>
          </form>
        </Section>
      )}
    </AccountPage>
  )
}

function Row({ identity, path }: { identity: Identity; path: string }) {
  const { title, issuer, label, created_at, last_used_at, lapsed_at } = identity
  return (
    <tr>
      <td class="breaks">
        <span title={issuer}>{title}</span>
        {lapsed_at !== null && (
          <span class="block text-sm">
            <State tone="warning">does not vouch for you</State>
          </span>
        )}
      </td>
      <td data-label="Known there as" class="breaks">
        <bdi>{label}</bdi>
      </td>
      <td data-label="Linked">
        <Ago at={created_at} />
      </td>
      <td data-label="Last sign-in">
        {last_used_at === null ? <span class="quiet">never</span> : <Ago at={last_used_at} />}
      </td>
      <td class="number">
        <form method="post" action={path}>
          <Button size="xs" name="unlink" value={String(identity.id)}>
            Unlink
            <span class="sr-only">
              {' '}
              {label} at {title}
            </span>
          </Button>
        </form>
      </td>
    </tr>
  )
}
