import type { Child, PropsWithChildren } from 'hono/jsx'
import { Alert } from '../components/parts.tsx'

/** A short form in the middle of the page: one thing to do, and nothing beside it. */
export function Narrow({
  title,
  fault,
  lead,
  children,
}: PropsWithChildren<{ title: string; fault?: string | undefined; lead?: Child }>) {
  return (
    <div class="max-w-sm mx-auto sm:pt-6">
      <h1 class="mb-3">{title}</h1>
      {lead && <div class="quiet mb-5 grid gap-2">{lead}</div>}
      {fault && <Alert tone="error">{fault}</Alert>}
      {children}
    </div>
  )
}

/** What else one may want who came here. */
export function Otherwise({ children }: PropsWithChildren) {
  return <div class="border-t border-base-300 mt-7 pt-4 grid gap-2 text-sm">{children}</div>
}
