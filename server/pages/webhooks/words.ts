import type { WebhookEvent } from '../../registry/changes.ts'
import type { ListedDelivery, WebhookRow } from '../../registry/webhooks.ts'
import { number } from '../words.ts'

/** What a webhook may ask for, in words. */
export const eventWords: Record<WebhookEvent, { label: string; hint: string }> = {
  package: {
    label: 'Versions',
    hint: 'A version got its first file, or was deleted with all its files.',
  },
  file_added: { label: 'Files added', hint: 'A file was added to a version, the first one included.' },
  file_deleted: { label: 'Files deleted', hint: 'A file was deleted, by hand or with its version.' },
}

const actionWords: Record<string, string> = {
  created: 'Version made',
  deleted: 'Version deleted',
  file_added: 'File added',
  file_deleted: 'File deleted',
}

/** What has happened. */
export function actionInWords(action: string): string {
  return actionWords[action] ?? action
}

export function eventsInWords({ events }: Pick<WebhookRow, 'events'>): string {
  return events
    .split(',')
    .map((event) => eventWords[event as WebhookEvent]?.label ?? event)
    .join(', ')
}

/** What a delivery came to: a word, and whether it is good. */
export function stateOf({ state, attempts }: Pick<ListedDelivery, 'state' | 'attempts'>) {
  if (state === 'delivered') return { tone: 'success', text: 'Delivered' } as const
  if (state === 'given-up') return { tone: 'error', text: 'Given up' } as const
  return attempts > 0
    ? ({ tone: 'warning', text: 'Failed, tries again' } as const)
    : ({ tone: 'none', text: 'Waiting' } as const)
}

/** `83 ms`, `1.2 s` */
export function duration(milliseconds: number): string {
  return milliseconds < 1_000 ? `${number(milliseconds)} ms` : `${(milliseconds / 1_000).toFixed(1)} s`
}

/** Characters of a body that a page shows. */
const mostShown = 20_000

/** A body to be read: JSON on lines of its own, and no more than one looks at. */
export function readable(body: string): { text: string; left: number } {
  const text = onLines(body)
  if (text.length <= mostShown) return { text, left: 0 }
  // No half of a character at the end.
  const shown = text.slice(0, mostShown).replace(/[\uD800-\uDBFF]$/, '')
  return { text: shown, left: text.length - shown.length }
}

function onLines(body: string): string {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null ? JSON.stringify(value, null, 2) : body
  } catch {
    return body
  }
}

/** Headers as they stand in a request; none where nothing was kept. */
export function headerLines(json: string | null): string {
  const headers = json === null ? {} : (JSON.parse(json) as Record<string, string>)
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n')
}
