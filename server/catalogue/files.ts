import { type InferResult, sql } from 'kysely'
import { membershipFrom, type OwnerRow } from './owners.ts'
import { namedFrom, type PackageStanding } from './package-grants.ts'
import { prepared } from './prepared.ts'
import type { Db, Schema, Tx } from './schema.ts'

/** A file with what a download or a refusal shows of it. */
export interface FileRow {
  id: number
  name: string
  createdAt: number
  uploader: string | null
  size: number
  sha256: string
  location: string
}

/** A file that was found by its address, with where it belongs. */
export interface AddressedFile extends FileRow {
  versionId: number
  packageId: number
}

/** The keys of a file's address, folded; '' where the text can be no such name, since nothing is called that. */
export interface AddressKeys {
  owner: string
  package: string
  version: string
  file: string
}

/** What one look-up finds at an address, as far as it leads. */
export interface AddressRow {
  owner: OwnerRow
  /** The address has a name that the owner had before. */
  isFormerName: boolean
  package: PackageStanding
  versionExists: boolean
  file: AddressedFile | undefined
}

/** Who published a file: a person, or the owner whose token did. */
const uploaderIs = sql<boolean>`uploaders.id = coalesce(files.uploader_id, files.uploader_owner_id)`

/** Owner, version and file at an address, as far as they are there; a row where there is an owner. */
export function addresses(db: Db | Tx, keys: AddressKeys) {
  return db
    .selectFrom('owners')
    .leftJoin('packages', (join) =>
      join.onRef('packages.owner_id', '=', 'owners.id').on('packages.name_key', '=', keys.package),
    )
    .leftJoin('versions', (join) =>
      join.onRef('versions.package_id', '=', 'packages.id').on('versions.version_key', '=', keys.version),
    )
    .leftJoin('files', (join) =>
      join.onRef('files.version_id', '=', 'versions.id').on('files.name_key', '=', keys.file),
    )
    .leftJoin('blobs', 'blobs.id', 'files.blob_id')
    .leftJoin('owners as uploaders', (join) => join.on(uploaderIs))
    .select([
      'owners.id as ownerId',
      'owners.kind',
      'owners.name as ownerName',
      'owners.visibility',
      'owners.name_key as ownerKey',
      'packages.id as packageId',
      'packages.visibility as packageVisibility',
      'versions.id as versionId',
      'files.id as fileId',
      'files.name as fileName',
      'files.created_at as createdAt',
      'uploaders.name as uploader',
      'blobs.size',
      'blobs.sha256',
      'blobs.location',
    ])
    .where(
      'owners.id',
      '=',
      sql<number>`coalesce(
        (select id from owners where name_key = ${keys.owner}),
        (select owner_id from former_names where name_key = ${keys.owner}))`,
    )
}

/** What is the caller's own at an address. */
export interface Standing {
  /** Null where he is in no team there. */
  access: number | null
  /** Null where the package does not name him. */
  named: number | null
  /** 1 where some package there names him. */
  isNamed: 0 | 1 | null
}

export const noStanding: Standing = { access: null, named: null, isNamed: null }

export function addressFrom(
  row: InferResult<ReturnType<typeof addresses>>[number],
  keys: AddressKeys,
  standing: Standing,
): AddressRow {
  const { packageId, versionId, fileId, fileName, createdAt, uploader, size, sha256, location } = row
  const its = packageId !== null && versionId !== null ? { packageId, versionId } : undefined
  const found = fileId !== null && fileName !== null && createdAt !== null && size !== null
  return {
    owner: {
      id: row.ownerId,
      kind: row.kind,
      name: row.ownerName,
      visibility: row.visibility,
      membership: membershipFrom(standing.access),
      isNamed: standing.isNamed === 1,
    },
    package: {
      key: keys.package,
      visibility: row.packageVisibility ?? 'inherit',
      named: namedFrom(standing.named),
    },
    isFormerName: row.ownerKey !== keys.owner,
    versionExists: versionId !== null,
    file:
      found && its && sha256 !== null && location !== null
        ? { id: fileId, ...its, name: fileName, createdAt, uploader, size, sha256, location }
        : undefined,
  }
}

/** Of a file that is about to be read. */
const readColumns = [
  'files.id',
  'files.name',
  'files.created_at as createdAt',
  'uploaders.name as uploader',
  'blobs.size',
  'blobs.sha256',
  'blobs.location',
] as const

