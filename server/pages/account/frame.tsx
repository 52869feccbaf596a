import type { PropsWithChildren } from 'hono/jsx'
import { Alert } from '../components/parts.tsx'
import { type AccountPlace, AccountPlaces } from '../components/places.tsx'
import type { Faults } from '../forms.ts'

/** What every page about one's own account begins with. */
export function AccountPage(props: PropsWithChildren<{ here: AccountPlace; faults?: Faults | undefined }>) {
  const { here, faults, children } = props
  return (
    <>
      <h1 class="mb-3">Account</h1>
      <AccountPlaces here={here} />
      {faults?.form && <Alert tone="error">{faults.form}</Alert>}
      {children}
    </>
  )
}
