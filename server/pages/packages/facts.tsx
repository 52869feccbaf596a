import type { Child, PropsWithChildren } from 'hono/jsx'
import type { Caller } from '../../access/caller.ts'
import { maySee } from '../../access/grant.ts'
import type { Profile } from '../../registry/lists.ts'
import { Icon } from '../components/icon.tsx'
import { useSite } from '../site.ts'

/** Who made something: a link for those who may know more of him than his name. */
export function Maker({ of, caller }: { of: Profile | undefined; caller: Caller }) {
  const { links } = useSite()
  if (!of) return <span class="quiet">somebody who is gone</span>
  return maySee(caller, of) ? (
    <a href={links.owner(of.name)} class="line">
      {of.name}
    </a>
  ) : (
    <span>{of.name}</span>
  )
}

export function Facts({ children }: PropsWithChildren) {
  return <dl class="facts">{children}</dl>
}

export function Fact({ name, children }: { name: string; children: Child }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  )
}

/** An address that somebody has typed. It leads away, and takes nothing along. */
export function Away({ href }: { href: string }) {
  const url = URL.parse(href)
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) return <span class="breaks">{href}</span>
  return (
    <a href={url.href} rel="noopener nofollow" class="line breaks">
      {url.host + (url.pathname === '/' ? '' : url.pathname)} <Icon name="link" label="(another site)" />
    </a>
  )
}

/** A version as it is read, whichever way its letters run. */
export function VersionText({ children }: { children: string }) {
  return (
    <code class="breaks">
      <bdi>{children}</bdi>
    </code>
  )
}

/** Of a heading: a very long name need not shout. */
export function sizeOfTitle(text: string): string {
  return text.length > 60 ? 'text-lg font-mono font-medium' : ''
}
