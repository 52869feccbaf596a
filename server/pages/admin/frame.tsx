import type { PropsWithChildren } from 'hono/jsx'
import { Alert, Trail } from '../components/parts.tsx'
import { type AdminPlace, AdminPlaces } from '../components/places.tsx'

/** What every page about running the site begins with. */
export function AdminPage(
  props: PropsWithChildren<{
    here: AdminPlace
    title: string
    /** Above this page, where it stands below another one. */
    trail?: readonly { text: string; href?: string }[]
    /** What is wrong with a form as a whole. */
    fault?: string | undefined
  }>,
) {
  const { here, title, trail, fault, children } = props
  return (
    <>
      <AdminPlaces here={here} />
      {trail && <Trail steps={[...trail, { text: title }]} />}
      <h1 class="mb-5">{title}</h1>
      {fault && <Alert tone="error">{fault}</Alert>}
      {children}
    </>
  )
}
