import type { Child, PropsWithChildren } from 'hono/jsx'
import { withQuery } from '../links.ts'
import { number } from '../words.ts'
import { Icon, type IconName } from './icon.tsx'

type Tone = 'info' | 'success' | 'warning' | 'error'

const toneIcons: Record<Tone, IconName> = { info: 'info', success: 'success', warning: 'alert', error: 'error' }
const tones: Record<Tone, string> = {
  info: 'border-info text-info',
  success: 'border-success text-success',
  warning: 'border-warning text-warning',
  error: 'border-error text-error',
}

/** What has happened, above all else. An error is read aloud at once. */
export function Alert({ tone, children }: PropsWithChildren<{ tone: Tone }>) {
  return (
    <div
      role={tone === 'error' ? 'alert' : 'status'}
      class={`panel flex gap-3 items-start px-4 py-3 mb-6 prose-width ${tones[tone]}`}
    >
      <Icon name={toneIcons[tone]} class="mt-1" />
      <div class="text-base-content breaks">{children}</div>
    </div>
  )
}

/** A state, with a shape beside the colour. */
export function State({ tone, children }: PropsWithChildren<{ tone: Tone | 'none' }>) {
  const colour = tone === 'none' ? 'quiet' : (tones[tone].split(' ')[1] ?? '')
  return (
    <span class={`whitespace-nowrap ${colour}`}>
      {tone !== 'none' && <Icon name={toneIcons[tone]} class="mr-1.5" />}
      {children}
    </span>
  )
}

/** Nothing is here yet, and what to type next. */
export function Empty({ title, children }: PropsWithChildren<{ title: string }>) {
  return (
    <div class="panel border-dashed px-5 py-8 grid grid-cols-1 gap-3">
      <p class="font-medium">{title}</p>
      {children}
    </div>
  )
}

/** Where one is: `acme / tool / 1.0`. The last one is the page itself. */
export function Trail({ steps }: { steps: readonly { text: string; href?: string }[] }) {
  return (
    <nav aria-label="Where you are" class="mb-3 text-sm tabular">
      <ol class="flex flex-wrap gap-x-1.5 gap-y-1 items-center breaks">
        {steps.map(({ text, href }, index) => (
          <li class="breaks">
            {index > 0 && (
              <span class="quiet mr-1.5" aria-hidden="true">
                /
              </span>
            )}
            {href ? (
              <a href={href} class="line">
                <bdi>{text}</bdi>
              </a>
            ) : (
              <bdi aria-current="page">{text}</bdi>
            )}
          </li>
        ))}
      </ol>
    </nav>
  )
}

export interface Place {
  text: string
  href: string
  icon?: IconName
  isHere?: boolean
}

