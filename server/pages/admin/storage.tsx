import type { StorageView } from '../../registry/storage.ts'
import { Button } from '../components/forms.tsx'
import { Alert, Section, State, UsageBar } from '../components/parts.tsx'
import { TableHead } from '../components/table-head.tsx'
import { Ago, Size } from '../components/values.tsx'
import { useSite } from '../site.ts'
import { bytes, counted, number } from '../words.ts'
import { AdminPage } from './frame.tsx'

type Counted = StorageView['doomed']
type SweepRecord = NonNullable<StorageView['sweeps']>['last']

/** What lies in the store and why, and what was removed last. */
export function StoragePage({ view }: { view: StorageView }) {
  const { links, now } = useSite()
  const { referenced, doomed, leftover, isComplete, files, grace, hold, sweeps, nextSweepAt, disk, error } = view
  const saved = files.bytes - referenced.bytes
  const isDue = nextSweepAt !== undefined && nextSweepAt <= now
  return (
    <AdminPage here="storage" title="Storage">
      {error !== null && <Alert tone="error">The store could not be asked: {error}</Alert>}
      {hold !== undefined && <Alert tone="warning">Nothing that was published is removed at the moment: {hold}</Alert>}
      {!isComplete && error === null && (
        <Alert tone="info">There is more than was counted: the numbers below are the least that there is.</Alert>
      )}
      <table class="list-table max-w-3xl">
        <TableHead columns={['What', { text: 'Blobs', isNumber: true }, { text: 'Size', isNumber: true }]} />
        <tbody>
          <Row what="Stored" hint="What files have. Equal bytes lie there once." of={referenced} />
          <Row
            what="Doomed"
            hint={`What nothing refers to any more: it stays for ${hours(grace)}, then a sweep removes it.`}
            of={doomed}
          />
          <Row what="Left over" hint="What uploads left that did not end." of={leftover} />
        </tbody>
      </table>
      <p class="mt-4 prose-width">
        {counted(files.count, 'file')} of <Size of={files.bytes} /> together
        {saved > 0 && (
          <>
            , of which <Size of={saved} /> need no place as equal bytes are stored once
          </>
        )}
        .
      </p>
      <Section title="Disk">
        {disk ? (
          <div class="max-w-md">
            <UsageBar label="Used" used={disk.total - disk.free} limit={disk.total} say={bytes} />
            <p class="quiet text-sm mt-1.5">
              <Size of={disk.free} /> free
            </p>
          </div>
        ) : (
          <p class="quiet">Nobody can tell how much room there is.</p>
        )}
      </Section>
      <Section title="Sweeps" id="sweeps">
        <dl class="facts mb-5">
          <dt>Last</dt>
          <dd>{sweeps ? <Sweep of={sweeps.last} /> : 'none yet'}</dd>
          {sweeps?.freed && sweeps.freed.at !== sweeps.last.at && (
            <>
              <dt>Last that removed something</dt>
              <dd>
                <Sweep of={sweeps.freed} />
              </dd>
            </>
          )}
          <dt>Next</dt>
          <dd>
            {nextSweepAt === undefined ? (
              'none planned'
            ) : isDue ? (
              <>
                due now. <a href={links.to('-', 'admin', 'storage')}>Look again</a>
              </>
            ) : (
              <Ago at={nextSweepAt} />
            )}
          </dd>
        </dl>
        <form method="post" action={links.to('-', 'admin', 'storage', 'sweep')}>
          <Button look="primary" icon="repeat">
            Sweep now
          </Button>
        </form>
      </Section>
    </AdminPage>
  )
}

function Row({ what, hint, of }: { what: string; hint: string; of: Counted }) {
  return (
    <tr>
      <td>
        <span class="font-medium">{what}</span>
        <span class="block quiet text-sm">{hint}</span>
      </td>
      <td class="number" data-label="Blobs">
        {number(of.blobs)}
      </td>
      <td class="number" data-label="Size">
        <Size of={of.bytes} />
      </td>
    </tr>
  )
}

function Sweep({ of }: { of: SweepRecord }) {
  const blobs = of.doomed.blobs + of.leftover.blobs
  const size = of.doomed.bytes + of.leftover.bytes
  return (
    <>
      <Ago at={of.at} />
      {': '}
      {of.error !== null ? (
        <State tone="error">not all could be removed</State>
      ) : blobs === 0 ? (
        'there was nothing to remove'
      ) : (
        <>
          freed <Size of={size} /> ({counted(blobs, 'blob')})
        </>
      )}
      {of.error !== null && <span class="block quiet text-sm breaks">{of.error}</span>}
    </>
  )
}

function hours(milliseconds: number): string {
  const minutes = Math.round(milliseconds / 60_000)
  return minutes % 60 === 0 && minutes > 0 ? counted(minutes / 60, 'hour') : counted(minutes, 'minute')
}
