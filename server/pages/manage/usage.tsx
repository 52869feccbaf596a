import type { Grant } from '../../access/grant.ts'
import type { Profile } from '../../registry/lists.ts'
import type { OwnerUsage, PackageUsage, UsageOrder } from '../../registry/usage.ts'
import { ButtonLink } from '../components/forms.tsx'
import { Empty, Pager, type Paging, Section, UsageBar } from '../components/parts.tsx'
import { OwnerHead, ownerStanding } from '../components/places.tsx'
import { TableHead } from '../components/table-head.tsx'
import { Size } from '../components/values.tsx'
import { withQuery } from '../links.ts'
import { useSite } from '../site.ts'
import { bytes, counted, number } from '../words.ts'

/** What an owner's packages take, and how much there may be. */
export function UsagePage(props: {
  grant: Grant<'read'>
  profile: Profile
  usage: OwnerUsage
  packages: readonly PackageUsage[]
  order: UsageOrder
  paging: Paging
}) {
  const { grant, profile, usage, packages, order, paging } = props
  const { links } = useSite()
  const { owner, caller } = grant
  const path = links.owner(owner.name, 'usage')
  const standing = ownerStanding(caller, owner)
  return (
    <>
      <OwnerHead owner={profile} {...standing} here="usage" />
      <Totals usage={usage} />
      <Section title="Packages" action={packages.length > 1 && <Order path={path} order={order} />}>
        {packages.length > 0 ? (
          <table class="list-table">
            <TableHead
              columns={[
                'Package',
                { text: 'Versions', isNumber: true },
                { text: 'Files', isNumber: true },
                { text: 'Size', isNumber: true },
                { text: 'Downloads', isNumber: true },
              ]}
            />
            <tbody>
              {packages.map((its) => (
                <tr>
                  <td class="breaks">
                    <a href={links.package(owner.name, its.name)}>{its.name}</a>
                  </td>
                  <td data-label="Versions" class="number">
                    {number(its.versions)}
                  </td>
                  <td data-label="Files" class="number">
                    {number(its.files)}
                  </td>
                  <td data-label="Size" class="number">
                    <Size of={its.bytes} />
                  </td>
                  <td data-label="Downloads" class="number">
                    {number(its.downloads)}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        ) : (
          <Empty title={paging.page > 1 ? 'Nothing is on this page.' : `${owner.name} has no packages yet.`}>
            {standing.mayWrite && paging.page === 1 && (
              <p>
                <ButtonLink href={links.owner(owner.name, 'upload')} icon="upload">
                  Upload the first file
                </ButtonLink>
              </p>
            )}
          </Empty>
        )}
        <Pager paging={paging} path={path} query={{ sort: order === 'size' ? undefined : order }} />
      </Section>
    </>
  )
}

function Totals({ usage }: { usage: OwnerUsage }) {
  const { versions, files, bytes: used, bounds } = usage
  const facts = (
    <p class="quiet">
      {counted(usage.packages, 'package')}, {counted(versions, 'version')}, {counted(files, 'file')}, {bytes(used)}.
    </p>
  )
  if (!bounds) return <div class="mt-6">{facts}</div>
  const { quota, reservedVersions, reservedBytes } = bounds
  const underWay = [
    ...(reservedVersions > 0 ? [counted(reservedVersions, 'version')] : []),
    ...(reservedBytes > 0 ? [bytes(reservedBytes)] : []),
  ]
  return (
    <div class="mt-6 grid gap-6 max-w-3xl">
      <div class="grid gap-5 sm:grid-cols-2 sm:gap-8">
        <UsageBar label="Size" used={used} limit={quota.bytes ?? undefined} say={bytes} />
        <UsageBar label="Versions" used={versions} limit={quota.versions ?? undefined} say={number} />
      </div>
      <div class="grid gap-1">
        {facts}
        {underWay.length > 0 && (
          <p class="quiet">Uploads that are under way have reserved {underWay.join(' and ')} more.</p>
        )}
        <p class="quiet">
          {quota.file_size === null
            ? 'A single file may be as large as the server can store.'
            : `A single file may have ${bytes(quota.file_size)} at most.`}{' '}
          Every file counts, also where equal ones are stored once. Limits are set by the administrators.
        </p>
      </div>
    </div>
  )
}

function Order({ path, order }: { path: string; order: UsageOrder }) {
  const orders = [
    { name: 'size', text: 'Largest first' },
    { name: 'name', text: 'By name' },
  ] as const
  return (
    <nav aria-label="Order" class="where-am-i flex gap-4 text-sm">
      {orders.map(({ name, text }) => (
        <a
          href={withQuery(path, { sort: name === 'size' ? undefined : name })}
          aria-current={name === order ? 'true' : undefined}
          class="py-1 border-b-2 border-transparent quiet hover:text-base-content"
        >
          {text}
        </a>
      ))}
    </nav>
  )
}