/** The pages that belong together, side by side. */
export function Places({ label, places }: { label: string; places: readonly Place[] }) {
  return (
    <nav aria-label={label} class="where-am-i border-b border-base-300 mb-6">
      <ul class="flex flex-wrap gap-x-5 -mb-px">
        {places.map(({ text, href, icon, isHere }) => (
          <li>
            <a
              href={href}
              aria-current={isHere ? 'page' : undefined}
              class={`inline-flex items-center gap-2 py-2.5 border-b-2 ${isHere ? 'border-accent font-semibold' : 'border-transparent quiet hover:text-base-content'}`}
            >
              {icon && <Icon name={icon} />}
              {text}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  )
}

/** Two columns on a wide screen: what the page is about, and facts beside it. */
export function Columns({ aside, children }: PropsWithChildren<{ aside: Child }>) {
  return (
    <div class="grid gap-8 lg:grid-cols-[minmax(0,1fr)_19rem] lg:gap-12">
      <div class="min-w-0">{children}</div>
      <aside class="min-w-0">{aside}</aside>
    </div>
  )
}

export function Section({
  title,
  id,
  action,
  children,
}: PropsWithChildren<{ title: string; id?: string; action?: Child }>) {
  return (
    <section class="section" id={id}>
      <div class="flex flex-wrap items-baseline justify-between gap-x-4 gap-y-2 mb-3">
        <h2>{title}</h2>
        {action}
      </div>
      {children}
    </section>
  )
}

export interface Paging {
  /** From 1. */
  page: number
  limit: number
  /** Of all pages; undefined where nobody has counted. */
  total: number | undefined
  /** On this page. */
  shown: number
}

/** The pages of a list. `path` and `query` are those of the list itself. */
export function Pager({
  paging,
  path,
  query = {},
}: {
  paging: Paging
  path: string
  query?: Record<string, string | undefined>
}) {
  const { page, limit, total, shown } = paging
  const last = total === undefined ? undefined : Math.max(1, Math.ceil(total / limit))
  const hasNext = last === undefined ? shown === limit : page < last
  if (page === 1 && !hasNext) return null
  const to = (number: number) => withQuery(path, { ...query, page: number === 1 ? undefined : number })
  const first = (page - 1) * limit + 1
  return (
    <nav aria-label="Pages" class="flex flex-wrap items-center justify-between gap-3 mt-5">
      <p class="quiet text-sm tabular">
        {shown === 0
          ? 'Nothing on this page'
          : `${number(first)} to ${number(first + shown - 1)}${total === undefined ? '' : ` of ${number(total)}`}`}
      </p>
      <div class="flex gap-2">
        {page > 1 && (
          <a class="btn btn-sm btn-outline border-base-300" href={to(Math.min(page - 1, last ?? page - 1))} rel="prev">
            <Icon name="previous" /> Previous
          </a>
        )}
        {hasNext && (
          <a class="btn btn-sm btn-outline border-base-300" href={to(page + 1)} rel="next">
            Next <Icon name="next" />
          </a>
        )}
      </div>
    </nav>
  )
}

/** How far an owner's packages are seen. */
export function VisibilityBadge({ visibility }: { visibility: 'public' | 'limited' | 'private' }) {
  const looks = {
    public: { icon: 'globe', text: 'Public', title: 'Everybody can see this' },
    limited: { icon: 'limited', text: 'Limited', title: 'Everybody who has signed in can see this' },
    private: { icon: 'hidden', text: 'Private', title: 'Only members can see this' },
  } as const
  const { icon, text, title } = looks[visibility]
  return (
    <span class="badge badge-outline border-base-300 gap-1.5 font-normal" title={title}>
      <Icon name={icon} />
      {text}
    </span>
  )
}

/** That a package is seen by fewer than see its owner. */
export function PrivateBadge() {
  return (
    <span
      class="badge badge-outline border-base-300 gap-1.5 font-normal"
      title="Only who may publish at its owner, and whom it names, can see this"
    >
      <Icon name="hidden" />
      Private
    </span>
  )
}

/** Used and limit, as a bar with the numbers beside it. */
export function UsageBar({
  label,
  used,
  limit,
  say,
}: {
  label: string
  used: number
  limit: number | undefined
  say: (value: number) => string
}) {
  const part = limit === undefined ? 0 : limit === 0 ? 1 : used / limit
  const tone = part >= 1 ? 'progress-error' : part >= 0.9 ? 'progress-warning' : 'progress-neutral'
  return (
    <div class="grid gap-1.5">
      <p class="flex flex-wrap justify-between gap-x-4 text-sm">
        <span class="font-medium">{label}</span>
        <span class="tabular">
          {limit === undefined ? `${say(used)}, no limit` : `${say(used)} of ${say(limit)}`}
          {part >= 1 ? ' (full)' : part >= 0.9 ? ' (nearly full)' : ''}
        </span>
      </p>
      {limit !== undefined && (
        <progress
          class={`progress ${tone}`}
          value={Math.min(used, limit)}
          max={Math.max(limit, 1)}
          aria-label={label}
        ></progress>
      )}
    </div>
  )
}
