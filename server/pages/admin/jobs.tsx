import { type JobRow, type JobState, stateOf } from '../../registry/jobs.ts'
import { Button } from '../components/forms.tsx'
import { Empty, Pager, type Paging, State } from '../components/parts.tsx'
import { actions, TableHead } from '../components/table-head.tsx'
import { Ago } from '../components/values.tsx'
import { withQuery } from '../links.ts'
import { useSite } from '../site.ts'
import { number } from '../words.ts'
import { AdminPage } from './frame.tsx'

/** What each kind does; one that is not here is told by its name. */
const kinds: Record<string, string> = {
  'audit-retention': 'Remove old lines of the audit log',
  deliveries: 'Send to webhooks',
  digests: 'Compute the other digests of a file',
  'ended-sessions': 'Remove sessions that have ended',
  'ended-exchanges': 'Remove tokens of jobs that have ended',
  'expired-links': 'Remove links that have ended',
  'forgotten-password': 'Make a link for a forgotten password',
  mail: 'Send a mail',
  'old-deliveries': 'Remove old deliveries of webhooks',
  recount: 'Count everything through',
  sweep: 'Sweep the storage',
}

const filters = [
  { state: undefined, text: 'All' },
  { state: 'waiting', text: 'Waiting' },
  { state: 'running', text: 'Running' },
  { state: 'given-up', text: 'Given up' },
] as const

const none = {
  all: 'Nothing is to be done',
  waiting: 'No job waits',
  running: 'No job runs',
  'given-up': 'No job was given up',
}

export function JobList(props: { jobs: readonly JobRow[]; state: JobState | undefined; paging: Paging }) {
  const { jobs, state, paging } = props
  const { links } = useSite()
  const path = links.to('-', 'admin', 'jobs')
  return (
    <AdminPage here="jobs" title="Jobs">
      <p class="mb-4 prose-width">
        Work that no request waits for. What fails is tried again, later and later; after the last attempt it is given
        up, and waits for you.
      </p>
      <nav aria-label="Which jobs" class="flex flex-wrap gap-x-4 gap-y-1 mb-4">
        {filters.map((filter) => (
          <a
            href={withQuery(path, { state: filter.state })}
            class={filter.state === state ? 'font-semibold border-b-2 border-accent' : 'line'}
            aria-current={filter.state === state ? 'page' : undefined}
          >
            {filter.text}
          </a>
        ))}
      </nav>
      {jobs.length === 0 ? (
        <Empty title={none[state ?? 'all']} />
      ) : (
        <table class="list-table">
          <TableHead columns={['What', 'State', { text: 'Failures', isNumber: true }, 'Asked for', actions]} />
          <tbody>
            {jobs.map((job) => (
              <JobLine job={job} state={stateOf(job)} />
            ))}
          </tbody>
        </table>
      )}
      <Pager paging={paging} path={path} query={{ state }} />
    </AdminPage>
  )
}

function JobLine({ job, state }: { job: JobRow; state: JobState }) {
  const { links } = useSite()
  const at = (what: string) => links.to('-', 'admin', 'jobs', String(job.id), what)
  return (
    <tr>
      <td class="breaks">
        {kinds[job.kind] ?? <code>{job.kind}</code>}
        {job.subject && <code class="block quiet text-sm breaks">{job.subject}</code>}
        {job.last_error && (
          <details class="mt-1 max-w-xl" open={state === 'given-up'}>
            <summary class="text-sm line">Last error</summary>
            <p class="text-sm breaks mt-1">{job.last_error}</p>
          </details>
        )}
      </td>
      <td>
        <JobStateText job={job} state={state} />
      </td>
      <td class="number" data-label="Failures">
        {number(job.attempts)}
      </td>
      <td data-label="Asked for">
        <Ago at={job.created_at} />
      </td>
      <td class="number">
        <div class="flex flex-wrap gap-2 md:justify-end">
          {state !== 'running' && (
            <form method="post" action={at('retry')}>
              <Button size="xs" icon="repeat">
                Try now
              </Button>
            </form>
          )}
          {state === 'given-up' && (
            <form method="post" action={at('delete')}>
              <Button size="xs" look="danger" icon="trash">
                Forget
              </Button>
            </form>
          )}
        </div>
      </td>
    </tr>
  )
}

function JobStateText({ job, state }: { job: JobRow; state: JobState }) {
  const { now } = useSite()
  if (state === 'given-up') {
    return (
      <>
        <State tone="error">Given up</State>
        {job.given_up_at !== null && (
          <span class="block quiet text-sm">
            <Ago at={job.given_up_at} />
          </span>
        )}
      </>
    )
  }
  if (state === 'running') return <State tone="info">Running</State>
  return (
    <>
      <State tone={job.attempts > 0 ? 'warning' : 'none'}>Waiting</State>
      <span class="block quiet text-sm">
        {job.due_at <= now ? (
          'due now'
        ) : (
          <>
            due <Ago at={job.due_at} />
          </>
        )}
      </span>
    </>
  )
}
