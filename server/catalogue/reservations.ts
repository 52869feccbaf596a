import { prepared } from './prepared.ts'
import type { Db, Tx } from './schema.ts'

export interface Reservation {
  uploadId: string
  leaseId: string
  ownerId: number
  packageKey: string
  versionKey: string
  bytes: number
  now: number
}

/** What an upload will take at most; in the place of what it has reserved before. */
export async function setReservation(tx: Tx, reservation: Reservation): Promise<void> {
  await upsertReservation(tx, reservation)
}

const upsertReservation = prepared(
  ['uploadId', 'leaseId', 'ownerId', 'packageKey', 'versionKey', 'bytes', 'now'],
  (tx, { uploadId, leaseId, ownerId, packageKey, versionKey, bytes, now }: Reservation) =>
    tx
      .insertInto('reservations')
      .values({
        upload_id: uploadId,
        lease_id: leaseId,
        owner_id: ownerId,
        package_key: packageKey,
        version_key: versionKey,
        bytes,
        created_at: now,
      })
      .onConflict((conflict) =>
        conflict.column('upload_id').doUpdateSet(({ ref }) => ({ bytes: ref('excluded.bytes') })),
      ),
)

export async function deleteReservations(tx: Tx, uploadIds: readonly string[]): Promise<void> {
  if (uploadIds.length === 0) return
  await tx.deleteFrom('reservations').where('upload_id', 'in', uploadIds).execute()
}

/**
 * The uploads of a process that have something reserved, and those of processes that are dead: a node of an older release that
 * declares one dead does not give back what it reserved. Some of them, where they are very many.
 */
export async function reservedUnder(db: Db, leaseId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('reservations')
    .select('upload_id')
    .where(({ eb, not, or, exists, selectFrom }) =>
      or([
        eb('lease_id', '=', leaseId),
        not(
          exists(
            selectFrom('leases')
              .select('leases.id')
              .whereRef('leases.id', '=', 'reservations.lease_id')
              .where('leases.dead_since', 'is', null),
          ),
        ),
      ]),
    )
    .limit(10_000)
    .execute()
  return rows.map((row) => row.upload_id)
}