/** The file of that name in a version. */
export async function fileInVersion(tx: Db | Tx, versionId: number, nameKey: string): Promise<FileRow | undefined> {
  return tx
    .selectFrom('files')
    .innerJoin('blobs', 'blobs.id', 'files.blob_id')
    .leftJoin('owners as uploaders', (join) => join.on(uploaderIs))
    .select(readColumns)
    .where('files.version_id', '=', versionId)
    .where('files.name_key', '=', nameKey)
    .executeTakeFirst()
}

/** The file of that id, where it belongs to that version. */
export async function fileOfVersion(
  db: Db,
  wanted: { ownerId: number; packageKey: string; versionKey: string; fileId: number },
): Promise<AddressedFile | undefined> {
  const [row] = await selectFileOf(db, wanted)
  return row
}

const selectFileOf = prepared(
  ['ownerId', 'packageKey', 'versionKey', 'fileId'],
  (db, wanted: { ownerId: number; packageKey: string; versionKey: string; fileId: number }) =>
    db
      .selectFrom('files')
      .innerJoin('versions', 'versions.id', 'files.version_id')
      .innerJoin('packages', 'packages.id', 'versions.package_id')
      .innerJoin('blobs', 'blobs.id', 'files.blob_id')
      .leftJoin('owners as uploaders', (join) => join.on(uploaderIs))
      .select(readColumns)
      .select(['files.version_id as versionId', 'versions.package_id as packageId'])
      .where('files.id', '=', wanted.fileId)
      .where('packages.owner_id', '=', wanted.ownerId)
      .where('packages.name_key', '=', wanted.packageKey)
      .where('versions.version_key', '=', wanted.versionKey),
)

/** A file with its digests, as far as they are known. */
export interface ListedFile extends Digested {
  id: number
  blobId: number
  name: string
  size: number
  downloads: number
}

type Digested = Pick<Schema['blobs'], 'md5' | 'sha1' | 'sha256' | 'sha512'>

const listedColumns = [
  'files.id',
  'files.blob_id as blobId',
  'files.name',
  'files.downloads',
  'blobs.size',
  'blobs.md5',
  'blobs.sha1',
  'blobs.sha256',
  'blobs.sha512',
] as const

/** All files of a version, by name. */
export async function filesOfVersion(
  db: Db,
  wanted: { ownerId: number; packageKey: string; versionKey: string },
): Promise<ListedFile[]> {
  return selectFilesOf(db, wanted)
}

const selectFilesOf = prepared(
  ['ownerId', 'packageKey', 'versionKey'],
  (db, wanted: { ownerId: number; packageKey: string; versionKey: string }) =>
    db
      .selectFrom('packages')
      .innerJoin('versions', 'versions.package_id', 'packages.id')
      .innerJoin('files', 'files.version_id', 'versions.id')
      .innerJoin('blobs', 'blobs.id', 'files.blob_id')
      .select(listedColumns)
      .where('packages.owner_id', '=', wanted.ownerId)
      .where('packages.name_key', '=', wanted.packageKey)
      .where('versions.version_key', '=', wanted.versionKey)
      .orderBy('files.name_key'),
)

/** A file with when it came and, where a job published it, what is known of that: `claims` is JSON. */
export type OriginatedFile = ListedFile & { createdAt: number; issuer: string | null; claims: string | null }

/** Some of a version's files, by name. */
export async function someFilesOfVersion(
  db: Db,
  wanted: { versionId: number; offset: number; limit: number },
): Promise<OriginatedFile[]> {
  return selectSomeFilesOf(db, wanted)
}

const selectSomeFilesOf = prepared(
  ['versionId', 'offset', 'limit'],
  (db, wanted: { versionId: number; offset: number; limit: number }) =>
    db
      .selectFrom('files')
      .innerJoin('blobs', 'blobs.id', 'files.blob_id')
      .leftJoin('file_origins', 'file_origins.file_id', 'files.id')
      .select(listedColumns)
      .select(['files.created_at as createdAt', 'file_origins.issuer', 'file_origins.claims'])
      .where('files.version_id', '=', wanted.versionId)
      .orderBy('files.name_key')
      .offset(wanted.offset)
      .limit(wanted.limit),
)

