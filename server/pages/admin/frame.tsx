import type { PropsWithChildren } from 'hono/jsx'
import { Alert, Trail } from '../components/parts.tsx'
import { type AdminPlace, AdminPlaces } from '../components/places.tsx'
import { useSite } from '../site.ts'

/** What every page about running the site begins with. One that stands below another has a trail, and no places beside it. */
export function AdminPage(
  props: PropsWithChildren<{
    here: AdminPlace
    /** None: the first page, whose place says it. */
    title?: string
    /** Above this page, where it stands below another one. */
    trail?: readonly { text: string; href?: string }[]
    /** What is wrong with a form as a whole. */
    fault?: string | undefined
  }>,
) {
  const { here, title, trail, fault, children } = props
  const { links } = useSite()
  return (
    <>
      {trail && title ? (
        <>
          <Trail steps={[{ text: 'Site', href: links.to('-', 'admin') }, ...trail, { text: title }]} />
          <h1 class="mb-5">{title}</h1>
        </>
      ) : (
        <>
          <h1 class="mb-3">Site</h1>
          <AdminPlaces here={here} />
          {title && <h2 class="mb-3">{title}</h2>}
        </>
      )}
      {fault && <Alert tone="error">{fault}</Alert>}
      {children}
    </>
  )
}
