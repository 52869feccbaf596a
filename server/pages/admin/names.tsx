import type { FormerName } from '../../access/owner-names.ts'
import { Button } from '../components/forms.tsx'
import { Empty, Pager, type Paging } from '../components/parts.tsx'
import { actions, TableHead } from '../components/table-head.tsx'
import { Ago } from '../components/values.tsx'
import { useSite } from '../site.ts'
import { AdminPage } from './frame.tsx'

/** Names that users and organisations had before. */
export function NameList({ names, paging }: { names: readonly FormerName[]; paging: Paging }) {
  const { links } = useSite()
  const path = links.to('-', 'admin', 'names')
  return (
    <AdminPage here="names" title="Reserved names">
      <p class="mb-5 prose-width">
        Names that users and organisations had before. They lead to the new name, and nobody else gets them until you
        free them: somebody may still install from there.
      </p>
      {names.length === 0 ? (
        <Empty title={paging.page > 1 ? 'Nothing on this page' : 'No name is reserved'}>
          <p>When a user or an organisation gets another name, the old one is kept here.</p>
        </Empty>
      ) : (
        <table class="list-table">
          <TableHead columns={['Name', 'Leads to', 'Since', actions]} />
          <tbody>
            {names.map((former) => (
              <tr>
                <td class="breaks font-medium">{former.name}</td>
                <td class="breaks" data-label="Leads to">
                  {former.owner === null ? (
                    <span class="quiet">nobody any more</span>
                  ) : (
                    <a href={links.owner(former.owner)}>{former.owner}</a>
                  )}
                </td>
                <td data-label="Since">
                  <Ago at={former.created_at} />
                </td>
                <td class="number">
                  <form method="post" action={links.to('-', 'admin', 'names', former.name, 'free')}>
                    <Button size="xs">
                      Free<span class="sr-only"> the name {former.name}</span>
                    </Button>
                  </form>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <Pager paging={paging} path={path} />
    </AdminPage>
  )
}