/** Some of the files that have a blob's bytes: owner, package, version and file as they are spelled. */
export async function namesOfBlob(db: Db, blobId: number, limit: number): Promise<string[]> {
  const files = await db
    .selectFrom('files')
    .innerJoin('versions', 'versions.id', 'files.version_id')
    .innerJoin('packages', 'packages.id', 'versions.package_id')
    .innerJoin('owners', 'owners.id', 'packages.owner_id')
    .select(['owners.name as owner', 'packages.name as package', 'versions.version', 'files.name as file'])
    .where('files.blob_id', '=', blobId)
    .orderBy('files.id')
    .limit(limit)
    .execute()
  return files.map((it) => [it.owner, it.package, it.version, it.file].join('/'))
}

export interface NewFile {
  versionId: number
  name: string
  nameKey: string
  blobId: number
  uploaderId: number | null
  /** Whose token it was, where no person published it. */
  uploaderOwnerId: number | null
  uploadId: string
  now: number
}

/** The new file's id, or undefined when the name is taken. */
export async function insertFile(tx: Tx, file: NewFile): Promise<number | undefined> {
  const [row] = await insertNewFile(tx, file)
  return row?.id
}

const insertNewFile = prepared(
  ['versionId', 'name', 'nameKey', 'blobId', 'uploaderId', 'uploaderOwnerId', 'uploadId', 'now'],
  (tx, file: NewFile) =>
    tx
      .insertInto('files')
      .values({
        version_id: file.versionId,
        name: file.name,
        name_key: file.nameKey,
        blob_id: file.blobId,
        uploader_id: file.uploaderId,
        uploader_owner_id: file.uploaderOwnerId,
        upload_id: file.uploadId,
        created_at: file.now,
      })
      .onConflict((conflict) => conflict.columns(['version_id', 'name_key']).doNothing())
      .returning('id'),
)

/** Whether an upload whose answer was lost was committed. */
export async function uploadExists(db: Db | Tx, uploadId: string): Promise<boolean> {
  const row = await db.selectFrom('files').select('id').where('upload_id', '=', uploadId).executeTakeFirst()
  return row !== undefined
}

/** A file that is removed. */
export interface RemovedFile {
  id: number
  name: string
  versionId: number
  blobId: number
}

const removedColumns = ['id', 'name', 'version_id as versionId', 'blob_id as blobId'] as const

/** Removes a file; undefined when there was none of that name. */
export async function deleteFileByName(tx: Tx, versionId: number, nameKey: string): Promise<RemovedFile | undefined> {
  return tx
    .deleteFrom('files')
    .where('version_id', '=', versionId)
    .where('name_key', '=', nameKey)
    .returning(removedColumns)
    .executeTakeFirst()
}

/** Removes every file of a version. */
export async function deleteFilesOf(tx: Tx, versionId: number): Promise<RemovedFile[]> {
  return tx.deleteFrom('files').where('version_id', '=', versionId).returning(removedColumns).execute()
}

export async function hasFiles(tx: Tx, versionId: number): Promise<boolean> {
  const row = await tx.selectFrom('files').select('id').where('version_id', '=', versionId).limit(1).executeTakeFirst()
  return row !== undefined
}

/** Removes some of the files of these versions, version by version. */
export async function deleteSomeFilesOf(tx: Tx, versionIds: readonly number[], limit: number): Promise<RemovedFile[]> {
  if (versionIds.length === 0) return []
  return tx
    .deleteFrom('files')
    .where('id', 'in', (of) =>
      of
        .selectFrom('files')
        .select('id')
        .where('version_id', 'in', versionIds)
        .orderBy('version_id')
        .orderBy('id')
        .limit(limit),
    )
    .returning(removedColumns)
    .execute()
}

/** Takes a user off some of the files that he uploaded; how many that were. */
export async function forgetUploader(tx: Tx, userId: number, limit: number): Promise<number> {
  const { numUpdatedRows } = await tx
    .updateTable('files')
    .set({ uploader_id: null })
    .where('id', 'in', (of) => of.selectFrom('files').select('id').where('uploader_id', '=', userId).limit(limit))
    .executeTakeFirst()
  return Number(numUpdatedRows)
}

/** Files of all owners together, and their bytes, also those that are stored once for several. */
export async function countedFiles(db: Db): Promise<{ count: number; bytes: number }> {
  return db
    .selectFrom('owner_counts')
    .select(({ fn }) => [
      fn.coalesce(fn.sum<number>('files'), sql.lit(0)).as('count'),
      fn.coalesce(fn.sum<number>('bytes'), sql.lit(0)).as('bytes'),
    ])
    .executeTakeFirstOrThrow()
}
