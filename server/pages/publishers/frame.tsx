import type { PropsWithChildren } from 'hono/jsx'
import type { PublisherRule } from '../../access/publishers.ts'
import { Trail } from '../components/parts.tsx'
import { useSite } from '../site.ts'

/** Where the pages of an owner's trusted publishers are. */
export interface Addresses {
  owner: string
  all: string
  fresh: string
  one: (id: number) => string
  edit: (id: number) => string
  remove: (id: number) => string
}

/** A page below the list. */
export function PublisherPage(
  props: PropsWithChildren<{
    at: Addresses
    /** Undefined: a new one. */
    rule?: PublisherRule | undefined
    /** The page's own step; none: the rule's page. */
    step?: string
    title: string
  }>,
) {
  const { at, rule, step, title, children } = props
  const { links } = useSite()
  const own = rule && { text: rule.name, ...(step ? { href: at.one(rule.id) } : {}) }
  return (
    <>
      <Trail
        steps={[
          { text: at.owner, href: links.owner(at.owner) },
          { text: 'Trusted publishers', href: at.all },
          ...(own ? [own] : []),
          ...(step ? [{ text: step }] : []),
        ]}
      />
      <h1 class="mb-5 breaks">{title}</h1>
      {children}
    </>
  )
}
