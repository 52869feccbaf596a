import type { SiteCounts } from '../../registry/overview.ts'
import type { OwnQuota, QuotaNumbers, ShownQuota, SiteQuotas } from '../../registry/quotas.ts'
import type { UsageCheck } from '../../registry/recount.ts'
import type { OwnerUsage } from '../../registry/usage.ts'
import { Button, ButtonLink, TextField } from '../components/forms.tsx'
import { Columns, Empty, Pager, type Paging, Section, State, UsageBar } from '../components/parts.tsx'
import { actions, TableHead } from '../components/table-head.tsx'
import { Ago } from '../components/values.tsx'
import type { Faults, Form } from '../forms.ts'
import { useSite } from '../site.ts'
import { bytes, counted, number } from '../words.ts'
import { AdminPage } from './frame.tsx'
import { limitText, unlimited } from './limits.ts'

/** The numbers of a quota, as fields. */
export const quotaFields = [
  { name: 'bytes', of: 'bytes', label: 'Size of all files' },
  { name: 'versions', of: 'versions', label: 'Versions' },
  { name: 'file_size', of: 'bytes', label: 'Largest file' },
] as const

interface Sent {
  typed: Form
  faults: Faults
}

/** Three fields. `prefix` stands before their names. */
function QuotaFields(props: { prefix: string; numbers: QuotaNumbers; sent: Sent | undefined; placeholder: string }) {
  const { prefix, numbers, sent, placeholder } = props
  return (
    <>
      {quotaFields.map(({ name, of, label }) => (
        <TextField
          name={prefix + name}
          label={label}
          value={sent?.typed.text(prefix + name) ?? limitText(numbers[name], of)}
          error={sent?.faults.fields[prefix + name]}
          placeholder={placeholder}
          autocomplete="off"
        />
      ))}
    </>
  )
}

export interface QuotaPageProps {
  quotas: SiteQuotas
  counts: SiteCounts
  owners: readonly OwnQuota[]
  paging: Paging
  check: UsageCheck | undefined
  sent?: Sent
  /** An owner that was looked for and is not there. */
  wanted?: string
}

export function QuotaPage(props: QuotaPageProps) {
  const { quotas, counts, owners, paging, check, sent, wanted } = props
  const { links } = useSite()
  const path = links.to('-', 'admin', 'quotas')
  return (
    <AdminPage here="quotas" title="Quotas" fault={sent?.faults.form}>
      <div class="grid gap-4 sm:grid-cols-2 sm:gap-8 max-w-3xl mb-6">
        <UsageBar label="Size of all files" used={counts.bytes} limit={quotas.site.bytes ?? undefined} say={bytes} />
        <UsageBar label="Versions" used={counts.versions} limit={quotas.site.versions ?? undefined} say={number} />
      </div>
      <form method="post" action={path} class="max-w-3xl">
        <p class="quiet text-sm mb-4">
          Sizes as you say them: 10 GB, 500 MiB. An empty field is no limit. Administrators are bound by the largest
          file of the whole site alone.
        </p>
        <div class="grid gap-x-8 sm:grid-cols-2">
          <fieldset>
            <legend class="font-medium text-lg mb-1">The whole site</legend>
            <p class="quiet text-sm mb-3">All owners together.</p>
            <QuotaFields prefix="site_" numbers={quotas.site} sent={sent} placeholder="no limit" />
          </fieldset>
          <fieldset>
            <legend class="font-medium text-lg mb-1">Each owner</legend>
            <p class="quiet text-sm mb-3">Every user and organisation without numbers of its own.</p>
            <QuotaFields prefix="owners_" numbers={quotas.owners} sent={sent} placeholder="no limit" />
          </fieldset>
        </div>
        <Button look="primary">Save</Button>
      </form>
      <Section title="Owners with numbers of their own" id="owners">
        <form action={path} class="flex flex-wrap items-start gap-x-3 max-w-xl mb-2">
          <div class="grow">
            <TextField
              name="owner"
              label="Set one for"
              value={wanted}
              error={wanted === undefined ? undefined : 'There is no user or organisation of this name.'}
              placeholder="a user or an organisation"
              autocomplete="off"
              required
            />
          </div>
          <div class="pt-7">
            <Button>Go on</Button>
          </div>
        </form>
        {owners.length === 0 ? (
          <Empty title={paging.page > 1 ? 'Nothing on this page' : 'No owner has numbers of its own'}>
            <p>Type a name above to give one more, or less, than all have.</p>
          </Empty>
        ) : (
          <table class="list-table">
            <TableHead columns={['Owner', 'Size and versions', 'Largest file', actions]} />
            <tbody>
              {owners.map((quota) => (
                <OwnerLine quota={quota} all={quotas.owners} />
              ))}
            </tbody>
          </table>
        )}
        <Pager paging={paging} path={path} />
      </Section>
      <Section title="Whether the counts are right" id="recount">
        <p class="mb-4 prose-width">
          Usage is kept up to date with every change. Once a day everything is counted through, and what differs is
          corrected.
        </p>
        <div class="mb-4">
          <LastCheck check={check} />
        </div>
        <form method="post" action={links.to('-', 'admin', 'recount')}>
          <Button icon="repeat">Count everything now</Button>
        </form>
      </Section>
    </AdminPage>
  )
}

