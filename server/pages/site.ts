import { createContext, useContext } from 'hono/jsx'
import type { Visitor } from '../access/sessions.ts'
import type { Assets } from './assets.ts'
import { Links } from './links.ts'

/** What every component may need of the page that it stands on. */
export interface Site {
  links: Links
  assets: Assets
  /** As the reader reaches the server, without a trailing slash: what commands begin with. */
  address: string
  /** Milliseconds: when the page was made. */
  now: number
  /** Who reads; undefined: somebody who has not signed in. */
  visitor: Visitor | undefined
  /** Of this page, as the browser has it: where to come back to. */
  here: string
  theme: Theme
  version: string
  /** OpenID providers by which one may come in. */
  providers: readonly { name: string; title: string }[]
  /** Whether strangers may make themselves an account. */
  signUpIsOpen: boolean
}

export const themes = ['system', 'light', 'dark'] as const
export type Theme = (typeof themes)[number]

export const SiteContext = createContext<Site | undefined>(undefined)

export function useSite(): Site {
  const site = useContext(SiteContext)
  if (!site) throw new Error('a component stands on no page')
  return site
}

export { Links }
