import type { Db } from './schema.ts'

/** What would go: a file, a version with its files, or a package with its versions. */
export type Doomed = { fileId: number } | { versionId: number } | { packageId: number }

/** Bytes that only these files have: those of blobs that no other file shares. It looks at every file that would go. */
export async function ownBytes(db: Db, doomed: Doomed): Promise<number> {
  const { size } = await db
    .selectFrom('blobs')
    .select(({ fn }) => fn.sum<number | string | null>('blobs.size').as('size'))
    .where('blobs.id', 'in', ({ selectFrom }) => {
      const files = selectFrom('files').select('files.blob_id')
      if ('fileId' in doomed) return files.where('files.id', '=', doomed.fileId)
      if ('versionId' in doomed) return files.where('files.version_id', '=', doomed.versionId)
      return files
        .innerJoin('versions', 'versions.id', 'files.version_id')
        .where('versions.package_id', '=', doomed.packageId)
    })
    .where(({ not, exists, selectFrom }) => {
      const others = selectFrom('files as other').select('other.id').whereRef('other.blob_id', '=', 'blobs.id')
      if ('fileId' in doomed) return not(exists(others.where('other.id', '<>', doomed.fileId)))
      if ('versionId' in doomed) return not(exists(others.where('other.version_id', '<>', doomed.versionId)))
      return not(
        exists(
          others
            .innerJoin('versions as its', 'its.id', 'other.version_id')
            .where('its.package_id', '<>', doomed.packageId),
        ),
      )
    })
    .executeTakeFirstOrThrow()
  return Number(size ?? 0)
}