function OwnerLine({ quota, all }: { quota: OwnQuota; all: QuotaNumbers }) {
  const { links } = useSite()
  const limit = (name: keyof QuotaNumbers) => bound(quota[name], all[name])
  const file = limit('file_size')
  return (
    <tr>
      <td class="breaks font-medium">{quota.owner}</td>
      <td>
        <div class="grid gap-3 max-w-md">
          <UsageBar label={`Size`} used={quota.usedBytes} limit={limit('bytes')} say={bytes} />
          <UsageBar label={`Versions`} used={quota.usedVersions} limit={limit('versions')} say={number} />
        </div>
      </td>
      <td data-label="Largest file" class="tabular">
        {file === undefined ? 'no limit' : bytes(file)}
      </td>
      <td class="number">
        <ButtonLink href={links.to('-', 'admin', 'quotas', quota.owner)} size="xs">
          Change<span class="sr-only"> the quota of {quota.owner}</span>
        </ButtonLink>
      </td>
    </tr>
  )
}

/** What binds: its own number, else the one of all; undefined where nothing does. */
function bound(own: number | null, all: number | null): number | undefined {
  const limit = own ?? all
  return limit === null || limit === unlimited ? undefined : limit
}

function LastCheck({ check }: { check: UsageCheck | undefined }) {
  if (!check) return <p class="quiet">Nothing was counted through yet.</p>
  const looked = [
    counted(check.owners, 'owner'),
    counted(check.packages, 'package'),
    counted(check.versions, 'version'),
  ].join(', ')
  return (
    <div class="grid gap-2">
      <p>
        {check.corrected === 0 ? (
          <State tone="success">All was right</State>
        ) : (
          <State tone="warning">{counted(check.corrected, 'number')} corrected</State>
        )}{' '}
        <Ago at={check.at} />, over {looked}.
      </p>
      {check.drift.length > 0 && (
        <ul class="grid gap-1 text-sm breaks">
          {check.drift.map(({ of, name, number: what, kept, counted: found }) => (
            <li>
              {of} {name}, {what}: {number(kept)} was kept, {number(found)} counted
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}

/** The numbers of one owner. */
export function OwnerQuotaPage(props: { shown: ShownQuota; usage: OwnerUsage; all: QuotaNumbers; sent?: Sent }) {
  const { shown, usage, all, sent } = props
  const { links } = useSite()
  const path = links.to('-', 'admin', 'quotas', shown.owner)
  const hasOwn = Object.values(shown.own).some((limit) => limit !== null)
  const { effective } = shown
  return (
    <AdminPage
      here="quotas"
      title={`Quota of ${shown.owner}`}
      trail={[{ text: 'Quotas', href: links.to('-', 'admin', 'quotas') }]}
      fault={sent?.faults.form}
    >
      <Columns
        aside={
          <div class="grid gap-5">
            <UsageBar label="Size of all files" used={usage.bytes} limit={effective.bytes ?? undefined} say={bytes} />
            <UsageBar label="Versions" used={usage.versions} limit={effective.versions ?? undefined} say={number} />
            <p class="text-sm">
              Largest file: {effective.file_size === null ? 'no limit' : bytes(effective.file_size)}
            </p>
            <p class="text-sm">
              <a href={links.owner(shown.owner)}>Packages of {shown.owner}</a>
            </p>
          </div>
        }
      >
        <form method="post" action={path} class="prose-width">
          <p class="mb-4">
            An empty field is what all owners have: {inWords(all)}. Type <code>unlimited</code> for as much as one
            likes. What the site as a whole may have binds in any case.
          </p>
          <QuotaFields prefix="" numbers={shown.own} sent={sent} placeholder="as all owners" />
          <Button look="primary">Save</Button>
        </form>
        {hasOwn && (
          <Section title="As all owners">
            <p class="mb-3 prose-width">Takes the numbers away that {shown.owner} has of its own.</p>
            <form method="post" action={links.to('-', 'admin', 'quotas', shown.owner, 'remove')}>
              <Button>Remove this quota</Button>
            </form>
          </Section>
        )}
      </Columns>
    </AdminPage>
  )
}

function inWords(all: QuotaNumbers): string {
  const parts = [
    all.bytes !== null && bytes(all.bytes),
    all.versions !== null && counted(all.versions, 'version'),
    all.file_size !== null && `files of up to ${bytes(all.file_size)}`,
  ].filter((part) => part !== false)
  return parts.length === 0 ? 'no limit' : parts.join(', ')
}
