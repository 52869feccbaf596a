import { randomUUID } from 'node:crypto'
import { blobsById, digestsOf } from '../catalogue/blobs.ts'
import type { RemovedFile } from '../catalogue/files.ts'
import type { OwnerRow } from '../catalogue/owners.ts'
import type { Tx } from '../catalogue/schema.ts'
import { addDeliveries, type Listener } from '../catalogue/webhooks.ts'
import type { Digests } from '../lib/digests.ts'

/** What webhooks are told of: actions of the event `package`. The last two are told only to those that asked for them. */
export type ChangeAction = 'created' | 'deleted' | 'file_added' | 'file_deleted'

/** A file as it was when something happened to it; `blobId` leads to digests that were not known then, while it is there. */
export interface ChangedFile {
  id: number
  blobId: number
  name: string
  size: number
  digests: { [Name in keyof Digests]: string | null } & { sha256: string }
}

/** Files that are removed, as they are told of; their blobs must still be there. */
export async function toldFiles(tx: Tx, files: readonly RemovedFile[]): Promise<ChangedFile[]> {
  const blobs = await blobsById(
    tx,
    files.map(({ blobId }) => blobId),
  )
  return files.flatMap(({ id, blobId, name }) => {
    const blob = blobs.get(blobId)
    return blob ? [{ id, blobId, name, size: blob.size, digests: digestsOf(blob) }] : []
  })
}

/** Something that happened to a version, as it was then: what it is about may be gone when it is told. */
export interface Change {
  action: ChangeAction
  owner: Pick<OwnerRow, 'id' | 'kind' | 'name' | 'visibility'>
  package: string
  version: { id: number; version: string; creatorId: number | null; createdAt: number }
  sender: { id: number; name: string }
  files: ChangedFile[]
}

/** The events that a webhook may ask for, and the actions that it is told of each. */
export const webhookEvents = {
  package: ['created', 'deleted'],
  file_added: ['file_added'],
  file_deleted: ['file_deleted'],
} as const satisfies Record<string, readonly ChangeAction[]>

export type WebhookEvent = keyof typeof webhookEvents

/** Files that one delivery names. Of a version that is removed with more of them, several deliveries tell. */
const mostFiles = 500

/** As it is kept: what happened, and of the rest no more than is told. */
function factsOf({ action, owner, version, sender, files, ...change }: Change): Change[] {
  const facts = {
    action,
    owner: { id: owner.id, kind: owner.kind, name: owner.name, visibility: owner.visibility },
    package: change.package,
    version: {
      id: version.id,
      version: version.version,
      creatorId: version.creatorId,
      createdAt: version.createdAt,
    },
    sender: { id: sender.id, name: sender.name },
  }
  const parts = action === 'file_deleted' ? Math.ceil(files.length / mostFiles) : 1
  return Array.from({ length: parts }, (_, part) => ({
    ...facts,
    files: files.slice(part * mostFiles, (part + 1) * mostFiles),
  }))
}

/** Puts changes into the outbox of every webhook that asked for them; whether there is any to be sent. */
export async function tell(
  tx: Tx,
  listeners: readonly Listener[],
  changes: readonly Change[],
  now: number,
): Promise<boolean> {
  if (listeners.length === 0) return false
  const facts = changes.flatMap(factsOf).map((change) => ({ action: change.action, change: JSON.stringify(change) }))
  const deliveries = listeners.flatMap(({ id, events }) => {
    const asked = new Set<string>(events.split(',').flatMap((event) => webhookEvents[event as WebhookEvent] ?? []))
    return facts
      .filter(({ action }) => asked.has(action))
      .map((fact) => ({ webhook_id: id, uuid: randomUUID(), ...fact, created_at: now }))
  })
  await addDeliveries(tx, deliveries)
  return deliveries.length > 0
}
