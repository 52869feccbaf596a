import type { Child } from 'hono/jsx'
import type { Overview } from '../../registry/overview.ts'
import type { StorageView } from '../../registry/storage.ts'
import { Icon } from '../components/icon.tsx'
import { Section, State, UsageBar } from '../components/parts.tsx'
import { Ago, Size } from '../components/values.tsx'
import { useSite } from '../site.ts'
import { bytes, counted, number } from '../words.ts'
import { AdminPage } from './frame.tsx'

export interface OverviewPageProps {
  view: Overview
  /** What cannot be written. */
  failing: readonly ('database' | 'storage')[]
  disk: StorageView['disk']
  startedAt: number
  /** Numbers that the last recount found wrong. */
  drift: number
}

interface Attention {
  tone: 'error' | 'warning'
  text: Child
  href?: string
}

export function OverviewPage(props: OverviewPageProps) {
  const { view, failing, disk, startedAt } = props
  const { version } = useSite()
  const { counts, quotas, processes, sweeps } = view
  const attentions = attentionsOf(props, useSite().links)
  const jobs = (state: string) => view.jobs.filter((job) => job.state === state).reduce((sum, job) => sum + job.jobs, 0)
  return (
    <AdminPage here="overview">
      {attentions.length === 0 ? (
        <p class="panel px-4 py-3 prose-width">
          <State tone="success">Nothing here needs you.</State>
        </p>
      ) : (
        <ul class="grid gap-2 prose-width" aria-label="What needs somebody">
          {attentions.map(({ tone, text, href }) => (
            <li
              class={`panel flex gap-3 items-start px-4 py-3 ${tone === 'error' ? 'border-error' : 'border-warning'}`}
            >
              <Icon
                name={tone === 'error' ? 'error' : 'alert'}
                label={tone === 'error' ? 'Fault' : 'Warning'}
                class={`mt-1 ${tone === 'error' ? 'text-error' : 'text-warning'}`}
              />
              <span class="breaks">
                {text} {href && <a href={href}>Look</a>}
              </span>
            </li>
          ))}
        </ul>
      )}
      <div class="grid gap-x-12 lg:grid-cols-2">
        <Section title="Health">
          <dl class="facts">
            <dt>Database</dt>
            <dd>
              <Writable isFailing={failing.includes('database')} />
            </dd>
            <dt>Storage</dt>
            <dd>
              <Writable isFailing={failing.includes('storage')} />
            </dd>
            <dt>Servers</dt>
            <dd>
              {processes > 0 ? (
                <State tone="success">{number(processes)} alive</State>
              ) : (
                <span class="quiet">not known</span>
              )}
            </dd>
            <dt>Disk</dt>
            <dd>
              {disk ? (
                <>
                  <Size of={disk.free} /> free of <Size of={disk.total} />
                </>
              ) : (
                <span class="quiet">not known</span>
              )}
            </dd>
            <dt>Last sweep</dt>
            <dd>{sweeps ? <Ago at={sweeps.last.at} /> : <span class="quiet">none yet</span>}</dd>
            <dt>Jobs</dt>
            <dd>
              {`${number(jobs('waiting'))} waiting, ${number(jobs('running'))} running, ${number(jobs('given-up'))} given up`}
            </dd>
            <dt>Version</dt>
            <dd>Stowage {version}</dd>
            <dt>Started</dt>
            <dd>
              <Ago at={startedAt} />
            </dd>
          </dl>
        </Section>
        <Section title="What there is">
          <dl class="facts">
            {(['users', 'organisations', 'packages', 'versions', 'files'] as const).map((what) => (
              <>
                <dt>{what.slice(0, 1).toUpperCase() + what.slice(1)}</dt>
                <dd class="tabular">{number(counts[what])}</dd>
              </>
            ))}
            <dt>Size</dt>
            <dd>
              <Size of={counts.bytes} />
            </dd>
          </dl>
          {(quotas.site.bytes !== null || quotas.site.versions !== null) && (
            <div class="grid gap-4 mt-5">
              {quotas.site.bytes !== null && (
                <UsageBar label="Size" used={counts.bytes} limit={quotas.site.bytes} say={bytes} />
              )}
              {quotas.site.versions !== null && (
                <UsageBar label="Versions" used={counts.versions} limit={quotas.site.versions} say={number} />
              )}
            </div>
          )}
        </Section>
      </div>
    </AdminPage>
  )
}

function Writable({ isFailing }: { isFailing: boolean }) {
  return isFailing ? <State tone="error">cannot be written</State> : <State tone="success">can be written</State>
}

/** What somebody should look at, the worst first. */
export function attentionsOf(
  { view, failing, disk, drift }: OverviewPageProps,
  links: ReturnType<typeof useSite>['links'],
): Attention[] {
  const { counts, quotas, sweeps, hold } = view
  const givenUp = view.jobs.filter(({ state }) => state === 'given-up').reduce((sum, { jobs }) => sum + jobs, 0)
  const at = (...more: string[]) => links.to('-', 'admin', ...more)
  const full = (
    [
      ['bytes', 'size'],
      ['versions', 'versions'],
    ] as const
  ).flatMap(([of, word]) => {
    const limit = quotas.site[of]
    return limit !== null && counts[of] >= limit * 0.9 ? [word] : []
  })
  const isNearlyFull = disk !== undefined && disk.free < Math.min(disk.total / 10, 50e9)
  const found: (Attention | false)[] = [
    ...failing.map((what) => ({
      tone: 'error' as const,
      text: `The ${what} cannot be written: nothing can be published. The log says why.`,
    })),
    sweeps?.last.error != null && {
      tone: 'error' as const,
      text: `The last sweep could not remove everything: ${sweeps.last.error}`,
      href: at('storage'),
    },
    isNearlyFull && {
      tone: 'warning',
      text: `Only ${bytes(disk.free)} of the disk are free.`,
      href: at('storage'),
    },
    full.length > 0 && {
      tone: 'warning',
      text: `The quota of the site is used up, or nearly: ${full.join(', ')}.`,
      href: at('quotas'),
    },
    givenUp > 0 && {
      tone: 'warning',
      text: `${counted(givenUp, 'job')} ${givenUp === 1 ? 'was' : 'were'} given up.`,
      href: `${at('jobs')}?state=given-up`,
    },
    hold !== undefined && {
      tone: 'warning',
      text: `Nothing that was published is removed at the moment: ${hold}`,
      href: at('storage'),
    },
    drift > 0 && {
      tone: 'warning',
      text: `The last recount corrected ${counted(drift, 'number')} of usage.`,
      href: at('quotas'),
    },
  ]
  return found.filter((one) => one !== false)
}
