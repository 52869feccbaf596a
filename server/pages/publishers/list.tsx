import type { PublisherRule } from '../../access/publishers.ts'
import type { Issuer } from '../../lib/issuers.ts'
import { ButtonLink } from '../components/forms.tsx'
import { Empty, Pager, State } from '../components/parts.tsx'
import { TableHead } from '../components/table-head.tsx'
import { Ago } from '../components/values.tsx'
import { counted } from '../words.ts'
import type { Addresses } from './frame.tsx'
import { issuerAt, whoseJobs } from './words.ts'

interface ListProps {
  at: Addresses
  issuers: readonly Issuer[]
  publishers: readonly PublisherRule[]
  total: number
  page: { page: number; limit: number }
}

export function PublisherList({ at, issuers, publishers, total, page }: ListProps) {
  const isEmpty = total === 0
  const add = (
    <ButtonLink href={at.fresh} look="primary" icon="add">
      New trusted publisher
    </ButtonLink>
  )
  return (
    <>
      <div class="flex flex-wrap items-start justify-between gap-x-6 gap-y-3 mb-4">
        <div class="min-w-0">
          <h2>{isEmpty ? 'Trusted publishers' : counted(total, 'trusted publisher')}</h2>
          <p class="quiet prose-width">
            Jobs of a CI system that may publish at {at.owner} without a stored secret: each brings an ID token, and
            gets a token for 15 minutes.
          </p>
        </div>
        {!isEmpty && issuers.length > 0 && add}
      </div>
      {isEmpty && issuers.length === 0 && (
        <Empty title="No CI system is trusted here">
          <p class="prose-width">
            Whoever runs this server names those whose ID tokens count in{' '}
            <code class="breaks">STOWAGE_OIDC_PUBLISHERS</code>: <code>github</code>, <code>gitlab</code> or the address
            of another one.
          </p>
        </Empty>
      )}
      {isEmpty && issuers.length > 0 && (
        <Empty title="No job is trusted yet">
          <p class="prose-width">
            A rule says which repository, and which of its branches, tags or environments, may publish which packages.
            No token has to be stored there, and none can be stolen.
          </p>
          <p>{add}</p>
        </Empty>
      )}
      {!isEmpty && (
        <table class="list-table">
          <TableHead columns={['Name', 'Jobs of', 'Packages', 'Last used']} />
          <tbody>
            {publishers.map((rule) => (
              <PublisherLine at={at} issuers={issuers} rule={rule} />
            ))}
          </tbody>
        </table>
      )}
      <Pager paging={{ ...page, total, shown: publishers.length }} path={at.all} />
    </>
  )
}

function PublisherLine({ at, issuers, rule }: Pick<ListProps, 'at' | 'issuers'> & { rule: PublisherRule }) {
  const { name, kind, isTrusted } = issuerAt(issuers, rule.issuer)
  return (
    <tr>
      <td class="breaks max-w-md">
        <a href={at.one(rule.id)} class="font-medium line breaks">
          {rule.name}
        </a>
      </td>
      <td data-label="Jobs of" class="breaks">
        {name}
        {isTrusted ? (
          <span class="block quiet text-sm breaks">{whoseJobs(kind, rule.claims)}</span>
        ) : (
          <span class="block">
            <State tone="warning">No longer trusted here</State>
          </span>
        )}
      </td>
      <td data-label="Packages" class="breaks">
        <Patterns of={rule.packages} />
      </td>
      <td data-label="Last used">
        {rule.lastUsedAt === null ? <span class="quiet">Never</span> : <Ago at={rule.lastUsedAt} />}
      </td>
    </tr>
  )
}

/** Patterns of packages, each as it is. */
export function Patterns({ of }: { of: readonly string[] }) {
  return (
    <>
      {of.map((pattern, index) => (
        <>
          {index > 0 && ', '}
          <code class="breaks">{pattern}</code>
        </>
      ))}
    </>
  )
}
